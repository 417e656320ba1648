//! The lock of a workspace's refresh. Declared in `sql/workspace/refresh.sql`.

use pgrx::prelude::*;

use crate::pg::lock;

#[pg_extern(sql = false)]
fn workspace_take_lock(key: i64, shared: bool) -> bool {
    lock::take(key, shared)
}

#[pg_extern(sql = false)]
fn workspace_release_lock(key: i64, shared: bool) -> bool {
    lock::release(key, shared)
}

#[pg_extern(sql = false)]
fn may_commit() -> bool {
    lock::may_commit()
}
