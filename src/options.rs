//! The `options jsonb` of aggregates: PostgreSQL gives an aggregate's final
//! function no arguments of its own, so the state remembers them.

use segmentation_core::{Error, Result};
use serde::de::DeserializeOwned;

use crate::pg::expanded::Flat;
use crate::pg::jsonb::JsonbArg;

/// A state with the options that its aggregate was called with.
pub struct WithOptions<S> {
    /// The state proper.
    pub state: S,
    /// The options as jsonb text; empty if there are none.
    options: String,
}

impl<S> WithOptions<S> {
    /// A state begun with these options.
    pub fn new(state: S, options: Option<JsonbArg>) -> Self {
        WithOptions { state, options: options.map(JsonbArg::text).unwrap_or_default() }
    }

    /// The options, or defaults.
    ///
    /// # Errors
    /// Unknown keys, wrong types.
    pub fn options<T: DeserializeOwned + Default>(&self) -> Result<T> {
        if self.options.is_empty() { Ok(T::default()) } else { parse(&self.options) }
    }

    /// The options as jsonb text.
    pub fn text(&self) -> &str {
        &self.options
    }

    /// The options as a JSON value.
    ///
    /// # Errors
    /// Nested deeper than 128 levels.
    pub fn value(&self) -> Result<serde_json::Value> {
        parse(&self.options)
    }

    /// Takes another part of the same aggregate in.
    ///
    /// # Errors
    /// Its options differ (the argument varied by row), or what `merge` says.
    pub fn absorb(&mut self, other: &Self, merge: impl FnOnce(&mut S, &S) -> Result<()>) -> Result<()> {
        if self.options != other.options {
            return Err(Error::invalid("options must be the same for all rows of an aggregate"));
        }
        merge(&mut self.state, &other.state)
    }
}

/// Options from their text.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::invalid("invalid options").detail(format!("{error}.")))
}

impl<S: Flat> Flat for WithOptions<S> {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = (self.options.len() as u32).to_le_bytes().to_vec();
        out.extend_from_slice(self.options.as_bytes());
        out.extend_from_slice(&self.state.to_bytes()?);
        Ok(out)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(segmentation_core::ErrorKind::InvalidBinary, "invalid aggregate state");
        let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(invalid)?;
        let (options, state) =
            rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(invalid)?;
        let options = std::str::from_utf8(options).map_err(|_| invalid())?.to_owned();
        Ok(WithOptions { state: S::from_bytes(state)?, options })
    }
}
