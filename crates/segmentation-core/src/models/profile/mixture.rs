//! Mixtures of normal distributions by expectation and maximisation (Dempster, Laird and Rubin 1977).

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};

use super::data::{BLOCK, Data, zeros};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};

/// Added to every variance, so that no component collapses onto a point.
const FLOOR: f64 = 1e-6;

/// One normal distribution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Component {
    pub(super) weight: f64,
    pub(super) mean: Array1<f64>,
    /// The whole of it, or one row: its diagonal only.
    pub(super) covariance: Array2<f64>,
    /// The Cholesky factor of the covariance (lower), or the standard deviations.
    factor: Array2<f64>,
    /// ln weight - (d ln 2π + ln det) / 2.
    constant: f64,
}

impl Component {
    /// # Errors
    /// If the covariance is not positive definite.
    pub(super) fn new(weight: f64, mean: Array1<f64>, covariance: Array2<f64>) -> Result<Self> {
        let d = mean.len();
        let bad = || {
            Error::new(ErrorKind::NotReady, "a covariance is not positive definite")
                .hint("Leave out features that are sums of others, or use covariance \"diagonal\".")
        };
        let mut factor = covariance.clone();
        let mut ln_det = 0.0;
        if covariance.nrows() == 1 {
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
                    let dot: f64 = (0..j).map(|m| factor[(i, m)] * factor[(j, m)]).sum();
                    let rest = covariance[(i, j)] - dot;
                    factor[(i, j)] = if i == j {
                        if !(rest > 0.0 && rest.is_finite()) {
                            return Err(bad());
                        }
                        rest.sqrt()
                    } else {
                        rest / factor[(j, j)]
                    };
                }
                ln_det += 2.0 * factor[(i, i)].ln();
            }
        }
        let constant = weight.ln() - 0.5 * (d as f64 * (2.0 * std::f64::consts::PI).ln() + ln_det);
        Ok(Self { weight, mean, covariance, factor, constant })
    }

    /// The squared Mahalanobis distance; `y` is room for d numbers.
    pub(super) fn square(&self, x: &[f64], y: &mut [f64]) -> f64 {
        let mut square = 0.0;
        if self.factor.nrows() == 1 {
            for ((x, mean), deviation) in x.iter().zip(&self.mean).zip(&self.factor) {
                let y = (x - mean) / deviation;
                square += y * y;
            }
            return square;
        }
        for (i, (row, mean)) in self.factor.rows().into_iter().zip(&self.mean).enumerate() {
            let row = row.to_slice().unwrap_or_default();
            let mut rest = x[i] - mean;
            for (factor, y) in row.iter().zip(&y[..i]) {
                rest -= factor * y;
            }
            y[i] = rest / row[i];
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
    n: Array1<f64>,
    first: Array2<f64>,
    second: Array3<f64>,
}

impl Mixture {
    /// Free parameters.
    pub(super) fn parameters(k: usize, d: usize, diagonal: bool) -> usize {
        k - 1 + k * d + k * if diagonal { d } else { d * (d + 1) / 2 }
    }

    fn maximize(
        data: &Data,
        rows: usize,
        responsibilities: ArrayView2<f64>,
        diagonal: bool,
        checkpoint: Checkpoint,
    ) -> Result<Vec<Component>> {
        let (d, k) = (data.width, responsibilities.ncols());
        let mut sums = Sums {
            n: Array1::zeros(k),
            first: Array2::zeros((k, d)),
            second: Array3::zeros((k, if diagonal { 1 } else { d }, d)),
        };
        let mut x = vec![0.0; d];
        let read = |i: usize, x: &mut [f64]| {
            let block = data.block(i / BLOCK);
            for (j, x) in x.iter_mut().enumerate() {
                *x = block[j][i % BLOCK];
            }
        };
        for i in 0..rows {
            if i % 1024 == 0 {
                checkpoint();
            }
            read(i, &mut x);
            for (c, r) in responsibilities.row(i).iter().enumerate() {
                let r = data.weights[i] * r;
                sums.n[c] += r;
                for (sum, x) in sums.first.row_mut(c).iter_mut().zip(&x) {
                    *sum += r * x;
                }
            }
        }
        sums.n += 10.0 * f64::EPSILON;
        for (mut mean, n) in sums.first.rows_mut().into_iter().zip(&sums.n) {
            mean /= *n;
        }
        let mut off = vec![0.0; d];
        for i in 0..rows {
            if i % 256 == 0 {
                checkpoint();
            }
            read(i, &mut x);
            for (c, r) in responsibilities.row(i).iter().enumerate() {
                let r = data.weights[i] * r;
                if r == 0.0 {
                    continue;
                }
                for ((off, x), mean) in off.iter_mut().zip(&x).zip(sums.first.row(c)) {
                    *off = x - mean;
                }
                let mut second = sums.second.index_axis_mut(Axis(0), c);
                if diagonal {
                    for (sum, off) in second.iter_mut().zip(&off) {
                        *sum += r * off * off;
                    }
                    continue;
                }
                for (j, row) in second.rows_mut().into_iter().enumerate() {
                    let row = row.into_slice().unwrap_or_default();
                    for (sum, other) in row[..=j].iter_mut().zip(&off) {
                        *sum += r * off[j] * other;
                    }
                }
            }
        }
        let total: f64 = sums.n.iter().sum();
        (0..k)
            .map(|c| {
                let mut covariance = sums.second.index_axis(Axis(0), c).mapv(|s| s / sums.n[c]);
                if diagonal {
                    covariance += FLOOR;
                } else {
                    for j in 0..d {
                        covariance[(j, j)] += FLOOR;
                        for m in 0..j {
                            covariance[(m, j)] = covariance[(j, m)];
                        }
                    }
                }
                Component::new(sums.n[c] / total, sums.first.row(c).to_owned(), covariance)
            })
            .collect()
    }

    fn expect(
        &self,
        data: &Data,
        rows: usize,
        responsibilities: &mut Array2<f64>,
        checkpoint: Checkpoint,
    ) -> f64 {
        let (mut x, mut y) = (vec![0.0; data.width], vec![0.0; data.width]);
        let mut total = 0.0;
        for i in 0..rows {
            if i % 256 == 0 {
                checkpoint();
            }
            x.iter_mut().zip(data.row(i)).for_each(|(x, v)| *x = *v);
            let ln = responsibilities.row_mut(i).into_slice().unwrap_or_default();
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
        let mut responsibilities: Array2<f64> = zeros((rows, k))?;
        for (mut row, label) in responsibilities.rows_mut().into_iter().zip(labels) {
            row[*label as usize] = 1.0;
        }
        let components = Self::maximize(data, rows, responsibilities.view(), diagonal, checkpoint)?;
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
        let responsibilities = zeros((rows, self.components.len()))?;
        self.log_likelihood = f64::NEG_INFINITY;
        self.refine(data, rows, responsibilities, limits, diagonal, checkpoint)
    }

    fn refine(
        mut self,
        data: &Data,
        rows: usize,
        mut responsibilities: Array2<f64>,
        (max_iterations, tolerance): (usize, f64),
        diagonal: bool,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
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
            self.components = Self::maximize(data, rows, responsibilities.view(), diagonal, checkpoint)?;
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
                x.iter_mut().zip(data.row(i)).for_each(|(x, v)| *x = *v);
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
