//! Values of SQL enum types.

use std::ffi::CString;

use pgrx::pg_sys;

use super::CallSite;
use super::value::Value;

/// The values of the enum type that a function returns, by label.
pub struct EnumValues(Vec<(&'static str, pg_sys::Datum)>);

impl EnumValues {
    /// Looks up `labels` in the enum type that the calling function returns.
    pub fn of_result(call: &CallSite, labels: &[&'static str]) -> Self {
        // SAFETY: flinfo belongs to the call; the type's own input function reads the labels.
        let values = unsafe {
            let fn_oid = (*(*call.fcinfo()).flinfo).fn_oid;
            let type_oid = pg_sys::get_func_rettype(fn_oid);
            let (mut input, mut io_param) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            pg_sys::getTypeInputInfo(type_oid, &mut input, &mut io_param);
            labels
                .iter()
                .map(|label| {
                    let text = CString::new(*label).unwrap_or_default();
                    let datum = pg_sys::OidInputFunctionCall(input, text.as_ptr().cast_mut(), io_param, -1);
                    (*label, datum)
                })
                .collect()
        };
        EnumValues(values)
    }

    /// The value with this label.
    pub fn get(&self, label: &str) -> Value {
        match self.0.iter().find(|(known, _)| *known == label) {
            Some((_, datum)) => Value(*datum),
            None => pgrx::error!("enum label \"{label}\" was not looked up"),
        }
    }
}
