//! From cells to a model.

use super::cells::{Cell, REASONS, SpendCells};
use super::likelihood::{Row, fit_mixture, fit_shape};
use super::model::{Shape, SpendModel};
use super::options::{SpendFamily, SpendOptions, Transactions};
use super::summary::SpendSummary;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash;
use crate::base::memory;
use crate::base::money::Money;
use crate::base::warning::Warning;
use crate::base::words::counted;

/// A likelihood this much flatter in one direction than in another is not to be trusted.
const WORST_CONDITION: f64 = 1e6;
/// Likelihoods of days look at about so many cells at most: shares of classes are then known to half a percent.
const SAMPLE: usize = 1 << 14;

/// Fits a spend model by maximum likelihood; under `auto` two, of which a back-test says which.
///
/// The families of days take about 16,384 cells at most, chosen by a hash of what is in them.
///
/// # Errors
/// [`ErrorKind::NotReady`] if no customer has a transaction with a positive spend, or the likelihood
/// has no finite value. Doubts that leave a usable model are its warnings.
pub fn fit_spend(cells: &SpendCells, checkpoint: Checkpoint) -> Result<SpendModel> {
    let few = || {
        Error::new(ErrorKind::NotReady, "no customer to fit a spend model to")
            .detail("A spend model needs customers who bought on at least two days, and spent something.")
    };
    if cells.customers() == 0 {
        return Err(few());
    }
    let options = cells.options();
    let sorted = cells.sorted()?;
    checkpoint();
    if options.transactions != Transactions::Auto {
        return fit_to(cells, &sorted, options.transactions, &mut *checkpoint);
    }
    let every = fit_to(cells, &sorted, Transactions::Every, &mut *checkpoint)?;
    let repeat =
        match fit_to(cells, &repeats(&sorted, options.family)?, Transactions::Repeat, &mut *checkpoint) {
            Ok(repeat) => repeat,
            // Nobody bought twice: there is one way only, and no back-test.
            Err(error) if error.kind == ErrorKind::NotReady => return Ok(every),
            Err(error) => return Err(error),
        };
    let errors =
        [last_day_errors(&repeat, &sorted, checkpoint), last_day_errors(&every, &sorted, checkpoint)];
    let better = if errors[1] <= errors[0] { every } else { repeat };
    Ok(SpendModel { compared: Some(errors), ..better })
}

/// The cells of who bought on a second day, without the first.
fn repeats(sorted: &[(Cell, u64)], family: SpendFamily) -> Result<Vec<(Cell, u64)>> {
    let mut repeats: Vec<(Cell, u64)> = memory::with_capacity(sorted.len())?;
    for (cell, n) in sorted {
        let spent = cell.spent.without(cell.ends[0]);
        let counts = match family {
            SpendFamily::GammaGamma => spent.transactions > 0,
            _ => spent.paid() > 0,
        };
        if counts && spent.total > Money::ZERO {
            repeats.push((Cell { spent, ..*cell }, *n));
        }
    }
    repeats.sort_unstable();
    Ok(repeats)
}

/// The mean error of what is foreseen for the last purchase day of repeat buyers, from the days before.
fn last_day_errors(model: &SpendModel, sorted: &[(Cell, u64)], checkpoint: Checkpoint) -> f64 {
    let (mut errors, mut customers) = (0.0, 0.0);
    for (i, (cell, n)) in sampled(sorted).enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        if cell.spent.transactions < 2 {
            continue;
        }
        let mut before = cell.spent.without(cell.ends[1]);
        if model.transactions == Transactions::Repeat {
            before = before.without(cell.ends[0]);
        }
        let Some(expected) = model.expected_spend(&before) else { return f64::MAX };
        errors += n as f64 * (expected - cell.ends[1].to_f64()).abs();
        customers += n as f64;
    }
    if customers > 0.0 { errors / customers } else { 0.0 }
}

/// At most so many cells as likelihoods of days look at, in order; by a hash of what is in them.
fn sampled(sorted: &[(Cell, u64)]) -> impl Iterator<Item = (&Cell, u64)> {
    let hash_of = |cell: &Cell| {
        let spent = cell.spent;
        [i64::from(spent.transactions), spent.total.0, spent.logs, cell.ends[0].0, cell.ends[1].0]
            .iter()
            .fold(0, |h, v| hash::mix(h ^ *v as u64))
    };
    // The share of hashes that are taken; a little fewer or more than asked for.
    let limit = match sorted.len() {
        n if n <= SAMPLE => u64::MAX,
        n => (SAMPLE as f64 / n as f64 * u64::MAX as f64) as u64,
    };
    sorted.iter().filter(move |(cell, _)| hash_of(cell) <= limit).map(|(cell, n)| (cell, *n))
}

