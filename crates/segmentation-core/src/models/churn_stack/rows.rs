//! The mergeable state of a fit: a sample of customers as they are known at its day.

use super::options::StackOptions;
use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::memory::Bytes;
use crate::facts::event_log::{EventLog, LogKind};
use crate::facts::history_sample::{Content, HistorySample};
use crate::facts::purchase_history::History;

const VERSION: u8 = 1;

/// How many customers were left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedCustomers {
    /// The history was NULL.
    pub no_history: u64,
    /// Nothing was bought by `as_of`.
    pub no_purchase: u64,
}

/// The customers of a fit (the SQL type `churn_stack_rows`).
#[derive(Debug, Clone)]
pub struct StackRows {
    as_of: Day,
    options: StackOptions,
    with_events: bool,
    pub(super) sample: HistorySample,
    skipped: SkippedCustomers,
}

impl StackRows {
    /// No customers yet; `with_events` if contacts and interactions are given.
    ///
    /// # Errors
    /// `as_of` is outside the calendar.
    pub fn new(as_of: Day, options: StackOptions, with_events: bool) -> Result<Self> {
        Ok(Self {
            as_of: day::check(as_of)?,
            sample: HistorySample::new(options.sample),
            options,
            with_events,
            skipped: SkippedCustomers::default(),
        })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options the state was made with.
    #[must_use]
    pub fn options(&self) -> &StackOptions {
        &self.options
    }

    /// Whether contacts and interactions are given.
    #[must_use]
    pub fn with_events(&self) -> bool {
        self.with_events
    }

    /// Customers taken in.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.sample.seen()
    }

    /// Customers left out.
    #[must_use]
    pub fn skipped(&self) -> SkippedCustomers {
        self.skipped
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
    pub fn add(
        &mut self,
        history: Option<&[u8]>,
        contacts: Option<&[u8]>,
        interactions: Option<&[u8]>,
    ) -> Result<()> {
        let Some(bytes) = history else {
            self.skipped.no_history = self.skipped.no_history.saturating_add(1);
            return Ok(());
        };
        let history = History::read(bytes)?;
        if history.purchase_days_until(self.as_of)?.is_none() {
            self.skipped.no_purchase = self.skipped.no_purchase.saturating_add(1);
            return Ok(());
        }
        // Anything later, a refund too, has to go.
        let cut = match history.next_day(self.as_of, true)? {
            Some(_) => Some(history.until(self.as_of)?),
            None => None,
        };
        let log = |kind, bytes: Option<&[u8]>| -> Result<Option<Vec<u8>>> {
            let Some(bytes) = bytes.filter(|_| self.with_events) else { return Ok(None) };
            let mut log = EventLog::read(kind, bytes)?;
            log.keep_until(self.as_of);
            if log.events.is_empty() { Ok(None) } else { log.pack(kind).map(Some) }
        };
        let (contacts, interactions) =
            (log(LogKind::Contacts, contacts)?, log(LogKind::Interactions, interactions)?);
        self.sample.add(&Content {
            history: cut.as_deref().unwrap_or(bytes),
            contacts: contacts.as_deref(),
            interactions: interactions.as_deref(),
        })
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two were made with other `as_of` or options, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if (self.as_of, &self.options, self.with_events) != (other.as_of, &other.options, other.with_events) {
            return Err(Error::invalid(
                "cannot merge churn_stack_rows made with another as_of, other options or other logs",
            )
            .detail(format!(
                "One has as_of {} and options {}, the other {} and {}.",
                day::format(self.as_of)?,
                self.options.to_json(),
                day::format(other.as_of)?,
                other.options.to_json()
            )));
        }
        self.sample.merge(&other.sample, checkpoint)?;
        let skipped = &mut self.skipped;
        skipped.no_history = skipped.no_history.saturating_add(other.skipped.no_history);
        skipped.no_purchase = skipped.no_purchase.saturating_add(other.skipped.no_purchase);
        Ok(())
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION, u8::from(self.with_events)]);
        put_signed(&mut out, i64::from(self.as_of));
        let options = self.options.to_json().to_string();
        put(&mut out, options.len() as u64);
        out.extend_from_slice(options.as_bytes());
        put(&mut out, self.skipped.no_history);
        put(&mut out, self.skipped.no_purchase);
        self.sample.write(&mut out)?;
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidBinary`] for anything that [`StackRows::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "churn_stack_rows");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let bad = |reader: &Reader| reader.error("Its head is impossible.");
        let with_events = match reader.byte()? {
            0 => false,
            1 => true,
            _ => return Err(bad(&reader)),
        };
        let (as_of, options) = reader.day_and_options(StackOptions::from_json, StackOptions::to_json)?;
        let mut rows = Self::new(as_of, options, with_events).map_err(|_| bad(&reader))?;
        rows.skipped = SkippedCustomers { no_history: reader.number()?, no_purchase: reader.number()? };
        rows.sample = HistorySample::read(&mut reader, |content| {
            History::validate(content.history)?;
            if let Some(contacts) = content.contacts {
                EventLog::read(LogKind::Contacts, contacts)?;
            }
            if let Some(interactions) = content.interactions {
                EventLog::read(LogKind::Interactions, interactions)?;
            }
            Ok(())
        })?;
        reader.finish()?;
        if rows.sample.most() != rows.options.sample {
            return Err(reader.error("Its sample is not of the size that its options say."));
        }
        Ok(rows)
    }
}

impl PartialEq for StackRows {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Money;
    use crate::facts::purchase_history::{Entry, pack};

    fn history(days: &[Day]) -> Vec<u8> {
        pack(&days.iter().map(|&day| Entry::order(day, Money(70_000))).collect::<Vec<_>>())
    }

    #[test]
    fn the_future_is_not_taken_in() {
        let rows = |histories: &[&[Day]]| {
            let mut rows = StackRows::new(100, StackOptions::default(), false).unwrap();
            for days in histories {
                rows.add(Some(&history(days)), None, None).unwrap();
            }
            rows.add(None, None, None).unwrap();
            rows
        };
        let one = rows(&[&[1, 50, 101], &[1, 50], &[101]]);
        assert_eq!(one, rows(&[&[1, 50], &[103], &[1, 50, 102, 104]]));
        assert_eq!((one.customers(), one.skipped().no_purchase, one.skipped().no_history), (2, 1, 1));
        assert_eq!(StackRows::from_bytes(&one.to_bytes().unwrap()).unwrap(), one);
        let mut other = StackRows::new(100, StackOptions::default(), true).unwrap();
        assert!(other.merge(&one, &mut || {}).is_err());
        assert!(StackRows::new(i32::MAX, StackOptions::default(), false).is_err());
    }
}
