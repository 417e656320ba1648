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
    /// What was maximised: the log-likelihood without the ridge's penalty.
    pub penalized: f64,
    /// Which parameters the data tell. All of them until [`profiled`] has looked.
    pub identified: [bool; N],
}

/// A log-parameter may lie this far from the centre: a factor of 160,000 either way. Further out no
/// data tell a parameter from its limit, and rounding errors take the place of the slope.
pub(crate) const REACH: f64 = 12.0;
/// Values that differ by less, relative to their size, are the same maximum.
const SAME: f64 = 1e-9;
/// A quantile of the chi-squared distribution with one degree of freedom: a profile likelihood that falls by less than
/// half of it leaves a value within the 95 % interval.
const LIKELIHOOD_RATIO: f64 = 3.841_458_820_694_124;
/// The standard error of a logarithm from which on the profile likelihood is looked at: quadratic is it no longer.
const VAGUE: f64 = 1.0;
/// Likewise a condition number.
const WORST_CONDITION: f64 = 1e6;
/// The longest step of a log-parameter.
const LONGEST_STEP: f64 = 1.5;
const MOST_STEPS: usize = 200;

/// Maximises `likelihood` from `start`, within [`REACH`] of `centre`.
///
/// The step solves the Newton equations with the Hessian's eigenvalues made negative, so that it
/// always ascends; it is capped, and halved until the likelihood does not fall. The covariance is
/// the inverse of the negative Hessian at the end.
pub(crate) fn maximize<const N: usize>(
    likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    start: [f64; N],
    centre: [f64; N],
    penalty: f64,
    checkpoint: Checkpoint,
) -> Option<Maximum<N>> {
    maximize_with(likelihood, start, (centre, REACH), penalty, [false; N], checkpoint)
}

/// The highest of the maxima found from several starts; of equal ones that of the first start.
///
/// A likelihood may have a flat shoulder (a parameter that has run to its limit, where nothing pulls it back) beside its
/// maximum: which of them a search ends at depends on where it began.
pub(crate) fn maximize_from<const N: usize>(
    mut likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    starts: &[[f64; N]],
    centre: [f64; N],
    penalty: f64,
    checkpoint: Checkpoint,
) -> Option<Maximum<N>> {
    let mut best: Option<Maximum<N>> = None;
    for start in starts {
        let found = maximize(&mut likelihood, *start, centre, penalty, &mut *checkpoint);
        best = match (best, found) {
            (Some(best), Some(found)) if !found.is_higher_than(&best) => Some(best),
            (best, found) => found.or(best),
        };
    }
    best
}

impl<const N: usize> Maximum<N> {
    /// Whether it is higher than another by more than rounding, or as high and converged where the other is not.
    pub(crate) fn is_higher_than(&self, other: &Self) -> bool {
        let noise = SAME * (1.0 + other.penalized.abs());
        let gain = self.penalized - other.penalized;
        gain > noise || (gain > -noise && self.converged && !other.converged)
    }

    /// Whether all parameters are within reach of the centre.
    fn within(&self, centre: &[f64; N]) -> bool {
        self.parameters.iter().zip(centre).all(|(p, c)| (p / c).ln().abs() <= REACH + 1e-6)
    }

    /// The standard errors of the logarithms of the parameters; infinite where there is no curvature.
    pub(crate) fn log_errors(&self) -> [f64; N] {
        std::array::from_fn(|i| {
            let variance = self.covariance.as_ref().map(|c| c[[i, i]]).filter(|v| *v > 0.0);
            variance.map_or(f64::INFINITY, |v| v.sqrt() / self.parameters[i])
        })
    }
}

/// Asks the profile likelihood about the parameters that the curvature leaves in doubt: one is not identified if its
/// 95 % interval has no end within [`REACH`] of the centre. What is found higher on the way takes the maximum's place.
///
/// The covariance is left as it is: see [`widened`].
///
/// Source: Venzon and Moolgavkar, A method for computing profile-likelihood-based confidence intervals, Applied
/// Statistics 37 (1988).
pub(crate) fn profiled<const N: usize>(
    mut likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    mut found: Maximum<N>,
    centre: [f64; N],
    penalty: f64,
    checkpoint: Checkpoint,
) -> Maximum<N> {
    // Each better maximum is one more chance; there cannot be many.
    for _ in 0..4 {
        let errors = found.log_errors();
        let in_doubt = |i: usize| found.at_bound[i] || errors[i] > VAGUE || found.condition > WORST_CONDITION;
        let doubtful: Vec<usize> = (0..N).filter(|&i| in_doubt(i)).collect();
        let mut identified = [true; N];
        let mut higher: Option<Maximum<N>> = None;
        'parameters: for i in doubtful {
            for side in [-1.0, 1.0] {
                let mut start = found.parameters;
                start[i] = (centre[i].ln() + side * REACH).exp();
                let mut held = [false; N];
                held[i] = true;
                // The others have more room: what runs away together is not to stop where the first one does.
                let room = (centre, 1.5 * REACH);
                let there = maximize_with(&mut likelihood, start, room, penalty, held, &mut *checkpoint);
                let Some(there) = there else { continue };
                if 2.0 * (found.penalized - there.penalized) < LIKELIHOOD_RATIO {
                    identified[i] = false;
                }
                if there.penalized > found.penalized + 1e-6 * (1.0 + found.penalized.abs())
                    && there.within(&centre)
                {
                    higher = maximize(&mut likelihood, there.parameters, centre, penalty, &mut *checkpoint);
                    if higher.is_some() {
                        break 'parameters;
                    }
                }
                if !identified[i] {
                    break;
                }
            }
        }
        match higher {
            Some(higher) if higher.is_higher_than(&found) => found = higher,
            _ => {
                found.identified = identified;
                break;
            }
        }
    }
    found
}

