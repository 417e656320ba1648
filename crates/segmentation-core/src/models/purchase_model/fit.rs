//! Fitting: maximum likelihood from several starts, the choice of k, and doubts.

use ndarray::Array2;

use super::beta_geometric::{beta_geometric, nbd};
use super::cells::{Cells, Group};
use super::choose::choose;
use super::design::Design;
use super::model::PurchaseModel;
use super::options::FitOptions;
use super::pareto_nbd::pareto_nbd;
use super::score::Scorer;
use super::{Family, MAX_K};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::warning::Warning;
use crate::math::newton::{Evaluation, Maximum, REACH, maximize, maximize_from, maximize_with, profiled};

/// Fewer customers than this get a warning.
pub(super) const FEW_CUSTOMERS: u64 = 100;
/// A family that lets customers leave gains less than this over one in which nobody does: no sign of leaving. Half the
/// 90 % quantile of the chi-squared distribution with one degree of freedom: nobody leaving is the end of the range.
const NO_DROPOUT: f64 = 0.5 * 2.705_543_454_095_404;
/// Several starts are tried on at most so many cells; the best of them on all.
const EXPLORED: usize = 4096;

/// One maximum, whatever the number of parameters.
pub(super) struct Found {
    pub k: u32,
    pub parameters: Vec<f64>,
    covariance: Option<Array2<f64>>,
    identified: Vec<bool>,
    pub log_likelihood: f64,
    converged: bool,
    /// The gain over nobody leaving, if it was asked for.
    gain: Option<f64>,
}

/// What a fit searches on.
pub(super) struct Search {
    pub design: Design,
    /// A sample of it for trying starts.
    thin: Option<Design>,
    penalty: f64,
    /// One week in the unit of time: the literature's start is in weeks, so that the fit does not depend on the unit.
    week: f64,
    /// Whether to look at what is identified, and at signs of leaving.
    doubts: bool,
}

impl Search {
    pub(super) fn new(design: Design, options: &FitOptions, doubts: bool) -> Result<Self> {
        let thin = design.thinned(EXPLORED)?;
        Ok(Self { design, thin, penalty: options.penalty, week: 7.0 / options.unit.days(), doubts })
    }
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
        None => {
            let design = Design::new(&cells.all, options.unit.days())?;
            let choice = choose(cells, design, &mut *checkpoint)?;
            warnings.extend(choice.warning);
            if choice.family == Family::Nbd {
                warnings.push(Warning::new(
                    "no_dropout",
                    "The family chosen is nbd, in which nobody ever leaves. Expect churn probabilities that are too low.",
                ));
            }
            candidates = choice.candidates;
            (choice.family, choice.k)
        }
    };
    let search = Search::new(design, options, true)?;
    let found = fit_family(&search, family, k, &mut *checkpoint).ok_or_else(|| {
        Error::new(
            ErrorKind::NotReady,
            format!("the {} model cannot be fitted to these customers", family.name()),
        )
        .detail("The likelihood is not finite.")
    })?;
    warnings.extend(doubts_of(&found, family));
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
        identified: found.identified.iter().map(|i| *i && found.covariance.is_some()).collect(),
        covariance: found.covariance,
        log_likelihood: found.log_likelihood,
        customers: cells.customers(),
        cells: cells.distinct()? as u64,
        skipped: cells.skipped(),
        warnings,
        candidates,
    })
}

/// The scorer of the family that the cells' options name, and its k, without all that [`fit`] says of parameters, which
/// takes longer than to find them. `None` where nothing can be fitted.
///
/// # Errors
/// No memory.
pub(crate) fn fit_scorer(cells: &Cells, checkpoint: Checkpoint) -> Result<Option<(u32, Scorer)>> {
    let options = cells.options();
    let design = Design::new(&cells.all, options.unit.days())?;
    let Some(family) = options.family.filter(|_| check(&cells.all, &design).is_ok()) else { return Ok(None) };
    let search = Search::new(design, options, false)?;
    let found = fit_family(&search, family, options.k, checkpoint);
    found
        .map(|found| {
            let scorer = Scorer::from_parameters(family, found.k, &found.parameters, options.unit.days())?;
            Ok((found.k, scorer))
        })
        .transpose()
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

/// What a maximum leaves open.
fn doubts_of(found: &Found, family: Family) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if !found.converged {
        warnings
            .push(Warning::new("not_converged", "The search for the maximum ended before it was certain."));
    }
    if let Some(gain) = found.gain.filter(|gain| *gain < NO_DROPOUT) {
        let instead = if found.k > 1 { "the same gaps without leaving" } else { "nbd" };
        warnings.push(Warning::new(
            "no_dropout",
            format!(
                "These customers show no sign of leaving: the log-likelihood is only {:.3} above that of {instead}. \
                 Expect churn probabilities that are too low.",
                gain.max(0.0)
            ),
        ));
    }
    let names = family.parameter_names().iter().zip(&found.identified);
    let vague: Vec<&str> = names.filter(|(_, identified)| !**identified).map(|(name, _)| *name).collect();
    if !vague.is_empty() {
        let (verb, it) = if vague.len() == 1 { ("is", "It has") } else { ("are", "They have") };
        warnings.push(Warning::new(
            "not_identified",
            format!(
                "The data do not tell how great {} {verb}: the 95 % interval by profile likelihood has no end. {it} no \
                 standard error. Use more customers, a simpler family, or the option penalty.",
                vague.join(" and ")
            ),
        ));
    }
    warnings
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
    Some(if search.doubts { profiled(full, best, centre, penalty, checkpoint) } else { best })
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
