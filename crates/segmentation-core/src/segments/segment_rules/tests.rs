use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::segment::{Context, Definition};
use super::*;

fn of(rows: &[(String, Value)]) -> SegmentRows {
    let mut state = SegmentRows::default();
    for (segment, features) in rows {
        state.add(segment, features).unwrap();
    }
    state
}

fn assigned(definition: &Definition, features: &Value) -> Option<String> {
    definition.assign(features, Context { days: &[], as_of: None }).map(str::to_owned)
}

/// The rows of a state as JSON objects, as they came in; distinct rows by their order.
fn objects(rows: &SegmentRows) -> Vec<Value> {
    (0..rows.counts.len())
        .map(|row| {
            let mut object = Map::new();
            for column in &rows.columns {
                let value = column.values[row];
                if value.is_nan() {
                    continue;
                }
                let value = match column.kind {
                    rows::Kind::Category => column.categories[value as usize].clone().into(),
                    rows::Kind::Flag => Value::Bool(value == 1.0),
                    _ => value.into(),
                };
                object.insert(column.name.clone(), value);
            }
            Value::Object(object)
        })
        .collect()
}

/// A customer: some features, each of which may be missing, and a segment that depends on them now and then.
fn customer() -> impl Strategy<Value = (String, Value)> {
    let number = prop_oneof![
        Just(Value::Null),
        (-3_i32..40).prop_map(Value::from),
        (0_i32..3000).prop_map(|n| Value::from(f64::from(n) / 100.0)),
        any::<f64>().prop_filter_map("finite", |n| n.is_finite().then(|| n.into())),
    ];
    let whole = prop_oneof![Just(Value::Null), (18_i64..90).prop_map(Value::from)];
    let text = prop_oneof![
        Just(Value::Null),
        prop::sample::select(vec!["Paris", "Lyon", "Lille", "", "it's \"x\"", "é"]).prop_map(Value::from),
    ];
    let flag = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from)];
    (number, whole, text, flag, 0_u8..5).prop_map(|(x, age, city, member, noise)| {
        let old = age.as_i64().is_none_or(|age| age > 50);
        let segment = match noise {
            0 => "noise",
            _ if city == json!("Paris") && old => "a",
            _ if x.as_f64().is_some_and(|x| x > 10.0) || member == json!(true) => "b",
            _ => "c",
        };
        (segment.to_owned(), json!({"x": x, "age": age, "city": city, "member": member}))
    })
}

