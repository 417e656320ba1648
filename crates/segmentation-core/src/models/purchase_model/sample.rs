//! Purchase days of a sample of the customers, for the choice of the family.
//!
//! The customers whose days have the smallest hashes: who is in it depends on the customers alone, not on their order or
//! on how they were put together.

use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::hash;
use crate::base::memory::{self, Bytes};

/// At most so many different lists of days ...
const MOST_LISTS: usize = 16_384;
/// ... of so many bytes, each with what holds it.
const MOST_BYTES: usize = 1 << 24;
/// What a list takes beside its days.
const ENTRY: usize = size_of::<Entry>();

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    /// Where its days lie.
    from: u32,
    bytes: u32,
    customers: u64,
}

/// Lists of purchase days with how many customers share each.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    entries: Vec<Entry>,
    days: Vec<u8>,
    /// Ascending and distinct are the first so many entries.
    ordered: usize,
    /// Hashes from here on were left out.
    end: Option<u64>,
}

fn place(days: &[u8]) -> u64 {
    hash::mix(hash::fnv(hash::FNV_START, days))
}

impl Sample {
    /// Takes in customers with these ascending days.
    pub(super) fn add(&mut self, list: &[Day], customers: u64) -> Result<()> {
        let mut packed: Vec<u8> = Vec::new();
        let mut last = None;
        for &day in list {
            match last {
                None => put_signed(&mut packed, i64::from(day)),
                Some(last) => put(&mut packed, (day - last) as u64),
            }
            last = Some(day);
        }
        self.insert(&packed, customers)
    }

    fn insert(&mut self, packed: &[u8], customers: u64) -> Result<()> {
        let hash = place(packed);
        if self.end.is_some_and(|end| hash >= end) {
            return Ok(());
        }
        let entry = Entry { hash, from: self.days.len() as u32, bytes: packed.len() as u32, customers };
        memory::extend(&mut self.days, packed)?;
        memory::push(&mut self.entries, entry)?;
        if self.entries.len() > 2 * MOST_LISTS || self.days.len() > 2 * MOST_BYTES {
            self.order()?;
        }
        Ok(())
    }

    fn packed(&self, entry: &Entry) -> &[u8] {
        let from = entry.from as usize;
        &self.days[from..from + entry.bytes as usize]
    }

    /// Puts the lists in order, joins equal ones and leaves out what is too many.
    fn order(&mut self) -> Result<()> {
        if self.ordered == self.entries.len() {
            return Ok(());
        }
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| a.hash.cmp(&b.hash).then_with(|| self.packed(a).cmp(self.packed(b))));
        let mut kept: Vec<Entry> = memory::with_capacity(entries.len().min(MOST_LISTS))?;
        let mut days: Vec<u8> = Vec::new();
        for entry in &entries {
            let list = self.packed(entry);
            if let Some(last) = kept.last_mut()
                && last.hash == entry.hash
                && days[last.from as usize..] == *list
            {
                last.customers = last.customers.saturating_add(entry.customers);
                continue;
            }
            if kept.len() == MOST_LISTS || days.len() + list.len() + kept.len() * ENTRY > MOST_BYTES {
                // With all of its hash, so that what is left out does not depend on what came first.
                self.end = Some(entry.hash);
                break;
            }
            let from = days.len() as u32;
            memory::extend(&mut days, list)?;
            kept.push(Entry { from, ..*entry });
        }
        if let Some(end) = self.end {
            kept.truncate(kept.partition_point(|entry| entry.hash < end));
            days.truncate(kept.last().map_or(0, |last| (last.from + last.bytes) as usize));
        }
        (self.ordered, self.entries, self.days) = (kept.len(), kept, days);
        Ok(())
    }

    pub(super) fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        self.end = match (self.end, other.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        // What lies beyond the new end goes when they are put in order.
        self.ordered = usize::MAX;
        for (i, entry) in other.entries.iter().enumerate() {
            if i % 4096 == 0 {
                checkpoint();
            }
            self.insert(other.packed(entry), entry.customers)?;
        }
        self.order()
    }

    /// In order, and complete.
    pub(super) fn sorted(&self) -> Result<Self> {
        let mut sorted = self.clone();
        sorted.order()?;
        Ok(sorted)
    }

    /// Calls `visit` with the days of each list and how many customers share it; the sample is sorted.
    pub(super) fn each(&self, mut visit: impl FnMut(&[Day], u64) -> Result<()>) -> Result<()> {
        let mut list = Vec::new();
        for entry in &self.entries {
            read_days(self.packed(entry), &mut list)?;
            visit(&list, entry.customers)?;
        }
        Ok(())
    }

    /// Customers in it.
    pub(super) fn customers(&self) -> u64 {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.customers))
    }

    /// Whether all customers are in it.
    pub(super) fn is_whole(&self) -> bool {
        self.end.is_none()
    }

    pub(super) fn memory_size(&self) -> usize {
        self.entries.capacity() * ENTRY + self.days.capacity()
    }

    pub(super) fn write(&self, out: &mut Bytes) -> Result<()> {
        let sorted = self.sorted()?;
        put(out, sorted.end.map_or(0, |_| 1));
        if let Some(end) = sorted.end {
            out.extend_from_slice(&end.to_le_bytes());
        }
        put(out, sorted.entries.len() as u64);
        for entry in &sorted.entries {
            put(out, u64::from(entry.bytes));
            out.extend_from_slice(sorted.packed(entry));
            put(out, entry.customers);
        }
        Ok(())
    }

    /// Reads the stored form, of customers seen until `as_of`.
    pub(super) fn read(reader: &mut Reader, as_of: Day) -> Result<Self> {
        let bad = |reader: &Reader| reader.error("Its sample is impossible.");
        let end = match reader.number()? {
            0 => None,
            1 => {
                let mut end = [0; 8];
                end.copy_from_slice(reader.take(8)?);
                Some(u64::from_le_bytes(end))
            }
            _ => return Err(bad(reader)),
        };
        let mut sample = Self { end, ..Self::default() };
        let n = reader.count(3)?;
        let mut list = Vec::new();
        for _ in 0..n {
            let length = reader.number()?;
            let packed = reader.take(length)?;
            let customers = reader.number()?;
            read_days(packed, &mut list).map_err(|_| bad(reader))?;
            let place = place(packed);
            let fits = list.first().is_some_and(|first| day::check(*first).is_ok())
                && list.last().is_some_and(|last| *last <= as_of)
                && customers > 0
                && sample.end.is_none_or(|end| place < end)
                && sample
                    .entries
                    .last()
                    .is_none_or(|last| (last.hash, sample.packed(last)) < (place, packed));
            if !fits || sample.entries.len() == MOST_LISTS {
                return Err(bad(reader));
            }
            let from = sample.days.len() as u32;
            memory::extend(&mut sample.days, packed)?;
            memory::push(
                &mut sample.entries,
                Entry { hash: place, from, bytes: packed.len() as u32, customers },
            )?;
            if sample.days.len() + (sample.entries.len() - 1) * ENTRY > MOST_BYTES {
                return Err(bad(reader));
            }
        }
        sample.ordered = sample.entries.len();
        Ok(sample)
    }
}

