//! Purchase models on simulated customers, whose truth is known.

use segmentation_core::base::day::Day;
use segmentation_core::base::money::Money;
use segmentation_core::models::purchase_model::{
    Cells, CustomerSummary, Family, FitOptions, PurchaseModel, Scorer, fit,
};
use segmentation_core::models::spend_model::{
    SpendModel, SpendSummary, ValueOptions, future_value, future_value_interval,
};
use serde_json::json;

/// xorshift64*: the same customers every time.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (2.0 * std::f64::consts::PI * self.uniform()).cos()
    }

    /// Marsaglia and Tsang 2000.
    fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            return self.gamma(shape + 1.0) * self.uniform().powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let z = self.normal();
            let v = (1.0 + c * z).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * z * z + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }

    fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        x / (x + y)
    }
}

/// Purchase times after the first at 0, in days, up to `end`.
fn customer(random: &mut Random, family: Family, k: u32, p: &[f64], end: f64) -> Vec<f64> {
    let rate = random.gamma(p[0]) / p[1];
    let (mut leaves_with, mut leaves_at) = (0.0, f64::INFINITY);
    match family {
        Family::Nbd => {}
        Family::ParetoNbd => leaves_at = random.exponential() / (random.gamma(p[2]) / p[3]),
        _ => leaves_with = random.beta(p[2], p[3]),
    }
    let at_zero = matches!(family, Family::MbgNbd | Family::MbgCnbdK);
    let mut times = Vec::new();
    if at_zero && random.uniform() < leaves_with {
        return times;
    }
    let mut at = 0.0;
    loop {
        at += (0..k).map(|_| random.exponential()).sum::<f64>() / rate;
        if at >= leaves_at.min(end) {
            return times;
        }
        times.push(at);
        if random.uniform() < leaves_with {
            return times;
        }
    }
}

/// Whole days: a purchase on the day of the one before is lost, as in life.
fn days(times: &[f64]) -> impl Iterator<Item = Day> + '_ {
    let mut last = 0;
    std::iter::once(0).chain(times.iter().filter_map(move |t| {
        let day = t.round() as Day;
        (day > last).then(|| {
            last = day;
            day
        })
    }))
}

/// Families with rates in days, slow enough that the rounding to days does not show.
fn families() -> Vec<(Family, u32, Vec<f64>)> {
    vec![
        (Family::Nbd, 1, vec![0.8, 900.0]),
        (Family::BgNbd, 1, vec![0.7, 600.0, 0.8, 2.5]),
        (Family::MbgNbd, 1, vec![0.9, 700.0, 0.8, 1.7]),
        (Family::ParetoNbd, 1, vec![0.7, 700.0, 0.6, 800.0]),
        (Family::BgCnbdK, 2, vec![0.8, 300.0, 0.8, 2.5]),
        (Family::MbgCnbdK, 3, vec![1.2, 250.0, 0.7, 1.9]),
    ]
}

#[test]
fn parameters_are_recovered() {
    let end = 2000;
    for (seed, (family, k, truth)) in families().into_iter().enumerate() {
        let mut random = Random(0x9e37_79b9_7f4a_7c15 + seed as u64);
        let options = FitOptions::from_json(&json!({ "family": family.name(), "unit": "1 day" })).unwrap();
        let mut cells = Cells::new(end, options).unwrap();
        for _ in 0..100_000 {
            let times = customer(&mut random, family, k, &truth, f64::from(end) + 0.49);
            cells.add(days(&times)).unwrap();
        }
        let model = fit(&cells, &mut || {}).unwrap();
        let errors: Vec<f64> = model.standard_errors().unwrap().into_iter().map(Option::unwrap).collect();
        eprintln!("{family:?} k {} {:?} {errors:?} {} cells", model.k, model.parameters, model.cells);
        assert_eq!(model.k, k);
        for ((estimate, truth), error) in model.parameters.iter().zip(&truth).zip(errors) {
            assert!((estimate - truth).abs() < 3.0 * error, "{family:?}: {estimate} {truth} {error}");
        }
    }
}

fn scorer(family: Family, k: u32, parameters: &[f64]) -> Scorer {
    let mut fields: serde_json::Map<_, _> =
        family.parameter_names().iter().zip(parameters).map(|(n, v)| ((*n).to_owned(), json!(v))).collect();
    if family.is_erlang() {
        fields.insert("k".to_owned(), json!(k));
    }
    let model = PurchaseModel::from_json(&json!({
        "kind": "purchase_model", "version": 1, "family": family.name(), "unit": "1 day",
        "as_of": "2024-12-31", "parameters": fields, "log_likelihood": 0, "customers": 1, "cells": 1,
    }))
    .unwrap();
    Scorer::new(&model).unwrap()
}

