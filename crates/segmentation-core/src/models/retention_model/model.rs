//! The model as a value: what was fitted, to and from JSON.

use serde_json::{Map, Value, json};

use super::geometric::Geometric;
use super::hazard::Hazard;
use super::kaplan_meier::{Point, median};
use super::options::Family;
use super::period::period;
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::span::Span;
use crate::base::warning::Warning;
use crate::models::churn_model::ChurnModel;

/// A group of contracts with its curve and, by family, its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    /// Its features as JSON; `None` for all contracts together.
    pub(super) features: Option<Map<String, Value>>,
    pub(super) contracts: u64,
    pub(super) ended: u64,
    pub(super) curve: Vec<Point>,
    pub(super) geometric: Option<Geometric>,
}

/// A fitted retention model.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionModel {
    pub(super) family: Family,
    pub(super) unit: Span,
    pub(super) as_of: Day,
    pub(super) confidence: f64,
    /// All together first.
    pub(super) groups: Vec<Group>,
    pub(super) hazard: Option<Hazard>,
    pub(super) skipped: Map<String, Value>,
    pub(super) warnings: Vec<Warning>,
}

impl RetentionModel {
    /// The family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Periods in an interval of months and days.
    ///
    /// # Errors
    /// A negative interval.
    pub fn periods(&self, name: &str, months: i32, days: f64) -> Result<f64> {
        let count = period(&self.unit).count(months, days);
        if (0.0..=1e6).contains(&count) {
            Ok(count)
        } else {
            Err(Error::invalid(format!("{name} must not be negative, nor longer than a million periods")))
        }
    }
}

/// What errors call a model.
const WHAT: &str = "retention model";

const FIELDS: &[&str] = &[
    "kind",
    "version",
    "family",
    "unit",
    "as_of",
    "confidence",
    "contracts",
    "ended",
    "groups",
    "hazard",
    "skipped",
    "warnings",
];

