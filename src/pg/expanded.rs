//! The state of an aggregate as a Rust value behind PostgreSQL's expanded object.
//!
//! For the states of a whole population: they grow without being copied, and are
//! flattened to bytes only when they leave the process, are stored or are merged.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum};
use pgrx::pg_sys;
use pgrx::varlena;
use segmentation_core::{Error, ErrorKind, Result};

use super::error::{OrRaise, raise};
use super::{CallSite, value::Raw};

/// A Rust value with a flat form.
pub trait Flat: Sized + 'static {
    /// Its SQL type, for messages.
    const SQL_NAME: &'static str;
    /// The flat form: the same for the same content.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Reads the flat form; bytes may come from anywhere.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

#[repr(C)]
struct Object<T> {
    header: pg_sys::ExpandedObjectHeader,
    value: *mut T,
    flat: *mut Vec<u8>,
}

/// A state as it arrives, flat or expanded.
pub struct ExpandedArg<'fcx, T> {
    datum: pg_sys::Datum,
    lifetime: PhantomData<(&'fcx (), T)>,
}

super::sql_type!(impl[T: Flat] ExpandedArg<'_, T>, T::SQL_NAME);

unsafe impl<'fcx, T: Flat> ArgAbi<'fcx> for ExpandedArg<'fcx, T> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the caller checked for NULL.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        ExpandedArg { datum: raw.map_or(pg_sys::Datum::null(), |raw| raw.0), lifetime: PhantomData }
    }
}

/// Whether the datum is a read-write pointer to an expanded object.
unsafe fn is_read_write(datum: pg_sys::Datum) -> bool {
    const VARTAG_EXPANDED_RW: u8 = 3;
    let pointer = datum.cast_mut_ptr::<pg_sys::varlena>();
    unsafe { varlena::varatt_is_1b_e(pointer) && varlena::vartag_1b_e(pointer) == VARTAG_EXPANDED_RW }
}

impl<'fcx, T: Flat> ExpandedArg<'fcx, T> {
    /// The state to be changed: itself if it is ours, else made anew from its flat form.
    pub fn writable(self, call: &CallSite) -> Expanded<'fcx, T> {
        // SAFETY: a read-write expanded object of this SQL type was made by `Expanded::new`,
        // the only maker of them.
        unsafe {
            if call.aggregate_context().is_some() && is_read_write(self.datum) {
                let object = pg_sys::DatumGetEOHP(self.datum).cast::<Object<T>>();
                return Expanded { object, lifetime: PhantomData };
            }
        }
        Expanded::new(self.read(), call)
    }

    /// A copy of the value.
    pub fn read(&self) -> T {
        self.with_bytes(|bytes| T::from_bytes(bytes)).or_raise()
    }

    /// Looks at the value without copying it if it is expanded here.
    pub fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: as for `writable`.
        unsafe {
            if is_read_write(self.datum) {
                let object = pg_sys::DatumGetEOHP(self.datum).cast::<Object<T>>();
                return look(&*(*object).value);
            }
        }
        look(&self.read())
    }

    /// The flat bytes.
    pub fn with_bytes<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        // SAFETY: a varlena; detoasting flattens an expanded object.
        look(unsafe { <&[u8]>::from_datum(self.datum, false) }.unwrap_or_default())
    }
}

/// A state that may be changed.
pub struct Expanded<'fcx, T> {
    object: *mut Object<T>,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(impl[T: Flat] Expanded<'_, T>, T::SQL_NAME);

unsafe impl<T: Flat> BoxRet for Expanded<'_, T> {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: the header holds its own read-write pointer.
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from((*self.object).header.eoh_rw_ptr.as_mut_ptr())) }
    }
}

