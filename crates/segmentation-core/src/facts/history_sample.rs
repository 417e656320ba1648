//! A mergeable sample of customers: those whose content has the smallest hashes (bottom-k: Cohen and Kaplan 2007).
//!
//! Content is what is known of a customer: a packed purchase history, and logs beside it where there are some. No
//! seed, no order of rows, no number of workers and no way of merging changes who is in the sample. Customers of equal
//! content are in it together, with their number.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::hash_bytes;
use crate::base::memory::{self, Bytes};

/// The largest sample that can be asked for.
pub const MOST_CUSTOMERS: usize = 2_000_000;
/// Contents of a sample take no more bytes than this: the first in order of hash that fit.
const MOST_BYTES: usize = 256 << 20;
/// A content is not larger.
const LONGEST: usize = 64 << 20;
const WHAT: &str = "a sample of customers";

/// What is known of a customer, as packed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content<'a> {
    /// The packed purchase history.
    pub history: &'a [u8],
    /// The packed contact history.
    pub contacts: Option<&'a [u8]>,
    /// The packed interaction history.
    pub interactions: Option<&'a [u8]>,
}

impl<'a> Content<'a> {
    fn pack(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[]);
        put(&mut out, self.history.len() as u64);
        out.extend_from_slice(self.history);
        for log in [self.contacts, self.interactions] {
            put(&mut out, log.map_or(0, |log| log.len() as u64 + 1));
            out.extend_from_slice(log.unwrap_or_default());
        }
        out.finish()
    }

    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, WHAT);
        let length = reader.number()?;
        let history = reader.take(length)?;
        let mut log = || match reader.number()? {
            0 => Ok(None),
            n => reader.take(n - 1).map(Some),
        };
        let (contacts, interactions) = (log()?, log()?);
        reader.finish()?;
        Ok(Self { history, contacts, interactions })
    }
}

/// A customer of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampled<'a> {
    /// What is known.
    pub content: Content<'a>,
    /// How many customers have the same.
    pub customers: u64,
}

#[derive(Debug, Clone)]
struct Kept {
    content: Vec<u8>,
    customers: u64,
}

/// The sample.
#[derive(Debug, Clone)]
pub struct HistorySample {
    /// Contents kept, at most.
    most: usize,
    kept: HashMap<u64, Kept, RandomState>,
    /// Nobody of a greater hash can be in the sample.
    last: u64,
    bytes: usize,
    /// Customers seen.
    seen: u64,
}

