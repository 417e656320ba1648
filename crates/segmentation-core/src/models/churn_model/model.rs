//! A fitted churn model as a value.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::features::{FeatureValue, Features};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::warning::Warning;
use crate::math::special::{logistic, normal_quantile};

/// An estimate with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// Change of the log-odds.
    pub estimate: f64,
    /// Its standard error; `None` if it cannot be told apart from other coefficients (then the estimate is 0).
    pub standard_error: Option<f64>,
}

/// What a feature's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Number,
    /// True and false.
    Boolean,
    /// Texts.
    Category,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Number => "number",
            Kind::Boolean => "boolean",
            Kind::Category => "category",
        }
    }
}

/// What a category stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Itself.
    Named,
    /// All rare ones, and those never seen.
    Other,
    /// No value.
    Missing,
}

/// A category of a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// Its text; none for the pooled and the missing.
    pub name: Option<String>,
    /// What it stands for.
    pub role: Role,
    /// Rows of the fit.
    pub rows: u64,
    /// Its share of the weight.
    pub share: f64,
    /// Against the base; `None` for the base itself.
    pub coefficient: Option<Coefficient>,
}

impl Level {
    fn new(name: Option<&str>, role: Role, rows: u64) -> Self {
        Self { name: name.map(str::to_owned), role, rows, share: 0.0, coefficient: None }
    }

    pub(super) fn named(name: &str, rows: u64) -> Self {
        Self::new(Some(name), Role::Named, rows)
    }

    pub(super) fn other(rows: u64) -> Self {
        Self::new(None, Role::Other, rows)
    }

    pub(super) fn missing(rows: u64) -> Self {
        Self::new(None, Role::Missing, rows)
    }
}

/// A feature of the fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Rows without a value.
    pub missing: u64,
    /// Of the known numbers, or the share of the known that is true; 0 for categories.
    pub mean: f64,
    /// Of the known; 0 for categories.
    pub standard_deviation: f64,
    /// The base among the levels.
    pub base: Option<usize>,
    /// Categories; for numbers and booleans only [`Role::Missing`], if that has a column.
    pub levels: Vec<Level>,
    /// How many categories were pooled.
    pub pooled: u64,
    /// Of a number or a boolean.
    pub coefficient: Option<Coefficient>,
}

impl Feature {
    fn level(&self, role: Role) -> Option<&Level> {
        self.levels.iter().find(|level| level.role == role)
    }

    fn slope(&self) -> f64 {
        self.coefficient.map_or(0.0, |c| c.estimate)
    }

    /// What the average customer's value adds to the log-odds.
    pub(super) fn average(&self) -> f64 {
        let levels: f64 =
            self.levels.iter().map(|l| l.share * l.coefficient.map_or(0.0, |c| c.estimate)).sum();
        let known = match (self.kind, self.level(Role::Missing)) {
            // With a column of their own the missing count as false, else as the average.
            (Kind::Boolean, Some(missing)) => 1.0 - missing.share,
            _ => 1.0,
        };
        levels + self.slope() * self.mean * known
    }

    /// What a missing value adds to the log-odds.
    pub(super) fn without(&self) -> f64 {
        match (self.level(Role::Missing), self.kind) {
            (Some(level), Kind::Number) => {
                self.slope() * self.mean + level.coefficient.map_or(0.0, |c| c.estimate)
            }
            (Some(level), _) => level.coefficient.map_or(0.0, |c| c.estimate),
            (None, _) => self.average(),
        }
    }

