//! The state of an aggregate as a Rust value behind PostgreSQL's expanded object.
//!
//! For the states of a whole population: they grow without being copied, and are
//! flattened to bytes only when they leave the process, are stored or are merged.

use std::any::Any;
use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum};
use pgrx::pg_sys;
use pgrx::varlena;
use segmentation_core::Result;

use super::error::OrRaise;
use super::value::{Raw, check_size};
use super::{CallSite, allocator};

/// A Rust value with a flat form.
pub trait Flat: Sized + 'static {
    /// Its SQL type, for messages.
    const SQL_NAME: &'static str;
    /// The flat form: the same for the same content.
    fn to_bytes(&self) -> Result<Vec<u8>>;
    /// Reads the flat form; bytes may come from anywhere.
    fn from_bytes(bytes: &[u8]) -> Result<Self>;
}

/// A value of any of our types, behind an expanded object.
trait AnyFlat: Any {
    fn to_bytes(&self) -> Result<Vec<u8>>;
    fn sql_name(&self) -> &'static str;
    fn as_any(&mut self) -> &mut dyn Any;
}

impl<T: Flat> AnyFlat for T {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        Flat::to_bytes(self)
    }

    fn sql_name(&self) -> &'static str {
        T::SQL_NAME
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// An expanded object of this extension, whatever its Rust type.
#[repr(C)]
struct Object {
    header: pg_sys::ExpandedObjectHeader,
    /// Made by Box::into_raw.
    value: *mut Content,
}

struct Content {
    value: Box<dyn AnyFlat>,
    /// The flat form between being measured and being written.
    flat: Vec<u8>,
}

/// The one method table of all our objects: its address is what tells them from others'.
static METHODS: pg_sys::ExpandedObjectMethods =
    pg_sys::ExpandedObjectMethods { get_flat_size: Some(flat_size), flatten_into: Some(flatten_into) };

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

/// Our object behind a datum: `None` if it is flat, or another extension's.
///
/// # Safety
/// The datum is a varlena.
unsafe fn object(datum: pg_sys::Datum, writable: bool) -> Option<*mut Object> {
    const VARTAG_EXPANDED_RO: u8 = 2;
    const VARTAG_EXPANDED_RW: u8 = 3;
    let pointer = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: the tag says that the datum points to an expanded object, whose header begins it.
    unsafe {
        if !varlena::varatt_is_1b_e(pointer) {
            return None;
        }
        let tag = varlena::vartag_1b_e(pointer);
        if tag != VARTAG_EXPANDED_RW && (writable || tag != VARTAG_EXPANDED_RO) {
            return None;
        }
        let header = pg_sys::DatumGetEOHP(datum);
        std::ptr::eq((*header).eoh_methods, &METHODS).then(|| header.cast::<Object>())
    }
}

impl<'fcx, T: Flat> ExpandedArg<'fcx, T> {
    /// The state to be changed: itself if it is ours, else made anew from its flat form.
    ///
    /// Support functions can be called by anybody with anything of their SQL type, so
    /// the Rust type behind an object is checked, never assumed.
    pub fn writable(self, call: &CallSite) -> Expanded<'fcx, T> {
        allocator::check();
        if call.in_aggregate() {
            // SAFETY: the datum is a varlena by its SQL type; ours hold a live Content.
            unsafe {
                if let Some(object) = object(self.datum, true)
                    && (*(*object).value).value.as_any().is::<T>()
                {
                    return Expanded { object, of: PhantomData };
                }
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
        // SAFETY: as for `writable`; nobody else refers to the content during the call.
        unsafe {
            if let Some(object) = object(self.datum, false)
                && let Some(value) = (*(*object).value).value.as_any().downcast_ref::<T>()
            {
                return look(value);
            }
        }
        look(&self.read())
    }

    /// The flat bytes.
    pub fn with_bytes<R>(&self, look: impl FnOnce(&[u8]) -> R) -> R {
        // SAFETY: a varlena; detoasting flattens an expanded object.
        look(
            allocator::with_reserve(|| unsafe { <&[u8]>::from_datum(self.datum, false) }).unwrap_or_default(),
        )
    }
}

/// A state that may be changed.
pub struct Expanded<'fcx, T> {
    object: *mut Object,
    of: PhantomData<(&'fcx (), T)>,
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
            let object = pg_sys::MemoryContextAllocZero(context, size_of::<Object>()).cast::<Object>();
            let callback =
                pg_sys::MemoryContextAllocZero(context, size_of::<pg_sys::MemoryContextCallback>())
                    .cast::<pg_sys::MemoryContextCallback>();
            pg_sys::EOH_init_header(&mut (*object).header, &METHODS, context);
            (*object).value = Box::into_raw(Box::new(Content { value: Box::new(value), flat: Vec::new() }));
            (*callback).func = Some(free);
            (*callback).arg = (*object).value.cast();
            pg_sys::MemoryContextRegisterResetCallback(context, callback);
            Expanded { object, of: PhantomData }
        }
    }

    /// The value, to be changed.
    pub fn value(&mut self) -> &mut T {
        // SAFETY: made in `new` or checked in `writable`, freed with its memory context.
        allocator::lend(unsafe { (*self.object).value.cast() });
        match unsafe { (*(*self.object).value).value.as_any().downcast_mut() } {
            Some(value) => value,
            None => pgrx::error!("an aggregate's state is of another type"),
        }
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

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn free(content: *mut std::ffi::c_void) {
    if allocator::end_lending(content) {
        return;
    }
    // SAFETY: made by Box::into_raw in `new`; PostgreSQL calls this once.
    drop(unsafe { Box::from_raw(content.cast::<Content>()) });
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn flat_size(header: *mut pg_sys::ExpandedObjectHeader) -> pg_sys::Size {
    // SAFETY: METHODS belongs to our objects only.
    let content = unsafe { &mut *(*header.cast::<Object>()).value };
    // Kept for `flatten_into`, which follows: the bytes are made once.
    content.flat = Vec::new();
    let flat = content.value.to_bytes().or_raise();
    check_size(flat.len(), &format!("a value of type {}", content.value.sql_name())).or_raise();
    content.flat = flat;
    content.flat.len() + pg_sys::VARHDRSZ
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn flatten_into(
    header: *mut pg_sys::ExpandedObjectHeader,
    result: *mut std::ffi::c_void,
    allocated: pg_sys::Size,
) {
    // SAFETY: as for `flat_size`; PostgreSQL allocated what that asked for.
    unsafe {
        let flat = std::mem::take(&mut (*(*header.cast::<Object>()).value).flat);
        let len = flat.len().min(allocated - pg_sys::VARHDRSZ);
        varlena::set_varsize_4b(result.cast(), (len + pg_sys::VARHDRSZ) as i32);
        std::ptr::copy_nonoverlapping(flat.as_ptr(), result.cast::<u8>().add(pg_sys::VARHDRSZ), len);
    }
}
