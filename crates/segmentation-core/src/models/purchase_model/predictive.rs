//! Predictive distributions of one customer: when the next purchase comes, and how many do.

use super::cells::CustomerSummary;
use super::score::{Kernel, Scorer, chance_of_purchase};
use crate::base::error::{Error, Result};
use crate::math::special::{incomplete_beta, integrate};

/// Later than this (days) is never: 27,000 years.
const NEVER: f64 = 1e7;

/// When the next purchase comes, in days after the end of observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextPurchase {
    /// The day by which it is as likely to have come as not; `None` if it will more likely never come.
    pub median_days: Option<f64>,
    /// The lower end of the equal-tailed predictive interval; `None` if beyond any horizon.
    pub lower_days: Option<f64>,
    /// The upper end; `None` if beyond any horizon.
    pub upper_days: Option<f64>,
    /// P(never).
    pub never: f64,
}

/// A probability as the level of an interval.
pub(crate) fn check_level(level: f64) -> Result<f64> {
    if level > 0.0 && level < 1.0 {
        Ok(level)
    } else {
        Err(Error::invalid("level must lie between 0 and 1")
            .detail(format!("It is {}.", crate::base::error::shown_number(level))))
    }
}

impl Scorer {
    /// The median and the equal-tailed interval of `level` of the time to the next purchase,
    /// from [`Scorer::churn_probability`] as its survival function.
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn next_purchase(&self, customer: CustomerSummary, level: f64) -> Result<NextPurchase> {
        let tail = 0.5 * (1.0 - check_level(level)?);
        Ok(NextPurchase {
            median_days: self.days_until(customer, 0.5),
            lower_days: self.days_until(customer, tail),
            upper_days: self.days_until(customer, 1.0 - tail),
            never: self.churn_probability(customer, NEVER),
        })
    }

    /// The days until the next purchase has come with `probability`; `None` if it never has.
    #[must_use]
    pub fn days_until(&self, customer: CustomerSummary, probability: f64) -> Option<f64> {
        let target = 1.0 - probability;
        let excess = |days: f64| self.churn_probability(customer, days) - target;
        let (mut low, mut high) = (0.0, 1.0);
        while excess(high) > 0.0 {
            low = high;
            high *= 2.0;
            if high > NEVER {
                return None;
            }
        }
        // Dates need no more than a thousandth of a day, or nine digits.
        while high - low > 1e-9 * high + 1e-6 {
            let middle = 0.5 * (low + high);
            if excess(middle) > 0.0 { low = middle } else { high = middle }
        }
        Some(0.5 * (low + high))
    }

    /// P(at least `n` purchase days within the horizon).
    #[must_use]
    pub fn purchases_at_least(&self, customer: CustomerSummary, n: u64, horizon_days: f64) -> f64 {
        if n == 0 {
            return 1.0;
        }
        let (x, tx, t) = self.units(customer);
        let h = self.horizon(horizon_days);
        if h <= 0.0 {
            return 0.0;
        }
        let n = n as f64;
        match &self.kernel {
            Kernel::Nbd { r, alpha } => incomplete_beta(n, r + x, h / (alpha + t + h)).0,
            Kernel::BetaGeometric(p) => {
                // Purchases come while stages pass, whose number is negative binomial; the n-th is
                // still made with the probability c_n.
                let m = p.shape(x);
                let z = h / (p.alpha + t + h);
                let weights = p.stage_weights(x, tx, t);
                let passed: f64 = (0..p.k)
                    .map(|j| {
                        let stages = n * f64::from(p.k) - f64::from(j);
                        weights[j as usize] * incomplete_beta(stages, m + f64::from(j), z).0
                    })
                    .sum();
                self.alive(x, tx, t) * chance_of_purchase(n, p.a, p.b + x + p.d) * passed
            }
            Kernel::Pareto([r, alpha, s, beta]) => {
                // Given the moment y of leaving, or none before h, the number is negative binomial.
                let (m, rate, leave) = (r + x, alpha + t, beta + t);
                let by = |y: f64| incomplete_beta(n, m, y / (rate + y)).0;
                let scale = rate.min(leave);
                let reach = (h / scale).ln_1p();
                let panels = (2.0 * reach).ceil().clamp(4.0, 32.0);
                let left: f64 = (0..panels as u32)
                    .map(|i| {
                        let (from, to) = (reach * f64::from(i) / panels, reach * f64::from(i + 1) / panels);
                        integrate(from, to, |v| {
                            let y = scale * v.exp_m1();
                            let density = s / leave * (-(s + 1.0) * (y / leave).ln_1p()).exp();
                            density * by(y) * (scale + y)
                        })
                    })
                    .sum();
                let stayed = (-s * (h / leave).ln_1p()).exp();
                (self.alive(x, tx, t) * (left + stayed * by(h))).clamp(0.0, 1.0)
            }
        }
    }

    /// The smallest number of purchase days within the horizon that is not exceeded with
    /// `probability` or more.
    #[must_use]
    pub fn purchases_quantile(&self, customer: CustomerSummary, horizon_days: f64, probability: f64) -> u64 {
        // P(X <= n) >= p is P(X >= n+1) <= 1-p.
        let enough = |n: u64| self.purchases_at_least(customer, n + 1, horizon_days) <= 1.0 - probability;
        if enough(0) {
            return 0;
        }
        let (mut low, mut high) = (0, 1);
        // No more than one purchase day a day, however long the tail of the distribution.
        let most = horizon_days.clamp(1.0, 1e9).ceil() as u64;
        while high < most && !enough(high) {
            low = high;
            high = (high * 2).min(most);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if enough(middle) { high = middle } else { low = middle }
        }
        high
    }

    /// The equal-tailed predictive interval of `level` of the number of purchase days within the
    /// horizon. Counts are whole, so that it covers at least `level`.
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn purchases_interval(
        &self,
        customer: CustomerSummary,
        horizon_days: f64,
        level: f64,
    ) -> Result<(u64, u64)> {
        let tail = 0.5 * (1.0 - check_level(level)?);
        Ok((
            self.purchases_quantile(customer, horizon_days, tail),
            self.purchases_quantile(customer, horizon_days, 1.0 - tail),
        ))
    }
}
