//! Colours: few, sober, told apart by people who are colour-blind, each with its twin for a dark page.
//!
//! A picture names the light colours. A style sheet turns them into the dark ones by their value, so no two tones may
//! have the same.

use plotters::style::RGBColor;

/// A colour by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Text.
    Ink,
    /// Text beside, axes.
    Muted,
    /// Lines of a grid.
    Grid,
    /// What a bar could fill.
    Track,
    /// The first series.
    Blue,
    /// The second series, or what has to be looked at.
    Orange,
    /// The third.
    Teal,
    /// The fourth.
    Plum,
    /// What is beside the point.
    Slate,
    /// A step of the ramp from pale to deep, 0 to 6.
    Ramp(usize),
    /// Text on the pale steps of the ramp.
    OnPale,
    /// Text on the deep ones.
    OnDeep,
}

/// Series in their order.
pub const SERIES: [Tone; 5] = [Tone::Blue, Tone::Orange, Tone::Teal, Tone::Plum, Tone::Slate];

const RAMP: [(u32, u32); 7] = [
    (0xEEF3F8, 0x1F2A35),
    (0xD5E3F0, 0x213B52),
    (0xB3CDE4, 0x25506F),
    (0x8CB5D7, 0x2C648B),
    (0x4277A6, 0x5A9AC6),
    (0x2F6496, 0x86B8DC),
    (0x1B4F80, 0xB9DAF2),
];

const ALL: [Tone; 18] = [
    Tone::Ink,
    Tone::Muted,
    Tone::Grid,
    Tone::Track,
    Tone::Blue,
    Tone::Orange,
    Tone::Teal,
    Tone::Plum,
    Tone::Slate,
    Tone::Ramp(0),
    Tone::Ramp(1),
    Tone::Ramp(2),
    Tone::Ramp(3),
    Tone::Ramp(4),
    Tone::Ramp(5),
    Tone::Ramp(6),
    Tone::OnPale,
    Tone::OnDeep,
];

impl Tone {
    /// The light colour and the dark one.
    const fn pair(self) -> (u32, u32) {
        match self {
            Self::Ink => (0x1C2733, 0xE8EDF2),
            Self::Muted => (0x56626F, 0xA7B2BD),
            Self::Grid => (0xDDE3E9, 0x323D48),
            Self::Track => (0xEDF0F4, 0x252F39),
            Self::Blue => (0x2B6CA3, 0x6FB1E6),
            Self::Orange => (0xB35A12, 0xF0A35E),
            Self::Teal => (0x1F7A6D, 0x5CC2B2),
            Self::Plum => (0x7B4B94, 0xC39ADB),
            Self::Slate => (0x7A8896, 0x8696A5),
            Self::Ramp(step) => RAMP[if step < 7 { step } else { 6 }],
            Self::OnPale => (0x1C2734, 0xE8EDF1),
            Self::OnDeep => (0xFFFFFF, 0x0E151C),
        }
    }

    /// The tone of text on a step of the ramp.
    pub const fn on(step: usize) -> Self {
        if step < 4 { Self::OnPale } else { Self::OnDeep }
    }

    /// The step of the ramp for a part of the largest, 0 to 1.
    pub fn step(part: f64) -> usize {
        // A value that is none, or too small, is the palest.
        (part.clamp(0.0, 1.0) * 6.0).round() as usize
    }

    pub(crate) fn colour(self) -> RGBColor {
        let [_, red, green, blue] = self.pair().0.to_be_bytes();
        RGBColor(red, green, blue)
    }
}

/// The style of pictures on a dark screen. Paper stays light.
pub fn dark_style() -> String {
    let rules: String = ALL
        .iter()
        .map(|tone| {
            let (light, dark) = tone.pair();
            format!(".pic [fill=\"#{light:06X}\"]{{fill:#{dark:06X}}}.pic [stroke=\"#{light:06X}\"]{{stroke:#{dark:06X}}}")
        })
        .collect();
    format!("@media screen and (prefers-color-scheme:dark){{{rules}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(colour: u32) -> f64 {
        let [_, red, green, blue] = colour.to_be_bytes();
        let part = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.039_28 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue)
    }

    fn contrast(one: u32, other: u32) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    const PAPER: (u32, u32) = (0xFFFFFF, 0x161D24);

    #[test]
    fn no_two_tones_are_the_same() {
        let mut lights: Vec<u32> = ALL.iter().map(|tone| tone.pair().0).collect();
        lights.sort_unstable();
        lights.dedup();
        assert_eq!(lights.len(), ALL.len());
    }

    #[test]
    fn text_can_be_read_and_marks_be_seen() {
        for tone in [Tone::Ink, Tone::Muted] {
            let (light, dark) = tone.pair();
            assert!(contrast(light, PAPER.0) >= 4.5 && contrast(dark, PAPER.1) >= 4.5, "{tone:?}");
        }
        for tone in SERIES {
            let (light, dark) = tone.pair();
            assert!(contrast(light, PAPER.0) >= 3.0 && contrast(dark, PAPER.1) >= 3.0, "{tone:?}");
        }
        for step in 0..7 {
            let ((light, dark), (on_light, on_dark)) = (Tone::Ramp(step).pair(), Tone::on(step).pair());
            assert!(contrast(light, on_light) >= 4.5, "{step}: {}", contrast(light, on_light));
            assert!(contrast(dark, on_dark) >= 4.5, "{step} dark: {}", contrast(dark, on_dark));
        }
    }
}
