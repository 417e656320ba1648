//! Moments that are dates: the first purchase, the return after a silence, the anniversaries.

use serde_json::{Value, json};

use super::moment::{Detail, LifeMoment, bought, date, days_option, prior_option, share, tenth};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::facts::gaps::{GapPrior, NextGap, PurchaseDaysOf, gaps_of};

/// Options of [`first_purchase`].
#[derive(Debug, Clone, PartialEq)]
pub struct FirstOptions {
    days: Day,
}

impl FirstOptions {
    /// Reads options: `days` that the moment lasts (30).
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["days"])?;
        Ok(Self { days: days_option(&object, "days", 1, 3650, 30)? })
    }
}

/// Whether the first purchase is less than `days` days ago.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn first_purchase(history: Option<&[u8]>, as_of: Day, options: &FirstOptions) -> Result<LifeMoment> {
    Ok(match bought(history, as_of)? {
        None => LifeMoment::nothing("none", json!({ "purchase_days": 0 }), None),
        Some(bought) => first(&bought, as_of, options, Detail::All),
    })
}

/// The same of purchase days.
pub(super) fn first(
    bought: &PurchaseDaysOf,
    as_of: Day,
    options: &FirstOptions,
    detail: Detail,
) -> LifeMoment {
    let first = bought.first();
    LifeMoment::seen("first_purchase", (first, first + options.days - 1), as_of, detail, || {
        (1.0, json!({ "first_purchase": date(first), "purchase_days": bought.days.len() }))
    })
}

/// Options of [`reactivated`].
#[derive(Debug, Clone, PartialEq)]
pub struct ReactivatedOptions {
    prior: GapPrior,
    silence: Day,
    days: Day,
    level: f64,
}

impl ReactivatedOptions {
    /// Reads options; what is missing takes its default.
    ///
    /// * `prior`: of the gaps between purchases, as `fit_loyalty_prior` makes it
    /// * `silence`: days without a purchase (180)
    /// * `days`: how long the moment lasts (60)
    /// * `level`: how improbable the silence was by the customer's own gaps: below 1 - `level` (0.95)
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, &["prior", "silence", "days", "level"])?;
        Ok(Self {
            prior: prior_option(&object)?,
            silence: days_option(&object, "silence", 1, 36_500, 180)?,
            days: days_option(&object, "days", 1, 3650, 60)?,
            level: share(&object, "level", 0.95)?,
        })
    }
}

/// Whether the customer came back less than `days` days ago, after a silence of at least `silence` days
/// that was long for them too: by their earlier gaps it had a probability below 1 - `level`.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn reactivated(history: Option<&[u8]>, as_of: Day, options: &ReactivatedOptions) -> Result<LifeMoment> {
    Ok(match bought(history, as_of)? {
        None => LifeMoment::nothing("none", json!({ "purchase_days": 0 }), None),
        Some(bought) => back(&bought, as_of, options),
    })
}

/// The same of purchase days.
pub(super) fn back(bought: &PurchaseDaysOf, as_of: Day, options: &ReactivatedOptions) -> LifeMoment {
    let days = &bought.days;
    for i in (1..days.len()).rev() {
        let (before, back) = (days[i - 1], days[i]);
        if as_of - back >= options.days {
            break;
        }
        let silence = back - before;
        if silence < options.silence {
            continue;
        }
        let next: NextGap = options.prior.next_gap(&gaps_of(&days[..i]));
        let p = next.survival(f64::from(silence));
        if p > 1.0 - options.level {
            continue;
        }
        let evidence = json!({
            "silence": silence, "typical_gap": tenth(next.median()), "last_before": date(before), "back_on": date(back),
        });
        let span = (back, back + options.days - 1);
        let mut moment = LifeMoment::between("reactivated", span, as_of, 1.0 - p, evidence);
        moment.p_value = Some(p);
        return moment;
    }
    LifeMoment::nothing("none", json!({ "purchase_days": days.len() }), None)
}

/// Whether the yearly day of `on` is near: from `ahead` days before (14) to `after` days after (0); `kind` says of what
/// it is, in the evidence.
///
/// 29 February is kept on 28 February in other years, or on 1 March by the option `leap_day`.
///
/// # Errors
/// A day out of range, unknown options.
pub fn anniversary(on: Day, as_of: Day, kind: &str, options: &Value) -> Result<LifeMoment> {
    let object = Object::new("options", "", options, &["ahead", "after", "leap_day"])?;
    let ahead = days_option(&object, "ahead", 0, 180, 14)?;
    let after = days_option(&object, "after", 0, 180, 0)?;
    let march = match object.text("leap_day")?.unwrap_or("february_28") {
        "february_28" => false,
        "march_1" => true,
        _ => return Err(object.wrong("leap_day", "\"february_28\" or \"march_1\"")),
    };
    day::check(on)?;
    day::check(as_of)?;
    // The first yearly day, at least one year on, that is not over yet.
    let mut year = ((as_of - after - on) / 366).max(1);
    loop {
        let Ok(kept) = day::add_months(on, 12 * year) else {
            return Ok(LifeMoment::nothing("none", json!({ "kind": kind }), None));
        };
        let moved = march && is_leap_day(on) && !is_leap_day(kept);
        let kept = if moved { kept + 1 } else { kept };
        if kept + after >= as_of {
            let evidence = json!({ "kind": kind, "of": date(on), "on": date(kept), "years": year });
            let span = (kept - ahead, kept + after);
            return Ok(LifeMoment::between("anniversary", span, as_of, 1.0, evidence));
        }
        year += 1;
    }
}

fn is_leap_day(day: Day) -> bool {
    date(day).ends_with("-02-29")
}
