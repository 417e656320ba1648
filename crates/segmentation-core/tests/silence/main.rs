//! When a code changes by time alone, against the code itself asked day by day for ten years: whatever
//! the family, the parameters and the history, no change is passed over.

mod churn_level;
mod future_value_band;
mod pmg;
mod rfm;

use segmentation_core::base::day::Day;
use segmentation_core::models::purchase_model::{CustomerSummary, Family, PurchaseModel};
use serde_json::json;

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
