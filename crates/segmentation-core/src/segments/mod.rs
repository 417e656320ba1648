//! Definitions that put customers into segments, and what makes a criterion worth having.

pub mod association;
pub mod association_rules;
pub mod criteria;
pub mod segment;
pub mod segment_rules;
