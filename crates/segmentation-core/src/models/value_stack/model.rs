//! A fitted value stack as a value.

use serde_json::{Map, Value, json};

use super::judge::Quality;
use super::options::FAMILIES;
use super::rows::REASONS;
use super::season::Season;
use super::weights::{self, Coefficient, TERMS, Way, Weights};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::span::Span;
use crate::base::warning::Warning;
use crate::facts::purchase_features::Frame;
use crate::models::purchase_model::PurchaseModel;
use crate::models::spend_model::SpendModel;

/// A fitted value stack.
///
/// As a JSON value: `{kind: "value_stack", version: 1, as_of, horizon, candidate, purchase_model, spend_model, season
/// {weeks, standard_errors}, intercept, coefficients [{term, estimate, mean, scale}], reach, window, inner_days,
/// inner_horizon, customers, sample, skipped {reason: n}, quality, correlation_past, candidates [{candidate, ...}],
/// warnings}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueStack {
    /// The end of observation.
    pub as_of: Day,
    /// The value is that of what comes within it.
    pub horizon: Span,
    /// How customers buy.
    pub purchase_model: PurchaseModel,
    /// What they spend.
    pub spend_model: SpendModel,
    /// What weeks of the year bring.
    pub season: Option<Season>,
    pub(super) weights: Weights,
    pub(super) frame: Frame,
    /// So many days of turnover are last year's: fewer than 365 in a shorter log.
    pub(super) window: i32,
    /// Candidates were judged on this horizon.
    pub inner_horizon: i32,
    /// The days that were gone back to.
    pub inner_days: Vec<Day>,
    /// Customers seen.
    pub customers: u64,
    /// Different customers in the sample.
    pub sample: u64,
    /// Customers left out, by reason.
    pub skipped: Vec<(String, u64)>,
    /// Of the candidate that was chosen; `None` if none could be judged.
    pub quality: Option<Quality>,
    /// Linear correlation of last year's turnover with what came.
    pub correlation_past: Option<f64>,
    /// All candidates.
    pub candidates: Vec<(String, Quality)>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

const WHAT: &str = "a value stack";
const KNOWN: &[&str] = &[
    "kind",
    "version",
    "as_of",
    "horizon",
    "candidate",
    "purchase_model",
    "spend_model",
    "season",
    "intercept",
    "coefficients",
    "reach",
    "window",
    "inner_days",
    "inner_horizon",
    "customers",
    "sample",
    "skipped",
    "quality",
    "correlation_past",
    "candidates",
    "warnings",
];

impl ValueStack {
    /// The code of the candidate that was chosen.
    #[must_use]
    pub fn candidate(&self) -> &'static str {
        self.weights.way.name()
    }

    /// The horizon in whole days.
    #[must_use]
    pub fn horizon_days(&self) -> i32 {
        self.horizon.days().round() as i32
    }

    /// The JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let coefficients = self.weights.coefficients.iter().map(|c| {
            json!({ "term": weights::name(c.term), "estimate": c.estimate, "mean": c.mean, "scale": c.scale })
        });
        let named = |candidate: &str, quality: Quality| {
            let mut fields = Map::from_iter([("candidate".to_owned(), json!(candidate))]);
            fields.extend(quality.to_map());
            Value::Object(fields)
        };
        let skipped: Map<String, Value> = self.skipped.iter().map(|(r, n)| (r.clone(), json!(n))).collect();
        json!({
            "kind": "value_stack",
            "version": 1,
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "horizon": self.horizon.text(),
            "candidate": self.candidate(),
            "purchase_model": self.purchase_model.to_json(),
            "spend_model": self.spend_model.to_json(),
            "season": self.season.as_ref().map(Season::to_json),
            "intercept": self.weights.intercept,
            "coefficients": coefficients.collect::<Vec<_>>(),
            "reach": self.frame.reach,
            "window": self.window,
            "inner_days": self.inner_days.iter().filter_map(|d| day::format(*d).ok()).collect::<Vec<_>>(),
            "inner_horizon": self.inner_horizon,
            "customers": self.customers,
            "sample": self.sample,
            "skipped": skipped,
            "quality": self.quality.map(|q| Value::Object(q.to_map())),
            "correlation_past": self.correlation_past,
            "candidates": self.candidates.iter().map(|(c, q)| named(c, *q)).collect::<Vec<_>>(),
            "warnings": Warning::list(&self.warnings),
        })
    }

    /// Reads the JSON value, which may have been written or changed by anyone.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, of a wrong kind or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::of_kind(WHAT, "value_stack", value, KNOWN)?;
        if object.need_whole("version", 1, 1_000_000)? != 1 {
            return Err(object.wrong("version", "1"));
        }
        let part = |key: &'static str| object.get(key).ok_or_else(|| object.wrong(key, "an object"));
        let purchase_model = PurchaseModel::from_json(part("purchase_model")?)?;
        if !FAMILIES.contains(&purchase_model.family) {
            return Err(object.wrong("purchase_model", "of a family nbd, bg_nbd, mbg_nbd or pareto_nbd"));
        }
        let span = Span::parse(object.need_text("horizon")?).filter(|s| s.days().round() <= 3653.0);
        let whole =
            |key: &'static str, least: u64, most: u64| Ok(object.need_whole(key, least, most)? as i32);
        let way = Way::parse(object.need_text("candidate")?).ok_or_else(|| {
            object.wrong("candidate", format_args!("one of {}", Way::ALL.map(Way::name).join(", ")))
        })?;
        let weights = Weights {
            way,
            intercept: object.need_number("intercept", -100.0, 100.0)?,
            coefficients: coefficients(&object, way)?,
        };
        Ok(Self {
            as_of: object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date written yyyy-mm-dd"))?,
            horizon: span.ok_or_else(|| object.wrong("horizon", "a length of time such as \"365 days\""))?,
            purchase_model,
            spend_model: SpendModel::from_json(part("spend_model")?)?,
            season: object.get("season").map(|value| Season::from_json(WHAT, value)).transpose()?,
            weights,
            frame: Frame { reach: whole("reach", 1, 100_000)?, unit: 1.0 },
            window: whole("window", 1, 365)?,
            inner_horizon: whole("inner_horizon", 0, 3653)?,
            inner_days: dates(&object, "inner_days")?,
            customers: object.need_whole("customers", 0, u64::MAX)?,
            sample: object.need_whole("sample", 0, u64::MAX)?,
            skipped: skipped(&object)?,
            quality: match object.get("quality") {
                Some(value) => Some(Quality::read(&Object::new(WHAT, "quality", value, Quality::fields())?)?),
                None => None,
            },
            correlation_past: object.number("correlation_past", -1.0, 1.0)?,
            candidates: candidates(&object)?,
            warnings: Warning::read_list(&object)?,
        })
    }
}

