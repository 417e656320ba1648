//! SQL face of [`segmentation_core::models::product_appetence`]: `fit_product_affinity`, `top_products`,
//! `product_score`, `product_next_change`, `appetence_quality`. Declared in `sql/models/product_appetence.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use std::ffi::CStr;
use std::rc::Rc;

use pgrx::prelude::*;
use segmentation_core::models::product_appetence::{
    AffinityModel, AffinityRows, Choice, FitOptions, Offer, OfferOptions, fit, quality,
};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::base::bytes_type;
use crate::base::options::not_constant;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::Memo;
use crate::pg::message::Message;
use crate::pg::row::{Column, RowShape};
use crate::pg::value::{BytesArg, StoredArg, Value};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

impl Flat for AffinityRows {
    const SQL_NAME: &'static str = "affinity_rows";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        AffinityRows::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        AffinityRows::from_bytes(bytes)
    }
}

/// The bytes of a model, whether it could be fitted or not.
struct ModelBytes(Vec<u8>);

impl Flat for ModelBytes {
    const SQL_NAME: &'static str = "product_affinity";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(self.0.clone())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        AffinityModel::from_bytes(bytes)?;
        Ok(ModelBytes(bytes.to_vec()))
    }
}

#[pg_extern(sql = false)]
fn affinity_rows_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<AffinityRows>(text).or_raise()
}

#[pg_extern(sql = false)]
fn affinity_rows_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<AffinityRows>(message.rest()).or_raise()
}

#[pg_extern(sql = false)]
fn product_affinity_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<ModelBytes>(text).or_raise()
}

#[pg_extern(sql = false)]
fn product_affinity_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<ModelBytes>(message.rest()).or_raise()
}

// The fit

fn take<'fcx>(
    state: Option<ExpandedArg<'fcx, AffinityRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    segment: Option<&str>,
    options: Rc<FitOptions>,
    call: &CallSite,
) -> Expanded<'fcx, AffinityRows> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let mut state = resume(state, call, || AffinityRows::new(as_of, Rc::clone(&options)).or_raise());
    let rows = state.value();
    if rows.as_of() != as_of {
        Err(not_constant("as_of")).or_raise()
    }
    if !Rc::ptr_eq(rows.options(), &options) && **rows.options() != *options {
        Err(not_constant("options")).or_raise()
    }
    match history {
        Some(history) => rows.add(&history, segment).or_raise(),
        None => rows.skip(),
    }
    state
}

fn fit_options(options: Option<JsonbArg>, call: &mut CallSite) -> Rc<FitOptions> {
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let parse = || FitOptions::from_json(&options.value("options")?).map(Rc::new);
    Rc::clone(call.memo(&[Key::of(options)], parse).or_raise())
}

#[pg_extern(sql = false)]
fn affinity_rows_add<'fcx>(
    state: Option<ExpandedArg<'fcx, AffinityRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, AffinityRows> {
    let options = Rc::clone(call.remember(|_| Rc::new(FitOptions::default())));
    take(state, history, as_of, None, options, &call)
}

#[pg_extern(sql = false)]
fn affinity_rows_add_options<'fcx>(
    state: Option<ExpandedArg<'fcx, AffinityRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, AffinityRows> {
    let options = fit_options(options, &mut call);
    take(state, history, as_of, None, options, &call)
}

#[pg_extern(sql = false)]
fn affinity_rows_add_segment<'fcx>(
    state: Option<ExpandedArg<'fcx, AffinityRows>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    segment: Option<&'fcx str>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, AffinityRows> {
    let options = fit_options(options, &mut call);
    take(state, history, as_of, segment, options, &call)
}

#[pg_extern(sql = false)]
fn affinity_rows_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, AffinityRows>>,
    other: Option<ExpandedArg<'fcx, AffinityRows>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, AffinityRows>> {
    merge(state, other, &call, AffinityRows::merge)
}

#[pg_extern(sql = false)]
fn fit_product_affinity(rows: ExpandedArg<'_, AffinityRows>) -> Vec<u8> {
    rows.with(|rows| match fit(rows, &mut interrupt) {
        Ok(model) => model.to_bytes().or_raise(),
        Err(error) if error.kind == ErrorKind::NotReady => {
            AffinityModel::unfitted_bytes(&error, rows.taken())
        }
        Err(error) => Err(error).or_raise(),
    })
}

#[pg_extern(sql = false)]
fn appetence_quality(rows: ExpandedArg<'_, AffinityRows>) -> JsonbOut {
    rows.with(|rows| match quality(rows, &mut interrupt) {
        Ok(report) => JsonbOut(report),
        Err(error) if error.kind == ErrorKind::NotReady => {
            let mut report = AffinityModel::unfitted(&error, rows.taken());
            report["kind"] = "appetence_quality".into();
            report["measures"] = json!([]);
            JsonbOut(report)
        }
        Err(error) => Err(error).or_raise(),
    })
}

// What the model says

