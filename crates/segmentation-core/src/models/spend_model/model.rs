//! The fitted model, as a value; what is to be expected of a customer.

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::cells::REASONS;
use super::likelihood::{CLASSES, Row, SHAPES, by_class, ln_gammas, shares_of};
use super::options::{SpendFamily, Transactions};
use super::summary::SpendSummary;
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::money::Money;
use crate::base::warning::Warning;
use crate::math::covariance;
use crate::math::special::incomplete_beta;

/// How a customer's amounts vary, and how customers differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// One shape for all.
    One {
        /// Shape of the spend of one customer.
        p: f64,
        /// Shape of the rates of spend across customers.
        q: f64,
        /// Rate of the rates of spend, in money.
        v: f64,
    },
    /// Latent classes of shape p, in each of which v = scale / p: customers' means are inverse-gamma (q, scale) in all.
    Classes {
        /// Shape of the means across customers.
        q: f64,
        /// Scale of the means across customers, in money.
        scale: f64,
        /// The share of customers in each class.
        shares: [f64; CLASSES],
    },
}

/// A fitted spend model.
///
/// As a JSON value: `{kind: "spend_model", version: 1, family, transactions, as_of, parameters {p, q, v} or {q, scale},
/// classes [{shape, share}], standard_errors, covariance, nothing, compared {repeat, every}, log_likelihood, customers,
/// cells, skipped {reason: n}, warnings [{code, message}]}`. `nothing` is the share of purchase days that came to
/// nothing, `compared` the mean error of the last day foreseen, `classes` only those of the mixture.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendModel {
    /// The family.
    pub family: SpendFamily,
    /// Which purchase days count.
    pub transactions: Transactions,
    /// The end of observation of the fit.
    pub as_of: Day,
    /// The parameters.
    pub shape: Shape,
    /// Of the parameters; `None` where the likelihood is flat.
    pub covariance: Option<Array2<f64>>,
    /// The share of purchase days that came to nothing; 0 in the family of means, where they are part of the mean.
    pub nothing: f64,
    /// The mean error of the last purchase day foreseen by `repeat` and by `every`, where that was asked.
    pub compared: Option<[f64; 2]>,
    /// At the maximum, without any penalty.
    pub log_likelihood: f64,
    /// Customers in the fit.
    pub customers: u64,
    /// Distinct cells among them.
    pub cells: u64,
    /// Customers left out, by reason.
    pub skipped: Vec<(String, u64)>,
    /// Doubts.
    pub warnings: Vec<Warning>,
    /// What a single day of a customer counts for at most: the 99.9 % point of what days of any customer come to.
    pub(super) limit: Option<Money>,
}

/// What is known of a customer's spend, in one class of shape: amounts are gamma of shape `p`, with a rate that is gamma
/// of `shape` and `rate`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub weight: f64,
    pub p: f64,
    pub shape: f64,
    pub rate: f64,
}

impl SpendModel {
    /// What a single day of a customer counts for at most, see [`Transactions::summarize`]; `None`: anything.
    #[must_use]
    pub fn limit(&self) -> Option<Money> {
        self.limit
    }

    /// The summary of a customer's days that this model reads; `None` without a purchase by `as_of`.
    ///
    /// # Errors
    /// If the amounts do not fit.
    pub fn summarize(
        &self,
        days: impl IntoIterator<Item = (Day, Money)>,
        as_of: Day,
    ) -> Result<Option<SpendSummary>> {
        self.transactions.summarize(days, as_of, self.limit)
    }

    /// The expected spend of a transaction: in each class p (v + S) / (p x + q - 1) (Fader and Hardie, note 025,
    /// equation 5), by what the customer's amounts make of the classes.
    ///
    /// A customer without transactions has the mean across customers as expectation, and so has in the family of means
    /// who spent nothing. A day that came to nothing is a day like another in x, and nothing in S. `None` where the
    /// expectation is infinite (q <= 1).
    #[must_use]
    pub fn expected_spend(&self, spent: &SpendSummary) -> Option<f64> {
        let mut sum = 0.0;
        for known in self.posterior(spent) {
            if known.shape <= 1.0 {
                return None;
            }
            sum += known.weight * known.p * known.rate / (known.shape - 1.0);
        }
        sum.is_finite().then_some(sum)
    }

