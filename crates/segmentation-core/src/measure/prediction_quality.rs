//! How good predicted probabilities were, once the outcome is known.
//!
//! The measures are those of a binary forecast: discrimination (AUC, lift), calibration (bins,
//! slope and intercept: Cox 1958) and both together (Brier 1950, log-loss). None of them, nor any
//! bit of their last digit, depends on the order of the rows.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::math::newton::{Evaluation, maximize};
use crate::math::special::{logistic, softplus};

/// More distinct predictions than this are refused: 400 MB.
const MOST_GROUPS: usize = 16_000_000;
/// Rows kept before they are grouped.
const PENDING: usize = 1 << 16;
/// A predicted 0 or 1 counts as this far from it in log-loss and logits, as usual.
const CLIP: f64 = 1e-15;

/// Customers with one predicted probability, by outcome.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    predicted: f64,
    not_happened: u64,
    happened: u64,
}

/// The mergeable state: how often each predicted probability was given, and came true.
#[derive(Debug, Clone, Default)]
pub struct PredictionQuality {
    /// Ascending by prediction.
    groups: Vec<Group>,
    /// Bits of a prediction, with the sign bit for what happened.
    pending: Vec<u64>,
}

const HAPPENED: u64 = 1 << 63;
const VERSION: u8 = 1;

impl PredictionQuality {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one customer.
    ///
    /// # Errors
    /// If the prediction is no probability, or a limit on size is passed.
    pub fn add(&mut self, predicted: f64, happened: bool) -> Result<()> {
        if !(0.0..=1.0).contains(&predicted) {
            return Err(Error::invalid("predicted must be a probability between 0 and 1")
                .detail(format!("It is {}.", crate::base::error::shown_number(predicted))));
        }
        self.push(predicted, happened)
    }

    /// Takes in one customer by a score of any size, for [`PredictionQuality::ranking`].
    ///
    /// # Errors
    /// If the score is below 0 or not finite, or a limit on size is passed.
    pub fn add_score(&mut self, score: f64, happened: bool) -> Result<()> {
        if !(0.0..=f64::MAX).contains(&score) {
            return Err(Error::invalid("baseline must be a finite number that is not negative")
                .detail(format!("It is {}.", crate::base::error::shown_number(score)))
                .hint("Give a number that is greater the likelier the event, such as the days since the last purchase."));
        }
        self.push(score, happened)
    }

    fn push(&mut self, score: f64, happened: bool) -> Result<()> {
        // Without the sign of a negative zero.
        let bits = score.abs().to_bits();
        memory::push(&mut self.pending, if happened { bits | HAPPENED } else { bits })?;
        if self.pending.len() >= PENDING.max(self.groups.len()) {
            self.settle()?;
        }
        Ok(())
    }

    /// Groups what is pending.
    fn settle(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        // The bits of positive numbers sort as the numbers do.
        self.pending.sort_unstable_by_key(|bits| bits & !HAPPENED);
        let mut fresh: Vec<Group> = Vec::new();
        for bits in self.pending.drain(..) {
            let predicted = f64::from_bits(bits & !HAPPENED);
            let happened = u64::from(bits & HAPPENED != 0);
            match fresh.last_mut() {
                Some(last) if last.predicted == predicted => {
                    last.happened += happened;
                    last.not_happened += 1 - happened;
                }
                _ => memory::push(&mut fresh, Group { predicted, happened, not_happened: 1 - happened })?,
            }
        }
        self.take(&fresh)
    }

