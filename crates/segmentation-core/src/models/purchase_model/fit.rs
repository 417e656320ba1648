//! Fitting: maximum likelihood, the choice of k, the choice of the family.

use ndarray::Array2;

use super::beta_geometric::{beta_geometric, nbd};
use super::cells::{Cells, Group};
use super::design::Design;
use super::model::{Candidate, PurchaseModel};
use super::options::FitOptions;
use super::pareto_nbd::pareto_nbd;
use super::{Family, MAX_K};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::warning::Warning;
use crate::math::newton::{Maximum, maximize};

/// Fewer customers than this get a warning.
const FEW_CUSTOMERS: u64 = 100;
/// A likelihood this much flatter in one direction than in another is not to be trusted.
const WORST_CONDITION: f64 = 1e6;
/// A standard error this large, of a parameter's logarithm, leaves its order of magnitude open.
const WORST_ERROR: f64 = 3.0;

/// One maximum, whatever the number of parameters.
struct Found {
    k: u32,
    parameters: Vec<f64>,
    covariance: Option<Array2<f64>>,
    log_likelihood: f64,
    condition: f64,
    at_bound: Vec<&'static str>,
    converged: bool,
}

/// Fits the model that the cells' options ask for.
///
/// # Errors
/// [`ErrorKind::NotReady`] if there is no customer, or none who bought on a second day: then
/// nothing tells rates from dropout. Doubts that leave a usable model are its warnings.
pub fn fit(cells: &Cells, checkpoint: Checkpoint) -> Result<PurchaseModel> {
    let options = cells.options();
    let design = Design::new(&cells.all, options.unit.days())?;
    checkpoint();
    check(&cells.all, &design)?;

    let mut warnings = Vec::new();
    let mut candidates = Vec::new();
    let (family, k) = match options.family {
        Some(family) => (family, options.k),
        None => choose(cells, &design, &mut candidates, &mut warnings, &mut *checkpoint)?,
    };
    let found = fit_family(&design, family, k, options, &mut *checkpoint).ok_or_else(|| {
        Error::new(
            ErrorKind::NotReady,
            format!("the {} model cannot be fitted to these customers", family.name()),
        )
        .detail("The likelihood is not finite.")
    })?;

    if !found.converged {
        warnings
            .push(Warning::new("not_converged", "The search for the maximum ended before it was certain."));
    }
    let vague = found.covariance.as_ref().is_some_and(|covariance| {
        covariance.diag().iter().zip(&found.parameters).any(|(v, p)| v.sqrt() > WORST_ERROR * p)
    });
    if !found.at_bound.is_empty() || found.condition > WORST_CONDITION || vague {
        let what = if found.at_bound.is_empty() {
            "The likelihood is nearly flat in one direction".to_owned()
        } else {
            format!("The likelihood still rises where {} left the range tried", found.at_bound.join(" and "))
        };
        let condition = if found.condition.is_finite() {
            format!("condition number {:.1e}", found.condition)
        } else {
            "no finite condition number".to_owned()
        };
        warnings.push(Warning::new(
            "not_identified",
            format!(
                "{what} ({condition}): single parameters mean little. Use more customers, a simpler family, \
                 or the option penalty."
            ),
        ));
    }
    if cells.customers() < FEW_CUSTOMERS {
        warnings.push(Warning::new(
            "few_customers",
            format!("Only {} customers: the parameters are uncertain.", cells.customers()),
        ));
    }
    if let Some(warning) = left_truncation(&cells.all)? {
        warnings.push(warning);
    }
    Ok(PurchaseModel {
        family,
        k: found.k,
        unit: options.unit.clone(),
        as_of: cells.as_of(),
        parameters: found.parameters,
        covariance: found.covariance,
        log_likelihood: found.log_likelihood,
        customers: cells.customers(),
        cells: cells.distinct()? as u64,
        skipped: cells.skipped(),
        warnings,
        candidates,
    })
}

