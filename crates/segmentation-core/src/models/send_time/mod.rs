//! Send time: at which of the 168 hours of the week a customer is reached.
//!
//! The hours of a customer's acts are smoothed on the circle of the week and drawn towards the profile
//! of the segment: n acts count n / (n + n0). Each act stands for its own hour of the week, spread by a
//! Gaussian kernel, and for its hour of the day on all days of the week. How strongly customers are
//! drawn is estimated: n0 is the ratio of the variance of one act to the variance between customers
//! (Bühlmann, Experience rating and credibility, ASTIN Bulletin 4, 1967, for vectors).
//!
//! An hour of the week is counted from Monday 00:00, on the customer's clock.

mod cells;
mod hours;
mod kernel;
mod model;
mod options;

#[cfg(test)]
mod tests;

pub use cells::SendTimeCells;
pub use hours::{FIRST_SIZE, HOURS, SendHours, add, fixed, larger, start};
pub use model::{SendTimeModel, best, check_scores};
pub use options::SendTimeOptions;
