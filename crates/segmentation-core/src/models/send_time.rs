//! Send time: at which of the 168 hours of the week a customer is reached.
//!
//! The hours of a customer's acts are smoothed on the circle of the week and drawn towards the profile
//! of the segment: n acts count n / (n + n0). Each act stands for its own hour of the week, spread by a
//! Gaussian kernel, and for its hour of the day on all days of the week. How strongly customers are
//! drawn is estimated: n0 is the ratio of the variance of one act to the variance between customers
//! (Bühlmann, Experience rating and credibility, ASTIN Bulletin 4, 1967, for vectors).
//!
//! An hour of the week is counted from Monday 00:00, on the customer's clock.

use serde_json::{Value, json};

use crate::base::error::{Error, ErrorKind, Result, shown};
use crate::base::json::Object;

/// Hours of a week.
pub const HOURS: usize = 168;
const DAY: usize = 24;
/// Differences of two hours on the circle of the week.
const LAGS: usize = HOURS / 2 + 1;

/// Weights have four decimals.
const SCALE: f64 = 1e4;
/// Bits of an entry for the weight; the hour is above.
const WEIGHT_BITS: u32 = 56;
const MOST_WEIGHT: u64 = 1 << 50;

const GROWING: u8 = 0xC1;
const PACKED: u8 = 0x41;
const VERSION: u8 = 1;
const HEADER: usize = 8;
const ENTRY: usize = 8;
/// Bytes of a first state: six hours; with PostgreSQL's header it fills a chunk.
pub const FIRST_SIZE: usize = 60;

fn corrupt() -> Error {
    Error::new(ErrorKind::InvalidBinary, "invalid value of type send_hours")
}

/// A weight in ten-thousandths.
///
/// # Errors
/// Not from 0 to a thousand million.
pub fn fixed(weight: f64) -> Result<u64> {
    if (0.0..=1e9).contains(&weight) {
        return Ok((weight * SCALE).round() as u64);
    }
    Err(Error::invalid("weight must be from 0 to 1e9").detail(format!("It is {}.", shown(weight))))
}

/// Begins growing hours in `bytes`, all zero.
pub fn start(bytes: &mut [u8]) {
    bytes[0] = GROWING;
    bytes[1] = VERSION;
}

fn entry(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY]);
    u64::from_le_bytes(word)
}

fn set_entry(bytes: &mut [u8], at: usize, hour: u64, weight: u64) {
    let word = hour << WEIGHT_BITS | weight;
    bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY].copy_from_slice(&word.to_le_bytes());
}

/// Takes an act into growing hours; false if there is no room.
///
/// # Errors
/// A sum too large, or bytes that are no growing hours.
#[inline]
pub fn add(bytes: &mut [u8], hour: usize, weight: u64) -> Result<bool> {
    if bytes.len() < HEADER || bytes[0] != GROWING || HEADER + usize::from(bytes[2]) * ENTRY > bytes.len() {
        return Err(corrupt());
    }
    let count = usize::from(bytes[2]);
    let hour = (hour % HOURS) as u64;
    for at in 0..count {
        let word = entry(bytes, at);
        if word >> WEIGHT_BITS == hour {
            let sum = (word & ((1 << WEIGHT_BITS) - 1)) + weight.min(MOST_WEIGHT);
            if sum > MOST_WEIGHT {
                return Err(Error::new(ErrorKind::OutOfRange, "the weights of an hour are too large")
                    .detail("Their sum may be 1e11 at most."));
            }
            set_entry(bytes, at, hour, sum);
            return Ok(true);
        }
    }
    if HEADER + (count + 1) * ENTRY > bytes.len() {
        return Ok(false);
    }
    set_entry(bytes, count, hour, weight.min(MOST_WEIGHT));
    bytes[2] = count as u8 + 1;
    Ok(true)
}

