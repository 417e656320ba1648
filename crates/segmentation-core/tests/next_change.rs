//! When a code changes by time alone, against the code itself asked day by day for ten years: whatever
//! the family, the parameters and the history, no change is passed over.

use segmentation_core::axes::churn_level::{ChurnLevels, look_ahead};
use segmentation_core::axes::future_value_band::{Valued, value_options};
use segmentation_core::axes::pmg;
use segmentation_core::axes::rfm::{Cuts, Rule};
use segmentation_core::base::day::{self, Day};
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::{Entry, History, pack};
use segmentation_core::models::purchase_model::{CustomerSummary, Family, PurchaseModel, Scorer};
use segmentation_core::models::spend_model::{SpendModel, SpendSummary};
use serde_json::{Value, json};

/// Numbers by splitmix64 (Steele, Lea and Flood 2014): the same in every run.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u32) -> u32 {
        (self.bits() % u64::from(n)) as u32
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn between(&mut self, least: f64, most: f64) -> f64 {
        (least.ln() + self.unit() * (most.ln() - least.ln())).exp()
    }
}

fn model(random: &mut Random, family: Family) -> PurchaseModel {
    let mut parameters = json!({ "r": random.between(0.1, 20.0), "alpha": random.between(0.3, 60.0) });
    match family {
        Family::Nbd => {}
        Family::ParetoNbd => {
            parameters["s"] = json!(random.between(0.1, 5.0));
            parameters["beta"] = json!(random.between(1.0, 100.0));
        }
        _ => {
            parameters["a"] = json!(random.between(0.05, 5.0));
            parameters["b"] = json!(random.between(0.05, 20.0));
        }
    }
    if family.is_erlang() {
        parameters["k"] = json!(random.below(12) + 1);
    }
    PurchaseModel::from_json(&json!({
        "kind": "purchase_model", "version": 1, "family": family.name(), "unit": "1 week",
        "as_of": "2025-01-01", "parameters": parameters, "log_likelihood": -1, "customers": 10, "cells": 10
    }))
    .unwrap()
}

fn customer(random: &mut Random) -> CustomerSummary {
    let tx = if random.below(4) == 0 { 0 } else { random.below(900) + 1 };
    let x = if tx == 0 { 0 } else { random.below(tx.min(60)) + 1 };
    let silence = if random.below(3) == 0 { 0 } else { random.below(400) };
    CustomerSummary::new(x, tx, tx + silence).unwrap()
}

/// Asks a code day by day up to `until`: the first day on which it differs, if it does before `answer`;
/// and whether `answer` is such a day.
fn check<C: PartialEq + std::fmt::Debug>(
    as_of: Day,
    until: Day,
    answer: Option<Day>,
    mut code: impl FnMut(Day) -> C,
    what: &dyn std::fmt::Debug,
) -> bool {
    let now = code(as_of);
    let last = answer.unwrap_or(until + 1);
    assert!(last > as_of && last <= until + 1, "{answer:?} after {as_of}, {what:?}");
    for day in as_of + 1..last {
        let then = code(day);
        assert!(then == now, "{now:?} became {then:?} after {} days, not {answer:?}, {what:?}", day - as_of);
    }
    answer.is_none_or(|day| code(day) != now)
}

const AS_OF: Day = 9_000;

fn levels(random: &mut Random) -> ChurnLevels {
    let options = match random.below(4) {
        0 => json!({}),
        1 => {
            json!({"horizon": "1 week", "medium_from": 0.7, "high_from": 0.95, "lost_horizon": "4 weeks", "lost_above": 0.99})
        }
        2 => {
            json!({"horizon": "400 days", "medium_from": 0.1, "high_from": 0.2, "lost_horizon": "30 days", "lost_above": 0.8})
        }
        _ => {
            json!({"medium_from": random.unit() / 2.0, "high_from": 0.5 + random.unit() / 2.0, "lost_above": random.unit()})
        }
    };
    ChurnLevels::from_json(&options).unwrap()
}

#[test]
fn churn_levels_as_asked_day_by_day() {
    let mut random = Random(1);
    let until = look_ahead(AS_OF);
    for family in Family::ALL {
        let (mut changes, mut again) = (0, 0);
        for _ in 0..if family == Family::ParetoNbd { 60 } else { 300 } {
            let model = model(&mut random, family);
            let scorer = Scorer::new(&model).unwrap();
            let customer = customer(&mut random);
            let levels = levels(&mut random);
            let answer = levels.next_change(&scorer, customer, AS_OF, until);
            let at = |day: Day| customer.after_silence((day - AS_OF) as u32);
            let exact = check(
                AS_OF,
                until,
                answer,
                |day| levels.level(&scorer, at(day)),
                &(&model.parameters, model.k, customer, levels),
            );
            changes += u32::from(answer.is_some());
            again += u32::from(!exact);
        }
        assert!(changes > 20 && again * 50 <= changes, "{family:?}: {again} of {changes} to look at again");
    }
}

