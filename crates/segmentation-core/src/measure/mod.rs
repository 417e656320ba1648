//! How good a prediction, a segment or a campaign was.

pub mod holdout;
pub mod prediction_quality;
pub mod profit;
pub mod test_design;
pub mod uplift;