proptest! {
    #[test]
    fn rules_say_what_the_tree_says(
        customers in prop::collection::vec(customer(), 1..200),
        max_depth in 1_u32..8,
        min_support in prop_oneof![Just(0.0), Just(5.0), Just(0.05)],
        min_purity in prop_oneof![Just(0.0), Just(0.7)],
    ) {
        let options = SegmentRulesOptions { max_depth, min_support, min_purity };
        let state = of(&customers);
        let rows = state.ordered(&mut || {}).unwrap();
        let tree = tree::grow(&rows, &options, &mut || {}).unwrap().unwrap();
        let value = fit_segment_rules(&state, &options, &mut || {}).unwrap().unwrap();
        let definition = Definition::parse(&value).unwrap();
        for (row, object) in objects(&rows).iter().enumerate() {
            let assigned = assigned(&definition, object);
            prop_assert_eq!(assigned.as_deref(), Some(tree.predict(&rows, row)), "{} {}", object, value);
        }
        // Supports are counts of customers, and add up unless leaves were impure.
        let sum: u64 = value["segments"].as_array().unwrap().iter().map(|s| s["comment"]["customers"].as_u64().unwrap()).sum();
        prop_assert!(sum <= customers.len() as u64);
        if min_purity == 0.0 {
            prop_assert_eq!(sum, customers.len() as u64);
        }
    }

    #[test]
    fn any_order_and_any_merge_give_the_same(
        customers in prop::collection::vec(customer(), 1..80),
        cut in 0_usize..80,
    ) {
        let whole = of(&customers);
        let cut = cut.min(customers.len());
        let mut backwards = customers[cut..].to_vec();
        backwards.reverse();
        let mut merged = of(&backwards);
        merged.merge(&of(&customers[..cut]), &mut || {}).unwrap();
        let bytes = whole.to_bytes().unwrap();
        prop_assert_eq!(&bytes, &merged.to_bytes().unwrap());
        let read = SegmentRows::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&bytes, &read.to_bytes().unwrap());
        let options = SegmentRulesOptions::default();
        let rules = |rows: &SegmentRows| fit_segment_rules(rows, &options, &mut || {}).unwrap();
        prop_assert_eq!(rules(&whole), rules(&merged));
        prop_assert_eq!(rules(&whole), rules(&read));
    }

    #[test]
    fn hostile_bytes_are_refused(customers in prop::collection::vec(customer(), 1..10), at: prop::sample::Index, byte: u8) {
        let mut bytes = of(&customers).to_bytes().unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(rows) = SegmentRows::from_bytes(&bytes) {
            let _ = fit_segment_rules(&rows, &SegmentRulesOptions::default(), &mut || {});
        }
    }

    /// The first split against every split that there is.
    #[test]
    fn the_first_split_is_the_best(rows in prop::collection::vec((0_u8..12, 0_u8..4, 0_u8..3), 2..60)) {
        let customers: Vec<(String, Value)> = rows
            .iter()
            .map(|(x, c, s)| (format!("s{s}"), json!({"x": x, "c": format!("c{c}")})))
            .collect();
        let gini = |members: &[u8]| -> f64 {
            if members.is_empty() {
                return 0.0;
            }
            let squares: usize = (0..3).map(|s| members.iter().filter(|m| **m == s).count().pow(2)).sum();
            squares as f64 / members.len() as f64
        };
        let score = |left: &dyn Fn(&(u8, u8, u8)) -> bool| {
            let side = |wanted: bool| -> Vec<u8> { rows.iter().filter(|r| left(r) == wanted).map(|r| r.2).collect() };
            gini(&side(true)) + gini(&side(false))
        };
        let mut best: f64 = 0.0;
        for limit in 1..12 {
            best = best.max(score(&|r| r.0 < limit));
        }
        let numbers = best;
        for set in 1..15_u8 {
            best = best.max(score(&|r| set >> r.1 & 1 == 1));
        }
        let state = of(&customers);
        let rows_of = state.ordered(&mut || {}).unwrap();
        let options = SegmentRulesOptions { max_depth: 1, min_support: 0.0, min_purity: 0.0 };
        let tree = tree::grow(&rows_of, &options, &mut || {}).unwrap().unwrap();
        // Leaves that agree are joined: then only the gain of nothing can be told.
        if let tree::Node::Split { children, .. } = &tree.root {
            let of = |node: &tree::Node| match node {
                tree::Node::Leaf(leaf) => {
                    leaf.counts.iter().map(|n| n * n).sum::<u64>() as f64 / leaf.customers() as f64
                }
                tree::Node::Split { .. } => unreachable!(),
            };
            let found = of(&children[0]) + of(&children[1]);
            prop_assert!(found >= numbers - 1e-9, "{found} {numbers}");
            // Sets are tried by each segment's share: all of them where there are two segments.
            if tree.classes.len() == 2 {
                prop_assert!((found - best).abs() < 1e-9, "{found} {best}");
            }
        }
    }
}

#[test]
fn digits_that_a_double_loses_change_nothing() {
    let text = r#"[["a", 0.99999999999999999999], ["a", 1e-400], ["a", -1e-400], ["b", 1.00000000000000000001],
        ["b", 1.0000000000000002], ["c", 2.5], ["c", 123456789012345678901234567890]]"#;
    let list: Vec<(String, serde_json::Number)> = serde_json::from_str(text).unwrap();
    let customers: Vec<(String, Value)> =
        list.into_iter().map(|(segment, n)| (segment, json!({ "x": n }))).collect();
    let state = of(&customers);
    let options = SegmentRulesOptions { max_depth: 8, min_support: 0.0, min_purity: 0.0 };
    let value = fit_segment_rules(&state, &options, &mut || {}).unwrap().unwrap();
    assert!(Definition::parse(&value).is_ok());
}

#[test]
fn a_range_of_whole_numbers_is_between() {
    let customers: Vec<(String, Value)> = (0..100)
        .map(|age| (if (30..60).contains(&age) { "mid" } else { "other" }.to_owned(), json!({"age": age})))
        .collect();
    let options = SegmentRulesOptions::default();
    let value = fit_segment_rules(&of(&customers), &options, &mut || {}).unwrap().unwrap();
    assert_eq!(value["segments"][0]["when"], json!({"field": "age", "between": [30, 59]}));
    assert_eq!(
        value["segments"][0]["comment"],
        json!({"customers": 30, "share": 0.3, "purity": 1.0, "lift": 3.3333})
    );
    assert_eq!(value["default"], "other");
}

