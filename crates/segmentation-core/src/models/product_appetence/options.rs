//! Options of a fit.

use serde_json::Value;

use crate::base::error::Result;
use crate::base::json::Object;

/// The most items that EASE can be asked for: a matrix of 3.2 GB, and minutes.
const MOST_EASE_ITEMS: u64 = 20_000;

/// What a fit can be told.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOptions {
    /// Days ahead for which probabilities are given, and the length of the inner split.
    pub horizon: i32,
    /// Whether probabilities are of being in the next basket instead, which is looked for within these days.
    pub next: bool,
    /// Item neighbours kept an item.
    pub neighbours: usize,
    /// With more items and more customers than this, discovery is by cosine neighbours instead of EASE, which holds
    /// a matrix of eight bytes times its square.
    pub ease_items: usize,
    /// Ridge of EASE; `None`: 0.4 of the customers, at most 1000.
    pub ridge: Option<f64>,
    /// Items bought by fewer customers are left out.
    pub min_customers: u32,
    /// Items kept at most: the most bought ones.
    pub max_items: usize,
    /// Customers on which the blend is learnt, at most.
    pub training_customers: usize,
    /// Megabytes of histories held at most; beyond it a sample of the customers.
    pub memory: usize,
    /// Length of the lists that a quality is measured on.
    pub k: usize,
    /// Bootstrap repetitions of a quality.
    pub bootstrap: usize,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self {
            horizon: 28,
            next: false,
            neighbours: 50,
            ease_items: 6000,
            ridge: None,
            min_customers: 2,
            max_items: 20_000,
            training_customers: 5000,
            memory: 512,
            k: 10,
            bootstrap: 500,
            seed: 1,
        }
    }
}

impl FitOptions {
    /// Reads the options; what is missing takes its default.
    ///
    /// # Errors
    /// Names the field that is unknown or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        const FIELDS: [&str; 12] = [
            "horizon",
            "next_within",
            "neighbours",
            "ease_items",
            "ridge",
            "min_customers",
            "max_items",
            "training_customers",
            "memory",
            "k",
            "bootstrap",
            "seed",
        ];
        let object = Object::new("options", "", value, &FIELDS)?;
        let d = Self::default();
        let whole = |key, least, most, default: usize| -> Result<usize> {
            Ok(object.whole(key, least, most)?.map_or(default, |n| n as usize))
        };
        let (horizon, next) = horizon(&object)?;
        Ok(Self {
            horizon: horizon.unwrap_or(d.horizon),
            next,
            neighbours: whole("neighbours", 1, 1000, d.neighbours)?,
            ease_items: whole("ease_items", 0, MOST_EASE_ITEMS, d.ease_items)?,
            ridge: object.number("ridge", 1e-6, 1e12)?,
            min_customers: whole("min_customers", 1, 1_000_000, d.min_customers as usize)? as u32,
            max_items: whole("max_items", 1, 100_000, d.max_items)?,
            training_customers: whole("training_customers", 1, 100_000, d.training_customers)?,
            memory: whole("memory", 1, 900, d.memory)?,
            k: whole("k", 1, 1000, d.k)?,
            bootstrap: whole("bootstrap", 0, 100_000, d.bootstrap)?,
            seed: object.whole("seed", 0, u64::MAX)?.unwrap_or(d.seed),
        })
    }
}

/// What "horizon" says when it is the next basket.
pub(super) const NEXT: &str = "next";

/// The field "horizon": days, or "next" with the days of "next_within"; and whether it is the next basket.
pub(super) fn horizon(object: &Object) -> Result<(Option<i32>, bool)> {
    let next = object.get("horizon").is_some_and(|v| v == NEXT);
    let days = |key| object.whole(key, 1, 3650).map(|days| days.map(|n| n as i32));
    if next {
        return Ok((days("next_within")?, true));
    }
    if object.get("next_within").is_some() {
        return Err(object.wrong("next_within", "left out unless \"horizon\" is \"next\""));
    }
    let days =
        days("horizon").map_err(|_| object.wrong("horizon", "a whole number from 1 to 3650, or \"next\""))?;
    Ok((days, false))
}
