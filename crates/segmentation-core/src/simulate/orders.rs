//! Orders and refunds.

use super::behaviour::{Customer, Purchasing};
use super::random::{Aspect, Random};
use super::shop::{ID_SPAN, Shop};
use crate::base::day::Day;

/// Purchases of one customer at most; refunds take the rest of the customer's span of ids.
const PURCHASE_LIMIT: usize = 4_999;
/// The largest amount of an order, in cents: ten million units.
const CENTS_LIMIT: f64 = 1e9;

/// An order or a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Customer x [`ID_SPAN`] + n, with n from 1 in the order of time.
    pub id: i64,
    /// The local day.
    pub ordered_on: Day,
    /// Microseconds from 2000-01-01 00:00 UTC.
    pub ordered_at: i64,
    /// In cents; negative for a refund.
    pub cents: i64,
    /// web, app, store or phone.
    pub channel: &'static str,
    /// The order that a refund pays back.
    pub refund_of: Option<i64>,
}

impl Shop {
    /// The orders and refunds of a customer, in the order of time.
    #[must_use]
    pub fn orders(&self, customer: &Customer) -> Vec<Order> {
        let Some(purchasing) = customer.purchasing else { return Vec::new() };
        let days = self.purchase_days(customer, &purchasing);
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Orders);
        let base = i64::from(customer.id) * ID_SPAN;
        let mut orders: Vec<Order> = Vec::with_capacity(days.len() + 1);
        for day in days {
            let channel = match (random.chance(customer.digital), random.uniform()) {
                (true, u) => {
                    if u < 0.62 {
                        "web"
                    } else {
                        "app"
                    }
                }
                (false, u) => {
                    if u < 0.92 {
                        "store"
                    } else {
                        "phone"
                    }
                }
            };
            let second = time_of_day(customer, channel, &mut random);
            let shape = self.options.p;
            let amount = random.gamma(shape, shape / purchasing.mean_spend);
            let cents = (amount * 100.0).round().clamp(1.0, CENTS_LIMIT) as i64;
            // Samples and gifts: an order of amount 0 is an order.
            let free = random.chance(0.004) && !self.options.pure;
            orders.push(Order {
                id: 0,
                ordered_on: day,
                ordered_at: self.calendar.instant(day, second),
                cents: if free { 0 } else { cents },
                channel,
                refund_of: None,
            });
        }
        orders.sort_by_key(|order| order.ordered_at);
        self.refunds(customer, &mut orders);
        for (n, order) in orders.iter_mut().enumerate() {
            order.id = base + n as i64 + 1;
        }
        let purchases: Vec<i64> = orders.iter().filter(|o| o.refund_of.is_none()).map(|o| o.id).collect();
        for order in &mut orders {
            order.refund_of = order.refund_of.and_then(|position| purchases.get(position as usize).copied());
        }
        orders
    }

    /// The days of the purchases: a renewal process with Erlang gaps in the customer's own time,
    /// which runs with the season, the life moments and the purchase rate.
    fn purchase_days(&self, customer: &Customer, purchasing: &Purchasing) -> Vec<Day> {
        let company = customer.company();
        let stop = purchasing.ends.min(f64::from(self.ends) + 1.0);
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Gaps);
        let k = f64::from(purchasing.regularity);
        let steps = if self.options.pure { vec![(customer.registered, 1.0)] } else { customer.rate_steps() };
        let mut days = vec![customer.registered];
        let mut neutral = self.calendar.neutral(company, purchasing.begins);
        let mut step = 0;
        'orders: while days.len() < PURCHASE_LIMIT {
            let mut left = 7.0 * random.gamma(k, k) / purchasing.rate;
            loop {
                let Some(&(_, factor)) = steps.get(step) else { break 'orders };
                let until = steps.get(step + 1).map_or(stop, |next| f64::from(next.0).min(stop));
                let available = factor * (self.calendar.neutral(company, until) - neutral);
                if left < available {
                    neutral += left / factor;
                    break;
                }
                if until >= stop {
                    break 'orders;
                }
                left -= available.max(0.0);
                neutral = self.calendar.neutral(company, until).max(neutral);
                step += 1;
            }
            let time = self.calendar.time(company, neutral);
            days.push((time as Day).clamp(customer.registered, self.ends));
        }
        days
    }

    /// Adds the refunds; until the ids are known, `refund_of` is the position among the purchases.
    fn refunds(&self, customer: &Customer, orders: &mut Vec<Order>) {
        if self.options.pure {
            return;
        }
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Refunds);
        for position in 0..orders.len() {
            let order = orders[position];
            if !random.chance(self.options.refunds) {
                continue;
            }
            let day = order.ordered_on + random.days(3, 25);
            let share = if random.chance(0.6) { 1.0 } else { random.between(0.2, 0.8) };
            let second = 9 * 3600 + random.below(9 * 3600) as u32;
            let cents = -((order.cents as f64 * share).round() as i64);
            if day <= self.ends && cents < 0 {
                orders.push(Order {
                    id: 0,
                    ordered_on: day,
                    ordered_at: self.calendar.instant(day, second),
                    cents,
                    channel: order.channel,
                    refund_of: Some(position as i64),
                });
            }
        }
        orders.sort_by_key(|order| order.ordered_at);
    }
}

/// Second of the local day: around the preferred hour; some web orders at any hour, midnight included.
fn time_of_day(customer: &Customer, channel: &str, random: &mut Random) -> u32 {
    let around = random.normal(f64::from(customer.preferred_hour) + 0.5, 2.2);
    let hour = match channel {
        "store" | "phone" => {
            if (9.0..20.0).contains(&around) {
                around
            } else {
                random.between(9.0, 20.0)
            }
        }
        _ if random.chance(0.05) => random.between(0.0, 24.0),
        _ => around.rem_euclid(24.0),
    };
    (hour * 3600.0) as u32
}
