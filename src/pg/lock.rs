//! Advisory locks that outlive a commit, but not an error: for procedures that commit between their steps.
//!
//! PostgreSQL knows locks of the transaction, which a `COMMIT` inside a procedure hands back, and locks of the session,
//! which stay when the call fails. This one is of the session, and is handed back when a transaction is aborted: an error
//! that ends a call always aborts one, wherever it comes, also between two commits and in an exception handler.

use std::cell::RefCell;

use pgrx::pg_sys;

/// A lock that is held, as [`take`] was asked for it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Held {
    key: i64,
    shared: bool,
}

/// What this session holds.
#[derive(Default)]
struct Session {
    /// Whether PostgreSQL tells us of the end of transactions.
    registered: bool,
    held: Vec<Held>,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

impl Held {
    fn mode(self) -> pg_sys::LOCKMODE {
        (if self.shared { pg_sys::ShareLock } else { pg_sys::ExclusiveLock }) as pg_sys::LOCKMODE
    }

    /// The tag that `pg_advisory_lock(bigint)` gives the same key.
    fn tag(self, database: pg_sys::Oid) -> pg_sys::LOCKTAG {
        pg_sys::LOCKTAG {
            locktag_field1: database.to_u32(),
            locktag_field2: (self.key >> 32) as u32,
            locktag_field3: self.key as u32,
            locktag_field4: 1,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        }
    }

    /// Hands it back, if this session still has it: `pg_advisory_unlock_all` takes every lock of a session.
    fn release(self) {
        // SAFETY: the tag is of an advisory lock of this database, and the lock manager may be asked in any state of a
        // transaction. Neither call raises an error for a valid tag and mode.
        unsafe {
            let tag = self.tag(pg_sys::MyDatabaseId);
            #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
            let held = pg_sys::LockHeldByMe(&tag, self.mode(), false);
            #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
            let held = pg_sys::LockHeldByMe(&tag, self.mode());
            if held {
                pg_sys::LockRelease(&tag, self.mode(), true);
            }
        }
    }
}

/// Takes the lock of a key, without waiting. Whether it was to be had.
pub fn take(key: i64, shared: bool) -> bool {
    let lock = Held { key, shared };
    SESSION.with_borrow_mut(|session| {
        if !session.registered {
            // SAFETY: the callback is a function of this library, which is never unloaded.
            unsafe { pg_sys::RegisterXactCallback(Some(at_end), std::ptr::null_mut()) };
            session.registered = true;
        }
        // Room first: nothing may fail between the lock and its being written down.
        if session.held.try_reserve(1).is_err() {
            super::error::raise(segmentation_core::Error::new(
                segmentation_core::ErrorKind::OutOfMemory,
                "out of memory",
            ));
        }
        // SAFETY: as in `release`; with dontWait it returns at once.
        let got = unsafe { pg_sys::LockAcquire(&lock.tag(pg_sys::MyDatabaseId), lock.mode(), true, true) };
        let taken = got != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL;
        if taken {
            session.held.push(lock);
        }
        taken
    })
}

/// Hands back a lock that [`take`] took. Whether there was one.
pub fn release(key: i64, shared: bool) -> bool {
    let lock = Held { key, shared };
    let found = SESSION.with_borrow_mut(|session| {
        let place = session.held.iter().rposition(|held| *held == lock);
        place.map(|place| session.held.remove(place))
    });
    found.map(Held::release).is_some()
}

/// Whether the procedure that asks may commit: it is called neither in a transaction block nor by a function, nor where
/// an error of its would be caught.
pub fn may_commit() -> bool {
    // SAFETY: it looks at the state of the calls under way only.
    unsafe { pg_sys::SPI_inside_nonatomic_context() }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn at_end(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    if event == pg_sys::XactEvent::XACT_EVENT_ABORT {
        super::activity::forget();
        // An error inside `take` leaves its borrow behind by unwinding, so there is none here; if there were, a lock
        // kept is better than an error while a transaction is aborted.
        SESSION.with(|session| {
            if let Ok(mut session) = session.try_borrow_mut() {
                while let Some(held) = session.held.pop() {
                    held.release();
                }
            }
        });
    }
}
