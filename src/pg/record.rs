//! `record` arguments: the row of a table as an object, in which texts compare as in SQL.

use std::ffi::CStr;
use std::marker::PhantomData;

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::{PgTupleDesc, pg_sys};

use super::CallSite;
use super::allocator::with_reserve;
use super::jsonb::{JsonbArg, jsonb_in};
use super::value::{Raw, Value};

/// A `record` argument.
#[derive(Clone, Copy)]
pub struct RecordArg<'fcx> {
    datum: pg_sys::Datum,
    lifetime: PhantomData<&'fcx ()>,
}

super::sql_type!(RecordArg<'_>, "record");

unsafe impl<'fcx> ArgAbi<'fcx> for RecordArg<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: any datum may be carried along; the caller checked for NULL.
        let raw = unsafe { arg.unbox_arg_using_from_datum::<Raw>() };
        RecordArg { datum: raw.map_or(pg_sys::Datum::null(), |raw| raw.0), lifetime: PhantomData }
    }
}

/// The columns of a row type whose values compare otherwise than their text does.
#[derive(Default)]
pub struct RowType {
    /// The type and its modifier, by which the types of rows without a name are told apart.
    identity: Option<(pg_sys::Oid, i32)>,
    /// character(n): trailing blanks do not count.
    padded: Vec<usize>,
    /// citext: case does not count.
    folded: Vec<(usize, String)>,
}

impl RowType {
    /// The names of the columns whose texts come in lower case.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        self.folded.iter().map(|(_, name)| name.as_str())
    }

    fn of(identity: (pg_sys::Oid, i32), descriptor: &PgTupleDesc, fold: bool) -> Self {
        let mut row = RowType { identity: Some(identity), ..RowType::default() };
        for (at, attribute) in descriptor.iter().enumerate() {
            if attribute.attisdropped {
                continue;
            }
            // SAFETY: the type of a column is there, and so is its name.
            unsafe {
                let base = pg_sys::getBaseType(attribute.atttypid);
                if base == pg_sys::BPCHAROID {
                    row.padded.push(at);
                } else if fold && is_citext(base) {
                    let name = CStr::from_ptr(attribute.attname.data.as_ptr());
                    row.folded.push((at, name.to_string_lossy().into_owned()));
                }
            }
        }
        row
    }

    /// Whether its rows are objects as they are.
    fn is_plain(&self) -> bool {
        self.padded.is_empty() && self.folded.is_empty()
    }
}

/// Whether a type is that of the extension citext, by its name and by its being a text in memory.
///
/// # Safety
/// There is a type of this number.
unsafe fn is_citext(type_oid: pg_sys::Oid) -> bool {
    // Types of PostgreSQL's own have low numbers.
    if type_oid.to_u32() < pg_sys::FirstNormalObjectId {
        return false;
    }
    // SAFETY: format_type_be names any type; a text that ends with a zero byte.
    unsafe {
        let name = CStr::from_ptr(pg_sys::format_type_be(type_oid)).to_bytes();
        let plain = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
        plain == b"citext" && pg_sys::IsBinaryCoercible(type_oid, pg_sys::TEXTOID)
    }
}

/// A text in lower case, as `lower` writes it in the database's collation, by which citext compares.
pub fn lower(text: &str) -> String {
    use pgrx::datum::{FromDatum, IntoDatum};
    // SAFETY: lower takes a text and returns one.
    with_reserve(|| unsafe {
        text.into_datum().and_then(|datum| String::from_datum(lower_datum(datum), false)).unwrap_or_default()
    })
}

/// # Safety
/// The datum is a text.
unsafe fn lower_datum(datum: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: by the caller's promise, this is an argument of lower(text).
    unsafe {
        pg_sys::OidFunctionCall1Coll(
            pg_sys::Oid::from(pg_sys::F_LOWER_TEXT),
            pg_sys::DEFAULT_COLLATION_OID,
            datum,
        )
    }
}

impl<'fcx> RecordArg<'fcx> {
    /// The `jsonb` that `to_jsonb` makes of it, but for texts that would compare otherwise than in SQL: trailing
    /// blanks of character(n) are gone, and citext, if `fold`, is in lower case. With it the row type, for the
    /// definition.
    pub fn to_jsonb<'c>(self, fold: bool, call: &'c mut CallSite) -> (JsonbArg<'fcx>, &'c RowType) {
        let row_type = call.remember(|_| RowType::default());
        // SAFETY: the SQL declaration makes it a composite value, whose header names its type. row_to_json takes one
        // and returns its json, a text; jsonb_in takes that as a cstring. All allocate in the memory of the call.
        let datum = with_reserve(|| unsafe {
            let header =
                pg_sys::pg_detoast_datum(self.datum.cast_mut_ptr()).cast::<pg_sys::HeapTupleHeaderData>();
            let fields = (*header).t_choice.t_datum;
            let identity = (fields.datum_typeid, fields.datum_typmod);
            let mut datum = pg_sys::Datum::from(header);
            let known = row_type.identity == Some(identity);
            if !known || !row_type.is_plain() {
                let descriptor = PgTupleDesc::from_pg(pg_sys::lookup_rowtype_tupdesc(identity.0, identity.1));
                if !known {
                    *row_type = RowType::of(identity, &descriptor, fold);
                }
                if !row_type.is_plain() {
                    datum = plain(header, &descriptor, row_type);
                }
            }
            pgrx::direct_function_call_as_datum(pg_sys::row_to_json, &[Some(datum)])
                .map(|json| jsonb_in(pg_sys::text_to_cstring(json.cast_mut_ptr())))
        });
        // SAFETY: a jsonb, made in the memory of the call.
        (unsafe { JsonbArg::new(datum.unwrap_or(pg_sys::Datum::null())) }, row_type)
    }
}

/// The same row with texts as they compare.
///
/// # Safety
/// The header is that of a row of the descriptor, and `row_type` says what its columns are.
unsafe fn plain(
    header: *mut pg_sys::HeapTupleHeaderData,
    descriptor: &PgTupleDesc,
    row_type: &RowType,
) -> pg_sys::Datum {
    // SAFETY: by the caller's promise; there is room for every column. A row type that a column was added to has rows
    // with fewer columns, which heap_deform_tuple fills with nulls.
    unsafe {
        let count = descriptor.len();
        let mut values = vec![pg_sys::Datum::null(); count];
        let mut nulls = vec![true; count];
        let mut tuple = pg_sys::HeapTupleData {
            t_len: pgrx::varlena::varsize_any(header.cast()) as u32,
            t_data: header,
            ..Default::default()
        };
        pg_sys::heap_deform_tuple(&mut tuple, descriptor.as_ptr(), values.as_mut_ptr(), nulls.as_mut_ptr());
        for at in row_type.padded.iter().copied().filter(|at| !nulls[*at]) {
            let bytes: &[u8] = Value(values[at]).bytes();
            let kept = bytes.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            let text = pg_sys::cstring_to_text_with_len(bytes.as_ptr().cast(), kept as i32);
            values[at] = pg_sys::Datum::from(text);
        }
        for at in row_type.folded.iter().map(|(at, _)| *at).filter(|at| !nulls[*at]) {
            values[at] = lower_datum(values[at]);
        }
        let formed = pg_sys::heap_form_tuple(descriptor.as_ptr(), values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::HeapTupleHeaderGetDatum((*formed).t_data)
    }
}