    /// What a value adds to the log-odds; a category never seen counts as the pooled ones, or as the average.
    pub(super) fn adds(&self, value: &FeatureValue) -> Result<f64> {
        let effect = |level: &Level| level.coefficient.map_or(0.0, |c| c.estimate);
        match (self.kind, value) {
            (Kind::Number, FeatureValue::Number(x)) => Ok(self.slope() * x),
            (Kind::Boolean, FeatureValue::Boolean(b)) => Ok(if *b { self.slope() } else { 0.0 }),
            (Kind::Category, FeatureValue::Text(text)) => Ok(self
                .levels
                .iter()
                .find(|l| l.name.as_deref() == Some(text))
                .or_else(|| self.level(Role::Other))
                .map_or_else(|| self.average(), effect)),
            (_, FeatureValue::Missing) => Ok(self.without()),
            (kind, _) => Err(Error::invalid(format!(
                "feature \"{}\" must be a {} as in the model",
                super::features::shown(&self.name),
                match kind {
                    Kind::Number => "number",
                    Kind::Boolean => "boolean",
                    Kind::Category => "text",
                }
            ))),
        }
    }
}

/// A fitted churn model. For its JSON form see [`ChurnModel::to_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChurnModel {
    /// Log-odds of a customer whose numbers are 0, booleans false and categories the base.
    pub intercept: Coefficient,
    /// Features, in jsonb's order of names.
    pub features: Vec<Feature>,
    /// The feature that is added to the log-odds as it is.
    pub offset: Option<String>,
    /// All else that is reported: measures, counts, warnings.
    pub report: Map<String, Value>,
    /// Of the intervals.
    pub confidence: f64,
    by_name: HashMap<String, usize>,
    /// The log-odds of a customer of whom nothing is known.
    unknown: f64,
}

const KIND: &str = "churn_model";
const WHAT: &str = "churn model";

fn coefficient_json(
    feature: Option<&str>,
    level: Option<&str>,
    role: &str,
    c: &Coefficient,
    z: f64,
) -> Value {
    let (estimate, error) = (c.estimate, c.standard_error);
    json!({
        "feature": feature,
        "level": level,
        "role": role,
        "estimate": error.map(|_| estimate),
        "standard_error": error,
        "z": error.map(|e| estimate / e),
        "p": error.map(|e| libm::erfc((estimate / e).abs() * std::f64::consts::FRAC_1_SQRT_2)),
        "odds_ratio": error.map(|_| estimate.exp()),
        "lower": error.map(|e| (estimate - z * e).exp()),
        "upper": error.map(|e| (estimate + z * e).exp()),
    })
}

impl ChurnModel {
    pub(super) fn new(
        intercept: Coefficient,
        features: Vec<Feature>,
        offset: Option<String>,
        report: Map<String, Value>,
        confidence: f64,
    ) -> Self {
        let by_name = features.iter().enumerate().map(|(i, f)| (f.name.clone(), i)).collect();
        let unknown = intercept.estimate + features.iter().map(Feature::without).sum::<f64>();
        Self { intercept, features, offset, report, confidence, by_name, unknown }
    }

    /// Log-odds of churn. What the model does not know of is ignored, what is missing counts as in the fit.
    ///
    /// # Errors
    /// A value of another kind than in the model; a missing offset.
    pub fn log_odds(&self, features: &Features) -> Result<f64> {
        let mut sum = self.unknown;
        let mut offset = None;
        for (name, value) in &features.0 {
            if let Some(&i) = self.by_name.get(&**name) {
                let feature = &self.features[i];
                sum += feature.adds(value)? - feature.without();
            } else if self.offset.as_deref() == Some(name) {
                let FeatureValue::Number(x) = value else {
                    return Err(Error::invalid("the offset must be a number"));
                };
                offset = Some(*x);
            }
        }
        match (&self.offset, offset) {
            (Some(name), None) => {
                Err(Error::invalid(format!("the offset \"{name}\" is missing from the features")))
            }
            (_, offset) => Ok(sum + offset.unwrap_or(0.0)),
        }
    }

    /// Probability of churn.
    ///
    /// # Errors
    /// As [`ChurnModel::log_odds`].
    pub fn churn_probability(&self, features: &Features) -> Result<f64> {
        self.log_odds(features).map(logistic)
    }

