//! The search for the maximum of a family's likelihood: from several starts, and over k.

use ndarray::Array2;

use super::beta_geometric::{beta_geometric, nbd};
use super::design::Design;
use super::options::FitOptions;
use super::pareto_nbd::pareto_nbd;
use super::{Family, MAX_K};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::math::newton::{
    Evaluation, Maximum, REACH, maximize, maximize_from, maximize_with, profiled, widened,
};

/// Fewer customers than this get a warning.
pub(super) const FEW_CUSTOMERS: u64 = 100;
/// Several starts are tried on at most so many cells; the best of them on all.
const EXPLORED: usize = 4096;
/// What is identified is asked of at most so many: a likelihood that is flat takes hundreds of looks at each.
const PROFILED: usize = 16_384;

/// One maximum, whatever the number of parameters.
pub(super) struct Found {
    pub k: u32,
    pub parameters: Vec<f64>,
    pub covariance: Option<Array2<f64>>,
    pub identified: Vec<bool>,
    pub log_likelihood: f64,
    pub converged: bool,
    /// The gain over nobody leaving, if it was asked for.
    pub gain: Option<f64>,
}

/// What a fit searches on.
pub(super) struct Search {
    pub design: Design,
    /// A sample of it for trying starts.
    thin: Option<Design>,
    /// Another, to ask what is identified.
    asked: Option<Design>,
    penalty: f64,
    /// One week in the unit of time: the literature's start is in weeks, so that the fit does not depend on the unit.
    week: f64,
    /// Whether to look at what is identified, and at signs of leaving.
    doubts: bool,
}

impl Search {
    pub(super) fn new(design: Design, options: &FitOptions, doubts: bool) -> Result<Self> {
        let thin = design.thinned(EXPLORED)?;
        let asked = if doubts { design.thinned(PROFILED)? } else { None };
        Ok(Self { design, thin, asked, penalty: options.penalty, week: 7.0 / options.unit.days(), doubts })
    }
}

/// The maximum of a family; k by likelihood if it is not given.
pub(super) fn fit_family(
    search: &Search,
    family: Family,
    k: Option<u32>,
    checkpoint: Checkpoint,
) -> Option<Found> {
    let k = if family.is_erlang() { k } else { Some(1) };
    if let Some(k) = k {
        let before = if k > 1 { fit_at(search, family, 1, None, &mut *checkpoint) } else { None };
        return fit_at(search, family, k, before.as_ref(), checkpoint).map(|found| found.found(family, k));
    }
    // BTYDplus' search: from 1 on, until the likelihood has fallen twice running.
    let mut best: Option<(u32, Fitted)> = None;
    let (mut last, mut falls): (Option<Fitted>, _) = (None, 0);
    for k in 1..=MAX_K {
        let Some(fitted) = fit_at(search, family, k, last.as_ref(), &mut *checkpoint) else { break };
        let value = fitted.log_likelihood();
        falls = if last.is_some_and(|last| value < last.log_likelihood()) { falls + 1 } else { 0 };
        if best.as_ref().is_none_or(|(_, best)| value > best.log_likelihood()) {
            best = Some((k, fitted.clone()));
        }
        last = Some(fitted);
        if falls == 2 {
            break;
        }
    }
    best.map(|(k, fitted)| fitted.found(family, k))
}

/// A maximum of two or of four parameters.
#[derive(Clone)]
pub(super) enum Fitted {
    Two(Maximum<2>),
    Four(Maximum<4>, Option<f64>),
}

impl Fitted {
    fn log_likelihood(&self) -> f64 {
        match self {
            Self::Two(maximum) => maximum.log_likelihood,
            Self::Four(maximum, _) => maximum.log_likelihood,
        }
    }

    pub(super) fn parameters(&self) -> &[f64] {
        match self {
            Self::Two(maximum) => &maximum.parameters,
            Self::Four(maximum, _) => &maximum.parameters,
        }
    }

    fn found(self, family: Family, k: u32) -> Found {
        let k = if family.is_erlang() { k } else { 1 };
        match self {
            Self::Two(maximum) => found(k, maximum, None),
            Self::Four(maximum, gain) => found(k, maximum, gain),
        }
    }
}

