//! SQL face of [`segmentation_core::b2b::place`]. Declared in `sql/b2b/place.sql`.

use pgrx::prelude::*;
use segmentation_core::b2b::place;

#[pg_extern(sql = false)]
fn haversine(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    place::haversine(latitude1, longitude1, latitude2, longitude2)
}

#[pg_extern(sql = false)]
fn geodesic(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    place::geodesic(latitude1, longitude1, latitude2, longitude2)
}