    /// What is known of a customer's spend.
    pub(super) fn posterior(&self, spent: &SpendSummary) -> Vec<Known> {
        let x = f64::from(spent.transactions);
        let total = spent.total.to_f64().max(0.0);
        let paid = 1.0 - self.nothing;
        match self.shape {
            Shape::One { p, q, v } => {
                let unknown = self.family == SpendFamily::GammaGamma && total <= 0.0;
                let (x, total) = if unknown { (0.0, 0.0) } else { (x, total) };
                vec![Known { weight: 1.0, p, shape: q + p * x, rate: v * paid + total }]
            }
            Shape::Classes { q, scale, shares } => {
                let row = Row::of_days(spent, 1.0);
                let weights = match row.x {
                    0 => shares,
                    x => shares_of(by_class(&row, q, scale, &ln_gammas(x, q)), &shares).1,
                };
                SHAPES
                    .iter()
                    .zip(weights)
                    .filter(|(_, weight)| *weight > 1e-12)
                    .map(|(&p, weight)| Known { weight, p, shape: q + p * x, rate: scale / p * paid + total })
                    .collect()
            }
        }
    }

    /// With the limit that follows from the parameters.
    pub(super) fn limited(mut self) -> Self {
        if self.family == SpendFamily::GammaGamma {
            return self;
        }
        let known = self.posterior(&SpendSummary::default());
        let weight: f64 = known.iter().map(|k| k.weight).sum();
        let below = |z: f64| -> f64 {
            known.iter().map(|k| k.weight * incomplete_beta(k.p, k.shape, z / (k.rate + z)).0).sum::<f64>()
                / weight
        };
        let (mut low, mut high) = (0.0, known.iter().fold(1e-4, |most: f64, k| most.max(k.rate)));
        while below(high) < 0.999 && high < 1e14 {
            low = high;
            high *= 4.0;
        }
        while high - low > 1e-6 * high {
            let middle = 0.5 * (low + high);
            if below(middle) < 0.999 { low = middle } else { high = middle }
        }
        self.limit = Money::from_f64(high).ok().filter(|limit| *limit > Money::ZERO);
        self
    }

    fn parameters(&self) -> Vec<f64> {
        match self.shape {
            Shape::One { p, q, v } => vec![p, q, v],
            Shape::Classes { q, scale, .. } => vec![q, scale],
        }
    }

    /// The standard errors of the parameters, in the order of the covariance.
    #[must_use]
    pub fn standard_errors(&self) -> Option<Vec<f64>> {
        let c = self.covariance.as_ref()?;
        Some((0..c.nrows()).map(|i| c[[i, i]].sqrt()).collect())
    }

