//! The state of an aggregate as one flat value, changed in place.
//!
//! The memory is PostgreSQL's own and counted by it, the state can be stored, and
//! parallel workers exchange it without serialisation functions. It never changes
//! its size in place: nodeAgg frees the old pointer itself when it is given a new one.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pg_sys;
use pgrx::varlena;

use super::allocator::with_reserve;
use super::{CallSite, OrRaise};

/// A state as it arrives: not yet known to be ours to change.
pub struct StateArg<'fcx> {
    datum: pg_sys::Datum,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(StateArg<'_>, "state");

unsafe impl<'fcx> ArgAbi<'fcx> for StateArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller checked for NULL; any by-reference datum may be carried along.
        let pointer = unsafe { arg.unbox_arg_using_from_datum::<super::value::Raw>() };
        StateArg { datum: pointer.map_or(pg_sys::Datum::null(), |raw| raw.0), lifetime: PhantomData }
    }
}

/// A state that may be changed in place.
pub struct State<'fcx> {
    varlena: *mut pg_sys::varlena,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(State<'_>, "state");

unsafe impl BoxRet for State<'_> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.varlena)) }
    }
}

impl<'fcx> StateArg<'fcx> {
    /// The state itself within an aggregate, a copy of it anywhere else.
    #[inline]
    pub fn writable(self, call: &CallSite) -> State<'fcx> {
        super::allocator::check();
        // SAFETY: the datum is a varlena. Within an aggregate the transition value
        // belongs to us; detoasting gives a fresh copy whenever it is not plain.
        let varlena = unsafe {
            let pointer = self.datum.cast_mut_ptr();
            match call.in_aggregate() {
                true if varlena::varatt_is_4b_u(pointer) => pointer,
                true => pg_sys::pg_detoast_datum(pointer),
                false => pg_sys::pg_detoast_datum_copy(pointer),
            }
        };
        State { varlena, lifetime: PhantomData }
    }
}

impl State<'_> {
    /// A new state of `len` zero bytes.
    pub fn new(len: usize) -> Self {
        super::value::check_size(len, "an aggregate's state").or_raise();
        let size = len + pg_sys::VARHDRSZ;
        // SAFETY: palloc0 returns `size` bytes, which is what the header then says.
        let varlena = unsafe {
            let varlena = with_reserve(|| pg_sys::palloc0(size)).cast::<pg_sys::varlena>();
            varlena::set_varsize_4b(varlena, size as i32);
            varlena
        };
        State { varlena, lifetime: PhantomData }
    }

    /// Its bytes.
    #[inline]
    pub fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: `varlena` is a plain 4-byte-header value that nobody else refers to.
        unsafe {
            let len = varlena::varsize_4b(self.varlena) - pg_sys::VARHDRSZ;
            std::slice::from_raw_parts_mut(varlena::vardata_4b(self.varlena) as *mut u8, len)
        }
    }
}
