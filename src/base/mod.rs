pub(crate) mod bytes_type;
pub(crate) mod options;
pub(crate) mod template;
