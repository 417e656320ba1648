//! Fits end at the maximum: beside a search of its own in scipy 1.16, and where a parameter has none.
//!
//! The reference maximises the same likelihoods, written anew with numpy (Pareto/NBD by quadrature over 64 nodes), by
//! L-BFGS-B and then Nelder-Mead over the logarithms within 12 of (1, e / k, 1, e) weeks, from five starts, and keeps the
//! highest. Online Retail: the days on which 3,370 customers ordered (invoices that are no cancellations), to
//! 2011-09-10; under most families of k = 1 nobody leaves there.

use std::collections::BTreeMap;

use segmentation_core::base::day::{self, Day};
use segmentation_core::models::purchase_model::{
    Cells, CustomerSummary, Family, FitOptions, ParameterUncertainty, PurchaseModel, Scorer, fit,
};
use serde_json::json;

fn data(name: &str) -> String {
    std::fs::read_to_string(format!("{}/../../tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn online_retail() -> (Day, Vec<Vec<Day>>) {
    let begin = day::parse("2010-12-01").unwrap();
    let line = |line: &str| line.split(' ').map(|n| begin + n.parse::<Day>().unwrap()).collect();
    (day::parse("2011-09-10").unwrap(), data("online_retail_days.txt").lines().map(line).collect())
}

fn cdnow() -> (Day, Vec<Vec<Day>>) {
    let mut customers: BTreeMap<u32, Vec<Day>> = BTreeMap::new();
    for line in data("cdnow_sample.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        customers.entry(fields[0].parse().unwrap()).or_default().push(day::parse(fields[1]).unwrap());
    }
    customers.values_mut().for_each(|days| days.sort_unstable());
    (day::parse("1997-09-30").unwrap(), customers.into_values().collect())
}

fn fitted((as_of, customers): &(Day, Vec<Vec<Day>>), family: Family, k: Option<u32>) -> PurchaseModel {
    let options = FitOptions { k, ..FitOptions::of(family) };
    let mut cells = Cells::new(*as_of, options).unwrap();
    for days in customers {
        cells.add(days.iter().copied()).unwrap();
    }
    fit(&cells, &mut || {}).unwrap()
}

fn codes(model: &PurchaseModel) -> Vec<&str> {
    model.warnings.iter().map(|w| w.code.as_str()).collect()
}

#[test]
fn several_searches_agree() {
    use Family::{BgCnbdK, BgNbd, MbgCnbdK, MbgNbd, Nbd, ParetoNbd};
    let retail: &[(Family, u32, f64, &[f64])] = &[
        (Nbd, 1, -22926.4995, &[0.72235, 9.4089]),
        (BgNbd, 1, -22926.4995, &[0.72235, 9.4089]),
        (MbgNbd, 1, -22926.4995, &[0.72236, 9.409]),
        (BgCnbdK, 2, -22358.6962, &[0.73601, 3.93911, 0.09624, 1.14176]),
        (MbgCnbdK, 2, -22372.717, &[0.85929, 4.3112, 0.16321, 1.9583]),
        (BgCnbdK, 3, -22821.4172, &[0.71951, 2.35815, 0.16387, 1.33085]),
        (MbgCnbdK, 3, -22839.5126, &[0.91869, 2.71038, 0.26551, 1.98559]),
        (BgCnbdK, 4, -23650.9455, &[0.70422, 1.65027, 0.21016, 1.45742]),
        (MbgCnbdK, 4, -23671.4576, &[0.93457, 1.93928, 0.33169, 2.11012]),
        (ParetoNbd, 1, -22926.4995, &[0.72235, 9.4089]),
    ];
    let cds: &[(Family, u32, f64, &[f64])] = &[
        (BgCnbdK, 2, -9855.327, &[0.22692, 1.46292, 0.944, 2.07433]),
        (MbgCnbdK, 2, -9853.2531, &[0.5799, 2.28815, 1.13445, 1.58497]),
        (BgCnbdK, 3, -10393.5651, &[0.21948, 0.83343, 1.02609, 2.09413]),
        (MbgCnbdK, 4, -11033.9409, &[0.49586, 0.83082, 1.40668, 2.08915]),
        (ParetoNbd, 1, -9594.9762, &[0.55328, 10.57768, 0.60624, 11.66873]),
    ];
    for (shop, expected) in [(online_retail(), retail), (cdnow(), cds)] {
        for &(family, k, log_likelihood, parameters) in expected {
            let model = fitted(&shop, family, family.is_erlang().then_some(k));
            eprintln!("{family:?} {k} {} {:?} {:?}", model.log_likelihood, model.parameters, codes(&model));
            assert!((model.log_likelihood - log_likelihood).abs() < 6e-4, "{family:?} {k}");
            for (value, expected) in model.parameters.iter().zip(parameters) {
                assert!((value / expected - 1.0).abs() < 1e-3, "{family:?} {k}: {value} {expected}");
            }
            assert!(!codes(&model).contains(&"not_converged"));
        }
    }
}

/// Where nobody leaves: said so, without standard errors of the leaving, and the scores are those of NBD.
#[test]
fn nobody_leaves() {
    let shop = online_retail();
    let nbd = fitted(&shop, Family::Nbd, None);
    assert_eq!(codes(&nbd), ["left_truncated"]);
    let customer = CustomerSummary::new(3, 60, 200).unwrap();
    let without = Scorer::new(&nbd).unwrap().churn_probability(customer, 90.0);
    for (family, leaving) in [(Family::BgNbd, "b"), (Family::MbgNbd, "b"), (Family::ParetoNbd, "beta")] {
        let model = fitted(&shop, family, None);
        assert!(codes(&model).starts_with(&["no_dropout", "not_identified"]), "{:?}", model.warnings);
        let errors = model.standard_errors().unwrap();
        assert!(errors[0].unwrap() < 0.05 && errors[1].unwrap() < 1.0 && errors[2].is_none());
        assert!(errors[3].is_none(), "{leaving} {errors:?}");
        assert_eq!(PurchaseModel::from_json(&model.to_json()).unwrap(), model);
        let churn = Scorer::new(&model).unwrap().churn_probability(customer, 90.0);
        assert!((churn - without).abs() < 1e-3);
        // The score is as well known as under NBD.
        let known = |model| {
            ParameterUncertainty::new(model).unwrap().churn_probability(customer, 90.0, 0.95).unwrap()
        };
        let (narrow, wide) = (known(&nbd), known(&model));
        eprintln!("{family:?} {churn} {wide:?} {narrow:?}");
        assert!((wide.1 - wide.0) < 1.5 * (narrow.1 - narrow.0));
    }
    let regular = fitted(&shop, Family::BgCnbdK, None);
    assert_eq!(regular.k, 2);
    assert_eq!(codes(&regular), ["left_truncated"]);
    assert!(regular.standard_errors().unwrap().iter().all(Option::is_some));
}

/// Customers who all leave at one rate: the rates' shape and scale run away together, their ratio is known.
#[test]
fn a_ridge_is_said_to_be_one() {
    let mut state = 7_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let customers: Vec<Vec<Day>> = (0..2000)
        .map(|_| {
            let leaves = -uniform().ln() * 200.0;
            let (mut at, mut days) = (0.0, vec![0]);
            loop {
                at += -uniform().ln() * 20.0;
                if at > f64::min(leaves, 600.0) {
                    break days;
                }
                days.push(at.ceil() as Day);
            }
        })
        .collect();
    let mut customers = customers;
    customers.iter_mut().for_each(|days| days.dedup());
    let options = FitOptions::from_json(&json!({ "family": "pareto_nbd", "unit": "1 day" })).unwrap();
    let mut cells = Cells::new(600, options).unwrap();
    customers.iter().for_each(|days| cells.add(days.iter().copied()).unwrap());
    let model = fit(&cells, &mut || {}).unwrap();
    eprintln!("{:?} {:?} {:?}", model.parameters, model.standard_errors(), model.warnings);
    assert_eq!(codes(&model), ["not_identified"]);
    let [r, alpha, s, beta] = model.parameters[..] else { panic!() };
    // Same-day purchases are one, so that the rate is a little less than one in 20 days.
    assert!((alpha / r - 20.5).abs() < 0.5 && (beta / s - 200.0).abs() < 20.0);
    let errors = model.standard_errors().unwrap();
    assert!(errors.iter().all(Option::is_none), "{errors:?}");
    let customer = CustomerSummary::new(5, 100, 300).unwrap();
    let (low, high) =
        ParameterUncertainty::new(&model).unwrap().churn_probability(customer, 90.0, 0.95).unwrap();
    assert!(high - low < 0.2, "{low} {high}");
}
