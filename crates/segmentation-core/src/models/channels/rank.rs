//! The channels of a customer in order: what is known of each, who may be contacted by it, and what
//! would change that.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use serde_json::Value;

use super::{Beta, ChannelModel, check_level};
use crate::Checkpoint;
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::facts::event_log::{ALL_CHANNELS, Consent, EventLog, consent_by_answers, contacts, counts};

/// The code of a customer whom no channel may or should reach.
pub const NONE: &str = "none";
/// The code where the model knows no channel.
pub const INSUFFICIENT_DATA: &str = "insufficient_data";
/// Why a channel has no rank.
pub const REASONS: [&str; 8] = [
    "no_consent",
    "consent_expired",
    "unsubscribed",
    "no_model",
    "excluded",
    "pressure",
    "no_answer",
    "no_value",
];

/// At most so many contacts in so many days, by a channel or by all together.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Contacts allowed.
    pub contacts: i64,
    /// Days, the day of the question included.
    pub days: Day,
    /// The channel; `None` for all together.
    pub channel: Option<String>,
}

/// What channels are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The lower bound of the response rate.
    Lower,
    /// The mean response rate.
    Mean,
    /// Mean x margin - cost.
    Value,
}

/// A number by channel, `*` standing for the rest.
#[derive(Debug, Clone, PartialEq)]
struct ByChannel {
    channels: BTreeMap<String, f64>,
    rest: f64,
}

impl ByChannel {
    fn read(object: &Object, field: &str, rest: f64) -> Result<Option<Self>> {
        let wrong = || object.wrong(field, "a number from -1e12 to 1e12, or one by channel");
        let number = |value: &Value| value.as_f64().filter(|v| v.abs() <= 1e12).ok_or_else(wrong);
        Ok(match object.get(field) {
            None => None,
            Some(Value::Object(map)) => {
                let mut read = Self { channels: BTreeMap::new(), rest };
                for (channel, value) in map {
                    if channel == ALL_CHANNELS {
                        read.rest = number(value)?;
                    } else {
                        read.channels.insert(channel.clone(), number(value)?);
                    }
                }
                Some(read)
            }
            Some(value) => Some(Self { channels: BTreeMap::new(), rest: number(value)? }),
        })
    }

    fn of(&self, channel: &str) -> f64 {
        self.channels.get(channel).copied().unwrap_or(self.rest)
    }
}

/// How channels are ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct RankOptions {
    level: f64,
    by: By,
    margin: ByChannel,
    cost: ByChannel,
    pressure: Vec<Rule>,
    consent_days: Option<Day>,
    channels: Option<BTreeSet<String>>,
    no_answer_after: Option<u64>,
}

/// Contacts without an answer after which a channel is given up, unless said otherwise.
const NO_ANSWER_AFTER: u64 = 25;

impl RankOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        const FIELDS: [&str; 8] =
            ["level", "by", "margin", "cost", "pressure", "consent_days", "channels", "no_answer_after"];
        let object = Object::new("options", "", value, &FIELDS)?;
        let level = object.number("level", 0.0, 1.0)?.unwrap_or(0.1);
        check_level(level)?;
        let margin = ByChannel::read(&object, "margin", 1.0)?;
        let cost = ByChannel::read(&object, "cost", 0.0)?;
        let valued = margin.is_some() || cost.is_some();
        let by = match object.text("by")? {
            None if valued => By::Value,
            None | Some("lower") => By::Lower,
            Some("mean") => By::Mean,
            Some("value") => By::Value,
            Some(_) => return Err(object.wrong("by", "lower, mean or value")),
        };
        let plain = |rest| ByChannel { channels: BTreeMap::new(), rest };
        let channels = object.list("channels")?.map(|list| {
            let names = list.iter().map(|v| v.as_str().map(str::to_owned));
            names
                .collect::<Option<BTreeSet<_>>>()
                .ok_or_else(|| object.wrong("channels", "a list of channels"))
        });
        let pressure = object.list("pressure")?.unwrap_or_default().iter().enumerate();
        // null: never; missing: the default.
        let never = matches!(value.get("no_answer_after"), Some(Value::Null));
        Ok(Self {
            level,
            by,
            margin: margin.unwrap_or_else(|| plain(1.0)),
            cost: cost.unwrap_or_else(|| plain(0.0)),
            pressure: pressure.map(|(i, rule)| read_rule(i, rule)).collect::<Result<_>>()?,
            consent_days: object.whole("consent_days", 1, 36_525)?.map(|days| days as Day),
            channels: channels.transpose()?,
            no_answer_after: match object.whole("no_answer_after", 1, 1_000_000)? {
                None if !never => Some(NO_ANSWER_AFTER),
                given => given,
            },
        })
    }
}

