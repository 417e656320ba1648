//! Against the published figures of the distribution's authors.

use super::*;
use crate::base::day::{self, Day};
use crate::models::churn_model::Features;

fn cohort(options: &str, survivors: &[u32]) -> RetentionModel {
    let mut state = Contracts::new(
        366 * 30,
        RetentionOptions::from_json(&serde_json::from_str(options).unwrap()).unwrap(),
    )
    .unwrap();
    // They began so many years before as_of as are followed; who is left runs on.
    let years = survivors.len() as i32 - 1;
    let start = day::add_months(state.as_of(), -12 * years).unwrap();
    for t in 0..survivors.len() {
        let leave = survivors[t] - survivors.get(t + 1).copied().unwrap_or(0);
        for _ in 0..leave {
            let ended = (t < years as usize).then(|| day::add_months(start, 12 * (t as i32 + 1)).unwrap());
            state.add(Some(start), ended, None).unwrap();
        }
    }
    let again = Contracts::from_bytes(&state.to_bytes().unwrap()).unwrap();
    assert_eq!(again.to_bytes().unwrap(), state.to_bytes().unwrap());
    fit(&again, &mut || {}).unwrap()
}

#[test]
fn fader_hardie_2007() {
    // "How to Project Customer Retention", table 1 and figure 4: seven years of 1,000 customers.
    let options = r#"{"family": "shifted_beta_geometric", "unit": "1 year"}"#;
    for (survivors, alpha, beta, log_likelihood, twelve) in [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806, -1611.158, 0.390),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182, -1680.265, 0.170),
    ] {
        let model = cohort(options, &survivors);
        let g = model.groups[0].geometric.as_ref().unwrap();
        assert!((g.alpha - alpha).abs() < 5.1e-4, "{} {}", g.alpha, alpha);
        assert!((g.beta - beta).abs() < 5.1e-4, "{} {}", g.beta, beta);
        assert!((g.log_likelihood - log_likelihood).abs() < 6e-2, "{}", g.log_likelihood);
        let s = model.survival(&Features::default()).unwrap();
        assert!((s.at(12.0).unwrap() - twelve).abs() < 2e-2, "{:?}", s.at(12.0));
        // Retention rises: the longer a customer has stayed, the less likely to leave next.
        assert!(s.churn_probability(0.0, 1.0) > s.churn_probability(5.0, 1.0));
        let back = RetentionModel::from_json(&model.to_json()).unwrap();
        assert_eq!(back.survival(&Features::default()).unwrap().at(7.5), s.at(7.5));
    }
}

fn day(text: &str) -> Day {
    day::parse(text).unwrap()
}

fn options(text: &str) -> RetentionOptions {
    RetentionOptions::from_json(&serde_json::from_str(text).unwrap()).unwrap()
}

fn fitted(options: RetentionOptions, as_of: Day, contracts: &[(Day, Option<Day>)]) -> RetentionModel {
    let mut state = Contracts::new(as_of, options).unwrap();
    contracts.iter().for_each(|(started, ended)| state.add(Some(*started), *ended, None).unwrap());
    let again = Contracts::from_bytes(&state.to_bytes().unwrap()).unwrap();
    assert_eq!(again.to_bytes().unwrap(), state.to_bytes().unwrap());
    fit(&again, &mut || {}).unwrap()
}

