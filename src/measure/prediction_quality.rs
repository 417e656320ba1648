//! SQL face of [`segmentation_core::measure::prediction_quality`]: the aggregate
//! `prediction_quality`. Declared in `sql/measure/prediction_quality.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::base::memory;
use segmentation_core::measure::prediction_quality::PredictionQuality;
use serde_json::Value as Json;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbOut;
use crate::pg::{CallSite, OrRaise, interrupt};

/// Outcomes, and the rows left out because one of the two was NULL.
#[derive(Default)]
pub struct Outcomes {
    /// The outcomes.
    pub quality: PredictionQuality,
    /// Rows left out.
    pub skipped: u64,
}

impl Outcomes {
    /// Takes one row in.
    ///
    /// # Errors
    /// The prediction is no probability.
    pub fn add(&mut self, predicted: Option<f64>, happened: Option<bool>) -> Result<()> {
        match (predicted, happened) {
            (Some(predicted), Some(happened)) => self.quality.add(predicted, happened),
            _ => {
                self.skipped += 1;
                Ok(())
            }
        }
    }

    /// Takes another part in.
    ///
    /// # Errors
    /// A limit on size is passed.
    pub fn absorb(&mut self, other: &Self) -> Result<()> {
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.quality.merge(&other.quality)
    }
}

impl Flat for Outcomes {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        memory::concat(&[&self.skipped.to_le_bytes(), &self.quality.to_bytes()?])
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (skipped, rest) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        Ok(Outcomes { quality: PredictionQuality::from_bytes(rest)?, skipped: u64::from_le_bytes(*skipped) })
    }
}

/// Outcomes with a baseline beside the prediction.
#[derive(Default)]
pub struct Compared {
    predicted: Outcomes,
    baseline: PredictionQuality,
}

impl Compared {
    fn add(&mut self, predicted: Option<f64>, happened: Option<bool>, baseline: Option<f64>) -> Result<()> {
        match (predicted, happened, baseline) {
            (Some(_), Some(happened), Some(baseline)) => {
                self.baseline.add_score(baseline, happened)?;
                self.predicted.add(predicted, Some(happened))
            }
            // Both are judged on the same rows.
            _ => self.predicted.add(None, None),
        }
    }

    fn absorb(&mut self, other: &Self) -> Result<()> {
        self.baseline.merge(&other.baseline)?;
        self.predicted.absorb(&other.predicted)
    }
}

impl Flat for Compared {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let baseline = self.baseline.to_bytes()?;
        let len = (baseline.len() as u64).to_le_bytes();
        memory::concat(&[&len, &baseline, &self.predicted.to_bytes()?])
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (len, rest) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
        let (baseline, predicted) = rest.split_at_checked(len).unwrap_or_default();
        Ok(Compared {
            predicted: Outcomes::from_bytes(predicted)?,
            baseline: PredictionQuality::scores_from_bytes(baseline)?,
        })
    }
}

#[pg_extern(sql = false)]
fn prediction_quality_compare_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Compared>>,
    predicted: Option<f64>,
    happened: Option<bool>,
    baseline: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Compared> {
    let mut state = resume(state, &call, Compared::default);
    state.value().add(predicted, happened, baseline).or_raise();
    state
}

#[pg_extern(sql = false)]
fn prediction_quality_compare_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Compared>>,
    other: Option<ExpandedArg<'fcx, Compared>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Compared>> {
    merge(state, other, &call, Compared::absorb)
}

#[pg_extern(sql = false)]
fn prediction_quality_compare_final(state: ExpandedArg<'_, Compared>) -> JsonbOut {
    state.with(|state| {
        let mut report = report(&state.predicted).or_raise();
        report["baselines"]["given"] = state.baseline.ranking().or_raise().to_json();
        JsonbOut(report)
    })
}

fn report(outcomes: &Outcomes) -> Result<Json> {
    let mut report = outcomes.quality.report(&mut interrupt)?.to_json();
    report["skipped"] = outcomes.skipped.into();
    Ok(report)
}

#[pg_extern(sql = false)]
fn prediction_quality_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Outcomes>>,
    predicted: Option<f64>,
    happened: Option<bool>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Outcomes> {
    let mut state = resume(state, &call, Outcomes::default);
    state.value().add(predicted, happened).or_raise();
    state
}

#[pg_extern(sql = false)]
fn prediction_quality_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Outcomes>>,
    other: Option<ExpandedArg<'fcx, Outcomes>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Outcomes>> {
    merge(state, other, &call, Outcomes::absorb)
}

#[pg_extern(sql = false)]
fn prediction_quality_final(state: ExpandedArg<'_, Outcomes>) -> JsonbOut {
    state.with(|state| JsonbOut(report(state).or_raise()))
}
