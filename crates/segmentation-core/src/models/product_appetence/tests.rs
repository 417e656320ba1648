//! Against brute force and against each other.

// Indices as in the formulas.
#![allow(clippy::needless_range_loop)]

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::data::Data;
use super::ease::{ease_by_customers, strongest};
use super::features::{ALL_DAYS, Customer, Item, REPEAT};
use super::matrix::{Counts, Neighbours, nearest};
use super::tables::Tables;
use super::*;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::money::{Money, SCALE};
use crate::facts::item_history::{Line, net, pack};

/// A small matrix of purchase days, the same everywhere.
fn counts(customers: usize, items: u32) -> Counts {
    let mut counts = Counts::new();
    let mut state = 7_u64;
    for _ in 0..customers {
        let row = (0..items).filter_map(|item| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let n = (state >> 33) % 8;
            (n > 4).then(|| (item, (n - 4) as f32))
        });
        counts.push(row.collect::<Vec<_>>());
    }
    counts
}

fn dense(counts: &Counts, n: usize) -> Vec<Vec<f64>> {
    (0..counts.rows())
        .map(|at| {
            let mut row = vec![0.0; n];
            counts.row(at).iter().for_each(|(i, x)| row[*i as usize] = f64::from(*x));
            row
        })
        .collect()
}

/// The inverse by Gauss-Jordan elimination with pivots: nothing shared with the sweep.
fn inverse(a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut a: Vec<Vec<f64>> = a.to_vec();
    for (i, row) in a.iter_mut().enumerate() {
        row.extend((0..n).map(|j| f64::from(u8::from(i == j))));
    }
    for k in 0..n {
        let pivot = (k..n).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs())).unwrap();
        a.swap(k, pivot);
        let p = a[k][k];
        a[k].iter_mut().for_each(|x| *x /= p);
        let row = a[k].clone();
        for (i, other) in a.iter_mut().enumerate() {
            let factor = other[k];
            if i != k {
                other.iter_mut().zip(&row).for_each(|(x, r)| *x -= factor * r);
            }
        }
    }
    a.into_iter().map(|row| row[n..].to_vec()).collect()
}

#[test]
fn ease_is_its_brute_force_twin() {
    for valued in [false, true] {
        // More than one block of the inverse.
        let n = if valued { 150 } else { 13 };
        let counts = counts(3 * n, n as u32);
        let x: Vec<Vec<f64>> = dense(&counts, n)
            .into_iter()
            .map(|row| row.into_iter().map(|x| if valued || x == 0.0 { x } else { 1.0 }).collect())
            .collect();
        let mut gram = vec![vec![0.0; n]; n];
        for row in &x {
            for i in 0..n {
                (0..n).for_each(|j| gram[i][j] += row[i] * row[j]);
            }
        }
        (0..n).for_each(|i| gram[i][i] += 3.5);
        let p = inverse(&gram);
        let b = ease(&counts, 3.5, valued, n, &mut || {}).unwrap();
        for i in 0..n {
            for j in 0..n {
                let expected = if i == j { 0.0 } else { -p[i][j] / p[j][j] };
                assert!((b[[i, j]] - expected).abs() < 1e-12, "{i} {j}");
            }
        }
    }
}

#[test]
fn the_strongest_are_the_greatest_of_each_column() {
    let n = 30;
    let b = ease(&counts(80, n as u32), 3.5, true, n, &mut || {}).unwrap();
    let few = strongest(&b, 4, &mut || {});
    for to in 0..n {
        let mut by_size: Vec<usize> = (0..n).collect();
        by_size.sort_by(|i, j| b[[*j, to]].abs().total_cmp(&b[[*i, to]].abs()));
        for (rank, from) in by_size.into_iter().enumerate() {
            let kept = few.row(from).iter().find(|e| e.0 as usize == to).map(|e| e.1);
            assert_eq!(kept, (rank < 4).then(|| b[[from, to]] as f32), "{from} {to}");
        }
    }
    // All but the diagonal, if there is room.
    assert_eq!(strongest(&b, n, &mut || {}).entries.len(), n * (n - 1));
}

