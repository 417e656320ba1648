//! Recency against frequency: a heat map of customers, with their turnover.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Side, draw};
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
    r: i64,
    f: i64,
    customers: f64,
    turnover: f64,
    monetary: f64,
    expected_churners: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "rfm")?;
    let mut section = Section::default();
    let customers: f64 = data.cells.iter().map(|cell| cell.customers).sum();
    if customers <= 0.0 {
        section.nothing =
            Some(words.pick("No customer has RFM scores.", "Aucun client n’a de scores RFM.").into());
        return Ok(section);
    }
    section.about = words
        .pick(
            "Scores are from 1 to 5. To the right: bought lately. Above: bought often. Deeper blue: more customers; below the number, their turnover.",
            "Les scores vont de 1 à 5. À droite : achat récent. En haut : achats fréquents. Bleu soutenu : plus de clients ; sous le nombre, leur chiffre d’affaires.",
        )
        .into();
    let sum = |keep: fn(&Cell) -> bool, of: fn(&Cell) -> f64| {
        data.cells.iter().filter(|cell| keep(cell)).map(of).sum::<f64>()
    };
    let slipping = sum(|cell| cell.r <= 2 && cell.f >= 4, |cell| cell.customers);
    let spent = sum(|cell| cell.r <= 2 && cell.f >= 4, |cell| cell.monetary);
    let (all, best) =
        (sum(|_| true, |cell| cell.turnover), sum(|cell| cell.r >= 4 && cell.f >= 4, |cell| cell.turnover));
    if all > 0.0 {
        let (share, few) = (
            words.share(best / all),
            words.share(sum(|cell| cell.r >= 4 && cell.f >= 4, |cell| cell.customers) / customers),
        );
        section.sentences.push(say!(
            words,
            "Those who bought often and lately are {few} of customers and bring {share} of turnover.",
            "Ceux qui ont acheté souvent et récemment sont {few} des clients et font {share} du chiffre d’affaires."
        ));
    }
    if slipping >= 30.0 {
        let (number, spent, share) =
            (words.count(slipping), words.amount(spent), words.share(slipping / customers));
        section.findings.push(Finding {
            seen: say!(
                words,
                "{number} customers ({share}) used to buy often and have not for long; in all they spent {spent}.",
                "{number} clients ({share}) achetaient souvent et n’ont plus acheté depuis longtemps ; en tout ils ont dépensé {spent}."
            ),
            advice: words
                .pick(
                    "Try to win them back, with a group held out, so that you learn whether it pays.",
                    "Tentez de les reconquérir, avec un groupe témoin, pour savoir si cela paie.",
                )
                .into(),
        });
    }
    section.pictures.push(picture(data.cells, words));
    Ok(section)
}

fn picture(mut cells: Vec<Cell>, words: Words) -> Picture<'static> {
    cells.retain(|cell| (1..=9).contains(&cell.r) && (1..=9).contains(&cell.f));
    cells.sort_by_key(|cell| (-cell.f, -cell.r));
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Recency and frequency", "Récence et fréquence"),
            pick("Customers", "Clients"),
            pick("Turnover", "Chiffre d’affaires"),
            pick("All they spent", "Total dépensé"),
            pick("Expected churners", "Départs attendus"),
        ],
        texts: 1,
        rows: cells
            .iter()
            .map(|cell| {
                vec![
                    format!("R{} F{}", cell.r, cell.f),
                    words.count(cell.customers),
                    words.amount(cell.turnover),
                    words.amount(cell.monetary),
                    cell.expected_churners.map_or_else(|| "–".into(), |value| words.count(value)),
                ]
            })
            .collect(),
    };
    Picture {
        name: "rfm".into(),
        title: pick("Customers by recency and frequency", "Clients par récence et fréquence"),
        about: pick(
            "A heat map of the numbers of customers with each pair of scores.",
            "Une carte de chaleur du nombre de clients pour chaque paire de scores.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&cells, width, words)),
    }
}

fn paint(cells: &[Cell], width: f64, words: Words) -> Result<Drawing> {
    let most = cells.iter().flat_map(|cell| [cell.r, cell.f]).max().unwrap_or(5).max(5);
    let left = 40.0;
    let side = (width - left) / most as f64;
    let tall = (side * 0.62).min(64.0);
    let largest = cells.iter().map(|cell| cell.customers).fold(1.0, f64::max);
    let size = if width > 500.0 { 14.0 } else { 12.0 };
    draw(width, tall * most as f64 + 66.0, |canvas| {
        canvas.text(0.0, 8.0, Side::Start, 12.0, Tone::Muted, words.pick("Frequency", "Fréquence"))?;
        for step in 1..=most {
            let y = 22.0 + tall * (most - step) as f64 + tall / 2.0;
            canvas.text(left - 12.0, y, Side::End, 12.5, Tone::Muted, &step.to_string())?;
            let x = left + side * (step - 1) as f64 + side / 2.0;
            canvas.text(
                x,
                22.0 + tall * most as f64 + 13.0,
                Side::Middle,
                12.5,
                Tone::Muted,
                &step.to_string(),
            )?;
            for other in 1..=most {
                let x = left + side * (other - 1) as f64;
                canvas.bar(x, y - tall / 2.0, side - 2.0, tall - 2.0, Tone::Track)?;
            }
        }
        for cell in cells {
            let x = left + side * (cell.r - 1) as f64;
            let y = 22.0 + tall * (most - cell.f) as f64;
            let step = Tone::step((cell.customers / largest).max(0.0).sqrt());
            let tone = Tone::on(step);
            canvas.bar(x, y, side - 2.0, tall - 2.0, Tone::Ramp(step))?;
            canvas.bold(
                x + side / 2.0 - 1.0,
                y + tall * 0.34,
                Side::Middle,
                size,
                tone,
                &words.count(cell.customers),
            )?;
            canvas.text(
                x + side / 2.0 - 1.0,
                y + tall * 0.7,
                Side::Middle,
                size - 2.0,
                tone,
                &words.amount(cell.turnover),
            )?;
        }
        let y = 22.0 + tall * most as f64 + 33.0;
        canvas.text(
            width,
            y,
            Side::End,
            12.0,
            Tone::Muted,
            words.pick("Recency: 5 bought lately →", "Récence : 5, achat récent →"),
        )
    })
}
