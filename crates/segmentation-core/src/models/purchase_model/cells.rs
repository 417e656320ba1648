//! The sufficient state of a fit: how many customers share each (x, tx, T).

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::options::FitOptions;
use super::sample::Sample;
use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::base::words::counted;
use crate::facts::purchase_history::PurchaseDays;

/// More distinct cells than this are refused: about half a gigabyte.
const MOST_CELLS: usize = 16_000_000;

/// Customers add up to less than 2^53, so that their number is exact as a double.
const MOST_CUSTOMERS: u64 = 1 << 53;

/// Gaps up to this many days have a counter of their own in an array.
const SHORT_GAP: usize = 2048;

/// What the models know of one customer, in days.
///
/// The literature's recency-frequency summary (Fader, Hardie, Lee 2005): x purchase days after
/// the first, tx from the first to the last, T from the first to the end of observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomerSummary {
    pub(crate) x: u32,
    pub(crate) tx: u32,
    pub(crate) t: u32,
}

impl CustomerSummary {
    /// A summary, all in days.
    ///
    /// # Errors
    /// If tx > T, if x and tx are not zero together, if there are more purchase days than days,
    /// or if T is beyond the calendar.
    pub fn new(x: u32, tx: u32, t: u32) -> Result<Self> {
        if tx <= t && x <= tx && (x == 0) == (tx == 0) && t <= (day::LAST - day::FIRST) as u32 {
            Ok(Self { x, tx, t })
        } else {
            Err(Error::invalid("impossible purchase summary").detail(format!(
                "{} after the first within {}, observed for {}.",
                counted(x, "purchase day"),
                counted(tx, "day"),
                counted(t, "day")
            )))
        }
    }

    /// The summary of ascending purchase days up to `as_of`; `None` if there is none.
    /// Days after `as_of` are as if they were not there.
    #[must_use]
    pub fn from_days(days: impl IntoIterator<Item = Day>, as_of: Day) -> Option<Self> {
        let mut days = days.into_iter().take_while(|&d| d <= as_of);
        let first = days.next()?;
        let (mut x, mut last) = (0, first);
        for day in days {
            if day > last {
                x += 1;
                last = day;
            }
        }
        Some(Self {
            x,
            tx: (i64::from(last) - i64::from(first)) as u32,
            t: (i64::from(as_of) - i64::from(first)) as u32,
        })
    }

    /// The same customer, watched for some more days without a purchase.
    #[must_use]
    pub fn after_silence(self, days: u32) -> Self {
        Self { t: self.t.saturating_add(days), ..self }
    }

    /// Purchase days after the first.
    #[must_use]
    pub fn x(self) -> u32 {
        self.x
    }

    /// Days from the first purchase to the last.
    #[must_use]
    pub fn tx_days(self) -> u32 {
        self.tx
    }

    /// Days from the first purchase to the end of observation.
    #[must_use]
    pub fn t_days(self) -> u32 {
        self.t
    }
}

/// How many customers were left out, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Skipped {
    /// The history was NULL.
    pub no_history: u64,
    /// No purchase at all.
    pub no_purchase: u64,
    /// The first purchase is later than `as_of`.
    pub after_as_of: u64,
    /// The first purchase is earlier than `first_purchase_from`.
    pub before_cohort: u64,
    /// The first purchase is later than `first_purchase_to`.
    pub after_cohort: u64,
}

