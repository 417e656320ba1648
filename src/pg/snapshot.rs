//! What a query sees: to know when something read earlier has to be read again.

use pgrx::pg_sys;

/// Identifies the active snapshot: two statements that may see different rows have different keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SnapshotKey([u64; 4]);

impl SnapshotKey {
    /// That of the query under way.
    pub fn current() -> Self {
        // SAFETY: a function called by a query runs under an active snapshot.
        unsafe {
            if !pg_sys::ActiveSnapshotSet() {
                return SnapshotKey([0; 4]);
            }
            let snapshot = &*pg_sys::GetActiveSnapshot();
            SnapshotKey([
                u64::from(snapshot.xmin.into_inner()),
                u64::from(snapshot.xmax.into_inner()),
                u64::from(snapshot.curcid),
                u64::from(snapshot.xcnt) << 32 | u64::from(snapshot.subxcnt as u32),
            ])
        }
    }
}
