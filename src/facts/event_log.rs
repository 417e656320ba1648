//! SQL face of [`segmentation_core::facts::event_log`]: the types `contact_history`, `consent_history` and
//! `interaction_history`, their aggregates and accessors. Declared in `sql/facts/event_log.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::base::day::{self, Day};
use segmentation_core::base::json::Object;
use segmentation_core::base::memory;
use segmentation_core::facts::event_log::{
    self, Consent, EventLog, FIRST_SIZE, GRANTED, LogKind, REFUSED, REFUSED_UNDATED, RESPONSE, RESPONSES,
};
use segmentation_core::models::channels::{COUNTING_FIELDS, check_as_of, counting};
use segmentation_core::{Error, Result};
use serde_json::{Value as Json, json};

use crate::base::bytes_type;
use crate::pg::expanded::Flat;
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::state::{State, StateArg};
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Key, OrRaise, interrupt};

/// A log of one kind, for text and binary input.
macro_rules! log_types {
    ($($type:ident($kind:ident, $name:literal, $input:ident, $receive:ident);)*) => {$(
        struct $type(Vec<u8>);

        impl Flat for $type {
            const SQL_NAME: &'static str = $name;

            fn to_bytes(&self) -> Result<Vec<u8>> {
                memory::copy(&self.0)
            }

            fn from_bytes(bytes: &[u8]) -> Result<Self> {
                EventLog::read(LogKind::$kind, bytes)?.pack(LogKind::$kind).map($type)
            }
        }

        #[pg_extern(sql = false)]
        fn $input(text: &CStr) -> Vec<u8> {
            bytes_type::parse::<$type>(text).or_raise()
        }

        #[pg_extern(sql = false)]
        fn $receive(mut message: Message) -> Vec<u8> {
            bytes_type::checked::<$type>(message.rest()).or_raise()
        }
    )*};
}

log_types! {
    Contacts(Contacts, "contact_history", contact_history_in, contact_history_recv);
    Consents(Consents, "consent_history", consent_history_in, consent_history_recv);
    Interactions(Interactions, "interaction_history", interaction_history_in, interaction_history_recv);
}

// Aggregates

fn first<'fcx>(kind: LogKind) -> State<'fcx> {
    let mut state = State::new(FIRST_SIZE);
    event_log::start(kind, state.bytes());
    state
}

/// Takes an event into a state, moving to a larger one if there is no room.
fn put<'fcx>(kind: LogKind, mut state: State<'fcx>, day: Day, name: &str, code: u8) -> State<'fcx> {
    loop {
        if event_log::append(kind, state.bytes(), day, name, code).or_raise() {
            return state;
        }
        let mut larger = State::new(event_log::larger(state.bytes().len(), name));
        event_log::move_into(kind, state.bytes(), larger.bytes()).or_raise();
        state = larger;
    }
}

/// The state of an aggregate: the one that arrives, in growing form, or a first one.
fn resume<'fcx>(kind: LogKind, state: Option<StateArg<'fcx>>, call: &CallSite) -> State<'fcx> {
    match state {
        None => first(kind),
        Some(state) => {
            let mut state = state.writable(call);
            if state.bytes().first().is_some_and(|tag| tag & 0x80 != 0) {
                return state;
            }
            let packed = memory::copy(state.bytes()).or_raise();
            absorb(kind, first(kind), &packed)
        }
    }
}

fn absorb<'fcx>(kind: LogKind, mut state: State<'fcx>, other: &[u8]) -> State<'fcx> {
    let log = EventLog::read(kind, other).or_raise();
    for (i, event) in log.events.iter().enumerate() {
        if i % 65_536 == 65_535 {
            interrupt();
        }
        state = put(kind, state, event.day, log.name(event), event.code);
    }
    state
}

fn add<'fcx>(
    kind: LogKind,
    state: Option<StateArg<'fcx>>,
    event: Option<(Day, &str, u8)>,
    call: &CallSite,
) -> Option<State<'fcx>> {
    match event {
        Some((day, name, code)) => Some(put(kind, resume(kind, state, call), day, name, code)),
        None => state.map(|state| resume(kind, Some(state), call)),
    }
}

fn merge<'fcx>(
    kind: LogKind,
    state: Option<StateArg<'fcx>>,
    other: Option<BytesArg>,
    call: &CallSite,
) -> Option<State<'fcx>> {
    match other {
        Some(other) => Some(absorb(kind, resume(kind, state, call), &other)),
        None => state.map(|state| resume(kind, Some(state), call)),
    }
}

