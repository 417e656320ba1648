//! The detectors together: none answers otherwise before its next change; and each by cases.

use serde_json::{Value, json};

use super::*;
use crate::base::day::{self, Day};
use crate::base::money::Money;
use crate::facts::purchase_history::{Entry, pack};

fn history(days: &[Day]) -> Vec<u8> {
    pack(&days.iter().map(|d| Entry::order(*d, Money(10_000))).collect::<Vec<_>>())
}

fn none() -> Value {
    json!({})
}

#[test]
fn leap_days() {
    let day = |text: &str| day::parse(text).unwrap();
    let on = |as_of: &str, options: Value| {
        let moment = anniversary(day("2004-02-29"), day(as_of), "birth_date", &options).unwrap();
        (moment.moment.into_owned(), moment.evidence["on"].as_str().unwrap().to_owned())
    };
    let today = json!({ "ahead": 0 });
    assert_eq!(on("2026-02-28", today.clone()), ("anniversary".into(), "2026-02-28".into()));
    assert_eq!(on("2026-03-01", today.clone()), ("none".into(), "2027-02-28".into()));
    assert_eq!(on("2028-02-29", today), ("anniversary".into(), "2028-02-29".into()));
    let march = json!({ "ahead": 0, "leap_day": "march_1" });
    assert_eq!(on("2026-03-01", march.clone()), ("anniversary".into(), "2026-03-01".into()));
    assert_eq!(on("2028-02-29", march), ("anniversary".into(), "2028-02-29".into()));
    // The day itself is not its anniversary.
    assert_eq!(on("2004-02-29", json!({ "ahead": 0 })).0, "none");
}

#[test]
fn due_then_overdue_then_lapsed() {
    let h = history(&[0, 30, 60, 90, 120, 150]);
    let options = DueOptions::from_json(&none()).unwrap();
    let codes: Vec<String> =
        (150..600).map(|d| purchase_due(Some(&h), d, 1.0, &options).unwrap().moment.into_owned()).collect();
    let mut order = codes.clone();
    order.dedup();
    assert_eq!(order, ["none", "purchase_due", "purchase_overdue", "none"]);
    assert!(purchase_due(Some(&h), 180, 1.0, &options).unwrap().moment == "purchase_due");
    assert!(purchase_due(Some(&h), 180, 1.5, &options).is_err());
    let mut lapsed = DueOptions::from_json(&json!({ "from": 0.9, "until": 0.8 }));
    assert!(lapsed.is_err());
    lapsed = DueOptions::from_json(&json!({ "until": 0.8 }));
    assert!(lapsed.is_ok());
}

#[test]
fn no_change_before_the_next_change() {
    let (due, waning) = (DueOptions::from_json(&none()).unwrap(), WaningOptions::from_json(&none()).unwrap());
    let yearly = YearlyOptions::from_json(&none(), None).unwrap();
    let back = ReactivatedOptions::from_json(&none()).unwrap();
    let first = FirstOptions::from_json(&none()).unwrap();
    for days in [
        vec![0],
        vec![0, 20, 45, 60, 81, 100, 130, 150, 180, 200, 230, 260, 300],
        vec![0, 365, 731, 1096],
        vec![0, 30, 60, 400],
    ] {
        let h = history(&days);
        let detect = |which: usize, as_of: Day| match which {
            0 => purchase_due(Some(&h), as_of, 1.0, &due).unwrap(),
            1 => waning_interest(Some(&h), as_of, &waning).unwrap(),
            2 => yearly_recurrence(Some(&h), as_of, None, "holiday_ahead", &yearly).unwrap(),
            3 => first_purchase(Some(&h), as_of, &first).unwrap(),
            4 => reactivated(Some(&h), as_of, &back).unwrap(),
            _ => anniversary(days[0], as_of, "first_order", &none()).unwrap(),
        };
        for which in 0..6 {
            let last = days[days.len() - 1];
            let codes: Vec<_> = (last..last + 2200).map(|d| detect(which, d)).collect();
            for (i, moment) in codes.iter().take(1500).enumerate() {
                let end = moment.next_change.map_or(2200, |next| (next - last) as usize);
                assert!(end > i, "{which} {days:?} {i}");
                for later in &codes[i..end.min(2200)] {
                    assert_eq!(later.moment, moment.moment, "{which} {days:?} from {i}");
                }
            }
        }
    }
}

