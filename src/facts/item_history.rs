//! SQL face of [`segmentation_core::facts::item_history`]: the type `item_history`, its aggregates and
//! accessors. Declared in `sql/facts/item_history.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use std::collections::HashSet;
use std::ffi::{CStr, CString};

use pgrx::prelude::*;
use segmentation_core::axes::loyalty;
use segmentation_core::base::memory;
use segmentation_core::base::money::{Money, SCALE};
use segmentation_core::facts::item_history::{self, Line, Log};
use segmentation_core::facts::purchase_history;
use segmentation_core::{Error, ErrorKind, Result};

use crate::pg::message::Message;
use crate::pg::numeric::{NumericArg, not_finite};
use crate::pg::state::{State, StateArg};
use crate::pg::value::{BytesArg, check_size};
use crate::pg::{CallSite, Numeric, OrRaise, interrupt};

#[pg_extern(sql = false)]
fn item_history_in(text: &CStr) -> Vec<u8> {
    let text = text.to_str().map_err(|_| {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type item_history")
            .detail("The text is not UTF-8.")
    });
    text.and_then(item_history::from_text).or_raise()
}

fn unpack(history: &[u8]) -> Vec<Line<'_>> {
    item_history::unpack(history).or_raise()
}

#[pg_extern(sql = false)]
fn item_history_out(history: BytesArg<'_>) -> CString {
    let lines = item_history::lines(&history).and_then(item_history::net).or_raise();
    let text = item_history::to_text(&lines).or_raise();
    check_size(text.len(), "the text of an item_history").or_raise();
    CString::new(text).unwrap_or_default()
}

/// A state of an aggregate that travels to another server is in growing form: it is sent packed.
#[pg_extern(sql = false)]
fn item_history_send(history: BytesArg<'_>) -> Vec<u8> {
    if item_history::unpack(&history).is_ok() { history.to_vec() } else { item_history_final(history) }
}

#[pg_extern(sql = false)]
fn item_history_recv(mut message: Message) -> Vec<u8> {
    let bytes = message.rest();
    item_history::validate(bytes).or_raise();
    bytes.to_vec()
}

#[pg_extern(sql = false)]
fn item_history_json(history: BytesArg<'_>) -> String {
    let text = item_history::to_json(&unpack(&history)).or_raise();
    check_size(text.len(), "the text of an item_history").or_raise();
    text
}

// Aggregates

/// Room of a first state: a few lines.
const FIRST_ROOM: usize = 120;
/// A state of this size is netted before it is enlarged.
const NET_ABOVE: usize = 1 << 14;

fn start<'fcx>(room: usize) -> State<'fcx> {
    let mut state = State::new(Log::size_for(room));
    Log::start(state.bytes());
    state
}

fn filled<'fcx>(lines: &[Line], room: usize) -> State<'fcx> {
    let used: usize = lines.iter().map(Log::size_of).sum();
    let mut state = start(used + room);
    let mut log = Log::resume(state.bytes()).or_raise();
    for line in lines {
        log.add(line);
    }
    state
}

/// A state with room for `more` further bytes, holding what `state` holds.
fn grown<'fcx>(state: &mut State, more: usize) -> State<'fcx> {
    let used = Log::resume(state.bytes()).or_raise().used();
    let old = state.bytes();
    if used > NET_ABOVE {
        let lines = item_history::lines(old).and_then(item_history::net).or_raise();
        let held: usize = lines.iter().map(Log::size_of).sum();
        return filled(&lines, held.max(more));
    }
    let mut larger = start((2 * used).max(used + more));
    larger.bytes()[..used].copy_from_slice(&old[..used]);
    larger
}

fn add<'fcx>(state: Option<StateArg<'fcx>>, line: &Line, call: &CallSite) -> State<'fcx> {
    let mut state = match state {
        Some(state) => state.writable(call),
        None => start(FIRST_ROOM.max(Log::size_of(line))),
    };
    if Log::resume(state.bytes()).or_raise().add(line) {
        return state;
    }
    let mut larger = grown(&mut state, Log::size_of(line));
    Log::resume(larger.bytes()).or_raise().add(line);
    larger
}

const PIECE: Money = Money(SCALE);

fn finite(value: f64, what: &'static str) -> Result<Money> {
    if value.is_finite() {
        return Money::from_f64(value).map_err(|_| Money::out_of_range(what));
    }
    Err(not_finite(what, if value.is_nan() { "NaN" } else { "infinite" }))
}

/// The state after a line, or as it was if the line has a NULL.
fn transition<'fcx>(
    state: Option<StateArg<'fcx>>,
    line: Option<Result<Line>>,
    call: &CallSite,
) -> Option<State<'fcx>> {
    match line {
        Some(line) => Some(add(state, &line.or_raise(), call)),
        None => state.map(|state| state.writable(call)),
    }
}

#[pg_extern(sql = false)]
fn item_history_add<'fcx>(
    state: Option<StateArg<'fcx>>,
    item: Option<&'fcx str>,
    day: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let line = item.zip(day).map(|(item, day)| Line::order(item, day, PIECE, Money::ZERO));
    transition(state, line, &call)
}

