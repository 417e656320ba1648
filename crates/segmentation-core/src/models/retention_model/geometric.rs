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
use crate::math::newton::{Evaluation, maximize};
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

/// Fits the shifted-beta-geometric distribution to contracts.
pub(super) fn geometric(contracts: &[&Contract], checkpoint: Checkpoint) -> Result<Geometric> {
    let mut cells: BTreeMap<(u32, u32), (f64, f64)> = BTreeMap::new();
    let (mut ended, mut longest) = (0, 0);
    for c in contracts {
        let cell = cells.entry((c.enter, c.exit)).or_default();
        cell.0 += c.running as f64;
        cell.1 += c.ended as f64;
        ended += c.ended;
        longest = longest.max(c.exit - c.enter);
    }
    let all: u64 = contracts.iter().map(|c| c.all()).sum();
    if ended == 0 || longest < 2 {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a shifted-beta-geometric model")
            .detail(format!(
                "Of {all} contracts {ended} ended; some have to end and some to last more than one period."
            )));
    }
    let cells: Vec<((f64, f64), (f64, f64))> =
        cells.into_iter().map(|((n, x), counts)| ((f64::from(n), f64::from(x)), counts)).collect();
    let found = maximize(
        |&[a, b]: &[f64; 2], checkpoint| {
            checkpoint();
            let mut sum = Evaluation::<2>::ZERO;
            // Adds w times ln of Gamma(arguments that move with a and with b).
            let mut add = |w: f64, x: f64, by: (f64, f64)| {
                sum.value += w * ln_gamma(x);
                let (g, h) = (w * digamma(x), w * trigamma(x));
                sum.gradient[0] += g * by.0;
                sum.gradient[1] += g * by.1;
                sum.hessian[0][0] += h * by.0 * by.0;
                sum.hessian[0][1] += h * by.0 * by.1;
                sum.hessian[1][0] += h * by.0 * by.1;
                sum.hessian[1][1] += h * by.1 * by.1;
            };
            for &((enter, exit), (running, ended)) in &cells {
                // Ended in period t: B(a + 1, b + t - 1) / B(a, b); still running: B(a, b + t) / B(a, b);
                // both over the survival to `enter`.
                let all = running + ended;
                add(running, b + exit, (0.0, 1.0));
                add(ended, b + exit - 1.0, (0.0, 1.0));
                add(ended, a + 1.0, (1.0, 0.0));
                add(-ended, a, (1.0, 0.0));
                add(-all, a + b + exit, (1.0, 1.0));
                add(-all, b + enter, (0.0, 1.0));
                add(all, a + b + enter, (1.0, 1.0));
            }
            sum
        },
        [1.0, 1.0],
        [1.0, 1.0],
        0.0,
        checkpoint,
    );
    let not_fitted = || {
        Error::new(ErrorKind::NotReady, "a shifted-beta-geometric model could not be fitted")
            .detail("Its likelihood has no maximum that is a number.")
    };
    let found = found.ok_or_else(not_fitted)?;
    let mut warnings = Vec::new();
    if found.at_bound.contains(&true) || found.covariance.is_none() {
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
        covariance: found.covariance,
        log_likelihood: found.log_likelihood,
        warnings,
    })
}
