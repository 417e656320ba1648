//! What everything stands on: days, money, errors, reading and writing of stored forms.

pub(crate) mod codec;
pub mod day;
pub mod error;
pub(crate) mod hash;
pub mod host;
pub mod json;
pub mod memory;
pub mod money;
pub mod template;