fn coefficients(object: &Object, way: Way) -> Result<Vec<Coefficient>> {
    let list = object.list("coefficients")?.unwrap_or_default();
    if way != Way::Regression && !list.is_empty() {
        return Err(object.wrong("coefficients", "empty but for a regression"));
    }
    let mut read: Vec<Coefficient> = Vec::new();
    for (i, value) in list.iter().enumerate() {
        let path = format!("coefficients[{i}]");
        let one = Object::new(WHAT, &path, value, &["term", "estimate", "mean", "scale"])?;
        let term = one.need_text("term")?;
        let term = (0..TERMS)
            .find(|t| weights::name(*t) == term && read.last().is_none_or(|last| last.term < *t))
            .ok_or_else(|| one.wrong("term", "the name of a term, each once and in order"))?;
        read.push(Coefficient {
            term,
            estimate: one.need_number("estimate", -100.0, 100.0)?,
            mean: one.need_number("mean", -1e9, 1e9)?,
            scale: one.need_number("scale", 1e-12, 1e9)?,
        });
    }
    Ok(read)
}

fn dates(object: &Object, key: &str) -> Result<Vec<Day>> {
    let list = object.list(key)?.unwrap_or_default();
    let days: Option<Vec<Day>> = list.iter().map(|v| v.as_str().and_then(day::parse)).collect();
    let few = days.filter(|days| days.len() <= 100);
    few.ok_or_else(|| object.wrong(key, "a list of dates written yyyy-mm-dd"))
}

fn skipped(object: &Object) -> Result<Vec<(String, u64)>> {
    let Some(value) = object.get("skipped") else { return Ok(Vec::new()) };
    let fields = Object::new(WHAT, "skipped", value, &REASONS)?;
    fields
        .keys()
        .map(|reason| Ok((reason.to_owned(), fields.whole(reason, 0, u64::MAX)?.unwrap_or(0))))
        .collect()
}

fn candidates(object: &Object) -> Result<Vec<(String, Quality)>> {
    let list = object.list("candidates")?.unwrap_or_default();
    let known: Vec<&str> = ["candidate"].iter().chain(Quality::fields()).copied().collect();
    let read = |(i, value): (usize, &Value)| {
        let path = format!("candidates[{i}]");
        let one = Object::new(WHAT, &path, value, &known)?;
        let code = one.need_text("candidate")?;
        if Way::parse(code).is_none() {
            return Err(one.wrong("candidate", format_args!("one of {}", Way::ALL.map(Way::name).join(", "))));
        }
        Ok((code.to_owned(), Quality::read(&one)?))
    };
    list.iter().enumerate().map(read).collect()
}
