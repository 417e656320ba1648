//! SQL face of what brings names, addresses and numbers into one form: [`segmentation_core::identity`]. Declared in
//! `sql/identity/form.sql`.

use pgrx::prelude::*;
use segmentation_core::base::day;
use segmentation_core::identity::{address, birth, mail, name, organisation, phone};

use crate::pg::OrRaise;

#[pg_extern(sql = false)]
fn normalize_email(email: &str) -> Option<String> {
    mail::normalize(email)
}

#[pg_extern(sql = false)]
fn normalize_phone(phone: &str, region: &str) -> Option<String> {
    phone::normalize(phone, phone::region(region).or_raise())
}

#[pg_extern(sql = false)]
fn normalize_name(name: &str) -> Option<String> {
    name::normalize(name)
}

#[pg_extern(sql = false)]
fn first_name_root(first_name: &str) -> Option<String> {
    name::root(first_name)
}

#[pg_extern(sql = false)]
fn normalize_address(address: &str) -> Option<String> {
    address::normalize(address)
}

#[pg_extern(sql = false)]
fn normalize_postcode(postcode: &str, region: &str) -> Option<String> {
    address::postcode(postcode, phone::is_france(phone::region(region).or_raise()))
}

#[pg_extern(sql = false)]
fn normalize_company(company: &str) -> Option<String> {
    organisation::normalize(company)
}

#[pg_extern(sql = false)]
fn normalize_birth_date(birth_date: &str) -> Option<i32> {
    birth::normalize(birth_date).and_then(|digits| birth::day(&digits))
}

#[pg_extern(sql = false)]
fn birth_date_plausible(birth_date: i32, as_of: i32) -> bool {
    birth::is_plausible(birth_date, day::check(as_of).or_raise())
}
