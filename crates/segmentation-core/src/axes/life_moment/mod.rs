//! Life moments: what is happening in a customer's life or relation just now, from purchases, counts of
//! interactions, dates and changes of attributes.
//!
//! Each detector answers for one customer and one day, with a [`LifeMoment`] whose code is `none` when
//! nothing is on: the p value is there all the same, since false discovery is judged over all customers
//! tested ([`crate::math::false_discovery`]).
//!
//! | detectors | what they look at |
//! |---|---|
//! | [`purchase_due`] | the customer's own gaps: the next purchase is due, or late |
//! | [`waning_interest`], [`waning_counts`] | the last window against their own past |
//! | [`yearly_recurrence`] | the weeks of the year in which they bought before |
//! | [`first_purchase`], [`reactivated`], [`anniversary`] | dates |
//! | [`attribute_moment`] | a change of an attribute |
//! | [`marker_purchase`] | purchases in a category that marks a moment |

mod attribute;
mod dates;
mod due;
mod marker;
mod moment;
mod purchases;
mod waning;
mod yearly;

#[cfg(test)]
mod tests;

pub use attribute::{AttributeChange, AttributeMapping, attribute_moment, default_mapping};
pub use dates::{FirstOptions, ReactivatedOptions, anniversary, first_purchase, reactivated};
pub use due::{DueOptions, purchase_due};
pub use marker::{MarkerOptions, marker_purchase};
pub use moment::LifeMoment;
pub use purchases::PurchaseMoments;
pub use waning::{WaningOptions, waning_counts, waning_interest};
pub use yearly::{YearlyOptions, yearly_recurrence};
