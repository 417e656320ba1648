//! Text and binary input of types whose value is checked bytes, written as `bytea` is.

use std::ffi::CStr;

use segmentation_core::base::memory;
use segmentation_core::{Error, ErrorKind, Result};

use crate::pg::expanded::Flat;
use crate::pg::value::check_size;

/// Reads `\x...` and checks that it is a `T`.
///
/// # Errors
/// Not hexadecimal, or not a `T`.
pub fn parse<T: Flat>(text: &CStr) -> Result<Vec<u8>> {
    let invalid = || {
        Error::new(ErrorKind::InvalidText, format!("invalid input syntax for type {}", T::SQL_NAME))
            .detail("The value is not \\x followed by hexadecimal digits.")
    };
    let digits = text.to_bytes().trim_ascii().strip_prefix(b"\\x").ok_or_else(invalid)?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit = |b: u8| char::from(b).to_digit(16).ok_or_else(invalid);
    let mut bytes: Vec<u8> = memory::with_capacity(pairs.len())?;
    for [high, low] in pairs {
        bytes.push((digit(*high)? << 4 | digit(*low)?) as u8);
    }
    if !rest.is_empty() {
        return Err(invalid());
    }
    checked::<T>(&bytes)
}

/// The bytes, if they are a `T`; in its canonical form.
///
/// # Errors
/// They are not.
pub fn checked<T: Flat>(bytes: &[u8]) -> Result<Vec<u8>> {
    let bytes = T::from_bytes(bytes)?.to_bytes()?;
    check_size(bytes.len(), &format!("a value of type {}", T::SQL_NAME))?;
    Ok(bytes)
}
