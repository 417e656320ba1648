//! Inner days: days of the past on which what followed is known.

use crate::base::day::Day;

/// The most inner days.
const MOST_DAYS: i32 = 6;
/// Inner days are no nearer to each other, but for short horizons.
const LEAST_STEP: i32 = 30;
/// The least log before an inner day.
const LEAST_LOG: i32 = 60;
/// No shorter horizon is tried where the log is too short for the one asked for.
const LEAST_HORIZON: i32 = 14;

/// How much can be learnt from a log of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Regressions at the horizon, learnt on earlier days and judged on later ones.
    Full,
    /// Families at the horizon, judged on one day; their calibration is learnt before it, at a shorter horizon.
    Calibration,
    /// Families and their calibration at a shorter horizon.
    Shorter,
    /// Nothing can be judged.
    Nothing,
}

/// An inner day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InnerDay {
    pub day: Day,
    /// Days within which a purchase counts.
    pub horizon: i32,
}

/// The inner days of a fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub reach: Reach,
    /// The horizon at which candidates are judged.
    pub horizon: i32,
    /// Ascending.
    pub days: Vec<InnerDay>,
    /// Days between two of them.
    pub step: i32,
}

impl Plan {
    /// For a log that begins on a day.
    pub(super) fn new(start: Day, as_of: Day, horizon: i32) -> Self {
        let length = i64::from(as_of) - i64::from(start);
        let at_least = |horizon: i32| i64::from(LEAST_LOG.max(horizon / 2));
        let whole = i64::from(horizon);
        let step = LEAST_STEP.max((horizon + 1) / 2);
        // So many steps before a day the outcome of another is known on it.
        let apart = i64::from((horizon + step - 1) / step * step);
        if length >= whole + apart + at_least(horizon) {
            let back = |i: i32| i64::from(horizon) + i64::from(i) * i64::from(step);
            let days = (0..MOST_DAYS).rev().filter(|i| length - back(*i) >= at_least(horizon));
            let days = days.map(|i| InnerDay { day: (i64::from(as_of) - back(i)) as Day, horizon });
            return Self { reach: Reach::Full, horizon, days: days.collect(), step };
        }
        if length >= whole + at_least(horizon) {
            let last = InnerDay { day: as_of - horizon, horizon };
            let shorter = (length - whole - i64::from(LEAST_LOG)).min(whole) as i32;
            let first = InnerDay { day: last.day - shorter, horizon: shorter };
            let days = if shorter >= LEAST_HORIZON { vec![first, last] } else { vec![last] };
            return Self { reach: Reach::Calibration, horizon, days, step: horizon };
        }
        let shorter = ((length - i64::from(LEAST_LOG)) / 2).min(whole) as i32;
        if shorter >= LEAST_HORIZON {
            let back = |i| InnerDay { day: as_of - i * shorter, horizon: shorter };
            return Self {
                reach: Reach::Shorter,
                horizon: shorter,
                days: vec![back(2), back(1)],
                step: shorter,
            };
        }
        Self { reach: Reach::Nothing, horizon, days: Vec::new(), step: horizon }
    }

    /// The days, by their place, from which may be learnt what is judged on that one: their outcome was known by then.
    pub(super) fn before(&self, judged: usize) -> impl Iterator<Item = usize> {
        let day = self.days[judged].day;
        (0..judged).filter(move |i| self.days[*i].day + self.days[*i].horizon <= day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_log_a_short_one_and_none() {
        let long = Plan::new(0, 1000, 90);
        let days: Vec<Day> = long.days.iter().map(|d| d.day).collect();
        assert_eq!((long.reach, days), (Reach::Full, vec![685, 730, 775, 820, 865, 910]));
        assert_eq!(long.before(5).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(long.before(1).count(), 0);
        assert_eq!(Plan::new(0, 240, 90).days.len(), 3);
        let one = Plan::new(0, 239, 90);
        assert_eq!(one.reach, Reach::Calibration);
        assert_eq!(one.days, [InnerDay { day: 60, horizon: 89 }, InnerDay { day: 149, horizon: 90 }]);
        assert_eq!(Plan::new(0, 155, 90).days, [InnerDay { day: 65, horizon: 90 }]);
        let short = Plan::new(0, 120, 90);
        assert_eq!((short.reach, short.horizon), (Reach::Shorter, 30));
        assert_eq!(Plan::new(0, 80, 90).reach, Reach::Nothing);
        assert_eq!(Plan::new(5, 0, 90).reach, Reach::Nothing);
    }

    proptest! {
        #[test]
        fn outcomes_are_known_and_logs_long_enough(length in 0_i32..5000, horizon in 1_i32..3653) {
            let plan = Plan::new(0, length, horizon);
            prop_assert!(plan.days.len() <= 6);
            prop_assert!(plan.days.is_sorted_by_key(|d| d.day));
            for inner in &plan.days {
                prop_assert!(inner.day + inner.horizon <= length && inner.day >= LEAST_LOG && inner.horizon > 0);
            }
            if plan.reach == Reach::Full || plan.reach == Reach::Shorter {
                prop_assert!(plan.before(plan.days.len() - 1).count() > 0);
            }
        }
    }
}
