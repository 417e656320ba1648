//! Mathematics that knows nothing of customers.

pub(crate) mod binomial;
pub(crate) mod covariance;
pub mod false_discovery;
pub(crate) mod inverse;
pub(crate) mod linear;
pub(crate) mod newton;
pub mod order_statistics;
pub mod pairs;
pub mod rate_ratio;
pub mod special;
