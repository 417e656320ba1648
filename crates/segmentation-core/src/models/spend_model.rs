//! The Gamma-Gamma model of spend per purchase, and future value.
//!
//! A customer's purchases vary by a gamma distribution of shape p around a mean that differs between
//! customers, again by a gamma distribution (shape q, rate v), and does not depend on how often they
//! buy (Colombo and Jiang 1999; Fader, Hardie and Lee 2005, "RFM and CLV", and Fader and Hardie's
//! note 025, 2013). With x purchases of mean m the likelihood is
//!
//! Γ(px+q) / (Γ(px) Γ(q)) m^(px-1) x^(px) v^q / (v + x m)^(px+q).

use std::collections::HashMap;

use foldhash::fast::RandomState;
use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::Checkpoint;
use crate::base::codec::{Reader, put, put_signed};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::memory::{self, Bytes};
use crate::base::money::Money;
use crate::base::warning::Warning;
use crate::math::covariance;
use crate::math::newton::{Evaluation, maximize};
use crate::math::special::{digamma, incomplete_beta, integrate, ln_gamma, trigamma};
use crate::models::purchase_model::{CustomerSummary, Scorer, check_horizon};

/// More distinct cells than this are refused: about half a gigabyte.
const MOST_CELLS: usize = 16_000_000;
/// A likelihood this much flatter in one direction than in another is not to be trusted.
const WORST_CONDITION: f64 = 1e6;

/// Which purchase days count as a customer's transactions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transactions {
    /// All purchase days after the first: the convention of lifetimes and of the published CDNOW fit.
    #[default]
    Repeat,
    /// All purchase days, of customers who bought on a second day.
    All,
}

impl Transactions {
    /// Its code.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::All => "all",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Repeat, Self::All].into_iter().find(|t| t.name() == name)
    }

    /// The spend summary of a customer, from ascending (purchase day, turnover of the day); days
    /// after `as_of` are as if they were not there. `None` without a purchase.
    ///
    /// # Errors
    /// If the amounts do not fit.
    pub fn summarize(
        self,
        days: impl IntoIterator<Item = (Day, Money)>,
        as_of: Day,
    ) -> Result<Option<SpendSummary>> {
        let mut days = days.into_iter().take_while(|&(d, _)| d <= as_of);
        let Some((_, first)) = days.next() else { return Ok(None) };
        let mut summary = SpendSummary { transactions: 0, total: Money::ZERO };
        for (_, amount) in days {
            summary.transactions = summary.transactions.saturating_add(1);
            summary.total = summary.total.checked_add(amount)?;
        }
        if self == Self::All && summary.transactions > 0 {
            summary.transactions = summary.transactions.saturating_add(1);
            summary.total = summary.total.checked_add(first)?;
        }
        Ok(Some(summary))
    }
}

/// What the model knows of one customer: transactions and what they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpendSummary {
    /// Number of transactions; 0 for one-time buyers.
    pub transactions: u32,
    /// Their total.
    pub total: Money,
}

impl SpendSummary {
    /// The mean spend of a transaction; 0 without one.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.transactions == 0 { 0.0 } else { self.total.to_f64() / f64::from(self.transactions) }
    }
}

/// Options of a spend model's fit. See [`SpendOptions::from_json`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpendOptions {
    /// Which purchase days count.
    pub transactions: Transactions,
    /// Only customers who first bought on this day or later.
    pub first_purchase_from: Option<Day>,
    /// Only customers who first bought on this day or earlier.
    pub first_purchase_to: Option<Day>,
    /// The weight of a ridge on the logarithms of the parameters.
    pub penalty: f64,
}

