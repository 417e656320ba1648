//! The Pareto/NBD likelihood without hypergeometric functions.
//!
//! With m = r + x the likelihood of one customer is Γ(m)/Γ(r) alpha^r beta^s times
//!
//! (alpha+T)^-m (beta+T)^-s + s ∫ from tx to T of (alpha+y)^-m (beta+y)^-(s+1) dy
//!
//! (Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2005, "A note on deriving the
//! Pareto/NBD model", equation 41, before the integral is written as two 2F1). The integrand has one
//! sign and is log-concave in ln(min(alpha, beta) + y), so that Gauss-Legendre panels in that
//! variable are accurate, and the first that no longer counts ends the sum.

use std::cmp::Ordering;

use super::design::{Design, rising};
use crate::Checkpoint;
use crate::math::newton::Evaluation;
use crate::math::special::GAUSS_LEGENDRE_16;

/// Cells between two calls of the checkpoint: one costs about a microsecond.
const STRIDE: usize = 512;
/// The most panels of one integral.
const MOST_PANELS: usize = 2000;

/// Calls `visit(y, ln(alpha+y), ln(beta+y), weight)` at the nodes of the integral
/// ∫ (alpha+y)^-m (beta+y)^-(s+1) dy over (from, to), where the weights contain the integrand,
/// divided by exp(`reference`).
fn quadrature(
    [alpha, beta]: [f64; 2],
    m: f64,
    s: f64,
    [from, to]: [f64; 2],
    reference: f64,
    mut visit: impl FnMut(f64, f64, f64, f64),
) {
    let c = alpha.min(beta);
    let apart = alpha.max(beta) - c;
    let (low, high) = ((c + from).ln(), (c + to).ln());
    let (shape_c, shape_other) = if alpha <= beta { (m, s + 1.0) } else { (s + 1.0, m) };
    // The slope of the logarithm of the integrand in w = ln(c + y).
    let slope = |w: f64| {
        let e = w.exp();
        1.0 - shape_c - shape_other * e / (e + apart)
    };
    let (mut at, mut total) = (low, 0.0);
    // No fit comes near this many panels; parameters written by hand can, where a panel as
    // narrow as the integrand is steep would not even move the place.
    for _ in 0..MOST_PANELS {
        if at.partial_cmp(&high) != Some(Ordering::Less) {
            break;
        }
        let steep = slope(at).abs();
        let mut width = (high - at).min(4.0).min(18.0 / steep.max(1e-9));
        // The slope falls along the way: a panel must not outrun it.
        while slope(at + width).abs() * width > 36.0 {
            width *= 0.5;
        }
        width = width.max(1e-12 * at.abs().max(1.0));
        let (middle, half) = (at + 0.5 * width, 0.5 * width);
        let mut panel = 0.0;
        for &(node, weight) in GAUSS_LEGENDRE_16.iter() {
            let w = middle + half * node;
            let e = w.exp();
            let ln_other = (e + apart).ln();
            let value = weight * half * (w - shape_c * w - shape_other * ln_other - reference).exp();
            panel += value;
            let (ln_alpha, ln_beta) = if alpha <= beta { (w, ln_other) } else { (ln_other, w) };
            visit(e - c, ln_alpha, ln_beta, value);
        }
        if !panel.is_finite() {
            break;
        }
        total += panel;
        at += width;
        // From here on the integrand falls at least as fast as this.
        let slope = slope(at);
        if slope < 0.0 && panel <= 1e-17 * total {
            break;
        }
        if at >= high - 1e-15 * high.abs() {
            break;
        }
    }
}

/// The two terms of one customer's likelihood at T, divided by exp of the returned reference:
/// (reference, still a customer at T, left between tx and T).
pub(crate) fn terms(&[r, alpha, s, beta]: &[f64; 4], x: f64, tx: f64, t: f64) -> (f64, f64, f64) {
    let m = r + x;
    let (ln_alpha, ln_beta) = ((alpha + tx).ln(), (beta + tx).ln());
    let reference = -m * ln_alpha - s * ln_beta;
    let alive = (-m * ((t - tx) / (alpha + tx)).ln_1p() - s * ((t - tx) / (beta + tx)).ln_1p()).exp();
    (reference, alive, left_between(&[r, alpha, s, beta], x, [tx, t], reference))
}

/// s ∫ (alpha+y)^-m (beta+y)^-(s+1) dy over (from, to), divided by exp(`reference`).
pub(crate) fn left_between(
    &[r, alpha, s, beta]: &[f64; 4],
    x: f64,
    [from, to]: [f64; 2],
    reference: f64,
) -> f64 {
    if to <= from {
        return 0.0;
    }
    let mut sum = 0.0;
    quadrature([alpha, beta], r + x, s, [from, to], reference, |_, _, _, w| sum += w);
    s * sum
}