/// Whether there is anything to learn from.
fn check(group: &Group, design: &Design) -> Result<()> {
    if group.customers() == 0 {
        return Err(Error::new(ErrorKind::NotReady, "no customer to fit a purchase model to")
            .hint("Check as_of and the options first_purchase_from and first_purchase_to."));
    }
    if design.purchases == 0.0 {
        return Err(Error::new(
            ErrorKind::NotReady,
            "no customer bought on a second day: a purchase model cannot be fitted",
        )
        .detail(format!("There are {} customers, all with one purchase day.", group.customers())));
    }
    Ok(())
}

fn fit_family(
    design: &Design,
    family: Family,
    k: Option<u32>,
    options: &FitOptions,
    checkpoint: Checkpoint,
) -> Option<Found> {
    // The literature's start (1, e, 1, e) in weeks, in whatever unit: the fit does not depend on it.
    let e = std::f64::consts::E;
    let weeks = 7.0 / options.unit.days();
    let penalty = options.penalty;
    match family {
        Family::Nbd => {
            let start = [1.0, e * weeks];
            let maximum = maximize(|p, c| nbd(design, p, c), start, start, penalty, checkpoint)?;
            Some(found(family, 1, maximum))
        }
        Family::ParetoNbd => {
            let start = [1.0, e * weeks, 1.0, e * weeks];
            let maximum = maximize(|p, c| pareto_nbd(design, p, c), start, start, penalty, checkpoint)?;
            Some(found(family, 1, maximum))
        }
        Family::BgNbd | Family::MbgNbd | Family::BgCnbdK | Family::MbgCnbdK => {
            let d = family.leaves_at_zero();
            let centre = [1.0, e * weeks, 1.0, e];
            let mut at = |k: u32, start: [f64; 4]| {
                // Stages pass k times as fast as purchases.
                let centre = [centre[0], centre[1] / f64::from(k), centre[2], centre[3]];
                maximize(|p, c| beta_geometric(design, k, d, p, c), start, centre, penalty, &mut *checkpoint)
            };
            let k = if family.is_erlang() { k } else { Some(1) };
            if let Some(k) = k {
                let first = at(1, centre)?;
                let maximum = if k == 1 { first } else { at(k, slowed(first.parameters, 1, k))? };
                return Some(found(family, k, maximum));
            }
            // BTYDplus' search: from 1 on, until the likelihood has fallen twice running.
            let mut best = (1, at(1, centre)?);
            let (mut last, mut falls) = (best.1.clone(), 0);
            for k in 2..=MAX_K {
                let Some(maximum) = at(k, slowed(last.parameters, k - 1, k)) else { break };
                falls = if maximum.log_likelihood < last.log_likelihood { falls + 1 } else { 0 };
                if maximum.log_likelihood > best.1.log_likelihood {
                    best = (k, maximum.clone());
                }
                last = maximum;
                if falls == 2 {
                    break;
                }
            }
            Some(found(family, best.0, best.1))
        }
    }
}

/// The start at another k: the same mean gap.
fn slowed([r, alpha, a, b]: [f64; 4], from: u32, to: u32) -> [f64; 4] {
    [r, alpha * f64::from(from) / f64::from(to), a, b]
}

fn found<const N: usize>(family: Family, k: u32, maximum: Maximum<N>) -> Found {
    let names = family.parameter_names();
    Found {
        k,
        parameters: maximum.parameters.to_vec(),
        covariance: maximum.covariance,
        log_likelihood: maximum.log_likelihood,
        condition: maximum.condition,
        at_bound: (0..N).filter(|&i| maximum.at_bound[i]).map(|i| names[i]).collect(),
        converged: maximum.converged,
    }
}

