use serde_json::{Value, json};

use super::*;

fn parse(definition: &Value) -> Definition {
    Definition::parse(definition).unwrap_or_else(|error| panic!("{error:?}"))
}

fn assign(definition: &Value, customer: &Value, as_of: Option<&str>) -> Option<String> {
    let definition = parse(definition);
    let as_of = as_of.and_then(day::parse);
    let days = definition.days(as_of).unwrap();
    definition.assign(customer, Context { days: &days, as_of }).map(str::to_owned)
}

fn holds(when: Value, customer: &Value, as_of: Option<&str>) -> Option<bool> {
    let of = |when: Value| {
        let definition = json!({"kind": "rules", "segments": [{"segment": "yes", "when": when}]});
        assign(&definition, customer, as_of).is_some()
    };
    match (of(when.clone()), of(json!({"not": when}))) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
        (true, true) => panic!("{when}"),
    }
}

#[test]
fn many_values_are_looked_for_as_few_are() {
    let list = json!(["a", 1, 1.5, -0.0, true, null, {"x": 1}, "17"]);
    let customer = json!({ "list": list });
    for wanted in [
        json!(1),
        json!(1.5),
        json!(0),
        json!(2),
        json!("a"),
        json!("z"),
        json!("1"),
        json!(true),
        json!(false),
    ] {
        // Others of the same type that are not there, before and after.
        let others: Vec<Value> = match &wanted {
            Value::Number(_) => (100..120).map(Value::from).collect(),
            Value::String(_) => (100..120).map(|n| n.to_string().into()).collect(),
            other => vec![other.clone(); 20],
        };
        let few = |key: &str| holds(json!({ "field": "list", key: [wanted] }), &customer, None);
        let any = [&others[..10], std::slice::from_ref(&wanted), &others[10..]].concat();
        assert_eq!(
            holds(json!({ "field": "list", "contains_any": any }), &customer, None),
            few("contains_any"),
            "{wanted}"
        );
        let all = vec![wanted.clone(); 20];
        assert_eq!(
            holds(json!({ "field": "list", "contains_all": all }), &customer, None),
            few("contains_all"),
            "{wanted}"
        );
        let missing = holds(json!({ "field": "list", "contains_all": any }), &customer, None);
        assert_eq!(missing, if wanted.is_boolean() { few("contains_all") } else { Some(false) }, "{wanted}");
    }
}

#[test]
fn three_valued_logic() {
    let c = json!({"n": 5, "t": "Lyon", "b": true, "null": null, "list": ["a", 1, true], "d": "2024-02-29T10:00:00+01:00", "o": {"x": {"y": 2}}});
    for (when, expected) in [
        (json!({"field": "n", ">=": 5, "<": 5.5}), Some(true)),
        (json!({"field": "n", "=": "5"}), None),
        (json!({"field": "missing", "=": 1}), None),
        (json!({"field": "null", "<>": 1}), None),
        (json!({"field": "null", "is_null": true}), Some(true)),
        (json!({"field": "missing", "is_null": false}), Some(false)),
        (json!({"field": "n", "in": [1, 2, 5.0]}), Some(true)),
        (json!({"field": "n", "not_in": [1, 2]}), Some(true)),
        (json!({"field": "missing", "not_in": [1, 2]}), None),
        (json!({"field": "n", "between": [5, 6]}), Some(true)),
        (json!({"field": "t", "starts_with": "Ly"}), Some(true)),
        (json!({"field": "t", "like": "L__n"}), Some(true)),
        (json!({"field": "n", "like": "%"}), None),
        (json!({"field": "b", "=": true}), Some(true)),
        (json!({"field": "list", "contains": 1}), Some(true)),
        (json!({"field": "list", "contains_all": ["a", "z"]}), Some(false)),
        (json!({"field": "list", "contains_any": ["a", "z"]}), Some(true)),
        (json!({"field": "t", "contains": "L"}), None),
        (json!({"field": "d", "<=": {"date": "2024-02-29"}}), Some(true)),
        (json!({"field": "d", ">=": {"days_ago": 1}}), Some(true)),
        (json!({"field": "d", ">=": {"months_ago": 0}}), Some(false)),
        (json!({"field": "t", ">=": {"days_ago": 1}}), None),
        (json!({"field": ["o", "x", "y"], "=": 2}), Some(true)),
        (json!({"all": []}), Some(true)),
        (json!({"any": []}), Some(false)),
        (json!({"any": [{"field": "missing", "=": 1}, {"field": "n", "=": 5}]}), Some(true)),
        (json!({"any": [{"field": "missing", "=": 1}, {"field": "n", "=": 6}]}), None),
        (json!({"all": [{"field": "missing", "=": 1}, {"field": "n", "=": 6}]}), Some(false)),
        (json!({"all": [{"field": "missing", "=": 1}, {"field": "n", "=": 5}]}), None),
    ] {
        assert_eq!(holds(when.clone(), &c, Some("2024-03-01")), expected, "{when}");
    }
}

