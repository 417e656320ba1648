pub(crate) mod association;
pub(crate) mod association_rules;
pub(crate) mod criterion;
pub(crate) mod segment;
