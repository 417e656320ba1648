use super::*;
use crate::base::language::Language;
use proptest::prelude::*;

fn model(rows: &[(bool, i16, u8)]) -> Result<ChurnModel, crate::Error> {
    let mut state = ChurnRows::new(ChurnOptions { min_level_rows: 3, ..ChurnOptions::default() });
    for (churned, x, plan) in rows {
        let text = match plan {
            0 => format!(r#"{{"x": {x}}}"#),
            5 => r#"{"plan": "p5", "vip": true}"#.to_owned(),
            _ => format!(r#"{{"x": {x}, "plan": "p{plan}", "vip": {}}}"#, x % 2 == 0),
        };
        state.add(Some(*churned), Some(&Features::parse(&text)?), Some(1.0))?;
    }
    fit(&state, &mut || {})
}

proptest! {
    #[test]
    fn any_data_give_a_finite_model_that_is_read_back(
        rows in proptest::collection::vec((any::<bool>(), any::<i16>(), 0_u8..8), 0..300),
    ) {
        match model(&rows) {
            Err(error) => prop_assert_eq!(error.kind, crate::ErrorKind::NotReady),
            Ok(model) => {
                let again = ChurnModel::from_json(&model.to_json()).unwrap();
                prop_assert_eq!(again.to_json(), model.to_json());
                for text in ["{}", r#"{"x": 3}"#, r#"{"x": -7, "plan": "never seen", "vip": false}"#] {
                    let features = Features::parse(text).unwrap();
                    let p = model.churn_probability(&features).unwrap();
                    prop_assert!((0.0..=1.0).contains(&p));
                    // Contributions differ from the log-odds by the average customer's, whoever it is.
                    let sum: f64 = model.explain(&features, Language::English).unwrap().iter().map(|c| c.contribution).sum();
                    let average: f64 = model.intercept.estimate + model.features.iter().map(Feature::average).sum::<f64>();
                    let whole = model.log_odds(&features).unwrap();
                    prop_assert!((average + sum - whole).abs() < 1e-6 * (1.0 + whole.abs() + average.abs()));
                }
            }
        }
    }
}
