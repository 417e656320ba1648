//! What a purchase history says on a day, as a fixed list of named numbers, and nothing that came later.
//!
//! All models on snapshots of customers share them. Who buys nothing moves them one way only: counts of the last
//! so many days fall, recency rises. Only turnover may rise, on the day on which a refund leaves a window
//! ([`Known::turns`]); between two such days every feature is monotone in time, so that a linear score over an interval
//! of days lies between bounds that its two ends give.
//!
//! | feature | what |
//! |---|---|
//! | `purchases_14`, `_30`, `_60`, `_90`, `_180`, `_365` | ln(1 + purchase days of the last so many days) |
//! | `spend_14` ... `spend_365` | ln(1 + turnover of the last so many days, in units), 0 for less than nothing |
//! | `purchase_days` | ln(1 + purchase days within reach) |
//! | `tenure` | ln(1 + days since the first purchase, at most the reach) |
//! | `recency` | ln(1 + days since the last purchase) |
//! | `overdue` | ln((1 + recency) / own mean gap), within 4 of 0; 0 with one purchase day |
//! | `once` | 1 with one purchase day, else 0 |
//! | `basket` | ln(1 + turnover over purchase days, in units), over the whole history |
//! | `returns` | days with refunds only, as a share of all days with anything |
//! | `late` | `overdue` where it is above 0 |
//! | `since_median` | ln((1 + recency) / own median gap), within 4 of 0; 0 with one purchase day, as those below |
//! | `since_longest` | the same of the longest gap |
//! | `beyond_longest` | `since_longest` where it is above 0: longer away than ever |
//! | `as_long` | the share of own gaps at least as long as the silence: (such gaps + 1/2) / (gaps + 1) |
//! | `gap_trend` | ln(mean of the last three gaps / mean gap) |
//!
//! The *reach* is how far back is looked: that of the shortest log among the snapshots, so that a long log and a short
//! one say the same of the same customer. The *unit* of money makes the numbers those of any currency.

use super::purchase_history::{Entry, History, PurchaseDays};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::memory;

/// The windows, in days.
pub const WINDOWS: [i32; 6] = [14, 30, 60, 90, 180, 365];
/// How many features there are.
pub const FEATURES: usize = 2 * WINDOWS.len() + 13;
/// Their names, in order.
pub const NAMES: [&str; FEATURES] = [
    "purchases_14",
    "purchases_30",
    "purchases_60",
    "purchases_90",
    "purchases_180",
    "purchases_365",
    "spend_14",
    "spend_30",
    "spend_60",
    "spend_90",
    "spend_180",
    "spend_365",
    "purchase_days",
    "tenure",
    "recency",
    "overdue",
    "once",
    "basket",
    "returns",
    "late",
    "since_median",
    "since_longest",
    "beyond_longest",
    "as_long",
    "gap_trend",
];
const SPEND: usize = WINDOWS.len();
const PURCHASE_DAYS: usize = 2 * WINDOWS.len();
const TENURE: usize = PURCHASE_DAYS + 1;
/// Where the recency stands among the features.
pub const RECENCY: usize = PURCHASE_DAYS + 2;
const OVERDUE: usize = PURCHASE_DAYS + 3;
const ONCE: usize = PURCHASE_DAYS + 4;
const BASKET: usize = PURCHASE_DAYS + 5;
const RETURNS: usize = PURCHASE_DAYS + 6;
const LATE: usize = PURCHASE_DAYS + 7;
const SINCE_MEDIAN: usize = PURCHASE_DAYS + 8;
const SINCE_LONGEST: usize = PURCHASE_DAYS + 9;
const BEYOND_LONGEST: usize = PURCHASE_DAYS + 10;
const AS_LONG: usize = PURCHASE_DAYS + 11;
const GAP_TREND: usize = PURCHASE_DAYS + 12;
/// The last gaps that a trend is taken of.
const LATEST_GAPS: usize = 3;
/// The largest logarithm of recency over gap.
const MOST_OVERDUE: f64 = 4.0;

