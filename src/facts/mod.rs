pub(crate) mod event_log;
pub(crate) mod history;
pub(crate) mod interest;
pub(crate) mod item_history;
