//! Logistic regression with row weights and a ridge, on standardised features.

use serde_json::{Value, json};

use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::math::special::{logistic, softplus};

/// Rows of a regression: features side by side, outcome, weight.
pub(super) struct Sample {
    pub(super) width: usize,
    pub(super) x: Vec<f32>,
    pub(super) y: Vec<bool>,
    pub(super) weight: Vec<f64>,
}

impl Sample {
    pub(super) fn new(width: usize) -> Self {
        Self { width, x: Vec::new(), y: Vec::new(), weight: Vec::new() }
    }

    pub(super) fn push(&mut self, x: &[f64], y: bool, weight: f64) {
        self.x.extend(x.iter().map(|x| *x as f32));
        self.y.push(y);
        self.weight.push(weight);
    }

    /// Whether both outcomes occur.
    pub(super) fn usable(&self) -> bool {
        self.y.contains(&true) && self.y.contains(&false)
    }
}

/// A fitted regression: `eta = intercept + sum of coefficient * (x - mean) / sd`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Logit {
    pub(super) mean: Vec<f64>,
    pub(super) sd: Vec<f64>,
    pub(super) coefficient: Vec<f64>,
    pub(super) intercept: f64,
}

/// Solves a positive definite system in place by Cholesky's method; `a` by rows.
fn solve(a: &mut [f64], b: &mut [f64]) {
    let n = b.len();
    for j in 0..n {
        for k in 0..j {
            for i in j..n {
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            }
        }
        let root = a[j * n + j].max(1e-12).sqrt();
        (j..n).for_each(|i| a[i * n + j] /= root);
    }
    for i in 0..n {
        let done: f64 = (0..i).map(|k| a[i * n + k] * b[k]).sum();
        b[i] = (b[i] - done) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let done: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k]).sum();
        b[i] = (b[i] - done) / a[i * n + i];
    }
}

impl Logit {
    /// One that leaves a single number as it is.
    pub(super) fn identity(width: usize) -> Self {
        let coefficient = (0..width).map(|at| if at == 0 { 1.0 } else { 0.0 }).collect();
        Self { mean: vec![0.0; width], sd: vec![1.0; width], coefficient, intercept: 0.0 }
    }

    pub(super) fn eta(&self, x: &[f64]) -> f64 {
        let terms = x.iter().zip(&self.mean).zip(&self.sd).zip(&self.coefficient);
        self.intercept + terms.map(|(((x, m), s), c)| c * (x - m) / s).sum::<f64>()
    }

    /// Newton's method with step halving on the weighted log-likelihood less `ridge / 2` times the
    /// squared coefficients; the intercept is free.
    pub(super) fn fit(sample: &Sample, ridge: f64, checkpoint: Checkpoint) -> Self {
        let (width, rows) = (sample.width, sample.y.len());
        let row = |at: usize| &sample.x[at * width..(at + 1) * width];
        let mut model = Self::identity(width);
        for j in 0..width {
            let mean = (0..rows).map(|at| f64::from(row(at)[j])).sum::<f64>() / rows as f64;
            let square =
                (0..rows).map(|at| (f64::from(row(at)[j]) - mean).powi(2)).sum::<f64>() / rows as f64;
            model.mean[j] = mean;
            model.sd[j] = square.sqrt() + 1e-9;
            checkpoint();
        }
        let total: f64 = sample.weight.iter().sum();
        let yes: f64 = sample.weight.iter().zip(&sample.y).filter(|(_, y)| **y).map(|(w, _)| w).sum();
        let n = width + 1;
        let mut beta = vec![0.0; n];
        beta[0] = (yes / (total - yes)).ln();
        let mut z = vec![1.0; n];
        let mut objective = f64::INFINITY;
        let mut step = vec![0.0; n];
        let mut halvings = 0;
        for _ in 0..60 {
            let (mut g, mut h) = (vec![0.0; n], vec![0.0; n * n]);
            let mut value = 0.0;
            for at in 0..rows {
                let features = row(at).iter().zip(&model.mean).zip(&model.sd);
                z[1..].iter_mut().zip(features).for_each(|(z, ((x, m), s))| *z = (f64::from(*x) - m) / s);
                let eta: f64 = z.iter().zip(&beta).map(|(z, b)| z * b).sum();
                let (p, w) = (logistic(eta), sample.weight[at]);
                value += w * (softplus(eta) - if sample.y[at] { eta } else { 0.0 });
                let slope = w * (f64::from(u8::from(sample.y[at])) - p);
                let curve = w * p * (1.0 - p);
                for (i, (g, zi)) in g.iter_mut().zip(&z).enumerate() {
                    *g += slope * zi;
                    let c = curve * zi;
                    h[i * n..=i * n + i].iter_mut().zip(&z).for_each(|(h, z)| *h += c * z);
                }
                if at % 4096 == 0 {
                    checkpoint();
                }
            }
            value += ridge / 2.0 * beta[1..].iter().map(|b| b * b).sum::<f64>();
            if value > objective + 1e-9 * objective.abs() && halvings < 20 {
                // Too far: half of the last step back.
                halvings += 1;
                step.iter_mut().for_each(|s| *s /= 2.0);
                beta.iter_mut().zip(&step).for_each(|(b, s)| *b -= s);
                continue;
            }
            (objective, halvings) = (value, 0);
            for (i, (g, b)) in g.iter_mut().zip(&beta).enumerate() {
                // The intercept is free; a trace of ridge keeps the system solvable.
                h[i * n + i] += if i == 0 { 1e-9 } else { ridge };
                *g -= if i == 0 { 0.0 } else { ridge * b };
            }
            solve(&mut h, &mut g);
            step = g;
            beta.iter_mut().zip(&step).for_each(|(b, s)| *b += s);
            if step.iter().all(|s| s.abs() < 1e-7) {
                break;
            }
        }
        model.intercept = beta[0];
        model.coefficient = beta[1..].to_vec();
        model
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "intercept": self.intercept, "mean": self.mean, "sd": self.sd, "coefficient": self.coefficient })
    }

    /// Reads one of so many features.
    pub(super) fn from_json(value: &Value, path: &str, width: usize) -> Result<Self> {
        let fields = ["intercept", "mean", "sd", "coefficient"];
        let object = Object::new("product affinity", path, value, &fields)?;
        let numbers = |key: &str| -> Result<Vec<f64>> {
            let list: Option<Vec<f64>> =
                object.list(key)?.unwrap_or_default().iter().map(Value::as_f64).collect();
            list.filter(|l| l.len() == width && l.iter().all(|x| x.abs() < 1e12))
                .ok_or_else(|| object.wrong(key, format_args!("a list of {width} numbers")))
        };
        let sd = numbers("sd")?;
        if sd.iter().any(|s| *s < 1e-12) {
            return Err(object.wrong("sd", "a list of numbers above 0"));
        }
        Ok(Self {
            mean: numbers("mean")?,
            sd,
            coefficient: numbers("coefficient")?,
            intercept: object.need_number("intercept", -1e12, 1e12)?,
        })
    }
}