    /// The JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let names = self.family.parameters();
        let named = |values: Vec<f64>| -> Map<String, Value> {
            names.iter().zip(values).map(|(n, v)| ((*n).to_owned(), json!(v))).collect()
        };
        let skipped: Map<String, Value> = self.skipped.iter().map(|(r, n)| (r.clone(), json!(n))).collect();
        let mut value = json!({
            "kind": "spend_model",
            "version": 1,
            "family": self.family.name(),
            "transactions": self.transactions.name(),
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "parameters": named(self.parameters()),
            "standard_errors": self.standard_errors().map(named),
            "covariance": self.covariance.as_ref().map(covariance::to_json),
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "cells": self.cells,
            "skipped": skipped,
            "warnings": Warning::list(&self.warnings),
        });
        if let Value::Object(fields) = &mut value {
            if let Shape::Classes { shares, .. } = &self.shape {
                let classes = SHAPES.iter().zip(shares).map(|(p, share)| json!({"shape": p, "share": share}));
                fields.insert("classes".to_owned(), classes.collect());
            }
            if self.family != SpendFamily::GammaGamma {
                fields.insert("nothing".to_owned(), json!(self.nothing));
            }
            if let Some([repeat, every]) = self.compared {
                fields.insert("compared".to_owned(), json!({"repeat": repeat, "every": every}));
            }
        }
        value
    }

    /// Reads the JSON value, which may have been written or changed by anyone.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, of a wrong kind or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let what = "a spend model";
        let known = [
            "kind",
            "version",
            "family",
            "transactions",
            "as_of",
            "parameters",
            "classes",
            "standard_errors",
            "covariance",
            "nothing",
            "compared",
            "log_likelihood",
            "customers",
            "cells",
            "skipped",
            "warnings",
        ];
        let object = Object::of_kind(what, "spend_model", value, &known)?;
        if object.need_whole("version", 1, 1_000_000)? != 1 {
            return Err(object.wrong("version", "1"));
        }
        let family = SpendFamily::parse(object.need_text("family")?).ok_or_else(|| {
            object.wrong("family", "one of gamma_gamma, gamma_gamma_days, gamma_gamma_mixture")
        })?;
        let shape = read_shape(what, &object, family)?;
        let names = family.parameters();
        if let Some(errors) = object.get("standard_errors") {
            // Redundant beside the covariance: checked, not used.
            let errors = Object::new(what, "standard_errors", errors, names)?;
            for name in names {
                errors.need_number(name, 0.0, f64::MAX)?;
            }
        }
        let covariance = match object.list("covariance")? {
            None => None,
            Some(rows) => Some(covariance::from_json(rows, names.len()).ok_or_else(|| {
                let n = names.len();
                object.wrong(
                    "covariance",
                    format_args!("a symmetric {n} by {n} matrix with a positive diagonal"),
                )
            })?),
        };
        let compared = match object.get("compared") {
            None => None,
            Some(value) => {
                let fields = Object::new(what, "compared", value, &["repeat", "every"])?;
                Some([
                    fields.need_number("repeat", 0.0, f64::MAX)?,
                    fields.need_number("every", 0.0, f64::MAX)?,
                ])
            }
        };
        let mut skipped = Vec::new();
        if let Some(value) = object.get("skipped") {
            let fields = Object::new(what, "skipped", value, &REASONS)?;
            for reason in fields.keys() {
                skipped.push((reason.to_owned(), fields.whole(reason, 0, u64::MAX)?.unwrap_or(0)));
            }
        }
        let transactions = Transactions::parse(object.need_text("transactions")?)
            .filter(|t| *t != Transactions::Auto)
            .ok_or_else(|| object.wrong("transactions", "one of repeat, all, every"))?;
        Ok(Self {
            family,
            transactions,
            as_of: object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date written yyyy-mm-dd"))?,
            shape,
            covariance,
            nothing: object.number("nothing", 0.0, 1.0)?.unwrap_or(0.0),
            compared,
            log_likelihood: object.need_number("log_likelihood", f64::MIN, f64::MAX)?,
            customers: object.need_whole("customers", 0, u64::MAX)?,
            cells: object.need_whole("cells", 0, u64::MAX)?,
            skipped,
            warnings: Warning::read_list(&object)?,
            limit: None,
        }
        .limited())
    }
}

fn read_shape(what: &'static str, object: &Object, family: SpendFamily) -> Result<Shape> {
    let fields = object.get("parameters").ok_or_else(|| object.wrong("parameters", "an object"))?;
    let fields = Object::new(what, "parameters", fields, family.parameters())?;
    let parameter = |name| fields.need_number(name, 1e-20, 1e40);
    if family != SpendFamily::GammaGammaMixture {
        return Ok(Shape::One { p: parameter("p")?, q: parameter("q")?, v: parameter("v")? });
    }
    let expected = || {
        let shapes = SHAPES.map(|p| p.to_string()).join(", ");
        object.wrong(
            "classes",
            format_args!("a list of {{shape, share}} with the shapes {shapes}, shares that sum to 1"),
        )
    };
    let classes = object.list("classes")?.filter(|list| list.len() == CLASSES).ok_or_else(expected)?;
    let mut shares = [0.0; CLASSES];
    for (k, class) in classes.iter().enumerate() {
        let fields = Object::new(what, "classes", class, &["shape", "share"])?;
        if fields.need_number("shape", 0.0, 1e3)? != SHAPES[k] {
            return Err(expected());
        }
        shares[k] = fields.need_number("share", 0.0, 1.0)?;
    }
    if (shares.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
        return Err(expected());
    }
    Ok(Shape::Classes { q: parameter("q")?, scale: parameter("scale")?, shares })
}
