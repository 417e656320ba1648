//! What a fit needs of the customers: how many have n contacts and y answers, by channel and segment.

use std::collections::BTreeMap;

use foldhash::HashMap;
use serde_json::{Value, json};

use super::{COUNTING_FIELDS, Cell, as_of_json, check_counts, counting, counting_json};
use crate::base::codec::{Reader, put};
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::memory::{self, Bytes};
use crate::facts::event_log::{Counting, EventLog, counts};

/// Contacts and answers are counted in tenths, since decayed ones are no whole numbers.
const TENTHS: f64 = 10.0;
/// Channels, and segments of a channel, at most.
const MOST_NAMES: usize = 10_000;
/// Different cells, at most.
const MOST_CELLS: usize = 4_000_000;
const VERSION: u8 = 1;

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
        memory::reserve(group, 1)?;
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
    pub(super) fn channels(&self) -> impl Iterator<Item = Result<(&str, Vec<Cell>, Segments<'_>)>> {
        self.channels.iter().map(|(name, channel)| {
            let all = cells(channel.segments.values().chain([&channel.unsegmented]))?;
            let segments = channel.segments.iter().map(|(name, group)| Ok((name.as_str(), cells([group])?)));
            Ok((name.as_str(), all, segments.collect::<Result<_>>()?))
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
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let text = |out: &mut Bytes, text: &str| {
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        };
        let write = |out: &mut Bytes, group: &Group| -> Result<()> {
            put(out, group.len() as u64);
            for ((n, y), customers) in sorted([group])? {
                [n, y, customers].into_iter().for_each(|number| put(out, number));
            }
            Ok(())
        };
        let mut out = Bytes::begin(&[VERSION]);
        let head = json!({ "as_of": as_of_json(self.as_of), "counting": counting_json(&self.counting) });
        text(&mut out, &head.to_string());
        for number in [self.skipped.no_history, self.skipped.no_contact, self.skipped.missing_value] {
            put(&mut out, number);
        }
        put(&mut out, self.channels.len() as u64);
        for (name, channel) in &self.channels {
            text(&mut out, name);
            write(&mut out, &channel.unsegmented)?;
            put(&mut out, channel.segments.len() as u64);
            for (name, group) in &channel.segments {
                text(&mut out, name);
                write(&mut out, group)?;
            }
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`ChannelCells::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
            let len = reader.number()?;
            std::str::from_utf8(reader.take(len)?).map_err(|_| reader.error("A text is not UTF-8."))
        }
        let mut reader = Reader::new(bytes, "channel_cells");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let head = text(&mut reader)?;
        let mut read = Self::read_head(head).ok_or_else(|| reader.error("Its head is impossible."))?;
        read.skipped = Skipped {
            no_history: reader.number()?,
            no_contact: reader.number()?,
            missing_value: reader.number()?,
        };
        for _ in 0..reader.count(3)? {
            let channel = text(&mut reader)?;
            read.read_group(&mut reader, channel, None)?;
            for _ in 0..reader.count(2)? {
                let segment = text(&mut reader)?;
                read.read_group(&mut reader, channel, Some(segment))?;
            }
        }
        reader.finish()?;
        Ok(read)
    }

    fn read_head(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        let head = Object::new("channel cells", "", &value, &["as_of", "counting"]).ok()?;
        let counted =
            Object::new("channel cells", "counting", head.get("counting")?, &COUNTING_FIELDS).ok()?;
        Some(Self::new(head.date("as_of").ok()?, counting(&counted).ok()?))
    }

    fn read_group(&mut self, reader: &mut Reader, channel: &str, segment: Option<&str>) -> Result<()> {
        let cells = reader.count(3)?;
        if cells == 0 && segment.is_none() {
            self.channels.entry(channel.to_owned()).or_default();
        }
        for _ in 0..cells {
            let (n, y, customers) = (reader.number()?, reader.number()?, reader.number()?);
            if n == 0 || y > n || n > 10_000_000_000_000 || customers == 0 || customers > 1 << 50 {
                return Err(reader.error("A count of contacts is impossible."));
            }
            self.add_cell(channel, segment, (n, y), customers)?;
        }
        Ok(())
    }
}

/// The cells of some groups, each once, in order.
fn sorted<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Result<Vec<((u64, u64), u64)>> {
    let cells = groups.into_iter().flatten().map(|(&cell, &customers)| (cell, customers));
    let mut cells = memory::collect(cells)?;
    cells.sort_unstable();
    cells.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
    Ok(cells)
}

fn cells<'a>(groups: impl IntoIterator<Item = &'a Group>) -> Result<Vec<Cell>> {
    let cell = |((n, y), customers)| Cell {
        sent: n as f64 / TENTHS,
        responses: y as f64 / TENTHS,
        customers: customers as f64,
    };
    memory::collect(sorted(groups)?.into_iter().map(cell))
}
