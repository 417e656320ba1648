//! Levels of churn by stacks: the day on which one changes by time alone is the day that is told.

use rand_distr::{Distribution, Exp, Gamma};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;
use segmentation_core::axes::churn_level::{ChurnLevels, Stacks};
use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{Entry, History, pack};
use segmentation_core::models::churn_stack::{ChurnStack, Lost, StackOptions, StackRows, StackScorer, fit};
use serde_json::{Value, json};

/// A Pareto/NBD shop: r .8, alpha 40 days, s .6, beta 80 days; first purchases over `opens` days.
const TRUTH: [f64; 4] = [0.8, 40.0, 0.6, 80.0];

fn shop(customers: usize, opens: f64, until: f64, seed: u64) -> Vec<Vec<Day>> {
    let mut random = Pcg64::seed_from_u64(seed);
    let [r, alpha, s, beta] = TRUTH;
    let mut shop = Vec::new();
    for i in 0..customers {
        let first = (opens * i as f64 / customers as f64).floor();
        let rate: f64 = Gamma::new(r, 1.0 / alpha).unwrap().sample(&mut random);
        let leaving: f64 = Gamma::new(s, 1.0 / beta).unwrap().sample(&mut random);
        let end = first + Exp::new(leaving.max(1e-12)).unwrap().sample(&mut random);
        let (mut days, mut at) = (vec![first as Day], first);
        loop {
            at += Exp::new(rate.max(1e-9)).unwrap().sample(&mut random);
            if at > end.min(until) {
                break;
            }
            // In whole days, the first day counting as its beginning.
            let day = at.ceil() as Day;
            if days.last() != Some(&day) {
                days.push(day);
            }
        }
        shop.push(days);
    }
    shop
}

fn history(days: &[Day], refunds: &[Day]) -> Vec<u8> {
    let amount = |day: Day| Money(i64::from(5 + day % 11) * 10_000);
    let mut entries: Vec<Entry> = days.iter().map(|&day| Entry::order(day, amount(day))).collect();
    entries.extend(refunds.iter().filter(|d| !days.contains(d)).map(|&d| Entry::order(d, Money(-30_000))));
    entries.sort_by_key(|e| e.day);
    pack(&entries)
}

fn rows(histories: &[Vec<u8>], as_of: Day, options: Value) -> StackRows {
    let mut rows = StackRows::new(as_of, StackOptions::from_json(&options).unwrap(), false).unwrap();
    for history in histories {
        rows.add(Some(history), None, None).unwrap();
    }
    rows
}

#[test]
fn levels_change_on_the_day_that_is_told() {
    let shop = shop(900, 300.0, 900.0, 3);
    let refunds = |i: usize, days: &[Day]| -> Vec<Day> {
        days.iter().filter(|d| (**d as usize + i).is_multiple_of(3)).map(|d| d + 2).collect()
    };
    let histories: Vec<Vec<u8>> =
        shop.iter().enumerate().map(|(i, days)| history(days, &refunds(i, days))).collect();
    let as_of = 800;
    let fitted = |horizon: &str| {
        let options = json!({"horizon": horizon, "lost": 0.9});
        fit(&rows(&histories, as_of, options), &mut || {}).unwrap()
    };
    let (stack, mut lost) = (fitted("60 days"), fitted("120 days"));
    lost.lost = Some(Lost { threshold: Some(0.85), ..Lost::default() });
    told_as_asked(&histories, as_of, &stack, &lost);
    // Whatever was chosen: terms of both signs, that turn and jump.
    let mut made = stack.to_json();
    made["intercept"] = json!(-0.3);
    made["coefficients"] =
        [("purchases_30", -0.9), ("purchases_90", 0.5), ("spend_60", -0.6), ("spend_90", 0.3)]
            .into_iter()
            .chain([("recency", 0.25), ("overdue", -0.1)])
            .map(|(term, estimate)| json!({"term": term, "estimate": estimate, "mean": 0.0}))
            .collect();
    let made = ChurnStack::from_json(&made).unwrap();
    told_as_asked(&histories, as_of, &made, &lost);
}

/// The day that is told against the level asked anew each day, as a refresh does.
fn told_as_asked(histories: &[Vec<u8>], as_of: Day, stack: &ChurnStack, lost: &ChurnStack) {
    let (scorer, lost_scorer) = (StackScorer::new(stack).unwrap(), StackScorer::new(lost).unwrap());
    let threshold = lost.lost.unwrap().threshold.unwrap();
    let levels = ChurnLevels::from_json(&json!({"medium_from": 0.4, "high_from": 0.6})).unwrap();
    let (mut changes, mut stays) = (0, 0);
    for bytes in histories.iter().step_by(3) {
        let short = History::read(bytes).unwrap().until(as_of).unwrap();
        let history = History::read(&short).unwrap();
        let on = |day: Day| {
            let one = scorer.customer(&history, None, None, day).unwrap();
            one.zip(lost_scorer.customer(&history, None, None, day).unwrap())
        };
        let Some((customer, own)) = on(as_of) else { continue };
        let stacks = Stacks { level: (&scorer, &customer), lost: Some((&lost_scorer, &own, threshold)) };
        let told = levels.next_change_of_stacks(&stacks, as_of, as_of + 3000).unwrap();
        let level = |day: Day| {
            let (customer, own) = on(day).unwrap();
            let stacks = Stacks { level: (&scorer, &customer), lost: Some((&lost_scorer, &own, threshold)) };
            levels.level_of_stacks(&stacks, day).unwrap()
        };
        let now = level(as_of);
        let right = (as_of + 1..=as_of + 60).find(|day| level(*day) != now);
        assert_eq!(told, right.or(Some(as_of + 61)));
        changes += u32::from(right.is_some());
        stays += u32::from(right.is_none());
    }
    assert!(changes > 10 && stays > 10, "{changes} {stays}");
}
