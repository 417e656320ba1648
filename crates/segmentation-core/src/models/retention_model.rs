//! Contracts: how long they last, from when they began and ended.
//!
//! Time is discrete: a contract is renewed or not at the end of each period (a month unless the
//! options say otherwise). Three families:
//!
//! | family | what | source |
//! |---|---|---|
//! | `kaplan_meier` | the share that survives, period by period, with bands; one curve a group | Kaplan, Meier 1958; bands on the log(-log) scale with Greenwood's variance |
//! | `shifted_beta_geometric` | a renewal rate that differs between customers by a beta distribution; reaches beyond the data | Fader, Hardie 2007 |
//! | `hazard` | logistic regression of ending on features and steps of tenure | Singer, Willett 1993 |
//!
//! Contracts that still run count up to `as_of` (right censoring); with `observed_from`, those that
//! began before it count only from then on (left truncation).

use std::borrow::Cow;
use std::collections::BTreeMap;

use ndarray::Array2;
use serde_json::{Map, Value, json};

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::memory::{self, Bytes};
use crate::math::newton::{Evaluation, maximize};
use crate::math::special::{digamma, ln_gamma, normal_quantile, trigamma};
use crate::models::churn_model::{self, ChurnModel, ChurnOptions, ChurnRows, FeatureValue, Features, Stored};
use crate::models::purchase_model::{Span, Warning};

/// The family of a retention model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// The share that survives, as observed.
    KaplanMeier,
    /// A renewal rate that differs between customers.
    ShiftedBetaGeometric,
    /// Logistic regression on features and tenure.
    Hazard,
}

impl Family {
    fn name(self) -> &'static str {
        match self {
            Family::KaplanMeier => "kaplan_meier",
            Family::ShiftedBetaGeometric => "shifted_beta_geometric",
            Family::Hazard => "hazard",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Family::KaplanMeier, Family::ShiftedBetaGeometric, Family::Hazard]
            .into_iter()
            .find(|f| f.name() == name)
    }
}

/// A period of a contract: calendar months, or days.
#[derive(Debug, Clone, PartialEq)]
enum Period {
    Months(i32),
    Days(f64),
}

fn period(span: &Span) -> Period {
    let (count, word) = span.text().split_once(' ').unwrap_or(("1", "month"));
    let count: i32 = count.parse().unwrap_or(1);
    match word.trim_end_matches('s') {
        "month" => Period::Months(count),
        "year" => Period::Months(count.saturating_mul(12)),
        _ => Period::Days(span.days()),
    }
}

impl Period {
    /// Whole periods from one day to another, and whether nothing is left over.
    fn completed(&self, from: Day, to: Day) -> Result<(u32, bool)> {
        match self {
            Period::Days(days) => {
                let count = f64::from(to - from) / days;
                Ok((count.floor() as u32, count.fract() == 0.0))
            }
            Period::Months(months) => {
                let at = |n: i32| day::add_months(from, n.saturating_mul(*months));
                let mut n = (f64::from(to - from) / (30.4375 * f64::from(*months))) as i32;
                while n > 0 && at(n)? > to {
                    n -= 1;
                }
                while at(n + 1).is_ok_and(|next| next <= to) {
                    n += 1;
                }
                Ok((n as u32, at(n)? == to))
            }
        }
    }

    /// Periods in an interval of months and days.
    fn count(&self, months: i32, days: f64) -> f64 {
        match self {
            Period::Months(unit) => (f64::from(months) + days / 30.4375) / f64::from(*unit),
            Period::Days(unit) => (f64::from(months) * 30.4375 + days) / unit,
        }
    }

    fn years(&self) -> f64 {
        match self {
            Period::Months(months) => f64::from(*months) / 12.0,
            Period::Days(days) => days / 365.25,
        }
    }
}

/// Options of a retention model's fit. See [`RetentionOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionOptions {
    /// The family; by default `hazard` if there are features, else `kaplan_meier`.
    pub family: Option<Family>,
    /// The length of a period.
    pub unit: Span,
    /// The first day of the log.
    pub observed_from: Option<Day>,
    /// For the regression of `hazard`, and `confidence` of all.
    pub regression: ChurnOptions,
    json: Value,
}

impl Default for RetentionOptions {
    fn default() -> Self {
        Self {
            family: None,
            unit: Span::parse("1 month").unwrap_or_else(|| unreachable!("a span")),
            observed_from: None,
            regression: ChurnOptions::default(),
            json: json!({}),
        }
    }
}

const OWN: [&str; 3] = ["family", "unit", "observed_from"];
const REGRESSION: [&str; 7] =
    ["ridge", "standardize", "min_level_rows", "max_levels", "base_levels", "confidence", "sample"];

impl RetentionOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// * `family`: `kaplan_meier`, `shifted_beta_geometric` or `hazard`; by default `hazard` if there
    ///   are features, else `kaplan_meier`
    /// * `unit`: the length of a period: `1 month` (default), `1 week`, `1 year`, ...; months and
    ///   years by the calendar
    /// * `observed_from`: a date; contracts that began before it count from then on only
    /// * `ridge`, `standardize`, `min_level_rows`, `max_levels`, `base_levels`, `confidence`, `sample`:
    ///   see [`ChurnOptions::from_json`]
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known: Vec<&str> = OWN.into_iter().chain(REGRESSION).collect();
        let object = Object::new("options", "", value, &known)?;
        let mut options = Self { json: value.clone(), ..Self::default() };
        if let Some(name) = object.text("family")? {
            let expected = "one of kaplan_meier, shifted_beta_geometric, hazard";
            options.family = Some(Family::parse(name).ok_or_else(|| object.wrong("family", expected))?);
        }
        if let Some(text) = object.text("unit")? {
            let expected = "a whole number of days, weeks, months or years, such as \"1 month\"";
            options.unit = Span::parse(text).ok_or_else(|| object.wrong("unit", expected))?;
        }
        options.observed_from = object.date("observed_from")?;
        let rest: Map<String, Value> = value
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| REGRESSION.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        options.regression = ChurnOptions::from_json(&Value::Object(rest))?;
        Ok(options)
    }
}

