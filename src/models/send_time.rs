//! SQL face of [`segmentation_core::models::send_time`]: the type `send_hours`, `fit_send_time`, `send_time`,
//! `send_time_scores`, `next_send_time`. Declared in `sql/models/send_time.sql`.

use std::ffi::CStr;

use pgrx::datum::Array;
use pgrx::prelude::*;
use segmentation_core::b2b::opening_hours::Mask;
use segmentation_core::base::json::Object;
use segmentation_core::models::send_time::{
    self, FIRST_SIZE, HOURS, SendHours, SendTimeCells, SendTimeModel, SendTimeOptions, best, check_scores,
};
use segmentation_core::{Error, Result};

use crate::base::bytes_type;
use crate::base::options::{Options, WithOptions};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::row::Column;
use crate::pg::state::{State, StateArg};
use crate::pg::timestamp::{Instant, LocalTime};
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise};

// The hours of a customer

impl Flat for SendHours {
    const SQL_NAME: &'static str = "send_hours";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.pack())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SendHours::read(bytes)
    }
}

#[pg_extern(sql = false)]
fn send_hours_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<SendHours>(text).or_raise()
}

#[pg_extern(sql = false)]
fn send_hours_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<SendHours>(message.rest()).or_raise()
}

fn first<'fcx>() -> State<'fcx> {
    let mut state = State::new(FIRST_SIZE);
    send_time::start(state.bytes());
    state
}

fn put<'fcx>(mut state: State<'fcx>, hour: usize, weight: u64) -> State<'fcx> {
    loop {
        if send_time::add(state.bytes(), hour, weight).or_raise() {
            return state;
        }
        let len = state.bytes().len();
        let mut larger = State::new(send_time::larger(len));
        larger.bytes()[..len].copy_from_slice(state.bytes());
        state = larger;
    }
}

fn absorb<'fcx>(mut state: State<'fcx>, other: &[u8]) -> State<'fcx> {
    for (hour, weight) in SendHours::read(other).or_raise().fixed_hours() {
        state = put(state, hour, weight);
    }
    state
}

/// The state of an aggregate: the one that arrives, in growing form, or a first one.
fn begun<'fcx>(state: Option<StateArg<'fcx>>, call: &CallSite) -> State<'fcx> {
    let Some(state) = state else { return first() };
    let mut state = state.writable(call);
    if state.bytes().first().is_some_and(|tag| tag & 0x80 != 0) {
        return state;
    }
    let packed = state.bytes().to_vec();
    absorb(first(), &packed)
}

fn add<'fcx>(
    state: Option<StateArg<'fcx>>,
    at: Option<LocalTime>,
    weight: Option<f64>,
    call: &CallSite,
) -> Option<State<'fcx>> {
    match (at, weight) {
        (Some(at), Some(weight)) => {
            let hour = at.hour_of_week().or_raise();
            Some(put(begun(state, call), hour, send_time::fixed(weight).or_raise()))
        }
        _ => state.map(|state| begun(Some(state), call)),
    }
}

fn local(at: Option<Instant>, zone: Option<&str>) -> Option<LocalTime> {
    at.zip(zone).map(|(at, zone)| at.local(zone))
}

#[pg_extern(sql = false)]
fn send_hours_add<'fcx>(
    state: Option<StateArg<'fcx>>,
    at: Option<Instant>,
    time_zone: Option<&'fcx str>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    add(state, local(at, time_zone), Some(1.0), &call)
}

#[pg_extern(sql = false)]
fn send_hours_add_weight<'fcx>(
    state: Option<StateArg<'fcx>>,
    at: Option<Instant>,
    time_zone: Option<&'fcx str>,
    weight: Option<f64>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    add(state, local(at, time_zone), weight, &call)
}

#[pg_extern(sql = false)]
fn send_hours_add_local<'fcx>(
    state: Option<StateArg<'fcx>>,
    at: Option<LocalTime>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    add(state, at, Some(1.0), &call)
}

#[pg_extern(sql = false)]
fn send_hours_add_local_weight<'fcx>(
    state: Option<StateArg<'fcx>>,
    at: Option<LocalTime>,
    weight: Option<f64>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    add(state, at, weight, &call)
}

#[pg_extern(sql = false)]
fn send_hours_merge<'fcx>(
    state: Option<StateArg<'fcx>>,
    other: Option<BytesArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    match other {
        Some(other) => Some(absorb(begun(state, &call), &other)),
        None => state.map(|state| begun(Some(state), &call)),
    }
}

#[pg_extern(sql = false)]
fn send_hours_final(state: BytesArg<'_>) -> Vec<u8> {
    SendHours::read(&state).or_raise().pack()
}

/// An array without nulls: a null reads as NaN, which is refused.
fn numbers(array: Array<f64>) -> Vec<f64> {
    array.iter().map(|value| value.unwrap_or(f64::NAN)).collect()
}

#[pg_extern(sql = false)]
fn send_hours_of(weights: Array<'_, f64>) -> Vec<u8> {
    SendHours::from_array(&numbers(weights)).or_raise().pack()
}

#[pg_extern(sql = false)]
fn send_hours_array(hours: BytesArg<'_>) -> Vec<f64> {
    SendHours::read(&hours).or_raise().array().to_vec()
}

// The profile of a segment

impl Flat for SendTimeCells {
    const SQL_NAME: &'static str = "send_time_cells";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(SendTimeCells::to_bytes(self))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SendTimeCells::from_bytes(bytes)
    }
}

impl Options for SendTimeOptions {
    const FIELDS: &[&str] = &["bandwidth_hours", "shared_days", "prior_events"];

