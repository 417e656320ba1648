//! Against a map of days; hostile bytes and text.

use super::*;
use crate::base::day::Day;
use crate::base::error::ErrorKind;
use crate::base::money::Money;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn grow(orders: &[(Day, i64)]) -> Vec<u8> {
    let mut bytes = vec![0; Growing::size_for(1)];
    Growing::start(&mut bytes).unwrap();
    for &(day, amount) in orders {
        let entry = Entry::order(day, Money(amount));
        if !Growing::resume(&mut bytes).unwrap().add(entry).unwrap() {
            let more = bytes.len() + Growing::size_for(1) - Growing::size_for(0);
            bytes.resize(more, 0);
            assert!(Growing::resume(&mut bytes).unwrap().add(entry).unwrap());
        }
    }
    bytes
}

fn orders() -> impl Strategy<Value = Vec<(Day, i64)>> {
    proptest::collection::vec(
        (8000..8400, prop_oneof![-500_000..5_000_000_i64, (0..900_i64).prop_map(|a| a * 10_000)]),
        0..40,
    )
}

proptest! {
    #[test]
    fn packed_equals_a_map_of_days(orders in orders()) {
        let mut map: BTreeMap<Day, (u32, i64)> = BTreeMap::new();
        for &(day, amount) in &orders {
            let slot = map.entry(day).or_default();
            slot.0 += u32::from(amount >= 0);
            slot.1 += amount;
        }
        let packed = pack_growing(&grow(&orders)).unwrap();
        let history = History::validate(&packed).unwrap();
        let read: Vec<_> = history.entries().unwrap().map(|e| { let e = e.unwrap(); (e.day, (e.purchases, e.amount.0)) }).collect();
        prop_assert_eq!(&read, &map.clone().into_iter().collect::<Vec<_>>());
        let days: Vec<Day> = map.iter().filter(|(_, v)| v.0 > 0).map(|(d, _)| *d).collect();
        prop_assert_eq!(history.purchase_days(), days.len());
        prop_assert_eq!(history.purchase_span(), days.first().map(|f| (*f, days[days.len() - 1])));
        for as_of in [7999, 8100, 8399] {
            let seen: Vec<Day> = days.iter().copied().filter(|d| *d <= as_of).collect();
            let expected = seen.first().map(|f| PurchaseDays { first: *f, last: seen[seen.len() - 1], count: seen.len() });
            prop_assert_eq!(history.purchase_days_until(as_of).unwrap(), expected);
            let cut = history.until(as_of).unwrap();
            prop_assert_eq!(History::validate(&cut).unwrap().purchase_days_until(Day::MAX).unwrap(), expected);
            prop_assert_eq!(history.totals(Day::MIN, as_of).unwrap().turnover.0, map.range(..=as_of).map(|(_, v)| v.1).sum::<i64>());
        }
        prop_assert_eq!(&parse_text(&history.to_text().unwrap()).unwrap(), &packed);
    }

    #[test]
    fn order_of_arrival_does_not_matter(orders in orders(), seed: u64) {
        let mut shuffled = orders.clone();
        let mut state = seed | 1;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(i, (state >> 33) as usize % (i + 1));
        }
        prop_assert_eq!(pack_growing(&grow(&orders)).unwrap(), pack_growing(&grow(&shuffled)).unwrap());
    }

    #[test]
    fn hostile_bytes_are_refused_or_canonical(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(history) = History::validate(&bytes) {
            prop_assert_eq!(parse_text(&history.to_text().unwrap()).unwrap(), bytes);
        }
    }

    #[test]
    fn damaged_bytes_never_panic(orders in orders(), at: prop::sample::Index, byte: u8) {
        let mut packed = pack_growing(&grow(&orders)).unwrap();
        let at = at.index(packed.len());
        packed[at] = byte;
        let _ = History::validate(&packed);
        // Accessors read without full validation: they may err, never panic.
        if let Ok(history) = History::read(&packed) {
            let _ = history.totals(Day::MIN, Day::MAX);
            let _ = history.purchase_days_until(8200);
            let _ = history.until(8200);
            let _ = history.to_json();
        }
    }

    #[test]
    fn hostile_text_never_panics(text in "\\PC{0,60}|[{}:,.0-9-]{0,60}") {
        let _ = parse_text(&text);
    }
}

#[test]
fn small() {
    let ten: Vec<(Day, i64)> = (0..10).map(|i| (8000 + 37 * i, 12_345_600 + 1_900 * i64::from(i))).collect();
    let packed = pack_growing(&grow(&ten)).unwrap();
    assert!(packed.len() < 99, "{} bytes", packed.len());
}

#[test]
fn refunds_and_free_orders() {
    let packed = pack_growing(&grow(&[(10, -50_000), (20, 0), (30, 1_000_000), (30, -1_000_000)])).unwrap();
    let history = History::validate(&packed).unwrap();
    assert_eq!(history.purchase_span(), Some((20, 30)));
    assert_eq!((history.len(), history.purchase_days()), (3, 2));
    assert_eq!(
        history.totals(Day::MIN, Day::MAX).unwrap(),
        Totals { last_purchase: Some(30), purchases: 2, turnover: Money(-50_000), days: 3 }
    );
    assert_eq!(history.to_text().unwrap(), "{2000-01-11:0:-5.00,2000-01-21:1:0.00,2000-01-31:1:0.00}");
    assert_eq!(parse_text("{}").unwrap(), pack(&[]));
    for bad in [
        "",
        "{",
        "{2024-01-01}",
        "{2024-01-01:1}",
        "{2024-01-01:-1:1}",
        "{2024-01-01:1:1,}",
        "{2024-13-01:1:1}",
        "{2024-01-01:4294967296:1}",
        "{2024-01-01:1:NaN}",
        "{2024-01-01:1:1:1}",
    ] {
        assert_eq!(parse_text(bad).unwrap_err().kind, ErrorKind::InvalidText, "{bad}");
    }
    assert_eq!(
        parse_text("{2024-01-01:4294967295:1,2024-01-01:1:1}").unwrap_err().kind,
        ErrorKind::OutOfRange
    );
}
