//! What a detector answers, and the tools that the detectors share: reading of options and of histories, the
//! figures of the evidence.

use std::borrow::Cow;

use serde_json::Value;

use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::facts::gaps::{GapPrior, PurchaseDaysOf};

/// Days looked ahead where the next change has no formula; after them it says to look again.
pub(super) const LOOK_AHEAD: Day = 90;

/// How much a detector says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// All: a moment that is not on has its figures too.
    All,
    /// Of a moment that is not on, only when it may be.
    Found,
}

/// What is on, since when, until when, how sure, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct LifeMoment {
    /// The code; `none` if nothing is on, `insufficient_data` if that cannot be said.
    pub moment: Cow<'static, str>,
    /// First day.
    pub begins: Option<Day>,
    /// Last day; `None` if open.
    pub ends: Option<Day>,
    /// 0 to 1: how probable it is that the moment is real.
    pub confidence: Option<f64>,
    /// Of the test behind it, if there is one, also when nothing is on.
    pub p_value: Option<f64>,
    /// The figures behind it.
    pub evidence: Value,
    /// The first day after `as_of` on which the code changes if nothing happens, or an earlier day to look again.
    pub next_change: Option<Day>,
}

impl LifeMoment {
    /// Nothing is on: `none` or `insufficient_data`.
    pub(super) fn nothing(code: &'static str, evidence: Value, next_change: Option<Day>) -> Self {
        Self {
            moment: Cow::Borrowed(code),
            begins: None,
            ends: None,
            confidence: None,
            p_value: None,
            evidence,
            next_change,
        }
    }

    /// Whether it is a moment, on or to come.
    pub(super) fn is_one(&self) -> bool {
        !matches!(&*self.moment, "none" | "insufficient_data")
    }

    /// A moment of known days, seen at `as_of`: on, or `none`.
    pub(super) fn between(
        code: impl Into<Cow<'static, str>>,
        span: (Day, Day),
        as_of: Day,
        confidence: f64,
        evidence: Value,
    ) -> Self {
        Self::seen(code, span, as_of, Detail::All, || (confidence, evidence))
    }

    /// The same, with confidence and evidence found only where they are said.
    pub(super) fn seen(
        code: impl Into<Cow<'static, str>>,
        (begins, ends): (Day, Day),
        as_of: Day,
        detail: Detail,
        said: impl FnOnce() -> (f64, Value),
    ) -> Self {
        let next_change = [begins, ends.saturating_add(1)].into_iter().find(|day| *day > as_of);
        let on = (begins..=ends).contains(&as_of);
        if !on && detail == Detail::Found {
            return Self::nothing("none", Value::Null, next_change);
        }
        let (confidence, evidence) = said();
        if !on {
            return Self::nothing("none", evidence, next_change);
        }
        Self {
            moment: code.into(),
            begins: Some(begins),
            ends: Some(ends),
            confidence: Some(confidence),
            p_value: None,
            evidence,
            next_change,
        }
    }
}

/// A day in the evidence: ISO 8601.
pub(super) fn date(day: Day) -> String {
    day::format(day).unwrap_or_default()
}

/// A duration in whole days, at least 1, kept from running past the calendar.
pub(super) fn whole_days(days: f64) -> Day {
    days.ceil().clamp(1.0, 4e6) as Day
}

/// Purchase days up to `as_of` of a history that may be missing.
pub(super) fn bought(history: Option<&[u8]>, as_of: Day) -> Result<Option<PurchaseDaysOf>> {
    history.map(|h| PurchaseDaysOf::read(h, as_of)).transpose().map(Option::flatten)
}

/// An option from 0 to 1.
pub(super) fn share(object: &Object, key: &str, default: f64) -> Result<f64> {
    Ok(object.number(key, 0.0, 1.0)?.unwrap_or(default))
}

/// An option that is a number of whole days.
pub(super) fn days_option(object: &Object, key: &str, least: u64, most: u64, default: Day) -> Result<Day> {
    Ok(object.whole(key, least, most)?.map_or(default, |n| n as Day))
}

/// The option `prior`: of the gaps between purchases.
pub(super) fn prior_option(object: &Object) -> Result<GapPrior> {
    Ok(object.get("prior").map(GapPrior::from_json).transpose()?.flatten().unwrap_or_default())
}

/// Rounded for the evidence.
pub(super) fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}

/// Rounded for the evidence.
pub(super) fn hundredth(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}
