//! The features of one customer: a flat JSON object, read without building a tree.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::base::document::{Node, View};
use crate::base::error::{Error, ErrorKind, Result};

/// What is known of one feature.
#[derive(Debug, Clone, PartialEq)]
pub enum FeatureValue<'a> {
    /// `null`: as if it were not there.
    Missing,
    /// `true` or `false`.
    Boolean(bool),
    /// A finite number.
    Number(f64),
    /// A category.
    Text(Cow<'a, str>),
    /// A list or an object, which no feature may be.
    Nested,
}

/// The longest text that is taken for a category, in bytes.
pub const LONGEST_LEVEL: usize = 1000;
/// The longest name of a feature, in bytes.
pub const LONGEST_NAME: usize = 200;

/// The largest number that is accepted: its square is finite.
pub const LARGEST: f64 = 1e150;

/// Names and values, in jsonb's own order (shorter names first), without the missing ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features<'a>(pub Vec<(Cow<'a, str>, FeatureValue<'a>)>);

impl<'a> Features<'a> {
    /// Reads a JSON object whose values are numbers, booleans, texts or null.
    ///
    /// # Errors
    /// Names the feature that is nested, not finite or too long.
    pub fn parse(text: &'a str) -> Result<Self> {
        let Raw(mut all) = serde_json::from_str(text).map_err(|error| {
            let text = error.to_string();
            if text.starts_with("not an object") {
                no_object()
            } else {
                Error::invalid("invalid features").detail(format!("{text}."))
            }
        })?;
        for (name, value) in &all {
            check(name, value)?;
        }
        all.retain(|(_, value)| *value != FeatureValue::Missing);
        Ok(Self::of(all))
    }

    /// Reads an object wherever it lies, without its text.
    ///
    /// # Errors
    /// Names the feature that is nested, not finite or too long.
    pub fn read<N: Node<'a>>(node: N) -> Result<Self> {
        let View::Object(object) = node.view() else { return Err(no_object()) };
        let mut all = Vec::with_capacity(16);
        for (name, value) in object.members() {
            let value = match value.view() {
                View::Null => {
                    check(&name, &FeatureValue::Missing)?;
                    continue;
                }
                View::Bool(b) => FeatureValue::Boolean(b),
                // Without the sign of what rounds to a negative zero.
                View::Number(number) => FeatureValue::Number(number.to_f64() + 0.0),
                View::Text(text) => FeatureValue::Text(String::from_utf8_lossy(text)),
                View::List(_) | View::Object(_) => FeatureValue::Nested,
            };
            check(&name, &value)?;
            all.push((name, value));
        }
        Ok(Self::of(all))
    }

    /// Brings them into jsonb's order, if they are not.
    fn of(mut all: Vec<(Cow<'a, str>, FeatureValue<'a>)>) -> Self {
        if !all.is_sorted_by(|a, b| order(&a.0, &b.0).is_lt()) {
            // The last of equal names counts, as in jsonb.
            all.reverse();
            all.sort_by(|a, b| order(&a.0, &b.0));
            all.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self(all)
    }

    /// The value of a feature.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&FeatureValue<'a>> {
        let place = self.0.binary_search_by(|(other, _)| order(other, name)).ok()?;
        Some(&self.0[place].1)
    }
}

fn no_object() -> Error {
    Error::invalid("features must be a JSON object")
        .hint("Give names and values, such as {\"age\": 41, \"plan\": \"basic\"}.")
}

/// jsonb's order of names.
pub(super) fn order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

/// A name for a message: cut if it is long.
pub(super) fn shown(name: &str) -> Cow<'_, str> {
    if name.chars().count() <= 60 {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(name.chars().take(57).chain("...".chars()).collect())
    }
}

