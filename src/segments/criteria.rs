//! SQL face of [`segmentation_core::segments::criteria`]: the aggregate `criterion`, on which
//! `criteria_report` stands. Declared in `sql/segments/criteria.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::segments::criteria::{Criterion, Observed};

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbOut;
use crate::pg::{CallSite, OrRaise};

impl Flat for Criterion {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(Criterion::to_bytes(self))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Criterion::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn criterion_add_number<'fcx>(
    state: Option<ExpandedArg<'fcx, Criterion>>,
    number: Option<f64>,
    target: Option<f64>,
    class: Option<&'fcx str>,
    value: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Criterion> {
    let mut state = resume(state, &call, Criterion::default);
    state.value().add(number.map(Observed::Number), target, class, value).or_raise();
    state
}

#[pg_extern(sql = false)]
fn criterion_add_text<'fcx>(
    state: Option<ExpandedArg<'fcx, Criterion>>,
    category: Option<&'fcx str>,
    target: Option<f64>,
    class: Option<&'fcx str>,
    value: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Criterion> {
    let mut state = resume(state, &call, Criterion::default);
    state.value().add(category.map(Observed::Text), target, class, value).or_raise();
    state
}

#[pg_extern(sql = false)]
fn criterion_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Criterion>>,
    other: Option<ExpandedArg<'fcx, Criterion>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Criterion>> {
    merge(state, other, &call, Criterion::merge)
}

#[pg_extern(sql = false)]
fn criterion_final(state: ExpandedArg<'_, Criterion>) -> JsonbOut {
    JsonbOut(state.with(Criterion::report).or_raise())
}