/// How the features are taken: the same on every snapshot of one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// How many days back are looked at by what counts; at least 1.
    pub reach: i32,
    /// Amounts are divided by it; above 0.
    pub unit: f64,
}

impl Frame {
    /// Whether a feature can be told: windows no longer than the reach. One shorter by a few days would be filled
    /// by less than its name says.
    #[must_use]
    pub fn has(&self, feature: usize) -> bool {
        feature >= PURCHASE_DAYS || WINDOWS[feature % WINDOWS.len()] <= self.reach
    }

    fn farthest(&self) -> i32 {
        self.reach.max(WINDOWS[WINDOWS.len() - 1])
    }
}

/// What is known of a customer at the end of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    as_of: Day,
    frame: Frame,
    first: Day,
    last: Day,
    purchase_days: u32,
    basket: f64,
    returns: f64,
    /// Days between purchase days next to each other, ascending.
    gaps: Vec<i32>,
    gap_trend: f64,
    /// What lies within reach, ascending.
    recent: Vec<Entry>,
}

impl Known {
    /// Reads a history up to a day; `None` if nothing was bought by then.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range, no memory.
    pub fn read(history: &History, as_of: Day, frame: Frame) -> Result<Option<Self>> {
        day::check(as_of)?;
        let from = as_of.saturating_sub(frame.farthest());
        let mut recent: Vec<Entry> = Vec::new();
        let mut gaps: Vec<i32> = Vec::new();
        let (mut span, mut purchase_days, mut days, mut returns, mut turnover) =
            (None, 0_u32, 0_u32, 0_u32, 0.0);
        for entry in history.entries()? {
            let entry = entry?;
            if entry.day > as_of {
                break;
            }
            days += 1;
            turnover += entry.amount.to_f64();
            if entry.purchases > 0 {
                purchase_days += 1;
                if let Some((_, last)) = span {
                    memory::push(&mut gaps, entry.day - last)?;
                }
                span = Some((span.map_or(entry.day, |(first, _)| first), entry.day));
            } else {
                returns += 1;
            }
            if entry.day > from {
                memory::push(&mut recent, entry)?;
            }
        }
        let latest = &gaps[gaps.len().saturating_sub(LATEST_GAPS)..];
        let gap_trend = if gaps.is_empty() { 0.0 } else { (mean(latest) / mean(&gaps)).ln() };
        gaps.sort_unstable();
        Ok(span.map(|(first, last)| Self {
            as_of,
            frame,
            first,
            last,
            purchase_days,
            basket: ln_units(turnover / f64::from(purchase_days), frame.unit),
            returns: f64::from(returns) / f64::from(days),
            gaps,
            gap_trend,
            recent,
        }))
    }

