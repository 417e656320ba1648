//! Birth dates as people and systems write them.

use crate::base::day::{self, Day};

/// Days that systems write when they know none: 0001-01-01, 1900-01-01, 1901-01-01, 1970-01-01 and the last of all.
const PLACEHOLDERS: &[(i32, u32, u32)] =
    &[(1900, 1, 1), (1901, 1, 1), (1970, 1, 1), (1899, 12, 30), (1899, 12, 31)];

/// The oldest age that is believed, in years.
const OLDEST: i32 = 120;

/// Whether somebody can have been born on that day, seen from another: not later, at most 120 years before, and none of
/// the days that systems write for an unknown one.
#[must_use]
pub fn is_plausible(born: Day, as_of: Day) -> bool {
    let placeholder = PLACEHOLDERS.iter().any(|(y, m, d)| day::from_ymd(*y, *m, *d) == Some(born));
    let days = i64::from(as_of) - i64::from(born);
    (0..=i64::from(OLDEST) * 1461 / 4).contains(&days) && !placeholder
}

/// The eight digits `YYYYMMDD` of a date that is written as `1985-12-31`, `19851231`, `31/12/1985`, `31.12.1985`, also with
/// a time behind. Days before months, as in all of Europe. `None` if it is no date, or none on which a living person
/// can have been born.
#[must_use]
pub fn normalize(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let head = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = head.split(['-', '/', '.']).collect();
    let (year, month, date) = match *parts.as_slice() {
        [all] if all.len() == 8 && all.is_ascii() => (&all[..4], &all[4..6], &all[6..]),
        [year, month, date] if year.len() == 4 => (year, month, date),
        [date, month, year] if year.len() == 4 => (year, month, date),
        _ => return None,
    };
    let number =
        |part: &str| part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let (year, month, date) = (i32::try_from(number(year)?).ok()?, number(month)?, number(date)?);
    day::from_ymd(year, month, date)?;
    let placeholder = PLACEHOLDERS.contains(&(year, month, date));
    ((1850..2200).contains(&year) && !placeholder).then(|| format!("{year:04}{month:02}{date:02}"))
}

/// The day of eight digits.
#[must_use]
pub fn day(digits: &str) -> Option<Day> {
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u32>().ok();
    day::from_ymd(i32::try_from(number(0, 4)?).ok()?, number(4, 6)?, number(6, 8)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for written in [
            "1985-12-31",
            "19851231",
            "31/12/1985",
            "31.12.1985",
            " 1985-12-31T00:00:00+02",
            "1985-12-31 00:00",
        ] {
            assert_eq!(normalize(written).as_deref(), Some("19851231"), "{written}");
        }
        assert_eq!(normalize("1/2/1985").as_deref(), Some("19850201"));
        for wrong in [
            "",
            "1985",
            "1985-02-30",
            "1900-01-01",
            "0001-01-01",
            "9999-12-31",
            "12/31/1985",
            "1985-1-1-1",
            "é-12-1985",
            "+985-01-01",
        ] {
            assert_eq!(normalize(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn plausible() {
        let of = |y, m, d| day::from_ymd(y, m, d).unwrap();
        let today = of(2026, 1, 1);
        assert!(is_plausible(of(1985, 12, 31), today) && is_plausible(today, today));
        assert!(is_plausible(of(1906, 1, 2), today));
        assert!(!is_plausible(of(2026, 1, 2), today));
        assert!(!is_plausible(of(1905, 1, 1), today));
        assert!(!is_plausible(of(1970, 1, 1), today) && is_plausible(of(1970, 1, 2), today));
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,20}", born: i32, as_of: i32) {
            let _ = normalize(&text);
            let _ = is_plausible(born, as_of);
        }
    }
}