#[test]
fn all_that_purchases_tell_is_what_each_detector_says() {
    let options = [
        none(),
        json!({ "from": 0.01, "until": 0.5, "lapsed": 0.6, "window": 30, "gone": 60, "days": 5, "silence": 20 }),
        json!({ "least_gaps": 0, "ratio": 0.9, "alpha": 0.9, "least_days": 1, "days": 400, "level": 0.1 }),
    ];
    // Options that a detector does not know are refused: each takes its own.
    let of = |all: &Value, known: &[&str]| -> Value {
        let own = all.as_object().unwrap().iter().filter(|(key, _)| known.contains(&key.as_str()));
        own.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into()
    };
    let mut state = 3_u64;
    let mut below = |n: u64| {
        state = crate::base::hash::mix(state);
        state % n
    };
    let (mut on, mut to_come, mut nothing) = (0, 0, 0);
    for round in 0..600_usize {
        let all = &options[round % 3];
        let due = DueOptions::from_json(&of(all, &["from", "until", "lapsed", "least_gaps"])).unwrap();
        let waning =
            WaningOptions::from_json(&of(all, &["window", "gone", "ratio", "alpha", "least_days"])).unwrap();
        let first = FirstOptions::from_json(&of(all, &["days"])).unwrap();
        let back = ReactivatedOptions::from_json(&of(all, &["silence", "days", "level"])).unwrap();
        let mut days: Vec<Day> = vec![0];
        for _ in 0..below(12) {
            let gap = [2, 20, 90, 400][below(4) as usize];
            days.push(days[days.len() - 1] + 1 + below(gap) as Day);
        }
        let h = history(&days);
        let (alive, last) = (below(11) as f64 / 10.0, days[days.len() - 1]);
        let moments = PurchaseMoments {
            due: (round % 7 != 0).then(|| due.clone()),
            waning: Some(waning.clone()),
            first: (round % 5 != 0).then(|| first.clone()),
            reactivated: Some(back.clone()),
        };
        for as_of in
            [-1, 0, 3, last, last + 1, last + 12, last + 40, last + 100, last + 364, last + 365, last + 2000]
        {
            let mut single = vec![waning_interest(Some(&h), as_of, &waning).unwrap()];
            if moments.due.is_some() {
                single.insert(0, purchase_due(Some(&h), as_of, alive, &due).unwrap());
            }
            if moments.first.is_some() {
                single.push(first_purchase(Some(&h), as_of, &first).unwrap());
            }
            single.push(reactivated(Some(&h), as_of, &back).unwrap());
            let (mut expected, rest): (Vec<_>, Vec<_>) = single.into_iter().partition(LifeMoment::is_one);
            if let Some(next) = rest.iter().filter_map(|moment| moment.next_change).min() {
                expected.push(LifeMoment::nothing("none", Value::Null, Some(next)));
            }
            assert_eq!(moments.of(&h, as_of, alive).unwrap(), expected, "{days:?} {as_of} {all}");
            match expected.iter().map(|moment| &*moment.moment).next() {
                None => nothing += 1,
                Some("none") => to_come += 1,
                Some(_) => on += 1,
            }
        }
    }
    // Each case is met often.
    assert!(on > 1000 && to_come > 1000 && nothing > 300, "{on} {to_come} {nothing}");
    assert!(
        PurchaseMoments { due: Some(DueOptions::from_json(&none()).unwrap()), ..PurchaseMoments::default() }
            .of(&history(&[0]), 10, 1.5)
            .is_err()
    );
}

#[test]
fn waning_and_back() {
    let mut days: Vec<Day> = (0..20).map(|i| i * 20).collect();
    let options = WaningOptions::from_json(&none()).unwrap();
    let h = history(&days);
    let moment = waning_interest(Some(&h), 540, &options).unwrap();
    assert_eq!(moment.moment, "waning_interest");
    assert!(moment.p_value.unwrap() < 0.05 && moment.begins == Some(361), "{moment:?}");
    // Gone for a year: churn's to say.
    assert_eq!(waning_interest(Some(&h), 380 + 366, &options).unwrap().moment, "none");
    days.push(540);
    days.push(560);
    days.push(580);
    let moment = waning_interest(Some(&history(&days)), 580, &options).unwrap();
    assert_eq!(moment.moment, "none");
}

#[test]
fn the_same_weeks_every_year() {
    let options = YearlyOptions::from_json(&none(), None).unwrap();
    // 2020-06-20, 2021-06-15, 2022-06-25, 2023-06-18; observed since 2019-10-01.
    let day = |text: &str| day::parse(text).unwrap();
    let days = ["2020-06-20", "2021-06-15", "2022-06-25", "2023-06-18"].map(day);
    let h = history(&days);
    let at = |text: &str| {
        yearly_recurrence(Some(&h), day(text), Some(day("2019-10-01")), "holiday_ahead", &options).unwrap()
    };
    let moment = at("2024-06-16");
    assert_eq!(moment.moment, "holiday_ahead");
    assert!(moment.p_value.unwrap() < 0.001 && moment.confidence.unwrap() > 0.7, "{moment:?}");
    assert_eq!(at("2024-01-16").moment, "none");
    let calendar = json!([
        { "name": "summer", "begins": "2021-07-06" }, { "name": "summer", "begins": "2022-07-07" },
        { "name": "summer", "begins": "2023-07-08", "ends": "2023-09-03" }, { "name": "summer", "begins": "2024-07-06" },
        { "name": "winter", "begins": "2024-02-10" }, { "name": "winter", "begins": "2023-02-04" }]);
    let options = YearlyOptions::from_json(&none(), Some(&calendar)).unwrap();
    let on = |text: &str| {
        let since = Some(day("2019-10-01"));
        yearly_recurrence(Some(&h), day(text), since, "holiday_ahead", &options).unwrap()
    };
    assert_eq!(on("2024-06-10").moment, "holiday_ahead");
    assert_eq!(on("2024-06-10").ends, Some(day("2024-07-05")));
    assert_eq!(on("2024-01-20").moment, "none");
    assert!(YearlyOptions::from_json(&none(), Some(&json!([{ "name": "x" }]))).is_err());
}

#[test]
fn markers() {
    // Ten purchases, then three of the last four in the category: C(4, 3) / C(10, 3) = 4 / 120.
    let all = history(&[0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    let marker = history(&[60, 70, 90]);
    let options = MarkerOptions::from_json(&none()).unwrap();
    let moment = marker_purchase(Some(&marker), Some(&all), 100, "birth", &options).unwrap();
    assert!((moment.p_value.unwrap() - 4.0 / 120.0).abs() < 1e-15 && moment.moment == "birth");
    assert_eq!(marker_purchase(None, Some(&all), 100, "birth", &options).unwrap().moment, "none");
}
