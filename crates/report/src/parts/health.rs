//! Data health: what is known of how many customers, and what to mend first.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::bars::{Bar, bars};
use super::data::read;
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::{Finding, Section};
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    measures: Vec<Measure>,
}

#[derive(Deserialize)]
struct Measure {
    measure: String,
    label: String,
    value: Option<f64>,
    share: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "health")?;
    let mut section = Section::default();
    if data.measures.is_empty() {
        section.nothing = Some(words.pick("There are no customers.", "Il n’y a pas de clients.").into());
        return Ok(section);
    }
    section.about = words
        .pick("Of how many customers each kind of fact is known, and what became of the rows of the sources.", "De combien de clients chaque type de fait est connu, et ce que sont devenues les lignes des sources.")
        .into();
    let value = |name: &str| {
        data.measures.iter().find(|measure| measure.measure == name).and_then(|measure| measure.value)
    };
    if let Some(days) = value("days_since_last_purchase_of_all").filter(|days| *days >= 3.0) {
        let days = words.count(days);
        section.findings.push(Finding {
            seen: say!(
                words,
                "The last purchase of all is {days} days old.",
                "Le dernier achat de tous date de {days} jours."
            ),
            advice: words
                .pick(
                    "If you sell every day, rows are missing: look at how they get here.",
                    "Si vous vendez tous les jours, il manque des lignes : voyez comment elles arrivent.",
                )
                .into(),
        });
    }
    if let Some(ahead) = value("with_purchases_after_as_of").filter(|ahead| *ahead > 0.0) {
        let number = words.count(ahead);
        section.findings.push(Finding {
            seen: say!(
                words,
                "{number} customers have purchases dated after the day of the data.",
                "{number} clients ont des achats datés après le jour des données."
            ),
            advice: words
                .pick(
                    "Wrong dates, or a test: mend them at the source.",
                    "Fausses dates, ou un test : corrigez à la source.",
                )
                .into(),
        });
    }
    // What is used, dated ahead, or was cancelled is as it should be.
    let fine = ["_used", "_cancelled", "_ahead", "_filtered"];
    let mut lost: Vec<&Measure> = data
        .measures
        .iter()
        .filter(|measure| {
            measure.measure.starts_with("rows_of_") && !fine.iter().any(|end| measure.measure.ends_with(end))
        })
        .filter(|measure| measure.share.unwrap_or(0.0) >= 0.01)
        .collect();
    lost.sort_by(|one, other| other.share.unwrap_or(0.0).total_cmp(&one.share.unwrap_or(0.0)));
    for measure in lost.iter().take(3) {
        let (label, share, rows) = (
            &measure.label,
            words.share(measure.share.unwrap_or(0.0)),
            words.count(measure.value.unwrap_or(0.0)),
        );
        section.findings.push(Finding {
            seen: say!(
                words,
                "{rows} rows are not used ({share} of their kind): {label}.",
                "{rows} lignes ne sont pas utilisées ({share} de leur type) : {label}."
            ),
            advice: words
                .pick(
                    "Mend these at the source: what they say is lost on every segment.",
                    "Corrigez-les à la source : ce qu’elles disent manque à chaque segment.",
                )
                .into(),
        });
    }
    if section.findings.is_empty() {
        section
            .sentences
            .push(words.pick("Nothing has to be mended first.", "Rien n’est à réparer d’abord.").into());
    }
    section.pictures.push(picture(data.measures, words));
    Ok(section)
}

fn picture(measures: Vec<Measure>, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![pick("Measure", "Mesure"), pick("Number", "Nombre"), pick("Share", "Part")],
        texts: 1,
        rows: measures
            .iter()
            .map(|measure| {
                vec![
                    measure.label.clone(),
                    measure.value.map_or_else(|| "–".into(), |value| words.count(value)),
                    measure.share.map_or_else(|| "–".into(), |share| words.share(share)),
                ]
            })
            .collect(),
    };
    let all: Vec<Bar> = measures
        .iter()
        .filter(|measure| {
            measure.measure.starts_with("with_") && measure.measure != "with_purchases_after_as_of"
        })
        .map(|measure| Bar {
            label: measure.label.clone(),
            value: measure.share.unwrap_or(0.0),
            word: words.share(measure.share.unwrap_or(0.0)),
            tone: Tone::Blue,
        })
        .collect();
    Picture {
        name: "health".into(),
        title: pick("Of how many customers it is known", "De combien de clients c’est connu"),
        about: pick(
            "Bars of the share of customers with each kind of fact.",
            "Barres de la part des clients avec chaque type de fait.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| bars(width, &all, 1.0, &[])),
    }
}
