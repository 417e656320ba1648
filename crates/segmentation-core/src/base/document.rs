//! What is read: a JSON value, wherever it lies. Definitions and customers are both read
//! through [`Node`], so that no number is rounded on the way.

use std::borrow::Cow;

use crate::base::decimal::Decimal;

/// A JSON value under inspection.
#[derive(Debug, Clone)]
pub enum View<'a, N> {
    /// null
    Null,
    /// true or false
    Bool(bool),
    /// a number
    Number(Decimal<'a>),
    /// a text: its bytes in UTF-8
    Text(&'a [u8]),
    /// a list
    List(N),
    /// an object
    Object(N),
}

/// A place in a JSON document.
pub trait Node<'a>: Copy + 'a {
    /// What stands there.
    fn view(self) -> View<'a, Self>;

    /// The member of an object; `None` if there is none or it is no object.
    fn get(self, key: &str) -> Option<Self>;

    /// The elements of a list; none if it is no list.
    fn elements(self) -> impl Iterator<Item = Self>;

    /// The members of an object; none if it is no object.
    fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)>;

    /// Follows a path of keys.
    fn follow(self, path: &[String]) -> Option<Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }
}

impl<'a> Node<'a> for &'a serde_json::Value {
    fn view(self) -> View<'a, Self> {
        use serde_json::Value;
        match self {
            Value::Null => View::Null,
            Value::Bool(value) => View::Bool(*value),
            Value::Number(number) => {
                View::Number(Decimal::parse(&number.to_string()).unwrap_or_else(Decimal::zero))
            }
            Value::String(text) => View::Text(text.as_bytes()),
            Value::Array(_) => View::List(self),
            Value::Object(_) => View::Object(self),
        }
    }

    fn get(self, key: &str) -> Option<Self> {
        self.as_object()?.get(key)
    }

    fn elements(self) -> impl Iterator<Item = Self> {
        self.as_array().into_iter().flatten()
    }

    fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        self.as_object().into_iter().flatten().map(|(key, value)| (Cow::Borrowed(key.as_str()), value))
    }
}

/// How much of a value is shown.
const SHOWN: usize = 200;

/// The value as JSON text, long texts and lists cut short.
pub fn json<'a, N: Node<'a>>(view: &View<'a, N>) -> String {
    match view {
        View::Null => "null".to_owned(),
        View::Bool(value) => value.to_string(),
        View::Number(number) => number.to_string(),
        View::Text(text) => quoted(&String::from_utf8_lossy(text)),
        View::List(node) => {
            let count = node.elements().count();
            let shown: Vec<String> = node.elements().take(20).map(|element| json(&scalar(element))).collect();
            let rest = if count > 20 { ",\"...\"" } else { "" };
            format!("[{}{rest}]", shown.join(","))
        }
        View::Object(_) => quoted("an object"),
    }
}

fn scalar<'a, N: Node<'a>>(node: N) -> View<'a, N> {
    match node.view() {
        View::List(_) => View::Text(b"a list"),
        view => view,
    }
}

/// The text as a JSON string, cut short if it is long.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    serde_json::Value::String(shown).to_string()
}

/// A kind of value, for messages.
pub fn kind<'a, N: Node<'a>>(view: &View<'a, N>) -> &'static str {
    match view {
        View::Null => "null",
        View::Bool(_) => "a boolean",
        View::Number(_) => "a number",
        View::Text(_) => "a text",
        View::List(_) => "a list",
        View::Object(_) => "an object",
    }
}
