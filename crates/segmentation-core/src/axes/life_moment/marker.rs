//! Categories that mark a moment: baby goods, a birth.

use serde_json::{Value, json};

use super::moment::{LifeMoment, bought, date, days_option, share};
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::json::Object;

/// Options of [`marker_purchase`].
#[derive(Debug, Clone, PartialEq)]
pub struct MarkerOptions {
    days: Day,
    least: usize,
    alpha: f64,
}

impl MarkerOptions {
    /// Reads options; what is missing takes its default.
    ///
    /// * `days`: how long the moment lasts from the first purchase in the category (180)
    /// * `least`: purchase days in the category (2)
    /// * `alpha`: at most this p value (0.05)
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["days", "least", "alpha"])?;
        Ok(Self {
            days: days_option(&object, "days", 1, 3650, 180)?,
            least: object.whole("least", 1, 1000)?.unwrap_or(2) as usize,
            alpha: share(&object, "alpha", 0.05)?,
        })
    }
}

/// Whether a customer has begun to buy in a category that marks a moment (baby goods: `birth`), and not
/// only happened to.
///
/// If each of m purchase days in the category could as well have been any of all n, the first of them comes
/// after the first b with probability C(n - b, m) / C(n, m): the p value. The moment needs `least` purchase
/// days in the category too, and lasts `days` days from the first.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn marker_purchase(
    marker: Option<&[u8]>,
    history: Option<&[u8]>,
    as_of: Day,
    code: &str,
    options: &MarkerOptions,
) -> Result<LifeMoment> {
    let (Some(marker), Some(all)) = (bought(marker, as_of)?, bought(history, as_of)?) else {
        return Ok(LifeMoment::nothing("none", json!({ "marker_days": 0 }), None));
    };
    let first = marker.first();
    let m = marker.days.len();
    let before = all.days.partition_point(|day| *day < first);
    let n = all.days.len().max(before + m);
    // C(n - b, m) / C(n, m), factor by factor.
    let p: f64 = (0..before).map(|i| (n - m - i) as f64 / (n - i) as f64).product();
    let evidence = json!({
        "marker_days": m, "first_marker": date(first), "purchase_days": n, "before": before,
    });
    let span = (first, first + options.days - 1);
    let mut moment = if m >= options.least && p <= options.alpha {
        LifeMoment::between(code.to_owned(), span, as_of, 1.0 - p, evidence)
    } else {
        LifeMoment::nothing("none", evidence, None)
    };
    moment.p_value = Some(p);
    Ok(moment)
}
