//! Purchase histories: for each day, how many purchases and for how much.
//!
//! A history has two forms, both plain bytes.
//!
//! * The **packed form** is what is stored and passed around: canonical, so that
//!   equal histories are equal bytes whatever order they were built or merged in,
//!   and small (variable-length integers, day gaps, the amounts in the largest
//!   unit that loses nothing).
//! * The **growing form** ([`Growing`]) is a sorted array with spare room, made
//!   to be changed in place while an aggregate runs.
//!
//! A day with at least one purchase is a *purchase day*. A negative amount is a
//! refund: it lowers the turnover of its day and is not a purchase. A day may
//! therefore hold no purchase at all; it counts for turnover only.
//!
//! Packed layout, version 1 (`v` = LEB128 varint, `z` = zigzag varint):
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

use crate::Checkpoint;
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::money::Money;

/// What happened on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The day.
    pub day: Day,
    /// Number of purchases; 0 if there were only refunds.
    pub purchases: u32,
    /// Turnover of the day, refunds taken off.
    pub amount: Money,
}

impl Entry {
    /// One order: a purchase, or a refund if the amount is negative.
    #[inline]
    #[must_use]
    pub fn order(day: Day, amount: Money) -> Self {
        Entry { day, purchases: u32::from(amount.0 >= 0), amount }
    }

    fn absorb(&mut self, other: Entry) -> Result<()> {
        self.purchases = self.purchases.checked_add(other.purchases).ok_or_else(|| {
            Error::new(ErrorKind::OutOfRange, "too many purchases in one day")
                .detail("A purchase history counts up to 4,294,967,295 purchases a day.")
        })?;
        self.amount = self.amount.checked_add(other.amount)?;
        Ok(())
    }
}

const VERSION: u8 = 1;
const UNIT_MASK: u8 = 0b011;
const ONE_PURCHASE_A_DAY: u8 = 0b100;
/// What each unit code multiplies to ten-thousandths.
const UNITS: [i64; 3] = [1, 100, 10_000];

/// No calendar holds more days than this between [`day::FIRST`] and [`day::LAST`].
const MAX_DAYS: u64 = (day::LAST - day::FIRST) as u64 + 1;

#[inline]
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

#[inline]
fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads varints and never past the end.
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
fn corrupt(reason: &'static str) -> Error {
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

    /// Text form: `{2024-01-03:1:12.50,2024-02-01:2:80.00}`, day, purchases, amount.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn to_text(&self) -> Result<String> {
        self.write_days("{", "}", |entry| {
            Ok(format!("{}:{}:{}", day::format(entry.day)?, entry.purchases, entry.amount))
        })
    }

    /// JSON form: `[{"day": "2024-01-03", "purchases": 1, "amount": 12.50}]`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn to_json(&self) -> Result<String> {
        self.write_days("[", "]", |entry| {
            let day = day::format(entry.day)?;
            Ok(format!(r#"{{"day":"{day}","purchases":{},"amount":{}}}"#, entry.purchases, entry.amount))
        })
    }

    fn write_days(&self, open: &str, close: &str, write: impl Fn(Entry) -> Result<String>) -> Result<String> {
        let mut text = open.to_owned();
        for (i, entry) in self.entries()?.enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(&write(entry?)?);
        }
        text.push_str(close);
        Ok(text)
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
    put_varint(&mut out, entries.len() as u64);
    put_varint(&mut out, count as u64);
    if let (Some(first), Some(last)) = (first, last) {
        put_varint(&mut out, zigzag(i64::from(first)));
        put_varint(&mut out, (last - first) as u64);
    }
    let mut previous = None;
    for entry in entries {
        match previous {
            None => put_varint(&mut out, zigzag(i64::from(entry.day) - i64::from(first.unwrap_or(0)))),
            Some(previous) => put_varint(&mut out, (entry.day - previous) as u64),
        }
        previous = Some(entry.day);
    }
    if !one_a_day {
        for entry in entries {
            put_varint(&mut out, u64::from(entry.purchases));
        }
    }
    for entry in entries {
        put_varint(&mut out, zigzag(entry.amount.0 / UNITS[usize::from(unit)]));
    }
    out
}

