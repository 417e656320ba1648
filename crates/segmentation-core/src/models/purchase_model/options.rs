//! What a fit may be told: family, unit of time, cohort, penalty, the horizon that `auto` is to foresee.

use serde_json::{Value, json};

use super::{Family, MAX_K};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::span::Span;

/// Options of a purchase model's fit. See [`FitOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// The family to fit; `None` for `auto`.
    pub family: Option<Family>,
    /// The Erlang shape of the `_cnbd_k` families; `None` to choose it by likelihood.
    pub k: Option<u32>,
    /// The unit of time of the parameters.
    pub unit: Span,
    /// Only customers who first bought on this day or later.
    pub first_purchase_from: Option<Day>,
    /// Only customers who first bought on this day or earlier.
    pub first_purchase_to: Option<Day>,
    /// The weight of a ridge on the logarithms of the parameters; 0 for plain maximum likelihood.
    pub penalty: f64,
    /// `auto` only: families are judged by P(no purchase within this time).
    pub horizon: Span,
}

const HORIZON_DAYS: &str = "90 days";

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            family: None,
            k: None,
            unit: Span::one_week(),
            first_purchase_from: None,
            first_purchase_to: None,
            penalty: 0.0,
            horizon: default_horizon(),
        }
    }
}

fn default_horizon() -> Span {
    Span::parse(HORIZON_DAYS).unwrap_or_else(Span::one_month)
}

const FIELDS: &[&str] =
    &["family", "k", "unit", "first_purchase_from", "first_purchase_to", "penalty", "horizon"];

impl FitOptions {
    /// Options for one family, the rest as by default.
    #[must_use]
    pub fn of(family: Family) -> Self {
        Self { family: Some(family), ..Self::default() }
    }

    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `family`: `auto` (default), `nbd`, `bg_nbd`, `mbg_nbd`, `pareto_nbd`, `bg_cnbd_k`, `mbg_cnbd_k`
    /// * `k`: 1 to 12, for the last two
    /// * `unit`: `1 day`, `1 week` (default), `1 month` (30.4375 days), `1 year`, or a count of these
    /// * `first_purchase_from`, `first_purchase_to`: dates; the cohort fitted
    /// * `penalty`: 0 (default) to 1e6; adds -penalty/2 times the sum of the squares of the
    ///   log-parameters, taken from the starting values, to the log-likelihood
    /// * `horizon`: such as `90 days` (default); what `auto` judges families by
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, FIELDS)?;
        let mut options = Self::default();
        if let Some(name) = object.text("family")? {
            options.family = match name {
                "auto" => None,
                _ => Some(Family::parse(name).ok_or_else(|| {
                    object.wrong(
                        "family",
                        "one of auto, nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k",
                    )
                })?),
            };
        }
        let span = |key| -> Result<Option<Span>> {
            object
                .text(key)?
                .map(|text| {
                    Span::parse(text).ok_or_else(|| {
                        object
                            .wrong(key, "a whole number of days, weeks, months or years, such as \"1 week\"")
                    })
                })
                .transpose()
        };
        if let Some(unit) = span("unit")? {
            options.unit = unit;
        }
        if let Some(horizon) = span("horizon")? {
            options.horizon = horizon;
        }
        options.k = object.whole("k", 1, u64::from(MAX_K))?.map(|k| k as u32);
        if options.k.is_some() && !options.family.is_some_and(Family::is_erlang) {
            return Err(object.wrong("k", "left out unless family is bg_cnbd_k or mbg_cnbd_k"));
        }
        options.first_purchase_from = object.date("first_purchase_from")?;
        options.first_purchase_to = object.date("first_purchase_to")?;
        if let (Some(from), Some(to)) = (options.first_purchase_from, options.first_purchase_to)
            && from > to
        {
            return Err(Error::invalid("first_purchase_from is later than first_purchase_to"));
        }
        options.penalty = object.number("penalty", 0.0, 1e6)?.unwrap_or(0.0);
        Ok(options)
    }

    /// The JSON object with every field that is not at its default.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = serde_json::Map::new();
        map.insert("family".to_owned(), json!(self.family.map_or("auto", Family::name)));
        map.insert("unit".to_owned(), json!(self.unit.text()));
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(key.to_owned(), value);
            }
        };
        put("k", self.k.map(Value::from));
        put(
            "first_purchase_from",
            self.first_purchase_from.and_then(|d| day::format(d).ok()).map(Value::from),
        );
        put("first_purchase_to", self.first_purchase_to.and_then(|d| day::format(d).ok()).map(Value::from));
        put("penalty", (self.penalty != 0.0).then(|| Value::from(self.penalty)));
        put("horizon", (self.horizon.text() != HORIZON_DAYS).then(|| Value::from(self.horizon.text())));
        Value::Object(map)
    }

    /// Whether the Erlang families, and so the gaps between purchases, are needed.
    pub(crate) fn needs_gaps(&self) -> bool {
        self.family.is_none_or(|family| family.is_erlang() && self.k != Some(1))
    }
}
