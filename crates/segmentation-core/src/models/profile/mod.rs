//! Profiles: groups of customers who resemble each other, found from their features.
//!
//! k-means (Lloyd 1982, seeded by greedy k-means++: Arthur and Vassilvitskii 2007), k-prototypes
//! for features with categories (Huang 1998) and Gaussian mixtures by EM. Customers are put into
//! the order of a hash of their content before anything else, so that the same customers and the
//! same seed give the same model, bit for bit, whatever order they came in and whoever counted
//! them. A beginning of that order is a random sample.

mod data;
mod fit;
mod lloyd;
mod map;
mod mixture;
mod model;
mod options;
mod rows;
mod silhouette;

#[cfg(test)]
mod against_linfa;

use crate::base::hash::mix;

pub use fit::fit;
pub use map::MapPlace;
pub use model::{Assignment, Description, ProfileModel};
pub use options::{Method, ProfileOptions};
pub use rows::ProfileRows;

/// Random numbers of a seed and a purpose.
struct Random(rand_pcg::Pcg64Mcg);

impl Random {
    fn new(seed: u64, purpose: u64) -> Self {
        let key = mix(mix(seed) ^ purpose);
        Self(rand_pcg::Pcg64Mcg::new((u128::from(key) << 64) | u128::from(mix(key))))
    }

    /// Uniform on [0, 1).
    fn uniform(&mut self) -> f64 {
        use rand_pcg::rand_core::Rng;
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }
}
