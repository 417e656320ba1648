//! Customers as they were on an inner day, and what followed.

use super::days::InnerDay;
use super::terms::{self, EVENTS, LOGITS, TERMS};
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{ErrorKind, Result};
use crate::base::memory;
use crate::facts::event_features::KnownEvents;
use crate::facts::history_sample::Sampled;
use crate::facts::purchase_features::{Frame, Known};
use crate::facts::purchase_history::{History, PurchaseDays};
use crate::models::purchase_model::{
    Cells, CustomerSummary, Family, FitOptions, PurchaseModel, Scorer, fit, fit_scorer,
};

/// How often long loops look up.
const STRIDE: usize = 256;
/// Families are fitted on inner days to so many different customers, at most.
const MOST_FITTED: usize = 16_384;
/// Log-odds of a family's probability stay within this.
const MOST_LOG_ODDS: f64 = 12.0;

/// The log-odds of P(no purchase within the horizon) under a purchase model.
#[inline]
pub(super) fn log_odds(scorer: &Scorer, customer: CustomerSummary, horizon: f64) -> f64 {
    let p = scorer.churn_probability(customer, horizon);
    (p.ln() - (-p).ln_1p()).clamp(-MOST_LOG_ODDS, MOST_LOG_ODDS)
}

/// What each family is fitted to: customers as they are known on a day. The shape of Erlang gaps is looked for where
/// `shapes` has none.
fn gather(
    customers: &[Sampled],
    day: Day,
    families: &[Family],
    shapes: &[Option<u32>],
    checkpoint: Checkpoint,
) -> Result<Vec<Cells>> {
    let mut cells: Vec<Cells> = Vec::with_capacity(families.len());
    for (i, family) in families.iter().enumerate() {
        let k = shapes.get(i).copied().flatten().filter(|_| family.is_erlang());
        cells.push(Cells::new(day, FitOptions { k, ..FitOptions::of(*family) })?);
    }
    let mut days: Vec<Day> = Vec::new();
    for (i, customer) in customers.iter().enumerate() {
        if i % STRIDE == 0 {
            checkpoint();
        }
        days.clear();
        for entry in History::read(customer.content.history)?.entries()? {
            let entry = entry?;
            if entry.day > day {
                break;
            }
            if entry.purchases > 0 {
                memory::push(&mut days, entry.day)?;
            }
        }
        if days.is_empty() {
            continue;
        }
        for cells in &mut cells {
            for _ in 0..customer.customers {
                cells.add(days.iter().copied())?;
            }
        }
    }
    Ok(cells)
}

/// The scorer of each family as it would have been fitted on a day, with its shape; `None` where it could not be. Of
/// many customers the first of the sample: their parameters are known better than people are like them.
pub(super) fn fit_scorers(
    customers: &[Sampled],
    day: Day,
    families: &[Family],
    shapes: &[Option<u32>],
    checkpoint: Checkpoint,
) -> Result<Vec<Option<(u32, Scorer)>>> {
    let customers = customers.get(..MOST_FITTED).unwrap_or(customers);
    let cells = gather(customers, day, families, shapes, &mut *checkpoint)?;
    cells.iter().map(|cells| fit_scorer(cells, &mut *checkpoint)).collect()
}

/// The purchase model of each family; `None` where it cannot be fitted.
pub(super) fn fit_families(
    customers: &[Sampled],
    day: Day,
    families: &[Family],
    checkpoint: Checkpoint,
) -> Result<Vec<Option<PurchaseModel>>> {
    let cells = gather(customers, day, families, &[], &mut *checkpoint)?;
    let fitted = cells.iter().map(|cells| match fit(cells, &mut *checkpoint) {
        Ok(model) => Ok(Some(model)),
        Err(error) if error.kind == ErrorKind::NotReady => Ok(None),
        Err(error) => Err(error),
    });
    fitted.collect()
}

