//! SQL face of [`segmentation_core::models::purchase_model`]: `fit_purchase_model`,
//! `purchase_cells`, and the scores of a customer under a model. Declared in
//! `sql/models/purchase_model.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::base::day::Day;
use segmentation_core::base::words::counted;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::churn_stack::ChurnStack;
use segmentation_core::models::purchase_model::{
    Cells, CustomerSummary, FitOptions, ParameterUncertainty, fit,
};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::{Value as Json, json};

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::base::purchases::{Prepared, customer_summary, prepare_purchases, unfitted_model};
use crate::base::stacks::{PreparedStack, is_stack, read_stack};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::row::Column;
use crate::pg::timestamp::Interval;
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

// Cells: the mergeable state of a fit

impl Flat for Cells {
    const SQL_NAME: &'static str = "purchase_cells";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Cells::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Cells::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn purchase_cells_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<Cells>(text).or_raise()
}

#[pg_extern(sql = false)]
fn purchase_cells_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<Cells>(message.rest()).or_raise()
}

fn purchase_days(history: &[u8]) -> Result<Vec<Day>> {
    let mut days = Vec::new();
    for entry in History::read(history)?.entries()? {
        let entry = entry?;
        if entry.purchases > 0 {
            days.push(entry.day);
        }
    }
    Ok(days)
}

fn take_in(
    cells: &mut Cells,
    history: Option<BytesArg>,
    as_of: Day,
    options: Option<&FitOptions>,
) -> Result<()> {
    if cells.as_of() != as_of {
        return Err(not_constant("as_of"));
    }
    if options.is_some_and(|options| cells.options() != options) {
        return Err(not_constant("options"));
    }
    match history {
        Some(history) if cells.needs_days() => cells.add(purchase_days(&history)?),
        Some(history) => {
            let history = History::read(&history)?;
            cells.add_span(
                history.purchase_span().map(|(first, _)| first),
                history.purchase_days_until(as_of)?,
            )
        }
        None => {
            cells.skip_null();
            Ok(())
        }
    }
}

#[pg_extern(sql = false)]
fn purchase_cells_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Cells>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Cells> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let mut state = resume(state, &call, || Cells::new(as_of, FitOptions::default()).or_raise());
    take_in(state.value(), history, as_of, None).or_raise();
    state
}

