//! The parts of the report: one a file, each from its data to its words and pictures.

mod axes;
mod bars;
mod campaigns;
mod change;
mod churn_value;
mod cohorts;
mod data;
mod drift;
mod health;
mod migration;
mod models;
mod moments;
mod offers;
mod pmg;
mod profiles;
mod reach;
mod rfm;

use segmentation_core::base::error::{Error, Result};
use serde_json::Value;

use crate::section::Section;
use crate::words::Words;

/// A part makes its section of its data.
type Maker = fn(&Value, Words) -> Result<Section<'static>>;

/// All parts in the order of the report, each with its title in English and in French.
const PARTS: &[(&str, &str, &str, Maker)] = &[
    ("axes", "The axes at a glance", "Les axes d’un coup d’œil", axes::section),
    ("rfm", "Recency and frequency", "Récence et fréquence", rfm::section),
    ("pmg", "How much hangs on how few", "Combien tient à combien peu", pmg::section),
    ("churn_value", "Who is worth keeping", "Qui vaut d’être gardé", churn_value::section),
    ("migration", "Migration", "Migration", migration::section),
    ("cohorts", "Cohorts", "Cohortes", cohorts::section),
    ("profiles", "Profiles", "Profils", profiles::section),
    ("offers", "Offers", "Offres", offers::section),
    ("reach", "Channels and consent", "Canaux et consentement", reach::section),
    ("moments", "Moments ahead", "Moments à venir", moments::section),
    ("campaigns", "Campaigns", "Campagnes", campaigns::section),
    ("change", "Why turnover moved", "Pourquoi le chiffre d’affaires a bougé", change::section),
    ("drift", "Drift", "Dérive", drift::section),
    ("models", "How good the models are", "Ce que valent les modèles", models::section),
    ("health", "Data health", "Santé des données", health::section),
];

/// The names of all parts.
pub fn names() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|part| part.0)
}

/// The title of a part, and its section of data.
///
/// # Errors
/// No such part, or data that are not as the part reads them.
pub fn section(name: &str, data: &Value, words: Words) -> Result<Section<'static>> {
    let &(_, english, french, maker) = PARTS
        .iter()
        .find(|part| part.0 == name)
        .ok_or_else(|| Error::invalid(format!("there is no part \"{name}\" of a report")))?;
    let mut section = if data.is_null() { Section::default() } else { maker(data, words)? };
    section.title = words.pick(english, french).to_owned();
    Ok(section)
}