    /// The same with nothing pending.
    fn settled(&self) -> Result<Cow<'_, Self>> {
        if self.pending.is_empty() {
            return Ok(Cow::Borrowed(self));
        }
        let (groups, pending) = (memory::copy(&self.groups)?, memory::copy(&self.pending)?);
        let mut settled = Self { groups, pending };
        settled.settle()?;
        Ok(Cow::Owned(settled))
    }

    /// Merges ascending groups into this state's.
    fn take(&mut self, fresh: &[Group]) -> Result<()> {
        if self.groups.is_empty() {
            self.groups = memory::copy(fresh)?;
        } else {
            let old = std::mem::take(&mut self.groups);
            let (mut i, mut j) = (0, 0);
            let mut merged: Vec<Group> = memory::with_capacity(old.len() + fresh.len())?;
            while i < old.len() || j < fresh.len() {
                let left = old.get(i).map_or(f64::INFINITY, |g| g.predicted);
                let right = fresh.get(j).map_or(f64::INFINITY, |g| g.predicted);
                if left < right {
                    merged.push(old[i]);
                    i += 1;
                } else if right < left {
                    merged.push(fresh[j]);
                    j += 1;
                } else {
                    merged.push(Group {
                        predicted: left,
                        happened: old[i].happened.saturating_add(fresh[j].happened),
                        not_happened: old[i].not_happened.saturating_add(fresh[j].not_happened),
                    });
                    i += 1;
                    j += 1;
                }
            }
            self.groups = merged;
        }
        if self.groups.len() > MOST_GROUPS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many different predictions")
                .detail(format!("At most {MOST_GROUPS} are kept."))
                .hint("Round the predictions, or judge a sample."));
        }
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.settle()?;
        self.take(&other.settled()?.groups)
    }

    /// An estimate of the memory held, in bytes.
    #[must_use]
    pub fn memory_size(&self) -> usize {
        size_of::<Self>() + self.groups.capacity() * size_of::<Group>() + self.pending.capacity() * 8
    }

    /// The stored form: equal states give equal bytes, however they came about.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let settled = self.settled()?;
        let mut out = Bytes::begin(&[VERSION]);
        put(&mut out, settled.groups.len() as u64);
        for group in &settled.groups {
            out.extend_from_slice(&group.predicted.to_bits().to_le_bytes());
            put(&mut out, group.not_happened);
            put(&mut out, group.happened);
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`PredictionQuality::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, 1.0)
    }

    /// The same for a state filled by [`PredictionQuality::add_score`].
    ///
    /// # Errors
    /// As [`PredictionQuality::from_bytes`].
    pub fn scores_from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read(bytes, f64::MAX)
    }

    fn read(bytes: &[u8], most: f64) -> Result<Self> {
        let mut reader = Reader::new(bytes, "prediction quality");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let n = reader.count(10)?;
        if n > MOST_GROUPS {
            return Err(reader.error("It has too many predictions."));
        }
        let mut groups: Vec<Group> = memory::with_capacity(n)?;
        for _ in 0..n {
            let mut bits = [0; 8];
            bits.copy_from_slice(reader.take(8)?);
            let predicted = f64::from_bits(u64::from_le_bytes(bits));
            let (not_happened, happened) = (reader.number()?, reader.number()?);
            let ascends = groups.last().is_none_or(|last| last.predicted < predicted);
            let some = not_happened.checked_add(happened).is_some_and(|n| n > 0 && n <= 1 << 53);
            if !(0.0..=most).contains(&predicted) || predicted.is_sign_negative() || !ascends || !some {
                return Err(reader.error("A prediction is impossible."));
            }
            groups.push(Group { predicted, not_happened, happened });
        }
        reader.finish()?;
        Ok(Self { groups, pending: Vec::new() })
    }

    /// Distinct predictions, ascending, with how many did not and did happen.
    pub(crate) fn groups(&self) -> Result<Vec<(f64, u64, u64)>> {
        memory::collect(self.settled()?.groups.iter().map(|g| (g.predicted, g.not_happened, g.happened)))
    }

    /// All measures.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn report(&self, checkpoint: Checkpoint) -> Result<QualityReport> {
        let settled = self.settled()?;
        checkpoint();
        Ok(report(&settled.groups, checkpoint))
    }

    /// How well scores of any size order the customers.
    ///
    /// # Errors
    /// If a limit on size is passed.
    pub fn ranking(&self) -> Result<Ranking> {
        Ok(ranking(&self.settled()?.groups))
    }
}

/// How well scores order the customers. `None` with one outcome only.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ranking {
    /// P(the score of one that happened is above that of one that did not), ties counting half.
    pub auc: Option<f64>,
    /// For the top 5, 10 and 20 %: the share that happened over the base rate. Customers with equal
    /// scores share what is left of the place.
    pub lift: Option<[f64; 3]>,
}

impl Ranking {
    /// The gain over random choice in percent of what perfect predictions gain.
    fn lift_quality(&self) -> Option<f64> {
        self.auc.map(|auc| 100.0 * (2.0 * auc - 1.0))
    }

    /// `{auc, lift {"5%", "10%", "20%"}, lift_quality}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({ "auc": self.auc, "lift": lift_json(self.lift), "lift_quality": self.lift_quality() })
    }
}

