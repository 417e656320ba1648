//! One call of a function: what is remembered between the calls of one place in
//! a query, and whether an aggregate is calling.

use std::any::Any;
use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;

/// The place in a query from which a function is called. A function takes it as
/// an argument that SQL does not see.
pub struct CallSite<'fcx> {
    fcinfo: pg_sys::FunctionCallInfo,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(CallSite<'_>, "internal");

unsafe impl<'fcx> ArgAbi<'fcx> for CallSite<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        CallSite {
            fcinfo: unsafe { <pg_sys::FunctionCallInfo as ArgAbi>::unbox_arg_unchecked(arg) },
            lifetime: PhantomData,
        }
    }

    fn is_virtual_arg() -> bool {
        true
    }
}

/// A value of a call site with the bytes it was made from.
struct Memo<T> {
    keys: Vec<Vec<u8>>,
    value: T,
}

/// What a call site keeps of its arguments.
struct Slot<T> {
    /// The arguments are the same in every call of the query: they are not even compared.
    fixed: bool,
    memo: Option<Memo<T>>,
}

impl<'fcx> CallSite<'fcx> {
    /// # Safety
    /// `fcinfo` is that of a call under way.
    pub(super) unsafe fn new(fcinfo: pg_sys::FunctionCallInfo) -> Self {
        CallSite { fcinfo, lifetime: PhantomData }
    }

    pub(super) fn fcinfo(&self) -> pg_sys::FunctionCallInfo {
        self.fcinfo
    }

    /// The memory context that lives as long as the groups of the aggregate that
    /// is calling; `None` if none is.
    pub fn aggregate_context(&self) -> Option<pg_sys::MemoryContext> {
        let mut context = std::ptr::null_mut();
        // SAFETY: fcinfo belongs to the call under way.
        let kind = unsafe { pg_sys::AggCheckCallContext(self.fcinfo, &mut context) };
        (kind != 0).then_some(context)
    }

    /// Whether an aggregate or a window function over one is calling, so that its state may be changed in place.
    ///
    /// What `AggCheckCallContext` asks, without the cost of a call into PostgreSQL.
    #[inline]
    pub fn in_aggregate(&self) -> bool {
        // SAFETY: fcinfo belongs to the call under way; a context, if there is one, is a node.
        unsafe {
            let context = (*self.fcinfo).context;
            !context.is_null()
                && matches!((*context).type_, pg_sys::NodeTag::T_AggState | pg_sys::NodeTag::T_WindowAggState)
        }
    }

    /// What this call site remembers: made at its first call, dropped when the query ends.
    pub fn remember<T: 'static>(&mut self, make: impl FnOnce(&CallSite) -> T) -> &mut T {
        // SAFETY: flinfo outlives the call; fn_extra is ours: it is null or holds the
        // box that we put there, since no function of this extension uses it otherwise.
        unsafe {
            let flinfo = (*self.fcinfo).flinfo;
            if (*flinfo).fn_extra.is_null() {
                let boxed: Box<Box<dyn Any>> = Box::new(Box::new(make(self)));
                let callback = pg_sys::MemoryContextAllocZero(
                    (*flinfo).fn_mcxt,
                    size_of::<pg_sys::MemoryContextCallback>(),
                ) as *mut pg_sys::MemoryContextCallback;
                let raw = Box::into_raw(boxed);
                (*callback).func = Some(drop_remembered);
                (*callback).arg = raw.cast();
                pg_sys::MemoryContextRegisterResetCallback((*flinfo).fn_mcxt, callback);
                (*flinfo).fn_extra = raw.cast();
            }
            let remembered = &mut *(*flinfo).fn_extra.cast::<Box<dyn Any>>();
            match remembered.downcast_mut() {
                Some(value) => value,
                None => pgrx::error!("a call site remembers a value of another type"),
            }
        }
    }

    /// Whether an argument, counted from 0, is a constant or a parameter of the query: the same in every call.
    fn is_fixed(&self, argument: usize) -> bool {
        // SAFETY: fcinfo belongs to the call under way; the function only reads the expression of the call.
        unsafe { pg_sys::get_fn_expr_arg_stable((*self.fcinfo).flinfo, argument as i32) }
    }

    /// As [`Self::memo`], of the arguments at the given places. If they are constants, they are not even compared:
    /// a long model would be, for every row.
    pub fn memo_of<T: 'static, E>(
        &mut self,
        arguments: &[(usize, &[u8])],
        parse: impl FnOnce() -> Result<T, E>,
    ) -> Result<&mut T, E> {
        // Asked once: it is a call into PostgreSQL.
        let slot = self.remember(|call| {
            let fixed = arguments.iter().all(|(argument, _)| call.is_fixed(*argument));
            Slot { fixed, memo: None }
        });
        slot.fill(arguments.iter().map(|(_, key)| *key), parse)
    }

    /// What `parse` makes of some arguments, whose bytes are `keys`; parsed again only
    /// when these differ from those of the last call.
    pub fn memo<T: 'static, E>(
        &mut self,
        keys: &[&[u8]],
        parse: impl FnOnce() -> Result<T, E>,
    ) -> Result<&mut T, E> {
        self.remember(|_| Slot { fixed: false, memo: None }).fill(keys.iter().copied(), parse)
    }
}

impl<T> Slot<T> {
    /// The value of these keys.
    fn fill<'k, E>(
        &mut self,
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        parse: impl FnOnce() -> Result<T, E>,
    ) -> Result<&mut T, E> {
        let held = self.memo.as_ref().is_some_and(|memo| self.fixed || memo.keys.iter().eq(keys.clone()));
        if !held {
            let value = parse()?;
            let keys = if self.fixed { Vec::new() } else { keys.map(<[u8]>::to_vec).collect() };
            self.memo = Some(Memo { keys, value });
        }
        match &mut self.memo {
            Some(memo) => Ok(&mut memo.value),
            None => unreachable!("filled just above"),
        }
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn drop_remembered(arg: *mut std::ffi::c_void) {
    // SAFETY: arg is the box made in `remember`, and PostgreSQL calls this once.
    drop(unsafe { Box::from_raw(arg.cast::<Box<dyn Any>>()) });
}
