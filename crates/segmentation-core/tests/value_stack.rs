//! The value stack on the CDNOW sample: what is chosen, and the day on which silence changes a class.

use std::collections::BTreeMap;

use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{Entry, History, pack};
use segmentation_core::models::value_stack::{
    SeasonOption, ValueRows, ValueScorer, ValueStack, ValueStackOptions, fit,
};
use serde_json::json;

/// Packed histories of the customers.
fn cdnow() -> Vec<Vec<u8>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow_sample.csv");
    let mut customers: BTreeMap<u32, BTreeMap<Day, Money>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let days = customers.entry(fields[0].parse().unwrap()).or_default();
        let day = days.entry(day::parse(fields[1]).unwrap()).or_insert(Money::ZERO);
        *day = day.checked_add(Money::parse(fields[3]).unwrap()).unwrap();
    }
    let packed = |days: BTreeMap<Day, Money>| {
        pack(&days.into_iter().map(|(day, amount)| Entry::order(day, amount)).collect::<Vec<_>>())
    };
    customers.into_values().map(packed).collect()
}

fn as_of() -> Day {
    day::parse("1997-12-31").unwrap()
}

fn rows(histories: &[Vec<u8>], options: serde_json::Value) -> ValueRows {
    let mut rows = ValueRows::new(as_of(), ValueStackOptions::from_json(&options).unwrap()).unwrap();
    for history in histories {
        rows.add(Some(history)).unwrap();
    }
    rows
}

#[test]
fn candidates_are_judged_and_the_value_is_read_again() {
    let histories = cdnow();
    let stack = fit(&rows(&histories, json!({"horizon": "90 days"})), &mut || {}).unwrap();
    for (candidate, quality) in &stack.candidates {
        println!("{candidate}: {quality:?}");
        let spearman = quality.spearman.unwrap();
        assert!((0.2..0.7).contains(&spearman) && quality.bias.unwrap().abs() < 1.0);
    }
    assert_eq!(stack.candidates.len(), 4);
    let of = |name: &str| stack.candidates.iter().find(|(c, _)| c == name).unwrap().1.spearman.unwrap();
    assert!(of("mean") > of("last_year"));
    assert_eq!(stack.quality, stack.candidates.iter().find(|(c, _)| c == stack.candidate()).map(|(_, q)| *q));
    assert_eq!(ValueStack::from_json(&stack.to_json()).unwrap().to_json(), stack.to_json());
    // The total on the latest inner day is right by construction of c; that of today is near what then came.
    let scorer = ValueScorer::new(&stack).unwrap();
    let options = scorer.options(0.0, 1.0).unwrap();
    let (mut foreseen, mut came) = (0.0, 0.0);
    for packed in &histories {
        let history = History::read(packed).unwrap();
        if let Some(customer) = scorer.customer(&history, as_of()).unwrap() {
            foreseen += scorer.value(&customer, as_of(), &options).unwrap().unwrap();
            came += history.totals(as_of(), as_of() + 90).unwrap().turnover.to_f64();
        }
    }
    assert!((foreseen / came - 1.0).abs() < 0.3, "{foreseen} {came}");
    // A season doubles what falls into its month, for all alike.
    let mut season = [1.0; 12];
    season[0] = 2.0;
    let options = ValueStackOptions {
        season: SeasonOption::Months(season),
        ..ValueStackOptions::from_json(&json!({"horizon": "31 days"})).unwrap()
    };
    let with = fit(&rows(&histories, options.to_json()), &mut || {}).unwrap();
    let factor = |day: &str| with.season.as_ref().unwrap().factor(day::parse(day).unwrap(), 31);
    assert!((factor("1997-12-31") / factor("1998-05-31") - 2.0).abs() < 0.1);
}

#[test]
fn parts_merge_to_the_whole() {
    let histories = cdnow();
    let whole = rows(&histories, json!({"sample": 700}));
    let mut parts = rows(&histories[..400], json!({"sample": 700}));
    let stored =
        ValueRows::from_bytes(&rows(&histories[400..], json!({"sample": 700})).to_bytes().unwrap()).unwrap();
    parts.merge(&stored, &mut || {}).unwrap();
    assert!(parts == whole);
    assert!(parts.merge(&rows(&[], json!({})), &mut || {}).is_err());
    let mut reversed = histories.clone();
    reversed.reverse();
    let model = |rows: &ValueRows| fit(rows, &mut || {}).unwrap().to_json();
    assert_eq!(model(&rows(&reversed, json!({"sample": 700}))), model(&whole));
}

/// What is foretold is what the value itself says day by day.
#[test]
fn classes_change_on_the_day_that_is_foretold() {
    let histories = cdnow();
    let mut winter = [1.0; 12];
    (winter[11], winter[0], winter[1]) = (2.5, 0.6, 0.7);
    for season in [json!("none"), json!(winter)] {
        let stack =
            fit(&rows(&histories, json!({"horizon": "60 days", "season": season})), &mut || {}).unwrap();
        let scorer = ValueScorer::new(&stack).unwrap();
        let (mut asked, mut changed, mut again) = (0, 0, 0);
        for (i, packed) in histories.iter().enumerate().step_by(29) {
            let options = scorer.options([0.1, 0.0, -0.3][i % 3], [1.0, 0.3][i % 2]).unwrap();
            let short = History::read(packed).unwrap().until(as_of()).unwrap();
            let history = History::read(&short).unwrap();
            let Some(customer) = scorer.customer(&history, as_of()).unwrap() else { continue };
            let value = |day: Day| scorer.value(&customer, day, &options).unwrap().unwrap();
            // The value on a later day is that of a history that ends.
            let later = scorer.customer(&history, as_of() + 77).unwrap().unwrap();
            assert_eq!(value(as_of() + 77), scorer.value(&later, as_of() + 77, &options).unwrap().unwrap());
            let now = value(as_of());
            for share in [0.2, 0.8, 0.97, 1.03, 1.3] {
                let limits = [share * now, 1.9 * now];
                let class = |value: f64| Ok(limits.iter().filter(|limit| value >= **limit).count());
                let until = as_of() + 500;
                let told = scorer.next_change(&customer, as_of(), until, &options, class).unwrap();
                let of = |day: Day| class(value(day)).unwrap();
                let right = (as_of() + 1..=until).find(|day| of(*day) != of(as_of()));
                asked += 1;
                changed += usize::from(right.is_some());
                if told != right {
                    again += 1;
                    let told = told.expect("a day to look again");
                    assert!(told > as_of() && right.is_none_or(|right| told <= right), "{told} {right:?}");
                }
            }
        }
        println!("{asked} asked, {changed} change, {again} to look at again");
        assert!(changed > asked / 3 && again * 10 < asked);
    }
}
