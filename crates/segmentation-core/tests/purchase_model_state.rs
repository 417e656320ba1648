//! The state of a fit, its stored form, values from strangers, and data with nothing to learn from.

use proptest::prelude::*;
use segmentation_core::ErrorKind;
use segmentation_core::base::day::Day;
use segmentation_core::models::purchase_model::{
    Cells, CustomerSummary, Family, FitOptions, ParameterUncertainty, PurchaseModel, Scorer, fit,
};
use serde_json::{Value, json};

fn options(value: Value) -> FitOptions {
    FitOptions::from_json(&value).unwrap()
}

fn cells(options: FitOptions, as_of: Day, customers: &[Vec<Day>]) -> Cells {
    let mut cells = Cells::new(as_of, options).unwrap();
    for days in customers {
        cells.add(days.iter().copied()).unwrap();
    }
    cells
}

fn customers() -> impl Strategy<Value = Vec<Vec<Day>>> {
    let days = proptest::collection::btree_set(-50..400_i32, 0..12);
    proptest::collection::vec(days.prop_map(|days| days.into_iter().collect()), 0..40)
}

proptest! {
    // Each case fits two models: fewer cases than usual, without a file of failures beside the tests.
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_merges_leave_no_trace(customers in customers(), cut: usize, family in 0_usize..7) {
        let name = ["auto", "nbd", "bg_nbd", "mbg_nbd", "pareto_nbd", "bg_cnbd_k", "mbg_cnbd_k"][family];
        let options = options(json!({
            "family": name, "first_purchase_from": "1999-12-01", "first_purchase_to": "2000-11-01"
        }));
        let whole = cells(options.clone(), 300, &customers);
        let cut = cut % (customers.len() + 1);
        let reversed: Vec<_> = customers[..cut].iter().rev().cloned().collect();
        let left = cells(options.clone(), 300, &reversed);
        let right = cells(options, 300, &customers[cut..]);
        let mut merged = Cells::from_bytes(&right.to_bytes().unwrap()).unwrap();
        merged.merge(&left, &mut || {}).unwrap();
        prop_assert_eq!(merged.to_bytes(), whole.to_bytes());
        prop_assert_eq!(Cells::from_bytes(&whole.to_bytes().unwrap()).unwrap().to_bytes(), whole.to_bytes());
        let skipped: u64 = whole.skipped().counts().iter().map(|(_, n)| n).sum();
        prop_assert_eq!(whole.customers() + skipped, customers.len() as u64);
        // And the model is the same to the last bit, or the same refusal.
        prop_assert_eq!(fit(&merged, &mut || {}), fit(&whole, &mut || {}));
    }

    #[test]
    fn hostile_bytes_are_refused_or_read(
        customers in customers(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: prop::sample::Index,
    ) {
        let bytes = cells(FitOptions::default(), 300, &customers).to_bytes().unwrap();
        prop_assert!(Cells::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
        let mut edited = bytes.clone();
        for (place, byte) in edits {
            let place = place.index(edited.len());
            edited[place] = byte;
        }
        if let Ok(read) = Cells::from_bytes(&edited) {
            prop_assert_eq!(read.to_bytes().unwrap(), edited);
            let _ = fit(&read, &mut || {}).map(|model| Scorer::new(&model));
        }
    }
}

#[test]
fn a_summary_is_what_its_days_say() {
    let days = [3, 3, 10, 40, 41, 500];
    let summary = CustomerSummary::from_days(days, 100).unwrap();
    assert_eq!((summary.x(), summary.tx_days(), summary.t_days()), (3, 38, 97));
    assert_eq!(CustomerSummary::from_days(days, 2), None);
    assert_eq!(CustomerSummary::from_days([], 2), None);
    assert!(CustomerSummary::new(2, 1, 5).is_err());
    assert!(CustomerSummary::new(0, 1, 5).is_err());
    assert!(CustomerSummary::new(1, 6, 5).is_err());
    assert!(CustomerSummary::new(0, 0, u32::MAX).is_err());
    let mut cells = Cells::new(100, FitOptions::default()).unwrap();
    assert!(cells.add([5, 3]).is_err());
    assert!(Cells::new(i32::MAX, FitOptions::default()).is_err());
    let mut other = Cells::new(101, FitOptions::default()).unwrap();
    assert!(other.merge(&cells, &mut || {}).is_err());
}

#[test]
fn options_name_the_field() {
    for (value, part) in [
        (json!([]), "must be a JSON object"),
        (json!({ "famly": "nbd" }), "\"famly\""),
        (json!({ "family": "gnbd" }), "\"family\""),
        (json!({ "family": 3 }), "\"family\""),
        (json!({ "unit": "fortnight" }), "\"unit\""),
        (json!({ "unit": "0 days" }), "\"unit\""),
        (json!({ "unit": "99999999999 days" }), "\"unit\""),
        (json!({ "family": "bg_cnbd_k", "k": 13 }), "\"k\""),
        (json!({ "k": 2 }), "\"k\""),
        (json!({ "penalty": -1 }), "\"penalty\""),
        (json!({ "first_purchase_from": "2024-02-30" }), "\"first_purchase_from\""),
        (
            json!({ "first_purchase_from": "2024-02-03", "first_purchase_to": "2024-02-02" }),
            "first_purchase_from",
        ),
        (json!({ "holdout": "4 weeks" }), "\"holdout\""),
        (json!({ "horizon": "0 days" }), "\"horizon\""),
        (json!({ "horizon": "-90 days" }), "\"horizon\""),
        (json!({ "horizon": 90 }), "\"horizon\""),
    ] {
        let error = FitOptions::from_json(&value).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidParameter);
        assert!(error.message.contains(part), "{value}: {error}");
    }
    let all = json!({
        "family": "mbg_cnbd_k", "unit": "2 weeks", "k": 3, "first_purchase_from": "2024-01-01",
        "first_purchase_to": "2024-02-01", "penalty": 0.5, "horizon": "6 months"
    });
    assert_eq!(options(all.clone()).to_json(), all);
    assert_eq!(options(json!({ "unit": "1 WEEKS", "family": null })), FitOptions::default());
}

#[test]
fn models_from_strangers() {
    let good = json!({
        "kind": "purchase_model", "version": 1, "family": "bg_nbd", "unit": "1 week", "as_of": "2024-12-31",
        "parameters": { "r": 0.2, "alpha": 4, "a": 0.8, "b": 2.4 },
        "standard_errors": { "r": 1, "alpha": 1, "a": 1, "b": 1 },
        "covariance": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
        "log_likelihood": -12.5, "customers": 10, "cells": 5, "skipped": { "no_purchase": 2 },
        "warnings": [{ "code": "few_customers", "message": "Only 10." }],
        "candidates": [{ "family": "nbd", "log_likelihood_after_split": null }]
    });
    let model = PurchaseModel::from_json(&good).unwrap();
    assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model);
    for (field, value, part) in [
        ("/kind", json!("spend_model"), "not a purchase model"),
        ("/version", json!(3), "\"version\""),
        ("/family", json!("auto"), "\"family\""),
        ("/unit", json!(7), "\"unit\""),
        ("/as_of", json!("yesterday"), "\"as_of\""),
        ("/parameters", json!(null), "\"parameters\""),
        ("/parameters/r", json!(0), "\"parameters.r\""),
        ("/parameters/r", json!(1e300), "\"parameters.r\""),
        ("/parameters/alpha", json!("4"), "\"parameters.alpha\""),
        ("/covariance", json!([[1]]), "\"covariance\""),
        ("/covariance/1/0", json!(7), "\"covariance\""),
        ("/covariance/0/0", json!(-1), "\"covariance\""),
        ("/standard_errors/b", json!(-1), "\"standard_errors.b\""),
        ("/log_likelihood", json!(null), "\"log_likelihood\""),
        ("/customers", json!(1.5), "\"customers\""),
        ("/skipped/no_purchase", json!(-1), "\"skipped.no_purchase\""),
        ("/warnings/0", json!("text"), "must be a JSON object"),
        ("/candidates/0/family", json!(1), "\"candidates[0].family\""),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(field).unwrap() = value;
        let error = PurchaseModel::from_json(&bad).unwrap_err();
        assert!(error.message.contains(part), "{field}: {error}");
    }
    let mut more = good.clone();
    more["parameters"]["k"] = json!(2);
    assert!(PurchaseModel::from_json(&more).unwrap_err().message.contains("\"parameters.k\""));
    for foreign in [json!(null), json!(3), json!({}), json!({ "kind": 1 })] {
        assert!(PurchaseModel::from_json(&foreign).is_err());
    }
}