/// Rows of one inner day.
pub(super) struct Snapshots {
    /// All terms, row by row.
    terms: Vec<f64>,
    /// Whether nothing was bought within the horizon.
    pub churned: Vec<bool>,
    /// How many customers the row is.
    pub customers: Vec<u64>,
    /// Which of the sample.
    pub who: Vec<u32>,
}

impl Snapshots {
    /// Those of the sample who had bought something by the day.
    ///
    /// `models` are those of the families that count.
    pub(super) fn take(
        sample: &[Sampled],
        inner: InnerDay,
        models: &[(Family, Scorer)],
        frame: Frame,
        with_events: bool,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let mut taken =
            Self { terms: Vec::new(), churned: Vec::new(), customers: Vec::new(), who: Vec::new() };
        for (i, customer) in sample.iter().enumerate() {
            if i % STRIDE == 0 {
                checkpoint();
            }
            let history = History::read(customer.content.history)?;
            let Some(known) = Known::read(&history, inner.day, frame)? else { continue };
            let content = &customer.content;
            let events = match with_events {
                true => KnownEvents::read(content.contacts, content.interactions, inner.day)?,
                false => KnownEvents::default(),
            };
            let row = terms_of(&known, &events, with_events, models, inner.day, inner.horizon)?;
            memory::extend(&mut taken.terms, &row)?;
            let next = history.next_day(inner.day, false)?;
            memory::push(&mut taken.churned, next.is_none_or(|next| next > inner.day + inner.horizon))?;
            memory::push(&mut taken.customers, customer.customers)?;
            memory::push(&mut taken.who, i as u32)?;
        }
        Ok(taken)
    }

    pub(super) fn len(&self) -> usize {
        self.churned.len()
    }

    /// The terms of a row.
    pub(super) fn row(&self, i: usize) -> &[f64] {
        &self.terms[i * TERMS..(i + 1) * TERMS]
    }

    /// How many customers did not buy, and did.
    pub(super) fn outcomes(&self) -> (u64, u64) {
        self.churned.iter().zip(&self.customers).fold((0, 0), |(stayed, left), (churned, n)| match churned {
            true => (stayed, left + n),
            false => (stayed + n, left),
        })
    }
}

/// All terms of a customer on a day, no purchase lying between what is known and that day.
pub(super) fn terms_of(
    known: &Known,
    events: &KnownEvents,
    with_events: bool,
    models: &[(Family, Scorer)],
    day: Day,
    horizon: i32,
) -> Result<[f64; TERMS]> {
    let mut row = [0.0; TERMS];
    row[..EVENTS].copy_from_slice(&known.features(day));
    if with_events {
        row[EVENTS..LOGITS].copy_from_slice(&events.features(day));
    }
    let summary = summary_on(known.purchase_days(), day)?;
    for (family, scorer) in models {
        row[terms::of_family(*family)] = log_odds(scorer, summary, f64::from(horizon));
    }
    Ok(row)
}

/// What the purchase models know of a customer on a day.
pub(super) fn summary_on(days: PurchaseDays, day: Day) -> Result<CustomerSummary> {
    let whole = |n: i32| u32::try_from(n).unwrap_or(0);
    CustomerSummary::new(days.count as u32 - 1, whole(days.last - days.first), whole(day - days.first))
}

impl Snapshots {
    /// The mean of each term.
    pub(super) fn averages(&self) -> [f64; TERMS] {
        let (mut total, mut sums) = (0.0, [0.0; TERMS]);
        for i in 0..self.len() {
            let n = self.customers[i] as f64;
            total += n;
            for (sum, x) in sums.iter_mut().zip(self.row(i)) {
                *sum += n * x;
            }
        }
        sums.map(|sum| if total > 0.0 { sum / total } else { 0.0 })
    }
}

#[cfg(test)]
impl Snapshots {
    /// Rows of one customer each.
    pub(super) fn of_rows(terms: Vec<f64>, churned: Vec<bool>) -> Self {
        let n = churned.len();
        Self { terms, churned, customers: vec![1; n], who: (0..n as u32).collect() }
    }
}