impl Skipped {
    /// Reason and count, in a fixed order.
    #[must_use]
    pub fn counts(&self) -> [(&'static str, u64); 5] {
        [
            ("no_history", self.no_history),
            ("no_purchase", self.no_purchase),
            ("after_as_of", self.after_as_of),
            ("before_cohort", self.before_cohort),
            ("after_cohort", self.after_cohort),
        ]
    }

    pub(crate) fn slot(&mut self, reason: &str) -> Option<&mut u64> {
        Some(match reason {
            "no_history" => &mut self.no_history,
            "no_purchase" => &mut self.no_purchase,
            "after_as_of" => &mut self.after_as_of,
            "before_cohort" => &mut self.before_cohort,
            "after_cohort" => &mut self.after_cohort,
            _ => return None,
        })
    }
}

/// Fresh customers are put in order and merged into the cells when this many have come.
const PENDING: usize = 1 << 16;
/// Never more than this many at once: some 100 ms of sorting.
const MOST_PENDING: usize = 1 << 20;

/// A cell: a summary, and how many customers share it.
pub(super) type Cell = (CustomerSummary, u64);

/// Customers grouped by equal summaries, and the gaps between their purchases.
///
/// Sorted runs, not a hash map: with long histories most summaries are distinct, and sorting
/// reads memory in order where hashing would wait for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Group {
    /// Ascending.
    cells: Vec<Cell>,
    /// Fresh customers, packed for sorting: x, tx, T in 32 bits each.
    pending: Vec<u128>,
    short_gaps: Vec<u64>,
    long_gaps: HashMap<u32, u64, RandomState>,
    customers: u64,
}

fn packed(summary: CustomerSummary) -> u128 {
    u128::from(summary.x) << 64 | u128::from(summary.tx) << 32 | u128::from(summary.t)
}

fn unpacked(packed: u128) -> CustomerSummary {
    CustomerSummary { x: (packed >> 64) as u32, tx: (packed >> 32) as u32, t: packed as u32 }
}

/// The cells of customers in any order.
fn cells_of(pending: &mut [u128]) -> Result<Vec<Cell>> {
    pending.sort_unstable();
    let mut cells: Vec<Cell> = Vec::new();
    for &key in pending.iter() {
        let summary = unpacked(key);
        match cells.last_mut() {
            Some((last, count)) if *last == summary => *count += 1,
            _ => memory::push(&mut cells, (summary, 1))?,
        }
    }
    Ok(cells)
}

/// Two ascending lists of cells as one.
fn merged(one: &[Cell], other: &[Cell]) -> Result<Vec<Cell>> {
    let mut cells: Vec<Cell> = memory::with_capacity(one.len() + other.len())?;
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        match a.0.cmp(&b.0) {
            Ordering::Less => {
                cells.push(*a);
                i += 1;
            }
            Ordering::Greater => {
                cells.push(*b);
                j += 1;
            }
            Ordering::Equal => {
                // Both are at most MOST_CUSTOMERS: no overflow.
                cells.push((a.0, a.1 + b.1));
                i += 1;
                j += 1;
            }
        }
    }
    cells.extend_from_slice(&one[i..]);
    cells.extend_from_slice(&other[j..]);
    if cells.len() > MOST_CELLS {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            "too many different customers for a purchase model",
        )
        .detail(format!("At most {MOST_CELLS} combinations of purchase days and dates are kept."))
        .hint("Fit on a sample of the customers, or on one cohort at a time."));
    }
    Ok(cells)
}

impl Group {
    /// Takes ascending cells in place of its own.
    pub(super) fn set(&mut self, cells: Vec<Cell>) -> Result<()> {
        self.customers = 0;
        cells.iter().try_for_each(|(_, count)| self.admit(*count))?;
        self.pending.clear();
        self.cells = cells;
        Ok(())
    }

    #[inline]
    fn add(&mut self, summary: CustomerSummary, count: u64) -> Result<()> {
        self.admit(count)?;
        if count != 1 {
            self.cells = merged(&self.cells, &[(summary, count)])?;
            return Ok(());
        }
        memory::push(&mut self.pending, packed(summary))?;
        if self.pending.len() >= self.cells.len().clamp(PENDING, MOST_PENDING) {
            let fresh = cells_of(&mut self.pending)?;
            self.pending.clear();
            self.cells = merged(&self.cells, &fresh)?;
        }
        Ok(())
    }

    fn admit(&mut self, count: u64) -> Result<()> {
        let sum = self.customers.checked_add(count).filter(|&n| n <= MOST_CUSTOMERS);
        self.customers = sum
            .ok_or_else(|| Error::new(ErrorKind::LimitExceeded, "too many customers for a purchase model"))?;
        Ok(())
    }

