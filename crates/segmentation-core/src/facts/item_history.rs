//! Item histories: for each item (a product, a category) the days on which a customer bought it.
//!
//! The value has two forms, both plain bytes, told apart by their first byte.
//!
//! * The **packed form** is stored and passed around. It is canonical: equal histories are equal
//!   bytes, whatever order they were built or merged in.
//! * The **growing form** ([`Log`]) is a list of lines with spare room, for an aggregate to append to.
//!
//! A line with a negative quantity or amount is a return: it lowers quantity and amount of its day and
//! is not a purchase.
//!
//! Packed layout, version 1 (`v` = varint, `z` = zigzag varint):
//!
//! ```text
//! byte 0   version (1)
//! byte 1   bits 0-1: unit of the amounts, bits 2-3: unit of the quantities (0: 0.0001, 1: 0.01, 2: 1);
//!          bit 4: one purchase an entry; bit 5: quantity 1 everywhere; bit 6: amount 0 everywhere
//! v z v... number of days, the first day, gaps to each following day
//! v        number of items, in order of their bytes; for each:
//! v bytes    length and text
//! v v v...   number of entries, place of the first day in the list of days, steps to the following
//! v z z...   purchases, quantities, amounts of the entries (absent where the flags say so)
//! ```

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::host;
use crate::base::memory::{self, Bytes};
use crate::base::money::Money;
use crate::facts::purchase_history::Entry;

/// Bytes of an item's text at most.
pub const LONGEST_ITEM: usize = 1000;
const VERSION: u8 = 1;
const ONE_PURCHASE: u8 = 1 << 4;
const ONE_PIECE: u8 = 1 << 5;
const NO_AMOUNT: u8 = 1 << 6;
/// What each unit code multiplies to ten-thousandths.
const UNITS: [i64; 3] = [1, 100, 10_000];
const PIECE: Money = Money(crate::base::money::SCALE);

/// One item on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The item.
    pub item: &'a str,
    /// The day.
    pub day: Day,
    /// Lines that were purchases; 0 if there were only returns.
    pub purchases: u32,
    /// Pieces (or kilograms), returns taken off; four decimals.
    pub quantity: Money,
    /// Turnover, returns taken off.
    pub amount: Money,
}

impl<'a> Line<'a> {
    /// One line of an order: a purchase, or a return if its quantity or amount is negative.
    ///
    /// # Errors
    /// The item's text is too long, the day out of range.
    pub fn order(item: &'a str, day: Day, quantity: Money, amount: Money) -> Result<Self> {
        if item.len() > LONGEST_ITEM {
            return Err(Error::new(ErrorKind::LimitExceeded, "item too long")
                .detail(format!("An item has at most {LONGEST_ITEM} bytes; this one has {}.", item.len())));
        }
        let bought = quantity.0 >= 0 && amount.0 >= 0;
        Ok(Line { item, day: day::check(day)?, purchases: u32::from(bought), quantity, amount })
    }

    fn absorb(&mut self, other: &Line) -> Result<()> {
        self.purchases = self
            .purchases
            .checked_add(other.purchases)
            .ok_or_else(|| Error::new(ErrorKind::OutOfRange, "too many purchases of an item in one day"))?;
        self.quantity =
            self.quantity.checked_add(other.quantity).map_err(|_| Money::out_of_range("quantity"))?;
        self.amount = self.amount.checked_add(other.amount)?;
        Ok(())
    }
}

#[cold]
fn corrupt(detail: &'static str) -> Error {
    Error::new(ErrorKind::InvalidBinary, "invalid item history").detail(detail)
}

/// Lines by item and day, one line each.
///
/// # Errors
/// A sum does not fit.
pub fn net<'a>(mut lines: Vec<Line<'a>>) -> Result<Vec<Line<'a>>> {
    // Lines of an item and day are summed as integers: their order does not matter.
    lines.sort_unstable_by(|a, b| a.item.cmp(b.item).then(a.day.cmp(&b.day)));
    // In place: a second list would be as long as the first.
    let mut kept = 0;
    for at in 0..lines.len() {
        let line = lines[at];
        match lines[..kept].last_mut() {
            Some(last) if last.day == line.day && last.item == line.item => last.absorb(&line)?,
            _ => {
                lines[kept] = line;
                kept += 1;
            }
        }
    }
    lines.truncate(kept);
    Ok(lines)
}

