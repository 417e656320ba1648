//! The churn stack: the best of candidates for P(no purchase within a horizon), judged out of time.
//!
//! A purchase model knows the dates of a customer's purchases and an idea of how people buy; a regression on what the
//! history says knows no idea, and learns from what followed on earlier days. Neither is always better, and neither is
//! calibrated on a real shop. So the fit goes back to *inner days*, on which what followed is known by now, takes each
//! candidate as it would have been fitted then, and keeps the one that foresaw best (stacking: Wolpert 1992; van der
//! Laan, Polley and Hubbard 2007, *Super Learner*, here with splits in time).
//!
//! | candidate | log-odds of no purchase |
//! |---|---|
//! | `base_rate` | the same for all |
//! | `recency` | a line in ln(1 + recency) |
//! | `family` | those of a purchase model |
//! | `calibrated` | a line in those |
//! | `features` | ridge regression on the features of history and logs |
//! | `stack` | the same with those of the best family, towards which it is shrunk |
//! | `mean` | the mean of the last and the calibrated family |
//!
//! All are sums of weighted terms, so a model is scored, explained and bounded the same way whichever was chosen.

mod candidate;
mod days;
mod explain;
mod fit;
mod judge;
mod lost;
mod model;
mod options;
mod regression;
mod rows;
mod score;
mod snapshot;
mod terms;

#[cfg(test)]
mod tests;

pub use fit::fit;
pub use lost::Lost;
pub use model::{Candidate, ChurnStack, Coefficient, LastDay};
pub use options::StackOptions;
pub use rows::{SkippedCustomers, StackRows};
pub use score::{StackCustomer, StackScorer};
