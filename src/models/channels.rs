//! SQL face of [`segmentation_core::models::channels`]: `fit_channel_model`, `channel_score`, `rank_channels`,
//! `channel_code`, `channel_next_change`. Declared in `sql/models/channels.sql`.

use std::ffi::CStr;
use std::rc::Rc;

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::facts::event_log::{Counting, EventLog, LogKind};
use segmentation_core::models::channels::{
    ChannelCells, ChannelModel, INSUFFICIENT_DATA, LowerCache, RankOptions, Ranked, check_as_of,
    check_counts, check_level, code, fit, next_change, rank,
};

use crate::base::bytes_type;
use crate::base::options::{given, not_constant};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::row::{Column, RowShape};
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

impl Flat for ChannelCells {
    const SQL_NAME: &'static str = "channel_cells";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        ChannelCells::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ChannelCells::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn channel_cells_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<ChannelCells>(text).or_raise()
}

#[pg_extern(sql = false)]
fn channel_cells_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<ChannelCells>(message.rest()).or_raise()
}

/// The options of a call, parsed once.
fn options(options: Option<JsonbArg>, call: &mut CallSite) -> Result<Rc<Counting>> {
    let options = options.ok_or_else(|| not_constant("options"))?;
    let parsed =
        call.memo(&[Key::of(options)], || ChannelCells::options(&options.value("options")?).map(Rc::new))?;
    Ok(Rc::clone(parsed))
}

fn begun<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    as_of: Option<i32>,
    counting: &Counting,
    call: &CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    let mut state = resume(state, call, || ChannelCells::new(as_of, counting.clone()));
    let cells = state.value();
    if cells.as_of() != as_of {
        Err(not_constant("as_of")).or_raise()
    }
    if cells.counting() != counting {
        Err(not_constant("options")).or_raise()
    }
    state
}

fn add_history<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    history: Option<BytesArg>,
    segment: Option<&str>,
    as_of: Option<i32>,
    counting: &Counting,
    call: &CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).and_then(check_as_of).or_raise();
    let mut state = begun(state, Some(as_of), counting, call);
    let log = history.as_ref().map(|history| EventLog::read(LogKind::Contacts, history).or_raise());
    state.value().add_history(log.as_ref(), segment).or_raise();
    state
}

#[pg_extern(sql = false)]
fn channel_cells_add_history<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    history: Option<BytesArg<'fcx>>,
    segment: Option<&'fcx str>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    add_history(state, history, segment, as_of, &Counting::PLAIN, &call)
}

#[pg_extern(sql = false)]
fn channel_cells_add_history_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    history: Option<BytesArg<'fcx>>,
    segment: Option<&'fcx str>,
    as_of: Option<i32>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    let counting = options(given, &mut call).or_raise();
    add_history(state, history, segment, as_of, &counting, &call)
}

/// Contacts by one channel that come counted.
type Counts<'a> = (Option<&'a str>, Option<&'a str>, Option<f64>, Option<f64>);

fn add_counts<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    (channel, segment, sent, responses): Counts,
    counting: &Counting,
    call: &CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    let mut state = begun(state, None, counting, call);
    match (channel, sent, responses) {
        (Some(channel), Some(sent), Some(responses)) => {
            state.value().add(channel, segment, sent, responses).or_raise();
        }
        _ => state.value().skip(),
    }
    state
}

#[pg_extern(sql = false)]
fn channel_cells_add_counts<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    channel: Option<&'fcx str>,
    segment: Option<&'fcx str>,
    sent: Option<f64>,
    responses: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    add_counts(state, (channel, segment, sent, responses), &Counting::PLAIN, &call)
}

#[pg_extern(sql = false)]
fn channel_cells_add_counts_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    channel: Option<&'fcx str>,
    segment: Option<&'fcx str>,
    sent: Option<f64>,
    responses: Option<f64>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ChannelCells> {
    let counting = options(given, &mut call).or_raise();
    add_counts(state, (channel, segment, sent, responses), &counting, &call)
}

#[pg_extern(sql = false)]
fn channel_cells_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, ChannelCells>>,
    other: Option<ExpandedArg<'fcx, ChannelCells>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, ChannelCells>> {
    merge(state, other, &call, ChannelCells::merge)
}