    #[inline]
    pub(super) fn add_gap(&mut self, gap: u32, count: u64) {
        let slot = if (gap as usize) < SHORT_GAP {
            if self.short_gaps.is_empty() {
                self.short_gaps = vec![0; SHORT_GAP];
            }
            &mut self.short_gaps[gap as usize]
        } else {
            self.long_gaps.entry(gap).or_insert(0)
        };
        // Saturates at 10^19 purchases.
        *slot = slot.saturating_add(count);
    }

    /// (gap in days, count), ascending.
    pub(crate) fn gaps(&self) -> Vec<(u32, u64)> {
        let short = self.short_gaps.iter().enumerate().filter(|(_, n)| **n > 0).map(|(g, &n)| (g as u32, n));
        let mut gaps: Vec<_> = short.chain(self.long_gaps.iter().map(|(&g, &n)| (g, n))).collect();
        gaps.sort_unstable();
        gaps
    }

    /// The cells, ascending: sums taken in this order do not depend on the input's.
    ///
    /// # Errors
    /// Too many of them; no memory.
    pub(crate) fn sorted(&self) -> Result<Cow<'_, [Cell]>> {
        if self.pending.is_empty() {
            return Ok(Cow::Borrowed(&self.cells));
        }
        let fresh = cells_of(&mut memory::copy(&self.pending)?)?;
        merged(&self.cells, &fresh).map(Cow::Owned)
    }

    pub(crate) fn customers(&self) -> u64 {
        self.customers
    }

    fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        checkpoint();
        self.admit(other.customers)?;
        let cells = merged(&self.sorted()?, &other.sorted()?)?;
        self.cells = cells;
        self.pending.clear();
        checkpoint();
        for (gap, count) in other.gaps() {
            self.add_gap(gap, count);
        }
        Ok(())
    }

    fn write(&self, out: &mut Bytes) -> Result<()> {
        let cells = self.sorted()?;
        put(out, cells.len() as u64);
        let mut before = CustomerSummary { x: 0, tx: 0, t: 0 };
        for &(summary, count) in cells.iter() {
            let CustomerSummary { x, tx, t } = summary;
            put(out, u64::from(x - before.x));
            let same_x = x == before.x;
            put_signed(out, i64::from(tx) - if same_x { i64::from(before.tx) } else { 0 });
            put_signed(out, i64::from(t) - i64::from(before.t));
            put(out, count);
            before = summary;
        }
        let gaps = self.gaps();
        put(out, gaps.len() as u64);
        let mut before = 0;
        for (gap, count) in gaps {
            put(out, u64::from(gap - before));
            put(out, count);
            before = gap;
        }
        Ok(())
    }

    fn read(reader: &mut Reader) -> Result<Self> {
        let mut group = Self::default();
        let n = reader.count(4)?;
        if n > MOST_CELLS {
            return Err(reader.error("It has too many cells."));
        }
        let bad = |reader: &Reader| reader.error("A cell is impossible.");
        memory::reserve_exact(&mut group.cells, n)?;
        let mut before: Option<CustomerSummary> = None;
        for _ in 0..n {
            let from = before.unwrap_or(CustomerSummary { x: 0, tx: 0, t: 0 });
            let dx = reader.small()?;
            let x = from.x.checked_add(dx).ok_or_else(|| bad(reader))?;
            let base = if dx == 0 { i64::from(from.tx) } else { 0 };
            let (dtx, dt) = (reader.signed()?, reader.signed()?);
            let sum = |a: i64, b: i64| a.checked_add(b).and_then(|v| u32::try_from(v).ok());
            let (Some(tx), Some(t)) = (sum(base, dtx), sum(i64::from(from.t), dt)) else {
                return Err(bad(reader));
            };
            let summary = CustomerSummary::new(x, tx, t).map_err(|_| bad(reader))?;
            let count = reader.number()?;
            if count == 0 || before.is_some_and(|b| b >= summary) {
                return Err(bad(reader));
            }
            group.admit(count)?;
            group.cells.push((summary, count));
            before = Some(summary);
        }
        let n = reader.count(2)?;
        let mut gap = 0_u32;
        for _ in 0..n {
            let step = reader.small()?;
            gap = gap
                .checked_add(step)
                .filter(|_| step > 0)
                .ok_or_else(|| reader.error("A gap is impossible."))?;
            let count = reader.number()?;
            if count == 0 || gap > (day::LAST - day::FIRST) as u32 {
                return Err(reader.error("A gap is impossible."));
            }
            group.add_gap(gap, count);
        }
        Ok(group)
    }
}

