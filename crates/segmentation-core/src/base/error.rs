//! One error type: what went wrong, in PostgreSQL's message style.

use std::borrow::Cow;

/// What a function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// The class of an error. The SQL face gives each its SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An argument or option outside what the function accepts (22023).
    InvalidParameter,
    /// A number too large, or not finite, for the result (22003).
    OutOfRange,
    /// A date outside 0001-01-01 .. 9999-12-31, or infinite (22008).
    DateOutOfRange,
    /// Text input that does not follow the type's syntax (22P02).
    InvalidText,
    /// Binary input that does not follow the type's format (22P03).
    InvalidBinary,
    /// A stated limit on size would be passed (54000).
    LimitExceeded,
    /// Memory could not be had (53200).
    OutOfMemory,
    /// The data do not allow an answer yet (55000).
    NotReady,
}

/// An error with PostgreSQL's three parts: message, detail and hint.
///
/// The message is one lower-case phrase without a full stop; detail and hint
/// are sentences.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Its class.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: Cow<'static, str>,
    /// The facts behind it.
    pub detail: Option<Cow<'static, str>>,
    /// What the user can do.
    pub hint: Option<Cow<'static, str>>,
}

/// A number for a message: infinity and NaN as PostgreSQL spells them.
#[must_use]
pub fn shown_number(value: f64) -> String {
    match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        _ => value.to_string(),
    }
}

impl Error {
    /// An error without detail or hint.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), detail: None, hint: None }
    }

    /// An [`ErrorKind::InvalidParameter`].
    pub fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorKind::InvalidParameter, message)
    }

    /// The same error with a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same error with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A number as PostgreSQL writes it: infinities have their long names.
#[must_use]
pub(crate) fn shown(value: f64) -> String {
    if value.is_infinite() {
        format!("{}Infinity", if value < 0.0 { "-" } else { "" })
    } else {
        value.to_string()
    }
}