/// An error, or a model with a warning whose every score is finite.
#[test]
fn degenerate_data() {
    let daily: Vec<Day> = (0..=3000).collect();
    let same: Vec<Vec<Day>> = vec![vec![0, 10, 20, 30]; 500];
    let cases: Vec<(&str, Vec<Vec<Day>>, bool)> = vec![
        ("nobody", vec![], false),
        ("empty histories", vec![vec![]; 10], false),
        ("one customer", vec![vec![0, 5, 9]], true),
        ("one customer, bought today", vec![vec![3000]], false),
        ("all one-time buyers", (0..200).map(|d| vec![d]).collect(), false),
        ("all on one day", vec![vec![7]; 300], false),
        ("all the same", same, true),
        ("one repeat purchase", (0..300).map(|d| if d == 0 { vec![0, 1] } else { vec![d] }).collect(), true),
        ("every day", vec![daily.clone()], true),
        ("every day, all", vec![daily; 150], true),
        ("just began", vec![vec![2999, 3000]; 150], true),
        ("two extremes", vec![vec![0, 1], vec![0, 3000]], true),
    ];
    for (name, customers, fits) in cases {
        for family in Family::ALL.map(Some).into_iter().chain([None]) {
            let options = FitOptions { family, ..FitOptions::default() };
            let cells = cells(options, 3000, &customers);
            let start = std::time::Instant::now();
            let model = fit(&cells, &mut || {});
            assert!(start.elapsed().as_secs() < 20, "{name} {family:?}");
            let model = match model {
                Ok(model) => model,
                Err(error) => {
                    assert!(!fits, "{name} {family:?}: {error}");
                    assert_eq!(error.kind, ErrorKind::NotReady);
                    continue;
                }
            };
            assert!(fits && !model.warnings.is_empty(), "{name} {family:?} {model:?}");
            assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model, "{name}");
            let scorer = Scorer::new(&model).unwrap();
            let uncertainty = ParameterUncertainty::new(&model);
            for customer in
                [(0, 0, 0), (0, 0, 3000), (3, 30, 3000), (3000, 3000, 3000), (3000, 3000, 3_000_000)]
            {
                let customer = CustomerSummary::new(customer.0, customer.1, customer.2).unwrap();
                let churn = scorer.churn_probability(customer, 90.0);
                let expected = scorer.expected_purchases(customer, 90.0);
                assert!((0.0..=1.0).contains(&churn), "{name} {model:?}");
                assert!(expected.is_finite() && expected >= 0.0, "{name} {model:?} {expected}");
                assert!((0.0..=1.0).contains(&scorer.alive_probability(customer)));
                assert!(scorer.next_purchase(customer, 0.9).unwrap().never.is_finite());
                let (low, high) = scorer.purchases_interval(customer, 90.0, 0.9).unwrap();
                assert!(low <= high && high <= 90);
                if let Ok(uncertainty) = &uncertainty {
                    let (low, high) = uncertainty.churn_probability(customer, 90.0, 0.9).unwrap();
                    assert!(low <= high && low >= 0.0 && high <= 1.0, "{name} {low} {high}");
                    let (low, high) = uncertainty.expected_purchases(customer, 90.0, 0.9).unwrap();
                    assert!(low <= high && low >= 0.0 && high.is_finite(), "{name} {low} {high}");
                }
            }
        }
    }
}

