//! Opening hours of a week: from text to a mask of 168 hours, and back.
//!
//! The text is the common subset of OpenStreetMap's `opening_hours`, with French day names and ways to
//! write a time accepted too: `Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-16:00; Su,PH off`, `24/7`,
//! `lun-ven 9h-12h30, 14h-18h; sam 9h-12h`, `Fr 22:00-02:00` (over midnight, into Saturday).

use super::fold;

/// A day and the one after it, as far as its hours reach: the open minutes of each hour, a bit each.
type Day = [u64; 48];

/// All minutes of an hour.
const WHOLE: u64 = (1 << 60) - 1;

/// Opens the minutes `from..to`.
fn fill(day: &mut Day, from: usize, to: usize) {
    for (hour, minutes) in day.iter_mut().enumerate().take(to.div_ceil(60)).skip(from / 60) {
        let begin = from.saturating_sub(60 * hour).min(60);
        let end = (to - 60 * hour).min(60);
        *minutes |= (WHOLE >> (60 - (end - begin))) << begin;
    }
}

/// Longest text that is read.
const LONGEST: usize = 1000;

/// The hours of a week, from Monday 00:00: bit `24 * day + hour`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mask([u8; Mask::BYTES]);

impl Mask {
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

    fn set(&mut self, hour: usize) {
        if let Some(byte) = self.0.get_mut(hour / 8) {
            *byte |= 1 << (7 - hour % 8);
        }
    }

    /// The text that [`parse`] reads as this mask.
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

/// Names of days, folded: OpenStreetMap's, English and French, short and whole.
const DAYS: [&[&str]; 7] = [
    &["mo", "mon", "monday", "lu", "lun", "lundi"],
    &["tu", "tue", "tues", "tuesday", "ma", "mar", "mardi"],
    &["we", "wed", "wednesday", "me", "mer", "mercredi"],
    &["th", "thu", "thur", "thurs", "thursday", "je", "jeu", "jeudi"],
    &["fr", "fri", "friday", "ve", "ven", "vendredi"],
    &["sa", "sat", "saturday", "sam", "samedi"],
    &["su", "sun", "sunday", "di", "dim", "dimanche"],
];

/// What a rule is about.
enum Days {
    /// Days of the week, by bit.
    Week(u8),
    /// Public or school holidays only: nothing that a usual week shows.
    Holidays,
}

/// A reader of folded text.
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.spaces();
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    /// A word of letters.
    fn word(&mut self) -> &'a [u8] {
        self.spaces();
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_lowercase()) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn number(&mut self) -> Option<usize> {
        self.spaces();
        let start = self.at;
        while self.at < start + 2 && self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        std::str::from_utf8(&self.text[start..self.at]).ok()?.parse().ok()
    }

    /// A time of day, as minutes: `9:00`, `09:00`, `9h`, `9h30`, `9h00`, up to 48:00.
    fn time(&mut self) -> Option<usize> {
        let hours = self.number()?;
        let minutes = match self.peek() {
            Some(b':') => {
                self.at += 1;
                self.number()?
            }
            Some(b'h') => {
                self.at += 1;
                if self.peek().is_some_and(|b| b.is_ascii_digit()) { self.number()? } else { 0 }
            }
            _ => return None,
        };
        let time = 60 * hours + minutes;
        (minutes < 60 && time <= 48 * 60).then_some(time)
    }

    /// Between the two ends of a span: a dash, or a word that says the same.
    fn until(&mut self) -> bool {
        if self.take(b'-') {
            return true;
        }
        let at = self.at;
        if matches!(self.word(), b"a" | b"au" | b"to") {
            return true;
        }
        self.at = at;
        false
    }

    /// The days that a rule begins with; all if it begins with none.
    fn days(&mut self) -> Option<Days> {
        let mut week = 0_u8;
        let mut holidays = false;
        loop {
            let at = self.at;
            let word = self.word();
            let day =
                |word: &[u8]| DAYS.iter().position(|names| names.iter().any(|name| name.as_bytes() == word));
            if word == b"ph" || word == b"sh" {
                holidays = true;
            } else if let Some(first) = day(word) {
                self.take(b'.');
                let before = self.at;
                let mut last = first;
                if self.until() {
                    match day(self.word()) {
                        Some(day) => {
                            last = day;
                            self.take(b'.');
                        }
                        None => self.at = before,
                    }
                }
                // Sa-Mo goes over the end of the week.
                for step in 0..=(last + 7 - first) % 7 {
                    week |= 1 << ((first + step) % 7);
                }
            } else {
                self.at = at;
                break;
            }
            let at = self.at;
            let more = self.take(b',') || self.take(b'/') || matches!(self.word(), b"et" | b"and");
            if !more {
                self.at = at;
                break;
            }
        }
        self.take(b':');
        match (week, holidays) {
            (0, true) => Some(Days::Holidays),
            (0, false) => Some(Days::Week(0x7f)),
            (week, _) => Some(Days::Week(week)),
        }
    }
}