/// The family that foresees best: each is fitted to the customers as they were at the inner split,
/// and judged by the log-likelihood of all that followed, given what came before (the ratio of the
/// two likelihoods; new customers count with their own). That is a proper score, so that no family
/// gains by being more certain than it should.
fn choose(
    cells: &Cells,
    design: &Design,
    candidates: &mut Vec<Candidate>,
    warnings: &mut Vec<Warning>,
    checkpoint: Checkpoint,
) -> Result<(Family, Option<u32>)> {
    let options = cells.options();
    let inner = Design::new(&cells.before_split, options.unit.days())?;
    let usable = cells.before_split.customers() >= FEW_CUSTOMERS && inner.purchases > 0.0;
    if !usable {
        warnings.push(Warning::new(
            "holdout_unusable",
            "Too few customers bought before the inner split: the family was chosen by Akaike's criterion on all \
             the data. Set the option holdout, or name a family.",
        ));
    }
    let fitted_to = if usable { &inner } else { design };
    let mut best: Option<(f64, Family, Option<u32>)> = None;
    for family in Family::ALL {
        checkpoint();
        let found = fit_family(fitted_to, family, None, options, &mut *checkpoint);
        let score = found.as_ref().and_then(|found| {
            let score = if usable {
                value(design, family, found, &mut *checkpoint) - found.log_likelihood
            } else {
                let shape = if family.is_erlang() { 1 } else { 0 };
                found.log_likelihood - (found.parameters.len() + shape) as f64
            };
            score.is_finite().then_some(score)
        });
        let k = found.as_ref().map(|found| found.k).filter(|_| family.is_erlang());
        candidates.push(Candidate { family, k, log_likelihood_after_split: score.filter(|_| usable) });
        // With equal scores the simpler family, which comes first: k = 1 is the family without k.
        if let Some(score) = score {
            let noise = 1e-9 * (1.0 + score.abs());
            if best.is_none_or(|(most, ..)| score > most + noise) {
                best = Some((score, family, k));
            }
        }
    }
    best.map(|(_, family, k)| (family, k)).ok_or_else(|| {
        Error::new(ErrorKind::NotReady, "no purchase model can be fitted to these customers")
            .detail("The likelihood of every family is not finite.")
    })
}

/// The log-likelihood of a design under a fit to another.
fn value(design: &Design, family: Family, found: &Found, checkpoint: Checkpoint) -> f64 {
    match (family, found.parameters.as_slice()) {
        (Family::Nbd, &[r, alpha]) => nbd(design, &[r, alpha], checkpoint).value,
        (Family::ParetoNbd, &[r, alpha, s, beta]) => {
            pareto_nbd(design, &[r, alpha, s, beta], checkpoint).value
        }
        (_, &[r, alpha, a, b]) => {
            beta_geometric(design, found.k, family.leaves_at_zero(), &[r, alpha, a, b], checkpoint).value
        }
        _ => f64::NAN,
    }
}

/// A log that begins after its customers did shows their next purchase as their first: 'first'
/// purchases crowd at its start. Warned of when the first twelfth of the span of first purchases
/// holds more than three times the mean of the rest.
fn left_truncation(group: &Group) -> Result<Option<Warning>> {
    let cells = group.sorted()?;
    let times = || cells.iter().map(|(s, _)| s.t);
    let (Some(earliest), Some(latest)) = (times().max(), times().min()) else { return Ok(None) };
    let span = earliest - latest;
    if span < 60 || group.customers() < FEW_CUSTOMERS {
        return Ok(None);
    }
    let start = span.div_ceil(12);
    let crowd: u64 = cells.iter().filter(|(s, _)| earliest - s.t < start).map(|(_, n)| n).sum();
    let rest = group.customers() - crowd;
    let by_day = (crowd as f64 / f64::from(start), rest as f64 / f64::from(span + 1 - start));
    Ok((crowd >= 30 && by_day.0 > 3.0 * by_day.1).then(|| {
        let share = 100.0 * crowd as f64 / group.customers() as f64;
        Warning::new(
            "left_truncated",
            format!(
                "{share:.0} % of the first purchases lie in the first {start} days of the log, which probably \
                 begins after its customers did. Set first_purchase_from to a day when the rush is over."
            ),
        )
    }))
}
