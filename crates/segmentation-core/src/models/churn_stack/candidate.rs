//! What may score the customers, from the simplest on.

use super::regression::{FREE, regress};
use super::snapshot::Snapshots;
use super::terms::{self, Linear};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::facts::purchase_features::RECENCY;
use crate::math::special::softplus;
use crate::models::purchase_model::Family;

/// Precisions of the ridge, the strongest first.
pub(super) const RIDGES: [f64; 3] = [1000.0, 100.0, 10.0];

/// A way to score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Way {
    /// The same probability for all.
    BaseRate,
    /// Days since the last purchase alone.
    Recency,
    /// The probability of a purchase model as it is.
    Raw(Family),
    /// The same, moved by a straight line in log-odds.
    Calibrated(Family),
    /// A ridge regression on the features.
    Features(f64),
    /// The mean of the next and the calibrated family, in log-odds.
    Mean(f64),
    /// A ridge regression on the features, towards the best family.
    Stack(f64),
}

impl Way {
    /// Its code.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::BaseRate => "base_rate",
            Self::Recency => "recency",
            Self::Raw(_) => "family",
            Self::Calibrated(_) => "calibrated",
            Self::Features(_) => "features",
            Self::Mean(_) => "mean",
            Self::Stack(_) => "stack",
        }
    }

    /// The family that the name says.
    pub(super) fn family(self) -> Option<Family> {
        match self {
            Self::Raw(family) | Self::Calibrated(family) => Some(family),
            _ => None,
        }
    }

    /// The precision of its ridge.
    pub(super) fn ridge(self) -> Option<f64> {
        match self {
            Self::Features(ridge) | Self::Mean(ridge) | Self::Stack(ridge) => Some(ridge),
            _ => None,
        }
    }
}

/// Ways with what they come to, the simpler first, and the family that the stack stands on.
pub(super) type Learnt = (Vec<(Way, Linear)>, Option<Family>);

/// What is learnt from.
pub(super) struct Training<'a> {
    /// Snapshots with the weight of their rows.
    pub days: &'a [(&'a Snapshots, f64)],
    pub families: &'a [Family],
    /// The features that can be told.
    pub told: &'a [usize],
    /// Whether more than families and their calibration may be tried.
    pub regressions: bool,
    /// Whether features may be.
    pub features: bool,
    /// Only this way, which was chosen; else all.
    pub only: Option<Way>,
}

impl Training<'_> {
    /// Mean loss of log-odds on the rows learnt from, for choosing a family.
    fn loss(&self, linear: &Linear, checkpoint: Checkpoint) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (snapshots, weight) in self.days {
            checkpoint();
            for i in 0..snapshots.len() {
                let weight = weight * snapshots.customers[i] as f64;
                sum += weight * loss(linear.log_odds(snapshots.row(i)), snapshots.churned[i]);
                total += weight;
            }
        }
        sum / total
    }

    /// All ways with what they come to, the simpler first, and the family that the stack stands on.
    pub(super) fn learn(&self, checkpoint: Checkpoint) -> Result<Learnt> {
        let mut ways = Vec::new();
        if self.regressions {
            let base = regress(self.days, None, &[], 0.0, &mut *checkpoint)?;
            ways.extend(base.map(|linear| (Way::BaseRate, linear)));
            let recency = regress(self.days, None, &[RECENCY], FREE, &mut *checkpoint)?;
            ways.extend(recency.map(|linear| (Way::Recency, linear)));
        }
        ways.extend(self.families.iter().map(|&f| (Way::Raw(f), Linear::term(terms::of_family(f)))));
        let mut best: Option<(f64, Family, Linear)> = None;
        for &family in self.families {
            let own = regress(self.days, Some(terms::of_family(family)), &[], FREE, &mut *checkpoint)?;
            let Some(linear) = own else { continue };
            let loss = self.loss(&linear, &mut *checkpoint);
            if best.as_ref().is_none_or(|(least, ..)| loss < least * (1.0 - 1e-6)) {
                best = Some((loss, family, linear.clone()));
            }
            ways.push((Way::Calibrated(family), linear));
        }
        let family = best.as_ref().map(|(_, family, _)| *family);
        if !(self.regressions && self.features) {
            return Ok((ways, family));
        }
        let (mut features, mut means, mut stacks) = (Vec::new(), Vec::new(), Vec::new());
        let wanted = |ways: &[Way]| self.only.is_none_or(|only| ways.contains(&only));
        for ridge in RIDGES {
            if wanted(&[Way::Features(ridge)]) {
                let own = regress(self.days, None, self.told, ridge, &mut *checkpoint)?;
                features.extend(own.map(|linear| (Way::Features(ridge), linear)));
            }
            let Some((_, family, calibrated)) = &best else { continue };
            if !wanted(&[Way::Mean(ridge), Way::Stack(ridge)]) {
                continue;
            }
            let towards = Some(terms::of_family(*family));
            if let Some(stack) = regress(self.days, towards, self.told, ridge, &mut *checkpoint)? {
                means.push((Way::Mean(ridge), stack.mean(calibrated)));
                stacks.push((Way::Stack(ridge), stack));
            }
        }
        ways.extend(features.into_iter().chain(means).chain(stacks));
        Ok((ways, family))
    }
}

/// The logarithmic loss of log-odds.
#[inline]
pub(super) fn loss(log_odds: f64, churned: bool) -> f64 {
    softplus(if churned { -log_odds } else { log_odds })
}
