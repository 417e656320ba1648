//! From which probability on a customer may be called lost: where it has been seen that hardly any came back.
//!
//! Two things have to be so: the probability says it of each customer, and days of the past say it of all of them.

use super::candidate::Way;
use super::judge::Trial;
use crate::Checkpoint;
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
    /// Customers above it on the last day of judgement; without one, all of whom the model is as certain as asked.
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
/// stays below `1 - stay` with confidence, and did so on each day before. Nobody is called lost of whom the model itself
/// says that they come back more than twice as likely as that.
pub(super) fn verify(trials: &[Trial], way: Way, stay: f64, checkpoint: Checkpoint) -> Result<Lost> {
    let Some((last, before)) = trials.split_last() else { return Ok(Lost::default()) };
    let allowed = 1.0 - stay;
    let least = 1.0 - 2.0 * allowed;
    let last = by_probability(last, way)?;
    checkpoint();
    let mut others = Vec::with_capacity(before.len());
    for trial in before {
        others.push((by_probability(trial, way)?, 0, 0_u64, 0_u64));
        checkpoint();
    }
    // Threshold, customers above it, how many of them came back, and whether it held on the days before.
    let mut groups: Vec<(f64, u64, u64, bool)> = memory::with_capacity(last.len())?;
    let (mut customers, mut back) = (0, 0);
    for (i, &(p, n, came)) in last.iter().enumerate().take_while(|(_, (p, ..))| *p > least) {
        (customers, back) = (customers + n, back + came);
        // Half way to the next lower probability.
        let threshold = last.get(i + 1).map_or(0.0, |next| 0.5 * (p + next.0)).max(least);
        let mut held = true;
        for (rows, at, customers, back) in &mut others {
            while let Some(&(_, n, came)) = rows.get(*at).filter(|row| row.0 > threshold) {
                (*customers, *back, *at) = (*customers + n, *back + came, *at + 1);
            }
            held &= *back as f64 <= allowed * *customers as f64;
        }
        groups.push((threshold, customers, back, held));
    }
    for (i, &(threshold, customers, back, held)) in groups.iter().enumerate().rev() {
        if i % 64 == 0 {
            checkpoint();
        }
        // A cheap bound before the dear one.
        if held && (back as f64) < allowed * customers as f64 {
            let upper = upper_bound(back, customers);
            if upper <= allowed {
                return Ok(Lost { threshold: Some(threshold), customers, back, upper: Some(upper) });
            }
        }
    }
    // None: what was seen of those that the model is so certain of.
    let all = groups.last().copied();
    Ok(all.map_or(Lost::default(), |(_, customers, back, _)| Lost {
        threshold: None,
        customers,
        back,
        upper: Some(upper_bound(back, customers)),
    }))
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
