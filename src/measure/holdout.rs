//! SQL face of [`segmentation_core::measure::holdout`]. Declared in `sql/measure/holdout.sql`.

use pgrx::prelude::*;
use segmentation_core::measure::holdout::held_out;

use crate::pg::OrRaise;

#[pg_extern(sql = false)]
fn holdout(key: &str, salt: &str, share: f64) -> bool {
    held_out(key, salt, share).or_raise()
}
