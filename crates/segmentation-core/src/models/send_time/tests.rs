//! The circle of the week, credibility, hostile values and bytes.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::hours::{GROWING, PACKED, SCALE, VERSION};
use super::*;

fn hours(acts: &[(usize, f64)]) -> SendHours {
    let mut weights = [0.0; HOURS];
    for &(hour, weight) in acts {
        weights[hour] += weight;
    }
    SendHours::from_array(&weights).unwrap()
}

fn options(value: Value) -> SendTimeOptions {
    SendTimeOptions::from_json(&value).unwrap()
}

fn model(customers: &[SendHours], value: Value) -> SendTimeModel {
    let mut cells = SendTimeCells::default();
    customers.iter().for_each(|c| cells.add(Some(c)));
    SendTimeModel::from_json(&cells.fit(&options(value))).unwrap().unwrap()
}

#[test]
fn the_week_is_a_circle() {
    // Sunday 23:00 is next to Monday 00:00.
    let sharp = json!({"bandwidth_hours": 1, "shared_days": 0, "prior_events": 0});
    let late = hours(&[(167, 1.0)]);
    let scores = model(std::slice::from_ref(&late), sharp).scores(Some(&late), |_| true);
    assert_eq!(best(&scores), Some(167));
    assert!((scores[0] - scores[166]).abs() < 1e-12 && scores[0] > 10.0 * scores[3]);
    assert!((scores.iter().sum::<f64>() - 168.0).abs() < 1e-9);
    // exp(-1/2) and exp(-2) beside it.
    assert!((scores[0] / scores[167] - (-0.5f64).exp()).abs() < 1e-12);
    assert!((scores[1] / scores[167] - (-2f64).exp()).abs() < 1e-12);
}

#[test]
fn shrinks_to_the_profile() {
    let evening = hours(&[(20, 50.0), (44, 50.0)]);
    let model = model(std::slice::from_ref(&evening), json!({"prior_events": 10, "bandwidth_hours": 1}));
    assert_eq!(best(&model.scores(None, |_| true)), Some(20));
    // One act at 9 does not turn ten; many do, and on all days of the week.
    let morning = |n| hours(&[(9, n)]);
    assert_eq!(best(&model.scores(Some(&morning(1.0)), |_| true)), Some(20));
    let scores = model.scores(Some(&morning(90.0)), |_| true);
    assert_eq!(best(&scores), Some(9));
    assert!(scores[24 + 9] > scores[24 + 20]);
    assert!((scores.iter().sum::<f64>() - 168.0).abs() < 1e-9);
    // Closed hours do not come up; nothing open: nothing.
    assert_eq!(best(&model.scores(Some(&morning(90.0)), |hour| hour % 24 > 12)), Some(20));
    assert_eq!(best(&model.scores(None, |_| false)), None);
}

#[test]
fn credibility_is_estimated() {
    // Two kinds of customers at 8 and 20: one act tells which, whatever the day.
    let two: Vec<SendHours> =
        (0..100).map(|i| hours(&[(8 + 12 * (i % 2) + 24 * (i % 7), 3.0), (8 + 12 * (i % 2), 3.0)])).collect();
    let prior = |customers: &[SendHours]| {
        let mut cells = SendTimeCells::default();
        customers.iter().for_each(|c| cells.add(Some(c)));
        cells.fit(&options(json!({"shared_days": 1})))["prior_events"].as_f64().unwrap()
    };
    assert!(prior(&two) < 0.2, "{}", prior(&two));
    // Customers who all come at both hours: nothing to tell.
    let alike: Vec<SendHours> = (0..100).map(|_| hours(&[(8, 3.0), (20, 3.0)])).collect();
    assert!(prior(&alike) > 50.0, "{}", prior(&alike));
}

#[test]
fn hostile_models() {
    let mut cells = SendTimeCells::default();
    assert_eq!(SendTimeModel::from_json(&cells.fit(&options(json!({})))).unwrap(), None);
    cells.add(Some(&hours(&[(8, 1.0)])));
    let good = cells.fit(&options(json!({})));
    assert_eq!(good["warnings"][0]["code"], "not_identified");
    let broken = |key: &str, value: Value| {
        let mut bad = good.clone();
        bad[key] = value;
        assert!(SendTimeModel::from_json(&bad).is_err(), "{key} {bad}");
    };
    broken("kind", json!("x"));
    broken("version", json!(2));
    broken("shares", json!([1]));
    broken("shares", json!(vec![0.0; 168]));
    broken("shares", json!(vec![-1.0; 168]));
    broken("shares", json!("x"));
    broken("prior_events", json!(-1));
    broken("prior_events", json!(null));
    broken("bandwidth_hours", json!(1e9));
    broken("other", json!(1));
}

proptest! {
    #[test]
    fn stored_forms(acts in prop::collection::vec((0..168usize, 0..1_000_000u64), 0..60)) {
        let mut bytes = vec![0; FIRST_SIZE];
        start(&mut bytes);
        for &(hour, weight) in &acts {
            while !add(&mut bytes, hour, weight).unwrap() {
                let mut more = vec![0; larger(bytes.len())];
                more[..bytes.len()].copy_from_slice(&bytes);
                bytes = more;
            }
        }
        let read = SendHours::read(&bytes).unwrap();
        prop_assert_eq!(&SendHours::read(&read.pack()).unwrap(), &read);
        prop_assert_eq!(&SendHours::from_array(&read.array()).unwrap(), &read);
        let total: u64 = acts.iter().map(|a| a.1).sum();
        prop_assert!((read.total() - total as f64 / SCALE).abs() < 1e-6);
        let mut cells = SendTimeCells::default();
        cells.add(Some(&read));
        prop_assert_eq!(SendTimeCells::from_bytes(&cells.to_bytes()).unwrap(), cells);
    }

    #[test]
    fn hostile_bytes(mut bytes in prop::collection::vec(any::<u8>(), 0..40), growing in any::<bool>()) {
        if bytes.len() > 1 {
            bytes[0] = if growing { GROWING } else { PACKED };
            bytes[1] = VERSION;
        }
        let _ = SendHours::read(&bytes);
        let _ = add(&mut bytes, 3, 1);
        let _ = SendTimeCells::from_bytes(&bytes);
    }
}
