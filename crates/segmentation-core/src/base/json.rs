//! Reading jsonb values written by users or by strangers: every error names the field.

use serde_json::{Map, Value};

use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::host;

/// JSON text that may be long, read so that the host can interrupt.
struct Watched<'a>(&'a [u8]);

impl std::io::Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        host::pause();
        self.0.read(buffer)
    }
}

/// The value of a JSON text.
///
/// # Errors
/// It is none, or nested too deeply.
pub(crate) fn parse(text: &str) -> serde_json::Result<Value> {
    // A short text is read in place, which is faster.
    const LONG: usize = 1 << 20;
    if text.len() < LONG {
        return serde_json::from_str(text);
    }
    serde_json::from_reader(std::io::BufReader::with_capacity(1 << 16, Watched(text.as_bytes())))
}

/// An object under inspection: what it is called in messages, and where it lies.
pub struct Object<'a> {
    what: &'static str,
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    /// `value` as an object, all of whose keys are among `known`.
    ///
    /// # Errors
    /// It is no object, or has another key.
    pub fn new(what: &'static str, path: &str, value: &'a Value, known: &[&str]) -> Result<Self> {
        let object = Self::open(what, path, value)?;
        if let Some(key) = object.map.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(Error::invalid(format!("unknown field \"{}\" in {what}", object.at(key)))
                .hint(format!("Known fields are: {}.", known.join(", "))));
        }
        Ok(object)
    }

    /// `value` as a model of that `kind`, which `fit_<kind>` returns and messages call `what`.
    ///
    /// # Errors
    /// It is of another kind, or no object, or has a key that is not among `known`.
    pub fn of_kind(what: &'static str, kind: &str, value: &'a Value, known: &[&str]) -> Result<Self> {
        let own = value.get("kind").and_then(Value::as_str);
        if value.is_object() && own != Some(kind) {
            return Err(Error::invalid(format!("value is not {what}"))
                .detail(match own {
                    Some(own) => {
                        format!("Its field \"kind\" is \"{}\".", own.chars().take(40).collect::<String>())
                    }
                    None => "Its field \"kind\" is missing or no text.".to_owned(),
                })
                .hint(format!("Use what fit_{kind} returned.")));
        }
        Self::new(what, "", value, known)
    }

    /// `value` as an object, whatever its keys.
    ///
    /// # Errors
    /// It is no object.
    pub fn open(what: &'static str, path: &str, value: &'a Value) -> Result<Self> {
        host::pause();
        let Value::Object(map) = value else {
            return Err(Error::invalid(format!("{what} must be a JSON object")).detail(format!(
                "{} is {}.",
                place(path),
                kind(value)
            )));
        };
        Ok(Self { what, path: path.to_owned(), map })
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// An error about the field `key`.
    #[must_use]
    pub fn wrong(&self, key: &str, expected: impl std::fmt::Display) -> Error {
        let error = Error::invalid(format!("field \"{}\" of {} must be {expected}", self.at(key), self.what));
        match self.map.get(key) {
            None => error.detail("The field is missing."),
            Some(value) => {
                let text: String = value.to_string().chars().take(60).collect();
                error.detail(format!("The value is {text}."))
            }
        }
    }

    /// The field, unless it is missing or null.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Where a field lies.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        self.at(key)
    }

    /// The names of its fields.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.map.keys().map(String::as_str)
    }

    /// A text.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        self.get(key).map(|v| v.as_str().ok_or_else(|| self.wrong(key, "a text"))).transpose()
    }

    /// A text that must be there.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn need_text(&self, key: &str) -> Result<&'a str> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "a text"))
    }

    /// A finite number in `least ..= most`.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn number(&self, key: &str, least: f64, most: f64) -> Result<Option<f64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_f64() {
            Some(n) if n >= least && n <= most => Ok(Some(n)),
            _ => Err(self.wrong(key, format_args!("a number from {} to {}", shown(least), shown(most)))),
        }
    }

    /// A finite number that must be there.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn need_number(&self, key: &str, least: f64, most: f64) -> Result<f64> {
        self.number(key, least, most)?
            .ok_or_else(|| self.wrong(key, format_args!("a number from {} to {}", shown(least), shown(most))))
    }

    /// A whole number in `least ..= most`.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn whole(&self, key: &str, least: u64, most: u64) -> Result<Option<u64>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        // jsonb keeps 1.0 and 1e3 as written: a whole number however it is spelled.
        let whole = value.as_u64().or_else(|| {
            value.as_f64().filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n)).map(|n| n as u64)
        });
        match whole {
            Some(n) if (least..=most).contains(&n) => Ok(Some(n)),
            _ => Err(self.wrong(key, format_args!("a whole number from {least} to {most}"))),
        }
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn need_whole(&self, key: &str, least: u64, most: u64) -> Result<u64> {
        self.whole(key, least, most)?
            .ok_or_else(|| self.wrong(key, format_args!("a whole number from {least} to {most}")))
    }

    /// A date.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn date(&self, key: &str) -> Result<Option<Day>> {
        self.get(key)
            .map(|v| {
                v.as_str().and_then(day::parse).ok_or_else(|| self.wrong(key, "a date written yyyy-mm-dd"))
            })
            .transpose()
    }

    /// A list.
    ///
    /// # Errors
    /// Names the field that is anything else.
    pub fn list(&self, key: &str) -> Result<Option<&'a [Value]>> {
        self.get(key)
            .map(|v| v.as_array().map(Vec::as_slice).ok_or_else(|| self.wrong(key, "a list")))
            .transpose()
    }
}

/// A bound as a person would write it.
fn shown(bound: f64) -> String {
    if bound == 0.0 || (1e-4..1e7).contains(&bound.abs()) { bound.to_string() } else { format!("{bound:e}") }
}

fn place(path: &str) -> String {
    if path.is_empty() { "The value".to_owned() } else { format!("Field \"{path}\"") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_read_as_a_short_one() {
        let list: Vec<Value> = (0..200_000).map(|n| Value::from(format!("\u{e9}\"{n}"))).collect();
        let text = Value::from(list.clone()).to_string();
        assert!(text.len() > 1 << 20);
        assert_eq!(parse(&text).unwrap(), Value::from(list));
        assert!(parse(&text[..text.len() - 1]).is_err());
        assert!(parse(&"[".repeat(1 << 21)).is_err());
    }
}
