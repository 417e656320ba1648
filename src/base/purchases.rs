//! What the faces of several concepts read: a purchase model made ready, and what it knows of a customer.

use segmentation_core::base::day::{self, Day};
use segmentation_core::base::unfitted::{is_unfitted, unfitted};
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::purchase_model::{
    CustomerSummary, ParameterUncertainty, PurchaseModel, Scorer,
};
use segmentation_core::{Error, Result};
use serde_json::{Value as Json, json};

use crate::pg::jsonb::JsonbArg;

/// A model made ready for scoring.
pub struct Prepared {
    /// The model itself.
    pub model: PurchaseModel,
    /// For the point scores.
    pub scorer: Scorer,
    /// For intervals; made when first asked for.
    pub uncertainty: Option<ParameterUncertainty>,
}

/// Reads a purchase model; `None` if it is one that could not be fitted.
///
/// # Errors
/// Names the field that is malformed.
pub fn prepare_purchases(model: JsonbArg) -> Result<Option<Prepared>> {
    let value = model.value("purchase model")?;
    if is_unfitted(&value, "purchase_model", "parameters") {
        return Ok(None);
    }
    let model = PurchaseModel::from_json(&value)?;
    let scorer = Scorer::new(&model)?;
    Ok(Some(Prepared { model, scorer, uncertainty: None }))
}

/// What the models know of a customer; `None` if they had bought nothing by `as_of`.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn customer_summary(history: &[u8], as_of: Day) -> Result<Option<CustomerSummary>> {
    let Some(days) = History::read(history)?.purchase_days_until(as_of)? else { return Ok(None) };
    let as_of = day::check(as_of)?;
    let whole = |n: i32| u32::try_from(n).unwrap_or(0);
    CustomerSummary::new(days.count as u32 - 1, whole(days.last - days.first), whole(as_of - days.first))
        .map(Some)
}

/// A model of purchases or spend that could not be fitted.
pub fn unfitted_model(kind: &str, as_of: Day, customers: u64, skipped: Json, error: &Error) -> Json {
    let as_of = day::format(as_of).unwrap_or_default();
    let known = json!({
        "family": null, "parameters": null, "as_of": as_of, "customers": customers, "skipped": skipped,
    });
    unfitted(kind, known, error)
}
