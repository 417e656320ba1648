//! SQL face of [`segmentation_core::identity`]'s rules, fit and model. Declared in `sql/identity/matching.sql`.

use pgrx::datum::Array;
use pgrx::prelude::*;
use segmentation_core::base::document::{Node, View};
use segmentation_core::base::memory;
use segmentation_core::identity::fit::{self, Count, fit};
use segmentation_core::identity::frequency::frequencies;
use segmentation_core::identity::model::{Model, probability};
use segmentation_core::identity::rules::{Rules, pattern_text};
use segmentation_core::{Error, Result};
use serde_json::{Value as Json, json};

use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

fn rules(value: JsonbArg) -> Result<Rules> {
    Rules::from_json(&value.value("rules")?)
}

fn model(value: JsonbArg) -> Result<Model> {
    Model::from_json(&value.value("model")?)
}

fn texts<'a, 'fcx>(record: &'a Array<'fcx, &'fcx str>) -> Vec<Option<&'a str>> {
    record.iter().collect()
}

/// A member of a customer's object as text; lists and objects say nothing.
fn member(customer: JsonbArg, field: &str) -> Option<String> {
    match customer.node().get(field)?.view() {
        View::Text(text) => std::str::from_utf8(text).ok().map(str::to_owned),
        View::Number(number) => Some(number.to_string()),
        View::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[pg_extern(sql = false)]
fn match_record<'fcx>(
    rules_or_model: JsonbArg<'fcx>,
    customer: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Vec<Option<String>> {
    let rules = call.memo(&[Key::of(rules_or_model)], || rules(rules_or_model)).or_raise();
    if !matches!(customer.node().view(), View::Object(_)) {
        Err(Error::invalid("a customer must be a JSON object").hint("Give to_jsonb(row).")).or_raise()
    }
    rules.record(|field| member(customer, field))
}

#[pg_extern(sql = false)]
fn match_keys<'fcx>(
    rules_or_model: JsonbArg<'fcx>,
    record: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> Vec<Option<i64>> {
    let rules = call.memo(&[Key::of(rules_or_model)], || rules(rules_or_model)).or_raise();
    rules.keys(&texts(&record))
}

#[pg_extern(sql = false)]
fn match_rule<'fcx>(a: Array<'fcx, i64>, b: Array<'fcx, i64>) -> Option<i32> {
    a.iter().zip(b.iter()).position(|(a, b)| a.is_some() && a == b).map(|at| at as i32 + 1)
}

#[pg_extern(sql = false)]
fn match_pattern<'fcx>(
    rules_or_model: JsonbArg<'fcx>,
    a: Array<'fcx, &'fcx str>,
    b: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> String {
    let rules = call.memo(&[Key::of(rules_or_model)], || rules(rules_or_model)).or_raise();
    pattern_text(&rules.pattern(&texts(&a), &texts(&b)).or_raise())
}

fn counts(rules: &Rules, pass: &Array<i32>, pattern: &Array<&str>, pairs: &Array<i64>) -> Result<Vec<Count>> {
    let wrong =
        || Error::invalid("arrays pass, pattern and pairs must have as many elements, none of them null");
    if pass.len() != pattern.len() || pass.len() != pairs.len() {
        return Err(wrong());
    }
    let mut all = Vec::new();
    for ((pass, pattern), pairs) in pass.iter().zip(pattern.iter()).zip(pairs.iter()) {
        let (Some(pass), Some(pattern), Some(pairs)) = (pass, pattern, pairs) else { return Err(wrong()) };
        let pass = usize::try_from(pass).map_err(|_| Error::invalid("pass must not be negative"))?;
        if pairs < 0 {
            return Err(Error::invalid("number of pairs must not be negative"));
        }
        memory::push(&mut all, Count { pass, pattern: fit::pattern(rules, pattern)?, pairs: pairs as f64 })?;
    }
    Ok(all)
}

#[pg_extern(sql = false)]
fn fit_match_model<'fcx>(
    rules_of: JsonbArg<'fcx>,
    pass: Array<'fcx, i32>,
    pattern: Array<'fcx, &'fcx str>,
    pairs: Array<'fcx, i64>,
    records: i64,
    frequency: JsonbArg<'fcx>,
) -> JsonbOut {
    let fitted = || {
        let rules = rules(rules_of)?;
        let counts = counts(&rules, &pass, &pattern, &pairs)?;
        let records =
            u64::try_from(records).map_err(|_| Error::invalid("number of records must not be negative"))?;
        let frequencies = frequencies(&rules, &frequency.value("frequencies")?)?;
        fit(&rules, &counts, records, &frequencies, &mut interrupt)
    };
    JsonbOut(fitted().or_raise().to_json())
}

#[pg_extern(sql = false)]
fn match_weight<'fcx>(
    model_of: JsonbArg<'fcx>,
    a: Array<'fcx, &'fcx str>,
    b: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> f64 {
    let model = call.memo(&[Key::of(model_of)], || model(model_of)).or_raise();
    model.weight(&texts(&a), &texts(&b)).or_raise()
}

#[pg_extern(sql = false)]
fn match_probability<'fcx>(
    model_of: JsonbArg<'fcx>,
    a: Array<'fcx, &'fcx str>,
    b: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> f64 {
    let model = call.memo(&[Key::of(model_of)], || model(model_of)).or_raise();
    probability(model.weight(&texts(&a), &texts(&b)).or_raise())
}

/// A model knows which names many bear; of rules alone none is.
enum Judge {
    Rules(Rules),
    Model(Model),
}

impl Judge {
    fn read(value: JsonbArg) -> Result<Self> {
        let value = value.value("rules")?;
        if value.get("kind").is_some() {
            return Model::from_json(&value).map(Judge::Model);
        }
        Rules::from_json(&value).map(Judge::Rules)
    }

    fn contradiction(&self, a: &[Option<&str>], b: &[Option<&str>]) -> Result<Option<&str>> {
        match self {
            Judge::Model(model) => model.contradiction(a, b),
            Judge::Rules(rules) => Ok(rules.contradiction(&rules.pattern(a, b)?, a, b, |_, _| false)),
        }
    }
}

#[pg_extern(sql = false)]
fn match_contradiction<'fcx>(
    rules_or_model: JsonbArg<'fcx>,
    a: Array<'fcx, &'fcx str>,
    b: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    let judge = call.memo(&[Key::of(rules_or_model)], || Judge::read(rules_or_model)).or_raise();
    judge.contradiction(&texts(&a), &texts(&b)).or_raise().map(str::to_owned)
}

