//! Seasons, weekdays and the clock of Europe/Paris.

use chrono::{Datelike, NaiveDate};

use crate::base::day::{self, Day};

/// Days before and after the period that have a clock too.
const MARGIN: i32 = 40;

/// Demand by weekday, from Monday: consumers, then companies.
const WEEKDAYS: [[f64; 7]; 2] =
    [[0.90, 0.90, 0.95, 0.95, 1.15, 1.45, 0.70], [1.25, 1.40, 1.35, 1.40, 1.20, 0.25, 0.15]];
/// Demand by month: sales in January and July, a quiet August, Christmas; companies close in August.
const MONTHS: [[f64; 12]; 2] = [
    [1.10, 0.85, 0.90, 0.95, 1.00, 1.00, 1.05, 0.80, 0.95, 0.95, 1.10, 1.35],
    [1.05, 1.00, 1.05, 1.00, 0.95, 1.00, 0.95, 0.60, 1.10, 1.05, 1.10, 1.15],
];

/// The neutral time of consumers and companies (its speed is the season; its
/// mean speed is 1) and the clock.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    starts: Day,
    /// Neutral time at the beginning of each day, and after the last.
    elapsed: [Vec<f64>; 2],
    /// Whether summer time is in force at noon.
    summer: Vec<bool>,
}

impl Calendar {
    pub(super) fn new(starts: Day, ends: Day, pure: bool) -> Self {
        let days = (ends - starts + 1).max(0) as usize;
        let mut calendar = Self { starts, elapsed: [vec![0.0], vec![0.0]], summer: Vec::new() };
        for (kind, elapsed) in calendar.elapsed.iter_mut().enumerate() {
            let mean = WEEKDAYS[kind].iter().sum::<f64>() / 7.0 * MONTHS[kind].iter().sum::<f64>() / 12.0;
            elapsed.reserve_exact(days);
            let mut total = 0.0;
            for day in starts..=ends {
                let month = year_month(day).1;
                let speed = WEEKDAYS[kind][weekday(day)] * MONTHS[kind][month - 1] / mean;
                total += if pure { 1.0 } else { speed };
                elapsed.push(total);
            }
        }
        let mut turns = (0, 0, i32::MIN);
        for day in starts - MARGIN..=ends + MARGIN {
            let year = year_month(day).0;
            if turns.2 != year {
                turns = (last_sunday(year, 3), last_sunday(year, 10), year);
            }
            calendar.summer.push(day >= turns.0 && day < turns.1);
        }
        calendar
    }

    /// Neutral time at `time` (days from 2000-01-01, continuous).
    pub(super) fn neutral(&self, company: bool, time: f64) -> f64 {
        let elapsed = &self.elapsed[usize::from(company)];
        let offset = (time - f64::from(self.starts)).clamp(0.0, (elapsed.len() - 1) as f64);
        let whole = offset as usize;
        match elapsed.get(whole + 1) {
            Some(next) => elapsed[whole] + (offset - whole as f64) * (next - elapsed[whole]),
            None => elapsed[whole],
        }
    }

    /// The time at which the neutral time is `neutral`; the end of the period if it is never.
    pub(super) fn time(&self, company: bool, neutral: f64) -> f64 {
        let elapsed = &self.elapsed[usize::from(company)];
        let after = elapsed.partition_point(|e| *e <= neutral);
        if after == 0 {
            return f64::from(self.starts);
        }
        let whole = after - 1;
        let fraction = match elapsed.get(after) {
            Some(next) => (neutral - elapsed[whole]) / (next - elapsed[whole]),
            None => 0.0,
        };
        f64::from(self.starts) + whole as f64 + fraction
    }

    /// Microseconds from 2000-01-01 00:00 UTC of a local time in Paris, as PostgreSQL's
    /// `timestamptz` counts. The local day of the result is `day` again.
    pub(super) fn instant(&self, day: Day, second: u32) -> i64 {
        let second = second.min(86_399);
        // The clock changes between two and three in the night: before three it is the day before's.
        let noon = if second < 3 * 3600 { day - 1 } else { day };
        let position = (noon - self.starts + MARGIN).max(0) as usize;
        let summer = self.summer.get(position).copied().unwrap_or(false);
        let offset = if summer { 7200 } else { 3600 };
        (i64::from(day) * 86_400 + i64::from(second) - offset) * 1_000_000
    }
}

/// Monday is 0. 2000-01-01 was a Saturday.
pub(super) fn weekday(day: Day) -> usize {
    (day + 5).rem_euclid(7) as usize
}

/// Year and month (from 1) of a day.
pub(super) fn year_month(day: Day) -> (i32, usize) {
    NaiveDate::from_num_days_from_ce_opt(day + 730_120)
        .map_or((2000, 1), |date| (date.year(), date.month() as usize))
}

/// The first of January of a year.
pub(super) fn new_year(year: i32) -> Day {
    day::from_ymd(year, 1, 1).unwrap_or(day::LAST)
}

/// The last Sunday of a month of 31 days: the European clock changes on these.
fn last_sunday(year: i32, month: u32) -> Day {
    day::from_ymd(year, month, 31).map_or(day::LAST, |last| last - (weekday(last) as i32 + 1) % 7)
}
