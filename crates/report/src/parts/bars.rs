//! Bars with their names on the left and their values on the right: what several parts draw.

use segmentation_core::base::error::Result;

use crate::canvas::{Drawing, Side, draw, fitted, width_of};
use crate::palette::Tone;

/// A bar.
#[derive(Debug, Clone)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length.
    pub value: f64,
    /// What is written at its end.
    pub word: String,
    /// Its colour.
    pub tone: Tone,
}

/// Bars from 0 to a largest value; dashed lines at limits, with their words.
pub fn bars(width: f64, bars: &[Bar], largest: f64, limits: &[(f64, String)]) -> Result<Drawing> {
    const ROW: f64 = 28.0;
    let word = bars.iter().map(|bar| width_of(&bar.word, 12.5)).fold(20.0, f64::max).min(width * 0.4);
    let name = bars.iter().map(|bar| width_of(&bar.label, 12.5)).fold(40.0, f64::max).min(width * 0.38);
    let left = name + 10.0;
    let room = (width - left - word - 14.0).max(20.0);
    let largest = if largest > 0.0 { largest } else { 1.0 };
    let top = if limits.is_empty() { 2.0 } else { 20.0 };
    draw(width, top + ROW * bars.len() as f64 + 6.0, |canvas| {
        for (place, bar) in bars.iter().enumerate() {
            let y = top + ROW * place as f64;
            canvas.text(
                left - 10.0,
                y + 10.0,
                Side::End,
                12.5,
                Tone::Ink,
                &fitted(&bar.label, 12.5, name),
            )?;
            canvas.bar(left, y + 1.0, room, 18.0, Tone::Track)?;
            canvas.bar(left, y + 1.0, room * (bar.value / largest).clamp(0.0, 1.0), 18.0, bar.tone)?;
            canvas.text(width, y + 10.0, Side::End, 12.5, Tone::Ink, &fitted(&bar.word, 12.5, word + 8.0))?;
        }
        for (value, word) in limits {
            let x = left + room * (value / largest);
            if (0.0..=largest).contains(value) {
                canvas.dashed((x, 16.0), (x, top + ROW * bars.len() as f64), 1.0, Tone::Muted)?;
                canvas.text(x, 8.0, Side::Middle, 11.0, Tone::Muted, word)?;
            }
        }
        Ok(())
    })
}
