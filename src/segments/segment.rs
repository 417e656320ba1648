//! SQL face of [`segmentation_core::segments::segment`]: `segment_assign` and its kin.
//! Declared in `sql/segments/segment.sql`.

use std::collections::HashMap;

use pgrx::prelude::*;
use segmentation_core::base::day::Day;
use segmentation_core::base::document::{Node, View};
use segmentation_core::base::unfitted::unfitted;
use segmentation_core::segments::segment::{
    Answer, Column, Context, Definition, Lookalike, LookalikeModel, MAX_BYTES, Source, read_day,
};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::json_tree::JsonNode;
use crate::pg::jsonb::{JsonbArg, JsonbOut, JsonbText, RecordArg};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

/// A definition, and the days that it compares with as of the last day it was asked for.
struct Prepared {
    definition: Definition,
    as_of: Option<Day>,
    days: Vec<Day>,
}

impl Prepared {
    fn new(definition: JsonbArg, as_of: Option<Day>) -> Result<Self> {
        let definition = Definition::parse(sized(definition)?)?;
        let days = definition.days(as_of)?;
        Ok(Prepared { definition, as_of, days })
    }

    fn context(&mut self, as_of: Option<Day>) -> Result<Context<'_>> {
        if self.as_of != as_of {
            self.days = self.definition.days(as_of)?;
            self.as_of = as_of;
        }
        Ok(Context { days: &self.days, as_of })
    }
}

fn sized(definition: JsonbArg) -> Result<JsonNode> {
    let bytes = definition.content();
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::LimitExceeded, "the segment definition is too large")
            .detail(format!("It has {} bytes; at most {MAX_BYTES} are accepted.", bytes.len())));
    }
    Ok(JsonNode::root(bytes))
}

/// The definition of a call site, read once, and where to evaluate it.
fn prepared<'c>(
    call: &'c mut CallSite,
    definition: JsonbArg,
    as_of: Option<Day>,
) -> Result<(&'c Definition, Context<'c>)> {
    let prepared = call.memo(&[Key::of(definition)], || Prepared::new(definition, as_of))?;
    prepared.context(as_of)?;
    Ok((&prepared.definition, Context { days: &prepared.days, as_of }))
}

fn customer(attributes: JsonbArg) -> Result<JsonNode> {
    let node = attributes.node();
    match node.view() {
        View::Object(node) => Ok(node),
        _ => Err(Error::invalid("attributes must be a JSON object")
            .detail("They are a list, or a single value.")
            .hint("Give one object a customer, for instance to_jsonb(customers).")),
    }
}

#[pg_extern(sql = false)]
fn segment_assign<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    let (definition, context) = prepared(&mut call, definition?, as_of).or_raise();
    definition.assign(customer(attributes?).or_raise(), context).map(str::to_owned)
}

#[pg_extern(sql = false)]
fn segment_assign_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<String> {
    segment_assign(definition, attributes.map(RecordArg::to_jsonb), as_of, call)
}

#[pg_extern(sql = false)]
fn segment_memberships<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<String>> {
    let (definition, context) = prepared(&mut call, definition?, as_of).or_raise();
    let customer = customer(attributes?).or_raise();
    Some(definition.memberships(customer, context).into_iter().map(str::to_owned).collect())
}

#[pg_extern(sql = false)]
fn segment_memberships_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<Vec<String>> {
    segment_memberships(definition, attributes.map(RecordArg::to_jsonb), as_of, call)
}

#[pg_extern(sql = false)]
fn segment_explain<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<JsonbText> {
    let (definition, context) = prepared(&mut call, definition?, as_of).or_raise();
    Some(JsonbText(definition.explain(customer(attributes?).or_raise(), context)))
}

#[pg_extern(sql = false)]
fn segment_explain_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    call: CallSite<'fcx>,
) -> Option<JsonbText> {
    segment_explain(definition, attributes.map(RecordArg::to_jsonb), as_of, call)
}

#[pg_extern(sql = false)]
fn segment_truths<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<Option<bool>>> {
    let (definition, context) = prepared(&mut call, definition?, as_of).or_raise();
    Some(definition.truths(customer(attributes?).or_raise(), context))
}

#[pg_extern(sql = false)]
fn segment_conditions(
    definition: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(place, i32),
        name!(segment, Option<String>),
        name!(whole, bool),
        name!(path, String),
        name!(condition, String),
    ),