fn check(name: &str, value: &FeatureValue) -> Result<()> {
    if name.len() > LONGEST_NAME {
        return Err(Error::new(ErrorKind::LimitExceeded, "name of a feature is too long").detail(format!(
            "\"{}\" has {} bytes; at most {LONGEST_NAME} are allowed.",
            shown(name),
            name.len()
        )));
    }
    match value {
        FeatureValue::Nested => Err(Error::invalid(format!(
            "feature \"{}\" must be a number, a boolean, a text or null",
            shown(name)
        ))
        .detail("It is a list or an object.")
        .hint("Give each of its parts as a feature of its own.")),
        FeatureValue::Text(text) if matches!(&**text, "NaN" | "Infinity" | "-Infinity") => {
            Err(Error::invalid(format!("feature \"{}\" must be finite", shown(name)))
                .detail(format!("It is {text}."))
                .hint("Use null for what is not known."))
        }
        FeatureValue::Number(x) if x.abs() > LARGEST => {
            let size = if x.is_finite() { format!("{x:e}") } else { "beyond double precision".to_owned() };
            Err(Error::new(ErrorKind::OutOfRange, format!("feature \"{}\" is out of range", shown(name)))
                .detail(format!("It is {size}; numbers from -{LARGEST:e} to {LARGEST:e} are accepted.")))
        }
        FeatureValue::Text(text) if text.len() > LONGEST_LEVEL => Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("value of feature \"{}\" is too long", shown(name)),
        )
        .detail(format!("It has {} bytes; a category has at most {LONGEST_LEVEL}.", text.len()))),
        _ => Ok(()),
    }
}

struct Raw<'a>(Vec<(Cow<'a, str>, FeatureValue<'a>)>);

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Raw<'de>, A::Error> {
        let mut all = Vec::with_capacity(16);
        while let Some(Name(name)) = map.next_key()? {
            all.push((name, map.next_value()?));
        }
        Ok(Raw(all))
    }
}

impl<'de> Deserialize<'de> for Raw<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(RawVisitor).map_err(|error| {
            if error.to_string().starts_with("invalid type") {
                D::Error::custom("not an object")
            } else {
                error
            }
        })
    }
}

struct Name<'a>(Cow<'a, str>);

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> std::result::Result<Self::Value, E> {
        Ok(Cow::Owned(v.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor).map(Name)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = FeatureValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Missing)
    }

    fn visit_bool<E>(self, v: bool) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Boolean(v))
    }

    fn visit_i64<E>(self, v: i64) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Number(v as f64))
    }

    fn visit_u64<E>(self, v: u64) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Number(v as f64))
    }

    fn visit_f64<E>(self, v: f64) -> std::result::Result<Self::Value, E> {
        // Without the sign of a negative zero.
        Ok(FeatureValue::Number(v + 0.0))
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Text(Cow::Borrowed(v)))
    }

    fn visit_str<E>(self, v: &str) -> std::result::Result<Self::Value, E> {
        Ok(FeatureValue::Text(Cow::Owned(v.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FeatureValue::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(FeatureValue::Nested)
    }
}

impl<'de> Deserialize<'de> for FeatureValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_flat_objects() {
        let f = Features::parse(r#"{"b": 1, "a": true, "nothing": null, "tw": "x\ny", "z": -0.0}"#).unwrap();
        let names: Vec<_> = f.0.iter().map(|(n, _)| &**n).collect();
        assert_eq!(names, ["a", "b", "z", "tw"]);
        assert_eq!(f.get("tw"), Some(&FeatureValue::Text("x\ny".into())));
        assert_eq!(f.get("z"), Some(&FeatureValue::Number(0.0)));
        assert_eq!(
            Features::parse(r#"{"a": 1, "a": 2}"#).unwrap().get("a"),
            Some(&FeatureValue::Number(2.0))
        );
    }

    #[test]
    fn a_tree_reads_as_its_text() {
        for text in [
            r#"{"b": 1, "a": true, "nothing": null, "tw": "x\ny", "z": -0.0, "long": 0.12345678901234567}"#,
            r#"{"a": 1.7976931348623157e100, "b": 123456789012345678901234567890, "c": -1e-320}"#,
            "{}",
            "3",
            r#"{"a": []}"#,
            r#"{"a": 1e200}"#,
        ] {
            let tree: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(Features::read(&tree), Features::parse(text), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_feature() {
        for (text, message) in [
            ("[1]", "features must be a JSON object"),
            ("3", "features must be a JSON object"),
            (r#"{"a": [1]}"#, "feature \"a\" must be a number, a boolean, a text or null"),
            (r#"{"a": {"b": 1}}"#, "feature \"a\" must be a number, a boolean, a text or null"),
            (r#"{"a": "NaN"}"#, "feature \"a\" must be finite"),
            (r#"{"a": 1e400}"#, "invalid features"),
            ("", "invalid features"),
        ] {
            assert_eq!(Features::parse(text).unwrap_err().message, message, "{text}");
        }
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(1001));
        assert_eq!(Features::parse(&long).unwrap_err().kind, ErrorKind::LimitExceeded);
    }
}