impl RetentionModel {
    /// The JSON value: `{kind: "retention_model", version: 1, family, unit, as_of, confidence, contracts, ended,
    /// groups [{features, contracts, ended, median, parameters {alpha, beta}, standard_errors, log_likelihood,
    /// curve [{period, at_risk, ended, survival, lower, upper}]}], hazard {steps, model}, skipped, warnings}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut warnings = self.warnings.clone();
        warnings
            .extend(self.groups.iter().filter_map(|g| g.geometric.as_ref()).flat_map(|g| g.warnings.clone()));
        warnings.dedup();
        let hazard = self.hazard.as_ref().map(|h| json!({ "steps": h.steps, "model": h.model.to_json() }));
        let whole = self.groups.first();
        json!({
            "kind": "retention_model",
            "version": 1,
            "family": self.family.name(),
            "unit": self.unit.text(),
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "confidence": self.confidence,
            "contracts": whole.map(|g| g.contracts),
            "ended": whole.map(|g| g.ended),
            "groups": self.groups.iter().map(Group::to_json).collect::<Vec<_>>(),
            "hazard": hazard,
            "skipped": self.skipped,
            "warnings": Warning::list(&warnings),
        })
    }

    /// Reads the JSON value, which may have been written by anyone.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new(WHAT, "", value, FIELDS)?;
        if object.need_text("kind")? != "retention_model" {
            return Err(object.wrong("kind", "\"retention_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let family = Family::parse(object.need_text("family")?)
            .ok_or_else(|| object.wrong("family", "one of kaplan_meier, shifted_beta_geometric, hazard"))?;
        let unit = Span::parse(object.need_text("unit")?)
            .ok_or_else(|| object.wrong("unit", "a whole number of days, weeks, months or years"))?;
        let as_of = object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date"))?;
        let groups = object.list("groups")?.unwrap_or_default().iter().enumerate();
        let groups: Vec<Group> = groups
            .map(|(i, value)| Group::from_json(value, &format!("groups[{i}]")))
            .collect::<Result<_>>()?;
        let whole = groups.first().ok_or_else(|| object.wrong("groups", "a list that is not empty"))?;
        if family == Family::ShiftedBetaGeometric && whole.geometric.is_none() {
            return Err(object.wrong("groups", "a list whose first element has parameters"));
        }
        let hazard = object.get("hazard").map(hazard_from_json).transpose()?;
        if hazard.is_some() != (family == Family::Hazard) {
            return Err(object.wrong("hazard", "there for the family \"hazard\", and for no other"));
        }
        Ok(Self {
            family,
            unit,
            as_of,
            confidence: object.number("confidence", 0.5, 0.9999)?.unwrap_or(0.95),
            groups,
            hazard,
            skipped: Map::new(),
            warnings: Warning::read_list(&object)?,
        })
    }
}

impl Group {
    fn from_json(value: &Value, path: &str) -> Result<Self> {
        let known = [
            "features",
            "contracts",
            "ended",
            "median",
            "parameters",
            "standard_errors",
            "log_likelihood",
            "curve",
        ];
        let one = Object::new(WHAT, path, value, &known)?;
        let mut curve: Vec<Point> = Vec::new();
        for (j, value) in one.list("curve")?.unwrap_or_default().iter().enumerate() {
            let point = point_from_json(value, &format!("{path}.curve[{j}]"), curve.last())?;
            curve.push(point);
        }
        let geometric = match one.get("parameters") {
            None => None,
            Some(value) => {
                let p = Object::new(WHAT, &format!("{path}.parameters"), value, &["alpha", "beta"])?;
                Some(Geometric {
                    alpha: p.need_number("alpha", 1e-12, 1e12)?,
                    beta: p.need_number("beta", 1e-12, 1e12)?,
                    covariance: None,
                    log_likelihood: one.number("log_likelihood", f64::MIN, f64::MAX)?.unwrap_or(0.0),
                    warnings: Vec::new(),
                })
            }
        };
        Ok(Self {
            features: one
                .get("features")
                .map(|v| v.as_object().cloned().ok_or_else(|| one.wrong("features", "an object")))
                .transpose()?,
            contracts: one.need_whole("contracts", 0, u64::MAX)?,
            ended: one.need_whole("ended", 0, u64::MAX)?,
            curve,
            geometric,
        })
    }

    /// `median` is made of the curve, and `standard_errors` of the covariance, which is not kept.
    fn to_json(&self) -> Value {
        let curve: Vec<Value> = self
            .curve
            .iter()
            .map(|p| {
                json!({
                    "period": p.period,
                    "at_risk": p.at_risk,
                    "ended": p.ended,
                    "survival": p.survival,
                    "lower": p.band.map(|b| b.0),
                    "upper": p.band.map(|b| b.1),
                })
            })
            .collect();
        let mut map = Map::new();
        map.insert("features".into(), self.features.clone().map_or(Value::Null, Value::Object));
        map.insert("contracts".into(), self.contracts.into());
        map.insert("ended".into(), self.ended.into());
        map.insert("median".into(), median(&self.curve).into());
        if let Some(fitted) = &self.geometric {
            let errors = fitted
                .covariance
                .as_ref()
                .map(|c| json!({ "alpha": c[[0, 0]].sqrt(), "beta": c[[1, 1]].sqrt() }));
            map.insert("parameters".into(), json!({ "alpha": fitted.alpha, "beta": fitted.beta }));
            map.insert("standard_errors".into(), errors.into());
            map.insert("log_likelihood".into(), fitted.log_likelihood.into());
        }
        map.insert("curve".into(), curve.into());
        Value::Object(map)
    }
}

/// A point of a curve, later than the one before.
fn point_from_json(value: &Value, path: &str, before: Option<&Point>) -> Result<Point> {
    let known = ["period", "at_risk", "ended", "survival", "lower", "upper"];
    let point = Object::new(WHAT, path, value, &known)?;
    let period = point.need_whole("period", 1, u64::from(u32::MAX))? as u32;
    if before.is_some_and(|last| last.period >= period) {
        return Err(point.wrong("period", "greater than the one before"));
    }
    let (lower, upper) = (point.number("lower", 0.0, 1.0)?, point.number("upper", 0.0, 1.0)?);
    Ok(Point {
        period,
        at_risk: point.need_whole("at_risk", 0, u64::MAX)?,
        ended: point.need_whole("ended", 0, u64::MAX)?,
        survival: point.need_number("survival", 0.0, 1.0)?,
        band: lower.zip(upper),
    })
}

fn hazard_from_json(value: &Value) -> Result<Hazard> {
    let h = Object::new(WHAT, "hazard", value, &["steps", "model"])?;
    let wrong = || h.wrong("steps", "a rising list of whole numbers from 1 on");
    let list = h.list("steps")?.unwrap_or_default().iter();
    let steps: Option<Vec<u32>> =
        list.map(|v| v.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)).collect();
    let steps = steps.filter(|s| s.windows(2).all(|w| w[0] < w[1])).ok_or_else(wrong)?;
    let model = h.get("model").ok_or_else(|| h.wrong("model", "a churn model"))?;
    Ok(Hazard { model: ChurnModel::from_json(model)?, steps })
}
