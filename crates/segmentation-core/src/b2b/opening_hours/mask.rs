//! A usual week as a mask of 168 hours, and its text.

/// The hours of a week, from Monday 00:00: bit `24 * day + hour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask([u8; Mask::BYTES]);

impl Mask {
    /// No hour open.
    pub(super) const NEVER: Mask = Mask([0; Mask::BYTES]);

    /// Bits of the mask.
    pub const BITS: usize = 168;
    /// Bytes of the mask, without any left over bit.
    pub const BYTES: usize = Mask::BITS / 8;

    /// From its bytes: the first bit is the highest of the first byte, as in PostgreSQL's `bit`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Mask)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; Mask::BYTES] {
        &self.0
    }

    /// Whether an hour of the week, 0 to 167, is open.
    #[must_use]
    pub fn open(&self, hour: usize) -> bool {
        self.0.get(hour / 8).is_some_and(|byte| byte >> (7 - hour % 8) & 1 == 1)
    }

    /// Opens an hour of the week.
    pub(super) fn set(&mut self, hour: usize) {
        if let Some(byte) = self.0.get_mut(hour / 8) {
            *byte |= 1 << (7 - hour % 8);
        }
    }

    /// The text that [`super::parse`] reads as this mask.
    #[must_use]
    pub fn text(&self) -> String {
        let hours = (0..Mask::BITS).filter(|hour| self.open(*hour)).count();
        if hours == Mask::BITS {
            return "24/7".to_owned();
        }
        if hours == 0 {
            return "off".to_owned();
        }
        let day = |day: usize| -> Vec<(usize, usize)> {
            let mut spans: Vec<(usize, usize)> = Vec::new();
            for hour in 0..24 {
                if self.open(24 * day + hour) {
                    match spans.last_mut() {
                        Some((_, end)) if *end == hour => *end = hour + 1,
                        _ => spans.push((hour, hour + 1)),
                    }
                }
            }
            spans
        };
        let days: Vec<Vec<(usize, usize)>> = (0..7).map(day).collect();
        let mut rules: Vec<String> = Vec::new();
        let mut first = 0;
        while first < 7 {
            let mut last = first;
            while last < 6 && days[last + 1] == days[first] {
                last += 1;
            }
            if !days[first].is_empty() {
                let names = if first == last {
                    NAMES[first].to_owned()
                } else {
                    format!("{}-{}", NAMES[first], NAMES[last])
                };
                let spans: Vec<String> =
                    days[first].iter().map(|(from, to)| format!("{from:02}:00-{to:02}:00")).collect();
                rules.push(format!("{names} {}", spans.join(",")));
            }
            first = last + 1;
        }
        rules.join("; ")
    }
}

const NAMES: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
