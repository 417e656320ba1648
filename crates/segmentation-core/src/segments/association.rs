//! Two classifications of the same customers by name, as a mergeable state: who went from where to where. How far they
//! go together is reckoned by [`crate::math::pairs`].

use std::collections::BTreeMap;

use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::math::pairs::Pairs;

/// More pairs of classes than this are no classification.
const MOST_PAIRS: usize = 250_000;
/// Bytes of a class at most.
const LONGEST: usize = 1000;
const VERSION: u8 = 1;

/// The mergeable state of two classifications by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Crossing {
    cells: BTreeMap<(String, String), u64>,
    /// Rows with a NULL.
    skipped: u64,
}

/// One row of a migration matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Migration {
    /// The class before.
    pub before: String,
    /// The class after.
    pub after: String,
    /// Customers who went that way.
    pub n: u64,
    /// Their share of the class before.
    pub share: f64,
}

impl Crossing {
    /// Counts a customer.
    ///
    /// # Errors
    /// Too many classes, or too long a name.
    pub fn add(&mut self, before: Option<&str>, after: Option<&str>) -> Result<()> {
        let (Some(before), Some(after)) = (before, after) else {
            self.skipped += 1;
            return Ok(());
        };
        if before.len() > LONGEST || after.len() > LONGEST {
            return Err(Error::new(ErrorKind::LimitExceeded, "the name of a class is too long")
                .detail(format!("At most {LONGEST} bytes are allowed.")));
        }
        *self.cells.entry((before.to_owned(), after.to_owned())).or_default() += 1;
        self.check()
    }

    fn check(&self) -> Result<()> {
        if self.cells.len() > MOST_PAIRS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many pairs of classes")
                .detail(format!("At most {MOST_PAIRS} are allowed."))
                .hint("Compare segments, not identifiers."));
        }
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// Too many classes.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        for (pair, n) in &other.cells {
            let cell = self.cells.entry(pair.clone()).or_default();
            *cell = cell.saturating_add(*n);
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.check()
    }

    /// The pairs by number; classes of the same name have the same number.
    #[must_use]
    pub fn pairs(&self) -> Pairs {
        let mut names: Vec<&str> = self.cells.keys().flat_map(|(a, b)| [&a[..], &b[..]]).collect();
        names.sort_unstable();
        names.dedup();
        let number = |name: &str| names.partition_point(|n| *n < name) as u64;
        let mut pairs = Pairs::default();
        for ((a, b), n) in &self.cells {
            pairs.count(number(a), number(b), *n);
        }
        pairs
    }

    /// Who went from where to where, in the order of the names.
    #[must_use]
    pub fn migrations(&self) -> Vec<Migration> {
        let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
        for ((a, _), n) in &self.cells {
            *totals.entry(a).or_default() += n;
        }
        self.cells
            .iter()
            .map(|((a, b), n)| Migration {
                before: a.clone(),
                after: b.clone(),
                n: *n,
                share: *n as f64 / totals[&a[..]] as f64,
            })
            .collect()
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put(&mut out, self.skipped);
        put(&mut out, self.cells.len() as u64);
        for ((a, b), n) in &self.cells {
            for text in [a, b] {
                put(&mut out, text.len() as u64);
                out.extend_from_slice(text.as_bytes());
            }
            put(&mut out, *n);
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`Crossing::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        fn text(reader: &mut Reader) -> Result<String> {
            let n = reader.number()?;
            let bytes = reader.take(n)?;
            let text = std::str::from_utf8(bytes).map_err(|_| reader.error("A text is not UTF-8."))?;
            if text.len() > LONGEST {
                return Err(reader.error("A text is too long."));
            }
            Ok(text.to_owned())
        }
        let mut reader = Reader::new(bytes, "pairs of classes");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let skipped = reader.number()?;
        let n = reader.count(3)?;
        let mut cells = BTreeMap::new();
        for _ in 0..n {
            let pair = (text(&mut reader)?, text(&mut reader)?);
            let count = reader.number()?;
            if count == 0 || count > 1 << 50 || cells.insert(pair, count).is_some() {
                return Err(reader.error("A count is impossible."));
            }
        }
        reader.finish()?;
        Ok(Self { cells, skipped })
    }
}