#[test]
fn missing_values_find_their_side() {
    let mut customers: Vec<(String, Value)> = (0..60)
        .map(|age| (if age < 30 { "young" } else { "old" }.to_owned(), json!({"age": age, "x": 1})))
        .collect();
    customers.extend((0..20).map(|_| ("young".to_owned(), json!({"x": 1}))));
    let options = SegmentRulesOptions::default();
    let value = fit_segment_rules(&of(&customers), &options, &mut || {}).unwrap().unwrap();
    let young = json!({"any": [{"field": "age", "<": 30}, {"field": "age", "is_null": true}]});
    let rules = value["segments"].as_array().unwrap();
    assert!(rules.iter().any(|r| r["segment"] == "young" && r["when"] == young), "{value}");
}

#[test]
fn what_is_refused() {
    let mut rows = SegmentRows::default();
    rows.add("a", &json!({"x": 1})).unwrap();
    for (segment, features) in [
        ("a", json!({"x": "1"})),
        ("a", json!({"x": [1]})),
        ("", json!({"x": 1})),
        (&"a".repeat(201), json!({"x": 1})),
        ("a", json!({"y": 2, "x": true})),
    ] {
        assert!(rows.add(segment, &features).is_err(), "{features}");
    }
    rows.add("b", &json!({"x": 2})).unwrap();
    let options = SegmentRulesOptions { min_support: 1.0, ..SegmentRulesOptions::default() };
    let value = fit_segment_rules(&rows, &options, &mut || {}).unwrap().unwrap();
    assert_eq!(value["segments"][0]["when"], json!({"field": "x", ">=": 2}));
    assert_eq!(fit_segment_rules(&SegmentRows::default(), &options, &mut || {}).unwrap(), None);
}

#[test]
fn an_interrupt_comes_soon() {
    let mut rows = SegmentRows::default();
    for i in 0..50_000_u64 {
        let x = |k: u64| (i * k % 10_007) as f64 / 7.0;
        rows.add(&format!("s{}", i * i % 5), &json!({"a": x(3), "b": x(7), "c": x(11), "d": x(13)})).unwrap();
    }
    let (mut last, mut longest) = (std::time::Instant::now(), std::time::Duration::ZERO);
    fit_segment_rules(&rows, &SegmentRulesOptions { max_depth: 8, ..Default::default() }, &mut || {
        longest = longest.max(last.elapsed());
        last = std::time::Instant::now();
    })
    .unwrap();
    assert!(longest.as_millis() < 500, "{longest:?}");
}

/// Numbers and classes as linfa takes them, and as rows.
fn numbers(
    n: usize,
    width: usize,
    classes: usize,
) -> (ndarray::Array2<f64>, ndarray::Array1<usize>, SegmentRows) {
    let mut seed = 7_u64;
    let mut random = || {
        seed = crate::base::hash::mix(seed);
        (seed >> 40) as f64 / 1e4
    };
    let points = ndarray::Array2::from_shape_fn((n, width), |_| random());
    let targets: ndarray::Array1<usize> = points
        .rows()
        .into_iter()
        .map(|row| (row[0] / 600.0 + row[1 % width] / 1500.0) as usize % classes)
        .collect();
    let mut rows = SegmentRows::default();
    for (point, class) in points.rows().into_iter().zip(&targets) {
        let object: Map<String, Value> =
            point.iter().enumerate().map(|(j, x)| (format!("f{j:02}"), (*x).into())).collect();
        rows.add(&format!("s{class}"), &Value::Object(object)).unwrap();
    }
    (points, targets, rows)
}

mod against_linfa {
    use linfa::DatasetBase;
    use linfa::traits::{Fit, Predict};
    use linfa_trees::DecisionTree;
    use ndarray::{Array1, array};

    use super::*;