fn lift_json(lift: Option<[f64; 3]>) -> Option<Value> {
    lift.map(|[five, ten, twenty]| json!({ "5%": five, "10%": ten, "20%": twenty }))
}

fn ranking(groups: &[Group]) -> Ranking {
    let count = |of: fn(&Group) -> u64| groups.iter().map(of).fold(0, u64::saturating_add) as f64;
    let (positives, negatives) = (count(|g| g.happened), count(|g| g.not_happened));
    if positives == 0.0 || negatives == 0.0 {
        return Ranking::default();
    }
    let (total, base) = (positives + negatives, positives / (positives + negatives));
    let (mut pairs, mut below) = (0.0, 0.0);
    for group in groups {
        let (yes, no) = (group.happened as f64, group.not_happened as f64);
        pairs += yes * (below + 0.5 * no);
        below += no;
    }
    let lift = [0.05, 0.10, 0.20].map(|share| {
        let places = share * total;
        let (mut taken, mut hits) = (0.0, 0.0);
        for group in groups.iter().rev() {
            let size = (group.happened + group.not_happened) as f64;
            let part = ((places - taken) / size).min(1.0);
            hits += part * group.happened as f64;
            taken += size;
            if taken >= places {
                break;
            }
        }
        hits / places / base
    });
    Ranking { auc: Some(pairs / (positives * negatives)), lift: Some(lift) }
}

/// The measures. `None` where the data do not define one: without rows, or with one outcome only.
#[derive(Debug, Clone, PartialEq)]
pub struct QualityReport {
    /// Rows.
    pub n: u64,
    /// How many happened.
    pub actual_total: u64,
    /// The sum of the predictions.
    pub expected_total: f64,
    /// The share that happened.
    pub base_rate: Option<f64>,
    /// P(a prediction for one that happened is above one for one that did not), ties counting half.
    pub auc: Option<f64>,
    /// Mean squared error of the predictions.
    pub brier: Option<f64>,
    /// 1 - Brier score over that of predicting the base rate for everyone.
    pub brier_skill: Option<f64>,
    /// Its standard error, for independent rows (delta method, the base rate being of the same rows).
    pub brier_skill_error: Option<f64>,
    /// Mean negative log-likelihood of the outcomes; a prediction of 0 or 1 counts as 1e-15 off.
    pub log_loss: Option<f64>,
    /// For the top 5, 10 and 20 %: the share that happened over the base rate. Customers with equal
    /// predictions share what is left of the place.
    pub lift: Option<[f64; 3]>,
    /// The gain over random choice in percent of what perfect predictions gain: 0 is random, 100
    /// perfect (Braze's lift quality). The areas between gain curve and diagonal are in the ratio
    /// 2 AUC - 1.
    pub lift_quality: Option<f64>,
    /// Ten bins of near-equal size by ascending prediction; equal predictions stay together.
    pub bins: Vec<CalibrationBin>,
    /// Slope of the logistic regression of the outcome on the logit of the prediction; 1 is right,
    /// below 1 the predictions are too extreme.
    pub slope: Option<f64>,
    /// Its intercept; 0 is right.
    pub intercept: Option<f64>,
}

/// Predictions of similar size, and what came of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// Rows.
    pub n: u64,
    /// Their mean prediction.
    pub predicted: f64,
    /// The share that happened.
    pub actual: f64,
}

