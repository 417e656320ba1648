//! Channel appetence: by which channel a customer answers, by empirical Bayes on three levels.
//!
//! Answers of a customer to n contacts by a channel are binomial with a rate of the customer's own.
//! The rates of a segment's customers are beta distributed, with a mean and a precision (the number
//! of contacts that a customer needs to count as much as the segment does). The segments' means and
//! precisions are in turn normal around those of the channel (on the scales logit and log), so that
//! a small segment takes its channel's. What is known of a customer is then a beta distribution.
//!
//! Sources: Casella, An Introduction to Empirical Bayes Data Analysis, The American Statistician 39
//! (1985); Griffiths, Maximum likelihood estimation for the beta-binomial distribution, Biometrics 29
//! (1973); Laird and Ware, Random-effects models for longitudinal data, Biometrics 38 (1982), for the
//! EM steps of the spread between segments.

mod cells;
mod fit;
mod rank;

use std::collections::BTreeMap;

use serde_json::{Value, json};

pub use cells::ChannelCells;
pub use fit::{BetaBinomial, Cell, beta_binomial, fit};
pub use rank::{
    By, INSUFFICIENT_DATA, LowerCache, NONE, REASONS, RankOptions, Ranked, Rule, check_as_of, code,
    next_change, rank,
};

use crate::base::day::{self, Day};
use crate::base::error::{Error, Result, shown};
use crate::base::json::Object;
use crate::base::words::counted;
use crate::facts::event_log::Counting;
use crate::math::special::beta_quantile;

/// A window or half-life may have this many days, at most: a century.
const MOST_DAYS: u64 = 36_525;

/// The fields of a [`Counting`] in options and models.
pub const COUNTING_FIELDS: [&str; 3] = ["window_days", "half_life_days", "opens"];

/// Reads how contacts are counted.
///
/// # Errors
/// Names the field that is wrong.
pub fn counting(object: &Object) -> Result<Counting> {
    let opens = match object.get("opens") {
        None => false,
        Some(value) => value.as_bool().ok_or_else(|| object.wrong("opens", "true or false"))?,
    };
    Ok(Counting {
        window_days: object.whole("window_days", 1, MOST_DAYS)?.map(|days| days as Day),
        half_life_days: object.number("half_life_days", 1e-3, 1e6)?,
        opens,
    })
}

/// How contacts are counted, as JSON.
#[must_use]
pub fn counting_json(counting: &Counting) -> Value {
    json!({
        "window_days": counting.window_days, "half_life_days": counting.half_life_days, "opens": counting.opens,
    })
}

/// A beta distribution of response rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beta {
    /// Answers that it is worth.
    pub alpha: f64,
    /// Contacts without an answer that it is worth.
    pub beta: f64,
}

impl Beta {
    /// With a mean between 0 and 1 and a precision.
    #[must_use]
    pub fn of_mean(mean: f64, precision: f64) -> Self {
        Self { alpha: mean * precision, beta: (1.0 - mean) * precision }
    }

    /// What it becomes by answers to contacts.
    #[must_use]
    pub fn after(self, sent: f64, responses: f64) -> Self {
        Self { alpha: self.alpha + responses, beta: self.beta + (sent - responses) }
    }

    /// Its mean.
    #[must_use]
    pub fn mean(self) -> f64 {
        self.alpha / (self.alpha + self.beta)
    }

    /// The rate that is exceeded with probability 1 - level.
    #[must_use]
    pub fn lower(self, level: f64) -> f64 {
        beta_quantile(self.alpha, self.beta, level)
    }

    fn to_json(self) -> Value {
        json!({ "alpha": self.alpha, "beta": self.beta })
    }

    fn read(object: &Object) -> Result<Self> {
        let value = object.get("parameters").unwrap_or(&Value::Null);
        let parameters = Object::new("channel model", &object.path("parameters"), value, &["alpha", "beta"])?;
        Ok(Self {
            alpha: parameters.need_number("alpha", 1e-9, 1e12)?,
            beta: parameters.need_number("beta", 1e-9, 1e12)?,
        })
    }
}

