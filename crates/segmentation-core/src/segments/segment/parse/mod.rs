//! Reads a definition, and finds every fault in it.

mod condition;
mod events;
mod kinds;
mod parser;

pub use parser::Fault;
use parser::Parser;

use super::Definition;
use crate::base::document::Node;
use crate::base::error::{Error, ErrorKind, Result};

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// It has faults: the first is in the detail.
    pub fn parse<'a, N: Node<'a>>(root: N) -> Result<Self> {
        Self::check(root).map_err(|faults| {
            let mut detail = String::new();
            let mut kind = ErrorKind::InvalidParameter;
            if let Some(first) = faults.first() {
                detail = format!("{}: {}.", first.path, first.fault);
                if first.fault.starts_with("nested deeper") {
                    kind = ErrorKind::LimitExceeded;
                }
            }
            match faults.len() {
                0 | 1 => {}
                2 => detail.push_str(" There is another fault."),
                n => detail.push_str(&format!(" There are {} other faults.", n - 1)),
            }
            Error::new(kind, "invalid segment definition")
                .detail(detail)
                .hint("segment_check(definition) lists every fault.")
        })
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// All its faults.
    pub fn check<'a, N: Node<'a>>(root: N) -> std::result::Result<Self, Vec<Fault>> {
        let mut parser = Parser::new();
        let definition = parser.definition(root);
        match definition {
            Some((kind, default)) if parser.faults.is_empty() => Ok(Definition {
                kind,
                default,
                fields: parser.scopes.swap_remove(0).values,
                dates: parser.dates.values,
                relative: parser.relative,
                unknown: parser.unknown,
            }),
            _ => Err(parser.faults),
        }
    }
}