fn report(groups: &[Group], checkpoint: Checkpoint) -> QualityReport {
    let happened: u64 = groups.iter().map(|g| g.happened).fold(0, u64::saturating_add);
    let not_happened: u64 = groups.iter().map(|g| g.not_happened).fold(0, u64::saturating_add);
    let n = happened.saturating_add(not_happened);
    let (positives, total) = (happened as f64, n as f64);
    let mut report = QualityReport {
        n,
        actual_total: happened,
        expected_total: 0.0,
        base_rate: None,
        auc: None,
        brier: None,
        brier_skill: None,
        brier_skill_error: None,
        log_loss: None,
        lift: None,
        lift_quality: None,
        bins: Vec::new(),
        slope: None,
        intercept: None,
    };
    if n == 0 {
        return report;
    }
    let base = positives / total;
    let (mut brier, mut loss) = (0.0, 0.0);
    let mut bins = [(0_u64, 0.0, 0_u64); 10];
    let mut before = 0.0;
    for (i, group) in groups.iter().enumerate() {
        if i % 4096 == 0 {
            checkpoint();
        }
        let (p, yes, no) = (group.predicted, group.happened as f64, group.not_happened as f64);
        report.expected_total += p * (yes + no);
        brier += yes * (1.0 - p) * (1.0 - p) + no * p * p;
        let q = p.clamp(CLIP, 1.0 - CLIP);
        loss -= yes * q.ln() + no * (-q).ln_1p();
        // The bin in which the middle of the group lies.
        let bin = (10.0 * (before + 0.5 * (yes + no)) / total) as usize;
        before += yes + no;
        let bin = &mut bins[bin.min(9)];
        bin.0 += group.happened + group.not_happened;
        bin.1 += p * (yes + no);
        bin.2 += group.happened;
    }
    report.base_rate = Some(base);
    report.brier = Some(brier / total);
    report.log_loss = Some(loss / total);
    report.bins = bins
        .iter()
        .filter(|(n, ..)| *n > 0)
        .map(|&(n, sum, yes)| CalibrationBin { n, predicted: sum / n as f64, actual: yes as f64 / n as f64 })
        .collect();
    if happened == 0 || not_happened == 0 {
        return report;
    }
    let ranking = ranking(groups);
    report.auc = ranking.auc;
    report.lift_quality = ranking.lift_quality();
    report.lift = ranking.lift;
    report.brier_skill = Some(1.0 - brier / total / (base * (1.0 - base)));
    report.brier_skill_error = Some(skill_error(groups, total, base, brier / total, &mut *checkpoint));
    if let Some((slope, intercept)) = recalibration(groups, base, checkpoint) {
        report.slope = Some(slope);
        report.intercept = Some(intercept);
    }
    report
}

/// The standard error of the Brier skill 1 - B / (b (1 - b)): both B, the mean of the squared errors, and b, the share
/// that happened, are means over the rows, so each row adds -(e - B) / v + B (1 - 2 b) (y - b) / v^2, with v = b (1 - b).
fn skill_error(groups: &[Group], total: f64, base: f64, brier: f64, checkpoint: Checkpoint) -> f64 {
    let spread = base * (1.0 - base);
    let tilt = brier * (1.0 - 2.0 * base) / (spread * spread);
    let adds = |error: f64, outcome: f64| tilt * (outcome - base) - (error - brier) / spread;
    let mut squares = 0.0;
    for chunk in groups.chunks(4096) {
        checkpoint();
        for group in chunk {
            let p = group.predicted;
            let (yes, no) = (adds((1.0 - p) * (1.0 - p), 1.0), adds(p * p, 0.0));
            squares += group.happened as f64 * yes * yes + group.not_happened as f64 * no * no;
        }
    }
    squares.sqrt() / total
}

