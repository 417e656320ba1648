//! What a fit may be told.

use serde_json::Value;

use crate::base::error::Result;
use crate::base::json::Object;

/// How a model is fitted, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct SendTimeOptions {
    pub(super) bandwidth_hours: f64,
    pub(super) shared_days: f64,
    pub(super) prior_events: Option<f64>,
}

/// Tuned on a simulated shop that no result is reported of; see `benches/channels.sh`.
const BANDWIDTH_HOURS: f64 = 2.5;
const SHARED_DAYS: f64 = 0.95;

const OPTION_FIELDS: [&str; 3] = ["bandwidth_hours", "shared_days", "prior_events"];

impl SendTimeOptions {
    /// Reads options; what is missing takes its default.
    ///
    /// * `bandwidth_hours`: the standard deviation of the kernel (2.5); 0: none
    /// * `shared_days`: how much of an act stands for its hour on all days, 0 to 1 (0.95)
    /// * `prior_events`: acts of a customer that count as much as the segment does; estimated if missing
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn read(object: &Object) -> Result<Self> {
        Ok(Self {
            bandwidth_hours: object.number("bandwidth_hours", 0.0, 24.0)?.unwrap_or(BANDWIDTH_HOURS),
            shared_days: object.number("shared_days", 0.0, 1.0)?.unwrap_or(SHARED_DAYS),
            prior_events: object.number("prior_events", 0.0, 1e9)?,
        })
    }

    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(&Object::new("options", "", value, &OPTION_FIELDS)?)
    }
}