#[pg_extern(sql = false)]
fn contact_history_add<'fcx>(
    state: Option<StateArg<'fcx>>,
    channel: Option<&'fcx str>,
    sent_on: Option<i32>,
    response: Option<&'fcx str>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let event = channel
        .zip(sent_on)
        .map(|(channel, day)| (day, channel, response.map_or(Ok(0), event_log::response_code).or_raise()));
    add(LogKind::Contacts, state, event, &call)
}

#[pg_extern(sql = false)]
fn contact_history_add_responded<'fcx>(
    state: Option<StateArg<'fcx>>,
    channel: Option<&'fcx str>,
    sent_on: Option<i32>,
    responded: Option<bool>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let code = if responded == Some(true) { RESPONSE } else { 0 };
    let event = channel.zip(sent_on).map(|(channel, day)| (day, channel, code));
    add(LogKind::Contacts, state, event, &call)
}

/// A consent counts only if all of it is known; a refusal counts always: of an unknown day it holds for
/// good, of an unknown channel it holds for all.
#[pg_extern(sql = false)]
fn consent_history_add<'fcx>(
    state: Option<StateArg<'fcx>>,
    channel: Option<&'fcx str>,
    granted: Option<bool>,
    changed_on: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let event = match (channel, granted, changed_on) {
        (Some(channel), Some(true), Some(day)) => Some((day, channel, GRANTED)),
        (_, Some(true), _) | (None, None, _) => None,
        (channel, _, Some(day)) => Some((day, channel.unwrap_or(event_log::ALL_CHANNELS), REFUSED)),
        (channel, _, None) => Some((day::FIRST, channel.unwrap_or(event_log::ALL_CHANNELS), REFUSED_UNDATED)),
    };
    add(LogKind::Consents, state, event, &call)
}

#[pg_extern(sql = false)]
fn interaction_history_add<'fcx>(
    state: Option<StateArg<'fcx>>,
    kind: Option<&'fcx str>,
    occurred_on: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<State<'fcx>> {
    let event = kind.zip(occurred_on).map(|(kind, day)| (day, kind, 0));
    add(LogKind::Interactions, state, event, &call)
}

/// A combine function and a final function for each kind.
macro_rules! finishers {
    ($($kind:ident: $merge:ident, $final:ident, $json:ident;)*) => {$(
        #[pg_extern(sql = false)]
        fn $merge<'fcx>(
            state: Option<StateArg<'fcx>>,
            other: Option<BytesArg<'fcx>>,
            call: CallSite<'fcx>,
        ) -> Option<State<'fcx>> {
            merge(LogKind::$kind, state, other, &call)
        }

        #[pg_extern(sql = false)]
        fn $final(state: BytesArg<'_>) -> Vec<u8> {
            EventLog::read(LogKind::$kind, &state).and_then(|log| log.pack(LogKind::$kind)).or_raise()
        }

        #[pg_extern(sql = false)]
        fn $json(history: BytesArg<'_>) -> JsonbOut {
            JsonbOut(as_json(LogKind::$kind, &EventLog::read(LogKind::$kind, &history).or_raise()))
        }
    )*};
}

finishers! {
    Contacts: contact_history_merge, contact_history_final, contact_history_json;
    Consents: consent_history_merge, consent_history_final, consent_history_json;
    Interactions: interaction_history_merge, interaction_history_final, interaction_history_json;
}

fn as_json(kind: LogKind, log: &EventLog) -> Json {
    let event = |event: &event_log::Event| {
        let name = log.name(event);
        let day = day::format(event.day).unwrap_or_default();
        match kind {
            LogKind::Contacts => {
                let response = RESPONSES.get(usize::from(event.code)).filter(|_| event.code > 0);
                json!({ "channel": name, "sent_on": day, "response": response })
            }
            LogKind::Consents if event.code == REFUSED_UNDATED => {
                json!({ "channel": name, "granted": false, "changed_on": null })
            }
            LogKind::Consents => {
                json!({ "channel": name, "granted": event.code == GRANTED, "changed_on": day })
            }
            LogKind::Interactions => json!({ "kind": name, "occurred_on": day }),
        }
    };
    // Many small pieces: memory that runs out is noticed in between.
    Json::Array(memory::collect(log.events.iter().inspect(|_| interrupt()).map(event)).or_raise())
}

/// Consents of a JSON object of booleans: as if all had been said on the first day that there is.
#[pg_extern(sql = false)]
fn consent_history_of(consents: JsonbArg<'_>) -> Vec<u8> {
    let value = consents.value("consents").or_raise();
    let wrong = || Error::invalid("consents must be a JSON object of true, false or null by channel");
    let mut state = first(LogKind::Consents);
    for (channel, granted) in value.as_object().ok_or_else(wrong).or_raise() {
        let code = match granted {
            Json::Bool(true) => GRANTED,
            Json::Bool(false) | Json::Null => REFUSED,
            _ => Err(wrong()).or_raise(),
        };
        state = put(LogKind::Consents, state, day::FIRST, channel, code);
    }
    EventLog::read(LogKind::Consents, state.bytes()).and_then(|log| log.pack(LogKind::Consents)).or_raise()
}

