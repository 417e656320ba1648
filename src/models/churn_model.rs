//! SQL face of [`segmentation_core::models::churn_model`]: `fit_churn_model`, `churn_rows`,
//! `churn_probability`, `churn_explain`. Declared in `sql/models/churn_model.sql`.

use std::ffi::CStr;

use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use segmentation_core::base::language::Language;
use segmentation_core::base::unfitted::{is_unfitted, unfitted};
use segmentation_core::models::churn_model::{ChurnModel, ChurnOptions, ChurnRows, Features, fit};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::borrow;
use crate::pg::message::Message;
use crate::pg::{CallSite, Key, OrRaise, interrupt};

impl Flat for ChurnRows {
    const SQL_NAME: &'static str = "churn_rows";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        ChurnRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ChurnRows::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn churn_rows_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<ChurnRows>(text).or_raise()
}

#[pg_extern(sql = false)]
fn churn_rows_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<ChurnRows>(message.rest()).or_raise()
}

fn take_in(
    rows: &mut ChurnRows,
    churned: Option<bool>,
    features: Option<JsonbArg>,
    weight: Option<f64>,
) -> Result<()> {
    let features = features.map(|features| Features::read(features.node())).transpose()?;
    rows.add(churned, features.as_ref(), weight)
}

/// The options of an aggregate call, which every row must give alike.
fn options<'a>(call: &'a mut CallSite, options: Option<JsonbArg>) -> Result<&'a mut ChurnOptions> {
    let options = options.ok_or_else(|| not_constant("options"))?;
    call.memo(&[Key::of(options)], || ChurnOptions::from_json(&options.value("options")?))
}

fn resume_with<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    given: Option<JsonbArg<'fcx>>,
    call: &mut CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let given = options(call, given).or_raise().clone();
    resume_as(state, &given, call)
}

fn resume_as<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    given: &ChurnOptions,
    call: &CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let mut state = resume(state, call, || ChurnRows::new(given.clone()));
    if state.value().options() != given {
        Err(not_constant("options")).or_raise()
    }
    state
}

#[pg_extern(sql = false)]
fn churn_rows_add<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    churned: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let mut state = resume(state, &call, || ChurnRows::new(ChurnOptions::default()));
    take_in(state.value(), churned, features, Some(1.0)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_rows_add_weight<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    churned: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    weight: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let mut state = resume(state, &call, || ChurnRows::new(ChurnOptions::default()));
    take_in(state.value(), churned, features, weight).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_rows_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    churned: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let mut state = resume_with(state, options, &mut call);
    take_in(state.value(), churned, features, Some(1.0)).or_raise();
    state
}

/// Options that are written without a type: a weight could stand there, and jsonb is preferred to nothing.
#[pg_extern(sql = false)]
fn churn_rows_add_written_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    churned: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    options: Option<&'fcx str>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let text = options.ok_or_else(|| not_constant("options")).or_raise();
    let given = call
        .memo(&[Key::bytes(text.as_bytes())], || {
            let options = serde_json::from_str(text).map_err(|error| {
                Error::new(ErrorKind::InvalidText, "the options are no JSON").detail(error.to_string())
            })?;
            ChurnOptions::from_json(&options)
        })
        .or_raise()
        .clone();
    let mut state = resume_as(state, &given, &call);
    take_in(state.value(), churned, features, Some(1.0)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_rows_add_weight_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    churned: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    weight: Option<f64>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ChurnRows> {
    let mut state = resume_with(state, options, &mut call);
    take_in(state.value(), churned, features, weight).or_raise();
    state
}

#[pg_extern(sql = false)]
fn churn_rows_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, ChurnRows>>,
    other: Option<ExpandedArg<'fcx, ChurnRows>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, ChurnRows>> {
    merge(state, other, &call, |state, other| state.merge(other))
}

#[pg_extern(sql = false)]
fn fit_churn_model(rows: ExpandedArg<'_, ChurnRows>) -> JsonbOut {
    rows.with(|rows| match fit(rows, &mut interrupt) {
        Ok(model) => JsonbOut(model.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            JsonbOut(unfitted("churn_model", json!({ "coefficients": null, "rows": rows.seen() }), &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

/// Reads a model; `None` if it is one that could not be fitted.
fn prepare(model: JsonbArg) -> Result<Option<ChurnModel>> {
    let value = model.value("churn model")?;
    if is_unfitted(&value, "churn_model", "coefficients") {
        return Ok(None);
    }
    ChurnModel::from_json(&value).map(Some)
}

#[pg_extern(sql = false)]
fn churn_probability_features<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    let features = Features::read(features.node()).or_raise();
    Some(model.churn_probability(&features).or_raise())
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn churn_explain<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
    language: &str,
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
    let language = Language::parse(language).or_raise();
    let features = Features::read(features.node()).or_raise();
    let model = borrow(&[Key::of(model)], || prepare(model)).or_raise();
    let rows = model.as_ref().map(|model| model.explain(&features, language).or_raise()).unwrap_or_default();
    TableIterator::new(
        rows.into_iter().map(|c| (c.feature, c.value, c.contribution, c.contribution.exp(), c.words)),
    )
}