> {
    let definition = sized(definition).and_then(Definition::parse).or_raise();
    let mut rows = Vec::new();
    for (place, (segment, condition)) in definition.conditions().into_iter().enumerate() {
        let whole = condition.path.ends_with("].when") && condition.path.matches(".when").count() == 1;
        rows.push((
            place as i32 + 1,
            segment.map(str::to_owned),
            whole,
            condition.path.clone(),
            definition.describe(condition),
        ));
    }
    TableIterator::new(rows)
}

#[pg_extern(sql = false)]
fn segment_codes(definition: JsonbArg<'_>) -> Vec<String> {
    let definition = sized(definition).and_then(Definition::parse).or_raise();
    let mut codes: Vec<String> = definition.segments().into_iter().map(str::to_owned).collect();
    // Once in all, so that a look through the list is linear.
    if let Some(default) = definition.default.filter(|default| !codes.contains(default)) {
        codes.push(default);
    }
    codes
}

#[pg_extern(sql = false)]
fn segment_check(
    definition: JsonbArg<'_>,
) -> TableIterator<'static, (name!(path, String), name!(fault, String))> {
    let faults = match sized(definition) {
        Ok(node) => Definition::check(node).err().unwrap_or_default(),
        Err(error) => Err(error).or_raise(),
    };
    TableIterator::new(faults.into_iter().map(|fault| (fault.path, fault.fault)))
}

/// `columns`: an object of classes by name, or NULL for a jsonb column called `column`.
#[pg_extern(sql = false)]
fn segment_sql<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    columns: Option<JsonbArg<'fcx>>,
    alias: Option<String>,
    column: Option<String>,
    memberships: Option<bool>,
) -> Option<String> {
    let mut prepared = Prepared::new(definition?, as_of).or_raise();
    let definition = prepared.definition.clone();
    let context = prepared.context(as_of).or_raise();
    let listed: HashMap<String, Column> = columns
        .iter()
        .flat_map(|columns| columns.node().members())
        .map(|(name, class)| {
            let class = match class.view() {
                View::Text(class) => Column::parse(&String::from_utf8_lossy(class)),
                _ => Column::Other,
            };
            (name.into_owned(), class)
        })
        .collect();
    let alias = alias.as_deref();
    let source = match columns {
        Some(_) => Source::Columns { alias, columns: &listed },
        None => Source::Attributes { alias, column: column.as_deref().unwrap_or("attributes") },
    };
    let answer = if memberships.unwrap_or(false) { Answer::Memberships } else { Answer::Assign };
    Some(definition.sql(context, &source, answer).or_raise())
}

#[pg_extern(sql = false)]
fn segment_date(text: &str) -> Option<i32> {
    read_day(text.as_bytes())
}

// Lookalikes

impl Flat for Lookalike {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Lookalike::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Lookalike::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn lookalike_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Lookalike>>,
    member: Option<bool>,
    features: Option<JsonbArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Lookalike> {
    let mut state = resume(state, &call, Lookalike::default);
    if let (Some(member), Some(features)) = (member, features) {
        state.value().add(member, customer(features).or_raise()).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn lookalike_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Lookalike>>,
    other: Option<ExpandedArg<'fcx, Lookalike>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Lookalike>> {
    merge(state, other, &call, |state, other| {
        interrupt();
        state.merge(other);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn lookalike_final(state: ExpandedArg<'_, Lookalike>) -> JsonbOut {
    JsonbOut(
        state
            .with(|state| match state.model() {
                Err(error) if error.kind == ErrorKind::NotReady => {
                    Ok(unfitted("lookalike", json!({ "features": null }), &error))
                }
                model => model,
            })
            .or_raise(),
    )
}

#[pg_extern(sql = false)]
fn lookalike_score<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let model = call.memo(&[Key::of(model)], || LookalikeModel::parse(model.node())).or_raise();
    Some(model.as_ref()?.score(customer(features).or_raise()))
}

#[pg_extern(sql = false)]
fn lookalike_explain<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<JsonbOut> {
    let model = call.memo(&[Key::of(model)], || LookalikeModel::parse(model.node())).or_raise();
    Some(JsonbOut(model.as_ref()?.explain(customer(features).or_raise())))
}
