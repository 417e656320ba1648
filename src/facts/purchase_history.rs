//! SQL face of [`segmentation_core::facts::purchase_history`]: the type `purchase_history`, its
//! aggregates and accessors. See `sql/facts/purchase_history.sql` for the declarations.

use std::borrow::Cow;
use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{
    Entry, Growing, History, growing_entries, merge_days, pack_growing, parse_text,
};
use segmentation_core::{Error, ErrorKind, Result};

use crate::pg::message::Message;
use crate::pg::numeric::NumericArg;
use crate::pg::state::{State, StateArg};
use crate::pg::timestamp::{Instant, LocalTime};
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Numeric, OrRaise, interrupt};

// Input and output

#[pg_extern(sql = false)]
fn purchase_history_in(text: &CStr) -> Vec<u8> {
    let text = text.to_str().map_err(|_| {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type purchase_history")
            .detail("The text is not ASCII.")
    });
    text.and_then(parse_text).or_raise()
}

#[pg_extern(sql = false)]
fn purchase_history_out(history: &[u8]) -> std::ffi::CString {
    let text = read(&packed(history)).to_text().or_raise();
    std::ffi::CString::new(text).unwrap_or_default()
}

#[pg_extern(sql = false)]
fn purchase_history_send(history: &[u8]) -> Vec<u8> {
    packed(history).into_owned()
}

/// The packed form: a state of an aggregate that travels to another server is in growing form.
fn packed(history: &[u8]) -> Cow<'_, [u8]> {
    pack_growing(history).map_or(Cow::Borrowed(history), Cow::Owned)
}

#[pg_extern(sql = false)]
fn purchase_history_recv(mut message: Message) -> Vec<u8> {
    let bytes = message.rest();
    History::validate(bytes).or_raise();
    bytes.to_vec()
}

#[pg_extern(sql = false)]
fn purchase_history_json(history: &[u8]) -> String {
    read(history).to_json().or_raise()
}

fn read(history: &[u8]) -> History<'_> {
    History::read(history).or_raise()
}

// Aggregates

/// What an amount argument can be.
trait Amount {
    fn entry(self, day: Day) -> Result<Entry>;
}

impl Amount for NumericArg<'_> {
    #[inline]
    fn entry(self, day: Day) -> Result<Entry> {
        let amount = self.money("amount")?;
        // A refund too small for four decimals is still a refund.
        Ok(Entry { day, purchases: u32::from(!self.is_negative()), amount })
    }
}

impl Amount for f64 {
    fn entry(self, day: Day) -> Result<Entry> {
        Ok(Entry { day, purchases: u32::from(self >= 0.0), amount: Money::from_f64(self)? })
    }
}

impl Amount for i64 {
    fn entry(self, day: Day) -> Result<Entry> {
        let scaled = self
            .checked_mul(segmentation_core::base::money::SCALE)
            .ok_or_else(|| Money::out_of_range("amount"))?;
        Ok(Entry::order(day, Money(scaled)))
    }
}

/// Days in a first state: it then takes 64 bytes, and the next sizes fill PostgreSQL's chunks too.
const FIRST_DAYS: usize = 3;

#[inline]
fn add<'fcx>(state: Option<StateArg<'fcx>>, entry: Entry, call: &CallSite) -> State<'fcx> {
    let mut state = match state {
        Some(state) => state.writable(call),
        None => start(FIRST_DAYS),
    };
    if Growing::resume(state.bytes()).and_then(|mut days| days.add(entry)).or_raise() {
        return state;
    }
    let mut larger = grown(&mut state, 1);
    Growing::resume(larger.bytes()).and_then(|mut days| days.add(entry)).or_raise();
    larger
}

fn start<'fcx>(days: usize) -> State<'fcx> {
    let mut state = State::new(Growing::size_for(days));
    Growing::start(state.bytes()).or_raise();
    state
}

