//! A picture under way: marks and texts at places in pixels, drawn by plotters as SVG.
//!
//! plotters counts in whole pixels, so everything is drawn four times as large, and shown in its own size.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use segmentation_core::base::error::{Error, Result};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::palette::Tone;

const ZOOM: f64 = 4.0;
/// plotters writes a font smaller than it is told, by this.
const FONT: f64 = 1.24;
const FAMILY: &str = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif";

/// The side of a text that stands at its place.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// It begins there.
    Start,
    /// Its middle is there.
    Middle,
    /// It ends there.
    End,
}

/// What is drawn on.
pub struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// What was drawn: the marks, without the element around them.
#[derive(Debug, Clone)]
pub struct Drawing {
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// The elements.
    pub marks: String,
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("a picture could not be drawn: {error}"))
}

/// Draws a picture of a size.
///
/// # Errors
/// What `paint` returns.
pub fn draw(width: f64, height: f64, paint: impl FnOnce(&Canvas<'_>) -> Result<()>) -> Result<Drawing> {
    let mut text = String::new();
    {
        let size = ((width * ZOOM).ceil() as u32, (height * ZOOM).ceil() as u32);
        let canvas = Canvas { area: SVGBackend::with_string(&mut text, size).into_drawing_area() };
        paint(&canvas)?;
        canvas.area.present().map_err(failed)?;
    }
    // The element around is made by the page, with its title.
    let start = text.find('>').map_or(0, |place| place + 1);
    let end = text.rfind("</svg").unwrap_or(text.len());
    let marks = text.get(start..end).unwrap_or_default().trim().to_owned();
    Ok(Drawing { width, height, marks })
}

/// The size of a view box of a drawing.
pub fn view_box(drawing: &Drawing) -> String {
    format!("0 0 {} {}", (drawing.width * ZOOM).ceil(), (drawing.height * ZOOM).ceil())
}

/// About how wide a text is, in pixels.
pub fn width_of(text: &str, size: f64) -> f64 {
    UnicodeWidthStr::width(text) as f64 * size * 0.56
}

/// A text that fits into a width: what is too much is left out, by whole characters as people see them.
pub fn fitted(text: &str, size: f64, room: f64) -> String {
    if width_of(text, size) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for cluster in text.graphemes(true) {
        if width_of(&kept, size) + width_of(cluster, size) + size * 0.56 > room {
            break;
        }
        kept.push_str(cluster);
    }
    format!("{}…", kept.trim_end())
}

fn at(x: f64, y: f64) -> (i32, i32) {
    // A place off the picture is as good as one at its edge.
    let limit = |value: f64| (value * ZOOM).round().clamp(-1e6, 1e6) as i32;
    (limit(x), limit(y))
}

impl Canvas<'_> {
    /// A text on the line y: its middle is there.
    pub fn text(&self, x: f64, y: f64, side: Side, size: f64, tone: Tone, text: &str) -> Result<()> {
        self.write(x, y, side, size, tone, FontStyle::Normal, text)
    }

    /// A text in bold.
    pub fn bold(&self, x: f64, y: f64, side: Side, size: f64, tone: Tone, text: &str) -> Result<()> {
        self.write(x, y, side, size, tone, FontStyle::Bold, text)
    }

    #[allow(clippy::too_many_arguments)]
    fn write(
        &self,
        x: f64,
        y: f64,
        side: Side,
        size: f64,
        tone: Tone,
        style: FontStyle,
        text: &str,
    ) -> Result<()> {
        let h = match side {
            Side::Start => HPos::Left,
            Side::Middle => HPos::Center,
            Side::End => HPos::Right,
        };
        let colour = tone.colour();
        let style = (FAMILY, size * FONT * ZOOM, style)
            .into_text_style(&self.area)
            .color(&colour)
            .pos(Pos::new(h, VPos::Center));
        self.area.draw(&Text::new(text.to_owned(), at(x, y), style)).map_err(failed)
    }

    /// A filled box.
    pub fn bar(&self, x: f64, y: f64, width: f64, height: f64, tone: Tone) -> Result<()> {
        let (from, to) = (at(x, y), at(x + width, y + height));
        if to.0 <= from.0 || to.1 <= from.1 {
            return Ok(());
        }
        self.area.draw(&Rectangle::new([from, to], tone.colour().filled())).map_err(failed)
    }

    /// A straight line.
    pub fn line(&self, from: (f64, f64), to: (f64, f64), width: f64, tone: Tone) -> Result<()> {
        self.path(&[from, to], width, tone)
    }

    /// A line through points.
    pub fn path(&self, points: &[(f64, f64)], width: f64, tone: Tone) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&(x, y)| at(x, y)).collect();
        let width = (width * ZOOM).round() as u32;
        self.area.draw(&PathElement::new(points, tone.colour().stroke_width(width))).map_err(failed)
    }

    /// A line of dashes.
    pub fn dashed(&self, from: (f64, f64), to: (f64, f64), width: f64, tone: Tone) -> Result<()> {
        let width = (width * ZOOM).round() as u32;
        let line = DashedPathElement::new(
            [at(from.0, from.1), at(to.0, to.1)],
            16,
            14,
            tone.colour().stroke_width(width),
        );
        self.area.draw(&line).map_err(failed)
    }

    /// A filled shape, so opaque.
    pub fn shape(&self, points: &[(f64, f64)], tone: Tone, opacity: f64) -> Result<()> {
        let points: Vec<_> = points.iter().map(|&(x, y)| at(x, y)).collect();
        self.area.draw(&Polygon::new(points, tone.colour().mix(opacity))).map_err(failed)
    }

    /// A dot.
    pub fn dot(&self, x: f64, y: f64, radius: f64, tone: Tone) -> Result<()> {
        self.area
            .draw(&Circle::new(at(x, y), (radius * ZOOM).round() as i32, tone.colour().filled()))
            .map_err(failed)
    }

    /// A band between two heights on the left and two on the right, as in a diagram of flows.
    pub fn band(
        &self,
        left: (f64, f64, f64),
        right: (f64, f64, f64),
        tone: Tone,
        opacity: f64,
    ) -> Result<()> {
        let ((x0, top0, bottom0), (x1, top1, bottom1)) = (left, right);
        // A smooth step from one side to the other, in as many pieces as the eye needs.
        let smooth = |from: f64, to: f64, part: f64| from + (to - from) * part * part * (3.0 - 2.0 * part);
        let parts = (0..=24).map(|part| f64::from(part) / 24.0);
        let there = parts.clone().map(|part| (x0 + (x1 - x0) * part, smooth(top0, top1, part)));
        let back = parts.rev().map(|part| (x0 + (x1 - x0) * part, smooth(bottom0, bottom1, part)));
        let points: Vec<_> = there.chain(back).collect();
        self.shape(&points, tone, opacity)
    }

    /// A chart with numbers on both sides: marks of the grid where they are round, with their words.
    pub fn plot(&self, frame: Frame<'_>, paint: impl FnOnce(&Plot) -> Result<()>) -> Result<()> {
        let left = frame.x;
        let bottom = frame.y + frame.height;
        let mut chart = ChartBuilder::on(&self.area);
        let (width, height) = self.area.dim_in_pixel();
        let pixels = |value: f64| (value * ZOOM).round() as i32;
        let chart = chart
            .margin_left(pixels(left))
            .margin_top(pixels(frame.y))
            .margin_right(width as i32 - pixels(left + frame.width))
            .margin_bottom(height as i32 - pixels(bottom))
            .build_cartesian_2d(frame.across.0..frame.across.1, frame.up.0..frame.up.1)
            .map_err(failed)?;
        let place = |x: f64, y: f64| {
            let (x, y) = chart.backend_coord(&(x, y));
            (f64::from(x) / ZOOM, f64::from(y) / ZOOM)
        };
        for &(value, ref word) in frame.ticks_up {
            let (_, y) = place(frame.across.0, value);
            self.line((left, y), (left + frame.width, y), 0.75, Tone::Grid)?;
            self.text(left - 8.0, y, Side::End, 12.0, Tone::Muted, word)?;
        }
        for &(value, ref word) in frame.ticks_across {
            let (x, _) = place(value, frame.up.0);
            self.text(x, bottom + 14.0, Side::Middle, 12.0, Tone::Muted, word)?;
        }
        self.line((left, bottom), (left + frame.width, bottom), 1.0, Tone::Slate)?;
        paint(&Plot { place: &place })
    }
}