/// The mergeable sufficient state of a fit (the SQL type `purchase_cells`).
///
/// Its size is bounded by the distinct summaries, not by the customers; merging is exact and its
/// order leaves no trace. For `auto` it holds the purchase days of a sample of the customers besides, from which they
/// can be seen as they were on any earlier day.
#[derive(Debug, Clone)]
pub struct Cells {
    as_of: Day,
    options: FitOptions,
    with_gaps: bool,
    pub(crate) all: Group,
    pub(super) sample: Sample,
    skipped: Skipped,
}

const VERSION: u8 = 2;

impl Cells {
    /// No customers yet.
    ///
    /// # Errors
    /// If `as_of` is outside the calendar.
    pub fn new(as_of: Day, options: FitOptions) -> Result<Self> {
        Ok(Self {
            as_of: day::check(as_of)?,
            with_gaps: options.needs_gaps(),
            options,
            all: Group::default(),
            sample: Sample::default(),
            skipped: Skipped::default(),
        })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options the state was made with.
    #[must_use]
    pub fn options(&self) -> &FitOptions {
        &self.options
    }

    /// Customers taken in.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.all.customers
    }

    /// Distinct summaries among them.
    ///
    /// # Errors
    /// No memory.
    pub fn distinct(&self) -> Result<usize> {
        Ok(self.all.sorted()?.len())
    }

