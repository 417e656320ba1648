//! The mergeable state of a fit: distinct customers and how often each came.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::options::{MOST_FEATURES, ProfileOptions};
use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::{hash_text, mix};
use crate::base::memory::{self, Bytes};

/// More categories of one feature than this are refused.
const MOST_CATEGORIES: usize = 10_000;
/// Bytes of a category or a name at most.
const LONGEST: usize = 1000;
/// Numbers held at most: 800 MB, below the 1 GB where a flat state ends.
const MOST_CELLS: usize = 100_000_000;
const VERSION: u8 = 1;

/// What a feature holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but missing values so far.
    Unknown,
    Number,
    Category,
}

/// One feature of all customers.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    key: u64,
    pub(super) kind: Kind,
    /// Numbers, or positions in `categories`; NaN for missing.
    pub(super) values: Vec<f64>,
    pub(super) categories: Vec<String>,
    lookup: HashMap<String, u32>,
}

/// Customers by their features: distinct rows with counts, at most as many as the options say.
///
/// Above the limit the rows with the smallest hash of their content stay: a random sample of the
/// distinct rows, the same for every order of arrival and every way of merging.
#[derive(Debug, Clone)]
pub struct ProfileRows {
    options: Rc<ProfileOptions>,
    /// Whether rows are arrays.
    arrays: Option<bool>,
    pub(super) columns: Vec<Column>,
    by_name: HashMap<String, usize>,
    hashes: Vec<u64>,
    pub(super) counts: Vec<u64>,
    /// Rows taken in, with those that the sample left out.
    pub(super) taken: u64,
    /// NULL rows.
    pub(super) skipped: u64,
}

fn too_many(what: &'static str, most: usize, hint: &'static str) -> Error {
    Error::new(ErrorKind::LimitExceeded, what).detail(format!("At most {most} are allowed.")).hint(hint)
}

impl ProfileRows {
    /// Nobody yet.
    #[must_use]
    pub fn new(options: Rc<ProfileOptions>) -> Self {
        Self {
            options,
            arrays: None,
            columns: Vec::new(),
            by_name: HashMap::new(),
            hashes: Vec::new(),
            counts: Vec::new(),
            taken: 0,
            skipped: 0,
        }
    }

    /// The options of the fit.
    #[must_use]
    pub fn options(&self) -> &Rc<ProfileOptions> {
        &self.options
    }