// Names that the state and the regression keep for themselves.
const ENTER: &str = " enter";
const EXIT: &str = " exit";
const STEP: &str = "tenure_periods";

/// Contracts that are not in the fit, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Skipped {
    /// `started` was NULL.
    null_started: u64,
    /// Begins after `as_of`.
    not_started: u64,
    /// Ended before it began.
    ended_before_start: u64,
    /// Ended before the log begins.
    before_observation: u64,
    /// No period completed.
    no_full_period: u64,
}

impl Skipped {
    fn counts(self) -> [(&'static str, u64); 5] {
        [
            ("null_started", self.null_started),
            ("not_started", self.not_started),
            ("ended_before_start", self.ended_before_start),
            ("before_observation", self.before_observation),
            ("no_full_period", self.no_full_period),
        ]
    }
}

/// The mergeable state: contracts by features and periods, with how many ended.
#[derive(Debug, Clone)]
pub struct Contracts {
    as_of: Day,
    options: RetentionOptions,
    rows: ChurnRows,
    skipped: Skipped,
}

const WHAT: &str = "contracts";
const VERSION: u8 = 1;

impl Contracts {
    /// No contracts yet.
    ///
    /// # Errors
    /// `as_of` is out of range.
    pub fn new(as_of: Day, options: RetentionOptions) -> Result<Self> {
        day::check(as_of)?;
        let rows = ChurnRows::new(options.regression.clone());
        Ok(Self { as_of, options, rows, skipped: Skipped::default() })
    }

    /// The end of observation.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &RetentionOptions {
        &self.options
    }

    /// Contracts taken in.
    #[must_use]
    pub fn contracts(&self) -> u64 {
        self.rows.seen()
    }

    /// Takes in one contract. What ends after `as_of` (or never: NULL, infinity) still runs.
    ///
    /// # Errors
    /// A date out of range; a feature with a name of the model's own.
    pub fn add(
        &mut self,
        started: Option<Day>,
        ended: Option<Day>,
        features: Option<&Features>,
    ) -> Result<()> {
        let Some(started) = started else {
            self.skipped.null_started += 1;
            return Ok(());
        };
        if started > self.as_of {
            self.skipped.not_started += 1;
            return Ok(());
        }
        day::check(started)?;
        let ended = ended.filter(|ended| *ended <= self.as_of);
        if ended.is_some_and(|ended| ended < started) {
            self.skipped.ended_before_start += 1;
            return Ok(());
        }
        let period = period(&self.options.unit);
        let enter = match self.options.observed_from {
            Some(from) if from > started => {
                if ended.is_some_and(|ended| ended < from) || from > self.as_of {
                    self.skipped.before_observation += 1;
                    return Ok(());
                }
                let (whole, exact) = period.completed(started, from)?;
                whole + u32::from(!exact)
            }
            _ => 0,
        };
        let exit = match ended {
            Some(ended) => {
                let (whole, exact) = period.completed(started, ended)?;
                // What ends within a period ends with it.
                (whole + u32::from(!exact)).max(1)
            }
            None => period.completed(started, self.as_of)?.0,
        };
        if exit <= enter {
            self.skipped.no_full_period += 1;
            return Ok(());
        }
        let mut all = features.cloned().unwrap_or_default();
        if let Some((name, _)) = all.0.iter().find(|(name, _)| [ENTER, EXIT, STEP].contains(&&**name)) {
            return Err(Error::invalid(format!("a feature cannot be named \"{name}\""))
                .hint("The retention model uses this name itself."));
        }
        all.0.push((Cow::Borrowed(ENTER), FeatureValue::Number(f64::from(enter))));
        all.0.push((Cow::Borrowed(EXIT), FeatureValue::Number(f64::from(exit))));
        all.0.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
        self.rows.insert(&all, 1.0, u64::from(ended.is_none()), u64::from(ended.is_some()))
    }

