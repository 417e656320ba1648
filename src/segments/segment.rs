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
use crate::pg::jsonb::{JsonbArg, JsonbOut, JsonbText};
use crate::pg::record::{self, RecordArg};
use crate::pg::value::Value;
use crate::pg::{CallSite, Key, OrRaise, interrupt};

/// A definition, and the days that it compares with as of the last day it was asked for.
struct Prepared {
    definition: Definition,
    as_of: Option<Day>,
    days: Vec<Day>,
}

impl Prepared {
    /// `folded`: fields whose texts come in lower case.
    fn new(definition: JsonbArg, as_of: Option<Day>, folded: &[&str]) -> Result<Self> {
        let definition =
            Definition::parse(sized(definition)?)?.folded(|field| folded.contains(&field), record::lower);
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

/// A definition, and where to evaluate it.
type Ready<'c> = (&'c Definition, Context<'c>);

/// The definition of a call site, read once; with the fields of a row whose texts come in lower case.
fn prepared<'c>(
    call: &'c mut CallSite,
    definition: JsonbArg,
    as_of: Option<Day>,
    folded: Option<&[&str]>,
) -> Result<Ready<'c>> {
    let prepared = match folded {
        None => call.memo(&[Key::of(definition)], || Prepared::new(definition, as_of, &[]))?,
        // Rows of another type may come to the same call site.
        Some(folded) => {
            let names = folded.join("\0");
            call.memo(&[Key::of(definition), Key::bytes(names.as_bytes())], || {
                Prepared::new(definition, as_of, folded)
            })?
        }
    };
    prepared.context(as_of)?;
    Ok((&prepared.definition, Context { days: &prepared.days, as_of }))
}

/// What a definition says of an object.
fn of_object<R>(
    definition: JsonbArg,
    attributes: JsonbArg,
    as_of: Option<Day>,
    call: &mut CallSite,
    ask: impl FnOnce(&Definition, JsonNode, Context) -> R,
) -> R {
    let (definition, context) = prepared(call, definition, as_of, None).or_raise();
    ask(definition, customer(attributes).or_raise(), context)
}

/// What it says of a row.
fn of_row<R>(
    definition: JsonbArg,
    attributes: RecordArg,
    as_of: Option<Day>,
    call: &mut CallSite,
    ask: impl FnOnce(&Definition, JsonNode, Context) -> R,
) -> R {
    let (attributes, row_type) = attributes.to_jsonb(true, call);
    let folded: Vec<String> = row_type.folded().map(str::to_owned).collect();
    let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
    let (definition, context) = prepared(call, definition, as_of, Some(&folded)).or_raise();
    ask(definition, customer(attributes).or_raise(), context)
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

/// A row as an object, texts without the trailing blanks of character(n).
#[pg_extern(sql = false)]
fn row_attributes<'fcx>(row: RecordArg<'fcx>, mut call: CallSite<'fcx>) -> Value {
    row.to_jsonb(false, &mut call).0.into_value()
}

fn assign(definition: &Definition, customer: JsonNode, context: Context) -> Option<String> {
    definition.assign(customer, context).map(str::to_owned)
}

#[pg_extern(sql = false)]
fn segment_assign<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    of_object(definition?, attributes?, as_of, &mut call, assign)
}

#[pg_extern(sql = false)]
fn segment_assign_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    of_row(definition?, attributes?, as_of, &mut call, assign)
}

fn memberships(definition: &Definition, customer: JsonNode, context: Context) -> Vec<String> {
    definition.memberships(customer, context).into_iter().map(str::to_owned).collect()
}

#[pg_extern(sql = false)]
fn segment_memberships<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<String>> {
    Some(of_object(definition?, attributes?, as_of, &mut call, memberships))
}

#[pg_extern(sql = false)]
fn segment_memberships_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<String>> {
    Some(of_row(definition?, attributes?, as_of, &mut call, memberships))
}

fn explain(definition: &Definition, customer: JsonNode, context: Context) -> JsonbText {
    JsonbText(definition.explain(customer, context))
}

#[pg_extern(sql = false)]
fn segment_explain<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<JsonbText> {
    Some(of_object(definition?, attributes?, as_of, &mut call, explain))
}

#[pg_extern(sql = false)]
fn segment_explain_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<JsonbText> {
    Some(of_row(definition?, attributes?, as_of, &mut call, explain))
}

fn truths(definition: &Definition, customer: JsonNode, context: Context) -> Vec<Option<bool>> {
    definition.truths(customer, context)
}

#[pg_extern(sql = false)]
fn segment_truths<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<Option<bool>>> {
    Some(of_object(definition?, attributes?, as_of, &mut call, truths))
}

#[pg_extern(sql = false)]
fn segment_truths_record<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<RecordArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<Vec<Option<bool>>> {
    Some(of_row(definition?, attributes?, as_of, &mut call, truths))
}

/// `clocks`: fields that grow by one a day.
#[pg_extern(sql = false)]
fn segment_next_day<'fcx>(
    definition: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    as_of: Option<i32>,
    clocks: Option<Vec<Option<String>>>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let clocks: Vec<String> = clocks.into_iter().flatten().flatten().collect();
    of_object(definition?, attributes?, as_of, &mut call, |definition, customer, context| {
        definition.next_day(customer, context, &clocks)
    })
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

#[allow(clippy::type_complexity, reason = "pgrx reads the columns from the type as it is written")]
#[pg_extern(sql = false)]
fn segment_reads(
    definition: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(path, String),
        name!(field, Vec<String>),
        name!(events, Option<Vec<String>>),
        name!(read_as, &'static str),
        name!(texts, Vec<String>),
    ),
> {
    let definition = sized(definition).and_then(Definition::parse).or_raise();
    let rows: Vec<_> = definition
        .reads()
        .into_iter()
        .map(|read| {
            let texts = read.texts.into_iter().map(str::to_owned).collect();
            (read.path, read.field.to_vec(), read.events.map(<[String]>::to_vec), read.as_a.name(), texts)
        })
        .collect();
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
    let folded: Vec<&str> =
        listed.iter().filter(|(_, class)| **class == Column::Citext).map(|(name, _)| name.as_str()).collect();
    let mut prepared = Prepared::new(definition?, as_of, &folded).or_raise();
    let definition = prepared.definition.clone();
    let context = prepared.context(as_of).or_raise();
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