    fn read(object: &Object) -> Result<Self> {
        SendTimeOptions::read(object)
    }
}

#[pg_extern(sql = false)]
fn send_time_cells_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<SendTimeCells>(text).or_raise()
}

#[pg_extern(sql = false)]
fn send_time_cells_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<SendTimeCells>(message.rest()).or_raise()
}

fn take(cells: &mut SendTimeCells, hours: Option<BytesArg>) -> Result<()> {
    let read = hours.map(|hours| SendHours::read(&hours)).transpose()?;
    cells.add(read.as_ref());
    Ok(())
}

#[pg_extern(sql = false)]
fn send_time_cells_add<'fcx>(
    state: Option<ExpandedArg<'fcx, SendTimeCells>>,
    hours: Option<BytesArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, SendTimeCells> {
    let mut state = resume(state, &call, SendTimeCells::default);
    take(state.value(), hours).or_raise();
    state
}

#[pg_extern(sql = false)]
fn send_time_cells_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, SendTimeCells>>,
    other: Option<ExpandedArg<'fcx, SendTimeCells>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, SendTimeCells>> {
    merge(state, other, &call, |state, other| {
        state.merge(other);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn send_time_options_add<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<SendTimeCells>>>,
    hours: Option<BytesArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<SendTimeCells>> {
    let mut state = WithOptions::resume::<SendTimeOptions>(state, options, &mut call, SendTimeCells::default);
    take(&mut state.value().state, hours).or_raise();
    state
}

#[pg_extern(sql = false)]
fn send_time_options_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<SendTimeCells>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<SendTimeCells>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<SendTimeCells>>> {
    merge(state, other, &call, |state, other| {
        state.absorb(other, |state, other| {
            state.merge(other);
            Ok(())
        })
    })
}

#[pg_extern(sql = false)]
fn send_time_options_final(state: ExpandedArg<'_, WithOptions<SendTimeCells>>) -> JsonbOut {
    state.with(|state| JsonbOut(state.state.fit(&state.options().or_raise())))
}

#[pg_extern(sql = false)]
fn fit_send_time(cells: ExpandedArg<'_, SendTimeCells>) -> JsonbOut {
    cells.with(|cells| JsonbOut(cells.fit(&crate::base::options::none())))
}

#[pg_extern(sql = false)]
fn fit_send_time_options(cells: ExpandedArg<'_, SendTimeCells>, options: JsonbArg<'_>) -> JsonbOut {
    let options = options.value("options").and_then(|v| SendTimeOptions::from_json(&v)).or_raise();
    cells.with(|cells| JsonbOut(cells.fit(&options)))
}

// Scores

/// Opening hours as they arrive: the number of bits, then the bits.
fn mask(open_hours: Option<BytesArg>) -> Result<Option<Mask>> {
    let Some(open_hours) = open_hours else { return Ok(None) };
    let read = open_hours.split_first_chunk::<4>().and_then(|(bits, bytes)| {
        if i32::from_ne_bytes(*bits) == HOURS as i32 { Mask::from_bytes(bytes) } else { None }
    });
    read.map(Some).ok_or_else(|| {
        Error::invalid("open_hours must be bit(168)").detail("One bit an hour from Monday 00:00.")
    })
}

/// The scores of the week, and the weight of the customer's acts.
fn scored(
    model: Option<JsonbArg>,
    hours: Option<BytesArg>,
    open_hours: Option<BytesArg>,
    call: &mut CallSite,
) -> Option<([f64; HOURS], f64)> {
    let mask = mask(open_hours).or_raise();
    let hours = hours.map(|hours| SendHours::read(&hours).or_raise());
    let model = model?;
    let read = || SendTimeModel::from_json(&model.value("send time model")?);
    let model = call.memo(&[Key::of(model)], read).or_raise().as_ref()?;
    let scores = model.scores(hours.as_ref(), |hour| mask.as_ref().is_none_or(|mask| mask.open(hour)));
    Some((scores, hours.map_or(0.0, |hours| hours.total())))
}

#[pg_extern(sql = false)]
fn send_time<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    hours: Option<BytesArg<'fcx>>,
    open_hours: Option<BytesArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let (scores, n) = scored(model, hours, open_hours, &mut call)?;
    let hour = best(&scores)?;
    Some(call.shape().row([
        Column::I16((hour / 24) as i16 + 1),
        Column::I16((hour % 24) as i16),
        Column::F64(scores[hour]),
        Column::F64(n),
    ]))
}

#[pg_extern(sql = false)]
fn send_time_scores<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    hours: Option<BytesArg<'fcx>>,
    open_hours: Option<BytesArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<f64>> {
    scored(model, hours, open_hours, &mut call).map(|(scores, _)| scores.to_vec())
}

#[pg_extern(sql = false)]
fn next_send_time(scores: Array<'_, f64>, after: Instant, time_zone: &str, hours: i32) -> Option<Instant> {
    let scores = numbers(scores);
    check_scores(&scores).or_raise();
    if !(1..=8784).contains(&hours) {
        Err(Error::invalid("hours must be from 1 to 8784").detail(format!("It is {hours}."))).or_raise()
    }
    let into_hour = after.local(time_zone).into_hour();
    let mut found: Option<(f64, Instant)> = None;
    for hour in 0..hours {
        // Now, then the beginnings of the hours that follow.
        let at = if hour == 0 { after } else { after.plus_hours(hour, into_hour) };
        let score = scores[at.local(time_zone).hour_of_week().or_raise()];
        if score > found.map_or(0.0, |(best, _)| best) {
            found = Some((score, at));
        }
    }
    found.map(|(_, at)| at)
}
