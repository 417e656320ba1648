//! The next purchase: due, late.

use serde_json::{Value, json};

use super::moment::{
    Detail, LifeMoment, bought, date, days_option, hundredth, prior_option, tenth, whole_days,
};
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::facts::gaps::{GapPrior, PurchaseDaysOf};

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
    checked_alive(alive)?;
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    Ok(due(&days, as_of, alive, options, Detail::All))
}

pub(super) fn checked_alive(alive: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&alive) {
        return Ok(alive);
    }
    Err(Error::invalid("alive must be from 0 to 1").detail(format!("It is {alive}.")))
}

/// The same of purchase days. `alive` is a probability.
pub(super) fn due(
    days: &PurchaseDaysOf,
    as_of: Day,
    alive: f64,
    options: &DueOptions,
    detail: Detail,
) -> LifeMoment {
    /// Probabilities this near are not told from one another.
    const NEAR: f64 = 1e-9;
    let (gaps, last) = (days.gaps(), days.last());
    if gaps.len() < options.least_gaps {
        let evidence = json!({ "purchase_days": days.days.len(), "gaps_needed": options.least_gaps });
        return LifeMoment::nothing("insufficient_data", evidence, None);
    }
    let next = options.prior.next_gap(&gaps);
    let elapsed = f64::from(as_of - last);
    // Who had lapsed on the day before has nothing to come: the quantiles, which cost most, are not looked for.
    if detail == Detail::Found && next.cdf(elapsed - 1.0) > options.lapsed + NEAR {
        return LifeMoment::nothing("none", Value::Null, None);
    }
    let on = |p: f64| last.saturating_add(whole_days(next.quantile(p))).min(day::LAST);
    let overdue = on(options.until);
    let late = next.survival(elapsed);
    let evidence = || {
        let median = next.median();
        json!({
            "last_purchase": date(last), "gaps": gaps.len(), "typical_gap": tenth(median),
            "regularity": hundredth(next.shape), "elapsed": as_of - last,
            "overdue_ratio": hundredth(elapsed / median), "alive": hundredth(alive),
        })
    };
    let mut moment = if as_of < overdue {
        let soon = || 1.0 - next.survival(elapsed + f64::from(options.horizon)) / late;
        let span = (on(options.from), overdue - 1);
        LifeMoment::seen("purchase_due", span, as_of, detail, || (alive * soon(), evidence()))
    } else {
        let span = (overdue, on(options.lapsed).max(overdue + 1) - 1);
        LifeMoment::seen("purchase_overdue", span, as_of, detail, || (alive * (1.0 - late), evidence()))
    };
    moment.p_value = Some(late);
    moment
}
