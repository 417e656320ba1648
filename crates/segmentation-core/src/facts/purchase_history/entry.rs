//! A day of a history.

use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::money::Money;

/// What happened on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The day.
    pub day: Day,
    /// Number of purchases; 0 if there were only refunds.
    pub purchases: u32,
    /// Turnover of the day, refunds taken off.
    pub amount: Money,
}

impl Entry {
    /// One order: a purchase, or a refund if the amount is negative.
    #[inline]
    #[must_use]
    pub fn order(day: Day, amount: Money) -> Self {
        Entry { day, purchases: u32::from(amount.0 >= 0), amount }
    }

    /// Adds what else happened on that day.
    pub(super) fn absorb(&mut self, other: Entry) -> Result<()> {
        self.purchases = self.purchases.checked_add(other.purchases).ok_or_else(|| {
            Error::new(ErrorKind::OutOfRange, "too many purchases in one day")
                .detail("A purchase history counts up to 4,294,967,295 purchases a day.")
        })?;
        self.amount = self.amount.checked_add(other.amount)?;
        Ok(())
    }
}

/// The days of two histories as those of one; both are in order of day.
///
/// # Errors
/// [`ErrorKind::OutOfRange`] if a sum does not fit.
pub fn merge_days(one: &[Entry], other: &[Entry], checkpoint: Checkpoint) -> Result<Vec<Entry>> {
    let mut merged: Vec<Entry> = memory::with_capacity(one.len() + other.len())?;
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if b.day < a.day => other.next(),
            (Some(_), _) => one.next(),
            (None, _) => other.next(),
        };
        let Some(next) = next else { return Ok(merged) };
        match merged.last_mut() {
            Some(last) if last.day == next.day => last.absorb(*next)?,
            _ => merged.push(*next),
        }
        if merged.len().is_multiple_of(65_536) {
            checkpoint();
        }
    }
}
