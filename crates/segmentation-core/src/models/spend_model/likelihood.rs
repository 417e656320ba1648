//! The likelihoods of the families, and their maxima.

use std::sync::LazyLock;

use super::summary::SpendSummary;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::math::newton::{Evaluation, Maximum, maximize, maximize_from};
use crate::math::special::{digamma, ln_gamma, trigamma};

/// The shapes of the latent classes: amounts that vary by 200 % of their mean to 6 %.
pub(super) const SHAPES: [f64; 11] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
pub(super) const CLASSES: usize = SHAPES.len();
/// ln Γ(p) and ln p of each.
static OF_SHAPES: LazyLock<[(f64, f64); CLASSES]> = LazyLock::new(|| SHAPES.map(|p| (ln_gamma(p), p.ln())));

/// A customer, or some that are alike, as a likelihood sees them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Transactions; for likelihoods of days, those that came to something.
    pub x: u32,
    pub total: f64,
    /// The sum of the logarithms.
    pub logs: f64,
    /// Customers.
    pub n: f64,
}

impl Row {
    pub(super) fn of_days(spent: &SpendSummary, n: f64) -> Self {
        Self { x: spent.paid(), total: spent.total.to_f64(), logs: spent.sum_of_logs(), n }
    }
}

fn not_finite() -> Error {
    Error::new(ErrorKind::NotReady, "the spend model cannot be fitted to these customers")
        .detail("The likelihood is not finite.")
}

/// The maximum in (p, q, v) of the likelihood of means or of days; rows ascend by transactions.
pub(super) fn fit_shape(
    rows: &[Row],
    means: bool,
    penalty: f64,
    checkpoint: Checkpoint,
) -> Result<Maximum<3>> {
    // The scale of the start is the data's own, so that the currency does not matter.
    let customers: f64 = rows.iter().map(|r| r.n).sum();
    let mean = rows.iter().map(|r| r.total / f64::from(r.x) * r.n).sum::<f64>() / customers;
    let start = [1.0, 2.0, mean];
    let likelihood = |at: &[f64; 3], c: Checkpoint| in_shape(rows, means, at, c);
    let found = maximize(likelihood, start, start, penalty, &mut *checkpoint);
    if found.as_ref().is_some_and(|found| found.converged && !found.at_bound.contains(&true)) {
        return found.ok_or_else(not_finite);
    }
    // A flat shoulder, or nothing found: customers who hardly vary, each alike or unlike the others.
    let starts = [start, [20.0, 2.0, mean / 10.0], [20.0, 20.0, mean], [0.5, 20.0, 40.0 * mean]];
    maximize_from(likelihood, &starts, start, penalty, checkpoint).ok_or_else(not_finite)
}

/// The log-likelihood in (p, q, v).
fn in_shape(rows: &[Row], means: bool, &[p, q, v]: &[f64; 3], checkpoint: Checkpoint) -> Evaluation<3> {
    let mut sum = Evaluation::<3>::ZERO;
    let (ln_v, ln_q, dq, tq) = (v.ln(), ln_gamma(q), digamma(q), trigamma(q));
    let (ln_p, dp, tp) = (ln_gamma(p), digamma(p), trigamma(p));
    let mut of_x = (0_u32, [0.0; 6]);
    for chunk in rows.chunks(1024) {
        checkpoint();
        for &Row { x: transactions, total: spent, logs, n } in chunk {
            let x = f64::from(transactions);
            if of_x.0 != transactions {
                let (px, pxq) = (p * x, p * x + q);
                // What the mean, or the days, take the place of: Γ(px), or Γ(p)^x.
                let own =
                    if means { [ln_gamma(px), digamma(px), trigamma(px)] } else { [x * ln_p, dp, tp / x] };
                of_x = (
                    transactions,
                    [ln_gamma(pxq) - own[0], own[1], digamma(pxq), own[2], trigamma(pxq), x.ln()],
                );
            }
            let [g, d_px, d_pxq, t_px, t_pxq, ln_x] = of_x.1;
            let (total, pxq) = (v + spent, p * x + q);
            let ln_total = total.ln();
            // The mean logarithm, with what is beside it in the likelihood of means.
            let (ln_m, rest) = if means {
                let ln_m = (spent / x).ln();
                (ln_m + ln_x, -ln_m)
            } else {
                (logs / x, -logs)
            };
            sum.value += n * (g - ln_q + q * ln_v + p * x * ln_m + rest - pxq * ln_total);
            sum.gradient[0] += n * x * (d_pxq - d_px + ln_m - ln_total);
            sum.gradient[1] += n * (d_pxq - dq + ln_v - ln_total);
            sum.gradient[2] += n * (q / v - pxq / total);
            sum.hessian[0][0] += n * x * x * (t_pxq - t_px);
            sum.hessian[0][1] += n * x * t_pxq;
            sum.hessian[0][2] -= n * x / total;
            sum.hessian[1][1] += n * (t_pxq - tq);
            sum.hessian[1][2] += n * (1.0 / v - 1.0 / total);
            sum.hessian[2][2] += n * (pxq / (total * total) - q / (v * v));
        }
    }
    for i in 0..3 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    sum
}