/// Slope and intercept of the logistic regression of the outcome on the logit of the prediction.
/// `None` if all predictions are equal, or the outcome follows from them without error.
fn recalibration(groups: &[Group], base: f64, checkpoint: Checkpoint) -> Option<(f64, f64)> {
    let logits: Vec<(f64, f64, f64)> = groups
        .iter()
        .map(|g| {
            let p = g.predicted.clamp(CLIP, 1.0 - CLIP);
            (p.ln() - (-p).ln_1p(), g.happened as f64, g.not_happened as f64)
        })
        .collect();
    if groups.len() < 2 {
        return None;
    }
    // The search is in logarithms: with exp(intercept) and exp(slope) both may have any sign.
    let start = [base / (1.0 - base), 1.0_f64.exp()];
    let found = maximize(
        |&[u, w]: &[f64; 2], checkpoint| {
            let (c, s) = (u.ln(), w.ln());
            let mut sum = Evaluation::<2>::ZERO;
            for chunk in logits.chunks(4096) {
                checkpoint();
                for &(logit, yes, no) in chunk {
                    let eta = c + s * logit;
                    let p = logistic(eta);
                    sum.value -= yes * softplus(-eta) + no * softplus(eta);
                    let residual = yes * (1.0 - p) - no * p;
                    let weight = (yes + no) * p * (1.0 - p);
                    sum.gradient[0] += residual;
                    sum.gradient[1] += residual * logit;
                    sum.hessian[0][0] -= weight;
                    sum.hessian[0][1] -= weight * logit;
                    sum.hessian[1][1] -= weight * logit * logit;
                }
            }
            // From (c, s) to (u, w) = exp: the derivatives that `maximize` turns back.
            let [gc, gs] = sum.gradient;
            let [[cc, cs], [_, ss]] = sum.hessian;
            sum.gradient = [gc / u, gs / w];
            sum.hessian = [[(cc - gc) / (u * u), cs / (u * w)], [cs / (u * w), (ss - gs) / (w * w)]];
            sum
        },
        start,
        start,
        0.0,
        checkpoint,
    )?;
    let fine = found.converged && found.covariance.is_some() && !found.at_bound.contains(&true);
    // A perfect separation drives the slope without end: its likelihood comes to 1.
    let separated = found.log_likelihood > -1e-6;
    (fine && !separated).then(|| (found.parameters[1].ln(), found.parameters[0].ln()))
}

