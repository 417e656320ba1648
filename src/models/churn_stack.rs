//! SQL face of [`segmentation_core::models::churn_stack`]: `fit_churn_stack`, `churn_stack_rows`,
//! `churn_probability`, `churn_explain`. Declared in `sql/models/churn_stack.sql`.

use std::ffi::CStr;

use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use segmentation_core::base::day::{self, Day};
use segmentation_core::base::language::Language;
use segmentation_core::base::unfitted::unfitted;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::churn_stack::{StackOptions, StackRows, fit};
use segmentation_core::{ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::base::stacks::{PreparedStack, prepare_stack};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::borrow;
use crate::pg::message::Message;
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Key, OrRaise, interrupt};

impl Flat for StackRows {
    const SQL_NAME: &'static str = "churn_stack_rows";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        StackRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        StackRows::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn churn_stack_rows_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<StackRows>(text).or_raise()
}

#[pg_extern(sql = false)]
fn churn_stack_rows_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<StackRows>(message.rest()).or_raise()
}

/// The state to add a customer to, begun with the first.
fn state_for<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    as_of: Option<i32>,
    options: StackOptions,
    with_events: bool,
    call: &CallSite,
) -> Result<Expanded<'fcx, StackRows>> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of"))?;
    day::check(as_of)?;
    let mut state = resume(state, call, || StackRows::new(as_of, options.clone(), with_events).or_raise());
    let rows = state.value();
    if rows.as_of() != as_of {
        return Err(not_constant("as_of"));
    }
    if *rows.options() != options || rows.with_events() != with_events {
        return Err(not_constant("options"));
    }
    Ok(state)
}

/// The options of an aggregate call, which every row must give alike.
fn options(call: &mut CallSite, options: Option<JsonbArg>) -> Result<StackOptions> {
    let options = options.ok_or_else(|| not_constant("options"))?;
    call.memo(&[Key::of(options)], || StackOptions::from_json(&options.value("options")?)).cloned()
}

/// A log as bytes.
fn content<'a>(log: &'a Option<BytesArg<'_>>) -> Option<&'a [u8]> {
    log.as_ref().map(|log| &log[..])
}

#[pg_extern(sql = false)]
fn churn_stack_rows_add<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, StackRows> {
    let mut state = state_for(state, as_of, StackOptions::default(), false, &call).or_raise();
    state.value().add(content(&history), None, None).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_stack_rows_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, StackRows> {
    let options = options(&mut call, given).or_raise();
    let mut state = state_for(state, as_of, options, false, &call).or_raise();
    state.value().add(content(&history), None, None).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_stack_rows_add_events<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, StackRows> {
    let mut state = state_for(state, as_of, StackOptions::default(), true, &call).or_raise();
    state.value().add(content(&history), content(&contacts), content(&interactions)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_stack_rows_add_events_options<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, StackRows> {
    let options = options(&mut call, given).or_raise();
    let mut state = state_for(state, as_of, options, true, &call).or_raise();
    state.value().add(content(&history), content(&contacts), content(&interactions)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_stack_rows_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, StackRows>>,
    other: Option<ExpandedArg<'fcx, StackRows>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, StackRows>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn fit_churn_stack(rows: ExpandedArg<'_, StackRows>) -> JsonbOut {
    rows.with(|rows| match fit(rows, &mut interrupt) {
        Ok(stack) => JsonbOut(stack.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let known = json!({
                "candidate": null,
                "as_of": day::format(rows.as_of()).unwrap_or_default(),
                "horizon": rows.options().horizon.text(),
                "customers": rows.customers(),
            });
            JsonbOut(unfitted("churn_stack", known, &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

/// The probability of a customer; `None` without a purchase by `as_of`, or by a stack that could not be fitted.
fn probability(
    prepared: Option<&PreparedStack>,
    history: &[u8],
    contacts: Option<&[u8]>,
    interactions: Option<&[u8]>,
    as_of: Day,
) -> Result<Option<f64>> {
    let Some(prepared) = prepared else { return Ok(None) };
    let history = History::read(history)?;
    let customer = prepared.scorer.customer(&history, contacts, interactions, as_of)?;
    customer.map(|customer| prepared.scorer.churn_probability(&customer, as_of)).transpose()
}

#[pg_extern(sql = false)]
fn churn_probability_stack<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let prepared = call.memo(&[Key::of(model)], || prepare_stack(model)).or_raise();
    probability(prepared.as_ref(), &history, None, None, as_of).or_raise()
}

#[pg_extern(sql = false)]
fn churn_probability_stack_events<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let (model, history, as_of) = (model?, history?, as_of?);
    let prepared = call.memo(&[Key::of(model)], || prepare_stack(model)).or_raise();
    probability(prepared.as_ref(), &history, content(&contacts), content(&interactions), as_of).or_raise()
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn churn_explain_stack<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    language: Option<&str>,
) -> TableIterator<
    'static,
    (
        name!(feature, String),
        name!(value, Option<String>),
        name!(contribution, f64),
        name!(odds_ratio, f64),
        name!(words, String),
    ),
> {
    let rows = || -> Result<_> {
        let (Some(model), Some(history), Some(as_of), Some(language)) = (model, history, as_of, language)
        else {
            return Ok(Vec::new());
        };
        let language = Language::parse(language)?;
        let prepared = borrow(&[Key::of(model)], || prepare_stack(model))?;
        let Some(prepared) = prepared.as_ref() else { return Ok(Vec::new()) };
        let history = History::read(&history)?;
        let (contacts, interactions) = (content(&contacts), content(&interactions));
        match prepared.scorer.customer(&history, contacts, interactions, as_of)? {
            Some(customer) => prepared.stack.explain(&prepared.scorer, &customer, as_of, language),
            None => Ok(Vec::new()),
        }
    };
    let rows = rows().or_raise();
    TableIterator::new(
        rows.into_iter().map(|c| (c.feature, c.value, c.contribution, c.contribution.exp(), c.words)),
    )
}
