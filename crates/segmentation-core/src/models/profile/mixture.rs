//! Mixtures of normal distributions by expectation and maximisation (Dempster, Laird and Rubin 1977).

use super::data::{BLOCK, Data};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Added to every variance, so that no component collapses onto a point.
const FLOOR: f64 = 1e-6;

/// One normal distribution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    /// Row by row, or its diagonal only.
    pub(super) covariance: Vec<f64>,
    /// The Cholesky factor of the covariance (lower), or the standard deviations.
    factor: Vec<f64>,
    /// ln weight - (d ln 2π + ln det) / 2.
    constant: f64,
}

impl Component {
    /// # Errors
    /// If the covariance is not positive definite.
    pub(super) fn new(weight: f64, mean: Vec<f64>, covariance: Vec<f64>) -> Result<Self> {
        let d = mean.len();
        let bad = || {
            Error::new(ErrorKind::NotReady, "a covariance is not positive definite")
                .hint("Leave out features that are sums of others, or use covariance \"diagonal\".")
        };
        let diagonal = covariance.len() == d && d != 1;
        let mut factor = covariance.clone();
        let mut ln_det = 0.0;
        if diagonal || d == 1 {
            for f in &mut factor {
                if !(*f > 0.0 && f.is_finite()) {
                    return Err(bad());
                }
                *f = f.sqrt();
                ln_det += 2.0 * f.ln();
            }
        } else {
            for i in 0..d {
                for j in 0..=i {
                    let dot: f64 = (0..j).map(|m| factor[i * d + m] * factor[j * d + m]).sum();
                    let rest = covariance[i * d + j] - dot;
                    factor[i * d + j] = if i == j {
                        if !(rest > 0.0 && rest.is_finite()) {
                            return Err(bad());
                        }
                        rest.sqrt()
                    } else {
                        rest / factor[j * d + j]
                    };
                }
                ln_det += 2.0 * factor[i * d + i].ln();
            }
        }
        let constant = weight.ln() - 0.5 * (d as f64 * (2.0 * std::f64::consts::PI).ln() + ln_det);
        Ok(Self { weight, mean, covariance, factor, constant })
    }

    /// The squared Mahalanobis distance; `y` is room for d numbers.
    pub(super) fn square(&self, x: &[f64], y: &mut [f64]) -> f64 {
        let d = self.mean.len();
        let mut square = 0.0;
        for i in 0..d {
            let mut rest = x[i] - self.mean[i];
            y[i] = if self.factor.len() == d {
                rest / self.factor[i]
            } else {
                for (m, y) in y[..i].iter().enumerate() {
                    rest -= self.factor[i * d + m] * y;
                }
                rest / self.factor[i * d + i]
            };
            square += y[i] * y[i];
        }
        square
    }

    /// ln(weight times density).
    pub(super) fn ln_density(&self, x: &[f64], y: &mut [f64]) -> f64 {
        self.constant - 0.5 * self.square(x, y)
    }
}

/// A fitted mixture.
#[derive(Debug, Clone)]
pub(super) struct Mixture {
    pub(super) components: Vec<Component>,
    /// Of all customers.
    pub(super) log_likelihood: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Turns ln(weight times density) into posterior probabilities; returns ln of their sum.
pub(super) fn posterior(ln: &mut [f64]) -> f64 {
    let most = ln.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = ln.iter().map(|l| (l - most).exp()).sum();
    let total = most + sum.ln();
    ln.iter_mut().for_each(|l| *l = (*l - total).exp());
    total
}

/// Sums from which a component is made.
struct Sums {
    n: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
}

impl Mixture {
    /// Free parameters.
    pub(super) fn parameters(k: usize, d: usize, diagonal: bool) -> usize {
        k - 1 + k * d + k * if diagonal { d } else { d * (d + 1) / 2 }
    }

