//! The rows of a fit as a mergeable state of bounded size.
//!
//! Equal rows are counted once. Beyond a stated number of distinct rows a sample is kept, chosen
//! by a hash of the content: neither the plan nor the order of the rows has a say in it, and all
//! rows of equal content stay or go together.

use std::collections::HashMap;

use hashbrown::HashTable;

use super::features::{FeatureValue, Features, order, shown};
use super::options::ChurnOptions;
use super::stored::{Stored, read_value, read_weight, write_value, write_weight};
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::{FNV_START, finish, fnv};
use crate::base::memory::{self, Bytes};

/// The most features of one fit.
pub const MOST_FEATURES: usize = 500;
/// The most bytes that the kept rows may take.
const MOST_BYTES: usize = 400 << 20;
/// What a row takes beside its content.
const ROW_OVERHEAD: usize = 56;
const VERSION: u8 = 1;

/// How many rows of one content did and did not churn.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Tally {
    hash: u64,
    stayed: u64,
    churned: u64,
}

/// A row that is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    start: usize,
    len: usize,
    tally: Tally,
}

/// Where the table looks for a row: a sample keeps rows whose hashes begin alike.
fn place_hash(hash: u64) -> u64 {
    hash.rotate_left(32)
}

/// Rows that are not in the fit, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkippedRows {
    /// `churned` was NULL.
    pub null_outcome: u64,
    /// `features` was NULL.
    pub null_features: u64,
    /// `weight` was NULL or 0.
    pub no_weight: u64,
}

/// The mergeable state: distinct rows with their counts.
#[derive(Debug, Clone)]
pub struct ChurnRows {
    options: ChurnOptions,
    names: Vec<String>,
    name_hashes: Vec<u64>,
    ids: HashMap<String, u32, foldhash::fast::FixedState>,
    /// The contents of the rows, one after the other.
    contents: Vec<u8>,
    rows: Vec<Kept>,
    /// Places in `rows`, by content.
    places: HashTable<u32>,
    /// The content of the row that is being taken in.
    scratch: Vec<u8>,
    /// Rows are kept whose hash begins with this many zero bits.
    level: u32,
    seen: u64,
    skipped: SkippedRows,
}

/// One distinct row, decoded.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Row<'a> {
    pub weight: f64,
    /// Numbers of features and their values, ascending.
    pub values: Vec<(u32, Stored<'a>)>,
    pub stayed: u64,
    pub churned: u64,
}

/// All rows in an order that depends on their content only.
pub(crate) struct Canonical {
    pub names: Vec<String>,
    contents: Vec<u8>,
    rows: Vec<Kept>,
}

const WHAT: &str = "churn rows";

impl Canonical {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    fn keys(&self) -> impl Iterator<Item = (&[u8], Tally)> {
        self.rows.iter().map(|row| (&self.contents[row.start..row.start + row.len], row.tally))
    }

    /// Shows every row to `each`, with its number. One row is decoded into the place of the other.
    pub(crate) fn each<'a>(&'a self, mut each: impl FnMut(usize, &Row<'a>) -> Result<()>) -> Result<()> {
        let mut row = Row::default();
        for (i, (key, tally)) in self.keys().enumerate() {
            let mut reader = Reader::new(key, WHAT);
            row.weight = read_weight(&mut reader)?;
            let n = reader.small()?;
            row.values.clear();
            for _ in 0..n {
                let id = reader.small()?;
                row.values.push((id, read_value(&mut reader)?));
            }
            (row.stayed, row.churned) = (tally.stayed, tally.churned);
            each(i, &row)?;
        }
        Ok(())
    }
}

impl ChurnRows {
    /// Nothing yet.
    #[must_use]
    pub fn new(options: ChurnOptions) -> Self {
        Self {
            options,
            names: Vec::new(),
            name_hashes: Vec::new(),
            ids: HashMap::default(),
            contents: Vec::new(),
            rows: Vec::new(),
            places: HashTable::new(),
            scratch: Vec::new(),
            level: 0,
            seen: 0,
            skipped: SkippedRows::default(),
        }
    }