/// One of ten contracts ended in a month of which 16 of 31 days had passed: by hand.
#[test]
fn an_unfinished_period_counts_as_its_part() {
    let ten: Vec<(Day, Option<Day>)> =
        (0..10).map(|n| (day("2024-01-15"), (n == 0).then(|| day("2024-03-20")))).collect();
    let none = Features::default();
    let model = fitted(options("{}"), day("2024-03-31"), &ten);
    let s = model.survival(&none).unwrap();
    let [point] = s.curve() else { panic!("{:?}", s.curve()) };
    assert_eq!((point.period, point.at_risk, point.ended, point.survival), (3, 10, 1, 0.9));
    assert_eq!(s.churn_probability(2.0, 1.0), Some(0.1));
    // Twenty months survived, nine parts f, and one ended in a part: (20 + 9f) ln q + ln(1 - q^f) is greatest where
    // q^f = (20 + 9f) / (20 + 10f).
    let f: f64 = 16.0 / 31.0;
    let q = ((20.0 + 9.0 * f) / (20.0 + 10.0 * f)).powf(1.0 / f);
    let model = fitted(options(r#"{"family": "hazard", "ridge": 0}"#), day("2024-03-31"), &ten);
    let s = model.survival(&none).unwrap();
    assert!((s.at(1.0).unwrap() - q).abs() < 1e-9, "{:?} {q}", s.at(1.0));
    // Nobody differs, so that the shifted-beta-geometric comes to the same.
    let model = fitted(options(r#"{"family": "shifted_beta_geometric"}"#), day("2024-03-31"), &ten);
    let s = model.survival(&none).unwrap();
    assert!((s.at(1.0).unwrap() - q).abs() < 1e-4, "{:?} {q}", s.at(1.0));
}

/// A constant hazard of .1 in 30 days, to the day; `first` and `last` are the days on which contracts begin.
fn constant(n: u64, first: Day, last: Day, as_of: Day) -> Vec<(Day, Option<Day>)> {
    let mut state = n;
    let mut uniform = || {
        state = crate::base::hash::mix(state);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    (0..n)
        .map(|_| {
            let started = first + (uniform() * f64::from(last + 1 - first)) as Day;
            let ended = started + (30.0 * uniform().ln() / 0.9_f64.ln()).ceil() as Day;
            (started, Some(ended).filter(|ended| *ended <= as_of))
        })
        .collect()
}

/// A young business, and a log that begins in the midst of old contracts: every family recovers the truth.
#[test]
fn a_constant_hazard_is_recovered() {
    let none = Features::default();
    let young = (constant(20_000, 0, 105, 105), 105, "");
    let mut old = (constant(20_000, 0, 400, 480), 480, r#", "observed_from": "2001-01-10""#);
    let from = day("2001-01-10");
    old.0.retain(|(_, ended)| ended.is_none_or(|ended| ended >= from));
    for (contracts, as_of, more) in [young, old] {
        for family in ["kaplan_meier", "hazard", "shifted_beta_geometric"] {
            let options = options(&format!(r#"{{"family": "{family}", "unit": "30 days"{more}}}"#));
            let model = fitted(options, as_of, &contracts);
            let ended = model.to_json()["ended"].as_u64().unwrap() as f64;
            let s = model.survival(&none).unwrap();
            for (period, tenure) in [(1.0, 0.0), (2.0, 1.0), (3.0, 2.0)] {
                let truth = 0.9_f64.powf(period);
                let error = if family == "kaplan_meier" {
                    let point = s.curve().iter().find(|p| f64::from(p.period) == period).unwrap();
                    let (lower, upper) = point.band.unwrap();
                    (upper - lower) / (2.0 * 1.96)
                } else {
                    // Of period ln(1 - h): the ends are those of a few steps.
                    truth * period * 0.1 / (ended / 4.0).sqrt()
                };
                let survival = s.at(period).unwrap();
                eprintln!("{family} {period} {survival} {truth} {error}");
                assert!(
                    (survival - truth).abs() < 3.0 * error && error < 0.02,
                    "{family} {survival} {truth}"
                );
                let churn = s.churn_probability(tenure, 1.0).unwrap();
                assert!((churn - 0.1).abs() < 0.02, "{family} {tenure} {churn}");
            }
        }
    }
}

/// Ranks are not made of rounding: where the hazard is one, so are all bits of the churn.
#[test]
fn equal_hazards_give_equal_bits() {
    let contracts = constant(3000, 0, 200, 300);
    let one = fitted(options(r#"{"family": "hazard", "unit": "3000 days"}"#), 300, &contracts);
    let s = one.survival(&Features::default()).unwrap();
    let first = s.churn_probability(0.0, 0.01).unwrap();
    for n in 0..500 {
        assert_eq!(s.churn_probability(f64::from(n) * 0.0137, 0.01), Some(first));
    }
    // Equal shares of what is left, period by period.
    let halves: Vec<(Day, Option<Day>)> = [512, 256, 128, 64, 64]
        .iter()
        .enumerate()
        .flat_map(|(i, n)| std::iter::repeat_n((0, (i < 4).then(|| 30 * (i as Day + 1))), *n))
        .collect();
    let model = fitted(options(r#"{"unit": "30 days"}"#), 150, &halves);
    let s = model.survival(&Features::default()).unwrap();
    for n in 0..4 {
        assert_eq!(s.churn_probability(f64::from(n), 1.0), Some(0.5));
    }
}

/// Shares .5, .25, ... are left after each month: by hand, a year's discount of a half.
#[test]
fn the_value_of_a_subscription_by_hand() {
    let halves: Vec<(Day, Option<Day>)> = [512, 256, 128, 64, 64]
        .iter()
        .enumerate()
        .flat_map(|(i, n)| {
            let ended = (i < 4).then(|| day::add_months(0, i as i32 + 1).unwrap());
            std::iter::repeat_n((0, ended), *n)
        })
        .collect();
    let as_of = day::add_months(0, 5).unwrap();
    let model = fitted(options("{}"), as_of, &halves);
    let s = model.survival(&Features::default()).unwrap();
    let value = |tenure, horizon, discount_rate| {
        s.subscription_value(tenure, horizon, Terms { margin: 20.0, discount_rate }, &mut || {}).unwrap()
    };
    // (1 + 1/2) / 2 + (1/2 + 1/4) / 2 months.
    assert_eq!(value(0.0, 2.0, 0.0), Some(20.0 * (0.75 + 0.375)));
    assert_eq!(value(1.0, 2.0, 0.0), Some(20.0 * (0.75 + 0.375)));
    let discounted = 20.0 * (0.75 * 2.0_f64.powf(-0.5 / 12.0) + 0.375 * 2.0_f64.powf(-1.5 / 12.0));
    assert!((value(0.0, 2.0, 1.0).unwrap() - discounted).abs() < 1e-12);
    // Half a month more: from .25 down to what is left of it in the middle of a step, which is all.
    assert_eq!(value(0.0, 2.5, 0.0), Some(20.0 * (0.75 + 0.375 + 0.5 * 0.25)));
    assert_eq!(value(0.0, 0.0, 0.1), Some(0.0));
    assert_eq!(value(0.0, 12.0, 0.1), None);
    assert!(
        s.subscription_value(0.0, 1.0, Terms { margin: f64::NAN, discount_rate: 0.0 }, &mut || {}).is_err()
    );
    // A price a month, whatever the period.
    let quarters = fitted(options(r#"{"unit": "1 year", "family": "hazard"}"#), as_of, &halves);
    let s = quarters.survival(&Features::default()).unwrap();
    let year =
        s.subscription_value(0.0, 1.0, Terms { margin: 20.0, discount_rate: 0.0 }, &mut || {}).unwrap();
    assert!((year.unwrap() - 240.0 * 0.5 * (1.0 + s.at(1.0).unwrap())).abs() < 1e-9);
}
