//! `jsonb` read where it lies: no text, no copies, only the keys that are asked for.
//!
//! The stored format has not changed since PostgreSQL 9.4. A container is a header (count and
//! kind), one entry a child (kind, and its length or where it ends), then the children's bytes;
//! an object's keys come before its values, sorted by length and then by bytes. Every access is
//! checked: bytes that are no jsonb read as null.

use std::borrow::Cow;

use segmentation_core::base::document::{Node, View};
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::{Map, Number, Value};

use super::interrupt;
use super::numeric::NumericArg;

const COUNT: u32 = 0x0FFF_FFFF;
const SCALAR: u32 = 0x1000_0000;
const OBJECT: u32 = 0x2000_0000;
const ARRAY: u32 = 0x4000_0000;

const LENGTH: u32 = 0x0FFF_FFFF;
const KIND: u32 = 0x7000_0000;
const HAS_OFFSET: u32 = 0x8000_0000;

const STRING: u32 = 0;
const NUMERIC: u32 = 0x1000_0000;
const FALSE: u32 = 0x2000_0000;
const TRUE: u32 = 0x3000_0000;
const NULL: u32 = 0x4000_0000;
const CONTAINER: u32 = 0x5000_0000;

/// Objects up to this size are searched from the first key on, larger ones by halving.
const SMALL: usize = 64;
/// After so many children of a container the server is asked whether to go on.
const PATIENCE: usize = 4096;
/// The deepest nesting of what becomes a tree of its own.
pub const MAX_DEPTH: usize = 100;
/// The most values (of lists and objects, and these themselves) in such a tree: a few hundred megabytes of memory.
pub const MAX_VALUES: usize = 2_000_000;

/// A value within a `jsonb`.
#[derive(Debug, Clone, Copy)]
pub struct JsonNode<'a> {
    kind: u32,
    bytes: &'a [u8],
}

/// The children of a container.
#[derive(Clone, Copy)]
struct Children<'a> {
    entries: &'a [u8],
    data: &'a [u8],
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at * 4..at * 4 + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

impl<'a> Children<'a> {
    /// Where child `index` begins.
    fn offset(self, index: usize) -> usize {
        let mut offset = 0;
        for before in (0..index).rev() {
            let entry = word(self.entries, before);
            offset += (entry & LENGTH) as usize;
            if entry & HAS_OFFSET != 0 {
                break;
            }
        }
        offset
    }

    /// Where a child that begins at `offset` ends.
    fn end(self, index: usize, offset: usize) -> usize {
        let entry = word(self.entries, index);
        let length = (entry & LENGTH) as usize;
        if entry & HAS_OFFSET != 0 { length } else { offset + length }
    }

