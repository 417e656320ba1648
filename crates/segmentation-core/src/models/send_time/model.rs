//! The model, read for scoring.

use serde_json::Value;

use super::cells::KIND;
use super::hours::{DAY, HOURS, SendHours};
use super::kernel::kernel;
use super::options::SendTimeOptions;
use crate::base::error::{Error, Result};
use crate::base::json::Object;

const FIELDS: [&str; 10] = [
    "kind",
    "version",
    "customers",
    "events",
    "bandwidth_hours",
    "shared_days",
    "prior_events",
    "shares",
    "skipped",
    "warnings",
];

/// A model, read for scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct SendTimeModel {
    /// The smoothed shares of the segment.
    profile: [f64; HOURS],
    /// The segment's share of each day.
    days: [f64; 7],
    prior_events: f64,
    shared_days: f64,
    week: Vec<f64>,
    day: Vec<f64>,
}

impl SendTimeModel {
    /// Reads a model; `None` if it is one of too few data.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Option<Self>> {
        let object = Object::new("send time model", "", value, &FIELDS)?;
        if object.text("kind")? != Some(KIND) {
            return Err(object.wrong("kind", "\"send_time_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let Some(list) = object.list("shares")? else { return Ok(None) };
        let options = SendTimeOptions::read(&object)?;
        let wrong = || object.wrong("shares", "168 numbers from 0 to 1, not all 0");
        let shares: Vec<f64> =
            list.iter().filter_map(Value::as_f64).filter(|s| (0.0..=1.0).contains(s)).collect();
        let sum: f64 = shares.iter().sum();
        if list.len() != HOURS || shares.len() != HOURS || sum <= 0.0 {
            return Err(wrong());
        }
        let mut days = [0.0; 7];
        for (hour, share) in shares.iter().enumerate() {
            days[hour / DAY] += share / sum;
        }
        let prior_events = object.need_number("prior_events", 0.0, 1e9)?;
        let mut model = Self {
            profile: [0.0; HOURS],
            days,
            prior_events,
            shared_days: options.shared_days,
            week: kernel(HOURS, options.bandwidth_hours),
            day: kernel(DAY, options.bandwidth_hours),
        };
        // The profile has many acts: they are smoothed on the week only.
        let acts = shares.iter().enumerate().map(|(hour, share)| (hour, share / sum));
        model.profile = model.smoothed(acts, 0.0);
        Ok(Some(model))
    }

    fn smoothed(&self, acts: impl Iterator<Item = (usize, f64)>, shared: f64) -> [f64; HOURS] {
        let mut out = [0.0; HOURS];
        let mut by_hour = [0.0; DAY];
        for (hour, share) in acts {
            by_hour[hour % DAY] += share;
            if shared < 1.0 {
                // The kernel around this hour, in two runs: no remainder in the loop.
                let (before, from) = out.split_at_mut(hour);
                let weight = share * (1.0 - shared);
                from.iter_mut().zip(&self.week).for_each(|(o, k)| *o += weight * k);
                before.iter_mut().zip(&self.week[HOURS - hour..]).for_each(|(o, k)| *o += weight * k);
            }
        }
        if shared > 0.0 {
            let mut day = [0.0; DAY];
            for (hour, share) in by_hour.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                for (distance, k) in self.day.iter().enumerate() {
                    day[(hour + distance) % DAY] += share * k;
                }
            }
            for (hour, o) in out.iter_mut().enumerate() {
                *o += shared * self.days[hour / DAY] * day[hour % DAY];
            }
        }
        out
    }

    /// The score of each hour of the week: how many times as good as an average hour. Hours that are
    /// not open have 0.
    #[must_use]
    pub fn scores(&self, hours: Option<&SendHours>, open: impl Fn(usize) -> bool) -> [f64; HOURS] {
        let n = hours.map_or(0.0, SendHours::total);
        let weight = if n > 0.0 { n / (n + self.prior_events) } else { 0.0 };
        let mut scores = self.profile;
        if let Some(hours) = hours.filter(|_| n > 0.0) {
            let own = self.smoothed(hours.hours().map(|(hour, w)| (hour, w / n)), self.shared_days);
            scores.iter_mut().zip(own).for_each(|(score, own)| *score += weight * (own - *score));
        }
        for (hour, score) in scores.iter_mut().enumerate() {
            *score = if open(hour) { *score * HOURS as f64 } else { 0.0 };
        }
        scores
    }
}

/// The best of the hours, the first of equals; `None` if no score is above 0.
#[must_use]
pub fn best(scores: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (hour, &score) in scores.iter().enumerate() {
        if score > best.map_or(0.0, |best| scores[best]) {
            best = Some(hour);
        }
    }
    best
}

/// Checks the scores of a week.
///
/// # Errors
/// Not 168 finite numbers, 0 or above.
pub fn check_scores(scores: &[f64]) -> Result<()> {
    if scores.len() == HOURS && scores.iter().all(|score| (0.0..f64::INFINITY).contains(score)) {
        return Ok(());
    }
    Err(Error::invalid("scores must be 168 finite numbers, 0 or above"))
}
