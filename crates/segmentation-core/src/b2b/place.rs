//! Distance on the Earth.

use geographiclib_rs::{Geodesic, InverseGeodesic};

/// Mean radius of the Earth in km (IUGG), (2a + b) / 3.
const RADIUS: f64 = 6371.0088;

/// Latitude and longitude in degrees, if they are.
fn on_earth(latitude: f64, longitude: f64) -> bool {
    (-90.0..=90.0).contains(&latitude) && (-360.0..=360.0).contains(&longitude)
}

/// Great-circle distance in km on a sphere of the mean radius, at most 0.6 % off; `None` if a
/// latitude is not within 90 degrees or a longitude not within 360.
#[must_use]
pub fn haversine(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    if !on_earth(latitude1, longitude1) || !on_earth(latitude2, longitude2) {
        return None;
    }
    let (phi1, phi2) = (latitude1.to_radians(), latitude2.to_radians());
    let half = |difference: f64| (difference.to_radians() / 2.0).sin().powi(2);
    let h = half(latitude2 - latitude1) + phi1.cos() * phi2.cos() * half(longitude2 - longitude1);
    Some(2.0 * RADIUS * h.clamp(0.0, 1.0).sqrt().asin())
}

/// Length in km of the shortest way on the WGS 84 ellipsoid (Karney 2013), exact to nanometres; `None`
/// as for [`haversine`].
#[must_use]
pub fn geodesic(latitude1: f64, longitude1: f64, latitude2: f64, longitude2: f64) -> Option<f64> {
    if !on_earth(latitude1, longitude1) || !on_earth(latitude2, longitude2) {
        return None;
    }
    let metres: f64 = Geodesic::wgs84().inverse(latitude1, longitude1, latitude2, longitude2);
    Some(metres / 1000.0)
}
