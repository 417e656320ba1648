//! Likelihoods of NBD and of the beta-geometric families: BG/NBD, MBG/NBD and, with Erlang-k
//! gaps, BG/CNBD-k and MBG/CNBD-k.
//!
//! With m = r + kx, u = T - tx and d = 1 for the modified forms, the likelihood of one customer is
//!
//! Γ(m)/Γ(r) alpha^r B(a, b+x+d)/B(a, b) [ (alpha+T)^-m S + a/(b+x-1+d) (alpha+tx)^-m ]
//!
//! times the gaps^(k-1) / (k-1)!^x; the second term only for x > 0 or d = 1.
//! S = sum over j < k of (m)_j / j! (u / (alpha+T))^j is the probability that the gap under way is
//! longer than u (Platzer and Reutterer 2016, equation 6 and BTYDplus; k = 1 is Fader, Hardie and
//! Lee 2005, equation 3, and Batislam, Denizel and Filiztekin 2007).

use super::MAX_K;
use super::design::{Design, Jet, rising};
use crate::Checkpoint;
use crate::math::newton::Evaluation;
use crate::math::special::{ln_gamma, logistic, softplus};

/// Cells between two calls of the checkpoint.
const STRIDE: usize = 4096;

struct TimeTable {
    ln: Vec<f64>,
    inverse: Vec<f64>,
}

impl TimeTable {
    fn new(design: &Design, alpha: f64) -> Self {
        Self {
            ln: design.times.iter().map(|t| (alpha + t).ln()).collect(),
            inverse: design.times.iter().map(|t| 1.0 / (alpha + t)).collect(),
        }
    }
}

/// NBD in (r, alpha).
pub(crate) fn nbd(design: &Design, &[r, alpha]: &[f64; 2], checkpoint: Checkpoint) -> Evaluation<2> {
    let table = TimeTable::new(design, alpha);
    let mut sum = Evaluation::<2>::ZERO;
    for (&(_, n), g) in design.xs.iter().zip(rising(r, design.xs.iter().map(|&(x, _)| u64::from(x)))) {
        sum.value += n * g.value;
        sum.gradient[0] += n * g.first;
        sum.hessian[0][0] += n * g.second;
    }
    let customers = design.customers;
    sum.value += customers * r * alpha.ln();
    sum.gradient[0] += customers * alpha.ln();
    sum.gradient[1] += customers * r / alpha;
    sum.hessian[1][1] -= customers * r / (alpha * alpha);
    sum.hessian[0][1] += customers / alpha;
    for chunk in design.rows.chunks(STRIDE) {
        checkpoint();
        for row in chunk {
            let m = r + f64::from(design.xs[row.x as usize].0);
            let (ln, inverse) = (table.ln[row.t as usize], table.inverse[row.t as usize]);
            sum.value -= row.n * m * ln;
            sum.gradient[0] -= row.n * ln;
            sum.gradient[1] -= row.n * m * inverse;
            sum.hessian[0][1] -= row.n * inverse;
            sum.hessian[1][1] += row.n * m * inverse * inverse;
        }
    }
    sum.hessian[1][0] = sum.hessian[0][1];
    sum
}

/// ln S of the module's head for one customer: `y` = u / (alpha + T).
#[inline]
pub(crate) fn ln_survival_of_gap(k: u32, m: f64, y: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for j in 1..k {
        term *= (m + f64::from(j - 1)) * y / f64::from(j);
        sum += term;
    }
    f64::ln(sum)
}

/// ln S with its derivatives in r (through m) and alpha: value, r, alpha, rr, r alpha, alpha alpha.
fn survival_derivatives(k: u32, m: f64, y: f64, inverse: f64) -> [f64; 6] {
    // term_j has the derivatives of ln: in r sum 1/(m+i), in alpha -j/(alpha+T).
    let (mut term, mut total) = (1.0, 1.0);
    let (mut dr, mut drr) = (0.0, 0.0);
    let mut sums = [0.0; 5];
    for j in 1..k {
        let i = m + f64::from(j - 1);
        let jj = f64::from(j);
        term *= i * y / jj;
        dr += 1.0 / i;
        drr -= 1.0 / (i * i);
        total += term;
        let da = -jj * inverse;
        sums[0] += term * dr;
        sums[1] += term * da;
        sums[2] += term * (drr + dr * dr);
        sums[3] += term * dr * da;
        sums[4] += term * (jj * inverse * inverse + da * da);
    }
    let [gr, ga, rr, ra, aa] = sums.map(|s| s / total);
    [total.ln(), gr, ga, rr - gr * gr, ra - gr * ga, aa - ga * ga]
}