#[pg_extern(sql = false)]
fn item_history_add_numeric<'fcx>(
    state: Option<StateArg<'fcx>>,
    item: Option<&'fcx str>,
    day: Option<i32>,
    quantity: Option<NumericArg<'fcx>>,
    amount: Option<NumericArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let line = item.zip(day).zip(quantity.zip(amount)).map(|((item, day), (quantity, amount))| {
        Line::order(item, day, quantity.money("quantity")?, amount.money("amount")?)
    });
    transition(state, line, &call)
}

#[pg_extern(sql = false)]
fn item_history_add_double<'fcx>(
    state: Option<StateArg<'fcx>>,
    item: Option<&'fcx str>,
    day: Option<i32>,
    quantity: Option<f64>,
    amount: Option<f64>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let line = item.zip(day).zip(quantity.zip(amount)).map(|((item, day), (quantity, amount))| {
        Line::order(item, day, finite(quantity, "quantity")?, finite(amount, "amount")?)
    });
    transition(state, line, &call)
}

/// Takes another history in: the transition of `merge`, and the combine function of all.
#[pg_extern(sql = false)]
fn item_history_absorb<'fcx>(
    state: Option<StateArg<'fcx>>,
    other: Option<BytesArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let Some(other) = other else { return state.map(|state| state.writable(&call)) };
    let lines = item_history::lines(&other).or_raise();
    let Some(state) = state else { return Some(filled(&lines, 0)) };
    let mut state = state.writable(&call);
    let more: usize = lines.iter().map(Log::size_of).sum();
    let used = Log::resume(state.bytes()).or_raise().used();
    if used + more > state.bytes().len() {
        state = grown(&mut state, more);
    }
    let mut log = Log::resume(state.bytes()).or_raise();
    for line in &lines {
        log.add(line);
    }
    Some(state)
}

#[pg_extern(sql = false)]
fn item_history_final(state: BytesArg<'_>) -> Vec<u8> {
    let lines = item_history::lines(&state).and_then(item_history::net).or_raise();
    let packed = item_history::pack(&lines).or_raise();
    check_size(packed.len(), "a value of type item_history").or_raise();
    packed
}

// Accessors

#[pg_extern(sql = false)]
fn item_history_until(history: BytesArg<'_>, until: i32) -> Vec<u8> {
    item_history::until(&history, until).or_raise()
}

#[pg_extern(sql = false)]
fn item_history_count(history: BytesArg<'_>, until: i32) -> i32 {
    item_history::totals(&unpack(&history), until).or_raise().len() as i32
}

#[pg_extern(sql = false)]
fn item_purchases<'fcx>(history: BytesArg<'fcx>, items: Array<'fcx, &'fcx str>) -> Vec<u8> {
    let wanted: HashSet<&str> = items.iter().flatten().collect();
    purchase_history::pack(
        &item_history::purchases_of(&unpack(&history), |item| wanted.contains(item)).or_raise(),
    )
}

#[pg_extern(sql = false)]
fn item_next_day(history: BytesArg<'_>, as_of: i32) -> Option<i32> {
    item_history::next_day(&unpack(&history), as_of)
}

#[pg_extern(sql = false)]
fn item_breadth(history: BytesArg<'_>, as_of: i32, items: i32) -> Option<f64> {
    let totals = item_history::totals(&unpack(&history), as_of).or_raise();
    let counts = totals.iter().map(|total| (total.item.to_owned(), total.purchases as f64)).collect();
    loyalty::category_breadth(&counts, u32::try_from(items).unwrap_or(0)).or_raise()
}

/// Rows that own their texts: memory that runs out is noticed between them.
fn collected<T>(rows: impl Iterator<Item = T>) -> Vec<T> {
    memory::collect(rows.inspect(|_| interrupt())).or_raise()
}

#[pg_extern(sql = false)]
fn item_history_items(
    history: BytesArg<'_>,
    until: i32,
) -> TableIterator<
    'static,
    (
        name!(item, String),
        name!(first_day, i32),
        name!(last_day, i32),
        name!(days, i32),
        name!(purchases, i64),
        name!(quantity, Numeric),
        name!(amount, Numeric),
        name!(mean_gap, Option<f64>),
    ),
> {
    let lines = unpack(&history);
    let totals = item_history::totals(&lines, until).or_raise();
    let rows = totals.iter().map(|t| {
        let (quantity, amount) = (Numeric::of_money(t.quantity), Numeric::of_money(t.amount));
        let (days, purchases) = (t.days as i32, t.purchases as i64);
        (t.item.to_owned(), t.first, t.last, days, purchases, quantity, amount, t.mean_gap())
    });
    TableIterator::new(collected(rows))
}

#[pg_extern(sql = false)]
fn item_history_days(
    history: BytesArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(item, String),
        name!(day, i32),
        name!(purchases, i64),
        name!(quantity, Numeric),
        name!(amount, Numeric),
    ),
> {
    let lines = unpack(&history);
    let rows = lines.iter().map(|l| {
        let (quantity, amount) = (Numeric::of_money(l.quantity), Numeric::of_money(l.amount));
        (l.item.to_owned(), l.day, i64::from(l.purchases), quantity, amount)
    });
    TableIterator::new(collected(rows))
}
