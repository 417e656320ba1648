//! SQL face of [`segmentation_core::axes::churn_level`] and [`segmentation_core::axes::future_value_band`]: codes
//! that move by time alone, and for each axis the day on which it does. Declared in
//! `sql/axes/next_change.sql`.

use pgrx::prelude::*;
use segmentation_core::axes::churn_level::{ChurnLevels, look_ahead};
use segmentation_core::axes::future_value_band::{self, Valued, value_options};
use segmentation_core::axes::{pmg, rfm};
use segmentation_core::base::day::{self, Day};
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::purchase_model::CustomerSummary;
use segmentation_core::models::spend_model::{SpendModel, ValueOptions};
use segmentation_core::{Error, Result};

use crate::axes::pmg::read_cuts as read_pmg_cuts;
use crate::axes::rfm::read_cuts as read_rfm_cuts;
use crate::models::purchase_model::{Prepared, prepare, summary};
use crate::models::spend_model::{prepare_spend, spent};
use crate::pg::jsonb::JsonbArg;
use crate::pg::numeric::NumericArg;
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise};

/// What a level or band reads without models, purchases or limits.
const INSUFFICIENT_DATA: &str = "insufficient_data";

#[pg_extern(sql = false)]
fn rfm_next_change<'fcx>(
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let cuts = call.memo(&[Key::of(cuts)], || read_rfm_cuts(cuts)).or_raise();
    History::read(&history).and_then(|history| rfm::next_change(&history, as_of, cuts)).or_raise()
}

#[pg_extern(sql = false)]
fn pmg_next_change<'fcx>(
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    months: i32,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let cuts = (*call.memo(&[Key::of(cuts)], || read_pmg_cuts(cuts)).or_raise())?;
    History::read(&history).and_then(|history| pmg::next_change(&history, as_of, cuts, months)).or_raise()
}

/// The first day on which a code changes: what `search` finds in silence up to a day, or the next
/// purchase that the history has after `as_of`, from which the search would have to begin anew.
fn with_later_purchases(
    history: &[u8],
    as_of: Day,
    search: impl FnOnce(Day) -> Result<Option<Day>>,
) -> Result<Option<Day>> {
    let last = look_ahead(day::check(as_of)?);
    let next = History::read(history)?.next_day(as_of, false)?.filter(|day| *day <= last);
    Ok(search(next.map_or(last, |day| day - 1))?.or(next))
}

// Churn

/// A purchase model and the limits of the levels.
type Churn = (Option<Prepared>, ChurnLevels);

fn prepare_churn(model: JsonbArg, options: JsonbArg) -> Result<Churn> {
    Ok((prepare(model)?, ChurnLevels::from_json(&options.value("options")?)?))
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
    Some(summary(&history, as_of).or_raise().and_then(level).unwrap_or(INSUFFICIENT_DATA))
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
    let customer = summary(&history, as_of).or_raise();
    with_later_purchases(&history, as_of, |until| {
        Ok(customer.and_then(|customer| levels.next_change(scorer, customer, as_of, until)))
    })
    .or_raise()
}

// Future value

/// Both models, the limits of the bands, and how value counts.
struct BandRules {
    purchases: Prepared,
    spend: SpendModel,
    cuts: pmg::Cuts,
    options: ValueOptions,
}

impl BandRules {
    fn valued(&self, history: &[u8], as_of: Day) -> Result<Option<Valued<'_>>> {
        let (Some(customer), Some(spent)) = (summary(history, as_of)?, spent(&self.spend, history, as_of)?)
        else {
            return Ok(None);
        };
        let (purchases, spend, options) = (&self.purchases.scorer, &self.spend, self.options);
        Ok(Some(Valued { purchases, spend, customer, spent, options }))
    }
}

/// What a call site has made of these arguments; `None` without models or limits.
fn prepare_value<'a>(
    call: &'a mut CallSite,
    models: [JsonbArg; 2],
    cuts: Value,
    options: JsonbArg,
) -> &'a Option<BandRules> {
    let keys = [Key::of(models[0]), Key::of(models[1]), Key::of(cuts), Key::of(options)];
    call.memo(&keys, || {
        let options = value_options(&options.value("options")?)?;
        let parts = (prepare(models[0])?, prepare_spend(models[1])?, read_pmg_cuts(cuts)?);
        Ok(match parts {
            (Some(purchases), Some(spend), Some(cuts)) => Some(BandRules { purchases, spend, cuts, options }),
            _ => None,
        })
    })
    .or_raise()
}

#[pg_extern(sql = false)]
fn future_value_band<'fcx>(
    purchase_model: Option<JsonbArg<'fcx>>,
    spend_model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    cuts: Option<Value>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let (as_of, options) = (as_of?, options?);
    let (Some(purchases), Some(spend), Some(history), Some(cuts)) =
        (purchase_model, spend_model, history, cuts)
    else {
        return Some(INSUFFICIENT_DATA);
    };
    let band = match prepare_value(&mut call, [purchases, spend], cuts, options) {
        Some(value) => value
            .valued(&history, as_of)
            .and_then(|valued| valued.map_or(Ok(None), |valued| valued.band(value.cuts)))
            .or_raise(),
        None => None,
    };
    Some(band.map_or(INSUFFICIENT_DATA, future_value_band::code))
}

#[pg_extern(sql = false)]
fn future_value_band_of<'fcx>(
    value: Option<NumericArg<'fcx>>,
    cuts: Option<Value>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let (Some(value), Some(cuts)) = (value, cuts) else { return Some(INSUFFICIENT_DATA) };
    let cuts = *call.memo(&[Key::of(cuts)], || read_pmg_cuts(cuts)).or_raise();
    let value = value.money("value").or_raise();
    Some(cuts.map_or(INSUFFICIENT_DATA, |cuts| future_value_band::code(cuts.class(value))))
}

#[pg_extern(sql = false)]
fn future_value_next_change<'fcx>(
    purchase_model: JsonbArg<'fcx>,
    spend_model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let value = prepare_value(&mut call, [purchase_model, spend_model], cuts, options).as_ref()?;
    let valued = value.valued(&history, as_of).or_raise();
    with_later_purchases(&history, as_of, |until| match valued {
        Some(valued) => valued.next_change(value.cuts, as_of, until),
        None => Ok(None),
    })
    .or_raise()
}
