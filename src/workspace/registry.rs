//! SQL face of what workspaces need that SQL cannot do: the registry, and looking into those of others. Declared in
//! `sql/workspace/registry.sql`.

use pgrx::prelude::*;

use crate::pg::{guard, registry};

#[pg_extern(sql = false)]
fn workspace_register(workspace: &str, layout: i32, key_type: &str) {
    registry::register(workspace, layout, key_type);
}

#[pg_extern(sql = false)]
fn workspace_unregister(workspace: &str) {
    registry::unregister(workspace);
}

#[pg_extern(sql = false)]
fn workspace_look(workspace: &str, reads: Array<'_, &str>, writes: Array<'_, &str>) -> Option<String> {
    guard::look(workspace, &names(reads), &names(writes))
}

#[pg_extern(sql = false)]
fn workspace_guarded() -> bool {
    guard::is_up()
}

#[pg_extern(sql = false)]
fn workspace_let_down() {
    guard::let_down();
}

fn names(array: Array<'_, &str>) -> Vec<String> {
    array.iter().flatten().map(str::to_owned).collect()
}