    /// The features on `as_of`, or on a later day if nothing has happened since.
    #[must_use]
    pub fn features(&self, day: Day) -> [f64; FEATURES] {
        let day = day.max(self.as_of);
        let mut values = [0.0; FEATURES];
        let (mut window, mut count, mut within, mut turnover) = (0, 0_u32, 0_u32, 0.0);
        let mut close = |window: usize, count: u32, turnover: f64| {
            values[window] = f64::from(count).ln_1p();
            values[SPEND + window] = ln_units(turnover, self.frame.unit);
        };
        for entry in self.recent.iter().rev() {
            let age = day - entry.day;
            while window < WINDOWS.len() && age >= WINDOWS[window] {
                close(window, count, turnover);
                window += 1;
            }
            let bought = u32::from(entry.purchases > 0);
            count += bought;
            within += if age < self.frame.reach { bought } else { 0 };
            turnover += entry.amount.to_f64();
        }
        for window in window..WINDOWS.len() {
            close(window, count, turnover);
        }
        let (recency, tenure) = (f64::from(day - self.last), day - self.first);
        values[PURCHASE_DAYS] = f64::from(within).ln_1p();
        values[TENURE] = f64::from(tenure.min(self.frame.reach)).ln_1p();
        values[RECENCY] = recency.ln_1p();
        if self.purchase_days > 1 {
            let gap = f64::from(self.last - self.first) / f64::from(self.purchase_days - 1);
            let since = |gap: f64| ((1.0 + recency) / gap).ln().clamp(-MOST_OVERDUE, MOST_OVERDUE);
            values[OVERDUE] = since(gap);
            values[LATE] = values[OVERDUE].max(0.0);
            values[SINCE_MEDIAN] = since(median(&self.gaps));
            values[SINCE_LONGEST] = since(self.gaps.last().map_or(gap, |gap| f64::from(*gap)));
            values[BEYOND_LONGEST] = values[SINCE_LONGEST].max(0.0);
            let shorter = self.gaps.partition_point(|gap| *gap < day - self.last);
            values[AS_LONG] = ((self.gaps.len() - shorter) as f64 + 0.5) / (self.gaps.len() as f64 + 1.0);
            values[GAP_TREND] = self.gap_trend;
        } else {
            values[ONCE] = 1.0;
        }
        values[BASKET] = self.basket;
        values[RETURNS] = self.returns;
        values
    }

    /// First and last purchase day, and how many there are.
    #[must_use]
    pub fn purchase_days(&self) -> PurchaseDays {
        PurchaseDays { first: self.first, last: self.last, count: self.purchase_days as usize }
    }

    /// The days in (from, to] on which a refund leaves a window, ascending: between them every feature is monotone
    /// while nothing happens.
    ///
    /// # Errors
    /// No memory.
    pub fn turns(&self, from: Day, to: Day) -> Result<Vec<Day>> {
        let mut turns: Vec<Day> = Vec::new();
        for entry in self.recent.iter().filter(|entry| entry.amount.0 < 0) {
            for window in WINDOWS {
                let day = entry.day.saturating_add(window);
                if day > from && day <= to {
                    memory::push(&mut turns, day)?;
                }
            }
        }
        turns.sort_unstable();
        turns.dedup();
        Ok(turns)
    }
}

fn mean(gaps: &[i32]) -> f64 {
    gaps.iter().map(|gap| f64::from(*gap)).sum::<f64>() / gaps.len() as f64
}

/// The median of gaps in order; at least one.
fn median(gaps: &[i32]) -> f64 {
    let half = gaps.len() / 2;
    match gaps.len() % 2 {
        0 => f64::from(gaps[half - 1] + gaps[half]) / 2.0,
        _ => f64::from(gaps[half]),
    }
}

/// ln(1 + an amount in units), 0 for less than nothing.
fn ln_units(amount: f64, unit: f64) -> f64 {
    (amount.max(0.0) / unit).ln_1p()
}

#[cfg(test)]
mod tests {
    use super::super::purchase_history::pack;
    use super::*;
    use crate::base::money::Money;
    use proptest::prelude::*;

    const FRAME: Frame = Frame { reach: 200, unit: 10.0 };

    fn packed(days: &[(Day, i64)]) -> Vec<u8> {
        let mut days: Vec<Entry> =
            days.iter().map(|&(day, amount)| Entry::order(day, Money(amount * 10_000))).collect();
        days.sort_by_key(|e| e.day);
        days.dedup_by_key(|e| e.day);
        pack(&days)
    }

    fn known(bytes: &[u8], as_of: Day) -> Option<Known> {
        Known::read(&History::read(bytes).unwrap(), as_of, FRAME).unwrap()
    }