/// The scores of simulated customers against what the same customers then do.
#[test]
fn scores_agree_with_simulation() {
    let (end, horizon) = (1000.0, 700.0);
    for (seed, (family, k, truth)) in families().into_iter().enumerate() {
        let mut random = Random(0xdead_beef_1234_5677 + seed as u64);
        let scorer = scorer(family, k, &truth);
        // By x, so that no group's error hides in another's: predicted and actual sums.
        let mut groups = vec![[0.0_f64; 7]; 4];
        let (mut inside, mut asked, mut dated) = (0.0, 0.0, 0.0);
        for i in 0..20_000 {
            let times = customer(&mut random, family, k, &truth, end + horizon);
            let before = times.iter().filter(|t| **t <= end).count();
            // Rounded up to days the summary stays a possible one.
            let tx = if before == 0 { 0.0 } else { times[before - 1].round().max(before as f64) };
            let summary = CustomerSummary::new(before as u32, tx as u32, end as u32).unwrap();
            let after = (times.len() - before) as u64;
            let next = times.get(before).map(|t| t - end);

            let churn = scorer.churn_probability(summary, horizon);
            let expected = scorer.expected_purchases(summary, horizon);
            let group = &mut groups[before.min(3)];
            let none = if after == 0 { 1.0 } else { 0.0 };
            for (slot, value) in group.iter_mut().zip([
                1.0,
                churn,
                none,
                churn * (1.0 - churn),
                expected,
                after as f64,
                (after as f64 - expected).powi(2),
            ]) {
                *slot += value;
            }
            if i % 4 != 0 {
                continue;
            }
            // Counts are whole: the probability integral transform is drawn at random within a step.
            let (above, from) = (
                scorer.purchases_at_least(summary, after + 1, horizon),
                scorer.purchases_at_least(summary, after, horizon),
            );
            let place = 1.0 - (above + random.uniform() * (from - above));
            asked += 1.0;
            inside += f64::from((0.05..0.95).contains(&place));
            // The date of the next purchase, drawn at random among those beyond the simulation.
            let waiting = match next {
                Some(t) => scorer.churn_probability(summary, t),
                None => churn * random.uniform(),
            };
            dated += f64::from((0.05..0.95).contains(&waiting));
            let predicted = scorer.next_purchase(summary, 0.9).unwrap();
            for (at, survival) in
                [(predicted.lower_days, 0.95), (predicted.median_days, 0.5), (predicted.upper_days, 0.05)]
            {
                match at {
                    Some(at) => assert!((scorer.churn_probability(summary, at) - survival).abs() < 1e-6),
                    None => assert!(predicted.never >= survival - 1e-6),
                }
            }
        }
        for (x, [n, churn, none, variance, expected, after, square]) in groups.into_iter().enumerate() {
            eprintln!("{family:?} x {x}: n {n} churn {churn:.1} {none} expected {expected:.1} {after}");
            assert!((churn - none).abs() < 3.5 * variance.sqrt() + 1e-9, "{family:?} x {x}: {churn} {none}");
            assert!(
                (expected - after).abs() < 3.5 * square.sqrt() + 1e-9,
                "{family:?} x {x}: {expected} {after}"
            );
        }
        let (counts, dates) = (inside / asked, dated / asked);
        eprintln!("{family:?} counts {counts:.4} dates {dates:.4}");
        assert!((0.88..=0.92).contains(&counts), "{family:?}: {counts}");
        assert!((0.88..=0.92).contains(&dates), "{family:?}: {dates}");
    }
}

/// The predictive interval of value holds as many as it says, and its mean is the expected value.
#[test]
fn intervals_of_future_value() {
    let (family, parameters) = (Family::MbgNbd, [0.9, 200.0, 0.5, 2.5]);
    let (p, q, v) = (4.0, 3.5, 30.0);
    let scorer = scorer(family, 1, &parameters);
    let spend = SpendModel::from_json(&json!({
        "kind": "spend_model", "version": 1, "family": "gamma_gamma", "transactions": "all",
        "as_of": "2024-12-31", "parameters": { "p": p, "q": q, "v": v }, "log_likelihood": 0,
        "customers": 1, "cells": 1,
    }))
    .unwrap();
    let (end, horizon) = (1000.0, 365.0);
    let options = ValueOptions::new(horizon, 0.0, 0.4).unwrap();
    let mut random = Random(4_242);
    let (mut inside, mut asked, mut predicted, mut actual, mut square) = (0.0, 0.0, 0.0, 0.0, 0.0);
    while asked < 1200.0 {
        let times = customer(&mut random, family, 1, &parameters, end + horizon);
        let before = times.iter().filter(|t| **t <= end).count();
        if before == 0 || times[before - 1] < 600.0 {
            continue;
        }
        let tx = times[before - 1].round().max(before as f64);
        let summary = CustomerSummary::new(before as u32, tx as u32, end as u32).unwrap();
        let rate = random.gamma(q) / v;
        let mut total = |n: usize| (0..n).map(|_| random.gamma(p) / rate).sum::<f64>();
        let (spent, later) = (Money::from_f64(total(before)).unwrap(), 0.4 * total(times.len() - before));
        let spent = SpendSummary { transactions: before as u32, total: spent, ..SpendSummary::default() };
        let value = future_value(&scorer, &spend, summary, &spent, &options).unwrap();
        let (low, high) = future_value_interval(&scorer, &spend, summary, &spent, &options, 0.9).unwrap();
        asked += 1.0;
        // The lower end is often an atom at zero, which the interval includes: the upper tail is exact.
        inside += f64::from(later <= high);
        assert!(low <= high);
        predicted += value;
        actual += later;
        square += (value - later).powi(2);
    }
    eprintln!("upper end {:.4} value {predicted:.1} {actual:.1}", inside / asked);
    assert!((0.93..=0.97).contains(&(inside / asked)), "{}", inside / asked);
    assert!((predicted - actual).abs() < 3.5 * square.sqrt(), "{predicted} {actual}");
}

#[test]
fn auto_finds_the_regular_buyers() {
    let mut random = Random(77);
    let mut cells = Cells::new(1000, FitOptions::default()).unwrap();
    for _ in 0..3000 {
        let times = customer(&mut random, Family::MbgCnbdK, 3, &[2.0, 60.0, 0.7, 3.0], 1000.0);
        cells.add(days(&times)).unwrap();
    }
    let model = fit(&cells, &mut || {}).unwrap();
    eprintln!("{:?} {:?}", model.candidates, model.warnings);
    assert_eq!((model.family, model.k), (Family::MbgCnbdK, 3));
}
