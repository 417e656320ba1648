//! The level of churn risk of a customer, and the day on which silence alone changes it.
//!
//! | level | by default |
//! |---|---|
//! | low | P(no purchase in 90 days) below 0.33 |
//! | medium | below 0.66 |
//! | high | 0.66 or more |
//! | lost | P(no purchase in 365 days) above 0.95, whatever the other says |

use serde_json::Value;

use crate::axes::silence::first_day;
use crate::base::day::Day;
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::span::days_option;
use crate::models::churn_stack::{StackCustomer, StackScorer};
use crate::models::purchase_model::{CustomerSummary, Scorer};

/// Probabilities this near a limit are not told from it: the scores are exact to fewer digits
/// than a double has, and their last ones go up and down from day to day.
const NEAR: f64 = 1e-9;

/// The level of churn risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChurnLevel {
    /// Likely to buy soon.
    Low,
    /// In between.
    Medium,
    /// Not likely to buy soon.
    High,
    /// Not likely to buy ever.
    Lost,
}

impl ChurnLevel {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Lost => "lost",
        }
    }
}

/// The limits of the levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChurnLevels {
    medium: Limit,
    high: Limit,
    lost: Limit,
}

/// A limit of P(no purchase within a horizon), in days.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit {
    horizon: f64,
    probability: f64,
}

impl Default for ChurnLevels {
    fn default() -> Self {
        let limit = |horizon, probability| Limit { horizon, probability };
        Self { medium: limit(90.0, 0.33), high: limit(90.0, 0.66), lost: limit(365.0, 0.95) }
    }
}

impl ChurnLevels {
    /// Limits from their JSON object; what is missing or null takes its default.
    ///
    /// * `horizon`: `90 days`, or another whole number of days, weeks, months (30.4375 days) or years
    /// * `medium_from`, `high_from`: 0.33 and 0.66, the probabilities of no purchase within the horizon
    ///   from which the level is medium and high
    /// * `lost_horizon`, `lost_above`: `365 days` and 0.95, the probability of no purchase within that
    ///   horizon above which the customer counts as lost
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = ["horizon", "medium_from", "high_from", "lost_horizon", "lost_above"];
        let object = Object::new("options", "", value, &known)?;
        let mut levels = Self::default();
        if let Some(days) = days_option(&object, "horizon")? {
            levels.medium.horizon = days;
            levels.high.horizon = days;
        }
        if let Some(days) = days_option(&object, "lost_horizon")? {
            levels.lost.horizon = days;
        }
        for (key, limit) in [
            ("medium_from", &mut levels.medium),
            ("high_from", &mut levels.high),
            ("lost_above", &mut levels.lost),
        ] {
            limit.probability = object.number(key, 0.0, 1.0)?.unwrap_or(limit.probability);
        }
        if levels.medium.probability > levels.high.probability {
            return Err(Error::invalid("medium_from must not be greater than high_from"));
        }
        Ok(levels)
    }

    /// The level by the probability of no purchase within the horizon, and within the longer one where it is known.
    #[must_use]
    pub fn of(&self, probability: f64, lost_probability: Option<f64>) -> ChurnLevel {
        if lost_probability.is_some_and(|p| p > self.lost.probability) {
            return ChurnLevel::Lost;
        }
        match probability {
            p if p >= self.high.probability => ChurnLevel::High,
            p if p >= self.medium.probability => ChurnLevel::Medium,
            _ => ChurnLevel::Low,
        }
    }

    /// The level of a customer at their summary's end of observation.
    #[must_use]
    pub fn level(&self, scorer: &Scorer, customer: CustomerSummary) -> ChurnLevel {
        let silence = |limit: Limit| scorer.churn_probability(customer, limit.horizon);
        self.of(silence(self.high), Some(silence(self.lost)))
    }

    /// The first day after `as_of`, and no later than `until`, on which the level of a customer who
    /// stays silent is another, or a day before it from which the search has to go on; `None` if the
    /// level stays. `customer` is the summary at `as_of`.
    ///
    /// P(no purchase) only rises in silence, but under Erlang gaps falls first
    /// ([`Scorer::churn_probability_falls`]): each piece is bisected.
    #[must_use]
    pub fn next_change(
        &self,
        scorer: &Scorer,
        customer: CustomerSummary,
        as_of: Day,
        until: Day,
    ) -> Option<Day> {
        let level = self.level(scorer, customer);
        let silence = Silence { scorer, customer, as_of };
        // The limits that can end a level; the others lie behind these.
        let limits: &[Limit] = match level {
            ChurnLevel::Low => &[self.medium, self.lost],
            ChurnLevel::Medium => &[self.medium, self.high, self.lost],
            ChurnLevel::High => &[self.high, self.lost],
            ChurnLevel::Lost => &[self.lost],
        };
        let mut day = as_of;
        // A limit that is passed need not change the level: some more are looked at.
        for _ in 0..8 {
            let next = limits.iter().filter_map(|limit| silence.passes(*limit, day, until)).min()?;
            if self.level(scorer, silence.at(next)) != level {
                return Some(next);
            }
            day = next;
        }
        (day < until).then_some(day + 1)
    }
}

/// How far the levels of stacks are looked ahead for, in days: beyond, they are looked at again.
const STACK_LOOK_AHEAD: Day = 60;

/// A customer as two stacks see them: that of the levels, and that of the longer horizon, with the probability above
/// which the customer counts as lost.
pub struct Stacks<'a> {
    /// For low, medium and high.
    pub level: (&'a StackScorer, &'a StackCustomer),
    /// For lost; `None`: nobody is.
    pub lost: Option<(&'a StackScorer, &'a StackCustomer, f64)>,
}

