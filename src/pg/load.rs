//! What happens when the library is loaded into a process of the server.

/// Called by PostgreSQL once a process.
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    super::guard::install();
}