/// The largest unit that loses nothing.
fn unit(values: impl Iterator<Item = i64> + Clone) -> u8 {
    (0..3).rev().find(|u| values.clone().all(|v| v % UNITS[usize::from(*u)] == 0)).unwrap_or(0)
}

/// The packed form of lines that [`net`] has put in order.
///
/// # Errors
/// No memory.
pub fn pack(lines: &[Line]) -> Result<Vec<u8>> {
    let amount_unit = unit(lines.iter().map(|l| l.amount.0));
    let quantity_unit = unit(lines.iter().map(|l| l.quantity.0));
    let mut flags = amount_unit | quantity_unit << 2;
    for (flag, holds) in [
        (ONE_PURCHASE, lines.iter().all(|l| l.purchases == 1)),
        (ONE_PIECE, lines.iter().all(|l| l.quantity == PIECE)),
        (NO_AMOUNT, lines.iter().all(|l| l.amount.0 == 0)),
    ] {
        flags |= if holds { flag } else { 0 };
    }
    let mut days = memory::collect(lines.iter().map(|l| l.day))?;
    days.sort_unstable();
    days.dedup();
    let mut out = Bytes::begin(&[VERSION, flags]);
    put(&mut out, days.len() as u64);
    for (at, day) in days.iter().enumerate() {
        match at {
            0 => put_signed(&mut out, i64::from(*day)),
            _ => put(&mut out, (day - days[at - 1]) as u64),
        }
    }
    let items = || lines.chunk_by(|a, b| a.item == b.item);
    put(&mut out, items().count() as u64);
    for entries in items() {
        put(&mut out, entries[0].item.len() as u64);
        out.extend_from_slice(entries[0].item.as_bytes());
        put(&mut out, entries.len() as u64);
        let mut before = 0;
        for entry in entries {
            let place = days.partition_point(|d| *d < entry.day);
            put(&mut out, (place - before) as u64);
            before = place;
        }
        if flags & ONE_PURCHASE == 0 {
            entries.iter().for_each(|e| put(&mut out, u64::from(e.purchases)));
        }
        if flags & ONE_PIECE == 0 {
            let unit = UNITS[usize::from(quantity_unit)];
            entries.iter().for_each(|e| put_signed(&mut out, e.quantity.0 / unit));
        }
        if flags & NO_AMOUNT == 0 {
            let unit = UNITS[usize::from(amount_unit)];
            entries.iter().for_each(|e| put_signed(&mut out, e.amount.0 / unit));
        }
    }
    out.finish()
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str> {
    let len = reader.number()?;
    let bytes = reader.take(len)?;
    if bytes.len() > LONGEST_ITEM {
        return Err(corrupt("An item is too long."));
    }
    // PostgreSQL's texts have no zero byte.
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or_else(|| corrupt("An item is not a text."))
}

fn days_of(reader: &mut Reader) -> Result<Vec<Day>> {
    let count = reader.count(1)?;
    let mut days: Vec<Day> = memory::with_capacity(count)?;
    let mut day = 0_i64;
    for at in 0..count {
        let step = if at == 0 { reader.signed()? } else { i64::from(reader.small()?) };
        day = day.checked_add(step).ok_or_else(|| corrupt("A day is out of range."))?;
        let valid = i32::try_from(day).ok().filter(|d| day::check(*d).is_ok());
        days.push(valid.ok_or_else(|| corrupt("A day is out of range."))?);
    }
    Ok(days)
}

/// Reads version and flags.
fn begin(bytes: &[u8]) -> Result<(Reader<'_>, u8)> {
    let mut reader = Reader::new(bytes, "item_history");
    if reader.byte()? != VERSION {
        return Err(corrupt("Its version is not one that this release knows."));
    }
    let flags = reader.byte()?;
    if flags & 0x80 != 0 || flags & 3 == 3 || flags >> 2 & 3 == 3 {
        return Err(corrupt("It has unknown flags."));
    }
    Ok((reader, flags))
}

/// The lines of a packed history, in order of item and day.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`].
pub fn unpack(bytes: &[u8]) -> Result<Vec<Line<'_>>> {
    let (mut reader, flags) = begin(bytes)?;
    let (amount_unit, quantity_unit) = (flags & 3, flags >> 2 & 3);
    let days = days_of(&mut reader)?;
    let items = reader.count(3)?;
    let mut lines: Vec<Line> = memory::with_capacity(items)?;
    for _ in 0..items {
        let item = text(&mut reader)?;
        let from = lines.len();
        if lines.last().is_some_and(|before| before.item >= item) {
            return Err(corrupt("Its items are out of order."));
        }
        let mut place = 0_usize;
        let entries = reader.count(1)?;
        memory::reserve(&mut lines, entries)?;
        for at in 0..entries {
            let step = reader.small()? as usize;
            place = place.saturating_add(step);
            let day = *days.get(place).ok_or_else(|| corrupt("A day is not in the list of days."))?;
            if at > 0 && step == 0 {
                return Err(corrupt("A day occurs twice."));
            }
            lines.push(Line { item, day, purchases: 1, quantity: PIECE, amount: Money::ZERO });
        }
        let scaled = |value: i64, unit: u8| {
            value
                .checked_mul(UNITS[usize::from(unit)])
                .map(Money)
                .ok_or_else(|| corrupt("A number is too large."))
        };
        if flags & ONE_PURCHASE == 0 {
            for line in &mut lines[from..] {
                line.purchases = reader.small()?;
            }
        }
        if flags & ONE_PIECE == 0 {
            for line in &mut lines[from..] {
                line.quantity = scaled(reader.signed()?, quantity_unit)?;
            }
        }
        if flags & NO_AMOUNT == 0 {
            for line in &mut lines[from..] {
                line.amount = scaled(reader.signed()?, amount_unit)?;
            }
        }
    }
    reader.finish()?;
    Ok(lines)
}