/// The beta-geometric families in (r, alpha, a, b).
pub(crate) fn beta_geometric(
    design: &Design,
    k: u32,
    leaves_at_zero: bool,
    &[r, alpha, a, b]: &[f64; 4],
    checkpoint: Checkpoint,
) -> Evaluation<4> {
    debug_assert!((1..=MAX_K).contains(&k));
    let kk = u64::from(k);
    let d = u64::from(leaves_at_zero);
    let table = TimeTable::new(design, alpha);
    let mut sum = Evaluation::<4>::ZERO;

    let counts = || design.xs.iter().map(|&(x, _)| u64::from(x));
    let of_r = rising(r, counts().map(|x| kk * x));
    checkpoint();
    let of_b = rising(b, counts().map(|x| x + d));
    checkpoint();
    let of_ab = rising(a + b, counts().map(|x| x + d));
    for (i, &(_, n)) in design.xs.iter().enumerate() {
        let (g, gb, gab): (Jet, Jet, Jet) = (of_r[i], of_b[i], of_ab[i]);
        sum.value += n * (g.value + gb.value - gab.value);
        sum.gradient[0] += n * g.first;
        sum.gradient[2] -= n * gab.first;
        sum.gradient[3] += n * (gb.first - gab.first);
        sum.hessian[0][0] += n * g.second;
        sum.hessian[2][2] -= n * gab.second;
        sum.hessian[2][3] -= n * gab.second;
        sum.hessian[3][3] += n * (gb.second - gab.second);
    }
    let customers = design.customers;
    sum.value += customers * r * alpha.ln();
    sum.gradient[0] += customers * alpha.ln();
    sum.gradient[1] += customers * r / alpha;
    sum.hessian[0][1] += customers / alpha;
    sum.hessian[1][1] -= customers * r / (alpha * alpha);
    if k > 1 {
        sum.value += f64::from(k - 1) * design.ln_gaps - design.purchases * ln_gamma(f64::from(k));
    }

    let ln_a = a.ln();
    // ln(b + x - 1 + d) of each distinct x; where the term does not exist its odds are zero.
    let leaving: Vec<(f64, f64)> = design
        .xs
        .iter()
        .map(|&(x, _)| {
            if x == 0 && d == 0 {
                (f64::INFINITY, 0.0)
            } else {
                let c = b + (u64::from(x) + d - 1) as f64;
                (c.ln(), 1.0 / c)
            }
        })
        .collect();
    let (ia, iaa) = (1.0 / a, 1.0 / (a * a));

    for chunk in design.rows.chunks(STRIDE) {
        checkpoint();
        for row in chunk {
            let m = r + (kk * u64::from(design.xs[row.x as usize].0)) as f64;
            let (ln_t, it) = (table.ln[row.t as usize], table.inverse[row.t as usize]);
            let (ln_tx, itx) = (table.ln[row.tx as usize], table.inverse[row.tx as usize]);
            let (ln_c, ic) = leaving[row.x as usize];
            // Still a customer: -m ln(alpha + T) + ln S.
            let mut alive = -m * ln_t;
            let (mut gr, mut ga) = (-ln_t, -m * it);
            let (mut hrr, mut hra, mut haa) = (0.0, -it, m * it * it);
            if k > 1 {
                let u = design.times[row.t as usize] - design.times[row.tx as usize];
                let [value, sr, sa, srr, sra, saa] = survival_derivatives(k, m, u * it, it);
                alive += value;
                gr += sr;
                ga += sa;
                hrr += srr;
                hra += sra;
                haa += saa;
            }
            // Left after the last purchase: ln a - ln(b+x-1+d) - m ln(alpha + tx).
            let odds = ln_a - ln_c - m * ln_tx - alive;
            let p = logistic(odds);
            let q = 1.0 - p;
            let n = row.n;
            sum.value += n * (alive + softplus(odds));
            let (er, ea) = (-ln_tx, -m * itx);
            sum.gradient[0] += n * (q * gr + p * er);
            sum.gradient[1] += n * (q * ga + p * ea);
            sum.gradient[2] += n * p * ia;
            sum.gradient[3] -= n * p * ic;
            let (dr, da, db) = (er - gr, ea - ga, -ic);
            let (np, npq) = (n * p, n * p * q);
            sum.hessian[0][0] += n * q * hrr + npq * dr * dr;
            sum.hessian[0][1] += n * q * hra - np * itx + npq * dr * da;
            sum.hessian[1][1] += n * q * haa + np * m * itx * itx + npq * da * da;
            sum.hessian[0][2] += npq * dr * ia;
            sum.hessian[0][3] += npq * dr * db;
            sum.hessian[1][2] += npq * da * ia;
            sum.hessian[1][3] += npq * da * db;
            sum.hessian[2][2] += npq * iaa - np * iaa;
            sum.hessian[2][3] += npq * ia * db;
            sum.hessian[3][3] += np * ic * ic + npq * db * db;
        }
    }
    for i in 0..4 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    sum
}
