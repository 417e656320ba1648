pub(crate) mod association;
pub(crate) mod association_rules;
pub(crate) mod criteria;
pub(crate) mod segment;
pub(crate) mod segment_rules;
