//! Opening hours of a week: from text to a mask of 168 hours, and back.
//!
//! The text is OpenStreetMap's `opening_hours`, as far as it speaks of a usual week, with French day names
//! and ways to write a time accepted too: `Mo-Fr 09:00-12:30,14:00-18:00; Sa 10:00-16:00; Su,PH off`, `24/7`,
//! `lun-ven 9h-12h30, 14h-18h; sam 9h-12h`, `Fr 22:00-02:00` (over midnight, into Saturday).
//!
//! [`spelling`] brings it into OpenStreetMap's grammar, the crate `opening-hours-syntax` reads that, and [`week`] makes a
//! week of the rules.

mod mask;
mod spelling;
mod week;

use opening_hours_syntax::Error as GrammarError;
use pest::error::InputLocation;

use super::head;
pub use mask::Mask;

/// Longest text that is read.
const LONGEST: usize = 1000;

/// Why a text has no mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is written.
    #[error("nothing is written")]
    Empty,
    /// More than [`LONGEST`] bytes.
    #[error("the text is longer than {LONGEST} bytes")]
    TooLong,
    /// `Mo-Fr`: the days, but not when.
    #[error("days without hours")]
    DaysWithoutHours,
    /// `2026 Mo 9:00-10:00`.
    #[error("a year is not a usual week")]
    Year,
    /// `Jan-Mar`, `Dec 24`, `easter`.
    #[error("months and dates are not a usual week")]
    Dates,
    /// `week 1-10`.
    #[error("weeks of the year are not a usual week")]
    Weeks,
    /// `Mo[1]`, `PH +1 day`, `PH Mo`.
    #[error("some days of a name, and not others, are not a usual week")]
    SomeDays,
    /// `sunrise-sunset`.
    #[error("sunrise and sunset are not hours of the clock")]
    Sun,
    /// `18:00+`.
    #[error("it is not said when it closes")]
    OpenEnd,
    /// `10:00-16:00/01:30`.
    #[error("times that repeat are moments, not hours")]
    Repeats,
    /// `unknown`.
    #[error("it is said to be unknown")]
    Unknown,
    /// `"by appointment"`.
    #[error("a mask cannot hold a comment")]
    Comment,
    /// `||`.
    #[error("a mask cannot hold what holds otherwise (||)")]
    Fallback,
    /// Not the grammar: where it ends.
    #[error("not understood: {0}")]
    Syntax(String),
}

/// The mask of a text; `None` if a mask cannot hold what it says, or it is not understood.
#[must_use]
pub fn parse(text: &str) -> Option<Mask> {
    read(text).ok()
}

/// The mask of a text.
///
/// An hour is open if at least half of it is. A later rule replaces an earlier one for its days (`;`), or
/// adds to it (after a comma); `off` takes hours away. Rules for public and school holidays (PH, SH) are accepted
/// and change nothing: a mask is a usual week.
///
/// # Errors
/// Why there is none.
pub fn read(text: &str) -> Result<Mask, Refusal> {
    if text.len() > LONGEST {
        return Err(Refusal::TooLong);
    }
    let written = spelling::translate(text)?;
    let rules = opening_hours_syntax::parse(&written).map_err(|error| not_understood(&written, &error))?;
    week::mask(&rules)
}