#[test]
fn events() {
    let c = json!({"orders": [
        {"date": "2024-01-10", "amount": 10.25, "what": "a"}, {"date": "2024-01-31", "amount": "x", "what": "b"},
        {"date": "2024-02-10", "amount": 0.1, "what": "a"}, {"date": "2024-05-01", "amount": 7, "what": "a"}, {"what": "c"}, 3]});
    let at = Some("2024-03-01");
    for (when, expected) in [
        (json!({"events": "orders", "count": {"=": 5}}), Some(true)),
        (json!({"events": "orders", "count": {"=": 2}, "where": {"field": "what", "=": "a"}}), Some(true)),
        (json!({"events": "orders", "sum": {"of": "amount", "=": 10.35}}), Some(true)),
        (json!({"events": "orders", "count": {"=": 1}, "last_days": 21}), Some(true)),
        (json!({"events": "orders", "count": {"=": 1}, "last_days": 20}), Some(false)),
        (json!({"events": "orders", "count": {"=": 2}, "until": {"date": "2024-01-31"}}), Some(true)),
        (json!({"events": "none", "count": {"=": 0}}), None),
        (
            json!({"events": "orders", "where": {"field": "what", "=": "a"}, "then": {"field": "what", "=": "b"}, "within_days": 21}),
            Some(true),
        ),
        (
            json!({"events": "orders", "where": {"field": "what", "=": "a"}, "then": {"field": "what", "=": "b"}, "within_days": 20}),
            Some(false),
        ),
        // The 20 days after 10 February have not passed on 29 February.
        (
            json!({"events": "orders", "where": {"field": "what", "=": "a"}, "not_then": {"field": "what", "=": "b"}, "within_days": 21}),
            Some(false),
        ),
        (
            json!({"events": "orders", "where": {"field": "what", "=": "a"}, "not_then": {"field": "what", "=": "b"}, "within_days": 20}),
            Some(true),
        ),
    ] {
        assert_eq!(holds(when.clone(), &c, at), expected, "{when}");
    }
}

#[test]
fn as_of_is_needed() {
    let definition = parse(
        &json!({"kind": "rules", "segments": [{"segment": "a", "when": {"field": "d", "<": {"days_ago": 1}}}]}),
    );
    assert!(definition.days(None).unwrap_err().hint.is_some());
    assert!(definition.days(Some(day::FIRST)).is_err());
    assert!(definition.days(Some(Day::MAX)).is_err());
}

/// Caterpillar's matrix: nine criteria, four profiles (definitions of the trade).
fn caterpillar() -> Value {
    json!({"kind": "benefits",
        "criteria": ["performance", "expert_image", "price", "trade_in", "running_cost", "parts", "proximity", "reliability", "finance"],
        "profiles": [
            {"segment": "miners", "weights": [10, 6, 6, 1, 9, 6, 4, 9, 2]},
            {"segment": "quarry", "weights": [8, 7, 7, 5, 8, 7, 7, 7, 5]},
            {"segment": "general_builders", "weights": [7, 5, 9, 8, 5, 5, 6, 5, 7]},
            {"segment": "renters", "weights": [6, 4, 10, 9, 4, 7, 5, 6, 7]}]})
}

