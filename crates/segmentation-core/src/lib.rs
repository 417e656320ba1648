//! The mathematics of customer segmentation.
//!
//! Nothing here knows PostgreSQL: every algorithm is a pure function of its
//! arguments, so that it is tested, fuzzed and measured without a server. The
//! SQL face in the extension package is a thin layer over these modules and
//! carries the same names.
//!
//! Conventions shared by all modules:
//! * a day is an `i32`, counted from 2000-01-01 as PostgreSQL's `date` is ([`day`]);
//! * money is fixed point with four decimals ([`money::Money`]): sums are exact;
//! * what can fail returns [`error::Result`]; what can run long takes a
//!   [`Checkpoint`] and calls it at least every few milliseconds.

pub mod association;
pub mod association_rules;
pub mod b2b;
pub(crate) mod binomial;
pub mod calibration;
pub mod channels;
pub mod churn_level;
pub mod churn_model;
pub mod criterion;
pub mod day;
pub mod error;
pub mod event_log;
pub mod false_discovery;
pub mod future_value_band;
pub mod gaps;
pub mod history;
pub mod holdout;
pub mod host;
pub mod interest;
pub mod item_history;
pub mod life_moment;
pub mod loyalty;
pub mod memory;
pub mod money;
pub mod order_statistics;
pub mod pmg;
pub mod prediction_quality;
pub mod product_appetence;
pub mod profile;
pub mod profit;
pub mod purchase_model;
pub mod retention_model;
pub mod rfm;
pub mod segment;
pub mod send_time;
pub mod simulate;
pub mod special;
pub mod spend_model;
pub mod test_design;
pub mod uplift;

pub use purchase_model::json;

pub use error::{Error, ErrorKind, Result};

/// Called by long loops so that their host can interrupt them.
///
/// The host may unwind out of the call (PostgreSQL does, when a query is
/// cancelled), so no algorithm may hold anything across it that needs undoing.
/// Tests pass `&mut || {}`.
pub type Checkpoint<'a> = &'a mut dyn FnMut();
