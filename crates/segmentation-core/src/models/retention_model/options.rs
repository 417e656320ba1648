//! Options of a fit, and the families.

use serde_json::{Map, Value, json};

use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::span::Span;
use crate::models::churn_model::ChurnOptions;

/// The family of a retention model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The share that survives, as observed.
    KaplanMeier,
    /// A renewal rate that differs between customers.
    ShiftedBetaGeometric,
    /// Logistic regression on features and tenure.
    Hazard,
}

impl Family {
    pub(super) fn name(self) -> &'static str {
        match self {
            Family::KaplanMeier => "kaplan_meier",
            Family::ShiftedBetaGeometric => "shifted_beta_geometric",
            Family::Hazard => "hazard",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Family::KaplanMeier, Family::ShiftedBetaGeometric, Family::Hazard]
            .into_iter()
            .find(|f| f.name() == name)
    }
}

/// Options of a retention model's fit. See [`RetentionOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionOptions {
    /// The family; by default `hazard` if there are features, else `kaplan_meier`.
    pub family: Option<Family>,
    /// The length of a period.
    pub unit: Span,
    /// The first day of the log.
    pub observed_from: Option<Day>,
    /// For the regression of `hazard`, and `confidence` of all.
    pub regression: ChurnOptions,
    pub(super) json: Value,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        Self {
            family: None,
            unit: Span::one_month(),
            observed_from: None,
            regression: ChurnOptions::default(),
            json: json!({}),
        }
    }
}

const OWN: [&str; 3] = ["family", "unit", "observed_from"];
const REGRESSION: [&str; 7] =
    ["ridge", "standardize", "min_level_rows", "max_levels", "base_levels", "confidence", "sample"];

impl RetentionOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `family`: `kaplan_meier`, `shifted_beta_geometric` or `hazard`; by default `hazard` if there
    ///   are features, else `kaplan_meier`
    /// * `unit`: the length of a period: `1 month` (default), `1 week`, `1 year`, ...; months and
    ///   years by the calendar
    /// * `observed_from`: a date; contracts that began before it count from then on only
    /// * `ridge`, `standardize`, `min_level_rows`, `max_levels`, `base_levels`, `confidence`, `sample`:
    ///   see [`ChurnOptions::from_json`]
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known: Vec<&str> = OWN.into_iter().chain(REGRESSION).collect();
        let object = Object::new("options", "", value, &known)?;
        let mut options = Self { json: value.clone(), ..Self::default() };
        if let Some(name) = object.text("family")? {
            let expected = "one of kaplan_meier, shifted_beta_geometric, hazard";
            options.family = Some(Family::parse(name).ok_or_else(|| object.wrong("family", expected))?);
        }
        if let Some(text) = object.text("unit")? {
            let expected = "a whole number of days, weeks, months or years, such as \"1 month\"";
            options.unit = Span::parse(text).ok_or_else(|| object.wrong("unit", expected))?;
        }
        options.observed_from = object.date("observed_from")?;
        let rest: Map<String, Value> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| REGRESSION.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        options.regression = ChurnOptions::from_json(&Value::Object(rest))?;
        Ok(options)
    }
}
