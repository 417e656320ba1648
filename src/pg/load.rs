//! What happens when the library is loaded into a process of the server.

use std::backtrace::Backtrace;
use std::ffi::OsString;

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};

const SWITCH: &str = "RUST_LIB_BACKTRACE";

/// Called by PostgreSQL once a process.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    super::guard::install();
    never_trace();
    need_unicode();
    segmentation_core::base::host::install(super::interrupt);
}

/// Refuses a database whose texts are not UTF-8. With SQL_ASCII they may be, which is the user's affair.
fn need_unicode() {
    // SAFETY: both only read what the process knows of its database; there is none while the server starts.
    let (database, encoding) = unsafe { (pg_sys::MyDatabaseId, pg_sys::GetDatabaseEncoding()) };
    let fits = [pg_sys::pg_enc::PG_UTF8, pg_sys::pg_enc::PG_SQL_ASCII].map(|encoding| encoding as i32);
    if database != pg_sys::InvalidOid && !fits.contains(&encoding) {
        ErrorReport::new(
            PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
            "segmentation needs a database with encoding UTF8",
            "segmentation",
        )
        .set_hint("CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0 makes one.")
        .report(PgLogLevel::ERROR);
    }
}

/// No error of this library has a backtrace, whatever the server's environment says.
///
/// With `RUST_BACKTRACE` set, pgrx would put one into the DETAIL of every error that PostgreSQL raises below a Rust
/// function. Rust looks at the environment when a backtrace is first asked for, and never again in this library.
fn never_trace() {
    let set = |value: Option<OsString>| {
        // SAFETY: a process of the server has one thread when it loads a library.
        unsafe {
            match value {
                Some(value) => std::env::set_var(SWITCH, value),
                None => std::env::remove_var(SWITCH),
            }
        }
    };
    let before = std::env::var_os(SWITCH);
    set(Some("0".into()));
    let _ = Backtrace::capture();
    set(before);
}
