//! SQL face of [`segmentation_core::b2b::email`]. Declared in `sql/b2b/email.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::email;

#[pg_extern(sql = false)]
fn email_domain(email: &str) -> Option<String> {
    email::domain(email)
}

#[pg_extern(sql = false)]
fn email_is_role(email: &str) -> Option<bool> {
    email::is_role(email)
}

#[pg_extern(sql = false)]
fn email_is_disposable(email_or_domain: &str) -> Option<bool> {
    email::is_disposable(email_or_domain)
}

#[pg_extern(sql = false)]
fn is_freemail(email_or_domain: &str) -> Option<bool> {
    email::is_freemail(email_or_domain)
}

#[pg_extern(sql = false)]
fn registered_domain(email_or_domain: &str) -> Option<String> {
    email::registered_domain(email_or_domain)
}
