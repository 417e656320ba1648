//! The axes at a glance: how many customers each code has, what they bring, and what moved.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Side, draw, fitted, width_of};
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::{Finding, Section};
use crate::words::{Words, say};

/// More codes than this are put together in a picture; the table has them.
const MOST: usize = 12;

#[derive(Deserialize)]
struct Data {
    before: Option<String>,
    axes: Vec<Axis>,
}

#[derive(Deserialize)]
struct Axis {
    axis: String,
    label: Option<String>,
    codes: Vec<Code>,
}

#[derive(Deserialize, Clone)]
struct Code {
    label: String,
    customers: f64,
    turnover: f64,
    future_value: f64,
    /// Customers at the day before.
    before: Option<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "axes")?;
    let mut section = Section::default();
    if data.axes.iter().all(|axis| axis.codes.is_empty()) {
        section.nothing = Some(words.pick("Nobody has a code yet.", "Personne n’a encore de code.").into());
        return Ok(section);
    }
    section.about = match &data.before {
        Some(day) => {
            let day = words.day(day);
            say!(
                words,
                "Every axis counts everybody once. Beside each share of customers stands how it moved since {day}, in points.",
                "Chaque axe compte chaque client une fois. À côté de chaque part de clients, son évolution depuis le {day}, en points."
            )
        }
        None => words
            .pick(
                "Every axis counts everybody once. There is no earlier publication to compare with.",
                "Chaque axe compte chaque client une fois. Il n’y a pas de publication antérieure à laquelle comparer.",
            )
            .into(),
    };
    let mut moves = Vec::new();
    for axis in data.axes {
        let title = axis.label.clone().unwrap_or_else(|| axis.axis.clone());
        for code in &axis.codes {
            if let Some(moved) = axis.moved(code) {
                moves.push((
                    moved,
                    title.clone(),
                    code.label.clone(),
                    code.before.unwrap_or(0.0),
                    code.customers,
                ));
            }
        }
        section.pictures.push(axis.picture(title, words));
    }
    moves.sort_by(|one, other| other.0.abs().total_cmp(&one.0.abs()));
    if let Some((moved, axis, code, before, now)) = moves.into_iter().next() {
        // Less than a point, or less than chance would move, is no news.
        let noise = 2.0 * (before.max(now)).sqrt();
        if moved.abs() >= 0.01 && (now - before).abs() > noise {
            let (points, before, now) = (words.points(moved), words.count(before), words.count(now));
            section.findings.push(Finding {
                seen: say!(
                    words,
                    "“{code}” ({axis}) moved most: {points} of all customers, from {before} to {now}.",
                    "« {code} » ({axis}) a le plus bougé : {points} de tous les clients, de {before} à {now}."
                ),
                advice: words
                    .pick(
                        "See under Migration where they came from, or went, before deciding anything.",
                        "Voyez sous Migration d’où ils viennent, ou vont, avant de décider.",
                    )
                    .into(),
            });
        }
    }
    Ok(section)
}

impl Axis {
    fn total(&self, of: impl Fn(&Code) -> f64) -> f64 {
        self.codes.iter().map(of).sum()
    }

    /// How a code's share moved.
    fn moved(&self, code: &Code) -> Option<f64> {
        let (now, before) =
            (self.total(|code| code.customers), self.total(|code| code.before.unwrap_or(0.0)));
        (now > 0.0 && before > 0.0).then(|| code.customers / now - code.before.unwrap_or(0.0) / before)
    }

    /// The codes that are drawn: the others are one.
    fn drawn(&self, words: Words) -> Vec<Code> {
        if self.codes.len() <= MOST {
            return self.codes.clone();
        }
        let mut codes = self.codes.clone();
        codes.sort_by(|one, other| other.customers.total_cmp(&one.customers));
        let others = codes.split_off(MOST - 1);
        let sum = |of: fn(&Code) -> f64| others.iter().map(of).sum::<f64>();
        let number = words.count(others.len() as f64);
        codes.push(Code {
            label: say!(words, "{number} others", "{number} autres"),
            customers: sum(|code| code.customers),
            turnover: sum(|code| code.turnover),
            future_value: sum(|code| code.future_value),
            before: Some(sum(|code| code.before.unwrap_or(0.0))),
        });
        codes
    }

