//! What a model says of one customer: survival, the chance of ending, the life that is left and its value.

use std::borrow::Cow;

use super::contracts::{STEP, feature_json};
use super::geometric::ln_survival;
use super::hazard::step_name;
use super::kaplan_meier::{Point, median};
use super::model::{Group, RetentionModel};
use super::options::Family;
use super::period::period;
use crate::Checkpoint;
use crate::base::error::{Error, Result};
use crate::base::host;
use crate::math::special::softplus;
use crate::models::churn_model::{FeatureValue, Features};

/// One over what is left of a probability as a difference of two numbers near 1.
const ROUNDING: f64 = 1e13;

/// Money and time of a remaining value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Money brought at each renewal, or in each month.
    pub margin: f64,
    /// Yearly rate: 0.1 is 10%.
    pub discount_rate: f64,
}

impl Terms {
    fn check(self, money: &str) -> Result<()> {
        if !(self.margin.is_finite() && self.margin.abs() <= 1e12) {
            return Err(Error::invalid(format!("{money} must be a number from -1e12 to 1e12")));
        }
        if !(-0.5..=10.0).contains(&self.discount_rate) {
            return Err(Error::invalid("discount_rate must be a number from -0.5 to 10"));
        }
        Ok(())
    }
}

/// What survives of a customer's contract: made for one set of features.
pub struct Survival<'a> {
    model: &'a RetentionModel,
    group: &'a Group,
    /// Log survival at the ends of the steps, and the log of what survives one period of each step.
    hazard: Vec<(f64, f64, f64)>,
}

impl RetentionModel {
    /// The survival of a customer with these features.
    ///
    /// # Errors
    /// A feature of another kind than in the model.
    pub fn survival(&self, features: &Features) -> Result<Survival<'_>> {
        let whole = self.groups.first().ok_or_else(|| Error::invalid("the model has no curve"))?;
        let given: Vec<(String, FeatureValue)> =
            features.0.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        let given = feature_json(&given);
        let group = self.groups.iter().find(|group| group.features.as_ref() == Some(&given)).unwrap_or(whole);
        let group = if self.family == Family::ShiftedBetaGeometric && group.geometric.is_none() {
            whole
        } else {
            group
        };
        let mut hazard = Vec::new();
        if let Some(h) = &self.hazard {
            let (mut start, mut log) = (0.0, 0.0);
            for step in 0..=h.steps.len() {
                host::pause();
                let mut all = features.clone();
                all.0.retain(|(name, _)| name != STEP);
                all.0.push((Cow::Borrowed(STEP), FeatureValue::Text(step_name(&h.steps, step).into())));
                let each = -softplus(h.model.log_odds(&all)?);
                hazard.push((start, log, each));
                if let Some(&end) = h.steps.get(step) {
                    log += (f64::from(end) - start) * each;
                    start = f64::from(end);
                }
            }
        }
        Ok(Survival { model: self, group, hazard })
    }
}

