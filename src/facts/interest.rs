//! SQL face of [`segmentation_core::facts::interest`]: `interest_counts`, `fit_interest_model`,
//! `interest_shares`, `interest_profile`. Declared in `sql/facts/interest.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use pgrx::prelude::*;
use segmentation_core::facts::interest::{Counts, InterestModel, Population, counts};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::borrow;
use crate::pg::{CallSite, Key, OrRaise};

fn parse(bytes: &[u8]) -> Result<serde_json::Value> {
    serde_json::from_slice(bytes).map_err(|_| Error::new(ErrorKind::InvalidBinary, "invalid aggregate state"))
}

/// The categories of one customer.
struct Bought(Counts);

impl Flat for Bought {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(json!(self.0).to_string().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        counts(&parse(bytes)?).map(Bought)
    }
}

impl Flat for Population {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.to_json().to_string().into_bytes())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Population::from_json(&parse(bytes)?)
    }
}

fn take(state: &mut Bought, category: Option<&str>, n: Option<f64>) -> Result<()> {
    let (Some(category), Some(n)) = (category, n) else { return Ok(()) };
    if !(0.0..=1e15).contains(&n) {
        return Err(Error::invalid("weight must be 0 or above")
            .detail(format!("It is {}.", segmentation_core::base::error::shown_number(n))));
    }
    if category.len() > 1000 || (state.0.len() == 10_000 && !state.0.contains_key(category)) {
        return Err(Error::new(ErrorKind::LimitExceeded, "too many categories, or one too long")
            .detail("At most 10000 categories of 1000 bytes are allowed."));
    }
    *state.0.entry(category.to_owned()).or_default() += n;
    Ok(())
}

#[pg_extern(sql = false)]
fn interest_counts_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Bought>>,
    category: Option<&'fcx str>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Bought> {
    let mut state = resume(state, &call, || Bought(Counts::new()));
    take(state.value(), category, Some(1.0)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn interest_counts_add_weight<'fcx>(
    state: Option<ExpandedArg<'fcx, Bought>>,
    category: Option<&'fcx str>,
    weight: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Bought> {
    let mut state = resume(state, &call, || Bought(Counts::new()));
    take(state.value(), category, weight).or_raise();
    state
}

#[pg_extern(sql = false)]
fn interest_counts_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Bought>>,
    other: Option<ExpandedArg<'fcx, Bought>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Bought>> {
    merge(state, other, &call, |state, other| {
        other.0.iter().try_for_each(|(category, n)| take(state, Some(category), Some(*n)))
    })
}

#[pg_extern(sql = false)]
fn interest_counts_final(state: ExpandedArg<'_, Bought>) -> JsonbOut {
    state.with(|state| JsonbOut(json!(state.0)))
}

#[pg_extern(sql = false)]
fn interest_population_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Population>>,
    bought: Option<JsonbArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Population> {
    let mut state = resume(state, &call, Population::default);
    if let Some(bought) = bought {
        bought.value("counts").and_then(|v| counts(&v)).and_then(|c| state.value().add(&c)).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn interest_population_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Population>>,
    other: Option<ExpandedArg<'fcx, Population>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Population>> {
    merge(state, other, &call, Population::merge)
}

#[pg_extern(sql = false)]
fn interest_population_final(state: ExpandedArg<'_, Population>) -> JsonbOut {
    state.with(|state| JsonbOut(state.model()))
}

fn read_model(model: JsonbArg) -> Result<InterestModel> {
    InterestModel::from_json(&model.value("interest model")?)
}

fn model<'a>(model: JsonbArg, call: &'a mut CallSite) -> &'a InterestModel {
    call.memo(&[Key::of(model)], || read_model(model)).or_raise()
}

#[pg_extern(sql = false)]
fn interest_shares<'fcx>(
    interest_model: JsonbArg<'fcx>,
    bought: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> JsonbOut {
    let bought = bought.value("counts").and_then(|v| counts(&v)).or_raise();
    let interests = model(interest_model, &mut call).interests(&bought);
    JsonbOut(
        interests
            .into_iter()
            .map(|i| (i.category, json!(i.shrunk)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    )
}

#[pg_extern(sql = false)]
fn interest_profile<'fcx>(
    interest_model: JsonbArg<'fcx>,
    bought: JsonbArg<'fcx>,
) -> TableIterator<
    'static,
    (
        name!(category, String),
        name!(n, f64),
        name!(share, f64),
        name!(population, f64),
        name!(shrunk, f64),
        name!(lift, f64),
    ),
> {
    let bought = bought.value("counts").and_then(|v| counts(&v)).or_raise();
    let model = borrow(&[Key::of(interest_model)], || read_model(interest_model)).or_raise();
    TableIterator::new(
        model
            .interests(&bought)
            .into_iter()
            .map(|i| (i.category, i.n, i.share, i.population, i.shrunk, i.lift)),
    )
}
