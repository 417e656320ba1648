//! A fitted purchase model as a value.

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::cells::Skipped;
use super::{Family, MAX_K};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::span::Span;
use crate::base::warning::Warning;
use crate::math::covariance;

/// A family that `auto` tried, and how well it foresaw on the inner days who buys nothing within the horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The family.
    pub family: Family,
    /// Its Erlang shape.
    pub k: Option<u32>,
    /// The mean logarithmic score, the higher the better. `None` if it could not be fitted, or no inner day was usable.
    pub log_score: Option<f64>,
    /// The Brier score of the same.
    pub brier: Option<f64>,
    /// The inner days.
    pub inner_days: Vec<Day>,
}

/// A fitted purchase model.
///
/// As a JSON value: `{kind: "purchase_model", version: 2, family, unit, as_of, parameters {r, alpha,
/// a, b | s, beta, k}, standard_errors, covariance, log_likelihood, customers, cells, skipped
/// {reason: n}, warnings [{code, message}]}` and, from `auto`, `candidates`.
#[derive(Debug, Clone, PartialEq)]
pub struct PurchaseModel {
    /// The family.
    pub family: Family,
    /// The Erlang shape; 1 for the families without one.
    pub k: u32,
    /// The unit of time of alpha and beta.
    pub unit: Span,
    /// The end of observation of the fit.
    pub as_of: Day,
    /// In the order of [`Family::parameter_names`].
    pub parameters: Vec<f64>,
    /// Covariance of the parameters, those that are not identified as if they were known to within their range; `None`
    /// where the likelihood has no curvature.
    pub covariance: Option<Array2<f64>>,
    /// Which parameters the data tell, in the same order: the others have no standard error.
    pub identified: Vec<bool>,
    /// At the maximum, without any penalty, of the purchase dates in units.
    pub log_likelihood: f64,
    /// Customers in the fit.
    pub customers: u64,
    /// Distinct (x, tx, T) among them.
    pub cells: u64,
    /// Customers left out.
    pub skipped: Skipped,
    /// Doubts.
    pub warnings: Vec<Warning>,
    /// What `auto` compared.
    pub candidates: Vec<Candidate>,
}

/// The range of a parameter that a stored model may have.
const LEAST: f64 = 1e-20;
const MOST: f64 = 1e20;

/// Version 1 had another measure in its candidates, and standard errors for every parameter.
const VERSION: u64 = 2;

const FIELDS: &[&str] = &[
    "kind",
    "version",
    "family",
    "unit",
    "as_of",
    "parameters",
    "standard_errors",
    "covariance",
    "log_likelihood",
    "customers",
    "cells",
    "skipped",
    "warnings",
    "candidates",
];