#[test]
fn ease_by_customers_is_ease() {
    let n = 13;
    let counts = counts(9, n as u32);
    let b = ease(&counts, 3.5, true, n, &mut || {}).unwrap();
    let dual = ease_by_customers(&counts, 3.5, n, 100, &mut || {}).unwrap();
    for i in 0..n {
        for j in 0..n {
            let row = dual.row(i);
            let weight =
                row.binary_search_by_key(&(j as u32), |e| e.0).map_or(0.0, |at| f64::from(row[at].1));
            assert!((weight - b[[i, j]]).abs() < 1e-6, "{i} {j}");
        }
    }
    // The greatest of each column only.
    let few = ease_by_customers(&counts, 3.5, n, 3, &mut || {}).unwrap();
    assert_eq!(few.entries.len(), 3 * n);
    assert!(few.entries.iter().all(|e| dual.entries.contains(e)));
}

#[test]
fn neighbours_are_their_brute_force_twins() {
    let n = 13;
    let counts = counts(40, n as u32);
    let x = dense(&counts, n);
    let column = |i: usize, j: usize| -> (f64, f64) {
        let (mut cosine, mut bm25) = (0.0, 0.0);
        let length = |i: usize| x.iter().map(|r| r[i]).sum::<f64>();
        let buyers = |i: usize| x.iter().filter(|r| r[i] > 0.0).count() as f64;
        let average = (0..n).map(length).sum::<f64>() / n as f64;
        for row in &x {
            if row[i] > 0.0 && row[j] > 0.0 {
                cosine += 1.0 / (buyers(i) * buyers(j)).sqrt();
            }
            let idf = (n as f64).ln() - (1.0 + row.iter().filter(|v| **v > 0.0).count() as f64).ln();
            let w = |i: usize| row[i] * 2.2 / (1.2 * (0.25 + 0.75 * length(i) / average) + row[i]) * idf;
            bm25 += w(i) * w(j);
        }
        (cosine, bm25)
    };
    for how in [Neighbours::Cosine, Neighbours::Bm25] {
        let found = nearest(&counts, n, 5, how, &mut || {});
        for i in 0..n {
            let mut expected: Vec<(f64, u32)> = (0..n)
                .filter(|j| *j != i)
                .map(|j| (if how == Neighbours::Cosine { column(i, j).0 } else { column(i, j).1 }, j as u32))
                .collect();
            expected.sort_by(|a, b| b.0.total_cmp(&a.0));
            assert_eq!(found.row(i).len(), 5);
            for (item, value) in found.row(i) {
                let twin = expected.iter().find(|e| e.1 == *item).unwrap();
                assert!((twin.0 - f64::from(*value)).abs() < 1e-6, "{how:?} {i}");
                assert!(twin.0 >= expected[4].0 - 1e-9);
            }
        }
    }
}

