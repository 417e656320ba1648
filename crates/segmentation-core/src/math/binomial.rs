//! Logistic regression of counts by Newton's method (iteratively reweighted least squares).
//!
//! The engine behind the churn model and the discrete-time hazard: sparse rows, ridge, offset,
//! covariance; collinear columns are set aside as R's `glm` does, and separation is noticed.

use ndarray::{Array1, Array2, ArrayView1, Axis, Zip, aview1, s};

use super::linear::{Cholesky, rows_mut};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::memory;
use crate::math::special::logistic;

/// Rows of a design, each with how much of it happened and did not. The intercept is not a column.
#[derive(Debug, Clone)]
pub(crate) struct Design {
    /// Number of columns.
    pub columns: usize,
    starts: Vec<usize>,
    entries: Vec<(u32, f64)>,
    /// Weight of what happened, by row.
    pub yes: Vec<f64>,
    /// Weight of what did not, by row.
    pub no: Vec<f64>,
    /// Added to the log-odds, by row; empty for none.
    pub offset: Vec<f64>,
}

/// How often long loops look up.
const STRIDE: usize = 4096;

impl Design {
    pub(crate) fn new(columns: usize) -> Self {
        Self {
            columns,
            starts: vec![0],
            entries: Vec::new(),
            yes: Vec::new(),
            no: Vec::new(),
            offset: Vec::new(),
        }
    }

    /// Appends a row of (column, value).
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn push(
        &mut self,
        entries: impl IntoIterator<Item = (u32, f64)>,
        yes: f64,
        no: f64,
    ) -> Result<()> {
        for entry in entries {
            memory::push(&mut self.entries, entry)?;
        }
        memory::push(&mut self.starts, self.entries.len())?;
        memory::push(&mut self.yes, yes)?;
        memory::push(&mut self.no, no)
    }

    pub(crate) fn len(&self) -> usize {
        self.yes.len()
    }

    pub(crate) fn row(&self, i: usize) -> &[(u32, f64)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }

    /// Log-odds of a row; `beta[0]` is the intercept.
    #[inline]
    pub(crate) fn log_odds(&self, beta: &[f64], i: usize) -> f64 {
        let start = beta[0] + self.offset.get(i).copied().unwrap_or(0.0);
        self.row(i).iter().fold(start, |sum, &(j, x)| sum + beta[j as usize + 1] * x)
    }
}

/// What a fit found. Index 0 is the intercept, column j is at j + 1.
#[derive(Debug, Clone)]
pub(crate) struct Fitted {
    pub beta: Array1<f64>,
    /// Of `beta`; rows and columns of aliased ones are zero.
    pub covariance: Array2<f64>,
    /// Columns that follow from the ones before them: their coefficient is 0.
    pub aliased: Vec<bool>,
    /// Without the penalty.
    pub log_likelihood: f64,
    pub iterations: u32,
    pub converged: bool,
    /// Columns (without intercept) whose coefficients run away: outcomes are separated along them.
    pub runaway: Vec<usize>,
}

const MOST_ITERATIONS: u32 = 60;
/// A column is collinear if this little of it (of its square) is left beside the others.
const COLLINEAR: f64 = 1e-10;

/// Which columns follow from the ones before them, by Cholesky's method without exchanges: what is left of such a
/// column beside those is rounding, and it is left out of what comes after. No library looks for them in order.
fn aliased(m: &Array2<f64>) -> Vec<bool> {
    let n = m.nrows();
    let mut aliased = vec![false; n];
    let mut l = Array2::zeros((n, n));
    for j in 0..n {
        let before: ArrayView1<f64> = l.slice(s![j, ..j]);
        let left = m[[j, j]] - before.dot(&before);
        aliased[j] = left <= COLLINEAR * m[[j, j]].max(f64::MIN_POSITIVE);
        if aliased[j] {
            // A column of zeros takes no part in the others.
            continue;
        }
        let pivot = left.sqrt();
        let column = (&m.slice(s![j.., j]) - &l.slice(s![j.., ..j]).dot(&before)) / pivot;
        l.slice_mut(s![j.., j]).assign(&column);
    }
    aliased
}

/// The penalised information of the columns that are not aliased.
struct Information {
    free: Vec<usize>,
    factor: Cholesky,
}

impl Information {
    /// `None` if a number is not finite.
    fn new(penalised: &Array2<f64>, aliased: &[bool]) -> Option<Self> {
        let free: Vec<usize> = (0..aliased.len()).filter(|&j| !aliased[j]).collect();
        let own = penalised.select(Axis(0), &free).select(Axis(1), &free);
        Some(Self { factor: Cholesky::new(own.view())?, free })
    }

    /// The Newton step; 0 for aliased columns.
    fn solve(&self, gradient: &Array1<f64>) -> Array1<f64> {
        let found = self.factor.solve(gradient.select(Axis(0), &self.free).view());
        let mut step = Array1::zeros(gradient.len());
        self.free.iter().zip(found).for_each(|(&j, value)| step[j] = value);
        step
    }