/// A state with room for at least `more` further days, holding what `state` holds.
fn grown<'fcx>(state: &mut State, more: usize) -> State<'fcx> {
    let days = Growing::resume(state.bytes()).or_raise().len();
    let mut larger = start((2 * days + 1).max(days + more));
    let old = state.bytes();
    let used = Growing::size_for(days);
    larger.bytes()[..used].copy_from_slice(&old[..used]);
    larger
}

/// A transition function for each pair of argument types.
macro_rules! transitions {
    ($($name:ident($day:ty, $amount:ty);)*) => {$(
        #[pg_extern(sql = false)]
        fn $name<'fcx>(
            state: Option<StateArg<'fcx>>,
            day: Option<$day>,
            amount: Option<$amount>,
            call: CallSite<'fcx>,
        ) -> Option<State<'fcx>> {
            match (day, amount) {
                (Some(day), Some(amount)) => {
                    let entry = amount.entry(ToDay::day(day)).or_raise();
                    Some(add(state, entry, &call))
                }
                _ => state.map(|state| state.writable(&call)),
            }
        }
    )*};
}

/// What a day argument can be.
trait ToDay {
    fn day(self) -> Day;
}

impl ToDay for i32 {
    #[inline]
    fn day(self) -> Day {
        self
    }
}

impl ToDay for LocalTime {
    fn day(self) -> Day {
        LocalTime::day(self)
    }
}

transitions! {
    history_add_date_numeric(i32, NumericArg<'_>);
    history_add_date_double(i32, f64);
    history_add_date_bigint(i32, i64);
    history_add_timestamp_numeric(LocalTime, NumericArg<'_>);
    history_add_timestamp_double(LocalTime, f64);
    history_add_timestamp_bigint(LocalTime, i64);
}

macro_rules! zoned_transitions {
    ($($name:ident($amount:ty);)*) => {$(
        #[pg_extern(sql = false)]
        fn $name<'fcx>(
            state: Option<StateArg<'fcx>>,
            instant: Option<Instant>,
            amount: Option<$amount>,
            zone: Option<&'fcx str>,
            call: CallSite<'fcx>,
        ) -> Option<State<'fcx>> {
            match (instant, amount, zone) {
                (Some(instant), Some(amount), Some(zone)) => {
                    let entry = amount.entry(instant.local(zone).day()).or_raise();
                    Some(add(state, entry, &call))
                }
                _ => state.map(|state| state.writable(&call)),
            }
        }
    )*};
}

zoned_transitions! {
    history_add_timestamptz_numeric(NumericArg<'_>);
    history_add_timestamptz_double(f64);
    history_add_timestamptz_bigint(i64);
}

/// Takes another history in: the transition of `merge`, and the combine function of all.
#[pg_extern(sql = false)]
fn history_absorb<'fcx>(
    state: Option<StateArg<'fcx>>,
    other: Option<&'fcx [u8]>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let Some(other) = other else { return state.map(|state| state.writable(&call)) };
    // The other side is packed (a stored history) or growing (a partial aggregate's state).
    let entries: Vec<Entry> = match growing_entries(other) {
        Ok(entries) => entries.collect(),
        Err(_) => read(other).entries().and_then(Iterator::collect).or_raise(),
    };
    let Some(state) = state else { return Some(filled(&entries)) };
    let mut state = state.writable(&call);
    if entries.len() > FEW_DAYS {
        // Day by day, two long histories would take a time that grows with the square of their length.
        let own: Vec<Entry> = growing_entries(state.bytes()).or_raise().collect();
        return Some(filled(&merge_days(&own, &entries, &mut interrupt).or_raise()));
    }
    for (at, entry) in entries.iter().enumerate() {
        if !Growing::resume(state.bytes()).and_then(|mut days| days.add(*entry)).or_raise() {
            state = grown(&mut state, entries.len() - at);
            Growing::resume(state.bytes()).and_then(|mut days| days.add(*entry)).or_raise();
        }
    }
    Some(state)
}