/// The size to move to when there is no room.
#[must_use]
pub fn larger(len: usize) -> usize {
    ((len + 4) * 2 - 4).min(HEADER + HOURS * ENTRY)
}

/// The acts of a customer: weight in ten-thousandths by hour of the week, hours in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendHours(Vec<(u8, u64)>);

impl SendHours {
    /// Reads hours in either form.
    ///
    /// # Errors
    /// The bytes are none.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let read = match bytes {
            [GROWING, VERSION, count, ..] if HEADER + usize::from(*count) * ENTRY <= bytes.len() => {
                let words = (0..usize::from(*count)).map(|at| entry(bytes, at));
                let mut hours: Vec<_> = words
                    .map(|word| ((word >> WEIGHT_BITS) as u8, word & ((1 << WEIGHT_BITS) - 1)))
                    .filter(|(_, weight)| *weight > 0)
                    .collect();
                hours.sort_unstable();
                Some(Self(hours))
            }
            [PACKED, VERSION, count, rest @ ..] => Self::read_packed(*count, rest),
            _ => None,
        };
        let valid = |hours: &Self| {
            hours.0.is_sorted_by(|a, b| a.0 < b.0)
                && hours
                    .0
                    .iter()
                    .all(|&(hour, w)| usize::from(hour) < HOURS && (1..=MOST_WEIGHT).contains(&w))
        };
        read.filter(valid).ok_or_else(corrupt)
    }

    fn read_packed(count: u8, mut rest: &[u8]) -> Option<Self> {
        let mut hours = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let (&hour, after) = rest.split_first()?;
            rest = after;
            let mut weight = 0u64;
            for shift in (0..=56).step_by(7) {
                let (&byte, after) = rest.split_first()?;
                rest = after;
                weight |= u64::from(byte & 0x7f) << shift;
                if byte & 0x80 == 0 {
                    break;
                }
            }
            hours.push((hour, weight));
        }
        rest.is_empty().then_some(Self(hours))
    }

    /// From weights by hour of the week.
    ///
    /// # Errors
    /// Not 168 weights, each from 0 to 1e9.
    pub fn from_array(weights: &[f64]) -> Result<Self> {
        if weights.len() != HOURS {
            return Err(Error::invalid(format!("an array of {HOURS} weights was expected"))
                .detail(format!("It has {}.", weights.len())));
        }
        let mut hours = Vec::new();
        for (hour, &weight) in weights.iter().enumerate() {
            match fixed(weight)? {
                0 => {}
                weight => hours.push((hour as u8, weight)),
            }
        }
        Ok(Self(hours))
    }

    /// The packed form.
    #[must_use]
    pub fn pack(&self) -> Vec<u8> {
        let mut out = vec![PACKED, VERSION, self.0.len() as u8];
        for &(hour, mut weight) in &self.0 {
            out.push(hour);
            while weight >= 0x80 {
                out.push(weight as u8 | 0x80);
                weight >>= 7;
            }
            out.push(weight as u8);
        }
        out
    }

    /// Hours with their weights.
    pub fn hours(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.0.iter().map(|&(hour, weight)| (usize::from(hour), weight as f64 / SCALE))
    }

    /// Hours with their weights in ten-thousandths.
    pub fn fixed_hours(&self) -> impl Iterator<Item = (usize, u64)> + '_ {
        self.0.iter().map(|&(hour, weight)| (usize::from(hour), weight))
    }

    /// Weights by hour of the week.
    #[must_use]
    pub fn array(&self) -> [f64; HOURS] {
        let mut array = [0.0; HOURS];
        for (hour, weight) in self.hours() {
            array[hour] = weight;
        }
        array
    }

    /// The sum of the weights.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.0.iter().map(|(_, weight)| *weight).sum::<u64>() as f64 / SCALE
    }
}

/// How a model is fitted, and how it scores.
#[derive(Debug, Clone, PartialEq)]
pub struct SendTimeOptions {
    bandwidth_hours: f64,
    shared_days: f64,
    prior_events: Option<f64>,
}

