//! Maximum likelihood by damped Newton steps in the logarithms of the parameters.
//!
//! What a likelihood sums over every cell stays in arrays of two to four numbers on the stack, where the compiler keeps
//! it in registers; what is done once a step is ndarray's and faer's.

// Rows and columns of one matrix are walked together: indices say it best.
#![allow(clippy::needless_range_loop)]

use ndarray::{Array2, arr1, arr2};

use super::linear::{Cholesky, eigen};
use crate::Checkpoint;

/// A log-likelihood with its derivatives in the parameters themselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluation<const N: usize> {
    pub value: f64,
    pub gradient: [f64; N],
    pub hessian: [[f64; N]; N],
}

impl<const N: usize> Evaluation<N> {
    pub(crate) const ZERO: Self = Self { value: 0.0, gradient: [0.0; N], hessian: [[0.0; N]; N] };

    fn is_finite(&self) -> bool {
        self.value.is_finite()
            && self.gradient.iter().all(|v| v.is_finite())
            && self.hessian.iter().flatten().all(|v| v.is_finite())
    }

    /// The same in the parameters' logarithms, with the ridge of `penalty` around `centre` taken off.
    fn in_logs(&self, parameters: &[f64; N], centre: &[f64; N], penalty: f64) -> Self {
        let mut log = *self;
        for i in 0..N {
            let away = parameters[i].ln() - centre[i].ln();
            log.value -= 0.5 * penalty * away * away;
            log.gradient[i] = parameters[i] * self.gradient[i] - penalty * away;
            for j in 0..N {
                log.hessian[i][j] = parameters[i] * parameters[j] * self.hessian[i][j];
            }
            log.hessian[i][i] += parameters[i] * self.gradient[i] - penalty;
        }
        log
    }
}

/// What a maximisation found.
#[derive(Debug, Clone)]
pub(crate) struct Maximum<const N: usize> {
    pub parameters: [f64; N],
    /// Of the parameters themselves; `None` where the likelihood is flat or no maximum.
    pub covariance: Option<Array2<f64>>,
    pub log_likelihood: f64,
    /// Largest over smallest curvature in the log-parameters; infinite if there is none.
    pub condition: f64,
    /// Which parameters ran to the bound of what is tried.
    pub at_bound: [bool; N],
    pub converged: bool,
}

/// A log-parameter may lie this far from its start: a factor of 160,000 either way. Further out no
/// data tell a parameter from its limit, and rounding errors take the place of the slope.
const REACH: f64 = 12.0;
/// The longest step of a log-parameter.
const LONGEST_STEP: f64 = 1.5;
const MOST_STEPS: usize = 200;