    /// Whether no customer was taken in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.customers == 0
    }

    /// Customers left out.
    #[must_use]
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        let group = |g: &Group| {
            g.cells.capacity() * size_of::<Cell>()
                + g.pending.capacity() * size_of::<u128>()
                + g.short_gaps.capacity() * 8
                + g.long_gaps.capacity() * 17
        };
        size_of::<Self>() + group(&self.all) + self.sample.memory_size()
    }

    /// Whether this fit needs every purchase day, not only the first, the last and their number.
    #[must_use]
    pub fn needs_days(&self) -> bool {
        self.options.family.is_none() || self.with_gaps
    }

    /// Whether a customer who first bought on that day is to be taken in; counted if not.
    fn belongs(&mut self, first: Day) -> Result<bool> {
        let skipped = if first > self.as_of {
            &mut self.skipped.after_as_of
        } else if self.options.first_purchase_from.is_some_and(|from| first < from) {
            &mut self.skipped.before_cohort
        } else if self.options.first_purchase_to.is_some_and(|to| first > to) {
            &mut self.skipped.after_cohort
        } else {
            day::check(first)?;
            return Ok(true);
        };
        *skipped = skipped.saturating_add(1);
        Ok(false)
    }

    /// Takes in one customer by first purchase day and, if that is not after `as_of`, the
    /// purchase days up to `as_of`; `None` if there was no purchase at all. For fits that do
    /// not need more ([`Cells::needs_days`]).
    ///
    /// # Errors
    /// As for [`Cells::add_summary`], or a day out of range.
    pub fn add_span(&mut self, first: Option<Day>, days: Option<PurchaseDays>) -> Result<()> {
        let Some(first) = first else {
            self.skipped.no_purchase = self.skipped.no_purchase.saturating_add(1);
            return Ok(());
        };
        match days {
            _ if !self.belongs(first)? => Ok(()),
            Some(days) => {
                let whole = |n: i32| u32::try_from(n).unwrap_or(0);
                let summary = CustomerSummary::new(
                    days.count as u32 - 1,
                    whole(days.last - days.first),
                    whole(self.as_of - days.first),
                )?;
                self.add_summary(summary, 1)
            }
            None => Ok(()),
        }
    }

    /// Takes in one customer: their purchase days, ascending. A day given twice counts once, a
    /// day after `as_of` not at all.
    ///
    /// # Errors
    /// If the days descend, or a limit on size is passed.
    pub fn add(&mut self, days: impl IntoIterator<Item = Day>) -> Result<()> {
        let mut days = days.into_iter();
        let Some(first) = days.next() else {
            self.skipped.no_purchase = self.skipped.no_purchase.saturating_add(1);
            return Ok(());
        };
        if !self.belongs(first)? {
            return Ok(());
        }
        let sampled = self.options.family.is_none();
        let mut list = vec![first];
        let (mut x, mut last) = (0_u32, first);
        for day in days {
            if day > self.as_of {
                break;
            }
            if day <= last {
                if day == last {
                    continue;
                }
                return Err(Error::invalid("purchase days must ascend"));
            }
            x += 1;
            if self.with_gaps {
                let gap = (day - last) as u32;
                self.all.add_gap(gap, 1);
            }
            last = day;
            if sampled {
                memory::push(&mut list, day)?;
            }
        }
        let summary = CustomerSummary { x, tx: (last - first) as u32, t: (self.as_of - first) as u32 };
        self.all.add(summary, 1)?;
        if sampled { self.sample.add(&list, 1) } else { Ok(()) }
    }

    /// Takes in `count` customers of one summary, for families that need neither gaps nor an
    /// inner split.
    ///
    /// # Errors
    /// If the family is `auto` or an Erlang-k one, or a limit on size is passed.
    pub fn add_summary(&mut self, summary: CustomerSummary, count: u64) -> Result<()> {
        if self.needs_days() {
            return Err(Error::invalid("this family needs purchase days, not only their summary"));
        }
        if count > 0 { self.all.add(summary, count) } else { Ok(()) }
    }

    /// Counts a customer whose history is NULL.
    pub fn skip_null(&mut self) {
        self.skipped.no_history = self.skipped.no_history.saturating_add(1);
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two were made with other `as_of` or options, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.as_of != other.as_of || self.options != other.options {
            return Err(Error::invalid(
                "cannot merge purchase cells made with another as_of or other options",
            )
            .detail(format!(
                "One has as_of {} and options {}, the other {} and {}.",
                day::format(self.as_of)?,
                self.options.to_json(),
                day::format(other.as_of)?,
                other.options.to_json()
            )));
        }
        self.all.merge(&other.all, &mut *checkpoint)?;
        self.sample.merge(&other.sample, checkpoint)?;
        for (reason, count) in other.skipped.counts() {
            if let Some(slot) = self.skipped.slot(reason) {
                *slot = slot.saturating_add(count);
            }
        }
        Ok(())
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION]);
        put_signed(&mut out, i64::from(self.as_of));
        let options = self.options.to_json().to_string();
        put(&mut out, options.len() as u64);
        out.extend_from_slice(options.as_bytes());
        for (_, count) in self.skipped.counts() {
            put(&mut out, count);
        }
        self.all.write(&mut out)?;
        self.sample.write(&mut out)?;
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`Cells::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "purchase_cells");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let bad = |reader: &Reader| reader.error("Its head is impossible.");
        let (as_of, options) = reader.day_and_options(FitOptions::from_json, FitOptions::to_json)?;
        let mut cells = Self::new(as_of, options).map_err(|_| bad(&reader))?;
        for (reason, _) in Skipped::default().counts() {
            if let Some(slot) = cells.skipped.slot(reason) {
                *slot = reader.number()?;
            }
        }
        cells.all = Group::read(&mut reader)?;
        cells.sample = Sample::read(&mut reader, as_of)?;
        reader.finish()?;
        let sampled = cells.sample.customers();
        let fits = match (cells.options.family.is_none(), cells.sample.is_whole()) {
            (true, true) => sampled == cells.all.customers,
            (true, false) => sampled < cells.all.customers,
            (false, whole) => whole && sampled == 0,
        };
        if !fits {
            return Err(reader.error("Its groups do not belong together."));
        }
        Ok(cells)
    }
}

impl PartialEq for Cells {
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}
