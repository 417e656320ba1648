//! Purchase histories: for each day, how many purchases and for how much.
//!
//! A history has two forms, both plain bytes.
//!
//! * The **packed form** is what is stored and passed around: canonical, so that
//!   equal histories are equal bytes whatever order they were built or merged in,
//!   and small (variable-length integers, day gaps, the amounts in the largest
//!   unit that loses nothing).
//! * The **growing form** ([`Growing`]) is a sorted array with spare room, made
//!   to be changed in place while an aggregate runs.
//!
//! A day with at least one purchase is a *purchase day*. A negative amount is a
//! refund: it lowers the turnover of its day and is not a purchase. A day may
//! therefore hold no purchase at all; it counts for turnover only.

mod entry;
mod growing;
mod packed;
mod returns;
mod text;

#[cfg(test)]
mod tests;

pub use entry::{Entry, merge_days};
pub use growing::{Growing, growing_entries, pack_growing};
pub use packed::{Entries, History, PurchaseDays, Totals, pack};
pub use returns::net_purchases;
pub use text::parse_text;