/// The days of a packed list.
fn read_days(packed: &[u8], list: &mut Vec<Day>) -> Result<()> {
    list.clear();
    let mut reader = Reader::new(packed, "purchase_cells");
    let bad = |reader: &Reader| reader.error("A day is impossible.");
    let mut day = Day::try_from(reader.signed()?).map_err(|_| bad(&reader))?;
    memory::push(list, day)?;
    while reader.finish().is_err() {
        let gap = reader.small()?;
        day = i32::try_from(gap)
            .ok()
            .filter(|gap| *gap > 0)
            .and_then(|gap| day.checked_add(gap))
            .ok_or_else(|| bad(&reader))?;
        memory::push(list, day)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More lists than are kept, in two orders and in parts: the same sample, whose share is that of all customers.
    #[test]
    fn the_sample_does_not_depend_on_the_way() {
        let lists: Vec<Vec<Day>> =
            (0..90_000).map(|i| vec![i % 300, i % 300 + 1 + i / 300, 1000 + i % 7]).collect();
        let bytes = |sample: &Sample| {
            let mut out = Bytes::begin(&[]);
            sample.write(&mut out).unwrap();
            out.finish().unwrap()
        };
        let of = |lists: &mut dyn Iterator<Item = &Vec<Day>>| {
            let mut sample = Sample::default();
            lists.for_each(|list| sample.add(list, 1).unwrap());
            sample
        };
        let whole = of(&mut lists.iter().chain(&lists[..10]));
        let mut parts = of(&mut lists[50_000..].iter().rev());
        parts.merge(&of(&mut lists[..10].iter()), &mut || {}).unwrap();
        parts.merge(&of(&mut lists[..50_000].iter()), &mut || {}).unwrap();
        assert_eq!(bytes(&parts), bytes(&whole));
        assert!(!whole.is_whole() && whole.sorted().unwrap().entries.len() == MOST_LISTS);
        let stored = bytes(&whole);
        let read = Sample::read(&mut Reader::new(&stored, "purchase_cells"), 2000).unwrap();
        assert_eq!(bytes(&read), stored);
        let (mut early, mut all) = (0, 0);
        read.each(|list, n| {
            early += if list[0] < 150 { n } else { 0 };
            all += n;
            Ok(())
        })
        .unwrap();
        // Half of them, within five standard errors.
        assert!((early as f64 / all as f64 - 0.5).abs() < 5.0 * 0.5 / (all as f64).sqrt());
        // Long lists: the bytes are the limit.
        let long: Vec<Vec<Day>> = (0..3000).map(|i| (0..8000).map(|d| 3 * d + i).collect()).collect();
        let one = of(&mut long.iter());
        let mut two = of(&mut long[1500..].iter());
        two.merge(&of(&mut long[..1500].iter()), &mut || {}).unwrap();
        assert!(!one.sorted().unwrap().is_whole() && bytes(&one) == bytes(&two));
    }
}
