//! What is known of a customer: purchases, items, events, and what follows from them alone.

pub mod event_log;
pub mod gaps;
pub mod history;
pub mod interest;
pub mod item_history;