    /// The JSON value: `{kind: "churn_model", version: 1, rows, churned, base_rate, ..., coefficients
    /// [{feature, level, role, estimate, standard_error, z, p, odds_ratio, lower, upper}], features
    /// [{name, type, missing, mean, standard_deviation, base, pooled, levels}], warnings}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let z = normal_quantile(0.5 + 0.5 * self.confidence);
        let mut coefficients = vec![coefficient_json(None, None, "intercept", &self.intercept, z)];
        let mut features = Vec::new();
        for feature in &self.features {
            if let Some(c) = &feature.coefficient {
                coefficients.push(coefficient_json(Some(&feature.name), None, feature.kind.name(), c, z));
            }
            for level in &feature.levels {
                if let Some(c) = &level.coefficient {
                    let role = match level.role {
                        Role::Named => "level",
                        Role::Other => "other",
                        Role::Missing => "missing",
                    };
                    coefficients.push(coefficient_json(
                        Some(&feature.name),
                        level.name.as_deref(),
                        role,
                        c,
                        z,
                    ));
                }
            }
            let levels: Vec<Value> = feature
                .levels
                .iter()
                .map(|l| {
                    json!({
                        "level": l.name,
                        "role": match l.role { Role::Named => "level", Role::Other => "other", Role::Missing => "missing" },
                        "rows": l.rows,
                        "share": l.share,
                    })
                })
                .collect();
            let category = feature.kind == Kind::Category;
            features.push(json!({
                "name": feature.name,
                "type": feature.kind.name(),
                "missing": feature.missing,
                "mean": (!category).then_some(feature.mean),
                "standard_deviation": (!category).then_some(feature.standard_deviation),
                "base": feature.base,
                "pooled": feature.pooled,
                "levels": levels,
            }));
        }
        let mut map = Map::new();
        map.insert("kind".into(), KIND.into());
        map.insert("version".into(), 1.into());
        map.insert("confidence".into(), self.confidence.into());
        map.insert("offset".into(), self.offset.clone().into());
        map.extend(self.report.clone());
        map.insert("coefficients".into(), coefficients.into());
        map.insert("features".into(), features.into());
        Value::Object(map)
    }

    /// Reads the JSON value, which may have been written by anyone.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::open(WHAT, "", value)?;
        if object.need_text("kind")? != KIND {
            return Err(object.wrong("kind", format_args!("\"{KIND}\"")));
        }
        object.need_whole("version", 1, 1)?;
        let features = object.list("features")?.unwrap_or_default().iter().enumerate();
        let mut features: Vec<Feature> = features
            .map(|(i, value)| Feature::from_json(value, &format!("features[{i}]")))
            .collect::<Result<_>>()?;
        let intercept = read_coefficients(&object, &mut features)?;
        let intercept = intercept.ok_or_else(|| object.wrong("coefficients", "a list with an intercept"))?;
        Warning::read_list(&object)?;
        let own = ["kind", "version", "confidence", "offset", "coefficients", "features"];
        let report = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| !own.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let offset = object.text("offset")?.map(str::to_owned);
        let confidence = object.number("confidence", 0.5, 0.9999)?.unwrap_or(0.95);
        Ok(Self::new(intercept, features, offset, report, confidence))
    }
}

/// Numbers beyond this are none that a fit gives.
const MOST: f64 = 1e300;

impl Level {
    fn from_json(value: &Value, path: &str) -> Result<Self> {
        let level = Object::new(WHAT, path, value, &["level", "role", "rows", "share"])?;
        let role = match level.need_text("role")? {
            "level" => Role::Named,
            "other" => Role::Other,
            "missing" => Role::Missing,
            _ => return Err(level.wrong("role", "one of level, other, missing")),
        };
        Ok(Self {
            name: level.text("level")?.map(str::to_owned),
            role,
            rows: level.need_whole("rows", 0, u64::MAX)?,
            share: level.need_number("share", 0.0, 1.0 + 1e-9)?,
            coefficient: None,
        })
    }
}

