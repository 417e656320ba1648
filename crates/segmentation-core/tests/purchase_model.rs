//! Purchase models on the CDNOW sample: published parameters and scores.
//!
//! CDNOW: 1/10 sample of the cohort of 1997, calibration to 1997-09-30, weeks of 7 days (Fader and
//! Hardie 2001). Published values: Fader, Hardie and Lee 2005 (BG/NBD, Pareto/NBD), BTYD, BTYDplus;
//! more digits by Newton's method with 25 digits or more in mpmath 1.4.1, for Pareto/NBD through its
//! hypergeometric form.

use std::collections::BTreeMap;

use segmentation_core::base::day::{self, Day};
use segmentation_core::measure::prediction_quality::PredictionQuality;
use segmentation_core::models::purchase_model::{
    Cells, CustomerSummary, Family, FitOptions, ParameterUncertainty, PurchaseModel, Scorer, fit,
};
use serde_json::json;

/// Purchase days of each customer, ascending.
fn cdnow() -> Vec<Vec<Day>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/cdnow_sample.csv");
    let mut customers: BTreeMap<u32, Vec<Day>> = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap().lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        customers.entry(fields[0].parse().unwrap()).or_default().push(day::parse(fields[1]).unwrap());
    }
    customers
        .into_values()
        .map(|mut days| {
            days.sort_unstable();
            days
        })
        .collect()
}

fn end() -> Day {
    day::parse("1997-09-30").unwrap()
}

fn cells(options: FitOptions) -> Cells {
    let mut cells = Cells::new(end(), options).unwrap();
    for days in cdnow() {
        cells.add(days).unwrap();
    }
    cells
}

fn fitted(family: Family) -> PurchaseModel {
    fit(&cells(FitOptions::of(family)), &mut || {}).unwrap()
}

/// Equal when rounded to the digits that `expected` has in its text.
#[track_caller]
fn assert_digits(value: f64, expected: &str) {
    let digits = expected.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    // One unit in the last place printed: the source may have cut or rounded.
    let unit = 10f64.powi(-(digits as i32));
    let expected: f64 = expected.parse().unwrap();
    assert!((value - expected).abs() <= unit, "{value} is not {expected}");
}

#[test]
fn sufficient_statistics() {
    let cells = cells(FitOptions::of(Family::BgNbd));
    assert_eq!((cells.customers(), cells.distinct().unwrap()), (2357, 1016));
    let summaries: Vec<_> =
        cdnow().iter().map(|days| CustomerSummary::from_days(days.iter().copied(), end()).unwrap()).collect();
    assert_eq!(summaries.iter().map(|s| s.x()).sum::<u32>(), 2457);
    assert_eq!(summaries.iter().filter(|s| s.x() == 0).count(), 1411);
}

#[test]
fn published_fits() {
    for (family, parameters, errors, log_likelihood) in [
        (Family::Nbd, vec![".3847661", "12.0720228"], vec![], "-9763.657615"),
        (
            Family::BgNbd,
            vec![".2425945224", "4.4136020190", ".7929220172", "2.4259067768"],
            vec![".012557", ".378224", ".185734", ".705414"],
            "-9582.429207",
        ),
        (
            Family::MbgNbd,
            vec![".5248431591", "6.1830852796", ".8913593907", "1.6140022402"],
            vec![".083268", ".695621", ".154790", ".537495"],
            "-9582.135716",
        ),
        (
            Family::ParetoNbd,
            vec![".5532770469", "10.5776834633", ".6062399891", "11.6687352889"],
            vec![".04762793", ".84272253", ".18728134", "6.21111359"],
            "-9594.976179",
        ),
    ] {
        let model = fitted(family);
        eprintln!("{:?} {:?} {}", model.parameters, model.standard_errors(), model.log_likelihood);
        assert_digits(model.log_likelihood, log_likelihood);
        for (value, expected) in model.parameters.iter().zip(parameters) {
            assert_digits(*value, expected);
        }
        for (value, expected) in model.standard_errors().unwrap().iter().zip(errors) {
            assert_digits(value.unwrap(), expected);
        }
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
        assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model);
    }
}

