//! SQL face of [`segmentation_core::b2b::naf`]. Declared in `sql/b2b/naf.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::naf;

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
