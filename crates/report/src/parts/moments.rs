//! Life moments that are under way or begin in the weeks ahead.

use segmentation_core::base::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::data::read;
use crate::canvas::{Drawing, Side, draw, fitted};
use crate::palette::Tone;
use crate::picture::{Picture, Table};
use crate::section::Section;
use crate::words::{Words, say};

#[derive(Deserialize)]
struct Data {
    /// Mondays, in order.
    weeks: Vec<String>,
    moments: Vec<Moment>,
}

#[derive(Deserialize)]
struct Moment {
    label: String,
    /// Customers by week.
    customers: Vec<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "moments")?;
    let mut section = Section::default();
    data.weeks.truncate(8);
    data.moments.truncate(20);
    if data.weeks.is_empty() || data.moments.is_empty() {
        section.nothing =
            Some(words.pick("No life moment is ahead.", "Aucun moment de vie n’est en vue.").into());
        return Ok(section);
    }
    section.about = words
        .pick(
            "Customers whose moment begins in a week; those under way are in the first. Deeper blue: more customers than in the other weeks of that moment.",
            "Les clients dont le moment commence dans la semaine ; ceux en cours sont dans la première. Bleu soutenu : plus de clients que les autres semaines de ce moment.",
        )
        .into();
    let next = data
        .moments
        .iter()
        .map(|moment| (moment.customers.iter().skip(1).take(4).sum::<f64>(), &moment.label))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    if let Some((number, label)) = next.filter(|next| next.0 > 0.0) {
        let number = words.count(number);
        section.sentences.push(say!(
            words,
            "Most to come in the next four weeks: “{label}”, {number} customers.",
            "Le plus fréquent dans les quatre prochaines semaines : « {label} », {number} clients."
        ));
    }
    section.pictures.push(picture(data, words));
    Ok(section)
}

fn picture(data: Data, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let mut head = vec![pick("Moment", "Moment")];
    head.extend(data.weeks.iter().map(|week| words.short_day(week)));
    let table = Table {
        head,
        texts: 1,
        rows: data
            .moments
            .iter()
            .map(|moment| {
                let mut row = vec![moment.label.clone()];
                row.extend(
                    (0..data.weeks.len())
                        .map(|week| words.count(moment.customers.get(week).copied().unwrap_or(0.0))),
                );
                row
            })
            .collect(),
    };
    Picture {
        name: "moments".into(),
        title: pick("Customers by moment and week", "Clients par moment et par semaine"),
        about: pick(
            "A calendar: a row a moment, a column a week.",
            "Un calendrier : une ligne par moment, une colonne par semaine.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&data, width, words)),
    }
}

fn paint(data: &Data, width: f64, words: Words) -> Result<Drawing> {
    const TALL: f64 = 30.0;
    let wide_enough = width > 500.0;
    let left = if wide_enough { 170.0 } else { 118.0 };
    let weeks = data.weeks.len().min(if wide_enough { 8 } else { 4 });
    let wide = (width - left) / weeks.max(1) as f64;
    draw(width, TALL * data.moments.len() as f64 + 26.0, |canvas| {
        for (place, week) in data.weeks.iter().take(weeks).enumerate() {
            let x = left + wide * (place as f64 + 0.5);
            canvas.text(x, 10.0, Side::Middle, 12.0, Tone::Muted, &words.short_day(week))?;
        }
        for (row, moment) in data.moments.iter().enumerate() {
            let y = 24.0 + TALL * row as f64;
            canvas.text(
                0.0,
                y + TALL / 2.0 - 1.0,
                Side::Start,
                12.5,
                Tone::Ink,
                &fitted(&moment.label, 12.5, left - 10.0),
            )?;
            let largest = moment.customers.iter().copied().fold(1.0, f64::max);
            for week in 0..weeks {
                let value = moment.customers.get(week).copied().unwrap_or(0.0);
                let x = left + wide * week as f64;
                if value <= 0.0 {
                    canvas.bar(x, y, wide - 2.0, TALL - 2.0, Tone::Track)?;
                    continue;
                }
                let step = Tone::step((value / largest).sqrt());
                canvas.bar(x, y, wide - 2.0, TALL - 2.0, Tone::Ramp(step))?;
                canvas.text(
                    x + wide / 2.0,
                    y + TALL / 2.0 - 1.0,
                    Side::Middle,
                    12.0,
                    Tone::on(step),
                    &words.amount(value),
                )?;
            }
        }
        Ok(())
    })
}
