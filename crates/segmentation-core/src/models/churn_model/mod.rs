//! Churn from features: logistic regression on what is known of a customer.
//!
//! Way of use: [`ChurnRows`] gathers customers with their outcome, [`fit`] makes a
//! [`ChurnModel`] of them, which scores and explains any [`Features`].

mod design;
mod explain;
mod features;
mod fit;
mod model;
mod options;
mod rows;
mod stored;

pub use explain::Contribution;
pub(crate) use explain::{number, sentence};
pub use features::{FeatureValue, Features, LONGEST_LEVEL, LONGEST_NAME};
pub use fit::fit;
pub use model::{ChurnModel, Coefficient, Feature, Kind, Level};
pub use options::ChurnOptions;
pub use rows::{ChurnRows, MOST_FEATURES, SkippedRows};
pub(crate) use stored::Stored;

#[cfg(test)]
mod tests;
