//! The report of a workspace: from data, as one JSON document, to a page of HTML with pictures in SVG.
//!
//! Nothing of PostgreSQL is in here, and nothing is fetched by a page: no script, no font, no picture from elsewhere.
//! Texts of the data are texts: maud escapes them in HTML, plotters in SVG.

mod canvas;
mod document;
mod page;
mod palette;
mod parts;
mod picture;
mod section;
mod words;

use segmentation_core::base::error::{Error, Result};
use serde_json::Value;

use crate::document::Document;

/// The page.
///
/// # Errors
/// A document that is not in order.
pub fn page(document: &Value) -> Result<String> {
    page::page(&Document::read(document)?)
}

/// The widths of a picture, in pixels.
pub const WIDTHS: std::ops::RangeInclusive<i32> = 240..=2000;

/// A picture alone, as SVG.
///
/// # Errors
/// A document that is not in order, a width out of range, no picture of that name: the error lists those that are there.
pub fn chart(document: &Value, name: &str, width: i32) -> Result<String> {
    if !WIDTHS.contains(&width) {
        return Err(Error::invalid(format!(
            "width must be from {} to {}, not {width}",
            WIDTHS.start(),
            WIDTHS.end()
        )));
    }
    let document = Document::read(document)?;
    let mut names = Vec::new();
    let mut why = None;
    for part in &document.parts {
        let section = document.section(part)?;
        if let Some(picture) = section.pictures.iter().find(|picture| picture.name == name) {
            return picture.svg(f64::from(width));
        }
        why = why.or(section.nothing);
        names.extend(section.pictures.into_iter().map(|picture| picture.name));
    }
    let error = Error::invalid(format!("there is no picture \"{name}\""));
    Err(match why {
        _ if !names.is_empty() => error.hint(format!("There are: {}.", names.join(", "))),
        Some(why) => error.detail(why),
        None => error,
    })
}

/// The names of the parts of a report, in their order.
pub fn parts() -> impl Iterator<Item = &'static str> {
    parts::names()
}