    #[test]
    fn by_hand() {
        let bytes = packed(&[(0, 20), (50, 30), (90, -5), (100, 15), (130, 99)]);
        let features = known(&bytes, 110).unwrap().features(110);
        let named = |name: &str| features[NAMES.iter().position(|n| *n == name).unwrap()];
        assert!((named("purchases_14") - 2f64.ln()).abs() < 1e-15);
        assert!((named("spend_14") - 2.5f64.ln()).abs() < 1e-15);
        assert!((named("spend_30") - 2f64.ln()).abs() < 1e-15);
        assert!((named("purchases_60") - 2f64.ln()).abs() < 1e-15, "day 50 is 60 days ago");
        assert!((named("purchases_90") - 3f64.ln()).abs() < 1e-15);
        assert!((named("purchases_365") - 4f64.ln()).abs() < 1e-15);
        assert!((named("spend_365") - 7f64.ln()).abs() < 1e-15);
        assert!((named("purchase_days") - 4f64.ln()).abs() < 1e-15);
        assert!((named("tenure") - 111f64.ln()).abs() < 1e-15);
        assert!((named("recency") - 11f64.ln()).abs() < 1e-15);
        assert!((named("overdue") - (11.0 / 50.0f64).ln()).abs() < 1e-15);
        assert!((named("basket") - 3f64.ln()).abs() < 1e-15);
        assert_eq!((named("late"), named("beyond_longest"), named("gap_trend")), (0.0, 0.0, 0.0));
        // Gaps of 50, 50 and 30 days, and 40 days of silence; then 60.
        let (later, latest) =
            (known(&bytes, 170).unwrap().features(170), known(&bytes, 190).unwrap().features(190));
        let at = |values: [f64; FEATURES], name: &str| values[NAMES.iter().position(|n| *n == name).unwrap()];
        assert!((at(later, "overdue") - (41.0 * 3.0 / 130.0f64).ln()).abs() < 1e-15);
        assert_eq!((at(later, "late"), at(latest, "late")), (0.0, at(latest, "overdue")));
        assert!((at(later, "since_median") - (41.0 / 50.0f64).ln()).abs() < 1e-15);
        assert!((at(later, "since_longest") - (41.0 / 50.0f64).ln()).abs() < 1e-15);
        assert!((at(latest, "beyond_longest") - (61.0 / 50.0f64).ln()).abs() < 1e-15);
        assert_eq!((at(later, "as_long"), at(latest, "as_long")), (2.5 / 4.0, 0.5 / 4.0));
        assert!(at(later, "gap_trend").abs() < 1e-15);
        assert_eq!((named("once"), named("returns")), (0.0, 0.25));
        assert!(known(&bytes, -1).is_none());
        assert!(!FRAME.has(5) && !FRAME.has(11) && FRAME.has(4) && FRAME.has(RECENCY));
    }

    proptest! {
        #[test]
        fn later_days_are_those_of_a_history_that_ends(
            days in proptest::collection::vec((0_i32..600, -30_i64..100), 1..40), as_of in 0_i32..700, later in 0_i32..500,
        ) {
            let bytes = packed(&days);
            let short = History::read(&bytes).unwrap().until(as_of).unwrap();
            match (known(&bytes, as_of), known(&short, as_of + later)) {
                (Some(then), Some(now)) => prop_assert_eq!(then.features(as_of + later), now.features(as_of + later)),
                (then, now) => prop_assert!(then.is_none() && now.is_none()),
            }
        }

        #[test]
        fn monotone_between_turns(
            days in proptest::collection::vec((0_i32..600, -30_i64..100), 1..40), as_of in 0_i32..700,
        ) {
            let Some(known) = known(&packed(&days), as_of) else { return Ok(()) };
            let (mut from, until) = (as_of, as_of + 400);
            for turn in known.turns(as_of, until).unwrap().into_iter().chain([until + 1]) {
                let days: Vec<_> = (from..turn).map(|day| known.features(day)).collect();
                for i in 0..FEATURES {
                    let column: Vec<f64> = days.iter().map(|d| d[i]).collect();
                    prop_assert!(column.is_sorted() || column.iter().rev().is_sorted(), "{} {:?}", NAMES[i], column);
                }
                from = turn;
            }
        }
    }
}
