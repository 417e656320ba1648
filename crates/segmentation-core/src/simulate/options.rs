//! What the caller may set, with its ranges.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::error::{Error, Result};

/// The settings of a simulation. Rates and lifetimes are in weeks, money in currency units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Make the order lines (and the repeats among the truth).
    pub lines: bool,
    /// Make the contacts and their responses.
    pub contacts: bool,
    /// Make the interactions.
    pub interactions: bool,
    /// Make the consent history.
    pub consents: bool,
    /// Make the history of attributes.
    pub attribute_history: bool,
    /// Make the subscriptions.
    pub subscriptions: bool,
    /// Store orders, lines, contacts and interactions in the order of time, as a real shop's
    /// tables are; otherwise customer by customer, which is quicker.
    pub chronological: bool,
    /// Make unlogged tables: quicker, and gone after a crash.
    pub unlogged: bool,
    /// Exactly the Pareto/NBD and Gamma-Gamma world: no profiles, seasons, moments, refunds or
    /// free orders in the purchases, and Erlang-1 gaps unless `regularity` says otherwise.
    pub pure: bool,
    /// The number of products.
    pub products: u32,
    /// The share of customers that never buy.
    pub prospects: f64,
    /// The share of customers that are companies.
    pub companies: f64,
    /// The share of orders that are refunded.
    pub refunds: f64,
    /// Customers register during the first so many days; by default half of the period.
    pub acquisition_days: Option<i32>,
    /// The Erlang shape k of the gaps of every customer; by default 1, 2 or 3, by customer.
    pub regularity: Option<u32>,
    /// Shape of the gamma distribution of purchase rates.
    pub r: f64,
    /// Rate of that distribution: mean purchases a week = r / alpha.
    pub alpha: f64,
    /// Shape of the gamma distribution of dropout rates.
    pub s: f64,
    /// Rate of that distribution: mean dropout rate a week = s / beta.
    pub beta: f64,
    /// Shape of the gamma distribution of a customer's order amounts.
    pub p: f64,
    /// Shape of the gamma distribution of their rate.
    pub q: f64,
    /// Rate of that distribution: mean amount of an order = p gamma / (q - 1).
    pub gamma: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lines: true,
            contacts: true,
            interactions: true,
            consents: true,
            attribute_history: true,
            subscriptions: true,
            chronological: true,
            unlogged: false,
            pure: false,
            products: 980,
            prospects: 0.05,
            companies: 0.08,
            refunds: 0.03,
            acquisition_days: None,
            regularity: None,
            r: 0.9,
            alpha: 6.7,
            s: 0.9,
            beta: 60.0,
            p: 4.0,
            q: 3.8,
            gamma: 42.0,
        }
    }
}

impl Options {
    /// Options from a JSON object; what it leaves out has its default.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParameter`] for what is not an object, for unknown keys, and
    /// for values of the wrong type or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let Value::Object(given) = value else {
            return Err(Error::invalid("options of the simulation must be a JSON object"));
        };
        let known = serde_json::to_value(Self::default()).unwrap_or_default();
        for (name, value) in given {
            if known.get(name).is_none() {
                let names: Vec<&str> =
                    known.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                return Err(Error::invalid(format!("unknown option \"{name}\" of the simulation"))
                    .hint(format!("The options are {}.", names.join(", "))));
            }
            // One by one, since serde's message does not name the culprit.
            let mut alone = serde_json::Map::new();
            alone.insert(name.clone(), value.clone());
            if Self::deserialize(&Value::Object(alone)).is_err() {
                return Err(Error::invalid(format!(
                    "option \"{name}\" of the simulation is of the wrong type"
                ))
                .detail(format!("It is {value}; its default is {}.", known[name])));
            }
        }
        let options = Self::deserialize(value)
            .map_err(|e| Error::invalid("invalid options for the simulation").detail(format!("{e}.")))?;
        options.check()?;
        Ok(options)
    }

    /// # Errors
    /// [`crate::ErrorKind::InvalidParameter`] for a value out of range.
    pub(super) fn check(&self) -> Result<()> {
        let ranges = [
            ("products", f64::from(self.products), 14.0, 100_000.0),
            ("prospects", self.prospects, 0.0, 1.0),
            ("companies", self.companies, 0.0, 1.0),
            ("refunds", self.refunds, 0.0, 1.0),
            ("acquisition_days", f64::from(self.acquisition_days.unwrap_or(1)), 1.0, 7_305.0),
            ("regularity", f64::from(self.regularity.unwrap_or(1)), 1.0, 10.0),
            ("r", self.r, 0.01, 100.0),
            ("alpha", self.alpha, 0.01, 100_000.0),
            ("s", self.s, 0.01, 100.0),
            ("beta", self.beta, 0.01, 100_000.0),
            ("p", self.p, 0.1, 100.0),
            ("q", self.q, 1.05, 100.0),
            ("gamma", self.gamma, 0.01, 100_000.0),
        ];
        for (name, value, low, high) in ranges {
            if !(low..=high).contains(&value) {
                return Err(Error::invalid(format!("option \"{name}\" of the simulation out of range"))
                    .detail(format!("It is {value}; from {low} to {high} are possible.")));
            }
        }
        Ok(())
    }
}
