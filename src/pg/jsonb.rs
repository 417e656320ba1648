//! `jsonb` arguments, parsed only when somebody looks.

use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::{Datum, FromDatum};
use pgrx::pg_sys;
use segmentation_core::base::memory::Bytes;
use segmentation_core::{Error, ErrorKind, Result};

use super::OrRaise;
use super::allocator::with_reserve;
use super::json_tree::JsonNode;
use super::value::{Raw, Value};

/// The largest options that an aggregate's state keeps, in bytes of jsonb.
const MAX_OPTIONS: usize = 1_000_000;

/// A `jsonb` argument, neither detoasted nor parsed yet.
#[derive(Clone, Copy)]
pub struct JsonbArg<'fcx> {
    datum: pg_sys::Datum,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(JsonbArg<'_>, "jsonb");

unsafe impl<'fcx> ArgAbi<'fcx> for JsonbArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: any datum may be carried along; the caller checked for NULL.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        JsonbArg { datum: raw.map_or(pg_sys::Datum::null(), |raw| raw.0), lifetime: PhantomData }
    }
}

impl<'fcx> JsonbArg<'fcx> {
    /// # Safety
    /// The datum is a jsonb that lives in the memory of the call.
    pub(super) unsafe fn new(datum: pg_sys::Datum) -> Self {
        JsonbArg { datum, lifetime: PhantomData }
    }

    /// The same, to be returned.
    pub fn into_value(self) -> Value {
        Value(self.datum)
    }

    pub(super) fn datum(self) -> pg_sys::Datum {
        self.datum
    }

    /// Its value, read where it lies.
    pub fn node(self) -> JsonNode<'fcx> {
        JsonNode::root(self.content())
    }

    /// Its content, detoasted, without varlena header.
    pub fn content(self) -> &'fcx [u8] {
        // SAFETY: a jsonb is a varlena; detoasted, it lives in the memory of the call.
        with_reserve(|| unsafe { <&[u8]>::from_datum(self.datum, false) }).unwrap_or_default()
    }

    /// As JSON text, for a state that keeps the options of its aggregate.
    ///
    /// # Errors
    /// It is larger than options are, or malformed: see [`JsonbArg::value`].
    pub fn options_text(self) -> Result<String> {
        let size = self.content().len();
        if size > MAX_OPTIONS {
            return Err(Error::new(ErrorKind::LimitExceeded, "the options are too large")
                .detail(format!("They have {size} bytes; at most {MAX_OPTIONS} are accepted."))
                .hint("Every group of an aggregate keeps its options."));
        }
        Ok(self.value("options")?.to_string())
    }

    /// Its value; `what` names the argument in errors.
    ///
    /// # Errors
    /// Nested deeper than 100 levels, more than 2,000,000 values, or a number out of range.
    pub fn value(self, what: &str) -> Result<serde_json::Value> {
        self.node().to_tree(what)
    }
}

/// # Safety
/// `text` is a string that ends with a zero byte.
pub(super) unsafe fn jsonb_in(text: *const std::ffi::c_char) -> pg_sys::Datum {
    // SAFETY: jsonb_in takes one cstring and never returns NULL.
    with_reserve(|| unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(pg_sys::Datum::from(text))])
            .unwrap_or(pg_sys::Datum::null())
    })
}

/// A `jsonb` to be returned, written as JSON text.
pub struct JsonbText(pub String);

super::sql_type!(JsonbText, "jsonb");

unsafe impl BoxRet for JsonbText {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        // JSON text escapes zero bytes.
        let text = std::ffi::CString::new(self.0).unwrap_or_default();
        // SAFETY: a cstring in, a jsonb out, which is the function's result type.
        unsafe { fcinfo.return_raw_datum(jsonb_in(text.as_ptr())) }
    }
}

/// A `jsonb` to be returned.
pub struct JsonbOut(pub serde_json::Value);

super::sql_type!(JsonbOut, "jsonb");

unsafe impl BoxRet for JsonbOut {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        let mut text = Bytes::default();
        // The only thing that can go wrong is memory, and `finish` tells of it.
        let _ = serde_json::to_writer(&mut text, &self.0);
        drop(self.0);
        text.push(0);
        let text = text.finish().or_raise();
        // SAFETY: a cstring in, a jsonb out, which is the function's result type.
        unsafe { fcinfo.return_raw_datum(jsonb_in(text.as_ptr().cast())) }
    }
}
