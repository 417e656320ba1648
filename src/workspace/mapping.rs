//! Expressions of a mapping, and what a view is made of. Declared in `sql/workspace/mapping.sql`.

use pgrx::prelude::*;
use serde_json::json;

use crate::pg::expression;
use crate::pg::jsonb::JsonbOut;
use crate::pg::view::{self, Column};

#[pg_extern(sql = false)]
fn workspace_expression(expression: &str, relations: &str) -> JsonbOut {
    let found = expression::analyze(expression, relations);
    JsonbOut(json!({"type": found.type_oid, "relations": found.relations}))
}

#[pg_extern(sql = false)]
fn workspace_view(relation: pgrx::pg_sys::Oid) -> JsonbOut {
    let place = |column: &Column| json!([column.table, column.name]);
    JsonbOut(match view::tables_of(relation) {
        Err(fault) => json!({ "fault": fault }),
        Ok(view) => json!({
            "tables": view.tables,
            "equal": view.equal.iter().map(|(left, right)| [place(left), place(right)]).collect::<Vec<_>>(),
            "optional": view.optional,
            "columns": view.columns.iter().map(|(name, column)| (name.clone(), place(column))).collect::<serde_json::Map<_, _>>(),
        }),
    })
}
