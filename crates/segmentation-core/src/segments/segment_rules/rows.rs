//! The mergeable state: customers with a segment and features, equal ones counted together.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::document::{Node, View};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::{hash_text, mix};
use crate::base::host;
use crate::base::memory::{self, Bytes};

/// More features than this are refused.
const MOST_FEATURES: usize = 256;
/// More categories of one feature than this are no rule that anybody reads.
const MOST_CATEGORIES: usize = 1000;
/// More segments than this are refused.
const MOST_SEGMENTS: usize = 100;
/// Bytes of a category or a name at most.
const LONGEST: usize = 1000;
/// Characters of the code of a segment, as a definition has it.
const LONGEST_CODE: usize = 200;
/// Different customers held at most, and numbers held at most.
const MOST_ROWS: usize = 1_000_000;
const MOST_CELLS: usize = 50_000_000;
const VERSION: u8 = 1;

/// What a feature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but missing values so far.
    Unknown,
    Number,
    /// true (1) or false (0).
    Flag,
    Category,
}

impl Kind {
    fn what(self) -> &'static str {
        match self {
            Self::Unknown => "null",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Category => "a text",
        }
    }
}

/// One feature of all customers, or their segment.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    key: u64,
    pub(super) kind: Kind,
    /// Whether all its numbers are whole, and whether none lost digits on becoming a double.
    pub(super) whole: bool,
    pub(super) exact: bool,
    /// Numbers, or positions in `categories`; NaN for missing.
    pub(super) values: Vec<f64>,
    pub(super) categories: Vec<String>,
    lookup: HashMap<String, u32>,
}

/// Customers with their segments and features: distinct rows with counts, at most a million of them.
///
/// Above the limit the rows with the smallest hash of their content stay: a random sample of the distinct rows, the
/// same for every order of arrival and every way of merging.
#[derive(Debug, Clone)]
pub struct SegmentRows {
    pub(super) columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    pub(super) segment: Column,
    hashes: Vec<u64>,
    pub(super) counts: Vec<u64>,
    /// Rows taken in, with those that the sample left out.
    pub(super) taken: u64,
    /// Rows without segment or features.
    pub(super) skipped: u64,
}

impl Default for SegmentRows {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            by_name: HashMap::new(),
            segment: Column::new("segment", Kind::Category, Vec::new()),
            hashes: Vec::new(),
            counts: Vec::new(),
            taken: 0,
            skipped: 0,
        }
    }
}

fn too_many(what: &'static str, most: usize, hint: &'static str) -> Error {
    Error::new(ErrorKind::LimitExceeded, what).detail(format!("At most {most} are allowed.")).hint(hint)
}