/// What the fit of latent classes found.
pub(super) struct Mixture {
    /// In (q, scale), given the shares.
    pub maximum: Maximum<2>,
    /// Of the classes.
    pub shares: [f64; CLASSES],
}

/// ln of the likelihood of a customer in each class. A customer's mean is inverse-gamma (q, scale) whatever the class:
/// with p its shape, v = scale / p.
pub(super) fn by_class(row: &Row, q: f64, scale: f64, ln_gammas: &[f64; CLASSES]) -> [f64; CLASSES] {
    let x = f64::from(row.x);
    let before = q * scale.ln() - ln_gamma(q);
    let of_shapes = &*OF_SHAPES;
    std::array::from_fn(|k| {
        let (p, (ln_gamma_p, ln_p)) = (SHAPES[k], of_shapes[k]);
        ln_gammas[k] - x * ln_gamma_p + (p - 1.0) * row.logs + before + p * x * ln_p
            - (p * x + q) * (scale + p * row.total).ln()
    })
}

/// ln Γ(px + q) of each class.
pub(super) fn ln_gammas(x: u32, q: f64) -> [f64; CLASSES] {
    SHAPES.map(|p| ln_gamma(p * f64::from(x) + q))
}

/// ln of a sum of exponentials, and the share of each; of all that has a weight.
pub(super) fn shares_of(terms: [f64; CLASSES], weights: &[f64; CLASSES]) -> (f64, [f64; CLASSES]) {
    let most =
        terms.iter().zip(weights).filter(|(_, w)| **w > 0.0).fold(f64::NEG_INFINITY, |m, (t, _)| m.max(*t));
    let mut shares: [f64; CLASSES] =
        std::array::from_fn(|k| if weights[k] > 0.0 { weights[k] * (terms[k] - most).exp() } else { 0.0 });
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|s| *s /= sum);
    (most + sum.ln(), shares)
}

