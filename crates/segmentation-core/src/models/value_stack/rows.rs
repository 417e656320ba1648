//! The mergeable state of a fit: a sample of customers as they are known at its day.

use super::options::ValueStackOptions;
use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::memory::Bytes;
use crate::facts::history_sample::{Content, HistorySample};
use crate::facts::purchase_history::History;

const VERSION: u8 = 1;

/// The customers of a fit (the SQL type `value_stack_rows`).
#[derive(Debug, Clone)]
pub struct ValueRows {
    as_of: Day,
    options: ValueStackOptions,
    pub(super) sample: HistorySample,
    /// Left out: the history was NULL, or nothing was bought by `as_of`.
    skipped: [u64; 2],
}

/// Reasons for leaving a customer out.
pub(super) const REASONS: [&str; 2] = ["no_history", "no_purchase"];

impl ValueRows {
    /// No customers yet.
    ///
    /// # Errors
    /// `as_of` is outside the calendar.
    pub fn new(as_of: Day, options: ValueStackOptions) -> Result<Self> {
        let sample = HistorySample::new(options.sample);
        Ok(Self { as_of: day::check(as_of)?, options, sample, skipped: [0; 2] })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options the state was made with.
    #[must_use]
    pub fn options(&self) -> &ValueStackOptions {
        &self.options
    }

    /// Customers taken in.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.sample.seen()
    }

    /// Reason and count of the customers left out.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.skipped).filter(|(_, n)| *n > 0)
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.sample.memory_size()
    }

    /// Takes in one customer. What is later than `as_of` is as if it were not there.
    ///
    /// # Errors
    /// Damaged bytes; no memory.
    pub fn add(&mut self, history: Option<&[u8]>) -> Result<()> {
        let Some(bytes) = history else {
            self.skipped[0] = self.skipped[0].saturating_add(1);
            return Ok(());
        };
        let history = History::read(bytes)?;
        if history.purchase_days_until(self.as_of)?.is_none() {
            self.skipped[1] = self.skipped[1].saturating_add(1);
            return Ok(());
        }
        // Anything later, a refund too, has to go.
        let cut = match history.next_day(self.as_of, true)? {
            Some(_) => Some(history.until(self.as_of)?),
            None => None,
        };
        let history = cut.as_deref().unwrap_or(bytes);
        self.sample.add(&Content { history, contacts: None, interactions: None })
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two were made with other `as_of` or options, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if (self.as_of, &self.options) != (other.as_of, &other.options) {
            return Err(Error::invalid(
                "cannot merge value_stack_rows made with another as_of or other options",
            ));
        }
        self.sample.merge(&other.sample, checkpoint)?;
        for (mine, theirs) in self.skipped.iter_mut().zip(other.skipped) {
            *mine = mine.saturating_add(theirs);
        }
        Ok(())
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
        self.skipped.iter().for_each(|n| put(&mut out, *n));
        self.sample.write(&mut out)?;
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidBinary`] for anything that [`ValueRows::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "value_stack_rows");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let bad = |reader: &Reader| reader.error("Its head is impossible.");
        let (as_of, options) =
            reader.day_and_options(ValueStackOptions::from_json, ValueStackOptions::to_json)?;
        let mut rows = Self::new(as_of, options).map_err(|_| bad(&reader))?;
        rows.skipped = [reader.number()?, reader.number()?];
        rows.sample = HistorySample::read(&mut reader, |content| {
            History::validate(content.history)?;
            match (content.contacts, content.interactions) {
                (None, None) => Ok(()),
                _ => Err(Error::invalid("a value stack reads no logs")),
            }
        })?;
        reader.finish()?;
        if rows.sample.most() != rows.options.sample {
            return Err(reader.error("Its sample is not of the size that its options say."));
        }
        Ok(rows)
    }
}

impl PartialEq for ValueRows {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}
