use rand_distr::{Distribution, Exp, Gamma};
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::regression::regress;
use super::snapshot::Snapshots;
use super::terms::{self, TERMS};
use super::*;
use crate::base::day::Day;
use crate::base::error::ErrorKind;
use crate::base::language::Language;
use crate::base::money::Money;
use crate::facts::purchase_history::{Entry, History, pack};
use crate::models::purchase_model::{CustomerSummary, Family, Scorer};

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

fn probability(scorer: &StackScorer, history: &[u8], as_of: Day) -> Option<f64> {
    let customer = scorer.customer(&History::read(history).unwrap(), None, None, as_of).unwrap()?;
    Some(scorer.churn_probability(&customer, as_of).unwrap())
}

/// Ridge, intercept, coefficients.
const PLAIN: [(f64, f64, [f64; 3]); 2] = [
    (1.0, -0.3491589163453708, [0.6074407754669737, 0.1817512877895914, -0.3225940993981067]),
    (25.0, -0.4313326332425103, [0.3942768869782571, 0.1377849508483793, -0.2123248800996127]),
];
/// Ridge, intercept, factor of the offset, coefficients.
const TOWARDS: (f64, f64, f64, [f64; 3]) = (
    25.0,
    -0.24005013862598348,
    0.579196214370161,
    [0.40765056105097086, 0.10687921154815869, -0.22309908606335968],
);

#[test]
fn ridge_regression_as_scikit_learn_and_scipy() {
    // scikit-learn 1.9.1, LogisticRegression(C = 1 / ridge) on columns standardised by their own deviation, and scipy's
    // minimum of the same with an offset and the prior of its factor; recorded from the formulas below.
    let n = 200;
    let xs = |i: usize| {
        let x = i as f64;
        [x.sin(), (2.0 * x).cos() + 0.3 * x.sin(), (i % 7) as f64 / 3.0]
    };
    let offset = |i: usize| 1.5 * (3.0 * i as f64).sin() - 0.4;
    let mut values = Vec::new();
    let mut churned = Vec::new();
    let of = terms::of_family(Family::MbgNbd);
    for i in 0..n {
        let (x, z) = (xs(i), offset(i));
        let mut row = [0.0; TERMS];
        row[..3].copy_from_slice(&x);
        row[of] = z;
        values.extend(row);
        let p = 100.0 / (1.0 + (-(0.8 * x[0] - 0.5 * x[2] + 0.7 * z)).exp());
        churned.push((((i * 37) % 100) as f64) < p);
    }
    let snapshots = Snapshots::of_rows(values, churned);
    let days = [(&snapshots, 1.0)];
    let close = |got: f64, right: f64| assert!((got - right).abs() < 2e-6, "{got}, right {right}");
    for (ridge, intercept, right) in PLAIN {
        let linear = regress(&days, None, &[0, 1, 2], ridge, &mut || {}).unwrap().unwrap();
        close(linear.intercept, intercept);
        (0..3).for_each(|i| close(linear.coefficients[i], right[i]));
    }
    let (ridge, intercept, factor, right) = TOWARDS;
    let linear = regress(&days, Some(of), &[0, 1, 2], ridge, &mut || {}).unwrap().unwrap();
    close(linear.intercept, intercept);
    close(linear.coefficients[of], factor);
    (0..3).for_each(|i| close(linear.coefficients[i], right[i]));
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
    let truth = Scorer::from_parameters(Family::ParetoNbd, 1, &TRUTH, 1.0).unwrap();
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