/// Latent classes of shape, by turns: the shares by EM given (q, scale), then (q, scale) by Newton's method given the
/// shares, until the likelihood gains nothing. One customer's worth of evidence is spread over the classes beforehand,
/// so that none is thought impossible.
///
/// # Errors
/// The likelihood is not finite, or no memory.
pub(super) fn fit_mixture(rows: &[Row], penalty: f64, checkpoint: Checkpoint) -> Result<Mixture> {
    // Of many customers the first turns tell enough.
    let most_turns = if rows.len() < 5_000 { 40 } else { 10 };
    const EM_STEPS: usize = 60;
    let customers: f64 = rows.iter().map(|r| r.n).sum();
    let mean = rows.iter().map(|r| r.total / f64::from(r.x) * r.n).sum::<f64>() / customers;
    let centre = [2.0, mean];
    let mut at = centre;
    let mut shares = [1.0 / CLASSES as f64; CLASSES];
    let mut terms: Vec<[f64; CLASSES]> = memory::with_capacity(rows.len())?;
    let mut best: Option<Maximum<2>> = None;
    for _ in 0..most_turns {
        terms.clear();
        let mut of_x = (0, [0.0; CLASSES]);
        for (i, row) in rows.iter().enumerate() {
            if i % 1024 == 0 {
                checkpoint();
            }
            if of_x.0 != row.x {
                of_x = (row.x, ln_gammas(row.x, at[0]));
            }
            let ln = by_class(row, at[0], at[1], &of_x.1);
            // Relative to the likeliest: the shares need no more.
            let most = ln.iter().fold(f64::NEG_INFINITY, |m, v| m.max(*v));
            terms.push(ln.map(|v| (v - most).exp()));
        }
        for _ in 0..EM_STEPS {
            let mut weights = [1.0 / CLASSES as f64; CLASSES];
            for (i, (row, terms)) in rows.iter().zip(&terms).enumerate() {
                if i % 4096 == 0 {
                    checkpoint();
                }
                let sum: f64 = terms.iter().zip(&shares).map(|(t, s)| t * s).sum();
                let factor = row.n / sum;
                for k in 0..CLASSES {
                    weights[k] += factor * terms[k] * shares[k];
                }
            }
            let total: f64 = weights.iter().sum();
            let next = weights.map(|w| w / total);
            let moved = next.iter().zip(&shares).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
            shares = next;
            if moved < 1e-7 {
                break;
            }
        }
        let found = maximize(|at, c| in_mixture(rows, &shares, at, c), at, centre, penalty, &mut *checkpoint)
            .ok_or_else(not_finite)?;
        at = found.parameters;
        let gained = best.as_ref().is_none_or(|b| {
            found.log_likelihood > b.log_likelihood + 1e-3_f64.min(1e-9 * b.log_likelihood.abs() + 1e-6)
        });
        best = Some(found);
        if !gained {
            break;
        }
    }
    best.map(|maximum| Mixture { maximum, shares }).ok_or_else(not_finite)
}

/// The log-likelihood in (q, scale), given the shares.
fn in_mixture(
    rows: &[Row],
    shares: &[f64; CLASSES],
    &[q, scale]: &[f64; 2],
    checkpoint: Checkpoint,
) -> Evaluation<2> {
    let mut sum = Evaluation::<2>::ZERO;
    let (ln_scale, dq, tq) = (scale.ln(), digamma(q), trigamma(q));
    let mut of_x = (0_u32, [[0.0; CLASSES]; 3]);
    for (i, row) in rows.iter().enumerate() {
        if i % 1024 == 0 {
            checkpoint();
        }
        let x = f64::from(row.x);
        if of_x.0 != row.x {
            let reach = SHAPES.map(|p| p * x + q);
            of_x = (row.x, [reach.map(ln_gamma), reach.map(digamma), reach.map(trigamma)]);
        }
        let [gammas, digammas, trigammas] = &of_x.1;
        let (ln, weights) = shares_of(by_class(row, q, scale, gammas), shares);
        let mut gradient = [0.0; 2];
        let mut hessian = [[0.0; 2]; 2];
        for k in 0..CLASSES {
            let w = weights[k];
            if w < 1e-12 {
                continue;
            }
            let p = SHAPES[k];
            let total = scale + p * row.total;
            let shape = p * x + q;
            let g = [digammas[k] - dq + ln_scale - total.ln(), q / scale - shape / total];
            let h = [
                [trigammas[k] - tq, 1.0 / scale - 1.0 / total],
                [0.0, shape / (total * total) - q / (scale * scale)],
            ];
            for i in 0..2 {
                gradient[i] += w * g[i];
                for j in i..2 {
                    hessian[i][j] += w * (h[i][j] + g[i] * g[j]);
                }
            }
        }
        sum.value += row.n * ln;
        for i in 0..2 {
            sum.gradient[i] += row.n * gradient[i];
            for j in i..2 {
                sum.hessian[i][j] += row.n * (hessian[i][j] - gradient[i] * gradient[j]);
            }
        }
    }
    sum.hessian[1][0] = sum.hessian[0][1];
    sum
}