fn read_rule(i: usize, value: &Value) -> Result<Rule> {
    let rule = Object::new("options", &format!("pressure[{i}]"), value, &["contacts", "days", "channel"])?;
    Ok(Rule {
        contacts: rule.need_whole("contacts", 0, 1_000_000)? as i64,
        days: rule.need_whole("days", 1, 36_525)? as Day,
        channel: rule.text("channel")?.map(str::to_owned),
    })
}

/// A channel of a customer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked<'a> {
    /// The channel.
    pub channel: &'a str,
    /// Mean response rate; `None` if the model does not know the channel.
    pub mean: Option<f64>,
    /// Its lower bound.
    pub lower: Option<f64>,
    /// Contacts counted.
    pub sent: f64,
    /// Answers counted.
    pub responses: f64,
    /// Mean x margin - cost.
    pub value: Option<f64>,
    /// Its place among the channels that may be used; `None` for others.
    pub rank: Option<i32>,
    /// Why it has no rank.
    pub reason: Option<&'static str>,
}

/// Lower bounds that were computed before: customers with the same counts have the same.
#[derive(Debug, Default)]
pub struct LowerCache(HashMap<[u64; 3], f64>);

impl LowerCache {
    fn lower(&mut self, rates: Beta, level: f64) -> f64 {
        if self.0.len() > 100_000 {
            self.0.clear();
        }
        let key = [rates.alpha, rates.beta, level].map(f64::to_bits);
        *self.0.entry(key).or_insert_with(|| rates.lower(level))
    }
}

/// Why a channel that may be used is not: the model, the options, pressure, no answer, no value.
fn obstacle(
    ranked: &Ranked,
    answered: bool,
    history: Option<&EventLog>,
    as_of: Day,
    options: &RankOptions,
) -> Option<&'static str> {
    let channel = ranked.channel;
    if ranked.mean.is_none() {
        return Some("no_model");
    }
    // A channel that is called as a code would be taken for it.
    let reserved = channel == NONE || channel == INSUFFICIENT_DATA;
    if reserved || options.channels.as_ref().is_some_and(|wanted| !wanted.contains(channel)) {
        return Some("excluded");
    }
    let pressed = |rule: &Rule| {
        crate::base::host::pause();
        rule.channel.as_deref().is_none_or(|of| of == channel)
            && history.map_or(0, |h| contacts(h, as_of, Some(rule.days), rule.channel.as_deref()))
                >= rule.contacts
    };
    if options.pressure.iter().any(pressed) {
        return Some("pressure");
    }
    if !answered && options.no_answer_after.is_some_and(|most| ranked.sent >= most as f64) {
        return Some("no_answer");
    }
    if options.by == By::Value && ranked.value.is_none_or(|value| value <= 0.0) {
        return Some("no_value");
    }
    None
}

