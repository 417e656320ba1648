//! Campaigns: what each brought beside those held out, with its interval.

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
    campaigns: Vec<Campaign>,
}

#[derive(Deserialize)]
struct Campaign {
    name: String,
    as_of: Option<String>,
    assigned: f64,
    held_out: f64,
    /// Turnover that each customer brought more, and its interval.
    difference: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    /// Times customers assigned.
    incremental: Option<f64>,
}

impl Campaign {
    fn measured(&self) -> Option<(f64, f64, f64)> {
        Some((self.difference?, self.lower?, self.upper?))
    }
}

pub(super) fn section(data: &Value, words: Words) -> Result<Section<'static>> {
    let data: Data = read(data, "campaigns")?;
    let mut section = Section::default();
    if data.campaigns.is_empty() {
        section.nothing = Some(
            words
                .pick(
                    "There are no campaigns with a group held out, so nobody can say what they brought: see assign_campaign.",
                    "Il n’y a pas de campagne avec groupe témoin, donc personne ne peut dire ce qu’elles ont apporté : voir assign_campaign.",
                )
                .into(),
        );
        return Ok(section);
    }
    section.about = words
        .pick(
            "Turnover that a customer brought more because of the campaign, against those held out, with its 95% interval. If the line crosses 0, nothing is shown.",
            "Le chiffre d’affaires de plus par client grâce à la campagne, face au groupe témoin, avec son intervalle à 95 %. Si la ligne coupe 0, rien n’est montré.",
        )
        .into();
    for campaign in &data.campaigns {
        let Some((difference, lower, upper)) = campaign.measured() else { continue };
        let name = &campaign.name;
        let brought = words.amount(campaign.incremental.unwrap_or(0.0));
        let (each, least, most) =
            (words.number(difference, 2), words.number(lower, 2), words.number(upper, 2));
        if lower > 0.0 {
            section.findings.push(Finding {
                seen: say!(words, "“{name}” worked: {each} more from each customer (from {least} to {most}), {brought} in all.", "« {name} » a marché : {each} de plus par client (de {least} à {most}), {brought} en tout."),
                advice: words.pick("Do it again, still with a group held out; see campaign_roi for what it cost.", "Refaites-la, toujours avec un groupe témoin ; voir campaign_roi pour son coût.").into(),
            });
        } else if upper < 0.0 {
            section.findings.push(Finding {
                seen: say!(
                    words,
                    "“{name}” did harm: {each} from each customer (from {least} to {most}).",
                    "« {name} » a nui : {each} par client (de {least} à {most})."
                ),
                advice: words
                    .pick("Stop it, and ask whom it annoyed.", "Arrêtez-la, et demandez qui elle a gêné.")
                    .into(),
            });
        }
    }
    section.pictures.push(picture(data.campaigns, words));
    Ok(section)
}

fn picture(campaigns: Vec<Campaign>, words: Words) -> Picture<'static> {
    let pick = |english: &str, french: &str| words.pick(english, french).to_owned();
    let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| words.number(value, 2));
    let table = Table {
        head: vec![
            pick("Campaign", "Campagne"),
            pick("From", "Depuis"),
            pick("Assigned", "Destinataires"),
            pick("Held out", "Témoins"),
            pick("More from each", "De plus par client"),
            pick("At least", "Au moins"),
            pick("At most", "Au plus"),
        ],
        texts: 2,
        rows: campaigns
            .iter()
            .map(|campaign| {
                vec![
                    campaign.name.clone(),
                    campaign.as_of.as_deref().map_or_else(|| "–".into(), |day| words.day(day)),
                    words.count(campaign.assigned),
                    words.count(campaign.held_out),
                    cell(campaign.difference),
                    cell(campaign.lower),
                    cell(campaign.upper),
                ]
            })
            .collect(),
    };
    Picture {
        name: "campaigns".into(),
        title: pick("What campaigns brought, by customer", "Ce que les campagnes ont apporté, par client"),
        about: pick(
            "A point and its interval for each campaign, around a line at 0.",
            "Un point et son intervalle pour chaque campagne, autour d’une ligne à 0.",
        ),
        table,
        small: false,
        paint: Box::new(move |width| paint(&campaigns, width, words)),
    }
}

fn paint(campaigns: &[Campaign], width: f64, words: Words) -> Result<Drawing> {
    const ROW: f64 = 36.0;
    let left = if width > 500.0 { 180.0 } else { 112.0 };
    let ends = campaigns.iter().filter_map(Campaign::measured);
    let reach =
        ends.fold(1e-9_f64, |reach, (_, lower, upper)| reach.max(lower.abs()).max(upper.abs())).min(1e15);
    let middle = left + (width - left) / 2.0;
    let half = (width - left) / 2.0 - 24.0;
    let bottom = 8.0 + ROW * campaigns.len() as f64;
    draw(width, bottom + 24.0, |canvas| {
        canvas.line((middle, 4.0), (middle, bottom), 1.0, Tone::Slate)?;
        canvas.text(middle, bottom + 12.0, Side::Middle, 12.0, Tone::Muted, "0")?;
        canvas.text(middle - half, bottom + 12.0, Side::Start, 12.0, Tone::Muted, &words.amount(-reach))?;
        canvas.text(middle + half, bottom + 12.0, Side::End, 12.0, Tone::Muted, &words.amount(reach))?;
        for (row, campaign) in campaigns.iter().enumerate() {
            let y = 8.0 + ROW * (row as f64 + 0.5);
            canvas.text(
                left - 10.0,
                y,
                Side::End,
                12.5,
                Tone::Ink,
                &fitted(&campaign.name, 12.5, left - 10.0),
            )?;
            let Some((difference, lower, upper)) = campaign.measured() else {
                canvas.text(
                    middle + 8.0,
                    y,
                    Side::Start,
                    12.0,
                    Tone::Muted,
                    words.pick("too few to say", "trop peu pour le dire"),
                )?;
                continue;
            };
            let tone = if lower > 0.0 {
                Tone::Blue
            } else if upper < 0.0 {
                Tone::Orange
            } else {
                Tone::Slate
            };
            let x = |value: f64| middle + value / reach * half;
            canvas.line((x(lower), y + 4.0), (x(upper), y + 4.0), 2.5, tone)?;
            canvas.dot(x(difference), y + 4.0, 5.0, tone)?;
            canvas.bold(x(difference), y - 9.0, Side::Middle, 12.0, tone, &words.number(difference, 2))?;
        }
        Ok(())
    })
}
