//! SQL face of how far a refresh has come. Declared in `sql/workspace/progress.sql`.

use pgrx::JsonB;
use pgrx::prelude::*;
use serde_json::json;

use crate::pg::activity;

#[pg_extern(sql = false)]
fn workspace_begin(title: Option<&str>) {
    activity::begin(title);
}

#[pg_extern(sql = false)]
fn workspace_step(step: &str) {
    activity::step(step);
}

#[pg_extern(sql = false)]
fn workspace_steps() -> JsonB {
    let steps = activity::take_steps().into_iter();
    JsonB(steps.map(|(step, seconds)| json!({"step": step, "seconds": seconds})).collect())
}

#[pg_extern(sql = false)]
fn library_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