/// Tuned on a simulated shop that no result is reported of; see `benches/channels.sh`.
const BANDWIDTH_HOURS: f64 = 2.5;
const SHARED_DAYS: f64 = 0.95;
/// Where the data say nothing of how customers differ.
const PRIOR_EVENTS: f64 = 10.0;
/// Bounds of the estimate.
const PRIOR_RANGE: (f64, f64) = (0.1, 100.0);

const OPTION_FIELDS: [&str; 3] = ["bandwidth_hours", "shared_days", "prior_events"];

impl SendTimeOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn read(object: &Object) -> Result<Self> {
        Ok(Self {
            bandwidth_hours: object.number("bandwidth_hours", 0.0, 24.0)?.unwrap_or(BANDWIDTH_HOURS),
            shared_days: object.number("shared_days", 0.0, 1.0)?.unwrap_or(SHARED_DAYS),
            prior_events: object.number("prior_events", 0.0, 1e9)?,
        })
    }

    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        Self::read(&Object::new("options", "", value, &OPTION_FIELDS)?)
    }
}

/// What a fit needs of the customers, mergeable.
#[derive(Debug, Clone, PartialEq)]
pub struct SendTimeCells {
    /// Weights in ten-thousandths.
    totals: [u128; HOURS],
    customers: u64,
    /// Pairs of acts of a customer by their difference, each customer's adding up to its acts x 2^32:
    /// so customers count here as they do in the totals.
    pairs: [u128; LAGS],
    /// Customers with more than one act.
    repeated: u64,
    /// Customers without acts.
    skipped: u64,
}

impl Default for SendTimeCells {
    fn default() -> Self {
        Self { totals: [0; HOURS], customers: 0, pairs: [0; LAGS], repeated: 0, skipped: 0 }
    }
}

const PAIR_UNIT: f64 = (1u64 << 32) as f64;

/// The difference of two hours on the circle of the week.
fn lag(a: usize, b: usize) -> usize {
    let apart = a.abs_diff(b);
    apart.min(HOURS - apart)
}

impl SendTimeCells {
    /// Takes a customer in.
    pub fn add(&mut self, hours: Option<&SendHours>) {
        let Some(hours) = hours.filter(|hours| !hours.0.is_empty()) else {
            self.skipped += 1;
            return;
        };
        self.customers += 1;
        for (hour, weight) in hours.fixed_hours() {
            self.totals[hour] += u128::from(weight);
        }
        let n = hours.total();
        let counts: Vec<(usize, f64)> = hours.hours().collect();
        let mut own = [0.0; LAGS];
        let mut all = 0.0;
        for (i, &(a, x)) in counts.iter().enumerate() {
            // An act is no pair with itself.
            own[0] += x * (x - 1.0).max(0.0);
            all += x * (x - 1.0).max(0.0);
            for &(b, y) in &counts[i + 1..] {
                own[lag(a, b)] += 2.0 * x * y;
                all += 2.0 * x * y;
            }
        }
        if n > 1.0 && all > 0.0 {
            self.repeated += 1;
            for (sum, pairs) in self.pairs.iter_mut().zip(own) {
                *sum += (pairs / all * n * PAIR_UNIT).round() as u128;
            }
        }
    }