/// The customers' table: (x 26, tx 30.857, T 31) and (2, 30.4286, 38.857), in weeks.
///
/// The first customer's values are mpmath's at this maximum; BTYD prints .9688523, and 25.45647 and
/// .997874 for Pareto/NBD, for parameters of its own fit, which differ in the fifth and sixth digit.
#[test]
fn published_scores() {
    let best = CustomerSummary::new(26, 216, 217).unwrap();
    let usual = CustomerSummary::new(2, 213, 272).unwrap();
    for (family, best_cet, best_alive, cet, alive, none) in [
        (Family::BgNbd, "25.757337", ".9688544", "1.225995", ".726620", ".445372"),
        (Family::MbgNbd, "23.998191", ".965485", "1.262759", ".706138", ".440060"),
        (Family::ParetoNbd, "25.4551835", ".99787340", "1.455202", ".869134", ".408074"),
    ] {
        let scorer = Scorer::new(&fitted(family)).unwrap();
        eprintln!(
            "{family:?} {} {} {} {} {}",
            scorer.expected_purchases(best, 364.0),
            scorer.alive_probability(best),
            scorer.expected_purchases(usual, 273.0),
            scorer.alive_probability(usual),
            scorer.churn_probability(usual, 273.0)
        );
        assert_digits(scorer.expected_purchases(best, 364.0), best_cet);
        assert_digits(scorer.alive_probability(best), best_alive);
        assert_digits(scorer.expected_purchases(usual, 273.0), cet);
        assert_digits(scorer.alive_probability(usual), alive);
        assert_digits(scorer.churn_probability(usual, 273.0), none);
    }
}

/// Fitted on 39 weeks, judged on the 39 that follow.
#[test]
fn published_hold_out_figures() {
    let customers = cdnow();
    let until = end() + 273;
    let observed: Vec<(CustomerSummary, f64)> = customers
        .iter()
        .map(|days| {
            let then = CustomerSummary::from_days(days.iter().copied(), end()).unwrap();
            let later = CustomerSummary::from_days(days.iter().copied(), until).unwrap();
            (then, f64::from(later.x() - then.x()))
        })
        .collect();
    let n = observed.len() as f64;
    assert_eq!(observed.iter().map(|(_, y)| y).sum::<f64>(), 1882.0);

    let judge = |predicted: Vec<f64>, [mae, rmse, correlation, bias]: [&str; 4]| {
        let pairs: Vec<(f64, f64)> = predicted.iter().copied().zip(observed.iter().map(|o| o.1)).collect();
        let mean = |f: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(p, y)| f(p, y)).sum::<f64>() / n;
        assert_digits(mean(&|p, y| (p - y).abs()), mae);
        assert_digits(mean(&|p, y| (p - y).powi(2)).sqrt(), rmse);
        let (mp, my) = (mean(&|p, _| p), mean(&|_, y| y));
        let covariance = mean(&|p, y| (p - mp) * (y - my));
        let (vp, vy) = (mean(&|p, _| (p - mp).powi(2)), mean(&|_, y| (y - my).powi(2)));
        assert_digits(covariance / (vp * vy).sqrt(), correlation);
        assert_digits(100.0 * (mp / my - 1.0), bias);
    };
    judge(
        observed.iter().map(|(s, _)| f64::from(s.x()) * 273.0 / f64::from(s.t_days())).collect(),
        ["1.0237", "2.2119", ".5839", "55.7"],
    );
    for (family, figures) in [
        (Family::BgNbd, [".7855", "1.6080", ".6256", "-12.2"]),
        (Family::MbgNbd, [".7648", "1.6072", ".6273", "-16.2"]),
        (Family::ParetoNbd, [".7545", "1.6028", ".6302", "-11.5"]),
    ] {
        let scorer = Scorer::new(&fitted(family)).unwrap();
        judge(observed.iter().map(|(s, _)| scorer.expected_purchases(*s, 273.0)).collect(), figures);
    }

    // As a score of 'active in the next 39 weeks': 29.02 % are.
    let quality = |score: &dyn Fn(CustomerSummary) -> f64| {
        let mut quality = PredictionQuality::new();
        for (customer, bought) in &observed {
            quality.add(score(*customer), *bought > 0.0).unwrap();
        }
        quality.report(&mut || {}).unwrap()
    };
    for (family, auc, brier) in [
        (Family::BgNbd, ".7569", ".1612"),
        (Family::MbgNbd, ".7601", ".1614"),
        (Family::ParetoNbd, ".7712", ".1619"),
    ] {
        let scorer = Scorer::new(&fitted(family)).unwrap();
        let report = quality(&|customer| 1.0 - scorer.churn_probability(customer, 273.0));
        let base = report.base_rate.unwrap();
        assert_digits(100.0 * base, "29.02");
        assert_digits(base * (1.0 - base), ".2060");
        assert_digits(report.auc.unwrap(), auc);
        assert_digits(report.brier.unwrap(), brier);
        eprintln!("{family:?} {}", report.to_json());
    }
    // P(alive) of BG/NBD, 1 for every one-time buyer, is worse than chance.
    let scorer = Scorer::new(&fitted(Family::BgNbd)).unwrap();
    assert_digits(quality(&|customer| scorer.alive_probability(customer)).auc.unwrap(), ".316");
    // Recency alone ranks as well as any model.
    let recency = quality(&|customer| 1.0 - f64::from(customer.t_days() - customer.tx_days()) / 300.0);
    assert_digits(recency.auc.unwrap(), ".771");
}