    fn at(self, index: usize, offset: usize) -> JsonNode<'a> {
        let kind = word(self.entries, index) & KIND;
        // Numbers and containers begin at multiples of four.
        let begins = if matches!(kind, NUMERIC | CONTAINER) { offset.next_multiple_of(4) } else { offset };
        let end = self.end(index, offset);
        JsonNode { kind, bytes: self.data.get(begins..end).unwrap_or_default() }
    }

    fn child(self, index: usize) -> JsonNode<'a> {
        self.at(index, self.offset(index))
    }

    /// The place of a key among `count` keys.
    fn find(self, count: usize, key: &[u8]) -> Option<usize> {
        let order = |index: usize, offset: usize| {
            let bytes = self.data.get(offset..self.end(index, offset)).unwrap_or_default();
            bytes.len().cmp(&key.len()).then_with(|| bytes.cmp(key))
        };
        if count <= SMALL {
            let mut offset = 0;
            for index in 0..count {
                let end = self.end(index, offset);
                // Lengths are compared first: most keys need no more.
                if end.wrapping_sub(offset) >= key.len() {
                    match order(index, offset) {
                        std::cmp::Ordering::Less => {}
                        std::cmp::Ordering::Equal => return Some(index),
                        std::cmp::Ordering::Greater => return None,
                    }
                }
                offset = end;
            }
            return None;
        }
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = usize::midpoint(low, high);
            match order(middle, self.offset(middle)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

impl<'a> JsonNode<'a> {
    /// The value whose `jsonb` has these bytes, without varlena header.
    pub fn root(bytes: &'a [u8]) -> Self {
        let root = JsonNode { kind: CONTAINER, bytes };
        match root.container() {
            (header, children) if header & SCALAR != 0 => children.child(0),
            _ => root,
        }
    }

    fn container(self) -> (u32, Children<'a>) {
        let header = if self.kind == CONTAINER { word(self.bytes, 0) } else { 0 };
        let count = (header & COUNT) as usize;
        let entries = count.saturating_mul(if header & OBJECT != 0 { 2 } else { 1 });
        let rest = self.bytes.get(4..).unwrap_or_default();
        match rest.split_at_checked(entries.saturating_mul(4)) {
            Some((entries, data)) => (header, Children { entries, data }),
            None => (0, Children { entries: &[], data: &[] }),
        }
    }
}

/// Makes a tree of a `jsonb`, and counts what it makes.
struct Planter<'w> {
    /// The argument, for errors.
    what: &'w str,
    values: usize,
    depth: usize,
}

impl Planter<'_> {
    fn error(&self, kind: ErrorKind, detail: String) -> Error {
        Error::new(kind, format!("invalid {}", self.what)).detail(detail)
    }

    fn plant(&mut self, node: JsonNode) -> Result<Value> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return Err(Error::new(ErrorKind::LimitExceeded, format!("the {} is too large", self.what))
                .detail(format!("At most {MAX_VALUES} values are accepted."))
                .hint("Leave out what is not needed."));
        }
        Ok(match node.view() {
            View::Null if node.kind == NUMERIC => {
                return Err(self.error(ErrorKind::InvalidParameter, "A number is not finite.".to_owned()));
            }
            View::Null => Value::Null,
            View::Bool(value) => Value::Bool(value),
            View::Text(text) => Value::String(String::from_utf8_lossy(text).into_owned()),
            View::Number(number) => {
                // As JSON text is read: what is written without a fraction is a whole number if it fits.
                let fraction = NumericArg::from_bytes(node.bytes.get(4..).unwrap_or_default()).has_decimals();
                let whole = if fraction { None } else { number.to_i64() };
                match whole {
                    Some(whole) => Value::Number(whole.into()),
                    None => self.double(&number)?,
                }
            }
            View::List(list) => {
                self.enter()?;
                let elements = list.elements().map(|element| self.plant(element)).collect::<Result<_>>()?;
                self.depth -= 1;
                Value::Array(elements)
            }
            View::Object(object) => {
                self.enter()?;
                let members = object.members().map(|(key, value)| Ok((key.into_owned(), self.plant(value)?)));
                let members = members.collect::<Result<Map<_, _>>>()?;
                self.depth -= 1;
                Value::Object(members)
            }
        })
    }

    fn double(&self, number: &segmentation_core::base::decimal::Decimal) -> Result<Value> {
        if let Some(double) = Number::from_f64(number.to_f64()) {
            return Ok(Value::Number(double));
        }
        let shown: String = number.to_string().chars().take(20).collect();
        let detail = format!("The number {shown}... is out of range for type double precision.");
        Err(self.error(ErrorKind::InvalidParameter, detail))
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let detail = format!("It is nested deeper than {MAX_DEPTH} levels.");
            return Err(self
                .error(ErrorKind::InvalidParameter, detail)
                .hint("Nest lists and objects less deeply."));
        }
        Ok(())
    }
}

impl JsonNode<'_> {
    /// The value as a tree of its own; `what` names it in errors.
    ///
    /// The server is asked now and then whether to go on, and the size is limited: whatever reads the tree later is
    /// linear in it, and soon done.
    ///
    /// # Errors
    /// It is nested too deeply, has too many values, or a number beyond a double.
    pub fn to_tree(self, what: &str) -> Result<Value> {
        Planter { what, values: 0, depth: 0 }.plant(self)
    }
}

impl<'a> Node<'a> for JsonNode<'a> {
    #[inline]
    fn view(self) -> View<'a, Self> {
        match self.kind {
            STRING => View::Text(self.bytes),
            // A whole varlena: a header of four bytes, then the number.
            NUMERIC => {
                match self.bytes.get(4..).and_then(|number| NumericArg::from_bytes(number).decimal()) {
                    Some(number) => View::Number(number),
                    None => View::Null,
                }
            }
            FALSE => View::Bool(false),
            TRUE => View::Bool(true),
            CONTAINER if word(self.bytes, 0) & OBJECT != 0 => View::Object(self),
            CONTAINER if word(self.bytes, 0) & ARRAY != 0 => View::List(self),
            NULL => View::Null,
            _ => View::Null,
        }
    }

    #[inline]
    fn get(self, key: &str) -> Option<Self> {
        let (header, children) = self.container();
        if header & OBJECT == 0 {
            return None;
        }
        let count = (header & COUNT) as usize;
        children.find(count, key.as_bytes()).map(|index| children.child(count + index))
    }

    fn elements(self) -> impl Iterator<Item = Self> {
        let (header, children) = self.container();
        let count = if header & ARRAY != 0 { (header & COUNT) as usize } else { 0 };
        let mut offset = 0;
        (0..count).map(move |index| {
            if index % PATIENCE == PATIENCE - 1 {
                interrupt();
            }
            let element = children.at(index, offset);
            offset = children.end(index, offset);
            element
        })
    }

    fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Self)> {
        let (header, children) = self.container();
        let count = if header & OBJECT != 0 { (header & COUNT) as usize } else { 0 };
        let (mut key_at, mut value_at) = (0, children.offset(count));
        (0..count).map(move |index| {
            if index % PATIENCE == PATIENCE - 1 {
                interrupt();
            }
            let key = children.at(index, key_at);
            let value = children.at(count + index, value_at);
            key_at = children.end(index, key_at);
            value_at = children.end(count + index, value_at);
            (String::from_utf8_lossy(key.bytes), value)
        })
    }
}
