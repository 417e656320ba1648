//! The mergeable state of a fit.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::options::{SpendFamily, SpendOptions, Transactions};
use super::summary::SpendSummary;
use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::base::money::Money;

/// More distinct cells than this are refused: about a gigabyte.
const MOST_CELLS: usize = 16_000_000;

/// Reasons for leaving a customer out, in a fixed order.
pub(super) const REASONS: [&str; 7] = [
    "no_history",
    "no_purchase",
    "after_as_of",
    "before_cohort",
    "after_cohort",
    "one_purchase_day",
    "no_positive_spend",
];
const ONE_PURCHASE_DAY: usize = 5;
const NO_POSITIVE_SPEND: usize = 6;

/// What customers of one cell have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Cell {
    /// All that counts.
    pub spent: SpendSummary,
    /// What the first and the last purchase day came to; nothing but under `auto`.
    pub ends: [Money; 2],
}

/// The mergeable sufficient state of a spend model's fit.
///
/// Customers of equal spend share a cell; sums are exact, so that merging is and its order leaves no trace. At most 16
/// million cells.
#[derive(Debug, Clone)]
pub struct SpendCells {
    as_of: Day,
    options: SpendOptions,
    cells: HashMap<Cell, u64, RandomState>,
    customers: u64,
    skipped: [u64; REASONS.len()],
}

const VERSION: u8 = 2;

impl SpendCells {
    /// No customers yet.
    ///
    /// # Errors
    /// If `as_of` is outside the calendar.
    pub fn new(as_of: Day, options: SpendOptions) -> Result<Self> {
        Ok(Self {
            as_of: day::check(as_of)?,
            options,
            cells: HashMap::default(),
            customers: 0,
            skipped: [0; REASONS.len()],
        })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options the state was made with.
    #[must_use]
    pub fn options(&self) -> &SpendOptions {
        &self.options
    }

    /// Customers taken in.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.customers
    }

