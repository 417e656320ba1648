//! Composite values: rows that a function returns, rows that it is given.

use std::marker::PhantomData;

use pgrx::{AllocatedByPostgres, PgTupleDesc, pg_sys};

use super::numeric::Numeric;
use super::value::Value;
use super::{CallSite, error};
use segmentation_core::Error;

/// One column of a row that is returned.
pub enum Column<'a> {
    /// NULL.
    Null,
    /// `smallint`.
    I16(i16),
    /// `integer`.
    I32(i32),
    /// `numeric`.
    Numeric(Numeric),
    /// `numeric`, from a double as a cast would make it.
    NumericOfDouble(f64),
    /// A value that is passed through, of the column's type.
    Same(Value),
    /// `text`.
    Text(&'a str),
    /// `bigint`.
    I64(i64),
    /// `date`: days from 2000-01-01.
    Date(i32),
    /// `double precision`.
    F64(f64),
    /// `double precision[]`.
    F64Array(&'a [f64]),
    /// `jsonb`.
    Jsonb(serde_json::Value),
    /// `boolean`.
    Bool(bool),
}

/// The row type that a function returns, looked up for a call site and remembered by it.
#[derive(Clone, Copy)]
pub(super) struct ResultType(pg_sys::TupleDesc);

impl ResultType {
    /// That of the rows, or of the rows of an array; none for a function that returns neither.
    pub(super) fn of(call: &CallSite) -> Self {
        // SAFETY: the descriptor is copied into the memory of the call site, which outlives what the call site
        // remembers. A type that is no array has no element type, and one that is no row has no relation.
        unsafe {
            let flinfo = (*call.fcinfo()).flinfo;
            let type_oid = pg_sys::get_func_rettype((*flinfo).fn_oid);
            let element = pg_sys::get_element_type(type_oid);
            let type_oid = if element == pg_sys::InvalidOid { type_oid } else { element };
            if pg_sys::get_typ_typrelid(type_oid) == pg_sys::InvalidOid {
                return ResultType(std::ptr::null_mut());
            }
            let old = pg_sys::MemoryContextSwitchTo((*flinfo).fn_mcxt);
            let desc = pg_sys::BlessTupleDesc(pg_sys::lookup_rowtype_tupdesc_copy(type_oid, -1));
            pg_sys::MemoryContextSwitchTo(old);
            ResultType(desc)
        }
    }

    /// Its shape, for a call.
    pub(super) fn shape<'fcx>(self) -> RowShape<'fcx> {
        RowShape(self.0, PhantomData)
    }
}

/// The shape of the rows that a function returns: see [`CallSite::shape`].
#[derive(Clone, Copy)]
pub struct RowShape<'fcx>(pg_sys::TupleDesc, PhantomData<&'fcx ()>);

impl RowShape<'_> {
    /// An array of rows of this shape.
    pub fn array(&self, rows: Vec<Value>) -> Value {
        let mut datums: Vec<pg_sys::Datum> = rows.into_iter().map(Value::datum).collect();
        // SAFETY: rows are varlenas aligned as doubles, each made by `row` of this shape; the array
        // is made in the memory of the call.
        unsafe {
            if self.0.is_null() {
                pgrx::error!("rows were made for a function that returns none");
            }
            let array = pg_sys::construct_array(
                datums.as_mut_ptr(),
                datums.len() as i32,
                (*self.0).tdtypeid,
                -1,
                false,
                b'd' as std::ffi::c_char,
            );
            Value(pg_sys::Datum::from(array))
        }
    }

    /// A row of these columns, in the type's order.
    pub fn row<const N: usize>(&self, columns: [Column; N]) -> Value {
        let mut datums = [pg_sys::Datum::null(); N];
        let mut nulls = [false; N];
        for (i, column) in columns.into_iter().enumerate() {
            match datum(column) {
                Some(datum) => datums[i] = datum,
                None => nulls[i] = true,
            }
        }
        // SAFETY: N is checked against the descriptor; each datum has its column's
        // type by the SQL declaration.
        unsafe {
            if self.0.is_null() {
                pgrx::error!("a row was made for a function that returns none");
            }
            if (*self.0).natts as usize != N {
                pgrx::error!("a row of {N} columns was made for a type of {}", (*self.0).natts);
            }
            let tuple = pg_sys::heap_form_tuple(self.0, datums.as_mut_ptr(), nulls.as_mut_ptr());
            Value(pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data))
        }
    }
}

fn datum(column: Column) -> Option<pg_sys::Datum> {
    use pgrx::datum::IntoDatum;
    match column {
        Column::Null => None,
        Column::I16(v) => v.into_datum(),
        Column::I32(v) | Column::Date(v) => v.into_datum(),
        Column::F64(v) => v.into_datum(),
        Column::I64(v) => v.into_datum(),
        Column::Numeric(v) => v.as_bytes().into_datum(),
        // SAFETY: float8_numeric takes one float8 and is strict.
        Column::NumericOfDouble(v) => unsafe {
            pgrx::direct_function_call_as_datum(pg_sys::float8_numeric, &[v.into_datum()])
        },
        Column::Same(v) => Some(v.datum()),
        Column::Text(v) => v.into_datum(),
        Column::F64Array(v) => v.to_vec().into_datum(),
        Column::Jsonb(v) => pgrx::JsonB(v).into_datum(),
        Column::Bool(v) => v.into_datum(),
    }
}

/// The columns of a composite value that was given as an argument.
///
/// `names` are the columns that its type has to begin with; another type is an error.
pub fn columns<const N: usize>(row: Value, type_name: &'static str) -> [Option<Value>; N] {
    let mut values = [pg_sys::Datum::null(); N];
    let mut nulls = [true; N];
    // SAFETY: the SQL declaration makes it a composite value, whose header names its type.
    unsafe {
        let header =
            pg_sys::pg_detoast_datum(row.datum().cast_mut_ptr()).cast::<pg_sys::HeapTupleHeaderData>();
        let type_oid = (*header).t_choice.t_datum.datum_typeid;
        let typmod = (*header).t_choice.t_datum.datum_typmod;
        let desc: PgTupleDesc<'_> = PgTupleDesc::from_pg(pg_sys::lookup_rowtype_tupdesc(type_oid, typmod));
        if desc.len() != N {
            error::raise(Error::invalid(format!("a value of type {type_name} was expected")));
        }
        let mut tuple = pg_sys::HeapTupleData {
            t_len: pgrx::varlena::varsize_any(header.cast()) as u32,
            t_data: header,
            ..Default::default()
        };
        pg_sys::heap_deform_tuple(&mut tuple, desc.as_ptr(), values.as_mut_ptr(), nulls.as_mut_ptr());
        let _: std::marker::PhantomData<AllocatedByPostgres> = std::marker::PhantomData;
    }
    std::array::from_fn(|i| (!nulls[i]).then_some(Value(values[i])))
}
