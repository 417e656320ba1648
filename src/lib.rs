//! The SQL face of `segmentation`.
::pgrx::pg_module_magic!();
