//! The band of a customer's future value, and the day on which silence alone changes it.
//!
//! Bands are classes of the value by frozen PMG limits: G is high, M medium, P low, I none. Made with
//! mode `cumulative`, high are those who bring the first 80 % of the value, medium the next 15 %.

use serde_json::Value;

use crate::axes::pmg::{Cuts, Pmg};
use crate::axes::silence::first_day;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::money::{Money, SCALE};
use crate::base::span::days_option;
use crate::models::purchase_model::{CustomerSummary, Scorer};
use crate::models::spend_model::{
    SpendModel, SpendSummary, ValueOptions, discounted_purchases, future_value,
};

/// Relative: values this near a limit are not told from it.
const NEAR: f64 = 1e-6;

/// Options of the value, from their JSON object; what is missing or null takes its default.
///
/// * `horizon`: `365 days`, or another whole number of days, weeks, months (30.4375 days) or years
/// * `discount_rate`: 0.10, a year
/// * `margin`: 1
///
/// # Errors
/// Names the field that is unknown or has a wrong value.
pub fn value_options(value: &Value) -> Result<ValueOptions> {
    let object = Object::new("options", "", value, &["horizon", "discount_rate", "margin"])?;
    ValueOptions::new(
        days_option(&object, "horizon")?.unwrap_or(365.0),
        object.number("discount_rate", f64::MIN, f64::MAX)?.unwrap_or(0.10),
        object.number("margin", f64::MIN, f64::MAX)?.unwrap_or(1.0),
    )
}

/// The code of a band.
#[must_use]
pub fn code(band: Pmg) -> &'static str {
    match band {
        Pmg::G => "high",
        Pmg::M => "medium",
        Pmg::P => "low",
        Pmg::I => "none",
    }
}

/// What a customer's value is reckoned from.
#[derive(Clone, Copy)]
pub struct Valued<'a> {
    /// How they buy.
    pub purchases: &'a Scorer,
    /// What they spend.
    pub spend: &'a SpendModel,
    /// The customer, at the end of observation.
    pub customer: CustomerSummary,
    /// What they spent before.
    pub spent: SpendSummary,
    /// How the value counts.
    pub options: ValueOptions,
}

impl Valued<'_> {
    /// The future value; `None` where it is infinite.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        future_value(self.purchases, self.spend, self.customer, &self.spent, &self.options)
    }

    /// The band of the value; `None` where the value is infinite.
    ///
    /// # Errors
    /// A value too large for money.
    pub fn band(&self, cuts: Cuts) -> Result<Option<Pmg>> {
        self.value().map(|value| Ok(cuts.class(Money::from_f64(value)?))).transpose()
    }

    fn after_silence(&self, days: Day) -> Self {
        Self { customer: self.customer.after_silence(u32::try_from(days).unwrap_or(0)), ..*self }
    }

    /// The first day after `as_of`, and no later than `until`, on which the band of a customer who stays
    /// silent is another, or a day before it from which the search has to go on; `None` if it stays.
    ///
    /// # Errors
    /// A value too large for money.
    pub fn next_change(&self, cuts: Cuts, as_of: Day, until: Day) -> Result<Option<Day>> {
        let Some(value) = self.value() else { return Ok(None) };
        let band = cuts.class(Money::from_f64(value)?);
        // Silence changes the number of purchases, not what one comes to.
        if value <= 0.0 && self.options.margin <= 0.0 {
            return Ok(None);
        }
        let limits = [cuts.gros_from, cuts.moyens_from, Money(1)].map(least);
        let below = limits.into_iter().filter(|limit| *limit <= value).fold(0.0, f64::max);
        let above = limits.into_iter().filter(|limit| *limit > value).fold(f64::INFINITY, f64::min);
        let last = until - as_of;
        let days = if self.purchases.is_monotone_in_silence() {
            self.falls_below(below, last)
        } else {
            self.leaves(below, above, last)
        };
        let Some(first) = days else { return Ok(None) };
        // Near a limit it is looked at day by day, and after some days again.
        for days in first..first.saturating_add(4).min(last) {
            if self.after_silence(days).band(cuts)? != Some(band) {
                return Ok(Some(as_of + days));
            }
        }
        Ok(Some(as_of + first.saturating_add(4).min(last)))
    }

    /// The first day of silence, up to `last`, on which a value that only falls comes near a limit.
    fn falls_below(&self, limit: f64, last: Day) -> Option<Day> {
        let near = limit * (1.0 + NEAR);
        let value = |days: Day| self.after_silence(days).value().unwrap_or(0.0);
        if limit <= 0.0 {
            return None;
        }
        if value(0) <= near {
            return (last > 0).then_some(1);
        }
        first_day(0, last, |days| value(days) <= near)
    }

    /// The first day of silence on which a value that moves both ways may leave (below, above), or,
    /// after so much reckoning, a day up to which it surely does not.
    ///
    /// Let V(T, h) be the value of what comes within h after T, and P the probability of no purchase
    /// in (T, T+n]. Who is silent until T+n is one of those who are silent until T, so that, before
    /// discounting, V(T+n, h) <= V(T, h+n) / P; and what is lost of V(T, h) by those who buy in
    /// (T, T+n] is at most (1-P) times one purchase and all that follows it in h.
    fn leaves(&self, below: f64, above: f64, last: Day) -> Option<Day> {
        const STEPS: u32 = 6;
        let CustomerSummary { x, t, .. } = self.customer;
        let buyer = CustomerSummary { x: x + 1, tx: t, t };
        let (horizon, margin) = (self.options.horizon_days, self.options.margin);
        let each = self.spend.expected_spend(&self.spent)? * margin;
        let growth = self.options.discount_rate.ln_1p() / 365.25;
        let follows = 1.0 + self.purchases.expected_purchases(buyer, horizon);
        let lost = each * follows * (-growth * horizon).exp().max(1.0);
        let (mut day, mut reach) = (0, 32);
        for _ in 0..STEPS {
            let then = self.after_silence(day);
            let value = then.value()?;
            let wide = ValueOptions { horizon_days: horizon + f64::from(reach), ..self.options };
            let most = each * discounted_purchases(self.purchases, then.customer, &wide);
            let stays = |days: Day| {
                let silent = self.purchases.churn_probability(then.customer, f64::from(days));
                let worth = growth * f64::from(days);
                most * worth.exp().max(1.0) / silent < above * (1.0 - NEAR)
                    && (below <= 0.0
                        || (value - (1.0 - silent) * lost) * worth.exp().min(1.0) > below * (1.0 + NEAR))
            };
            let days = first_day(0, reach, |days| !stays(days)).map_or(reach, |first| first - 1);
            day += days;
            if day >= last {
                return None;
            }
            if days == 0 {
                return Some(day + 1);
            }
            if days == reach {
                reach *= 2;
            }
        }
        Some(day + 1)
    }
}

/// The least value that is rounded to an amount.
fn least(amount: Money) -> f64 {
    (amount.0 as f64 - 0.5) / SCALE as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn options_are_checked() {
        let options = value_options(&json!({})).unwrap();
        assert_eq!((options.horizon_days, options.discount_rate, options.margin), (365.0, 0.10, 1.0));
        assert_eq!(value_options(&json!({"horizon": "2 years"})).unwrap().horizon_days, 730.5);
        for bad in [
            json!({"horizon": 365}),
            json!({"discount_rate": -2}),
            json!({"margin": "x"}),
            json!({"marge": 1}),
            json!([]),
        ] {
            assert!(value_options(&bad).is_err(), "{bad}");
        }
    }
}
