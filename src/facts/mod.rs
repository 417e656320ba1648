pub(crate) mod event_log;
pub(crate) mod interest;
pub(crate) mod item_history;
pub(crate) mod purchase_history;
