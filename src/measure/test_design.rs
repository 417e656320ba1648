//! SQL face of [`segmentation_core::measure::test_design`]: `sample_size`, `ab_result`. Declared in
//! `sql/measure/test_design.sql`.

use pgrx::prelude::*;
use segmentation_core::measure::test_design;

use crate::pg::row::Column;
use crate::pg::value::Value;
use crate::pg::{CallSite, OrRaise};

#[pg_extern(sql = false)]
fn sample_size<'fcx>(
    base_rate: f64,
    lift: f64,
    power: f64,
    significance: f64,
    held_out: f64,
    mut call: CallSite<'fcx>,
) -> Value {
    let size = test_design::sample_size(base_rate, lift, power, significance, held_out).or_raise();
    call.shape().row([
        Column::I64(size.treated as i64),
        Column::I64(size.held_out as i64),
        Column::F64(size.target_rate),
        Column::F64(size.exact),
    ])
}

#[pg_extern(sql = false)]
fn ab_result<'fcx>(
    treated: i64,
    successes: i64,
    held_out: i64,
    held_out_successes: i64,
    level: f64,
    mut call: CallSite<'fcx>,
) -> Value {
    let result = test_design::ab_result(treated, successes, held_out, held_out_successes, level).or_raise();
    let (difference, lower, upper) = result.difference;
    call.shape().row([
        Column::F64(result.treated_rate),
        Column::F64(result.held_out_rate),
        Column::F64(difference),
        Column::F64(lower),
        Column::F64(upper),
        result.lift.map_or(Column::Null, Column::F64),
        Column::F64(result.p_value),
        Column::Text(result.verdict),
    ])
}

#[pg_extern(sql = false)]
fn wilson_interval<'fcx>(successes: f64, n: f64, level: f64, mut call: CallSite<'fcx>) -> Value {
    let z = test_design::level_z(level).or_raise();
    let (lower, upper) = test_design::wilson(successes, n, z);
    call.shape().row([Column::F64(lower), Column::F64(upper)])
}
