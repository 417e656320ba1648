//! True window functions: one row in, its answer out, the whole partition in sight.
//!
//! pgrx's bindings leave PostgreSQL's window API out; it is declared here.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;

use super::CallSite;
use super::value::Value;

type WindowObject = *mut c_void;
const WINDOW_SEEK_HEAD: i32 = 1;
/// Rows between two looks at interrupts and two resets of the memory that evaluating arguments takes.
const BATCH: i64 = 4096;

unsafe extern "C-unwind" {
    fn WinGetPartitionRowCount(winobj: WindowObject) -> i64;
    fn WinGetPartitionLocalMemory(winobj: WindowObject, size: pg_sys::Size) -> *mut c_void;
    fn WinGetFuncArgInPartition(
        winobj: WindowObject,
        argno: i32,
        relpos: i32,
        seektype: i32,
        set_mark: bool,
        isnull: *mut bool,
        isout: *mut bool,
    ) -> pg_sys::Datum;
    fn WinGetFuncArgCurrent(winobj: WindowObject, argno: i32, isnull: *mut bool) -> pg_sys::Datum;
}

/// A window function's view of its partition.
pub struct Window<'fcx> {
    object: WindowObject,
    /// The place in the query.
    pub call: CallSite<'fcx>,
}

impl Window<'_> {
    /// # Safety
    /// `fcinfo` is that of a window function's call under way.
    pub unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: for a window function the call context is its WindowObject.
        unsafe { Window { object: (*fcinfo).context.cast(), call: CallSite::new(fcinfo) } }
    }

    /// Rows in the partition.
    pub fn rows(&self) -> i64 {
        // SAFETY: `object` is the WindowObject of the call.
        unsafe { pg_guard_ffi_boundary(|| WinGetPartitionRowCount(self.object)) }
    }

    /// An argument of the current row.
    pub fn current(&self, arg: i32) -> Option<Value> {
        let mut is_null = false;
        // SAFETY: as for `rows`; the function has such an argument by its SQL declaration.
        let datum = unsafe { pg_guard_ffi_boundary(|| WinGetFuncArgCurrent(self.object, arg, &mut is_null)) };
        (!is_null).then_some(Value(datum))
    }

    /// Calls `each` with the first `args` arguments of every row of the partition, row by row.
    ///
    /// A value lives until `each` returns. Going row by row matters when the partition
    /// is on disk: stepping back by one row stays within a buffer, going back to the
    /// first row for the next argument would read a block for every row.
    pub fn scan(&self, args: i32, mut each: impl FnMut(usize, Option<Value>)) {
        let rows = self.rows();
        // SAFETY: as for `current`. What evaluating arguments allocates is freed batch by batch.
        unsafe {
            let memory = pg_sys::AllocSetContextCreateExtended(
                pg_sys::CurrentMemoryContext,
                c"segmentation window scan".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            let old = pg_sys::MemoryContextSwitchTo(memory);
            for row in 0..rows {
                if row % BATCH == 0 {
                    super::interrupt();
                    pg_sys::MemoryContextReset(memory);
                }
                for arg in 0..args {
                    let (mut is_null, mut is_out) = (false, false);
                    let datum = pg_guard_ffi_boundary(|| {
                        WinGetFuncArgInPartition(
                            self.object,
                            arg,
                            row as i32,
                            WINDOW_SEEK_HEAD,
                            false,
                            &mut is_null,
                            &mut is_out,
                        )
                    });
                    each(arg as usize, (!is_null && !is_out).then_some(Value(datum)));
                }
            }
            pg_sys::MemoryContextSwitchTo(old);
            pg_sys::MemoryContextDelete(memory);
        }
    }

    /// What the function knows of the partition: made at its first row, gone after its last.
    pub fn partition<T: Copy + 'static>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        struct Slot<T> {
            ready: bool,
            value: MaybeUninit<T>,
        }
        // SAFETY: PostgreSQL gives zeroed memory for a new partition, so `ready` is
        // false until we set it; T is Copy and needs no drop.
        unsafe {
            let slot =
                pg_guard_ffi_boundary(|| WinGetPartitionLocalMemory(self.object, size_of::<Slot<T>>()))
                    .cast::<Slot<T>>();
            if !(*slot).ready {
                (*slot).value.write(make(self));
                (*slot).ready = true;
            }
            (*slot).value.assume_init()
        }
    }
}

/// Exports `$body: fn(&mut Window) -> Option<Value>` as the window function `$symbol`.
macro_rules! window_function {
    ($symbol:ident, $info:ident, $body:path) => {
        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $info() -> &'static pgrx::pg_sys::Pg_finfo_record {
            const V1: pgrx::pg_sys::Pg_finfo_record = pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &V1
        }

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        #[pgrx::pg_guard]
        pub unsafe extern "C-unwind" fn $symbol(
            fcinfo: pgrx::pg_sys::FunctionCallInfo,
        ) -> pgrx::pg_sys::Datum {
            // SAFETY: PostgreSQL calls this as a window function, by its SQL declaration.
            unsafe { $crate::pg::window::run(fcinfo, $body) }
        }
    };
}
pub(crate) use window_function;

/// # Safety
/// `fcinfo` is that of a window function's call under way.
pub unsafe fn run(
    fcinfo: pg_sys::FunctionCallInfo,
    body: impl FnOnce(&mut Window) -> Option<Value>,
) -> pg_sys::Datum {
    // SAFETY: by the caller's promise.
    unsafe {
        let result = body(&mut Window::new(fcinfo));
        (*fcinfo).isnull = result.is_none();
        result.map_or(pg_sys::Datum::null(), |value| value.0)
    }
}
