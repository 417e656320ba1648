//! Numbers, days and sentences as a language writes them.

use segmentation_core::base::language::Language;

/// How a language writes.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// The language.
    pub language: Language,
}

/// A sentence in the language of some words: `say!(words, "English", "French")`, with places as in `format!`.
macro_rules! say {
    ($words:expr, $english:literal, $french:literal) => {
        match $words.language {
            segmentation_core::base::language::Language::English => format!($english),
            segmentation_core::base::language::Language::French => format!($french),
        }
    };
}
pub(crate) use say;

/// Digits are grouped by this in French: narrow, and no line breaks there.
const NARROW: char = '\u{202F}';

impl Words {
    /// Whether it is French.
    fn french(self) -> bool {
        self.language == Language::French
    }

    /// One of two texts.
    pub fn pick<'a>(self, english: &'a str, french: &'a str) -> &'a str {
        if self.french() { french } else { english }
    }

    /// A number with so many decimals, its thousands apart.
    pub fn number(self, value: f64, decimals: usize) -> String {
        if !value.is_finite() {
            return "–".into();
        }
        // More digits than anybody reads.
        if value.abs() >= 1e16 {
            return format!("{value:.1e}");
        }
        let text = format!("{:.decimals$}", value.abs());
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        // French has no mark in four digits.
        let (mark, point, least) = if self.french() { (NARROW, ',', 5) } else { (',', '.', 4) };
        let mut out = String::new();
        if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
            out.push('\u{2212}');
        }
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && whole.len() >= least && (whole.len() - place) % 3 == 0 {
                out.push(mark);
            }
            out.push(digit);
        }
        if !part.is_empty() {
            out.push(point);
            out.push_str(part);
        }
        out
    }

    /// A number of things.
    pub fn count(self, value: f64) -> String {
        self.number(value, 0)
    }

    /// An amount of money, or any large number, with three digits that count: 1.23 M.
    pub fn amount(self, value: f64) -> String {
        let size = value.abs();
        let (unit, name) = match size {
            size if size >= 999.5e6 => (1e9, if self.french() { "Md" } else { "bn" }),
            size if size >= 999.5e3 => (1e6, "M"),
            size if size >= 10e3 => (1e3, "k"),
            _ => return self.number(value, usize::from(size < 10.0 && size.fract() != 0.0)),
        };
        let scaled = value / unit;
        let decimals = match scaled.abs() {
            scaled if scaled < 9.995 => 2,
            scaled if scaled < 99.95 => 1,
            _ => 0,
        };
        format!(
            "{}{}{name}",
            self.number(scaled, decimals),
            if self.french() { '\u{A0}' } else { '\u{202F}' }
        )
    }

    /// A share, from 0 to 1, as a percentage; one decimal below ten.
    pub fn share(self, value: f64) -> String {
        let percent = value * 100.0;
        let decimals = usize::from(percent.abs() < 9.95 && percent != 0.0);
        self.percent(percent, decimals)
    }

    /// A percentage.
    pub fn percent(self, percent: f64, decimals: usize) -> String {
        let number = self.number(percent, decimals);
        if self.french() { format!("{number}{NARROW}%") } else { format!("{number}%") }
    }

    /// A difference of two shares, in points, with its sign.
    pub fn points(self, difference: f64) -> String {
        let number = self.number(difference * 100.0, 1);
        let sign = if difference > 0.0 && !number.starts_with('0')
            || number.starts_with("0") && difference >= 0.0005
        {
            "+"
        } else {
            ""
        };
        format!("{sign}{number}{}pt", '\u{A0}')
    }

    /// A day, given as 2025-12-31.
    pub fn day(self, day: &str) -> String {
        let mut parts = day.splitn(3, '-');
        match (parts.next(), parts.next().and_then(|month| self.month_name(month)), parts.next()) {
            (Some(year), Some(month), Some(day)) => match (self.language, day.trim_start_matches('0')) {
                (Language::French, "1") => format!("1er {month} {year}"),
                (_, day) => format!("{day} {month} {year}"),
            },
            _ => day.to_owned(),
        }
    }

    /// The month of a day, with its year.
    pub fn month(self, day: &str) -> String {
        let mut parts = day.splitn(3, '-');
        match (parts.next(), parts.next().and_then(|month| self.month_name(month))) {
            (Some(year), Some(month)) => format!(
                "{} {year}",
                if month.chars().count() > 4 && !self.french() { &month[..3] } else { month }
            ),
            _ => day.to_owned(),
        }
    }

    /// A day without its year, short.
    pub fn short_day(self, day: &str) -> String {
        let mut parts = day.splitn(3, '-').skip(1);
        match (parts.next(), parts.next()) {
            (Some(month), Some(day)) if self.french() => format!("{day}/{month}"),
            (Some(month), Some(day)) => match self.month_name(month) {
                Some(name) => format!("{} {}", day.trim_start_matches('0'), &name[..3]),
                None => day.to_owned(),
            },
            _ => day.to_owned(),
        }
    }

    fn month_name(self, month: &str) -> Option<&'static str> {
        const ENGLISH: [&str; 12] = [
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ];
        const FRENCH: [&str; 12] = [
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ];
        let place = month.parse::<usize>().ok()?.checked_sub(1)?;
        if self.french() { FRENCH.get(place).copied() } else { ENGLISH.get(place).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: Words = Words { language: Language::English };
    const FRENCH: Words = Words { language: Language::French };

    #[test]
    fn numbers() {
        assert_eq!(ENGLISH.number(1_234_567.891, 1), "1,234,567.9");
        assert_eq!(FRENCH.number(1_234_567.891, 1), "1\u{202F}234\u{202F}567,9");
        assert_eq!(ENGLISH.count(1234.0), "1,234");
        assert_eq!(FRENCH.count(1234.0), "1234");
        assert_eq!(ENGLISH.number(-0.04, 1), "0.0");
        assert_eq!(ENGLISH.number(-12.0, 0), "\u{2212}12");
        assert_eq!(ENGLISH.number(f64::NAN, 0), "–");
    }

    #[test]
    fn amounts() {
        assert_eq!(ENGLISH.amount(1_234_567.0), "1.23\u{202F}M");
        assert_eq!(FRENCH.amount(12_345_678_900.0), "12,3\u{A0}Md");
        assert_eq!(ENGLISH.amount(999_999.0), "1.00\u{202F}M");
        assert_eq!(ENGLISH.amount(9_999.0), "9,999");
        assert_eq!(ENGLISH.amount(12_345.0), "12.3\u{202F}k");
        assert_eq!(ENGLISH.amount(-52_000.0), "\u{2212}52.0\u{202F}k");
    }

    #[test]
    fn shares() {
        assert_eq!(ENGLISH.share(0.126), "13%");
        assert_eq!(FRENCH.share(0.0126), "1,3\u{202F}%");
        assert_eq!(ENGLISH.points(0.0123), "+1.2\u{A0}pt");
        assert_eq!(ENGLISH.points(-0.0123), "\u{2212}1.2\u{A0}pt");
        assert_eq!(ENGLISH.points(0.0001), "0.0\u{A0}pt");
        assert_eq!(ENGLISH.points(-0.0001), "0.0\u{A0}pt");
        assert_eq!(ENGLISH.points(0.0051), "+0.5\u{A0}pt");
    }

    #[test]
    fn days() {
        assert_eq!(ENGLISH.day("2025-12-31"), "31 December 2025");
        assert_eq!(FRENCH.day("2025-02-01"), "1er février 2025");
        assert_eq!(ENGLISH.day("nonsense"), "nonsense");
        assert_eq!(ENGLISH.month("2025-09-01"), "Sep 2025");
        assert_eq!(FRENCH.short_day("2025-09-01"), "01/09");
    }
}
