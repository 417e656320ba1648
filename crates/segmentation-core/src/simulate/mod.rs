//! A seeded generator of a plausible retailer, with its hidden truth.
//!
//! Every row follows from `(seed, customer)` alone: a customer's rows are the
//! same whichever customers are generated with it, in whatever order and by
//! however many workers. What customers share (products, campaigns, calendar)
//! follows from the seed and the period, and is built by [`Shop::new`].
//!
//! Purchases live in the Pareto/NBD and Gamma-Gamma world that the purchase
//! and spend models assume: gamma-distributed rates, exponential lifetimes
//! with gamma-distributed dropout rates, Erlang-k gaps, gamma-distributed
//! order amounts whose scale is gamma-distributed over customers. By default
//! hidden profiles, seasons and life moments bend this world; with
//! [`Options::pure`] nothing does, so that a fit must find the parameters back.
//!
//! The output is stable across machines: the generator is PCG (value-stable
//! by its documentation), and `rand_distr` and this module take their
//! transcendental functions from the `libm` crate, not from the system. It may
//! change with a version of this crate; a test pins a digest of it.

mod attributes;
mod behaviour;
mod calendar;
mod catalog;
mod contacts;
mod lines;
mod options;
mod orders;
mod profiles;
mod random;
mod shop;

#[cfg(test)]
mod tests;

pub use attributes::{AttributeChange, Attributes, CompanyAttributes};
pub use behaviour::{Customer, Moment, MomentKind, Purchasing};
pub use catalog::{CATEGORIES, CATEGORY_COUNT, CHANNELS, Campaign, Category, Product};
pub use contacts::{ConsentChange, Contact, Interaction, Subscription};
pub use lines::{Line, Repeat};
pub use options::Options;
pub use orders::Order;
pub use profiles::{PROFILES, Profile};
pub use shop::{CUSTOMER_LIMIT, ID_SPAN, PERIOD_FLOOR, PERIOD_LIMIT, Shop};
