//! Public holidays of France (article L3133-1 of the labour code), by the law as it stands.

use chrono::{Datelike, NaiveDate};

use crate::base::day::Day;

/// Days from chrono's epoch to 2000-01-01.
const EPOCH_FROM_CE: i32 = 730_120;

/// Where the calendar is that of metropolitan France with days of its own.
pub const ZONES: [&str; 9] = [
    "metropole",
    "alsace_moselle",
    "guadeloupe",
    "guyane",
    "martinique",
    "mayotte",
    "reunion",
    "saint_barthelemy",
    "saint_martin",
];

/// Years that are answered for: the first in which all eleven days were holidays, and PostgreSQL's usual last.
const YEARS: std::ops::RangeInclusive<i32> = 1982..=9999;

/// Easter Sunday of the Gregorian calendar, as a day from 2000-01-01 (anonymous algorithm, Meeus 1991).
fn easter(year: i32) -> Day {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 19 * l) / 433;
    let month = (h + l - 7 * m + 90) / 25;
    let day = (h + l - 7 * m + 33 * month + 19) % 32;
    on(year, month as u32, day as u32)
}

fn on(year: i32, month: u32, day: u32) -> Day {
    NaiveDate::from_ymd_opt(year, month, day).map_or(Day::MIN, |date| date.num_days_from_ce() - EPOCH_FROM_CE)
}

/// The holidays of a year, in order, with their codes. Empty before 1982, after 9999 and for unknown zones.
#[must_use]
pub fn of_year(year: i32, zone: &str) -> Vec<(Day, &'static str)> {
    if !YEARS.contains(&year) || !ZONES.contains(&zone) {
        return Vec::new();
    }
    let easter = easter(year);
    let mut days = vec![
        (on(year, 1, 1), "new_year"),
        (easter + 1, "easter_monday"),
        (on(year, 5, 1), "labour_day"),
        (on(year, 5, 8), "victory_1945"),
        (easter + 39, "ascension"),
        (easter + 50, "whit_monday"),
        (on(year, 7, 14), "national_day"),
        (on(year, 8, 15), "assumption"),
        (on(year, 11, 1), "all_saints"),
        (on(year, 11, 11), "armistice_1918"),
        (on(year, 12, 25), "christmas"),
    ];
    let abolition = |month, day| (on(year, month, day), "abolition_of_slavery");
    match zone {
        "alsace_moselle" => days.extend([(easter - 2, "good_friday"), (on(year, 12, 26), "saint_stephen")]),
        "guadeloupe" => days.push(abolition(5, 27)),
        "guyane" => days.push(abolition(6, 10)),
        "martinique" => days.push(abolition(5, 22)),
        "mayotte" => days.push(abolition(4, 27)),
        "reunion" => days.push(abolition(12, 20)),
        "saint_barthelemy" => days.push(abolition(10, 9)),
        "saint_martin" => days.push(abolition(5, 28)),
        _ => {}
    }
    // Ascension can fall on another holiday: then both are listed.
    days.sort_by_key(|(day, _)| *day);
    days
}

/// The holiday that a day is, if it is one; of two on one day, the first in the calendar of fixed dates.
#[must_use]
pub fn of_day(day: Day, zone: &str) -> Option<&'static str> {
    let date = NaiveDate::from_num_days_from_ce_opt(day.checked_add(EPOCH_FROM_CE)?)?;
    of_year(date.year(), zone).into_iter().find(|(holiday, _)| *holiday == day).map(|(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_sundays() {
        // Published by the Bureau des longitudes.
        for (year, month, day) in [
            (1982, 4, 11),
            (2000, 4, 23),
            (2008, 3, 23),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2038, 4, 25),
            (2100, 3, 28),
        ] {
            assert_eq!(easter(year), on(year, month, day), "{year}");
        }
    }

    #[test]
    fn year_2026() {
        let days: Vec<(Day, &str)> = of_year(2026, "metropole");
        assert_eq!(days.len(), 11);
        assert!(
            days.contains(&(on(2026, 5, 14), "ascension"))
                && days.contains(&(on(2026, 5, 25), "whit_monday"))
        );
        assert_eq!(of_day(on(2026, 4, 3), "alsace_moselle"), Some("good_friday"));
        assert_eq!(of_day(on(2026, 4, 3), "metropole"), None);
        assert_eq!(of_day(on(2026, 12, 20), "reunion"), Some("abolition_of_slavery"));
    }

    #[test]
    fn out_of_the_calendar() {
        assert!(of_year(1981, "metropole").is_empty());
        assert!(of_year(2026, "mars").is_empty());
        for day in [i32::MIN, i32::MAX, 0] {
            let _ = of_day(day, "metropole");
        }
        assert_eq!(of_day(i32::MAX, "metropole"), None);
    }
}
