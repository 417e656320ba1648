//! SQL face of [`segmentation_core::measure::uplift`]: the aggregate `uplift` and its mergeable state
//! `uplift_values`. Declared in `sql/measure/uplift.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::base::json::Object;
use segmentation_core::measure::uplift::{Kind, Outcomes, Uplift};

use crate::base::bytes_type;
use crate::base::options::{self, Options, WithOptions};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbArg;
use crate::pg::message::Message;
use crate::pg::row::Column;
use crate::pg::value::Value;
use crate::pg::{CallSite, OrRaise, interrupt};

impl Flat for Outcomes {
    const SQL_NAME: &'static str = "uplift_values";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Outcomes::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Outcomes::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn uplift_values_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<Outcomes>(text).or_raise()
}

#[pg_extern(sql = false)]
fn uplift_values_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<Outcomes>(message.rest()).or_raise()
}

/// `{"level": 0.95}`
struct UpliftOptions {
    level: f64,
}

impl Options for UpliftOptions {
    const FIELDS: &[&str] = &["level"];

    fn read(object: &Object) -> Result<Self> {
        Ok(UpliftOptions { level: object.number("level", 0.5, 0.999_999)?.unwrap_or(0.95) })
    }
}

macro_rules! transitions {
    ($($name:ident, $with_options:ident: $type:ty, $kind:expr, $outcome:expr;)*) => {$(
        #[pg_extern(sql = false)]
        fn $name<'fcx>(
            state: Option<ExpandedArg<'fcx, Outcomes>>,
            assigned: Option<bool>,
            outcome: Option<$type>,
            call: CallSite<'fcx>,
        ) -> Expanded<'fcx, Outcomes> {
            let mut state = resume(state, &call, || Outcomes::new($kind));
            state.value().add(assigned, outcome.map($outcome)).or_raise();
            state
        }

        #[pg_extern(sql = false)]
        fn $with_options<'fcx>(
            state: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
            assigned: Option<bool>,
            outcome: Option<$type>,
            options: Option<JsonbArg<'fcx>>,
            mut call: CallSite<'fcx>,
        ) -> Expanded<'fcx, WithOptions<Outcomes>> {
            let first = || Outcomes::new($kind);
            let mut state = WithOptions::resume::<UpliftOptions>(state, options, &mut call, first);
            state.value().state.add(assigned, outcome.map($outcome)).or_raise();
            state
        }
    )*};
}

transitions! {
    uplift_values_add_rate, uplift_add_rate: bool, Kind::Rate, |happened| f64::from(u8::from(happened));
    uplift_values_add, uplift_add: f64, Kind::Value, |value| value;
}

#[pg_extern(sql = false)]
fn uplift_values_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Outcomes>>,
    other: Option<ExpandedArg<'fcx, Outcomes>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Outcomes>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn uplift_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<Outcomes>>> {
    merge(state, other, &call, |state, other| {
        state.absorb(other, |state, other| state.merge(other, &mut interrupt))
    })
}

fn row(outcomes: &Outcomes, options: &UpliftOptions, call: &mut CallSite) -> Value {
    let uplift: Uplift = outcomes.uplift(options.level).or_raise();
    let number = |value: Option<f64>| value.map_or(Column::Null, Column::F64);
    let [incremental, incremental_lower, incremental_upper] = uplift.incremental();
    call.shape().row([
        Column::I64(uplift.assigned.customers as i64),
        Column::I64(uplift.held_out.customers as i64),
        number(uplift.assigned.mean),
        number(uplift.held_out.mean),
        number(uplift.difference),
        number(uplift.interval.map(|i| i.0)),
        number(uplift.interval.map(|i| i.1)),
        number(uplift.p_value),
        number(uplift.relative),
        number(uplift.relative_lower),
        number(uplift.relative_upper),
        number(incremental),
        number(incremental_lower),
        number(incremental_upper),
        Column::I64(uplift.skipped as i64),
        Column::Text(uplift.verdict),
    ])
}

#[pg_extern(sql = false)]
fn uplift_final<'fcx>(state: ExpandedArg<'fcx, Outcomes>, mut call: CallSite<'fcx>) -> Value {
    state.with(|state| row(state, &options::none::<UpliftOptions>(), &mut call))
}

#[pg_extern(sql = false)]
fn uplift_options_final<'fcx>(
    state: ExpandedArg<'fcx, WithOptions<Outcomes>>,
    mut call: CallSite<'fcx>,
) -> Value {
    state.with(|state| row(&state.state, &state.options::<UpliftOptions>().or_raise(), &mut call))
}

#[pg_extern(sql = false)]
fn uplift_of_values<'fcx>(
    values: ExpandedArg<'fcx, Outcomes>,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Value {
    let options: UpliftOptions = options::read(options).or_raise();
    values.with(|state| row(state, &options, &mut call))
}