/// Checks bytes from outside, the canonical form included.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`].
pub fn validate(bytes: &[u8]) -> Result<()> {
    let lines = unpack(bytes)?;
    if !lines.is_sorted_by(|a, b| (a.item, a.day) < (b.item, b.day)) || pack(&lines)? != bytes {
        return Err(corrupt("It is not in canonical form."));
    }
    Ok(())
}

/// The history up to and including a day.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`].
pub fn until(bytes: &[u8], until: Day) -> Result<Vec<u8>> {
    // Mostly nothing is dated later.
    if days_of(&mut begin(bytes)?.0)?.last().is_none_or(|day| *day <= until) {
        return memory::copy(bytes);
    }
    let mut lines = unpack(bytes)?;
    lines.retain(|line| line.day <= until);
    pack(&lines)
}

/// The purchases of some items, as the days of a purchase history. A day has as many purchases as the item of
/// which it has most: lines do not say which of them were one order.
///
/// # Errors
/// A sum does not fit.
pub fn purchases_of(lines: &[Line], wanted: impl Fn(&str) -> bool) -> Result<Vec<Entry>> {
    let mut days: BTreeMap<Day, Entry> = BTreeMap::new();
    for lines in lines.chunk_by(|a, b| a.item == b.item).filter(|lines| wanted(lines[0].item)) {
        for line in lines {
            let entry =
                days.entry(line.day).or_insert(Entry { day: line.day, purchases: 0, amount: Money::ZERO });
            entry.purchases = entry.purchases.max(line.purchases);
            entry.amount = entry.amount.checked_add(line.amount)?;
        }
    }
    Ok(days.into_values().collect())
}

/// The first day after `as_of` that has a line: then what is known of the customer changes.
#[must_use]
pub fn next_day(lines: &[Line], as_of: Day) -> Option<Day> {
    lines.iter().map(|line| line.day).filter(|day| *day > as_of).min()
}

/// What a customer did with one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ItemTotal<'a> {
    /// The item.
    pub item: &'a str,
    /// First and last purchase day.
    pub first: Day,
    /// Last purchase day.
    pub last: Day,
    /// Number of purchase days.
    pub days: u32,
    /// Lines that were purchases.
    pub purchases: u64,
    /// Pieces, returns taken off.
    pub quantity: Money,
    /// Turnover, returns taken off.
    pub amount: Money,
}

impl ItemTotal<'_> {
    /// Mean number of days from one purchase day to the next; `None` with fewer than two.
    #[must_use]
    pub fn mean_gap(&self) -> Option<f64> {
        (self.days > 1).then(|| f64::from(self.last - self.first) / f64::from(self.days - 1))
    }
}

