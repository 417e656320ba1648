//! Fitting: what the options ask for, and doubts of what was found.

use super::Family;
use super::cells::{Cells, Group};
use super::choose::choose;
use super::design::Design;
use super::model::PurchaseModel;
use super::score::Scorer;
use super::search::{FEW_CUSTOMERS, Found, Search, fit_family};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::warning::Warning;
use crate::base::words::counted;

/// A family that lets customers leave gains less than this over one in which nobody does: no sign of leaving. Half the
/// 90 % quantile of the chi-squared distribution with one degree of freedom: nobody leaving is the end of the range.
const NO_DROPOUT: f64 = 0.5 * 2.705_543_454_095_404;
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
            format!("Only {}: the parameters are uncertain.", counted(cells.customers(), "customer")),
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
        .detail(format!("Given: {}, all with one purchase day.", counted(group.customers(), "customer"))));
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
                "{share:.0} % of the first purchases lie in the first {} of the log, which probably \
                 begins after its customers did. Set first_purchase_from to a day when the rush is over.",
                counted(start, "day")
            ),
        )
    }))
}
