//! The page: what is worth knowing first, then a part after the other.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use segmentation_core::base::error::Result;

use crate::document::Document;
use crate::palette;
use crate::section::Section;
use crate::words::{Words, say};

const STYLE: &str = include_str!("page.css");

pub fn page(document: &Document) -> Result<String> {
    let words = document.words;
    let sections = document
        .parts
        .iter()
        .map(|part| Ok((part.part.as_str(), document.section(part)?)))
        .collect::<Result<Vec<_>>>()?;
    let workspace = &document.workspace;
    let title = say!(words, "Customers of {workspace}", "Les clients de {workspace}");
    let day = document.as_of.as_deref().map(|day| words.day(day));
    let code = words.pick("en", "fr");
    let body = html! {
        header {
            h1 { bdi { (title) } }
            p.day {
                @match &day {
                    Some(day) => { (say!(words, "As of {day}", "Au {day}")) }
                    None => { (words.pick("Nothing has been published yet.", "Rien n’a encore été publié.")) }
                }
            }
        }
        @if sections.len() > 1 { (contents(&sections, words)) }
        main {
            (findings(&sections, words))
            @for (name, section) in &sections { (part(name, section, words)?) }
        }
        footer { p { (words.pick(
            "Made by segmentation from the refreshed views of the workspace. Figures are rounded; those behind a picture are in the table below it.",
            "Fait par segmentation à partir des vues rafraîchies de l’espace de travail. Les chiffres sont arrondis ; ceux d’une image sont dans le tableau qui la suit.",
        )) } }
    };
    Ok(html! {
        (DOCTYPE)
        html lang=(code) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { (title) @if let Some(day) = &day { ", " (day) } }
                style { (PreEscaped(STYLE)) (PreEscaped(palette::dark_style())) }
            }
            body { (body) }
        }
    }
    .into_string())
}

fn contents(sections: &[(&str, Section<'_>)], words: Words) -> Markup {
    html! {
        nav aria-label=(words.pick("Contents", "Sommaire")) {
            ol { @for (name, section) in sections { li { a href={ "#part-" (name) } { (section.title) } } } }
        }
    }
}

fn findings(sections: &[(&str, Section<'_>)], words: Words) -> Markup {
    let findings: Vec<_> = sections
        .iter()
        .flat_map(|(name, section)| section.findings.iter().map(move |finding| (name, section, finding)))
        .collect();
    html! {
        section.findings aria-labelledby="findings" {
            h2 #findings { (words.pick("What stands out", "Ce qui ressort")) }
            @if findings.is_empty() {
                p { (words.pick(
                    "Nothing stands out on the evidence there is. That is a finding too: no alarm, no urgent work.",
                    "Rien ne ressort des données disponibles. C’est aussi un constat : pas d’alerte, pas d’urgence.",
                )) }
            } @else {
                ul {
                    @for (name, section, finding) in findings {
                        li {
                            p.seen { bdi { (finding.seen) } }
                            p.advice { (finding.advice) " " a href={ "#part-" (name) } { (section.title) } }
                        }
                    }
                }
            }
        }
    }
}

fn part(name: &str, section: &Section<'_>, words: Words) -> Result<Markup> {
    let id = format!("part-{name}");
    let numbers = words.pick("The numbers behind", "Les chiffres");
    let figures = section
        .pictures
        .iter()
        .enumerate()
        .map(|(place, picture)| picture.figure(&format!("{name}-{place}"), numbers))
        .collect::<Result<Vec<_>>>()?;
    Ok(html! {
        section id=(id) aria-labelledby={ (id) "-title" } {
            h2 id={ (id) "-title" } { (section.title) }
            @if let Some(nothing) = &section.nothing { p.nothing { bdi { (nothing) } } }
            @else {
                @if !section.about.is_empty() { p.about { (section.about) } }
                @for sentence in &section.sentences { p { bdi { (sentence) } } }
                div.pictures { @for figure in &figures { (figure) } }
                @for (title, table) in &section.tables {
                    div.table { h3 { (title) } (table.open()) }
                }
            }
        }
    })
}