#[pg_extern(sql = false)]
fn fit_channel_model(cells: ExpandedArg<'_, ChannelCells>) -> JsonbOut {
    cells.with(|cells| JsonbOut(fit(cells, &mut interrupt).or_raise()))
}

// Scores

#[pg_extern(sql = false)]
fn channel_score<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    channel: Option<&'fcx str>,
    segment: Option<&'fcx str>,
    sent: Option<f64>,
    responses: Option<f64>,
    level: Option<f64>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let (model, channel, level) = (model?, channel?, check_level(level?).or_raise());
    let (sent, responses) = check_counts(sent?, responses?).or_raise();
    let shape = call.shape();
    let prepared = prepared(model, None, &mut call).or_raise();
    let rates = prepared.model.as_ref()?.prior(channel, segment)?.after(sent, responses);
    let columns = [rates.mean(), rates.lower(level), sent, responses].map(Column::F64);
    Some(shape.row(columns))
}

/// A model and options, and bounds as they were asked for.
struct Prepared {
    model: Option<ChannelModel>,
    options: RankOptions,
    cache: LowerCache,
}

fn prepared<'a>(
    model: JsonbArg,
    options: Option<JsonbArg>,
    call: &'a mut CallSite,
) -> Result<&'a mut Prepared> {
    call.memo(&[Key::of(model), Key::of(options)], || {
        Ok(Prepared {
            options: RankOptions::from_json(&given(options)?)?,
            model: ChannelModel::from_json(&model.value("channel model")?)?,
            cache: LowerCache::default(),
        })
    })
}

/// What is known of a customer: segment, contacts, consents.
type Customer<'a> = (Option<&'a str>, Option<BytesArg<'a>>, Option<BytesArg<'a>>);

/// A customer, read.
struct Known<'a> {
    segment: Option<&'a str>,
    history: Option<EventLog<'a>>,
    consents: Option<EventLog<'a>>,
}

fn known<'a>((segment, history, consents): Customer<'a>) -> Known<'a> {
    let read =
        |kind, bytes: Option<BytesArg<'a>>| bytes.map(|bytes| EventLog::read(kind, bytes.0).or_raise());
    Known { segment, history: read(LogKind::Contacts, history), consents: read(LogKind::Consents, consents) }
}

fn row(shape: RowShape, ranked: &Ranked) -> Value {
    let number = |value: Option<f64>| value.map_or(Column::Null, Column::F64);
    shape.row([
        Column::Text(ranked.channel),
        ranked.rank.map_or(Column::Null, Column::I32),
        number(ranked.mean),
        number(ranked.lower),
        Column::F64(ranked.sent),
        Column::F64(ranked.responses),
        number(ranked.value),
        Column::Bool(ranked.rank.is_some()),
        ranked.reason.map_or(Column::Null, Column::Text),
    ])
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn channel_ranking<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    history: Option<BytesArg<'fcx>>,
    consents: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let as_of = check_as_of(as_of?).or_raise();
    let customer = known((segment, history, consents));
    let shape = call.shape();
    let Prepared { model, options, cache } = prepared(model?, options, &mut call).or_raise();
    let model = model.as_ref()?;
    let ranked = rank(
        model,
        customer.segment,
        customer.history.as_ref(),
        customer.consents.as_ref(),
        as_of,
        options,
        cache,
    );
    let rows = ranked.iter().map(|ranked| row(shape, ranked)).collect();
    Some(shape.array(rows))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn channel_code<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    history: Option<BytesArg<'fcx>>,
    consents: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    let as_of = check_as_of(as_of?).or_raise();
    let customer = known((segment, history, consents));
    let Prepared { model, options, cache } = prepared(model?, options, &mut call).or_raise();
    let Some(model) = model else { return Some(INSUFFICIENT_DATA.to_owned()) };
    let ranked = rank(
        model,
        customer.segment,
        customer.history.as_ref(),
        customer.consents.as_ref(),
        as_of,
        options,
        cache,
    );
    Some(code(&ranked))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn channel_next_change<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    history: Option<BytesArg<'fcx>>,
    consents: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let as_of = check_as_of(as_of?).or_raise();
    let customer = known((segment, history, consents));
    let Prepared { model, options, cache } = prepared(model?, options, &mut call).or_raise();
    let (history, consents) = (customer.history.as_ref(), customer.consents.as_ref());
    next_change(model.as_ref()?, customer.segment, history, consents, as_of, options, cache, &mut interrupt)
}
