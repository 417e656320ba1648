//! The Gamma-Gamma model on the CDNOW sample, and future value.

use std::collections::BTreeMap;

use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::models::purchase_model::{CustomerSummary, PurchaseModel, Scorer};
use segmentation_core::models::spend_model::{
    SpendCells, SpendModel, SpendOptions, SpendSummary, Transactions, ValueOptions, discounted_purchases,
    fit_spend, future_value, future_value_interval,
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
    let mut cells = SpendCells::new(end(), SpendOptions::default()).unwrap();
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
    assert!(
        (model.p - 6.25).abs() < 0.005 && (model.q - 3.74).abs() < 0.005 && (model.v - 15.44).abs() < 0.01
    );
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
        let summary = Transactions::Repeat.summarize(days, end()).unwrap().unwrap();
        let spend = model.expected_spend(summary.transactions, summary.mean()).unwrap();
        eprintln!("{spend:.4} {expected}");
        assert!((spend - expected).abs() <= 0.0051, "{spend} is not {expected}");
    }
    model.q = 1.0;
    assert_eq!(model.expected_spend(0, 0.0), None);
    assert!(model.expected_spend(1, 20.0).is_some());
    assert_eq!(model.expected_spend(1, f64::NAN), None);
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
    (spend.p, spend.q, spend.v) = (6.24880249607099, 3.7445884609237634, 15.447748064943575);
    let customer = CustomerSummary::new(2, 3043, 3886).unwrap();
    let summary = SpendSummary { transactions: 2, total: Money::parse("44.70").unwrap() };
    let each = spend.expected_spend(summary.transactions, summary.mean()).unwrap();
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
    let ours =
        future_value(&scorer, &spend, customer, summary.transactions, summary.mean(), &options).unwrap();
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
    let interval = |level| {
        future_value_interval(
            &scorer,
            &spend,
            customer,
            summary.transactions,
            summary.mean(),
            &options,
            level,
        )
        .unwrap()
        .unwrap()
    };
    let ((low, high), (lower, higher)) = (interval(0.5), interval(0.9));
    eprintln!("{low} {high} {lower} {higher}");
    assert!(lower <= low && low < ours && high < higher);
}

#[test]
fn degenerate_spend() {
    let fit_of = |customers: &[(u32, i64)]| {
        let mut cells = SpendCells::new(0, SpendOptions::default()).unwrap();
        for &(transactions, total) in customers {
            let total = Money(total);
            cells.add_summary(SpendSummary { transactions, total }, 1).unwrap();
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
                eprintln!("{} {} {} {:?}", model.p, model.q, model.v, model.warnings);
                assert!(!model.warnings.is_empty());
                assert!(model.log_likelihood.is_finite());
                SpendModel::from_json(&model.to_json()).unwrap();
            }
        }
    }
}