impl ChurnLevels {
    /// The level by stacks on a day, in silence.
    ///
    /// # Errors
    /// An impossible history.
    pub fn level_of_stacks(&self, stacks: &Stacks, day: Day) -> Result<ChurnLevel> {
        if let Some((scorer, customer, threshold)) = stacks.lost
            && scorer.churn_probability(customer, day)? > threshold
        {
            return Ok(ChurnLevel::Lost);
        }
        let (scorer, customer) = stacks.level;
        Ok(self.of(scorer.churn_probability(customer, day)?, None))
    }

    /// The first day after `as_of`, and no later than `until`, on which the level by stacks is another if nothing
    /// happens, or a day before it from which the search has to go on; `None` if the level stays.
    ///
    /// An interval over which bounds keep both probabilities on one side of their limits has no change in it; any
    /// other is halved, down to single days, which are asked themselves. Intervals end where a refund leaves a window.
    ///
    /// # Errors
    /// An impossible history, no memory.
    pub fn next_change_of_stacks(&self, stacks: &Stacks, as_of: Day, until: Day) -> Result<Option<Day>> {
        let level = self.level_of_stacks(stacks, as_of)?;
        let end = until.min(as_of.saturating_add(STACK_LOOK_AHEAD));
        let mut turns = stacks.level.0.turns(stacks.level.1, as_of, end)?;
        if let Some((scorer, customer, _)) = stacks.lost {
            turns.extend(scorer.turns(customer, as_of, end)?);
        }
        turns.sort_unstable();
        let mut from = as_of;
        for turn in turns.into_iter().chain([end]) {
            // Up to the day before, and that day itself.
            for to in [turn - 1, turn] {
                if to > from {
                    if let Some(day) = self.changes_within(stacks, level, from, to)? {
                        return Ok(Some(day));
                    }
                    from = to;
                }
            }
        }
        Ok((end < until).then_some(end + 1))
    }

    fn changes_within(&self, stacks: &Stacks, level: ChurnLevel, from: Day, to: Day) -> Result<Option<Day>> {
        if to - from == 1 {
            return Ok((self.level_of_stacks(stacks, to)? != level).then_some(to));
        }
        let (scorer, customer) = stacks.level;
        let limits = [self.medium.probability, self.high.probability];
        let lost = match stacks.lost {
            Some((scorer, customer, threshold)) => {
                scorer.keeps_to_one_side(customer, (from, to), &[threshold])?
            }
            None => true,
        };
        if lost && (level == ChurnLevel::Lost || scorer.keeps_to_one_side(customer, (from, to), &limits)?) {
            return Ok(None);
        }
        let middle = from + (to - from) / 2;
        match self.changes_within(stacks, level, from, middle)? {
            Some(day) => Ok(Some(day)),
            None => self.changes_within(stacks, level, middle, to),
        }
    }
}

/// A customer who stays silent from a day on.
struct Silence<'a> {
    scorer: &'a Scorer,
    customer: CustomerSummary,
    as_of: Day,
}

impl Silence<'_> {
    fn at(&self, day: Day) -> CustomerSummary {
        self.customer.after_silence(u32::try_from(i64::from(day) - i64::from(self.as_of)).unwrap_or(0))
    }

    fn probability(&self, limit: Limit, day: Day) -> f64 {
        self.scorer.churn_probability(self.at(day), limit.horizon)
    }

    /// The first day in (from, until] on which the probability comes near the limit or crosses it.
    fn passes(&self, limit: Limit, from: Day, until: Day) -> Option<Day> {
        if from >= until {
            return None;
        }
        let excess = |day| self.probability(limit, day) - limit.probability;
        let now = excess(from);
        if now.abs() <= NEAR {
            return Some(from + 1);
        }
        let falls = |day| self.scorer.churn_probability_falls(self.at(day), limit.horizon);
        let lowest =
            if falls(from) { first_day(from, until, |day| !falls(day)).unwrap_or(until) } else { from };
        if now > 0.0 {
            first_day(from, lowest, |day| excess(day) <= NEAR)
        } else {
            first_day(lowest, until, |day| excess(day) >= -NEAR)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn options_are_checked() {
        assert_eq!(ChurnLevels::from_json(&json!({})).unwrap(), ChurnLevels::default());
        let own =
            ChurnLevels::from_json(&json!({"horizon": "2 weeks", "medium_from": 0.5, "high_from": 0.5}));
        assert_eq!(own.unwrap().high, Limit { horizon: 14.0, probability: 0.5 });
        for bad in [
            json!({"horizon": 90}),
            json!({"horizon": "3 moons"}),
            json!({"lost_horizon": "-1 days"}),
            json!({"medium_from": 1.5}),
            json!({"high_from": 0.1}),
            json!({"lost": 0.9}),
        ] {
            assert!(ChurnLevels::from_json(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_level_begins_at_its_limit_and_lost_above_it() {
        let levels = ChurnLevels::default();
        let of = |p, lost| levels.of(p, lost).code();
        assert_eq!([of(0.0, None), of(0.329, Some(0.95))], ["low", "low"]);
        assert_eq!([of(0.33, None), of(0.659, Some(0.5))], ["medium", "medium"]);
        assert_eq!([of(0.66, None), of(1.0, Some(0.95))], ["high", "high"]);
        assert_eq!([of(0.0, Some(0.951)), of(1.0, Some(1.0))], ["lost", "lost"]);
    }
}
