//! SQL face of [`segmentation_core::models::profile`]: `fit_profile`, `profile_assign`,
//! `profile_describe`, `profile_quality`, `profile_map`. Declared in `sql/models/profile.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use std::borrow::Cow;
use std::ffi::CStr;
use std::rc::Rc;

use pgrx::datum::Array;
use pgrx::prelude::*;
use segmentation_core::base::document::{Node, View};
use segmentation_core::models::profile::{Assignment, ProfileModel, ProfileOptions, ProfileRows, fit};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value as Json};

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::json_tree::JsonNode;
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::message::Message;
use crate::pg::row::Column;
use crate::pg::value::Value;
use crate::pg::{CallSite, Key, OrRaise, interrupt};

impl Flat for ProfileRows {
    const SQL_NAME: &'static str = "profile_rows";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        ProfileRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        ProfileRows::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn profile_rows_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<ProfileRows>(text).or_raise()
}

#[pg_extern(sql = false)]
fn profile_rows_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<ProfileRows>(message.rest()).or_raise()
}

/// The options of a call, parsed once.
fn options(options: Option<JsonbArg>, call: &mut CallSite) -> Result<Rc<ProfileOptions>> {
    let options = options.ok_or_else(|| not_constant("options"))?;
    let parsed = call
        .memo(&[Key::of(options)], || ProfileOptions::from_json(&options.value("options")?).map(Rc::new))?;
    Ok(Rc::clone(parsed))
}

fn checked<'a>(rows: &'a mut ProfileRows, options: &Rc<ProfileOptions>) -> Result<&'a mut ProfileRows> {
    if !Rc::ptr_eq(rows.options(), options) && rows.options() != options {
        return Err(not_constant("options"));
    }
    Ok(rows)
}

fn add_array(rows: &mut ProfileRows, features: Option<Array<f64>>) -> Result<()> {
    match features {
        Some(features) => rows.add_array(features.iter().collect::<Vec<_>>().into_iter()),
        None => {
            rows.skip();
            Ok(())
        }
    }
}

fn object(features: JsonbArg) -> Result<Map<String, Json>> {
    match features.value("features")? {
        Json::Object(map) => Ok(map),
        _ => Err(Error::invalid("features must be a JSON object")),
    }
}

fn add_named(rows: &mut ProfileRows, features: Option<JsonbArg>) -> Result<()> {
    match features {
        Some(features) => rows.add_named(&object(features)?),
        None => {
            rows.skip();
            Ok(())
        }
    }
}

#[pg_extern(sql = false)]
fn profile_rows_add_array<'fcx>(
    state: Option<ExpandedArg<'fcx, ProfileRows>>,
    features: Option<Array<'fcx, f64>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ProfileRows> {
    let options = Rc::clone(call.remember(|_| Rc::new(ProfileOptions::default())));
    let mut state = resume(state, &call, || ProfileRows::new(Rc::clone(&options)));
    checked(state.value(), &options).and_then(|rows| add_array(rows, features)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn profile_rows_add_array_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ProfileRows>>,
    features: Option<Array<'fcx, f64>>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ProfileRows> {
    let options = options(given, &mut call).or_raise();
    let mut state = resume(state, &call, || ProfileRows::new(Rc::clone(&options)));
    checked(state.value(), &options).and_then(|rows| add_array(rows, features)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn profile_rows_add_named<'fcx>(
    state: Option<ExpandedArg<'fcx, ProfileRows>>,
    features: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ProfileRows> {
    let options = Rc::clone(call.remember(|_| Rc::new(ProfileOptions::default())));
    let mut state = resume(state, &call, || ProfileRows::new(Rc::clone(&options)));
    checked(state.value(), &options).and_then(|rows| add_named(rows, features)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn profile_rows_add_named_options<'fcx>(
    state: Option<ExpandedArg<'fcx, ProfileRows>>,
    features: Option<JsonbArg<'fcx>>,
    given: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, ProfileRows> {
    let options = options(given, &mut call).or_raise();
    let mut state = resume(state, &call, || ProfileRows::new(Rc::clone(&options)));
    checked(state.value(), &options).and_then(|rows| add_named(rows, features)).or_raise();
    state
}

#[pg_extern(sql = false)]
fn profile_rows_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, ProfileRows>>,
    other: Option<ExpandedArg<'fcx, ProfileRows>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, ProfileRows>> {
    merge(state, other, &call, |state, other| state.merge(other, &mut interrupt))
}

#[pg_extern(sql = false)]
fn fit_profile(rows: ExpandedArg<'_, ProfileRows>) -> JsonbOut {
    rows.with(|rows| match fit(rows, &mut interrupt) {
        Ok(model) => JsonbOut(model.to_json()),
        Err(error) if error.kind == ErrorKind::NotReady => {
            JsonbOut(ProfileModel::unfitted(&error, rows.taken()))
        }
        Err(error) => Err(error).or_raise(),
    })
}

/// Reads a model; `None` if it is one that could not be fitted.
fn prepare(model: JsonbArg) -> Result<Option<ProfileModel>> {
    let value = model.value("profile model")?;
    if ProfileModel::is_unfitted(&value) {
        return Ok(None);
    }
    ProfileModel::from_json(&value).map(Some)
}

fn assignment_row(assignment: Option<Assignment>, call: &mut CallSite) -> Option<Value> {
    let assignment = assignment?;
    let columns = [
        Column::Text(&assignment.code),
        Column::F64(assignment.distance),
        Column::F64(assignment.confidence),
        assignment.next.as_deref().map_or(Column::Null, Column::Text),
    ];
    Some(call.shape().row(columns))
}

#[pg_extern(sql = false)]
fn profile_assign_array<'fcx>(
    model: JsonbArg<'fcx>,
    features: Array<'fcx, f64>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    let values: Vec<Option<f64>> = features.iter().collect();
    let assignment = model.assign_array(&values).or_raise();
    assignment_row(assignment, &mut call)
}

#[pg_extern(sql = false)]
fn profile_assign_named<'fcx>(
    model: JsonbArg<'fcx>,
    features: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    let assignment = features_of(features).and_then(|features| model.assign(|name| value(&[features], name)));
    assignment_row(assignment.or_raise(), &mut call)
}

/// By the features of two objects, of which the second goes first.
#[pg_extern(sql = false)]
fn profile_assign_both<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    company: Option<JsonbArg<'fcx>>,
    attributes: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let model = model?;
    let given: Result<Vec<JsonNode>> = [attributes, company].into_iter().flatten().map(features_of).collect();
    let given = given.or_raise();
    if given.is_empty() {
        return None;
    }
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    let assignment = model.assign(|name| value(&given, name)).or_raise();
    assignment_row(assignment, &mut call)
}