#[pg_extern(sql = false)]
fn product_affinity_json(model: BytesArg<'_>) -> JsonbOut {
    JsonbOut(AffinityModel::header(&model).or_raise())
}

#[pg_extern(sql = false)]
fn product_neighbours(
    model: BytesArg<'_>,
    measure: &str,
    k: i32,
) -> TableIterator<
    'static,
    (name!(item, String), name!(rank, i32), name!(neighbour, String), name!(weight, f64)),
> {
    let mut rows = Vec::new();
    if let Some(model) = AffinityModel::from_bytes(&model).or_raise() {
        for n in model.neighbours(measure, count(k).or_raise()).or_raise() {
            rows.push((n.item.to_owned(), n.rank as i32, n.neighbour.to_owned(), n.weight));
        }
    }
    TableIterator::new(rows)
}

#[pg_extern(sql = false)]
fn product_facts(
    model: BytesArg<'_>,
) -> TableIterator<
    'static,
    (
        name!(item, String),
        name!(customers, i32),
        name!(repeat_share, f64),
        name!(popularity, f64),
        name!(gap, f64),
        name!(price, f64),
    ),
> {
    let mut rows = Vec::new();
    if let Some(model) = AffinityModel::from_bytes(&model).or_raise() {
        for f in model.item_facts() {
            let item = f.item.to_owned();
            rows.push((item, f.customers as i32, f.repeat_share, f.popularity, f.gap, f.price));
        }
    }
    TableIterator::new(rows)
}

// Scores

fn count(k: i32) -> Result<usize> {
    usize::try_from(k).map_err(|_| Error::invalid("k must be 0 or above").detail(format!("It is {k}.")))
}

/// A model, and the options that its items were last chosen by.
struct Prepared {
    model: Option<AffinityModel>,
    choice: Memo<Option<Choice>>,
}

/// The model and the options, each read when it changes; `None` if the model could not be fitted.
fn prepared<'a>(
    model: StoredArg,
    options: JsonbArg,
    call: &'a mut CallSite,
) -> Result<Option<(&'a AffinityModel, &'a Choice)>> {
    let Prepared { model, choice } = call.memo(&[Key::of(model)], || {
        let model = AffinityModel::from_bytes(model.content())?;
        Ok::<_, Error>(Prepared { model, choice: Memo::default() })
    })?;
    let choice = choice.of(&[Key::of(options)], || {
        let read = OfferOptions::from_json(&options.value("options")?)?;
        Ok::<_, Error>(model.as_ref().map(|model| model.choice(&read)))
    })?;
    Ok(model.as_ref().zip(choice.as_ref()))
}

fn row(shape: RowShape, rank: usize, offer: &Offer) -> Value {
    let number = |value: Option<f64>| value.map_or(Column::Null, Column::F64);
    shape.row([
        Column::I32(rank as i32),
        Column::Text(&offer.item),
        Column::F64(offer.score),
        Column::F64(offer.probability),
        Column::Text(offer.source.code()),
        Column::Text(&offer.reason),
        Column::Text(&offer.reason_fr),
        offer.next_due.map_or(Column::Null, Column::Date),
        number(offer.value),
    ])
}

#[pg_extern(sql = false)]
fn product_offers<'fcx>(
    model: Option<StoredArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    k: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let (model, as_of, k, options) = (model?, as_of?, k?, options?);
    let k = count(k).or_raise();
    let shape = call.shape();
    let (model, choice) = prepared(model, options, &mut call).or_raise()?;
    let offers = model.rank(history.as_deref(), as_of, k, segment, choice).or_raise();
    Some(shape.array(offers.iter().zip(1..).map(|(offer, rank)| row(shape, rank, offer)).collect()))
}

#[pg_extern(sql = false)]
fn product_offer<'fcx>(
    model: Option<StoredArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    item: Option<&'fcx str>,
    options: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let (model, as_of, item, options) = (model?, as_of?, item?, options?);
    let shape = call.shape();
    let (model, choice) = prepared(model, options, &mut call).or_raise()?;
    let offer = model.score(history.as_deref(), as_of, item, segment, choice).or_raise();
    Some(shape.array(offer.iter().map(|offer| row(shape, 1, offer)).collect()))
}

#[pg_extern(sql = false)]
fn product_probability<'fcx>(
    model: StoredArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    item: &'fcx str,
    mut call: CallSite<'fcx>,
) -> Option<f64> {
    let parse = || AffinityModel::from_bytes(model.content());
    let model = call.memo(&[Key::of(model)], parse).or_raise().as_ref()?;
    model.probability(Some(&history), as_of, item).or_raise()
}

#[pg_extern(sql = false)]
fn product_next_change<'fcx>(
    model: Option<StoredArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    k: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    segment: Option<&'fcx str>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let (model, as_of, k, options) = (model?, as_of?, k?, options?);
    let (model, choice) = prepared(model, options, &mut call).or_raise()?;
    let k = count(k).or_raise();
    model.next_change(history.as_deref(), as_of, k, segment, choice, &mut interrupt).or_raise()
}
