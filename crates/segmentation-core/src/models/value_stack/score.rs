//! The value of one customer under a fitted stack, and the day on which silence changes its class.

use serde_json::Value;

use super::customer::{FEATURES, ValueCustomer};
use super::model::ValueStack;
use super::season::Season;
use super::weights::{Weights, terms};
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::json::Object;
use crate::facts::purchase_features::Frame;
use crate::facts::purchase_history::History;
use crate::models::purchase_model::Scorer;
use crate::models::spend_model::{SpendModel, ValueOptions, discounted_purchases};

/// Answers for one customer at a time, prepared from a stack.
#[derive(Debug, Clone)]
pub struct ValueScorer {
    purchases: Scorer,
    spend: SpendModel,
    season: Option<Season>,
    weights: Weights,
    frame: Frame,
    window: i32,
    horizon: i32,
}

/// What a value is made of, on a day.
#[derive(Debug, Clone, Copy)]
struct Parts {
    /// By the models, discounted, without season.
    model: f64,
    /// By last year's turnover, discounted as money that comes evenly, without season.
    last_year: f64,
    features: [f64; FEATURES.len()],
}

impl ValueScorer {
    /// Prepares a stack.
    ///
    /// # Errors
    /// Parameters of the purchase model are not those of its family.
    pub fn new(stack: &ValueStack) -> Result<Self> {
        Ok(Self {
            purchases: Scorer::new(&stack.purchase_model)?,
            spend: stack.spend_model.clone(),
            season: stack.season.clone(),
            weights: stack.weights.clone(),
            frame: stack.frame,
            window: stack.window,
            horizon: stack.horizon_days(),
        })
    }

    /// How a value of its horizon counts.
    ///
    /// # Errors
    /// If the discount rate is not above -1 and below 1000, or the margin not finite.
    pub fn options(&self, discount_rate: f64, margin: f64) -> Result<ValueOptions> {
        ValueOptions::new(f64::from(self.horizon), discount_rate, margin)
    }

    /// The same from a JSON object: `discount_rate` (0.10 a year) and `margin` (1).
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn read_options(&self, value: &Value) -> Result<ValueOptions> {
        let object = Object::new("options", "", value, &["discount_rate", "margin"])?;
        let number = |key| object.number(key, f64::MIN, f64::MAX);
        self.options(number("discount_rate")?.unwrap_or(0.10), number("margin")?.unwrap_or(1.0))
    }

    /// What is known of a customer on a day; `None` without a purchase by then.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range.
    pub fn customer(&self, history: &History, as_of: Day) -> Result<Option<ValueCustomer>> {
        crate::base::day::check(as_of)?;
        let frame = (!self.weights.coefficients.is_empty()).then_some(self.frame);
        ValueCustomer::read(history, as_of, &self.spend, frame)
    }

    fn parts(&self, customer: &ValueCustomer, each: f64, day: Day, options: &ValueOptions) -> Result<Parts> {
        let force = options.daily() * options.horizon_days;
        let evenly = if force.abs() < 1e-12 { 1.0 } else { -(-force).exp_m1() / force };
        let years = f64::from(self.horizon) / f64::from(self.window);
        Ok(Parts {
            model: discounted_purchases(&self.purchases, customer.summary(day)?, options) * each,
            last_year: customer.turnover(day, self.window) * years * evenly,
            features: customer.features(day),
        })
    }

    fn of_parts(&self, parts: &Parts, day: Day, margin: f64) -> f64 {
        let terms = terms(parts.model, parts.last_year, &parts.features);
        let learnt = self
            .weights
            .coefficients
            .iter()
            .fold(self.weights.intercept, |sum, c| sum + c.adds(terms[c.term]));
        let season = self.season.as_ref().map_or(1.0, |season| season.factor(day, self.horizon));
        (learnt + self.weights.base(parts.model, parts.last_year)).exp() * season * margin
    }

