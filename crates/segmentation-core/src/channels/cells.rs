//! What a fit needs of the customers: how many have n contacts and y answers, by channel and segment.

use std::collections::BTreeMap;

use foldhash::HashMap;
use serde_json::{Value, json};

use super::{COUNTING_FIELDS, Cell, as_of_json, check_counts, counting, counting_json};
use crate::day::Day;
use crate::error::{Error, ErrorKind, Result};
use crate::event_log::{Counting, EventLog, counts};
use crate::json::Object;

/// Contacts and answers are counted in tenths, since decayed ones are no whole numbers.
const TENTHS: f64 = 10.0;
/// Channels, and segments of a channel, at most.
const MOST_NAMES: usize = 10_000;
/// Different cells, at most.
const MOST_CELLS: usize = 4_000_000;

/// Customers by contacts and answers, in tenths.
type Group = HashMap<(u64, u64), u64>;

/// Segments with their cells.
pub(super) type Segments<'a> = Vec<(&'a str, Vec<Cell>)>;

#[derive(Debug, Clone, Default, PartialEq)]
struct Channel {
    /// Customers of no known segment.
    unsegmented: Group,
    segments: BTreeMap<String, Group>,
}

/// Why customers were left out.
#[derive(Debug, Clone, Default, PartialEq)]
struct Skipped {
    no_history: u64,
    no_contact: u64,
    missing_value: u64,
}

/// The customers of a fit, mergeable.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelCells {
    counting: Counting,
    as_of: Option<Day>,
    channels: BTreeMap<String, Channel>,
    cells: usize,
    skipped: Skipped,
}

fn too_many(what: &str, most: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("too many {what}"))
        .detail(format!("At most {most} are allowed."))
}

impl ChannelCells {
    /// No customers yet. `as_of` is `None` where contacts come counted.
    #[must_use]
    pub fn new(as_of: Option<Day>, counting: Counting) -> Self {
        Self { counting, as_of, channels: BTreeMap::new(), cells: 0, skipped: Skipped::default() }
    }

