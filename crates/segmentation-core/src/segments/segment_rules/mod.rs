//! Rules for segments that are there already: a decision tree, written as a definition.
//!
//! Customers come with a segment (a cluster, a list of good customers) and features. A tree of binary splits (CART:
//! Breiman, Friedman, Olshen and Stone 1984, with Gini's impurity) tells the segments apart; each of its leaves becomes
//! one condition of a [definition](super::segment) of kind `rules`, so that a person can read it and
//! `segment_assign` or any database can run it.
//!
//! Everything is counted in whole numbers and ordered by name, so that the same customers give the same rules in
//! whatever order they come. `linfa-trees` does not (see `tests::against_linfa`): it leaves out splits between values
//! that others hold, breaks ties at random, and knows neither categories nor missing values.

mod rows;
mod rules;
mod tree;

#[cfg(test)]
mod tests;

use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::json::Object;

pub use rows::SegmentRows;

/// How rules are made.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentRulesOptions {
    /// Splits between the whole and a rule at most.
    pub max_depth: u32,
    /// The customers that a rule must hold for: a share below 1, a count from there.
    pub min_support: f64,
    /// The share of them that must be of the rule's segment; other leaves get the default.
    pub min_purity: f64,
}

impl Default for SegmentRulesOptions {
    fn default() -> Self {
        Self { max_depth: 4, min_support: 0.01, min_purity: 0.0 }
    }
}

impl SegmentRulesOptions {
    /// The fields of the JSON object.
    pub const FIELDS: &[&str] = &["max_depth", "min_support", "min_purity"];

    /// Reads them; what is missing takes its default.
    ///
    /// # Errors
    /// Names the field that is wrong.
    pub fn read(object: &Object) -> Result<Self> {
        let usual = Self::default();
        Ok(Self {
            max_depth: object.whole("max_depth", 1, 8)?.map_or(usual.max_depth, |depth| depth as u32),
            min_support: object.number("min_support", 0.0, 1e9)?.unwrap_or(usual.min_support),
            min_purity: object.number("min_purity", 0.0, 1.0)?.unwrap_or(usual.min_purity),
        })
    }

    /// The least number of customers of a rule, of so many in all.
    fn least(&self, customers: u64) -> u64 {
        let least =
            if self.min_support < 1.0 { self.min_support * customers as f64 } else { self.min_support };
        (least.ceil() as u64).max(1)
    }
}

/// The definition of kind `rules` that tells the segments of the rows apart; `None` if there is no row.
///
/// # Errors
/// A limit is passed, or memory cannot be had.
pub fn fit_segment_rules(
    rows: &SegmentRows,
    options: &SegmentRulesOptions,
    checkpoint: Checkpoint,
) -> Result<Option<serde_json::Value>> {
    let rows = rows.ordered(checkpoint)?;
    tree::grow(&rows, options, checkpoint)?.map(|tree| rules::write(&rows, &tree)).transpose()
}
