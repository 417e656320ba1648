//! SQL face of [`segmentation_core::b2b::public_holiday`]. Declared in `sql/b2b/public_holiday.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::public_holiday;

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