    /// The inverse; 0 for aliased columns.
    fn inverse(&self, n: usize) -> Array2<f64> {
        let mut inverse = Array2::zeros((n, n));
        for ((i, j), value) in self.factor.inverse().indexed_iter() {
            inverse[[self.free[i], self.free[j]]] = *value;
        }
        inverse
    }
}

struct At {
    log_likelihood: f64,
    gradient: Array1<f64>,
    /// Minus the Hessian, the lower triangle.
    information: Array2<f64>,
}

fn evaluate(design: &Design, beta: &Array1<f64>, checkpoint: Checkpoint) -> At {
    let n = design.columns + 1;
    let (beta, mut log_likelihood, mut gradient) = (beta.to_vec(), 0.0, vec![0.0; n]);
    let mut information = Array2::zeros((n, n));
    let mut lines = rows_mut(&mut information);
    for i in 0..design.len() {
        if i % STRIDE == 0 {
            checkpoint();
        }
        let eta = design.log_odds(&beta, i);
        let (yes, no) = (design.yes[i], design.no[i]);
        let e = (-eta.abs()).exp();
        let (p, q) =
            if eta >= 0.0 { (1.0 / (1.0 + e), e / (1.0 + e)) } else { (e / (1.0 + e), 1.0 / (1.0 + e)) };
        let rest = e.ln_1p();
        log_likelihood -= yes * ((-eta).max(0.0) + rest) + no * (eta.max(0.0) + rest);
        let residual = yes * q - no * p;
        let weight = (yes + no) * p * q;
        gradient[0] += residual;
        lines[0][0] += weight;
        let row = design.row(i);
        for (k, &(a, x)) in row.iter().enumerate() {
            let a = a as usize + 1;
            gradient[a] += residual * x;
            let wx = weight * x;
            // Entries of a row ascend by column, so the lower triangle holds all.
            let line = &mut lines[a];
            line[0] += wx;
            for &(b, y) in &row[..=k] {
                line[b as usize + 1] += wx * y;
            }
        }
    }
    At { log_likelihood, gradient: gradient.into(), information }
}

/// Fits the logistic regression. `penalty[j + 1] / 2` times the square of the coefficient of column j is taken
/// off the log-likelihood; `penalty[0]` is 0.
///
/// The entries of every row have to ascend by column, and both outcomes have to be there.
pub(crate) fn fit(design: &Design, penalty: ArrayView1<f64>, checkpoint: Checkpoint) -> Fitted {
    let n = design.columns + 1;
    let (yes, no): (f64, f64) = (design.yes.iter().sum(), design.no.iter().sum());
    let mut beta = Array1::zeros(n);
    let mean_offset = match design.offset.is_empty() {
        true => 0.0,
        false => {
            let total: f64 =
                (0..design.len()).map(|i| design.offset[i] * (design.yes[i] + design.no[i])).sum();
            total / (yes + no)
        }
    };
    beta[0] = (yes / no).ln() - mean_offset;
    let mut at = evaluate(design, &beta, &mut *checkpoint);
    let ridge =
        |beta: &Array1<f64>| 0.5 * Zip::from(beta).and(&penalty).fold(0.0, |sum, &b, &p| sum + p * b * b);
    let penalised = |information: &Array2<f64>| {
        let mut m = information.clone();
        m.diag_mut().zip_mut_with(&penalty, |d, p| *d += p);
        m
    };
    // What follows from other columns is seen best before the weights differ much.
    let aliased = aliased(&penalised(&at.information));
    let (mut converged, mut iterations, mut runaway) = (false, 0, Vec::new());
    let (mut last_promise, mut slow) = (f64::INFINITY, 0);
    while iterations < MOST_ITERATIONS {
        iterations += 1;
        let Some(information) = Information::new(&penalised(&at.information), &aliased) else { break };
        let gradient = &at.gradient - &(&penalty * &beta);
        let step = information.solve(&gradient);
        let promise = step.dot(&gradient);
        let value = at.log_likelihood - ridge(&beta);
        let noise = 1e-13 * (1.0 + value.abs());
        if promise <= 1e-9_f64.max(noise) {
            // This near, the last step doubles the correct digits.
            beta += &step;
            at = evaluate(design, &beta, &mut *checkpoint);
            converged = true;
            break;
        }
        // Under separation each step moves some coefficients by about one for ever, and the gain
        // falls by a factor of e; elsewhere Newton's gain falls quadratically.
        let ratio = promise / last_promise;
        slow = if iterations > 5 && (0.15..0.75).contains(&ratio) { slow + 1 } else { 0 };
        last_promise = promise;
        if slow >= 4 {
            let largest = step.iter().skip(1).fold(0.0_f64, |m, s| m.max(s.abs()));
            runaway = (1..n).filter(|&j| step[j].abs() > 0.2 * largest.max(0.1)).map(|j| j - 1).collect();
            if !runaway.is_empty() {
                break;
            }
        }
        let mut length = 1.0;
        let mut moved = false;
        for _ in 0..30 {
            let trial = &beta + &(&step * length);
            // Nearly every step is taken: then the derivatives are needed too.
            let there = evaluate(design, &trial, &mut *checkpoint);
            if there.log_likelihood - ridge(&trial) >= value - noise {
                (beta, at) = (trial, there);
                moved = true;
                break;
            }
            length *= 0.5;
        }
        if !moved {
            break;
        }
    }
    let covariance = Information::new(&penalised(&at.information), &aliased)
        .map_or_else(|| Array2::from_elem((n, n), f64::NAN), |information| information.inverse(n));
    Fitted { beta, covariance, aliased, log_likelihood: at.log_likelihood, iterations, converged, runaway }
}

