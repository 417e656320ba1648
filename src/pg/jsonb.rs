//! `jsonb` arguments, parsed only when they change.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::FromDatum;
use pgrx::pg_sys;

use super::value::Raw;

/// A `jsonb` argument, not parsed yet.
#[derive(Clone, Copy)]
pub struct JsonbArg<'fcx> {
    datum: pg_sys::Datum,
    bytes: &'fcx [u8],
}

super::sql_type!(JsonbArg<'_>, "jsonb");

unsafe impl<'fcx> ArgAbi<'fcx> for JsonbArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a jsonb is a varlena, and the caller checked for NULL. Detoasting
        // first makes `text` cheap and `bytes` comparable.
        unsafe {
            let datum = arg.unbox_arg_using_from_datum::<Raw>().map_or(pg_sys::Datum::null(), |raw| raw.0);
            let plain = pg_sys::Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr()));
            JsonbArg { datum: plain, bytes: <&[u8]>::from_datum(plain, false).unwrap_or_default() }
        }
    }
}

impl<'fcx> JsonbArg<'fcx> {
    /// Its binary form: equal bytes are equal values.
    pub fn bytes(self) -> &'fcx [u8] {
        self.bytes
    }

    /// Its text.
    pub fn text(self) -> String {
        // SAFETY: jsonb_out takes one jsonb and returns a cstring.
        let text = unsafe {
            pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(self.datum)])
                .and_then(|datum| <&std::ffi::CStr>::from_datum(datum, false))
        };
        text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
    }
}