    /// Customers taken in.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Counts a NULL row.
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
        self.columns.push(Column {
            name: name.to_owned(),
            key: hash_text(name),
            kind: Kind::Unknown,
            values: memory::filled(f64::NAN, self.counts.len())?,
            categories: Vec::new(),
            lookup: HashMap::new(),
        });
        self.by_name.insert(name.to_owned(), self.columns.len() - 1);
        Ok(self.columns.len() - 1)
    }

    fn shape(&mut self, arrays: bool) -> Result<()> {
        if *self.arrays.get_or_insert(arrays) != arrays {
            return Err(Error::invalid("features must be all arrays or all objects"));
        }
        Ok(())
    }

    /// Takes in a customer by the elements of an array.
    ///
    /// # Errors
    /// Names the element that is not finite; arrays of different lengths; a limit passed.
    pub fn add_array(&mut self, features: impl ExactSizeIterator<Item = Option<f64>>) -> Result<()> {
        let width = features.len();
        if width == 0 {
            return Err(Error::invalid("features must have at least one element"));
        }
        if self.arrays.is_none() {
            self.shape(true)?;
            let names = Rc::clone(&self.options);
            if !names.names.is_empty() && names.names.len() != width {
                return Err(Error::invalid("options.names and features must have the same length")
                    .detail(format!("There are {} names and {width} elements.", names.names.len())));
            }
            for i in 0..width {
                let own = (i + 1).to_string();
                self.column(names.names.get(i).unwrap_or(&own))?;
            }
        } else {
            self.shape(true)?;
        }
        if width != self.columns.len() {
            return Err(Error::invalid("features must have the same number of elements in all rows")
                .detail(format!("One has {width}, others have {}.", self.columns.len())));
        }
        for column in &mut self.columns {
            memory::reserve(&mut column.values, 1)?;
        }
        let mut hash = 0_u64;
        for (i, value) in features.enumerate() {
            let column = &mut self.columns[i];
            match value {
                None => column.values.push(f64::NAN),
                Some(value) if value.is_finite() => {
                    column.kind = Kind::Number;
                    let value = value + 0.0;
                    hash = hash.wrapping_add(mix(column.key ^ mix(value.to_bits())));
                    column.values.push(value);
                }
                Some(value) => {
                    let error = Error::new(ErrorKind::OutOfRange, "features must be finite numbers")
                        .detail(format!("Element {} is {}.", i + 1, crate::base::error::shown_number(value)));
                    self.forget_unfinished();
                    return Err(error);
                }
            }
        }
        self.push(hash, 1)
    }

    fn forget_unfinished(&mut self) {
        let rows = self.counts.len();
        for column in &mut self.columns {
            column.values.truncate(rows);
        }
    }

    fn push(&mut self, hash: u64, count: u64) -> Result<()> {
        memory::push(&mut self.hashes, hash)?;
        memory::push(&mut self.counts, count)?;
        self.taken += count;
        if self.counts.len() >= 2 * self.limit() {
            self.compact(&mut || {})?;
        }
        Ok(())
    }

    /// Takes in a customer by named features: numbers, texts, true or false, null for missing.
    ///
    /// # Errors
    /// Names the feature whose value is a list or an object, or changes its type; a limit passed.
    pub fn add_named(&mut self, features: &Map<String, Value>) -> Result<()> {
        self.shape(false)?;
        let options = Rc::clone(&self.options);
        let result = features.iter().try_fold(0_u64, |hash, (name, value)| {
            let at = self.column(name)?;
            let text = match value {
                Value::Null => return Ok(hash),
                Value::Bool(value) => Some(value.to_string()),
                Value::String(text) => Some(text.clone()),
                Value::Number(n) if options.categorical.iter().any(|c| c == name) => Some(n.to_string()),
                Value::Number(_) => None,
                _ => {
                    return Err(Error::invalid("features must be numbers, texts, true, false or null")
                        .detail(format!("Feature \"{name}\" is a list or an object.")));
                }
            };
            let column = &mut self.columns[at];
            let kind = if text.is_some() { Kind::Category } else { Kind::Number };
            if column.kind != kind && column.kind != Kind::Unknown {
                return Err(mixed(name));
            }
            column.kind = kind;
            let (value, bits) = match text {
                Some(text) => {
                    let bits = hash_text(&text) ^ 0xC0DE;
                    (f64::from(column.category(&text)?), bits)
                }
                None => {
                    let value = value.as_f64().filter(|v| v.is_finite()).ok_or_else(|| {
                        Error::new(ErrorKind::OutOfRange, format!("feature \"{name}\" is out of range"))
                    })? + 0.0;
                    (value, value.to_bits())
                }
            };
            memory::push(&mut column.values, value)?;
            Ok(hash.wrapping_add(mix(column.key ^ mix(bits))))
        });
        match result {
            Ok(hash) => {
                let rows = self.counts.len();
                for column in &mut self.columns {
                    if column.values.len() == rows {
                        memory::push(&mut column.values, f64::NAN)?;
                    }
                }
                self.push(hash, 1)
            }
            Err(error) => {
                self.forget_unfinished();
                Err(error)
            }
        }
    }

    /// Distinct rows that are kept.
    pub(super) fn limit(&self) -> usize {
        self.options.sample.min(MOST_CELLS / (self.columns.len() + 2))
    }

    /// Puts the rows into their order, joins equal ones, and keeps the sample.
    pub(super) fn compact(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let n = self.counts.len();
        let columns = &self.columns;
        let hashes = &self.hashes;
        let content = |a: u32, b: u32| {
            columns
                .iter()
                .map(|c| c.compare(a as usize, b as usize))
                .find(|o| o.is_ne())
                .unwrap_or(std::cmp::Ordering::Equal)
        };
        let compare =
            |a: &u32, b: &u32| hashes[*a as usize].cmp(&hashes[*b as usize]).then_with(|| content(*a, *b));
        // A radix pass by the top byte of the hash: 256 short sorts, so that none is long.
        let mut buckets: Vec<Vec<u32>> = vec![Vec::new(); 256];
        for row in 0..n as u32 {
            memory::push(&mut buckets[(hashes[row as usize] >> 56) as usize], row)?;
        }
        let limit = self.limit();
        let mut kept: Vec<(u32, u64)> = memory::with_capacity(n.min(limit))?;
        'all: for bucket in &mut buckets {
            checkpoint();
            bucket.sort_unstable_by(compare);
            for &row in bucket.iter() {
                let full = kept.len() == limit;
                match kept.last_mut() {
                    Some(last) if compare(&last.0, &row).is_eq() => last.1 += self.counts[row as usize],
                    _ if full => break 'all,
                    _ => kept.push((row, self.counts[row as usize])),
                }
            }
        }
        for column in &mut self.columns {
            checkpoint();
            column.values = memory::collect(kept.iter().map(|(row, _)| column.values[*row as usize]))?;
        }
        self.hashes = memory::collect(kept.iter().map(|(row, _)| self.hashes[*row as usize]))?;
        self.counts = memory::collect(kept.iter().map(|(_, count)| *count))?;
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// Options or features differ; a limit passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.options != other.options {
            return Err(Error::invalid("options must be the same for all rows of an aggregate"));
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        if let Some(arrays) = other.arrays {
            self.shape(arrays)?;
            if arrays && !self.columns.is_empty() && self.columns.len() != other.columns.len() {
                return Err(Error::invalid("features must have the same number of elements in all rows"));
            }
        }
        let rows = self.counts.len();
        for theirs in &other.columns {
            checkpoint();
            let at = self.column(&theirs.name)?;
            let ours = &mut self.columns[at];
            if theirs.kind != Kind::Unknown {
                if ours.kind != Kind::Unknown && ours.kind != theirs.kind {
                    return Err(mixed(&theirs.name));
                }
                ours.kind = theirs.kind;
            }
            if theirs.kind == Kind::Category {
                let codes: Vec<f64> = theirs
                    .categories
                    .iter()
                    .map(|c| ours.category(c).map(f64::from))
                    .collect::<Result<_>>()?;
                memory::reserve(&mut ours.values, theirs.values.len())?;
                ours.values
                    .extend(theirs.values.iter().map(|v| if v.is_nan() { *v } else { codes[*v as usize] }));
            } else {
                memory::extend(&mut ours.values, &theirs.values)?;
            }
        }
        memory::extend(&mut self.hashes, &other.hashes)?;
        memory::extend(&mut self.counts, &other.counts)?;
        for column in &mut self.columns {
            let more = (rows + other.counts.len()).saturating_sub(column.values.len());
            memory::reserve(&mut column.values, more)?;
            column.values.resize(rows + other.counts.len(), f64::NAN);
        }
        self.taken = self.taken.saturating_add(other.taken);
        if self.counts.len() >= 2 * self.limit() {
            self.compact(checkpoint)?;
        }
        Ok(())
    }

    /// Whether rows, features and categories are in their order, as in a stored state.
    fn is_ordered(&self) -> bool {
        self.counts.len() <= self.limit()
            // Rows whose hashes differ differ.
            && self.hashes.is_sorted_by(|a, b| a < b)
            && self.columns.iter().all(|column| column.categories.is_sorted())
            && (self.arrays != Some(false) || self.columns.is_sorted_by(|a, b| a.name < b.name))
    }

    /// The rows of which every feature is known.
    pub(super) fn complete(&self) -> Result<Self> {
        let known = memory::collect(
            (0..self.counts.len()).map(|i| self.columns.iter().all(|c| !c.values[i].is_nan())),
        )?;
        fn kept<T: Copy>(all: &[T], known: &[bool]) -> Result<Vec<T>> {
            memory::collect(all.iter().zip(known).filter(|(_, known)| **known).map(|(one, _)| *one))
        }
        self.with(
            |column| kept(&column.values, &known),
            kept(&self.counts, &known)?,
            kept(&self.hashes, &known)?,
        )
    }

    /// The same features with other rows.
    fn with(
        &self,
        values: impl Fn(&Column) -> Result<Vec<f64>>,
        counts: Vec<u64>,
        hashes: Vec<u64>,
    ) -> Result<Self> {
        let columns = self.columns.iter().map(|column| {
            let (name, categories, lookup) =
                (column.name.clone(), column.categories.clone(), column.lookup.clone());
            Ok(Column {
                name,
                categories,
                lookup,
                values: values(column)?,
                key: column.key,
                kind: column.kind,
            })
        });
        Ok(Self {
            options: Rc::clone(&self.options),
            arrays: self.arrays,
            columns: columns.collect::<Result<_>>()?,
            by_name: self.by_name.clone(),
            hashes,
            counts,
            taken: self.taken,
            skipped: self.skipped,
        })
    }

    /// These rows with rows, features and categories in their order.
    pub(super) fn ordered(&self, checkpoint: Checkpoint) -> Result<Cow<'_, Self>> {
        if self.is_ordered() {
            return Ok(Cow::Borrowed(self));
        }
        let (counts, hashes) = (memory::copy(&self.counts)?, memory::copy(&self.hashes)?);
        let mut rows = self.with(|column| memory::copy(&column.values), counts, hashes)?;
        for column in &mut rows.columns {
            let mut order: Vec<usize> = (0..column.categories.len()).collect();
            order.sort_by(|a, b| column.categories[*a].cmp(&column.categories[*b]));
            let mut position = vec![0.0; order.len()];
            for (new, old) in order.iter().enumerate() {
                position[*old] = new as f64;
            }
            column.categories = order.iter().map(|old| column.categories[*old].clone()).collect();
            column.lookup = column.categories.iter().cloned().zip(0..).collect();
            if column.kind == Kind::Category {
                column.values.iter_mut().filter(|v| !v.is_nan()).for_each(|v| *v = position[*v as usize]);
            }
        }
        if rows.arrays == Some(false) {
            rows.columns.sort_by(|a, b| a.name.cmp(&b.name));
            rows.by_name = rows.columns.iter().map(|c| c.name.clone()).zip(0..).collect();
        }
        rows.compact(checkpoint)?;
        Ok(Cow::Owned(rows))
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let rows = self.ordered(&mut || {})?;
        let mut out = Bytes::begin(&[VERSION]);
        let text = |out: &mut Bytes, text: &str| {
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        };
        text(&mut out, rows.options.text());
        out.push(rows.arrays.map_or(2, u8::from));
        for number in [rows.taken, rows.skipped, rows.counts.len() as u64, rows.columns.len() as u64] {
            put(&mut out, number);
        }
        for hash in &rows.hashes {
            out.extend_from_slice(&hash.to_le_bytes());
        }
        rows.counts.iter().for_each(|count| put(&mut out, *count));
        for column in &rows.columns {
            text(&mut out, &column.name);
            out.push(column.kind as u8);
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
    /// [`ErrorKind::InvalidBinary`] for anything that [`ProfileRows::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
            let n = reader.number()?;
            std::str::from_utf8(reader.take(n)?).map_err(|_| reader.error("A text is not UTF-8."))
        }
        fn words(reader: &mut Reader, n: usize) -> Result<impl Iterator<Item = u64>> {
            let bytes = reader.take((n as u64).saturating_mul(8))?;
            Ok(bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word)))
        }
        let mut reader = Reader::new(bytes, "profile rows");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let options = text(&mut reader)?;
        let options = serde_json::from_str(options).map_err(|_| reader.error("Its options are invalid."))?;
        let mut rows = Self::new(Rc::new(ProfileOptions::from_json(&options)?));
        rows.arrays = match reader.byte()? {
            0 => Some(false),
            1 => Some(true),
            2 => None,
            _ => return Err(reader.error("Its shape is not known.")),
        };
        rows.taken = reader.number()?;
        rows.skipped = reader.number()?;
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
        for _ in 0..width {
            let name = text(&mut reader)?;
            let at = rows.column(name)?;
            let kind = match reader.byte()? {
                0 => Kind::Unknown,
                1 => Kind::Number,
                2 => Kind::Category,
                _ => return Err(reader.error("A kind of feature is not known.")),
            };
            let categories = reader.count(1)?;
            let column = &mut rows.columns[at];
            column.kind = kind;
            for i in 0..categories {
                let category = text(&mut reader)?;
                if column.category(category)? as usize != i {
                    return Err(reader.error("A category is repeated."));
                }
            }
            let values = memory::collect(words(&mut reader, n)?.map(f64::from_bits))?;
            let possible = |v: &f64| match kind {
                Kind::Unknown => false,
                Kind::Number => v.is_finite(),
                Kind::Category => v.fract() == 0.0 && (0.0..categories as f64).contains(v),
            };
            if values.iter().any(|v| !v.is_nan() && !possible(v)) {
                return Err(reader.error("A value is impossible."));
            }
            column.values = values;
        }
        reader.finish()?;
        if rows.columns.len() != width || rows.columns.iter().any(|c| c.values.len() != n) {
            return Err(reader.error("A feature is repeated."));
        }
        Ok(rows)
    }
}

