//! How the values of a row lie in its bytes: one spelling each, so that equal rows are equal bytes.

use super::features::FeatureValue;
use crate::base::codec::{Reader, put};
use crate::base::error::Result;

const FALSE: u8 = 1;
const TRUE: u8 = 2;
const NUMBER: u8 = 3;
const TEXT: u8 = 4;

/// One value of a stored row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stored<'a> {
    Boolean(bool),
    Number(f64),
    Text(&'a str),
}

/// Writes one value; what is missing or nested writes nothing.
pub(super) fn write_value(out: &mut Vec<u8>, value: &FeatureValue) {
    match value {
        FeatureValue::Boolean(b) => out.push(if *b { TRUE } else { FALSE }),
        FeatureValue::Number(x) => {
            out.push(NUMBER);
            out.extend_from_slice(&x.to_bits().to_le_bytes());
        }
        FeatureValue::Text(text) => {
            out.push(TEXT);
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        FeatureValue::Missing | FeatureValue::Nested => {}
    }
}

/// Reads one value; the bytes may be hostile.
pub(super) fn read_value<'a>(reader: &mut Reader<'a>) -> Result<Stored<'a>> {
    match reader.byte()? {
        FALSE => Ok(Stored::Boolean(false)),
        TRUE => Ok(Stored::Boolean(true)),
        NUMBER => {
            let mut bits = [0; 8];
            bits.copy_from_slice(reader.take(8)?);
            let x = f64::from_bits(u64::from_le_bytes(bits));
            if x.is_finite() { Ok(Stored::Number(x)) } else { Err(reader.error("A number is not finite.")) }
        }
        TEXT => {
            let len = reader.number()?;
            let bytes = reader.take(len)?;
            std::str::from_utf8(bytes).map(Stored::Text).map_err(|_| reader.error("A text is not UTF-8."))
        }
        _ => Err(reader.error("A value has an unknown kind.")),
    }
}

/// Writes a weight: one byte if it is 1.
pub(super) fn write_weight(out: &mut Vec<u8>, weight: f64) {
    if weight == 1.0 {
        out.push(0);
    } else {
        out.push(1);
        out.extend_from_slice(&weight.to_bits().to_le_bytes());
    }
}

/// Reads a weight; the bytes may be hostile.
pub(super) fn read_weight(reader: &mut Reader) -> Result<f64> {
    match reader.byte()? {
        0 => Ok(1.0),
        1 => {
            let mut bits = [0; 8];
            bits.copy_from_slice(reader.take(8)?);
            let weight = f64::from_bits(u64::from_le_bytes(bits));
            if weight.is_finite() && weight > 0.0 && weight != 1.0 {
                Ok(weight)
            } else {
                Err(reader.error("A weight is impossible."))
            }
        }
        _ => Err(reader.error("A weight is impossible.")),
    }
}