    /// The value within the horizon of a day, if the customer does nothing until then; `None` where the expected spend
    /// is infinite.
    ///
    /// # Errors
    /// An impossible history.
    pub fn value(&self, customer: &ValueCustomer, day: Day, options: &ValueOptions) -> Result<Option<f64>> {
        let Some(each) = self.spend.expected_spend(&customer.spent) else { return Ok(None) };
        let value = self.of_parts(&self.parts(customer, each, day, options)?, day, options.margin);
        Ok(value.is_finite().then_some(value))
    }

    /// The first day after `as_of`, and no later than `until`, on which the class of the value of a customer who stays
    /// silent is another, or a day before it from which the search has to go on; `None` if it stays.
    ///
    /// Between two days every part is monotone in silence: what the models expect falls, purchases leave the last
    /// year, counts fall and times grow. So each term lies between its values at the two ends, and the value between
    /// the products of the lesser and of the greater ones; where both are of the class of now, nothing changes
    /// between. Where they are not, the days are halved.
    ///
    /// # Errors
    /// A value too large for money, an impossible history.
    pub fn next_change<C: PartialEq>(
        &self,
        customer: &ValueCustomer,
        as_of: Day,
        until: Day,
        options: &ValueOptions,
        class: impl Fn(f64) -> Result<C>,
    ) -> Result<Option<Day>> {
        const MOST_LOOKS: u32 = 160;
        let Some(each) = self.spend.expected_spend(&customer.spent) else { return Ok(None) };
        let now = self.parts(customer, each, as_of, options)?;
        let of_now = class(self.of_parts(&now, as_of, options.margin))?;
        let (mut from, mut at, mut step, mut looks) = (as_of, now, 32, 0);
        while from < until {
            // Ends yet to be reached, the nearest last.
            let end = from.saturating_add(step).min(until);
            let mut ends = vec![(end, self.parts(customer, each, end, options)?)];
            while let Some((to, then)) = ends.pop() {
                looks += 1;
                if looks > MOST_LOOKS {
                    return Ok(Some(from.saturating_add(1)));
                }
                let (least, most) = self.bounds((from, &at), (to, &then), options.margin);
                if class(least)? == of_now && class(most)? == of_now {
                    (from, at) = (to, then);
                } else if to == from + 1 {
                    if class(self.of_parts(&then, to, options.margin))? != of_now {
                        return Ok(Some(to));
                    }
                    (from, at) = (to, then);
                } else {
                    let middle = from + (to - from) / 2;
                    ends.push((to, then));
                    ends.push((middle, self.parts(customer, each, middle, options)?));
                }
            }
            step = step.saturating_mul(2);
        }
        Ok(None)
    }

    /// The least and the greatest the value may be from one day to another, both ends among them.
    fn bounds(&self, (from, a): (Day, &Parts), (to, b): (Day, &Parts), margin: f64) -> (f64, f64) {
        // A share of rounding either way.
        const NEAR: f64 = 1e-9;
        let (base_a, base_b) =
            (self.weights.base(a.model, a.last_year), self.weights.base(b.model, b.last_year));
        let (mut least, mut most) = (self.weights.intercept + base_b, self.weights.intercept + base_a);
        // Both values fall: their ratio is least where one has fallen and the other not yet.
        let ratio = |model: f64, last_year: f64, otherwise: f64| match model > 0.0 && last_year > 0.0 {
            true => terms(model, last_year, &a.features)[0],
            false => otherwise,
        };
        for c in &self.weights.coefficients {
            let (low, high) = match c.term {
                0 => (
                    ratio(b.model, a.last_year, f64::NEG_INFINITY),
                    ratio(a.model, b.last_year, f64::INFINITY),
                ),
                term => (a.features[term - 1], b.features[term - 1]),
            };
            let (low, high) = (c.adds(low), c.adds(high));
            least += low.min(high);
            most += low.max(high);
        }
        let season = self.season.as_ref().map_or((1.0, 1.0), |season| season.range(from, to, self.horizon));
        // More than any money is all the same.
        const MOST: f64 = 1e14;
        let (low, high) = (least.exp() * season.0 * margin, most.exp() * season.1 * margin);
        let (low, high) = (low.min(high), low.max(high));
        ((low - NEAR * low.abs()).clamp(-MOST, MOST), (high + NEAR * high.abs()).clamp(-MOST, MOST))
    }
}