fn mixed(name: &str) -> Error {
    Error::invalid(format!("feature \"{name}\" is a number in some rows and a text in others"))
        .hint("Cast it in the query, or name it in options.categorical.")
}

impl Column {
    fn category(&mut self, text: &str) -> Result<u32> {
        if let Some(&code) = self.lookup.get(text) {
            return Ok(code);
        }
        if text.len() > LONGEST {
            return Err(too_many("a category is too long", LONGEST, "Shorten it, or leave the feature out.")
                .detail(format!("Feature \"{}\" has one of {} bytes.", self.name, text.len())));
        }
        if self.categories.len() == MOST_CATEGORIES {
            return Err(too_many(
                "a feature has too many categories",
                MOST_CATEGORIES,
                "Leave out what nearly identifies a customer.",
            ));
        }
        let code = self.categories.len() as u32;
        self.categories.push(text.to_owned());
        self.lookup.insert(text.to_owned(), code);
        Ok(code)
    }

    /// An order of contents that does not depend on the order of arrival.
    fn compare(&self, a: usize, b: usize) -> std::cmp::Ordering {
        let (a, b) = (self.values[a], self.values[b]);
        if self.kind == Kind::Category && !a.is_nan() && !b.is_nan() {
            return self.categories[a as usize].cmp(&self.categories[b as usize]);
        }
        a.total_cmp(&b)
    }
}