    /// Reason and count of the customers left out.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.skipped).filter(|(_, n)| *n > 0)
    }

    /// Distinct cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no customer was taken in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.cells.capacity() * (size_of::<(Cell, u64)>() + 1)
    }

    fn skip(&mut self, reason: &str) {
        if let Some(i) = REASONS.iter().position(|r| *r == reason) {
            self.skipped[i] = self.skipped[i].saturating_add(1);
        }
    }

    /// Counts a customer whose history is NULL.
    pub fn skip_null(&mut self) {
        self.skip("no_history");
    }

    /// Takes in one customer: ascending purchase days, each with what it came to. A day after `as_of` does not count.
    /// One-time buyers, where only later days count, and customers whose transactions come to nothing are skipped and
    /// counted.
    ///
    /// # Errors
    /// If amounts do not fit, or a limit on size is passed.
    pub fn add(&mut self, days: impl IntoIterator<Item = (Day, Money)>) -> Result<()> {
        let mut days = days.into_iter().peekable();
        let first = days.peek().copied();
        let reason = match first.map(|(first, _)| first) {
            None => Some("no_purchase"),
            Some(first) if first > self.as_of => Some("after_as_of"),
            Some(first) if self.options.first_purchase_from.is_some_and(|d| first < d) => {
                Some("before_cohort")
            }
            Some(first) if self.options.first_purchase_to.is_some_and(|d| first > d) => Some("after_cohort"),
            Some(_) => None,
        };
        if let Some(reason) = reason {
            self.skip(reason);
            return Ok(());
        }
        let auto = self.options.transactions == Transactions::Auto;
        let counted = if auto { Transactions::Every } else { self.options.transactions };
        let mut last = Money::ZERO;
        let as_of = self.as_of;
        let seen = days.inspect(|&(day, amount)| {
            if day <= as_of {
                last = amount;
            }
        });
        match counted.summarize(seen, as_of, None)? {
            None => self.skip("no_purchase"),
            Some(spent) => {
                let ends =
                    if auto { [first.map_or(Money::ZERO, |(_, a)| a), last] } else { [Money::ZERO; 2] };
                self.add_cell(Cell { spent, ends }, 1)?;
            }
        }
        Ok(())
    }

    /// Takes in `count` customers of one summary, as [`SpendCells::add`] does; under `auto` each of its transactions
    /// came to the mean.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn add_summary(&mut self, spent: SpendSummary, count: u64) -> Result<()> {
        let auto = self.options.transactions == Transactions::Auto;
        let each = Money(spent.total.0 / i64::from(spent.transactions.max(1)));
        self.add_cell(Cell { spent, ends: if auto { [each; 2] } else { [Money::ZERO; 2] } }, count)
    }

    fn add_cell(&mut self, cell: Cell, count: u64) -> Result<()> {
        let nothing = match self.options.family {
            SpendFamily::GammaGamma => cell.spent.total <= Money::ZERO,
            _ => cell.spent.paid() == 0 || cell.spent.total <= Money::ZERO,
        };
        if cell.spent.transactions == 0 || nothing {
            let reason = if cell.spent.transactions == 0 { ONE_PURCHASE_DAY } else { NO_POSITIVE_SPEND };
            self.skipped[reason] = self.skipped[reason].saturating_add(count);
            return Ok(());
        }
        if count == 0 {
            return Ok(());
        }
        self.customers =
            self.customers.checked_add(count).filter(|&n| n <= 1 << 53).ok_or_else(|| {
                Error::new(ErrorKind::LimitExceeded, "too many customers for a spend model")
            })?;
        if self.cells.len() >= MOST_CELLS && !self.cells.contains_key(&cell) {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "too many different customers for a spend model",
            )
            .detail(format!("At most {MOST_CELLS} combinations of transactions and spend are kept."))
            .hint("Fit on a sample of the customers, or on one cohort at a time."));
        }
        memory::reserve(&mut self.cells, 1)?;
        *self.cells.entry(cell).or_insert(0) += count;
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two were made with other `as_of` or options, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.as_of != other.as_of || self.options != other.options {
            return Err(Error::invalid("cannot merge spend cells made with another as_of or other options"));
        }
        for (i, (&cell, &count)) in other.cells.iter().enumerate() {
            if i % 4096 == 0 {
                checkpoint();
            }
            self.add_cell(cell, count)?;
        }
        for (mine, theirs) in self.skipped.iter_mut().zip(other.skipped) {
            *mine = mine.saturating_add(theirs);
        }
        Ok(())
    }

    /// The cells with their customers, in order.
    pub(super) fn sorted(&self) -> Result<Vec<(Cell, u64)>> {
        let mut cells = memory::collect(self.cells.iter().map(|(&s, &n)| (s, n)))?;
        cells.sort_unstable();
        Ok(cells)
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION]);
        put_signed(&mut out, i64::from(self.as_of));
        let options = self.options.to_json().to_string();
        put(&mut out, options.len() as u64);
        out.extend_from_slice(options.as_bytes());
        for count in self.skipped {
            put(&mut out, count);
        }
        put(&mut out, self.cells.len() as u64);
        let auto = self.options.transactions == Transactions::Auto;
        let mut before = SpendSummary::default();
        for (cell, count) in self.sorted()? {
            let spent = cell.spent;
            put(&mut out, u64::from(spent.transactions - before.transactions));
            put(&mut out, u64::from(spent.nothing));
            // Totals are positive: their difference fits.
            put_signed(&mut out, spent.total.0 - before.total.0);
            put_signed(&mut out, spent.logs);
            if auto {
                cell.ends.iter().for_each(|end| put_signed(&mut out, end.0));
            }
            put(&mut out, count);
            before = spent;
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`SpendCells::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "spend cells");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let bad = |reader: &Reader| reader.error("Its head is impossible.");
        let (as_of, options) = reader.day_and_options(SpendOptions::from_json, SpendOptions::to_json)?;
        let auto = options.transactions == Transactions::Auto;
        let mut state = Self::new(as_of, options).map_err(|_| bad(&reader))?;
        for slot in &mut state.skipped {
            *slot = reader.number()?;
        }
        let n = reader.count(if auto { 7 } else { 5 })?;
        if n > MOST_CELLS {
            return Err(reader.error("It has too many cells."));
        }
        memory::reserve(&mut state.cells, n)?;
        let mut before = Cell::default();
        for _ in 0..n {
            let step = reader.small()?;
            let transactions = before.spent.transactions.checked_add(step);
            let nothing = reader.small()?;
            let total = before.spent.total.0.checked_add(reader.signed()?);
            let logs = reader.signed()?;
            let ends =
                if auto { [Money(reader.signed()?), Money(reader.signed()?)] } else { [Money::ZERO; 2] };
            let count = reader.number()?;
            let (Some(transactions), Some(total)) = (transactions, total) else {
                return Err(reader.error("A cell is impossible."));
            };
            let cell =
                Cell { spent: SpendSummary { transactions, nothing, total: Money(total), logs }, ends };
            // A logarithm of an amount lies between -10 and 35.
            let reach = 35_000_000_000_i64.saturating_mul(i64::from(transactions));
            let possible = transactions > 0
                && nothing <= transactions
                && total > 0
                && count > 0
                && logs.unsigned_abs() <= reach.unsigned_abs();
            let customers = state.customers;
            if cell <= before || !possible {
                return Err(reader.error("A cell is impossible."));
            }
            state.add_cell(cell, count)?;
            if state.customers == customers {
                return Err(reader.error("A cell is impossible."));
            }
            before = cell;
        }
        reader.finish()?;
        Ok(state)
    }
}

impl PartialEq for SpendCells {
    fn eq(&self, other: &Self) -> bool {
        let counts = |of: &Self| (of.as_of, of.customers, of.skipped);
        counts(self) == counts(other) && self.options == other.options && self.cells == other.cells
    }
}
