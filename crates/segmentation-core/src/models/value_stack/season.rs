//! The seasonal index: what a week of the year brings, over what a mean week does.

use serde_json::{Value, json};

use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;

/// Weeks of a year, the last one short.
pub(super) const WEEKS: usize = 53;
const DAYS_A_YEAR: i32 = 365;
/// So many days of a log make a season known.
pub(super) const LEAST_LOG: i32 = 2 * DAYS_A_YEAR;

/// An index by week of the year, with a mean of 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Season {
    weeks: [f64; WEEKS],
    /// Standard errors; 0 where the index was given.
    errors: [f64; WEEKS],
    /// Sums of the index over the days of two years in a row, from none on.
    sums: Vec<f64>,
}

fn of_week(day_of_year: i32) -> usize {
    (day_of_year / 7).clamp(0, WEEKS as i32 - 1) as usize
}

/// The day of the year, from 0; the last day of a leap year is like the one before it.
fn day_of_year(day: Day) -> i32 {
    // Whole cycles of 400 years are alike.
    let cycle = 146_097;
    let in_cycle = day.rem_euclid(cycle);
    let mut year = 2000 + in_cycle * 400 / cycle;
    let begins = |year: i32| day::from_ymd(year, 1, 1).unwrap_or(0);
    while begins(year) > in_cycle {
        year -= 1;
    }
    while begins(year + 1) <= in_cycle {
        year += 1;
    }
    (in_cycle - begins(year)).min(DAYS_A_YEAR - 1)
}

impl Season {
    /// What a factor may be.
    pub(super) const FACTORS: std::ops::RangeInclusive<f64> = 0.01..=100.0;

    fn new(weeks: [f64; WEEKS], errors: [f64; WEEKS]) -> Self {
        let all: f64 = (0..DAYS_A_YEAR).map(|day| weeks[of_week(day)]).sum();
        let scale = f64::from(DAYS_A_YEAR) / all;
        let (weeks, errors) = (weeks.map(|w| w * scale), errors.map(|e| e * scale));
        let mut sums = vec![0.0];
        for day in 0..2 * DAYS_A_YEAR {
            sums.push(sums[day as usize] + weeks[of_week(day % DAYS_A_YEAR)]);
        }
        Self { weeks, errors, sums }
    }

    /// From factors by month.
    pub(super) fn of_months(months: &[f64; 12]) -> Self {
        let middle = |week: usize| (week as f64 * 7.0 + 3.0).min(364.0);
        let weeks = std::array::from_fn(|week| {
            let month = ((middle(week) / 365.0 * 12.0) as usize).min(11);
            months[month]
        });
        Self::new(weeks, [0.0; WEEKS])
    }

