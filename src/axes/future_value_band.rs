//! SQL face of [`segmentation_core::axes::future_value_band`]: `future_value_band`, `future_value_next_change`. Declared
//! in `sql/axes/future_value_band.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::axes::future_value_band::{self, Valued, value_options};
use segmentation_core::axes::pmg::Cuts;
use segmentation_core::axes::silence::with_later_turnover;
use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::spend_model::{SpendModel, ValueOptions};
use segmentation_core::models::value_stack::ValueScorer;

use crate::base::cuts::pmg_cuts;
use crate::base::purchases::{Prepared, customer_summary, prepare_purchases};
use crate::base::value_stacks::prepare_value_stack;
use crate::models::spend_model::{prepare_spend, spent};
use crate::pg::jsonb::JsonbArg;
use crate::pg::numeric::NumericArg;
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise};

/// The band without models, purchases or limits.
const INSUFFICIENT_DATA: &str = "insufficient_data";

/// Both models, the limits of the bands, and how value counts.
struct BandRules {
    purchases: Prepared,
    spend: SpendModel,
    cuts: Cuts,
    options: ValueOptions,
}

impl BandRules {
    fn valued(&self, history: &[u8], as_of: Day) -> Result<Option<Valued<'_>>> {
        let (Some(customer), Some(spent)) =
            (customer_summary(history, as_of)?, spent(&self.spend, history, as_of)?)
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
        let parts = (prepare_purchases(models[0])?, prepare_spend(models[1])?, pmg_cuts(cuts)?);
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
    let cuts = *call.memo(&[Key::of(cuts)], || pmg_cuts(cuts)).or_raise();
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
    let history = History::read(&history).or_raise();
    with_later_turnover(&history, as_of, |until| match valued {
        Some(valued) => valued.next_change(value.cuts, as_of, until),
        None => Ok(None),
    })
    .or_raise()
}

/// A stack, the limits of the bands, discount rate and margin.
struct StackRules {
    scorer: ValueScorer,
    cuts: Cuts,
    options: ValueOptions,
}

#[pg_extern(sql = false)]
fn future_value_next_change_stack<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    next_change_by_stack((model, cuts, options), history, as_of, i32::MAX, &mut call)
}

#[pg_extern(sql = false)]
fn future_value_next_change_stack_until<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    options: JsonbArg<'fcx>,
    until: i32,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    next_change_by_stack((model, cuts, options), history, as_of, until, &mut call)
}

/// The first day of another band, by a stack, limits and options; changes after `limit` are not looked for.
fn next_change_by_stack<'fcx>(
    (model, cuts, options): (JsonbArg<'fcx>, Value, JsonbArg<'fcx>),
    history: BytesArg<'fcx>,
    as_of: i32,
    limit: i32,
    call: &mut CallSite<'fcx>,
) -> Option<i32> {
    let rules = call
        .memo(&[Key::of(model), Key::of(cuts), Key::of(options)], || {
            Ok(match (prepare_value_stack(model)?, pmg_cuts(cuts)?) {
                (Some(scorer), Some(cuts)) => {
                    let options = scorer.read_options(&options.value("options")?)?;
                    Some(StackRules { scorer, cuts, options })
                }
                _ => None,
            })
        })
        .or_raise()
        .as_ref()?;
    let history = History::read(&history).or_raise();
    let customer = rules.scorer.customer(&history, as_of).or_raise();
    with_later_turnover(&history, as_of, |until| match &customer {
        Some(customer) => {
            let band = |value| Ok(rules.cuts.class(Money::from_f64(value)?));
            rules.scorer.next_change(customer, as_of, until.min(limit), &rules.options, band)
        }
        None => Ok(None),
    })
    .or_raise()
}