impl HistorySample {
    /// An empty sample of at most so many different contents.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let most = most.clamp(1, MOST_CUSTOMERS);
        Self { most, kept: HashMap::default(), last: u64::MAX, bytes: 0, seen: 0 }
    }

    /// Customers seen, in the sample or not.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The most contents that are kept.
    #[must_use]
    pub fn most(&self) -> usize {
        self.most
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.bytes + self.kept.capacity() * (size_of::<Kept>() + 9)
    }

    /// Takes in one customer.
    ///
    /// # Errors
    /// No memory; too large a content.
    pub fn add(&mut self, content: &Content) -> Result<()> {
        let content = content.pack()?;
        let hash = hash_bytes(&content);
        self.count(1)?;
        if hash <= self.last {
            self.take(hash, content, 1)?;
        }
        Ok(())
    }

    fn count(&mut self, customers: u64) -> Result<()> {
        let seen = self.seen.checked_add(customers).filter(|n| *n <= 1 << 53);
        self.seen =
            seen.ok_or_else(|| Error::new(ErrorKind::LimitExceeded, "too many customers for a sample"))?;
        Ok(())
    }

    fn take(&mut self, hash: u64, content: Vec<u8>, customers: u64) -> Result<()> {
        if content.len() > LONGEST {
            return Err(Error::new(ErrorKind::LimitExceeded, "too long a history for a sample of customers"));
        }
        match self.kept.get_mut(&hash) {
            Some(kept) => {
                kept.customers += customers;
                // Different contents of one hash, which nobody meets by accident: the smaller one stands for both.
                if content < kept.content {
                    self.bytes = self.bytes - kept.content.len() + content.len();
                    kept.content = content;
                }
            }
            None => {
                memory::reserve(&mut self.kept, 1)?;
                self.bytes += content.len();
                self.kept.insert(hash, Kept { content, customers });
            }
        }
        if self.kept.len() > 2 * self.most || self.bytes > 2 * MOST_BYTES {
            self.trim()?;
        }
        Ok(())
    }

    /// The hashes of the sample, ascending: the smallest that are not too many and fit.
    fn order(&self) -> Result<Vec<u64>> {
        let mut hashes: Vec<u64> = memory::collect(self.kept.keys().copied())?;
        hashes.sort_unstable();
        hashes.truncate(self.most);
        let mut bytes = 0;
        let mut fits = |hash: &u64| {
            bytes += self.kept.get(hash).map_or(0, |kept| kept.content.len());
            bytes <= MOST_BYTES
        };
        let fitting = hashes.iter().take_while(|hash| fits(hash)).count();
        hashes.truncate(fitting.max(1));
        Ok(hashes)
    }

    fn trim(&mut self) -> Result<()> {
        let hashes = self.order()?;
        if hashes.len() < self.kept.len()
            && let Some(&last) = hashes.last()
        {
            self.last = last;
            self.kept.retain(|hash, _| *hash <= last);
            self.bytes = self.kept.values().map(|kept| kept.content.len()).sum();
        }
        Ok(())
    }

    /// The customers of the sample, in an order of their own.
    ///
    /// # Errors
    /// No memory.
    pub fn customers(&self) -> Result<Vec<Sampled<'_>>> {
        let mut customers: Vec<Sampled> = memory::with_capacity(self.kept.len().min(self.most))?;
        for hash in self.order()? {
            if let Some(kept) = self.kept.get(&hash) {
                customers.push(Sampled { content: Content::read(&kept.content)?, customers: kept.customers });
            }
        }
        Ok(customers)
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two are of different sizes; no memory.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.most != other.most {
            return Err(Error::invalid("cannot merge samples of different sizes"));
        }
        self.count(other.seen)?;
        self.last = self.last.min(other.last);
        for (i, (hash, kept)) in other.kept.iter().enumerate() {
            if i % 1024 == 0 {
                checkpoint();
            }
            if *hash <= self.last {
                self.take(*hash, memory::copy(&kept.content)?, kept.customers)?;
            }
        }
        let last = self.last;
        self.kept.retain(|hash, _| *hash <= last);
        self.bytes = self.kept.values().map(|kept| kept.content.len()).sum();
        Ok(())
    }

    /// Writes the stored form: equal samples give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn write(&self, out: &mut Bytes) -> Result<()> {
        put(out, self.most as u64);
        put(out, self.seen);
        let order = self.order()?;
        put(out, u64::from(order.len() < self.kept.len() || self.last < u64::MAX));
        put(out, order.len() as u64);
        for hash in order {
            if let Some(kept) = self.kept.get(&hash) {
                put(out, kept.content.len() as u64);
                out.extend_from_slice(&kept.content);
                put(out, kept.customers);
            }
        }
        Ok(())
    }

    /// Reads the stored form, which may come from anywhere. Contents are checked by `check`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for what [`HistorySample::write`] cannot have written.
    pub(crate) fn read(reader: &mut Reader, mut check: impl FnMut(&Content) -> Result<()>) -> Result<Self> {
        let most = usize::try_from(reader.number()?).unwrap_or(usize::MAX);
        if !(1..=MOST_CUSTOMERS).contains(&most) {
            return Err(reader.error("Its size is impossible."));
        }
        let mut sample = Self::new(most);
        sample.seen = reader.number()?;
        let cut = reader.number()?;
        let n = reader.count(4)?;
        if n > most || cut > 1 || sample.seen > 1 << 53 || (cut == 1 && n == 0) {
            return Err(reader.error("Its size is impossible."));
        }
        let (mut before, mut customers) = (None, 0_u64);
        for _ in 0..n {
            let length = reader.number()?;
            let content = reader.take(length)?;
            let count = reader.number()?;
            let hash = hash_bytes(content);
            customers = customers.saturating_add(count);
            if count == 0 || customers > sample.seen || before.is_some_and(|before| before >= hash) {
                return Err(reader.error("A customer is impossible."));
            }
            let read = Content::read(content)?;
            if read.pack()? != content {
                return Err(reader.error("A customer is impossible."));
            }
            check(&read)?;
            before = Some(hash);
            sample.take(hash, memory::copy(content)?, count)?;
        }
        if cut == 0 && customers != sample.seen {
            return Err(reader.error("Its customers do not add up."));
        }
        if let (1, Some(last)) = (cut, before) {
            sample.last = last;
        }
        Ok(sample)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(sample: &HistorySample) -> Vec<u8> {
        let mut out = Bytes::begin(&[]);
        sample.write(&mut out).unwrap();
        out.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<HistorySample> {
        let mut reader = Reader::new(bytes, "a test");
        let sample = HistorySample::read(&mut reader, |_| Ok(()))?;
        reader.finish()?;
        Ok(sample)
    }

    fn of(customers: &[u16], most: usize) -> HistorySample {
        let mut sample = HistorySample::new(most);
        for n in customers {
            let contacts = n.to_be_bytes();
            let contacts = (n % 3 == 0).then_some(&contacts[..]);
            let content = Content { history: &n.to_le_bytes(), contacts, interactions: None };
            sample.add(&content).unwrap();
        }
        sample
    }

    proptest! {
        #[test]
        fn order_and_merges_leave_no_trace(
            customers in proptest::collection::vec(0_u16..400, 0..600), most in 1_usize..300, cut: usize,
        ) {
            let whole = of(&customers, most);
            let cut = cut % (customers.len() + 1);
            let mut reversed = customers[..cut].to_vec();
            reversed.reverse();
            let left = of(&reversed, most);
            let mut right = of(&customers[cut..], most);
            right.merge(&left, &mut || {}).unwrap();
            prop_assert_eq!(bytes(&right), bytes(&whole));
            let mut stored = read(&bytes(&left)).unwrap();
            prop_assert_eq!(bytes(&stored), bytes(&left));
            stored.merge(&read(&bytes(&of(&customers[cut..], most))).unwrap(), &mut || {}).unwrap();
            prop_assert_eq!(bytes(&stored), bytes(&whole));

            // Those of the smallest hashes, with all their customers.
            let mut counts = std::collections::BTreeMap::new();
            for n in &customers {
                *counts.entry(of(&[*n], 1).kept.keys().next().copied().unwrap()).or_insert(0) += 1;
            }
            let right: Vec<u64> = counts.values().copied().take(most).collect();
            let got: Vec<u64> = whole.customers().unwrap().iter().map(|c| c.customers).collect();
            prop_assert_eq!(got, right);
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(mut hostile: Vec<u8>, at: usize, with: u8) {
            let _ = read(&hostile);
            hostile = bytes(&of(&[1, 2, 3, 3], 3));
            let at = at % hostile.len();
            hostile[at] = with;
            if let Ok(sample) = read(&hostile) {
                prop_assert_eq!(bytes(&sample), hostile);
            }
        }
    }
}
