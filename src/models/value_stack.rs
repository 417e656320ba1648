//! SQL face of [`segmentation_core::models::value_stack`]: `fit_value_stack`, `value_stack_rows`, `future_value`. Declared
//! in `sql/models/value_stack.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::base::day;
use segmentation_core::base::money::Money;
use segmentation_core::base::unfitted::unfitted;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::value_stack::{ValueRows, ValueStackOptions, fit};
use segmentation_core::{ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::base::value_stacks::prepare_value_stack;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Key, Numeric, OrRaise, interrupt};

impl Flat for ValueRows {
    const SQL_NAME: &'static str = "value_stack_rows";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        ValueRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ValueRows::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn value_stack_rows_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<ValueRows>(text).or_raise()
}

#[pg_extern(sql = false)]
fn value_stack_rows_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<ValueRows>(message.rest()).or_raise()
}

/// The state to add a customer to, begun with the first.
fn state_for<'fcx>(
    state: Option<ExpandedArg<'fcx, ValueRows>>,
    as_of: Option<i32>,
    options: &ValueStackOptions,
    call: &CallSite,
) -> Result<Expanded<'fcx, ValueRows>> {
    let as_of = day::check(as_of.ok_or_else(|| not_constant("as_of"))?)?;
    let mut state = resume(state, call, || ValueRows::new(as_of, options.clone()).or_raise());
    let rows = state.value();
    if rows.as_of() != as_of {
        return Err(not_constant("as_of"));
    }
    if rows.options() != options {
        return Err(not_constant("options"));
    }
    Ok(state)
}

#[pg_extern(sql = false)]
fn value_stack_rows_add<'fcx>(
    state: Option<ExpandedArg<'fcx, ValueRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, ValueRows> {
    let mut state = state_for(state, as_of, &ValueStackOptions::default(), &call).or_raise();
    state.value().add(history.as_ref().map(|history| &history[..])).or_raise();
    state
}

#[pg_extern(sql = false)]
fn value_stack_rows_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ValueRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ValueRows> {
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let options = call
        .memo(&[Key::of(options)], || ValueStackOptions::from_json(&options.value("options")?))
        .or_raise()
        .clone();
    let mut state = state_for(state, as_of, &options, &call).or_raise();
    state.value().add(history.as_ref().map(|history| &history[..])).or_raise();
    state
}

#[pg_extern(sql = false)]
fn value_stack_rows_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, ValueRows>>,
    other: Option<ExpandedArg<'fcx, ValueRows>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, ValueRows>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn fit_value_stack(rows: ExpandedArg<'_, ValueRows>) -> JsonbOut {
    rows.with(|rows| match fit(rows, &mut interrupt) {
        Ok(stack) => JsonbOut(stack.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let skipped: serde_json::Map<_, _> =
                rows.skipped().map(|(reason, n)| (reason.to_owned(), json!(n))).collect();
            let known = json!({
                "candidate": null,
                "as_of": day::format(rows.as_of()).unwrap_or_default(),
                "horizon": rows.options().horizon.text(),
                "customers": rows.customers(),
                "skipped": skipped,
            });
            JsonbOut(unfitted("value_stack", known, &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

#[pg_extern(sql = false)]
fn future_value_stack<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Numeric> {
    let prepared = call.memo(&[Key::of(model), Key::of(options)], || {
        let Some(scorer) = prepare_value_stack(model)? else { return Ok(None) };
        let options = scorer.read_options(&options.value("options")?)?;
        Ok(Some((scorer, options)))
    });
    let (scorer, options) = prepared.or_raise().as_ref()?;
    let value = || -> Result<Option<Money>> {
        let history = History::read(&history)?;
        let Some(customer) = scorer.customer(&history, as_of)? else { return Ok(None) };
        scorer.value(&customer, as_of, options)?.map(Money::from_f64).transpose()
    };
    value().or_raise().map(Numeric::of_money)
}