    /// Takes another part in.
    pub fn merge(&mut self, other: &Self) {
        self.totals.iter_mut().zip(other.totals).for_each(|(a, b)| *a += b);
        self.pairs.iter_mut().zip(other.pairs).for_each(|(a, b)| *a += b);
        self.customers = self.customers.saturating_add(other.customers);
        self.repeated = self.repeated.saturating_add(other.repeated);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![PACKED, VERSION];
        for n in [self.customers, self.repeated, self.skipped] {
            out.extend(n.to_le_bytes());
        }
        for n in self.totals.iter().chain(&self.pairs) {
            out.extend(n.to_le_bytes());
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// The bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid value of type send_time_cells");
        let rest = bytes.strip_prefix(&[PACKED, VERSION]).ok_or_else(invalid)?;
        let (heads, sums) = rest.split_at_checked(24).ok_or_else(invalid)?;
        let heads: Vec<u64> = heads.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let (sums, left) = sums.as_chunks::<16>();
        let sums: Vec<u128> = sums.iter().map(|b| u128::from_le_bytes(*b)).collect();
        let &[customers, repeated, skipped] = heads.as_slice() else { return Err(invalid()) };
        // So large that no sum of such parts overflows.
        let sane =
            sums.iter().all(|n| *n < 1 << 100) && heads.iter().all(|n| *n < 1 << 53) && repeated <= customers;
        if !left.is_empty() || sums.len() != HOURS + LAGS || !sane {
            return Err(invalid());
        }
        let mut read = Self { customers, repeated, skipped, ..Self::default() };
        read.totals.copy_from_slice(&sums[..HOURS]);
        read.pairs.copy_from_slice(&sums[HOURS..]);
        Ok(read)
    }

    /// The model: a JSON value.
    #[must_use]
    pub fn fit(&self, options: &SendTimeOptions) -> Value {
        let total: u128 = self.totals.iter().sum();
        let mut warnings = Vec::new();
        let mut model = json!({
            "kind": KIND, "version": 1, "customers": self.customers, "events": total as f64 / SCALE,
            "bandwidth_hours": options.bandwidth_hours, "shared_days": options.shared_days,
            "prior_events": null, "shares": null, "skipped": self.skipped,
        });
        if total == 0 {
            warnings.push(json!({ "code": "insufficient_data", "message": "No customer has an hour." }));
        } else {
            let shares = self.totals.map(|n| n as f64 / total as f64);
            let prior_events = options.prior_events.unwrap_or_else(|| {
                self.prior_events(&shares, options).unwrap_or_else(|| {
                    let message = "No customer has two acts: how customers differ is assumed.";
                    warnings.push(json!({ "code": "not_identified", "message": message }));
                    PRIOR_EVENTS
                })
            });
            model["prior_events"] = json!(prior_events);
            model["shares"] = json!(shares.as_slice());
        }
        model["warnings"] = Value::Array(warnings);
        model
    }

    /// n0: variance of one act over variance between customers, both of smoothed weeks.
    fn prior_events(&self, shares: &[f64; HOURS], options: &SendTimeOptions) -> Option<f64> {
        let all: u128 = self.pairs.iter().sum();
        (all > 0).then_some(())?;
        let alike = likeness(options);
        let same: f64 = self.pairs.iter().zip(&alike).map(|(n, g)| *n as f64 / all as f64 * g).sum();
        let mut of_all = 0.0;
        for (a, x) in shares.iter().enumerate() {
            of_all += shares.iter().enumerate().map(|(b, y)| x * y * alike[lag(a, b)]).sum::<f64>();
        }
        let between = same - of_all;
        let within = alike[0] - same;
        if between <= 0.0 {
            return Some(PRIOR_RANGE.1);
        }
        Some((within / between).clamp(PRIOR_RANGE.0, PRIOR_RANGE.1))
    }
}

/// A Gaussian kernel on a circle, by distance; it sums to 1.
fn kernel(circle: usize, bandwidth: f64) -> Vec<f64> {
    let weight = |distance: usize| {
        let z = distance.min(circle - distance) as f64 / bandwidth;
        if distance == 0 { 1.0 } else { (-0.5 * z * z).exp() }
    };
    let weights: Vec<f64> = (0..circle).map(weight).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

/// A kernel with itself: the inner product of two of them, by distance.
fn squared(kernel: &[f64]) -> Vec<f64> {
    let circle = kernel.len();
    (0..circle).map(|by| (0..circle).map(|i| kernel[i] * kernel[(i + by) % circle]).sum()).collect()
}

/// The inner product of the smoothed weeks of two acts, by their difference, days being alike.
fn likeness(options: &SendTimeOptions) -> [f64; LAGS] {
    let week = squared(&kernel(HOURS, options.bandwidth_hours));
    let day = squared(&kernel(DAY, options.bandwidth_hours));
    let shared = options.shared_days;
    let mut alike = [0.0; LAGS];
    for (lag, g) in alike.iter_mut().enumerate() {
        let days = (1.0 - (1.0 - shared) * (1.0 - shared)) / 7.0;
        *g = (1.0 - shared) * (1.0 - shared) * week[lag] + days * day[lag % DAY];
    }
    alike
}

const KIND: &str = "send_time_model";
const FIELDS: [&str; 10] = [
    "kind",
    "version",
    "customers",
    "events",
    "bandwidth_hours",
    "shared_days",
    "prior_events",
    "shares",
    "skipped",
    "warnings",
];

/// A model, read for scoring.
#[derive(Debug, Clone, PartialEq)]
pub struct SendTimeModel {
    /// The smoothed shares of the segment.
    profile: [f64; HOURS],
    /// The segment's share of each day.
    days: [f64; 7],
    prior_events: f64,
    shared_days: f64,
    week: Vec<f64>,
    day: Vec<f64>,
}

impl SendTimeModel {
    /// Reads a model; `None` if it is one of too few data.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Option<Self>> {
        let object = Object::new("send time model", "", value, &FIELDS)?;
        if object.text("kind")? != Some(KIND) {
            return Err(object.wrong("kind", "\"send_time_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let Some(list) = object.list("shares")? else { return Ok(None) };
        let options = SendTimeOptions::read(&object)?;
        let wrong = || object.wrong("shares", "168 numbers from 0 to 1, not all 0");
        let shares: Vec<f64> =
            list.iter().filter_map(Value::as_f64).filter(|s| (0.0..=1.0).contains(s)).collect();
        let sum: f64 = shares.iter().sum();
        if list.len() != HOURS || shares.len() != HOURS || sum <= 0.0 {
            return Err(wrong());
        }
        let mut days = [0.0; 7];
        for (hour, share) in shares.iter().enumerate() {
            days[hour / DAY] += share / sum;
        }
        let prior_events = object.need_number("prior_events", 0.0, 1e9)?;
        let mut model = Self {
            profile: [0.0; HOURS],
            days,
            prior_events,
            shared_days: options.shared_days,
            week: kernel(HOURS, options.bandwidth_hours),
            day: kernel(DAY, options.bandwidth_hours),
        };
        // The profile has many acts: they are smoothed on the week only.
        let acts = shares.iter().enumerate().map(|(hour, share)| (hour, share / sum));
        model.profile = model.smoothed(acts, 0.0);
        Ok(Some(model))
    }

    fn smoothed(&self, acts: impl Iterator<Item = (usize, f64)>, shared: f64) -> [f64; HOURS] {
        let mut out = [0.0; HOURS];
        let mut by_hour = [0.0; DAY];
        for (hour, share) in acts {
            by_hour[hour % DAY] += share;
            if shared < 1.0 {
                // The kernel around this hour, in two runs: no remainder in the loop.
                let (before, from) = out.split_at_mut(hour);
                let weight = share * (1.0 - shared);
                from.iter_mut().zip(&self.week).for_each(|(o, k)| *o += weight * k);
                before.iter_mut().zip(&self.week[HOURS - hour..]).for_each(|(o, k)| *o += weight * k);
            }
        }
        if shared > 0.0 {
            let mut day = [0.0; DAY];
            for (hour, share) in by_hour.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                for (distance, k) in self.day.iter().enumerate() {
                    day[(hour + distance) % DAY] += share * k;
                }
            }
            for (hour, o) in out.iter_mut().enumerate() {
                *o += shared * self.days[hour / DAY] * day[hour % DAY];
            }
        }
        out
    }

    /// The score of each hour of the week: how many times as good as an average hour. Hours that are
    /// not open have 0.
    #[must_use]
    pub fn scores(&self, hours: Option<&SendHours>, open: impl Fn(usize) -> bool) -> [f64; HOURS] {
        let n = hours.map_or(0.0, SendHours::total);
        let weight = if n > 0.0 { n / (n + self.prior_events) } else { 0.0 };
        let mut scores = self.profile;
        if let Some(hours) = hours.filter(|_| n > 0.0) {
            let own = self.smoothed(hours.hours().map(|(hour, w)| (hour, w / n)), self.shared_days);
            scores.iter_mut().zip(own).for_each(|(score, own)| *score += weight * (own - *score));
        }
        for (hour, score) in scores.iter_mut().enumerate() {
            *score = if open(hour) { *score * HOURS as f64 } else { 0.0 };
        }
        scores
    }
}

/// The best of the hours, the first of equals; `None` if no score is above 0.
#[must_use]
pub fn best(scores: &[f64]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (hour, &score) in scores.iter().enumerate() {
        if score > best.map_or(0.0, |best| scores[best]) {
            best = Some(hour);
        }
    }
    best
}

/// Checks the scores of a week.
///
/// # Errors
/// Not 168 finite numbers, 0 or above.
pub fn check_scores(scores: &[f64]) -> Result<()> {
    if scores.len() == HOURS && scores.iter().all(|score| (0.0..f64::INFINITY).contains(score)) {
        return Ok(());
    }
    Err(Error::invalid("scores must be 168 finite numbers, 0 or above"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hours(acts: &[(usize, f64)]) -> SendHours {
        let mut weights = [0.0; HOURS];
        for &(hour, weight) in acts {
            weights[hour] += weight;
        }
        SendHours::from_array(&weights).unwrap()
    }

    fn options(value: Value) -> SendTimeOptions {
        SendTimeOptions::from_json(&value).unwrap()
    }

    fn model(customers: &[SendHours], value: Value) -> SendTimeModel {
        let mut cells = SendTimeCells::default();
        customers.iter().for_each(|c| cells.add(Some(c)));
        SendTimeModel::from_json(&cells.fit(&options(value))).unwrap().unwrap()
    }

    #[test]
    fn the_week_is_a_circle() {
        // Sunday 23:00 is next to Monday 00:00.
        let sharp = json!({"bandwidth_hours": 1, "shared_days": 0, "prior_events": 0});
        let late = hours(&[(167, 1.0)]);
        let scores = model(std::slice::from_ref(&late), sharp).scores(Some(&late), |_| true);
        assert_eq!(best(&scores), Some(167));
        assert!((scores[0] - scores[166]).abs() < 1e-12 && scores[0] > 10.0 * scores[3]);
        assert!((scores.iter().sum::<f64>() - 168.0).abs() < 1e-9);
        // exp(-1/2) and exp(-2) beside it.
        assert!((scores[0] / scores[167] - (-0.5f64).exp()).abs() < 1e-12);
        assert!((scores[1] / scores[167] - (-2f64).exp()).abs() < 1e-12);
    }

    #[test]
    fn shrinks_to_the_profile() {
        let evening = hours(&[(20, 50.0), (44, 50.0)]);
        let model = model(std::slice::from_ref(&evening), json!({"prior_events": 10, "bandwidth_hours": 1}));
        assert_eq!(best(&model.scores(None, |_| true)), Some(20));
        // One act at 9 does not turn ten; many do, and on all days of the week.
        let morning = |n| hours(&[(9, n)]);
        assert_eq!(best(&model.scores(Some(&morning(1.0)), |_| true)), Some(20));
        let scores = model.scores(Some(&morning(90.0)), |_| true);
        assert_eq!(best(&scores), Some(9));
        assert!(scores[24 + 9] > scores[24 + 20]);
        assert!((scores.iter().sum::<f64>() - 168.0).abs() < 1e-9);
        // Closed hours do not come up; nothing open: nothing.
        assert_eq!(best(&model.scores(Some(&morning(90.0)), |hour| hour % 24 > 12)), Some(20));
        assert_eq!(best(&model.scores(None, |_| false)), None);
    }

    #[test]
    fn credibility_is_estimated() {
        // Two kinds of customers at 8 and 20: one act tells which, whatever the day.
        let two: Vec<SendHours> = (0..100)
            .map(|i| hours(&[(8 + 12 * (i % 2) + 24 * (i % 7), 3.0), (8 + 12 * (i % 2), 3.0)]))
            .collect();
        let prior = |customers: &[SendHours]| {
            let mut cells = SendTimeCells::default();
            customers.iter().for_each(|c| cells.add(Some(c)));
            cells.fit(&options(json!({"shared_days": 1})))["prior_events"].as_f64().unwrap()
        };
        assert!(prior(&two) < 0.2, "{}", prior(&two));
        // Customers who all come at both hours: nothing to tell.
        let alike: Vec<SendHours> = (0..100).map(|_| hours(&[(8, 3.0), (20, 3.0)])).collect();
        assert!(prior(&alike) > 50.0, "{}", prior(&alike));
    }

    #[test]
    fn hostile_models() {
        let mut cells = SendTimeCells::default();
        assert_eq!(SendTimeModel::from_json(&cells.fit(&options(json!({})))).unwrap(), None);
        cells.add(Some(&hours(&[(8, 1.0)])));
        let good = cells.fit(&options(json!({})));
        assert_eq!(good["warnings"][0]["code"], "not_identified");
        let broken = |key: &str, value: Value| {
            let mut bad = good.clone();
            bad[key] = value;
            assert!(SendTimeModel::from_json(&bad).is_err(), "{key} {bad}");
        };
        broken("kind", json!("x"));
        broken("version", json!(2));
        broken("shares", json!([1]));
        broken("shares", json!(vec![0.0; 168]));
        broken("shares", json!(vec![-1.0; 168]));
        broken("shares", json!("x"));
        broken("prior_events", json!(-1));
        broken("prior_events", json!(null));
        broken("bandwidth_hours", json!(1e9));
        broken("other", json!(1));
    }

    proptest! {
        #[test]
        fn stored_forms(acts in prop::collection::vec((0..168usize, 0..1_000_000u64), 0..60)) {
            let mut bytes = vec![0; FIRST_SIZE];
            start(&mut bytes);
            for &(hour, weight) in &acts {
                while !add(&mut bytes, hour, weight).unwrap() {
                    let mut more = vec![0; larger(bytes.len())];
                    more[..bytes.len()].copy_from_slice(&bytes);
                    bytes = more;
                }
            }
            let read = SendHours::read(&bytes).unwrap();
            prop_assert_eq!(&SendHours::read(&read.pack()).unwrap(), &read);
            prop_assert_eq!(&SendHours::from_array(&read.array()).unwrap(), &read);
            let total: u64 = acts.iter().map(|a| a.1).sum();
            prop_assert!((read.total() - total as f64 / SCALE).abs() < 1e-6);
            let mut cells = SendTimeCells::default();
            cells.add(Some(&read));
            prop_assert_eq!(SendTimeCells::from_bytes(&cells.to_bytes()).unwrap(), cells);
        }

        #[test]
        fn hostile_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..40), growing in any::<bool>()) {
            if bytes.len() > 1 {
                bytes[0] = if growing { GROWING } else { PACKED };
                bytes[1] = VERSION;
            }
            let _ = SendHours::read(&bytes);
            let _ = add(&mut bytes, 3, 1);
            let _ = SendTimeCells::from_bytes(&bytes);
        }
    }
}
