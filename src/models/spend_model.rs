//! SQL face of [`segmentation_core::models::spend_model`]: `fit_spend_model`, `expected_spend`,
//! `future_value`. Declared in `sql/models/spend_model.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::base::unfitted::is_unfitted;
use segmentation_core::facts::purchase_history::{History, net_purchases};
use segmentation_core::models::purchase_model::CustomerSummary;
use segmentation_core::models::spend_model::{
    self, SpendCells, SpendModel, SpendOptions, SpendSummary, ValueOptions, fit_spend,
};
use segmentation_core::{ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::base::purchases::{Prepared, customer_summary, prepare_purchases, unfitted_model};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::row::Column;
use crate::pg::timestamp::Interval;
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, Numeric, OrRaise, interrupt};

impl Flat for SpendCells {
    const SQL_NAME: &'static str = "spend_cells";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        SpendCells::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SpendCells::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn spend_cells_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<SpendCells>(text).or_raise()
}

#[pg_extern(sql = false)]
fn spend_cells_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<SpendCells>(message.rest()).or_raise()
}

fn take_in(
    cells: &mut SpendCells,
    history: Option<BytesArg>,
    as_of: Day,
    options: &SpendOptions,
) -> Result<()> {
    if cells.as_of() != as_of {
        return Err(not_constant("as_of"));
    }
    if cells.options() != options {
        return Err(not_constant("options"));
    }
    match history {
        Some(history) => {
            let history = History::read(&history)?;
            let mut days = net_purchases(&history, as_of)?;
            if let Some((first, _)) = history.purchase_span()
                && days.is_empty()
            {
                // Known to have bought, but later: that is another reason to be left out.
                days.push((first, Money::ZERO));
            }
            cells.add(days)
        }
        None => {
            cells.skip_null();
            Ok(())
        }
    }
}

#[pg_extern(sql = false)]
fn spend_cells_add<'fcx>(
    state: Option<ExpandedArg<'fcx, SpendCells>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, SpendCells> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let options = SpendOptions::default();
    let mut state = resume(state, &call, || SpendCells::new(as_of, options.clone()).or_raise());
    take_in(state.value(), history, as_of, &options).or_raise();
    state
}

#[pg_extern(sql = false)]
fn spend_cells_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, SpendCells>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, SpendCells> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let options = call
        .memo(&[Key::of(options)], || SpendOptions::from_json(&options.value("options")?))
        .or_raise()
        .clone();
    let mut state = resume(state, &call, || SpendCells::new(as_of, options.clone()).or_raise());
    take_in(state.value(), history, as_of, &options).or_raise();
    state
}

#[pg_extern(sql = false)]
fn spend_cells_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, SpendCells>>,
    other: Option<ExpandedArg<'fcx, SpendCells>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, SpendCells>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn fit_spend_model(cells: ExpandedArg<'_, SpendCells>) -> JsonbOut {
    cells.with(|cells| match fit_spend(cells, &mut interrupt) {
        Ok(model) => JsonbOut(model.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let skipped = cells.skipped().map(|(reason, n)| (reason.to_owned(), json!(n))).collect();
            let skipped = serde_json::Value::Object(skipped);
            JsonbOut(unfitted_model("spend_model", cells.as_of(), cells.customers(), skipped, &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

// Scores

/// Reads a model; `None` if it is one that could not be fitted.
///
/// # Errors
/// Names the field that is malformed.
pub fn prepare_spend(model: JsonbArg) -> Result<Option<SpendModel>> {
    let value = model.value("spend model")?;
    if is_unfitted(&value, "spend_model", "parameters") {
        return Ok(None);
    }
    SpendModel::from_json(&value).map(Some)
}

/// What the model knows of a customer's spend; `None` if they had bought nothing by `as_of`.
///
/// # Errors
/// Damaged bytes.
pub fn spent(model: &SpendModel, history: &[u8], as_of: Day) -> Result<Option<SpendSummary>> {
    model.summarize(net_purchases(&History::read(history)?, as_of)?, as_of)
}

fn numeric(value: f64) -> Numeric {
    Numeric::of_money(Money::from_f64(value).or_raise())
}

#[pg_extern(sql = false)]
fn expected_spend<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    mut call: CallSite<'fcx>,
) -> Option<Numeric> {
    let model = call.memo(&[Key::of(model)], || prepare_spend(model)).or_raise().as_ref()?;
    let spent = spent(model, &history, as_of).or_raise()?;
    model.expected_spend(&spent).map(numeric)
}

/// Both models of a customer's value, and what they know of the customer.
struct Valued<'a> {
    purchases: &'a Prepared,
    spend: &'a SpendModel,
    customer: CustomerSummary,
    spent: SpendSummary,
    options: ValueOptions,
}

/// Horizon, yearly discount rate, margin.
type Terms = (Interval, f64, f64);

fn value<R>(
    call: &mut CallSite,
    models: (JsonbArg, JsonbArg),
    history: &[u8],
    as_of: Day,
    (horizon, discount_rate, margin): Terms,
    answer: impl FnOnce(Valued) -> R,
) -> Option<R> {
    let options =
        horizon.days_from(as_of).and_then(|days| ValueOptions::new(days, discount_rate, margin)).or_raise();
    let keys = [Key::of(models.0), Key::of(models.1)];
    let (purchases, spend) =
        call.memo(&keys, || Ok((prepare_purchases(models.0)?, prepare_spend(models.1)?))).or_raise();
    let (purchases, spend) = (purchases.as_ref()?, spend.as_ref()?);
    let customer = customer_summary(history, as_of).or_raise()?;
    let spent = spent(spend, history, as_of).or_raise()?;
    Some(answer(Valued { purchases, spend, customer, spent, options }))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn future_value<'fcx>(
    purchase_model: JsonbArg<'fcx>,
    spend_model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    discount_rate: f64,
    margin: f64,
    mut call: CallSite<'fcx>,
) -> Option<Numeric> {
    let models = (purchase_model, spend_model);
    value(&mut call, models, &history, as_of, (horizon, discount_rate, margin), |v| {
        spend_model::future_value(&v.purchases.scorer, v.spend, v.customer, &v.spent, &v.options)
    })?
    .map(numeric)
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn future_value_interval<'fcx>(
    purchase_model: JsonbArg<'fcx>,
    spend_model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    discount_rate: f64,
    margin: f64,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let models = (purchase_model, spend_model);
    let interval = value(&mut call, models, &history, as_of, (horizon, discount_rate, margin), |v| {
        spend_model::future_value_interval(
            &v.purchases.scorer,
            v.spend,
            v.customer,
            &v.spent,
            &v.options,
            level,
        )
    })?
    .or_raise();
    let columns = [Column::Numeric(numeric(interval.0)), Column::Numeric(numeric(interval.1))];
    Some(call.shape().row(columns))
}