/// The days of two histories as those of one; both are in order of day.
///
/// # Errors
/// [`ErrorKind::OutOfRange`] if a sum does not fit.
pub fn merge_days(one: &[Entry], other: &[Entry], checkpoint: Checkpoint) -> Result<Vec<Entry>> {
    let mut merged: Vec<Entry> = memory::with_capacity(one.len() + other.len())?;
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let next = match (one.peek(), other.peek()) {
            (Some(a), Some(b)) if b.day < a.day => other.next(),
            (Some(_), _) => one.next(),
            (None, _) => other.next(),
        };
        let Some(next) = next else { return Ok(merged) };
        match merged.last_mut() {
            Some(last) if last.day == next.day => last.absorb(*next)?,
            _ => merged.push(*next),
        }
        if merged.len().is_multiple_of(65_536) {
            checkpoint();
        }
    }
}

/// Reads the text form. Days may come in any order and more than once: they are added up.
///
/// # Errors
/// [`ErrorKind::InvalidText`], or what [`Growing::add`] returns.
pub fn parse_text(text: &str) -> Result<Vec<u8>> {
    let invalid = |detail: String| {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type purchase_history")
            .detail(detail)
            .hint("Write a history as {day:purchases:amount,...}, for example {2024-01-03:1:12.50,2024-02-01:2:80.00}.")
    };
    let inner = text
        .trim_ascii()
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .ok_or_else(|| invalid("It does not begin with { and end with }.".into()))?;
    let mut entries = Vec::new();
    if !inner.trim_ascii().is_empty() {
        for (i, item) in inner.split(',').enumerate() {
            if i % 4096 == 4095 {
                crate::base::host::pause();
            }
            let item = item.trim_ascii();
            let mut parts = item.splitn(3, ':');
            let entry = (|| {
                let day = day::parse(parts.next()?)?;
                let purchases = parts.next()?;
                let purchases = if purchases.bytes().all(|b| b.is_ascii_digit()) {
                    purchases.parse().ok()?
                } else {
                    return None;
                };
                Some(Entry { day, purchases, amount: Money::parse(parts.next()?)? })
            })();
            let entry = entry.ok_or_else(|| {
                let shown: String = item.chars().take(40).collect();
                invalid(format!("Item {} is not day:purchases:amount: \"{shown}\".", i + 1))
            })?;
            entries.push(entry);
        }
    }
    entries.sort_by_key(|e: &Entry| e.day);
    let mut merged: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match merged.last_mut() {
            Some(last) if last.day == entry.day => last.absorb(entry)?,
            _ => merged.push(entry),
        }
    }
    Ok(pack(&merged))
}

/// A history while it grows: a sorted array of days with room to spare, in bytes
/// that its owner provides (so that an aggregate's state is one flat value).
///
/// Layout: 8 bytes of header (form 0x80, three zero bytes, number of days as
/// `u32`), then 16 bytes a day. Integers are in the machine's order: this form
/// is never stored or sent to another machine.
pub struct Growing<'a> {
    bytes: &'a mut [u8],
}

const GROWING: u8 = 0x80;
const HEADER: usize = 8;
const ENTRY: usize = 16;

impl<'a> Growing<'a> {
    /// Bytes needed for `days` days.
    #[must_use]
    pub const fn size_for(days: usize) -> usize {
        HEADER + days * ENTRY
    }

    /// Starts an empty history in `bytes`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] if they are too few for the header.
    pub fn start(bytes: &'a mut [u8]) -> Result<Self> {
        let header = bytes.get_mut(..HEADER).ok_or_else(|| corrupt("it ends too early"))?;
        header.copy_from_slice(&[GROWING, 0, 0, 0, 0, 0, 0, 0]);
        Ok(Growing { bytes })
    }