    fn maximize(
        data: &Data,
        rows: usize,
        responsibilities: &[f64],
        k: usize,
        diagonal: bool,
        checkpoint: Checkpoint,
    ) -> Result<Vec<Component>> {
        let d = data.width;
        let size = if diagonal { d } else { d * d };
        let mut sums = Sums { n: vec![0.0; k], first: vec![0.0; k * d], second: vec![0.0; k * size] };
        let mut x = vec![0.0; d];
        let read = |i: usize, x: &mut [f64]| {
            let block = data.block(i / BLOCK);
            for (j, x) in x.iter_mut().enumerate() {
                *x = block[j * BLOCK + i % BLOCK];
            }
        };
        for i in 0..rows {
            if i % 1024 == 0 {
                checkpoint();
            }
            read(i, &mut x);
            for c in 0..k {
                let r = data.weights[i] * responsibilities[i * k + c];
                sums.n[c] += r;
                for (sum, x) in sums.first[c * d..].iter_mut().zip(&x) {
                    *sum += r * x;
                }
            }
        }
        for c in 0..k {
            sums.n[c] += 10.0 * f64::EPSILON;
            for sum in &mut sums.first[c * d..(c + 1) * d] {
                *sum /= sums.n[c];
            }
        }
        let mut off = vec![0.0; d];
        for i in 0..rows {
            if i % 256 == 0 {
                checkpoint();
            }
            read(i, &mut x);
            for c in 0..k {
                let r = data.weights[i] * responsibilities[i * k + c];
                if r == 0.0 {
                    continue;
                }
                for j in 0..d {
                    off[j] = x[j] - sums.first[c * d + j];
                }
                let second = &mut sums.second[c * size..(c + 1) * size];
                for j in 0..d {
                    if diagonal {
                        second[j] += r * off[j] * off[j];
                    } else {
                        for m in 0..=j {
                            second[j * d + m] += r * off[j] * off[m];
                        }
                    }
                }
            }
        }
        let total: f64 = sums.n.iter().sum();
        (0..k)
            .map(|c| {
                let mut covariance: Vec<f64> =
                    sums.second[c * size..(c + 1) * size].iter().map(|s| s / sums.n[c]).collect();
                for j in 0..d {
                    if diagonal {
                        covariance[j] += FLOOR;
                    } else {
                        covariance[j * d + j] += FLOOR;
                        for m in 0..j {
                            covariance[m * d + j] = covariance[j * d + m];
                        }
                    }
                }
                Component::new(sums.n[c] / total, sums.first[c * d..(c + 1) * d].to_vec(), covariance)
            })
            .collect()
    }

    fn expect(&self, data: &Data, rows: usize, responsibilities: &mut [f64], checkpoint: Checkpoint) -> f64 {
        let k = self.components.len();
        let (mut x, mut y) = (vec![0.0; data.width], vec![0.0; data.width]);
        let mut total = 0.0;
        for i in 0..rows {
            if i % 256 == 0 {
                checkpoint();
            }
            x.iter_mut().zip(data.row(i)).for_each(|(x, v)| *x = v);
            let ln = &mut responsibilities[i * k..(i + 1) * k];
            for (ln, component) in ln.iter_mut().zip(&self.components) {
                *ln = component.ln_density(&x, &mut y);
            }
            total += data.weights[i] * posterior(ln);
        }
        total
    }

    /// EM from the clusters of `labels`.
    ///
    /// # Errors
    /// If a covariance is not positive definite; if the memory would be too large.
    pub(super) fn from_labels(
        data: &Data,
        rows: usize,
        labels: &[u32],
        k: usize,
        diagonal: bool,
        (max_iterations, tolerance): (usize, f64),
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let mut responsibilities = memory::filled(0.0, rows * k)?;
        for i in 0..rows {
            responsibilities[i * k + labels[i] as usize] = 1.0;
        }
        let components = Self::maximize(data, rows, &responsibilities, k, diagonal, checkpoint)?;
        let mixture = Self { components, log_likelihood: f64::NEG_INFINITY, iterations: 0, converged: false };
        mixture.refine(data, rows, responsibilities, (max_iterations, tolerance), diagonal, checkpoint)
    }

    /// EM from this mixture on more rows.
    ///
    /// # Errors
    /// As [`Mixture::from_labels`].
    pub(super) fn resume(
        mut self,
        data: &Data,
        rows: usize,
        limits: (usize, f64),
        diagonal: bool,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let responsibilities = memory::filled(0.0, rows * self.components.len())?;
        self.log_likelihood = f64::NEG_INFINITY;
        self.refine(data, rows, responsibilities, limits, diagonal, checkpoint)
    }

    fn refine(
        mut self,
        data: &Data,
        rows: usize,
        mut responsibilities: Vec<f64>,
        (max_iterations, tolerance): (usize, f64),
        diagonal: bool,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let k = self.components.len();
        let customers: f64 = data.weights[..rows].iter().sum();
        self.converged = false;
        for iteration in 1..=max_iterations {
            self.iterations = iteration;
            let likelihood = self.expect(data, rows, &mut responsibilities, checkpoint);
            let gain = (likelihood - self.log_likelihood) / customers;
            self.log_likelihood = likelihood;
            if gain.abs() < tolerance {
                self.converged = true;
                break;
            }
            self.components = Self::maximize(data, rows, &responsibilities, k, diagonal, checkpoint)?;
        }
        self.log_likelihood = self.expect(data, rows, &mut responsibilities, checkpoint);
        Ok(self)
    }

    /// The most probable component of every row.
    pub(super) fn labels(&self, data: &Data, rows: usize, checkpoint: Checkpoint) -> Vec<u32> {
        let mut ln = vec![0.0; self.components.len()];
        let (mut x, mut y) = (vec![0.0; data.width], vec![0.0; data.width]);
        (0..rows)
            .map(|i| {
                if i % 256 == 0 {
                    checkpoint();
                }
                x.iter_mut().zip(data.row(i)).for_each(|(x, v)| *x = v);
                for (ln, component) in ln.iter_mut().zip(&self.components) {
                    *ln = component.ln_density(&x, &mut y);
                }
                let mut best = 0;
                for c in 1..ln.len() {
                    if ln[c] > ln[best] {
                        best = c;
                    }
                }
                best as u32
            })
            .collect()
    }
}
