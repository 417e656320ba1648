//! What a query sees: to know when something read earlier has to be read again.

use pgrx::pg_sys;

/// Identifies what is read now, and by whom: two statements that may see different rows have different keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SnapshotKey([u8; 48]);

impl SnapshotKey {
    /// That of the query under way.
    pub fn current() -> Self {
        // SAFETY: a function called by a query runs under an active snapshot, within a transaction.
        let parts: [u64; 6] = unsafe {
            let seen = match pg_sys::ActiveSnapshotSet() {
                false => [0; 4],
                true => {
                    let snapshot = &*pg_sys::GetActiveSnapshot();
                    [
                        u64::from(snapshot.xmin.into_inner()),
                        u64::from(snapshot.xmax.into_inner()),
                        u64::from(snapshot.curcid),
                        u64::from(snapshot.xcnt) << 32 | u64::from(snapshot.subxcnt as u32),
                    ]
                }
            };
            // What a subtransaction wrote is gone after its end, although the number of the command may not move.
            let within = u64::from(pg_sys::GetCurrentSubTransactionId());
            // Policies and rights of a table are those of a role.
            let role = u64::from(pg_sys::GetUserId().to_u32());
            [seen[0], seen[1], seen[2], seen[3], within, role]
        };
        let mut bytes = [0; 48];
        for (place, part) in bytes.chunks_exact_mut(8).zip(parts) {
            place.copy_from_slice(&part.to_ne_bytes());
        }
        SnapshotKey(bytes)
    }

    /// As bytes, to remember something by.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}
