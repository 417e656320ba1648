//! Expressions of a mapping. Declared in `sql/workspace/mapping.sql`.

use pgrx::prelude::*;
use serde_json::json;

use crate::pg::expression;
use crate::pg::jsonb::JsonbOut;

#[pg_extern(sql = false)]
fn workspace_expression(expression: &str, relations: &str) -> JsonbOut {
    let found = expression::analyze(expression, relations);
    JsonbOut(json!({"type": found.type_oid, "relations": found.relations}))
}
