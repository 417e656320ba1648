//! From rules, as the crate `opening-hours-syntax` reads them, to a usual week.
//!
//! The crate `opening-hours` would evaluate them too, and does in the tests. Not here: a rule for Saturday makes it
//! forget the hours after midnight of Friday's night (`Fr 22:00-04:00; Sa 21:00-04:00`), and
//! `We off` leaves those of Wednesday's. And it brings the holidays of all countries.

use opening_hours_syntax::RuleKind;
use opening_hours_syntax::rules::day::{DaySelector, WeekDayRange};
use opening_hours_syntax::rules::time::{Time, TimeSpan};
use opening_hours_syntax::rules::{OpeningHoursExpression, RuleOperator, RuleSequence};

use super::Refusal;
use super::mask::Mask;

/// A day and the one after it, as far as its hours reach: the open minutes of each hour, a bit each.
type Day = [u64; 48];

/// All minutes of an hour.
const WHOLE: u64 = (1 << 60) - 1;

/// Minutes of a day.
const DAY: usize = 24 * 60;

/// The hours and their minutes of `from..to`.
fn minutes(from: usize, to: usize) -> impl Iterator<Item = (usize, u64)> {
    (from / 60..to.div_ceil(60)).map(move |hour| {
        let begin = from.saturating_sub(60 * hour);
        let end = (to - 60 * hour).min(60);
        (hour, (WHOLE >> (60 - (end - begin))) << begin)
    })
}

/// The open minutes of a week, those after midnight with the day that they began on.
struct Week([Day; 7]);

impl Week {
    /// Changes the days of `chosen`, a bit each.
    fn each(&mut self, chosen: u8, change: impl Fn(&mut Day)) {
        self.0
            .iter_mut()
            .enumerate()
            .filter(|(day, _)| chosen >> day & 1 == 1)
            .for_each(|(_, day)| change(day));
    }

    /// An hour is open if at least half of it is. What goes over midnight belongs to the next day.
    fn mask(&self) -> Mask {
        let mut week = [0_u64; Mask::BITS];
        for (day, hours) in self.0.iter().enumerate() {
            for (hour, minutes) in hours.iter().enumerate() {
                week[(24 * day + hour) % Mask::BITS] |= minutes;
            }
        }
        let mut mask = Mask::NEVER;
        (0..Mask::BITS).filter(|hour| week[*hour].count_ones() >= 30).for_each(|hour| mask.set(hour));
        mask
    }
}

/// The mask of rules that speak of a usual week.
pub(super) fn mask(expression: &OpeningHoursExpression) -> Result<Mask, Refusal> {
    let mut week = Week([[0; 48]; 7]);
    for rule in &expression.rules {
        apply(rule, &mut week)?;
    }
    Ok(week.mask())
}

/// A rule for the days that it names: it replaces what they had, or adds to it after a comma. `off` takes its
/// hours away from them.
fn apply(rule: &RuleSequence, week: &mut Week) -> Result<(), Refusal> {
    let adds = match rule.operator {
        RuleOperator::Normal => false,
        RuleOperator::Additional => true,
        RuleOperator::Fallback => return Err(Refusal::Fallback),
    };
    if !rule.comment.is_empty() {
        return Err(Refusal::Comment);
    }
    let chosen = days(&rule.day_selector)?;
    let spans = rule.time_selector.spans.iter().map(span).collect::<Result<Vec<_>, _>>()?;
    let opens = match rule.kind {
        RuleKind::Open => true,
        RuleKind::Closed => false,
        RuleKind::Unknown => return Err(Refusal::Unknown),
    };
    // A whole day off takes its night along.
    let anew = if opens { !adds } else { spans == [(0, DAY)] };
    if anew {
        week.each(chosen, |day| *day = [0; 48]);
    }
    for (hour, bits) in spans.into_iter().flat_map(|(from, to)| minutes(from, to)) {
        week.each(chosen, |day| if opens { day[hour] |= bits } else { day[hour] &= !bits });
    }
    Ok(())
}

/// The days of the week that a rule names, a bit each: all if it names none, none if only holidays.
fn days(selector: &DaySelector) -> Result<u8, Refusal> {
    if !selector.year.is_empty() {
        return Err(Refusal::Year);
    }
    if !selector.monthday.is_empty() {
        return Err(Refusal::Dates);
    }
    if !selector.week.is_empty() {
        return Err(Refusal::Weeks);
    }
    if selector.weekday.is_empty() {
        return Ok(0x7f);
    }
    let mut chosen = 0;
    for range in &selector.weekday {
        match range {
            WeekDayRange::Fixed {
                range,
                offset: 0,
                nth_from_start: [true, true, true, true, true],
                nth_from_end: [true, true, true, true, true],
            } => {
                let [first, last] = [range.start(), range.end()].map(|day| day.num_days_from_monday());
                // Sa-Mo goes over the end of the week.
                for step in 0..=(last + 7 - first) % 7 {
                    chosen |= 1 << ((first + step) % 7);
                }
            }
            WeekDayRange::Holiday { offset: 0, .. } => {}
            WeekDayRange::Holiday { .. } | WeekDayRange::Fixed { .. } => return Err(Refusal::SomeDays),
        }
    }
    Ok(chosen)
}

/// A span in minutes from midnight. Over midnight if it ends before it begins; the same twice is a whole day.
fn span(span: &TimeSpan) -> Result<(usize, usize), Refusal> {
    let (Time::Fixed(from), Time::Fixed(to)) = (span.range.start, span.range.end) else {
        return Err(Refusal::Sun);
    };
    if span.open_end {
        return Err(Refusal::OpenEnd);
    }
    if span.repeats.is_some() {
        return Err(Refusal::Repeats);
    }
    let [from, to] = [from, to].map(|time| usize::from(time.mins_from_midnight()));
    Ok((from, if to <= from { to + DAY } else { to }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn minutes_of_a_span(from in 0..1440_usize, length in 1..1440_usize) {
            let mut day = [0_u64; 48];
            for (hour, bits) in minutes(from, from + length) {
                day[hour] |= bits;
            }
            for minute in 0..2880 {
                prop_assert_eq!(day[minute / 60] >> (minute % 60) & 1 == 1, (from..from + length).contains(&minute));
            }
        }
    }
}
