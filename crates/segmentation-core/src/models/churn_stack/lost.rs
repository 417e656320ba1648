//! From which probability on a customer may be called lost: where it has been seen that hardly any came back.

use super::candidate::Way;
use super::judge::Trial;
use crate::base::error::Result;
use crate::base::memory;
use crate::math::special::{beta_quantile, logistic};

/// The confidence of the bound.
const CONFIDENCE: f64 = 0.95;

/// What was seen above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lost {
    /// Who is more likely than this to stay away is lost; `None`: nobody is.
    pub threshold: Option<f64>,
    /// Customers above it on the last day of judgement; without one, the group of which the fewest came back.
    pub customers: u64,
    /// How many of them came back.
    pub back: u64,
    /// The upper bound of their share, with a confidence of 95 %.
    pub upper: Option<f64>,
}

/// One-sided upper bound of a share by Clopper and Pearson (1934).
fn upper_bound(back: u64, customers: u64) -> f64 {
    if back >= customers {
        return 1.0;
    }
    beta_quantile(back as f64 + 1.0, (customers - back) as f64, CONFIDENCE)
}

/// Customers by falling probability: (probability, customers, how many came back).
fn by_probability(trial: &Trial, way: Way) -> Result<Vec<(f64, u64, u64)>> {
    let rows = trial.predictions(way).map(|(i, log_odds)| {
        let n = trial.snapshots.customers[i];
        (logistic(log_odds), n, if trial.snapshots.churned[i] { 0 } else { n })
    });
    let mut rows: Vec<(f64, u64, u64)> = memory::collect(rows)?;
    rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    rows.dedup_by(|next, first| {
        let same = next.0 == first.0;
        if same {
            (first.1, first.2) = (first.1 + next.1, first.2 + next.2);
        }
        same
    });
    Ok(rows)
}

/// The least threshold above which the share that came back on the last day of judgement, each customer counting once,
/// stays below `1 - stay` with confidence, and did so on each day before.
pub(super) fn verify(trials: &[Trial], way: Way, stay: f64) -> Result<Lost> {
    let Some((last, before)) = trials.split_last() else { return Ok(Lost::default()) };
    let allowed = 1.0 - stay;
    let last = by_probability(last, way)?;
    let mut others = Vec::with_capacity(before.len());
    for trial in before {
        others.push((by_probability(trial, way)?, 0, 0_u64, 0_u64));
    }
    let (mut customers, mut back, mut next_look, mut found) = (0, 0, 1, Lost::default());
    for (i, &(p, n, came)) in last.iter().enumerate() {
        (customers, back) = (customers + n, back + came);
        // Below the next lower probability, half way.
        let threshold = last.get(i + 1).map_or(p * (1.0 - 1e-6), |next| 0.5 * (p + next.0));
        let mut held = true;
        for (rows, at, customers, back) in &mut others {
            while let Some(&(q, n, came)) = rows.get(*at).filter(|row| row.0 > threshold) {
                debug_assert!(q > threshold);
                (*customers, *back, *at) = (*customers + n, *back + came, *at + 1);
            }
            held &= *back as f64 <= allowed * *customers as f64;
        }
        // Sums over whole customers: cheap bounds before the dear one.
        let promising = held && (back as f64) < allowed * customers as f64;
        // Of what does not pass, a look at each half as many again.
        if promising || (found.threshold.is_none() && customers >= next_look) {
            next_look = customers + customers / 2 + 1;
            let upper = upper_bound(back, customers);
            if promising && upper <= allowed {
                found = Lost { threshold: Some(threshold), customers, back, upper: Some(upper) };
            } else if found.threshold.is_none() && found.upper.is_none_or(|least| upper < least) {
                found = Lost { threshold: None, customers, back, upper: Some(upper) };
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_clopper_and_pearson() {
        // scipy 1.17: beta.ppf(.95, k + 1, n - k).
        for (back, n, right) in
            [(0, 59, 0.0495076099), (0, 10, 0.2588655509), (3, 200, 0.0383097085), (40, 1000, 0.0517534014)]
        {
            assert!((upper_bound(back, n) - right).abs() < 1e-8, "{back} {n} {}", upper_bound(back, n));
        }
        assert_eq!(upper_bound(3, 3), 1.0);
    }
}