/// Where a chart is, what it spans, and what is written at its sides.
pub struct Frame<'a> {
    /// Left edge of the plot, in pixels.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Pixels.
    pub width: f64,
    /// Pixels.
    pub height: f64,
    /// From and to.
    pub across: (f64, f64),
    /// From and to.
    pub up: (f64, f64),
    /// Values with their words below.
    pub ticks_across: &'a [(f64, String)],
    /// Values with their words on the left.
    pub ticks_up: &'a [(f64, String)],
}

/// Where values are on a chart.
pub struct Plot<'a> {
    place: &'a dyn Fn(f64, f64) -> (f64, f64),
}

impl Plot<'_> {
    /// The place of a pair of values, in pixels.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.place)(x, y)
    }

    /// The places of many.
    pub fn all(&self, values: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        values.into_iter().map(|(x, y)| self.at(x, y)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_cut_between_characters() {
        assert_eq!(fitted("Champions", 12.0, 200.0), "Champions");
        let cut = fitted("👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧", 12.0, 40.0);
        assert!(
            cut.ends_with('…') && cut.trim_end_matches('…').graphemes(true).all(|one| one == "👩‍👩‍👧‍👧"),
            "{cut}"
        );
        assert_eq!(fitted("Champions", 12.0, 0.0), "…");
    }

    #[test]
    fn a_drawing_has_no_element_around() {
        let drawing =
            draw(100.0, 50.0, |canvas| canvas.text(1.0, 2.0, Side::Start, 12.0, Tone::Ink, "<a> & b"))
                .unwrap();
        assert!(
            drawing.marks.starts_with("<text") && drawing.marks.contains("&lt;a&gt; &amp; b"),
            "{}",
            drawing.marks
        );
        assert_eq!(view_box(&drawing), "0 0 400 200");
    }
}