impl SpendOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `transactions`: `repeat` (default: all but the first purchase day) or `all`
    /// * `first_purchase_from`, `first_purchase_to`: dates; the cohort fitted
    /// * `penalty`: 0 (default) to 1e6; adds -penalty/2 times the sum of the squares of the
    ///   log-parameters, taken from the starting values, to the log-likelihood
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = ["transactions", "first_purchase_from", "first_purchase_to", "penalty"];
        let object = Object::new("options", "", value, &known)?;
        let options = Self {
            transactions: match object.text("transactions")? {
                None => Transactions::Repeat,
                Some(name) => Transactions::parse(name)
                    .ok_or_else(|| object.wrong("transactions", "\"repeat\" or \"all\""))?,
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

    /// The JSON object with every field that is not at its default.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut map = Map::new();
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

/// Reasons for leaving a customer out, in a fixed order.
const REASONS: [&str; 7] = [
    "no_history",
    "no_purchase",
    "after_as_of",
    "before_cohort",
    "after_cohort",
    "one_purchase_day",
    "no_positive_spend",
];

/// The mergeable sufficient state of a spend model's fit.
///
/// Customers of equal (transactions, total) share a cell; totals are exact, so that merging is and
/// its order leaves no trace. At most 16 million cells.
#[derive(Debug, Clone)]
pub struct SpendCells {
    as_of: Day,
    options: SpendOptions,
    cells: HashMap<SpendSummary, u64, RandomState>,
    customers: u64,
    skipped: [u64; REASONS.len()],
}

const VERSION: u8 = 1;

impl SpendCells {
    /// No customers yet.
    ///
    /// # Errors
    /// If `as_of` is outside the calendar.
    pub fn new(as_of: Day, options: SpendOptions) -> Result<Self> {
        Ok(Self {
            as_of: day::check(as_of)?,
            options,
            cells: HashMap::default(),
            customers: 0,
            skipped: [0; REASONS.len()],
        })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options the state was made with.
    #[must_use]
    pub fn options(&self) -> &SpendOptions {
        &self.options
    }

    /// Customers taken in.
    #[must_use]
    pub fn customers(&self) -> u64 {
        self.customers
    }

    /// Reason and count of the customers left out.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, u64)> {
        REASONS.into_iter().zip(self.skipped).filter(|(_, n)| *n > 0)
    }

    /// Distinct (transactions, total).
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no customer was taken in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.cells.capacity() * (size_of::<(SpendSummary, u64)>() + 1)
    }

    fn skip(&mut self, reason: &str) {
        if let Some(i) = REASONS.iter().position(|r| *r == reason) {
            self.skipped[i] = self.skipped[i].saturating_add(1);
        }
    }

    /// Counts a customer whose history is NULL.
    pub fn skip_null(&mut self) {
        self.skip("no_history");
    }

    /// Takes in one customer: ascending purchase days, each with the turnover of the day. A day
    /// after `as_of` does not count. One-time buyers, and customers whose transactions come to
    /// nothing or less, are skipped and counted.
    ///
    /// # Errors
    /// If amounts do not fit, or a limit on size is passed.
    pub fn add(&mut self, days: impl IntoIterator<Item = (Day, Money)>) -> Result<()> {
        let mut days = days.into_iter().peekable();
        let reason = match days.peek().map(|&(first, _)| first) {
            None => Some("no_purchase"),
            Some(first) if first > self.as_of => Some("after_as_of"),
            Some(first) if self.options.first_purchase_from.is_some_and(|d| first < d) => {
                Some("before_cohort")
            }
            Some(first) if self.options.first_purchase_to.is_some_and(|d| first > d) => Some("after_cohort"),
            Some(_) => None,
        };
        if let Some(reason) = reason {
            self.skip(reason);
            return Ok(());
        }
        match self.options.transactions.summarize(days, self.as_of)? {
            None => self.skip("no_purchase"),
            Some(summary) => self.add_summary(summary, 1)?,
        }
        Ok(())
    }

    /// Takes in `count` customers of one summary, as [`SpendCells::add`] does.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn add_summary(&mut self, summary: SpendSummary, count: u64) -> Result<()> {
        if summary.transactions == 0 || summary.total <= Money::ZERO {
            let reason = if summary.transactions == 0 { 5 } else { 6 };
            self.skipped[reason] = self.skipped[reason].saturating_add(count);
            return Ok(());
        }
        if count == 0 {
            return Ok(());
        }
        self.customers =
            self.customers.checked_add(count).filter(|&n| n <= 1 << 53).ok_or_else(|| {
                Error::new(ErrorKind::LimitExceeded, "too many customers for a spend model")
            })?;
        if self.cells.len() >= MOST_CELLS && !self.cells.contains_key(&summary) {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "too many different customers for a spend model",
            )
            .detail(format!("At most {MOST_CELLS} combinations of transactions and spend are kept."))
            .hint("Fit on a sample of the customers, or on one cohort at a time."));
        }
        memory::reserve(&mut self.cells, 1)?;
        *self.cells.entry(summary).or_insert(0) += count;
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If the two were made with other `as_of` or options, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.as_of != other.as_of || self.options != other.options {
            return Err(Error::invalid("cannot merge spend cells made with another as_of or other options"));
        }
        for (i, (&summary, &count)) in other.cells.iter().enumerate() {
            if i % 4096 == 0 {
                checkpoint();
            }
            self.add_summary(summary, count)?;
        }
        for (mine, theirs) in self.skipped.iter_mut().zip(other.skipped) {
            *mine = mine.saturating_add(theirs);
        }
        Ok(())
    }

    fn sorted(&self) -> Result<Vec<(SpendSummary, u64)>> {
        let mut cells = memory::collect(self.cells.iter().map(|(&s, &n)| (s, n)))?;
        cells.sort_unstable();
        Ok(cells)
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION]);
        put_signed(&mut out, i64::from(self.as_of));
        let options = self.options.to_json().to_string();
        put(&mut out, options.len() as u64);
        out.extend_from_slice(options.as_bytes());
        for count in self.skipped {
            put(&mut out, count);
        }
        put(&mut out, self.cells.len() as u64);
        let mut before = SpendSummary { transactions: 0, total: Money::ZERO };
        for (summary, count) in self.sorted()? {
            put(&mut out, u64::from(summary.transactions - before.transactions));
            // Totals are positive: their difference fits.
            put_signed(&mut out, summary.total.0 - before.total.0);
            put(&mut out, count);
            before = summary;
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`SpendCells::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "spend cells");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let bad = |reader: &Reader| reader.error("Its head is impossible.");
        let as_of = Day::try_from(reader.signed()?).map_err(|_| bad(&reader))?;
        let length = reader.number()?;
        let text = reader.take(length)?;
        let options: Value = serde_json::from_slice(text).map_err(|_| bad(&reader))?;
        let options = SpendOptions::from_json(&options).map_err(|_| bad(&reader))?;
        if options.to_json().to_string().as_bytes() != text {
            return Err(bad(&reader));
        }
        let mut state = Self::new(as_of, options).map_err(|_| bad(&reader))?;
        for slot in &mut state.skipped {
            *slot = reader.number()?;
        }
        let n = reader.count(3)?;
        if n > MOST_CELLS {
            return Err(reader.error("It has too many cells."));
        }
        memory::reserve(&mut state.cells, n)?;
        let mut before = SpendSummary { transactions: 0, total: Money::ZERO };
        for _ in 0..n {
            let step = reader.small()?;
            let transactions = before.transactions.checked_add(step);
            let total = before.total.0.checked_add(reader.signed()?);
            let count = reader.number()?;
            let (Some(transactions), Some(total)) = (transactions, total) else {
                return Err(reader.error("A cell is impossible."));
            };
            let summary = SpendSummary { transactions, total: Money(total) };
            if summary <= before || transactions == 0 || total <= 0 || count == 0 {
                return Err(reader.error("A cell is impossible."));
            }
            state.add_summary(summary, count)?;
            before = summary;
        }
        reader.finish()?;
        Ok(state)
    }
}

impl PartialEq for SpendCells {
    fn eq(&self, other: &Self) -> bool {
        let counts = |of: &Self| (of.as_of, of.customers, of.skipped);
        counts(self) == counts(other) && self.options == other.options && self.cells == other.cells
    }
}

/// A fitted Gamma-Gamma model.
///
/// As a JSON value: `{kind: "spend_model", version: 1, family: "gamma_gamma", transactions, as_of,
/// parameters {p, q, v}, standard_errors, covariance, log_likelihood, customers, cells,
/// skipped {reason: n}, warnings [{code, message}]}`.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendModel {
    /// Which purchase days count.
    pub transactions: Transactions,
    /// The end of observation of the fit.
    pub as_of: Day,
    /// Shape of the spend of one customer.
    pub p: f64,
    /// Shape of the rates of spend across customers.
    pub q: f64,
    /// Rate of the rates of spend, in money.
    pub v: f64,
    /// Covariance of (p, q, v); `None` where the likelihood is flat.
    pub covariance: Option<Array2<f64>>,
    /// At the maximum, without any penalty.
    pub log_likelihood: f64,
    /// Customers in the fit.
    pub customers: u64,
    /// Distinct (transactions, total) among them.
    pub cells: u64,
    /// Customers left out, by reason.
    pub skipped: Vec<(String, u64)>,
    /// Doubts.
    pub warnings: Vec<Warning>,
}

const NAMES: [&str; 3] = ["p", "q", "v"];

/// Fits the Gamma-Gamma model by maximum likelihood.
///
/// # Errors
/// [`ErrorKind::NotReady`] if no customer has a transaction with a positive spend, or the likelihood
/// has no finite value. Doubts that leave a usable model are its warnings.
pub fn fit_spend(cells: &SpendCells, checkpoint: Checkpoint) -> Result<SpendModel> {
    if cells.customers == 0 {
        return Err(Error::new(ErrorKind::NotReady, "no customer to fit a spend model to")
            .detail("A spend model needs customers who bought on at least two days, and spent something."));
    }
    let sorted = cells.sorted()?;
    checkpoint();
    let customers = cells.customers as f64;
    // The scale of the start is the data's own, so that the currency does not matter.
    let mean = sorted.iter().map(|(s, n)| s.mean() * *n as f64).sum::<f64>() / customers;
    let rows = memory::collect(sorted.iter().map(|(s, n)| (s.transactions, s.mean(), *n as f64)))?;
    let start = [1.0, 2.0, mean];
    let found =
        maximize(|at, c| likelihood(&rows, at, c), start, start, cells.options.penalty, &mut *checkpoint)
            .ok_or_else(|| {
                Error::new(ErrorKind::NotReady, "the spend model cannot be fitted to these customers")
                    .detail("The likelihood is not finite.")
            })?;
    let [p, q, v] = found.parameters;
    let mut warnings = Vec::new();
    if !found.converged {
        warnings
            .push(Warning::new("not_converged", "The search for the maximum ended before it was certain."));
    }
    if found.at_bound.contains(&true) || found.condition > WORST_CONDITION {
        let condition = if found.condition.is_finite() {
            format!("condition number {:.1e}", found.condition)
        } else {
            "no finite condition number".to_owned()
        };
        warnings.push(Warning::new(
            "not_identified",
            format!(
                "The likelihood is nearly flat in one direction ({condition}): single parameters mean little. Use \
                 more customers or the option penalty."
            ),
        ));
    }
    if q <= 1.0 {
        warnings.push(Warning::new(
            "infinite_mean",
            format!(
                "q = {q:.3} is not above 1: the mean spend across customers is infinite, and one-time buyers have no \
                 expected spend. Look for outliers, or use the option penalty."
            ),
        ));
    }
    if cells.customers < 100 {
        warnings.push(Warning::new(
            "few_customers",
            format!("Only {} customers: the parameters are uncertain.", cells.customers),
        ));
    }
    Ok(SpendModel {
        transactions: cells.options.transactions,
        as_of: cells.as_of,
        p,
        q,
        v,
        covariance: found.covariance,
        log_likelihood: found.log_likelihood,
        customers: cells.customers,
        cells: cells.len() as u64,
        skipped: REASONS
            .iter()
            .zip(cells.skipped)
            .filter(|(_, n)| *n > 0)
            .map(|(reason, n)| ((*reason).to_owned(), n))
            .collect(),
        warnings,
    })
}

/// The log-likelihood in (p, q, v); rows (transactions, mean, customers) ascend by transactions.
fn likelihood(rows: &[(u32, f64, f64)], &[p, q, v]: &[f64; 3], checkpoint: Checkpoint) -> Evaluation<3> {
    let mut sum = Evaluation::<3>::ZERO;
    let (ln_v, ln_q, dq, tq) = (v.ln(), ln_gamma(q), digamma(q), trigamma(q));
    let mut of_x = (0_u32, [0.0; 6]);
    for chunk in rows.chunks(1024) {
        checkpoint();
        for &(transactions, mean, n) in chunk {
            let x = f64::from(transactions);
            if of_x.0 != transactions {
                let (px, pxq) = (p * x, p * x + q);
                of_x = (
                    transactions,
                    [
                        ln_gamma(pxq) - ln_gamma(px),
                        digamma(px),
                        digamma(pxq),
                        trigamma(px),
                        trigamma(pxq),
                        x.ln(),
                    ],
                );
            }
            let [g, d_px, d_pxq, t_px, t_pxq, ln_x] = of_x.1;
            let (total, pxq) = (v + x * mean, p * x + q);
            let (ln_m, ln_total) = (mean.ln(), total.ln());
            sum.value += n * (g - ln_q + q * ln_v + (p * x - 1.0) * ln_m + p * x * ln_x - pxq * ln_total);
            sum.gradient[0] += n * x * (d_pxq - d_px + ln_m + ln_x - ln_total);
            sum.gradient[1] += n * (d_pxq - dq + ln_v - ln_total);
            sum.gradient[2] += n * (q / v - pxq / total);
            sum.hessian[0][0] += n * x * x * (t_pxq - t_px);
            sum.hessian[0][1] += n * x * t_pxq;
            sum.hessian[0][2] -= n * x / total;
            sum.hessian[1][1] += n * (t_pxq - tq);
            sum.hessian[1][2] += n * (1.0 / v - 1.0 / total);
            sum.hessian[2][2] += n * (pxq / (total * total) - q / (v * v));
        }
    }
    for i in 0..3 {
        for j in 0..i {
            sum.hessian[i][j] = sum.hessian[j][i];
        }
    }
    sum
}

impl SpendModel {
    /// The standard errors of (p, q, v).
    #[must_use]
    pub fn standard_errors(&self) -> Option<[f64; 3]> {
        let c = self.covariance.as_ref()?;
        Some([0, 1, 2].map(|i| c[[i, i]].sqrt()))
    }

    /// The JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let named = |values: [f64; 3]| -> Map<String, Value> {
            NAMES.iter().zip(values).map(|(n, v)| ((*n).to_owned(), json!(v))).collect()
        };
        let skipped: Map<String, Value> = self.skipped.iter().map(|(r, n)| (r.clone(), json!(n))).collect();
        json!({
            "kind": "spend_model",
            "version": 1,
            "family": "gamma_gamma",
            "transactions": self.transactions.name(),
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "parameters": named([self.p, self.q, self.v]),
            "standard_errors": self.standard_errors().map(named),
            "covariance": self.covariance.as_ref().map(covariance::to_json),
            "log_likelihood": self.log_likelihood,
            "customers": self.customers,
            "cells": self.cells,
            "skipped": skipped,
            "warnings": Warning::list(&self.warnings),
        })
    }

    /// Reads the JSON value, which may have been written or changed by anyone.
    ///
    /// # Errors
    /// Names the field that is missing, unknown, of a wrong kind or out of range.
    pub fn from_json(value: &Value) -> Result<Self> {
        let what = "a spend model";
        let kind = value.get("kind").and_then(Value::as_str);
        if value.is_object() && kind != Some("spend_model") {
            return Err(Error::invalid("value is not a spend model")
                .detail(match kind {
                    Some(kind) => {
                        format!("Its field \"kind\" is \"{}\".", kind.chars().take(40).collect::<String>())
                    }
                    None => "Its field \"kind\" is missing or no text.".to_owned(),
                })
                .hint("Use what fit_spend_model returned."));
        }
        let known = [
            "kind",
            "version",
            "family",
            "transactions",
            "as_of",
            "parameters",
            "standard_errors",
            "covariance",
            "log_likelihood",
            "customers",
            "cells",
            "skipped",
            "warnings",
        ];
        let object = Object::new(what, "", value, &known)?;
        if object.need_whole("version", 1, 1_000_000)? != 1 {
            return Err(object.wrong("version", "1"));
        }
        if object.need_text("family")? != "gamma_gamma" {
            return Err(object.wrong("family", "gamma_gamma"));
        }
        let fields = object.get("parameters").ok_or_else(|| object.wrong("parameters", "an object"))?;
        let fields = Object::new(what, "parameters", fields, &NAMES)?;
        let parameter = |name| fields.need_number(name, 1e-20, 1e40);
        if let Some(errors) = object.get("standard_errors") {
            // Redundant beside the covariance: checked, not used.
            let errors = Object::new(what, "standard_errors", errors, &NAMES)?;
            for name in NAMES {
                errors.need_number(name, 0.0, f64::MAX)?;
            }
        }
        let covariance = match object.list("covariance")? {
            None => None,
            Some(rows) => Some(covariance::from_json(rows, 3).ok_or_else(|| {
                object.wrong("covariance", "a symmetric 3 by 3 matrix with a positive diagonal")
            })?),
        };
        let mut skipped = Vec::new();
        if let Some(value) = object.get("skipped") {
            let fields = Object::new(what, "skipped", value, &REASONS)?;
            for reason in fields.keys() {
                skipped.push((reason.to_owned(), fields.whole(reason, 0, u64::MAX)?.unwrap_or(0)));
            }
        }
        Ok(Self {
            transactions: Transactions::parse(object.need_text("transactions")?)
                .ok_or_else(|| object.wrong("transactions", "\"repeat\" or \"all\""))?,
            as_of: object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date written yyyy-mm-dd"))?,
            p: parameter("p")?,
            q: parameter("q")?,
            v: parameter("v")?,
            covariance,
            log_likelihood: object.need_number("log_likelihood", f64::MIN, f64::MAX)?,
            customers: object.need_whole("customers", 0, u64::MAX)?,
            cells: object.need_whole("cells", 0, u64::MAX)?,
            skipped,
            warnings: Warning::read_list(&object)?,
        })
    }

    /// The expected spend of a transaction, given `frequency` transactions of mean spend `mean`:
    /// p (v + x m) / (p x + q - 1) (Fader and Hardie, note 025, equation 5).
    ///
    /// A customer without transactions, or whose mean is not positive, has the mean across customers
    /// as expectation. `None` where that is infinite (q <= 1) or the mean is no number.
    #[must_use]
    pub fn expected_spend(&self, frequency: u32, mean: f64) -> Option<f64> {
        let (shape, rate) = self.posterior(frequency, mean)?;
        let spend = self.p * rate / (shape - 1.0);
        (shape > 1.0 && spend.is_finite()).then_some(spend)
    }

    /// Shape and rate of what is known of the customer's rate of spend.
    fn posterior(&self, frequency: u32, mean: f64) -> Option<(f64, f64)> {
        if !mean.is_finite() {
            return None;
        }
        if frequency == 0 || mean <= 0.0 {
            return Some((self.q, self.v));
        }
        let x = f64::from(frequency);
        Some((self.q + self.p * x, self.v + x * mean))
    }
}

