//! Who moved from code to code at the last publication, as flows.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Side, draw, fitted};
use crate::palette::{SERIES, Tone};
use crate::picture::{Picture, Table};
use crate::section::Section;
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
    flows: Vec<Flow>,
}

#[derive(Deserialize)]
struct Flow {
    from: i64,
    from_label: String,
    to: i64,
    to_label: String,
    customers: f64,
    turnover: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "migration")?;
    let mut section = Section::default();
    let Some(day) = data.as_of.as_deref().filter(|_| !data.axes.is_empty()) else {
        section.nothing = Some(
            words
                .pick(
                    "There is one publication only: nobody can have moved.",
                    "Il n’y a qu’une publication : personne n’a pu bouger.",
                )
                .into(),
        );
        return Ok(section);
    };
    let day = words.day(day);
    section.about = say!(
        words,
        "From the publication before, on the left, to that of {day}, on the right. Those who stayed are pale.",
        "De la publication d’avant, à gauche, à celle du {day}, à droite. Ceux qui sont restés sont pâles."
    );
    if data.retrained == Some(true) {
        section.sentences.push(
            words
                .pick(
                    "Models were trained that day: some moved though they did nothing.",
                    "Les modèles ont été entraînés ce jour-là : certains ont bougé sans rien faire.",
                )
                .into(),
        );
    }
    for axis in data.axes {
        let all: f64 = axis.flows.iter().map(|flow| flow.customers).sum();
        let moved = axis.moved().map(|flow| flow.customers).sum::<f64>();
        if let Some(most) = axis.moved().max_by(|one, other| one.customers.total_cmp(&other.customers)) {
            let label = &axis.label;
            let (moved, share, number) =
                (words.count(moved), words.share(moved / all.max(1.0)), words.count(most.customers));
            let (from, to) = (&most.from_label, &most.to_label);
            section.sentences.push(say!(
                words,
                "{label}: {moved} customers moved ({share}), most of them from “{from}” to “{to}”: {number}.",
                "{label} : {moved} clients ont bougé ({share}), surtout de « {from} » à « {to} » : {number}."
            ));
        }
        section.pictures.push(axis.picture(words));
    }
    Ok(section)
}

impl Axis {
    fn moved(&self) -> impl Iterator<Item = &Flow> {
        self.flows.iter().filter(|flow| flow.from != flow.to)
    }

