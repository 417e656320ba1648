//! Which candidate is the best: out of time, by the logarithmic score, the simpler one where nothing tells them apart.

use super::candidate::{Way, loss};
use super::snapshot::Snapshots;
use super::terms::Linear;
use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::memory;
use crate::math::special::logistic;
use crate::measure::prediction_quality::{PredictionQuality, QualityReport};

/// A day on which candidates are judged, with what each has learnt before it.
pub(super) struct Trial<'a> {
    pub snapshots: &'a Snapshots,
    pub learnt: Vec<(Way, Linear)>,
}

/// A candidate, judged.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub way: Way,
    pub quality: QualityReport,
}

/// The candidates that could be learnt before every day of judgement, and the place of the best of them.
pub(super) struct Verdict {
    pub candidates: Vec<Judged>,
    pub best: usize,
}

impl Trial<'_> {
    fn linear(&self, way: Way) -> Option<&Linear> {
        self.learnt.iter().find(|(other, _)| *other == way).map(|(_, linear)| linear)
    }

    /// Predictions of a way, row by row.
    pub(super) fn predictions(&self, way: Way) -> impl Iterator<Item = (usize, f64)> {
        let linear = self.linear(way);
        (0..self.snapshots.len())
            .filter_map(move |i| linear.map(|linear| (i, linear.log_odds(self.snapshots.row(i)))))
    }
}

/// The losses of a way by customer of the sample, over all days.
fn losses(trials: &[Trial], way: Way, customers: usize, checkpoint: Checkpoint) -> Result<Vec<f64>> {
    let mut losses = memory::filled(0.0, customers)?;
    for trial in trials {
        checkpoint();
        for (i, log_odds) in trial.predictions(way) {
            let n = trial.snapshots.customers[i] as f64;
            losses[trial.snapshots.who[i] as usize] += n * loss(log_odds, trial.snapshots.churned[i]);
        }
    }
    Ok(losses)
}

/// How good a way was, customers and days together.
pub(super) fn quality(trials: &[Trial], way: Way, checkpoint: Checkpoint) -> Result<QualityReport> {
    let mut quality = PredictionQuality::new();
    for trial in trials {
        for (i, log_odds) in trial.predictions(way) {
            if i % 1024 == 0 {
                checkpoint();
            }
            for _ in 0..trial.snapshots.customers[i] {
                quality.add(logistic(log_odds), trial.snapshots.churned[i])?;
            }
        }
    }
    quality.report(checkpoint)
}

/// Judges. `customers` is the size of the sample.
///
/// Where nothing tells the best from a mean of family and stack, which err in different ways, the best such mean is taken
/// (Bates and Granger 1969); else, of those whose mean loss is within one standard error of the least, the simplest. The
/// error is that of the difference, customers being independent and their days not (Breiman et al. 1984, 3.4.3, for paired
/// losses). The base rate, which tells nobody apart, has to be the best itself.
///
/// With `families_only` the others are judged for comparison, and not taken.
pub(super) fn judge(
    trials: &[Trial],
    customers: usize,
    families_only: bool,
    checkpoint: Checkpoint,
) -> Result<Option<Verdict>> {
    let Some(first) = trials.first() else { return Ok(None) };
    let everywhere = |way: &Way| trials.iter().all(|trial| trial.linear(*way).is_some());
    let ways: Vec<Way> = first.learnt.iter().map(|(way, _)| *way).filter(everywhere).collect();
    let mut all = Vec::with_capacity(ways.len());
    for way in &ways {
        all.push(losses(trials, *way, customers, &mut *checkpoint)?);
    }
    let sums: Vec<f64> = all.iter().map(|losses| losses.iter().sum()).collect();
    let may = |i: &usize| !families_only || ways[*i].family().is_some();
    let least = (0..ways.len()).filter(may).min_by(|a, b| sums[*a].total_cmp(&sums[*b]));
    let Some(least) = least else { return Ok(None) };
    let near = |i: &usize| {
        *i == least || (ways[*i] != Way::BaseRate && sums[*i] - sums[least] <= error(&all[*i], &all[least]))
    };
    let means = (0..ways.len()).filter(may).filter(|i| matches!(ways[*i], Way::Mean(_)));
    let mean = means.min_by(|a, b| sums[*a].total_cmp(&sums[*b])).filter(|_| ways[least] != Way::BaseRate);
    let best = mean.filter(near).or_else(|| (0..ways.len()).filter(may).find(near));
    let mut candidates = Vec::with_capacity(ways.len());
    for way in ways {
        candidates.push(Judged { way, quality: quality(trials, way, &mut *checkpoint)? });
    }
    Ok(Some(Verdict { candidates, best: best.unwrap_or(least) }))
}

/// The standard error of the difference of two sums of losses.
fn error(one: &[f64], other: &[f64]) -> f64 {
    let n = one.len() as f64;
    let mean = one.iter().zip(other).map(|(a, b)| a - b).sum::<f64>() / n;
    one.iter().zip(other).map(|(a, b)| (a - b - mean) * (a - b - mean)).sum::<f64>().sqrt()
}
