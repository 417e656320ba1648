//! Random numbers that depend on (seed, customer, aspect) only.

use crate::base::hash::mix;
use rand_distr::{Distribution, Exp1, Gamma, StandardNormal};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;

/// What a stream of random numbers is for. Each aspect of a customer has its
/// own stream, so that leaving one table out does not change another.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub(super) enum Aspect {
    Products = 1,
    Campaigns,
    Person,
    Purchasing,
    Gaps,
    Moments,
    Orders,
    Refunds,
    Lines,
    Repeats,
    Tastes,
    Channels,
    Consents,
    Contacts,
    Interactions,
    Subscription,
    Names,
}

/// A stream of random numbers.
pub(super) struct Random(Pcg64Mcg);

impl Random {
    /// The stream of one aspect of one customer; customer 0 stands for the shop itself.
    pub(super) fn new(seed: u64, customer: u32, aspect: Aspect) -> Self {
        let key = mix(mix(mix(seed) ^ u64::from(customer)) ^ aspect as u64);
        Self(Pcg64Mcg::new((u128::from(key) << 64) | u128::from(mix(key))))
    }

    /// Uniform on [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Uniform on [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.uniform() * (high - low)
    }

    /// Uniform on 0 .. n; 0 if n is 0.
    pub(super) fn below(&mut self, n: usize) -> usize {
        ((self.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// Uniform on low ..= high.
    pub(super) fn days(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1).max(1) as usize) as i32
    }

    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    pub(super) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let z: f64 = StandardNormal.sample(&mut self.0);
        mean + deviation * z
    }

    /// Mean 1.
    pub(super) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// Mean shape / rate. A shape or rate that is no positive number gives NaN,
    /// and none reaches this: options are checked.
    pub(super) fn gamma(&mut self, shape: f64, rate: f64) -> f64 {
        match Gamma::new(shape, 1.0) {
            Ok(gamma) => gamma.sample(&mut self.0) / rate,
            Err(_) => f64::NAN,
        }
    }

    /// Mean `mean`, as if `strength` trials had been seen.
    pub(super) fn beta(&mut self, mean: f64, strength: f64) -> f64 {
        let (yes, no) = (self.gamma(mean * strength, 1.0), self.gamma((1.0 - mean) * strength, 1.0));
        if yes + no > 0.0 { yes / (yes + no) } else { mean }
    }

    /// Poisson by multiplication: for small means.
    pub(super) fn poisson(&mut self, mean: f64) -> usize {
        let limit = libm::exp(-mean.min(30.0));
        let mut product = self.uniform();
        let mut n = 0;
        while product > limit {
            product *= self.uniform();
            n += 1;
        }
        n
    }

    /// A position, with probability in proportion to its weight.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (position, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return position;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// One of a list that is not empty.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}
