//! SQL face of [`segmentation_core::models::retention_model`]: `fit_retention_model`, survival, churn and
//! value of contracts. Declared in `sql/models/retention_model.sql`.

use pgrx::iter::TableIterator;
use pgrx::prelude::*;
use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::base::unfitted::{is_unfitted, unfitted};
use segmentation_core::models::churn_model::Features;
use segmentation_core::models::retention_model::{
    Contracts, RetentionModel, RetentionOptions, Survival, Terms, fit,
};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::borrow;
use crate::pg::message::Message;
use crate::pg::timestamp::Interval;
use crate::pg::{CallSite, Key, Numeric, OrRaise, interrupt};

impl Flat for Contracts {
    const SQL_NAME: &'static str = "contracts";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Contracts::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Contracts::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn contracts_in(text: &std::ffi::CStr) -> Vec<u8> {
    bytes_type::parse::<Contracts>(text).or_raise()
}

#[pg_extern(sql = false)]
fn contracts_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<Contracts>(message.rest()).or_raise()
}

/// A contract as it arrives: started, ended, features.
type Dates = (Option<Day>, Option<Day>);

fn add<'fcx>(
    state: Option<ExpandedArg<'fcx, Contracts>>,
    (started, ended): Dates,
    as_of: Option<Day>,
    features: Option<JsonbArg>,
    options: &RetentionOptions,
    call: &CallSite<'fcx>,
) -> Expanded<'fcx, Contracts> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let mut state = resume(state, call, || Contracts::new(as_of, options.clone()).or_raise());
    let contracts = state.value();
    if contracts.as_of() != as_of {
        Err(not_constant("as_of")).or_raise()
    }
    if contracts.options() != options {
        Err(not_constant("options")).or_raise()
    }
    let features = features.map(|features| Features::read(features.node())).transpose().or_raise();
    contracts.add(started, ended, features.as_ref()).or_raise();
    state
}

#[pg_extern(sql = false)]
fn contracts_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Contracts>>,
    started: Option<i32>,
    ended: Option<i32>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, Contracts> {
    let options = call.remember(|_| RetentionOptions::default()).clone();
    add(state, (started, ended), as_of, None, &options, &call)
}

#[pg_extern(sql = false)]
fn contracts_add_features<'fcx>(
    state: Option<ExpandedArg<'fcx, Contracts>>,
    started: Option<i32>,
    ended: Option<i32>,
    as_of: Option<i32>,
    features: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, Contracts> {
    let options = call.remember(|_| RetentionOptions::default()).clone();
    add(state, (started, ended), as_of, features, &options, &call)
}

#[pg_extern(sql = false)]
fn contracts_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, Contracts>>,
    started: Option<i32>,
    ended: Option<i32>,
    as_of: Option<i32>,
    features: Option<JsonbArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, Contracts> {
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let options = call
        .memo(&[Key::of(options)], || RetentionOptions::from_json(&options.value("options")?))
        .or_raise()
        .clone();
    add(state, (started, ended), as_of, features, &options, &call)
}

#[pg_extern(sql = false)]
fn contracts_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Contracts>>,
    other: Option<ExpandedArg<'fcx, Contracts>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Contracts>> {
    merge(state, other, &call, |state, other| state.merge(other))
}

#[pg_extern(sql = false)]
fn fit_retention_model(contracts: ExpandedArg<'_, Contracts>) -> JsonbOut {
    contracts.with(|contracts| match fit(contracts, &mut interrupt) {
        Ok(model) => JsonbOut(model.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let known = json!({ "coefficients": null, "groups": null, "rows": contracts.contracts() });
            JsonbOut(unfitted("retention_model", known, &error))
        }
        Err(error) => Err(error).or_raise(),
    })
}