impl Survival<'_> {
    /// The share that survives so many periods; `None` beyond what was observed (`kaplan_meier`).
    #[must_use]
    pub fn at(&self, periods: f64) -> Option<f64> {
        match self.model.family {
            Family::KaplanMeier => {
                let last = self.group.curve.last()?;
                let reached = periods + 1e-9;
                if reached >= f64::from(last.period) + 1.0 && last.survival > 0.0 {
                    return None;
                }
                let n = self.group.curve.partition_point(|p| f64::from(p.period) <= reached);
                Some(n.checked_sub(1).map_or(1.0, |i| self.group.curve[i].survival))
            }
            Family::ShiftedBetaGeometric => {
                let g = self.group.geometric.as_ref()?;
                Some(ln_survival(g.alpha, g.beta, periods).exp())
            }
            Family::Hazard => {
                let i = self.hazard.partition_point(|(start, ..)| *start <= periods).checked_sub(1)?;
                let (start, log, each) = *self.hazard.get(i)?;
                Some((log + (periods - start) * each).exp())
            }
        }
    }

    /// Probability of ending within the horizon for who has lasted `tenure` periods.
    ///
    /// Where hazards are equal, so is every bit of it, whatever the tenure: what comes out of the difference of two
    /// survivals is rounded to what they have digits for.
    #[must_use]
    pub fn churn_probability(&self, tenure: f64, horizon: f64) -> Option<f64> {
        let p = match self.model.family {
            Family::Hazard => -self.ln_survival_within(tenure, horizon)?.exp_m1(),
            Family::ShiftedBetaGeometric => {
                let g = self.group.geometric.as_ref()?;
                let ln = |t| ln_survival(g.alpha, g.beta, t);
                -(ln(tenure + horizon) - ln(tenure)).exp_m1()
            }
            Family::KaplanMeier => {
                let now = self.at(tenure).filter(|s| *s > 0.0)?;
                1.0 - self.at(tenure + horizon)? / now
            }
        };
        Some(((p * ROUNDING).round() / ROUNDING).clamp(0.0, 1.0))
    }

    /// ln of the share of those who have lasted `tenure` periods that last for the horizon: steps of equal hazard are one.
    fn ln_survival_within(&self, tenure: f64, horizon: f64) -> Option<f64> {
        let first = self.hazard.partition_point(|(start, ..)| *start <= tenure).checked_sub(1)?;
        let end = tenure + horizon;
        let (mut from, mut sum, mut each) = (tenure, 0.0, self.hazard.get(first)?.2);
        for &(start, _, next) in self.hazard[first + 1..].iter().take_while(|(start, ..)| *start < end) {
            if next != each {
                sum += (start - from) * each;
                (from, each) = (start, next);
            }
        }
        // In one step, the horizon itself: not what is left of it by subtraction.
        Some(sum + if from == tenure { horizon } else { end - from } * each)
    }

    /// Expected periods from now on within the horizon, the one that runs included.
    #[must_use]
    pub fn expected_lifetime(&self, tenure: f64, horizon: f64, checkpoint: Checkpoint) -> Option<f64> {
        let now = self.at(tenure).filter(|s| *s > 0.0)?;
        let (mut sum, mut passed) = (0.0, 0.0);
        while passed < horizon {
            if (passed as u64).is_multiple_of(1024) {
                checkpoint();
            }
            sum += self.at(tenure + passed)? / now * (horizon - passed).min(1.0);
            passed += 1.0;
        }
        Some(sum)
    }

    /// Expected discounted margin of the renewals within the horizon: one at the end of each period.
    ///
    /// # Errors
    /// Terms that are not finite or out of range.
    pub fn value(
        &self,
        tenure: f64,
        horizon: f64,
        terms: Terms,
        checkpoint: Checkpoint,
    ) -> Result<Option<f64>> {
        terms.check("margin")?;
        let Some(now) = self.at(tenure).filter(|s| *s > 0.0) else { return Ok(None) };
        let each = (1.0 + terms.discount_rate).powf(-period(&self.model.unit).years());
        let (mut sum, mut discount) = (0.0, 1.0);
        for n in 1..=(horizon + 1e-9) as u64 {
            if n % 1024 == 0 {
                checkpoint();
            }
            discount *= each;
            let Some(then) = self.at(tenure + n as f64) else { return Ok(None) };
            sum += discount * then / now;
        }
        Ok(Some(sum * terms.margin))
    }

    /// Expected discounted price of the time within the horizon that the contract runs, for a price a month
    /// ([`Terms::margin`]): the price of each period for the share of it that is expected to run, which is the mean of
    /// the survivals at its ends, discounted from its middle. `None` beyond what was observed (`kaplan_meier`).
    ///
    /// # Errors
    /// Terms that are not finite or out of range.
    pub fn subscription_value(
        &self,
        tenure: f64,
        horizon: f64,
        terms: Terms,
        checkpoint: Checkpoint,
    ) -> Result<Option<f64>> {
        terms.check("price")?;
        let Some(now) = self.at(tenure).filter(|s| *s > 0.0) else { return Ok(None) };
        let years = period(&self.model.unit).years();
        let (mut sum, mut passed, mut before) = (0.0, 0.0, 1.0);
        while passed < horizon {
            if (passed as u64).is_multiple_of(1024) {
                checkpoint();
            }
            let step = (horizon - passed).min(1.0);
            let Some(then) = self.at(tenure + passed + step) else { return Ok(None) };
            let after = then / now;
            let discount = (1.0 + terms.discount_rate).powf(-(passed + 0.5 * step) * years);
            sum += step * 0.5 * (before + after) * discount;
            passed += 1.0;
            before = after;
        }
        Ok(Some(sum * terms.margin * 12.0 * years))
    }

    /// The observed curve of the customer's group.
    #[must_use]
    pub fn curve(&self) -> &[Point] {
        &self.group.curve
    }

    /// The first period after which at most half is left; `None` if that is not seen.
    #[must_use]
    pub fn median(&self) -> Option<u32> {
        median(&self.group.curve)
    }
}
