//! Errors of the core crate as PostgreSQL errors: SQLSTATE, detail, hint.

use std::borrow::Cow;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};
use segmentation_core::{Error, ErrorKind};

fn sqlstate(kind: ErrorKind) -> PgSqlErrorCode {
    match kind {
        ErrorKind::InvalidParameter => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        ErrorKind::OutOfRange => PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
        ErrorKind::DateOutOfRange => PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        ErrorKind::InvalidText => PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        ErrorKind::InvalidBinary => PgSqlErrorCode::ERRCODE_INVALID_BINARY_REPRESENTATION,
        ErrorKind::LimitExceeded => PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        ErrorKind::OutOfMemory => PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY,
        ErrorKind::NotReady => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
    }
}

/// The longest part of a message, in bytes: names and values that it quotes can be of any length.
const LONGEST: usize = 2000;

/// The text, cut short if nobody would read it to its end.
fn shortened(mut text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() > LONGEST {
        let end = text.floor_char_boundary(LONGEST);
        text.to_mut().truncate(end);
        text.to_mut().push_str("...");
    }
    text
}

/// Raises the error in PostgreSQL; does not return.
#[cold]
pub fn raise(error: Error) -> ! {
    let mut report = ErrorReport::new(sqlstate(error.kind), shortened(error.message), "segmentation");
    if let Some(detail) = error.detail {
        report = report.set_detail(shortened(detail));
    }
    if let Some(hint) = error.hint {
        report = report.set_hint(shortened(hint));
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("an ERROR report unwinds");
}

/// Raises an error that is PostgreSQL's business, not the core's; does not return.
#[cold]
pub fn refuse(code: PgSqlErrorCode, message: String, detail: &str) -> ! {
    ErrorReport::new(code, message, "segmentation").set_detail(detail).report(PgLogLevel::ERROR);
    unreachable!("an ERROR report unwinds");
}

/// `result.or_raise()`: the value, or the error raised in PostgreSQL.
pub trait OrRaise<T> {
    /// The value, or the error raised in PostgreSQL.
    fn or_raise(self) -> T;
}

impl<T> OrRaise<T> for segmentation_core::Result<T> {
    #[inline]
    fn or_raise(self) -> T {
        self.unwrap_or_else(|error| raise(error))
    }
}
