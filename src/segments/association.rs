//! SQL face of [`segmentation_core::segments::association`]: `psi`, `adjusted_rand_index`,
//! `migration_matrix`. Declared in `sql/segments/association.sql`.

use pgrx::prelude::*;
use segmentation_core::math::pairs::psi;
use segmentation_core::segments::association::Crossing;
use segmentation_core::{Error, ErrorKind, Result};
use serde_json::json;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbOut;
use crate::pg::{CallSite, OrRaise};

impl Flat for Crossing {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(Crossing::to_bytes(self))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Crossing::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn crossing_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Crossing>>,
    before: Option<&'fcx str>,
    after: Option<&'fcx str>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Crossing> {
    let mut state = resume(state, &call, Crossing::default);
    state.value().add(before, after).or_raise();
    state
}

#[pg_extern(sql = false)]
fn crossing_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Crossing>>,
    other: Option<ExpandedArg<'fcx, Crossing>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Crossing>> {
    merge(state, other, &call, Crossing::merge)
}

#[pg_extern(sql = false)]
fn crossing_psi(state: ExpandedArg<'_, Crossing>) -> Option<f64> {
    state.with(|state| state.pairs().psi())
}

#[pg_extern(sql = false)]
fn crossing_rand(state: ExpandedArg<'_, Crossing>) -> Option<f64> {
    state.with(|state| state.pairs().adjusted_rand_index())
}

#[pg_extern(sql = false)]
fn crossing_matrix(state: ExpandedArg<'_, Crossing>) -> JsonbOut {
    state.with(|state| {
        let rows = state
            .migrations()
            .into_iter()
            .map(|m| json!({ "before": m.before, "after": m.after, "customers": m.n, "share": m.share }));
        JsonbOut(rows.collect())
    })
}

/// Shares or counts of classes, before and after.
struct Classes(Vec<(f64, f64)>);

impl Flat for Classes {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut classes = self.0.clone();
        classes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Ok(classes.iter().flat_map(|c| [c.0.to_le_bytes(), c.1.to_le_bytes()]).flatten().collect())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let words: Vec<f64> = words.iter().map(|w| f64::from_le_bytes(*w)).collect();
        if !rest.is_empty()
            || !words.len().is_multiple_of(2)
            || words.iter().any(|w| !(w.is_finite() && *w >= 0.0))
        {
            return Err(Error::new(ErrorKind::InvalidBinary, "invalid aggregate state"));
        }
        Ok(Classes(words.chunks_exact(2).map(|w| (w[0], w[1])).collect()))
    }
}

#[pg_extern(sql = false)]
fn psi_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Classes>>,
    before: Option<f64>,
    after: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Classes> {
    let mut state = resume(state, &call, || Classes(Vec::new()));
    let (before, after) = (before.unwrap_or(0.0), after.unwrap_or(0.0));
    for (value, name) in [(before, "before"), (after, "after")] {
        if !(0.0..=1e15).contains(&value) {
            let error = Error::invalid(format!("{name} must be a share or a count, 0 or above"));
            Err(error.detail(format!("It is {}.", segmentation_core::base::error::shown_number(value))))
                .or_raise()
        }
    }
    if state.value().0.len() == 1_000_000 {
        Err(Error::new(ErrorKind::LimitExceeded, "more than 1000000 classes")).or_raise()
    }
    state.value().0.push((before, after));
    state
}

#[pg_extern(sql = false)]
fn psi_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Classes>>,
    other: Option<ExpandedArg<'fcx, Classes>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Classes>> {
    merge(state, other, &call, |state, other| {
        state.0.extend_from_slice(&other.0);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn psi_final(state: ExpandedArg<'_, Classes>) -> Option<f64> {
    state.with(|state| {
        let mut classes = state.0.clone();
        // Sums do not depend on the order of the rows.
        classes.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        psi(&classes)
    })
}
