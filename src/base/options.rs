//! The `options jsonb` of aggregates: PostgreSQL gives an aggregate's final
//! function no arguments of its own, so the state remembers them.

use segmentation_core::base::json::Object;
use segmentation_core::base::memory;
use segmentation_core::{Error, ErrorKind, Result};

use crate::pg::expanded::{Expanded, ExpandedArg, Flat};
use crate::pg::jsonb::JsonbArg;
use crate::pg::{CallSite, Key, OrRaise};

/// Options of an aggregate, read from their JSON object.
pub trait Options: Sized {
    /// The fields that it may have.
    const FIELDS: &[&str];

    /// Reads them; what is missing takes its default.
    ///
    /// # Errors
    /// Names the field that is wrong.
    fn read(object: &Object) -> Result<Self>;
}

/// Options as a JSON value; the empty text is no options.
fn value(text: &str) -> Result<serde_json::Value> {
    match text {
        "" => Ok(serde_json::Value::Object(serde_json::Map::new())),
        // Written by `options_text`, unless a state was forged.
        text => serde_json::from_str(text)
            .map_err(|_| Error::new(ErrorKind::InvalidBinary, "invalid aggregate state")),
    }
}

/// Options as they are given in a call; none is an empty object.
///
/// # Errors
/// Nested deeper than 128 levels.
pub fn given(options: Option<JsonbArg>) -> Result<serde_json::Value> {
    options.map_or_else(|| value(""), |options| options.value("options"))
}

/// The error that an argument which every row must give alike is NULL or varies.
pub fn not_constant(name: &str) -> Error {
    Error::invalid(format!("{name} must be the same for all rows of an aggregate, and not null"))
}

/// Options from their text; the empty text is no options.
///
/// # Errors
/// Unknown fields, wrong values.
pub fn parse<O: Options>(text: &str) -> Result<O> {
    O::read(&Object::new("options", "", &value(text)?, O::FIELDS)?)
}

/// Options of a function that keeps none.
///
/// # Errors
/// Unknown fields, wrong values.
pub fn read<O: Options>(options: JsonbArg) -> Result<O> {
    O::read(&Object::new("options", "", &options.value("options")?, O::FIELDS)?)
}

/// The options of an aggregate that has none.
pub fn none<O: Options>() -> O {
    parse("").or_raise()
}

/// A state with the options that its aggregate was called with.
pub struct WithOptions<S> {
    /// The state proper.
    pub state: S,
    /// The options as jsonb text; empty if there are none.
    options: String,
}

impl<S> WithOptions<S> {
    /// A state begun with these options, not read yet.
    ///
    /// # Errors
    /// Too large, nested too deeply.
    pub fn new(state: S, options: Option<JsonbArg>) -> Result<Self> {
        let options = options.map(JsonbArg::options_text).transpose()?.unwrap_or_default();
        Ok(WithOptions { state, options })
    }

    /// The options.
    ///
    /// # Errors
    /// Unknown fields, wrong values.
    pub fn options<O: Options>(&self) -> Result<O> {
        parse(&self.options)
    }

    /// The options as jsonb text.
    pub fn text(&self) -> &str {
        &self.options
    }

    /// The options as a JSON value.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn value(&self) -> Result<serde_json::Value> {
        value(&self.options)
    }

    /// Takes another part of the same aggregate in.
    ///
    /// # Errors
    /// Its options differ, or what `merge` says.
    pub fn absorb(&mut self, other: &Self, merge: impl FnOnce(&mut S, &S) -> Result<()>) -> Result<()> {
        self.check(&other.options)?;
        merge(&mut self.state, &other.state)
    }

    fn check(&self, options: &str) -> Result<()> {
        if self.options == options {
            return Ok(());
        }
        Err(Error::invalid("options must be the same for all rows of an aggregate"))
    }
}

impl<S> WithOptions<S>
where
    WithOptions<S>: Flat,
{
    /// The state of an aggregate with options: the one that arrives, or a first one.
    /// Faults are said at the first row, not after the last.
    pub fn resume<'fcx, O: Options>(
        state: Option<ExpandedArg<'fcx, Self>>,
        options: Option<JsonbArg>,
        call: &mut CallSite,
        first: impl FnOnce() -> S,
    ) -> Expanded<'fcx, Self> {
        let text = match options {
            Some(options) => call.memo(&[Key::of(options)], || options.options_text()).or_raise().clone(),
            None => String::new(),
        };
        match state {
            Some(state) => {
                let mut state = state.writable(call);
                state.value().check(&text).or_raise();
                state
            }
            None => {
                parse::<O>(&text).or_raise();
                Expanded::new(WithOptions { state: first(), options: text }, call)
            }
        }
    }
}

impl<S: Flat> Flat for WithOptions<S> {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let len = (self.options.len() as u32).to_le_bytes();
        memory::concat(&[&len, self.options.as_bytes(), &self.state.to_bytes()?])
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid aggregate state");
        let (len, rest) = bytes.split_first_chunk::<4>().ok_or_else(invalid)?;
        let (options, state) =
            rest.split_at_checked(u32::from_le_bytes(*len) as usize).ok_or_else(invalid)?;
        let options = std::str::from_utf8(options).map_err(|_| invalid())?.to_owned();
        Ok(WithOptions { state: S::from_bytes(state)?, options })
    }
}