impl Column {
    fn new(name: &str, kind: Kind, values: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            key: hash_text(name),
            kind,
            whole: true,
            exact: true,
            values,
            categories: Vec::new(),
            lookup: HashMap::new(),
        }
    }

    fn category(&mut self, text: &str, most: usize) -> Result<u32> {
        if let Some(&code) = self.lookup.get(text) {
            return Ok(code);
        }
        if text.len() > LONGEST {
            return Err(too_many("a category is too long", LONGEST, "Shorten it, or leave the feature out.")
                .detail(format!("Feature \"{}\" has one of {} bytes.", self.name, text.len())));
        }
        if self.categories.len() == most {
            return Err(too_many(
                "a feature has too many categories",
                most,
                "Leave out what nearly identifies a customer; give a date as a number of days or years.",
            )
            .detail(format!("Feature \"{}\" has more than {most}.", self.name)));
        }
        let code = self.categories.len() as u32;
        self.categories.push(text.to_owned());
        self.lookup.insert(text.to_owned(), code);
        Ok(code)
    }

    fn segment(&mut self, code: &str) -> Result<u32> {
        if let Some(&code) = self.lookup.get(code) {
            return Ok(code);
        }
        let length = code.chars().count();
        if length == 0 || length > LONGEST_CODE {
            return Err(Error::invalid(format!(
                "the code of a segment must have 1 to {LONGEST_CODE} characters"
            ))
            .detail(format!("One has {length}.")));
        }
        if self.categories.len() == MOST_SEGMENTS {
            return Err(too_many(
                "too many segments",
                MOST_SEGMENTS,
                "Join segments, or describe one at a time.",
            ));
        }
        self.category(code, MOST_SEGMENTS)
    }

    fn is(&mut self, kind: Kind) -> Result<()> {
        if self.kind == Kind::Unknown {
            self.kind = kind;
        } else if self.kind != kind && kind != Kind::Unknown {
            let error = Error::invalid(format!("feature \"{}\" changes its type", self.name));
            return Err(error
                .detail(format!("It is {} in some rows and {} in others.", self.kind.what(), kind.what()))
                .hint("Cast it in the query."));
        }
        Ok(())
    }

    /// An order of contents that does not depend on the order of arrival.
    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let (a, b) = (self.values[a], self.values[b]);
        if self.kind == Kind::Category && !a.is_nan() && !b.is_nan() {
            return self.categories[a as usize].cmp(&self.categories[b as usize]);
        }
        a.total_cmp(&b)
    }

    /// The values of some rows, and of its categories those that are left, sorted.
    fn kept(&self, rows: &[u32]) -> Result<Self> {
        let mut kept = Self::new(&self.name, self.kind, Vec::new());
        (kept.whole, kept.exact) = (self.whole, self.exact);
        if self.kind != Kind::Category {
            kept.values = memory::collect(rows.iter().map(|row| self.values[*row as usize]))?;
            return Ok(kept);
        }
        let mut used = vec![false; self.categories.len()];
        for row in rows {
            let value = self.values[*row as usize];
            if !value.is_nan() {
                used[value as usize] = true;
            }
        }
        let mut order: Vec<usize> = (0..used.len()).filter(|c| used[*c]).collect();
        order.sort_unstable_by(|a, b| self.categories[*a].cmp(&self.categories[*b]));
        let mut place = vec![f64::NAN; used.len()];
        for (at, c) in order.iter().enumerate() {
            place[*c] = at as f64;
            kept.categories.push(self.categories[*c].clone());
            kept.lookup.insert(self.categories[*c].clone(), at as u32);
        }
        kept.values = memory::collect(rows.iter().map(|row| {
            let value = self.values[*row as usize];
            if value.is_nan() { value } else { place[value as usize] }
        }))?;
        Ok(kept)
    }

    fn absorb(&mut self, other: &Self, most: usize) -> Result<()> {
        self.is(other.kind)?;
        self.whole &= other.whole;
        self.exact &= other.exact;
        memory::reserve(&mut self.values, other.values.len())?;
        if other.kind == Kind::Category {
            let codes = other.categories.iter().map(|c| self.category(c, most).map(f64::from));
            let codes: Vec<f64> = codes.collect::<Result<_>>()?;
            self.values.extend(other.values.iter().map(|v| if v.is_nan() { *v } else { codes[*v as usize] }));
        } else {
            self.values.extend_from_slice(&other.values);
        }
        Ok(())
    }
}

