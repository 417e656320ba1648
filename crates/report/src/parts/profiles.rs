//! Profiles: each with what sets it apart, in a sentence.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::bars::{Bar, bars};
use super::data::read;
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::Section;
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    profiles: Vec<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    code: String,
    label: String,
    customers: f64,
    turnover: f64,
    future_value: f64,
    churn_probability: Option<f64>,
    #[serde(default)]
    products: Vec<String>,
}

impl Profile {
    fn each(&self) -> f64 {
        if self.customers > 0.0 { self.turnover / self.customers } else { 0.0 }
    }
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "profiles")?;
    let mut section = Section::default();
    data.profiles.retain(|profile| profile.code != "insufficient_data" && profile.customers > 0.0);
    if data.profiles.len() < 2 {
        section.nothing = Some(
            words
                .pick(
                    "There are no profiles: no attributes of customers, or none that set groups apart.",
                    "Il n’y a pas de profils : aucun attribut de clients, ou aucun qui distingue des groupes.",
                )
                .into(),
        );
        return Ok(section);
    }
    section.about = words
        .pick(
            "Groups of customers who are alike in what is known of them, and what each brings on average.",
            "Des groupes de clients semblables par ce que l’on sait d’eux, et ce que chacun apporte en moyenne.",
        )
        .into();
    let customers: f64 = data.profiles.iter().map(|profile| profile.customers).sum();
    let mean = data.profiles.iter().map(|profile| profile.turnover).sum::<f64>() / customers;
    for profile in &data.profiles {
        section.sentences.push(sentence(profile, customers, mean, words));
    }
    section.pictures.push(picture(data.profiles, words));
    Ok(section)
}

fn sentence(profile: &Profile, customers: f64, mean: f64, words: Words) -> String {
    let (label, share) = (&profile.label, words.share(profile.customers / customers));
    let each = words.amount(profile.each());
    let mut text = say!(
        words,
        "{label}: {share} of customers; {each} of turnover each",
        "{label} : {share} des clients ; {each} de chiffre d’affaires chacun"
    );
    if mean > 0.0 {
        let part = profile.each() / mean - 1.0;
        let percent = words.share(part.abs());
        // Within a tenth of the mean, and in small groups, it says nothing.
        if part.abs() >= 0.1 && profile.customers >= 30.0 {
            text += &if part > 0.0 {
                say!(words, ", {percent} above the mean", ", {percent} de plus que la moyenne")
            } else {
                say!(words, ", {percent} below the mean", ", {percent} de moins que la moyenne")
            };
        } else {
            text += words.pick(", about the mean", ", environ la moyenne");
        }
    }
    if !profile.products.is_empty() {
        let products = profile.products.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        text += &say!(words, ". Most often offered: {products}", ". Le plus souvent proposé : {products}");
    }
    text + "."
}

fn picture(profiles: Vec<Profile>, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Profile", "Profil"),
            pick("Customers", "Clients"),
            pick("Turnover", "Chiffre d’affaires"),
            pick("Turnover each", "Chiffre d’affaires par client"),
            pick("Future value", "Valeur future"),
            pick("Risk of churn", "Risque de départ"),
        ],
        texts: 1,
        rows: profiles
            .iter()
            .map(|profile| {
                vec![
                    profile.label.clone(),
                    words.count(profile.customers),
                    words.amount(profile.turnover),
                    words.amount(profile.each()),
                    words.amount(profile.future_value),
                    profile.churn_probability.map_or_else(|| "–".into(), |value| words.share(value)),
                ]
            })
            .collect(),
    };
    Picture {
        name: "profiles".into(),
        title: pick("Turnover of a customer, by profile", "Chiffre d’affaires d’un client, par profil"),
        about: pick(
            "Bars of the turnover of a customer on average.",
            "Barres du chiffre d’affaires moyen d’un client.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| {
            let all: Vec<Bar> = profiles
                .iter()
                .take(20)
                .map(|profile| Bar {
                    label: profile.label.clone(),
                    value: profile.each(),
                    word: words.amount(profile.each()),
                    tone: Tone::Blue,
                })
                .collect();
            let largest = all.iter().map(|bar| bar.value).fold(0.0, f64::max);
            bars(width, &all, largest, &[])
        }),
    }
}
