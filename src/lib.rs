//! `segmentation`: customer segmentation inside PostgreSQL.
//!
//! Each file here is the SQL face of the module of the same name in
//! `segmentation-core`, and as thin as it can be: it reads arguments, calls the
//! mathematics and returns the answer. The SQL objects themselves (types,
//! functions, aggregates, tables, their comments) are written by hand in `sql/`,
//! in install order below; [`pg`] is the only place with `unsafe`.

mod axes;
mod b2b;
mod base;
mod facts;
mod identity;
mod measure;
mod models;
mod pg;
mod segments;
mod simulate;
mod workspace;

::pgrx::pg_module_magic!();

/// The install script: one file a concept, wing by wing, so that each stands on what is above it. Each `requires` the
/// one before it: what no chain puts in order, pgrx puts in an order of its own, another at every build.
mod install {
    use pgrx::extension_sql_file;

    extension_sql_file!("../sql/base/begin.sql", name = "begin", bootstrap);
    extension_sql_file!("../sql/base/template.sql", name = "template", requires = ["begin"]);
    extension_sql_file!("../sql/base/time_zone.sql", name = "time_zone", requires = ["template"]);
    extension_sql_file!("../sql/base/label.sql", name = "label", requires = ["time_zone"]);
    extension_sql_file!("../sql/facts/purchase_history.sql", name = "purchase_history", requires = ["label"]);
    extension_sql_file!(
        "../sql/facts/item_history.sql",
        name = "item_history",
        requires = ["purchase_history"]
    );
    extension_sql_file!("../sql/facts/event_log.sql", name = "event_log", requires = ["item_history"]);
    extension_sql_file!("../sql/facts/interest.sql", name = "interest", requires = ["event_log"]);
    extension_sql_file!(
        "../sql/measure/prediction_quality.sql",
        name = "prediction_quality",
        requires = ["interest"]
    );
    extension_sql_file!(
        "../sql/measure/test_design.sql",
        name = "test_design",
        requires = ["prediction_quality"]
    );
    extension_sql_file!("../sql/measure/holdout.sql", name = "holdout", requires = ["test_design"]);
    extension_sql_file!("../sql/measure/uplift.sql", name = "uplift", requires = ["holdout"]);
    extension_sql_file!("../sql/measure/key_drivers.sql", name = "key_drivers", requires = ["uplift"]);
    extension_sql_file!("../sql/segments/association.sql", name = "association", requires = ["key_drivers"]);
    extension_sql_file!(
        "../sql/segments/association_rules.sql",
        name = "association_rules",
        requires = ["association"]
    );
    extension_sql_file!("../sql/segments/segment.sql", name = "segment", requires = ["association_rules"]);
    extension_sql_file!(
        "../sql/segments/segment_template.sql",
        name = "segment_template",
        requires = ["segment"]
    );
    extension_sql_file!("../sql/segments/criteria.sql", name = "criteria", requires = ["segment_template"]);
    extension_sql_file!("../sql/segments/segment_rules.sql", name = "segment_rules", requires = ["criteria"]);
    extension_sql_file!(
        "../sql/models/purchase_model.sql",
        name = "purchase_model",
        requires = ["segment_rules"]
    );
    extension_sql_file!("../sql/models/spend_model.sql", name = "spend_model", requires = ["purchase_model"]);
    extension_sql_file!("../sql/models/value_stack.sql", name = "value_stack", requires = ["spend_model"]);
    extension_sql_file!("../sql/models/churn_model.sql", name = "churn_model", requires = ["value_stack"]);
    extension_sql_file!("../sql/models/churn_stack.sql", name = "churn_stack", requires = ["churn_model"]);
    extension_sql_file!(
        "../sql/models/retention_model.sql",
        name = "retention_model",
        requires = ["churn_stack"]
    );
    extension_sql_file!(
        "../sql/models/calibration.sql",
        name = "calibration",
        requires = ["retention_model"]
    );
    extension_sql_file!("../sql/models/profile.sql", name = "profile", requires = ["calibration"]);
    extension_sql_file!("../sql/models/channels.sql", name = "channels", requires = ["profile"]);
    extension_sql_file!("../sql/models/send_time.sql", name = "send_time", requires = ["channels"]);
    extension_sql_file!(
        "../sql/models/product_appetence.sql",
        name = "product_appetence",
        requires = ["send_time"]
    );
    extension_sql_file!("../sql/axes/rfm.sql", name = "rfm", requires = ["product_appetence"]);
    extension_sql_file!("../sql/axes/pmg.sql", name = "pmg", requires = ["rfm"]);
    extension_sql_file!("../sql/axes/churn_level.sql", name = "churn_level", requires = ["pmg"]);
    extension_sql_file!(
        "../sql/axes/future_value_band.sql",
        name = "future_value_band",
        requires = ["churn_level"]
    );
    extension_sql_file!("../sql/axes/loyalty.sql", name = "loyalty", requires = ["future_value_band"]);
    extension_sql_file!("../sql/axes/life_moment.sql", name = "life_moment", requires = ["loyalty"]);
    extension_sql_file!("../sql/b2b/company.sql", name = "b2b_company", requires = ["life_moment"]);
    extension_sql_file!("../sql/b2b/identifier.sql", name = "b2b_identifier", requires = ["b2b_company"]);
    extension_sql_file!("../sql/b2b/naf.sql", name = "b2b_naf", requires = ["b2b_identifier"]);
    extension_sql_file!("../sql/b2b/email.sql", name = "b2b_email", requires = ["b2b_naf"]);
    extension_sql_file!("../sql/b2b/job.sql", name = "b2b_job", requires = ["b2b_email"]);
    extension_sql_file!("../sql/b2b/relation.sql", name = "b2b_relation", requires = ["b2b_job"]);
    extension_sql_file!("../sql/b2b/peers.sql", name = "b2b_peers", requires = ["b2b_relation"]);
    extension_sql_file!("../sql/b2b/economics.sql", name = "b2b_economics", requires = ["b2b_peers"]);
    extension_sql_file!("../sql/b2b/place.sql", name = "b2b_place", requires = ["b2b_economics"]);
    extension_sql_file!(
        "../sql/b2b/public_holiday.sql",
        name = "b2b_public_holiday",
        requires = ["b2b_place"]
    );
    extension_sql_file!(
        "../sql/b2b/opening_hours.sql",
        name = "b2b_opening_hours",
        requires = ["b2b_public_holiday"]
    );
    extension_sql_file!("../sql/b2b/account.sql", name = "b2b_account", requires = ["b2b_opening_hours"]);
    extension_sql_file!("../sql/b2b/definition.sql", name = "b2b_definition", requires = ["b2b_account"]);
    extension_sql_file!("../sql/identity/form.sql", name = "identity_form", requires = ["b2b_definition"]);
    extension_sql_file!(
        "../sql/identity/similarity.sql",
        name = "identity_similarity",
        requires = ["identity_form"]
    );
    extension_sql_file!(
        "../sql/identity/matching.sql",
        name = "identity_matching",
        requires = ["identity_similarity"]
    );
    extension_sql_file!(
        "../sql/identity/cluster.sql",
        name = "identity_cluster",
        requires = ["identity_matching"]
    );
    extension_sql_file!(
        "../sql/identity/reference.sql",
        name = "identity_reference",
        requires = ["identity_cluster"]
    );
    extension_sql_file!("../sql/simulate.sql", name = "simulate", requires = ["identity_reference"]);
    extension_sql_file!("../sql/workspace/setting.sql", name = "workspace_setting", requires = ["simulate"]);
    extension_sql_file!(
        "../sql/workspace/axis.sql",
        name = "workspace_axis",
        requires = ["workspace_setting"]
    );
    extension_sql_file!(
        "../sql/workspace/registry.sql",
        name = "workspace_registry",
        requires = ["workspace_axis"]
    );
    extension_sql_file!(
        "../sql/workspace/bi_schema.sql",
        name = "workspace_bi_schema",
        requires = ["workspace_registry"]
    );
    extension_sql_file!(
        "../sql/workspace/security.sql",
        name = "workspace_security",
        requires = ["workspace_bi_schema"]
    );
    extension_sql_file!(
        "../sql/workspace/progress.sql",
        name = "workspace_progress",
        requires = ["workspace_security"]
    );
    extension_sql_file!(
        "../sql/workspace/workspace.sql",
        name = "workspace",
        requires = ["workspace_progress"]
    );
    extension_sql_file!("../sql/workspace/mapping.sql", name = "workspace_mapping", requires = ["workspace"]);
    extension_sql_file!(
        "../sql/workspace/source.sql",
        name = "workspace_source",
        requires = ["workspace_mapping"]
    );
    extension_sql_file!(
        "../sql/workspace/suggest.sql",
        name = "workspace_suggest",
        requires = ["workspace_source"]
    );
    extension_sql_file!(
        "../sql/workspace/reading.sql",
        name = "workspace_reading",
        requires = ["workspace_suggest"]
    );
    extension_sql_file!(
        "../sql/workspace/facts.sql",
        name = "workspace_facts",
        requires = ["workspace_reading"]
    );
    extension_sql_file!(
        "../sql/workspace/train.sql",
        name = "workspace_train",
        requires = ["workspace_facts"]
    );
    extension_sql_file!(
        "../sql/workspace/score.sql",
        name = "workspace_score",
        requires = ["workspace_train"]
    );
    extension_sql_file!(
        "../sql/workspace/publish.sql",
        name = "workspace_publish",
        requires = ["workspace_score"]
    );
    extension_sql_file!(
        "../sql/workspace/refresh.sql",
        name = "workspace_refresh",
        requires = ["workspace_publish"]
    );
    extension_sql_file!(
        "../sql/workspace/segment.sql",
        name = "workspace_segment",
        requires = ["workspace_refresh"]
    );
    extension_sql_file!(
        "../sql/workspace/view.sql",
        name = "workspace_view",
        requires = ["workspace_segment"]
    );
    extension_sql_file!(
        "../sql/workspace/explain.sql",
        name = "workspace_explain",
        requires = ["workspace_view"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/rfm.sql",
        name = "workspace_axis_rfm",
        requires = ["workspace_explain"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/pmg.sql",
        name = "workspace_axis_pmg",
        requires = ["workspace_axis_rfm"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/churn.sql",
        name = "workspace_axis_churn",
        requires = ["workspace_axis_pmg"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/loyalty.sql",
        name = "workspace_axis_loyalty",
        requires = ["workspace_axis_churn"]
    );
    extension_sql_file!(
        "../sql/workspace/subscription_value.sql",
        name = "workspace_subscription_value",
        requires = ["workspace_axis_loyalty"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/future_value.sql",
        name = "workspace_axis_future_value",
        requires = ["workspace_subscription_value"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/product_appetence.sql",
        name = "workspace_axis_product_appetence",
        requires = ["workspace_axis_future_value"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/channel_appetence.sql",
        name = "workspace_axis_channel_appetence",
        requires = ["workspace_axis_product_appetence"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/profile.sql",
        name = "workspace_axis_profile",
        requires = ["workspace_axis_channel_appetence"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/life_moment.sql",
        name = "workspace_axis_life_moment",
        requires = ["workspace_axis_profile"]
    );
    extension_sql_file!(
        "../sql/workspace/axes/life_cycle.sql",
        name = "workspace_axis_life_cycle",
        requires = ["workspace_axis_life_moment"]
    );
    extension_sql_file!(
        "../sql/workspace/gate.sql",
        name = "workspace_gate",
        requires = ["workspace_axis_life_cycle"]
    );
    extension_sql_file!(
        "../sql/workspace/target.sql",
        name = "workspace_target",
        requires = ["workspace_gate"]
    );
    extension_sql_file!(
        "../sql/workspace/field.sql",
        name = "workspace_field_list",
        requires = ["workspace_target"]
    );
    extension_sql_file!(
        "../sql/workspace/capture.sql",
        name = "workspace_capture",
        requires = ["workspace_field_list"]
    );
    extension_sql_file!(
        "../sql/workspace/update.sql",
        name = "workspace_update",
        requires = ["workspace_capture"]
    );
    extension_sql_file!(
        "../sql/workspace/restart.sql",
        name = "workspace_restart",
        requires = ["workspace_update"]
    );
    extension_sql_file!(
        "../sql/workspace/parameter_set.sql",
        name = "workspace_parameter_set",
        requires = ["workspace_restart"]
    );
    extension_sql_file!(
        "../sql/workspace/event.sql",
        name = "workspace_event",
        requires = ["workspace_parameter_set"]
    );
    extension_sql_file!(
        "../sql/workspace/campaign.sql",
        name = "workspace_campaign",
        requires = ["workspace_event"]
    );
    extension_sql_file!(
        "../sql/workspace/behaviour.sql",
        name = "workspace_behaviour",
        requires = ["workspace_campaign"]
    );
    extension_sql_file!(
        "../sql/workspace/action.sql",
        name = "workspace_action",
        requires = ["workspace_behaviour"]
    );
    extension_sql_file!(
        "../sql/workspace/campaign_arms.sql",
        name = "workspace_campaign_arms",
        requires = ["workspace_action"]
    );
    extension_sql_file!(
        "../sql/workspace/offer.sql",
        name = "workspace_offer",
        requires = ["workspace_campaign_arms"]
    );
    extension_sql_file!(
        "../sql/workspace/erase.sql",
        name = "workspace_erase",
        requires = ["workspace_offer"]
    );
    extension_sql_file!(
        "../sql/workspace/crm_profile.sql",
        name = "workspace_crm_profile",
        requires = ["workspace_erase"]
    );
    extension_sql_file!(
        "../sql/workspace/crm.sql",
        name = "workspace_crm",
        requires = ["workspace_crm_profile"]
    );
    extension_sql_file!(
        "../sql/workspace/crm_batch.sql",
        name = "workspace_crm_batch",
        requires = ["workspace_crm"]
    );
    extension_sql_file!(
        "../sql/workspace/crm_back.sql",
        name = "workspace_crm_back",
        requires = ["workspace_crm_batch"]
    );
    extension_sql_file!(
        "../sql/workspace/company.sql",
        name = "workspace_company",
        requires = ["workspace_crm_back"]
    );
    extension_sql_file!(
        "../sql/workspace/audit.sql",
        name = "workspace_audit",
        requires = ["workspace_company"]
    );
    extension_sql_file!(
        "../sql/workspace/preset.sql",
        name = "workspace_preset",
        requires = ["workspace_audit"]
    );
    extension_sql_file!(
        "../sql/workspace/edit.sql",
        name = "workspace_edit",
        requires = ["workspace_preset"]
    );
    extension_sql_file!(
        "../sql/workspace/segment_value.sql",
        name = "workspace_segment_value",
        requires = ["workspace_edit"]
    );
    extension_sql_file!(
        "../sql/workspace/report.sql",
        name = "workspace_report",
        requires = ["workspace_segment_value"]
    );
    extension_sql_file!("../sql/base/finish.sql", name = "finish", requires = ["workspace_report"], finalize);
}
