//! Codes that time alone moves: the search for the day on which silence changes one.

use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::facts::purchase_history::History;

/// How far codes are looked ahead for: ten years, or to the end of the calendar.
#[must_use]
pub fn look_ahead(as_of: Day) -> Day {
    day::add_months(as_of, 120).unwrap_or(day::LAST)
}

/// The first day after `as_of` on which a code changes: what `search` finds in silence up to a day, or the next purchase
/// that the history has after `as_of`, from which the search would have to begin anew.
///
/// # Errors
/// A day out of range, damaged bytes, what `search` says.
pub fn with_later_purchases(
    history: &History,
    as_of: Day,
    search: impl FnOnce(Day) -> Result<Option<Day>>,
) -> Result<Option<Day>> {
    until_next(history, as_of, false, search)
}

/// The same where refunds count too: what comes back lowers what was spent.
///
/// # Errors
/// A day out of range, damaged bytes, what `search` says.
pub fn with_later_turnover(
    history: &History,
    as_of: Day,
    search: impl FnOnce(Day) -> Result<Option<Day>>,
) -> Result<Option<Day>> {
    until_next(history, as_of, true, search)
}

fn until_next(
    history: &History,
    as_of: Day,
    refunds: bool,
    search: impl FnOnce(Day) -> Result<Option<Day>>,
) -> Result<Option<Day>> {
    let last = look_ahead(day::check(as_of)?);
    let next = history.next_day(as_of, refunds)?.filter(|day| *day <= last);
    Ok(search(next.map_or(last, |day| day - 1))?.or(next))
}

/// The first day in (low, high] with a property that, once there, stays; `None` if it never is.
/// It is not asked for `low`, unless that is all there is.
pub(crate) fn first_day(mut low: Day, mut high: Day, mut is: impl FnMut(Day) -> bool) -> Option<Day> {
    if high <= low || !is(high) {
        return None;
    }
    while i64::from(high) - i64::from(low) > 1 {
        let middle = low + (high - low) / 2;
        if is(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_days() {
        assert_eq!(first_day(3, 100, |d| d >= 57), Some(57));
        assert_eq!(first_day(3, 100, |d| d >= 4), Some(4));
        assert_eq!(first_day(3, 100, |_| false), None);
        assert_eq!(first_day(3, 3, |_| true), None);
    }
}