#[test]
fn unit_of_time_is_only_a_unit() {
    let customer = CustomerSummary::new(2, 213, 272).unwrap();
    for family in Family::ALL {
        let week = fitted(family);
        let scores = |model: &PurchaseModel| {
            let scorer = Scorer::new(model).unwrap();
            [
                scorer.churn_probability(customer, 90.0),
                scorer.expected_purchases(customer, 90.0),
                scorer.alive_probability(customer),
            ]
        };
        for unit in ["1 day", "1 month", "1 year", "10 days"] {
            let options = FitOptions::from_json(&json!({ "family": family.name(), "unit": unit })).unwrap();
            let other = fit(&cells(options), &mut || {}).unwrap();
            assert_eq!(other.unit.text(), unit);
            let ratio = week.unit.days() / other.unit.days();
            assert!(
                (other.parameters[1] / week.parameters[1] / ratio - 1.0).abs() < 1e-6,
                "{family:?} {unit}"
            );
            for (a, b) in scores(&week).into_iter().zip(scores(&other)) {
                assert!((a / b - 1.0).abs() < 1e-6, "{family:?} {unit}: {a} {b}");
            }
        }
    }
}

#[test]
fn auto_chooses_and_says_so() {
    let model = fit(&cells(FitOptions::default()), &mut || {}).unwrap();
    eprintln!("{}", serde_json::to_string_pretty(&model.to_json()).unwrap());
    assert_eq!(model.candidates.len(), 6);
    assert!(model.family != Family::Nbd);
    assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model);
}

#[test]
fn erlang_forms() {
    for family in [Family::BgCnbdK, Family::MbgCnbdK] {
        // CDNOW's gaps are not regular: k = 1, and the form without k.
        let model = fitted(family);
        let plain = fitted(if family == Family::BgCnbdK { Family::BgNbd } else { Family::MbgNbd });
        assert_eq!(model.k, 1);
        assert_eq!(model.parameters, plain.parameters);
        for k in 2..=4 {
            let options = FitOptions::from_json(&json!({ "family": family.name(), "k": k })).unwrap();
            let model = fit(&cells(options), &mut || {}).unwrap();
            eprintln!("{family:?} {k} {:?} {}", model.parameters, model.log_likelihood);
            assert!(model.log_likelihood < plain.log_likelihood);
        }
    }
}

#[test]
fn uncertainty_of_parameters() {
    let customer = CustomerSummary::new(2, 213, 272).unwrap();
    for family in [Family::Nbd, Family::BgNbd, Family::MbgNbd, Family::ParetoNbd] {
        let model = fitted(family);
        let scorer = Scorer::new(&model).unwrap();
        let uncertainty = ParameterUncertainty::new(&model).unwrap();
        for (interval, point) in [
            (uncertainty.churn_probability(customer, 273.0, 0.9), scorer.churn_probability(customer, 273.0)),
            (
                uncertainty.expected_purchases(customer, 273.0, 0.9),
                scorer.expected_purchases(customer, 273.0),
            ),
            (uncertainty.alive_probability(customer, 0.9), scorer.alive_probability(customer)),
        ] {
            let (low, high) = interval.unwrap();
            eprintln!("{family:?} {low} {point} {high}");
            assert!(low <= point && point <= high && high - low < 0.5);
        }
    }
}

