//! The packed form: canonical, small, read without being unpacked.
//!
//! Layout, version 1 (`v` = LEB128 varint, `z` = zigzag varint):
//!
//! ```text
//! byte 0   version (1)
//! byte 1   bits 0-1: unit of the amounts, 0: 0.0001, 1: 0.01, 2: 1; bit 2: every day has exactly one purchase
//! v        number of days
//! v        number of purchase days
//! z v      first purchase day; last purchase day minus it (if there are purchase days)
//! z        first day minus first purchase day (or the day itself without purchase days)
//! v ...    gaps to each following day
//! v ...    purchases of each day (absent if bit 2 is set)
//! z ...    amount of each day
//! ```

use super::entry::Entry;
use crate::base::codec::{put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::money::Money;

const VERSION: u8 = 1;
const UNIT_MASK: u8 = 0b011;
const ONE_PURCHASE_A_DAY: u8 = 0b100;
/// What each unit code multiplies to ten-thousandths.
const UNITS: [i64; 3] = [1, 100, 10_000];

/// No calendar holds more days than this between [`day::FIRST`] and [`day::LAST`].
const MAX_DAYS: u64 = (day::LAST - day::FIRST) as u64 + 1;

#[inline]
fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// Reads varints and never past the end; the layout of [`crate::base::codec`], passed over without being decoded.
#[derive(Clone)]
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    #[inline]
    fn varint(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        let mut shift = 0;
        loop {
            let (&byte, rest) = self.bytes.split_first().ok_or_else(|| corrupt("it ends too early"))?;
            self.bytes = rest;
            if shift == 63 && byte > 1 {
                return Err(corrupt("a number has more than 64 bits"));
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    #[inline]
    fn zigzag(&mut self) -> Result<i64> {
        self.varint().map(unzigzag)
    }

    /// Passes over `count` varints.
    fn skip(&mut self, count: usize) -> Result<()> {
        let mut left = count;
        if left == 0 {
            return Ok(());
        }
        for (i, byte) in self.bytes.iter().enumerate() {
            if *byte < 0x80 {
                left -= 1;
                if left == 0 {
                    self.bytes = &self.bytes[i + 1..];
                    return Ok(());
                }
            }
        }
        Err(corrupt("it ends too early"))
    }
}

#[cold]
pub(super) fn corrupt(reason: &'static str) -> Error {
    Error::new(ErrorKind::InvalidBinary, "invalid purchase history")
        .detail(format!("The stored bytes cannot be read: {reason}."))
}

/// A packed history: a view of its bytes.
///
/// Reading the header is enough for the first and last purchase and the number
/// of purchase days; everything else walks the days.
#[derive(Clone)]
pub struct History<'a> {
    days: usize,
    purchase_days: usize,
    first_purchase: Day,
    last_purchase: Day,
    flags: u8,
    body: Reader<'a>,
}

impl<'a> History<'a> {
    /// Reads the header of packed bytes; the rest is checked as it is walked.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    #[inline]
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let [version, flags, rest @ ..] = bytes else { return Err(corrupt("it ends too early")) };
        if *version != VERSION {
            return Err(corrupt("its version is not one that this release knows"));
        }
        if flags & !(UNIT_MASK | ONE_PURCHASE_A_DAY) != 0 || flags & UNIT_MASK == 3 {
            return Err(corrupt("it has unknown flags"));
        }
        let mut body = Reader { bytes: rest };
        let days = body.varint()?;
        let purchase_days = body.varint()?;
        // Each day needs at least its amount: one byte.
        if days > MAX_DAYS || days > body.bytes.len() as u64 || purchase_days > days {
            return Err(corrupt("its counts do not fit its length"));
        }
        let (mut first_purchase, mut last_purchase) = (0, 0);
        if purchase_days > 0 {
            let first = body.zigzag()?;
            let span = body.varint()?;
            let last = i64::try_from(span).ok().and_then(|span| first.checked_add(span));
            let valid = |day: i64| i32::try_from(day).ok().filter(|d| day::check(*d).is_ok());
            match (valid(first), last.and_then(valid)) {
                (Some(first), Some(last)) => (first_purchase, last_purchase) = (first, last),
                _ => return Err(corrupt("a day is out of range")),
            }
        }
        Ok(History {
            days: days as usize,
            purchase_days: purchase_days as usize,
            first_purchase,
            last_purchase,
            flags: *flags,
            body,
        })
    }

    /// Reads bytes from outside: everything is checked, the canonical form included.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    pub fn validate(bytes: &'a [u8]) -> Result<Self> {
        let history = Self::read(bytes)?;
        let mut entries: Vec<Entry> = memory::with_capacity(history.days)?;
        for entry in history.entries()? {
            entries.push(entry?);
        }
        if pack(&entries) != bytes {
            return Err(corrupt("it is not in canonical form"));
        }
        Ok(history)
    }

    /// Number of days that hold anything.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days
    }

    /// Whether nothing ever happened.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.days == 0
    }

    /// Number of purchase days.
    #[inline]
    #[must_use]
    pub fn purchase_days(&self) -> usize {
        self.purchase_days
    }

    /// First and last purchase day; `None` if nothing was ever bought.
    #[inline]
    #[must_use]
    pub fn purchase_span(&self) -> Option<(Day, Day)> {
        (self.purchase_days > 0).then_some((self.first_purchase, self.last_purchase))
    }

    /// The days in order.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`], here or from the iterator.
    pub fn entries(&self) -> Result<Entries<'a>> {
        let mut gaps = self.body.clone();
        let mut next = 0;
        if self.days > 0 {
            next = i64::from(self.first_purchase)
                .checked_add(gaps.zigzag()?)
                .ok_or_else(|| corrupt("a day is out of range"))?;
        }
        let mut counts = gaps.clone();
        counts.skip(self.days.saturating_sub(1))?;
        let mut amounts = counts.clone();
        let one_a_day = self.flags & ONE_PURCHASE_A_DAY != 0;
        if !one_a_day {
            amounts.skip(self.days)?;
        }
        Ok(Entries {
            left: self.days,
            next,
            gaps,
            counts,
            amounts,
            one_a_day,
            unit: UNITS[usize::from(self.flags & UNIT_MASK)],
        })
    }

    /// What is known at the end of `as_of`: recency, frequency, monetary and the
    /// figures behind them, in one pass. A purchase after `as_of` is as if it were not there.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes, [`ErrorKind::OutOfRange`] for a turnover that does not fit.
    pub fn totals(&self, after: Day, until: Day) -> Result<Totals> {
        let mut totals = Totals::default();
        for entry in self.entries()? {
            let entry = entry?;
            if entry.day > until {
                break;
            }
            if entry.day > after {
                totals.add(entry)?;
            }
        }
        Ok(totals)
    }

    /// Purchase days up to `as_of`, with the first and the last of them; `None` without any.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    #[inline]
    pub fn purchase_days_until(&self, as_of: Day) -> Result<Option<PurchaseDays>> {
        let Some((first, last)) = self.purchase_span() else { return Ok(None) };
        if as_of >= last {
            // The usual case is answered by the header alone.
            return Ok(Some(PurchaseDays { first, last, count: self.purchase_days }));
        }
        let mut found: Option<PurchaseDays> = None;
        for entry in self.entries()? {
            let entry = entry?;
            if entry.day > as_of {
                break;
            }
            if entry.purchases > 0 {
                let days = found.get_or_insert(PurchaseDays { first: entry.day, last: entry.day, count: 0 });
                days.last = entry.day;
                days.count += 1;
            }
        }
        Ok(found)
    }

    /// The first day after `as_of` that holds a purchase or, if `refunds` count, anything.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn next_day(&self, as_of: Day, refunds: bool) -> Result<Option<Day>> {
        if !refunds && as_of >= self.last_purchase {
            return Ok(None);
        }
        for entry in self.entries()? {
            let entry = entry?;
            if entry.day > as_of && (refunds || entry.purchases > 0) {
                return Ok(Some(entry.day));
            }
        }
        Ok(None)
    }

    /// The history up to and including `until`, packed.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn until(&self, until: Day) -> Result<Vec<u8>> {
        let mut entries: Vec<Entry> = memory::with_capacity(self.days)?;
        for entry in self.entries()? {
            let entry = entry?;
            if entry.day > until {
                break;
            }
            entries.push(entry);
        }
        Ok(pack(&entries))
    }
}

