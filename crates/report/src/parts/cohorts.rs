//! Cohorts: of those who first bought in a month, the share that buys again so many months later.

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
    cohorts: Vec<Cohort>,
}

#[derive(Deserialize)]
struct Cohort {
    cohort: String,
    customers: f64,
    /// Share by months after the first, from one on; whole months only.
    shares: Vec<f64>,
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let mut data: Data = read(data, "cohorts")?;
    let mut section = Section::default();
    data.cohorts.retain(|cohort| cohort.customers > 0.0);
    data.cohorts.sort_by(|one, other| one.cohort.cmp(&other.cohort));
    if data.cohorts.iter().all(|cohort| cohort.shares.is_empty()) {
        section.nothing = Some(
            words
                .pick(
                    "No cohort has a whole month behind it.",
                    "Aucune cohorte n’a un mois entier derrière elle.",
                )
                .into(),
        );
        return Ok(section);
    }
    section.about = words
        .pick(
            "Customers by the month of their first purchase. In each field: the percentage that bought again in that month after it. Whole months only; cohorts of ten customers or more.",
            "Les clients par mois de premier achat. Dans chaque case : le pourcentage qui a racheté ce mois-là. Mois entiers seulement ; cohortes d’au moins dix clients.",
        )
        .into();
    let mean = |from: usize, to: usize| {
        // The first three months of cohorts, weighed by their customers.
        let cohorts =
            data.cohorts.get(from..to).unwrap_or_default().iter().filter(|cohort| cohort.shares.len() >= 3);
        let (mut bought, mut all) = (0.0, 0.0);
        for cohort in cohorts {
            bought += cohort.shares.iter().take(3).sum::<f64>() / 3.0 * cohort.customers;
            all += cohort.customers;
        }
        (bought, all)
    };
    let ripe = data.cohorts.iter().filter(|cohort| cohort.shares.len() >= 3).count();
    let ((early, early_all), (late, late_all)) = (mean(0, ripe / 2), mean(ripe / 2, ripe));
    if early_all >= 100.0 && late_all >= 100.0 {
        let (before, after) = (early / early_all, late / late_all);
        // Three months of a customer count as one: a cautious test of two rates.
        let pooled = (early + late) / (early_all + late_all);
        let error = (pooled * (1.0 - pooled) * (1.0 / early_all + 1.0 / late_all)).sqrt();
        let (was, is) = (words.share(before), words.share(after));
        section.sentences.push(say!(
            words,
            "In each of the first three months after the first purchase, {is} of the later half of these cohorts bought again, {was} of the earlier.",
            "Chacun des trois mois suivant le premier achat, {is} des cohortes récentes ont racheté, {was} des plus anciennes."
        ));
        if (after - before).abs() > 2.58 * error && (after - before).abs() >= 0.02 {
            let worse = after < before;
            section.findings.push(Finding {
                seen: if worse {
                    say!(words, "New customers come back less than before: {is} a month, after {was}.", "Les nouveaux clients reviennent moins qu’avant : {is} par mois, après {was}.")
                } else {
                    say!(words, "New customers come back more than before: {is} a month, after {was}.", "Les nouveaux clients reviennent plus qu’avant : {is} par mois, après {was}.")
                },
                advice: if worse {
                    words.pick(
                        "Look at where they came from and what they bought first; help the second purchase.",
                        "Regardez d’où ils viennent et ce qu’ils ont acheté d’abord ; aidez le deuxième achat.",
                    )
                } else {
                    words.pick("Find out what was changed, and keep it.", "Trouvez ce qui a changé, et gardez-le.")
                }
                .into(),
            });
        }
    }
    section.pictures.push(picture(data.cohorts, words));
    Ok(section)
}

fn picture(cohorts: Vec<Cohort>, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let months = cohorts.iter().map(|cohort| cohort.shares.len()).max().unwrap_or(0).min(24);
    let mut head = vec![pick("First purchase", "Premier achat"), pick("Customers", "Clients")];
    head.extend((1..=months).map(|month| month.to_string()));
    let table = Table {
        head,
        texts: 1,
        rows: cohorts
            .iter()
            .map(|cohort| {
                let mut row = vec![words.month(&cohort.cohort), words.count(cohort.customers)];
                row.extend((0..months).map(|month| {
                    cohort.shares.get(month).map_or_else(String::new, |share| words.share(*share))
                }));
                row
            })
            .collect(),
    };
    Picture {
        name: "cohorts".into(),
        title: pick("Who buys again, by month of first purchase", "Qui rachète, par mois de premier achat"),
        about: pick(
            "A triangle: a row a cohort, a column a month after the first purchase; the share that bought in it.",
            "Un triangle : une ligne par cohorte, une colonne par mois après le premier achat ; la part qui y a acheté.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&cohorts, width, words)),
    }
}

fn paint(cohorts: &[Cohort], width: f64, words: Words) -> Result<Drawing> {
    const TALL: f64 = 26.0;
    let wide_enough = width > 500.0;
    // As many months as can be read.
    let most = if wide_enough { 12 } else { 6 };
    let months = cohorts.iter().map(|cohort| cohort.shares.len()).max().unwrap_or(0).min(most);
    let left = if wide_enough { 170.0 } else { 118.0 };
    let wide = (width - left) / months.max(1) as f64;
    let largest =
        cohorts.iter().flat_map(|cohort| cohort.shares.iter().copied().take(months)).fold(0.01, f64::max);
    draw(width, TALL * cohorts.len() as f64 + 44.0, |canvas| {
        canvas.text(left - 10.0, 12.0, Side::End, 11.5, Tone::Muted, words.pick("customers", "clients"))?;
        for month in 1..=months {
            let x = left + wide * (month as f64 - 0.5);
            canvas.text(x, 12.0, Side::Middle, 12.0, Tone::Muted, &format!("+{month}"))?;
        }
        for (row, cohort) in cohorts.iter().enumerate() {
            let y = 24.0 + TALL * row as f64;
            canvas.text(0.0, y + TALL / 2.0, Side::Start, 12.0, Tone::Ink, &words.month(&cohort.cohort))?;
            canvas.text(
                left - 10.0,
                y + TALL / 2.0,
                Side::End,
                12.0,
                Tone::Muted,
                &words.count(cohort.customers),
            )?;
            for (month, share) in cohort.shares.iter().take(months).enumerate() {
                let x = left + wide * month as f64;
                let step = Tone::step((share / largest).max(0.0));
                canvas.bar(x, y, wide - 2.0, TALL - 2.0, Tone::Ramp(step))?;
                canvas.text(
                    x + wide / 2.0,
                    y + TALL / 2.0 - 1.0,
                    Side::Middle,
                    11.5,
                    Tone::on(step),
                    &words.number(share * 100.0, 0),
                )?;
            }
        }
        let y = 24.0 + TALL * cohorts.len() as f64 + 12.0;
        canvas.text(
            width,
            y,
            Side::End,
            11.5,
            Tone::Muted,
            words.pick(
                "% who bought, by months after the first purchase",
                "% d’acheteurs, par mois après le premier achat",
            ),
        )
    })
}