impl Feature {
    fn from_json(value: &Value, path: &str) -> Result<Self> {
        let known = ["name", "type", "missing", "mean", "standard_deviation", "base", "pooled", "levels"];
        let one = Object::new(WHAT, path, value, &known)?;
        let levels = one.list("levels")?.unwrap_or_default().iter().enumerate();
        let levels: Vec<Level> = levels
            .map(|(j, value)| Level::from_json(value, &format!("{path}.levels[{j}]")))
            .collect::<Result<_>>()?;
        let kind = match one.need_text("type")? {
            "number" => Kind::Number,
            "boolean" => Kind::Boolean,
            "category" => Kind::Category,
            _ => return Err(one.wrong("type", "one of number, boolean, category")),
        };
        let base = one.whole("base", 0, u64::MAX)?.map(|base| base as usize);
        if base.is_some_and(|base| base >= levels.len()) {
            return Err(one.wrong("base", "the place of a level"));
        }
        Ok(Self {
            name: one.need_text("name")?.to_owned(),
            kind,
            missing: one.need_whole("missing", 0, u64::MAX)?,
            mean: one.number("mean", -MOST, MOST)?.unwrap_or(0.0),
            standard_deviation: one.number("standard_deviation", 0.0, MOST)?.unwrap_or(0.0),
            base,
            levels,
            pooled: one.whole("pooled", 0, u64::MAX)?.unwrap_or(0),
            coefficient: None,
        })
    }
}

/// Gives the features and their levels the coefficients of the model; returns the intercept, if there is one.
fn read_coefficients(object: &Object, features: &mut [Feature]) -> Result<Option<Coefficient>> {
    let mut by_name = HashMap::new();
    // Of each feature, where a level stands: the first of those that are called the same.
    let mut places: Vec<HashMap<(Role, Option<String>), usize>> = Vec::with_capacity(features.len());
    for (i, feature) in features.iter().enumerate() {
        let levels = feature.levels.iter().enumerate().rev();
        places.push(levels.map(|(at, level)| ((level.role, level.name.clone()), at)).collect());
        if by_name.insert(feature.name.clone(), i).is_some() {
            return Err(object.wrong("features", "a list of features with different names"));
        }
    }
    let mut intercept = None;
    for (i, value) in object.list("coefficients")?.unwrap_or_default().iter().enumerate() {
        let known = [
            "feature",
            "level",
            "role",
            "estimate",
            "standard_error",
            "z",
            "p",
            "odds_ratio",
            "lower",
            "upper",
        ];
        let one = Object::new(WHAT, &format!("coefficients[{i}]"), value, &known)?;
        let coefficient = Coefficient {
            estimate: one.number("estimate", -MOST, MOST)?.unwrap_or(0.0),
            standard_error: one.number("standard_error", 0.0, MOST)?,
        };
        let role = one.need_text("role")?;
        if role == "intercept" {
            intercept = Some(coefficient);
            continue;
        }
        let place = by_name.get(one.need_text("feature")?).copied();
        let place = place.ok_or_else(|| one.wrong("feature", "the name of one of the features"))?;
        let feature = &mut features[place];
        let role = match role {
            "number" | "boolean" if role == feature.kind.name() => {
                feature.coefficient = Some(coefficient);
                continue;
            }
            "level" => Role::Named,
            "other" => Role::Other,
            "missing" => Role::Missing,
            _ => {
                return Err(one.wrong("role", "one of intercept, number, boolean, level, other, missing"));
            }
        };
        let level = places[place].get(&(role, one.text("level")?.map(str::to_owned)));
        let level = *level.ok_or_else(|| one.wrong("level", "a level of the feature"))?;
        feature.levels[level].coefficient = Some(coefficient);
    }
    Ok(intercept)
}