    fn picture(self, title: String, words: Words) -> Picture<'static> {
        let total = self.total(|code| code.customers);
        let largest = self.codes.iter().max_by(|one, other| one.customers.total_cmp(&other.customers));
        let about = largest.map_or_else(String::new, |code| {
            let (label, share) = (&code.label, words.share(code.customers / total.max(1.0)));
            say!(
                words,
                "Bars of customers and turnover by code. The largest is {label}: {share}.",
                "Barres de clients et de chiffre d’affaires par code. Le plus grand est {label} : {share}."
            )
        });
        let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
        let table = Table {
            head: vec![
                title.clone(),
                pick("Customers", "Clients"),
                pick("Share", "Part"),
                pick("Before", "Avant"),
                pick("Turnover", "Chiffre d’affaires"),
                pick("Future value", "Valeur future"),
            ],
            texts: 1,
            rows: self
                .codes
                .iter()
                .take(200)
                .map(|code| {
                    vec![
                        code.label.clone(),
                        words.count(code.customers),
                        words.share(code.customers / total.max(1.0)),
                        code.before.map_or_else(|| "–".into(), |before| words.count(before)),
                        words.amount(code.turnover),
                        words.amount(code.future_value),
                    ]
                })
                .collect(),
        };
        Picture {
            name: if self.axis.starts_with("segment:") {
                self.axis.clone()
            } else {
                format!("axis:{}", self.axis)
            },
            title,
            about,
            table,
            small: true,
            paint: Box::new(move |width| self.paint(width, words)),
        }
    }

    fn paint(&self, width: f64, words: Words) -> Result<Drawing> {
        const ROW: f64 = 27.0;
        let codes = self.drawn(words);
        let (customers, turnover) = (self.total(|code| code.customers), self.total(|code| code.turnover));
        let share = |code: &Code| if customers > 0.0 { code.customers / customers } else { 0.0 };
        let value =
            |code: &Code| if turnover > 0.0 { (code.turnover / turnover).clamp(0.0, 1.0) } else { 0.0 };
        let largest = codes.iter().map(|code| share(code).max(value(code))).fold(0.01, f64::max);
        let named = codes.iter().map(|code| width_of(&code.label, 12.5)).fold(0.0, f64::max) + 12.0;
        let label = named.clamp(width * 0.25, width * 0.47);
        let room = width - label - 112.0;
        draw(width, ROW * codes.len() as f64 + 24.0, |canvas| {
            canvas.bar(label, 4.0, 9.0, 9.0, Tone::Blue)?;
            canvas.text(
                label + 13.0,
                9.0,
                Side::Start,
                11.0,
                Tone::Muted,
                words.pick("customers", "clients"),
            )?;
            let next = label + if words.pick("e", "f") == "e" { 78.0 } else { 62.0 };
            canvas.bar(next, 4.0, 9.0, 9.0, Tone::Orange)?;
            canvas.text(
                next + 13.0,
                9.0,
                Side::Start,
                11.0,
                Tone::Muted,
                words.pick("turnover", "chiffre d’affaires"),
            )?;
            for (place, code) in codes.iter().enumerate() {
                let y = 24.0 + ROW * place as f64;
                let middle = y + 9.0;
                canvas.text(
                    label - 8.0,
                    middle,
                    Side::End,
                    12.5,
                    Tone::Ink,
                    &fitted(&code.label, 12.5, label - 8.0),
                )?;
                canvas.bar(label, y, room, 18.0, Tone::Track)?;
                canvas.bar(label, y, room * share(code) / largest, 12.0, Tone::Blue)?;
                canvas.bar(label, y + 13.0, room * value(code) / largest, 5.0, Tone::Orange)?;
                canvas.bold(width - 58.0, middle, Side::End, 12.5, Tone::Ink, &words.share(share(code)))?;
                if let Some(moved) = self.moved(code) {
                    canvas.text(width, middle, Side::End, 11.5, Tone::Muted, &words.points(moved))?;
                }
            }
            Ok(())
        })
    }
}
