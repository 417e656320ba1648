//! Binary input: what a client sends to a receive function.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;

use super::value::Raw;

/// The message of a receive function.
pub struct Message(*mut pg_sys::StringInfoData);

super::sql_type!(Message, "internal");

unsafe impl<'fcx> ArgAbi<'fcx> for Message {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: a receive function is given a StringInfo, and is strict.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        Message(raw.map_or(std::ptr::null_mut(), |raw| raw.0.cast_mut_ptr()))
    }
}

impl Message {
    /// All that has not been read yet.
    pub fn rest(&mut self) -> &[u8] {
        // SAFETY: PostgreSQL keeps 0 <= cursor <= len within data.
        unsafe {
            let message = &mut *self.0;
            let start = message.cursor as usize;
            let bytes = std::slice::from_raw_parts(message.data.cast::<u8>(), message.len as usize);
            message.cursor = message.len;
            &bytes[start..]
        }
    }
}
