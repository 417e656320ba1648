//! `segmentation`: customer segmentation inside PostgreSQL.
//!
//! Each file here is the SQL face of the module of the same name in
//! `segmentation-core`, and as thin as it can be: it reads arguments, calls the
//! mathematics and returns the answer. The SQL objects themselves (types,
//! functions, aggregates, tables, their comments) are written by hand in `sql/`,
//! in install order below; [`pg`] is the only place with `unsafe`.

mod history;
mod pg;

::pgrx::pg_module_magic!();

/// The install script: one file a concept, each after what it stands on.
mod install {
    use pgrx::extension_sql_file;

    extension_sql_file!("../sql/history.sql", name = "history", bootstrap);
}
