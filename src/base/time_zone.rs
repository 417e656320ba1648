//! SQL face of [`crate::pg::timestamp::check_zone`]: `checked_time_zone`. Declared in `sql/base/time_zone.sql`.

use pgrx::prelude::*;

use crate::pg::OrRaise;
use crate::pg::timestamp::check_zone;

#[pg_extern(sql = false)]
fn checked_time_zone(zone: &str) -> &str {
    check_zone(zone).or_raise();
    zone
}