/// How future value counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueOptions {
    /// Days ahead.
    pub horizon_days: f64,
    /// What money a year later is worth less, as a share: 0.10 for 10 % a year.
    pub discount_rate: f64,
    /// What is left of turnover, as a share.
    pub margin: f64,
}

impl ValueOptions {
    /// Checked options.
    ///
    /// # Errors
    /// If the horizon is no horizon, the discount rate not above -1 and below 1000, or the margin not finite.
    pub fn new(horizon_days: f64, discount_rate: f64, margin: f64) -> Result<Self> {
        check_horizon(horizon_days)?;
        if !(discount_rate > -1.0 && discount_rate <= 1000.0) {
            return Err(Error::invalid("discount_rate must be above -1 and at most 1000")
                .detail(format!("It is {}.", crate::base::error::shown_number(discount_rate)))
                .hint("Write 0.10 for 10 % a year."));
        }
        if !(margin.is_finite() && margin.abs() <= 1e6) {
            return Err(Error::invalid("margin must be a number up to 1e6")
                .detail(format!("It is {}.", crate::base::error::shown_number(margin))));
        }
        Ok(Self { horizon_days, discount_rate, margin })
    }

    /// The force of interest by day: ln(1 + yearly rate) over a mean year.
    fn daily(&self) -> f64 {
        self.discount_rate.ln_1p() / DAYS_A_YEAR
    }
}