    /// Takes in another part of the same population.
    ///
    /// # Errors
    /// Another `as_of` or other options.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.as_of != other.as_of || self.options != other.options {
            return Err(Error::invalid("contracts with different as_of or options cannot be merged"));
        }
        let mine = &mut self.skipped;
        mine.null_started = mine.null_started.saturating_add(other.skipped.null_started);
        mine.not_started = mine.not_started.saturating_add(other.skipped.not_started);
        mine.ended_before_start = mine.ended_before_start.saturating_add(other.skipped.ended_before_start);
        mine.before_observation = mine.before_observation.saturating_add(other.skipped.before_observation);
        mine.no_full_period = mine.no_full_period.saturating_add(other.skipped.no_full_period);
        self.rows.merge(&other.rows)
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// None that an own state can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION]);
        out.extend_from_slice(&self.as_of.to_le_bytes());
        let options = self.options.json.to_string();
        put(&mut out, options.len() as u64);
        out.extend_from_slice(options.as_bytes());
        for (_, n) in self.skipped.counts() {
            put(&mut out, n);
        }
        out.extend_from_slice(&self.rows.to_bytes()?);
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`Contracts::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, WHAT);
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let mut as_of = [0; 4];
        as_of.copy_from_slice(reader.take(4)?);
        let len = reader.number()?;
        let options = std::str::from_utf8(reader.take(len)?).ok();
        let options = options.and_then(|text| serde_json::from_str(text).ok());
        let options = options.and_then(|value| RetentionOptions::from_json(&value).ok());
        let options = options.ok_or_else(|| reader.error("Its options cannot be read."))?;
        let mut state = Self::new(Day::from_le_bytes(as_of), options)
            .map_err(|_| reader.error("Its date is impossible."))?;
        let mut counts = [0; 5];
        for count in &mut counts {
            *count = reader.number()?;
            if *count > u64::MAX >> 8 {
                return Err(reader.error("A count is impossible."));
            }
        }
        let [null_started, not_started, ended_before_start, before_observation, no_full_period] = counts;
        state.skipped =
            Skipped { null_started, not_started, ended_before_start, before_observation, no_full_period };
        let rest = reader.rest();
        state.rows = ChurnRows::from_bytes(rest)?;
        state.decoded()?;
        let fits = *state.rows.options() == state.options.regression;
        if fits { Ok(state) } else { Err(reader.error("Its options do not fit.")) }
    }

    /// Distinct contracts, in an order of their own.
    fn decoded(&self) -> Result<Vec<Contract>> {
        let canonical = self.rows.canonical()?;
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid binary form of contracts");
        let mut list: Vec<Contract> = memory::with_capacity(canonical.len())?;
        canonical.each(|_, row| {
            let (mut enter, mut exit, mut features) = (None, None, Vec::new());
            for &(id, value) in &row.values {
                let name = canonical.names.get(id as usize).ok_or_else(invalid)?;
                let whole = |x: f64| (x.fract() == 0.0 && (0.0..4e6).contains(&x)).then_some(x as u32);
                match (name.as_str(), value) {
                    (ENTER, Stored::Number(x)) => enter = whole(x),
                    (EXIT, Stored::Number(x)) => exit = whole(x),
                    (_, Stored::Number(x)) => features.push((name.clone(), FeatureValue::Number(x))),
                    (_, Stored::Boolean(x)) => features.push((name.clone(), FeatureValue::Boolean(x))),
                    (_, Stored::Text(x)) => {
                        features.push((name.clone(), FeatureValue::Text(x.to_owned().into())));
                    }
                }
            }
            match (enter, exit) {
                (Some(enter), Some(exit)) if enter < exit && row.weight == 1.0 => {
                    list.push(Contract { features, enter, exit, running: row.stayed, ended: row.churned });
                    Ok(())
                }
                _ => Err(invalid()),
            }
        })?;
        Ok(list)
    }
}

/// Contracts of the same features and periods.
struct Contract {
    features: Vec<(String, FeatureValue<'static>)>,
    /// At risk in the periods after this one ...
    enter: u32,
    /// ... up to this one.
    exit: u32,
    running: u64,
    ended: u64,
}

impl Contract {
    fn all(&self) -> u64 {
        self.running + self.ended
    }
}

/// One period of a Kaplan-Meier curve in which contracts ended, or the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Periods of tenure.
    pub period: u32,
    /// Contracts that might have ended in it.
    pub at_risk: u64,
    /// Contracts that did.
    pub ended: u64,
    /// The share that is left after it.
    pub survival: f64,
    /// The band; `None` once nobody is left.
    pub band: Option<(f64, f64)>,
}

/// The Kaplan-Meier curve.
fn kaplan_meier(contracts: &[&Contract], z: f64) -> Vec<Point> {
    let last = contracts.iter().map(|c| c.exit).max().unwrap_or(0);
    let mut steps: BTreeMap<u32, (i64, u64)> = BTreeMap::new();
    for c in contracts {
        // At risk from the period after `enter` on, no more after `exit`.
        steps.entry(c.enter + 1).or_default().0 += c.all() as i64;
        steps.entry(c.exit + 1).or_default().0 -= c.all() as i64;
        steps.entry(c.exit).or_default().1 += c.ended;
    }
    let (mut at_risk, mut survival, mut variance) = (0_i64, 1.0_f64, 0.0);
    let mut curve = Vec::new();
    for (&period, &(change, ended)) in &steps {
        at_risk += change;
        let n = at_risk.max(0) as u64;
        if ended > 0 {
            let (d, n) = (ended as f64, n as f64);
            survival *= 1.0 - d / n;
            variance += d / (n * (n - d));
        }
        if ended == 0 && period != last {
            continue;
        }
        let band = if survival >= 1.0 {
            Some((1.0, 1.0))
        } else if survival > 0.0 {
            let log = survival.ln();
            let reach = z * variance.sqrt() / log.abs();
            Some((survival.powf(reach.exp()), survival.powf((-reach).exp())))
        } else {
            None
        };
        curve.push(Point { period, at_risk: n, ended, survival, band });
    }
    curve
}

/// A fitted shifted-beta-geometric distribution.
#[derive(Debug, Clone, PartialEq)]
struct Geometric {
    alpha: f64,
    beta: f64,
    covariance: Option<Array2<f64>>,
    log_likelihood: f64,
    warnings: Vec<Warning>,
}

/// ln B(a, b + t) - ln B(a, b): the share that survives t periods.
fn ln_survival(a: f64, b: f64, t: f64) -> f64 {
    ln_gamma(b + t) + ln_gamma(a + b) - ln_gamma(b) - ln_gamma(a + b + t)
}

/// Fits the shifted-beta-geometric distribution to contracts.
fn geometric(contracts: &[&Contract], checkpoint: Checkpoint) -> Result<Geometric> {
    let mut cells: BTreeMap<(u32, u32), (f64, f64)> = BTreeMap::new();
    let (mut ended, mut longest) = (0, 0);
    for c in contracts {
        let cell = cells.entry((c.enter, c.exit)).or_default();
        cell.0 += c.running as f64;
        cell.1 += c.ended as f64;
        ended += c.ended;
        longest = longest.max(c.exit - c.enter);
    }
    let all: u64 = contracts.iter().map(|c| c.all()).sum();
    if ended == 0 || longest < 2 {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a shifted-beta-geometric model")
            .detail(format!(
                "Of {all} contracts {ended} ended; some have to end and some to last more than one period."
            )));
    }
    let cells: Vec<((f64, f64), (f64, f64))> =
        cells.into_iter().map(|((n, x), counts)| ((f64::from(n), f64::from(x)), counts)).collect();
    let found = maximize(
        |&[a, b]: &[f64; 2], checkpoint| {
            checkpoint();
            let mut sum = Evaluation::<2>::ZERO;
            // Adds w times ln of Gamma(arguments that move with a and with b).
            let mut add = |w: f64, x: f64, by: (f64, f64)| {
                sum.value += w * ln_gamma(x);
                let (g, h) = (w * digamma(x), w * trigamma(x));
                sum.gradient[0] += g * by.0;
                sum.gradient[1] += g * by.1;
                sum.hessian[0][0] += h * by.0 * by.0;
                sum.hessian[0][1] += h * by.0 * by.1;
                sum.hessian[1][0] += h * by.0 * by.1;
                sum.hessian[1][1] += h * by.1 * by.1;
            };
            for &((enter, exit), (running, ended)) in &cells {
                // Ended in period t: B(a + 1, b + t - 1) / B(a, b); still running: B(a, b + t) / B(a, b);
                // both over the survival to `enter`.
                let all = running + ended;
                add(running, b + exit, (0.0, 1.0));
                add(ended, b + exit - 1.0, (0.0, 1.0));
                add(ended, a + 1.0, (1.0, 0.0));
                add(-ended, a, (1.0, 0.0));
                add(-all, a + b + exit, (1.0, 1.0));
                add(-all, b + enter, (0.0, 1.0));
                add(all, a + b + enter, (1.0, 1.0));
            }
            sum
        },
        [1.0, 1.0],
        [1.0, 1.0],
        0.0,
        checkpoint,
    );
    let not_fitted = || {
        Error::new(ErrorKind::NotReady, "a shifted-beta-geometric model could not be fitted")
            .detail("Its likelihood has no maximum that is a number.")
    };
    let found = found.ok_or_else(not_fitted)?;
    let mut warnings = Vec::new();
    if found.at_bound.contains(&true) || found.covariance.is_none() {
        warnings.push(Warning::new(
            "not_identified",
            "The customers do not seem to differ in their renewal rate, or too few renewals are seen: only the mean rate means something.",
        ));
    } else if !found.converged {
        warnings.push(Warning::new("not_converged", "The search for the best parameters did not end."));
    }
    let [alpha, beta] = found.parameters;
    Ok(Geometric {
        alpha,
        beta,
        covariance: found.covariance,
        log_likelihood: found.log_likelihood,
        warnings,
    })
}

/// A group of contracts with its curve and, by family, its parameters.
#[derive(Debug, Clone, PartialEq)]
struct Group {
    /// Its features as JSON; `None` for all contracts together.
    features: Option<Map<String, Value>>,
    contracts: u64,
    ended: u64,
    curve: Vec<Point>,
    geometric: Option<Geometric>,
}

/// A logistic regression of ending on features and steps of tenure.
#[derive(Debug, Clone, PartialEq)]
struct Hazard {
    model: ChurnModel,
    /// Where the steps of tenure end; the last has no end.
    steps: Vec<u32>,
}

/// A fitted retention model.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionModel {
    family: Family,
    unit: Span,
    as_of: Day,
    confidence: f64,
    /// All together first.
    groups: Vec<Group>,
    hazard: Option<Hazard>,
    skipped: Map<String, Value>,
    warnings: Vec<Warning>,
}

/// A group of contracts: its features (none for all contracts together) and who is in it.
type Members<'a> = (Option<Map<String, Value>>, Vec<&'a Contract>);

/// The most groups that have a curve of their own.
const MOST_GROUPS: usize = 200;
/// Fewer contracts than this are no fit.
const LEAST_CONTRACTS: u64 = 10;
/// A step of tenure has at least this many ends.
const STEP_ENDS: u64 = 20;
/// About as many steps of tenure are made.
const STEPS: u64 = 12;

fn feature_json(features: &[(String, FeatureValue)]) -> Map<String, Value> {
    let value = |v: &FeatureValue| match v {
        FeatureValue::Boolean(b) => json!(b),
        FeatureValue::Number(x) => json!(x),
        FeatureValue::Text(t) => json!(t),
        FeatureValue::Missing | FeatureValue::Nested => Value::Null,
    };
    features.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

/// Ends of the steps of tenure: each step has its share of the ends; the last is open.
fn steps(contracts: &[Contract]) -> Vec<u32> {
    let mut ends: BTreeMap<u32, u64> = BTreeMap::new();
    for c in contracts {
        *ends.entry(c.exit).or_default() += c.ended;
    }
    let total: u64 = ends.values().sum();
    let enough = (total / STEPS).max(STEP_ENDS);
    let (mut steps, mut so_far, mut left) = (Vec::new(), 0, total);
    for (&period, &n) in &ends {
        so_far += n;
        left -= n;
        if so_far >= enough && left >= STEP_ENDS {
            steps.push(period);
            so_far = 0;
        }
    }
    steps
}

fn step_name(steps: &[u32], i: usize) -> String {
    let from = if i == 0 { 1 } else { steps[i - 1] + 1 };
    match steps.get(i) {
        Some(&to) if to == from => format!("{from}"),
        Some(&to) => format!("{from}-{to}"),
        None => format!("{from}+"),
    }
}

fn fit_hazard(contracts: &[Contract], options: &ChurnOptions, checkpoint: Checkpoint) -> Result<Hazard> {
    let steps = steps(contracts);
    let mut rows = ChurnRows::new(options.clone());
    for (i, c) in contracts.iter().enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        let mut from = c.enter;
        while from < c.exit {
            let step = steps.partition_point(|&end| end <= from);
            let to = steps.get(step).copied().unwrap_or(u32::MAX).min(c.exit);
            let last = to == c.exit;
            let periods = u64::from(to - from) * c.all();
            let ends = if last { c.ended } else { 0 };
            let mut features =
                Features(c.features.iter().map(|(n, v)| (Cow::Borrowed(n.as_str()), v.clone())).collect());
            features.0.push((Cow::Borrowed(STEP), FeatureValue::Text(step_name(&steps, step).into())));
            features.0.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
            rows.insert(&features, 1.0, periods - ends, ends)?;
            from = to;
        }
    }
    let mut options = options.clone();
    options.base_levels.entry(STEP.to_owned()).or_insert_with(|| step_name(&steps, 0));
    let rows = rows.with_options(options);
    let model = churn_model::fit(&rows, checkpoint)?;
    Ok(Hazard { model, steps })
}

/// Fits the model.
///
/// # Errors
/// [`ErrorKind::NotReady`] with too few contracts; more than 200 groups.
pub fn fit(state: &Contracts, checkpoint: Checkpoint) -> Result<RetentionModel> {
    let contracts = state.decoded()?;
    checkpoint();
    let total: u64 = contracts.iter().map(Contract::all).sum();
    let ended: u64 = contracts.iter().map(|c| c.ended).sum();
    if total < LEAST_CONTRACTS {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a retention model").detail(
            format!(
                "There are {total} contracts with a period completed; at least {LEAST_CONTRACTS} are needed."
            ),
        ));
    }
    let with_features = contracts.iter().any(|c| !c.features.is_empty());
    let family =
        state.options.family.unwrap_or(if with_features { Family::Hazard } else { Family::KaplanMeier });
    let confidence = state.options.regression.confidence;
    let z = normal_quantile(0.5 + 0.5 * confidence);
    let mut by_group: BTreeMap<String, Members<'_>> = BTreeMap::new();
    by_group.insert(String::new(), (None, contracts.iter().collect()));
    if family != Family::Hazard && with_features {
        for c in &contracts {
            let features = feature_json(&c.features);
            let key = Value::Object(features.clone()).to_string();
            by_group.entry(key).or_insert_with(|| (Some(features), Vec::new())).1.push(c);
            if by_group.len() > MOST_GROUPS + 1 {
                return Err(Error::new(ErrorKind::LimitExceeded, "too many groups of contracts")
                    .detail(format!(
                        "At most {MOST_GROUPS} different values of features are allowed for curves by group."
                    ))
                    .hint("Use fewer features, or the family \"hazard\"."));
            }
        }
    }
    let mut warnings = Vec::new();
    let mut groups = Vec::new();
    for (features, list) in by_group.into_values() {
        checkpoint();
        let fitted = match family {
            Family::ShiftedBetaGeometric => match geometric(&list, &mut *checkpoint) {
                Ok(fitted) => Some(fitted),
                Err(error) if error.kind == ErrorKind::NotReady && features.is_some() => {
                    let name = Value::Object(features.clone().unwrap_or_default());
                    warnings.push(Warning::new(
                        "insufficient_data",
                        format!(
                            "Group {name}: {}. The model of all contracts is used for it.",
                            error.message
                        ),
                    ));
                    None
                }
                Err(error) => return Err(error),
            },
            _ => None,
        };
        groups.push(Group {
            features,
            contracts: list.iter().map(|c| c.all()).sum(),
            ended: list.iter().map(|c| c.ended).sum(),
            curve: kaplan_meier(&list, z),
            geometric: fitted,
        });
    }
    let hazard = match family {
        Family::Hazard => Some(fit_hazard(&contracts, &state.options.regression, checkpoint)?),
        _ => None,
    };
    if ended == 0 {
        warnings.push(Warning::new("no_ends", "No contract ended: nothing is known of when they do."));
    }
    if state.rows.fraction() < 1.0 {
        warnings.push(Warning::new(
            "sampled",
            format!("The fit is on a sample of {} of the distinct contracts.", state.rows.fraction()),
        ));
    }
    let skipped = state.skipped.counts().into_iter().filter(|(_, n)| *n > 0);
    let skipped = skipped.map(|(reason, n)| (reason.to_owned(), n.into())).collect();
    Ok(RetentionModel {
        family,
        unit: state.options.unit.clone(),
        as_of: state.as_of,
        confidence,
        groups,
        hazard,
        skipped,
        warnings,
    })
}

/// Money and time of a remaining value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Brought at each renewal.
    pub margin: f64,
    /// Yearly.
    pub discount_rate: f64,
}

/// What survives of a customer's contract: made for one set of features.
pub struct Survival<'a> {
    model: &'a RetentionModel,
    group: &'a Group,
    /// Log survival at the ends of the steps, and the log of what survives one period of each step.
    hazard: Vec<(f64, f64, f64)>,
}

impl RetentionModel {
    /// The family.
    #[must_use]
    pub fn family(&self) -> Family {
        self.family
    }

    /// Periods in an interval of months and days.
    ///
    /// # Errors
    /// A negative interval.
    pub fn periods(&self, name: &str, months: i32, days: f64) -> Result<f64> {
        let count = period(&self.unit).count(months, days);
        if (0.0..=1e6).contains(&count) {
            Ok(count)
        } else {
            Err(Error::invalid(format!("{name} must not be negative, nor longer than a million periods")))
        }
    }

    /// The survival of a customer with these features.
    ///
    /// # Errors
    /// A feature of another kind than in the model.
    pub fn survival(&self, features: &Features) -> Result<Survival<'_>> {
        let whole = self.groups.first().ok_or_else(|| Error::invalid("the model has no curve"))?;
        let given: Vec<(String, FeatureValue)> =
            features.0.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
        let given = feature_json(&given);
        let group = self.groups.iter().find(|group| group.features.as_ref() == Some(&given)).unwrap_or(whole);
        let group = if self.family == Family::ShiftedBetaGeometric && group.geometric.is_none() {
            whole
        } else {
            group
        };
        let mut hazard = Vec::new();
        if let Some(h) = &self.hazard {
            let (mut start, mut log) = (0.0, 0.0);
            for step in 0..=h.steps.len() {
                crate::base::host::pause();
                let mut all = features.clone();
                all.0.retain(|(name, _)| name != STEP);
                all.0.push((Cow::Borrowed(STEP), FeatureValue::Text(step_name(&h.steps, step).into())));
                let each = -crate::math::special::softplus(h.model.log_odds(&all)?);
                hazard.push((start, log, each));
                if let Some(&end) = h.steps.get(step) {
                    log += (f64::from(end) - start) * each;
                    start = f64::from(end);
                }
            }
        }
        Ok(Survival { model: self, group, hazard })
    }
}

impl Survival<'_> {
    /// The share that survives so many periods; `None` beyond what was observed (`kaplan_meier`).
    #[must_use]
    pub fn at(&self, periods: f64) -> Option<f64> {
        match self.model.family {
            Family::KaplanMeier => {
                let last = self.group.curve.last()?;
                let reached = periods + 1e-9;
                if reached >= f64::from(last.period) + 1.0 && last.survival > 0.0 {
                    return None;
                }
                let n = self.group.curve.partition_point(|p| f64::from(p.period) <= reached);
                Some(n.checked_sub(1).map_or(1.0, |i| self.group.curve[i].survival))
            }
            Family::ShiftedBetaGeometric => {
                let g = self.group.geometric.as_ref()?;
                Some(ln_survival(g.alpha, g.beta, periods).exp())
            }
            Family::Hazard => {
                let i = self.hazard.partition_point(|(start, ..)| *start <= periods).checked_sub(1)?;
                let (start, log, each) = *self.hazard.get(i)?;
                Some((log + (periods - start) * each).exp())
            }
        }
    }

    /// Probability of ending within the horizon for who has lasted `tenure` periods.
    #[must_use]
    pub fn churn_probability(&self, tenure: f64, horizon: f64) -> Option<f64> {
        let now = self.at(tenure).filter(|s| *s > 0.0)?;
        Some((1.0 - self.at(tenure + horizon)? / now).clamp(0.0, 1.0))
    }

    /// Expected periods from now on within the horizon, the one that runs included.
    #[must_use]
    pub fn expected_lifetime(&self, tenure: f64, horizon: f64, checkpoint: Checkpoint) -> Option<f64> {
        let now = self.at(tenure).filter(|s| *s > 0.0)?;
        let (mut sum, mut passed) = (0.0, 0.0);
        while passed < horizon {
            if (passed as u64).is_multiple_of(1024) {
                checkpoint();
            }
            sum += self.at(tenure + passed)? / now * (horizon - passed).min(1.0);
            passed += 1.0;
        }
        Some(sum)
    }

    /// Expected discounted margin of the renewals within the horizon: one at the end of each period.
    ///
    /// # Errors
    /// Terms that are not finite or out of range.
    pub fn value(
        &self,
        tenure: f64,
        horizon: f64,
        terms: Terms,
        checkpoint: Checkpoint,
    ) -> Result<Option<f64>> {
        if !(terms.margin.is_finite() && terms.margin.abs() <= 1e12) {
            return Err(Error::invalid("margin must be a number from -1e12 to 1e12"));
        }
        if !(-0.5..=10.0).contains(&terms.discount_rate) {
            return Err(Error::invalid("discount_rate must be a number from -0.5 to 10"));
        }
        let Some(now) = self.at(tenure).filter(|s| *s > 0.0) else { return Ok(None) };
        let each = (1.0 + terms.discount_rate).powf(-period(&self.model.unit).years());
        let (mut sum, mut discount) = (0.0, 1.0);
        for n in 1..=(horizon + 1e-9) as u64 {
            if n % 1024 == 0 {
                checkpoint();
            }
            discount *= each;
            let Some(then) = self.at(tenure + n as f64) else { return Ok(None) };
            sum += discount * then / now;
        }
        Ok(Some(sum * terms.margin))
    }

    /// The observed curve of the customer's group.
    #[must_use]
    pub fn curve(&self) -> &[Point] {
        &self.group.curve
    }

    /// The first period after which at most half is left; `None` if that is not seen.
    #[must_use]
    pub fn median(&self) -> Option<u32> {
        median(&self.group.curve)
    }
}

fn median(curve: &[Point]) -> Option<u32> {
    curve.iter().find(|p| p.survival <= 0.5).map(|p| p.period)
}

const FIELDS: &[&str] = &[
    "kind",
    "version",
    "family",
    "unit",
    "as_of",
    "confidence",
    "contracts",
    "ended",
    "groups",
    "hazard",
    "skipped",
    "warnings",
];

impl RetentionModel {
    /// The JSON value: `{kind: "retention_model", version: 1, family, unit, as_of, confidence, contracts, ended,
    /// groups [{features, contracts, ended, median, parameters {alpha, beta}, standard_errors, log_likelihood,
    /// curve [{period, at_risk, ended, survival, lower, upper}]}], hazard {steps, model}, skipped, warnings}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut warnings = self.warnings.clone();
        let groups: Vec<Value> = self
            .groups
            .iter()
            .map(|g| {
                let curve: Vec<Value> = g
                    .curve
                    .iter()
                    .map(|p| {
                        json!({
                            "period": p.period,
                            "at_risk": p.at_risk,
                            "ended": p.ended,
                            "survival": p.survival,
                            "lower": p.band.map(|b| b.0),
                            "upper": p.band.map(|b| b.1),
                        })
                    })
                    .collect();
                let mut map = Map::new();
                map.insert("features".into(), g.features.clone().map_or(Value::Null, Value::Object));
                map.insert("contracts".into(), g.contracts.into());
                map.insert("ended".into(), g.ended.into());
                map.insert("median".into(), median(&g.curve).into());
                if let Some(fitted) = &g.geometric {
                    warnings.extend(fitted.warnings.iter().cloned());
                    let errors = fitted
                        .covariance
                        .as_ref()
                        .map(|c| json!({ "alpha": c[[0, 0]].sqrt(), "beta": c[[1, 1]].sqrt() }));
                    map.insert("parameters".into(), json!({ "alpha": fitted.alpha, "beta": fitted.beta }));
                    map.insert("standard_errors".into(), errors.into());
                    map.insert("log_likelihood".into(), fitted.log_likelihood.into());
                }
                map.insert("curve".into(), curve.into());
                Value::Object(map)
            })
            .collect();
        warnings.dedup();
        let hazard = self.hazard.as_ref().map(|h| json!({ "steps": h.steps, "model": h.model.to_json() }));
        let whole = self.groups.first();
        json!({
            "kind": "retention_model",
            "version": 1,
            "family": self.family.name(),
            "unit": self.unit.text(),
            "as_of": day::format(self.as_of).unwrap_or_default(),
            "confidence": self.confidence,
            "contracts": whole.map(|g| g.contracts),
            "ended": whole.map(|g| g.ended),
            "groups": groups,
            "hazard": hazard,
            "skipped": self.skipped,
            "warnings": Warning::list(&warnings),
        })
    }

    /// Reads the JSON value, which may have been written by anyone.
    ///
    /// # Errors
    /// Names the field that is missing or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let what = "retention model";
        let object = Object::new(what, "", value, FIELDS)?;
        if object.need_text("kind")? != "retention_model" {
            return Err(object.wrong("kind", "\"retention_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let family = Family::parse(object.need_text("family")?)
            .ok_or_else(|| object.wrong("family", "one of kaplan_meier, shifted_beta_geometric, hazard"))?;
        let unit = Span::parse(object.need_text("unit")?)
            .ok_or_else(|| object.wrong("unit", "a whole number of days, weeks, months or years"))?;
        let as_of = object.date("as_of")?.ok_or_else(|| object.wrong("as_of", "a date"))?;
        let mut groups = Vec::new();
        for (i, value) in object.list("groups")?.unwrap_or_default().iter().enumerate() {
            let known = [
                "features",
                "contracts",
                "ended",
                "median",
                "parameters",
                "standard_errors",
                "log_likelihood",
                "curve",
            ];
            let path = format!("groups[{i}]");
            let one = Object::new(what, &path, value, &known)?;
            let mut curve: Vec<Point> = Vec::new();
            for (j, value) in one.list("curve")?.unwrap_or_default().iter().enumerate() {
                let known = ["period", "at_risk", "ended", "survival", "lower", "upper"];
                let point = Object::new(what, &format!("{path}.curve[{j}]"), value, &known)?;
                let period = point.need_whole("period", 1, u64::from(u32::MAX))? as u32;
                if curve.last().is_some_and(|last| last.period >= period) {
                    return Err(point.wrong("period", "greater than the one before"));
                }
                let (lower, upper) = (point.number("lower", 0.0, 1.0)?, point.number("upper", 0.0, 1.0)?);
                curve.push(Point {
                    period,
                    at_risk: point.need_whole("at_risk", 0, u64::MAX)?,
                    ended: point.need_whole("ended", 0, u64::MAX)?,
                    survival: point.need_number("survival", 0.0, 1.0)?,
                    band: lower.zip(upper),
                });
            }
            let geometric = match one.get("parameters") {
                None => None,
                Some(value) => {
                    let p = Object::new(what, &format!("{path}.parameters"), value, &["alpha", "beta"])?;
                    Some(Geometric {
                        alpha: p.need_number("alpha", 1e-12, 1e12)?,
                        beta: p.need_number("beta", 1e-12, 1e12)?,
                        covariance: None,
                        log_likelihood: one.number("log_likelihood", f64::MIN, f64::MAX)?.unwrap_or(0.0),
                        warnings: Vec::new(),
                    })
                }
            };
            groups.push(Group {
                features: one
                    .get("features")
                    .map(|v| v.as_object().cloned().ok_or_else(|| one.wrong("features", "an object")))
                    .transpose()?,
                contracts: one.need_whole("contracts", 0, u64::MAX)?,
                ended: one.need_whole("ended", 0, u64::MAX)?,
                curve,
                geometric,
            });
        }
        let whole = groups.first().ok_or_else(|| object.wrong("groups", "a list that is not empty"))?;
        if family == Family::ShiftedBetaGeometric && whole.geometric.is_none() {
            return Err(object.wrong("groups", "a list whose first element has parameters"));
        }
        let hazard = match object.get("hazard") {
            None => None,
            Some(value) => {
                let h = Object::new(what, "hazard", value, &["steps", "model"])?;
                let wrong = || h.wrong("steps", "a rising list of whole numbers from 1 on");
                let list = h.list("steps")?.unwrap_or_default().iter();
                let steps: Option<Vec<u32>> =
                    list.map(|v| v.as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0)).collect();
                let steps = steps.filter(|s| s.windows(2).all(|w| w[0] < w[1])).ok_or_else(wrong)?;
                let model = h.get("model").ok_or_else(|| h.wrong("model", "a churn model"))?;
                Some(Hazard { model: ChurnModel::from_json(model)?, steps })
            }
        };
        if hazard.is_some() != (family == Family::Hazard) {
            return Err(object.wrong("hazard", "there for the family \"hazard\", and for no other"));
        }
        Ok(Self {
            family,
            unit,
            as_of,
            confidence: object.number("confidence", 0.5, 0.9999)?.unwrap_or(0.95),
            groups,
            hazard,
            skipped: Map::new(),
            warnings: Warning::read_list(&object)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cohort(options: &str, survivors: &[u32]) -> RetentionModel {
        let mut state = Contracts::new(
            366 * 30,
            RetentionOptions::from_json(&serde_json::from_str(options).unwrap()).unwrap(),
        )
        .unwrap();
        // They began so many years before as_of as are followed; who is left runs on.
        let years = survivors.len() as i32 - 1;
        let start = day::add_months(state.as_of(), -12 * years).unwrap();
        for t in 0..survivors.len() {
            let leave = survivors[t] - survivors.get(t + 1).copied().unwrap_or(0);
            for _ in 0..leave {
                let ended =
                    (t < years as usize).then(|| day::add_months(start, 12 * (t as i32 + 1)).unwrap());
                state.add(Some(start), ended, None).unwrap();
            }
        }
        let again = Contracts::from_bytes(&state.to_bytes().unwrap()).unwrap();
        assert_eq!(again.to_bytes().unwrap(), state.to_bytes().unwrap());
        fit(&again, &mut || {}).unwrap()
    }

    #[test]
    fn fader_hardie_2007() {
        // "How to Project Customer Retention", table 1 and figure 4: seven years of 1,000 customers.
        let options = r#"{"family": "shifted_beta_geometric", "unit": "1 year"}"#;
        for (survivors, alpha, beta, log_likelihood, twelve) in [
            ([1000, 869, 743, 653, 593, 551, 517, 491], 0.668, 3.806, -1611.158, 0.390),
            ([1000, 631, 468, 382, 326, 289, 262, 241], 0.704, 1.182, -1680.265, 0.170),
        ] {
            let model = cohort(options, &survivors);
            let g = model.groups[0].geometric.as_ref().unwrap();
            assert!((g.alpha - alpha).abs() < 5.1e-4, "{} {}", g.alpha, alpha);
            assert!((g.beta - beta).abs() < 5.1e-4, "{} {}", g.beta, beta);
            assert!((g.log_likelihood - log_likelihood).abs() < 6e-2, "{}", g.log_likelihood);
            let s = model.survival(&Features::default()).unwrap();
            assert!((s.at(12.0).unwrap() - twelve).abs() < 2e-2, "{:?}", s.at(12.0));
            // Retention rises: the longer a customer has stayed, the less likely to leave next.
            assert!(s.churn_probability(0.0, 1.0) > s.churn_probability(5.0, 1.0));
            let back = RetentionModel::from_json(&model.to_json()).unwrap();
            assert_eq!(back.survival(&Features::default()).unwrap().at(7.5), s.at(7.5));
        }
    }

    #[test]
    fn kaplan_meier_by_hand() {
        // Periods 1, 2, 2+, 3, 4+ (+ still runs).
        let list: Vec<Contract> = [(1, true), (2, true), (2, false), (3, true), (4, false)]
            .map(|(exit, ended)| Contract {
                features: Vec::new(),
                enter: 0,
                exit,
                running: u64::from(!ended),
                ended: u64::from(ended),
            })
            .into();
        let curve = kaplan_meier(&list.iter().collect::<Vec<_>>(), 1.959_963_984_540_054);
        let survival: Vec<f64> = curve.iter().map(|p| p.survival).collect();
        assert_eq!(curve.iter().map(|p| p.at_risk).collect::<Vec<_>>(), [5, 4, 2, 1]);
        for (s, expected) in survival.iter().zip([0.8, 0.6, 0.3, 0.3]) {
            assert!((s - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn calendar_months() {
        let month = period(&Span::parse("1 month").unwrap());
        let d = |t| day::parse(t).unwrap();
        assert_eq!(month.completed(d("2024-01-31"), d("2024-02-29")).unwrap(), (1, true));
        assert_eq!(month.completed(d("2024-01-31"), d("2024-03-30")).unwrap(), (1, false));
        assert_eq!(month.completed(d("2020-01-01"), d("2026-01-01")).unwrap(), (72, true));
        assert_eq!(month.completed(d("2024-05-05"), d("2024-05-05")).unwrap(), (0, true));
        let week = period(&Span::parse("1 week").unwrap());
        assert_eq!(week.completed(0, 15).unwrap(), (2, false));
    }
}
