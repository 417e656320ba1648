//! Churn stacks as their users have them: fitted, merged, stored, scored, and the levels of churn that they give.

use rand_distr::{Distribution, Exp, Gamma};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;
use segmentation_core::ErrorKind;
use segmentation_core::axes::churn_level::{ChurnLevels, Stacks};
use segmentation_core::base::day::Day;
use segmentation_core::base::language::Language;
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{Entry, History, pack};
use segmentation_core::models::churn_stack::{ChurnStack, Lost, StackOptions, StackRows, StackScorer, fit};
use segmentation_core::models::purchase_model::{CustomerSummary, PurchaseModel, Scorer};
use serde_json::{Value, json};

/// A Pareto/NBD shop: r .8, alpha 40 days, s .6, beta 80 days; first purchases over `opens` days.
const TRUTH: [f64; 4] = [0.8, 40.0, 0.6, 80.0];

/// The model that made the shop.
fn truth() -> PurchaseModel {
    let [r, alpha, s, beta] = TRUTH;
    let parameters = json!({"r": r, "alpha": alpha, "s": s, "beta": beta});
    PurchaseModel::from_json(&json!({
        "kind": "purchase_model", "version": 1, "family": "pareto_nbd", "unit": "1 day", "as_of": "2000-01-01",
        "parameters": parameters, "log_likelihood": 0, "customers": 1, "cells": 1,
    }))
    .unwrap()
}

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

fn probability(scorer: &StackScorer, history: &[u8], as_of: Day) -> Option<f64> {
    let customer = scorer.customer(&History::read(history).unwrap(), None, None, as_of).unwrap()?;
    Some(scorer.churn_probability(&customer, as_of).unwrap())
}

#[test]
fn order_and_merges_leave_no_trace() {
    let histories: Vec<Vec<u8>> = shop(400, 200.0, 600.0, 1).iter().map(|d| history(d, &[])).collect();
    let options = json!({"sample": 300, "lost": 0.9});
    let whole = rows(&histories, 600, options.clone());
    let mut reversed = histories.clone();
    reversed.reverse();
    let mut parts = rows(&reversed[..150], 600, options.clone());
    let stored = StackRows::from_bytes(&rows(&reversed[150..], 600, options).to_bytes().unwrap()).unwrap();
    parts.merge(&stored, &mut || {}).unwrap();
    assert_eq!(parts, whole);
    let fitted = fit(&whole, &mut || {}).unwrap().to_json();
    assert_eq!(fit(&parts, &mut || {}).unwrap().to_json(), fitted);
    assert_eq!(ChurnStack::from_json(&fitted).unwrap().to_json(), fitted);
}

#[test]
fn within_noise_of_the_truth() {
    let (as_of, horizon) = (700, 90);
    let shop = shop(4000, 400.0, 800.0, 7);
    let histories: Vec<Vec<u8>> = shop.iter().map(|days| history(days, &[])).collect();
    let stack = fit(&rows(&histories, as_of, json!({"horizon": "90 days"})), &mut || {}).unwrap();
    let scorer = StackScorer::new(&stack).unwrap();
    let truth = Scorer::new(&truth()).unwrap();
    let (mut own, mut right, mut differences) = (0.0, 0.0, Vec::new());
    for (days, history) in shop.iter().zip(&histories) {
        let known = CustomerSummary::from_days(days.iter().copied(), as_of).unwrap();
        let stayed = days.iter().any(|d| *d > as_of && *d <= as_of + horizon);
        let y = if stayed { 0.0 } else { 1.0 };
        let p = probability(&scorer, history, as_of).unwrap();
        let q = truth.churn_probability(known, f64::from(horizon));
        own += (p - y) * (p - y);
        right += (q - y) * (q - y);
        differences.push((p - y) * (p - y) - (q - y) * (q - y));
    }
    let n = differences.len() as f64;
    let mean = (own - right) / n;
    let error = (differences.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>()).sqrt() / n;
    assert!(mean < 3.0 * error + 0.001, "{} {mean} {error} {}", stack.candidate, right / n);
    // Out of time it was calibrated, too.
    let slope = stack.quality.as_ref().unwrap()["calibration"]["slope"].as_f64().unwrap();
    assert!((0.8..1.25).contains(&slope), "{slope}");
}

