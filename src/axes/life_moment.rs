//! SQL face of [`segmentation_core::axes::life_moment`], [`segmentation_core::math::rate_ratio`] and
//! [`segmentation_core::math::false_discovery`]: the
//! detectors, `rate_ratio_test`, `q_value`. Declared in `sql/axes/life_moment.sql`.

use pgrx::prelude::*;
use segmentation_core::axes::life_moment::{
    self, AttributeChange, AttributeMapping, DueOptions, FirstOptions, LifeMoment, MarkerOptions,
    PurchaseMoments, ReactivatedOptions, WaningOptions, YearlyOptions,
};
use segmentation_core::math::false_discovery::{Method, QValues, Tests};
use segmentation_core::math::rate_ratio;
use segmentation_core::{Error, Result};

use crate::base::options::given;
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::row::{Column, RowShape};
use crate::pg::value::{BytesArg, Value};
use crate::pg::window::{Window, window_function};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

fn row(shape: RowShape, moment: LifeMoment) -> Value {
    let date = |day: Option<i32>| day.map_or(Column::Null, Column::Date);
    let number = |value: Option<f64>| value.map_or(Column::Null, Column::F64);
    shape.row([
        Column::Text(&moment.moment),
        date(moment.begins),
        date(moment.ends),
        number(moment.confidence),
        number(moment.p_value),
        Column::Jsonb(moment.evidence),
        date(moment.next_change),
    ])
}

fn bytes<'a>(history: Option<BytesArg<'a>>) -> Option<&'a [u8]> {
    history.map(|h| h.0)
}

#[pg_extern(sql = false)]
fn purchase_due<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    alive: Option<f64>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || DueOptions::from_json(&given(options)?)).or_raise();
    let alive = alive.unwrap_or(1.0);
    let moment = life_moment::purchase_due(bytes(history), as_of?, alive, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn waning_interest<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || WaningOptions::from_json(&given(options)?)).or_raise();
    let moment = life_moment::waning_interest(bytes(history), as_of?, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn waning_interest_counts<'fcx>(
    recent: Option<i64>,
    recent_days: Option<f64>,
    before: Option<i64>,
    before_days: Option<f64>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || WaningOptions::from_json(&given(options)?)).or_raise();
    let counts = (recent? as f64, recent_days?, before? as f64, before_days?);
    let moment = life_moment::waning_counts(counts, as_of?, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn rate_ratio_test<'fcx>(
    recent: i64,
    recent_days: f64,
    before: i64,
    before_days: f64,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Value {
    let test =
        rate_ratio::rate_ratio_test(recent as f64, recent_days, before as f64, before_days, level).or_raise();
    call.shape().row([
        test.ratio.map_or(Column::Null, Column::F64),
        Column::F64(test.lower),
        if test.upper.is_finite() { Column::F64(test.upper) } else { Column::Null },
        Column::F64(test.p_value),
    ])
}

#[pg_extern(sql = false)]
fn yearly_recurrence<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    since: Option<i32>,
    moment: Option<&'fcx str>,
    calendar: Option<JsonbArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let read = || {
        let calendar = calendar.map(|c| c.value("calendar")).transpose()?;
        YearlyOptions::from_json(&given(options)?, calendar.as_ref())
    };
    let options = call.memo(&[Key::of(options), Key::of(calendar)], read).or_raise();
    let code = moment.unwrap_or("holiday_ahead");
    let moment = life_moment::yearly_recurrence(bytes(history), as_of?, since, code, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn first_purchase_moment<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || FirstOptions::from_json(&given(options)?)).or_raise();
    let moment = life_moment::first_purchase(bytes(history), as_of?, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn reactivated<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options =
        call.memo(&[Key::of(options)], || ReactivatedOptions::from_json(&given(options)?)).or_raise();
    let moment = life_moment::reactivated(bytes(history), as_of?, options).or_raise();
    Some(row(shape, moment))
}

/// All that purchases tell; options that are NULL: not to be looked for.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn purchase_moments<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    alive: Option<f64>,
    due: Option<JsonbArg<'fcx>>,
    waning: Option<JsonbArg<'fcx>>,
    first: Option<JsonbArg<'fcx>>,
    reactivated: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let (history, as_of) = (history?, as_of?);
    let shape = call.shape();
    let read = || -> Result<PurchaseMoments> {
        let value = |options: Option<JsonbArg>| options.map(|options| options.value("options")).transpose();
        Ok(PurchaseMoments {
            due: value(due)?.as_ref().map(DueOptions::from_json).transpose()?,
            waning: value(waning)?.as_ref().map(WaningOptions::from_json).transpose()?,
            first: value(first)?.as_ref().map(FirstOptions::from_json).transpose()?,
            reactivated: value(reactivated)?.as_ref().map(ReactivatedOptions::from_json).transpose()?,
        })
    };
    let keys = [due, waning, first, reactivated].map(Key::of);
    let moments = call.memo(&keys, read).or_raise();
    let found = moments.of(&history, as_of, alive.unwrap_or(1.0)).or_raise();
    Some(shape.array(found.into_iter().map(|moment| row(shape, moment)).collect()))
}