/// The log-likelihood of the intercept (and the offset) alone.
///
/// # Errors
/// No memory.
pub(crate) fn null_log_likelihood(design: &Design, checkpoint: Checkpoint) -> Result<f64> {
    let (yes, no): (f64, f64) = (design.yes.iter().sum(), design.no.iter().sum());
    if design.offset.is_empty() {
        return Ok(yes * (yes / (yes + no)).ln() + no * (no / (yes + no)).ln());
    }
    let mut bare = Design::new(0);
    for i in 0..design.len() {
        bare.push([], design.yes[i], design.no[i])?;
    }
    bare.offset = memory::copy(&design.offset)?;
    Ok(fit(&bare, aview1(&[0.0]), checkpoint).log_likelihood)
}

/// Measures of the fitted probabilities on the rows of the fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct InSample {
    pub auc: f64,
    pub brier: f64,
}

/// AUC (ties count half) and Brier score of scores in log-odds.
pub(crate) fn in_sample(scores: &[f64], yes: &[f64], no: &[f64], checkpoint: Checkpoint) -> InSample {
    let mut by_score: Vec<(f64, u32)> = scores.iter().copied().zip(0..).collect();
    by_score.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    checkpoint();
    let (mut pairs, mut below, mut brier, mut positives) = (0.0, 0.0, 0.0, 0.0);
    let mut rest = by_score.as_slice();
    while let Some(&(score, _)) = rest.first() {
        let (mut y, mut n) = (0.0, 0.0);
        while let Some((&(_, i), after)) = rest.split_first().filter(|(next, _)| next.0 == score) {
            y += yes[i as usize];
            n += no[i as usize];
            rest = after;
        }
        let p = logistic(score);
        brier += y * (1.0 - p) * (1.0 - p) + n * p * p;
        pairs += y * (below + 0.5 * n);
        below += n;
        positives += y;
    }
    InSample { auc: pairs / (positives * below), brier: brier / (positives + below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_two_by_two_table_by_hand() {
        // 10 of 40 without, 30 of 50 with: the log odds ratio and its Woolf standard error.
        let mut d = Design::new(1);
        d.push([], 10.0, 30.0).unwrap();
        d.push([(0, 1.0)], 30.0, 20.0).unwrap();
        let f = fit(&d, aview1(&[0.0, 0.0]), &mut || {});
        assert!(f.converged && f.runaway.is_empty());
        assert!((f.beta[0] - (10.0_f64 / 30.0).ln()).abs() < 1e-12);
        assert!((f.beta[1] - (30.0_f64 / 20.0 / (10.0 / 30.0)).ln()).abs() < 1e-12);
        let woolf = (1.0 / 10.0 + 1.0 / 30.0 + 1.0 / 30.0 + 1.0 / 20.0_f64).sqrt();
        assert!((f.covariance[[1, 1]].sqrt() - woolf).abs() < 1e-10);
    }

    #[test]
    fn collinear_columns_are_set_aside() {
        let mut d = Design::new(2);
        for (x, yes, no) in [(0.0, 3.0, 7.0), (1.0, 5.0, 5.0), (2.0, 8.0, 2.0)] {
            d.push([(0, x), (1, 1.0 - 2.0 * x)], yes, no).unwrap();
        }
        let f = fit(&d, aview1(&[0.0; 3]), &mut || {});
        assert_eq!(f.aliased, [false, false, true]);
        assert!(f.converged && f.beta[2] == 0.0);
    }

    #[test]
    fn separation_is_noticed() {
        let mut d = Design::new(2);
        for (x, z, yes, no) in
            [(0.0, 1.0, 0.0, 9.0), (0.0, 2.0, 0.0, 9.0), (1.0, 1.0, 6.0, 3.0), (1.0, 2.0, 3.0, 5.0)]
        {
            d.push([(0, x), (1, z)], yes, no).unwrap();
        }
        let f = fit(&d, aview1(&[0.0; 3]), &mut || {});
        assert!(!f.converged);
        assert_eq!(f.runaway, [0]);
        let f = fit(&d, aview1(&[0.0, 1.0, 1.0]), &mut || {});
        assert!(f.converged && f.runaway.is_empty());
    }
}
