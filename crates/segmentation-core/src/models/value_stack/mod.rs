//! The value stack: the best of candidates for what a customer will bring within a horizon, judged out of time.
//!
//! A purchase model times a spend model has an idea of how people buy; last year's turnover has none, and ranks
//! customers of a real shop as well or better. Neither has the right total on a shop that grows or ages. So the fit goes
//! back to *inner days*, on which what followed is known by now, takes each candidate as it would have been fitted then,
//! and keeps the one that foresaw best: in rank, in total, and by customer.
//!
//! | candidate | value |
//! |---|---|
//! | `purchase_model` | c x expected purchases x expected spend |
//! | `last_year` | c x turnover of the last year, for the horizon |
//! | `mean` | c x the geometric mean of the two |
//! | `regression` | that, times what a Poisson regression with a log link learns from counts and recencies (ridge) |
//!
//! All are linear in logarithms, so a model is scored and bounded the same way whichever was chosen. Whoever brought
//! nothing within a year has the value 0 by the last three. A seasonal index, where the log has two years, multiplies.
//!
//! | file | what |
//! |---|---|
//! | `options` | what a fit may be told |
//! | `rows` | the mergeable state: a sample of customers |
//! | `days` | inner days |
//! | `season` | the index by week of the year |
//! | `customer` | what is known of a customer on a day, in silence too |
//! | `weights` | candidates as sums of logarithms, and how they are learnt |
//! | `judge` | rank, total and error |
//! | `fit` | the fit |
//! | `model` | the model as a value |
//! | `score` | value, and the day on which silence changes its band |

mod customer;
mod days;
mod fit;
mod judge;
mod model;
mod options;
mod rows;
mod score;
mod season;
mod weights;

pub use fit::fit;
pub use judge::Quality;
pub use model::ValueStack;
pub use options::{SeasonOption, ValueStackOptions};
pub use rows::ValueRows;
pub use score::ValueScorer;
pub use season::Season;
