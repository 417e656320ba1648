//! What a fit of a churn model may be told.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::json::Object;

/// Options of a churn model's fit. See [`ChurnOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct ChurnOptions {
    /// Only these features; empty for all.
    pub features: Vec<String>,
    /// The feature that is an offset: added to the log-odds with coefficient 1.
    pub offset: Option<String>,
    /// The weight of the ridge.
    pub ridge: f64,
    /// Whether the ridge acts on coefficients per standard deviation.
    pub standardize: bool,
    /// Whether rows with a missing value are left out; else they are kept (see [`ChurnOptions::from_json`]).
    pub skip_missing: bool,
    /// A category on fewer rows is pooled.
    pub min_level_rows: u64,
    /// The most categories of a feature that are kept apart.
    pub max_levels: u64,
    /// Base categories by feature.
    pub base_levels: BTreeMap<String, String>,
    /// Of the intervals.
    pub confidence: f64,
    /// The share of churners in the population, if the rows are not a plain sample of it.
    pub base_rate: Option<f64>,
    /// The most distinct rows that are kept.
    pub sample: u64,
}

impl Default for ChurnOptions {
    fn default() -> Self {
        Self {
            features: Vec::new(),
            offset: None,
            ridge: 0.0,
            standardize: true,
            skip_missing: false,
            min_level_rows: 10,
            max_levels: 50,
            base_levels: BTreeMap::new(),
            confidence: 0.95,
            base_rate: None,
            sample: 1_000_000,
        }
    }
}

const FIELDS: &[&str] = &[
    "features",
    "offset",
    "ridge",
    "standardize",
    "missing",
    "min_level_rows",
    "max_levels",
    "base_levels",
    "confidence",
    "base_rate",
    "sample",
];

impl ChurnOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `features`: a list of names; the features used (default: all)
    /// * `offset`: the name of a number that is added to the log-odds as it is
    /// * `ridge`: 0 (default) to 1e9; takes `ridge` / 2 times the sum of the squares of the
    ///   coefficients, the intercept left out, off the log-likelihood (scikit-learn's 1 / C)
    /// * `standardize`: true (default): the ridge sees coefficients per standard deviation
    /// * `missing`: `indicator` (default): a missing number counts as the mean and has a column of
    ///   its own, a missing category is a category; `skip`: the row is left out and counted
    /// * `min_level_rows`: 1 to 1e6 (default 10); rarer categories are pooled
    /// * `max_levels`: 2 to 200 (default 50); the most categories kept apart
    /// * `base_levels`: `{feature: category}`; the most frequent otherwise
    /// * `confidence`: .5 to .9999 (default .95)
    /// * `base_rate`: the share of churners in the population, if churners were drawn more
    ///   often: the intercept is corrected
    /// * `sample`: 1000 to 1,000,000 (default): the most distinct rows that are kept
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, FIELDS)?;
        let mut options = Self::default();
        if let Some(list) = object.list("features")? {
            for name in list {
                let name = name.as_str().ok_or_else(|| object.wrong("features", "a list of texts"))?;
                options.features.push(name.to_owned());
            }
            if list.is_empty() {
                return Err(object.wrong("features", "a list of at least one text"));
            }
            options.features.sort();
            options.features.dedup();
        }
        options.offset = object.text("offset")?.map(str::to_owned);
        if let Some(ridge) = object.number("ridge", 0.0, 1e9)? {
            options.ridge = ridge;
        }
        let boolean = |key| -> Result<Option<bool>> {
            object.get(key).map(|v| v.as_bool().ok_or_else(|| object.wrong(key, "true or false"))).transpose()
        };
        options.standardize = boolean("standardize")?.unwrap_or(true);
        options.skip_missing = match object.text("missing")? {
            None | Some("indicator") => false,
            Some("skip") => true,
            Some(_) => return Err(object.wrong("missing", "one of indicator, skip")),
        };
        if let Some(n) = object.whole("min_level_rows", 1, 1_000_000)? {
            options.min_level_rows = n;
        }
        if let Some(n) = object.whole("max_levels", 2, 200)? {
            options.max_levels = n;
        }
        if let Some(value) = object.get("base_levels") {
            let map = value.as_object().ok_or_else(|| object.wrong("base_levels", "an object of texts"))?;
            for (feature, level) in map {
                let level =
                    level.as_str().ok_or_else(|| object.wrong("base_levels", "an object of texts"))?;
                options.base_levels.insert(feature.clone(), level.to_owned());
            }
        }
        if let Some(level) = object.number("confidence", 0.5, 0.9999)? {
            options.confidence = level;
        }
        options.base_rate = object.number("base_rate", 1e-9, 1.0 - 1e-9)?;
        if let Some(n) = object.whole("sample", 1000, 1_000_000)? {
            options.sample = n;
        }
        if options.offset.as_ref().is_some_and(|name| options.base_levels.contains_key(name)) {
            return Err(Error::invalid("the offset cannot have a base level"));
        }
        Ok(options)
    }

    /// Whether every feature is used.
    pub(super) fn keeps_all(&self) -> bool {
        self.features.is_empty()
    }

    /// Whether a feature is one of them.
    pub(super) fn keeps(&self, name: &str) -> bool {
        self.features.is_empty()
            // Sorted when they were read.
            || self.features.binary_search_by(|f| f.as_str().cmp(name)).is_ok()
            || self.offset.as_deref() == Some(name)
    }

    /// The options as JSON text that [`ChurnOptions::from_json`] reads.
    pub(super) fn to_json(&self) -> Value {
        let mut map = serde_json::Map::new();
        let default = Self::default();
        let mut put = |key: &str, value: Value, differs: bool| {
            if differs {
                map.insert(key.to_owned(), value);
            }
        };
        put("features", self.features.clone().into(), !self.features.is_empty());
        put("offset", self.offset.clone().into(), self.offset.is_some());
        put("ridge", self.ridge.into(), self.ridge != default.ridge);
        put("standardize", self.standardize.into(), !self.standardize);
        put("missing", "skip".into(), self.skip_missing);
        put("min_level_rows", self.min_level_rows.into(), self.min_level_rows != default.min_level_rows);
        put("max_levels", self.max_levels.into(), self.max_levels != default.max_levels);
        let levels = self.base_levels.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect();
        put("base_levels", Value::Object(levels), !self.base_levels.is_empty());
        put("confidence", self.confidence.into(), self.confidence != default.confidence);
        put("base_rate", self.base_rate.into(), self.base_rate.is_some());
        put("sample", self.sample.into(), self.sample != default.sample);
        Value::Object(map)
    }
}
