//! PostgreSQL's `numeric`, read and written as bytes.
//!
//! The stored format (base-10000 digits behind a short or a long header) has not
//! changed since PostgreSQL 9.1; reading it directly spares a million rows the
//! detour through text.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, IntoDatum};
use pgrx::pg_sys;
use segmentation_core::base::decimal::Decimal;
use segmentation_core::base::money::Money;
use segmentation_core::{Error, ErrorKind, Result};

/// A finite `numeric` to be returned: at most ten base-10000 digits.
#[derive(Clone, Copy)]
pub struct Numeric {
    bytes: [u8; 22],
    len: usize,
}

super::sql_type!(Numeric, "numeric");

impl IntoDatum for Numeric {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        self.as_bytes().into_datum()
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::NUMERICOID
    }
}

unsafe impl BoxRet for Numeric {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: a varlena with numeric's own content.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

/// A `numeric` argument.
#[derive(Clone, Copy)]
pub struct NumericArg<'fcx>(&'fcx [u8]);

super::sql_type!(NumericArg<'_>, "numeric");

unsafe impl<'fcx> ArgAbi<'fcx> for NumericArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a numeric is a varlena, and the caller checked for NULL.
        NumericArg(unsafe { super::value::BytesArg::unbox_arg_unchecked(arg) }.0)
    }
}

const SIGN_MASK: u16 = 0xC000;
const SHORT: u16 = 0x8000;
const SPECIAL: u16 = 0xC000;
const NAN: u16 = 0xC000;

/// Digits of a finite numeric: value = ± sum of `digit[i] * 10000^(weight - i)`.
struct Digits<'a> {
    negative: bool,
    weight: i32,
    digits: &'a [u8],
}

impl Digits<'_> {
    fn iter(&self) -> impl Iterator<Item = u16> + '_ {
        self.digits.chunks_exact(2).map(|d| u16::from_ne_bytes([d[0], d[1]]))
    }
}

impl<'a> NumericArg<'a> {
    /// A numeric that was read as plain bytes.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        NumericArg(bytes)
    }

    #[inline]
    fn digits(self, what: &str) -> Result<Digits<'a>> {
        let truncated = || Error::new(ErrorKind::InvalidBinary, "invalid numeric value");
        let (header, rest) = self.0.split_first_chunk::<2>().ok_or_else(truncated)?;
        let header = u16::from_ne_bytes(*header);
        if header & SIGN_MASK == SPECIAL {
            let value = if header == NAN { "NaN" } else { "infinite" };
            return Err(not_finite(what, value));
        }
        if header & SIGN_MASK == SHORT {
            let weight = i32::from(header & 0x3F) - if header & 0x40 != 0 { 0x40 } else { 0 };
            return Ok(Digits { negative: header & 0x2000 != 0, weight, digits: rest });
        }
        let (weight, digits) = rest.split_first_chunk::<2>().ok_or_else(truncated)?;
        let weight = i32::from(i16::from_ne_bytes(*weight));
        Ok(Digits { negative: header & SIGN_MASK == 0x4000, weight, digits })
    }

    /// In units of `10000^-groups`, rounded half away from zero; `what` names the argument in errors.
    pub fn fixed(self, groups: i32, what: &str) -> Result<i128> {
        let number = self.digits(what)?;
        if number.weight + groups > 8 {
            return Err(Error::new(ErrorKind::OutOfRange, format!("{what} out of range")));
        }
        let mut value = 0_i128;
        let mut at = number.weight;
        for digit in number.iter() {
            if at < -groups {
                // Only the first digit that is dropped decides the rounding.
                if at == -groups - 1 && digit >= 5000 {
                    value += 1;
                }
                at = -groups - 1;
                break;
            }
            value = value * 10_000 + i128::from(digit);
            at -= 1;
        }
        if at >= -groups {
            value *= 10_000_i128.pow((at + groups + 1) as u32);
        }
        Ok(if number.negative { -value } else { value })
    }

    /// As money.
    ///
    /// # Errors
    /// NaN, infinity, or out of range.
    #[inline]
    pub fn money(self, what: &str) -> Result<Money> {
        let number = self.digits(what)?;
        if number.weight <= 2 && number.digits.len() / 2 <= (number.weight + 2).max(0) as usize {
            // Less than 10^12 with at most four decimals: nothing can overflow or round.
            let mut value = 0_i64;
            let mut at = number.weight;
            for digit in number.iter() {
                value = value * 10_000 + i64::from(digit);
                at -= 1;
            }
            while at >= -1 {
                value *= 10_000;
                at -= 1;
            }
            return Ok(Money(if number.negative { -value } else { value }));
        }
        i64::try_from(self.fixed(1, what)?).map(Money).map_err(|_| Money::out_of_range(what))
    }

    /// All its digits; `None` if it is NaN or infinite.
    #[inline]
    pub fn decimal(self) -> Option<Decimal<'a>> {
        let number = self.digits("").ok()?;
        Some(Decimal::stored(number.negative, number.weight, number.digits))
    }

    /// Whether it is written with decimals, as 1.0 is; of NaN and infinity nothing is said.
    pub fn has_decimals(self) -> bool {
        let header = self.0.first_chunk::<2>().map_or(0, |header| u16::from_ne_bytes(*header));
        let scale = if header & SIGN_MASK == SHORT { header & 0x1F80 } else { header & 0x3FFF };
        scale != 0
    }

    /// Whether it is below zero (before any rounding).
    pub fn is_negative(self) -> bool {
        self.digits("").is_ok_and(|number| number.negative)
    }

    /// The nearest double.
    ///
    /// # Errors
    /// NaN, infinity, or out of range.
    #[inline]
    pub fn f64(self, what: &str) -> Result<f64> {
        let number = self.digits(what)?;
        let value = Decimal::stored(number.negative, number.weight, number.digits).to_f64();
        if value.is_finite() {
            return Ok(value);
        }
        Err(Error::new(ErrorKind::OutOfRange, format!("{what} is out of range for type double precision")))
    }
}

