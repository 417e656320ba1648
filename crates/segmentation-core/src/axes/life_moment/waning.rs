//! Interest that wanes: the last window against the customer's own past, by the exact test of two Poisson rates
//! ([`crate::math::rate_ratio`]).

use std::borrow::Cow;

use serde_json::{Value, json};

use super::moment::{
    Detail, LOOK_AHEAD, LifeMoment, bought, date, days_option, hundredth, share, whole_days,
};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::facts::gaps::PurchaseDaysOf;
use crate::math::rate_ratio::{fewer, rate_ratio_test};

/// Options of [`waning_interest`] and [`waning_counts`].
#[derive(Debug, Clone, PartialEq)]
pub struct WaningOptions {
    window: Day,
    ratio: f64,
    alpha: f64,
    least_days: Day,
    gone: Day,
    least_recent: Option<f64>,
}

impl WaningOptions {
    /// Reads options; what is missing takes its default.
    ///
    /// * `window`: days that count as recent (180)
    /// * `ratio`: at most this share of the earlier rate is left (0.5)
    /// * `alpha`: at most this p value (0.05)
    /// * `least_days`: days of past before the window (90)
    /// * `gone`: days without a purchase after which it is churn's to say (365)
    /// * `least_recent`: events in the window (1 purchase; of counts 0)
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = &["window", "ratio", "alpha", "least_days", "gone", "least_recent"];
        let object = Object::new("options", "", value, known)?;
        Ok(Self {
            window: days_option(&object, "window", 7, 3650, 180)?,
            ratio: share(&object, "ratio", 0.5)?,
            alpha: share(&object, "alpha", 0.05)?,
            least_days: days_option(&object, "least_days", 1, 3650, 90)?,
            gone: days_option(&object, "gone", 1, 36_500, 365)?,
            least_recent: object.whole("least_recent", 0, 1_000_000)?.map(|n| n as f64),
        })
    }

    /// Whether the rate fell, of counts and days as [`window_counts`] has them.
    fn fell(&self, counts: (f64, f64, f64, f64)) -> bool {
        // The test costs most.
        ratio(counts) <= self.ratio && p_value(counts) <= self.alpha
    }
}

/// Recent rate over the earlier one.
fn ratio((recent, recent_days, before, before_days): (f64, f64, f64, f64)) -> f64 {
    (recent / recent_days) / (before / before_days)
}

fn p_value((recent, recent_days, before, before_days): (f64, f64, f64, f64)) -> f64 {
    fewer(recent, recent_days, before, before_days)
}

/// Recent purchase days, days of the window, earlier ones, days before the window, of one customer at one day; `None` before there is a past to compare with.
fn window_counts(days: &[Day], as_of: Day, options: &WaningOptions) -> Option<(f64, f64, f64, f64)> {
    let before_days = as_of - options.window - days[0];
    if before_days < options.least_days {
        return None;
    }
    // The first purchase opens the observation and is not counted.
    let from = days.partition_point(|day| *day <= as_of - options.window);
    let (recent, before) = ((days.len() - from) as f64, (from - 1) as f64);
    Some((recent, f64::from(options.window), before, f64::from(before_days)))
}

/// Whether a customer buys less often than they used to, while still a customer: the exact test of
/// the last window against their own past, for who bought in it (`least_recent`, 1) and within `gone` days.
///
/// # Errors
/// Damaged bytes, a day out of range.
pub fn waning_interest(history: Option<&[u8]>, as_of: Day, options: &WaningOptions) -> Result<LifeMoment> {
    let Some(days) = bought(history, as_of)? else {
        return Ok(LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 0 }), None));
    };
    Ok(waning(&days, as_of, options, Detail::All))
}

/// The same of purchase days.
pub(super) fn waning(
    days: &PurchaseDaysOf,
    as_of: Day,
    options: &WaningOptions,
    detail: Detail,
) -> LifeMoment {
    let (first, last, days) = (days.first(), days.last(), &days.days);
    let Some(counts) = window_counts(days, as_of, options) else {
        let from = first.saturating_add(options.window + options.least_days).min(day::LAST);
        let evidence = json!({ "purchase_days": days.len(), "enough_from": date(from) });
        let next = (from > as_of).then_some(from);
        return LifeMoment::nothing("insufficient_data", evidence, next);
    };
    if days.len() < 2 {
        return LifeMoment::nothing("insufficient_data", json!({ "purchase_days": 1 }), None);
    }
    let state = |day: Day| {
        let counts = window_counts(days, day, options)?;
        let buying = day - last <= options.gone && counts.0 >= options.least_recent.unwrap_or(1.0);
        Some(buying && counts.2 > 0.0 && options.fell(counts))
    };
    let now = state(as_of);
    let next_change = if as_of - last > options.gone {
        None
    } else {
        let until = as_of.saturating_add(LOOK_AHEAD).min(day::LAST);
        (as_of + 1..until).find(|day| state(*day) != now).or(Some(until))
    };
    if now != Some(true) && detail == Detail::Found {
        return LifeMoment::nothing("none", Value::Null, next_change);
    }
    let p = p_value(counts);
    let (recent, recent_days, before, before_days) = counts;
    let evidence = json!({
        "recent": recent as u64, "recent_days": recent_days, "before": before as u64, "before_days": before_days,
        "ratio": if before > 0.0 { json!(hundredth(ratio(counts))) } else { Value::Null }, "last_purchase": date(last),
    });
    // Since the last purchase before the window, if that was one: it stands still while the window moves.
    let from = days.partition_point(|day| *day <= as_of - options.window);
    let mut moment = LifeMoment::nothing("none", evidence, next_change);
    moment.p_value = (before > 0.0).then_some(p);
    if now == Some(true) {
        moment.moment = Cow::Borrowed("waning_interest");
        moment.begins = Some(days[from - 1] + 1);
        moment.confidence = Some(1.0 - p);
    }
    moment
}

/// The same from counts of anything: visits, clicks, answers, purchases together: `(recent, recent_days, before,
/// before_days)`, the earlier ones not counted among the recent.
///
/// # Errors
/// As [`rate_ratio_test`]; a day out of range.
pub fn waning_counts(
    (recent, recent_days, before, before_days): (f64, f64, f64, f64),
    as_of: Day,
    options: &WaningOptions,
) -> Result<LifeMoment> {
    day::check(as_of)?;
    let test = rate_ratio_test(recent, recent_days, before, before_days, 0.95)?;
    let evidence = json!({
        "recent": recent as u64, "recent_days": recent_days, "before": before as u64, "before_days": before_days,
        "ratio": test.ratio.map(hundredth),
    });
    let look_again = as_of.checked_add(1).filter(|day| *day <= day::LAST);
    if before == 0.0 || before_days < f64::from(options.least_days) {
        return Ok(LifeMoment::nothing("insufficient_data", evidence, look_again));
    }
    let mut moment = LifeMoment::nothing("none", evidence, look_again);
    moment.p_value = Some(test.p_value);
    let active = recent >= options.least_recent.unwrap_or(0.0);
    if active && options.fell((recent, recent_days, before, before_days)) {
        moment.moment = Cow::Borrowed("waning_interest");
        moment.begins = Some(as_of.saturating_sub(whole_days(recent_days) - 1).max(day::FIRST));
        moment.confidence = Some(1.0 - test.p_value);
    }
    Ok(moment)
}