impl QualityReport {
    /// The JSON value: `{n, base_rate, auc, brier, brier_skill, brier_skill_error, log_loss, lift {"5%", "10%", "20%"},
    /// lift_quality, calibration {slope, intercept, bins [{n, predicted, actual}]}, expected_total,
    /// actual_total, baselines {base_rate {auc, brier, log_loss}}}`: the last is what predicting the
    /// base rate for everyone comes to.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mixed = self.base_rate.filter(|rate| *rate > 0.0 && *rate < 1.0);
        let base = mixed.map(|rate| {
            json!({
                "auc": 0.5,
                "brier": rate * (1.0 - rate),
                "log_loss": -rate * rate.ln() - (1.0 - rate) * (-rate).ln_1p(),
            })
        });
        json!({
            "n": self.n,
            "base_rate": self.base_rate,
            "auc": self.auc,
            "brier": self.brier,
            "brier_skill": self.brier_skill,
            "brier_skill_error": self.brier_skill_error,
            "log_loss": self.log_loss,
            "lift": lift_json(self.lift),
            "lift_quality": self.lift_quality,
            "calibration": {
                "slope": self.slope,
                "intercept": self.intercept,
                "bins": self.bins.iter().map(|b| json!({ "n": b.n, "predicted": b.predicted, "actual": b.actual }))
                    .collect::<Vec<_>>(),
            },
            "expected_total": self.expected_total,
            "actual_total": self.actual_total,
            "baselines": { "base_rate": base },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(rows: &[(f64, bool)]) -> QualityReport {
        let mut state = PredictionQuality::new();
        for &(p, y) in rows {
            state.add(p, y).unwrap();
        }
        state.report(&mut || {}).unwrap()
    }

    #[test]
    fn by_hand() {
        let report = of(&[(0.9, true), (0.8, false), (0.8, true), (0.3, false), (0.1, false)]);
        // Pairs won: .9 beats 3; .8 beats 2 and ties 1: 5.5 of 6.
        assert_eq!(report.auc, Some(5.5 / 6.0));
        assert!((report.brier.unwrap() - (0.01 + 0.64 + 0.04 + 0.09 + 0.01) / 5.0).abs() < 1e-15);
        assert!((report.lift_quality.unwrap() - 100.0 * (5.5 / 3.0 - 1.0)).abs() < 1e-12);
        // The top 20 % is the .9: 1 / .4.
        assert_eq!(report.lift.unwrap()[2], 2.5);
        assert_eq!((report.n, report.actual_total), (5, 2));
        assert!((report.expected_total - 2.9).abs() < 1e-15);
        assert_eq!(report.bins.iter().map(|b| b.n).sum::<u64>(), 5);
    }

    #[test]
    fn calibrated_predictions_have_slope_one() {
        // In each group the share that happened is the prediction.
        let mut state = PredictionQuality::new();
        for (p, yes, no) in [(0.1, 10, 90), (0.25, 25, 75), (0.5, 50, 50), (0.8, 80, 20)] {
            for _ in 0..yes {
                state.add(p, true).unwrap();
            }
            for _ in 0..no {
                state.add(p, false).unwrap();
            }
        }
        let report = state.report(&mut || {}).unwrap();
        assert!((report.slope.unwrap() - 1.0).abs() < 1e-9 && report.intercept.unwrap().abs() < 1e-9);
        assert_eq!(report.expected_total.round() as u64, report.actual_total);
    }

    #[test]
    fn the_error_of_the_skill_is_that_of_a_jackknife() {
        // 400 rows of a fixed pattern: predictions that say something, of a rare outcome.
        let rows: Vec<(f64, bool)> = (0..400_u32)
            .map(|i| {
                let p = f64::from(i % 20) / 40.0;
                (p, f64::from(i.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24) < p)
            })
            .collect();
        let report = of(&rows);
        let n = rows.len() as f64;
        let without: Vec<f64> = (0..rows.len())
            .map(|i| {
                let mut left = rows.clone();
                left.remove(i);
                of(&left).brier_skill.unwrap()
            })
            .collect();
        let mean = without.iter().sum::<f64>() / n;
        let jackknife = ((n - 1.0) / n * without.iter().map(|s| (s - mean) * (s - mean)).sum::<f64>()).sqrt();
        let error = report.brier_skill_error.unwrap();
        assert!((error / jackknife - 1.0).abs() < 0.02, "{error} against {jackknife}");
        // The base rate for everyone has no skill, and is always exactly that bad; so is its error.
        let constant = of(&[(0.5, true), (0.5, false)]);
        assert_eq!((constant.brier_skill, constant.brier_skill_error), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn what_is_not_defined_is_none() {
        let empty = of(&[]);
        assert_eq!((empty.n, empty.auc, empty.base_rate), (0, None, None));
        let one_sided = of(&[(0.2, true), (0.3, true)]);
        assert_eq!((one_sided.auc, one_sided.brier_skill, one_sided.slope), (None, None, None));
        assert_eq!(one_sided.brier_skill_error, None);
        let perfect = of(&[(0.0, false), (0.1, false), (0.9, true), (1.0, true)]);
        assert_eq!((perfect.auc, perfect.slope), (Some(1.0), None));
        assert!(perfect.log_loss.unwrap().is_finite());
        let constant = of(&[(0.3, true), (0.3, false)]);
        assert_eq!((constant.auc, constant.slope), (Some(0.5), None));
        for bad in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
            assert!(PredictionQuality::new().add(bad, true).is_err());
        }
    }

    proptest! {
        #[test]
        fn order_and_merges_leave_no_trace(rows in proptest::collection::vec((0_u8..20, any::<bool>()), 0..200), cut: usize) {
            let rows: Vec<(f64, bool)> = rows.into_iter().map(|(p, y)| (f64::from(p) / 19.0, y)).collect();
            let whole = of(&rows);
            let cut = cut % (rows.len() + 1);
            let (mut left, mut right) = (PredictionQuality::new(), PredictionQuality::new());
            for &(p, y) in rows[..cut].iter().rev() {
                left.add(p, y).unwrap();
            }
            for &(p, y) in &rows[cut..] {
                right.add(p, y).unwrap();
            }
            right.merge(&left).unwrap();
            let bytes = right.to_bytes().unwrap();
            left.merge(&PredictionQuality::from_bytes(&{
                let mut r = PredictionQuality::new();
                for &(p, y) in &rows[cut..] { r.add(p, y).unwrap(); }
                r.to_bytes().unwrap()
            }).unwrap()).unwrap();
            prop_assert_eq!(&left.to_bytes().unwrap(), &bytes);
            let again = PredictionQuality::from_bytes(&bytes).unwrap();
            prop_assert_eq!(again.report(&mut || {}).unwrap(), whole);
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(mut bytes: Vec<u8>) {
            bytes.insert(0, VERSION);
            let _ = PredictionQuality::from_bytes(&bytes);
        }
    }
}
