//! Where the reading is, what was found, and how members and elements are read.

use std::collections::HashMap;

use crate::base::decimal::Decimal;
use crate::base::document::{Node, View, kind, quoted};
use crate::segments::segment::{DateOperand, Path};

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON path from `$`.
    pub path: String,
    /// A phrase.
    pub fault: String,
}

/// More faults than anybody reads.
const MAX_FAULTS: usize = 1000;
/// The longest code of a segment, in characters.
const MAX_CODE: usize = 200;

/// Values, each kept once.
pub(super) struct Interned<T> {
    pub(super) values: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { values: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    /// The place of a value, which is added if it is not there.
    pub(super) fn place(&mut self, value: T) -> usize {
        *self.places.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            self.values.len() - 1
        })
    }
}

/// A definition while it is read.
pub(super) struct Parser {
    /// Where the parser is.
    pub(super) path: String,
    pub(super) faults: Vec<Fault>,
    /// Fields read from the customer and, within events, from an event.
    pub(super) scopes: Vec<Interned<Path>>,
    pub(super) dates: Interned<DateOperand>,
    pub(super) relative: bool,
    pub(super) unknown: Vec<String>,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self {
            path: "$".to_owned(),
            faults: Vec::new(),
            scopes: vec![Interned::default()],
            dates: Interned::default(),
            relative: false,
            unknown: Vec::new(),
            depth: 0,
        }
    }

    pub(super) fn fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { path: self.path.clone(), fault: fault.into() });
        }
    }

    /// Goes to a member.
    pub(super) fn at<R>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let mut name = key.bytes();
        let plain = name.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && name.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let step = if plain && key.len() <= 60 {
            format!(".{key}")
        } else {
            let short: String = key.chars().take(60).collect();
            format!(".{}", quoted(&if short.len() < key.len() { short + "…" } else { short }))
        };
        self.step(&step, read)
    }

    /// Goes to an element.
    pub(super) fn element<R>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> R) -> R {
        self.step(&format!("[{index}]"), read)
    }

    fn step<R>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// A fault at the member `key` of `node`, or that it is missing.
    pub(super) fn wrong<'a, N: Node<'a>>(&mut self, node: N, key: &str, expected: &str) {
        match node.get(key).map(Node::view) {
            None => self.fault(format!("\"{key}\" is missing: {expected} is expected")),
            Some(view) => {
                let found = kind(&view);
                self.at(key, |p| p.fault(format!("{expected} is expected, not {found}")));
            }
        }
    }

    /// An object; its keys must be among the known.
    pub(super) fn object<'a, N: Node<'a>>(&mut self, node: N, what: &str, known: &[&str]) -> Option<N> {
        let view = node.view();
        let View::Object(object) = view else {
            self.fault(format!("{what} must be an object, not {}", kind(&view)));
            return None;
        };
        for (key, _) in object.members() {
            if !known.contains(&&*key) {
                self.at(&key, |p| p.fault(format!("unknown key; known here are {}", known.join(", "))));
            }
        }
        Some(object)
    }

    pub(super) fn text<'a, N: Node<'a>>(&mut self, node: N, key: &str, expected: &str) -> Option<String> {
        match node.get(key).map(Node::view) {
            Some(View::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => {
                self.wrong(node, key, expected);
                None
            }
        }
    }

    pub(super) fn number<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Decimal<'static>> {
        match node.get(key).map(Node::view) {
            Some(View::Number(number)) => Some(number.into_owned()),
            _ => {
                self.wrong(node, key, "a number");
                None
            }
        }
    }

    pub(super) fn double<'a, N: Node<'a>>(
        &mut self,
        node: N,
        key: &str,
        least: f64,
        expected: &str,
    ) -> Option<f64> {
        match node.get(key).map(Node::view) {
            Some(View::Number(number)) if number.to_f64() >= least && number.to_f64().is_finite() => {
                Some(number.to_f64())
            }
            Some(View::Number(number)) => {
                let shown: String = number.to_string().chars().take(60).collect();
                self.at(key, |p| p.fault(format!("{expected} is expected, not {shown}")));
                None
            }
            _ => {
                self.wrong(node, key, expected);
                None
            }
        }
    }

    /// A list that is not empty.
    pub(super) fn list<'a, N: Node<'a>>(&mut self, node: N, key: &str, of: &str) -> Option<N> {
        match node.get(key).map(Node::view) {
            Some(View::List(list)) => {
                if list.elements().next().is_none() {
                    self.at(key, |p| p.fault(format!("a list of {of} must not be empty")));
                    return None;
                }
                Some(list)
            }
            _ => {
                self.wrong(node, key, &format!("a list of {of}"));
                None
            }
        }
    }

    /// The code of a segment.
    pub(super) fn code<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<String> {
        let code = self.text(node, key, "the code of a segment, a text,")?;
        let length = code.chars().count();
        if length == 0 || length > MAX_CODE {
            self.at(key, |p| p.fault(format!("a code has 1 to {MAX_CODE} characters, not {length}")));
            return None;
        }
        Some(code)
    }

    /// Elements read one by one; `None` if one of them is at fault.
    pub(super) fn each<'a, N: Node<'a>, T>(
        &mut self,
        list: N,
        mut read: impl FnMut(&mut Self, N) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        let mut whole = true;
        for (index, element) in list.elements().enumerate() {
            match self.element(index, |p| read(p, element)) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some(values)
    }

    /// As [`Self::each`], of a list that must not be longer than `most`.
    pub(super) fn at_most<'a, N: Node<'a>, T>(
        &mut self,
        list: N,
        most: usize,
        of: &str,
        read: impl FnMut(&mut Self, N) -> Option<T>,
    ) -> Option<Vec<T>> {
        if list.elements().nth(most).is_some() {
            self.fault(format!("at most {most} {of} are accepted"));
            return None;
        }
        self.each(list, read)
    }

    pub(super) fn whole<'a, N: Node<'a>>(&mut self, node: N, least: i64, most: i64) -> Option<i64> {
        let number = match node.view() {
            View::Number(number) => number.to_i64(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.fault(format!("a whole number from {least} to {most} is expected"));
                None
            }
        }
    }
}