/// A maximum of which some parameters are not identified, with the covariance that is left: that of the others, whatever
/// value those take, as if they had been given with a standard error of half the reach. Functions of the parameters on
/// which the data do speak, such as a ratio of two that run away together, keep the variance that they have.
pub(crate) fn widened<const N: usize>(
    mut likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    mut found: Maximum<N>,
    centre: [f64; N],
    penalty: f64,
    checkpoint: Checkpoint,
) -> Maximum<N> {
    if found.identified.contains(&false) {
        let at = likelihood(&found.parameters, checkpoint).in_logs(&found.parameters, &centre, penalty);
        let mut curvature = -arr2(&at.hessian);
        for i in (0..N).filter(|&i| !found.identified[i]) {
            curvature[[i, i]] += 4.0 / (REACH * REACH);
        }
        found.covariance = covariance(curvature, &found.parameters);
    }
    found
}

/// The inverse of the curvature in the logarithms, as the covariance of the parameters themselves.
fn covariance<const N: usize>(curvature: Array2<f64>, parameters: &[f64; N]) -> Option<Array2<f64>> {
    let (values, _) = eigen(curvature.view())?;
    let (smallest, largest) = (*values.first()?, *values.last()?);
    let definite = smallest > 1e-14 * largest && largest > 0.0;
    let mut covariance = Cholesky::new(curvature.view()).filter(|_| definite)?.inverse();
    covariance.indexed_iter_mut().for_each(|((i, j), v)| *v *= parameters[i] * parameters[j]);
    Some(covariance).filter(|c| c.iter().all(|v| v.is_finite()) && c.diag().iter().all(|v| *v > 0.0))
}

/// As [`maximize`], within any reach of the centre, and with some parameters held where they start.
pub(crate) fn maximize_with<const N: usize>(
    mut likelihood: impl FnMut(&[f64; N], Checkpoint) -> Evaluation<N>,
    start: [f64; N],
    (centre, reach): ([f64; N], f64),
    penalty: f64,
    fixed: [bool; N],
    checkpoint: Checkpoint,
) -> Option<Maximum<N>> {
    let (low, high) = (centre.map(|p| p.ln() - reach), centre.map(|p| p.ln() + reach));
    let mut parameters: [f64; N] = std::array::from_fn(|i| {
        let theta = start[i].ln();
        if theta < low[i] || theta > high[i] { theta.clamp(low[i], high[i]).exp() } else { start[i] }
    });
    let mut at = likelihood(&parameters, &mut *checkpoint);
    if !at.is_finite() {
        return None;
    }
    let mut converged = false;
    for _ in 0..MOST_STEPS {
        let log = at.in_logs(&parameters, &centre, penalty);
        let theta = parameters.map(f64::ln);
        // A parameter at its bound that wants further out is held there.
        let held: [bool; N] = std::array::from_fn(|i| {
            fixed[i]
                || (theta[i] <= low[i] + 1e-9 && log.gradient[i] < 0.0)
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
        let (mut moved, mut gain) = (false, 0.0);
        for _ in 0..24 {
            let trial: [f64; N] = std::array::from_fn(|i| (theta[i] + step[i]).clamp(low[i], high[i]).exp());
            let there = likelihood(&trial, &mut *checkpoint);
            if there.is_finite() {
                let value = there.in_logs(&trial, &centre, penalty).value;
                if value >= log.value + 1e-4 * promise - noise {
                    (parameters, at, moved, gain) = (trial, there, true, value - log.value);
                    break;
                }
            }
            step *= 0.5;
        }
        // Along a flat ridge steps would go on for ever whose gains are nothing but noise.
        if !moved || promise <= 1e-9 || gain <= noise {
            converged = promise <= 1e-4;
            break;
        }
    }
    let log = at.in_logs(&parameters, &centre, penalty);
    let at_bound: [bool; N] = std::array::from_fn(|i| {
        let theta = parameters[i].ln();
        theta <= low[i] + 1e-6 || theta >= high[i] - 1e-6
    });
    let curvature = -arr2(&log.hessian);
    let (smallest, largest) = eigen(curvature.view())
        .and_then(|(values, _)| Some((*values.first()?, *values.last()?)))
        .unwrap_or_default();
    let definite = smallest > 1e-14 * largest && largest > 0.0;
    Some(Maximum {
        parameters,
        covariance: covariance(curvature, &parameters),
        log_likelihood: at.value,
        condition: if definite { largest / smallest } else { f64::INFINITY },
        at_bound,
        converged,
        penalized: log.value,
        identified: [true; N],
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