/// Where the grammar's reader came to its end.
fn not_understood(written: &str, error: &GrammarError) -> Refusal {
    let GrammarError::Syntax(error) = error else { return Refusal::Syntax(error.to_string()) };
    let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
    Refusal::Syntax(match written.get(at..) {
        Some(rest) if !rest.is_empty() => format!("\"{}\"", head(rest, 40)),
        _ => "the end is missing".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use opening_hours::OpeningHours;
    use opening_hours_syntax::RuleKind;
    use proptest::prelude::*;

    /// A rule that ends before midnight, and what joins it to the one before.
    fn rule() -> impl Strategy<Value = String> {
        let days = proptest::sample::select(vec![
            "Mo", "Tu-Th", "Sa-Mo", "We,Fr", "Mo-Su", "PH", "Su,PH", "SH,Mo-We",
        ]);
        let span = (0..1439_u32, 1..1440_u32).prop_map(|(from, length)| {
            let to = (from + length).min(1440);
            format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
        });
        let state = proptest::sample::select(vec!["", "", " off", " open"]);
        let join = proptest::sample::select(vec!["; ", "; ", ", "]);
        (join, days, proptest::collection::vec(span, 1..3), state)
            .prop_map(|(join, days, spans, state)| format!("{join}{days} {}{state}", spans.join(",")))
    }

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
            ("Samedi de 9h à 12h et de 14h à 17h", "Sa 09:00-12:00,14:00-17:00"),
            ("9h-12h / 14h-18h", "Mo-Su 09:00-12:00,14:00-18:00"),
            ("9h-12h 14h-18h", "Mo-Su 09:00-12:00,14:00-18:00"),
            ("lundi 9h-12h puis 14h-18h", "Mo 09:00-12:00,14:00-18:00"),
            ("lundi 9 h 00 - 12 h 00", "Mo 09:00-12:00"),
            ("Mo-Fr 9-17", "Mo-Fr 09:00-17:00"),
            ("Mo-Fr 9-12,14-17; Sa 9-12", "Mo-Fr 09:00-12:00,14:00-17:00; Sa 09:00-12:00"),
            ("Mo-Fr 8-18; Mo-Fr 12:00-14:00 off", "Mo-Fr 08:00-12:00,14:00-18:00"),
            ("24/7, Su off", "Mo-Sa 00:00-24:00"),
            ("Mo-Fr 08:00-12:00, open", ""),
            ("Du lundi", ""),
            ("lu.–ve. 9h–17h", "Mo-Fr 09:00-17:00"),
            ("Mo-Fr 9:00-17:00; PH 10:00-12:00", "Mo-Fr 09:00-17:00"),
            ("Sa open", "Sa 00:00-24:00"),
            ("closed", "off"),
            ("Mo 10:00-10:00", "Mo 10:00-24:00; Tu 00:00-10:00"),
            // The night belongs to the day that it began on.
            ("Fr 22:00-04:00; Sa 21:00-04:00", "Fr 22:00-24:00; Sa 00:00-04:00,21:00-24:00; Su 00:00-04:00"),
            (
                "Mo-Fr 22:00-02:00; We off",
                "Mo 22:00-24:00; Tu 00:00-02:00,22:00-24:00; We 00:00-02:00; Th 22:00-24:00; Fr 00:00-02:00,22:00-24:00; Sa 00:00-02:00",
            ),
            (
                "Mo-Fr 08:00-18:00; We 12:00-14:00 off",
                "Mo-Tu 08:00-18:00; We 08:00-12:00,14:00-18:00; Th-Fr 08:00-18:00",
            ),
            ("24/7; Su off", "Mo-Sa 00:00-24:00"),
            ("Mo-Fr 09:00-17:00 open", "Mo-Fr 09:00-17:00"),
            ("mo, we 9:00-17:00", "Mo 09:00-17:00; We 09:00-17:00"),
            ("Mo-Sa 9 : 00 - 17: 00; Su, off", "Mo-Sa 09:00-17:00"),
            ("Mo, 9:00-10:00", "Mo 09:00-10:00"),
            ("Mo off, Tu 9:00-10:00", "Tu 09:00-10:00"),
            ("Mo-Sa 9:00-17:00, Sa off", "Mo-Fr 09:00-17:00"),
            ("lundi de 9 h 30 à midi, de 14h à 18 heures", "Mo 09:00-12:00,14:00-18:00"),
            ("ven 18h-minuit", "Fr 18:00-24:00"),
            ("Lun-sam 9h-18h ; fermé le jeudi", "Mo-We 09:00-18:00; Fr-Sa 09:00-18:00"),
            ("Lun-ven ouvert de 9h à 18h, fermé dimanche", "Mo-Fr 09:00-18:00"),
            ("Lun-ven 9h-18h; fermé lun-ven de 12h à 14h", "Mo-Fr 09:00-12:00,14:00-18:00"),
            ("Tous les jours 10h-19h, jours fériés fermé", "Mo-Su 10:00-19:00"),
            ("7j/7, 24h/24", "24/7"),
            ("Sa,Su,PH 10:00-12:00", "Sa-Su 10:00-12:00"),
        ] {
            let expected = (!read.is_empty()).then(|| read.to_owned());
            assert_eq!(text(written), expected, "{written}");
        }
    }

    #[test]
    fn why_there_is_no_mask() {
        let syntax = |rest: &str| Refusal::Syntax(rest.to_owned());
        for (bad, refusal) in [
            ("", Refusal::Empty),
            (" ", Refusal::Empty),
            (";", Refusal::Empty),
            ("Mo", Refusal::DaysWithoutHours),
            ("Mo-Fr", Refusal::DaysWithoutHours),
            ("Du lundi", Refusal::DaysWithoutHours),
            ("Mo-Fr 9:00-17:00; Sa", Refusal::DaysWithoutHours),
            ("2026 Mo 9:00-10:00", Refusal::Year),
            ("Jan-Feb Mo 09:00-10:00", Refusal::Dates),
            ("Dec 24 off", Refusal::Dates),
            ("easter off", Refusal::Dates),
            ("week 1-10 Mo 9:00-10:00", Refusal::Weeks),
            ("Mo[1] 09:00-10:00", Refusal::SomeDays),
            ("PH +1 day 09:00-10:00", Refusal::SomeDays),
            ("sunrise-sunset", Refusal::Sun),
            ("Mo (sunrise+01:00)-18:00", Refusal::Sun),
            ("Mo-Fr 18:00+", Refusal::OpenEnd),
            ("Mo-Fr 18:00-20:00+", Refusal::OpenEnd),
            ("Su 10:00-16:00/01:30", Refusal::Repeats),
            ("Mo-Fr 9:00-17:00 unknown", Refusal::Unknown),
            ("Mo-Fr 09:00-17:00 \"by appointment\"", Refusal::Comment),
            ("Mo 09:00-10:00 ||  Tu 09:00-10:00", Refusal::Fallback),
            ("abc", syntax("\"abc\"")),
            ("on request", syntax("\"on request\"")),
            ("Apr 9-17", Refusal::Dates),
            ("Mo-Fr 09:00-", syntax("the end is missing")),
            ("Mo-Fr 09:60-10:00", syntax("\"60-10:00\"")),
            ("Mo 09:00-10:00 ferme 12:00-14:00", syntax("\"12:00-14:00\"")),
            ("PH Mo-Fr 09:00-10:00", Refusal::SomeDays),
        ] {
            assert_eq!(read(bad), Err(refusal), "{bad}");
        }
        for bad in [
            "Mo-Fr 09:00",
            "Mo 9:5-10:00",
            "09:00-17:0open0",
            "09:00-17:0de0",
            "24/ off7",
            "Mo 25:00-26:00",
            "Mo 24:00-26:00",
            "Mo-Fr 09:00-49:00",
            "Xy 09:00-10:00",
            "\0",
            "Mo 09:00--10:00",
            "Mo 9:00-10:00 Tu 9:00-10:00",
            "Mo Tu 9:00-10:00",
            "Jan-Mar Mo 09:00-10:00",
            "Mo-Fr 09:00-17:00; DROP TABLE x",
        ] {
            assert_eq!(text(bad), None, "{bad}");
        }
        assert_eq!(read(&"Mo 09:00-10:00;".repeat(100)), Err(Refusal::TooLong));
    }

    /// The mask by the crate `opening-hours`, in a week without holidays.
    fn evaluated(text: &str) -> Option<Mask> {
        let hours: OpeningHours = text.parse().ok()?;
        let mut mask = Mask::NEVER;
        for (day, date) in NaiveDate::from_ymd_opt(2024, 1, 1)?.iter_days().take(7).enumerate() {
            let mut open = [0; 24];
            for range in hours.schedule_at(date).into_iter().filter(|range| range.kind == RuleKind::Open) {
                for minute in range.range.start.mins_from_midnight()..range.range.end.mins_from_midnight() {
                    open[usize::from(minute / 60)] += 1;
                }
            }
            (0..24).filter(|hour| open[*hour] >= 30).for_each(|hour| mask.set(24 * day + hour));
        }
        Some(mask)
    }

    /// Where the crate would be wrong. If this fails, it has been mended, and `week` can go.
    #[test]
    fn nights_that_opening_hours_forgets() {
        for (written, forgotten) in [
            ("Fr 22:00-04:00; Sa 21:00-04:00", "Fr 22:00-24:00; Sa 21:00-24:00; Su 00:00-04:00"),
            ("We 22:00-02:00; We off", "Th 00:00-02:00"),
        ] {
            assert_eq!(evaluated(written).map(|mask| mask.text()).as_deref(), Some(forgotten));
            assert_ne!(text(written).as_deref(), Some(forgotten));
        }
    }

    proptest! {
        #[test]
        fn text_of_a_mask_reads_as_it(bytes in proptest::array::uniform21(any::<u8>())) {
            let mask = Mask::from_bytes(&bytes).unwrap();
            prop_assert_eq!(parse(&mask.text()), Some(mask));
        }

        #[test]
        fn a_week_as_opening_hours(rules in proptest::collection::vec(rule(), 1..6)) {
            let text = rules.concat()[2..].to_owned();
            prop_assert_eq!(read(&text).ok(), evaluated(&text), "{}", text);
        }

        #[test]
        fn any_text(text in "[MoTuWeFrSa0-9:,;h \\-/offàé]{0,40}") {
            let _ = parse(&text);
        }
    }
}
