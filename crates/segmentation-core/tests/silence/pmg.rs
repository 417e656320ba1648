use segmentation_core::axes::pmg;
use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{Entry, History, pack};

use crate::{AS_OF, Random, check};

#[test]
fn pmg_as_asked_day_by_day() {
    let mut random = Random(6);
    for case in 0..600 {
        let months = [1, 2, 3, 12, 13, 24][random.below(6) as usize];
        let mut days: Vec<Day> =
            (0..random.below(30)).map(|_| AS_OF - 500 + random.below(900) as Day).collect();
        days.sort_unstable();
        days.dedup();
        let entries: Vec<Entry> = days
            .iter()
            .map(|day| Entry::order(*day, Money(10_000 * (i64::from(random.below(200)) - 40))))
            .collect();
        let bytes = pack(&entries);
        let history = History::read(&bytes).unwrap();
        // Leap days and the ends of months all come up as as_of.
        let as_of = AS_OF + random.below(300) as Day;
        let cuts = pmg::Cuts { gros_from: Money(2_000_000), moyens_from: Money(500_000) };
        let class = |day: Day| {
            cuts.class(history.totals(day::add_months(day, -months).unwrap(), day).unwrap().turnover)
        };
        let answer = pmg::next_change(&history, as_of, cuts, months).unwrap();
        assert!(check(as_of, AS_OF + 3000, answer, class, &(case, months, &entries)));
    }
    let none = pack(&[]);
    let (history, cuts) =
        (History::read(&none).unwrap(), pmg::Cuts { gros_from: Money(2), moyens_from: Money(1) });
    assert_eq!(pmg::next_change(&history, AS_OF, cuts, 12).unwrap(), None);
    for bad in [0, -1, 1201, i32::MIN] {
        assert!(pmg::next_change(&history, AS_OF, cuts, bad).is_err());
    }
    // At both ends of the calendar.
    assert_eq!(pmg::next_change(&history, day::FIRST, cuts, 12).unwrap(), None);
    let last = pack(&[Entry::order(day::LAST - 3, Money(5))]);
    assert_eq!(pmg::next_change(&History::read(&last).unwrap(), day::LAST, cuts, 12).unwrap(), None);
}
