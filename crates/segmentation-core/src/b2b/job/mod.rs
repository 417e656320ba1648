//! Job titles, in English and French: rank, function, and the part in a decision to buy.
//!
//! A title is read as words in lower case without accents; the words of a phrase must follow each
//! other. Feminine forms and abbreviations are phrases of their own, or ends left
//! open: `comptab*` is every word that begins so.
//!
//! [`words`] has the lists, the other files the rules.

mod decision_role;
mod function;
mod seniority;
mod title;
mod words;

pub use decision_role::{DecisionRole, decision_role};
pub use function::{function, functions};
pub use seniority::{Seniority, seniority};
