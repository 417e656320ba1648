//! The Gamma-Gamma model on the CDNOW sample, and future value.

use std::collections::BTreeMap;

use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::models::purchase_model::{CustomerSummary, PurchaseModel, Scorer};
use segmentation_core::models::spend_model::{
    Shape, SpendCells, SpendFamily, SpendModel, SpendOptions, SpendSummary, Transactions, ValueOptions,
    discounted_purchases, fit_spend, future_value, future_value_interval,
};
use serde_json::json;

/// Purchase days of each customer with their turnover.
fn cdnow() -> BTreeMap<u32, Vec<(Day, Money)>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow_sample.csv");
    let mut customers: BTreeMap<u32, BTreeMap<Day, Money>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let day = customers
            .entry(fields[0].parse().unwrap())
            .or_default()
            .entry(day::parse(fields[1]).unwrap())
            .or_insert(Money::ZERO);
        *day = day.checked_add(Money::parse(fields[3]).unwrap()).unwrap();
    }
    customers.into_iter().map(|(id, days)| (id, days.into_iter().collect())).collect()
}

fn end() -> Day {
    day::parse("1997-09-30").unwrap()
}

fn fitted() -> SpendModel {
    fitted_with(SpendOptions::of(SpendFamily::GammaGamma))
}

fn fitted_with(options: SpendOptions) -> SpendModel {
    let mut cells = SpendCells::new(end(), options).unwrap();
    for days in cdnow().into_values() {
        cells.add(days).unwrap();
    }
    let again = SpendCells::from_bytes(&cells.to_bytes().unwrap()).unwrap();
    assert!(again == cells);
    fit_spend(&cells, &mut || {}).unwrap()
}

/// Fader and Hardie, note 025: 946 repeat buyers, p 6.25, q 3.74, v 15.44; CLVTools' log-likelihood.
#[test]
fn published_fit() {
    let model = fitted();
    eprintln!("{}", serde_json::to_string_pretty(&model.to_json()).unwrap());
    assert_eq!(model.customers, 946);
    let Shape::One { p, q, v } = model.shape else { panic!("one shape") };
    assert!((p - 6.25).abs() < 0.005 && (q - 3.74).abs() < 0.005 && (v - 15.44).abs() < 0.01);
    assert!((model.log_likelihood + 4055.9177).abs() < 1e-3);
    assert!(model.warnings.is_empty());
    assert_eq!(SpendModel::from_json(&model.to_json()).unwrap(), model);
}

/// The first ten customers (Fader and Hardie, note 025).
#[test]
fn published_expectations() {
    let mut model = fitted();
    let published = [24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17];
    for (days, expected) in cdnow().into_values().zip(published) {
        let summary = Transactions::Repeat.summarize(days, end(), None).unwrap().unwrap();
        let spend = model.expected_spend(&summary).unwrap();
        eprintln!("{spend:.4} {expected}");
        assert!((spend - expected).abs() <= 0.0051, "{spend} is not {expected}");
    }
    model.shape = Shape::One { p: 6.25, q: 1.0, v: 15.44 };
    assert_eq!(model.expected_spend(&SpendSummary::default()), None);
    assert!(model.expected_spend(&SpendSummary::of(Money(200_000))).is_some());
}

