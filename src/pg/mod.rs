//! The room between Rust and PostgreSQL, and the only one with `unsafe`.
//!
//! Everything that leaves it is safe to use on one condition, which the SQL
//! declarations in `sql/` keep: an argument has the SQL type that its Rust
//! reader names.

pub mod activity;
pub mod allocator;
pub mod call;
pub mod enums;
pub mod error;
pub mod expanded;
pub mod expression;
pub mod guard;
pub mod json_tree;
pub mod jsonb;
mod load;
pub mod lock;
pub mod memo;
pub mod message;
pub mod numeric;
pub mod record;
pub mod registry;
pub mod row;
pub mod snapshot;
pub mod state;
pub mod timestamp;
pub mod value;
pub mod view;
pub mod window;

pub use call::CallSite;
pub use error::OrRaise;
pub use memo::Key;
pub use numeric::Numeric;

/// Lets PostgreSQL cancel the query, and ends it when memory has run out: to be called by every loop that can run long.
pub fn interrupt() {
    pgrx::check_for_interrupts!();
    allocator::check();
}

/// Declares how a Rust type of this room appears in SQL, for pgrx's signatures.
/// The SQL itself is written by hand in `sql/`, so the name serves messages only.
macro_rules! sql_type {
    ($type:ty, $name:literal) => {
        $crate::pg::sql_type!(impl[] $type, $name);
    };
    (impl[$($generics:tt)*] $type:ty, $name:expr) => {
        // SAFETY: the SQL declarations in `sql/` use the type where the Rust one stands.
        unsafe impl<$($generics)*> pgrx::pgrx_sql_entity_graph::metadata::SqlTranslatable for $type {
            const TYPE_IDENT: &'static str = $name;
            const TYPE_ORIGIN: pgrx::pgrx_sql_entity_graph::metadata::TypeOrigin =
                pgrx::pgrx_sql_entity_graph::metadata::TypeOrigin::External;
            const ARGUMENT_SQL: std::result::Result<
                pgrx::pgrx_sql_entity_graph::metadata::SqlMappingRef,
                pgrx::pgrx_sql_entity_graph::metadata::ArgumentError,
            > = Ok(pgrx::pgrx_sql_entity_graph::metadata::SqlMappingRef::literal($name));
            const RETURN_SQL: std::result::Result<
                pgrx::pgrx_sql_entity_graph::metadata::ReturnsRef,
                pgrx::pgrx_sql_entity_graph::metadata::ReturnsError,
            > = Ok(pgrx::pgrx_sql_entity_graph::metadata::ReturnsRef::One(
                pgrx::pgrx_sql_entity_graph::metadata::SqlMappingRef::literal($name),
            ));
        }
    };
}
pub(crate) use sql_type;