/// The mask of a text; `None` if it is not of the form above: months, weeks, dates, sunrise, comments and
/// open ends are not a week's timetable.
///
/// An hour is open if at least half of it is. A later rule replaces an earlier one for its days (`;`), or
/// adds to it (after a comma). Rules for public and school holidays (PH, SH) are accepted and change nothing: a
/// mask is a usual week.
#[must_use]
pub fn parse(text: &str) -> Option<Mask> {
    if text.len() > LONGEST {
        return None;
    }
    let folded: String =
        fold(text).chars().map(|c| if matches!(c, '–' | '—' | '‑' | '−') { '-' } else { c }).collect();
    let folded = folded.replace(['\u{a0}', '\u{202f}'], " ");
    if folded.trim_matches([';', ' ', '\t', '\r', '\n']).is_empty() {
        return None;
    }
    let mut open = [[0; 48]; 7];
    for rule in folded.split([';', '\n']) {
        if rule.trim().is_empty() {
            continue;
        }
        read_rule(rule, &mut open)?;
    }
    // Into one week: what goes over midnight belongs to the next day.
    let mut week = [0_u64; Mask::BITS];
    for (day, hours) in open.iter().enumerate() {
        for (hour, minutes) in hours.iter().enumerate() {
            week[(24 * day + hour) % Mask::BITS] |= minutes;
        }
    }
    let mut mask = Mask([0; Mask::BYTES]);
    for (hour, minutes) in week.iter().enumerate() {
        if minutes.count_ones() >= 30 {
            mask.set(hour);
        }
    }
    Some(mask)
}

