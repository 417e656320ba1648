//! SQL face of [`segmentation_core::b2b`]. Declared in `sql/b2b.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::b2b::company::{self, Size};
use segmentation_core::b2b::opening_hours::{self, Mask};
use segmentation_core::b2b::peers::Peers;
use segmentation_core::b2b::{email, identifier, job, naf, place, public_holiday};

use crate::pg::enums::EnumValues;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::row::Column;
use crate::pg::value::Value;
use crate::pg::{CallSite, OrRaise, interrupt};

// Company

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

#[pg_extern(sql = false)]
fn siren_valid(siren: &str) -> bool {
    identifier::siren(siren).is_some()
}

#[pg_extern(sql = false)]
fn siret_valid(siret: &str) -> bool {
    identifier::siret(siret).is_some()
}

#[pg_extern(sql = false)]
fn siren_of(company: &str) -> Option<String> {
    identifier::company(company)
}

#[pg_extern(sql = false)]
fn siret_of(site: &str) -> Option<String> {
    identifier::siret(site)
}

#[pg_extern(sql = false)]
fn vat_valid(vat: &str) -> Option<bool> {
    identifier::vat(vat)
}

#[pg_extern(sql = false)]
fn vat_from_siren(siren: &str) -> Option<String> {
    identifier::vat_from_siren(siren)
}

// Activity

#[pg_extern(sql = false)]
fn naf_section(code: &str, version: &str) -> Option<&'static str> {
    naf::section(code, naf::Version::parse(version)?)
}

#[pg_extern(sql = false)]
fn naf_division(code: &str, version: &str) -> Option<String> {
    naf::division(code, naf::Version::parse(version)?).map(|division| format!("{division:02}"))
}

#[pg_extern(sql = false)]
fn naf_version(code: &str) -> Option<&'static str> {
    naf::version(code).map(naf::Version::code)
}

#[pg_extern(sql = false)]
fn naf_nomenclature() -> TableIterator<
    'static,
    (name!(version, &'static str), name!(section, &'static str), name!(division, String)),
> {
    TableIterator::new(naf::Version::ALL.into_iter().flat_map(|version| {
        version
            .divisions()
            .map(move |(section, division)| (version.code(), section, format!("{division:02}")))
    }))
}

// People

#[pg_extern(sql = false)]
fn email_domain(email: &str) -> Option<String> {
    email::domain(email)
}

#[pg_extern(sql = false)]
fn email_is_role(email: &str) -> Option<bool> {
    email::is_role(email)
}

#[pg_extern(sql = false)]
fn is_freemail(email_or_domain: &str) -> Option<bool> {
    email::is_freemail(email_or_domain)
}

#[pg_extern(sql = false)]
fn job_seniority(title: &str) -> Option<&'static str> {
    job::seniority(title).map(job::Seniority::code)
}

#[pg_extern(sql = false)]
fn job_function(title: &str) -> Option<&'static str> {
    job::function(title)
}

#[pg_extern(sql = false)]
fn decision_role(title: Option<&str>, domain: Option<&str>) -> Option<&'static str> {
    job::decision_role(title?, domain).map(job::DecisionRole::code)
}

// Place

#[pg_extern(sql = false)]
fn haversine(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    place::haversine(latitude1, longitude1, latitude2, longitude2)
}

#[pg_extern(sql = false)]
fn geodesic(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    place::geodesic(latitude1, longitude1, latitude2, longitude2)
}

// Time. A bit string is a varlena of its number of bits and its bytes.

#[pg_extern(sql = false)]
fn opening_hours(hours: &str) -> Option<Vec<u8>> {
    opening_hours::parse(hours).map(|mask| {
        let mut bits = (Mask::BITS as i32).to_ne_bytes().to_vec();
        bits.extend_from_slice(mask.bytes());
        bits
    })
}

#[pg_extern(sql = false)]
fn opening_hours_text(mask: &[u8]) -> Option<String> {
    let (bits, bytes) = mask.split_first_chunk::<4>()?;
    (i32::from_ne_bytes(*bits) == Mask::BITS as i32).then_some(())?;
    Mask::from_bytes(bytes).map(|mask| mask.text())
}

#[pg_extern(sql = false)]
fn french_public_holidays(
    year: i32,
    zone: &str,
) -> TableIterator<'static, (name!(day, i32), name!(holiday, &'static str))> {
    TableIterator::new(public_holiday::of_year(year, zone))
}

#[pg_extern(sql = false)]
fn french_public_holiday(day: i32, zone: &str) -> Option<&'static str> {
    public_holiday::of_day(day, zone)
}

// Peers

impl Flat for Peers {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Peers::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Peers::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn peer_benchmark_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Peers>>,
    turnover: Option<f64>,
    headcount: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Peers> {
    let mut state = resume(state, &call, Peers::default);
    if let (Some(turnover), Some(headcount)) = (turnover, headcount) {
        state.value().add(turnover, headcount).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn peer_benchmark_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Peers>>,
    other: Option<ExpandedArg<'fcx, Peers>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Peers>> {
    merge(state, other, &call, Peers::merge)
}

#[pg_extern(sql = false)]
fn peer_benchmark_final<'fcx>(state: ExpandedArg<'fcx, Peers>, mut call: CallSite<'fcx>) -> Option<Value> {
    let benchmark = state.with(|peers| peers.benchmark(&mut interrupt)).or_raise()?;
    let shape = call.shape();
    Some(shape.row([
        Column::I64(benchmark.companies as i64),
        Column::F64(benchmark.median),
        Column::F64(benchmark.upper),
    ]))
}
