//! Purchase days net of what was sent back later.

use super::entry::Entry;
use super::packed::History;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::memory;
use crate::base::money::Money;

/// How many purchase days back a return is looked for by its amount.
const MATCHED: usize = 64;

/// The purchase days up to `until`, each with what it came to in the end: what came back on a later day is taken off
/// the days on which it was bought, as what comes back on the same day is.
///
/// A history does not say which purchase goods belong to. A return is taken off the latest day that came to exactly as
/// much, of the last 64 with something left, and else off the latest days that have something left, one after the
/// other. What is more than all of them is of purchases before the history began, and counts for nothing. No day comes
/// to less than 0.
///
/// # Errors
/// Damaged bytes.
pub fn net_purchases(history: &History, until: Day) -> Result<Vec<(Day, Money)>> {
    let mut days: Vec<(Day, Money)> = memory::with_capacity(history.len())?;
    // Places of the days that have something left: each is taken out once, so that returns take linear time.
    let mut open: Vec<usize> = memory::with_capacity(history.purchase_days())?;
    for entry in history.entries()? {
        let Entry { day, purchases, amount } = entry?;
        if day > until {
            break;
        }
        if amount < Money::ZERO {
            take_off(&mut days, &mut open, amount.0.saturating_neg());
        }
        if purchases > 0 {
            if amount > Money::ZERO {
                open.push(days.len());
            }
            days.push((day, amount.max(Money::ZERO)));
        }
    }
    Ok(days)
}

fn take_off(days: &mut [(Day, Money)], open: &mut Vec<usize>, amount: i64) {
    let begin = open.len().saturating_sub(MATCHED);
    if let Some(at) = (begin..open.len()).rev().find(|&i| days[open[i]].1.0 == amount) {
        days[open.remove(at)].1 = Money::ZERO;
        return;
    }
    let mut back = amount;
    while let Some(&last) = open.last() {
        let left = &mut days[last].1;
        if left.0 > back {
            left.0 -= back;
            return;
        }
        back -= left.0;
        *left = Money::ZERO;
        open.pop();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::purchase_history::pack;

    fn net(entries: &[(Day, u32, i64)], until: Day) -> Vec<(Day, i64)> {
        let entries: Vec<Entry> = entries
            .iter()
            .map(|&(day, purchases, amount)| Entry { day, purchases, amount: Money(amount) })
            .collect();
        let packed = pack(&entries);
        let history = History::read(&packed).unwrap();
        net_purchases(&history, until).unwrap().into_iter().map(|(day, left)| (day, left.0)).collect()
    }

    #[test]
    fn returns_are_taken_off_what_was_bought() {
        let bought = [(0, 1, 100), (30, 1, 70), (60, 1, 100), (90, 2, 50)];
        let with = |back: &[(Day, u32, i64)]| net(&[&bought[..], back].concat(), 999);
        // The latest day that came to as much; the latest days otherwise; more than all.
        assert_eq!(with(&[(95, 0, -100)]), [(0, 100), (30, 70), (60, 0), (90, 50)]);
        assert_eq!(with(&[(95, 0, -100), (96, 0, -100)]), [(0, 0), (30, 70), (60, 0), (90, 50)]);
        assert_eq!(with(&[(95, 0, -80)]), [(0, 100), (30, 70), (60, 70), (90, 50 - 50)]);
        assert_eq!(with(&[(95, 0, -999)]), [(0, 0), (30, 0), (60, 0), (90, 0)]);
        // A day on which more comes back than goes out.
        assert_eq!(with(&[(95, 1, -20)]), [(0, 100), (30, 70), (60, 100), (90, 30), (95, 0)]);
        // Not yet known.
        assert_eq!(net(&[(0, 1, 100), (10, 0, -100)], 9), [(0, 100)]);
        assert_eq!(net(&[(0, 0, -100), (10, 1, 100)], 99), [(10, 100)]);
        assert_eq!(net(&[], 99), []);
    }

    proptest! {
        /// What is left is what was bought less what came back, where that was bought before; and never below 0.
        #[test]
        fn nothing_is_lost(amounts in proptest::collection::vec(-300_i64..500, 0..30)) {
            let entries: Vec<(Day, u32, i64)> =
                amounts.iter().enumerate().map(|(i, &a)| (i as Day, u32::from(a >= 0), a)).collect();
            let days = net(&entries, 999);
            let mut left = 0;
            for &(_, _, amount) in &entries {
                left = (left + amount).max(0);
            }
            prop_assert_eq!(days.iter().map(|d| d.1).sum::<i64>(), left);
            prop_assert!(days.iter().all(|d| d.1 >= 0));
            prop_assert_eq!(days.len(), amounts.iter().filter(|a| **a >= 0).count());
        }
    }
}
