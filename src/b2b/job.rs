//! SQL face of [`segmentation_core::b2b::job`]. Declared in `sql/b2b/job.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::job;

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
