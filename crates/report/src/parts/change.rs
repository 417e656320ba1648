//! Two years side by side: who changed, by how much, and why.

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
    /// First and last day of each period.
    before: (String, String),
    after: (String, String),
    groups: Vec<Group>,
    #[serde(default)]
    factors: Vec<Factor>,
    /// Segments that moved turnover beyond what the others did, the surest first.
    #[serde(default)]
    drivers: Vec<Driver>,
}

#[derive(Deserialize)]
struct Group {
    what: String,
    customers: f64,
    turnover_before: f64,
    turnover_after: f64,
    change: f64,
}

#[derive(Deserialize)]
struct Factor {
    factor: String,
    before: Option<f64>,
    after: Option<f64>,
    effect: Option<f64>,
}

#[derive(Deserialize)]
struct Driver {
    segment: String,
    before: f64,
    after: f64,
    contribution: f64,
    unexpected: f64,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "change")?;
    let mut section = Section::default();
    let sum = |of: fn(&Group) -> f64| data.groups.iter().map(of).sum::<f64>();
    let (before, after) = (sum(|group| group.turnover_before), sum(|group| group.turnover_after));
    if before <= 0.0 || after <= 0.0 {
        section.nothing = Some(
            words
                .pick(
                    "There is no turnover in one of the two years before the day of the data.",
                    "L’une des deux années avant le jour des données est sans chiffre d’affaires.",
                )
                .into(),
        );
        return Ok(section);
    }
    let days = [&data.after.0, &data.after.1, &data.before.0, &data.before.1].map(|day| words.day(day));
    let [from, to, earlier, until] = &days;
    section.about = say!(
        words,
        "From {from} to {to}, against {earlier} to {until}.",
        "Du {from} au {to}, face à la période du {earlier} au {until}."
    );
    let (was, is, part) =
        (words.amount(before), words.amount(after), words.share((after / before - 1.0).abs()));
    section.sentences.push(if after >= before {
        say!(
            words,
            "Turnover rose by {part}, from {was} to {is}.",
            "Le chiffre d’affaires a augmenté de {part}, de {was} à {is}."
        )
    } else {
        say!(
            words,
            "Turnover fell by {part}, from {was} to {is}.",
            "Le chiffre d’affaires a baissé de {part}, de {was} à {is}."
        )
    });
    factors(&data.factors, words, &mut section);
    drivers(&data.drivers, words, &mut section);
    section.pictures.push(picture(data.groups, before, after, words));
    Ok(section)
}

/// The name of a group of buyers.
fn group(what: &str, words: Words) -> String {
    match what {
        "new" => words.pick("New", "Nouveaux"),
        "back" => words.pick("Came back", "Revenus"),
        "up" => words.pick("Spent more", "Dépensent plus"),
        "same" => words.pick("Spent as much", "Dépensent autant"),
        "down" => words.pick("Spent less", "Dépensent moins"),
        "lost" => words.pick("Bought no more", "N’achètent plus"),
        "refunded" => words.pick("Only refunds", "Remboursements seuls"),
        other => other,
    }
    .to_owned()
}

/// The name of a factor of turnover.
fn factor(name: &str, words: Words) -> String {
    match name {
        "customers" => words.pick("Customers who bought", "Clients acheteurs"),
        "orders_per_customer" => words.pick("Orders a customer", "Commandes par client"),
        "basket" => words.pick("Basket", "Panier moyen"),
        other => other,
    }
    .to_owned()
}

/// Customers, orders and basket: what each did to turnover.
fn factors(all: &[Factor], words: Words, section: &mut Section<'static>) {
    let largest = all
        .iter()
        .filter_map(|one| one.effect.map(|effect| (effect, one)))
        .max_by(|one, other| one.0.abs().total_cmp(&other.0.abs()));
    let Some((effect, most)) = largest else { return };
    let (name, effect) = (factor(&most.factor, words), words.amount(effect));
    section.sentences.push(say!(
        words,
        "Of customers, orders and basket, what did most: {name}, {effect}.",
        "Des clients, des commandes et du panier, le plus fort effet : {name}, {effect}."
    ));
    let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| words.number(value, 2));
    section.tables.push((
        words
            .pick(
                "Customers, orders, basket: the effect of each",
                "Clients, commandes, panier : l’effet de chacun",
            )
            .to_owned(),
        Table {
            head: [
                "Factor|Facteur",
                "Before|Avant",
                "After|Après",
                "Effect on turnover|Effet sur le chiffre d’affaires",
            ]
            .map(|both| {
                both.split_once('|').map_or(both, |(english, french)| words.pick(english, french)).to_owned()
            })
            .into(),
            texts: 1,
            rows: all
                .iter()
                .map(|one| {
                    vec![
                        factor(&one.factor, words),
                        cell(one.before),
                        cell(one.after),
                        one.effect.map_or_else(|| "–".to_owned(), |effect| words.amount(effect)),
                    ]
                })
                .collect(),
        },
    ));
}

