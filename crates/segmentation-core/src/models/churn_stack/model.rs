//! A fitted churn stack as a value.

use serde_json::{Map, Value, json};

use super::lost::Lost;
use super::rows::SkippedCustomers;
use super::terms;
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::span::Span;
use crate::base::warning::Warning;
use crate::facts::purchase_features::Frame;
use crate::models::purchase_model::{Family, PurchaseModel};

/// One weighted term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    pub(super) term: usize,
    /// What one more of it adds to the log-odds of no purchase.
    pub estimate: f64,
    /// The mean of the term over the customers at `as_of`.
    pub mean: f64,
}

impl Coefficient {
    /// The name of the term.
    #[must_use]
    pub fn name(&self) -> &'static str {
        terms::name(self.term)
    }
}

/// A candidate that was judged, pooled over the inner days that could be judged on.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its code.
    pub candidate: String,
    /// Its family, where its name says one.
    pub family: Option<Family>,
    /// The precision of its ridge.
    pub ridge: Option<f64>,
    /// Area under the ROC curve.
    pub auc: Option<f64>,
    /// Mean squared error.
    pub brier: Option<f64>,
    /// Mean logarithmic loss.
    pub log_loss: Option<f64>,
}

/// How good the chosen one was on the last inner day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastDay {
    /// The day.
    pub day: Day,
    /// Area under the ROC curve; `None` if all customers did the same.
    pub auc: Option<f64>,
    /// Mean squared error.
    pub brier: f64,
}

/// A fitted churn stack.
///
/// As a JSON value: `{kind: "churn_stack", version: 1, as_of, horizon, candidate, family, ridge, reach, unit,
/// with_events, intercept, coefficients [{term, estimate, mean}], models [purchase models], inner_days, inner_horizon,
/// customers, sample, skipped {reason: n}, quality, recency {auc, brier}, candidates [...], lost, warnings}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ChurnStack {
    /// The day it was fitted on.
    pub as_of: Day,
    /// The horizon of its probability.
    pub horizon: Span,
    /// The code of the candidate that was chosen.
    pub candidate: String,
    /// The family that it stands on.
    pub family: Option<Family>,
    /// The precision of its ridge.
    pub ridge: Option<f64>,
    /// How its features are taken.
    pub frame: Frame,
    /// Whether contacts and interactions are among them.
    pub with_events: bool,
    /// Log-odds where all terms are 0.
    pub intercept: f64,
    /// The terms that count.
    pub coefficients: Vec<Coefficient>,
    /// The purchase models whose log-odds are among them.
    pub models: Vec<PurchaseModel>,
    /// The inner days, ascending.
    pub inner_days: Vec<Day>,
    /// The horizon at which candidates were judged, in days.
    pub inner_horizon: i32,
    /// Customers in the fit.
    pub customers: u64,
    /// Different ones in the sample that it was learnt from.
    pub sample: u64,
    /// Customers left out.
    pub skipped: SkippedCustomers,
    /// How good the chosen one was, out of time, as `prediction_quality` says it, without bins.
    pub quality: Option<Value>,
    /// Its quality on the last inner day alone.
    pub last: Option<LastDay>,
    /// AUC and Brier score of the recency alone, likewise.
    pub recency: Option<(Option<f64>, Option<f64>)>,
    /// All that were judged.
    pub candidates: Vec<Candidate>,
    /// From which probability on a customer may be called lost; `None` if that was not asked.
    pub lost: Option<Lost>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

const WHAT: &str = "a churn stack";
/// Coefficients and terms stay within this.
const MOST: f64 = 1e6;
/// The codes of the candidates.
const CANDIDATES: [&str; 7] = ["base_rate", "recency", "family", "calibrated", "features", "mean", "stack"];
const FIELDS: &[&str] = &[
    "kind",
    "version",
    "as_of",
    "horizon",
    "candidate",
    "family",
    "ridge",
    "reach",
    "unit",
    "with_events",
    "intercept",
    "coefficients",
    "models",
    "inner_days",
    "inner_horizon",
    "customers",
    "sample",
    "skipped",
    "quality",
    "last",
    "recency",
    "candidates",
    "lost",
    "warnings",
];

impl ChurnStack {
    /// The horizon in whole days.
    #[must_use]
    pub fn horizon_days(&self) -> i32 {
        self.horizon.days().round() as i32
    }