// Accessors

/// A number of days that must be above 0.
fn check_days(what: &str, days: Option<i32>) -> Result<Option<Day>> {
    match days {
        Some(days) if days <= 0 => {
            Err(Error::invalid(format!("{what} must be above 0")).detail(format!("It is {days}.")))
        }
        days => Ok(days),
    }
}

#[pg_extern(sql = false)]
fn contacts(
    history: Option<BytesArg<'_>>,
    as_of: Option<i32>,
    days: Option<i32>,
    channel: Option<&str>,
) -> Option<i64> {
    let as_of = check_as_of(as_of?).or_raise();
    let days = check_days("days", days).or_raise();
    let history = history?;
    let log = EventLog::read(LogKind::Contacts, &history).or_raise();
    Some(event_log::contacts(&log, as_of, days, channel))
}

#[pg_extern(sql = false)]
fn last_response(history: BytesArg<'_>, as_of: i32) -> Option<i32> {
    let as_of = check_as_of(as_of).or_raise();
    event_log::last_response(&EventLog::read(LogKind::Contacts, &history).or_raise(), as_of)
}

#[pg_extern(sql = false)]
fn contact_counts(
    history: BytesArg<'_>,
    as_of: i32,
    options: JsonbArg<'_>,
) -> TableIterator<'static, (name!(channel, String), name!(sent, f64), name!(responses, f64))> {
    let as_of = check_as_of(as_of).or_raise();
    let value = options.value("options").or_raise();
    let counting = Object::new("options", "", &value, &COUNTING_FIELDS).and_then(|o| counting(&o)).or_raise();
    let log = EventLog::read(LogKind::Contacts, &history).or_raise();
    let counts = event_log::counts(&log, as_of, &counting);
    let rows: Vec<_> =
        log.names.iter().zip(counts).map(|(name, (n, y))| ((*name).to_owned(), n, y)).collect();
    TableIterator::new(rows.into_iter().filter(|row| row.1 > 0.0))
}

#[pg_extern(sql = false)]
fn has_consent(
    consents: Option<BytesArg<'_>>,
    channel: Option<&str>,
    as_of: Option<i32>,
    consent_days: Option<i32>,
    contacts: Option<BytesArg<'_>>,
) -> bool {
    let valid = check_days("consent_days", consent_days).or_raise();
    let (Some(consents), Some(channel), Some(as_of)) = (consents, channel, as_of) else { return false };
    let as_of = check_as_of(as_of).or_raise();
    let log = EventLog::read(LogKind::Consents, &consents).or_raise();
    let contacts = contacts.as_ref().map(|bytes| EventLog::read(LogKind::Contacts, bytes).or_raise());
    event_log::consent_by_answers(&log, contacts.as_ref(), channel, as_of, valid) == Consent::Granted
}

/// How engagement is scored.
struct Engagement {
    half_life_days: f64,
    weights: std::collections::BTreeMap<String, f64>,
    rest: f64,
}

fn engagement_options(options: JsonbArg) -> Result<Engagement> {
    let value = options.value("options")?;
    let object = Object::new("options", "", &value, &["half_life_days", "weights"])?;
    let mut read = Engagement {
        half_life_days: object.number("half_life_days", 1e-3, 1e6)?.unwrap_or(90.0),
        weights: Default::default(),
        rest: 1.0,
    };
    let wrong = || object.wrong("weights", "an object of numbers from -1e9 to 1e9");
    if let Some(weights) = object.get("weights") {
        for (kind, weight) in weights.as_object().ok_or_else(wrong)? {
            let weight = weight.as_f64().filter(|w| w.abs() <= 1e9).ok_or_else(wrong)?;
            if kind == "*" {
                read.rest = weight;
            } else {
                read.weights.insert(kind.clone(), weight);
            }
        }
    }
    Ok(read)
}

#[pg_extern(sql = false)]
fn engagement_score<'fcx>(
    history: BytesArg<'fcx>,
    as_of: i32,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> f64 {
    let as_of = check_as_of(as_of).or_raise();
    let options = call.memo(&[Key::of(options)], || engagement_options(options)).or_raise();
    let log = EventLog::read(LogKind::Interactions, &history).or_raise();
    let weight = |kind: &str| options.weights.get(kind).copied().unwrap_or(options.rest);
    event_log::engagement(&log, as_of, options.half_life_days, weight, &mut interrupt).or_raise()
}
