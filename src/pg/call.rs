//! One call of a function: what is remembered between the calls of one place in
//! a query, and whether an aggregate is calling.

use std::any::{Any, TypeId};
use std::marker::PhantomData;
use std::panic::Location;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;

use super::memo::{self, Key, Memo};
use super::row::{ResultType, RowShape};

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

/// Something that a call site keeps until its query ends.
trait Entry: Any {
    /// The query ended.
    fn retire(self: Box<Self>);
}

/// What is kept as it is.
struct Plain<T>(T);

impl<T: 'static> Entry for Plain<T> {
    fn retire(self: Box<Self>) {}
}

/// What was made of arguments.
struct Slot<T> {
    /// The arguments are constants: they are not even compared.
    fixed: bool,
    made_at: &'static Location<'static>,
    memo: Memo<T>,
}

impl<T: 'static> Entry for Slot<T> {
    fn retire(self: Box<Self>) {
        memo::give(self.made_at, self.memo);
    }
}

/// Everything that a call site keeps, one of a type.
#[derive(Default)]
struct Remembered(Vec<Box<dyn Entry>>);

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

    /// What this call site remembers, one of a type: made at its first call, dropped when the query ends.
    pub fn remember<T: 'static>(&mut self, make: impl FnOnce(&CallSite) -> T) -> &mut T {
        &mut self.entry(|call| Plain(make(call))).0
    }

    /// The shape of the rows that the function returns, or of those of its array.
    pub fn shape(&mut self) -> RowShape<'fcx> {
        self.remember(ResultType::of).shape()
    }

    /// What `make` makes of the keys: made again only when they differ from those of the last call. Everything
    /// that it looks at must be among them.
    ///
    /// # Errors
    /// What `make` says.
    #[track_caller]
    pub fn memo<T: 'static, E>(
        &mut self,
        keys: &[Key],
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<&mut T, E> {
        let made_at = Location::caller();
        let slot = self.entry(|call| {
            memo::open();
            Slot { fixed: keys.iter().all(|key| call.is_constant(*key)), made_at, memo: Memo::default() }
        });
        let held = if slot.fixed { !slot.memo.is_empty() } else { slot.memo.is(keys) };
        if !held {
            let memo = match memo::take(made_at, keys) {
                Some(memo) => memo,
                None => Memo::made(keys, make)?,
            };
            // Two values in turn are both kept.
            memo::give(made_at, std::mem::replace(&mut slot.memo, memo));
        }
        Ok(slot.memo.held())
    }

    /// Whether a key is an argument that is written as a constant, so that it is the same in every call.
    ///
    /// A parameter is none, although PostgreSQL calls it stable: a variable of PL/pgSQL is a parameter, and its
    /// expressions live as long as the transaction.
    fn is_constant(&self, key: Key) -> bool {
        // SAFETY: fcinfo belongs to the call under way; it has as many arguments as it says, and the expression
        // of the call, if there is one, is a node.
        unsafe {
            let expression = (*(*self.fcinfo).flinfo).fn_expr;
            if expression.is_null() {
                return false;
            }
            let written = match (*expression).type_ {
                pg_sys::NodeTag::T_FuncExpr => (*expression.cast::<pg_sys::FuncExpr>()).args,
                pg_sys::NodeTag::T_OpExpr => (*expression.cast::<pg_sys::OpExpr>()).args,
                _ => return false,
            };
            let count = (*self.fcinfo).nargs as usize;
            if written.is_null() || (*written).length as usize != count {
                return false;
            }
            let given = std::slice::from_raw_parts((*self.fcinfo).args.as_ptr(), count);
            let mut places = (0..count)
                .filter(|at| key.is_argument((!given[*at].isnull).then_some(given[*at].value)))
                .peekable();
            places.peek().is_some()
                && places.all(|at| {
                    let node = (*(*written).elements.add(at)).ptr_value.cast::<pg_sys::Node>();
                    !node.is_null() && (*node).type_ == pg_sys::NodeTag::T_Const
                })
        }
    }

    /// The one entry of its type, made if there is none.
    fn entry<N: Entry>(&mut self, make: impl FnOnce(&CallSite) -> N) -> &mut N {
        // SAFETY: flinfo outlives the call; fn_extra is ours: it is null or holds the box that we put there, since
        // no function of this extension that takes its call site uses it otherwise.
        let entries = unsafe {
            let flinfo = (*self.fcinfo).flinfo;
            if (*flinfo).fn_extra.is_null() {
                let callback = pg_sys::MemoryContextAllocZero(
                    (*flinfo).fn_mcxt,
                    size_of::<pg_sys::MemoryContextCallback>(),
                ) as *mut pg_sys::MemoryContextCallback;
                let raw = Box::into_raw(Box::<Remembered>::default());
                (*callback).func = Some(drop_remembered);
                (*callback).arg = raw.cast();
                pg_sys::MemoryContextRegisterResetCallback((*flinfo).fn_mcxt, callback);
                (*flinfo).fn_extra = raw.cast();
            }
            &mut (*(*flinfo).fn_extra.cast::<Remembered>()).0
        };
        let at = match entries.iter().position(|entry| (**entry).type_id() == TypeId::of::<N>()) {
            Some(at) => at,
            None => {
                entries.push(Box::new(make(self)));
                entries.len() - 1
            }
        };
        let entry: &mut dyn Any = entries[at].as_mut();
        match entry.downcast_mut() {
            Some(entry) => entry,
            None => pgrx::error!("a call site remembers a value of another type"),
        }
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn drop_remembered(arg: *mut std::ffi::c_void) {
    // SAFETY: arg is the box made in `entry`, and PostgreSQL calls this once.
    let remembered = unsafe { Box::from_raw(arg.cast::<Remembered>()) };
    remembered.0.into_iter().for_each(Entry::retire);
}