    fn accuracy(rows: &SegmentRows, options: &SegmentRulesOptions) -> f64 {
        let rows = rows.ordered(&mut || {}).unwrap();
        let tree = tree::grow(&rows, options, &mut || {}).unwrap().unwrap();
        let codes = &rows.segment.categories;
        let right = (0..rows.counts.len())
            .filter(|row| tree.predict(&rows, *row) == codes[rows.segment.values[*row] as usize]);
        right.map(|row| rows.counts[row]).sum::<u64>() as f64 / rows.counts.iter().sum::<u64>() as f64
    }

    #[test]
    fn the_first_split_is_theirs() {
        let (points, targets, rows) = numbers(2000, 5, 2);
        let options = SegmentRulesOptions { max_depth: 1, min_support: 1.0, min_purity: 0.0 };
        let data = DatasetBase::new(points.clone(), targets.clone());
        let tree = DecisionTree::params().max_depth(Some(1)).min_weight_leaf(1.0).fit(&data).unwrap();
        let right = tree.predict(&points).iter().zip(&targets).filter(|(a, b)| a == b).count();
        assert!((accuracy(&rows, &options) - right as f64 / 2000.0).abs() < 1e-12);
    }

    /// A split between two values is left out where a customer of another part has the lower of them.
    #[test]
    fn linfa_leaves_out_splits() {
        let mut points = Vec::new();
        let mut targets = Vec::new();
        for (x, y, class, times) in [(1.0, 0.0, 0_usize, 4), (2.0, 0.0, 1, 4), (1.0, 1.0, 2, 20)] {
            for _ in 0..times {
                points.push([x, y]);
                targets.push(class);
            }
        }
        let mut rows = SegmentRows::default();
        for (point, class) in points.iter().zip(&targets) {
            rows.add(&format!("s{class}"), &json!({"x": point[0], "y": point[1]})).unwrap();
        }
        let options = SegmentRulesOptions { max_depth: 2, min_support: 1.0, min_purity: 0.0 };
        assert_eq!(accuracy(&rows, &options), 1.0);
        let points = ndarray::Array2::from(points);
        let data = DatasetBase::new(points.clone(), Array1::from(targets.clone()));
        let tree = DecisionTree::params()
            .max_depth(Some(2))
            .min_weight_leaf(1.0)
            .min_weight_split(2.0)
            .fit(&data)
            .unwrap();
        let right = tree.predict(&points).iter().zip(&targets).filter(|(a, b)| a == b).count();
        assert_eq!(right, 24);
    }

    /// Values less than 1e-5 apart are the same to it, whatever their unit.
    #[test]
    fn linfa_has_a_unit() {
        let points = array![[1e-6], [2e-6], [3e-6], [4e-6]];
        let data = DatasetBase::new(points.clone(), array![0_usize, 0, 1, 1]);
        let tree = DecisionTree::params().min_weight_leaf(1.0).fit(&data).unwrap();
        assert_eq!(tree.num_leaves(), 1);
        let mut rows = SegmentRows::default();
        for (x, class) in [(1e-6, "a"), (2e-6, "a"), (3e-6, "b"), (4e-6, "b")] {
            rows.add(class, &json!({ "x": x })).unwrap();
        }
        let options = SegmentRulesOptions { min_support: 1.0, ..SegmentRulesOptions::default() };
        assert_eq!(accuracy(&rows, &options), 1.0);
    }

    /// `cargo test --release -p segmentation-core against_linfa -- --ignored --nocapture`.
    #[test]
    #[ignore = "takes its time; for docs/architecture.md"]
    fn speed() {
        let (points, targets, rows) = numbers(100_000, 30, 5);
        let options = SegmentRulesOptions::default();
        let began = std::time::Instant::now();
        let value = fit_segment_rules(&rows, &options, &mut || {}).unwrap().unwrap();
        println!("tree of 100,000 x 30, 5 segments, ours: {:.3} s", began.elapsed().as_secs_f64());
        println!("{}", value["comment"]);
        let data = DatasetBase::new(points.clone(), targets.clone());
        let began = std::time::Instant::now();
        let tree = DecisionTree::params()
            .max_depth(Some(4))
            .min_weight_leaf(1000.0)
            .min_weight_split(2000.0)
            .fit(&data)
            .unwrap();
        println!("linfa: {:.3} s", began.elapsed().as_secs_f64());
        let right = tree.predict(&points).iter().zip(&targets).filter(|(a, b)| a == b).count();
        println!("right for {right}");
    }
}