/// The maximum at one k; `before` is that at the k before, whose mean gaps are one of the starts.
pub(super) fn fit_at(
    search: &Search,
    family: Family,
    k: u32,
    before: Option<&Fitted>,
    checkpoint: Checkpoint,
) -> Option<Fitted> {
    // The literature's start in weeks; stages pass k times as fast as purchases.
    let e = std::f64::consts::E;
    let stage = search.week / f64::from(k);
    match family {
        Family::Nbd => {
            let centre = [1.0, e * search.week];
            climb(&nbd, search, &[centre], centre, &mut *checkpoint).map(Fitted::Two)
        }
        Family::ParetoNbd => {
            let centre = [1.0, e * search.week, 1.0, e * search.week];
            // Few who leave, late; and many, at once.
            let few = [0.5, 5.0 * search.week, 0.1, 10.0 * search.week];
            climb_leaving(&pareto_nbd, search, &[centre, few], centre, checkpoint)
        }
        Family::BgNbd | Family::MbgNbd | Family::BgCnbdK | Family::MbgCnbdK => {
            let d = family.leaves_at_zero();
            let likelihood = |design: &Design, p: &[f64; 4], checkpoint: Checkpoint| {
                beta_geometric(design, k, d, p, checkpoint)
            };
            let centre = [1.0, e * stage, 1.0, e];
            // Few who leave, unlike each other and alike.
            let mut starts = vec![centre, [0.7, 8.0 * stage, 0.1, 1.0], [0.7, 8.0 * stage, 0.1, 10.0]];
            if let Some(Fitted::Four(before, _)) = before {
                let [r, alpha, a, b] = before.parameters;
                starts.push([r, alpha * f64::from(k.max(2) - 1) / f64::from(k), a, b]);
            }
            climb_leaving(&likelihood, search, &starts, centre, checkpoint)
        }
    }
}

/// The highest maximum from several starts, which are tried on a sample if there are many cells.
fn climb<const N: usize>(
    likelihood: &impl Fn(&Design, &[f64; N], Checkpoint) -> Evaluation<N>,
    search: &Search,
    starts: &[[f64; N]],
    centre: [f64; N],
    checkpoint: Checkpoint,
) -> Option<Maximum<N>> {
    let full = |p: &[f64; N], c: Checkpoint| likelihood(&search.design, p, c);
    let penalty = search.penalty;
    let mut tops: Vec<Maximum<N>> = Vec::new();
    let best = match &search.thin {
        None => maximize_from(full, starts, centre, penalty, &mut *checkpoint)?,
        Some(thin) => {
            for start in starts {
                let at = |p: &[f64; N], c: Checkpoint| likelihood(thin, p, c);
                tops.extend(maximize(at, *start, centre, penalty, &mut *checkpoint));
            }
            tops.sort_by(|a, b| b.penalized.total_cmp(&a.penalized));
            let apart = |a: &Maximum<N>, b: &Maximum<N>| {
                a.parameters.iter().zip(&b.parameters).any(|(a, b)| (a / b).ln().abs() > 0.05)
            };
            tops.dedup_by(|b, a| !apart(a, b));
            tops.truncate(2);
            let tops: Vec<[f64; N]> = tops.iter().map(|top| top.parameters).collect();
            maximize_from(full, &tops, centre, penalty, &mut *checkpoint)?
        }
    };
    if !search.doubts {
        return Some(best);
    }
    let best = match &search.asked {
        None => profiled(full, best, centre, penalty, &mut *checkpoint),
        Some(asked) => {
            let at = |p: &[f64; N], c: Checkpoint| likelihood(asked, p, c);
            let near = maximize(at, best.parameters, centre, penalty, &mut *checkpoint)?;
            let looked = profiled(at, near.clone(), centre, penalty, &mut *checkpoint);
            // What was found higher on the way may be so for all.
            let other = looked
                .is_higher_than(&near)
                .then(|| maximize(full, looked.parameters, centre, penalty, &mut *checkpoint))
                .flatten();
            let best = other.filter(|other| other.is_higher_than(&best)).unwrap_or(best);
            Maximum { identified: looked.identified, ..best }
        }
    };
    Some(widened(full, best, centre, penalty, checkpoint))
}

/// The same for a family whose customers leave, with the gain over nobody leaving where that is in doubt.
fn climb_leaving(
    likelihood: &impl Fn(&Design, &[f64; 4], Checkpoint) -> Evaluation<4>,
    search: &Search,
    starts: &[[f64; 4]],
    centre: [f64; 4],
    checkpoint: Checkpoint,
) -> Option<Fitted> {
    let found = climb(likelihood, search, starts, centre, &mut *checkpoint)?;
    let in_doubt = found.at_bound[2] || !found.identified[2] || found.log_errors()[2] > 0.5;
    let gain = (search.doubts && in_doubt).then(|| {
        let start = [found.parameters[0], found.parameters[1], centre[2] * (-REACH).exp(), centre[3]];
        let full = |p: &[f64; 4], c: Checkpoint| likelihood(&search.design, p, c);
        let nobody = maximize_with(
            full,
            start,
            (centre, REACH),
            search.penalty,
            [false, false, true, true],
            checkpoint,
        );
        nobody.map(|nobody| found.penalized - nobody.penalized)
    });
    Some(Fitted::Four(found, gain.flatten()))
}

fn found<const N: usize>(k: u32, maximum: Maximum<N>, gain: Option<f64>) -> Found {
    Found {
        k,
        parameters: maximum.parameters.to_vec(),
        covariance: maximum.covariance,
        identified: maximum.identified.to_vec(),
        log_likelihood: maximum.log_likelihood,
        converged: maximum.converged,
        gain,
    }
}
