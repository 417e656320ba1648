//! What is known of a customer: purchases, items, events, and what follows from them alone.

pub mod event_features;
pub mod event_log;
pub mod gaps;
pub mod history_sample;
pub mod interest;
pub mod item_history;
pub mod purchase_features;
pub mod purchase_history;