/// The purchase days up to some day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurchaseDays {
    /// The first.
    pub first: Day,
    /// The last.
    pub last: Day,
    /// How many; at least 1.
    pub count: usize,
}

/// Sums over a part of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Last purchase day.
    pub last_purchase: Option<Day>,
    /// Purchases.
    pub purchases: u64,
    /// Turnover, refunds taken off.
    pub turnover: Money,
    /// Days that hold anything.
    pub days: usize,
}

impl Totals {
    fn add(&mut self, entry: Entry) -> Result<()> {
        if entry.purchases > 0 {
            self.last_purchase = Some(entry.day);
        }
        self.purchases += u64::from(entry.purchases);
        self.turnover = self.turnover.checked_add(entry.amount)?;
        self.days += 1;
        Ok(())
    }
}

/// Iterator over the days of a [`History`].
pub struct Entries<'a> {
    left: usize,
    next: i64,
    gaps: Reader<'a>,
    counts: Reader<'a>,
    amounts: Reader<'a>,
    one_a_day: bool,
    unit: i64,
}

impl Entries<'_> {
    #[inline]
    fn read(&mut self) -> Result<Entry> {
        let day = i32::try_from(self.next).ok().filter(|day| day::check(*day).is_ok());
        let day = day.ok_or_else(|| corrupt("a day is out of range"))?;
        if self.left > 1 {
            let gap = i64::try_from(self.gaps.varint()?).unwrap_or(i64::MAX);
            if gap == 0 {
                return Err(corrupt("a day appears twice"));
            }
            self.next = self.next.saturating_add(gap);
        }
        let purchases = match self.one_a_day {
            true => 1,
            false => u32::try_from(self.counts.varint()?).map_err(|_| corrupt("a count is too large"))?,
        };
        let amount = self.amounts.zigzag()?.checked_mul(self.unit);
        let amount = Money(amount.ok_or_else(|| corrupt("an amount is too large"))?);
        Ok(Entry { day, purchases, amount })
    }
}

