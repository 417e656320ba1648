//! Smoothing on the circles of the week and of the day.

use super::hours::{DAY, HOURS};
use super::options::SendTimeOptions;

/// Differences of two hours on the circle of the week.
pub(super) const LAGS: usize = HOURS / 2 + 1;

/// The difference of two hours on the circle of the week.
pub(super) fn lag(a: usize, b: usize) -> usize {
    let apart = a.abs_diff(b);
    apart.min(HOURS - apart)
}

/// A Gaussian kernel on a circle, by distance; it sums to 1.
pub(super) fn kernel(circle: usize, bandwidth: f64) -> Vec<f64> {
    let weight = |distance: usize| {
        let z = distance.min(circle - distance) as f64 / bandwidth;
        if distance == 0 { 1.0 } else { (-0.5 * z * z).exp() }
    };
    let weights: Vec<f64> = (0..circle).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// A kernel with itself: the inner product of two of them, by distance.
fn squared(kernel: &[f64]) -> Vec<f64> {
    let circle = kernel.len();
    (0..circle).map(|by| (0..circle).map(|i| kernel[i] * kernel[(i + by) % circle]).sum()).collect()
}

/// The inner product of the smoothed weeks of two acts, by their difference, days being alike.
pub(super) fn likeness(options: &SendTimeOptions) -> [f64; LAGS] {
    let week = squared(&kernel(HOURS, options.bandwidth_hours));
    let day = squared(&kernel(DAY, options.bandwidth_hours));
    let shared = options.shared_days;
    let mut alike = [0.0; LAGS];
    for (lag, g) in alike.iter_mut().enumerate() {
        let days = (1.0 - (1.0 - shared) * (1.0 - shared)) / 7.0;
        *g = (1.0 - shared) * (1.0 - shared) * week[lag] + days * day[lag % DAY];
    }
    alike
}
