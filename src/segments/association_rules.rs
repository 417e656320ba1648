//! SQL face of [`segmentation_core::segments::association_rules`]: `basket_counts`, `association_rules`. Declared in
//! `sql/segments/association_rules.sql`.

use std::ffi::CStr;

use pgrx::datum::Array;
use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::base::memory;
use segmentation_core::segments::association_rules::{BasketCounts, Rule, RuleOptions};
use serde_json::Value as Json;

use crate::base::bytes_type;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::{CallSite, OrRaise, interrupt};

impl Flat for BasketCounts {
    const SQL_NAME: &'static str = "basket_counts";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        BasketCounts::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        BasketCounts::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn basket_counts_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<BasketCounts>(text).or_raise()
}

#[pg_extern(sql = false)]
fn basket_counts_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<BasketCounts>(message.rest()).or_raise()
}

#[pg_extern(sql = false)]
fn basket_counts_add<'fcx>(
    state: Option<ExpandedArg<'fcx, BasketCounts>>,
    basket: Option<Array<'fcx, &'fcx str>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, BasketCounts> {
    let mut state = resume(state, &call, BasketCounts::default);
    if let Some(basket) = basket {
        state.value().add(basket.iter().flatten()).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn basket_counts_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, BasketCounts>>,
    other: Option<ExpandedArg<'fcx, BasketCounts>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, BasketCounts>> {
    merge(state, other, &call, BasketCounts::merge)
}

#[pg_extern(sql = false)]
fn association_rules_json<'fcx>(
    counts: ExpandedArg<'fcx, BasketCounts>,
    options: JsonbArg<'fcx>,
) -> JsonbOut {
    let options = options.value("options").and_then(|value| RuleOptions::from_json(&value)).or_raise();
    counts.with(|counts| {
        let rules = counts.rules(&options, &mut interrupt).or_raise();
        // Many small pieces: memory that runs out is noticed in between.
        let rows = rules.iter().inspect(|_| interrupt()).map(Rule::to_json);
        JsonbOut(Json::Array(memory::collect(rows).or_raise()))
    })
}
