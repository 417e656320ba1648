//! Purchase models on the CDNOW sample: published parameters and scores.
//!
//! CDNOW: 1/10 sample of the cohort of 1997, calibration to 1997-09-30, weeks of 7 days (Fader and
//! Hardie 2001). Published values: Fader, Hardie and Lee 2005 (BG/NBD, Pareto/NBD), BTYD, BTYDplus;
//! more digits recomputed for this project by other means than this crate.

use std::collections::BTreeMap;

use segmentation_core::day::{self, Day};
use segmentation_core::purchase_model::{
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
    assert_eq!((cells.customers(), cells.len()), (2357, 1016));
    let summaries: Vec<_> =
        cdnow().iter().map(|days| CustomerSummary::from_days(days.iter().copied(), end()).unwrap()).collect();
    assert_eq!(summaries.iter().map(|s| s.x()).sum::<u32>(), 2457);
    assert_eq!(summaries.iter().filter(|s| s.x() == 0).count(), 1411);
}

#[test]
fn published_fits() {
    for (family, parameters, errors, log_likelihood) in [
        (Family::Nbd, vec![".3847661", "12.0720222"], vec![], "-9763.657615"),
        (
            Family::BgNbd,
            vec![".242594522", "4.413602021", ".792922017", "2.425906778"],
            vec![".012557", ".378224", ".185734", ".705414"],
            "-9582.429207",
        ),
        (
            Family::MbgNbd,
            vec![".524843159", "6.183085279", ".891359391", "1.614002240"],
            vec![".083268", ".695621", ".154790", ".537495"],
            "-9582.135716",
        ),
        (
            Family::ParetoNbd,
            vec![".553277", "10.5776831", ".6062399", "11.6687361"],
            vec![".04763", ".8427", ".1873", "6.2107"],
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
            assert_digits(*value, expected);
        }
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
        assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model);
    }
}

/// The customers' table: (x 26, tx 30.857, T 31) and (2, 30.4286, 38.857), in weeks.
#[test]
fn published_scores() {
    let best = CustomerSummary::new(26, 216, 217).unwrap();
    let usual = CustomerSummary::new(2, 213, 272).unwrap();
    for (family, best_cet, best_alive, cet, alive, none) in [
        (Family::BgNbd, "25.7578", ".9688523", "1.225995", ".726620", ".445372"),
        (Family::MbgNbd, "23.9983", ".965485", "1.262759", ".706138", ".440060"),
        (Family::ParetoNbd, "25.45647", ".997874", "1.455202", ".869134", ".408074"),
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
            assert!((other.parameters[1] / week.parameters[1] / ratio - 1.0).abs() < 1e-6, "{family:?} {unit}");
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
            (uncertainty.expected_purchases(customer, 273.0, 0.9), scorer.expected_purchases(customer, 273.0)),
            (uncertainty.alive_probability(customer, 0.9), scorer.alive_probability(customer)),
        ] {
            let (low, high) = interval.unwrap();
            eprintln!("{family:?} {low} {point} {high}");
            assert!(low <= point && point <= high && high - low < 0.5);
        }
    }
}