    /// The JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let date = |d: Day| day::format(d).unwrap_or_default();
        let mut skipped = Map::new();
        for (reason, n) in
            [("no_history", self.skipped.no_history), ("no_purchase", self.skipped.no_purchase)]
        {
            if n > 0 {
                skipped.insert(reason.to_owned(), json!(n));
            }
        }
        let coefficient = |c: &Coefficient| json!({"term": c.name(), "estimate": c.estimate, "mean": c.mean});
        json!({
            "kind": "churn_stack",
            "version": 1,
            "as_of": date(self.as_of),
            "horizon": self.horizon.text(),
            "candidate": self.candidate,
            "family": self.family.map(Family::name),
            "ridge": self.ridge,
            "reach": self.frame.reach,
            "unit": self.frame.unit,
            "with_events": self.with_events,
            "intercept": self.intercept,
            "coefficients": self.coefficients.iter().map(coefficient).collect::<Vec<_>>(),
            "models": self.models.iter().map(PurchaseModel::to_json).collect::<Vec<_>>(),
            "inner_days": self.inner_days.iter().map(|d| date(*d)).collect::<Vec<_>>(),
            "inner_horizon": Span::of_days(self.inner_horizon.max(1) as u32).text(),
            "customers": self.customers,
            "sample": self.sample,
            "skipped": skipped,
            "quality": self.quality,
            "last": self.last.map(|last| json!({"as_of": date(last.day), "auc": last.auc, "brier": last.brier})),
            "recency": self.recency.map(|(auc, brier)| json!({"auc": auc, "brier": brier})),
            "candidates": self.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
            "lost": self.lost.map(|lost| json!({
                "threshold": lost.threshold, "back": lost.back, "upper": lost.upper, "customers": lost.customers,
            })),
            "warnings": Warning::list(&self.warnings),
        })
    }

    /// Reads the JSON value, which may have been written or changed by anyone.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, of a wrong kind or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::of_kind(WHAT, "churn_stack", value, FIELDS)?;
        if object.need_whole("version", 1, 1_000_000)? != 1 {
            return Err(object.wrong("version", "1"));
        }
        let horizon = Span::parse(object.need_text("horizon")?)
            .filter(|span| span.days().round() <= 3653.0)
            .ok_or_else(|| object.wrong("horizon", "a whole number of days, weeks, months or years"))?;
        let inner_horizon = Span::parse(object.need_text("inner_horizon")?)
            .filter(|span| span.days().round() <= 3653.0)
            .ok_or_else(|| object.wrong("inner_horizon", "a whole number of days"))?;
        let candidate = object.need_text("candidate")?;
        if !CANDIDATES.contains(&candidate) {
            return Err(object.wrong("candidate", format_args!("one of {}", CANDIDATES.join(", "))));
        }
        let with_events = match object.get("with_events").and_then(Value::as_bool) {
            Some(with_events) => with_events,
            None => return Err(object.wrong("with_events", "true or false")),
        };
        let stack = Self {
            as_of: object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date written yyyy-mm-dd"))?,
            horizon,
            candidate: candidate.to_owned(),
            family: family(&object)?,
            ridge: object.number("ridge", 0.0, 1e9)?,
            frame: Frame {
                reach: object.need_whole("reach", 1, 10_000)? as i32,
                unit: object.need_number("unit", 1e-12, 1e15)?,
            },
            with_events,
            intercept: object.need_number("intercept", -MOST, MOST)?,
            coefficients: coefficients(&object)?,
            models: models(&object)?,
            inner_days: dates(&object, "inner_days")?,
            inner_horizon: inner_horizon.days().round() as i32,
            customers: object.need_whole("customers", 0, u64::MAX)?,
            sample: object.need_whole("sample", 0, u64::MAX)?,
            skipped: skipped(&object)?,
            quality: quality(&object)?,
            last: last(&object)?,
            recency: recency(&object)?,
            candidates: candidates(&object)?,
            lost: lost(&object)?,
            warnings: Warning::read_list(&object)?,
        };
        for coefficient in &stack.coefficients {
            let family = terms::family(coefficient.term);
            if family.is_some_and(|family| stack.models.iter().all(|model| model.family != family)) {
                return Err(object.wrong("models", "those whose log-odds are among the coefficients"));
            }
        }
        Ok(stack)
    }
}

fn candidate_json(c: &Candidate) -> Value {
    let mut one = json!({"candidate": c.candidate});
    if let Some(family) = c.family {
        one["family"] = json!(family.name());
    }
    if let Some(ridge) = c.ridge {
        one["ridge"] = json!(ridge);
    }
    (one["auc"], one["brier"], one["log_loss"]) = (json!(c.auc), json!(c.brier), json!(c.log_loss));
    one
}

fn family(object: &Object) -> Result<Option<Family>> {
    let text = object.text("family")?;
    text.map(|name| Family::parse(name).ok_or_else(|| object.wrong("family", "a family of purchase models")))
        .transpose()
}