#[test]
fn a_log_that_began_late_is_warned_of() {
    // Customers of long standing, seen from day 0 on: most 'first' purchases in the first weeks.
    let late: Vec<Vec<Day>> = (0..1000).map(|i| (0..6).map(|j| i % 50 + 60 * j).collect()).collect();
    let mut customers: Vec<Vec<Day>> = late.iter().take(900).cloned().collect();
    customers.extend((0..300).map(|d| vec![d, d + 40]));
    customers.iter_mut().for_each(|days| days.sort_unstable());
    customers.extend((0..4000).map(|i| vec![i % 20, i % 20 + 30]));
    let model = fit(&cells(FitOptions::of(Family::BgNbd), 365, &customers), &mut || {}).unwrap();
    assert!(model.warnings.iter().any(|w| w.code == "left_truncated"), "{:?}", model.warnings);
    let chosen = options(json!({ "family": "bg_nbd", "first_purchase_from": "2000-03-01" }));
    let model = fit(&cells(chosen, 365, &customers), &mut || {}).unwrap();
    assert!(model.warnings.iter().all(|w| w.code != "left_truncated"), "{:?}", model.warnings);
    assert!(model.skipped.before_cohort > 4000);
}

#[test]
fn a_ridge_keeps_parameters_near() {
    let customers: Vec<Vec<Day>> = vec![vec![0, 10, 20, 30]; 50];
    let plain = fit(&cells(FitOptions::of(Family::BgNbd), 60, &customers), &mut || {}).unwrap();
    let ridge = options(json!({ "family": "bg_nbd", "penalty": 1 }));
    let ridge = fit(&cells(ridge, 60, &customers), &mut || {}).unwrap();
    assert!(ridge.parameters[0] < plain.parameters[0]);
    assert!(ridge.covariance.is_some() && ridge.log_likelihood <= plain.log_likelihood);
    assert!(ridge.warnings.iter().all(|w| w.code != "not_identified"), "{:?}", ridge.warnings);
}

#[test]
fn the_checkpoint_is_called_often() {
    let customers: Vec<Vec<Day>> =
        (0..4000).map(|i| vec![i % 300, i % 300 + 1 + i % 97, i % 300 + 200 + i % 89]).collect();
    for family in [Family::BgNbd, Family::ParetoNbd, Family::MbgCnbdK] {
        let cells = cells(FitOptions::of(family), 700, &customers);
        let (mut calls, mut longest, mut last) = (0, std::time::Duration::ZERO, std::time::Instant::now());
        fit(&cells, &mut || {
            calls += 1;
            longest = longest.max(last.elapsed());
            last = std::time::Instant::now();
        })
        .unwrap();
        eprintln!("{family:?}: {calls} calls, longest wait {longest:?}");
        assert!(calls > 20 && longest.as_millis() < 200);
    }
}
