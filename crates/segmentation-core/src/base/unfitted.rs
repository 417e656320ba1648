//! What stands for a model that could not be fitted for want of data: no error, which would take the models of all other
//! groups with it, but a value that says why and scores nobody.

use serde_json::{Value, json};

use crate::base::error::Error;
use crate::base::warning::Warning;

/// The value for a model of that `kind`: `{kind, version: 1, warnings: [{code: "insufficient_data", message}]}` and the
/// fields of `known`, an object with what is known without a fit, and null for what the fit would have given.
#[must_use]
pub fn unfitted(kind: &str, known: Value, error: &Error) -> Value {
    let parts = [Some(error.message.as_ref()), error.detail.as_deref()];
    let message = parts.into_iter().flatten().collect::<Vec<_>>().join(". ");
    let warnings = Warning::list(&[Warning::new("insufficient_data", message)]);
    let mut value = json!({ "kind": kind, "version": 1, "warnings": warnings });
    if let (Value::Object(fields), Value::Object(known)) = (&mut value, known) {
        fields.extend(known);
    }
    value
}

/// Whether a value is what [`unfitted`] makes for that `kind`: its field `fitted` is null.
#[must_use]
pub fn is_unfitted(value: &Value, kind: &str, fitted: &str) -> bool {
    value.get("kind").is_some_and(|k| k == kind) && value.get(fitted).is_some_and(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::ErrorKind;

    #[test]
    fn says_why_and_is_known_again() {
        let error = Error::new(ErrorKind::NotReady, "too little data").detail("There are 3 rows.");
        let value = unfitted("churn_model", json!({ "coefficients": null, "rows": 3 }), &error);
        assert_eq!(
            value,
            json!({
                "kind": "churn_model", "version": 1, "coefficients": null, "rows": 3,
                "warnings": [{ "code": "insufficient_data", "message": "too little data. There are 3 rows." }],
            })
        );
        assert!(is_unfitted(&value, "churn_model", "coefficients"));
        assert!(
            !is_unfitted(&value, "calibration", "coefficients")
                && !is_unfitted(&value, "churn_model", "rows")
        );
        assert!(!is_unfitted(&json!({ "kind": "churn_model" }), "churn_model", "coefficients"));
    }
}
