//! Mathematics that knows nothing of customers.

pub(crate) mod binomial;
pub mod false_discovery;
pub(crate) mod newton;
pub mod order_statistics;
pub mod pairs;
pub mod rate_ratio;
pub mod special;