/// One rule, `days times`, or several joined by commas.
fn read_rule(rule: &str, open: &mut [Day; 7]) -> Option<()> {
    let mut reader = Reader { text: rule.as_bytes(), at: 0 };
    let mut adds = false;
    loop {
        let trimmed = rule.get(reader.at..)?.trim();
        if trimmed == "24/7" {
            for day in open.iter_mut() {
                fill(day, 0, 24 * 60);
            }
            return Some(());
        }
        let days = reader.days()?;
        let chosen = match days {
            Days::Week(bits) => bits,
            Days::Holidays => 0,
        };
        let each = |open: &mut [Day; 7], change: &dyn Fn(&mut Day)| {
            open.iter_mut()
                .enumerate()
                .filter(|(day, _)| chosen >> day & 1 == 1)
                .for_each(|(_, day)| change(day));
        };
        let at = reader.at;
        match reader.word() {
            b"off" | b"closed" | b"ferme" | b"fermee" => {
                each(open, &|day| day.fill(0));
                reader.spaces();
                if !reader.take(b',') {
                    return reader.peek().is_none().then_some(());
                }
                continue;
            }
            b"open" | b"ouvert" => {
                each(open, &|day| fill(day, 0, 24 * 60));
                reader.spaces();
                return reader.peek().is_none().then_some(());
            }
            b"de" => {}
            _ => reader.at = at,
        }
        if !adds {
            each(open, &|day| day.fill(0));
        }
        loop {
            let from = reader.time()?;
            if !reader.until() {
                return None;
            }
            let mut to = reader.time()?;
            if from >= 24 * 60 {
                return None;
            }
            if to <= from {
                // Over midnight; the same twice is all day.
                to += 24 * 60;
            }
            let to = to.min(2 * 24 * 60);
            each(open, &|day| fill(day, from, to));
            reader.spaces();
            let at = reader.at;
            let joined = reader.take(b',') || matches!(reader.word(), b"et" | b"and");
            if !joined {
                reader.at = at;
                return reader.peek().is_none().then_some(());
            }
            reader.spaces();
            if !reader.peek()?.is_ascii_digit() {
                // Another rule that adds to this one: Mo 8:00-10:00, Tu 9:00-11:00.
                adds = true;
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(hours: &str) -> Option<String> {
        parse(hours).map(|mask| mask.text())
    }

    #[test]
    fn forms() {
        for (written, read) in [
            ("24/7", "24/7"),
            ("Mo-Su 00:00-24:00", "24/7"),
            ("Mo-Fr 09:00-18:00", "Mo-Fr 09:00-18:00"),
            ("09:00-18:00", "Mo-Su 09:00-18:00"),
            (
                "Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-16:00; Su,PH off",
                "Mo-Fr 09:00-13:00,14:00-18:00; Sa 10:00-16:00",
            ),
            ("Mo-Fr 08:30-12:15", "Mo-Fr 08:00-12:00"),
            ("Mo-Fr 08:00-18:00; We 08:00-12:00", "Mo-Tu 08:00-18:00; We 08:00-12:00; Th-Fr 08:00-18:00"),
            ("Mo-Fr 08:00-18:00; We off", "Mo-Tu 08:00-18:00; Th-Fr 08:00-18:00"),
            ("Fr 22:00-02:00", "Fr 22:00-24:00; Sa 00:00-02:00"),
            ("Su 20:00-04:00", "Mo 00:00-04:00; Su 20:00-24:00"),
            ("Fr 22:00-26:00", "Fr 22:00-24:00; Sa 00:00-02:00"),
            ("Sa-Mo 10:00-12:00", "Mo 10:00-12:00; Sa-Su 10:00-12:00"),
            ("Mo,We,Fr 10:00-12:00", "Mo 10:00-12:00; We 10:00-12:00; Fr 10:00-12:00"),
            ("Mo 08:00-10:00, Tu 09:00-11:00", "Mo 08:00-10:00; Tu 09:00-11:00"),
            (
                "Mo-Fr 08:00-12:00, We 14:00-16:00",
                "Mo-Tu 08:00-12:00; We 08:00-12:00,14:00-16:00; Th-Fr 08:00-12:00",
            ),
            ("lun-ven 9h-12h30, 14h-18h; sam 9h-12h", "Mo-Fr 09:00-13:00,14:00-18:00; Sa 09:00-12:00"),
            ("Lundi au vendredi : 9h00 à 12h00 et 14h00 à 18h00", "Mo-Fr 09:00-12:00,14:00-18:00"),
            ("Du lundi", ""),
            ("lu.–ve. 9h–17h", "Mo-Fr 09:00-17:00"),
            ("Mo-Fr 9:00-17:00; PH 10:00-12:00", "Mo-Fr 09:00-17:00"),
            ("Sa open", "Sa 00:00-24:00"),
            ("closed", "off"),
            ("Mo 10:00-10:00", "Mo 10:00-24:00; Tu 00:00-10:00"),
        ] {
            let expected = (!read.is_empty()).then(|| read.to_owned());
            assert_eq!(text(written), expected, "{written}");
        }
    }

    #[test]
    fn what_is_not_a_week() {
        for bad in [
            "",
            " ",
            ";",
            "abc",
            "Mo",
            "Mo-Fr",
            "Mo-Fr 9-17",
            "Mo-Fr 09:00",
            "Mo-Fr 09:00-",
            "Mo-Fr 09:60-10:00",
            "Mo 25:00-26:00",
            "Jan-Mar Mo 09:00-10:00",
            "Mo-Fr 09:00-17:00 \"by appointment\"",
            "sunrise-sunset",
            "Mo-Fr 18:00+",
            "week 1-10 Mo 9:00-10:00",
            "Mo[1] 09:00-10:00",
            "Mo-Fr 09:00-49:00",
            "Xy 09:00-10:00",
            "Mo 09:00-10:00 ||  Tu 09:00-10:00",
            "\0",
            "Mo 09:00--10:00",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
        assert_eq!(parse(&"Mo 09:00-10:00;".repeat(100)), None);
    }

    proptest! {
        #[test]
        fn minutes_are_filled(from in 0..1440_usize, length in 1..1440_usize) {
            let mut day = [0; 48];
            fill(&mut day, from, from + length);
            for minute in 0..2880 {
                prop_assert_eq!(day[minute / 60] >> (minute % 60) & 1 == 1, (from..from + length).contains(&minute));
            }
        }

        #[test]
        fn text_of_a_mask_reads_as_it(bytes in proptest::array::uniform21(any::<u8>())) {
            let mask = Mask::from_bytes(&bytes).unwrap();
            prop_assert_eq!(parse(&mask.text()), Some(mask));
        }

        #[test]
        fn any_text(text in "[MoTuWeFrSa0-9:,;h \\-/offàé]{0,40}") {
            let _ = parse(&text);
        }
    }
}