impl PurchaseModel {
    /// The parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<f64> {
        let i = self.family.parameter_names().iter().position(|n| *n == name)?;
        self.parameters.get(i).copied()
    }

    /// The standard errors, in the order of [`Family::parameter_names`]; none for what is not identified.
    #[must_use]
    pub fn standard_errors(&self) -> Option<Vec<Option<f64>>> {
        let covariance = self.covariance.as_ref()?;
        let errors = covariance.diag().into_iter().map(|v| v.sqrt()).zip(&self.identified);
        Some(errors.map(|(error, identified)| identified.then_some(error)).collect())
    }

    /// The JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let names = self.family.parameter_names();
        let named = |values: &[Option<f64>]| -> Map<String, Value> {
            names.iter().zip(values).map(|(n, v)| ((*n).to_owned(), json!(v))).collect()
        };
        let mut parameters = named(&self.parameters.iter().copied().map(Some).collect::<Vec<_>>());
        if self.family.is_erlang() {
            parameters.insert("k".to_owned(), json!(self.k));
        }
        let skipped: Map<String, Value> = self
            .skipped
            .counts()
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .map(|(reason, n)| (reason.to_owned(), json!(n)))
            .collect();
        let mut value = json!({
            "kind": "purchase_model",
            "version": VERSION,
            "family": self.family.name(),
            "unit": self.unit.text(),
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "parameters": parameters,
            "standard_errors": self.standard_errors().map(|v| named(&v)),
            "covariance": self.covariance.as_ref().map(covariance::to_json),
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "cells": self.cells,
            "skipped": skipped,
            "warnings": Warning::list(&self.warnings),
        });
        if !self.candidates.is_empty() {
            value["candidates"] = self
                .candidates
                .iter()
                .map(|c| {
                    let mut one = json!({ "family": c.family.name() });
                    if let Some(k) = c.k {
                        one["k"] = json!(k);
                    }
                    one["log_score"] = json!(c.log_score);
                    one["brier"] = json!(c.brier);
                    one["inner_days"] = c.inner_days.iter().flat_map(|d| day::format(*d)).collect();
                    one
                })
                .collect();
        }
        value
    }

    /// Reads the JSON value, which may have been written or changed by anyone.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, of a wrong kind or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let what = "a purchase model";
        let object = Object::of_kind(what, "purchase_model", value, FIELDS)?;
        if object.need_whole("version", 1, 1_000_000)? > VERSION {
            return Err(object.wrong("version", "1 or 2"));
        }
        let family = Family::parse(object.need_text("family")?).ok_or_else(|| {
            object.wrong("family", "one of nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_cnbd_k, mbg_cnbd_k")
        })?;
        let unit = Span::parse(object.need_text("unit")?)
            .ok_or_else(|| object.wrong("unit", "a whole number of days, weeks, months or years"))?;
        let as_of =
            object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date written yyyy-mm-dd"))?;

        let names = family.parameter_names();
        let mut known = names.to_vec();
        if family.is_erlang() {
            known.push("k");
        }
        let inner = |key: &str, known: &[&str]| {
            let value = object.get(key).ok_or_else(|| object.wrong(key, "an object"))?;
            Object::new(what, key, value, known)
        };
        let fields = inner("parameters", &known)?;
        let parameters =
            names.iter().map(|name| fields.need_number(name, LEAST, MOST)).collect::<Result<Vec<_>>>()?;
        let k = if family.is_erlang() { fields.need_whole("k", 1, u64::from(MAX_K))? as u32 } else { 1 };

        let covariance = object.list("covariance")?.map(|rows| covariance::from_json(rows, names.len()));
        let covariance = match covariance {
            Some(None) => {
                return Err(object.wrong(
                    "covariance",
                    format_args!("a symmetric {0} by {0} matrix with a positive diagonal", names.len()),
                ));
            }
            Some(some) => some,
            None => None,
        };
        // Beside the covariance they only say which parameters have none.
        let mut identified = vec![covariance.is_some(); names.len()];
        if object.get("standard_errors").is_some() {
            let fields = inner("standard_errors", names)?;
            for (name, identified) in names.iter().zip(&mut identified) {
                *identified = fields.number(name, 0.0, f64::MAX)?.is_some();
            }
        }

        let mut skipped = Skipped::default();
        if let Some(value) = object.get("skipped") {
            let reasons = Skipped::default().counts().map(|(reason, _)| reason);
            let fields = Object::new(what, "skipped", value, &reasons)?;
            for reason in fields.keys() {
                if let Some(slot) = skipped.slot(reason) {
                    *slot = fields.whole(reason, 0, u64::MAX)?.unwrap_or(0);
                }
            }
        }
        let candidates = object.list("candidates")?.unwrap_or_default();
        let candidates = candidates
            .iter()
            .enumerate()
            .map(|(i, value)| {
                let path = format!("candidates[{i}]");
                // Version 1 judged by the likelihood of what came after one inner day.
                let known = ["family", "k", "log_score", "brier", "inner_days", "log_likelihood_after_split"];
                let one = Object::new(what, &path, value, &known)?;
                one.number("log_likelihood_after_split", f64::MIN, f64::MAX)?;
                let wrong = || one.wrong("inner_days", "a list of dates");
                let days = one.list("inner_days")?.unwrap_or_default().iter();
                let days = days.map(|day| day.as_str().and_then(day::parse).ok_or_else(wrong));
                Ok(Candidate {
                    family: Family::parse(one.need_text("family")?)
                        .ok_or_else(|| one.wrong("family", "a family of purchase models"))?,
                    k: one.whole("k", 1, u64::from(MAX_K))?.map(|k| k as u32),
                    log_score: one.number("log_score", f64::MIN, 0.0)?,
                    brier: one.number("brier", 0.0, 1.0)?,
                    inner_days: days.collect::<Result<_>>()?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            family,
            k,
            unit,
            as_of,
            parameters,
            covariance,
            identified,
            log_likelihood: object.need_number("log_likelihood", f64::MIN, f64::MAX)?,
            customers: object.need_whole("customers", 0, u64::MAX)?,
            cells: object.need_whole("cells", 0, u64::MAX)?,
            skipped,
            warnings: Warning::read_list(&object)?,
            candidates,
        })
    }
}
