//! Frozen limits as composite values, which the faces of several concepts read.

use segmentation_core::Result;
use segmentation_core::axes::pmg::Cuts;

use crate::pg::numeric::NumericArg;
use crate::pg::row::columns;
use crate::pg::value::Value;

/// Reads a value of type pmg_cuts; `None` if it has no limits.
///
/// # Errors
/// A limit is no amount.
pub fn pmg_cuts(cuts: Value) -> Result<Option<Cuts>> {
    let [_, _, _, gros_from, moyens_from, _, _, _] = columns::<8>(cuts, "pmg_cuts");
    let money = |value: Value, name| NumericArg::from_bytes(value.bytes()).money(name);
    match (gros_from, moyens_from) {
        (Some(gros), Some(moyens)) => Ok(Some(Cuts {
            gros_from: money(gros, "gros_from")?,
            moyens_from: money(moyens, "moyens_from")?,
        })),
        _ => Ok(None),
    }
}