    /// From the turnover of each day of a log that begins on `start`; `None` if it is shorter than two years.
    ///
    /// A week's turnover is divided by the mean week of the year around it, which takes growth out; at the ends of the
    /// log that year is the first and the last one. Weeks of the same place in the year are averaged, and drawn to 1 as
    /// their differences between years say (empirical Bayes): a year that does not repeat has no season.
    pub(super) fn learn(start: Day, turnover: &[f64]) -> Option<Self> {
        const YEAR: usize = 52;
        if turnover.len() < LEAST_LOG as usize {
            return None;
        }
        // Whole weeks, the last one ends with the log.
        let begin = turnover.len() % 7;
        let weeks: Vec<f64> = turnover[begin..].chunks_exact(7).map(|week| week.iter().sum()).collect();
        let mut of: Vec<Vec<f64>> = vec![Vec::new(); WEEKS];
        for (i, week) in weeks.iter().enumerate() {
            let from = i.saturating_sub(YEAR / 2).min(weeks.len() - YEAR);
            let mean = weeks[from..from + YEAR].iter().sum::<f64>() / YEAR as f64;
            if mean > 0.0 {
                let middle = start + (begin + 7 * i + 3) as Day;
                of[of_week(day_of_year(middle))].push((week / mean).max(0.0));
            }
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let means: Vec<Option<f64>> = of.iter().map(|of| (!of.is_empty()).then(|| mean(of))).collect();
        let (mut squares, mut freedom) = (0.0, 0.0);
        for (values, centre) in of.iter().zip(&means) {
            squares += values.iter().map(|v| (v - centre.unwrap_or(1.0)).powi(2)).sum::<f64>();
            freedom += values.len().saturating_sub(1) as f64;
        }
        if freedom < 20.0 {
            return None;
        }
        let noise = squares / freedom;
        let known: Vec<f64> = means.iter().flatten().copied().collect();
        let spread = known.iter().map(|m| (m - 1.0).powi(2)).sum::<f64>() / known.len() as f64;
        let years = weeks.len() as f64 / known.len() as f64;
        let signal = (spread - noise / years).max(0.0);
        let (mut index, mut errors) = ([1.0; WEEKS], [signal.sqrt(); WEEKS]);
        for (week, (centre, values)) in means.iter().zip(&of).enumerate() {
            if let Some(centre) = centre {
                let own = noise / values.len() as f64;
                let weight = if signal > 0.0 { signal / (signal + own) } else { 0.0 };
                index[week] = (1.0 + weight * (centre - 1.0)).clamp(0.01, 100.0);
                errors[week] = (weight * own).sqrt();
            }
        }
        Some(Self::new(index, errors))
    }

    /// The mean index of the days in (day, day + horizon]; a whole year counts as 1.
    #[must_use]
    pub fn factor(&self, day: Day, horizon: i32) -> f64 {
        if horizon <= 0 {
            return 1.0;
        }
        let rest = horizon % DAYS_A_YEAR;
        let from = day_of_year(day.saturating_add(1)) as usize;
        let days = self.sums[from + rest as usize] - self.sums[from];
        (f64::from(horizon - rest) + days) / f64::from(horizon)
    }

    /// The standard error of [`Season::factor`], as if weeks erred on their own.
    #[must_use]
    pub fn factor_error(&self, day: Day, horizon: i32) -> f64 {
        let mut days = [0.0; WEEKS];
        for i in 0..horizon.max(0) % DAYS_A_YEAR {
            days[of_week(day_of_year(day.saturating_add(1 + i)))] += 1.0;
        }
        let square: f64 = days.iter().zip(self.errors).map(|(n, e): (&f64, f64)| (n * e).powi(2)).sum();
        square.sqrt() / f64::from(horizon.max(1))
    }

    /// The least and the greatest factor of the days from one to another.
    pub(super) fn range(&self, from: Day, to: Day, horizon: i32) -> (f64, f64) {
        let last = to.min(from.saturating_add(DAYS_A_YEAR + 1));
        (from..=last).fold((f64::INFINITY, 0.0), |(least, most), day| {
            let factor = self.factor(day, horizon);
            (f64::min(least, factor), f64::max(most, factor))
        })
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "weeks": &self.weeks[..], "standard_errors": &self.errors[..] })
    }

    pub(super) fn from_json(what: &'static str, value: &Value) -> Result<Self> {
        let object = Object::new(what, "season", value, &["weeks", "standard_errors"])?;
        let list = |key: &'static str, least: f64| -> Result<[f64; WEEKS]> {
            let list = object.list(key)?.unwrap_or_default();
            let numbers: Option<Vec<f64>> = list.iter().map(Value::as_f64).collect();
            numbers
                .filter(|n| n.iter().all(|v| (least..=100.0).contains(v)))
                .and_then(|n| n.try_into().ok())
                .ok_or_else(|| {
                    object.wrong(key, format_args!("a list of {WEEKS} numbers from {least} to 100"))
                })
        };
        // As it was written, so that reading and writing end at once.
        let (weeks, errors) = (list("weeks", 0.001)?, list("standard_errors", 0.0)?);
        let mut season = Self::new(weeks, errors);
        (season.weeks, season.errors) = (weeks, errors);
        Ok(season)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_year() {
        for (date, right) in [
            ("2000-01-01", 0),
            ("1999-12-31", 364),
            ("2024-12-31", 364),
            ("2024-12-30", 364),
            ("2023-03-01", 59),
            ("1900-03-01", 59),
        ] {
            assert_eq!(day_of_year(day::parse(date).unwrap()), right, "{date}");
        }
    }

    #[test]
    fn a_season_is_found_and_noise_is_none() {
        let start = day::parse("2021-01-01").unwrap();
        // A shop that doubles in three years, and sells twice as much in December.
        let day_of = |i: usize| day_of_year(start + i as Day);
        let shop = |factor: &dyn Fn(i32) -> f64| -> Vec<f64> {
            (0..1095).map(|i| (1.0 + i as f64 / 1095.0) * factor(day_of(i)) * 100.0).collect()
        };
        let season = Season::learn(start, &shop(&|d| if d >= 334 { 2.0 } else { 1.0 })).unwrap();
        let december = season.factor(day::parse("2023-11-30").unwrap(), 31);
        let june = season.factor(day::parse("2023-05-31").unwrap(), 30);
        assert!((december / june - 2.0).abs() < 0.2, "{december} {june}");
        assert_eq!(season.factor(start, 365), 1.0);
        assert!((season.factor(start, 366) - 1.0).abs() < 0.01);
        assert!(season.factor_error(start, 31) > 0.0 && season.factor_error(start, 31) < 0.1);
        let mut random = 1_u64;
        let mut noise = || {
            random = crate::base::hash::mix(random);
            0.5 + (random >> 11) as f64 / (1_u64 << 53) as f64
        };
        let days: Vec<f64> = (0..1095).map(|_| 100.0 * noise()).collect();
        let none = Season::learn(start, &days).unwrap();
        assert!(none.weeks.iter().all(|w| (w - 1.0).abs() < 0.06), "{:?}", none.weeks);
        assert!(Season::learn(start, &days[..700]).is_none());
        let (least, most) = season.range(start, start + 2000, 31);
        assert!(least <= june && most >= december - 0.05);
        let again = Season::from_json("a test", &season.to_json()).unwrap();
        assert_eq!(again.to_json(), season.to_json());
        assert!((again.factor(start + 300, 90) - season.factor(start + 300, 90)).abs() < 1e-9);
    }

    #[test]
    fn by_months() {
        let season = Season::of_months(&[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 3.0]);
        let december = season.factor(day::parse("2023-11-30").unwrap(), 31);
        assert!((december / season.factor(day::parse("2023-06-01").unwrap(), 31) - 3.0).abs() < 0.3);
    }
}
