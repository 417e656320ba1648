//! The mergeable state of a fit: the item histories of the customers.

use std::rc::Rc;

use super::options::{FitOptions, NEXT};
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::facts::item_history;

const VERSION: u8 = 1;
/// Bytes that a customer takes beside the history.
const OVERHEAD: usize = 48;

/// One customer's history, packed, with the segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) hash: u64,
    pub(super) history: Box<[u8]>,
    pub(super) segment: Option<Box<str>>,
}

/// The histories of customers, at most as many bytes as the options say.
///
/// Beyond that those with the smallest hash of their history stay: a random sample, the same for every
/// order of arrival and every way of merging.
#[derive(Debug, Clone)]
pub struct AffinityRows {
    options: Rc<FitOptions>,
    as_of: Day,
    pub(super) rows: Vec<Row>,
    bytes: usize,
    /// Rows above this hash are outside the sample.
    limit: u64,
    pub(super) taken: u64,
    pub(super) skipped: u64,
}

/// A hash that spreads well and is the same on every machine (FNV-1a with a final mix).
fn hash(bytes: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        h = (h ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        h ^= h >> 29;
    }
    h = (h ^ bytes.len() as u64).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    h ^ h >> 31
}

impl AffinityRows {
    /// Nobody yet.
    ///
    /// # Errors
    /// The day is out of range.
    pub fn new(as_of: Day, options: Rc<FitOptions>) -> Result<Self> {
        Ok(Self {
            options,
            as_of: day::check(as_of)?,
            rows: Vec::new(),
            bytes: 0,
            limit: u64::MAX,
            taken: 0,
            skipped: 0,
        })
    }

    /// The options of the fit.
    #[must_use]
    pub fn options(&self) -> &Rc<FitOptions> {
        &self.options
    }

    /// The day of the fit.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// Customers taken in.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Counts a NULL.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Takes a customer in.
    ///
    /// # Errors
    /// No memory.
    pub fn add(&mut self, history: &[u8], segment: Option<&str>) -> Result<()> {
        self.taken += 1;
        let hash = hash(history);
        if hash > self.limit {
            return Ok(());
        }
        let history = memory::copy(history)?.into_boxed_slice();
        self.push(Row { hash, history, segment: segment.map(Into::into) })
    }

    fn push(&mut self, row: Row) -> Result<()> {
        self.bytes += size(&row);
        memory::push(&mut self.rows, row)?;
        // Cut back only when a quarter too much has come in: each cut sorts.
        if self.bytes > self.budget() / 4 * 5 {
            self.cut();
        }
        Ok(())
    }

    fn budget(&self) -> usize {
        self.options.memory << 20
    }

    /// Keeps the rows of the smallest hashes that fit; all of one hash or none.
    fn cut(&mut self) {
        self.rows.sort_unstable();
        let (keep, limit) = self.fitting(self.rows.iter());
        self.rows.truncate(keep);
        self.bytes = self.rows.iter().map(size).sum();
        self.limit = limit;
    }