/// Reads a model; `None` if it is one that could not be fitted.
fn prepare(model: JsonbArg) -> Result<Option<RetentionModel>> {
    let value = model.value("retention model")?;
    if is_unfitted(&value, "retention_model", "coefficients") {
        return Ok(None);
    }
    RetentionModel::from_json(&value).map(Some)
}

fn score<R>(
    call: &mut CallSite,
    model: JsonbArg,
    features: JsonbArg,
    answer: impl FnOnce(&RetentionModel, Survival) -> Option<R>,
) -> Option<R> {
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    let features = Features::read(features.node()).or_raise();
    answer(model, model.survival(&features).or_raise())
}

fn periods(model: &RetentionModel, name: &str, interval: Interval) -> f64 {
    let (months, days) = interval.months_and_days();
    model.periods(name, months, days).or_raise()
}

#[pg_extern(sql = false)]
fn survival_probability<'fcx>(
    model: JsonbArg<'fcx>,
    tenure: Interval,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    score(&mut call, model, features, |model, s| s.at(periods(model, "tenure", tenure)))
}

#[pg_extern(sql = false)]
fn churn_probability_contract<'fcx>(
    model: JsonbArg<'fcx>,
    tenure: Interval,
    horizon: Interval,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    score(&mut call, model, features, |model, s| {
        s.churn_probability(periods(model, "tenure", tenure), periods(model, "horizon", horizon))
    })
}

#[pg_extern(sql = false)]
fn expected_lifetime<'fcx>(
    model: JsonbArg<'fcx>,
    tenure: Interval,
    horizon: Interval,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    score(&mut call, model, features, |model, s| {
        let (tenure, horizon) = (periods(model, "tenure", tenure), periods(model, "horizon", horizon));
        s.expected_lifetime(tenure, horizon, &mut interrupt)
    })
}

#[pg_extern(sql = false)]
fn contract_value<'fcx>(
    model: JsonbArg<'fcx>,
    tenure: Interval,
    horizon: Interval,
    margin: f64,
    discount_rate: f64,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Numeric> {
    score(&mut call, model, features, |model, s| {
        let (tenure, horizon) = (periods(model, "tenure", tenure), periods(model, "horizon", horizon));
        let value = s.value(tenure, horizon, Terms { margin, discount_rate }, &mut interrupt).or_raise()?;
        Some(Numeric::of_money(Money::from_f64(value).or_raise()))
    })
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn subscription_value<'fcx>(
    model: JsonbArg<'fcx>,
    tenure: Interval,
    price: f64,
    horizon: Interval,
    discount_rate: f64,
    margin: f64,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Numeric> {
    if !(margin.is_finite() && margin.abs() <= 1e6) {
        Err(Error::invalid("margin must be a number from -1e6 to 1e6")).or_raise()
    }
    score(&mut call, model, features, |model, s| {
        let (tenure, horizon) = (periods(model, "tenure", tenure), periods(model, "horizon", horizon));
        let terms = Terms { margin: price, discount_rate };
        let value = s.subscription_value(tenure, horizon, terms, &mut interrupt).or_raise()?;
        Some(Numeric::of_money(Money::from_f64(value * margin).or_raise()))
    })
}

#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
fn retention_curve<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
) -> TableIterator<
    'static,
    (
        name!(period, i32),
        name!(at_risk, i64),
        name!(ended, i64),
        name!(survival, f64),
        name!(lower, Option<f64>),
        name!(upper, Option<f64>),
    ),
> {
    let model = borrow(&[Key::of(model)], || prepare(model)).or_raise();
    let features = Features::read(features.node()).or_raise();
    let curve =
        model.as_ref().map(|model| model.survival(&features).or_raise().curve().to_vec()).unwrap_or_default();
    TableIterator::new(curve.into_iter().map(|p| {
        let period = i32::try_from(p.period).unwrap_or(i32::MAX);
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        (period, count(p.at_risk), count(p.ended), p.survival, p.band.map(|b| b.0), p.band.map(|b| b.1))
    }))
}