    fn picture(self, words: Words) -> Picture<'static> {
        let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
        let mut flows: Vec<&Flow> = self.flows.iter().collect();
        flows.sort_by(|one, other| {
            (one.from == one.to)
                .cmp(&(other.from == other.to))
                .then(other.customers.total_cmp(&one.customers))
        });
        let table = Table {
            head: vec![
                pick("From", "De"),
                pick("To", "À"),
                pick("Customers", "Clients"),
                pick("Turnover", "Chiffre d’affaires"),
            ],
            texts: 2,
            rows: flows
                .into_iter()
                .take(100)
                .map(|flow| {
                    vec![
                        flow.from_label.clone(),
                        flow.to_label.clone(),
                        words.count(flow.customers),
                        flow.turnover.map_or_else(|| "–".into(), |value| words.amount(value)),
                    ]
                })
                .collect(),
        };
        let label = &self.label;
        Picture {
            name: format!("migration:{}", self.axis),
            title: say!(words, "Moves of {label}", "Mouvements : {label}"),
            about: say!(
                words,
                "A Sankey diagram of customers by their code of {label} before, on the left, and after, on the right.",
                "Un diagramme de Sankey des clients par leur code de {label} avant, à gauche, et après, à droite."
            ),
            table,
            small: false,
            paint: Box::new(move |width| self.paint(width, words)),
        }
    }

    /// The nodes of one side: place in the order, name, customers.
    fn nodes(&self, of: impl Fn(&Flow) -> (i64, &String)) -> Vec<(i64, String, f64)> {
        let mut nodes: Vec<(i64, String, f64)> = Vec::new();
        for flow in &self.flows {
            let (place, label) = of(flow);
            match nodes.iter_mut().find(|node| node.0 == place) {
                Some(node) => node.2 += flow.customers,
                None => nodes.push((place, label.clone(), flow.customers)),
            }
        }
        nodes.sort_by_key(|node| node.0);
        nodes
    }

    fn paint(&self, width: f64, words: Words) -> Result<Drawing> {
        const GAP: f64 = 16.0;
        const BOX: f64 = 10.0;
        let (left, right) =
            (self.nodes(|flow| (flow.from, &flow.from_label)), self.nodes(|flow| (flow.to, &flow.to_label)));
        let all = left.iter().map(|node| node.2).sum::<f64>().max(1e-9);
        let room = if width > 500.0 { 300.0 } else { 240.0 };
        let margin = if width > 500.0 { 178.0 } else { 104.0 };
        let size = if width > 500.0 { 12.5 } else { 11.5 };
        let tall = |customers: f64| customers / all * room;
        // The least height of a node is that of its name.
        let step = |customers: f64| (tall(customers) + GAP).max(34.0);
        let tops = |nodes: &[(i64, String, f64)]| {
            let mut y = 14.0;
            nodes
                .iter()
                .map(|node| {
                    let top = y;
                    y += step(node.2);
                    (node.0, top)
                })
                .collect::<Vec<_>>()
        };
        let of = |nodes: &[(i64, String, f64)]| nodes.iter().map(|node| step(node.2)).sum::<f64>();
        let height = 14.0 + of(&left).max(of(&right)) + 20.0;
        let (mut from, mut to) = (tops(&left), tops(&right));
        draw(width, height, |canvas| {
            let tone = |place: i64| SERIES[(place.max(1) - 1) as usize % SERIES.len()];
            let mut flows: Vec<&Flow> = self.flows.iter().collect();
            flows.sort_by_key(|flow| (flow.from, flow.to));
            for flow in flows {
                let thick = tall(flow.customers);
                let take = |sides: &mut Vec<(i64, f64)>, place: i64| {
                    sides.iter_mut().find(|side| side.0 == place).map_or(0.0, |side| {
                        let top = side.1;
                        side.1 += thick;
                        top
                    })
                };
                let (y0, y1) = (take(&mut from, flow.from), take(&mut to, flow.to));
                let stayed = flow.from == flow.to;
                let (tone, opacity) = if stayed { (Tone::Slate, 0.22) } else { (tone(flow.from), 0.62) };
                let thick = thick.max(0.75);
                canvas.band(
                    (margin + BOX, y0, y0 + thick),
                    (width - margin - BOX, y1, y1 + thick),
                    tone,
                    opacity,
                )?;
            }
            for (nodes, x, words_at, anchor) in [
                (&left, margin, margin - 8.0, Side::End),
                (&right, width - margin - BOX, width - margin + 8.0, Side::Start),
            ] {
                for ((place, label, customers), (_, top)) in nodes.iter().zip(tops(nodes)) {
                    canvas.bar(x, top, BOX, tall(*customers).max(2.0), tone(*place))?;
                    let y = top + tall(*customers) / 2.0;
                    canvas.text(
                        words_at,
                        y - 7.0,
                        anchor,
                        size,
                        Tone::Ink,
                        &fitted(label, size, margin - 10.0),
                    )?;
                    canvas.text(
                        words_at,
                        y + 8.0,
                        anchor,
                        size - 1.0,
                        Tone::Muted,
                        &words.count(*customers),
                    )?;
                }
            }
            canvas.text(0.0, height - 8.0, Side::Start, 12.0, Tone::Muted, words.pick("Before", "Avant"))?;
            canvas.text(width, height - 8.0, Side::End, 12.0, Tone::Muted, words.pick("After", "Après"))
        })
    }
}
