//! The shifted-beta-geometric distribution: who renews does so with a rate of their own, which differs between
//! customers by a beta distribution.
//!
//! Source: Fader and Hardie, How to project customer retention, Journal of Interactive Marketing 21 (2007);
//! with left truncation each contract's likelihood is over the survival to the period in which it enters.

use std::collections::BTreeMap;

use ndarray::Array2;

use super::contracts::Contract;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::warning::Warning;
use crate::math::newton::{Evaluation, maximize_from, profiled, widened};
use crate::math::special::{digamma, ln_gamma, trigamma};

/// A fitted shifted-beta-geometric distribution.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Geometric {
    pub(super) alpha: f64,
    pub(super) beta: f64,
    pub(super) covariance: Option<Array2<f64>>,
    pub(super) log_likelihood: f64,
    pub(super) warnings: Vec<Warning>,
}

/// ln B(a, b + t) - ln B(a, b): the share that survives t periods.
pub(super) fn ln_survival(a: f64, b: f64, t: f64) -> f64 {
    ln_gamma(b + t) + ln_gamma(a + b) - ln_gamma(b) - ln_gamma(a + b + t)
}

/// Adds w times ln of Gamma(x), whose argument moves with a and with b.
fn add_gamma(sum: &mut Evaluation<2>, w: f64, x: f64, by: (f64, f64)) {
    sum.value += w * ln_gamma(x);
    let (g, h) = (w * digamma(x), w * trigamma(x));
    sum.gradient[0] += g * by.0;
    sum.gradient[1] += g * by.1;
    sum.hessian[0][0] += h * by.0 * by.0;
    sum.hessian[0][1] += h * by.0 * by.1;
    sum.hessian[1][0] += h * by.0 * by.1;
    sum.hessian[1][1] += h * by.1 * by.1;
}

/// Adds n contracts that ended in the period before `until`, as far as they were watched in it, without the survival to
/// `enter`.
fn add_ended(sum: &mut Evaluation<2>, (a, b): (f64, f64), (enter, until): (f64, f64), n: f64) {
    let from = (until.ceil() - 1.0).max(enter);
    if until - from == 1.0 {
        // A whole period: B(a + 1, b + t - 1) / B(a, b).
        add_gamma(sum, n, b + from, (0.0, 1.0));
        add_gamma(sum, n, a + 1.0, (1.0, 0.0));
        add_gamma(sum, -n, a, (1.0, 0.0));
        add_gamma(sum, -n, a + b + until, (1.0, 1.0));
        return;
    }
    // S(from) - S(until) = S(from) (1 - exp D), D = ln S(until) - ln S(from).
    add_gamma(sum, n, b + from, (0.0, 1.0));
    add_gamma(sum, -n, a + b + from, (1.0, 1.0));
    let mut d = Evaluation::<2>::ZERO;
    for (w, x) in [(1.0, until), (-1.0, from)] {
        add_gamma(&mut d, w, b + x, (0.0, 1.0));
        add_gamma(&mut d, -w, a + b + x, (1.0, 1.0));
    }
    // Rounding must not make it positive.
    let fall = d.value.min(-1e-15);
    let odds = 1.0 / (-fall).exp_m1();
    sum.value += n * (-fall.exp_m1()).ln();
    for i in 0..2 {
        sum.gradient[i] -= n * odds * d.gradient[i];
        for j in 0..2 {
            sum.hessian[i][j] -= n * odds * ((1.0 + odds) * d.gradient[i] * d.gradient[j] + d.hessian[i][j]);
        }
    }
}

/// Fits the shifted-beta-geometric distribution to contracts.
pub(super) fn geometric(contracts: &[&Contract], checkpoint: Checkpoint) -> Result<Geometric> {
    // By the bits of positive numbers, which are in their order: entering and leaving, and whether ended there. Who ended
    // did so in the period before `until`, or in the part of it that was watched.
    let mut cells: BTreeMap<(u64, u64, bool), f64> = BTreeMap::new();
    let (mut ended, mut longest) = (0, 0.0_f64);
    for c in contracts {
        if c.running > 0 {
            *cells.entry((c.enter.to_bits(), c.exit.to_bits(), false)).or_default() += c.running as f64;
        }
        if c.ended > 0 {
            *cells.entry((c.enter.to_bits(), c.until.to_bits(), true)).or_default() += c.ended as f64;
        }
        ended += c.ended;
        longest = longest.max(c.exit - c.enter);
    }
    let all: u64 = contracts.iter().map(|c| c.all()).sum();
    if ended == 0 || longest <= 1.0 {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a shifted-beta-geometric model")
            .detail(format!(
                "Of {all} contracts {ended} ended; some have to end and some to last more than one period."
            )));
    }
    let cells: Vec<(f64, f64, bool, f64)> = cells
        .into_iter()
        .map(|((enter, to, ended), n)| (f64::from_bits(enter), f64::from_bits(to), ended, n))
        .collect();
    let likelihood = |&[a, b]: &[f64; 2], checkpoint: Checkpoint| {
        checkpoint();
        let mut sum = Evaluation::<2>::ZERO;
        for &(enter, to, ended, n) in &cells {
            if ended {
                add_ended(&mut sum, (a, b), (enter, to), n);
            } else {
                // Still running: B(a, b + t) / B(a, b), over the survival to `enter`.
                add_gamma(&mut sum, n, b + to, (0.0, 1.0));
                add_gamma(&mut sum, -n, a + b + to, (1.0, 1.0));
            }
            add_gamma(&mut sum, -n, b + enter, (0.0, 1.0));
            add_gamma(&mut sum, n, a + b + enter, (1.0, 1.0));
        }
        sum
    };
    let centre = [1.0, 1.0];
    let found =
        maximize_from(likelihood, &[centre, [1.0, 20.0], [20.0, 200.0]], centre, 0.0, &mut *checkpoint);
    let found = found.map(|found| {
        let found = profiled(likelihood, found, centre, 0.0, &mut *checkpoint);
        widened(likelihood, found, centre, 0.0, checkpoint)
    });
    let not_fitted = || {
        Error::new(ErrorKind::NotReady, "a shifted-beta-geometric model could not be fitted")
            .detail("Its likelihood has no maximum that is a number.")
    };
    let found = found.ok_or_else(not_fitted)?;
    let mut warnings = Vec::new();
    if found.identified.contains(&false) || found.covariance.is_none() {
        warnings.push(Warning::new(
            "not_identified",
            "The customers do not seem to differ in their renewal rate, or too few renewals are seen: only the mean rate means something.",
        ));
    } else if !found.converged {
        warnings.push(Warning::new("not_converged", "The search for the best parameters did not end."));
    }
    let [alpha, beta] = found.parameters;
    Ok(Geometric {
        alpha,
        beta,
        covariance: found.covariance.filter(|_| found.identified == [true; 2]),
        log_likelihood: found.log_likelihood,
        warnings,
    })
}