/// Totals by item up to a day; items that were only returned are left out.
///
/// # Errors
/// A sum does not fit.
pub fn totals<'a>(lines: &[Line<'a>], until: Day) -> Result<Vec<ItemTotal<'a>>> {
    let mut out = Vec::new();
    for lines in lines.chunk_by(|a, b| a.item == b.item) {
        let mut total: Option<ItemTotal> = None;
        let (mut quantity, mut amount) = (Money::ZERO, Money::ZERO);
        for line in lines.iter().filter(|line| line.day <= until) {
            quantity = quantity.checked_add(line.quantity)?;
            amount = amount.checked_add(line.amount)?;
            if line.purchases > 0 {
                let total = total.get_or_insert(ItemTotal {
                    item: line.item,
                    first: line.day,
                    last: line.day,
                    days: 0,
                    purchases: 0,
                    quantity,
                    amount,
                });
                total.last = line.day;
                total.days += 1;
                total.purchases += u64::from(line.purchases);
            }
        }
        if let Some(total) = total {
            memory::push(&mut out, ItemTotal { quantity, amount, ..total })?;
        }
    }
    Ok(out)
}

/// Written as a JSON list of `[item, day, purchases, quantity, amount]`, the last two as texts.
///
/// # Errors
/// A day is out of range.
pub fn to_text(lines: &[Line]) -> Result<String> {
    let mut out = String::from("[");
    for line in lines {
        let (item, day) = (Value::from(line.item), day::format(line.day)?);
        let comma = if out.len() > 1 { "," } else { "" };
        let line =
            format!("{comma}[{item},\"{day}\",{},\"{}\",\"{}\"]", line.purchases, line.quantity, line.amount);
        memory::push_str(&mut out, &line)?;
    }
    memory::push_str(&mut out, "]")?;
    Ok(out)
}

/// A line with a text of its own.
type Owned = (String, Day, u32, Money, Money);

/// Reads what [`to_text`] writes, in any order; packed.
///
/// # Errors
/// [`ErrorKind::InvalidText`].
pub fn from_text(text: &str) -> Result<Vec<u8>> {
    let invalid = |detail: String| {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type item_history").detail(detail)
    };
    let value = crate::base::json::parse(text)
        .map_err(|_| invalid("It is not JSON, or nested too deeply.".to_owned()))?;
    let list = value.as_array().ok_or_else(|| invalid("It is not a JSON list.".to_owned()))?;
    let line = |value: &Value| -> Option<Owned> {
        let [item, day, purchases, quantity, amount] = value.as_array()?.as_slice() else { return None };
        let item = item.as_str().filter(|item| !item.contains('\0'))?.to_owned();
        let purchases = u32::try_from(purchases.as_u64()?).ok()?;
        let (quantity, amount) = (Money::parse(quantity.as_str()?)?, Money::parse(amount.as_str()?)?);
        Some((item, day::parse(day.as_str()?)?, purchases, quantity, amount))
    };
    let mut owned: Vec<Owned> = memory::with_capacity(list.len())?;
    for (i, value) in list.iter().enumerate() {
        if i % 4096 == 4095 {
            host::pause();
        }
        let expected = || {
            let shown: String = value.to_string().chars().take(60).collect();
            invalid(format!("{shown} is not [item, day, purchases, quantity, amount]."))
        };
        owned.push(line(value).ok_or_else(expected)?);
    }
    let mut lines: Vec<Line> = memory::with_capacity(owned.len())?;
    for (item, day, purchases, quantity, amount) in &owned {
        lines.push(Line { purchases: *purchases, ..Line::order(item, *day, *quantity, *amount)? });
    }
    pack(&net(lines)?)
}

/// JSON text: a list of `{item, day, purchases, quantity, amount}`.
///
/// # Errors
/// A day is out of range.
pub fn to_json(lines: &[Line]) -> Result<String> {
    let mut out = String::from("[");
    for line in lines {
        let (item, day) = (Value::from(line.item), day::format(line.day)?);
        let comma = if out.len() > 1 { "," } else { "" };
        let line = format!(
            "{comma}{{\"item\":{item},\"day\":\"{day}\",\"purchases\":{},\"quantity\":{},\"amount\":{}}}",
            line.purchases, line.quantity, line.amount
        );
        memory::push_str(&mut out, &line)?;
    }
    memory::push_str(&mut out, "]")?;
    Ok(out)
}

// The growing form: byte 0 is GROWING, bytes 4..8 the bytes used, then lines.

