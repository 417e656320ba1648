pub(crate) mod churn_level;
pub(crate) mod future_value_band;
pub(crate) mod life_moment;
pub(crate) mod loyalty;
pub(crate) mod pmg;
pub(crate) mod rfm;
