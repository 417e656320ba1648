//! Doubts about a model: beside what was fitted, what its user should know.

use serde_json::{Value, json};

use crate::base::error::Result;
use crate::base::json::Object;

/// A doubt about a fit: a code for programs, a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// In snake case: `not_identified`, `not_converged`, `few_customers`, ...
    pub code: String,
    /// What is the matter and what to do.
    pub message: String,
}

impl Warning {
    /// A doubt.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    /// As models keep them: `[{code, message}]`.
    pub(crate) fn list(warnings: &[Warning]) -> Value {
        warnings.iter().map(|w| json!({ "code": w.code, "message": w.message })).collect()
    }

    /// Reads the field `warnings` of a model.
    ///
    /// # Errors
    /// Names the warning that is wrong.
    pub(crate) fn read_list(object: &Object) -> Result<Vec<Warning>> {
        let list = object.list("warnings")?.unwrap_or_default();
        list.iter()
            .enumerate()
            .map(|(i, value)| {
                let path = format!("{}[{i}]", object.path("warnings"));
                let warning = Object::new("a model", &path, value, &["code", "message"])?;
                Ok(Warning::new(warning.need_text("code")?, warning.need_text("message")?))
            })
            .collect()
    }
}
