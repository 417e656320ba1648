//! What happens when Rust cannot have memory: one statement ends with SQLSTATE 53200, and the server lives on.
//!
//! By itself Rust aborts the process when an allocation fails, and PostgreSQL then restarts every session. There
//! are three lines of defence, each for what passes the one before:
//!
//! 1. Whatever grows with the data asks for its memory by [`segmentation_core::base::memory`]. There a failure is an
//!    ordinary error, which unwinds and gives everything back.
//! 2. Small requests that fail are served from a reserve. The next that goes by `memory`, and [`check`], which every
//!    transition of an aggregate and every look at interrupts passes, end in the error if the reserve cannot be
//!    filled again: it unwinds too. The reserve also pays for raising errors.
//! 3. What is left, a large request from code that takes success for granted, must neither return (the process
//!    would end) nor unwind (callers of an allocator have no landing pads). It jumps, as PostgreSQL's own
//!    functions do, to the innermost handler of errors. The frames in between are skipped: what they own is lost
//!    until the session ends. What memory contexts own (states, memos) is freed by the abort as always, but for
//!    the one state that was being changed, which may be half changed.
//!
//! Such a jump leaves nothing locked: there are no locks and no borrow flags in this extension, and pgrx's own,
//! the thread that may call PostgreSQL, does not change while a function runs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};
use segmentation_core::base::memory;

use super::error::raise;

/// The allocator of all of this library.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// The reserve's sizes, the first that can be had. Address space only: hardly anything is written there, so no memory is
/// taken. PostgreSQL's memory contexts, once grown, ask for no less than 1 MB; less is for Rust's own small requests,
/// in a heap whose free pieces are far apart.
const SIZES: [usize; 4] = [1 << 21, 1 << 20, 1 << 19, 1 << 18];
/// What the reserve is for.
const SMALL: usize = 1 << 16;

/// The reserve, which begins with its layout; null when it is spent, or was never filled.
static RESERVED: AtomicPtr<u8> = AtomicPtr::new(null_mut());
/// The state that was lent out last, to be changed.
static LENT: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// The state that was lent out when a jump skipped its borrower.
static HALF_CHANGED: AtomicPtr<c_void> = AtomicPtr::new(null_mut());

// SAFETY: all memory is the system's; what is added happens where that returns null.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: by the caller's promise, here and below.
        let memory = unsafe { System.alloc(layout) };
        if memory.is_null() { refused(layout.size(), || unsafe { System.alloc(layout) }) } else { memory }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { System.alloc_zeroed(layout) };
        if memory.is_null() {
            refused(layout.size(), || unsafe { System.alloc_zeroed(layout) })
        } else {
            memory
        }
    }

    #[inline]
    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let memory = unsafe { System.realloc(old, layout, size) };
        if memory.is_null() { refused(size, || unsafe { System.realloc(old, layout, size) }) } else { memory }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

/// What to give when the system has nothing. Null where the caller reckons with it, or where nobody would catch
/// the error.
#[cold]
#[inline(never)]
fn refused(size: usize, again: impl Fn() -> *mut u8) -> *mut u8 {
    // SAFETY: reads a variable of the backend, which one thread runs.
    if memory::may_fail() || !is_main_thread() || unsafe { pg_sys::PG_exception_stack.is_null() } {
        return null_mut();
    }
    if size <= SMALL {
        spend();
        let memory = again();
        if !memory.is_null() {
            return memory;
        }
    }
    HALF_CHANGED.store(LENT.load(Relaxed), Relaxed);
    jump(size)
}

/// Fills the reserve if it is empty; if that fails, memory has run out, and the statement ends.
#[inline]
pub fn check() {
    if RESERVED.load(Relaxed).is_null() && !recovers() {
        raise(memory::out_of_memory(SIZES[SIZES.len() - 1]));
    }
}

/// Gives the reserve back to the system, for whoever asks next.
fn spend() {
    let reserve = RESERVED.swap(null_mut(), Relaxed);
    if !reserve.is_null() {
        // SAFETY: made by `recovers`, which wrote its layout there, and taken out of the variable once.
        unsafe { System.dealloc(reserve, reserve.cast::<Layout>().read()) };
        memory::running_low(Some(recovers));
    }
}