#[test]
fn erlang_levels_fall_before_they_rise() {
    // A customer of a steady rhythm: the nearer the next purchase, the surer.
    let mut random = Random(2);
    let mut fell = 0;
    for _ in 0..300 {
        let model = model(&mut random, Family::MbgCnbdK);
        let scorer = Scorer::new(&model).unwrap();
        let customer = customer(&mut random);
        let levels = ChurnLevels::default();
        let now = levels.level(&scorer, customer);
        if let Some(day) = levels.next_change(&scorer, customer, AS_OF, look_ahead(AS_OF)) {
            fell += u32::from(levels.level(&scorer, customer.after_silence((day - AS_OF) as u32)) < now);
        }
    }
    assert!(fell > 5, "{fell}");
}

fn spend_model() -> SpendModel {
    SpendModel::from_json(&json!({
        "kind": "spend_model", "version": 1, "family": "gamma_gamma", "transactions": "repeat", "as_of": "2025-01-01",
        "parameters": {"p": 6.25, "q": 3.74, "v": 15.45}, "log_likelihood": -1, "customers": 10, "cells": 10
    }))
    .unwrap()
}

fn bands_as_asked(random: &mut Random, family: Family, cases: u32, options: &Value, until: Day) {
    let spend = spend_model();
    let options = value_options(options).unwrap();
    let (mut changes, mut again) = (0, 0);
    for _ in 0..cases {
        let model = model(random, family);
        let scorer = Scorer::new(&model).unwrap();
        let customer = customer(random);
        let spent = SpendSummary {
            transactions: customer.x(),
            total: Money::from_f64(f64::from(customer.x()) * random.between(5.0, 200.0)).unwrap(),
        };
        let valued = |customer| Valued { purchases: &scorer, spend: &spend, customer, spent, options };
        let now = valued(customer).value().unwrap();
        // Limits around the value, so that it has something to cross.
        let gros = now * random.between(0.5, 3.0);
        let cuts = pmg::Cuts {
            gros_from: Money::from_f64(gros.max(0.0002)).unwrap(),
            moyens_from: Money::from_f64((gros * random.unit()).max(0.0001)).unwrap(),
        };
        let answer = valued(customer).next_change(cuts, AS_OF, until).unwrap();
        let band = |day: Day| valued(customer.after_silence((day - AS_OF) as u32)).band(cuts).unwrap();
        let exact = check(AS_OF, until, answer, band, &(&model.parameters, model.k, customer, cuts));
        changes += u32::from(answer.is_some());
        again += u32::from(!exact);
    }
    println!("{family:?}: {changes} answers of {cases}, {again} to look at again");
    let monotone = !family.is_erlang();
    assert!(changes > cases / 5 && (!monotone || again * 20 <= changes), "{family:?}: {again} of {changes}");
}

#[test]
fn value_bands_as_asked_day_by_day() {
    let mut random = Random(3);
    let until = look_ahead(AS_OF);
    for family in [Family::Nbd, Family::BgNbd, Family::MbgNbd] {
        bands_as_asked(&mut random, family, 40, &json!({}), until);
        bands_as_asked(
            &mut random,
            family,
            40,
            &json!({"discount_rate": 0, "margin": 0.3, "horizon": "3 years"}),
            until,
        );
    }
    bands_as_asked(&mut random, Family::ParetoNbd, 20, &json!({}), AS_OF + 700);
}

#[test]
fn value_bands_of_erlang_families() {
    let mut random = Random(4);
    for family in [Family::BgCnbdK, Family::MbgCnbdK] {
        bands_as_asked(&mut random, family, 30, &json!({"discount_rate": 0}), AS_OF + 700);
        bands_as_asked(
            &mut random,
            family,
            15,
            &json!({"horizon": "13 weeks", "discount_rate": 0.5}),
            AS_OF + 400,
        );
        bands_as_asked(
            &mut random,
            family,
            15,
            &json!({"horizon": "13 weeks", "discount_rate": -0.2}),
            AS_OF + 400,
        );
    }
}

#[test]
fn rfm_as_asked_day_by_day() {
    let mut random = Random(5);
    for _ in 0..500 {
        let bins = 2 + random.below(9) as usize;
        let rule = if random.below(2) == 0 { Rule::Quantile } else { Rule::RRfm };
        let mut points: Vec<f64> = (1..bins).map(|_| (random.unit() * 3200.0).round() / 4.0 - 20.0).collect();
        points.sort_by(f64::total_cmp);
        let cuts = Cuts::new([&points, &points, &points], bins, rule).unwrap();
        let recency = random.below(1000) as Day;
        let answer = cuts.next_recency(recency).map(|next| next as Day);
        let exact = check(recency, 4000, answer, |r| cuts.scores(f64::from(r), 1.0, 1.0).r, &(points, rule));
        assert!(exact);
    }
    // Cut points of another world saturate.
    let far = Cuts::new([&[1e300], &[1.0], &[1.0]], 2, Rule::Quantile).unwrap();
    assert!(far.next_recency(3).unwrap() > i64::from(day::LAST));
}

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
