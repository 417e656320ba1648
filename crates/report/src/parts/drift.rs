//! Drift: how far the last publications moved each axis.

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
    as_of: Option<String>,
    retrained: Option<bool>,
    axes: Vec<Axis>,
}

#[derive(Deserialize)]
struct Axis {
    axis: String,
    label: String,
    psi: Option<f64>,
    verdict: Option<String>,
    verdict_label: Option<String>,
    moved: f64,
    customers: f64,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "drift")?;
    let mut section = Section::default();
    data.axes.retain(|axis| axis.psi.is_some());
    let Some(day) = data.as_of.as_deref().filter(|_| !data.axes.is_empty()) else {
        section.nothing =
            Some(words.pick("There is one publication only.", "Il n’y a qu’une publication.").into());
        return Ok(section);
    };
    let day = words.day(day);
    section.about = say!(
        words,
        "How far the publication of {day} moved the sizes of segments: the population stability index. Below 0.1 is stable, above 0.25 a major shift.",
        "De combien la publication du {day} a déplacé les tailles des segments : l’indice de stabilité de population. Moins de 0,1 : stable ; plus de 0,25 : décalage important."
    );
    // Of many codes the index reads high for that alone.
    let moved = data
        .axes
        .iter()
        .find(|axis| axis.verdict.as_deref() == Some("major") && axis.axis != "product_appetence");
    match moved {
        Some(axis) => {
            let (label, psi) = (&axis.label, words.number(axis.psi.unwrap_or(0.0), 2));
            let trained = data.retrained == Some(true);
            section.findings.push(Finding {
                seen: say!(words, "The axis “{label}” shifted: its index is {psi}.", "L’axe « {label} » s’est déplacé : son indice est {psi}."),
                advice: if trained {
                    words.pick(
                        "Models were trained that day, which moves codes by itself: compare the next publication before acting.",
                        "Les modèles ont été entraînés ce jour-là, ce qui déplace les codes : comparez la prochaine publication avant d’agir.",
                    )
                } else {
                    words.pick(
                        "Ask what changed: a season, a campaign, or rows that are missing from a source.",
                        "Cherchez ce qui a changé : une saison, une campagne, ou des lignes manquantes dans une source.",
                    )
                }
                .into(),
            });
        }
        None => section
            .sentences
            .push(words.pick("Nothing shifted much.", "Rien ne s’est beaucoup déplacé.").into()),
    }
    section.pictures.push(picture(data.axes, words));
    Ok(section)
}

fn picture(mut axes: Vec<Axis>, words: Words) -> Picture<'static> {
    axes.sort_by(|one, other| other.psi.unwrap_or(0.0).total_cmp(&one.psi.unwrap_or(0.0)));
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Axis", "Axe"),
            pick("Reading", "Lecture"),
            pick("Index", "Indice"),
            pick("Customers who moved", "Clients qui ont bougé"),
            pick("Share", "Part"),
        ],
        texts: 2,
        rows: axes
            .iter()
            .map(|axis| {
                vec![
                    axis.label.clone(),
                    axis.verdict_label.clone().unwrap_or_default(),
                    words.number(axis.psi.unwrap_or(0.0), 3),
                    words.count(axis.moved),
                    if axis.customers > 0.0 {
                        words.share(axis.moved / axis.customers)
                    } else {
                        "–".into()
                    },
                ]
            })
            .collect(),
    };
    Picture {
        name: "drift".into(),
        title: pick("Population stability index, by axis", "Indice de stabilité de population, par axe"),
        about: pick(
            "Bars of the index of each axis, with limits at 0.1 and 0.25.",
            "Barres de l’indice de chaque axe, avec des limites à 0,1 et 0,25.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| {
            let all: Vec<Bar> = axes
                .iter()
                .take(20)
                .map(|axis| Bar {
                    label: axis.label.clone(),
                    value: axis.psi.unwrap_or(0.0),
                    word: words.number(axis.psi.unwrap_or(0.0), 3),
                    tone: if axis.verdict.as_deref() == Some("major") { Tone::Orange } else { Tone::Blue },
                })
                .collect();
            let largest = all.iter().map(|bar| bar.value).fold(0.3, f64::max);
            bars(width, &all, largest, &[(0.1, words.number(0.1, 1)), (0.25, words.number(0.25, 2))])
        }),
    }
}
