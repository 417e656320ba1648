//! Contracts: how long they last, from when they began and ended.
//!
//! Time is discrete: a contract is renewed or not at the end of each period (a month unless the
//! options say otherwise). Three families:
//!
//! | family | what | source |
//! |---|---|---|
//! | `kaplan_meier` | the share that survives, period by period, with bands; one curve a group | Kaplan, Meier 1958; bands on the log(-log) scale with Greenwood's variance |
//! | `shifted_beta_geometric` | a renewal rate that differs between customers by a beta distribution; reaches beyond the data | Fader, Hardie 2007 |
//! | `hazard` | logistic regression of ending on features and steps of tenure | Singer, Willett 1993 |
//!
//! Contracts that still run count up to `as_of` (right censoring); with `observed_from`, those that
//! began before it count only from then on (left truncation).

mod contracts;
mod fit;
mod geometric;
mod hazard;
mod kaplan_meier;
mod model;
mod options;
mod period;
mod survival;

#[cfg(test)]
mod tests;

pub use contracts::Contracts;
pub use fit::fit;
pub use kaplan_meier::Point;
pub use model::RetentionModel;
pub use options::{Family, RetentionOptions};
pub use survival::{Survival, Terms};
