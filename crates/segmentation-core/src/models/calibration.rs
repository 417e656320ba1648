//! Calibration: from scores to probabilities that come true.
//!
//! `isotonic` is the rising step function nearest to the outcomes (pool adjacent violators: Ayer,
//! Brunk, Ewing, Reid, Silverman 1955), read with straight lines between its steps as scikit-learn
//! does; `logistic` is a straight line in log-odds (Cox 1958; Platt 1999), for small samples.

use serde_json::{Value, json};

use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::words::counted;
use crate::math::special::logistic;
use crate::measure::prediction_quality::PredictionQuality;

/// How a calibration is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// A rising step function.
    #[default]
    Isotonic,
    /// A straight line in log-odds.
    Logistic,
}

impl Method {
    /// The method that the options name: `{"method": "isotonic" | "logistic"}`.
    ///
    /// # Errors
    /// Names what is unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["method"])?;
        match object.text("method")? {
            None | Some("isotonic") => Ok(Self::Isotonic),
            Some("logistic") => Ok(Self::Logistic),
            Some(_) => Err(object.wrong("method", "one of isotonic, logistic")),
        }
    }
}

/// A fitted calibration.
#[derive(Debug, Clone, PartialEq)]
pub enum Calibration {
    /// Predictions, ascending, and what they come to; straight lines between, level outside.
    Isotonic(Vec<(f64, f64)>),
    /// In log-odds.
    Logistic {
        /// Factor.
        slope: f64,
        /// Added.
        intercept: f64,
    },
}

/// The rising step function nearest to weighted values: one (value, weight, length) a step.
fn pool(values: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64, usize)> {
    let mut steps: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in values {
        steps.push((value, weight, 1));
        while let [.., a, b] = steps.as_mut_slice()
            && a.0 >= b.0
        {
            let weight = a.1 + b.1;
            *a = ((a.0 * a.1 + b.0 * b.1) / weight, weight, a.2 + b.2);
            steps.pop();
        }
    }
    steps
}

/// Fits a calibration to predictions and outcomes.
///
/// # Errors
/// [`ErrorKind::NotReady`] without both outcomes, or, for `logistic`, without a finite line.
pub fn calibrate(
    outcomes: &PredictionQuality,
    method: Method,
    checkpoint: Checkpoint,
) -> Result<Calibration> {
    let groups = outcomes.groups()?;
    checkpoint();
    let (no, yes) = groups.iter().fold((0, 0), |(no, yes), g| (no + g.1, yes + g.2));
    if no == 0 || yes == 0 {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a calibration")
            .detail(format!("Of {} {yes} happened; both outcomes are needed.", counted(no + yes, "row"))));
    }
    match method {
        Method::Logistic => {
            let report = outcomes.report(checkpoint)?;
            match (report.slope, report.intercept) {
                (Some(slope), Some(intercept)) => Ok(Calibration::Logistic { slope, intercept }),
                _ => Err(Error::new(ErrorKind::NotReady, "too little data for a calibration")
                    .detail("The predictions are all equal, or separate the outcomes without error.")),
            }
        }
        Method::Isotonic => {
            let values = groups.iter().map(|g| (g.2 as f64 / (g.1 + g.2) as f64, (g.1 + g.2) as f64));
            let mut points = Vec::new();
            let mut at = 0;
            for (value, _, length) in pool(values) {
                points.push((groups[at].0, value));
                if length > 1 {
                    points.push((groups[at + length - 1].0, value));
                }
                at += length;
            }
            Ok(Calibration::Isotonic(points))
        }
    }
}

impl Calibration {
    /// The calibrated probability.
    ///
    /// # Errors
    /// The prediction is no probability.
    pub fn calibrated(&self, predicted: f64) -> Result<f64> {
        if !(0.0..=1.0).contains(&predicted) {
            return Err(Error::invalid("predicted must be a probability between 0 and 1")
                .detail(format!("It is {}.", crate::base::error::shown_number(predicted))));
        }
        match self {
            Self::Logistic { slope, intercept } => {
                let p = predicted.clamp(1e-15, 1.0 - 1e-15);
                Ok(logistic(intercept + slope * (p.ln() - (-p).ln_1p())))
            }
            Self::Isotonic(points) => {
                let after = points.partition_point(|(x, _)| *x < predicted);
                Ok(match (after.checked_sub(1).and_then(|i| points.get(i)), points.get(after)) {
                    // Rounding must not carry it past the right end: above 1, or above what comes next.
                    (Some(a), Some(b)) => {
                        (a.1 + (b.1 - a.1) * (predicted - a.0) / (b.0 - a.0)).clamp(a.1, b.1)
                    }
                    (None, Some(only)) | (Some(only), None) => only.1,
                    (None, None) => predicted,
                })
            }
        }
    }

