//! SQL face of [`segmentation_core::prediction_quality`]: the aggregate
//! `prediction_quality`. Declared in `sql/prediction_quality.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::prediction_quality::PredictionQuality;

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
        self.skipped += other.skipped;
        self.quality.merge(&other.quality)
    }
}

impl Flat for Outcomes {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = self.skipped.to_le_bytes().to_vec();
        out.extend(self.quality.to_bytes()?);
        Ok(out)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (skipped, rest) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        Ok(Outcomes { quality: PredictionQuality::from_bytes(rest)?, skipped: u64::from_le_bytes(*skipped) })
    }
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
    state.with(|state| {
        let mut report = state.quality.report(&mut interrupt).or_raise().to_json();
        report["skipped"] = state.skipped.into();
        JsonbOut(report)
    })
}
