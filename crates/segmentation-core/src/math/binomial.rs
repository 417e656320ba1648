//! Logistic regression of counts by Newton's method (iteratively reweighted least squares).
//!
//! The engine behind the churn model and the discrete-time hazard: sparse rows, ridge, offset,
//! covariance; collinear columns are set aside as R's `glm` does, and separation is noticed.

// Rows and columns of one matrix are walked together: indices say it best.
#![allow(clippy::needless_range_loop)]

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
    pub beta: Vec<f64>,
    /// Of `beta`; rows of aliased columns are zero.
    pub covariance: Vec<Vec<f64>>,
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

/// A lower triangular Cholesky factor of a positive definite matrix; `aliased` columns are left out.
/// With `find`, columns that depend on the ones before are added to `aliased`.
fn cholesky(m: &[Vec<f64>], aliased: &mut [bool], find: bool) -> Vec<Vec<f64>> {
    let n = m.len();
    let mut l = vec![vec![0.0; n]; n];
    for j in 0..n {
        if aliased[j] {
            continue;
        }
        let mut left = m[j][j];
        for k in 0..j {
            left -= l[j][k] * l[j][k];
        }
        if find && left <= COLLINEAR * m[j][j].max(f64::MIN_POSITIVE) {
            aliased[j] = true;
            for k in 0..j {
                l[j][k] = 0.0;
            }
            continue;
        }
        // Without `find`, rounding may still leave nothing: a floor keeps the step finite.
        let pivot = left.max(1e-14 * m[j][j]).max(f64::MIN_POSITIVE).sqrt();
        l[j][j] = pivot;
        for i in j + 1..n {
            if aliased[i] {
                continue;
            }
            let mut sum = m[i][j];
            for k in 0..j {
                sum -= l[i][k] * l[j][k];
            }
            l[i][j] = sum / pivot;
        }
    }
    l
}

fn solve(l: &[Vec<f64>], aliased: &[bool], b: &[f64]) -> Vec<f64> {
    let n = b.len();
    let mut x = b.to_vec();
    for i in 0..n {
        if aliased[i] {
            x[i] = 0.0;
            continue;
        }
        for k in 0..i {
            x[i] -= l[i][k] * x[k];
        }
        x[i] /= l[i][i];
    }
    for i in (0..n).rev() {
        if aliased[i] {
            continue;
        }
        for k in i + 1..n {
            x[i] -= l[k][i] * x[k];
        }
        x[i] /= l[i][i];
    }
    x
}

struct At {
    log_likelihood: f64,
    gradient: Vec<f64>,
    /// Minus the Hessian.
    information: Vec<Vec<f64>>,
}

fn evaluate(design: &Design, beta: &[f64], checkpoint: Checkpoint) -> At {
    let n = design.columns + 1;
    let mut at = At { log_likelihood: 0.0, gradient: vec![0.0; n], information: vec![vec![0.0; n]; n] };
    let mut flat = vec![0.0; n * n];
    for i in 0..design.len() {
        if i % STRIDE == 0 {
            checkpoint();
        }
        let eta = design.log_odds(beta, i);
        let (yes, no) = (design.yes[i], design.no[i]);
        let e = (-eta.abs()).exp();
        let (p, q) =
            if eta >= 0.0 { (1.0 / (1.0 + e), e / (1.0 + e)) } else { (e / (1.0 + e), 1.0 / (1.0 + e)) };
        let rest = e.ln_1p();
        at.log_likelihood -= yes * ((-eta).max(0.0) + rest) + no * (eta.max(0.0) + rest);
        let residual = yes * q - no * p;
        let weight = (yes + no) * p * q;
        at.gradient[0] += residual;
        flat[0] += weight;
        let row = design.row(i);
        for (k, &(a, x)) in row.iter().enumerate() {
            let a = a as usize + 1;
            at.gradient[a] += residual * x;
            let wx = weight * x;
            let line = &mut flat[a * n..(a + 1) * n];
            line[0] += wx;
            for &(b, y) in &row[..=k] {
                line[b as usize + 1] += wx * y;
            }
        }
    }
    for i in 0..n {
        for j in 0..=i {
            // Entries of a row ascend by column, so the lower triangle holds all.
            at.information[i][j] = flat[i * n + j];
            at.information[j][i] = flat[i * n + j];
        }
    }
    at
}

fn ridge(beta: &[f64], penalty: &[f64]) -> f64 {
    0.5 * beta.iter().zip(penalty).map(|(b, p)| p * b * b).sum::<f64>()
}