const GROWING: u8 = 0;
const HEADER: usize = 8;
const LINE: usize = 26;

/// A growing form, to be appended to.
pub struct Log<'a>(&'a mut [u8]);

impl<'a> Log<'a> {
    /// Bytes that a line takes.
    #[must_use]
    pub fn size_of(line: &Line) -> usize {
        LINE + line.item.len()
    }

    /// Bytes of a growing form with room for this many bytes of lines.
    #[must_use]
    pub fn size_for(bytes: usize) -> usize {
        HEADER + bytes
    }

    /// Begins an empty one in zeroed memory.
    pub fn start(bytes: &'a mut [u8]) -> Self {
        bytes[0] = GROWING;
        bytes[4..HEADER].copy_from_slice(&(HEADER as u32).to_le_bytes());
        Log(bytes)
    }

    /// Goes on with one.
    ///
    /// # Errors
    /// It is none.
    pub fn resume(bytes: &'a mut [u8]) -> Result<Self> {
        used(bytes)?;
        Ok(Log(bytes))
    }

    /// Bytes in use, the header included.
    #[must_use]
    pub fn used(&self) -> usize {
        used(self.0).unwrap_or(HEADER)
    }

    /// Appends a line; false if there is no room for it.
    pub fn add(&mut self, line: &Line) -> bool {
        let at = self.used();
        let end = at + Self::size_of(line);
        let Some(room) = self.0.get_mut(at..end) else { return false };
        room[0..4].copy_from_slice(&line.day.to_le_bytes());
        room[4..8].copy_from_slice(&line.purchases.to_le_bytes());
        room[8..16].copy_from_slice(&line.quantity.0.to_le_bytes());
        room[16..24].copy_from_slice(&line.amount.0.to_le_bytes());
        room[24..26].copy_from_slice(&(line.item.len() as u16).to_le_bytes());
        room[LINE..].copy_from_slice(line.item.as_bytes());
        self.0[4..HEADER].copy_from_slice(&(end as u32).to_le_bytes());
        true
    }
}

fn used(bytes: &[u8]) -> Result<usize> {
    let used = bytes.get(4..HEADER).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    match used {
        Some(used) if bytes[0] == GROWING && (HEADER..=bytes.len()).contains(&(used as usize)) => {
            Ok(used as usize)
        }
        _ => Err(corrupt("It is not a state of this aggregate.")),
    }
}

