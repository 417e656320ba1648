//! What the shop sells and whom it writes to: categories, products, channels, campaigns.

use super::calendar::weekday;
use super::random::{Aspect, Random};
use crate::base::day::Day;

/// The channels by which the shop writes to its customers.
pub const CHANNELS: [&str; 5] = ["email", "sms", "mail", "phone", "push"];

/// The number of categories.
pub const CATEGORY_COUNT: usize = 14;

/// A product category.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Category {
    /// Code, snake_case.
    pub code: &'static str,
    /// The share of its products that are used up and bought again.
    pub consumable: f64,
    /// Lowest and highest list price, in cents.
    pub cents: (f64, f64),
    /// Mean gross margin, a share of the price.
    pub margin: f64,
    /// Typical days until a consumable is used up.
    pub lasts: f64,
}

const fn category(
    code: &'static str,
    consumable: f64,
    cents: (f64, f64),
    margin: f64,
    lasts: f64,
) -> Category {
    Category { code, consumable, cents, margin, lasts }
}

/// The categories; category ids are positions here, from 1.
pub const CATEGORIES: [Category; CATEGORY_COUNT] = [
    category("grocery", 0.95, (150.0, 6_000.0), 0.22, 21.0),
    category("household", 0.80, (200.0, 9_000.0), 0.30, 45.0),
    category("beauty", 0.75, (300.0, 12_000.0), 0.48, 60.0),
    category("health", 0.80, (300.0, 9_000.0), 0.35, 45.0),
    category("baby", 0.60, (300.0, 25_000.0), 0.28, 28.0),
    category("pets", 0.85, (250.0, 12_000.0), 0.32, 35.0),
    category("fashion", 0.00, (500.0, 30_000.0), 0.52, 0.0),
    category("home", 0.05, (500.0, 80_000.0), 0.42, 90.0),
    category("garden", 0.25, (300.0, 60_000.0), 0.38, 90.0),
    category("sport", 0.10, (500.0, 60_000.0), 0.40, 60.0),
    category("culture", 0.00, (300.0, 15_000.0), 0.25, 0.0),
    category("travel", 0.00, (800.0, 90_000.0), 0.18, 0.0),
    category("electronics", 0.05, (600.0, 150_000.0), 0.15, 90.0),
    category("office", 0.55, (200.0, 60_000.0), 0.33, 45.0),
];

/// Positions in [`CATEGORIES`] that life moments move.
pub(super) mod at {
    pub const BABY: usize = 4;
    pub const FASHION: usize = 6;
    pub const HOME: usize = 7;
    pub const GARDEN: usize = 8;
    pub const CULTURE: usize = 10;
    pub const TRAVEL: usize = 11;
    pub const OFFICE: usize = 13;
}

/// The number of hidden styles. Customers prefer products of their own style.
pub(super) const STYLES: usize = 5;

/// A product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Product {
    /// From 1.
    pub id: i32,
    /// Position in [`CATEGORIES`].
    pub category: usize,
    /// From 1 within the category.
    pub number: i32,
    /// List price, in cents.
    pub cents: i64,
    /// Gross margin, a share of the price.
    pub margin: f64,
    /// Pieces in stock at the end of the period.
    pub stock: i32,
    /// Used up and bought again, as opposed to durable.
    pub consumable: bool,
    /// Hidden: days until a consumable is used up, for a typical customer; 0 for durables.
    pub lasts: i32,
    /// Hidden: its style, 0 to 4.
    pub style: u8,
    /// Hidden: its popularity, uniform on 0 to 1.
    pub popularity: f64,
}

pub(super) fn products(seed: u64, count: u32) -> Vec<Product> {
    let mut random = Random::new(seed, 0, Aspect::Products);
    (0..count as usize)
        .map(|position| {
            let category = position * CATEGORY_COUNT / count as usize;
            let first = (category * count as usize).div_ceil(CATEGORY_COUNT);
            let spec = &CATEGORIES[category];
            let price = spec.cents.0 * libm::pow(spec.cents.1 / spec.cents.0, random.uniform());
            // Prices end in 9 or 5, as on a shelf.
            let cents = ((price / 10.0) as i64) * 10 + if random.chance(0.7) { 9 } else { 5 };
            let consumable = random.chance(spec.consumable);
            let lasts = spec.lasts * libm::exp(random.normal(0.0, 0.3));
            Product {
                id: position as i32 + 1,
                category,
                number: (position - first) as i32 + 1,
                cents,
                margin: (spec.margin + random.normal(0.0, 0.06)).clamp(0.02, 0.80),
                stock: if random.chance(0.03) { 0 } else { (random.exponential() * 120.0) as i32 + 1 },
                consumable,
                lasts: if consumable { (lasts as i32).max(7) } else { 0 },
                style: random.below(STYLES) as u8,
                popularity: random.uniform(),
            }
        })
        .collect()
}

/// Positions of the products of each category, cheapest first.
pub(super) fn shelves(products: &[Product]) -> Vec<Vec<u32>> {
    let mut shelves = vec![Vec::new(); CATEGORY_COUNT];
    for (position, product) in products.iter().enumerate() {
        shelves[product.category].push(position as u32);
    }
    for shelf in &mut shelves {
        shelf.sort_by_key(|position| (products[*position as usize].cents, *position));
    }
    shelves
}

/// A marketing campaign: one message, by one channel, on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    /// From 1, in the order of time.
    pub id: i32,
    /// When it is sent.
    pub sent_on: Day,
    /// Position in [`CHANNELS`].
    pub channel: usize,
    /// The category it is about: a position in [`CATEGORIES`].
    pub category: usize,
}

/// One campaign a week.
pub(super) fn campaigns(seed: u64, starts: Day, ends: Day) -> Vec<Campaign> {
    let mut random = Random::new(seed, 0, Aspect::Campaigns);
    let weights = CHANNELS.map(|channel| match channel {
        "email" => 0.38,
        "sms" => 0.20,
        "mail" => 0.14,
        "phone" => 0.10,
        _ => 0.18,
    });
    let mut campaigns = Vec::new();
    let mut monday = starts - weekday(starts) as i32 + 7;
    while monday + 6 <= ends {
        campaigns.push(Campaign {
            id: campaigns.len() as i32 + 1,
            sent_on: monday + random.below(7) as i32,
            channel: random.weighted(&weights),
            category: random.below(CATEGORY_COUNT),
        });
        monday += 7;
    }
    campaigns
}
