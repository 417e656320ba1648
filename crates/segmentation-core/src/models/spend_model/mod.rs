//! Spend per purchase day, and future value.
//!
//! A customer's purchase days vary by a gamma distribution of shape p around a mean that differs between customers,
//! again by a gamma distribution (shape q, rate v), and does not depend on how often they buy (Colombo and Jiang 1999;
//! Fader, Hardie and Lee 2005, "RFM and CLV"; Fader and Hardie's note 025, 2013).
//!
//! | family | what it reads of a customer | shape p |
//! |---|---|---|
//! | `gamma_gamma` | the mean: the published fit | one for all |
//! | `gamma_gamma_days` | each day's amount | one for all |
//! | `gamma_gamma_mixture` | each day's amount | latent classes: how regular a customer's amounts are differs |
//!
//! With x days of mean m the likelihood of the mean is Γ(px+q) / (Γ(px) Γ(q)) m^(px-1) x^(px) v^q / (v + x m)^(px+q);
//! that of the days, whose sum is S and whose logarithms sum to L,
//! Γ(px+q) / (Γ(p)^x Γ(q)) e^((p-1) L) v^q / (v + S)^(px+q).
//!
//! | file | what |
//! |---|---|
//! | `options` | families, which days count, options of a fit |
//! | `summary` | what a model knows of one customer |
//! | `cells` | the mergeable state of a fit |
//! | `likelihood` | the three likelihoods and their maxima |
//! | `model` | the fitted model, as a value; what is to be expected of a customer |
//! | `fit` | from cells to a model; the back-test that says which days count |
//! | `value` | future value of a purchase model and a spend model |

mod cells;
mod fit;
mod likelihood;
mod model;
mod options;
mod summary;
mod value;

pub use cells::SpendCells;
pub use fit::fit_spend;
pub use model::{Shape, SpendModel};
pub use options::{SpendFamily, SpendOptions, Transactions};
pub use summary::SpendSummary;
pub use value::{ValueOptions, discounted_purchases, future_value, future_value_interval};
