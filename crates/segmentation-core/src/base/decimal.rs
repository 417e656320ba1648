//! Decimal numbers of any length, compared and summed exactly as PostgreSQL's `numeric` is.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// A finite decimal number: ± sum of `digit[i] * 10000^(weight - i)`.
///
/// Canonical: no leading and no trailing zero digit; zero has no digits and weight 0.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal<'a> {
    negative: bool,
    weight: i32,
    /// Base-10000 digits, two bytes each in the machine's order.
    digits: Cow<'a, [u8]>,
}

const BASE: i64 = 10_000;
/// Base-10000 digits up to which a conversion needs no memory.
const SHORT: usize = 10;

impl<'a> Decimal<'a> {
    /// A number whose digits (base 10000, two bytes each in the machine's order) are
    /// stored without leading and trailing zeros.
    #[inline]
    pub fn stored(negative: bool, weight: i32, digits: &'a [u8]) -> Self {
        let digits = Cow::Borrowed(digits);
        if digits.is_empty() { Self::zero() } else { Decimal { negative, weight, digits } }
    }

    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Decimal { negative: false, weight: 0, digits: Cow::Borrowed(&[]) }
    }

    /// The number that a JSON number says; `None` if `text` is none, or its exponent is out of all reason.
    #[must_use]
    pub fn parse(text: &str) -> Option<Decimal<'static>> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty()
            || exponent.abs() > 200_000
            || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        // Decimal digits, the first of which stands for 10^(point - 1).
        let mut point = whole.len() as i32 + exponent;
        let mut decimal: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|b| b - b'0').collect();
        let leading = decimal.iter().take_while(|d| **d == 0).count();
        decimal.drain(..leading);
        point -= leading as i32;
        // The point is to fall between groups of four.
        let lead = point.rem_euclid(4);
        let pad = if lead == 0 { 0 } else { 4 - lead };
        decimal.splice(0..0, std::iter::repeat_n(0, pad as usize));
        let weight = (point + pad) / 4 - 1;
        while !decimal.len().is_multiple_of(4) {
            decimal.push(0);
        }
        let groups: Vec<u16> =
            decimal.chunks_exact(4).map(|d| d.iter().fold(0, |n, d| n * 10 + u16::from(*d))).collect();
        Some(Self::of_groups(negative, weight, &groups))
    }

    /// From base-10000 digits with zeros anywhere.
    fn of_groups(negative: bool, weight: i32, groups: &[u16]) -> Decimal<'static> {
        let Some(first) = groups.iter().position(|d| *d != 0) else { return Decimal::zero() };
        let last = groups.iter().rposition(|d| *d != 0).unwrap_or(first);
        Decimal {
            negative,
            weight: weight - first as i32,
            digits: Cow::Owned(groups[first..=last].iter().flat_map(|d| d.to_ne_bytes()).collect()),
        }
    }

    /// A whole number.
    #[must_use]
    pub fn of_integer(value: i64) -> Decimal<'static> {
        let mut rest = value.unsigned_abs();
        let mut groups = Vec::new();
        while rest > 0 {
            groups.push((rest % BASE as u64) as u16);
            rest /= BASE as u64;
        }
        groups.reverse();
        Self::of_groups(value < 0, groups.len() as i32 - 1, &groups)
    }

    fn groups(&self) -> impl DoubleEndedIterator<Item = u16> + ExactSizeIterator + '_ {
        self.digits.chunks_exact(2).map(|d| u16::from_ne_bytes([d[0], d[1]]))
    }

    fn sign(&self) -> i32 {
        if self.digits.is_empty() {
            0
        } else if self.negative {
            -1
        } else {
            1
        }
    }

    /// Which of the two is greater.
    #[inline]
    #[must_use]
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let sign = self.sign();
        let order = sign.cmp(&other.sign());
        if order.is_ne() || sign == 0 {
            return order;
        }
        let magnitude = self.weight.cmp(&other.weight).then_with(|| self.groups().cmp(other.groups()));
        if sign < 0 { magnitude.reverse() } else { magnitude }
    }

    /// The nearest double, or nearly so; infinite if out of range.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        let count = self.digits.len() / 2;
        let exponent = 4 * (self.weight + 1 - count as i32);
        if count <= 4 && exponent.abs() <= 22 {
            let mantissa = self.groups().fold(0_u64, |value, digit| value * 10_000 + u64::from(digit));
            if mantissa <= 1 << 53 {
                // Both operands are exact doubles, so one operation rounds once.
                let power = 10_f64.powi(exponent.abs());
                let value = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
                return if self.negative { -value } else { value };
            }
        }
        let value = if count <= SHORT { self.parse_short(exponent) } else { self.parse_long(exponent) };
        if self.negative { -value } else { value }
    }

    /// Whether the nearest double, `value`, is written as this number: nothing of it is lost there.
    pub(crate) fn is_written_as(&self, value: f64) -> bool {
        // Every number of 15 digits comes back from a double, away from the ends of their range.
        let short = self.digits.len() <= 6 && (value == 0.0 || (1e-290..1e290).contains(&value.abs()));
        if short { true } else { Self::parse(&format!("{value:e}")).is_some_and(|written| written == *self) }
    }

    /// Through its digits as text, which stay on the stack.
    fn parse_short(&self, exponent: i32) -> f64 {
        let mut text = [0_u8; 4 * SHORT + 8];
        let mut len = 0;
        for group in self.groups() {
            for (place, power) in text[len..].iter_mut().zip([1000, 100, 10, 1]) {
                *place = b'0' + (group / power % 10) as u8;
            }
            len += 4;
        }
        text[len] = b'e';
        let (sign, size) = (if exponent < 0 { b'-' } else { b'+' }, exponent.unsigned_abs());
        text[len + 1] = sign;
        // The exponent of a numeric has at most six digits.
        for (place, power) in text[len + 2..].iter_mut().zip([100_000, 10_000, 1000, 100, 10, 1]) {
            *place = b'0' + (size / power % 10) as u8;
        }
        let text = std::str::from_utf8(&text[..len + 8]).unwrap_or_default();
        text.parse().unwrap_or(f64::INFINITY)
    }

    fn parse_long(&self, exponent: i32) -> f64 {
        let mut text: String = self.groups().map(|digit| format!("{digit:04}")).collect();
        text.push_str(&format!("e{exponent}"));
        text.parse().unwrap_or(f64::INFINITY)
    }

    /// The whole number that it is, if it is one that fits.
    #[must_use]
    pub fn to_i64(&self) -> Option<i64> {
        if self.digits.is_empty() {
            return Some(0);
        }
        let places = usize::try_from(self.weight + 1).ok()?;
        if self.digits.len() / 2 > places || places > 5 {
            return None;
        }
        let mut value = 0_i128;
        let mut groups = self.groups();
        for _ in 0..places {
            value = value * i128::from(BASE) + i128::from(groups.next().unwrap_or(0));
        }
        i64::try_from(if self.negative { -value } else { value }).ok()
    }

    /// The same number with digits of its own.
    #[must_use]
    pub fn into_owned(self) -> Decimal<'static> {
        Decimal { negative: self.negative, weight: self.weight, digits: Cow::Owned(self.digits.into_owned()) }
    }
}

