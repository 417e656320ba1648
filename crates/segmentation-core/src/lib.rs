//! The mathematics of customer segmentation.
//!
//! Nothing here knows PostgreSQL: every algorithm is a pure function of its
//! arguments, so that it is tested, fuzzed and measured without a server. The
//! SQL face in the extension package is a thin layer over these modules and
//! carries the same names.
//!
//! Conventions shared by all modules:
//! * a day is an `i32`, counted from 2000-01-01 as PostgreSQL's `date` is ([`base::day`]);
//! * money is fixed point with four decimals ([`base::money::Money`]): sums are exact;
//! * what can fail returns [`base::error::Result`]; what can run long takes a
//!   [`Checkpoint`] and calls it at least every few milliseconds.

pub mod axes;
pub mod b2b;
pub mod base;
pub mod facts;
pub mod identity;
pub mod math;
pub mod measure;
pub mod models;
pub mod segments;
pub mod simulate;

pub use base::error::{Error, ErrorKind, Result};

/// Called by long loops so that their host can interrupt them.
///
/// The host may unwind out of the call (PostgreSQL does, when a query is
/// cancelled), so no algorithm may hold anything across it that needs undoing.
/// Tests pass `&mut || {}`.
pub type Checkpoint<'a> = &'a mut dyn FnMut();