fn fit_to(
    cells: &SpendCells,
    sorted: &[(Cell, u64)],
    transactions: Transactions,
    checkpoint: Checkpoint,
) -> Result<SpendModel> {
    let SpendOptions { family, penalty, .. } = *cells.options();
    let customers: u64 = sorted.iter().map(|(_, n)| n).sum();
    if customers == 0 {
        return Err(Error::new(ErrorKind::NotReady, "no customer to fit a spend model to")
            .detail("A spend model needs customers who bought on at least two days, and spent something."));
    }
    let (days, nothing) = sorted.iter().fold((0.0, 0.0), |(days, nothing), (cell, n)| {
        let n = *n as f64;
        (days + n * f64::from(cell.spent.transactions), nothing + n * f64::from(cell.spent.nothing))
    });
    let mut fitted = Fitted::default();
    let shape = match family {
        SpendFamily::GammaGamma => {
            let row = |s: &SpendSummary, n: u64| Row {
                x: s.transactions,
                total: s.total.to_f64(),
                logs: 0.0,
                n: n as f64,
            };
            let rows = memory::collect(sorted.iter().map(|(c, n)| row(&c.spent, *n)))?;
            fitted.one(fit_shape(&rows, true, penalty, checkpoint)?)
        }
        _ => {
            let mut rows = memory::collect(sampled(sorted).map(|(c, n)| Row::of_days(&c.spent, n as f64)))?;
            // By days that came to something; the sort is stable.
            rows.sort_by_key(|row| row.x);
            match family {
                SpendFamily::GammaGammaDays => fitted.one(fit_shape(&rows, false, penalty, checkpoint)?),
                _ => {
                    let mixture = fit_mixture(&rows, penalty, checkpoint)?;
                    let [q, scale] = fitted.maximum(mixture.maximum);
                    Shape::Classes { q, scale, shares: mixture.shares }
                }
            }
        }
    };
    let one_time = cells.customers() - customers;
    let skipped = REASONS.iter().map(|reason| {
        let counted = cells.skipped().find(|(r, _)| r == reason).map_or(0, |(_, n)| n);
        ((*reason).to_owned(), counted + if *reason == "one_purchase_day" { one_time } else { 0 })
    });
    Ok(SpendModel {
        family,
        transactions,
        as_of: cells.as_of(),
        shape,
        covariance: fitted.covariance.take(),
        nothing: if family == SpendFamily::GammaGamma { 0.0 } else { nothing / days },
        compared: None,
        log_likelihood: fitted.log_likelihood,
        customers,
        cells: sorted.len() as u64,
        skipped: skipped.filter(|(_, n)| *n > 0).collect(),
        warnings: fitted.warnings(&shape, customers),
        limit: None,
    }
    .limited())
}

/// What is common to what fits find.
#[derive(Default)]
struct Fitted {
    covariance: Option<ndarray::Array2<f64>>,
    log_likelihood: f64,
    condition: f64,
    at_bound: bool,
    converged: bool,
}

impl Fitted {
    fn maximum<const N: usize>(&mut self, found: crate::math::newton::Maximum<N>) -> [f64; N] {
        *self = Self {
            covariance: found.covariance,
            log_likelihood: found.log_likelihood,
            condition: found.condition,
            at_bound: found.at_bound.contains(&true),
            converged: found.converged,
        };
        found.parameters
    }

    fn one(&mut self, found: crate::math::newton::Maximum<3>) -> Shape {
        let [p, q, v] = self.maximum(found);
        Shape::One { p, q, v }
    }

    fn warnings(&self, shape: &Shape, customers: u64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if !self.converged {
            warnings.push(Warning::new(
                "not_converged",
                "The search for the maximum ended before it was certain.",
            ));
        }
        if self.at_bound || self.condition > WORST_CONDITION {
            let condition = if self.condition.is_finite() {
                format!("condition number {:.1e}", self.condition)
            } else {
                "no finite condition number".to_owned()
            };
            warnings.push(Warning::new(
                "not_identified",
                format!(
                    "The likelihood is nearly flat in one direction ({condition}): single parameters mean little. \
                     Use more customers or the option penalty."
                ),
            ));
        }
        let (Shape::One { q, .. } | Shape::Classes { q, .. }) = *shape;
        if q <= 1.0 {
            warnings.push(Warning::new(
                "infinite_mean",
                format!(
                    "q = {q:.3} is not above 1: the mean spend across customers is infinite, and one-time buyers \
                     have no expected spend. Look for outliers, or use the option penalty."
                ),
            ));
        }
        if customers < 100 {
            warnings.push(Warning::new(
                "few_customers",
                format!("Only {}: the parameters are uncertain.", counted(customers, "customer")),
            ));
        }
        warnings
    }
}