/// Maximises `likelihood` from `start`.
///
/// The step solves the Newton equations with the Hessian's eigenvalues made negative, so that it
/// always ascends; it is capped, and halved until the likelihood does not fall. The covariance is
/// the inverse of the negative Hessian at the end.
pub(crate) fn maximize<const N: usize>(
    mut likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    start: [f64; N],
    centre: [f64; N],
    penalty: f64,
    checkpoint: Checkpoint,
) -> Option<Maximum<N>> {
    let mut parameters = start;
    let mut at = likelihood(&parameters, &mut *checkpoint);
    if !at.is_finite() {
        return None;
    }
    let (low, high) = (start.map(|p| p.ln() - REACH), start.map(|p| p.ln() + REACH));
    let mut converged = false;
    for _ in 0..MOST_STEPS {
        let log = at.in_logs(&parameters, &centre, penalty);
        let theta = parameters.map(f64::ln);
        // A parameter at its bound that wants further out is held there.
        let held: [bool; N] = std::array::from_fn(|i| {
            (theta[i] <= low[i] + 1e-9 && log.gradient[i] < 0.0)
                || (theta[i] >= high[i] - 1e-9 && log.gradient[i] > 0.0)
        });
        let mut curvature = -arr2(&log.hessian);
        let mut gradient = arr1(&log.gradient);
        for i in (0..N).filter(|&i| held[i]) {
            curvature.row_mut(i).fill(0.0);
            curvature.column_mut(i).fill(0.0);
            curvature[[i, i]] = 1.0;
            gradient[i] = 0.0;
        }
        let Some((values, vectors)) = eigen(curvature.view()) else { break };
        let largest = values.fold(0.0_f64, |m, v| m.max(v.abs()));
        if largest == 0.0 {
            converged = gradient.iter().all(|&g| g == 0.0);
            break;
        }
        // Where it is a hill, Cholesky's method is exact even if the curvatures are of very different sizes.
        let hill = values.iter().all(|v| *v > 1e-12 * largest);
        let mut step = match Cholesky::new(curvature.view()).filter(|_| hill) {
            Some(factor) => factor.solve(gradient.view()),
            None => {
                vectors.dot(&(vectors.t().dot(&gradient) / values.mapv(|v| v.abs().max(1e-12 * largest))))
            }
        };
        let longest = step.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        if longest > LONGEST_STEP {
            step *= LONGEST_STEP / longest;
        }
        // Twice the gain that the quadratic model promises.
        let promise = step.dot(&gradient);
        // Sums of this size are not exact: a fall within their noise is none.
        let noise = 1e-12 * (1.0 + log.value.abs());
        let mut moved = false;
        for _ in 0..24 {
            let trial: [f64; N] = std::array::from_fn(|i| (theta[i] + step[i]).clamp(low[i], high[i]).exp());
            let there = likelihood(&trial, &mut *checkpoint);
            if there.is_finite() {
                let value = there.in_logs(&trial, &centre, penalty).value;
                if value >= log.value + 1e-4 * promise - noise {
                    (parameters, at, moved) = (trial, there, true);
                    break;
                }
            }
            step *= 0.5;
        }
        if !moved || promise <= 1e-9 {
            converged = promise <= 1e-4;
            break;
        }
    }
    let log = at.in_logs(&parameters, &centre, penalty);
    let at_bound = std::array::from_fn(|i| {
        let theta = parameters[i].ln();
        theta <= low[i] + 1e-6 || theta >= high[i] - 1e-6
    });
    let curvature = -arr2(&log.hessian);
    let (smallest, largest) = eigen(curvature.view())
        .and_then(|(values, _)| Some((*values.first()?, *values.last()?)))
        .unwrap_or_default();
    let definite = smallest > 1e-14 * largest && largest > 0.0;
    let factor = definite.then(|| Cholesky::new(curvature.view())).flatten();
    let covariance = factor.map(|factor| {
        let mut covariance = factor.inverse();
        // Back from the logarithms.
        covariance.indexed_iter_mut().for_each(|((i, j), v)| *v *= parameters[i] * parameters[j]);
        covariance
    });
    Some(Maximum {
        parameters,
        covariance: covariance.filter(|c| c.iter().all(|v| v.is_finite())),
        log_likelihood: at.value,
        condition: if definite { largest / smallest } else { f64::INFINITY },
        at_bound,
        converged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_known_maximum() {
        // A gamma likelihood in (shape, rate) with mean 2 and mean logarithm 0.5, 1000 observations.
        let found = maximize(
            |&[p, v]: &[f64; 2], _| Evaluation {
                value: 1000.0 * (p * v.ln() - crate::math::special::ln_gamma(p) + (p - 1.0) * 0.5 - v * 2.0),
                gradient: [
                    1000.0 * (v.ln() - crate::math::special::digamma(p) + 0.5),
                    1000.0 * (p / v - 2.0),
                ],
                hessian: [
                    [-1000.0 * crate::math::special::trigamma(p), 1000.0 / v],
                    [1000.0 / v, -1000.0 * p / (v * v)],
                ],
            },
            [1.0, 1.0],
            [1.0, 1.0],
            0.0,
            &mut || {},
        )
        .unwrap();
        let [p, v] = found.parameters;
        assert!(found.converged && (p / v - 2.0).abs() < 1e-9);
        assert!((p.ln() - crate::math::special::digamma(p) - (2f64.ln() - 0.5)).abs() < 1e-9);
    }
}
