//! What a fit may be told.

use serde_json::{Value, json};

use super::season::Season;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::span::Span;
use crate::facts::history_sample::MOST_CUSTOMERS;
use crate::models::purchase_model::Family;
use crate::models::spend_model::SpendOptions;

/// Where the seasonal index comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum SeasonOption {
    /// From a log of two years or more.
    Auto,
    /// There is none.
    None,
    /// Twelve factors, by month.
    Months([f64; 12]),
}

/// Options of a stack's fit. See [`ValueStackOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValueStackOptions {
    /// The value is that of what comes within it.
    pub horizon: Span,
    /// The family of purchase models, one in which silence only lowers what is expected.
    pub family: Family,
    /// Options of the spend model.
    pub spend: SpendOptions,
    /// The seasonal index.
    pub season: SeasonOption,
    /// Different customers in the sample, at most.
    pub sample: usize,
}

impl Default for ValueStackOptions {
    fn default() -> Self {
        Self {
            horizon: Span::of_days(365),
            family: Family::MbgNbd,
            spend: SpendOptions::default(),
            season: SeasonOption::Auto,
            sample: 50_000,
        }
    }
}

const FIELDS: &[&str] = &["horizon", "family", "spend", "season", "sample"];
/// Families that move one way in silence.
pub(super) const FAMILIES: [Family; 4] = [Family::Nbd, Family::BgNbd, Family::MbgNbd, Family::ParetoNbd];
/// The longest horizon: ten years.
const MOST_HORIZON: f64 = 3653.0;

impl ValueStackOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `horizon`: `365 days`, or another whole number of days, weeks, months (30.4375 days) or years, up to ten years
    /// * `family`: `mbg_nbd` (default), `nbd`, `bg_nbd` or `pareto_nbd`
    /// * `spend`: options of the spend model
    /// * `season`: `auto` (default: an index by week of the year where the log has two years), `none`, or twelve factors
    ///   by month
    /// * `sample`: 50,000 customers; at most 2,000,000
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, FIELDS)?;
        let mut options = Self::default();
        if let Some(text) = object.text("horizon")? {
            let span = Span::parse(text).filter(|s| s.days().round() <= MOST_HORIZON);
            options.horizon = span.ok_or_else(|| {
                object
                    .wrong("horizon", "a whole number of days, weeks, months or years, such as \"365 days\"")
            })?;
        }
        if let Some(name) = object.text("family")? {
            options.family = FAMILIES
                .into_iter()
                .find(|f| f.name() == name)
                .ok_or_else(|| object.wrong("family", "one of nbd, bg_nbd, mbg_nbd, pareto_nbd"))?;
        }
        if let Some(spend) = object.get("spend") {
            options.spend = SpendOptions::from_json(spend)?;
        }
        if let Some(season) = object.get("season") {
            let expected = "auto, none, or a list of 12 numbers from 0.01 to 100";
            options.season = match (season.as_str(), season.as_array()) {
                (Some("auto"), _) => SeasonOption::Auto,
                (Some("none"), _) => SeasonOption::None,
                (_, Some(list)) => {
                    let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
                    let months: [f64; 12] = numbers
                        .filter(|n| n.iter().all(|f| Season::FACTORS.contains(f)))
                        .and_then(|n| n.try_into().ok())
                        .ok_or_else(|| object.wrong("season", expected))?;
                    SeasonOption::Months(months)
                }
                _ => return Err(object.wrong("season", expected)),
            };
        }
        if let Some(n) = object.whole("sample", 100, MOST_CUSTOMERS as u64)? {
            options.sample = n as usize;
        }
        Ok(options)
    }

    /// The JSON object, with every field.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "horizon": self.horizon.text(),
            "family": self.family.name(),
            "spend": self.spend.to_json(),
            "season": match &self.season {
                SeasonOption::Auto => json!("auto"),
                SeasonOption::None => json!("none"),
                SeasonOption::Months(months) => json!(months),
            },
            "sample": self.sample,
        })
    }

    /// The horizon in whole days.
    #[must_use]
    pub fn horizon_days(&self) -> i32 {
        self.horizon.days().round() as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_checked() {
        assert_eq!(ValueStackOptions::from_json(&json!({})).unwrap(), ValueStackOptions::default());
        let months = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.5];
        let own = json!({"horizon": "6 months", "family": "nbd", "spend": {"family": "gamma_gamma"}, "season": months});
        let own = ValueStackOptions::from_json(&own).unwrap();
        assert_eq!((own.horizon_days(), own.family), (183, Family::Nbd));
        assert_eq!(ValueStackOptions::from_json(&own.to_json()).unwrap(), own);
        for bad in [
            json!({"horizon": 365}),
            json!({"horizon": "11 years"}),
            json!({"family": "bg_cnbd_k"}),
            json!({"spend": {"family": "normal"}}),
            json!({"season": "summer"}),
            json!({"season": [1, 2]}),
            json!({"season": [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}),
            json!({"sample": 3}),
            json!({"seed": 1}),
            json!([]),
        ] {
            assert!(ValueStackOptions::from_json(&bad).is_err(), "{bad}");
        }
    }
}
