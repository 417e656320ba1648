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

    /// Periods from one day to another: whole ones, and the days left over as a share of the period that they begin.
    pub(super) fn elapsed(&self, from: Day, to: Day) -> Result<f64> {
        let (whole, exact) = self.completed(from, to)?;
        if exact {
            return Ok(f64::from(whole));
        }
        Ok(match self {
            Period::Days(days) => f64::from(to - from) / days,
            Period::Months(months) => {
                let begin = day::add_months(from, (whole as i32).saturating_mul(*months))?;
                let end = day::add_months(from, (whole as i32 + 1).saturating_mul(*months))?;
                f64::from(whole) + f64::from(to - begin) / f64::from(end - begin)
            }
        })
    }

    /// Half a day in the first period from a day on.
    pub(super) fn half_a_day(&self, from: Day) -> Result<f64> {
        Ok(match self {
            Period::Days(days) => 0.5 / days,
            Period::Months(_) => 0.5 * self.elapsed(from, from + 1)?,
        })
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
        assert_eq!(week.elapsed(0, 15).unwrap(), 15.0 / 7.0);
        // The third month from 15 January is from 15 March to 15 April.
        assert_eq!(month.elapsed(d("2024-01-15"), d("2024-03-20")).unwrap(), 2.0 + 5.0 / 31.0);
        assert_eq!(month.elapsed(d("2024-01-31"), d("2024-02-29")).unwrap(), 1.0);
    }
}
