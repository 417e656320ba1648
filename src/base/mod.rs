pub(crate) mod bytes_type;
pub(crate) mod cuts;
mod nearest;
pub(crate) mod options;
pub(crate) mod purchases;
pub(crate) mod stacks;
pub(crate) mod template;
pub(crate) mod time_zone;
pub(crate) mod value_stacks;