/// A model with given parameters, in units of 1000 days: fine enough for any x.
fn model(family: Family, k: u32, parameters: &[f64]) -> PurchaseModel {
    let mut fields: serde_json::Map<_, _> = family
        .parameter_names()
        .iter()
        .zip(parameters)
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    if family.is_erlang() {
        fields.insert("k".to_owned(), json!(k));
    }
    PurchaseModel::from_json(&json!({
        "kind": "purchase_model", "version": 1, "family": family.name(), "unit": "1000 days",
        "as_of": "2024-12-31", "parameters": fields, "log_likelihood": 0, "customers": 1, "cells": 1,
    }))
    .unwrap()
}

/// A customer with times in units of 1000 days.
fn summary(x: f64, tx: f64, t: f64) -> CustomerSummary {
    CustomerSummary::new(x as u32, (1000.0 * tx) as u32, (1000.0 * t) as u32).unwrap()
}

/// Against 40-digit quadrature, see tests/data/README.md: up to x = 2000, at a = 1, for a + b < 1.
#[test]
fn expected_purchases_to_many_digits() {
    let mut worst = 0.0_f64;
    for line in include_str!("data/expected_purchases.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let numbers: Vec<f64> = fields[1..].iter().map(|f| f.parse().unwrap()).collect();
        let scorer = Scorer::new(&model(Family::parse(fields[0]).unwrap(), 1, &numbers[..4])).unwrap();
        let [x, tx, t, horizon, expected] = numbers[4..] else { panic!() };
        let customer = summary(x, tx, t);
        let error = (scorer.expected_purchases(customer, 1000.0 * horizon) / expected - 1.0).abs();
        if error > 1e-11 {
            eprintln!("{line}: {error:e}");
        }
        worst = worst.max(error);
    }
    eprintln!("worst relative error {worst:e}");
    assert!(worst < 1e-11);
}

/// Cases that overflow in other implementations.
#[test]
fn hard_cases_stay_finite() {
    let hard =
        [(400.0, 5.0, 6.0), (500.0, 1.0, 37.0), (500.0, 4.0, 37.0), (1000.0, 2.0, 3000.0), (0.0, 0.0, 0.0)];
    for (family, k, parameters) in [
        (Family::Nbd, 1, vec![0.38, 12.0]),
        (Family::BgNbd, 1, vec![0.2426, 4.4136, 0.7929, 2.4259]),
        (Family::MbgNbd, 1, vec![0.5248, 6.183, 0.89, 1.614]),
        (Family::ParetoNbd, 1, vec![10.465, 0.00798565, 3.0516, 2.820]),
        (Family::BgCnbdK, 3, vec![0.3, 2.0, 0.8, 2.4]),
        (Family::MbgCnbdK, 12, vec![0.3, 0.5, 0.8, 2.4]),
        (Family::BgNbd, 1, vec![1e-6, 1e-6, 1e-6, 1e-6]),
        (Family::MbgNbd, 1, vec![1e6, 1e6, 1e6, 1e6]),
        (Family::ParetoNbd, 1, vec![1e-6, 1e6, 1e-6, 1e6]),
        (Family::ParetoNbd, 1, vec![1e6, 1e-6, 1e6, 1e-6]),
        (Family::MbgCnbdK, 12, vec![1e6, 1e-6, 1e-6, 1e6]),
    ] {
        let scorer = Scorer::new(&model(family, k, &parameters)).unwrap();
        for (x, tx, t) in hard {
            let customer = summary(x, tx, t);
            let place = format!("{family:?} {parameters:?} {customer:?}");
            let alive = scorer.alive_probability(customer);
            assert!((0.0..=1.0).contains(&alive), "{place}: {alive}");
            let mut before = (1.0, 0.0);
            for horizon in [0.0, 1.0, 1e3, 1e5, 365_250.0] {
                let churn = scorer.churn_probability(customer, horizon);
                let expected = scorer.expected_purchases(customer, horizon);
                assert!((0.0..=1.0).contains(&churn), "{place} {horizon}: {churn}");
                assert!(churn <= before.0 + 1e-12, "{place} {horizon}: {churn} after {}", before.0);
                assert!(
                    expected.is_finite() && expected >= before.1 * (1.0 - 1e-6),
                    "{place} {horizon}: {expected} after {}",
                    before.1
                );
                // Markov's inequality.
                assert!(
                    1.0 - churn <= expected * (1.0 + 1e-6) + 1e-12,
                    "{place} {horizon}: {churn} {expected}"
                );
                before = (churn, expected);
            }
            let next = scorer.next_purchase(customer, 0.9).unwrap();
            assert!(next.never >= 0.0 && (next.median_days.is_some() || next.upper_days.is_none()));
            let (low, high) = scorer.purchases_interval(customer, 1000.0, 0.9).unwrap();
            assert!(low <= high);
        }
    }
    // Pareto/NBD log-likelihoods that others report as infinite, through the fit's own function.
    for (x, tx, t) in &hard[..3] {
        let mut options = FitOptions::of(Family::ParetoNbd);
        options.penalty = 1e6;
        let mut cells = Cells::new(0, options).unwrap();
        cells
            .add_summary(CustomerSummary::new(*x as u32, 700 * *tx as u32, 700 * *t as u32).unwrap(), 1)
            .unwrap();
        let model = fit(&cells, &mut || {}).unwrap();
        assert!(model.log_likelihood.is_finite());
    }
}