/// The days of the year that discount rates are given for.
const DAYS_A_YEAR: f64 = 365.25;

/// Expected purchases within the horizon, each discounted from its day: the integral of
/// e^(-dt) dE(t), by parts E(H) e^(-dH) + d times the integral of E(t) e^(-dt) dt.
#[must_use]
pub fn discounted_purchases(scorer: &Scorer, customer: CustomerSummary, options: &ValueOptions) -> f64 {
    let (h, d) = (options.horizon_days.max(0.0), options.daily());
    let total = scorer.expected_purchases(customer, h);
    if d == 0.0 || h == 0.0 {
        return total;
    }
    // E bends on the scale of what has been observed: even steps in its logarithm follow it.
    let scale = f64::from(customer.t_days()) + 30.0;
    let reach = (h / scale).ln_1p();
    let panels = (0.5 * reach + 0.05 * (d * h).abs()).ceil().clamp(1.0, 64.0);
    let area: f64 = (0..panels as u32)
        .map(|i| {
            let i = f64::from(i);
            integrate(reach * i / panels, reach * (i + 1.0) / panels, |u| {
                let t = scale * u.exp_m1();
                scorer.expected_purchases(customer, t) * (-d * t).exp() * (scale + t)
            })
        })
        .sum();
    (total * (-d * h).exp() + d * area).max(0.0)
}

