//! Channels: by which customers answer, and by which they may be contacted.

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
    customers: f64,
    channels: Vec<Channel>,
}

#[derive(Deserialize)]
struct Channel {
    label: String,
    /// Who may be contacted.
    reachable: f64,
    /// Of high value: who may be, and who there are.
    best_reachable: f64,
    best: f64,
    /// Whose best channel it is.
    preferred: f64,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "reach")?;
    let mut section = Section::default();
    if data.channels.is_empty() || data.customers <= 0.0 {
        section.nothing = Some(
            words.pick("No customer has a known consent.", "Aucun client n’a de consentement connu.").into(),
        );
        return Ok(section);
    }
    section.about = words
        .pick(
            "The share of customers who may be contacted by each channel: consent that holds today.",
            "La part des clients que l’on peut contacter par chaque canal : consentement valable aujourd’hui.",
        )
        .into();
    let best = data.channels.iter().max_by(|one, other| one.reachable.total_cmp(&other.reachable));
    if let Some(best) = best {
        let (label, share) = (&best.label, words.share(best.reachable / data.customers));
        section.sentences.push(say!(
            words,
            "{label} reaches most: {share} of customers.",
            "{label} touche le plus de monde : {share} des clients."
        ));
        if best.best >= 30.0 && best.best_reachable / best.best < 0.6 {
            let missing = words.count(best.best - best.best_reachable);
            let of = words.count(best.best);
            section.findings.push(Finding {
                seen: say!(
                    words,
                    "{missing} of {of} customers of high value may not be contacted by {label}, the channel that reaches most.",
                    "{missing} des {of} clients de forte valeur ne peuvent être contactés par {label}, le canal qui touche le plus de monde."
                ),
                advice: words
                    .pick("Ask for consent where they meet you: at an order, in the shop, by letter.", "Demandez leur accord là où ils vous rencontrent : à la commande, en magasin, par courrier.")
                    .into(),
            });
        }
    }
    section.pictures.push(picture(data, words));
    Ok(section)
}

fn picture(data: Data, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Channel", "Canal"),
            pick("May be contacted", "Contactables"),
            pick("Share", "Part"),
            pick("Of high value", "De forte valeur"),
            pick("Best channel of", "Meilleur canal de"),
        ],
        texts: 1,
        rows: data
            .channels
            .iter()
            .map(|channel| {
                vec![
                    channel.label.clone(),
                    words.count(channel.reachable),
                    words.share(channel.reachable / data.customers),
                    if channel.best > 0.0 {
                        words.share(channel.best_reachable / channel.best)
                    } else {
                        "–".into()
                    },
                    words.count(channel.preferred),
                ]
            })
            .collect(),
    };
    Picture {
        name: "reach".into(),
        title: pick("Who may be contacted, by channel", "Qui peut être contacté, par canal"),
        about: pick(
            "Bars of the share of customers with consent.",
            "Barres de la part des clients qui consentent.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| {
            let all: Vec<Bar> = data
                .channels
                .iter()
                .take(20)
                .map(|channel| Bar {
                    label: channel.label.clone(),
                    value: channel.reachable / data.customers,
                    word: words.share(channel.reachable / data.customers),
                    tone: Tone::Blue,
                })
                .collect();
            bars(width, &all, 1.0, &[])
        }),
    }
}