/// Plain decimal notation, without exponent.
impl fmt::Display for Decimal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<u16> = self.groups().collect();
        let digit = |weight: i32| -> u16 {
            usize::try_from(self.weight - weight).ok().and_then(|i| groups.get(i)).copied().unwrap_or(0)
        };
        if self.negative {
            f.write_str("-")?;
        }
        if self.weight < 0 {
            f.write_str("0")?;
        } else {
            write!(f, "{}", digit(self.weight))?;
            for weight in (0..self.weight).rev() {
                write!(f, "{:04}", digit(weight))?;
            }
        }
        let lowest = self.weight + 1 - groups.len() as i32;
        if lowest < 0 && !groups.is_empty() {
            let mut fraction: String =
                (lowest..0).rev().map(|weight| format!("{:04}", digit(weight))).collect();
            fraction.truncate(fraction.trim_end_matches('0').len());
            write!(f, ".{fraction}")?;
        }
        Ok(())
    }
}

/// An exact sum.
#[derive(Debug, Default)]
pub struct Sum {
    /// Weight of the first cell; each further one has a weight more.
    lowest: i32,
    cells: Vec<i64>,
}

impl Sum {
    /// Adds a number.
    pub fn add(&mut self, value: &Decimal) {
        let count = value.digits.len() as i32 / 2;
        if count == 0 {
            return;
        }
        let bottom = value.weight + 1 - count;
        if self.cells.is_empty() {
            self.lowest = bottom;
        }
        if bottom < self.lowest {
            let missing = (self.lowest - bottom) as usize;
            self.cells.splice(0..0, std::iter::repeat_n(0, missing));
            self.lowest = bottom;
        }
        let top = (value.weight - self.lowest) as usize;
        if self.cells.len() <= top {
            self.cells.resize(top + 1, 0);
        }
        for (i, digit) in value.groups().enumerate() {
            let digit = i64::from(digit);
            self.cells[top - i] += if value.negative { -digit } else { digit };
        }
    }

