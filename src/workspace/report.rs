//! SQL face of the pictures and the page of a report. Declared in `sql/workspace/report.sql`.

use pgrx::prelude::*;

use crate::pg::OrRaise;
use crate::pg::jsonb::JsonbArg;

#[pg_extern(sql = false)]
fn report_page(document: JsonbArg<'_>) -> String {
    document.value("document").and_then(|document| segmentation_report::page(&document)).or_raise()
}

#[pg_extern(sql = false)]
fn report_chart(document: JsonbArg<'_>, name: &str, width: i32) -> String {
    document
        .value("document")
        .and_then(|document| segmentation_report::chart(&document, name, width))
        .or_raise()
}
