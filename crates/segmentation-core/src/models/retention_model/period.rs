//! Periods of a contract: calendar months, or days.

use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::span::Span;

/// A period of a contract: calendar months, or days.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Period {
    Months(i32),
    Days(f64),
}

/// A span as a period: months and years by the calendar, weeks and days by their length.
pub(super) fn period(span: &Span) -> Period {
    let (count, word) = span.text().split_once(' ').unwrap_or(("1", "month"));
    let count: i32 = count.parse().unwrap_or(1);
    match word.trim_end_matches('s') {
        "month" => Period::Months(count),
        "year" => Period::Months(count.saturating_mul(12)),
        _ => Period::Days(span.days()),
    }
}

impl Period {
    /// Whole periods from one day to another, and whether nothing is left over.
    pub(super) fn completed(&self, from: Day, to: Day) -> Result<(u32, bool)> {
        match self {
            Period::Days(days) => {
                let count = f64::from(to - from) / days;
                Ok((count.floor() as u32, count.fract() == 0.0))
            }
            Period::Months(months) => {
                let at = |n: i32| day::add_months(from, n.saturating_mul(*months));
                let mut n = (f64::from(to - from) / (30.4375 * f64::from(*months))) as i32;
                while n > 0 && at(n)? > to {
                    n -= 1;
                }
                while at(n + 1).is_ok_and(|next| next <= to) {
                    n += 1;
                }
                Ok((n as u32, at(n)? == to))
            }
        }
    }

    /// Periods in an interval of months and days, where a month has 30.4375 days.
    pub(super) fn count(&self, months: i32, days: f64) -> f64 {
        match self {
            Period::Months(unit) => (f64::from(months) + days / 30.4375) / f64::from(*unit),
            Period::Days(unit) => (f64::from(months) * 30.4375 + days) / unit,
        }
    }

    /// How long one is, in years.
    pub(super) fn years(&self) -> f64 {
        match self {
            Period::Months(months) => f64::from(*months) / 12.0,
            Period::Days(days) => days / 365.25,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar_months() {
        let month = period(&Span::parse("1 month").unwrap());
        let d = |t| day::parse(t).unwrap();
        assert_eq!(month.completed(d("2024-01-31"), d("2024-02-29")).unwrap(), (1, true));
        assert_eq!(month.completed(d("2024-01-31"), d("2024-03-30")).unwrap(), (1, false));
        assert_eq!(month.completed(d("2020-01-01"), d("2026-01-01")).unwrap(), (72, true));
        assert_eq!(month.completed(d("2024-05-05"), d("2024-05-05")).unwrap(), (0, true));
        let week = period(&Span::parse("1 week").unwrap());
        assert_eq!(week.completed(0, 15).unwrap(), (2, false));
    }
}
