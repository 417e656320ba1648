//! Product appetence: what a customer will buy next, again or for the first time.
//!
//! A fit ([`fit`]) reads the item histories of many customers ([`AffinityRows`]) and gives an
//! [`AffinityModel`]; a score ([`AffinityModel::rank`]) is a function of the model, one customer's
//! history and a day. The parts:
//!
//! * **Repeat**: a logistic regression on the decayed share of the customer's baskets that held the item
//!   (personal frequency) at several half-lives, on how often buyers of the item take it, and on how due
//!   it is by the customer's own gaps.
//! * **Discovery**: a logistic regression on EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse
//!   Data", WWW 2019), or beyond a stated number of items on cosine neighbours (Sarwar, Karypis, Konstan,
//!   Riedl, WWW 2001), and on popularity.
//! * **Cold start**: popularity, in the customer's segment where there is one.
//! * **Next due date**: gaps shrunk to those of the item by a Gamma prior (as Bhagat, Muralidharan,
//!   Lobzhanidze, Vishwanath, "Buy It Again", KDD 2018).
//!
//! Both regressions are learnt on an inner split: the features as they were `horizon` days before the
//! fit's day, judged by what was bought in these days. The same split turns scores into probabilities.

mod data;
mod ease;
mod features;
mod fit;
mod logit;
mod matrix;
mod model;
mod offer;
mod options;
mod quality;
mod rows;
mod score;
mod shortlist;
mod tables;
#[cfg(test)]
mod tests;

pub use ease::ease;
pub use fit::fit;
pub use matrix::{Counts, Neighbours, nearest};
pub use model::{AffinityModel, ItemFacts, Neighbour};
pub use offer::{Choice, Offer, OfferOptions, Source};
pub use options::FitOptions;
pub use quality::quality;
pub use rows::AffinityRows;
