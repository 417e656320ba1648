//! Order lines: what is in the basket.

use super::behaviour::Customer;
use super::catalog::{CATEGORIES, CATEGORY_COUNT, Product};
use super::orders::Order;
use super::random::{Aspect, Random};
use super::shop::Shop;
use crate::base::day::Day;

/// A line of an order. The amounts of an order's lines add up to the order's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The order.
    pub order_id: i64,
    /// From 1 within the order.
    pub number: i16,
    /// The product.
    pub product_id: i32,
    /// Pieces; negative for what a refund takes back.
    pub quantity: i32,
    /// In cents, after discount; negative in a refund.
    pub cents: i64,
}

/// Hidden: a consumable that a customer buys again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// The product.
    pub product_id: i32,
    /// Days until it is used up; it is bought at the first order after that.
    pub gap: i32,
}

impl Shop {
    /// The consumables that a customer buys again and again, up to three.
    #[must_use]
    pub fn repeats(&self, customer: &Customer) -> Vec<Repeat> {
        let mut repeats: Vec<Repeat> = Vec::new();
        if customer.purchasing.is_none() {
            return repeats;
        }
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Repeats);
        let mut weights = customer.tastes;
        for (weight, category) in weights.iter_mut().zip(&CATEGORIES) {
            *weight *= category.consumable;
        }
        for _ in 0..random.weighted(&[0.25, 0.30, 0.25, 0.20]) {
            let shelf = &self.shelves[random.weighted(&weights)];
            // From the cheaper two thirds: who buys often does not buy dear.
            let product = shelf
                .get(random.below(shelf.len() * 2 / 3 + 1))
                .and_then(|position| self.products.get(*position as usize));
            let gap = random.normal(0.0, 0.25);
            if let Some(product) = product.filter(|p| p.consumable)
                && repeats.iter().all(|r| r.product_id != product.id)
            {
                let gap = (f64::from(product.lasts) * libm::exp(gap)) as i32;
                repeats.push(Repeat { product_id: product.id, gap: gap.max(7) });
            }
        }
        repeats
    }

    /// The lines of a customer's orders, which are all of [`Shop::orders`].
    #[must_use]
    pub fn lines(&self, customer: &Customer, orders: &[Order]) -> Vec<Line> {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Lines);
        let mut stock: Vec<(Repeat, Option<Day>)> =
            self.repeats(customer).into_iter().map(|r| (r, None)).collect();
        let mut lines: Vec<Line> = Vec::with_capacity(orders.len() * 2);
        for order in orders {
            match order.refund_of {
                Some(refunded) => self.refund_lines(order, refunded, &mut lines),
                None => self.basket(customer, order, &mut stock, &mut random, &mut lines),
            }
        }
        lines
    }

    fn refund_lines(&self, order: &Order, refunded: i64, lines: &mut Vec<Line>) {
        // Orders come in the order of their ids, and so do the lines made so far.
        let first = lines.partition_point(|line| line.order_id < refunded);
        let last = lines.partition_point(|line| line.order_id <= refunded);
        let taken_back: Vec<Line> = lines[first..last].to_vec();
        let whole = taken_back.iter().map(|line| line.cents).sum::<i64>() == -order.cents;
        if whole {
            lines.extend(taken_back.into_iter().map(|line| Line {
                order_id: order.id,
                quantity: -line.quantity,
                cents: -line.cents,
                ..line
            }));
        } else if let Some(line) = taken_back.iter().max_by_key(|line| line.cents) {
            // Part of the money, for one piece of the dearest line.
            lines.push(Line {
                order_id: order.id,
                number: 1,
                product_id: line.product_id,
                quantity: -1,
                cents: order.cents,
            });
        }
    }

    fn basket(
        &self,
        customer: &Customer,
        order: &Order,
        stock: &mut [(Repeat, Option<Day>)],
        random: &mut Random,
        lines: &mut Vec<Line>,
    ) {
        let mut number = 0;
        let mut left = order.cents;
        let mut put = |product_id: i32, quantity: i32, cents: i64| {
            number += 1;
            lines.push(Line { order_id: order.id, number, product_id, quantity, cents });
        };
        // First what has been used up.
        for (repeat, bought) in stock.iter_mut() {
            let waited = bought.map(|day| order.ordered_on - day);
            let due = match waited {
                Some(waited) => f64::from(waited) >= f64::from(repeat.gap) * random.between(0.85, 1.15),
                None => random.chance(0.5),
            };
            if !due || random.chance(0.1) {
                continue;
            }
            let Some(product) = self.products.get(repeat.product_id as usize - 1) else { continue };
            let quantity = waited.map_or(1, |waited| (waited / repeat.gap).clamp(1, 2));
            let cents =
                (product.cents as f64 * f64::from(quantity) * (1.0 - discount(customer, random))) as i64;
            // Something is left for the rest of the basket.
            if cents + 100 <= left {
                put(product.id, quantity, cents);
                left -= cents;
                *bought = Some(order.ordered_on);
            }
        }
        // Then what one likes; a small rest buys one thing.
        let wanted = 1 + random.poisson(0.7).min(9);
        let wanted = wanted.min((left / 800) as usize + 1);
        let tastes = customer.tastes_on(order.ordered_on);
        let mut choices = [(0_usize, 0.0_f64); 10];
        let mut total = 0.0;
        for choice in &mut choices[..wanted] {
            let category = random.weighted(&tastes);
            let (low, high) = CATEGORIES[category].cents;
            let weight = libm::sqrt(libm::sqrt(low * high)) * libm::exp(random.normal(0.0, 0.3));
            *choice = (category, weight);
            total += weight;
        }
        for (position, (category, weight)) in choices[..wanted].iter().enumerate() {
            let last = position + 1 == wanted;
            let share = if last { left } else { (order_share(left, *weight, total)).min(left) };
            left -= share;
            total -= weight;
            let (product, quantity) = self.choose(customer, *category, share, random);
            put(product, quantity, share);
        }
    }

    /// The product of a category, and the pieces, that are to be had for so many cents.
    fn choose(&self, customer: &Customer, category: usize, cents: i64, random: &mut Random) -> (i32, i32) {
        let shelf = &self.shelves[category.min(CATEGORY_COUNT - 1)];
        let product = |place: usize| -> Option<&Product> {
            shelf.get(place).and_then(|position| self.products.get(*position as usize))
        };
        let (Some(cheapest), Some(dearest)) = (product(0), product(shelf.len().saturating_sub(1))) else {
            return (1, 1);
        };
        let listed = cents as f64 / (1.0 - discount(customer, random));
        // Several pieces where one could not cost so much, and sometimes by choice.
        let mut quantity = (listed / dearest.cents as f64).ceil().clamp(1.0, 9_999.0);
        if quantity < 2.0 && random.chance(0.2) && listed > 2.0 * cheapest.cents as f64 {
            quantity = 2.0;
        }
        let unit = (listed / quantity) as i64;
        let place = shelf.partition_point(|position| {
            self.products.get(*position as usize).is_some_and(|product| product.cents < unit)
        });
        // Among the neighbours in price, the most popular of three; one's own style counts.
        let window = 10.min(shelf.len());
        let first = place.saturating_sub(window / 3).min(shelf.len() - window);
        let mut best = (cheapest.id, f64::MIN);
        for _ in 0..3 {
            if let Some(candidate) = product(first + random.below(window)) {
                let appeal = candidate.popularity + if candidate.style == customer.style { 1.0 } else { 0.0 };
                if appeal > best.1 {
                    best = (candidate.id, appeal);
                }
            }
        }
        (best.0, quantity as i32)
    }
}

/// A discount, deeper for those who wait for it: 0 to 45 % of the list price.
fn discount(customer: &Customer, random: &mut Random) -> f64 {
    random.uniform() * (0.05 + 0.40 * customer.price_sensitivity)
}

fn order_share(left: i64, weight: f64, total: f64) -> i64 {
    (left as f64 * weight / total) as i64
}