#[pg_extern(sql = false)]
fn match_explain_json<'fcx>(
    model_of: JsonbArg<'fcx>,
    a: Array<'fcx, &'fcx str>,
    b: Array<'fcx, &'fcx str>,
    mut call: CallSite<'fcx>,
) -> JsonbOut {
    let model = call.memo(&[Key::of(model_of)], || model(model_of)).or_raise();
    let (a, b) = (texts(&a), texts(&b));
    let steps = model.steps(&a, &b).or_raise();
    let against = model.contradiction(&a, &b).or_raise();
    let mut total = 0.0;
    let rows = steps.into_iter().map(|step| {
        total += step.bits;
        let comparison = step.field.map(|at| &model.rules.comparisons[at]);
        let level = comparison.zip(step.level).map(|(comparison, level)| comparison.level_name(level));
        let value = |record: &[Option<&str>]| step.field.and_then(|at| record[at]).map(str::to_owned);
        json!({
            "field": comparison.map(|comparison| comparison.field.as_str()), "a": value(&a), "b": value(&b), "level": level,
            "m": step.chances.map(|chances| chances.0), "u": step.chances.map(|chances| chances.1), "bits": step.bits,
            "total": total, "probability": probability(total),
            "contradicts": comparison.is_some_and(|comparison| Some(comparison.field.as_str()) == against),
        })
    });
    JsonbOut(Json::Array(rows.collect()))
}
