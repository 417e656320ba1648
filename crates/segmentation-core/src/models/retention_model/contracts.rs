//! The mergeable state of a fit: contracts by features and periods.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::options::RetentionOptions;
use super::period::period;
use crate::base::codec::{Reader, put};
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::models::churn_model::{ChurnRows, FeatureValue, Features, Stored};

// Names that the state and the regression keep for themselves.
const ENTER: &str = " enter";
const EXIT: &str = " exit";
const UNTIL: &str = " until";
pub(super) const STEP: &str = "tenure_periods";

/// Features as JSON: what tells groups apart.
pub(super) fn feature_json(features: &[(String, FeatureValue)]) -> Map<String, Value> {
    let value = |v: &FeatureValue| match v {
        FeatureValue::Boolean(b) => json!(b),
        FeatureValue::Number(x) => json!(x),
        FeatureValue::Text(t) => json!(t),
        FeatureValue::Missing | FeatureValue::Nested => Value::Null,
    };
    features.iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

/// Contracts that are not in the fit, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// `started` was NULL.
    null_started: u64,
    /// Begins after `as_of`.
    not_started: u64,
    /// Ended before it began.
    ended_before_start: u64,
    /// Ended before the log begins.
    before_observation: u64,
    /// Begins on the last day that is observed.
    no_exposure: u64,
}

impl Skipped {
    /// The reasons as the model names them, with how many.
    pub(super) fn counts(self) -> [(&'static str, u64); 5] {
        [
            ("null_started", self.null_started),
            ("not_started", self.not_started),
            ("ended_before_start", self.ended_before_start),
            ("before_observation", self.before_observation),
            ("no_exposure", self.no_exposure),
        ]
    }
}

/// The mergeable state: contracts by features and periods, with how many ended.
#[derive(Debug, Clone)]
pub struct Contracts {
    pub(super) as_of: Day,
    pub(super) options: RetentionOptions,
    pub(super) rows: ChurnRows,
    pub(super) skipped: Skipped,
}

const WHAT: &str = "contracts";
const VERSION: u8 = 2;

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
                period.elapsed(started, from)?
            }
            _ => 0.0,
        };
        let seen = period.elapsed(started, self.as_of)?;
        let exit = match ended {
            // What ends on its first day has lasted for half of it.
            Some(ended) if ended == started => period.half_a_day(started)?,
            Some(ended) => period.elapsed(started, ended)?,
            None => seen,
        };
        if exit <= enter {
            self.skipped.no_exposure += 1;
            return Ok(());
        }
        // Who ended is watched to the end of the period, as far as it has passed: so are those who did not.
        let until = if ended.is_some() { exit.ceil().min(seen).max(exit) } else { exit };
        let mut all = features.cloned().unwrap_or_default();
        if let Some((name, _)) = all.0.iter().find(|(name, _)| [ENTER, EXIT, UNTIL, STEP].contains(&&**name))
        {
            return Err(Error::invalid(format!("a feature cannot be named \"{name}\""))
                .hint("The retention model uses this name itself."));
        }
        all.0.push((Cow::Borrowed(ENTER), FeatureValue::Number(enter)));
        all.0.push((Cow::Borrowed(EXIT), FeatureValue::Number(exit)));
        if until < exit.ceil() && ended.is_some() {
            all.0.push((Cow::Borrowed(UNTIL), FeatureValue::Number(until)));
        }
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
        mine.no_exposure = mine.no_exposure.saturating_add(other.skipped.no_exposure);
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
        let [null_started, not_started, ended_before_start, before_observation, no_exposure] = counts;
        state.skipped =
            Skipped { null_started, not_started, ended_before_start, before_observation, no_exposure };
        let rest = reader.rest();
        state.rows = ChurnRows::from_bytes(rest)?;
        state.decoded()?;
        let fits = *state.rows.options() == state.options.regression;
        if fits { Ok(state) } else { Err(reader.error("Its options do not fit.")) }
    }

    /// Distinct contracts, in an order of their own.
    pub(super) fn decoded(&self) -> Result<Vec<Contract>> {
        let canonical = self.rows.canonical()?;
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid binary form of contracts");
        let mut list: Vec<Contract> = memory::with_capacity(canonical.len())?;
        canonical.each(|_, row| {
            let (mut enter, mut exit, mut until, mut features) = (None, None, None, Vec::new());
            for &(id, value) in &row.values {
                let name = canonical.names.get(id as usize).ok_or_else(invalid)?;
                let time = |x: f64| (0.0..4e6).contains(&x).then_some(x);
                match (name.as_str(), value) {
                    (ENTER, Stored::Number(x)) => enter = time(x),
                    (EXIT, Stored::Number(x)) => exit = time(x),
                    (UNTIL, Stored::Number(x)) => until = Some(x),
                    (_, Stored::Number(x)) => features.push((name.clone(), FeatureValue::Number(x))),
                    (_, Stored::Boolean(x)) => features.push((name.clone(), FeatureValue::Boolean(x))),
                    (_, Stored::Text(x)) => {
                        features.push((name.clone(), FeatureValue::Text(x.to_owned().into())));
                    }
                }
            }
            let (Some(enter), Some(exit)) = (enter, exit) else { return Err(invalid()) };
            let fits = match until {
                Some(until) => row.stayed == 0 && exit <= until && until < exit.ceil(),
                None => true,
            };
            if !(fits && enter < exit && row.weight == 1.0) {
                return Err(invalid());
            }
            let until = until.unwrap_or(exit.ceil());
            list.push(Contract { features, enter, exit, until, running: row.stayed, ended: row.churned });
            Ok(())
        })?;
        Ok(list)
    }
}

/// Contracts of the same features and times, in periods from their beginning.
#[derive(Debug)]
pub(super) struct Contract {
    pub(super) features: Vec<(String, FeatureValue<'static>)>,
    /// Watched from here on ...
    pub(super) enter: f64,
    /// ... to their end, or to the end of observation.
    pub(super) exit: f64,
    /// Who ended might have done so until here: the end of the period, or of observation.
    pub(super) until: f64,
    pub(super) running: u64,
    pub(super) ended: u64,
}

/// A stretch of periods in which contracts were at risk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Piece {
    /// Periods that were over when it begins.
    pub(super) from: u32,
    /// The whole periods in it; none if it is a part of one.
    pub(super) whole: u32,
    /// The part of one.
    pub(super) part: f64,
}

impl Contract {
    pub(super) fn all(&self) -> u64 {
        self.running + self.ended
    }

    /// Where the risk of those who ended, or of those who run on, lies: at most a part, whole periods and a part.
    pub(super) fn pieces(&self, ended: bool) -> impl Iterator<Item = Piece> {
        let (low, high) = (self.enter, if ended { self.until } else { self.exit });
        let (from, to) = (low.ceil(), high.floor());
        let part = |low: f64, high: f64| Piece { from: low.floor() as u32, whole: 0, part: high - low };
        let list = if to < from {
            [Some(part(low, high)), None, None]
        } else {
            [
                (low < from).then(|| part(low, from)),
                if from < to {
                    Some(Piece { from: from as u32, whole: (to - from) as u32, part: 0.0 })
                } else {
                    None
                },
                (to < high).then(|| part(to, high)),
            ]
        };
        list.into_iter().flatten()
    }
}