impl<T: Flat> Expanded<'_, T> {
    /// A new state, in the aggregate's memory if an aggregate is calling.
    pub fn new(value: T, call: &CallSite) -> Self {
        // SAFETY: the object lives in a memory context of its own, whose end frees the
        // Rust values; EOH_init_header fills the header.
        unsafe {
            let parent = call.aggregate_context().unwrap_or(pg_sys::CurrentMemoryContext);
            let context = pg_sys::AllocSetContextCreateExtended(
                parent,
                c"segmentation expanded state".as_ptr(),
                pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
                pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
                pg_sys::ALLOCSET_SMALL_MAXSIZE as usize,
            );
            let object = pg_sys::MemoryContextAllocZero(context, size_of::<Object<T>>()).cast::<Object<T>>();
            let callback =
                pg_sys::MemoryContextAllocZero(context, size_of::<pg_sys::MemoryContextCallback>())
                    .cast::<pg_sys::MemoryContextCallback>();
            pg_sys::EOH_init_header(&mut (*object).header, Methods::<T>::TABLE, context);
            (*object).value = Box::into_raw(Box::new(value));
            (*object).flat = Box::into_raw(Box::default());
            (*callback).func = Some(free::<T>);
            (*callback).arg = object.cast();
            pg_sys::MemoryContextRegisterResetCallback(context, callback);
            Expanded { object, lifetime: PhantomData }
        }
    }

    /// The value, to be changed.
    pub fn value(&mut self) -> &mut T {
        // SAFETY: made in `new`, freed with its memory context.
        unsafe { &mut *(*self.object).value }
    }
}

/// The state of an aggregate: the one that arrives, or a first one.
pub fn resume<'fcx, T: Flat>(
    state: Option<ExpandedArg<'fcx, T>>,
    call: &CallSite,
    first: impl FnOnce() -> T,
) -> Expanded<'fcx, T> {
    match state {
        Some(state) => state.writable(call),
        None => Expanded::new(first(), call),
    }
}

/// A combine function: `absorb` takes the second state into the first.
pub fn merge<'fcx, T: Flat>(
    state: Option<ExpandedArg<'fcx, T>>,
    other: Option<ExpandedArg<'fcx, T>>,
    call: &CallSite,
    absorb: impl FnOnce(&mut T, &T) -> Result<()>,
) -> Option<Expanded<'fcx, T>> {
    match (state, other) {
        (state, None) => state.map(|state| state.writable(call)),
        // The other side may live in a shorter memory: it is copied.
        (None, Some(other)) => Some(Expanded::new(other.read(), call)),
        (Some(state), Some(other)) => {
            let mut state = state.writable(call);
            other.with(|other| absorb(state.value(), other)).or_raise();
            Some(state)
        }
    }
}

unsafe extern "C-unwind" fn free<T>(arg: *mut std::ffi::c_void) {
    let object = arg.cast::<Object<T>>();
    // SAFETY: both were made by Box::into_raw in `new`; PostgreSQL calls this once.
    unsafe {
        drop(Box::from_raw((*object).value));
        drop(Box::from_raw((*object).flat));
    }
}

struct Methods<T>(PhantomData<T>);

impl<T: Flat> Methods<T> {
    const TABLE: &'static pg_sys::ExpandedObjectMethods = &pg_sys::ExpandedObjectMethods {
        get_flat_size: Some(flat_size::<T>),
        flatten_into: Some(flatten_into::<T>),
    };
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn flat_size<T: Flat>(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    let object = header.cast::<Object<T>>();
    // SAFETY: the header is the first field of an Object<T>, by `Methods`.
    unsafe {
        // Kept for `flatten_into`, which follows: the bytes are made once.
        *(*object).flat = (*(*object).value).to_bytes().or_raise();
        let size = (*(*object).flat).len() + pg_sys::VARHDRSZ;
        if size > 0x3fff_ffff {
            raise(
                Error::new(
                    ErrorKind::LimitExceeded,
                    format!("a value of type {} would exceed 1 GB", T::SQL_NAME),
                )
                .hint("Use a sample of the customers, or group them."),
            );
        }
        size
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn flatten_into<T: Flat>(
    header: *mut pg_sys::ExpandedObjectHeader,
    result: *mut std::ffi::c_void,
    allocated: pg_sys::Size,
) {
    let object = header.cast::<Object<T>>();
    // SAFETY: PostgreSQL allocated what `flat_size` asked for.
    unsafe {
        let flat = std::mem::take(&mut *(*object).flat);
        debug_assert_eq!(flat.len() + pg_sys::VARHDRSZ, allocated);
        let len = flat.len().min(allocated - pg_sys::VARHDRSZ);
        varlena::set_varsize_4b(result.cast(), (len + pg_sys::VARHDRSZ) as i32);
        std::ptr::copy_nonoverlapping(flat.as_ptr(), result.cast::<u8>().add(pg_sys::VARHDRSZ), len);
    }
}