/// The channels of a customer: those that may be used, best first, then the others by name.
///
/// A channel gets a rank only if [`consent_by_answers`] says so of exactly this channel, whatever the rest.
#[must_use]
pub fn rank<'a>(
    model: &'a ChannelModel,
    segment: Option<&str>,
    history: Option<&EventLog<'a>>,
    consents: Option<&EventLog<'a>>,
    as_of: Day,
    options: &RankOptions,
    cache: &mut LowerCache,
) -> Vec<Ranked<'a>> {
    let counted = history.map(|log| counts(log, as_of, &model.counting));
    let mut names: BTreeSet<&'a str> = model.channels.keys().map(String::as_str).collect();
    for log in [history, consents].into_iter().flatten() {
        names.extend(log.names.iter().filter(|name| **name != ALL_CHANNELS));
    }
    let (mut open, mut closed) = (Vec::new(), Vec::new());
    for channel in names {
        crate::base::host::pause();
        let position = history.and_then(|log| log.names.iter().position(|name| *name == channel));
        let (sent, responses) = match (&counted, position) {
            (Some(counted), Some(position)) => counted[position],
            _ => (0.0, 0.0),
        };
        let rates = model.prior(channel, segment).map(|prior| prior.after(sent, responses.min(sent)));
        let mut ranked = Ranked {
            channel,
            mean: rates.map(Beta::mean),
            lower: rates.map(|rates| cache.lower(rates, options.level)),
            sent,
            responses,
            value: rates.map(|rates| rates.mean() * options.margin.of(channel) - options.cost.of(channel)),
            rank: None,
            reason: None,
        };
        let allowed = consents.map_or(Consent::None, |log| {
            consent_by_answers(log, history, channel, as_of, options.consent_days)
        });
        ranked.reason = match allowed {
            Consent::None => Some("no_consent"),
            Consent::Expired => Some("consent_expired"),
            Consent::Unsubscribed => Some("unsubscribed"),
            Consent::Granted => obstacle(&ranked, responses > 0.0, history, as_of, options),
        };
        if ranked.reason.is_none() { open.push(ranked) } else { closed.push(ranked) }
    }
    let key = |r: &Ranked| {
        let by = match options.by {
            By::Lower => r.lower,
            By::Mean => r.mean,
            By::Value => r.value,
        };
        (by.unwrap_or(f64::NEG_INFINITY), r.mean.unwrap_or(f64::NEG_INFINITY))
    };
    // Names are in order already, and the sort is stable.
    open.sort_by(|a, b| {
        let (a, b) = (key(a), key(b));
        b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    for (i, ranked) in open.iter_mut().enumerate() {
        ranked.rank = Some(i as i32 + 1);
    }
    open.extend(closed);
    open
}

/// The best channel, or [`NONE`].
#[must_use]
pub fn code(ranked: &[Ranked<'_>]) -> String {
    ranked.first().filter(|r| r.rank == Some(1)).map_or(NONE, |r| r.channel).to_owned()
}

/// Days beyond which nothing is looked for: ten years.
const HORIZON: Day = 3653;
/// Days that are looked at, at most; the next one is then given to look again.
const MOST_LOOKS: usize = 400;
/// Days that are looked at where contacts fade, and every day may turn the order.
const FADING_LOOKS: Day = 31;

/// The first day after `as_of` on which the code is another if nothing happens; `None` for never
/// within ten years. It may be earlier than that, a day to look again, never later.
///
/// Between the days on which a contact or a consent begins, ends or leaves a window nothing changes,
/// unless contacts fade (`half_life_days`): then each of the next 31 days is looked at, and the day
/// after them is one to look again.
#[must_use]
#[allow(clippy::too_many_arguments)]
pub fn next_change(
    model: &ChannelModel,
    segment: Option<&str>,
    history: Option<&EventLog>,
    consents: Option<&EventLog>,
    as_of: Day,
    options: &RankOptions,
    cache: &mut LowerCache,
    checkpoint: Checkpoint,
) -> Option<Day> {
    let mut code_on = |day| code(&rank(model, segment, history, consents, day, options, cache));
    let now = code_on(as_of);
    let last = as_of.saturating_add(HORIZON).min(day::LAST);
    let fading = model.counting.half_life_days.is_some()
        && history.is_some_and(|log| log.events.iter().any(|event| event.day <= as_of));
    let until = if fading { as_of.saturating_add(FADING_LOOKS).min(last) } else { as_of };
    let mut days: BTreeSet<Day> = (as_of.saturating_add(1)..=until).collect();
    let mut add = |day: Day| {
        if day > as_of && day <= last {
            days.insert(day);
        }
    };
    for event in history.iter().flat_map(|log| &log.events) {
        add(event.day);
        let windows = options.pressure.iter().map(|rule| rule.days).chain(model.counting.window_days);
        windows.for_each(|window| add(event.day.saturating_add(window)));
    }
    for event in consents.iter().flat_map(|log| &log.events) {
        add(event.day);
        options.consent_days.into_iter().for_each(|valid| add(event.day.saturating_add(valid)));
    }
    for (looked, &day) in days.iter().enumerate() {
        checkpoint();
        if fading && day > until {
            return Some(day.min(until + 1));
        }
        if looked == MOST_LOOKS || code_on(day) != now {
            return Some(day);
        }
    }
    (fading && until < last).then_some(until + 1)
}

/// Refuses an as_of that is no day.
///
/// # Errors
/// Infinite, or out of range.
pub fn check_as_of(as_of: Day) -> Result<Day> {
    day::check(as_of).map_err(|error| Error { message: "as_of out of range".into(), ..error })
}
