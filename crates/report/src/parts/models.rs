//! How good the models were in their back-test, beside the naive rule.

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
    quality: Option<Quality>,
    #[serde(default)]
    candidates: Vec<Candidate>,
}

#[derive(Deserialize)]
struct Quality {
    as_of: String,
    churn_status: Option<String>,
    churn_reasons: Option<String>,
    value_status: Option<String>,
    value_reasons: Option<String>,
    churn_auc: Option<f64>,
    recency_auc: Option<f64>,
    churn_calibration_slope: Option<f64>,
    value_correlation: Option<f64>,
    past_correlation: Option<f64>,
    value_predicted: Option<f64>,
    value_actual: Option<f64>,
}

#[derive(Deserialize)]
struct Candidate {
    axis: String,
    label: String,
    auc: Option<f64>,
    brier: Option<f64>,
    spearman: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "models")?;
    let mut section = Section::default();
    let Some(quality) = data.quality else {
        section.nothing =
            Some(words.pick("No models have been trained.", "Aucun modèle n’a été entraîné.").into());
        return Ok(section);
    };
    let day = words.day(&quality.as_of);
    section.about = say!(
        words,
        "The models trained on {day} foretold a period that was already known, and were compared with what happened.",
        "Les modèles entraînés le {day} ont prédit une période déjà connue, et ont été comparés à ce qui s’est passé."
    );
    churn(&quality, words, &mut section);
    value(&quality, words, &mut section);
    let churners: Vec<_> = data
        .candidates
        .into_iter()
        .filter(|candidate| candidate.axis == "churn" && candidate.auc.is_some())
        .collect();
    if !churners.is_empty() || quality.churn_auc.is_some() || quality.value_correlation.is_some() {
        section.pictures.push(picture(&quality, churners, words));
    } else if section.sentences.is_empty() {
        section.nothing = Some(
            words
                .pick(
                    "The data were too thin for a back-test.",
                    "Les données étaient trop minces pour un test rétrospectif.",
                )
                .into(),
        );
    }
    Ok(section)
}

/// The words about churn.
fn churn(quality: &Quality, words: Words, section: &mut Section<'_>) {
    if let (Some(auc), Some(naive)) = (quality.churn_auc, quality.recency_auc) {
        let (auc, naive) = (words.share(auc), words.share(naive));
        section.sentences.push(say!(
            words,
            "Churn: of a customer who left and one who stayed, the model gave the higher risk to the one who left in {auc} of pairs; the rule “who has not bought for longest” in {naive}.",
            "Départ : d’un client parti et d’un client resté, le modèle a donné le plus grand risque à celui qui est parti dans {auc} des paires ; la règle « qui n’a pas acheté depuis le plus longtemps » dans {naive}."
        ));
    }
    if let Some(slope) = quality.churn_calibration_slope {
        let number = words.number(slope, 2);
        section.sentences.push(if (0.8..=1.25).contains(&slope) {
            say!(words, "Its probabilities can be taken at their word (calibration slope {number}; 1 is best).", "Ses probabilités sont fiables (pente de calibration {number} ; 1 est l’idéal).")
        } else {
            say!(words, "Its probabilities order customers, but are not to be taken at their word (calibration slope {number}; 1 is best).", "Ses probabilités classent les clients, mais ne sont pas à prendre au mot (pente de calibration {number} ; 1 est l’idéal).")
        });
    }
    if quality.churn_status.as_deref() == Some("weak") {
        section.findings.push(weak(words.pick("Churn", "Départ"), quality.churn_reasons.as_deref(), words));
    }
}

/// The words about value.
fn value(quality: &Quality, words: Words, section: &mut Section<'_>) {
    if let (Some(model), Some(past)) = (quality.value_correlation, quality.past_correlation) {
        let (model, past) = (words.number(model, 2), words.number(past, 2));
        section.sentences.push(say!(
            words,
            "Value: what was foretold and what came correlate by {model}; last year's turnover and what came by {past}.",
            "Valeur : prédiction et réalité sont corrélées à {model} ; le chiffre d’affaires passé et la réalité à {past}."
        ));
    }
    if let (Some(predicted), Some(actual)) =
        (quality.value_predicted, quality.value_actual.filter(|actual| *actual > 0.0))
    {
        let (told, came, off) =
            (words.amount(predicted), words.amount(actual), words.share((predicted / actual - 1.0).abs()));
        let side = if predicted >= actual {
            words.pick("too much", "de trop")
        } else {
            words.pick("too little", "de moins")
        };
        section.sentences.push(say!(
            words,
            "In all it foretold {told}, and {came} came: {off} {side}.",
            "En tout il a prédit {told}, et {came} sont venus : {off} {side}."
        ));
    }
    if quality.value_status.as_deref() == Some("weak") {
        section.findings.push(weak(
            words.pick("Future value", "Valeur future"),
            quality.value_reasons.as_deref(),
            words,
        ));
    }
}

fn weak(axis: &str, reasons: Option<&str>, words: Words) -> Finding {
    let reasons = reasons.unwrap_or_default();
    Finding {
        seen: say!(
            words,
            "The model of “{axis}” is weak. {reasons}",
            "Le modèle de « {axis} » est faible. {reasons}"
        ),
        advice: words
            .pick(
                "Do not spend money by it yet: use the naive rule meanwhile.",
                "N’engagez pas encore de dépenses d’après lui : suivez la règle simple en attendant.",
            )
            .into(),
    }
}

fn picture(quality: &Quality, candidates: Vec<Candidate>, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let mut all = Vec::new();
    let mut add = |label: &str, value: Option<f64>, decimals: bool, tone| {
        if let Some(value) = value {
            let word = if decimals { words.number(value, 2) } else { words.share(value) };
            all.push(Bar { label: label.to_owned(), value, word, tone });
        }
    };
    add(words.pick("Churn: model", "Départ : modèle"), quality.churn_auc, false, Tone::Blue);
    add(words.pick("Churn: naive rule", "Départ : règle simple"), quality.recency_auc, false, Tone::Slate);
    add(words.pick("Value: model", "Valeur : modèle"), quality.value_correlation, true, Tone::Blue);
    add(
        words.pick("Value: naive rule", "Valeur : règle simple"),
        quality.past_correlation,
        true,
        Tone::Slate,
    );
    let dash = || "–".to_owned();
    Picture {
        name: "models".into(),
        title: pick("Models beside the naive rule", "Les modèles à côté de la règle simple"),
        about: pick(
            "Bars: pairs that churn orders rightly, and the correlation of value, of the model and of the naive rule.",
            "Barres : paires bien classées pour le départ, et corrélation pour la valeur, du modèle et de la règle simple.",
        ),
        table: Table {
            head: vec![
                pick("Tried for churn", "Essayé pour le départ"),
                pick("Pairs in order (AUC)", "Paires classées (AUC)"),
                pick("Brier score", "Score de Brier"),
                pick("Rank correlation", "Corrélation des rangs"),
            ],
            texts: 1,
            rows: candidates
                .iter()
                .map(|one| {
                    vec![
                        one.label.clone(),
                        one.auc.map_or_else(dash, |value| words.share(value)),
                        one.brier.map_or_else(dash, |value| words.number(value, 4)),
                        one.spearman.map_or_else(dash, |value| words.number(value, 2)),
                    ]
                })
                .collect(),
        },
        small: false,
        paint: Box::new(move |width| bars(width, &all, 1.0, &[])),
    }
}