/// What is known of a channel before a customer is.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelPrior {
    /// Of customers of no known segment.
    pub rate: Beta,
    /// By segment.
    pub segments: BTreeMap<String, Beta>,
}

/// A model, read for scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelModel {
    /// How its contacts were counted.
    pub counting: Counting,
    /// By channel.
    pub channels: BTreeMap<String, ChannelPrior>,
}

const KIND: &str = "channel_model";
const FIELDS: [&str; 7] = ["kind", "version", "as_of", "counting", "channels", "skipped", "warnings"];
const CHANNEL_FIELDS: [&str; 12] = [
    "channel",
    "method",
    "customers",
    "sent",
    "responses",
    "parameters",
    "mean",
    "precision",
    "standard_errors",
    "log_likelihood",
    "spread",
    "segments",
];
const SEGMENT_FIELDS: [&str; 7] =
    ["segment", "customers", "sent", "responses", "parameters", "mean", "precision"];

impl ChannelModel {
    /// Reads a model; `None` if it is one of too few data.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Option<Self>> {
        let object = Object::new("channel model", "", value, &FIELDS)?;
        if object.text("kind")? != Some(KIND) {
            return Err(object.wrong("kind", "\"channel_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let Some(list) = object.list("channels")? else { return Ok(None) };
        let counted = object.get("counting").ok_or_else(|| object.wrong("counting", "an object"))?;
        let counting = counting(&Object::new("channel model", "counting", counted, &COUNTING_FIELDS)?)?;
        let mut channels = BTreeMap::new();
        for (i, value) in list.iter().enumerate() {
            let path = format!("channels[{i}]");
            let channel = Object::new("channel model", &path, value, &CHANNEL_FIELDS)?;
            let mut segments = BTreeMap::new();
            for (j, value) in channel.list("segments")?.unwrap_or_default().iter().enumerate() {
                let path = format!("{path}.segments[{j}]");
                let segment = Object::new("channel model", &path, value, &SEGMENT_FIELDS)?;
                let name = segment.need_text("segment")?.to_owned();
                if segments.insert(name, Beta::read(&segment)?).is_some() {
                    return Err(segment.wrong("segment", "named once"));
                }
            }
            let prior = ChannelPrior { rate: Beta::read(&channel)?, segments };
            if channels.insert(channel.need_text("channel")?.to_owned(), prior).is_some() {
                return Err(channel.wrong("channel", "named once"));
            }
        }
        Ok(Some(Self { counting, channels }))
    }

    /// What is known of a channel, before a customer of a segment is; `None` if nothing is.
    #[must_use]
    pub fn prior(&self, channel: &str, segment: Option<&str>) -> Option<Beta> {
        let prior = self.channels.get(channel)?;
        Some(segment.and_then(|segment| prior.segments.get(segment)).copied().unwrap_or(prior.rate))
    }
}

/// A level between 0 and 1.
///
/// # Errors
/// It is not.
pub fn check_level(level: f64) -> Result<f64> {
    if level > 0.0 && level < 1.0 {
        return Ok(level);
    }
    Err(Error::invalid("level must be above 0 and below 1").detail(format!("It is {}.", shown(level))))
}

/// Contacts and answers that can be.
///
/// # Errors
/// Not finite, negative, more answers than contacts.
pub fn check_counts(sent: f64, responses: f64) -> Result<(f64, f64)> {
    for (what, value) in [("sent", sent), ("responses", responses)] {
        if !(0.0..=1e12).contains(&value) {
            return Err(Error::invalid(format!("{what} must be from 0 to 1e12"))
                .detail(format!("It is {}.", shown(value))));
        }
    }
    if responses > sent {
        return Err(Error::invalid("responses must not be more than sent")
            .detail(format!("Given: {} to {}.", counted(responses, "response"), counted(sent, "contact")))
            .hint("Count a contact as answered or not, not its answers."));
    }
    Ok((sent, responses))
}

/// The `as_of` of a model, as JSON.
fn as_of_json(as_of: Option<Day>) -> Value {
    as_of.and_then(|day| day::format(day).ok()).map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests;