impl SegmentRows {
    /// Counts a row without segment or features.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    fn column(&mut self, name: &str) -> Result<usize> {
        if let Some(&at) = self.by_name.get(name) {
            return Ok(at);
        }
        if name.len() > LONGEST {
            return Err(too_many("the name of a feature is too long", LONGEST, "Use a shorter name."));
        }
        if self.columns.len() == MOST_FEATURES {
            return Err(too_many("too many features", MOST_FEATURES, "Leave out features that say little."));
        }
        let missing = memory::filled(f64::NAN, self.counts.len())?;
        self.columns.push(Column::new(name, Kind::Unknown, missing));
        self.by_name.insert(name.to_owned(), self.columns.len() - 1);
        Ok(self.columns.len() - 1)
    }

    /// Takes in a customer: numbers, texts, true or false, null for missing.
    ///
    /// # Errors
    /// Names the feature whose value is a list or an object, or changes its type; a limit passed.
    pub fn add<'a, N: Node<'a>>(&mut self, segment: &str, features: N) -> Result<()> {
        let added = self.put(segment, features);
        if added.is_err() {
            let rows = self.counts.len();
            self.columns.iter_mut().for_each(|column| column.values.truncate(rows));
            self.segment.values.truncate(rows);
        }
        added
    }

    fn put<'a, N: Node<'a>>(&mut self, segment: &str, features: N) -> Result<()> {
        let rows = self.counts.len();
        let code = self.segment.segment(segment)?;
        memory::push(&mut self.segment.values, f64::from(code))?;
        let mut hash = mix(hash_text(segment));
        for (name, value) in features.members() {
            let at = self.column(&name)?;
            let column = &mut self.columns[at];
            let (value, bits) = match value.view() {
                View::Null => continue,
                View::Bool(value) => {
                    column.is(Kind::Flag)?;
                    (f64::from(u8::from(value)), 1 + u64::from(value))
                }
                View::Text(text) => {
                    column.is(Kind::Category)?;
                    let text = std::str::from_utf8(text)
                        .map_err(|_| Error::invalid(format!("feature \"{name}\" is not UTF-8")))?;
                    (f64::from(column.category(text, MOST_CATEGORIES)?), hash_text(text) ^ 0xC0DE)
                }
                View::Number(number) => {
                    column.is(Kind::Number)?;
                    let value = number.to_f64() + 0.0;
                    if !value.is_finite() {
                        return Err(Error::new(
                            ErrorKind::OutOfRange,
                            format!("feature \"{name}\" is out of range"),
                        ));
                    }
                    column.whole &= value.fract() == 0.0 && value.abs() < 9e15;
                    column.exact &= number.is_written_as(value);
                    (value, value.to_bits())
                }
                View::List(_) | View::Object(_) => {
                    return Err(Error::invalid("features must be numbers, texts, true, false or null")
                        .detail(format!("Feature \"{name}\" is a list or an object.")));
                }
            };
            if column.values.len() > rows {
                return Err(Error::invalid(format!("feature \"{name}\" is there twice")));
            }
            memory::push(&mut column.values, value)?;
            hash = hash.wrapping_add(mix(column.key ^ mix(bits)));
        }
        for column in &mut self.columns {
            if column.values.len() == rows {
                memory::push(&mut column.values, f64::NAN)?;
            }
        }
        memory::push(&mut self.hashes, hash)?;
        memory::push(&mut self.counts, 1)?;
        self.taken += 1;
        if self.counts.len() >= 2 * self.limit() {
            *self = self.compacted(&mut host::pause)?;
        }
        Ok(())
    }

    /// Distinct rows that are kept.
    fn limit(&self) -> usize {
        MOST_ROWS.min(MOST_CELLS / (self.columns.len() + 3))
    }

    /// The rows in their order, equal ones joined, no more than the sample; features by name, categories sorted.
    fn compacted(&self, checkpoint: Checkpoint) -> Result<Self> {
        let mut columns: Vec<&Column> = self.columns.iter().collect();
        columns.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let content = |a: u32, b: u32| {
            std::iter::once(&self.segment)
                .chain(columns.iter().copied())
                .map(|c| c.compare(a as usize, b as usize))
                .find(|o| o.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        let hash = |row: u32| self.hashes[row as usize];
        let compare = |a: &u32, b: &u32| hash(*a).cmp(&hash(*b)).then_with(|| content(*a, *b));
        // A radix pass by the top byte of the hash: 256 short sorts, so that none is long.
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); 256];
        for row in 0..self.counts.len() as u32 {
            memory::push(&mut buckets[(hash(row) >> 56) as usize], row)?;
        }
        let limit = self.limit();
        let (mut kept, mut counts) = (Vec::new(), Vec::new());
        'all: for bucket in &mut buckets {
            checkpoint();
            bucket.sort_unstable_by(compare);
            for &row in bucket.iter() {
                let count = self.counts[row as usize];
                match (kept.last(), counts.last_mut()) {
                    (Some(last), Some(total)) if compare(last, &row).is_eq() => *total += count,
                    _ if kept.len() == limit => break 'all,
                    _ => {
                        memory::push(&mut kept, row)?;
                        memory::push(&mut counts, count)?;
                    }
                }
            }
        }
        let mut all = Self { taken: self.taken, skipped: self.skipped, ..Self::default() };
        for column in columns {
            checkpoint();
            all.by_name.insert(column.name.clone(), all.columns.len());
            all.columns.push(column.kept(&kept)?);
        }
        all.segment = self.segment.kept(&kept)?;
        all.hashes = memory::collect(kept.iter().map(|row| hash(*row)))?;
        all.counts = counts;
        Ok(all)
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// A feature changes its type; a limit passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        let rows = self.counts.len() + other.counts.len();
        self.segment.absorb(&other.segment, MOST_SEGMENTS).map_err(|error| {
            if error.kind != ErrorKind::LimitExceeded {
                return error;
            }
            too_many("too many segments", MOST_SEGMENTS, "Join segments, or describe one at a time.")
        })?;
        for theirs in &other.columns {
            checkpoint();
            let at = self.column(&theirs.name)?;
            self.columns[at].absorb(theirs, MOST_CATEGORIES)?;
        }
        memory::extend(&mut self.hashes, &other.hashes)?;
        memory::extend(&mut self.counts, &other.counts)?;
        for column in &mut self.columns {
            let more = rows.saturating_sub(column.values.len());
            memory::reserve(&mut column.values, more)?;
            column.values.resize(rows, f64::NAN);
        }
        self.taken = self.taken.saturating_add(other.taken);
        self.skipped = self.skipped.saturating_add(other.skipped);
        if self.counts.len() >= 2 * self.limit() {
            *self = self.compacted(checkpoint)?;
        }
        Ok(())
    }

    /// The rows in the order of the stored form.
    pub(super) fn ordered(&self, checkpoint: Checkpoint) -> Result<Cow<'_, Self>> {
        let ordered = self.counts.len() <= self.limit()
            // Rows whose hashes differ differ.
            && self.hashes.is_sorted_by(|a, b| a < b)
            && self.segment.categories.is_sorted()
            && self.columns.is_sorted_by(|a, b| a.name < b.name)
            && self.columns.iter().all(|column| column.categories.is_sorted());
        if ordered { Ok(Cow::Borrowed(self)) } else { Ok(Cow::Owned(self.compacted(checkpoint)?)) }
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let rows = self.ordered(&mut host::pause)?;
        let mut out = Bytes::begin(&[VERSION]);
        let text = |out: &mut Bytes, text: &str| {
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        };
        for number in [rows.taken, rows.skipped, rows.counts.len() as u64, rows.columns.len() as u64] {
            put(&mut out, number);
        }
        for hash in &rows.hashes {
            out.extend_from_slice(&hash.to_le_bytes());
        }
        rows.counts.iter().for_each(|count| put(&mut out, *count));
        for column in std::iter::once(&rows.segment).chain(&rows.columns) {
            text(&mut out, &column.name);
            out.push(column.kind as u8 | u8::from(column.whole) << 2 | u8::from(column.exact) << 3);
            put(&mut out, column.categories.len() as u64);
            column.categories.iter().for_each(|c| text(&mut out, c));
            for value in &column.values {
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`SegmentRows::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "segment rows");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let mut rows = Self { taken: reader.number()?, skipped: reader.number()?, ..Self::default() };
        let n = reader.count(9)?;
        let width = reader.count(1)?;
        rows.hashes = memory::collect(words(&mut reader, n)?)?;
        memory::reserve_exact(&mut rows.counts, n)?;
        for _ in 0..n {
            rows.counts.push(reader.number()?);
        }
        if rows.counts.iter().any(|c| *c == 0 || *c > 1 << 40) || rows.taken > 1 << 50 {
            return Err(reader.error("A count is impossible."));
        }
        rows.segment = read_column(&mut reader, n, MOST_SEGMENTS)?;
        let code = |code: &String| (1..=LONGEST_CODE).contains(&code.chars().count());
        if rows.segment.kind != Kind::Category
            || !rows.segment.categories.iter().all(code)
            || rows.segment.values.iter().any(|v| v.is_nan())
        {
            return Err(reader.error("A segment is impossible."));
        }
        for _ in 0..width {
            let column = read_column(&mut reader, n, MOST_CATEGORIES)?;
            if rows.columns.len() == MOST_FEATURES
                || rows.by_name.insert(column.name.clone(), rows.columns.len()).is_some()
            {
                return Err(reader.error("A feature is repeated."));
            }
            rows.columns.push(column);
        }
        reader.finish()?;
        Ok(rows)
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
    let n = reader.number()?;
    let text = std::str::from_utf8(reader.take(n)?).map_err(|_| reader.error("A text is not UTF-8."))?;
    if text.len() > LONGEST { Err(reader.error("A text is too long.")) } else { Ok(text) }
}

fn words(reader: &mut Reader, n: usize) -> Result<impl Iterator<Item = u64>> {
    let bytes = reader.take((n as u64).saturating_mul(8))?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)))
}

fn read_column(reader: &mut Reader, n: usize, most: usize) -> Result<Column> {
    let name = text(reader)?;
    let head = reader.byte()?;
    let kind = match head & 3 {
        0 => Kind::Unknown,
        1 => Kind::Number,
        2 => Kind::Flag,
        _ => Kind::Category,
    };
    if head >> 4 != 0 {
        return Err(reader.error("A kind of feature is not known."));
    }
    let mut column = Column::new(name, kind, Vec::new());
    (column.whole, column.exact) = (head & 4 != 0, head & 8 != 0);
    let categories = reader.count(1)?;
    if categories > most || kind != Kind::Category && categories > 0 {
        return Err(reader.error("A feature has too many categories."));
    }
    for i in 0..categories {
        let category = text(reader)?;
        if column.category(category, most)? as usize != i {
            return Err(reader.error("A category is repeated."));
        }
    }
    column.values = memory::collect(words(reader, n)?.map(f64::from_bits))?;
    let whole = column.whole;
    let possible = |v: &f64| match kind {
        Kind::Unknown => false,
        Kind::Number => v.is_finite() && (!whole || v.fract() == 0.0 && v.abs() < 9e15),
        Kind::Flag => *v == 0.0 || *v == 1.0,
        Kind::Category => v.fract() == 0.0 && (0.0..categories as f64).contains(v),
    };
    if column.values.iter().any(|v| !v.is_nan() && !possible(v)) {
        return Err(reader.error("A value is impossible."));
    }
    Ok(column)
}