/// Future value: expected purchases x expected spend x margin, discounted continuously.
///
/// `None` where the expected spend is infinite ([`SpendModel::expected_spend`]).
#[must_use]
pub fn future_value(
    scorer: &Scorer,
    spend: &SpendModel,
    customer: CustomerSummary,
    frequency: u32,
    mean: f64,
    options: &ValueOptions,
) -> Option<f64> {
    let each = spend.expected_spend(frequency, mean)?;
    let value = discounted_purchases(scorer, customer, options) * each * options.margin;
    value.is_finite().then_some(value)
}

/// The equal-tailed predictive interval of `level` of what the customer will bring.
///
/// The number of purchases has its predictive distribution; n purchases come to v' times a beta
/// prime distribution (pn, q'), where (q', v') is what is known of the customer's spend: both are
/// mixed exactly, except that numbers of purchases above 64 are taken in blocks of a thirty-second of
/// their size. The discount enters by its mean factor, discounted over plain expected purchases.
///
/// # Errors
/// If the level is not between 0 and 1. `None` if the mean is no number.
pub fn future_value_interval(
    scorer: &Scorer,
    spend: &SpendModel,
    customer: CustomerSummary,
    frequency: u32,
    mean: f64,
    options: &ValueOptions,
    level: f64,
) -> Result<Option<(f64, f64)>> {
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level must lie between 0 and 1")
            .detail(format!("It is {}.", crate::base::error::shown_number(level))));
    }
    let Some((shape, rate)) = spend.posterior(frequency, mean) else { return Ok(None) };
    let plain = scorer.expected_purchases(customer, options.horizon_days);
    if plain <= 0.0 {
        return Ok(Some((0.0, 0.0)));
    }
    let factor = discounted_purchases(scorer, customer, options) / plain * options.margin;
    // (number of purchases, probability), zero first.
    let mut counts: Vec<(f64, f64)> = Vec::new();
    let (mut n, mut above, mut width) = (0_u64, 1.0, 1_u64);
    while above > 1e-9 && counts.len() < 400 {
        let next = scorer.purchases_at_least(customer, n + width, options.horizon_days).min(above);
        counts.push((n as f64 + 0.5 * (width - 1) as f64, above - next));
        n += width;
        // Far out and improbable: wider steps keep the list short.
        if n > 64 {
            width = (n / 32).max(1);
        }
        above = next;
    }
    let tail = 0.5 * (1.0 - level);
    // P(sum of spend <= z): for n purchases, z / (v' + z) is Beta(pn, q').
    let below = |z: f64| -> f64 {
        counts
            .iter()
            .map(|&(n, probability)| {
                if n == 0.0 {
                    probability
                } else if probability == 0.0 {
                    0.0
                } else {
                    probability * incomplete_beta(spend.p * n, shape, z / (rate + z)).0
                }
            })
            .sum()
    };
    let quantile = |p: f64| -> f64 {
        if below(0.0) >= p {
            return 0.0;
        }
        let (mut low, mut high) = (0.0, rate.max(1e-9));
        while below(high) < p && high < 1e18 {
            low = high;
            high *= 4.0;
        }
        while high - low > 1e-6 * high {
            let middle = 0.5 * (low + high);
            if below(middle) < p { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let (a, b) = (factor * quantile(tail), factor * quantile(1.0 - tail));
    Ok(Some((a.min(b), a.max(b))))
}