#[test]
fn benefits() {
    let matrix = caterpillar();
    let criteria = matrix["criteria"].as_array().unwrap();
    let respondent = |marks: &[f64]| -> Value {
        criteria
            .iter()
            .zip(marks)
            .map(|(c, m)| (c.as_str().unwrap().to_owned(), json!(m)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for profile in matrix["profiles"].as_array().unwrap() {
        // Whoever gives half or twice of a profile's marks is of that profile.
        for factor in [0.5, 1.0, 2.0] {
            let marks: Vec<f64> =
                profile["weights"].as_array().unwrap().iter().map(|w| w.as_f64().unwrap() * factor).collect();
            assert_eq!(assign(&matrix, &respondent(&marks), None).as_deref(), profile["segment"].as_str());
        }
    }
    // What would change the answer does change it.
    let marks = [9.0, 6.0, 7.0, 3.0, 8.0, 6.0, 5.0, 8.0, 4.0];
    let definition = parse(&matrix);
    let explained: Value =
        serde_json::from_str(&definition.explain(&respondent(&marks), Context { days: &[], as_of: None }))
            .unwrap();
    let changes = explained["what_would_change_it"].as_array().unwrap();
    assert!(!changes.is_empty());
    for change in changes {
        let at = criteria.iter().position(|c| *c == change["criterion"]).unwrap();
        let turn = change["beyond"].as_f64().unwrap();
        let direction = (turn - marks[at]).signum();
        let mut moved = marks;
        moved[at] = (turn + direction * 1e-3).max(0.0);
        assert_eq!(assign(&matrix, &respondent(&moved), None).as_deref(), change["segment"].as_str());
        moved[at] = turn - direction * 1e-3;
        assert_eq!(assign(&matrix, &respondent(&moved), None), assign(&matrix, &respondent(&marks), None));
    }
}

#[test]
fn scorecard_and_nearest() {
    let card = json!({"kind": "scorecard", "base": 0.1, "default": "none",
        "points": [{"when": {"field": "a", "=": true}, "points": 0.2}, {"when": {"field": "b", "=": true}, "points": -5}],
        "bands": [{"segment": "low", "from": 0}, {"segment": "high", "from": 0.3}]});
    assert_eq!(assign(&card, &json!({"a": true}), None).as_deref(), Some("high"));
    assert_eq!(assign(&card, &json!({}), None).as_deref(), Some("low"));
    assert_eq!(assign(&card, &json!({"a": true, "b": true}), None).as_deref(), Some("none"));
    let nearest = json!({"kind": "nearest", "max_distance": 3, "model": {
        "features": [{"feature": "age", "scale": 10}, {"feature": "income", "scale": 1000}],
        "clusters": [{"code": "young", "centre": [25, 2000]}, {"code": "old", "centre": [65, 3000]}]}});
    assert_eq!(assign(&nearest, &json!({"age": 30, "income": 2100}), None).as_deref(), Some("young"));
    assert_eq!(assign(&nearest, &json!({"age": 50}), None).as_deref(), Some("old"));
    assert_eq!(assign(&nearest, &json!({"age": 500}), None), None);
    assert_eq!(assign(&nearest, &json!({}), None), None);
}

#[test]
fn faults_have_paths() {
    let faults = |definition: Value| -> Vec<String> {
        Definition::check(&definition)
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|f| format!("{} {}", f.path, f.fault))
            .collect()
    };
    let found = faults(json!({"kind": "rules", "segments": [
        {"segment": "", "when": {"all": [{"field": "a", "=": null}, {"field": 3, "<": true}]}}, {"when": {"x y": 1}}]}));
    assert_eq!(found.len(), 7, "{found:#?}");
    assert!(found[1].starts_with("$.segments[0].when.all[0].\"=\" nothing equals null"), "{found:#?}");
    let mut deep = json!({"field": "a", "=": 1});
    for _ in 0..200 {
        deep = json!({"not": deep});
    }
    let error = Definition::parse(&json!({"kind": "rules", "segments": [{"segment": "a", "when": deep}]}))
        .unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::LimitExceeded);
}

#[test]
fn days() {
    for (text, expected) in [
        ("2024-01-31", true),
        ("2024-01-31T00:00:00", true),
        ("2024-01-31 23:59:59+02", true),
        ("2024-01-31T00:00:00 BC", false),
        ("2024-01-31 BC", false),
        ("2024-01-31x", false),
        ("2024-02-30", false),
        ("infinity", false),
        ("10000-01-01", false),
        ("", false),
    ] {
        assert_eq!(read_day(text.as_bytes()).is_some(), expected, "{text}");
    }
}

#[test]
fn lookalikes_are_found() {
    let mut state = Lookalike::default();
    let mut other = Lookalike::default();
    for i in 0..200 {
        let member = i % 4 == 0;
        let customer = json!({"age": if member { 30 + i % 5 } else { 50 + i % 7 }, "city": if member { "Nice" } else { "Lille" }, "noise": i % 3});
        if i % 2 == 0 { &mut state } else { &mut other }.add(member, &customer).unwrap();
    }
    let mut merged = Lookalike::from_bytes(&state.to_bytes().unwrap()).unwrap();
    merged.merge(&other);
    let model = merged.model().unwrap();
    assert_eq!(model["features"][2]["feature"], "noise");
    let model = LookalikeModel::parse(&model).unwrap().unwrap();
    assert!(model.score(&json!({"age": 31, "city": "Nice"})) > 1.0);
    assert!(model.score(&json!({"age": 52, "city": "Lille"})) < -1.0);
    assert_eq!(model.score(&json!({})), 0.0);
    assert!(Lookalike::default().model().is_err());
}

#[test]
fn reads_every_field() {
    let reads = |definition: Value| -> Vec<String> {
        let definition = Definition::parse(&definition).unwrap();
        let words = |read: super::Read| {
            let events = read.events.map_or_else(String::new, |list| format!("{}: ", list.join(".")));
            let field = read.field.join(".");
            format!("{} {events}{field} {} {}", read.path, read.as_a.name(), read.texts.join("|"))
        };
        definition.reads().into_iter().map(words).collect()
    };
    assert_eq!(
        reads(json!({"kind": "rules", "unknown_fields": ["x"], "segments": [
            {"segment": "a", "when": {"any": [
                {"field": "city", "in": ["Nice", "Paris"]}, {"not": {"field": "city", "starts_with": "N"}},
                {"field": ["company", "size"], ">": 3, "<": 9}, {"field": "left", "is_null": true},
                {"field": "tags", "contains_any": ["x"]}, {"field": "kind", "<": "m"}, {"field": "vip", "=": true}]}},
            {"segment": "b", "when": {"events": "buys", "on": "day", "where": {"field": "category", "=": "garden"},
                "last_days": 30, "sum": {"of": "amount", ">": 10}}},
            {"segment": "c", "when": {"events": "visits", "then": {"field": "what", "not_in": ["order"]},
                "within_days": 3}}]})),
        [
            "$.segments[0].when.any[0] city text Nice|Paris",
            "$.segments[0].when.any[1].not city text ",
            "$.segments[0].when.any[2].\"<\" company.size number ",
            "$.segments[0].when.any[2].\">\" company.size number ",
            "$.segments[0].when.any[3] left any ",
            "$.segments[0].when.any[4] tags list x",
            "$.segments[0].when.any[5] kind text ",
            "$.segments[0].when.any[6] vip boolean ",
            "$.segments[1].when buys list ",
            "$.segments[1].when buys: day day ",
            "$.segments[1].when.where buys: category text garden",
            "$.segments[1].when buys: amount number ",
            "$.segments[2].when visits list ",
            "$.segments[2].when visits: date day ",
            "$.segments[2].when.then.not_in visits: what text order",
        ]
    );
    assert_eq!(
        reads(json!({"kind": "nearest", "model": {"features": [{"feature": "age"}, {"feature": ["a", "b"]}],
            "clusters": [{"code": "x", "centre": [1, 2]}]}})),
        ["$.model.features[0] age number ", "$.model.features[1] a.b number "]
    );
    assert_eq!(
        reads(
            json!({"kind": "benefits", "criteria": ["price"], "profiles": [{"segment": "x", "weights": [1]}]})
        ),
        ["$.criteria[0] price number "]
    );
    let faults = Definition::check(&json!({"kind": "rules", "unknown_fields": [1],
        "segments": [{"segment": "a", "when": {"field": "a", "=": 1}}]}));
    assert_eq!(faults.err().unwrap()[0].path, "$.unknown_fields[0]");
}

#[test]
fn folded_fields_compare_folded() {
    let definition = json!({"kind": "rules", "match": "all", "segments": [
        {"segment": "equal", "when": {"field": "city", "=": "PARIS"}},
        {"segment": "in", "when": {"field": "city", "in": ["LYON", "Paris"]}},
        {"segment": "like", "when": {"field": "city", "like": "PA%\\S"}},
        {"segment": "start", "when": {"field": "city", "starts_with": "PAR"}},
        {"segment": "not", "when": {"not": {"field": "city", "<>": "PARIS"}}},
        {"segment": "other", "when": {"field": "name", "=": "PARIS"}},
        {"segment": "within", "when": {"field": ["city", "name"], "=": "PARIS"}}]});
    let folded =
        Definition::parse(&definition).unwrap().folded(|name| name == "city", |text| text.to_lowercase());
    let context = Context { days: &[], as_of: None };
    let found = |customer: &Value| {
        let segments = folded.memberships(customer, context);
        segments.join(" ")
    };
    assert_eq!(found(&json!({"city": "paris", "name": "paris"})), "equal in like start not");
    assert_eq!(found(&json!({"city": "nice", "name": "PARIS"})), "other");
    assert_eq!(found(&json!({"city": {"name": "paris"}})), "");
}