    /// Takes up a history begun by [`Growing::start`].
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] if the bytes are not in growing form.
    #[inline]
    pub fn resume(bytes: &'a mut [u8]) -> Result<Self> {
        check_growing(bytes)?;
        Ok(Growing { bytes })
    }

    /// Number of days so far.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        growing_len(self.bytes)
    }

    /// Whether there is no day yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of days that the bytes have room for.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        (self.bytes.len() - HEADER) / ENTRY
    }

    /// Adds to a day. `false`: there is no room left for another day, nothing was changed.
    ///
    /// # Errors
    /// [`ErrorKind::DateOutOfRange`], or [`ErrorKind::OutOfRange`] if a sum does not fit.
    #[inline]
    pub fn add(&mut self, entry: Entry) -> Result<bool> {
        day::check(entry.day)?;
        let len = self.len();
        // Orders mostly arrive in order of time: look at the end first.
        let mut at = len;
        if len > 0 {
            let last = self.day(len - 1);
            if entry.day == last {
                at = len - 1;
            } else if entry.day < last {
                at = self.position(entry.day, len);
            }
        }
        if at < len && self.day(at) == entry.day {
            let mut old = read_growing(self.bytes, at);
            old.absorb(entry)?;
            self.write(at, old);
            return Ok(true);
        }
        if len == self.capacity() {
            return Ok(false);
        }
        let start = HEADER + at * ENTRY;
        self.bytes.copy_within(start..HEADER + len * ENTRY, start + ENTRY);
        self.write(at, entry);
        self.bytes[4..8].copy_from_slice(&(len as u32 + 1).to_ne_bytes());
        Ok(true)
    }

    /// The first position whose day is not before `day`.
    fn position(&self, day: Day, len: usize) -> usize {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.day(middle) < day {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    #[inline]
    fn day(&self, at: usize) -> Day {
        let start = HEADER + at * ENTRY;
        i32::from_ne_bytes(array(&self.bytes[start..start + 4]))
    }

    #[inline]
    fn write(&mut self, at: usize, entry: Entry) {
        let bytes = &mut self.bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY];
        bytes[..4].copy_from_slice(&entry.day.to_ne_bytes());
        bytes[4..8].copy_from_slice(&entry.purchases.to_ne_bytes());
        bytes[8..].copy_from_slice(&entry.amount.0.to_ne_bytes());
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[inline]
fn growing_len(bytes: &[u8]) -> usize {
    u32::from_ne_bytes(array(&bytes[4..8])) as usize
}

#[inline]
fn check_growing(bytes: &[u8]) -> Result<()> {
    if bytes.len() < HEADER || bytes[0] != GROWING || growing_len(bytes) > (bytes.len() - HEADER) / ENTRY {
        return Err(corrupt("an aggregate's state is not in growing form"));
    }
    Ok(())
}

#[inline]
fn read_growing(bytes: &[u8], at: usize) -> Entry {
    let bytes = &bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY];
    Entry {
        day: i32::from_ne_bytes(array(&bytes[..4])),
        purchases: u32::from_ne_bytes(array(&bytes[4..8])),
        amount: Money(i64::from_ne_bytes(array(&bytes[8..]))),
    }
}

/// The days of a growing history, in order.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`] if the bytes are not in growing form.
pub fn growing_entries(bytes: &[u8]) -> Result<impl Iterator<Item = Entry> + '_> {
    check_growing(bytes)?;
    Ok((0..growing_len(bytes)).map(|at| read_growing(bytes, at)))
}

