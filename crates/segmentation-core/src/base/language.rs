//! The languages in which something is said to people.

use crate::base::error::{Error, Result};

/// A language of explanations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `en`.
    English,
    /// `fr`.
    French,
}

impl Language {
    /// The language of a code.
    ///
    /// # Errors
    /// Neither `en` nor `fr`.
    pub fn parse(code: &str) -> Result<Self> {
        match code {
            "en" => Ok(Self::English),
            "fr" => Ok(Self::French),
            _ => Err(Error::invalid("language must be en or fr")),
        }
    }
}
