//! Logistic regression with row weights and a ridge, on standardised features.

use ndarray::{Array1, Array2, ArrayView2, aview1};
use serde_json::{Value, json};

use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::memory;
use crate::math::linear::{Cholesky, rows_mut};
use crate::math::special::{logistic, softplus};

/// Rows of a regression: features, outcome, weight.
pub(super) struct Sample<const WIDTH: usize> {
    pub(super) x: Vec<[f32; WIDTH]>,
    pub(super) y: Vec<bool>,
    pub(super) weight: Vec<f64>,
}

impl<const WIDTH: usize> Sample<WIDTH> {
    pub(super) fn new() -> Self {
        Self { x: Vec::new(), y: Vec::new(), weight: Vec::new() }
    }

    pub(super) fn push(&mut self, x: &[f64; WIDTH], y: bool, weight: f64) -> Result<()> {
        memory::push(&mut self.x, x.map(|x| x as f32))?;
        memory::push(&mut self.y, y)?;
        memory::push(&mut self.weight, weight)
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

impl Logit {
    /// One that leaves a single number as it is.
    pub(super) fn identity(width: usize) -> Self {
        let coefficient = (0..width).map(|at| if at == 0 { 1.0 } else { 0.0 }).collect();
        Self { mean: vec![0.0; width], sd: vec![1.0; width], coefficient, intercept: 0.0 }
    }

    /// The same of more features, the further ones of no weight.
    pub(super) fn widened(mut self, width: usize) -> Self {
        self.mean.resize(width, 0.0);
        self.sd.resize(width, 1.0);
        self.coefficient.resize(width, 0.0);
        self
    }

    pub(super) fn eta(&self, x: &[f64]) -> f64 {
        let terms = x.iter().zip(&self.mean).zip(&self.sd).zip(&self.coefficient);
        self.intercept + terms.map(|(((x, m), s), c)| c * (x - m) / s).sum::<f64>()
    }

    /// Newton's method with step halving on the weighted log-likelihood less `ridge / 2` times the
    /// squared coefficients; the intercept is free.
    pub(super) fn fit<const WIDTH: usize>(
        sample: &Sample<WIDTH>,
        ridge: f64,
        checkpoint: Checkpoint,
    ) -> Self {
        let rows = sample.x.len() as f64;
        let mut model = Self::identity(WIDTH);
        for (j, column) in ArrayView2::from(&sample.x[..]).columns().into_iter().enumerate() {
            let mean = column.iter().map(|x| f64::from(*x)).sum::<f64>() / rows;
            let square = column.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / rows;
            model.mean[j] = mean;
            model.sd[j] = square.sqrt() + 1e-9;
            checkpoint();
        }
        let total: f64 = sample.weight.iter().sum();
        let yes: f64 = sample.weight.iter().zip(&sample.y).filter(|(_, y)| **y).map(|(w, _)| w).sum();
        let n = WIDTH + 1;
        let mut beta = Array1::zeros(n);
        beta[0] = (yes / (total - yes)).ln();
        // One row with the intercept, standardised.
        let mut z = vec![1.0; n];
        let mut objective = f64::INFINITY;
        let mut step = Array1::zeros(n);
        let mut halvings = 0;
        for _ in 0..60 {
            let (mut g, mut h, mut value) = (vec![0.0; n], Array2::zeros((n, n)), 0.0);
            let mut lines = rows_mut(&mut h);
            for (at, row) in sample.x.iter().enumerate() {
                let features = row.iter().zip(&model.mean).zip(&model.sd);
                z[1..].iter_mut().zip(features).for_each(|(z, ((x, m), s))| *z = (f64::from(*x) - m) / s);
                let eta: f64 = z.iter().zip(&beta).map(|(z, b)| z * b).sum();
                let (p, w) = (logistic(eta), sample.weight[at]);
                value += w * (softplus(eta) - if sample.y[at] { eta } else { 0.0 });
                let slope = w * (f64::from(u8::from(sample.y[at])) - p);
                let curve = w * p * (1.0 - p);
                for (i, ((g, line), zi)) in g.iter_mut().zip(&mut lines).zip(&z).enumerate() {
                    *g += slope * zi;
                    let c = curve * zi;
                    line[..=i].iter_mut().zip(&z).for_each(|(h, z)| *h += c * z);
                }
                if at % 4096 == 0 {
                    checkpoint();
                }
            }
            value += ridge / 2.0 * beta.iter().skip(1).map(|b| b * b).sum::<f64>();
            if value > objective + 1e-9 * objective.abs() && halvings < 20 {
                // Too far: half of the last step back.
                halvings += 1;
                step /= 2.0;
                beta -= &step;
                continue;
            }
            (objective, halvings) = (value, 0);
            // The intercept is free; a trace of ridge keeps the system solvable.
            h[[0, 0]] += 1e-9;
            for i in 1..n {
                h[[i, i]] += ridge;
                g[i] -= ridge * beta[i];
            }
            let Some(factor) = Cholesky::new(h.view()) else { break };
            step = factor.solve(aview1(&g));
            beta += &step;
            if step.iter().all(|s| s.abs() < 1e-7) {
                break;
            }
        }
        model.intercept = beta[0];
        model.coefficient = beta.iter().skip(1).copied().collect();
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