/// The packed form of a growing history.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`] if the bytes are not in growing form.
pub fn pack_growing(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(pack(&growing_entries(bytes)?.collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn grow(orders: &[(Day, i64)]) -> Vec<u8> {
        let mut bytes = vec![0; Growing::size_for(1)];
        Growing::start(&mut bytes).unwrap();
        for &(day, amount) in orders {
            let entry = Entry::order(day, Money(amount));
            if !Growing::resume(&mut bytes).unwrap().add(entry).unwrap() {
                let more = bytes.len() + ENTRY;
                bytes.resize(more, 0);
                assert!(Growing::resume(&mut bytes).unwrap().add(entry).unwrap());
            }
        }
        bytes
    }

    fn orders() -> impl Strategy<Value = Vec<(Day, i64)>> {
        proptest::collection::vec(
            (8000..8400, prop_oneof![-500_000..5_000_000_i64, (0..900_i64).prop_map(|a| a * 10_000)]),
            0..40,
        )
    }

    proptest! {
        #[test]
        fn packed_equals_a_map_of_days(orders in orders()) {
            let mut map: BTreeMap<Day, (u32, i64)> = BTreeMap::new();
            for &(day, amount) in &orders {
                let slot = map.entry(day).or_default();
                slot.0 += u32::from(amount >= 0);
                slot.1 += amount;
            }
            let packed = pack_growing(&grow(&orders)).unwrap();
            let history = History::validate(&packed).unwrap();
            let read: Vec<_> = history.entries().unwrap().map(|e| { let e = e.unwrap(); (e.day, (e.purchases, e.amount.0)) }).collect();
            prop_assert_eq!(&read, &map.clone().into_iter().collect::<Vec<_>>());
            let days: Vec<Day> = map.iter().filter(|(_, v)| v.0 > 0).map(|(d, _)| *d).collect();
            prop_assert_eq!(history.purchase_days(), days.len());
            prop_assert_eq!(history.purchase_span(), days.first().map(|f| (*f, days[days.len() - 1])));
            for as_of in [7999, 8100, 8399] {
                let seen: Vec<Day> = days.iter().copied().filter(|d| *d <= as_of).collect();
                let expected = seen.first().map(|f| PurchaseDays { first: *f, last: seen[seen.len() - 1], count: seen.len() });
                prop_assert_eq!(history.purchase_days_until(as_of).unwrap(), expected);
                let cut = history.until(as_of).unwrap();
                prop_assert_eq!(History::validate(&cut).unwrap().purchase_days_until(Day::MAX).unwrap(), expected);
                prop_assert_eq!(history.totals(Day::MIN, as_of).unwrap().turnover.0, map.range(..=as_of).map(|(_, v)| v.1).sum::<i64>());
            }
            prop_assert_eq!(&parse_text(&history.to_text().unwrap()).unwrap(), &packed);
        }

        #[test]
        fn order_of_arrival_does_not_matter(orders in orders(), seed: u64) {
            let mut shuffled = orders.clone();
            let mut state = seed | 1;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                shuffled.swap(i, (state >> 33) as usize % (i + 1));
            }
            prop_assert_eq!(pack_growing(&grow(&orders)).unwrap(), pack_growing(&grow(&shuffled)).unwrap());
        }

        #[test]
        fn hostile_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(history) = History::validate(&bytes) {
                prop_assert_eq!(parse_text(&history.to_text().unwrap()).unwrap(), bytes);
            }
        }

        #[test]
        fn damaged_bytes_never_panic(orders in orders(), at: prop::sample::Index, byte: u8) {
            let mut packed = pack_growing(&grow(&orders)).unwrap();
            let at = at.index(packed.len());
            packed[at] = byte;
            let _ = History::validate(&packed);
            // Accessors read without full validation: they may err, never panic.
            if let Ok(history) = History::read(&packed) {
                let _ = history.totals(Day::MIN, Day::MAX);
                let _ = history.purchase_days_until(8200);
                let _ = history.until(8200);
                let _ = history.to_json();
            }
        }

        #[test]
        fn hostile_text_never_panics(text in "\\PC{0,60}|[{}:,.0-9-]{0,60}") {
            let _ = parse_text(&text);
        }
    }

    #[test]
    fn small() {
        let ten: Vec<(Day, i64)> =
            (0..10).map(|i| (8000 + 37 * i, 12_345_600 + 1_900 * i64::from(i))).collect();
        let packed = pack_growing(&grow(&ten)).unwrap();
        assert!(packed.len() < 99, "{} bytes", packed.len());
    }

    #[test]
    fn refunds_and_free_orders() {
        let packed =
            pack_growing(&grow(&[(10, -50_000), (20, 0), (30, 1_000_000), (30, -1_000_000)])).unwrap();
        let history = History::validate(&packed).unwrap();
        assert_eq!(history.purchase_span(), Some((20, 30)));
        assert_eq!((history.len(), history.purchase_days()), (3, 2));
        assert_eq!(
            history.totals(Day::MIN, Day::MAX).unwrap(),
            Totals { last_purchase: Some(30), purchases: 2, turnover: Money(-50_000), days: 3 }
        );
        assert_eq!(history.to_text().unwrap(), "{2000-01-11:0:-5.00,2000-01-21:1:0.00,2000-01-31:1:0.00}");
        assert_eq!(parse_text("{}").unwrap(), pack(&[]));
        for bad in [
            "",
            "{",
            "{2024-01-01}",
            "{2024-01-01:1}",
            "{2024-01-01:-1:1}",
            "{2024-01-01:1:1,}",
            "{2024-13-01:1:1}",
            "{2024-01-01:4294967296:1}",
            "{2024-01-01:1:NaN}",
            "{2024-01-01:1:1:1}",
        ] {
            assert_eq!(parse_text(bad).unwrap_err().kind, ErrorKind::InvalidText, "{bad}");
        }
        assert_eq!(
            parse_text("{2024-01-01:4294967295:1,2024-01-01:1:1}").unwrap_err().kind,
            ErrorKind::OutOfRange
        );
    }
}
