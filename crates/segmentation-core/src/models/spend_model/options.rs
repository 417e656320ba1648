//! Families, which days count, options of a fit.

use serde_json::{Map, Value, json};

use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;

/// A family of spend models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SpendFamily {
    /// Gamma-Gamma on customers' means, as published.
    GammaGamma,
    /// Gamma-Gamma on day amounts, one shape for all.
    GammaGammaDays,
    /// Gamma-Gamma on day amounts, with latent classes of shape.
    #[default]
    GammaGammaMixture,
}

impl SpendFamily {
    const ALL: [Self; 3] = [Self::GammaGamma, Self::GammaGammaDays, Self::GammaGammaMixture];

    /// Its code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GammaGamma => "gamma_gamma",
            Self::GammaGammaDays => "gamma_gamma_days",
            Self::GammaGammaMixture => "gamma_gamma_mixture",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// The names of its parameters, in the order of the covariance.
    pub(super) fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::GammaGammaMixture => &["q", "scale"],
            _ => &["p", "q", "v"],
        }
    }
}

/// Which purchase days count as a customer's transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transactions {
    /// All purchase days after the first: the convention of lifetimes and of the published CDNOW fit.
    Repeat,
    /// All purchase days, of customers who bought on a second day.
    All,
    /// All purchase days, the only one of a one-time buyer too.
    Every,
    /// `repeat` or `every`: the one that foresees better what the last purchase day of repeat buyers came to, from the
    /// days before it. A fitted model has one of the others.
    Auto,
}

impl Transactions {
    /// Its code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::All => "all",
            Self::Every => "every",
            Self::Auto => "auto",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        [Self::Repeat, Self::All, Self::Every, Self::Auto].into_iter().find(|t| t.name() == name)
    }
}

/// Options of a spend model's fit. See [`SpendOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct SpendOptions {
    /// The family.
    pub family: SpendFamily,
    /// Which purchase days count.
    pub transactions: Transactions,
    /// Only customers who first bought on this day or later.
    pub first_purchase_from: Option<Day>,
    /// Only customers who first bought on this day or earlier.
    pub first_purchase_to: Option<Day>,
    /// The weight of a ridge on the logarithms of the parameters.
    pub penalty: f64,
}

impl Default for SpendOptions {
    fn default() -> Self {
        Self::of(SpendFamily::default())
    }
}

impl SpendOptions {
    /// The defaults of a family.
    #[must_use]
    pub fn of(family: SpendFamily) -> Self {
        let transactions = match family {
            SpendFamily::GammaGamma => Transactions::Repeat,
            _ => Transactions::Auto,
        };
        Self { family, transactions, first_purchase_from: None, first_purchase_to: None, penalty: 0.0 }
    }

    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `family`: `gamma_gamma_mixture` (default), `gamma_gamma_days` or `gamma_gamma`, the published fit of means
    /// * `transactions`: `repeat` (all but the first purchase day; default of `gamma_gamma`), `all` (of who bought on a
    ///   second day), `every` (one-time buyers too) or `auto` (`repeat` or `every`, by a back-test; default otherwise)
    /// * `first_purchase_from`, `first_purchase_to`: dates; the cohort fitted
    /// * `penalty`: 0 (default) to 1e6; adds -penalty/2 times the sum of the squares of the
    ///   log-parameters, taken from the starting values, to the log-likelihood
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = ["family", "transactions", "first_purchase_from", "first_purchase_to", "penalty"];
        let object = Object::new("options", "", value, &known)?;
        let family = match object.text("family")? {
            None => SpendFamily::default(),
            Some(name) => SpendFamily::parse(name).ok_or_else(|| {
                object.wrong("family", "one of gamma_gamma_mixture, gamma_gamma_days, gamma_gamma")
            })?,
        };
        let options = Self {
            family,
            transactions: match object.text("transactions")? {
                None => Self::of(family).transactions,
                Some(name) => Transactions::parse(name)
                    .ok_or_else(|| object.wrong("transactions", "one of repeat, all, every, auto"))?,
            },
            first_purchase_from: object.date("first_purchase_from")?,
            first_purchase_to: object.date("first_purchase_to")?,
            penalty: object.number("penalty", 0.0, 1e6)?.unwrap_or(0.0),
        };
        match (options.first_purchase_from, options.first_purchase_to) {
            (Some(from), Some(to)) if from > to => {
                Err(Error::invalid("first_purchase_from is later than first_purchase_to"))
            }
            _ => Ok(options),
        }
    }

    /// The JSON object with every field that is not at its default, and family and transactions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
        map.insert("family".to_owned(), json!(self.family.name()));
        map.insert("transactions".to_owned(), json!(self.transactions.name()));
        for (key, date) in
            [("first_purchase_from", self.first_purchase_from), ("first_purchase_to", self.first_purchase_to)]
        {
            if let Some(text) = date.and_then(|d| day::format(d).ok()) {
                map.insert(key.to_owned(), json!(text));
            }
        }
        if self.penalty != 0.0 {
            map.insert("penalty".to_owned(), json!(self.penalty));
        }
        Value::Object(map)
    }
}
