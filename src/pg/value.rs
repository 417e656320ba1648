//! Datums that are carried along, or read by the reader that their SQL type calls for.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum};
use pgrx::{pg_sys, varlena};
use segmentation_core::{Error, ErrorKind, Result};

use super::allocator::with_reserve;

/// A datum of any type, not looked at.
#[derive(Clone, Copy)]
pub struct Raw(pub(super) pg_sys::Datum);

impl FromDatum for Raw {
    #[inline]
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        (!is_null).then_some(Raw(datum))
    }
}

/// Says in words that a value of `len` bytes would pass PostgreSQL's limit for any one value, before palloc does.
///
/// # Errors
/// [`ErrorKind::LimitExceeded`].
pub fn check_size(len: usize, what: &str) -> Result<()> {
    const MOST: usize = 0x3fff_ffff - pg_sys::VARHDRSZ;
    if len <= MOST {
        return Ok(());
    }
    Err(Error::new(ErrorKind::LimitExceeded, format!("{what} would exceed 1 GB"))
        .detail(format!("It would have {len} bytes; PostgreSQL's limit for any one value is {MOST}."))
        .hint("Aggregate fewer rows a group, take a sample, or merge the results of parts."))
}

/// The content of a varlena.
///
/// A value that is neither compressed nor stored elsewhere, which is nearly every one,
/// is read in place: a call into PostgreSQL would cost more than most scores.
///
/// # Safety
/// The datum is a non-null varlena that outlives the result.
#[inline]
pub(super) unsafe fn varlena_bytes<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    let pointer = datum.cast_mut_ptr::<pg_sys::varlena>();
    // SAFETY: by the caller's promise; the header says which form it has.
    unsafe {
        let plain = if varlena::varatt_is_4b_u(pointer)
            || (varlena::varatt_is_1b(pointer) && !varlena::varatt_is_1b_e(pointer))
        {
            pointer
        } else {
            with_reserve(|| pg_sys::pg_detoast_datum_packed(pointer))
        };
        varlena::varlena_to_byte_slice(plain)
    }
}

/// The bytes of an argument: a `purchase_history` or another type of this extension.
#[derive(Clone, Copy)]
pub struct BytesArg<'fcx>(pub &'fcx [u8]);

super::sql_type!(BytesArg<'_>, "bytes");

unsafe impl<'fcx> ArgAbi<'fcx> for BytesArg<'fcx> {
    #[inline]
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a varlena by the SQL declaration; the caller checked for NULL.
        unsafe { BytesArg(arg.unbox_arg_using_from_datum::<Raw>().map_or(&[], |raw| varlena_bytes(raw.0))) }
    }
}

impl std::ops::Deref for BytesArg<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.0
    }
}

/// A non-null value whose SQL type is known to the reader.
#[derive(Clone, Copy)]
pub struct Value(pub(super) pg_sys::Datum);

impl Value {
    /// Of a `date`: days from 2000-01-01; of an `integer`: its value.
    pub fn i32(self) -> i32 {
        self.0.value() as i32
    }

    /// Of a `double precision`.
    pub fn f64(self) -> f64 {
        f64::from_bits(self.0.value() as u64)
    }

    /// A `double precision`.
    pub fn of_f64(value: f64) -> Self {
        Value(pg_sys::Datum::from(value.to_bits()))
    }

    /// The bytes of a `numeric`, `purchase_history` or any other varlena.
    pub fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the SQL declaration makes it a varlena; the bytes live as long as
        // the memory context of the call, which outlives every use here.
        unsafe { varlena_bytes(self.0) }
    }

    /// A `text`.
    pub fn text<'a>(self) -> &'a str {
        // SAFETY: as for `bytes`.
        unsafe { <&str>::from_datum(self.0, false).unwrap_or_default() }
    }

    /// A `double precision[]` without nulls; nulls are read as NaN.
    pub fn f64_array(self) -> Vec<f64> {
        // SAFETY: the SQL declaration makes it a double precision[].
        let array = unsafe { Vec::<Option<f64>>::from_datum(self.0, false) };
        array.unwrap_or_default().into_iter().map(|v| v.unwrap_or(f64::NAN)).collect()
    }

    /// A `smallint`.
    pub fn i16(self) -> i16 {
        self.0.value() as i16
    }

    pub(super) fn datum(self) -> pg_sys::Datum {
        self.0
    }
}

super::sql_type!(Value, "any");

unsafe impl<'fcx> ArgAbi<'fcx> for Value {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: any datum may be carried along; the caller checked for NULL.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        Value(raw.map_or(pg_sys::Datum::null(), |raw| raw.0))
    }
}

unsafe impl BoxRet for Value {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // SAFETY: it was made as a value of the function's result type.
        unsafe { fcinfo.return_raw_datum(self.0) }
    }
}

/// A varlena argument, neither detoasted nor looked at yet.
#[derive(Clone, Copy)]
pub struct StoredArg<'fcx> {
    datum: pg_sys::Datum,
    lifetime: std::marker::PhantomData<&'fcx ()>,
}

super::sql_type!(StoredArg<'_>, "bytes");

unsafe impl<'fcx> ArgAbi<'fcx> for StoredArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: any datum may be carried along; the caller checked for NULL.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        let datum = raw.map_or(pg_sys::Datum::null(), |raw| raw.0);
        StoredArg { datum, lifetime: std::marker::PhantomData }
    }
}

impl<'fcx> StoredArg<'fcx> {
    pub(super) fn datum(self) -> pg_sys::Datum {
        self.datum
    }

    /// Its content, detoasted.
    pub fn content(self) -> &'fcx [u8] {
        // SAFETY: a varlena by the SQL declaration.
        unsafe { varlena_bytes(self.datum) }
    }
}
