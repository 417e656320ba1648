//! Fuzz targets: one function for everything of the core that reads bytes, text or JSON from outside.
//!
//! Each takes any bytes and panics if something is wrong: what is refused is refused with an error, what is
//! accepted reads itself back the same, and can be used: scores are finite or absent. `fuzz/` runs them under
//! libFuzzer, the program of this crate over the corpora and simple mutations of these.

mod bytes;
mod json;
mod text;

/// A target: bytes in, a panic if something is wrong.
pub type Target = fn(&[u8]);

/// All targets by name; `fuzz/corpus/<name>/` has examples for each.
pub const TARGETS: &[(&str, Target)] = &[
    ("affinity_fit_options", json::affinity_fit_options),
    ("affinity_model", bytes::affinity_model),
    ("affinity_rows", bytes::affinity_rows),
    ("attribute_mapping", json::attribute_mapping),
    ("basket_counts", bytes::basket_counts),
    ("calibration", json::calibration),
    ("channel_cells", bytes::channel_cells),
    ("channel_counting", json::channel_counting),
    ("channel_model", json::channel_model),
    ("channel_options", json::channel_options),
    ("churn_levels", json::churn_levels),
    ("churn_model", json::churn_model),
    ("churn_options", json::churn_options),
    ("churn_rows", bytes::churn_rows),
    ("churn_stack", json::churn_stack),
    ("churn_stack_options", json::churn_stack_options),
    ("churn_stack_rows", bytes::churn_stack_rows),
    ("company", text::company),
    ("consent_history", bytes::consent_history),
    ("contact_history", bytes::contact_history),
    ("contracts", bytes::contracts),
    ("costs", json::costs),
    ("criterion", bytes::criterion),
    ("crossing", bytes::crossing),
    ("day", text::day),
    ("decimal", text::decimal),
    ("definition", json::definition),
    ("email", text::email),
    ("features", json::features),
    ("fit_options", json::fit_options),
    ("gap_prior", json::gap_prior),
    ("history", bytes::history),
    ("history_text", text::history),
    ("identifier", text::identifier),
    ("identity", text::identity),
    ("interaction_history", bytes::interaction_history),
    ("interest", json::interest),
    ("item_history", bytes::item_history),
    ("item_history_text", text::item_history),
    ("job", text::job),
    ("life_moment_options", json::life_moment_options),
    ("lookalike", bytes::lookalike),
    ("lookalike_model", json::lookalike_model),
    ("loyalty_options", json::loyalty_options),
    ("match_model", json::match_model),
    ("match_rules", json::match_rules),
    ("money", text::money),
    ("names", text::names),
    ("offer_options", json::offer_options),
    ("opening_hours", text::opening_hours),
    ("opening_mask", bytes::opening_mask),
    ("outcomes", bytes::outcomes),
    ("peers", bytes::peers),
    ("prediction_quality", bytes::prediction_quality),
    ("prior_state", bytes::prior_state),
    ("profile_model", json::profile_model),
    ("profile_options", json::profile_options),
    ("profile_rows", bytes::profile_rows),
    ("purchase_cells", bytes::purchase_cells),
    ("purchase_model", json::purchase_model),
    ("retention_model", json::retention_model),
    ("retention_options", json::retention_options),
    ("rfm_values", bytes::rfm_values),
    ("rule_options", json::rule_options),
    ("segment_map", json::segment_map),
    ("segment_rows", bytes::segment_rows),
    ("send_hours", bytes::send_hours),
    ("send_time", json::send_time),
    ("send_time_cells", bytes::send_time_cells),
    ("simulate_options", json::simulate_options),
    ("spend_cells", bytes::spend_cells),
    ("spend_model", json::spend_model),
    ("spend_options", json::spend_options),
    ("turnovers", bytes::turnovers),
    ("value_options", json::value_options),
    ("value_stack", json::value_stack),
    ("value_stack_options", json::value_stack_options),
    ("value_stack_rows", bytes::value_stack_rows),
];

/// The target called `name`.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.iter().find(|(own, _)| *own == name).map(|(_, target)| *target)
}

/// A figure that was answered is a number.
fn finite(value: Option<f64>) {
    assert!(value.is_none_or(f64::is_finite), "{value:?}");
}

/// A probability that was answered is one.
fn probability(value: Option<f64>) {
    assert!(value.is_none_or(|p| (0.0..=1.0).contains(&p)), "{value:?}");
}