fn coefficients(object: &Object) -> Result<Vec<Coefficient>> {
    let list = object.list("coefficients")?.ok_or_else(|| object.wrong("coefficients", "a list"))?;
    let mut coefficients: Vec<Coefficient> = Vec::new();
    for (i, value) in list.iter().enumerate() {
        let path = format!("coefficients[{i}]");
        let one = Object::new(WHAT, &path, value, &["term", "estimate", "mean"])?;
        let term = terms::parse(one.need_text("term")?);
        let ascends = |term: &usize| coefficients.last().is_none_or(|last| last.term < *term);
        let term = term
            .filter(ascends)
            .ok_or_else(|| one.wrong("term", "a term of churn stacks, in their order"))?;
        let estimate = one.need_number("estimate", -MOST, MOST)?;
        coefficients.push(Coefficient { term, estimate, mean: one.need_number("mean", -MOST, MOST)? });
    }
    Ok(coefficients)
}

fn models(object: &Object) -> Result<Vec<PurchaseModel>> {
    let list = object.list("models")?.unwrap_or_default();
    if list.len() > Family::ALL.len() {
        return Err(object.wrong("models", "a list of at most one purchase model a family"));
    }
    let mut models: Vec<PurchaseModel> = Vec::new();
    for value in list {
        let model = PurchaseModel::from_json(value)?;
        if models.iter().any(|other| other.family == model.family) {
            return Err(object.wrong("models", "a list of at most one purchase model a family"));
        }
        models.push(model);
    }
    Ok(models)
}

fn dates(object: &Object, key: &str) -> Result<Vec<Day>> {
    let list = object.list(key)?.unwrap_or_default();
    let days: Option<Vec<Day>> = list.iter().map(|v| v.as_str().and_then(day::parse)).collect();
    let few = days.filter(|days| days.len() <= 100);
    few.ok_or_else(|| object.wrong(key, "a list of dates written yyyy-mm-dd"))
}

fn skipped(object: &Object) -> Result<SkippedCustomers> {
    let Some(value) = object.get("skipped") else { return Ok(SkippedCustomers::default()) };
    let one = Object::new(WHAT, "skipped", value, &["no_history", "no_purchase"])?;
    Ok(SkippedCustomers {
        no_history: one.whole("no_history", 0, u64::MAX)?.unwrap_or(0),
        no_purchase: one.whole("no_purchase", 0, u64::MAX)?.unwrap_or(0),
    })
}

/// What `prediction_quality` says; it is shown, and nothing is computed from it.
fn quality(object: &Object) -> Result<Option<Value>> {
    let Some(value) = object.get("quality") else { return Ok(None) };
    let one = Object::open(WHAT, "quality", value)?;
    for key in ["auc", "brier", "log_loss", "base_rate"] {
        one.number(key, 0.0, 1e9)?;
    }
    Ok(Some(value.clone()))
}

fn last(object: &Object) -> Result<Option<LastDay>> {
    let Some(value) = object.get("last") else { return Ok(None) };
    let one = Object::new(WHAT, "last", value, &["as_of", "auc", "brier"])?;
    let day = one.date("as_of")?.ok_or_else(|| one.wrong("as_of", "a date written yyyy-mm-dd"))?;
    let (auc, brier) = (one.number("auc", 0.0, 1.0)?, one.need_number("brier", 0.0, 1.0)?);
    Ok(Some(LastDay { day, auc, brier }))
}

fn recency(object: &Object) -> Result<Option<(Option<f64>, Option<f64>)>> {
    let Some(value) = object.get("recency") else { return Ok(None) };
    let one = Object::new(WHAT, "recency", value, &["auc", "brier"])?;
    Ok(Some((one.number("auc", 0.0, 1.0)?, one.number("brier", 0.0, 1.0)?)))
}

fn candidates(object: &Object) -> Result<Vec<Candidate>> {
    let list = object.list("candidates")?.unwrap_or_default();
    let read = |(i, value): (usize, &Value)| {
        let path = format!("candidates[{i}]");
        let known = ["candidate", "family", "ridge", "auc", "brier", "log_loss"];
        let one = Object::new(WHAT, &path, value, &known)?;
        let code = one.need_text("candidate")?;
        if !CANDIDATES.contains(&code) {
            return Err(one.wrong("candidate", format_args!("one of {}", CANDIDATES.join(", "))));
        }
        Ok(Candidate {
            candidate: code.to_owned(),
            family: family(&one)?,
            ridge: one.number("ridge", 0.0, 1e9)?,
            auc: one.number("auc", 0.0, 1.0)?,
            brier: one.number("brier", 0.0, 1.0)?,
            log_loss: one.number("log_loss", 0.0, 1e9)?,
        })
    };
    list.iter().enumerate().map(read).collect()
}

fn lost(object: &Object) -> Result<Option<Lost>> {
    let Some(value) = object.get("lost") else { return Ok(None) };
    let one = Object::new(WHAT, "lost", value, &["threshold", "back", "upper", "customers"])?;
    Ok(Some(Lost {
        threshold: one.number("threshold", 0.0, 1.0)?,
        back: one.need_whole("back", 0, u64::MAX)?,
        upper: one.number("upper", 0.0, 1.0)?,
        customers: one.need_whole("customers", 0, u64::MAX)?,
    }))
}