#[pg_extern(sql = false)]
fn anniversary<'fcx>(
    on: Option<i32>,
    as_of: Option<i32>,
    kind: Option<&'fcx str>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || given(options)).or_raise();
    let kind = kind.unwrap_or("birth_date");
    let moment = life_moment::anniversary(on?, as_of?, kind, options).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn attribute_moment<'fcx>(
    attribute: Option<&'fcx str>,
    changed_on: Option<i32>,
    old_value: Option<&'fcx str>,
    new_value: Option<&'fcx str>,
    as_of: Option<i32>,
    mapping: Option<JsonbArg<'fcx>>,
    is_company: Option<bool>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let read = || match mapping {
        Some(mapping) => AttributeMapping::from_json(&mapping.value("mapping")?),
        None => Ok(AttributeMapping::default()),
    };
    let mapping = call.memo(&[Key::of(mapping)], read).or_raise();
    let change = AttributeChange {
        attribute: attribute?,
        changed_on: changed_on?,
        old_value,
        new_value,
        is_company: is_company.unwrap_or(false),
    };
    let moment = life_moment::attribute_moment(change, as_of?, mapping).or_raise();
    Some(row(shape, moment))
}

#[pg_extern(sql = false)]
fn attribute_moment_mapping() -> JsonbOut {
    JsonbOut(life_moment::default_mapping())
}

#[pg_extern(sql = false)]
fn marker_purchase<'fcx>(
    marker: Option<BytesArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    moment: Option<&'fcx str>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || MarkerOptions::from_json(&given(options)?)).or_raise();
    let code = moment.unwrap_or("birth");
    let moment =
        life_moment::marker_purchase(bytes(marker), bytes(history), as_of?, code, options).or_raise();
    Some(row(shape, moment))
}

// False discovery

/// The q values of the partition are kept by the call site: partitions come one after the other.
fn q_value(window: &mut Window) -> Option<Value> {
    window.partition(|window| {
        let method = window.current(1).ok_or_else(|| Error::invalid("method must not be null"));
        let method = method.and_then(|method| Method::parse(method.text())).or_raise();
        let mut tests = Tests::default();
        window.scan(1, |_, value| {
            if let Some(value) = value {
                tests.add(value.f64()).or_raise();
            }
        });
        let values = tests.finish(method, &mut interrupt).or_raise();
        *window.call.remember(|_| QValues::default()) = values;
    });
    let p_value = window.current(0)?.f64();
    let q = window.call.remember(|_| QValues::default()).get(p_value).or_raise();
    Some(Value::of_f64(q))
}

window_function!(q_value_window, pg_finfo_q_value_window, q_value);
