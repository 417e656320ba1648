//! Lengths of time as options write them: `1 week`, `3 months`.

use crate::base::error::Result;
use crate::base::json::Object;

/// A length of time in days, written as a count of days, weeks, months or years.
///
/// A month is 30.4375 days and a year 365.25 (the Gregorian calendar's means, to a quarter of a day).
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    text: String,
    days: f64,
}

impl Span {
    /// One week: 7 days.
    #[must_use]
    pub fn one_week() -> Self {
        Self { text: "1 week".to_owned(), days: 7.0 }
    }

    /// One month: 30.4375 days.
    #[must_use]
    pub fn one_month() -> Self {
        Self { text: "1 month".to_owned(), days: 30.4375 }
    }

    /// So many days; at least one.
    #[must_use]
    pub fn of_days(days: u32) -> Self {
        let days = days.max(1);
        Self { text: format!("{days} day{}", if days == 1 { "" } else { "s" }), days: f64::from(days) }
    }

    /// `'1 week'`, `'10 days'`, `'3 months'`; `None` if the text is none of these.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (count, word) = text.trim().split_once(' ')?;
        let digits = !count.is_empty() && count.len() <= 7 && count.bytes().all(|b| b.is_ascii_digit());
        let count: u32 = if digits { count.parse().ok()? } else { return None };
        let word = word.trim().to_ascii_lowercase();
        let (name, days) = match word.strip_suffix('s').unwrap_or(&word) {
            "day" => ("day", 1.0),
            "week" => ("week", 7.0),
            "month" => ("month", 30.4375),
            "year" => ("year", 365.25),
            _ => return None,
        };
        let days = f64::from(count) * days;
        if count == 0 || days > 3_652_500.0 {
            return None;
        }
        let plural = if count == 1 { "" } else { "s" };
        Some(Self { text: format!("{count} {name}{plural}"), days })
    }

    /// The length in days.
    #[must_use]
    pub fn days(&self) -> f64 {
        self.days
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A length of time among options, in days.
///
/// # Errors
/// Names the field if it is no span.
pub(crate) fn days_option(object: &Object, key: &str) -> Result<Option<f64>> {
    let expected = "a whole number of days, weeks, months or years, such as \"90 days\"";
    object
        .text(key)?
        .map(|text| Span::parse(text).map(|span| span.days()).ok_or_else(|| object.wrong(key, expected)))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_is_what_is_read() {
        assert_eq!(Span::parse("1 week"), Some(Span::one_week()));
        assert_eq!(Span::parse("1 month"), Some(Span::one_month()));
        assert_eq!(Span::parse("90 days"), Some(Span::of_days(90)));
        assert_eq!(Span::parse("1 day"), Some(Span::of_days(0)));
        assert_eq!(Span::parse("2 Weeks").map(|span| span.text), Some("2 weeks".to_owned()));
        for wrong in ["", "week", "0 days", "-1 day", "1.5 days", "1 hour", "9999999 years"] {
            assert_eq!(Span::parse(wrong), None, "{wrong}");
        }
    }
}
