//! What a fit may be told: horizon, families, the share of the lost that may come back, size of the sample.

use serde_json::{Value, json};

use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::span::Span;
use crate::facts::history_sample::MOST_CUSTOMERS;
use crate::models::purchase_model::Family;

/// Options of a stack's fit. See [`StackOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct StackOptions {
    /// The probability is that of no purchase within it.
    pub horizon: Span,
    /// `lost` is said of those of whom more than this share has to stay away; `None`: not at all.
    pub lost: Option<f64>,
    /// Families of purchase models that are tried, the simpler first.
    pub families: Vec<Family>,
    /// Whether regressions on features are tried beside the families.
    pub features: bool,
    /// Different customers in the sample, at most.
    pub sample: usize,
}

/// The horizon by default, in days.
const HORIZON: f64 = 90.0;

impl Default for StackOptions {
    fn default() -> Self {
        Self {
            horizon: Span::of_days(HORIZON as u32),
            lost: None,
            families: Family::ALL.to_vec(),
            features: true,
            sample: 100_000,
        }
    }
}

const FIELDS: &[&str] = &["horizon", "lost", "families", "features", "sample"];
/// The longest horizon: ten years.
const MOST_HORIZON: f64 = 3653.0;

impl StackOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `horizon`: `90 days`, or another whole number of days, weeks, months (30.4375 days) or years, up to ten years
    /// * `lost`: from 0.5 to 0.9999, the share of those called lost who must not come back; off by default
    /// * `families`: a list of families of purchase models; all by default
    /// * `features`: whether regressions on what histories say are tried too; true by default
    /// * `sample`: 100,000 customers; at most 2,000,000
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, FIELDS)?;
        let mut options = Self::default();
        if let Some(text) = object.text("horizon")? {
            options.horizon =
                Span::parse(text).filter(|s| s.days().round() <= MOST_HORIZON).ok_or_else(|| {
                    object.wrong(
                        "horizon",
                        "a whole number of days, weeks, months or years, such as \"90 days\"",
                    )
                })?;
        }
        options.lost = object.number("lost", 0.5, 0.9999)?;
        if let Some(list) = object.list("families")? {
            let expected = "a list of nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k";
            let wanted = list.iter().map(|v| v.as_str().and_then(Family::parse)).collect::<Option<Vec<_>>>();
            let wanted =
                wanted.filter(|w| !w.is_empty()).ok_or_else(|| object.wrong("families", expected))?;
            options.families = Family::ALL.into_iter().filter(|family| wanted.contains(family)).collect();
        }
        if let Some(value) = object.get("features") {
            options.features = value.as_bool().ok_or_else(|| object.wrong("features", "true or false"))?;
        }
        if let Some(n) = object.whole("sample", 100, MOST_CUSTOMERS as u64)? {
            options.sample = n as usize;
        }
        if options.families.is_empty() {
            return Err(Error::invalid("no family is left to try"));
        }
        Ok(options)
    }

    /// The JSON object, with every field.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "horizon": self.horizon.text(),
            "lost": self.lost,
            "families": self.families.iter().map(|family| family.name()).collect::<Vec<_>>(),
            "features": self.features,
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
        assert_eq!(StackOptions::from_json(&json!({})).unwrap(), StackOptions::default());
        let own =
            json!({"horizon": "6 months", "lost": 0.95, "families": ["mbg_nbd", "nbd"], "sample": 1000});
        let own = StackOptions::from_json(&own).unwrap();
        assert_eq!((own.horizon_days(), own.lost, own.sample), (183, Some(0.95), 1000));
        assert_eq!(own.families, [Family::Nbd, Family::MbgNbd]);
        assert_eq!(StackOptions::from_json(&own.to_json()).unwrap(), own);
        for bad in [
            json!({"horizon": 90}),
            json!({"horizon": "11 years"}),
            json!({"lost": 1}),
            json!({"families": []}),
            json!({"families": ["lstm"]}),
            json!({"features": "yes"}),
            json!({"sample": 3}),
            json!({"seed": 1}),
            json!([]),
        ] {
            assert!(StackOptions::from_json(&bad).is_err(), "{bad}");
        }
    }
}
