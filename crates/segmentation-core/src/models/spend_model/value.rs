//! Future value: of a purchase model and a spend model.

use super::model::{Known, SpendModel};
use super::summary::SpendSummary;
use crate::base::error::{Error, Result};
use crate::math::special::{incomplete_beta, integrate};
use crate::models::purchase_model::{CustomerSummary, Scorer, check_horizon};

/// How future value counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueOptions {
    /// Days ahead.
    pub horizon_days: f64,
    /// What money a year later is worth less, as a share: 0.10 for 10 % a year.
    pub discount_rate: f64,
    /// What is left of turnover, as a share.
    pub margin: f64,
}

impl ValueOptions {
    /// Checked options.
    ///
    /// # Errors
    /// If the horizon is no horizon, the discount rate not above -1 and below 1000, or the margin not finite.
    pub fn new(horizon_days: f64, discount_rate: f64, margin: f64) -> Result<Self> {
        check_horizon(horizon_days)?;
        if !(discount_rate > -1.0 && discount_rate <= 1000.0) {
            return Err(Error::invalid("discount_rate must be above -1 and at most 1000")
                .detail(format!("It is {}.", crate::base::error::shown_number(discount_rate)))
                .hint("Write 0.10 for 10 % a year."));
        }
        if !(margin.is_finite() && margin.abs() <= 1e6) {
            return Err(Error::invalid("margin must be a number up to 1e6")
                .detail(format!("It is {}.", crate::base::error::shown_number(margin))));
        }
        Ok(Self { horizon_days, discount_rate, margin })
    }

    /// The force of interest by day: ln(1 + yearly rate) over a mean year.
    pub(crate) fn daily(&self) -> f64 {
        self.discount_rate.ln_1p() / DAYS_A_YEAR
    }
}

/// The days of the year that discount rates are given for.
pub(crate) const DAYS_A_YEAR: f64 = 365.25;

/// Expected purchases within the horizon, each discounted from its day: the integral of
/// e^(-dt) dE(t), by parts E(H) e^(-dH) + d times the integral of E(t) e^(-dt) dt.
#[must_use]
pub fn discounted_purchases(scorer: &Scorer, customer: CustomerSummary, options: &ValueOptions) -> f64 {
    let (h, d) = (options.horizon_days.max(0.0), options.daily());
    let total = scorer.expected_purchases(customer, h);
    if d == 0.0 || h == 0.0 {
        return total;
    }
    // E bends on the scale of what has been observed: even steps in its logarithm follow it.
    let scale = f64::from(customer.t_days()) + 30.0;
    let reach = (h / scale).ln_1p();
    let panels = (0.5 * reach + 0.05 * (d * h).abs()).ceil().clamp(1.0, 64.0);
    let area: f64 = (0..panels as u32)
        .map(|i| {
            let i = f64::from(i);
            integrate(reach * i / panels, reach * (i + 1.0) / panels, |u| {
                let t = scale * u.exp_m1();
                scorer.expected_purchases(customer, t) * (-d * t).exp() * (scale + t)
            })
        })
        .sum();
    (total * (-d * h).exp() + d * area).max(0.0)
}

/// Future value: expected purchases x expected spend x margin, discounted continuously.
///
/// `None` where the expected spend is infinite ([`SpendModel::expected_spend`]).
#[must_use]
pub fn future_value(
    scorer: &Scorer,
    spend: &SpendModel,
    customer: CustomerSummary,
    spent: &SpendSummary,
    options: &ValueOptions,
) -> Option<f64> {
    let each = spend.expected_spend(spent)?;
    let value = discounted_purchases(scorer, customer, options) * each * options.margin;
    value.is_finite().then_some(value)
}

/// The equal-tailed predictive interval of `level` of what the customer will bring.
///
/// The number of purchases has its predictive distribution; n purchases come to v' times a beta
/// prime distribution (pn, q'), where (q', v') is what is known of the customer's spend, in each class of shape: all are
/// mixed exactly, except that numbers of purchases above 64 are taken in blocks of a thirty-second of
/// their size. The discount enters by its mean factor, discounted over plain expected purchases.
///
/// # Errors
/// If the level is not between 0 and 1.
pub fn future_value_interval(
    scorer: &Scorer,
    spend: &SpendModel,
    customer: CustomerSummary,
    spent: &SpendSummary,
    options: &ValueOptions,
    level: f64,
) -> Result<(f64, f64)> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level must lie between 0 and 1")
            .detail(format!("It is {}.", crate::base::error::shown_number(level))));
    }
    let known = spend.posterior(spent);
    let plain = scorer.expected_purchases(customer, options.horizon_days);
    if plain <= 0.0 {
        return Ok((0.0, 0.0));
    }
    let factor = discounted_purchases(scorer, customer, options) / plain * options.margin;
    // (number of purchases, probability), zero first.
    let mut counts: Vec<(f64, f64)> = Vec::new();
    let (mut n, mut above, mut width) = (0_u64, 1.0, 1_u64);
    while above > 1e-9 && counts.len() < 400 {
        let next = scorer.purchases_at_least(customer, n + width, options.horizon_days).min(above);
        counts.push((n as f64 + 0.5 * (width - 1) as f64, above - next));
        n += width;
        // Far out and improbable: wider steps keep the list short.
        if n > 64 {
            width = (n / 32).max(1);
        }
        above = next;
    }
    let tail = 0.5 * (1.0 - level);
    // P(sum of spend <= z): for n purchases, z / (v' + z) is Beta(pn, q').
    let below = |z: f64| -> f64 {
        counts
            .iter()
            .map(|&(n, probability)| {
                if n == 0.0 {
                    probability
                } else if probability == 0.0 {
                    0.0
                } else {
                    let share = |k: &Known| k.weight * incomplete_beta(k.p * n, k.shape, z / (k.rate + z)).0;
                    probability * known.iter().map(share).sum::<f64>()
                }
            })
            .sum()
    };
    let quantile = |p: f64| -> f64 {
        if below(0.0) >= p {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, known.iter().fold(1e-9, |most, k| k.rate.max(most)));
        while below(high) < p && high < 1e18 {
            low = high;
            high *= 4.0;
        }
        while high - low > 1e-6 * high {
            let middle = 0.5 * (low + high);
            if below(middle) < p { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let (a, b) = (factor * quantile(tail), factor * quantile(1.0 - tail));
    Ok((a.min(b), a.max(b)))
}