    /// Their options.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn options(value: &Value) -> Result<Counting> {
        counting(&Object::new("options", "", value, &COUNTING_FIELDS)?)
    }

    /// How contacts are counted.
    #[must_use]
    pub fn counting(&self) -> &Counting {
        &self.counting
    }

    /// The day up to which contacts are counted.
    #[must_use]
    pub fn as_of(&self) -> Option<Day> {
        self.as_of
    }

    /// Takes in a customer's contacts by one channel.
    ///
    /// # Errors
    /// Counts that cannot be; too many channels, segments or cells.
    pub fn add(&mut self, channel: &str, segment: Option<&str>, sent: f64, responses: f64) -> Result<()> {
        let (sent, responses) = check_counts(sent, responses)?;
        let n = (sent * TENTHS).round() as u64;
        if n == 0 {
            self.skipped.no_contact += 1;
            return Ok(());
        }
        let y = ((responses * TENTHS).round() as u64).min(n);
        self.add_cell(channel, segment, (n, y), 1)
    }

    fn add_cell(
        &mut self,
        channel: &str,
        segment: Option<&str>,
        cell: (u64, u64),
        customers: u64,
    ) -> Result<()> {
        if !self.channels.contains_key(channel) {
            if self.channels.len() == MOST_NAMES {
                return Err(too_many("channels", MOST_NAMES));
            }
            self.channels.insert(channel.to_owned(), Channel::default());
        }
        let Some(found) = self.channels.get_mut(channel) else { return Ok(()) };
        let group = match segment {
            None => &mut found.unsegmented,
            Some(segment) => {
                if !found.segments.contains_key(segment) {
                    if found.segments.len() == MOST_NAMES {
                        return Err(too_many("segments", MOST_NAMES));
                    }
                    found.segments.insert(segment.to_owned(), Group::default());
                }
                match found.segments.get_mut(segment) {
                    Some(group) => group,
                    None => return Ok(()),
                }
            }
        };
        let count = group.entry(cell).or_insert(0);
        if *count == 0 {
            self.cells += 1;
        }
        *count += customers;
        if self.cells > MOST_CELLS {
            return Err(too_many("different counts of contacts", MOST_CELLS)
                .hint("Use window_days rather than half_life_days, or a sample of the customers."));
        }
        Ok(())
    }

    /// Takes in a customer's contacts, as counted on `as_of`.
    ///
    /// # Errors
    /// What [`Self::add`] returns.
    pub fn add_history(&mut self, log: Option<&EventLog>, segment: Option<&str>) -> Result<()> {
        let (Some(log), Some(as_of)) = (log, self.as_of) else {
            self.skipped.no_history += 1;
            return Ok(());
        };
        let counts = counts(log, as_of, &self.counting);
        let mut any = false;
        for (name, (sent, responses)) in log.names.iter().zip(counts) {
            if sent >= 0.5 / TENTHS {
                any = true;
                // Decayed sums may differ by rounding.
                self.add(name, segment, sent, responses.min(sent))?;
            }
        }
        self.skipped.no_contact += u64::from(!any);
        Ok(())
    }

    /// Counts a row without channel or counts.
    pub fn skip(&mut self) {
        self.skipped.missing_value += 1;
    }

    /// Takes in another part.
    ///
    /// # Errors
    /// Counted otherwise; too many channels, segments or cells.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.as_of != other.as_of || self.counting != other.counting {
            return Err(Error::invalid("parts of a channel model must have the same as_of and options"));
        }
        for (channel, groups) in &other.channels {
            for (&cell, &customers) in &groups.unsegmented {
                self.add_cell(channel, None, cell, customers)?;
            }
            for (segment, group) in &groups.segments {
                for (&cell, &customers) in group {
                    self.add_cell(channel, Some(segment), cell, customers)?;
                }
            }
        }
        self.skipped.no_history = self.skipped.no_history.saturating_add(other.skipped.no_history);
        self.skipped.no_contact = self.skipped.no_contact.saturating_add(other.skipped.no_contact);
        self.skipped.missing_value = self.skipped.missing_value.saturating_add(other.skipped.missing_value);
        Ok(())
    }

    /// The channels with their cells: all of them, and by segment.
    pub(super) fn channels(&self) -> impl Iterator<Item = (&str, Vec<Cell>, Segments<'_>)> {
        self.channels.iter().map(|(name, channel)| {
            let mut all: BTreeMap<(u64, u64), u64> = BTreeMap::new();
            for group in channel.segments.values().chain([&channel.unsegmented]) {
                for (&cell, &customers) in group {
                    *all.entry(cell).or_insert(0) += customers;
                }
            }
            let segments = channel.segments.iter().map(|(name, group)| {
                let sorted: BTreeMap<_, _> =
                    group.iter().map(|(&cell, &customers)| (cell, customers)).collect();
                (name.as_str(), cells(&sorted))
            });
            (name.as_str(), cells(&all), segments.collect())
        })
    }

    /// How many customers or rows were left out, by reason.
    pub(super) fn skipped(&self) -> Value {
        let reasons = [
            ("no_history", self.skipped.no_history),
            ("no_contact", self.skipped.no_contact),
            ("missing_value", self.skipped.missing_value),
        ];
        reasons.into_iter().filter(|(_, n)| *n > 0).map(|(reason, n)| (reason.to_owned(), json!(n))).collect()
    }

    /// The stored form: the same for the same customers.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let sorted = |group: &Group| {
            let mut rows: Vec<[u64; 3]> = group.iter().map(|(&(n, y), &w)| [n, y, w]).collect();
            rows.sort_unstable();
            json!(rows)
        };
        let channels: Vec<Value> = self
            .channels
            .iter()
            .map(|(name, channel)| {
                let segments: Vec<Value> =
                    channel.segments.iter().map(|(name, group)| json!([name, sorted(group)])).collect();
                json!([name, sorted(&channel.unsegmented), segments])
            })
            .collect();
        json!({
            "as_of": as_of_json(self.as_of), "counting": counting_json(&self.counting), "channels": channels,
            "skipped": [self.skipped.no_history, self.skipped.no_contact, self.skipped.missing_value],
        })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// It is none.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("channel cells", "", value, &["as_of", "counting", "channels", "skipped"])?;
        let counted = object.get("counting").unwrap_or(&Value::Null);
        let counting = counting(&Object::new("channel cells", "counting", counted, &COUNTING_FIELDS)?)?;
        let mut read = Self::new(object.date("as_of")?, counting);
        let wrong = || object.wrong("channels", "a list of channels with their cells");
        for channel in object.list("channels")?.unwrap_or_default() {
            let name = channel.get(0).and_then(Value::as_str).ok_or_else(wrong)?;
            read.read_group(name, None, channel.get(1)).ok_or_else(wrong)??;
            for segment in channel.get(2).and_then(Value::as_array).ok_or_else(wrong)? {
                let segment_name = segment.get(0).and_then(Value::as_str).ok_or_else(wrong)?;
                read.read_group(name, Some(segment_name), segment.get(1)).ok_or_else(wrong)??;
            }
        }
        let skipped: Vec<u64> =
            object.list("skipped")?.unwrap_or_default().iter().filter_map(Value::as_u64).collect();
        let &[no_history, no_contact, missing_value] = skipped.as_slice() else {
            return Err(object.wrong("skipped", "a list of three whole numbers"));
        };
        read.skipped = Skipped { no_history, no_contact, missing_value };
        Ok(read)
    }

    fn read_group(
        &mut self,
        channel: &str,
        segment: Option<&str>,
        rows: Option<&Value>,
    ) -> Option<Result<()>> {
        for row in rows?.as_array()? {
            let row: Vec<u64> = row.as_array()?.iter().filter_map(Value::as_u64).collect();
            let &[n, y, customers] = row.as_slice() else { return None };
            if n == 0 || y > n || n > 10_000_000_000_000 || customers == 0 || customers > 1 << 50 {
                return None;
            }
            if let Err(error) = self.add_cell(channel, segment, (n, y), customers) {
                return Some(Err(error));
            }
        }
        Some(Ok(()))
    }
}

fn cells(sorted: &BTreeMap<(u64, u64), u64>) -> Vec<Cell> {
    let cell = |(&(n, y), &w): (&(u64, u64), &u64)| Cell {
        sent: n as f64 / TENTHS,
        responses: y as f64 / TENTHS,
        customers: w as f64,
    };
    sorted.iter().map(cell).collect()
}