    /// How many of the rows, which are in order, fit, and the greatest hash that is within.
    fn fitting<'a>(&self, rows: impl Iterator<Item = &'a Row> + Clone) -> (usize, u64) {
        let mut held = 0;
        let over = rows.clone().find(|row| {
            held += size(row);
            held > self.budget()
        });
        match over {
            None => (rows.count(), self.limit),
            Some(over) => (rows.take_while(|row| row.hash < over.hash).count(), over.hash.saturating_sub(1)),
        }
    }

    /// The rows of the sample, in order, and the greatest hash that is within.
    pub(super) fn kept(&self) -> Result<(Vec<&Row>, u64)> {
        let mut rows = memory::collect(&self.rows)?;
        rows.sort_unstable();
        let (keep, limit) = self.fitting(rows.iter().copied());
        rows.truncate(keep);
        Ok((rows, limit))
    }

    /// Takes the customers of another part in.
    ///
    /// # Errors
    /// Its day or options differ.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.as_of != other.as_of || self.options != other.options {
            return Err(Error::invalid("as_of and options must be the same for all parts"));
        }
        self.taken = self.taken.saturating_add(other.taken);
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.limit = self.limit.min(other.limit);
        let limit = self.limit;
        self.rows.retain(|row| row.hash <= limit);
        self.bytes = self.rows.iter().map(size).sum();
        for row in other.rows.iter().filter(|row| row.hash <= limit) {
            let history = memory::copy(&row.history)?.into_boxed_slice();
            self.push(Row { history, hash: row.hash, segment: row.segment.clone() })?;
        }
        Ok(())
    }

    /// The flat form; `options` is their JSON text.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (rows, limit) = self.kept()?;
        let mut out = Bytes::begin(&[VERSION]);
        put_signed(&mut out, i64::from(self.as_of));
        put_options(&mut out, &self.options);
        for number in [limit, self.taken, self.skipped, rows.len() as u64] {
            put(&mut out, number);
        }
        for row in rows {
            put(&mut out, row.history.len() as u64);
            out.extend_from_slice(&row.history);
            put(&mut out, row.segment.as_ref().map_or(0, |s| s.len() as u64 + 1));
            out.extend_from_slice(row.segment.as_ref().map_or(&[], |s| s.as_bytes()));
        }
        out.finish()
    }

    /// Reads the flat form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid affinity_rows");
        let mut reader = Reader::new(bytes, "affinity_rows");
        if reader.byte()? != VERSION {
            return Err(invalid().detail("Its version is not one that this release knows."));
        }
        let as_of = i32::try_from(reader.signed()?).map_err(|_| invalid())?;
        let options = Rc::new(take_options(&mut reader)?);
        let mut rows = Self::new(as_of, options)?;
        rows.limit = reader.number()?;
        rows.taken = reader.number()?;
        rows.skipped = reader.number()?;
        for _ in 0..reader.count(2)? {
            let len = reader.number()?;
            let history = reader.take(len)?;
            item_history::validate(history)?;
            let segment = match reader.number()? {
                0 => None,
                len => Some(std::str::from_utf8(reader.take(len - 1)?).map_err(|_| invalid())?.into()),
            };
            let hash = hash(history);
            let row = Row { hash, history: memory::copy(history)?.into_boxed_slice(), segment };
            rows.bytes += size(&row);
            memory::push(&mut rows.rows, row)?;
        }
        reader.finish()?;
        if !rows.rows.is_sorted() || rows.rows.iter().any(|row| row.hash > rows.limit) {
            return Err(invalid().detail("Its customers are not in order."));
        }
        Ok(rows)
    }
}

fn size(row: &Row) -> usize {
    row.history.len() + row.segment.as_ref().map_or(0, |s| s.len()) + OVERHEAD
}

fn put_options(out: &mut Bytes, o: &FitOptions) {
    // No days: the next basket, within so many.
    if o.next {
        put(out, 0);
    }
    put(out, o.horizon as u64);
    for number in [
        o.neighbours,
        o.ease_items,
        o.min_customers as usize,
        o.max_items,
        o.training_customers,
        o.memory,
        o.k,
        o.bootstrap,
    ] {
        put(out, number as u64);
    }
    put(out, o.seed);
    // No ridge is written as zero.
    out.extend_from_slice(&o.ridge.unwrap_or(0.0).to_le_bytes());
}

fn take_options(reader: &mut Reader) -> Result<FitOptions> {
    let mut whole = || reader.number();
    let mut object = serde_json::Map::new();
    match whole()? {
        0 => {
            object.insert("horizon".to_owned(), NEXT.into());
            object.insert("next_within".to_owned(), whole()?.into());
        }
        days => {
            object.insert("horizon".to_owned(), days.into());
        }
    }
    let fields = [
        "neighbours",
        "ease_items",
        "min_customers",
        "max_items",
        "training_customers",
        "memory",
        "k",
        "bootstrap",
        "seed",
    ];
    for field in fields {
        object.insert(field.to_owned(), whole()?.into());
    }
    let bytes = reader.take(8)?;
    let ridge = f64::from_le_bytes(bytes.try_into().map_err(|_| reader.error("It ends too early."))?);
    if ridge != 0.0 {
        object.insert("ridge".to_owned(), ridge.into());
    }
    // Read as a user's options are: every value is checked.
    FitOptions::from_json(&object.into())
}
