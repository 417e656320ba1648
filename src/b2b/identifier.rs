//! SQL face of [`segmentation_core::b2b::identifier`]. Declared in `sql/b2b/identifier.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::identifier;

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