/// The error that an argument is NaN or infinite.
#[cold]
pub fn not_finite(what: &str, value: &str) -> Error {
    Error::new(ErrorKind::OutOfRange, format!("{what} must be a finite number"))
        .detail(format!("The value is {value}."))
        .hint("Leave the row out, or replace the value by NULL to have it skipped.")
}

impl Numeric {
    /// `value / 10000`, shown with `decimals` (0 to 4) decimals.
    fn new(value: i128, decimals: u16) -> Self {
        let mut magnitude = value.unsigned_abs();
        // Base-10000 digits, lowest first; the first one is the fraction.
        let mut digits = [0_u16; 10];
        let mut count = 0;
        while magnitude > 0 && count < 10 {
            digits[count] = (magnitude % 10_000) as u16;
            magnitude /= 10_000;
            count += 1;
        }
        let lowest = digits[..count].iter().position(|d| *d != 0).unwrap_or(count);
        // The highest digit stands at weight count - 2 (the fraction is weight -1).
        let weight = if count == 0 { 0 } else { count as i32 - 2 };
        let sign = if value < 0 { 0x2000 } else { 0 };
        let header = SHORT | sign | (decimals << 7) | (weight as u16 & 0x7F);
        let mut bytes = [0; 22];
        bytes[..2].copy_from_slice(&header.to_ne_bytes());
        let mut len = 2;
        for digit in digits[lowest..count].iter().rev() {
            bytes[len..len + 2].copy_from_slice(&digit.to_ne_bytes());
            len += 2;
        }
        Numeric { bytes, len }
    }

    /// Money, with two decimals or as many as it needs.
    pub fn of_money(money: Money) -> Self {
        Self::of_sum(i128::from(money.0))
    }

    /// A sum of money, in ten-thousandths.
    pub fn of_sum(value: i128) -> Self {
        let decimals = match value % 100 {
            0 => 2,
            rest if rest % 10 == 0 => 3,
            _ => 4,
        };
        Self::new(value, decimals)
    }

    /// A whole number.
    pub fn of_integer(value: i64) -> Self {
        Self::new(i128::from(value) * 10_000, 0)
    }

    /// Its content, without varlena header.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
