//! What everything stands on: days, money, errors, reading and writing of stored forms.

pub(crate) mod codec;
pub mod day;
pub mod decimal;
pub mod delimited;
pub mod document;
pub mod error;
pub(crate) mod hash;
pub mod host;
pub mod json;
pub mod language;
pub mod memory;
pub mod money;
pub mod nearest;
pub mod span;
pub mod spelling;
pub mod template;
pub mod unfitted;
pub mod warning;
pub mod words;
