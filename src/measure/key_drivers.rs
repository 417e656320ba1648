//! SQL face of what `key_drivers` needs beside SQL. Declared in `sql/measure/key_drivers.sql`.

use pgrx::prelude::*;
use segmentation_core::math::special;

#[pg_extern(sql = false)]
fn normal_two_sided(z: f64) -> Option<f64> {
    (!z.is_nan()).then(|| special::normal_two_sided(z))
}
