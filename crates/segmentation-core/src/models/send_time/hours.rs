//! The hours of one customer's acts, as a state that grows in place and is stored packed.

use crate::base::error::{Error, ErrorKind, Result, shown};

/// Hours of a week.
pub const HOURS: usize = 168;
/// Hours of a day.
pub(super) const DAY: usize = 24;

/// Weights have four decimals.
pub(super) const SCALE: f64 = 1e4;
/// Bits of an entry for the weight; the hour is above.
const WEIGHT_BITS: u32 = 56;
const MOST_WEIGHT: u64 = 1 << 50;

pub(super) const GROWING: u8 = 0xC1;
pub(super) const PACKED: u8 = 0x41;
pub(super) const VERSION: u8 = 1;
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
pub struct SendHours(pub(super) Vec<(u8, u64)>);

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
