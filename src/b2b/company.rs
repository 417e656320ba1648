//! SQL face of [`segmentation_core::b2b::company`]. Declared in `sql/b2b/company.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::company::{self, Size};

use crate::pg::CallSite;
use crate::pg::enums::EnumValues;
use crate::pg::value::Value;

fn size_value(size: Size, call: &mut CallSite) -> Value {
    call.remember(|call| EnumValues::of_result(call, &Size::ALL.map(Size::code))).get(size.code())
}

#[pg_extern(sql = false)]
fn company_size(
    headcount: Option<f64>,
    turnover: Option<f64>,
    balance_sheet: Option<f64>,
    mut call: CallSite<'_>,
) -> Option<Value> {
    let (least, most) = company::size_bounds(headcount, turnover, balance_sheet);
    (least == most).then(|| size_value(least, &mut call))
}

#[pg_extern(sql = false)]
fn company_size_at_least(
    headcount: Option<f64>,
    turnover: Option<f64>,
    balance_sheet: Option<f64>,
    mut call: CallSite<'_>,
) -> Value {
    size_value(company::size_bounds(headcount, turnover, balance_sheet).0, &mut call)
}

#[pg_extern(sql = false)]
fn company_size_at_most(
    headcount: Option<f64>,
    turnover: Option<f64>,
    balance_sheet: Option<f64>,
    mut call: CallSite<'_>,
) -> Value {
    size_value(company::size_bounds(headcount, turnover, balance_sheet).1, &mut call)
}

#[pg_extern(sql = false)]
fn organisation_type(legal_category: Option<&str>, naf_code: Option<&str>) -> Option<&'static str> {
    company::organisation(legal_category?, naf_code).map(company::Organisation::code)
}

#[pg_extern(sql = false)]
fn is_public(legal_category: &str) -> Option<bool> {
    company::is_public(legal_category)
}