/// Pareto/NBD in (r, alpha, s, beta).
pub(crate) fn pareto_nbd(
    design: &Design,
    &[r, alpha, s, beta]: &[f64; 4],
    checkpoint: Checkpoint,
) -> Evaluation<4> {
    let mut sum = Evaluation::<4>::ZERO;
    for (&(_, n), g) in design.xs.iter().zip(rising(r, design.xs.iter().map(|&(x, _)| u64::from(x)))) {
        sum.value += n * g.value;
        sum.gradient[0] += n * g.first;
        sum.hessian[0][0] += n * g.second;
    }
    let customers = design.customers;
    for (i, j, shape, rate) in [(0, 1, r, alpha), (2, 3, s, beta)] {
        sum.value += customers * shape * rate.ln();
        sum.gradient[i] += customers * rate.ln();
        sum.gradient[j] += customers * shape / rate;
        sum.hessian[i][j] += customers / rate;
        sum.hessian[j][j] -= customers * shape / (rate * rate);
    }
    let ln_s = s.ln();
    for chunk in design.rows.chunks(STRIDE) {
        checkpoint();
        for row in chunk {
            let m = r + f64::from(design.xs[row.x as usize].0);
            let (tx, t) = (design.times[row.tx as usize], design.times[row.t as usize]);
            let reference = -m * (alpha + tx).ln() - s * (beta + tx).ln();
            let mut total = 0.0;
            let mut mean = [0.0; 4];
            let mut second = [[0.0; 4]; 4];
            // Each term of the likelihood is exp(f): its share, f's gradient and f's Hessian.
            let mut add = |share: f64, g: [f64; 4], extra: [f64; 5]| {
                let [ra, aa, ss, sb, bb] = extra;
                total += share;
                for i in 0..4 {
                    mean[i] += share * g[i];
                    for j in i..4 {
                        second[i][j] += share * g[i] * g[j];
                    }
                }
                second[0][1] += share * ra;
                second[1][1] += share * aa;
                second[2][2] += share * ss;
                second[2][3] += share * sb;
                second[3][3] += share * bb;
            };
            let (lt, lbt) = ((alpha + t).ln(), (beta + t).ln());
            let (ia, ib) = (1.0 / (alpha + t), 1.0 / (beta + t));
            add(
                (-m * lt - s * lbt - reference).exp(),
                [-lt, -m * ia, -lbt, -s * ib],
                [-ia, m * ia * ia, 0.0, -ib, s * ib * ib],
            );
            if t > tx {
                quadrature([alpha, beta], m, s, [tx, t], reference - ln_s, |y, la, lb, w| {
                    let (ia, ib) = (1.0 / (alpha + y), 1.0 / (beta + y));
                    add(
                        w,
                        [-la, -m * ia, 1.0 / s - lb, -(s + 1.0) * ib],
                        [-ia, m * ia * ia, -1.0 / (s * s), -ib, (s + 1.0) * ib * ib],
                    );
                });
            }
            sum.value += row.n * (reference + total.ln());
            let mean = mean.map(|v| v / total);
            for i in 0..4 {
                sum.gradient[i] += row.n * mean[i];
                for j in i..4 {
                    sum.hessian[i][j] += row.n * (second[i][j] / total - mean[i] * mean[j]);
                }
            }
        }
    }
    for i in 0..4 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters that no fit gives, but a hand-written model may: the integral must end.
    #[test]
    fn absurd_parameters_end() {
        for p in
            [[1e-20, 1e-20, 1e20, 1e-20], [1e20, 1e-20, 1e-20, 1e20], [1e20, 1e-20, 1e20, 1e-20], [1e-20; 4]]
        {
            let (_, alive, left) = terms(&p, 0.0, 0.0, 181.0);
            let (_, alive_too, left_too) = terms(&p, 3.0, 20.0, 181.0);
            assert!([alive, left, alive_too, left_too].iter().all(|v| v.is_nan() || *v >= 0.0), "{p:?}");
        }
    }
    use crate::math::special::ln_gamma;

    /// Cases that overflow in implementations through 2F1. Values by quadrature with 40 digits in
    /// mpmath 1.4.1.
    #[test]
    fn log_likelihood_of_hard_cases() {
        let p @ [r, alpha, s, beta] = [10.465, 0.007_985_65, 3.0516, 2.820];
        for (x, tx, t, expected) in [
            (400.0, 5.0, 6.0, 1_323.188_928_743_838),
            (500.0, 1.0, 37.0, 2_594.404_453_165_626),
            (500.0, 4.0, 37.0, 1_888.821_247_597_043),
        ] {
            let (reference, alive, left) = terms(&p, x, tx, t);
            let value = ln_gamma(r + x) - ln_gamma(r)
                + r * alpha.ln()
                + s * beta.ln()
                + reference
                + (alive + left).ln();
            assert!((value / expected - 1.0).abs() < 1e-13, "{value} {expected}");
        }
    }
}
