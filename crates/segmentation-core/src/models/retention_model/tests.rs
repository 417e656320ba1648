//! Against the published figures of the distribution's authors.

use super::*;
use crate::base::day;
use crate::models::churn_model::Features;

fn cohort(options: &str, survivors: &[u32]) -> RetentionModel {
    let mut state = Contracts::new(
        366 * 30,
        RetentionOptions::from_json(&serde_json::from_str(options).unwrap()).unwrap(),
    )
    .unwrap();
    // They began so many years before as_of as are followed; who is left runs on.
    let years = survivors.len() as i32 - 1;
    let start = day::add_months(state.as_of(), -12 * years).unwrap();
    for t in 0..survivors.len() {
        let leave = survivors[t] - survivors.get(t + 1).copied().unwrap_or(0);
        for _ in 0..leave {
            let ended = (t < years as usize).then(|| day::add_months(start, 12 * (t as i32 + 1)).unwrap());
            state.add(Some(start), ended, None).unwrap();
        }
    }
    let again = Contracts::from_bytes(&state.to_bytes().unwrap()).unwrap();
    assert_eq!(again.to_bytes().unwrap(), state.to_bytes().unwrap());
    fit(&again, &mut || {}).unwrap()
}

#[test]
fn fader_hardie_2007() {
    // "How to Project Customer Retention", table 1 and figure 4: seven years of 1,000 customers.
    let options = r#"{"family": "shifted_beta_geometric", "unit": "1 year"}"#;
    for (survivors, alpha, beta, log_likelihood, twelve) in [
        ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806, -1611.158, 0.390),
        ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182, -1680.265, 0.170),
    ] {
        let model = cohort(options, &survivors);
        let g = model.groups[0].geometric.as_ref().unwrap();
        assert!((g.alpha - alpha).abs() < 5.1e-4, "{} {}", g.alpha, alpha);
        assert!((g.beta - beta).abs() < 5.1e-4, "{} {}", g.beta, beta);
        assert!((g.log_likelihood - log_likelihood).abs() < 6e-2, "{}", g.log_likelihood);
        let s = model.survival(&Features::default()).unwrap();
        assert!((s.at(12.0).unwrap() - twelve).abs() < 2e-2, "{:?}", s.at(12.0));
        // Retention rises: the longer a customer has stayed, the less likely to leave next.
        assert!(s.churn_probability(0.0, 1.0) > s.churn_probability(5.0, 1.0));
        let back = RetentionModel::from_json(&model.to_json()).unwrap();
        assert_eq!(back.survival(&Features::default()).unwrap().at(7.5), s.at(7.5));
    }
}
