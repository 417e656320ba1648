//! What a fit needs of the customers, and the fit.

use serde_json::{Value, json};

use super::hours::{HOURS, PACKED, SCALE, SendHours, VERSION};
use super::kernel::{LAGS, lag, likeness};
use super::options::SendTimeOptions;
use crate::base::error::{Error, ErrorKind, Result};

/// The kind of the model as a value.
pub(super) const KIND: &str = "send_time_model";
/// Where the data say nothing of how customers differ.
const PRIOR_EVENTS: f64 = 10.0;
/// Bounds of the estimate.
const PRIOR_RANGE: (f64, f64) = (0.1, 100.0);

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
