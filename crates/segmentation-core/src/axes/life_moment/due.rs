//! The next purchase: due, late.

use serde_json::{Value, json};

use super::moment::{LifeMoment, bought, date, days_option, hundredth, prior_option, tenth, whole_days};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::facts::gaps::GapPrior;

/// Options of [`purchase_due`].
#[derive(Debug, Clone, PartialEq)]
pub struct DueOptions {
    prior: GapPrior,
    from: f64,
    until: f64,
    lapsed: f64,
    horizon: Day,
    least_gaps: usize,
}

impl DueOptions {
    /// Reads options; what is missing takes its default.
    ///
    /// * `prior`: of the gaps between purchases, as `fit_loyalty_prior` makes it
    /// * `from`, `until`, `lapsed`: quantiles of the next gap at which a purchase is due (0.25), late (0.75), and no
    ///   longer expected (0.95)
    /// * `horizon`: days ahead that the confidence of `purchase_due` is about (30)
    /// * `least_gaps`: gaps that a customer must have shown (1)
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = &["prior", "from", "until", "lapsed", "horizon", "least_gaps"];
        let object = Object::new("options", "", value, known)?;
        let options = Self {
            prior: prior_option(&object)?,
            from: object.number("from", 0.001, 0.999)?.unwrap_or(0.25),
            until: object.number("until", 0.001, 0.999)?.unwrap_or(0.75),
            lapsed: object.number("lapsed", 0.001, 0.9999)?.unwrap_or(0.95),
            horizon: days_option(&object, "horizon", 1, 3650, 30)?,
            least_gaps: object.whole("least_gaps", 0, 64)?.unwrap_or(1) as usize,
        };
        if !(options.from < options.until && options.until < options.lapsed) {
            return Err(Error::invalid("from must be below until, and until below lapsed"));
        }
        Ok(options)
    }
}

/// Whether the next purchase is due (`purchase_due`) or late (`purchase_overdue`), by the customer's own
/// gaps drawn to the population's.
///
/// Due between two quantiles of the next gap, late from there to a third; beyond it the customer has
/// lapsed, which is churn's to say. `alive` is the probability that they still are a customer, by a
/// purchase model. Confidence: of due, that a purchase comes within the horizon; of overdue, that a usual
/// gap would have ended by now.
///
/// # Errors
/// Damaged bytes, a day out of range, an `alive` that is no probability.
pub fn purchase_due(
    history: Option<&[u8]>,
    as_of: Day,
    alive: f64,
    options: &DueOptions,
) -> Result<LifeMoment> {
    if !(0.0..=1.0).contains(&alive) {
        return Err(Error::invalid("alive must be from 0 to 1").detail(format!("It is {alive}.")));
    }
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    let (gaps, last) = (days.gaps(), days.last());
    if gaps.len() < options.least_gaps {
        let evidence = json!({ "purchase_days": days.days.len(), "gaps_needed": options.least_gaps });
        return Ok(LifeMoment::nothing("insufficient_data", evidence, None));
    }
    let next = options.prior.next_gap(&gaps);
    let on = |p: f64| last.saturating_add(whole_days(next.quantile(p))).min(day::LAST);
    let (due, overdue, lapsed) = (on(options.from), on(options.until), on(options.lapsed));
    let elapsed = f64::from(as_of - last);
    let median = next.median();
    let evidence = json!({
        "last_purchase": date(last), "gaps": gaps.len(), "typical_gap": tenth(median),
        "regularity": hundredth(next.shape), "elapsed": as_of - last,
        "overdue_ratio": hundredth(elapsed / median), "alive": hundredth(alive),
    });
    let late = next.survival(elapsed);
    let mut moment = if as_of < overdue {
        let soon = 1.0 - next.survival(elapsed + f64::from(options.horizon)) / late;
        LifeMoment::between("purchase_due", (due, overdue - 1), as_of, alive * soon, evidence)
    } else {
        let days = (overdue, lapsed.max(overdue + 1) - 1);
        LifeMoment::between("purchase_overdue", days, as_of, alive * (1.0 - late), evidence)
    };
    moment.p_value = Some(late);
    Ok(moment)
}