/// Runs a call into PostgreSQL that may take much memory, with the reserve for its errors.
///
/// When PostgreSQL itself finds no memory, pgrx copies its error into the current memory context, which is full: an
/// error within that would be raised to a handler that is gone, again and again, until PostgreSQL panics. So an error
/// first gives the reserve back; an error context, which PostgreSQL calls before it jumps, is the place for it.
pub fn with_reserve<R>(call: impl FnOnce() -> R) -> R {
    unsafe extern "C-unwind" fn on_error(_: *mut c_void) {
        spend();
    }
    struct Entry(pg_sys::ErrorContextCallback);
    impl Drop for Entry {
        fn drop(&mut self) {
            // SAFETY: entries are taken off in the reverse order of their coming, also by unwinding.
            unsafe { pg_sys::error_context_stack = self.0.previous };
        }
    }
    check();
    // SAFETY: the backend's only thread; the entry stays in its place until it is taken off.
    let mut entry = Entry(pg_sys::ErrorContextCallback {
        previous: unsafe { pg_sys::error_context_stack },
        callback: Some(on_error),
        arg: null_mut(),
    });
    unsafe { pg_sys::error_context_stack = &raw mut entry.0 };
    call()
}

/// Whether the reserve could be filled again.
#[cold]
#[inline(never)]
fn recovers() -> bool {
    let found = SIZES.iter().find_map(|size| {
        let layout = Layout::from_size_align(*size, align_of::<Layout>()).ok()?;
        // SAFETY: the layout has a size, and room for a layout.
        unsafe {
            let reserve = System.alloc(layout);
            if reserve.is_null() {
                return None;
            }
            reserve.cast::<Layout>().write(layout);
            Some(reserve)
        }
    });
    let Some(reserve) = found else { return false };
    RESERVED.store(reserve, Relaxed);
    memory::running_low(None);
    true
}

/// Notes that this state is being changed from now on.
#[inline]
pub fn lend(state: *mut c_void) {
    LENT.store(state, Relaxed);
}

/// Whether this state, which is to be freed, may be half changed: then it must be left as it is.
pub fn end_lending(state: *mut c_void) -> bool {
    let _ = LENT.compare_exchange(state, null_mut(), Relaxed, Relaxed);
    HALF_CHANGED.compare_exchange(state, null_mut(), Relaxed, Relaxed).is_ok()
}

/// A thread has no business in a backend; if there is one, PostgreSQL's errors are not for it.
fn is_main_thread() -> bool {
    #[cfg(target_os = "linux")]
    {
        unsafe extern "C" {
            fn getpid() -> c_int;
            fn gettid() -> c_int;
        }
        // SAFETY: both only answer.
        unsafe { getpid() == gettid() }
    }
    #[cfg(not(target_os = "linux"))]
    true
}

/// PostgreSQL's error, raised without pgrx: its bindings would make a panic of it, which needs memory and unwinds.
fn jump(size: usize) -> ! {
    unsafe extern "C-unwind" {
        fn errstart(level: c_int, domain: *const c_char) -> bool;
        fn errcode(code: c_int) -> c_int;
        fn errmsg(format: *const c_char, ...) -> c_int;
        fn errdetail(format: *const c_char, ...) -> c_int;
        fn errhint(format: *const c_char, ...) -> c_int;
        fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
    }
    // SAFETY: the calls that PostgreSQL's macro ereport makes, in its order, in the backend's only thread and with
    // a handler in place. They take memory from ErrorContext, which PostgreSQL keeps for this.
    unsafe {
        if errstart(PgLogLevel::ERROR as c_int, std::ptr::null()) {
            errcode(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY as c_int);
            errmsg(c"out of memory".as_ptr());
            errdetail(c"Failed on request of size %zu.".as_ptr(), size);
            errhint(c"%s".as_ptr(), memory::HINT.as_ptr());
            errfinish(c"allocator.rs".as_ptr(), line!() as c_int, c"jump".as_ptr());
        }
    }
    // An ERROR never returns.
    std::process::abort()
}