/// Fits the logistic regression. `penalty[j + 1] / 2` times the square of the coefficient of column j is taken
/// off the log-likelihood; `penalty[0]` is 0.
///
/// The entries of every row have to ascend by column, and both outcomes have to be there.
pub(crate) fn fit(design: &Design, penalty: &[f64], checkpoint: Checkpoint) -> Fitted {
    let n = design.columns + 1;
    let (yes, no): (f64, f64) = (design.yes.iter().sum(), design.no.iter().sum());
    let mut beta = vec![0.0; n];
    let mean_offset = match design.offset.is_empty() {
        true => 0.0,
        false => {
            let total: f64 =
                (0..design.len()).map(|i| design.offset[i] * (design.yes[i] + design.no[i])).sum();
            total / (yes + no)
        }
    };
    beta[0] = (yes / no).ln() - mean_offset;
    let mut aliased = vec![false; n];
    let mut at = evaluate(design, &beta, &mut *checkpoint);
    let penalised = |information: &[Vec<f64>]| -> Vec<Vec<f64>> {
        let mut m = information.to_vec();
        for i in 0..n {
            m[i][i] += penalty[i];
        }
        m
    };
    // What follows from other columns is seen best before the weights differ much.
    cholesky(&penalised(&at.information), &mut aliased, true);
    let (mut converged, mut iterations, mut runaway) = (false, 0, Vec::new());
    let (mut last_promise, mut slow) = (f64::INFINITY, 0);
    while iterations < MOST_ITERATIONS {
        iterations += 1;
        let l = cholesky(&penalised(&at.information), &mut aliased, false);
        let gradient: Vec<f64> = (0..n).map(|i| at.gradient[i] - penalty[i] * beta[i]).collect();
        let step = solve(&l, &aliased, &gradient);
        let promise: f64 = step.iter().zip(&gradient).map(|(s, g)| s * g).sum();
        let value = at.log_likelihood - ridge(&beta, penalty);
        let noise = 1e-13 * (1.0 + value.abs());
        if promise <= 1e-9_f64.max(noise) {
            // This near, the last step doubles the correct digits.
            beta.iter_mut().zip(&step).for_each(|(b, s)| *b += s);
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
            let largest = step[1..].iter().fold(0.0_f64, |m, s| m.max(s.abs()));
            runaway = (1..n).filter(|&j| step[j].abs() > 0.2 * largest.max(0.1)).map(|j| j - 1).collect();
            if !runaway.is_empty() {
                break;
            }
        }
        let mut length = 1.0;
        let mut moved = false;
        for _ in 0..30 {
            let trial: Vec<f64> = beta.iter().zip(&step).map(|(b, s)| b + length * s).collect();
            // Nearly every step is taken: then the derivatives are needed too.
            let there = evaluate(design, &trial, &mut *checkpoint);
            if there.log_likelihood - ridge(&trial, penalty) >= value - noise {
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
    let l = cholesky(&penalised(&at.information), &mut aliased, false);
    let covariance = (0..n)
        .map(|i| {
            let mut unit = vec![0.0; n];
            if !aliased[i] {
                unit[i] = 1.0;
            }
            solve(&l, &aliased, &unit)
        })
        .collect();
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
    Ok(fit(&bare, &[0.0], checkpoint).log_likelihood)
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
        let f = fit(&d, &[0.0, 0.0], &mut || {});
        assert!(f.converged && f.runaway.is_empty());
        assert!((f.beta[0] - (10.0_f64 / 30.0).ln()).abs() < 1e-12);
        assert!((f.beta[1] - (30.0_f64 / 20.0 / (10.0 / 30.0)).ln()).abs() < 1e-12);
        let woolf = (1.0 / 10.0 + 1.0 / 30.0 + 1.0 / 30.0 + 1.0 / 20.0_f64).sqrt();
        assert!((f.covariance[1][1].sqrt() - woolf).abs() < 1e-10);
    }

    #[test]
    fn collinear_columns_are_set_aside() {
        let mut d = Design::new(2);
        for (x, yes, no) in [(0.0, 3.0, 7.0), (1.0, 5.0, 5.0), (2.0, 8.0, 2.0)] {
            d.push([(0, x), (1, 1.0 - 2.0 * x)], yes, no).unwrap();
        }
        let f = fit(&d, &[0.0; 3], &mut || {});
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
        let f = fit(&d, &[0.0; 3], &mut || {});
        assert!(!f.converged);
        assert_eq!(f.runaway, [0]);
        let f = fit(&d, &[0.0, 1.0, 1.0], &mut || {});
        assert!(f.converged && f.runaway.is_empty());
    }
}
