//! What customers are interested in, from the categories they buy: shares shrunk towards those of
//! the population by a Dirichlet prior, so that one purchase does not make a passion.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;

/// Categories at most.
const MOST: usize = 10_000;

/// Purchases by category.
pub type Counts = BTreeMap<String, f64>;

/// Reads `{"category": n}`.
///
/// # Errors
/// Anything but an object of finite numbers, 0 or above.
pub fn counts(value: &Value) -> Result<Counts> {
    let wrong = || Error::invalid("counts must be a JSON object of numbers, 0 or above");
    let mut counts = Counts::new();
    for (category, n) in value.as_object().ok_or_else(wrong)? {
        let n = n.as_f64().filter(|n| (0.0..=1e15).contains(n)).ok_or_else(wrong)?;
        if n > 0.0 {
            counts.insert(category.clone(), n);
        }
    }
    Ok(counts)
}

/// The sums from which a population is fitted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Population {
    customers: u64,
    /// By category: the sum of the counts.
    totals: Counts,
    /// The sum over customers with n > 1 of (sum of c (c - 1)) / (n (n - 1)), and how many they are:
    /// how often two purchases of a customer fall into the same category.
    alike: f64,
    pairs: u64,
}

impl Population {
    /// Takes in a customer.
    ///
    /// # Errors
    /// Too many categories.
    pub fn add(&mut self, counts: &Counts) -> Result<()> {
        let n: f64 = counts.values().sum();
        if n > 0.0 {
            self.customers += 1;
            for (category, c) in counts {
                *self.totals.entry(category.clone()).or_default() += c;
            }
            if n > 1.0 {
                self.alike += counts.values().map(|c| c * (c - 1.0).max(0.0)).sum::<f64>() / (n * (n - 1.0));
                self.pairs += 1;
            }
        }
        self.check()
    }

    fn check(&self) -> Result<()> {
        if self.totals.len() > MOST {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many categories")
                .detail(format!("At most {MOST} are allowed.")));
        }
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// Too many categories.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.customers = self.customers.saturating_add(other.customers);
        self.alike += other.alike;
        self.pairs = self.pairs.saturating_add(other.pairs);
        for (category, n) in &other.totals {
            *self.totals.entry(category.clone()).or_default() += n;
        }
        self.check()
    }

    /// The model: shares of the population and the strength of the prior, by moments. Two purchases
    /// of a customer fall together with probability s2 + (1 - s2) / (strength + 1), where s2 is the
    /// sum of the squared shares.
    #[must_use]
    pub fn model(&self) -> Value {
        let total: f64 = self.totals.values().sum();
        let shares: Map<String, Value> =
            self.totals.iter().map(|(c, n)| (c.clone(), json!(n / total))).collect();
        let squares: f64 = self.totals.values().map(|n| (n / total).powi(2)).sum();
        let excess = (self.alike / self.pairs.max(1) as f64 - squares) / (1.0 - squares);
        // Between near certainty of sameness and none at all.
        let strength =
            if self.pairs == 0 || !excess.is_finite() { 10.0 } else { 1.0 / excess.clamp(1e-3, 0.9) - 1.0 };
        json!({
            "kind": "interest_model", "version": 1, "customers": self.customers, "strength": strength,
            "shares": if total > 0.0 { Value::Object(shares) } else { json!({}) },
        })
    }

    /// The stored form.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "customers": self.customers, "totals": self.totals, "alike": self.alike, "pairs": self.pairs })
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("interest counts", "", value, &["customers", "totals", "alike", "pairs"])?;
        Ok(Self {
            customers: object.need_whole("customers", 0, 1 << 53)?,
            totals: counts(object.get("totals").unwrap_or(&Value::Null))?,
            alike: object.need_number("alike", 0.0, 1e300)?,
            pairs: object.need_whole("pairs", 0, 1 << 53)?,
        })
    }
}

/// Shares of a population, and how strongly customers are drawn towards them.
#[derive(Debug, Clone, PartialEq)]
pub struct InterestModel {
    shares: Counts,
    strength: f64,
}

/// How much a customer is interested in a category.
#[derive(Debug, Clone, PartialEq)]
pub struct Interest {
    /// The category.
    pub category: String,
    /// The customer's purchases in it.
    pub n: f64,
    /// Their share of all the customer's purchases.
    pub share: f64,
    /// The share among everybody's purchases.
    pub population: f64,
    /// The customer's share, drawn towards everybody's.
    pub shrunk: f64,
    /// The shrunk share over everybody's.
    pub lift: f64,
}

impl InterestModel {
    /// Reads a model.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Self> {
        let fields = &["kind", "version", "customers", "strength", "shares"];
        let object = Object::new("interest model", "", value, fields)?;
        if object.text("kind")? != Some("interest_model") {
            return Err(object.wrong("kind", "\"interest_model\""));
        }
        Ok(Self {
            shares: counts(object.get("shares").unwrap_or(&Value::Null))?,
            strength: object.need_number("strength", 0.0, 1e9)?,
        })
    }

    /// The interests of a customer, the most particular first. Categories that the model has not
    /// seen are left out.
    #[must_use]
    pub fn interests(&self, counts: &Counts) -> Vec<Interest> {
        let known = |c: &str| counts.get(c).copied().unwrap_or(0.0);
        let n: f64 = self.shares.keys().map(|c| known(c)).sum();
        let mut interests: Vec<Interest> = self
            .shares
            .iter()
            .map(|(category, population)| {
                let own = known(category);
                let total = n + self.strength;
                let shrunk =
                    if total > 0.0 { (own + self.strength * population) / total } else { *population };
                Interest {
                    category: category.clone(),
                    n: own,
                    share: if n > 0.0 { own / n } else { 0.0 },
                    population: *population,
                    shrunk,
                    lift: shrunk / population,
                }
            })
            .collect();
        interests.sort_by(|a, b| b.lift.total_cmp(&a.lift).then_with(|| a.category.cmp(&b.category)));
        interests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinks_by_the_evidence() {
        let mut population = Population::default();
        for i in 0..100 {
            let (a, b) = if i % 2 == 0 { (8.0, 2.0) } else { (2.0, 8.0) };
            population.add(&Counts::from([("a".to_owned(), a), ("b".to_owned(), b)])).unwrap();
        }
        let model = population.model();
        // Two purchases fall together with (8 * 7 + 2 * 1) / 90; s2 = 1/2; excess .288889, strength 2.461538.
        assert!(
            (model["strength"].as_f64().unwrap() - (1.0 / (2.0 * (58.0 / 90.0 - 0.5)) - 1.0)).abs() < 1e-12
        );
        let model = InterestModel::from_json(&model).unwrap();
        let one = model.interests(&Counts::from([("a".to_owned(), 1.0)]));
        let many = model.interests(&Counts::from([("a".to_owned(), 100.0)]));
        assert!(one[0].category == "a" && one[0].lift > 1.0 && many[0].lift > one[0].lift);
        assert!(model.interests(&Counts::new()).iter().all(|i| (i.lift - 1.0).abs() < 1e-12));
        assert_eq!(Population::from_json(&population.to_json()).unwrap(), population);
    }
}