/// The segments that explain the change.
fn drivers(all: &[Driver], words: Words, section: &mut Section<'static>) {
    let Some(first) = all.first() else {
        section.sentences.push(
            words
                .pick(
                    "No segment by attributes moved beyond the others: the change is everywhere, or too small to tell.",
                    "Aucun segment par attributs n’a bougé plus que les autres : le changement est partout, ou trop petit.",
                )
                .into(),
        );
        return;
    };
    let (segment, was, is) = (&first.segment, words.amount(first.before), words.amount(first.after));
    let beyond = words.amount(first.unexpected);
    section.findings.push(Finding {
        seen: say!(
            words,
            "Customers with {segment} went from {was} to {is} of turnover: {beyond} beside what the others did.",
            "Les clients avec {segment} sont passés de {was} à {is} de chiffre d’affaires : {beyond} par rapport aux autres."
        ),
        advice: words
            .pick(
                "Ask what happened to these, and to nobody else: a shop, a price, a competitor.",
                "Cherchez ce qui est arrivé à ceux-là seuls : un magasin, un prix, un concurrent.",
            )
            .into(),
    });
    section.tables.push((
        words.pick("Why turnover moved", "Pourquoi le chiffre d’affaires a bougé").to_owned(),
        Table {
            head: [
                "Segment|Segment",
                "Before|Avant",
                "After|Après",
                "Part of the change|Part du changement",
                "Beside the others|Par rapport aux autres",
            ]
            .map(|both| {
                both.split_once('|').map_or(both, |(english, french)| words.pick(english, french)).to_owned()
            })
            .into(),
            texts: 1,
            rows: all
                .iter()
                .map(|one| {
                    vec![
                        one.segment.clone(),
                        words.amount(one.before),
                        words.amount(one.after),
                        words.amount(one.contribution),
                        words.amount(one.unexpected),
                    ]
                })
                .collect(),
        },
    ));
}

fn picture(groups: Vec<Group>, before: f64, after: f64, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let table = Table {
        head: vec![
            pick("Buyers", "Acheteurs"),
            pick("Customers", "Clients"),
            pick("Turnover before", "Chiffre d’affaires avant"),
            pick("After", "Après"),
            pick("Change", "Changement"),
        ],
        texts: 1,
        rows: groups
            .iter()
            .map(|one| {
                vec![
                    group(&one.what, words),
                    words.count(one.customers),
                    words.amount(one.turnover_before),
                    words.amount(one.turnover_after),
                    words.amount(one.change),
                ]
            })
            .collect(),
    };
    Picture {
        name: "change".into(),
        title: pick(
            "From the turnover of one year to that of the next",
            "Du chiffre d’affaires d’une année à la suivante",
        ),
        about: pick(
            "Bars from the turnover before to that after: what each group of buyers added or took away.",
            "Des barres du chiffre d’affaires avant à celui d’après : ce que chaque groupe d’acheteurs a ajouté ou ôté.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&groups, before, after, width, words)),
    }
}

fn paint(groups: &[Group], before: f64, after: f64, width: f64, words: Words) -> Result<Drawing> {
    const ROW: f64 = 32.0;
    let shown: Vec<&Group> = groups.iter().filter(|one| one.change != 0.0).collect();
    let left = if width > 500.0 { 150.0 } else { 112.0 };
    let room = width - left - 74.0;
    // The furthest that the steps go on either side.
    let (mut total, mut largest, mut least) = (before, before.max(after), 0.0_f64);
    for one in &shown {
        total += one.change;
        largest = largest.max(total);
        least = least.min(total);
    }
    let span = (largest - least).max(1e-9);
    let x = |value: f64| left + (value - least) / span * room;
    draw(width, ROW * (shown.len() + 2) as f64 + 6.0, |canvas| {
        let row = |place: usize, label: &str, from: f64, to: f64, tone: Tone, word: &str| {
            let y = 4.0 + ROW * place as f64;
            canvas.text(
                left - 10.0,
                y + 11.0,
                Side::End,
                12.5,
                Tone::Ink,
                &fitted(label, 12.5, left - 10.0),
            )?;
            let (start, end) = (x(from.min(to)), x(from.max(to)));
            canvas.bar(start, y, (end - start).max(1.0), 22.0, tone)?;
            canvas.text(end + 6.0, y + 11.0, Side::Start, 12.5, Tone::Ink, word)
        };
        row(0, words.pick("Before", "Avant"), 0.0, before, Tone::Slate, &words.amount(before))?;
        let mut total = before;
        for (place, one) in shown.iter().enumerate() {
            let next = total + one.change;
            let tone = if one.change > 0.0 { Tone::Blue } else { Tone::Orange };
            let sign = if one.change > 0.0 { "+" } else { "" };
            let word = format!("{sign}{}", words.amount(one.change));
            row(place + 1, &group(&one.what, words), total, next, tone, &word)?;
            total = next;
        }
        row(shown.len() + 1, words.pick("After", "Après"), 0.0, after, Tone::Slate, &words.amount(after))
    })
}
