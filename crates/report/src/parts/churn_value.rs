//! Risk against value: who is worth keeping.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Side, draw, fitted};
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::{Finding, Section};
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    churn: String,
    churn_label: String,
    churn_position: i64,
    value: String,
    value_label: String,
    value_position: i64,
    customers: f64,
    turnover: f64,
    future_value: f64,
    expected_churners: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "churn_value")?;
    let mut section = Section::default();
    let all: f64 = data.cells.iter().map(|cell| cell.customers).sum();
    let thin = |cell: &Cell| cell.churn == "insufficient_data" || cell.value == "insufficient_data";
    let unknown: f64 = data.cells.iter().filter(|cell| thin(cell)).map(|cell| cell.customers).sum();
    data.cells.retain(|cell| !thin(cell));
    if data.cells.is_empty() {
        section.nothing = Some(
            words
                .pick(
                    "The data do not allow risk and value to be told yet.",
                    "Les données ne permettent pas encore de dire le risque et la valeur.",
                )
                .into(),
        );
        return Ok(section);
    }
    section.about = words
        .pick(
            "In each field: customers, and the value they are expected to bring. Deeper blue: more value.",
            "Dans chaque case : les clients, et la valeur attendue. Bleu soutenu : plus de valeur.",
        )
        .into();
    if unknown > 0.0 {
        let (number, share) = (words.count(unknown), words.share(unknown / all));
        section.sentences.push(say!(
            words,
            "{number} customers ({share}) are left out: there is not enough data on them.",
            "{number} clients ({share}) n’y sont pas : données insuffisantes."
        ));
    }
    let total: f64 = data.cells.iter().map(|cell| cell.future_value).sum();
    // The best value in danger: what a retention campaign is for.
    let at_risk = |cell: &&Cell| {
        (cell.churn == "high" || cell.churn == "medium") && (cell.value == "high" || cell.value == "medium")
    };
    let customers: f64 = data.cells.iter().filter(at_risk).map(|cell| cell.customers).sum();
    let value: f64 = data.cells.iter().filter(at_risk).map(|cell| cell.future_value).sum();
    if customers >= 30.0 && total > 0.0 && value / total >= 0.02 {
        let (number, value, share) =
            (words.count(customers), words.amount(value), words.share(value / total));
        section.findings.push(Finding {
            seen: say!(
                words,
                "{number} customers of high or medium value are at risk; {value} of expected value ({share}) hang on them.",
                "{number} clients de valeur forte ou moyenne sont à risque ; {value} de valeur attendue ({share}) en dépendent."
            ),
            advice: words
                .pick(
                    "Contact these first: here a retention offer can pay for itself.",
                    "Contactez-les d’abord : c’est ici qu’une offre de fidélisation peut se payer.",
                )
                .into(),
        });
    }
    section.pictures.push(picture(data.cells, words));
    Ok(section)
}

fn picture(mut cells: Vec<Cell>, words: Words) -> Picture<'static> {
    cells.sort_by_key(|cell| (cell.value_position, cell.churn_position));
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Value", "Valeur"),
            pick("Risk of churn", "Risque de départ"),
            pick("Customers", "Clients"),
            pick("Turnover", "Chiffre d’affaires"),
            pick("Expected value", "Valeur attendue"),
            pick("Expected churners", "Départs attendus"),
        ],
        texts: 2,
        rows: cells
            .iter()
            .map(|cell| {
                vec![
                    cell.value_label.clone(),
                    cell.churn_label.clone(),
                    words.count(cell.customers),
                    words.amount(cell.turnover),
                    words.amount(cell.future_value),
                    cell.expected_churners.map_or_else(|| "–".into(), |value| words.count(value)),
                ]
            })
            .collect(),
    };
    Picture {
        name: "churn_value".into(),
        title: pick("Risk of churn against expected value", "Risque de départ et valeur attendue"),
        about: pick(
            "A matrix of customers by risk of churn, across, and expected value, up.",
            "Une matrice des clients par risque de départ, en colonnes, et valeur attendue, en lignes.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&cells, width, words)),
    }
}

/// The codes on one side in their order, with their names.
fn side(pairs: impl Iterator<Item = (i64, String)>) -> Vec<(i64, String)> {
    let mut side: Vec<_> = pairs.collect();
    side.sort();
    side.dedup_by_key(|pair| pair.0);
    side.truncate(8);
    side
}

fn paint(cells: &[Cell], width: f64, words: Words) -> Result<Drawing> {
    let across = side(cells.iter().map(|cell| (cell.churn_position, cell.churn_label.clone())));
    let up = side(cells.iter().map(|cell| (cell.value_position, cell.value_label.clone())));
    let left = if width > 500.0 { 150.0 } else { 92.0 };
    let size = if width > 500.0 { 14.0 } else { 12.5 };
    let (wide, tall) = ((width - left) / across.len().max(1) as f64, 56.0);
    let largest = cells.iter().map(|cell| cell.future_value).fold(1e-9, f64::max);
    draw(width, tall * up.len() as f64 + 34.0, |canvas| {
        for (place, (_, label)) in across.iter().enumerate() {
            let x = left + wide * (place as f64 + 0.5);
            canvas.text(x, 12.0, Side::Middle, 12.5, Tone::Muted, &fitted(label, 12.5, wide - 6.0))?;
        }
        for (row, (value, label)) in up.iter().enumerate() {
            let y = 28.0 + tall * row as f64;
            canvas.text(
                left - 10.0,
                y + tall / 2.0 - 1.0,
                Side::End,
                12.5,
                Tone::Muted,
                &fitted(label, 12.5, left - 12.0),
            )?;
            for (column, (churn, _)) in across.iter().enumerate() {
                let x = left + wide * column as f64;
                let cell =
                    cells.iter().find(|cell| cell.value_position == *value && cell.churn_position == *churn);
                let Some(cell) = cell else {
                    canvas.bar(x, y, wide - 2.0, tall - 2.0, Tone::Track)?;
                    continue;
                };
                let step = Tone::step((cell.future_value / largest).max(0.0).sqrt());
                let tone = Tone::on(step);
                canvas.bar(x, y, wide - 2.0, tall - 2.0, Tone::Ramp(step))?;
                canvas.bold(
                    x + wide / 2.0,
                    y + tall * 0.34,
                    Side::Middle,
                    size,
                    tone,
                    &words.count(cell.customers),
                )?;
                canvas.text(
                    x + wide / 2.0,
                    y + tall * 0.7,
                    Side::Middle,
                    size - 2.0,
                    tone,
                    &words.amount(cell.future_value),
                )?;
            }
        }
        Ok(())
    })
}