    /// The JSON value: `{kind: "calibration", version: 1, method, predicted [], probability []}`, or
    /// with `slope` and `intercept`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Isotonic(points) => json!({
                "kind": "calibration",
                "version": 1,
                "method": "isotonic",
                "predicted": points.iter().map(|p| p.0).collect::<Vec<_>>(),
                "probability": points.iter().map(|p| p.1).collect::<Vec<_>>(),
            }),
            Self::Logistic { slope, intercept } => json!({
                "kind": "calibration",
                "version": 1,
                "method": "logistic",
                "slope": slope,
                "intercept": intercept,
            }),
        }
    }

    /// Reads the JSON value; unknown keys are left alone.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::open("calibration", "", value)?;
        if object.need_text("kind")? != "calibration" {
            return Err(object.wrong("kind", "\"calibration\""));
        }
        object.need_whole("version", 1, 1)?;
        match object.need_text("method")? {
            "logistic" => Ok(Self::Logistic {
                slope: object.need_number("slope", -1e9, 1e9)?,
                intercept: object.need_number("intercept", -1e9, 1e9)?,
            }),
            "isotonic" => {
                let numbers = |key| -> Result<Vec<f64>> {
                    let list = object.list(key)?.unwrap_or_default();
                    let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
                    numbers
                        .filter(|n| {
                            !n.is_empty() && n.iter().all(|x| (0.0..=1.0).contains(x)) && n.is_sorted()
                        })
                        .ok_or_else(|| object.wrong(key, "a rising list of probabilities"))
                };
                let (x, y) = (numbers("predicted")?, numbers("probability")?);
                if x.len() != y.len() || x.windows(2).any(|w| w[0] == w[1]) {
                    return Err(object.wrong("predicted", "as many different numbers as \"probability\""));
                }
                Ok(Self::Isotonic(x.into_iter().zip(y).collect()))
            }
            _ => Err(object.wrong("method", "one of isotonic, logistic")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rows: &[(f64, bool)]) -> PredictionQuality {
        let mut state = PredictionQuality::new();
        for &(p, y) in rows {
            state.add(p, y).unwrap();
        }
        state
    }

    #[test]
    fn as_scikit_learn() {
        // scikit-learn 1.9.1: IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).
        let p = [0.1, 0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95];
        let h = [0, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1];
        let rows: Vec<(f64, bool)> = p.iter().zip(h).map(|(p, h)| (*p, h == 1)).collect();
        let c = calibrate(&of(&rows), Method::Isotonic, &mut || {}).unwrap();
        let third = 1.0 / 3.0;
        for (x, y) in [
            (0.0, third),
            (0.1, third),
            (0.33, third),
            (0.45, 0.416_666_666_666_666_63),
            (0.55, 0.5),
            (0.65, 0.583_333_333_333_333_4),
            (0.75, 0.666_666_666_666_666_6),
            (0.92, 0.800_000_000_000_000_3),
            (1.0, 1.0),
        ] {
            assert!((c.calibrated(x).unwrap() - y).abs() < 1e-12, "{x}");
        }
        assert_eq!(Calibration::from_json(&c.to_json()).unwrap(), c);
        assert!(calibrate(&of(&rows[..1]), Method::Isotonic, &mut || {}).is_err());
    }

    #[test]
    fn never_beyond_the_steps() {
        // 1/3 + 2/3 is 1.0000000000000002 at the right end of the line without a bound.
        let rows = [(0.0, false), (0.1, false), (0.1, true), (0.2, false), (0.3, true)];
        let c = calibrate(&of(&rows), Method::Isotonic, &mut || {}).unwrap();
        assert_eq!(c.calibrated(0.3).unwrap(), 1.0);
        assert_eq!(c.calibrated(0.300_01).unwrap(), 1.0);
    }

    /// Isotonic regression is the rising curve with the least squared error. Ours has less of it than linfa-linear's,
    /// which keeps of each step its right end only and draws a slope to there.
    #[test]
    fn linfa_linear_is_not_the_nearest() {
        use linfa::DatasetBase;
        use linfa::traits::{Fit, Predict};
        use linfa_linear::IsotonicRegression;
        use ndarray::{Array1, Array2};
        let p: Vec<f64> = (1..=40).map(|i| f64::from(i) / 50.0).collect();
        let happened: Vec<bool> = (1..=40).map(|i| i * i * 7 % 40 < i).collect();
        let rows: Vec<(f64, bool)> = p.iter().copied().zip(happened.iter().copied()).collect();
        let calibration = calibrate(&of(&rows), Method::Isotonic, &mut || {}).unwrap();
        let ours: Array1<f64> = p.iter().map(|p| calibration.calibrated(*p).unwrap()).collect();
        let x = Array2::from_shape_vec((40, 1), p).unwrap();
        let y: Array1<f64> = happened.iter().map(|h| f64::from(u8::from(*h))).collect();
        let error = |fitted: &Array1<f64>| (fitted - &y).mapv(|e| e * e).sum();
        let model = IsotonicRegression::new().fit(&DatasetBase::new(x.clone(), y.clone())).unwrap();
        let theirs = model.predict(&x);
        assert!(theirs.windows(2).into_iter().all(|pair| pair[0] <= pair[1] + 1e-12));
        assert!(error(&ours) < error(&theirs) - 1e-3, "{} {}", error(&ours), error(&theirs));
    }

    /// `cargo test --release -p segmentation-core as_fast_as_linfa -- --ignored --nocapture`.
    #[test]
    #[ignore = "takes its time; for docs/architecture.md"]
    fn as_fast_as_linfa_linear() {
        use linfa::DatasetBase;
        use linfa::traits::{Fit, Predict};
        use linfa_linear::IsotonicRegression;
        use ndarray::{Array1, Array2};
        let n = 200_000_u64;
        let p: Vec<f64> = (0..n).map(|i| i as f64 / n as f64).collect();
        let hash = |i: u64| (crate::base::hash::mix(i) >> 11) as f64 / (1_u64 << 53) as f64;
        let happened: Vec<bool> = (0..n).map(|i| hash(i) < p[i as usize]).collect();
        let x = Array2::from_shape_vec((n as usize, 1), p.clone()).unwrap();
        let y: Array1<f64> = happened.iter().map(|h| f64::from(u8::from(*h))).collect();
        let began = std::time::Instant::now();
        let steps = pool(y.iter().map(|y| (*y, 1.0))).len();
        println!("isotonic, 200,000 points, {steps} steps, ours: {:.4} s", began.elapsed().as_secs_f64());
        let began = std::time::Instant::now();
        let fitted = IsotonicRegression::new().fit(&DatasetBase::new(x.clone(), y)).unwrap();
        println!("linfa, sorting with it: {:.4} s", began.elapsed().as_secs_f64());
        let began = std::time::Instant::now();
        std::hint::black_box(fitted.predict(&x));
        println!("linfa, reading 200,000: {:.4} s", began.elapsed().as_secs_f64());
    }

    proptest! {
        #[test]
        fn rises_and_keeps_the_total(rows in proptest::collection::vec((0_u8..30, any::<bool>()), 2..200)) {
            let rows: Vec<(f64, bool)> = rows.into_iter().map(|(p, y)| (f64::from(p) / 29.0, y)).collect();
            let happened = rows.iter().filter(|r| r.1).count();
            prop_assume!(happened > 0 && happened < rows.len());
            let c = calibrate(&of(&rows), Method::Isotonic, &mut || {}).unwrap();
            let total: f64 = rows.iter().map(|r| c.calibrated(r.0).unwrap()).sum();
            prop_assert!((total - happened as f64).abs() < 1e-9);
            // Tenths of a grid step, and the steps themselves with their neighbours: where lines meet, rounding shows.
            let mut at: Vec<f64> = (0..=290).map(|i| f64::from(i) / 290.0).collect();
            at.extend(rows.iter().flat_map(|r| [r.0.next_down().max(0.0), r.0, r.0.next_up().min(1.0)]));
            at.sort_by(f64::total_cmp);
            let all: Vec<f64> = at.iter().map(|p| c.calibrated(*p).unwrap()).collect();
            prop_assert!(all.is_sorted() && all.iter().all(|p| (0.0..=1.0).contains(p)));
        }
    }
}