/// Customer 1 of CDNOW with the models that lifetimes 0.11.3 fits to its own rounded summary: 36.28 by
/// its sum (12 steps of 4.345 weeks, 1 % a step; recorded 36.278496), 36.87 discounted continuously at
/// 10 % a year over 365 days.
#[test]
fn future_value_of_customer_one() {
    // A hundredth of a week plays the day: the summary has two decimals.
    let model = PurchaseModel::from_json(&json!({
        "kind": "purchase_model", "version": 1, "family": "bg_nbd", "unit": "100 days", "as_of": "1997-09-30",
        "parameters": {
            "r": 0.24259292827982148, "alpha": 4.413532265271809, "a": 0.7928859664406578, "b": 2.4257523826257374
        },
        "log_likelihood": 0, "customers": 2357, "cells": 1
    }))
    .unwrap();
    let scorer = Scorer::new(&model).unwrap();
    let mut spend = fitted();
    spend.shape = Shape::One { p: 6.24880249607099, q: 3.7445884609237634, v: 15.447748064943575 };
    let customer = CustomerSummary::new(2, 3043, 3886).unwrap();
    let summary =
        SpendSummary { transactions: 2, total: Money::parse("44.70").unwrap(), ..SpendSummary::default() };
    let each = spend.expected_spend(&summary).unwrap();
    assert!((each - 24.65861619).abs() < 1e-7);
    let step = 434.5;
    let lifetimes: f64 = (1..=12)
        .map(|i| {
            let i = f64::from(i);
            let bought = scorer.expected_purchases(customer, i * step)
                - scorer.expected_purchases(customer, (i - 1.0) * step);
            bought * each / 1.01_f64.powf(i)
        })
        .sum();
    assert!((lifetimes - 36.278496).abs() < 1e-4, "{lifetimes}");
    // 365 true days of a seventh of a week, and the yearly rate as one of 365.25 hundredths of a week.
    let options = ValueOptions::new(36_500.0 / 7.0, 1.1_f64.powf(0.07) - 1.0, 1.0).unwrap();
    let ours = future_value(&scorer, &spend, customer, &summary, &options).unwrap();
    eprintln!("{each} {lifetimes} {ours}");
    assert!((ours - 36.87).abs() <= 0.006, "{ours}");
    // The discounting integral against 20,000 small steps.
    for (horizon, rate) in [(365.0, 0.1), (3650.0, 0.3), (30.0, -0.2), (365_000.0, 0.05)] {
        let options = ValueOptions::new(horizon, rate, 1.0).unwrap();
        let (mut sum, mut before) = (0.0, 0.0);
        for i in 1..=20_000 {
            let t = horizon * (f64::from(i) / 20_000.0).powi(2);
            let middle = horizon * ((f64::from(i) - 0.5) / 20_000.0).powi(2);
            let expected = scorer.expected_purchases(customer, t);
            sum += (expected - before) * (1.0 + rate).powf(-middle / 365.25);
            before = expected;
        }
        let exact = discounted_purchases(&scorer, customer, &options);
        assert!((exact / sum - 1.0).abs() < 1e-6, "{horizon} {rate}: {exact} {sum}");
    }
    let interval =
        |level| future_value_interval(&scorer, &spend, customer, &summary, &options, level).unwrap();
    let ((low, high), (lower, higher)) = (interval(0.5), interval(0.9));
    eprintln!("{low} {high} {lower} {higher}");
    assert!(lower <= low && low < ours && high < higher);
}

fn summary_of(amounts: &[f64]) -> SpendSummary {
    amounts.iter().fold(SpendSummary::default(), |all, a| {
        all.and(SpendSummary::of(Money::from_f64(*a).unwrap())).unwrap()
    })
}

#[test]
fn degenerate_spend() {
    for family in [SpendFamily::GammaGamma, SpendFamily::GammaGammaDays, SpendFamily::GammaGammaMixture] {
        let fit_of = |customers: &[(u32, i64)]| {
            let mut cells = SpendCells::new(0, SpendOptions::of(family)).unwrap();
            for &(transactions, total) in customers {
                let each = SpendSummary::of(Money(total / i64::from(transactions.max(1))));
                let logs = each.logs * i64::from(transactions);
                let nothing = each.nothing * transactions;
                let total = Money(total);
                cells.add_summary(SpendSummary { transactions, nothing, total, logs }, 1).unwrap();
            }
            fit_spend(&cells, &mut || {})
        };
        assert!(fit_of(&[]).is_err());
        assert!(fit_of(&[(0, 100), (3, 0), (2, -500)]).is_err());
        for customers in [
            vec![(1, 100_000)],
            vec![(2, 200_000); 500],
            vec![(1, 1), (1, i64::MAX)],
            vec![(5, 10), (1, 10_000_000)],
        ] {
            match fit_of(&customers) {
                Err(error) => eprintln!("{error}"),
                Ok(model) => {
                    eprintln!("{:?} {:?}", model.shape, model.warnings);
                    assert!(!model.warnings.is_empty());
                    assert!(model.log_likelihood.is_finite());
                    assert_eq!(SpendModel::from_json(&model.to_json()).unwrap(), model);
                }
            }
        }
    }
}

