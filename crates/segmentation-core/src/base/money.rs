//! Money in fixed point: four decimals in 64 bits, so that sums are exact and
//! do not depend on their order.

use std::fmt;

use crate::base::error::{Error, ErrorKind, Result};

/// An amount of money, in ten-thousandths of the currency unit.
///
/// Up to about ±922 million million units. Which currency is the caller's affair.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(pub i64);

/// Ten-thousandths in a unit.
pub const SCALE: i64 = 10_000;

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// From a binary floating-point number, rounded half away from zero to four decimals.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] for NaN, infinity and what does not fit.
    pub fn from_f64(value: f64) -> Result<Self> {
        if !value.is_finite() {
            return Err(Error::new(ErrorKind::OutOfRange, "amount must be a finite number")
                .detail(format!("The amount is {}.", crate::base::error::shown_number(value)))
                .hint("Leave the row out, or replace the amount by NULL to have it skipped."));
        }
        let scaled = (value * SCALE as f64).round();
        // 2^63 itself is not an i64, and every double below it is.
        if scaled.abs() >= 9_223_372_036_854_775_808.0 {
            return Err(Self::out_of_range("amount"));
        }
        Ok(Money(scaled as i64))
    }

    /// The nearest binary floating-point number.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }

    /// The sum.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if it does not fit.
    #[inline]
    pub fn checked_add(self, other: Self) -> Result<Self> {
        self.0.checked_add(other.0).map(Money).ok_or_else(|| Self::out_of_range("amount"))
    }

    /// The difference.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfRange`] if it does not fit.
    #[inline]
    pub fn checked_sub(self, other: Self) -> Result<Self> {
        self.0.checked_sub(other.0).map(Money).ok_or_else(|| Self::out_of_range("amount"))
    }

    /// The amount written with at most four decimals, such as `-12.5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) || fraction.len() > 4 {
            return None;
        }
        let whole: i128 = if whole.len() > 20 { return None } else { whole.parse().ok()? };
        let fraction = fraction.parse::<i128>().ok()? * 10_i128.pow(4 - fraction.len() as u32);
        let value = whole * i128::from(SCALE) + fraction;
        i64::try_from(if negative { -value } else { value }).ok().map(Money)
    }

    /// The error that an amount, called `what`, does not fit.
    #[cold]
    #[must_use]
    pub fn out_of_range(what: &str) -> Error {
        Error::new(ErrorKind::OutOfRange, format!("{what} out of range"))
            .detail("Amounts are kept with four decimals in 64 bits: up to 922,337,203,685,477.5807.")
    }
}

/// At least two decimals, at most four: `12.50`, `0.0333`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, fraction) = (magnitude / SCALE as u64, magnitude % SCALE as u64);
        let sign = if self.0 < 0 { "-" } else { "" };
        if fraction % 100 == 0 {
            write!(f, "{sign}{whole}.{:02}", fraction / 100)
        } else {
            let text = format!("{fraction:04}");
            write!(f, "{sign}{whole}.{}", text.trim_end_matches('0'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_and_floats() {
        for (money, text) in [
            (0, "0.00"),
            (1, "0.0001"),
            (-125_000, "-12.50"),
            (123_450, "12.345"),
            (i64::MIN, "-922337203685477.5808"),
        ] {
            assert_eq!(Money(money).to_string(), text);
            assert_eq!(Money::parse(text), Some(Money(money)));
        }
        for bad in [
            "",
            "-",
            ".5",
            "5.",
            "1.23456",
            "1e3",
            "922337203685477.5808",
            "99999999999999999999999",
            "1,5",
            "+1",
            "--1",
        ] {
            assert_eq!(Money::parse(bad), None, "{bad}");
        }
        assert_eq!(Money::from_f64(0.00005).unwrap(), Money(1));
        assert_eq!(Money::from_f64(29.33).unwrap(), Money(293_300));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e15, -1e300] {
            assert!(Money::from_f64(bad).is_err(), "{bad}");
        }
        assert!(Money(i64::MAX).checked_add(Money(1)).is_err());
    }

    proptest! {
        #[test]
        fn text_round_trips(money: i64) {
            prop_assert_eq!(Money::parse(&Money(money).to_string()), Some(Money(money)));
        }
    }
}