/// The lines of either form: growing ones as they came, packed ones in order.
///
/// # Errors
/// [`ErrorKind::InvalidBinary`].
pub fn lines(bytes: &[u8]) -> Result<Vec<Line<'_>>> {
    if bytes.first() != Some(&GROWING) {
        return unpack(bytes);
    }
    let mut rest = &bytes[HEADER..used(bytes)?];
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_first_chunk::<LINE>().ok_or_else(|| corrupt("It ends too early."))?;
        let [d0, d1, d2, d3, p0, p1, p2, p3, q @ .., l0, l1] = head;
        let (numbers, _) = q.as_chunks::<8>();
        let (item, after) = tail
            .split_at_checked(usize::from(u16::from_le_bytes([*l0, *l1])))
            .ok_or_else(|| corrupt("It ends too early."))?;
        let line = Line {
            item: std::str::from_utf8(item).map_err(|_| corrupt("An item is not a text."))?,
            day: day::check(i32::from_le_bytes([*d0, *d1, *d2, *d3]))?,
            purchases: u32::from_le_bytes([*p0, *p1, *p2, *p3]),
            quantity: Money(i64::from_le_bytes(numbers[0])),
            amount: Money(i64::from_le_bytes(numbers[1])),
        };
        memory::push(&mut lines, line)?;
        rest = after;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(item: &str, day: Day, quantity: i64, amount: i64) -> Line<'_> {
        Line::order(item, day, Money(quantity), Money(amount)).unwrap()
    }

    #[test]
    fn small_and_round() {
        let lines =
            net(vec![line("milk", 10, 10_000, 0), line("bread", 3, 10_000, 0), line("milk", 3, 10_000, 0)]);
        let packed = pack(&lines.unwrap()).unwrap();
        // Header 2, days 3, number of items 1; bread 6 + 2, milk 5 + 3.
        assert_eq!(packed.len(), 22);
        validate(&packed).unwrap();
        assert_eq!(pack(&[]).unwrap().len(), 4);
        validate(&pack(&[]).unwrap()).unwrap();
        assert!(Line::order(&"x".repeat(1001), 0, PIECE, PIECE).is_err());
        assert!(Line::order("x", i32::MAX, PIECE, PIECE).is_err());
    }

    #[test]
    fn returns_and_totals() {
        let lines = net(vec![
            line("a", 1, 20_000, 50_000),
            line("a", 1, -10_000, -25_000),
            line("a", 11, 10_000, 25_000),
            line("b", 2, -10_000, -100),
        ])
        .unwrap();
        let totals = totals(&lines, 11).unwrap();
        assert_eq!(totals.len(), 1);
        assert_eq!((totals[0].days, totals[0].purchases, totals[0].mean_gap()), (2, 2, Some(10.0)));
        assert_eq!((totals[0].quantity, totals[0].amount), (Money(20_000), Money(50_000)));
    }

    #[test]
    fn purchases_of_some_items() {
        let lines = net(vec![
            line("a", 1, 20_000, 50_000),
            line("a", 1, 10_000, 10_000),
            line("a", 11, -10_000, -25_000),
            line("b", 1, 10_000, 100),
            line("b", 3, 10_000, 200),
            line("c", 2, 10_000, 300),
        ])
        .unwrap();
        let entry = |day, purchases, amount| Entry { day, purchases, amount: Money(amount) };
        let both = purchases_of(&lines, |item| item != "c").unwrap();
        assert_eq!(both, [entry(1, 2, 60_100), entry(3, 1, 200), entry(11, 0, -25_000)]);
        assert_eq!(purchases_of(&lines, |_| false).unwrap(), []);
        assert_eq!(
            (next_day(&lines, 1), next_day(&lines, 3), next_day(&lines, 11)),
            (Some(2), Some(11), None)
        );
    }

    #[test]
    fn text_says_what_is_wrong() {
        for bad in
            ["", "{}", "[1]", r#"[["a","2024-02-30",1,"1","1"]]"#, r#"[["a","2024-02-03",-1,"1","1"]]"#]
        {
            assert_eq!(from_text(bad).unwrap_err().kind, ErrorKind::InvalidText, "{bad}");
        }
    }

    fn any_lines() -> impl Strategy<Value = Vec<(String, Day, i64, i64)>> {
        prop::collection::vec(("[a-c]{0,2}", -5..5, -30_000_i64..30_000, -300_i64..300), 0..40)
    }

    proptest! {
        #[test]
        fn order_and_form_do_not_matter(rows in any_lines(), half in 0_usize..40) {
            let of = |rows: &[(String, Day, i64, i64)]| {
                pack(&net(rows.iter().map(|r| line(&r.0, r.1, r.2, r.3)).collect()).unwrap()).unwrap()
            };
            let packed = of(&rows);
            validate(&packed).unwrap();
            let known = unpack(&packed).unwrap();
            for day in known.iter().flat_map(|l| [l.day - 1, l.day]).chain([i32::MAX]) {
                let earlier: Vec<Line> = known.iter().filter(|l| l.day <= day).copied().collect();
                prop_assert_eq!(until(&packed, day).unwrap(), pack(&earlier).unwrap());
            }
            let text = to_text(&unpack(&packed).unwrap()).unwrap();
            prop_assert_eq!(&from_text(&text).unwrap(), &packed);
            let mut reversed = rows.clone();
            reversed.reverse();
            prop_assert_eq!(&of(&reversed), &packed);
            // Two parts merged, one of them through the growing form.
            let (a, b) = rows.split_at(half.min(rows.len()));
            let mut memory = vec![0; 4096];
            let mut log = Log::start(&mut memory);
            for r in a {
                prop_assert!(log.add(&line(&r.0, r.1, r.2, r.3)));
            }
            let second = of(b);
            let mut both = lines(&memory).unwrap();
            both.extend(lines(&second).unwrap());
            prop_assert_eq!(&pack(&net(both).unwrap()).unwrap(), &packed);
        }

        #[test]
        fn hostile_bytes(bytes: Vec<u8>) {
            let _ = lines(&bytes);
            if validate(&bytes).is_ok() {
                prop_assert_eq!(pack(&unpack(&bytes).unwrap()).unwrap(), bytes);
            }
        }
    }
}
