//! `segmentation`: customer segmentation inside PostgreSQL.
//!
//! Each file here is the SQL face of the module of the same name in
//! `segmentation-core`, and as thin as it can be: it reads arguments, calls the
//! mathematics and returns the answer. The SQL objects themselves (types,
//! functions, aggregates, tables, their comments) are written by hand in `sql/`,
//! in install order below; [`pg`] is the only place with `unsafe`.

mod association;
mod association_rules;
mod b2b;
mod bytes_type;
mod calibration;
mod churn_model;
mod criterion;
mod history;
mod interest;
mod item_history;
mod options;
mod pg;
mod pmg;
mod prediction_quality;
mod product_appetence;
mod profile;
mod purchase_model;
mod retention_model;
mod rfm;
mod segment;
mod simulate;
mod spend_model;
mod test_design;

::pgrx::pg_module_magic!();

/// The install script: one file a concept, each after what it stands on.
mod install {
    use pgrx::extension_sql_file;

    extension_sql_file!("../sql/history.sql", name = "history", bootstrap);
    extension_sql_file!("../sql/rfm.sql", name = "rfm", requires = ["history"]);
    extension_sql_file!("../sql/pmg.sql", name = "pmg", requires = ["rfm"]);
    extension_sql_file!("../sql/purchase_model.sql", name = "purchase_model", requires = ["pmg"]);
    extension_sql_file!("../sql/spend_model.sql", name = "spend_model", requires = ["purchase_model"]);
    extension_sql_file!(
        "../sql/prediction_quality.sql",
        name = "prediction_quality",
        requires = ["spend_model"]
    );
    extension_sql_file!("../sql/churn_model.sql", name = "churn_model", requires = ["prediction_quality"]);
    extension_sql_file!("../sql/retention_model.sql", name = "retention_model", requires = ["churn_model"]);
    extension_sql_file!("../sql/calibration.sql", name = "calibration", requires = ["retention_model"]);
    extension_sql_file!("../sql/segment.sql", name = "segment", requires = ["calibration"]);
    extension_sql_file!("../sql/segment_template.sql", name = "segment_template", requires = ["segment"]);
    extension_sql_file!("../sql/profile.sql", name = "profile", requires = ["segment_template"]);
    extension_sql_file!("../sql/association.sql", name = "association", requires = ["profile"]);
    extension_sql_file!("../sql/test_design.sql", name = "test_design", requires = ["association"]);
    extension_sql_file!("../sql/interest.sql", name = "interest", requires = ["test_design"]);
    extension_sql_file!("../sql/criteria.sql", name = "criteria", requires = ["interest"]);
    extension_sql_file!("../sql/item_history.sql", name = "item_history", requires = ["criteria"]);
    extension_sql_file!(
        "../sql/product_appetence.sql",
        name = "product_appetence",
        requires = ["item_history"]
    );
    extension_sql_file!(
        "../sql/association_rules.sql",
        name = "association_rules",
        requires = ["product_appetence"]
    );
    extension_sql_file!("../sql/label.sql", name = "label", requires = ["association_rules"]);
    extension_sql_file!("../sql/b2b.sql", name = "b2b", requires = ["label"]);
    extension_sql_file!("../sql/simulate.sql", name = "simulate", requires = ["b2b"]);
    extension_sql_file!("../sql/finish.sql", name = "finish", requires = ["simulate"], finalize);
}
