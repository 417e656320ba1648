//! Inner days: days of the past on which what followed is known.

use crate::base::day::Day;

/// No shorter horizon is tried where the log is too short for the one asked for.
const LEAST_HORIZON: i32 = 14;
const MOST_DAYS: i32 = 3;

/// The inner days of a fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// The horizon at which candidates are judged: that asked for, or a third of the log if that is shorter.
    pub horizon: i32,
    /// Descending: candidates are judged on the first, learnt on those whose outcome was known by then.
    pub days: Vec<Day>,
}

impl Plan {
    /// For a log that begins on a day.
    pub(super) fn new(start: Day, as_of: Day, horizon: i32) -> Self {
        let length = i64::from(as_of) - i64::from(start);
        let horizon = i64::from(horizon).min(length / 3) as i32;
        if horizon < LEAST_HORIZON {
            return Self { horizon, days: Vec::new() };
        }
        // Half a horizon apart: the third lies a whole one before the first.
        let step = (horizon + 1) / 2;
        let days = (0..MOST_DAYS).map(|j| as_of - horizon - j * step);
        Self {
            horizon,
            days: days.filter(|day| i64::from(*day) - i64::from(start) >= i64::from(horizon) - 1).collect(),
        }
    }

    /// The places of days whose outcome was known on the first.
    pub(super) fn before(&self) -> impl Iterator<Item = usize> {
        let known = self.days.first().map_or(0, |day| day - self.horizon);
        (1..self.days.len()).filter(move |j| self.days[*j] <= known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_log_and_a_short_one() {
        let long = Plan::new(0, 1000, 90);
        assert_eq!((long.horizon, &long.days[..]), (90, &[910, 865, 820][..]));
        assert_eq!(long.before().collect::<Vec<_>>(), [2]);
        let short = Plan::new(0, 191, 365);
        assert_eq!((short.horizon, &short.days[..]), (63, &[128, 96, 64][..]));
        assert!(Plan::new(0, 41, 90).days.is_empty());
        assert!(Plan::new(5, 0, 90).days.is_empty());
    }

    proptest! {
        #[test]
        fn outcomes_are_known(length in 0_i32..5000, horizon in 1_i32..3653) {
            let plan = Plan::new(0, length, horizon);
            prop_assert!(plan.days.iter().all(|day| *day > 0 && day + plan.horizon <= length));
            prop_assert!(plan.days.is_empty() || plan.before().all(|j| plan.days[j] + plan.horizon <= plan.days[0]));
        }
    }
}
