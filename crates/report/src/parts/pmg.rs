//! Concentration: the share of turnover that the best customers bring.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Frame, Side, draw};
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::{Finding, Section};
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    /// Percent of active customers and the share of turnover of the best so many.
    curve: Vec<(f64, f64)>,
    customers: f64,
    turnover: f64,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "pmg")?;
    let mut section = Section::default();
    data.curve.retain(|point| (0.0..=100.0).contains(&point.0) && (0.0..=1.0).contains(&point.1));
    data.curve.sort_by(|one, other| one.0.total_cmp(&other.0));
    if data.curve.len() < 3 || data.customers < 10.0 {
        section.nothing = Some(
            words
                .pick(
                    "Fewer than ten customers bought in the period.",
                    "Moins de dix clients ont acheté pendant la période.",
                )
                .into(),
        );
        return Ok(section);
    }
    let (customers, turnover) = (words.count(data.customers), words.amount(data.turnover));
    section.about = say!(
        words,
        "The {customers} customers who bought in the period of the PMG axis, the largest first: {turnover} in all.",
        "Les {customers} clients qui ont acheté pendant la période de l’axe PMG, les plus gros d’abord : {turnover} en tout."
    );
    let top = data.share_of(20.0);
    let half = data.curve.iter().find(|point| point.1 >= 0.5).map_or(100.0, |point| point.0);
    let (top_text, half_text, half_count) =
        (words.share(top), words.percent(half, 0), words.count((half / 100.0 * data.customers).ceil()));
    section.sentences.push(say!(
        words,
        "The best 20% bring {top_text} of turnover; half of it comes from {half_text}, about {half_count} customers.",
        "Les meilleurs 20\u{202F}% font {top_text} du chiffre d’affaires ; la moitié vient de {half_text}, environ {half_count} clients."
    ));
    let one = data.share_of(1.0);
    if one >= 0.15 && data.customers >= 200.0 {
        let (share, number) = (words.share(one), words.count((data.customers / 100.0).ceil()));
        section.findings.push(Finding {
            seen: say!(
                words,
                "One customer in a hundred (about {number}) brings {share} of turnover.",
                "Un client sur cent (environ {number}) fait {share} du chiffre d’affaires."
            ),
            advice: words
                .pick(
                    "Know them by name: losing a few of them costs more than any campaign brings.",
                    "Connaissez-les par leur nom : en perdre quelques-uns coûte plus que ne rapporte une campagne.",
                )
                .into(),
        });
    }
    section.pictures.push(picture(data, words));
    Ok(section)
}

impl Data {
    /// The share that the best so many percent bring.
    fn share_of(&self, percent: f64) -> f64 {
        self.curve.iter().rfind(|point| point.0 <= percent).map_or(0.0, |point| point.1)
    }
}

fn picture(data: Data, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let top = words.share(data.share_of(20.0));
    let rows = [1.0, 5.0, 10.0, 20.0, 30.0, 50.0, 80.0, 100.0];
    Picture {
        name: "pmg".into(),
        title: pick(
            "Share of turnover by share of customers",
            "Part du chiffre d’affaires par part de clients",
        ),
        about: say!(
            words,
            "A curve from 0 to 100%. The best 20% bring {top}.",
            "Une courbe de 0 à 100\u{202F}%. Les meilleurs 20\u{202F}% font {top}."
        ),
        table: Table {
            head: vec![
                pick("The best", "Les meilleurs"),
                pick("Customers", "Clients"),
                pick("Share of turnover", "Part du chiffre d’affaires"),
            ],
            texts: 1,
            rows: rows
                .iter()
                .map(|&percent| {
                    vec![
                        words.percent(percent, 0),
                        words.count((percent / 100.0 * data.customers).ceil()),
                        words.share(data.share_of(percent)),
                    ]
                })
                .collect(),
        },
        small: false,
        paint: Box::new(move |width| paint(&data, width, words)),
    }
}

fn paint(data: &Data, width: f64, words: Words) -> Result<Drawing> {
    let height = if width > 500.0 { 340.0 } else { 260.0 };
    let ticks: Vec<(f64, String)> =
        [0.0, 25.0, 50.0, 75.0, 100.0].map(|tick| (tick, words.percent(tick, 0))).into();
    let up: Vec<(f64, String)> = ticks.iter().map(|(tick, word)| (tick / 100.0, word.clone())).collect();
    draw(width, height, |canvas| {
        canvas.text(
            0.0,
            8.0,
            Side::Start,
            12.0,
            Tone::Muted,
            words.pick("Share of turnover", "Part du chiffre d’affaires"),
        )?;
        canvas.text(
            width,
            height - 8.0,
            Side::End,
            12.0,
            Tone::Muted,
            words.pick("of customers, the largest first", "des clients, les plus gros d’abord"),
        )?;
        let frame = Frame {
            x: 48.0,
            y: 24.0,
            width: width - 70.0,
            height: height - 70.0,
            across: (0.0, 100.0),
            up: (0.0, 1.0),
            ticks_across: &ticks,
            ticks_up: &up,
        };
        canvas.plot(frame, |plot| {
            // What it would be if all were alike.
            canvas.dashed(plot.at(0.0, 0.0), plot.at(100.0, 1.0), 1.0, Tone::Slate)?;
            canvas.path(&plot.all(data.curve.iter().copied()), 2.5, Tone::Blue)?;
            let share = data.share_of(20.0);
            let (x, y) = plot.at(20.0, share);
            let (_, bottom) = plot.at(20.0, 0.0);
            canvas.dashed((x, y), (x, bottom), 1.0, Tone::Orange)?;
            canvas.dot(x, y, 4.5, Tone::Orange)?;
            let top = words.share(share);
            let text = say!(words, "the best 20% bring {top}", "les meilleurs 20\u{202F}% font {top}");
            // Below the curve, where there is room.
            canvas.bold(x + 12.0, y + 18.0, Side::Start, 13.0, Tone::Orange, &text)?;
            let (x, y) = plot.at(62.0, 0.62);
            canvas.text(
                x + 8.0,
                y + 16.0,
                Side::Start,
                11.5,
                Tone::Muted,
                words.pick("if all were alike", "si tous étaient égaux"),
            )
        })
    })
}
