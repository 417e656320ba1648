//! What the faces of several concepts read: a churn stack made ready.

use segmentation_core::Result;
use segmentation_core::base::unfitted::is_unfitted;
use segmentation_core::models::churn_stack::{ChurnStack, StackScorer};
use serde_json::Value as Json;

use crate::pg::jsonb::JsonbArg;

/// A stack made ready for scoring.
pub struct PreparedStack {
    /// The model itself.
    pub stack: ChurnStack,
    /// For its scores.
    pub scorer: StackScorer,
}

/// Whether a value says that it is a churn stack.
pub fn is_stack(value: &Json) -> bool {
    value.get("kind").is_some_and(|kind| kind == "churn_stack")
}

/// Makes a stack ready; `None` if it is one that could not be fitted.
///
/// # Errors
/// Names the field that is malformed.
pub fn read_stack(value: &Json) -> Result<Option<PreparedStack>> {
    if is_unfitted(value, "churn_stack", "candidate") {
        return Ok(None);
    }
    let stack = ChurnStack::from_json(value)?;
    let scorer = StackScorer::new(&stack)?;
    Ok(Some(PreparedStack { stack, scorer }))
}

/// Reads a stack; `None` if it is one that could not be fitted.
///
/// # Errors
/// Names the field that is malformed.
pub fn prepare_stack(model: JsonbArg) -> Result<Option<PreparedStack>> {
    read_stack(&model.value("churn stack")?)
}
