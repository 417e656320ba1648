//! SQL face of [`segmentation_core::axes::churn_level`]: `churn_level`, `churn_next_change`. Declared in
//! `sql/axes/churn_level.sql`.

use pgrx::prelude::*;
use segmentation_core::axes::churn_level::ChurnLevels;
use segmentation_core::axes::silence::with_later_purchases;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::purchase_model::CustomerSummary;
use segmentation_core::{Error, Result};

use crate::base::purchases::{Prepared, customer_summary, prepare_purchases};
use crate::pg::jsonb::JsonbArg;
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Key, OrRaise};

/// The level without a model or purchases.
const INSUFFICIENT_DATA: &str = "insufficient_data";

/// A purchase model and the limits of the levels.
type Churn = (Option<Prepared>, ChurnLevels);

fn prepare_churn(model: JsonbArg, options: JsonbArg) -> Result<Churn> {
    Ok((prepare_purchases(model)?, ChurnLevels::from_json(&options.value("options")?)?))
}

#[pg_extern(sql = false)]
fn churn_level<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let (as_of, options) = (as_of?, options?);
    let (Some(model), Some(history)) = (model, history) else { return Some(INSUFFICIENT_DATA) };
    let keys = [Key::of(model), Key::of(options)];
    let (model, levels) = call.memo(&keys, || prepare_churn(model, options)).or_raise();
    let level = |customer: CustomerSummary| Some(levels.level(&model.as_ref()?.scorer, customer).code());
    Some(customer_summary(&history, as_of).or_raise().and_then(level).unwrap_or(INSUFFICIENT_DATA))
}

#[pg_extern(sql = false)]
fn churn_level_of<'fcx>(
    probability: Option<f64>,
    lost_probability: Option<f64>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let options = options?;
    let levels =
        call.memo(&[Key::of(options)], || ChurnLevels::from_json(&options.value("options")?)).or_raise();
    let Some(p) = probability else { return Some(INSUFFICIENT_DATA) };
    // A score may be off by rounding.
    for (name, value) in [("probability", Some(p)), ("lost_probability", lost_probability)] {
        if value.is_some_and(|value| !(-1e-9..=1.0 + 1e-9).contains(&value)) {
            Err::<(), _>(Error::invalid(format!("{name} must be from 0 to 1"))).or_raise();
        }
    }
    Some(levels.of(p, lost_probability).code())
}

#[pg_extern(sql = false)]
fn churn_next_change<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let keys = [Key::of(model), Key::of(options)];
    let (model, levels) = call.memo(&keys, || prepare_churn(model, options)).or_raise();
    let scorer = &model.as_ref()?.scorer;
    let customer = customer_summary(&history, as_of).or_raise();
    let history = History::read(&history).or_raise();
    with_later_purchases(&history, as_of, |until| {
        Ok(customer.and_then(|customer| levels.next_change(scorer, customer, as_of, until)))
    })
    .or_raise()
}
