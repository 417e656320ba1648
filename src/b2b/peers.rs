//! SQL face of [`segmentation_core::b2b::peers`]. Declared in `sql/b2b/peers.sql`.

use pgrx::prelude::*;
use segmentation_core::Result;
use segmentation_core::b2b::peers::Peers;

use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::row::Column;
use crate::pg::value::Value;
use crate::pg::{CallSite, OrRaise, interrupt};

impl Flat for Peers {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Peers::to_bytes(self)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Peers::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn peer_benchmark_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Peers>>,
    turnover: Option<f64>,
    headcount: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Peers> {
    let mut state = resume(state, &call, Peers::default);
    if let (Some(turnover), Some(headcount)) = (turnover, headcount) {
        state.value().add(turnover, headcount).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn peer_benchmark_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Peers>>,
    other: Option<ExpandedArg<'fcx, Peers>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Peers>> {
    merge(state, other, &call, Peers::merge)
}

#[pg_extern(sql = false)]
fn peer_benchmark_final<'fcx>(state: ExpandedArg<'fcx, Peers>, mut call: CallSite<'fcx>) -> Option<Value> {
    let benchmark = state.with(|peers| peers.benchmark(&mut interrupt)).or_raise()?;
    let shape = call.shape();
    Some(shape.row([
        Column::I64(benchmark.companies as i64),
        Column::F64(benchmark.median),
        Column::F64(benchmark.upper),
    ]))
}