/// Up to so many days are added one by one, in place.
const FEW_DAYS: usize = 64;

/// A state that holds these days, which are in order.
fn filled<'fcx>(entries: &[Entry]) -> State<'fcx> {
    let mut state = start(entries.len().max(FIRST_DAYS));
    let mut days = Growing::resume(state.bytes()).or_raise();
    for entry in entries {
        days.add(*entry).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn history_final(state: &[u8]) -> Vec<u8> {
    // A state that has travelled is packed.
    let packed = packed(state).into_owned();
    read(&packed);
    packed
}

// Accessors

#[pg_extern(sql = false)]
fn history_until(history: BytesArg<'_>, until: i32) -> Vec<u8> {
    let history_read = read(&history);
    if history_read.purchase_days() == history_read.len()
        && history_read.purchase_span().is_none_or(|(_, last)| last <= until)
    {
        // The usual case of a stored history scored today: nothing to cut off.
        return history.to_vec();
    }
    history_read.until(until).or_raise()
}

#[pg_extern(sql = false)]
fn history_first_purchase(history: BytesArg<'_>) -> Option<i32> {
    read(&history).purchase_span().map(|(first, _)| first)
}

#[pg_extern(sql = false)]
fn history_last_purchase(history: BytesArg<'_>) -> Option<i32> {
    read(&history).purchase_span().map(|(_, last)| last)
}

#[pg_extern(sql = false)]
fn history_purchase_days(history: BytesArg<'_>) -> i32 {
    read(&history).purchase_days() as i32
}

#[pg_extern(sql = false)]
fn history_purchase_days_until(history: BytesArg<'_>, as_of: i32) -> i32 {
    read(&history).purchase_days_until(as_of).or_raise().map_or(0, |days| days.count as i32)
}

#[pg_extern(sql = false)]
fn history_purchases(history: BytesArg<'_>) -> i64 {
    history_frequency(history, Day::MAX)
}

#[pg_extern(sql = false)]
fn history_turnover(history: BytesArg<'_>, after: i32, until: i32) -> Numeric {
    Numeric::of_money(read(&history).totals(after, until).or_raise().turnover)
}

#[pg_extern(sql = false)]
fn history_recency(history: BytesArg<'_>, as_of: i32) -> Option<i32> {
    let days = read(&history).purchase_days_until(day::check(as_of).or_raise()).or_raise()?;
    Some(as_of - days.last)
}

#[pg_extern(sql = false)]
fn history_frequency(history: BytesArg<'_>, as_of: i32) -> i64 {
    read(&history).totals(Day::MIN, as_of).or_raise().purchases as i64
}

#[pg_extern(sql = false)]
fn history_monetary(history: BytesArg<'_>, as_of: i32) -> Numeric {
    history_turnover(history, Day::MIN, as_of)
}

#[pg_extern(sql = false)]
fn history_tenure(history: BytesArg<'_>, as_of: i32) -> Option<i32> {
    let days = read(&history).purchase_days_until(day::check(as_of).or_raise()).or_raise()?;
    Some(as_of - days.first)
}

#[pg_extern(sql = false)]
fn history_mean_gap(history: BytesArg<'_>, as_of: i32) -> Option<f64> {
    let days = read(&history).purchase_days_until(as_of).or_raise()?;
    (days.count > 1).then(|| f64::from(days.last - days.first) / (days.count - 1) as f64)
}

#[pg_extern(sql = false)]
fn history_days(
    history: BytesArg<'_>,
) -> TableIterator<'static, (name!(day, i32), name!(purchases, i64), name!(amount, Numeric))> {
    let entries: Vec<Entry> = read(&history).entries().and_then(Iterator::collect).or_raise();
    TableIterator::new(
        entries.into_iter().map(|e| (e.day, i64::from(e.purchases), Numeric::of_money(e.amount))),
    )
}
