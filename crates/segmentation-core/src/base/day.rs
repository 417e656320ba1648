//! Days as integers: the day is this project's resolution of time.

use chrono::{Datelike, Months, NaiveDate};

use crate::base::error::{Error, ErrorKind, Result};

/// A day, counted from 2000-01-01 (day 0), as PostgreSQL's `date` is.
pub type Day = i32;

/// 0001-01-01, the first day accepted.
pub const FIRST: Day = -730_119;
/// 9999-12-31, the last day accepted.
pub const LAST: Day = 2_921_939;

/// Days from chrono's epoch (0001-01-01 is 1) to 2000-01-01.
const EPOCH_FROM_CE: i32 = 730_120;

/// `day` itself, if it lies between 0001-01-01 and 9999-12-31.
///
/// # Errors
/// [`ErrorKind::DateOutOfRange`] otherwise; PostgreSQL's infinite dates are among these.
#[inline]
pub fn check(day: Day) -> Result<Day> {
    if (FIRST..=LAST).contains(&day) { Ok(day) } else { Err(out_of_range(day)) }
}

#[cold]
fn out_of_range(day: Day) -> Error {
    Error::new(ErrorKind::DateOutOfRange, "date out of range for a purchase history")
        .detail(match day {
            i32::MIN | i32::MAX => "The date is infinite.".to_owned(),
            _ => format!("The date is {day} days from 2000-01-01."),
        })
        .hint("Dates from 0001-01-01 to 9999-12-31 are accepted.")
}

/// ISO 8601, `2024-02-29`.
///
/// # Errors
/// [`ErrorKind::DateOutOfRange`] outside 0001-01-01 .. 9999-12-31.
pub fn format(day: Day) -> Result<String> {
    let date =
        NaiveDate::from_num_days_from_ce_opt(check(day)? + EPOCH_FROM_CE).ok_or_else(|| out_of_range(day))?;
    Ok(format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day()))
}

/// The day written `yyyy-mm-dd`; `None` if it is not one.
#[must_use]
pub fn parse(text: &str) -> Option<Day> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<u32> {
        bytes[range].iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
    };
    from_ymd(number(0..4)? as i32, number(5..7)?, number(8..10)?)
}

/// The day of a calendar date; `None` if the calendar has no such date or it is out of range.
#[must_use]
pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
    let day = NaiveDate::from_ymd_opt(year, month, day)?.num_days_from_ce() - EPOCH_FROM_CE;
    (FIRST..=LAST).contains(&day).then_some(day)
}

/// The same day of another month, or that month's last if it has no such day.
///
/// # Errors
/// [`ErrorKind::DateOutOfRange`] if `day` or the result is.
pub fn add_months(day: Day, months: i32) -> Result<Day> {
    if months == 0 {
        return check(day);
    }
    let date = NaiveDate::from_num_days_from_ce_opt(check(day)? + EPOCH_FROM_CE);
    let moved = date.and_then(|date| match u32::try_from(months) {
        Ok(months) => date.checked_add_months(Months::new(months)),
        Err(_) => date.checked_sub_months(Months::new(months.unsigned_abs())),
    });
    match moved {
        Some(date) => check(date.num_days_from_ce() - EPOCH_FROM_CE),
        None => Err(out_of_range(if months < 0 { Day::MIN } else { Day::MAX })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar() {
        assert_eq!(format(0).unwrap(), "2000-01-01");
        assert_eq!(format(FIRST).unwrap(), "0001-01-01");
        assert_eq!(format(LAST).unwrap(), "9999-12-31");
        assert_eq!(parse("1997-09-30"), Some(-823));
        assert_eq!(parse("2024-02-29"), Some(8825));
        for bad in [
            "2023-02-29",
            "0000-01-01",
            "24-02-29",
            "2024-2-29",
            "2024/02/29",
            "+024-02-29",
            "2024-02-2x",
            "",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        let days = |a, b| add_months(parse(a).unwrap(), b).map(|d| format(d).unwrap());
        assert_eq!(days("2024-01-31", 1).unwrap(), "2024-02-29");
        assert_eq!(days("2024-03-31", -13).unwrap(), "2023-02-28");
        assert!(days("2024-03-31", i32::MAX).is_err() && days("2024-03-31", i32::MIN).is_err());
        assert!(check(i32::MAX).is_err() && check(i32::MIN).is_err() && check(FIRST - 1).is_err());
    }
}