    /// The options that it was begun with.
    #[must_use]
    pub fn options(&self) -> &ChurnOptions {
        &self.options
    }

    /// Rows taken in, also those that are not in the sample.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Rows left out, by reason.
    #[must_use]
    pub fn skipped(&self) -> SkippedRows {
        self.skipped
    }

    /// The share of the distinct rows that is kept.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        0.5_f64.powi(self.level as i32)
    }

    fn id(&mut self, guess: usize, name: &str) -> Result<u32> {
        if self.names.get(guess).is_some_and(|known| known == name) {
            return Ok(guess as u32);
        }
        if let Some(&id) = self.ids.get(name) {
            return Ok(id);
        }
        if self.names.len() >= MOST_FEATURES {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many features")
                .detail(format!(
                    "At most {MOST_FEATURES} different names are allowed; \"{}\" is one more.",
                    shown(name)
                ))
                .hint("Choose some of them with the option \"features\"."));
        }
        let id = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.name_hashes.push(finish(fnv(FNV_START, name.as_bytes())));
        self.ids.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Takes in one customer.
    ///
    /// # Errors
    /// A weight that is negative or not finite; too many features.
    pub fn add(
        &mut self,
        churned: Option<bool>,
        features: Option<&Features>,
        weight: Option<f64>,
    ) -> Result<()> {
        if let Some(weight) = weight
            && !(weight.is_finite() && (0.0..=1e15).contains(&weight))
        {
            return Err(Error::invalid("weight must be a finite number that is not negative")
                .detail(format!("It is {}.", crate::base::error::shown_number(weight))));
        }
        let Some(churned) = churned else {
            self.skipped.null_outcome += 1;
            return Ok(());
        };
        let Some(features) = features else {
            self.skipped.null_features += 1;
            return Ok(());
        };
        let weight = match weight {
            Some(weight) if weight > 0.0 => weight,
            _ => {
                self.skipped.no_weight += 1;
                return Ok(());
            }
        };
        self.insert(features, weight, u64::from(!churned), u64::from(churned))
    }

    /// Takes in several rows of one content.
    ///
    /// # Errors
    /// Too many features.
    pub(crate) fn insert(
        &mut self,
        features: &Features,
        weight: f64,
        stayed: u64,
        churned: u64,
    ) -> Result<()> {
        self.seen += stayed + churned;
        let mut key = std::mem::take(&mut self.scratch);
        key.clear();
        let taken = self
            .write_row(&mut key, features, weight)
            .and_then(|hash| self.take(&key, Tally { hash, stayed, churned }));
        self.scratch = key;
        taken
    }

    /// The content of a row, and its hash.
    fn write_row(&mut self, key: &mut Vec<u8>, features: &Features, weight: f64) -> Result<u64> {
        write_weight(key, weight);
        let mut hash = fnv(FNV_START, key);
        let all = self.options.keeps_all();
        let n = if all {
            features.0.len()
        } else {
            features.0.iter().filter(|(name, _)| self.options.keeps(name)).count()
        };
        put(key, n as u64);
        let mut place = 0;
        for (name, value) in &features.0 {
            if !all && !self.options.keeps(name) {
                continue;
            }
            let id = self.id(place, name)?;
            place += 1;
            put(key, u64::from(id));
            let start = key.len();
            write_value(key, value);
            hash = fnv(hash ^ self.name_hashes[id as usize], &key[start..]);
        }
        Ok(finish(hash))
    }

    fn in_sample(&self, hash: u64) -> bool {
        self.level == 0 || hash >> (64 - self.level) == 0
    }

    fn find(&self, key: &[u8], hash: u64) -> Option<usize> {
        let same = |place: &u32| {
            let row = &self.rows[*place as usize];
            row.tally.hash == hash && self.contents[row.start..row.start + row.len] == *key
        };
        self.places.find(place_hash(hash), same).map(|place| *place as usize)
    }

    fn keep(&mut self, key: &[u8], tally: Tally) -> Result<()> {
        let rows = &self.rows;
        let hash_at = |place: &u32| place_hash(rows[*place as usize].tally.hash);
        if self.places.len() == self.places.capacity() {
            memory::reserve_by(1, size_of::<u32>(), |more| self.places.try_reserve(more, hash_at).is_ok())?;
        }
        memory::reserve(&mut self.contents, key.len())?;
        let place = self.rows.len() as u32;
        self.places.insert_unique(place_hash(tally.hash), place, hash_at);
        memory::push(&mut self.rows, Kept { start: self.contents.len(), len: key.len(), tally })?;
        self.contents.extend_from_slice(key);
        Ok(())
    }

    fn take(&mut self, key: &[u8], tally: Tally) -> Result<()> {
        if !self.in_sample(tally.hash) {
            return Ok(());
        }
        if let Some(place) = self.find(key, tally.hash) {
            let known = &mut self.rows[place].tally;
            known.stayed += tally.stayed;
            known.churned += tally.churned;
            return Ok(());
        }
        self.keep(key, tally)?;
        let bytes = |state: &Self| state.contents.len() + state.rows.len() * ROW_OVERHEAD;
        while (self.rows.len() as u64 > self.options.sample || bytes(self) > MOST_BYTES) && self.level < 60 {
            self.thin(self.level + 1)?;
        }
        Ok(())
    }

    /// Keeps the rows whose hash begins with `level` zero bits.
    fn thin(&mut self, level: u32) -> Result<()> {
        self.level = level;
        let contents = std::mem::take(&mut self.contents);
        let rows = std::mem::take(&mut self.rows);
        self.places.clear();
        for row in rows.iter().filter(|row| row.tally.hash >> (64 - level) == 0) {
            self.keep(&contents[row.start..row.start + row.len], row.tally)?;
        }
        Ok(())
    }

    /// Takes in another part of the same population.
    ///
    /// # Errors
    /// The options differ; too many features.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.options != other.options {
            return Err(Error::invalid("churn rows with different options cannot be merged"));
        }
        self.seen = self.seen.saturating_add(other.seen);
        self.skipped.null_outcome = self.skipped.null_outcome.saturating_add(other.skipped.null_outcome);
        self.skipped.null_features = self.skipped.null_features.saturating_add(other.skipped.null_features);
        self.skipped.no_weight = self.skipped.no_weight.saturating_add(other.skipped.no_weight);
        if other.level > self.level {
            self.thin(other.level)?;
        }
        let map: Vec<u32> =
            other.names.iter().enumerate().map(|(i, name)| self.id(i, name)).collect::<Result<_>>()?;
        let same = map.iter().enumerate().all(|(i, &id)| id as usize == i);
        for row in &other.rows {
            let key = &other.contents[row.start..row.start + row.len];
            if same {
                self.take(key, row.tally)?;
            } else {
                self.take(&renamed(key, &map)?, row.tally)?;
            }
        }
        Ok(())
    }

    /// The rows in an order of their own.
    pub(crate) fn canonical(&self) -> Result<Canonical> {
        let mut by_name: Vec<usize> = (0..self.names.len()).collect();
        by_name.sort_by(|&a, &b| order(&self.names[a], &self.names[b]));
        let mut map = vec![0; self.names.len()];
        for (new, &old) in by_name.iter().enumerate() {
            map[old] = new as u32;
        }
        let same = map.iter().enumerate().all(|(i, &id)| id as usize == i);
        let key = |place: u32| {
            let row = &self.rows[place as usize];
            &self.contents[row.start..row.start + row.len]
        };
        let mut order = memory::collect(self.rows.iter().zip(0_u32..).map(|(row, i)| (row.tally.hash, i)))?;
        order.sort_unstable_by(|a, b| {
            // Different rows with one hash: hardly ever.
            let by_content = || renamed(key(a.1), &map).ok().cmp(&renamed(key(b.1), &map).ok());
            a.0.cmp(&b.0).then_with(by_content)
        });
        let mut contents: Vec<u8> = memory::with_capacity(self.contents.len())?;
        let mut rows: Vec<Kept> = memory::with_capacity(order.len())?;
        for (_, place) in order {
            let start = contents.len();
            if same {
                memory::extend(&mut contents, key(place))?;
            } else {
                memory::extend(&mut contents, &renamed(key(place), &map)?)?;
            }
            let tally = self.rows[place as usize].tally;
            rows.push(Kept { start, len: contents.len() - start, tally });
        }
        Ok(Canonical { names: by_name.into_iter().map(|i| self.names[i].clone()).collect(), contents, rows })
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// None that an own state can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let canonical = self.canonical()?;
        let mut out = Bytes::begin(&[VERSION]);
        let text = |out: &mut Bytes, text: &str| {
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        };
        text(&mut out, &self.options.to_json().to_string());
        for n in [
            u64::from(self.level),
            self.seen,
            self.skipped.null_outcome,
            self.skipped.null_features,
            self.skipped.no_weight,
        ] {
            put(&mut out, n);
        }
        put(&mut out, canonical.names.len() as u64);
        for name in &canonical.names {
            text(&mut out, name);
        }
        put(&mut out, canonical.rows.len() as u64);
        for (key, tally) in canonical.keys() {
            put(&mut out, key.len() as u64);
            out.extend_from_slice(key);
            put(&mut out, tally.stayed);
            put(&mut out, tally.churned);
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`ChurnRows::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, WHAT);
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
            let len = reader.number()?;
            std::str::from_utf8(reader.take(len)?).map_err(|_| reader.error("A text is not UTF-8."))
        }
        let options = text(&mut reader)?;
        let options =
            serde_json::from_str(options).map_err(|_| reader.error("Its options cannot be read."))?;
        let options =
            ChurnOptions::from_json(&options).map_err(|_| reader.error("Its options cannot be read."))?;
        let mut state = Self::new(options);
        state.level = reader.small()?;
        if state.level > 60 {
            return Err(reader.error("Its sample is impossible."));
        }
        state.seen = reader.number()?;
        state.skipped = SkippedRows {
            null_outcome: reader.number()?,
            null_features: reader.number()?,
            no_weight: reader.number()?,
        };
        let most = u64::MAX >> 8;
        let skipped = [state.skipped.null_outcome, state.skipped.null_features, state.skipped.no_weight];
        if state.seen > most || skipped.iter().any(|&n| n > most) {
            return Err(reader.error("A count is impossible."));
        }
        let n = reader.count(1)?;
        if n > MOST_FEATURES {
            return Err(reader.error("It has too many features."));
        }
        for i in 0..n {
            let name = text(&mut reader)?;
            if state.names.last().is_some_and(|last| order(last, name).is_ge()) {
                return Err(reader.error("Its features are not in order."));
            }
            state.id(i, name)?;
        }
        let n = reader.count(4)?;
        let mut counted = 0_u64;
        for _ in 0..n {
            let len = reader.number()?;
            let key = reader.take(len)?;
            let (stayed, churned) = (reader.number()?, reader.number()?);
            let both = stayed.checked_add(churned).filter(|&both| both > 0);
            counted = both
                .and_then(|both| counted.checked_add(both))
                .filter(|&counted| counted <= state.seen)
                .ok_or_else(|| reader.error("A count is impossible."))?;
            let hash = state.checked_hash(key)?;
            if !state.in_sample(hash) || state.find(key, hash).is_some() {
                return Err(reader.error("A row cannot be there."));
            }
            state.take(key, Tally { hash, stayed, churned })?;
        }
        reader.finish()?;
        Ok(state)
    }

    /// The hash of a row from elsewhere, if it is in order.
    fn checked_hash(&self, key: &[u8]) -> Result<u64> {
        let mut reader = Reader::new(key, WHAT);
        let weight = read_weight(&mut reader)?;
        let mut start = Vec::new();
        write_weight(&mut start, weight);
        let mut hash = fnv(FNV_START, &start);
        let n = reader.count(2)?;
        let mut last = None;
        for _ in 0..n {
            let id = reader.small()?;
            let known = self.name_hashes.get(id as usize);
            let known = known.filter(|_| last.is_none_or(|last| last < id));
            let name_hash = *known.ok_or_else(|| reader.error("A row has a feature that is not known."))?;
            last = Some(id);
            let value = match read_value(&mut reader)? {
                Stored::Boolean(b) => FeatureValue::Boolean(b),
                Stored::Number(x) => FeatureValue::Number(x),
                Stored::Text(t) => FeatureValue::Text(t.into()),
            };
            let mut bytes = Vec::new();
            write_value(&mut bytes, &value);
            hash = fnv(hash ^ name_hash, &bytes);
        }
        reader.finish()?;
        Ok(finish(hash))
    }
}

/// A row's bytes with its features under other numbers. They stay in the order of their names.
fn renamed(key: &[u8], map: &[u32]) -> Result<Vec<u8>> {
    let mut reader = Reader::new(key, WHAT);
    let mut out = Vec::with_capacity(key.len() + 8);
    write_weight(&mut out, read_weight(&mut reader)?);
    let n = reader.small()?;
    put(&mut out, u64::from(n));
    for _ in 0..n {
        let id = reader.small()?;
        let id =
            map.get(id as usize).ok_or_else(|| reader.error("A row has a feature that is not known."))?;
        put(&mut out, u64::from(*id));
        match read_value(&mut reader)? {
            Stored::Boolean(b) => write_value(&mut out, &FeatureValue::Boolean(b)),
            Stored::Number(x) => write_value(&mut out, &FeatureValue::Number(x)),
            Stored::Text(t) => write_value(&mut out, &FeatureValue::Text(t.into())),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fill(rows: &[(bool, u16, bool)], options: &ChurnOptions) -> ChurnRows {
        let mut state = ChurnRows::new(options.clone());
        for &(churned, x, with_text) in rows {
            let text = if with_text {
                format!("{{\"x\":{x},\"plan\":\"p{}\"}}", x % 3)
            } else {
                format!("{{\"x\":{x}}}")
            };
            state.add(Some(churned), Some(&Features::parse(&text).unwrap()), Some(1.0)).unwrap();
        }
        state
    }

    proptest! {
        #[test]
        fn order_and_merges_leave_no_trace(
            rows in proptest::collection::vec((any::<bool>(), 0_u16..5000, any::<bool>()), 0..3000),
            cut: usize,
        ) {
            let options = ChurnOptions { sample: 1000, ..ChurnOptions::default() };
            let cut = cut % (rows.len() + 1);
            let whole = fill(&rows, &options);
            let mut reversed: Vec<_> = rows[..cut].to_vec();
            reversed.reverse();
            let left = fill(&reversed, &options);
            let mut right = fill(&rows[cut..], &options);
            right.merge(&left).unwrap();
            let bytes = whole.to_bytes().unwrap();
            prop_assert_eq!(&right.to_bytes().unwrap(), &bytes);
            let mut again = ChurnRows::from_bytes(&left.to_bytes().unwrap()).unwrap();
            again.merge(&fill(&rows[cut..], &options)).unwrap();
            prop_assert_eq!(&again.to_bytes().unwrap(), &bytes);
            prop_assert!(whole.rows.len() <= 1000);
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(mut bytes: Vec<u8>, at: usize, with: u8) {
            bytes.insert(0, VERSION);
            let _ = ChurnRows::from_bytes(&bytes);
            let mut real = fill(&[(true, 1, true), (false, 2, false)], &ChurnOptions::default()).to_bytes().unwrap();
            let at = at % real.len();
            real[at] = with;
            if let Ok(state) = ChurnRows::from_bytes(&real) {
                let _ = state.to_bytes();
            }
        }
    }
}