fn history(lines: &[(&str, Day)]) -> Vec<u8> {
    let line =
        |(item, day): &(&'static str, Day)| Line::order(item, *day, Money(SCALE), Money(2 * SCALE)).unwrap();
    let lines: Vec<(&'static str, Day)> = lines.iter().map(|(i, d)| (leak(i), *d)).collect();
    pack(&net(lines.iter().map(line).collect()).unwrap()).unwrap()
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// Two tastes: even customers buy milk and later bread, odd ones beer and crisps; all buy water at times.
fn shop(options: FitOptions) -> AffinityRows {
    let mut rows = AffinityRows::new(200, Rc::new(options)).unwrap();
    for c in 0..240_i32 {
        let mut lines = vec![];
        let (often, also) = if c % 2 == 0 { ("milk", "bread") } else { ("beer", "crisps") };
        for week in 0..28 {
            let day = week * 7 + c % 7;
            if (c * 7 + week * 5) % 9 != 0 {
                lines.push((often, day));
            }
            if (week + c) % 3 == 0 {
                lines.push(("water", day));
            }
            // The second item comes later, at a different time for each, and for some never.
            if c % 5 != 0 && week >= c % 31 && (week * 3 + c) % 4 != 0 {
                lines.push((also, day));
            }
        }
        rows.add(&history(&lines), Some(if c % 2 == 0 { "day" } else { "night" })).unwrap();
    }
    rows
}

/// A drinker of beer, weekly, who never had crisps.
fn drinker() -> Vec<u8> {
    let mut lines: Vec<(&str, Day)> = (0..20).map(|week| ("beer", 198 - week * 7)).collect();
    lines.extend([("water", 150), ("water", 171), ("water", 192)]);
    history(&lines)
}

fn options(text: &str) -> OfferOptions {
    OfferOptions::from_json(&serde_json::from_str(text).unwrap()).unwrap()
}

#[test]
fn tastes_are_found() {
    let model = fit(&shop(FitOptions::default()), &mut || {}).unwrap();
    let all = model.choice(&options("{}"));
    let known = drinker();
    let offers = model.rank(Some(&known), 200, 5, None, &all).unwrap();
    assert_eq!((offers[0].item.as_str(), offers[0].source), ("beer", Source::Repeat));
    assert_eq!(offers[0].reason, "bought every 7 days, last 2 days ago");
    assert_eq!(offers[0].reason_fr, "acheté tous les 7 jours, la dernière fois il y a 2 jours");
    assert!((offers[0].next_due.unwrap() - 205).abs() <= 1);
    let crisps = offers.iter().find(|o| o.item == "crisps").unwrap();
    assert!(crisps.source == Source::Discovery && crisps.reason.starts_with("goes with beer"));
    assert!(crisps.probability > offers.iter().find(|o| o.item == "bread").unwrap().probability);
    assert!(offers.windows(2).all(|w| w[0].score >= w[1].score));
    // The same numbers for one item.
    let one = model.score(Some(&known), 200, "crisps", None, &all).unwrap().unwrap();
    assert_eq!(&one, crisps);
    assert_eq!(model.score(Some(&known), 200, "caviar", None, &all).unwrap(), None);
    // Nobody known: what is popular in the segment.
    let cold = model.rank(None, 200, 2, Some("night"), &all).unwrap();
    assert_eq!(
        (cold[0].item.as_str(), cold[1].item.as_str(), cold[1].source),
        ("water", "beer", Source::Popular)
    );
    let cold = model.rank(None, 200, 2, Some("day"), &all).unwrap();
    assert_eq!(cold[1].item, "milk");
}

#[test]
fn what_may_be_offered() {
    let model = fit(&shop(FitOptions::default()), &mut || {}).unwrap();
    let known = drinker();
    let items = |text: &str| -> Vec<String> {
        let choice = model.choice(&options(text));
        model.rank(Some(&known), 200, 9, None, &choice).unwrap().into_iter().map(|o| o.item).collect()
    };
    assert_eq!(items("{}").len(), 5);
    assert!(!items(r#"{"exclude": ["beer"]}"#).contains(&"beer".to_owned()));
    assert!(!items(r#"{"owned_for_good": ["water", "milk"]}"#).contains(&"water".to_owned()));
    assert!(items(r#"{"owned_for_good": ["water", "milk"]}"#).contains(&"milk".to_owned()));
    assert_eq!(items(r#"{"only": ["milk"]}"#), ["milk"]);
    let drinks = r#"{"categories": {"beer": "alcohol", "milk": "dairy"}, "exclude_categories": ["alcohol"]}"#;
    assert!(!items(drinks).contains(&"beer".to_owned()) && items(drinks).contains(&"milk".to_owned()));
    assert_eq!(items(r#"{"margins": {"beer": 0.1, "milk": 2}, "margin_floor": 1}"#), ["milk"]);
    assert_eq!(items(r#"{"margins": {"beer": -1, "milk": 1000}, "rank_by": "value"}"#), ["milk", "beer"]);
    assert_eq!(items(r#"{"sources": ["repeat"]}"#), ["beer", "water"]);
    assert!(items(r#"{"min_probability": 1}"#).is_empty());
    for bad in
        [r#"{"sources": ["x"]}"#, r#"{"rank_by": "value"}"#, r#"{"margins": {"a": "b"}}"#, r#"{"x": 1}"#]
    {
        assert!(OfferOptions::from_json(&serde_json::from_str(bad).unwrap()).is_err(), "{bad}");
    }
}

#[test]
fn order_merging_and_storing_do_not_matter() {
    let whole = shop(FitOptions::default());
    let mut a = AffinityRows::new(200, Rc::new(FitOptions::default())).unwrap();
    let mut b = a.clone();
    for (at, row) in whole.rows.iter().rev().enumerate() {
        let part = if at % 3 == 0 { &mut a } else { &mut b };
        part.add(&row.history, row.segment.as_deref()).unwrap();
    }
    let mut merged = AffinityRows::from_bytes(&b.to_bytes().unwrap()).unwrap();
    merged.merge(&a).unwrap();
    assert_eq!(merged.to_bytes(), whole.to_bytes());
    let model = fit(&whole, &mut || {}).unwrap();
    assert_eq!(fit(&merged, &mut || {}).unwrap(), model);
    let bytes = model.to_bytes().unwrap();
    assert_eq!(AffinityModel::from_bytes(&bytes).unwrap().as_ref(), Some(&model));
    for cut in 0..bytes.len().min(4000) {
        assert!(AffinityModel::from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_sample_is_the_same_however_merged() {
    let options = Rc::new(FitOptions { memory: 1, ..FitOptions::default() });
    let mut whole = AffinityRows::new(200, Rc::clone(&options)).unwrap();
    let (mut a, mut b) = (whole.clone(), whole.clone());
    for c in 0..40_000 {
        let bytes = history(&[("milk", c % 150), ("bread", c / 150 % 150)]);
        whole.add(&bytes, None).unwrap();
        if c % 2 == 0 { &mut a } else { &mut b }.add(&bytes, None).unwrap();
    }
    a.merge(&b).unwrap();
    assert!(whole.kept().unwrap().0.len() < 30_000);
    assert_eq!(a.to_bytes(), whole.to_bytes());
}

#[test]
fn edge_cases() {
    let nobody = AffinityRows::new(200, Rc::new(FitOptions::default())).unwrap();
    assert_eq!(fit(&nobody, &mut || {}).unwrap_err().kind, crate::ErrorKind::NotReady);
    // One product, one line each: a model that was not learnt, but ranks.
    let mut one = nobody.clone();
    (0..5).for_each(|c| one.add(&history(&[("milk", 190 + c)]), None).unwrap());
    one.add(&history(&[]), None).unwrap();
    let model = fit(&one, &mut || {}).unwrap();
    assert!(model.to_json().unwrap().to_string().contains("blend_not_learnt"));
    let all = model.choice(&options("{}"));
    let offers = model.rank(Some(&history(&[("milk", 200)])), 200, 3, None, &all).unwrap();
    assert_eq!((offers.len(), offers[0].reason.as_str()), (1, "bought once, today"));
    assert!(model.rank(Some(&history(&[])), 200, 0, None, &all).unwrap().is_empty());
    let report = quality(&one, &mut || {}).unwrap();
    assert_eq!((&report["tested"], &report["measures"]), (&0.into(), &serde_json::json!([])));
}

#[test]
fn quality_beats_popularity_here() {
    let report =
        quality(&shop(FitOptions { bootstrap: 50, k: 2, ..FitOptions::default() }), &mut || {}).unwrap();
    let value = |method: &str| {
        let rows = report["measures"].as_array().unwrap().iter();
        let of = |key: &str, m: &serde_json::Value, text: &str| m[key] == text;
        let mut row = rows.filter(|m| {
            of("method", m, method)
                && of("measure", m, "ndcg")
                && of("part", m, "overall")
                && of("task", m, "next_basket")
        });
        row.next().unwrap()["value"].as_f64().unwrap()
    };
    assert!(value("product_appetence") > value("popularity") + 0.2);
    assert!(value("product_appetence") > value("item_item"));
}

#[test]
fn the_next_change_is_the_first() {
    let model = fit(&shop(FitOptions::default()), &mut || {}).unwrap();
    let all = model.choice(&options("{}"));
    let known = history(&[
        ("beer", 170),
        ("beer", 177),
        ("beer", 184),
        ("water", 195),
        ("crisps", 150),
        ("bread", 199),
    ]);
    let list = |day: Day| -> Vec<String> {
        model.rank(Some(&known), day, 3, None, &all).unwrap().into_iter().map(|o| o.item).collect()
    };
    let change = model.next_change(Some(&known), 200, 3, None, &all, &mut || {}).unwrap().unwrap();
    assert!((201..change).all(|day| list(day) == list(200)));
    assert!(change == 231 || list(change) != list(200));
}

// The next basket, and an item in the customer's baskets.

fn fit_options(text: &str) -> Result<FitOptions> {
    FitOptions::from_json(&serde_json::from_str(text).unwrap())
}

/// The features of each item that a customer bought, by name.
fn repeats(pairs: &[(u32, Vec<Day>)], as_of: Day, item: &Item) -> Vec<HashMap<&'static str, f64>> {
    let mut baskets: Vec<Day> = pairs.iter().flat_map(|(_, days)| days).copied().collect();
    baskets.sort_unstable();
    baskets.dedup();
    let customer = Customer::new(pairs.iter().map(|(i, days)| (*i, days.as_slice())), &baskets, as_of);
    let habits = customer.habits(ALL_DAYS);
    let of = |owned| REPEAT.into_iter().zip(habits.repeat(owned, item)).collect();
    customer.owned.iter().map(of).collect()
}

#[test]
fn an_item_in_baskets_by_hand() {
    // Three baskets of 3, 1 and 1 items; a fourth is of after the day.
    let pairs = [(0, vec![10, 20]), (1, vec![10, 30]), (2, vec![10, 40])];
    let item = Item { own: 0.5, large: 0.25, trend: -0.5, ..Item::default() };
    let found = repeats(&pairs, 35, &item);
    let close = |at: usize, name: &str, expected: f64| {
        assert!((found[at][name] - expected).abs() < 1e-7, "{at} {name} {}", found[at][name]);
    };
    let third = 3_f64.ln();
    for (at, large, since, weight) in [
        (0, third / 2.0 - third / 3.0, 1.0, 0.81 + 0.9),
        (1, third / 2.0 - third / 3.0, 0.0, 0.81 + 1.0),
        (2, third - third / 3.0, 2.0, 0.81),
    ] {
        close(at, "large_baskets", large);
        close(at, "baskets_since", f64::ln(since + 1.0));
        close(at, "frequency_by_basket", f64::ln((weight + 0.1) / (1.0 + 0.9 + 0.81 + 0.2)));
        close(at, "item_large_baskets", 0.25);
        close(at, "item_trend", -0.5);
    }
}

#[test]
fn counts_are_of_the_last_days_only() {
    let pairs = [(0, vec![10, 20, 31]), (1, vec![10, 30])];
    let baskets = [10, 20, 30, 31];
    let at = |as_of| Customer::new(pairs.iter().map(|(i, d)| (*i, d.as_slice())), &baskets, as_of);
    let counts = |as_of: Day, window: Day, later: Day| -> [f64; 3] {
        let customer = at(as_of);
        let habits = customer.habits(window).later(later);
        let of = |owned, name| {
            let place = REPEAT.iter().position(|n| *n == name).unwrap();
            habits.counted(owned, &habits.repeat(owned, &Item::default()))[place].exp()
        };
        let [first, second] = &customer.owned[..] else { unreachable!() };
        [of(first, "baskets"), of(first, "purchases") - 1.0, of(second, "purchases") - 1.0].map(f64::round)
    };
    assert_eq!(counts(35, ALL_DAYS, 0), [4.0, 3.0, 2.0]);
    assert_eq!(counts(35, 26, 0), [4.0, 3.0, 2.0]);
    // The day 10 is the 26th before, and falls out first.
    assert_eq!(counts(35, 25, 0), [3.0, 2.0, 1.0]);
    assert_eq!(counts(35, 5, 0), [1.0, 1.0, 0.0]);
    // Nothing within the window is still one who buys.
    assert_eq!(counts(35, 1, 0), [1.0, 0.0, 0.0]);
    // Days that pass are as a later day.
    for later in 0..30 {
        assert_eq!(counts(35, 20, later), counts(35 + later, 20, 0), "{later}");
    }
    // The order is by all that is known.
    let customer = at(35);
    let [all, few] =
        [ALL_DAYS, 5].map(|window| customer.habits(window).repeat(&customer.owned[0], &Item::default()));
    assert_eq!(all, few);
    // What the model learnt of: all that was known as of the split.
    let model = fit(&shop(FitOptions::default()), &mut || {}).unwrap();
    assert_eq!((model.split, model.window), (172, 173));
    assert_eq!(model.to_json().unwrap()["window"], 173);
}

#[test]
fn what_is_known_of_an_item_is_its_brute_force_twin() {
    let rows = shop(FitOptions::default());
    let as_of = 150;
    let data = Data::new(&rows, &mut || {}).unwrap();
    let tables = Tables::new(&data, as_of, rows.options(), true, &mut || {}).unwrap();
    for (at, facts) in tables.items.iter().enumerate() {
        let (mut large, mut bought) = (0.0, 0.0);
        let (mut sold, mut baskets) = ([0.0; 2], [0.0; 2]);
        for customer in 0..data.customers() {
            let mut by_day: BTreeMap<Day, Vec<u32>> = BTreeMap::new();
            for (item, days) in data.pairs(customer) {
                days.iter().filter(|d| **d <= as_of).for_each(|d| by_day.entry(*d).or_default().push(item));
            }
            let logs: Vec<f64> = by_day.values().map(|items| (items.len() as f64).ln()).collect();
            let mean = logs.iter().sum::<f64>() / logs.len() as f64;
            for ((day, items), log) in by_day.iter().zip(&logs) {
                for (n, within) in [14, 90].into_iter().enumerate() {
                    let counts = f64::from(u8::from(as_of - day < within));
                    baskets[n] += counts;
                    sold[n] += if items.contains(&(at as u32)) { counts } else { 0.0 };
                }
                if items.contains(&(at as u32)) {
                    large += log - mean;
                    bought += 1.0;
                }
            }
        }
        assert!((f64::from(facts.large) - large / bought).abs() < 1e-6, "{at}");
        let trend = ((sold[0] / baskets[0] + 2e-4) / (sold[1] / baskets[1] + 2e-4)).ln();
        assert!((f64::from(facts.trend) - trend).abs() < 1e-6, "{at}");
    }
}

/// A number from 0 to 99 for each customer, day and thing: the same everywhere, and of no pattern.
fn chance(customer: i32, day: Day, thing: i32) -> u64 {
    let mut z = (customer as u64) << 40 ^ (day as u64) << 20 ^ thing as u64;
    for _ in 0..3 {
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    (z >> 33) % 100
}

const PANTRY: [&str; 8] = ["bread", "butter", "cheese", "eggs", "flour", "milk", "rice", "sugar"];

/// What a customer buys on a day: on most days a paper and perhaps a coffee, once a week most of the pantry, and more
/// rarely a paper with it.
fn bought(customer: i32, day: Day) -> Vec<&'static str> {
    let often = |thing: i32, percent: u64| chance(customer, day, thing) < percent;
    let weekly = (day + customer) % 7 == 0;
    let mut items = Vec::new();
    if weekly {
        items.extend((0..8).filter(|at| often(*at, 85)).map(|at| PANTRY[at as usize]));
    }
    if often(20, if weekly { 30 } else { 45 }) {
        items.push("paper");
        if often(21, 40) {
            items.push("coffee");
        }
    }
    items
}

const HOUSEHOLDS: i32 = 2000;

/// Households that shop as [`bought`] says, up to a day.
fn town(until: Day, options: FitOptions) -> AffinityRows {
    let mut rows = AffinityRows::new(until, Rc::new(options)).unwrap();
    for customer in 0..HOUSEHOLDS {
        rows.add(&household(customer, until), None).unwrap();
    }
    rows
}

fn household(customer: i32, until: Day) -> Vec<u8> {
    let lines: Vec<(&str, Day)> =
        (0..=until).flat_map(|day| bought(customer, day).into_iter().map(move |i| (i, day))).collect();
    history(&lines)
}

#[test]
fn probabilities_are_of_the_horizon_that_was_asked_for() {
    let until = 180;
    let next = fit(&town(until, fit_options(r#"{"horizon": "next"}"#).unwrap()), &mut || {}).unwrap();
    let week = fit(&town(until, fit_options(r#"{"horizon": 7}"#).unwrap()), &mut || {}).unwrap();
    let all = next.choice(&options("{}"));
    let (mut hits, mut sums) = ([0.0; 2], [0.0; 2]);
    for customer in 0..HOUSEHOLDS {
        let days = |n: i32| (until + 1..=until + n).map(|day| bought(customer, day));
        let basket = days(30).find(|items| !items.is_empty()).unwrap();
        let within: Vec<&str> = days(7).flatten().collect();
        for (at, (model, came)) in [(&next, &basket), (&week, &within)].into_iter().enumerate() {
            for offer in model.rank(Some(&household(customer, until)), until, 99, None, &all).unwrap() {
                hits[at] += f64::from(u8::from(came.contains(&offer.item.as_str())));
                sums[at] += offer.probability;
            }
        }
    }
    // As many come true as the probabilities say; whether 2,000 next baskets are large or small is chance too.
    assert!((sums[0] / hits[0] - 1.0).abs() < 0.1, "{sums:?} {hits:?}");
    assert!((sums[1] / hits[1] - 1.0).abs() < 0.05, "{sums:?} {hits:?}");
    assert!(hits[1] > 2.0 * hits[0]);
    // The pantry was filled today: the next basket is a small one, and within a week it is filled again.
    let place = |model: &AffinityModel, item: &str| {
        let offers = model.rank(Some(&household(2, until)), until, 99, None, &all).unwrap();
        offers.iter().position(|o| o.item == item).unwrap()
    };
    assert_eq!(place(&next, "paper"), 0);
    assert!(
        place(&next, "coffee") < place(&week, "coffee"),
        "{} {}",
        place(&next, "coffee"),
        place(&week, "coffee")
    );
    // Nobody known: the share of baskets, which is less than that of customers within four weeks.
    let cold = |model: &AffinityModel| model.rank(None, until, 1, None, &all).unwrap()[0].probability;
    assert!(cold(&next) < 0.7 && cold(&week) > 0.7, "{} {}", cold(&next), cold(&week));
}

#[test]
fn the_horizon_is_days_or_the_next_basket() {
    let next = fit_options(r#"{"horizon": "next", "next_within": 45, "ridge": 2}"#).unwrap();
    assert_eq!((next.horizon, next.next), (45, true));
    assert_eq!(fit_options(r#"{"horizon": "next"}"#).unwrap().horizon, 28);
    for wrong in [
        r#"{"horizon": "last"}"#,
        r#"{"horizon": 0}"#,
        r#"{"next_within": 3}"#,
        r#"{"horizon": "next", "next_within": 0}"#,
    ] {
        assert!(fit_options(wrong).is_err(), "{wrong}");
    }
    // Kept in the mergeable state, and in the model.
    let rows = town(60, next.clone());
    let read = AffinityRows::from_bytes(&rows.to_bytes().unwrap()).unwrap();
    assert_eq!(**read.options(), next);
    let model = fit(&read, &mut || {}).unwrap();
    assert_eq!(model.to_json().unwrap()["horizon"], "next");
    assert_eq!(model.to_json().unwrap()["next_within"], 45);
    assert_eq!(AffinityModel::from_bytes(&model.to_bytes().unwrap()).unwrap(), Some(model));
}

#[test]
fn models_of_version_1_say_what_they_said() {
    // As that version wrote it, and what it said of one customer.
    let hex: String = include_str!("model_1.hex").split_whitespace().collect();
    let bytes: Vec<u8> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let model = AffinityModel::from_bytes(&bytes).unwrap().unwrap();
    let day = |text| crate::base::day::parse(text).unwrap();
    let known =
        history(&[("beer", day("2024-03-10")), ("milk", day("2024-03-01")), ("milk", day("2024-03-20"))]);
    let expected = [
        ("bread", 0.128_096_153_469_839_57, 0.285_386_391_098_022_4),
        ("milk", 0.002_137_130_509_862_224, 0.076_804_332_681_215_42),
        ("beer", 0.001_090_088_335_180_347_4, 0.029_556_970_838_078_71),
    ];
    let again = AffinityModel::from_bytes(&model.to_bytes().unwrap()).unwrap().unwrap();
    assert_eq!(again, model);
    for model in [model, again] {
        let choice = model.choice(&options("{}"));
        let offers = model.rank(Some(&known), day("2024-03-28"), 3, None, &choice).unwrap();
        assert_eq!(offers.len(), 3);
        for (offer, (item, score, probability)) in offers.iter().zip(expected) {
            assert_eq!(offer.item, item);
            assert!((offer.score - score).abs() < 1e-14 && (offer.probability - probability).abs() < 1e-14);
        }
    }
}
