//! SQL face of [`segmentation_core::prediction_quality`]: the aggregate
//! `prediction_quality`. Declared in `sql/prediction_quality.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::prediction_quality::PredictionQuality;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbOut;
use crate::pg::{CallSite, OrRaise, interrupt};

/// Outcomes, and the rows left out because one of the two was NULL.
struct Outcomes {
    quality: PredictionQuality,
    skipped: u64,
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
    let mut state = resume(state, &call, || Outcomes { quality: PredictionQuality::new(), skipped: 0 });
    match (predicted, happened) {
        (Some(predicted), Some(happened)) => state.value().quality.add(predicted, happened).or_raise(),
        _ => state.value().skipped += 1,
    }
    state
}

#[pg_extern(sql = false)]
fn prediction_quality_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Outcomes>>,
    other: Option<ExpandedArg<'fcx, Outcomes>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Outcomes>> {
    merge(state, other, &call, |state, other| {
        state.skipped += other.skipped;
        state.quality.merge(&other.quality)
    })
}

#[pg_extern(sql = false)]
fn prediction_quality_final(state: ExpandedArg<'_, Outcomes>) -> JsonbOut {
    state.with(|state| {
        let mut report = state.quality.report(&mut interrupt).or_raise().to_json();
        report["skipped"] = state.skipped.into();
        JsonbOut(report)
    })
}