/// P(X >= 1) and the sum over n of P(X >= n) must be the churn probability's complement and the
/// expected number: three different computations.
#[test]
fn predictive_distribution_is_one() {
    for (family, k, parameters) in [
        (Family::Nbd, 1, vec![0.38, 12.0]),
        (Family::BgNbd, 1, vec![0.2426, 4.4136, 0.7929, 2.4259]),
        (Family::MbgNbd, 1, vec![0.5248, 6.183, 1.0, 1.614]),
        (Family::ParetoNbd, 1, vec![0.553, 10.58, 0.606, 11.67]),
        (Family::ParetoNbd, 1, vec![2.5, 3.0, 1.0, 0.4]),
        (Family::BgCnbdK, 1, vec![0.3, 2.0, 0.8, 2.4]),
        (Family::BgCnbdK, 3, vec![0.3, 2.0, 0.8, 2.4]),
        (Family::MbgCnbdK, 2, vec![1.3, 5.0, 0.5, 0.9]),
    ] {
        let scorer = Scorer::new(&model(family, k, &parameters)).unwrap();
        for (x, tx, t) in [(0.0, 0.0, 0.0), (0.0, 0.0, 30.0), (2.0, 20.0, 30.0), (9.0, 29.0, 30.0)] {
            let customer = summary(x, tx, t);
            let h = 20_000.0;
            let none = scorer.churn_probability(customer, h);
            assert!((1.0 - none - scorer.purchases_at_least(customer, 1, h)).abs() < 1e-10, "{family:?}");
            let total: f64 =
                (1..2000).map(|n| scorer.purchases_at_least(customer, n, h)).take_while(|p| *p > 1e-13).sum();
            let expected = scorer.expected_purchases(customer, h);
            assert!((total / expected - 1.0).abs() < 1e-7, "{family:?} {k} {customer:?}: {total} {expected}");
        }
    }
}

#[test]
fn expected_purchases_pass_smoothly_through_a_of_one() {
    for (family, b) in [(Family::BgNbd, 0.4), (Family::BgNbd, 2.4), (Family::MbgNbd, 1.6)] {
        for (x, tx, t, horizon) in [(0.0, 0.0, 10.0, 3e4), (3.0, 8.0, 10.0, 1e3), (40.0, 9.0, 10.0, 3e5)] {
            let at = |a: f64| {
                let scorer = Scorer::new(&model(family, 1, &[0.3, 4.0, a, b])).unwrap();
                scorer.expected_purchases(summary(x, tx, t), horizon)
            };
            let one = at(1.0);
            for step in [1e-14, 1e-10, 1e-7, 1e-5] {
                for a in [1.0 - step, 1.0 + step] {
                    assert!((at(a) / one - 1.0).abs() < 20.0 * step + 1e-10, "{family:?} {a}");
                }
            }
        }
    }
}
