//! How often values are: two customers of one rare name are more likely one than two of a frequent one.

use std::collections::BTreeMap;

use serde_json::Value;

use super::rules::Rules;
use crate::base::error::Result;
use crate::base::json::Object;

/// How often values are, of one field.
#[derive(Debug, Clone, Default)]
pub struct Frequency {
    /// The chance that two records have the same value.
    pub collision: Option<f64>,
    /// Shares of the values that are frequent.
    pub frequent: BTreeMap<String, f64>,
    /// The mean share of all others.
    pub rest: Option<f64>,
}

/// The shares of frequent values.
pub(super) fn frequent(item: &Object) -> Result<BTreeMap<String, f64>> {
    let Some(value) = item.get("frequent") else { return Ok(BTreeMap::new()) };
    let shares = Object::open("model", &item.path("frequent"), value)?;
    shares.keys().map(|key| Ok((key.to_owned(), shares.need_number(key, 1e-30, 1.0)?))).collect()
}

/// Frequencies as SQL counts them: a list with one object for each comparison, of `collision`, `rest` and `frequent`.
///
/// # Errors
/// Names what is wrong.
pub fn frequencies(rules: &Rules, value: &Value) -> Result<Vec<Frequency>> {
    let mut all = vec![Frequency::default(); rules.comparisons.len()];
    let object = Object::open("frequencies", "", value)?;
    for (at, comparison) in rules.comparisons.iter().enumerate() {
        if let Some(item) = object.get(&comparison.field) {
            let item =
                Object::new("frequencies", &comparison.field, item, &["collision", "rest", "frequent"])?;
            all[at] = Frequency {
                collision: item.number("collision", 0.0, 1.0)?,
                rest: item.number("rest", 1e-30, 1.0)?,
                frequent: frequent(&item)?,
            };
        }
    }
    Ok(all)
}
