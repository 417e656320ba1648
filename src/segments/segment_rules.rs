//! SQL face of [`segmentation_core::segments::segment_rules`]: `fit_segment_rules`. Declared in
//! `sql/segments/segment_rules.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::base::document::{Node, View};
use segmentation_core::base::json::Object;
use segmentation_core::segments::segment_rules::{SegmentRows, SegmentRulesOptions, fit_segment_rules};

use crate::base::options::{Options, WithOptions};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::{CallSite, OrRaise, interrupt};

impl Flat for SegmentRows {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        SegmentRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        SegmentRows::from_bytes(bytes)
    }
}

impl Options for SegmentRulesOptions {
    const FIELDS: &[&str] = SegmentRulesOptions::FIELDS;

    fn read(object: &Object) -> Result<Self> {
        SegmentRulesOptions::read(object)
    }
}

fn add(rows: &mut SegmentRows, segment: Option<&str>, features: Option<JsonbArg>) -> Result<()> {
    let (Some(segment), Some(features)) = (segment, features) else {
        rows.skip();
        return Ok(());
    };
    match features.node().view() {
        View::Object(features) => rows.add(segment, features),
        _ => Err(segmentation_core::Error::invalid("features must be a JSON object")),
    }
}

#[pg_extern(sql = false)]
fn segment_rules_add<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<SegmentRows>>>,
    segment: Option<&'fcx str>,
    features: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<SegmentRows>> {
    let mut state = WithOptions::resume::<SegmentRulesOptions>(state, None, &mut call, SegmentRows::default);
    add(&mut state.value().state, segment, features).or_raise();
    state
}

#[pg_extern(sql = false)]
fn segment_rules_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<SegmentRows>>>,
    segment: Option<&'fcx str>,
    features: Option<JsonbArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<SegmentRows>> {
    let mut state =
        WithOptions::resume::<SegmentRulesOptions>(state, options, &mut call, SegmentRows::default);
    add(&mut state.value().state, segment, features).or_raise();
    state
}

#[pg_extern(sql = false)]
fn segment_rules_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<SegmentRows>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<SegmentRows>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<SegmentRows>>> {
    merge(state, other, &call, |state, other| {
        state.absorb(other, |state, other| state.merge(other, &mut interrupt))
    })
}

#[pg_extern(sql = false)]
fn segment_rules_final(state: ExpandedArg<'_, WithOptions<SegmentRows>>) -> Option<JsonbOut> {
    state.with(|state| {
        let options: SegmentRulesOptions = state.options().or_raise();
        fit_segment_rules(&state.state, &options, &mut interrupt).or_raise().map(JsonbOut)
    })
}