impl Iterator for Entries<'_> {
    type Item = Result<Entry>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let entry = self.read();
        self.left = if entry.is_ok() { self.left - 1 } else { 0 };
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

/// Packs days that are sorted and distinct.
#[must_use]
pub fn pack(entries: &[Entry]) -> Vec<u8> {
    let unit = [2_u8, 1, 0]
        .into_iter()
        .find(|unit| entries.iter().all(|e| e.amount.0 % UNITS[usize::from(*unit)] == 0))
        .unwrap_or(0);
    let one_a_day = entries.iter().all(|e| e.purchases == 1);
    let mut purchase_days = entries.iter().filter(|e| e.purchases > 0).map(|e| e.day);
    let count = purchase_days.clone().count();
    let first = purchase_days.next();
    let last = purchase_days.next_back().or(first);

    let mut out = Vec::with_capacity(16 + 8 * entries.len());
    out.push(VERSION);
    out.push(unit | if one_a_day { ONE_PURCHASE_A_DAY } else { 0 });
    put(&mut out, entries.len() as u64);
    put(&mut out, count as u64);
    if let (Some(first), Some(last)) = (first, last) {
        put_signed(&mut out, i64::from(first));
        put(&mut out, (last - first) as u64);
    }
    let mut previous = None;
    for entry in entries {
        match previous {
            None => put_signed(&mut out, i64::from(entry.day) - i64::from(first.unwrap_or(0))),
            Some(previous) => put(&mut out, (entry.day - previous) as u64),
        }
        previous = Some(entry.day);
    }
    if !one_a_day {
        for entry in entries {
            put(&mut out, u64::from(entry.purchases));
        }
    }
    for entry in entries {
        put_signed(&mut out, entry.amount.0 / UNITS[usize::from(unit)]);
    }
    out
}
