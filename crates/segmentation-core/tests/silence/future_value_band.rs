use segmentation_core::axes::future_value_band::{Valued, value_options};
use segmentation_core::axes::pmg;
use segmentation_core::axes::silence::look_ahead;
use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::models::purchase_model::{Family, Scorer};
use segmentation_core::models::spend_model::{SpendModel, SpendSummary};
use serde_json::{Value, json};

use crate::{AS_OF, Random, check, customer, model};

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
            ..SpendSummary::default()
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
