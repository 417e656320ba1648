//! The axes of a workspace that are rules over facts and models.

pub mod churn_level;
pub mod future_value_band;
pub mod life_moment;
pub mod loyalty;
pub mod pmg;
pub mod rfm;
pub mod silence;