fn of_family(family: SpendFamily, transactions: Transactions) -> SpendOptions {
    SpendOptions { transactions, ..SpendOptions::of(family) }
}

/// The likelihood of all days of all customers of CDNOW, maximised by scipy 1.16 (Nelder-Mead, tolerances of 1e-10).
#[test]
fn likelihood_of_days() {
    let model = fitted_with(of_family(SpendFamily::GammaGammaDays, Transactions::Every));
    let Shape::One { p, q, v } = model.shape else { panic!("one shape") };
    let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-5;
    assert!(near(p, 3.665_493_806_7) && near(q, 4.602_495_430_4) && near(v, 32.271_629_964), "{p} {q} {v}");
    assert!((model.log_likelihood + 20_714.545_932_657).abs() < 1e-5, "{}", model.log_likelihood);
    assert!(model.warnings.is_empty() && model.standard_errors().is_some());
    // The eight days that came to nothing are the only ones of their customers.
    assert_eq!(model.nothing, 0.0);
    assert_eq!(SpendModel::from_json(&model.to_json()).unwrap(), model);
}

/// The same with eleven classes of shape and a customer's worth of evidence spread over them, by scipy's BFGS; expected
/// spend by numpy at that maximum.
#[test]
fn likelihood_of_classes() {
    let model = fitted_with(of_family(SpendFamily::GammaGammaMixture, Transactions::Every));
    let Shape::Classes { q, scale, shares } = model.shape else { panic!("classes") };
    eprintln!("{q} {scale} {shares:?} {}", model.log_likelihood);
    assert!((model.log_likelihood + 20_688.441).abs() < 0.02, "{}", model.log_likelihood);
    assert!((q - 4.3343).abs() < 0.01 && (scale - 108.756).abs() < 0.3, "{q} {scale}");
    assert!((shares[4] - 0.7845).abs() < 0.01 && (shares[10] - 0.0186).abs() < 0.002);
    for (id, right) in [(1, 26.361), (2, 35.912), (3, 19.068), (6, 65.502)] {
        let days = cdnow().remove(&id).unwrap();
        let spent = model.summarize(days, end()).unwrap().unwrap();
        let spend = model.expected_spend(&spent).unwrap();
        assert!((spend - right).abs() < 0.05, "customer {id}: {spend}, right {right}");
    }
    assert_eq!(SpendModel::from_json(&model.to_json()).unwrap(), model);
}

/// The back-test takes the only amount of one-time buyers in: at CDNOW it foresees the last day better.
#[test]
fn which_days_count_is_tested() {
    for family in [SpendFamily::GammaGammaDays, SpendFamily::GammaGammaMixture] {
        let model = fitted_with(SpendOptions::of(family));
        let [repeat, every] = model.compared.unwrap();
        eprintln!("{repeat} {every}");
        assert!(every < repeat && model.transactions == Transactions::Every);
    }
}

struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Marsaglia and Tsang 2000.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.unit().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let z = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
            let v = (1.0 + z / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.unit().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

fn simulated(family: SpendFamily, q: f64, scale: f64, shape: impl Fn(f64) -> f64) -> SpendModel {
    let mut random = Random(20_261);
    let mut cells = SpendCells::new(0, of_family(family, Transactions::Every)).unwrap();
    for i in 0..6000 {
        let p = shape(random.unit());
        let rate = random.gamma(q) / (scale / p);
        let amounts: Vec<f64> = (0..1 + i % 7).map(|_| random.gamma(p) / rate).collect();
        cells.add_summary(summary_of(&amounts), 1).unwrap();
    }
    fit_spend(&cells, &mut || {}).unwrap()
}

#[test]
fn simulated_truth_is_recovered() {
    let model = simulated(SpendFamily::GammaGammaDays, 3.5, 90.0, |_| 3.0);
    let Shape::One { p, q, v } = model.shape else { panic!("one shape") };
    for ((found, truth), error) in
        [(p, 3.0), (q, 3.5), (v, 30.0)].iter().zip(model.standard_errors().unwrap())
    {
        eprintln!("{found} {truth} {error}");
        assert!((found - truth).abs() < 3.0 * error, "{found} is not {truth} +- {error}");
    }
    // Half of the customers vary by 100 %, a third by 35 %, the others by 9 %.
    let model = simulated(SpendFamily::GammaGammaMixture, 3.5, 90.0, |u| match u {
        u if u < 0.5 => 1.0,
        u if u < 0.833 => 8.0,
        _ => 128.0,
    });
    let Shape::Classes { q, scale, shares } = model.shape else { panic!("classes") };
    eprintln!("{shares:?}");
    for ((found, truth), error) in [(q, 3.5), (scale, 90.0)].iter().zip(model.standard_errors().unwrap()) {
        eprintln!("{found} {truth} {error}");
        assert!((found - truth).abs() < 3.0 * error, "{found} is not {truth} +- {error}");
    }
    let near = |classes: std::ops::Range<usize>, truth: f64| {
        (shares[classes].iter().sum::<f64>() - truth).abs() < 0.03
    };
    assert!(near(0..4, 0.5) && near(4..7, 0.333) && near(8..11, 0.167));
}

/// A wholesaler's customers vary by their whole mean; one of them pays 150 every time.
#[test]
fn a_regular_customer_is_believed() {
    let mut random = Random(5);
    let mut cells = SpendCells::new(0, SpendOptions::default()).unwrap();
    let days = |amounts: &[f64]| -> Vec<(Day, Money)> {
        amounts.iter().enumerate().map(|(i, a)| (i as Day - 9999, Money::from_f64(*a).unwrap())).collect()
    };
    for i in 0..90 {
        let rate = random.gamma(2.5) / 1200.0;
        cells.add(days(&(0..2 + i % 30).map(|_| random.gamma(1.1) / rate).collect::<Vec<_>>())).unwrap();
    }
    let regular: Vec<f64> = (0..21).map(|_| 140.0 + 20.0 * random.unit()).collect();
    cells.add(days(&regular)).unwrap();
    let model = fit_spend(&cells, &mut || {}).unwrap();
    let expected = |amounts: &[f64]| {
        let spent = model.summarize(days(amounts), 0).unwrap().unwrap();
        model.expected_spend(&spent).unwrap()
    };
    assert!((expected(&regular) - 150.0).abs() < 4.0, "{}", expected(&regular));
    // Of who varies so, the same mean is believed less; of a single purchase still less.
    let varied: Vec<f64> = (0..21).map(|i| if i % 3 == 0 { 430.0 } else { 10.0 }).collect();
    assert!(expected(&varied) > 155.0 && expected(&[150.0]) > expected(&varied));
    // An order of 168,469 neither carries the parameters nor the forecast of who gave it.
    cells.add(days(&[168_469.0])).unwrap();
    let shaken = fit_spend(&cells, &mut || {}).unwrap();
    let mean = |m: &SpendModel| m.expected_spend(&SpendSummary::default()).unwrap();
    assert!((mean(&shaken) / mean(&model) - 1.0).abs() < 0.25, "{} {}", mean(&shaken), mean(&model));
    let spent = shaken.summarize(days(&[168_469.0]), 0).unwrap().unwrap();
    assert!(shaken.expected_spend(&spent).unwrap() < 20_000.0);
}

/// What comes to nothing counts as a day and as no money, however it came about.
#[test]
fn goods_sent_back_lower_what_is_expected() {
    let model = fitted_with(SpendOptions::default());
    let of = |amounts: &[f64]| model.expected_spend(&summary_of(amounts)).unwrap();
    for amount in [8.0, 20.0, 35.0, 100.0, 400.0] {
        assert!(of(&[amount, 0.0]) < of(&[amount, amount]), "{amount}");
        assert!(of(&[amount, 0.5 * amount]) < of(&[amount, amount]), "{amount}");
    }
}