fn features_of(features: JsonbArg<'_>) -> Result<JsonNode<'_>> {
    match features.node().view() {
        View::Object(node) => Ok(node),
        _ => Err(Error::invalid("features must be a JSON object")),
    }
}

/// A feature of the first object that has it, read where it lies.
fn value<'v>(given: &[JsonNode], name: &str) -> Result<Cow<'v, Json>> {
    let found = given.iter().find_map(|node| node.get(name));
    Ok(Cow::Owned(found.map_or(Ok(Json::Null), |node| node.to_tree("features"))?))
}

#[pg_extern(sql = false)]
fn profile_describe(
    model: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(code, String),
        name!(name, String),
        name!(name_fr, String),
        name!(customers, i64),
        name!(share, f64),
        name!(feature, String),
        name!(category, Option<String>),
        name!(centre, f64),
        name!(population, f64),
        name!(lift, Option<f64>),
        name!(deviation, Option<f64>),
    ),
> {
    let rows = prepare(model).or_raise().map(|model| model.describe()).unwrap_or_default();
    TableIterator::new(rows.into_iter().map(|r| {
        let customers = r.customers as i64;
        (
            r.code,
            r.name,
            r.name_fr,
            customers,
            r.share,
            r.feature,
            r.category,
            r.centre,
            r.population,
            r.lift,
            r.deviation,
        )
    }))
}

#[pg_extern(sql = false)]
fn profile_quality(
    model: JsonbArg<'_>,
) -> TableIterator<'static, (name!(measure, String), name!(code, Option<String>), name!(value, Option<f64>))>
{
    let mut rows = Vec::new();
    if let Some(model) = prepare(model).or_raise() {
        for (measure, value) in model.quality() {
            rows.push((measure.clone(), None, value.as_f64()));
        }
        for (code, customers, share, radius, silhouette) in model.sizes() {
            let mut push =
                |measure: &str, value| rows.push((measure.to_owned(), Some(code.to_owned()), value));
            push("customers", Some(customers as f64));
            push("share", Some(share));
            push("radius", Some(radius));
            push("silhouette", silhouette);
        }
    }
    TableIterator::new(rows)
}

#[pg_extern(sql = false)]
fn profile_map(
    model: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(code, String),
        name!(customers, i64),
        name!(share, f64),
        name!(x, f64),
        name!(y, f64),
        name!(spread_x, f64),
        name!(spread_y, f64),
        name!(explained_x, Option<f64>),
        name!(explained_y, Option<f64>),
    ),
> {
    let rows = match prepare(model).or_raise() {
        Some(model) => model.map().or_raise(),
        None => Vec::new(),
    };
    TableIterator::new(rows.into_iter().map(|r| {
        let [x, y] = r.centre;
        let [spread_x, spread_y] = r.spread;
        let explained = r.explained;
        (
            r.code,
            r.customers as i64,
            r.share,
            x,
            y,
            spread_x,
            spread_y,
            explained.map(|e| e[0]),
            explained.map(|e| e[1]),
        )
    }))
}