#[pg_extern(sql = false)]
fn purchase_cells_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, Cells>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, Cells> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let options = call
        .memo(&[Key::of(options)], || FitOptions::from_json(&options.value("options")?))
        .or_raise()
        .clone();
    let mut state = resume(state, &call, || Cells::new(as_of, options.clone()).or_raise());
    take_in(state.value(), history, as_of, Some(&options)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn purchase_cells_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Cells>>,
    other: Option<ExpandedArg<'fcx, Cells>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Cells>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn fit_purchase_model(cells: ExpandedArg<'_, Cells>) -> JsonbOut {
    cells.with(|cells| match fit(cells, &mut interrupt) {
        Ok(model) => JsonbOut(model.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let skipped = cells.skipped().counts().into_iter().filter(|(_, n)| *n > 0);
            let skipped = skipped.map(|(reason, n)| (reason.to_owned(), json!(n))).collect();
            let (as_of, customers) = (cells.as_of(), cells.customers());
            JsonbOut(unfitted_model("purchase_model", as_of, customers, Json::Object(skipped), &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

// Scores

/// Scores a customer: `None` without a purchase by `as_of`, or by a model that could not be fitted.
#[inline]
fn score<R>(
    call: &mut CallSite,
    model: JsonbArg,
    history: &[u8],
    as_of: Day,
    answer: impl FnOnce(&mut Prepared, CustomerSummary) -> R,
) -> Option<R> {
    let prepared = call.memo(&[Key::of(model)], || prepare_purchases(model)).or_raise();
    let summary = customer_summary(history, as_of).or_raise()?;
    prepared.as_mut().map(|prepared| answer(prepared, summary))
}

fn days(horizon: Interval, as_of: Day) -> f64 {
    horizon.days_from(as_of).and_then(segmentation_core::models::purchase_model::check_horizon).or_raise()
}

#[pg_extern(sql = false)]
fn churn_probability_purchases<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let horizon = days(horizon, as_of);
    let prepared = call.memo(&[Key::of(model)], || prepare_churn(model)).or_raise();
    match prepared {
        Churn::Purchases(prepared) => {
            let customer = customer_summary(&history, as_of).or_raise()?;
            prepared.as_ref().map(|prepared| prepared.scorer.churn_probability(customer, horizon))
        }
        Churn::Stack(prepared) => {
            let prepared = prepared.as_ref()?;
            check_own_horizon(&prepared.stack, horizon).or_raise();
            let history = History::read(&history).or_raise();
            let customer = prepared.scorer.customer(&history, None, None, as_of).or_raise()?;
            Some(prepared.scorer.churn_probability(&customer, as_of).or_raise())
        }
    }
}

/// A model that says how likely no purchase is.
enum Churn {
    Purchases(Option<Prepared>),
    Stack(Option<PreparedStack>),
}

fn prepare_churn(model: JsonbArg) -> Result<Churn> {
    let value = model.value("purchase model")?;
    if is_stack(&value) {
        read_stack(&value).map(Churn::Stack)
    } else {
        prepare_purchases(model).map(Churn::Purchases)
    }
}

/// # Errors
/// The horizon is not that of the stack.
fn check_own_horizon(stack: &ChurnStack, horizon: f64) -> Result<()> {
    if (horizon - f64::from(stack.horizon_days())).abs() < 1e-9 {
        return Ok(());
    }
    Err(Error::invalid("a churn stack answers for its own horizon only")
        .detail(format!(
            "It was fitted for {}, and asked for {}.",
            stack.horizon.text(),
            counted(horizon, "day")
        ))
        .hint("Leave the horizon out, or fit a stack with the option \"horizon\"."))
}

#[pg_extern(sql = false)]
fn alive_probability<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    score(&mut call, model, &history, as_of, |p, customer| p.scorer.alive_probability(customer))
}

#[pg_extern(sql = false)]
fn expected_purchases<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let horizon = days(horizon, as_of);
    score(&mut call, model, &history, as_of, |p, customer| p.scorer.expected_purchases(customer, horizon))
}

#[pg_extern(sql = false)]
fn next_purchase<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let next =
        score(&mut call, model, &history, as_of, |p, customer| p.scorer.next_purchase(customer, level))?
            .or_raise();
    // The day on which it falls; NULL where that is never, or beyond the calendar.
    let date = |days: Option<f64>| {
        let day = days.map(|days| f64::from(as_of) + days.ceil().max(1.0));
        day.filter(|day| *day <= f64::from(segmentation_core::base::day::LAST))
            .map_or(Column::Null, |day| Column::Date(day as i32))
    };
    let columns =
        [date(next.median_days), date(next.lower_days), date(next.upper_days), Column::F64(next.never)];
    Some(call.shape().row(columns))
}

fn bounds(call: &mut CallSite, (lower, upper): (f64, f64)) -> Value {
    call.shape().row([Column::F64(lower), Column::F64(upper)])
}

#[pg_extern(sql = false)]
fn purchases_interval<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let horizon = days(horizon, as_of);
    let (lower, upper) = score(&mut call, model, &history, as_of, |p, customer| {
        p.scorer.purchases_interval(customer, horizon, level)
    })?
    .or_raise();
    Some(bounds(&mut call, (lower as f64, upper as f64)))
}

/// An interval from the uncertainty of the parameters, which is prepared when first asked for.
fn confidence(
    call: &mut CallSite,
    model: JsonbArg,
    history: &[u8],
    as_of: Day,
    answer: impl FnOnce(&ParameterUncertainty, CustomerSummary) -> Result<(f64, f64)>,
) -> Option<Value> {
    let interval = score(call, model, history, as_of, |p, customer| {
        if p.uncertainty.is_none() {
            p.uncertainty = Some(ParameterUncertainty::new(&p.model)?);
        }
        p.uncertainty.as_ref().map(|uncertainty| answer(uncertainty, customer)).transpose()
    })?
    .or_raise()?;
    Some(bounds(call, interval))
}

#[pg_extern(sql = false)]
fn churn_probability_confidence<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let horizon = days(horizon, as_of);
    confidence(&mut call, model, &history, as_of, |u, customer| u.churn_probability(customer, horizon, level))
}

#[pg_extern(sql = false)]
fn alive_probability_confidence<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    confidence(&mut call, model, &history, as_of, |u, customer| u.alive_probability(customer, level))
}

#[pg_extern(sql = false)]
fn expected_purchases_confidence<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    horizon: Interval,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let horizon = days(horizon, as_of);
    confidence(&mut call, model, &history, as_of, |u, customer| {
        u.expected_purchases(customer, horizon, level)
    })
}
