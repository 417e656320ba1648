//! What the faces of several concepts read: a value stack made ready.

use segmentation_core::Result;
use segmentation_core::base::unfitted::is_unfitted;
use segmentation_core::models::value_stack::{ValueScorer, ValueStack};

use crate::pg::jsonb::JsonbArg;

/// Reads a stack; `None` if it is one that could not be fitted.
///
/// # Errors
/// Names the field that is malformed.
pub fn prepare_value_stack(model: JsonbArg) -> Result<Option<ValueScorer>> {
    let value = model.value("value stack")?;
    if is_unfitted(&value, "value_stack", "candidate") {
        return Ok(None);
    }
    ValueScorer::new(&ValueStack::from_json(&value)?).map(Some)
}
