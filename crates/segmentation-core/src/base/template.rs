//! SQL with named places: the one template language of the workspace, filled in one spot that quotes.
//!
//! | in the template | becomes |
//! |---|---|
//! | `@ws@` | the schema of the workspace, as it was given: quoted already |
//! | `@name@` | the value of the place as an identifier, always in double quotes |
//! | `@'name'@` | the value as a literal; `NULL` if it is null |
//! | `@(name)@` | the value as it is: an expression or a query that our own code made |
//!
//! A filled text is not looked at again, so a value may itself contain what looks like a place. An `@` that does not
//! begin a place, as in the operator `@>`, stays.

use serde_json::{Map, Value};

use crate::base::error::{Error, Result};
use crate::base::memory::Bytes;

/// How the value of a place is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Identifier,
    Literal,
    AsItIs,
}

/// The template with its places filled. `schema` takes the place `@ws@`; `places` has the value of every other one.
///
/// # Errors
/// A place without a value, a null that is not a literal, a value that no place takes, no memory.
pub fn fill(template: &str, schema: Option<&str>, places: &Map<String, Value>) -> Result<String> {
    let mut filled = Bytes::begin(b"");
    let mut taken: Vec<&str> = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        filled.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let Some((style, name, after)) = place(rest) else {
            filled.extend_from_slice(b"@");
            rest = &rest[1..];
            continue;
        };
        let text = if name == "ws" && style == Style::Identifier {
            schema.ok_or_else(|| Error::invalid("a template with @ws@ needs a workspace"))?.to_owned()
        } else {
            let (name, value) = places
                .get_key_value(name)
                .ok_or_else(|| Error::invalid(format!("a template has no value for its place \"{name}\"")))?;
            taken.push(name);
            written(style, name, value)?
        };
        filled.extend_from_slice(text.as_bytes());
        rest = after;
    }
    filled.extend_from_slice(rest.as_bytes());
    if let Some(left) = places.keys().find(|name| !taken.contains(&name.as_str())) {
        return Err(Error::invalid(format!("a template has no place \"{left}\"")));
    }
    String::from_utf8(filled.finish()?).map_err(|_| Error::invalid("a template is not valid UTF-8"))
}

/// The place that a text, which begins with `@`, begins with: its style, its name, what comes after.
fn place(text: &str) -> Option<(Style, &str, &str)> {
    let inner = &text[1..];
    let (style, inner, close) = match inner.as_bytes().first()? {
        b'\'' => (Style::Literal, &inner[1..], "'@"),
        b'(' => (Style::AsItIs, &inner[1..], ")@"),
        _ => (Style::Identifier, inner, "@"),
    };
    let named = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_';
    let length = inner.bytes().take_while(named).count();
    let (name, after) = inner.split_at(length);
    let after = after.strip_prefix(close)?;
    (!name.is_empty()).then_some((style, name, after))
}

fn written(style: Style, name: &str, value: &Value) -> Result<String> {
    let text = match value {
        Value::Null if style == Style::Literal => return Ok("NULL".to_owned()),
        Value::Null => {
            return Err(Error::invalid(format!("the place \"{name}\" of a template must not be null")));
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(match style {
        Style::Identifier => format!("\"{}\"", text.replace('"', "\"\"")),
        // A backslash is one only behind an E, whatever standard_conforming_strings says.
        Style::Literal if text.contains('\\') => {
            format!(" E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
        }
        Style::Literal => format!("'{}'", text.replace('\'', "''")),
        Style::AsItIs => text,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(template: &str, places: Value) -> String {
        fill(template, Some("\"my shop\""), places.as_object().unwrap()).unwrap()
    }

    #[test]
    fn each_style_quotes() {
        let places = json!({"column": "a\"b", "value": "it's", "query": "SELECT 1", "number": 5});
        assert_eq!(
            filled(
                "SELECT @column@ FROM @ws@.t WHERE x = @'value'@ AND n = @(number)@ UNION @(query)@",
                places
            ),
            "SELECT \"a\"\"b\" FROM \"my shop\".t WHERE x = 'it''s' AND n = 5 UNION SELECT 1"
        );
    }

    #[test]
    fn a_literal_may_be_null_or_json_and_its_backslashes_stay() {
        assert_eq!(filled("@'a'@", json!({"a": null})), "NULL");
        assert_eq!(filled("@'a'@::jsonb", json!({"a": {"b": [1]}})), "'{\"b\":[1]}'::jsonb");
        assert_eq!(filled("@'a'@", json!({"a": "\\'"})), " E'\\\\'''");
    }

    #[test]
    fn a_filled_text_is_not_looked_at_again() {
        assert_eq!(filled("@(a)@ @'b'@", json!({"a": "@'b'@", "b": "@ws@"})), "@'b'@ '@ws@'");
    }

    #[test]
    fn what_is_no_place_stays() {
        let plain = "a @> b, a <@ b, @ -5, 'x@y.z', 'me@Shop@', @@ @( a)@ @'A'@ @";
        assert_eq!(filled(plain, json!({})), plain);
    }

    #[test]
    fn faults_are_named() {
        let fault = |template, places: Value| {
            fill(template, None, places.as_object().unwrap()).unwrap_err().message.into_owned()
        };
        assert_eq!(fault("@a@", json!({})), "a template has no value for its place \"a\"");
        assert_eq!(fault("@a@", json!({"a": null})), "the place \"a\" of a template must not be null");
        assert_eq!(fault("", json!({"a": 1})), "a template has no place \"a\"");
        assert_eq!(fault("@ws@", json!({})), "a template with @ws@ needs a workspace");
    }
}