#[test]
fn contributions_add_up() {
    let histories: Vec<Vec<u8>> = shop(600, 200.0, 700.0, 5).iter().map(|d| history(d, &[])).collect();
    let stack = fit(&rows(&histories, 650, json!({})), &mut || {}).unwrap();
    let scorer = StackScorer::new(&stack).unwrap();
    let average = stack.intercept + stack.coefficients.iter().map(|c| c.estimate * c.mean).sum::<f64>();
    for bytes in &histories[..50] {
        let customer = scorer.customer(&History::read(bytes).unwrap(), None, None, 650).unwrap().unwrap();
        let told = stack.explain(&scorer, &customer, 650, Language::French).unwrap();
        let sum: f64 = told.iter().map(|c| c.contribution).sum();
        let p = scorer.churn_probability(&customer, 650).unwrap();
        assert!((average + sum - (p.ln() - (-p).ln_1p())).abs() < 1e-9);
        assert!(told.windows(2).all(|w| w[0].contribution.abs() >= w[1].contribution.abs()));
    }
}

#[test]
fn few_customers_and_short_logs_give_something_or_say_why() {
    for customers in [1, 2, 5, 30, 50, 89, 100] {
        for as_of in [20, 100, 200, 400, 1000] {
            let shop = shop(customers, 90.0, f64::from(as_of), customers as u64);
            let histories: Vec<Vec<u8>> = shop.iter().map(|d| history(d, &[])).collect();
            match fit(&rows(&histories, as_of, json!({"lost": 0.95})), &mut || {}) {
                Err(error) => assert_eq!(error.kind, ErrorKind::NotReady),
                Ok(stack) => {
                    assert_eq!(ChurnStack::from_json(&stack.to_json()).unwrap(), stack);
                    assert!(
                        !matches!(stack.candidate.as_str(), "features" | "stack" | "mean"),
                        "{customers}"
                    );
                    assert!(stack.lost.unwrap().threshold.is_none() || customers > 50);
                    let scorer = StackScorer::new(&stack).unwrap();
                    for history in &histories {
                        let p = probability(&scorer, history, as_of);
                        assert!(p.is_none_or(|p| (0.0..=1.0).contains(&p)));
                    }
                }
            }
        }
    }
    // Nobody ever comes back; everybody always does.
    let never: Vec<Vec<u8>> = (0..300).map(|i| history(&[i], &[])).collect();
    assert_eq!(fit(&rows(&never, 500, json!({})), &mut || {}).unwrap_err().kind, ErrorKind::NotReady);
    let always: Vec<Vec<u8>> =
        (0..300).map(|i| history(&(0..60).map(|j| i % 7 + 10 * j).collect::<Vec<_>>(), &[])).collect();
    let stack = fit(&rows(&always, 590, json!({"lost": 0.9})), &mut || {}).unwrap();
    assert!(stack.lost.unwrap().threshold.is_none());
    assert_eq!(fit(&rows(&[], 500, json!({})), &mut || {}).unwrap_err().kind, ErrorKind::NotReady);
}

#[test]
fn a_model_that_was_changed_is_refused_or_read() {
    let histories: Vec<Vec<u8>> = shop(600, 200.0, 700.0, 5).iter().map(|d| history(d, &[])).collect();
    let good = fit(&rows(&histories, 650, json!({"lost": 0.8})), &mut || {}).unwrap().to_json();
    let keys: Vec<String> = good.as_object().unwrap().keys().cloned().collect();
    for key in &keys {
        for wrong in [json!(-1), json!("x"), json!([1]), json!({"a": 1}), json!(1e300), Value::Null] {
            let mut bad = good.clone();
            bad[key.as_str()] = wrong.clone();
            let read = ChurnStack::from_json(&bad);
            let optional = ["family", "ridge", "quality", "last", "recency", "lost", "warnings", "skipped"];
            let may = matches!(wrong, Value::Null)
                && (optional.contains(&key.as_str()) || key == "candidates" || key == "inner_days");
            let free = ["quality", "ridge", "intercept"].contains(&key.as_str());
            assert!(read.is_err() || may || free, "{key} {wrong}");
        }
    }
    let mut unknown = good.clone();
    unknown["more"] = json!(1);
    assert!(ChurnStack::from_json(&unknown).is_err());
    let mut without = good;
    without["models"] = json!([]);
    let needs = without["coefficients"].as_array().unwrap().iter();
    let needs = needs.filter(|c| c["term"].as_str().unwrap().starts_with("logit")).count() > 0;
    assert_eq!(ChurnStack::from_json(&without).is_err(), needs);
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