    /// The sum so far.
    #[must_use]
    pub fn total(&self) -> Decimal<'static> {
        let carried = |sign: i64| {
            let mut carry = 0;
            let mut groups: Vec<u16> = Vec::with_capacity(self.cells.len() + 4);
            for cell in &self.cells {
                let value = sign * cell + carry;
                groups.push(value.rem_euclid(BASE) as u16);
                carry = value.div_euclid(BASE);
            }
            while carry > 0 {
                groups.push((carry % BASE) as u16);
                carry /= BASE;
            }
            (carry >= 0).then_some(groups)
        };
        let (negative, groups) = match carried(1) {
            Some(groups) => (false, groups),
            None => (true, carried(-1).unwrap_or_default()),
        };
        let weight = self.lowest + groups.len() as i32 - 1;
        let groups: Vec<u16> = groups.into_iter().rev().collect();
        Decimal::of_groups(negative, weight, &groups)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal<'static> {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn reads_and_writes() {
        for (text, shown) in [
            ("0", "0"),
            ("-0.000", "0"),
            ("1", "1"),
            ("-12345.678900", "-12345.6789"),
            ("1e3", "1000"),
            ("1.5E-7", "0.00000015"),
            ("100000000", "100000000"),
            ("0.1", "0.1"),
            ("12345678901234567890.12345678901234567890", "12345678901234567890.1234567890123456789"),
            ("0.00010000", "0.0001"),
        ] {
            assert_eq!(number(text).to_string(), shown, "{text}");
        }
        for bad in ["", "-", "a", "1.2.3", ".5", "1e", "1e999999999999", "0x1", "+1", "NaN"] {
            assert!(Decimal::parse(bad).is_none(), "{bad}");
        }
        assert_eq!(number("9223372036854775807").to_i64(), Some(i64::MAX));
        assert_eq!(number("9223372036854775808").to_i64(), None);
        assert_eq!(number("1.5").to_i64(), None);
        assert_eq!(number("-20000").to_i64(), Some(-20000));
    }

    proptest! {
        #[test]
        fn compares_and_sums_as_integers(a in -1_000_000_000_000_i64..1_000_000_000_000, b in -1_000_000_i64..1_000_000, places in 0_u32..9) {
            let text = |n: i64| format!("{n}e-{places}");
            let (x, y) = (number(&text(a)), number(&text(b)));
            prop_assert_eq!(x.compare(&y), a.cmp(&b));
            let mut sum = Sum::default();
            sum.add(&x);
            sum.add(&y);
            prop_assert_eq!(sum.total().compare(&number(&text(a + b))), Ordering::Equal);
            prop_assert_eq!(sum.total(), number(&text(a + b)));
            prop_assert_eq!(number(&x.to_string()), x.clone());
            prop_assert_eq!(x.to_f64(), text(a).parse::<f64>().unwrap());
            prop_assert_eq!(Decimal::of_integer(a), number(&a.to_string()));
            prop_assert_eq!(Decimal::of_integer(a).to_i64(), Some(a));
        }
    }
}
