//! Rules, the fit and the model together, on customers made up with known truth.

use rand_distr::Distribution;
use rand_distr::Uniform;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::SeedableRng;
use serde_json::{Value, json};

use super::fit::{Count, fit, pattern};
use super::frequency::Frequency;
use super::model::{Model, probability};
use super::rules::{Rules, pattern_text};

fn rules() -> Rules {
    Rules::from_json(&json!({
        "comparisons": [
            { "field": "first_name" }, { "field": "last_name" }, { "field": "birth_date" }, { "field": "email" }, { "field": "phone" },
            { "field": "address" }, { "field": "card", "kind": "identifier" },
        ],
        "blocking": [["last_name", "birth_date"], ["email"], ["phone"], ["first_name", "address"]],
    }))
    .unwrap()
}

fn record(rules: &Rules, value: &Value) -> Vec<Option<String>> {
    rules.record(|field| value.get(field).and_then(Value::as_str).map(str::to_owned))
}

fn lent(record: &[Option<String>]) -> Vec<Option<&str>> {
    record.iter().map(Option::as_deref).collect()
}

/// Plain EM over single pairs, written as in the textbook, without patterns and counts.
fn plain(pairs: &[Vec<usize>], u: &[Vec<f64>], rounds: usize) -> (Vec<Vec<f64>>, f64) {
    let mut m: Vec<Vec<f64>> = u
        .iter()
        .map(|levels| {
            let best = levels.len() - 1;
            let raw: Vec<f64> = (0..levels.len())
                .map(|l| if l == best { 0.9 } else { 0.1 * 0.5_f64.powi((best - l) as i32) })
                .collect();
            let all: f64 = raw.iter().sum();
            raw.iter().map(|value| value / all).collect()
        })
        .collect();
    let mut share = 0.1;
    for _ in 0..rounds {
        let posterior: Vec<f64> = pairs
            .iter()
            .map(|pair| {
                let (mut yes, mut no) = (share, 1.0 - share);
                for (field, level) in pair.iter().enumerate() {
                    yes *= m[field][*level];
                    no *= u[field][*level];
                }
                yes / (yes + no)
            })
            .collect();
        let all: f64 = posterior.iter().sum();
        share = all / pairs.len() as f64;
        for (field, levels) in m.iter_mut().enumerate() {
            for (level, value) in levels.iter_mut().enumerate() {
                let seen: f64 = pairs
                    .iter()
                    .zip(&posterior)
                    .filter(|(pair, _)| pair[field] == level)
                    .map(|(_, p)| p)
                    .sum();
                *value = (seen / all).max(1e-6);
            }
        }
    }
    (m, share)
}

/// EM over counts finds what plain EM over pairs finds, and that is near what the pairs were drawn from.
#[test]
fn em_is_that_of_the_textbook() {
    let rules = Rules::from_json(&json!({
        "comparisons": [
            { "field": "card", "kind": "identifier", "levels": ["exact"] },
            { "field": "a", "kind": "text", "levels": ["exact", { "edits": 1 }] },
            { "field": "b", "kind": "text", "levels": ["exact"] }, { "field": "c", "kind": "text", "levels": ["exact"] },
        ],
        "blocking": [["card"]],
    })).unwrap();
    let mut random = Pcg64::seed_from_u64(7);
    let uniform = Uniform::new(0.0, 1.0).unwrap();
    let mut draw = |chances: &[f64]| {
        let mut at = uniform.sample(&mut random);
        chances
            .iter()
            .position(|chance| {
                at -= chance;
                at < 0.0
            })
            .unwrap_or(chances.len() - 1)
    };
    let true_m = [vec![0.05, 0.95], vec![0.1, 0.2, 0.7], vec![0.2, 0.8], vec![0.1, 0.9]];
    let true_u = [vec![0.999, 0.001], vec![0.9, 0.06, 0.04], vec![0.9, 0.1], vec![0.95, 0.05]];
    let mut counts: Vec<Count> = Vec::new();
    let mut add = |pass: usize, levels: &[usize]| {
        let pattern: Vec<Option<usize>> = levels.iter().map(|level| Some(*level)).collect();
        match counts.iter_mut().find(|count| count.pass == pass && count.pattern == pattern) {
            Some(count) => count.pairs += 1.0,
            None => counts.push(Count { pass, pattern, pairs: 1.0 }),
        }
    };
    let mut pairs: Vec<Vec<usize>> = Vec::new();
    for at in 0..20_000 {
        let levels: Vec<usize> = true_u.iter().map(|chances| draw(chances)).collect();
        add(0, &levels);
        let of = if at % 10 < 3 { &true_m } else { &true_u };
        let mut levels: Vec<usize> = of.iter().map(|chances| draw(chances)).collect();
        levels[0] = 1;
        add(1, &levels);
        pairs.push(levels[1..].to_vec());
    }
    let model = fit(&rules, &counts, 1000, &[], &mut || {}).unwrap();
    let u: Vec<Vec<f64>> = model.fields[1..].iter().map(|field| field.u.clone()).collect();
    let (m, share) = plain(&pairs, &u, 2000);
    for (field, expected) in m.iter().enumerate() {
        for (level, expected) in expected.iter().enumerate() {
            assert!((model.fields[field + 1].m[level] - expected).abs() < 1e-3, "{field} {level}");
            assert!((expected - true_m[field + 1][level]).abs() < 0.03, "{field} {level} {expected}");
        }
    }
    assert!((model.passes[0].matches.unwrap() / 20_000.0 - share).abs() < 1e-3);
    assert!((share - 0.3).abs() < 0.02);
    assert!(!model.fields[0].learned && model.fields[1].learned);
    let read = Model::from_json(&model.to_json()).unwrap();
    assert_eq!(read.to_json()["comparisons"], model.to_json()["comparisons"]);
}

fn model() -> Model {
    let rules = rules();
    let m = |levels: usize| {
        let mut m = vec![0.05 / levels as f64; levels + 1];
        m[levels] = 0.95;
        m
    };
    let u = |levels: usize, exact: f64| {
        let mut u = vec![0.01; levels + 1];
        u[levels] = exact;
        u[0] = 1.0 - exact - 0.01 * (levels - 1) as f64;
        u
    };
    let exact = [0.01, 0.001, 0.0001, 1e-6, 1e-6, 1e-5, 1e-7];
    let fields = rules
        .comparisons
        .iter()
        .zip(exact)
        .map(|(comparison, exact)| super::model::Field {
            m: m(comparison.levels.len()),
            u: u(comparison.levels.len(), exact),
            learned: true,
            frequency: Frequency::default(),
        })
        .collect();
    Model { rules, fields, prior: 1e-6, records: 1_000_000, passes: Vec::new() }
}

/// Whether two customers would be put together.
fn merged(model: &Model, a: &Value, b: &Value) -> bool {
    let (a, b) = (record(&model.rules, a), record(&model.rules, b));
    let (a, b) = (lent(&a), lent(&b));
    probability(model.weight(&a, &b).unwrap()) >= 0.95 && model.contradiction(&a, &b).unwrap().is_none()
}

/// Members of a family, twins, father and son of one name, colleagues with one phone: all agree in much, none is another.
#[test]
fn who_is_not_the_same() {
    let model = model();
    let home = json!({ "last_name": "Martin", "email": "famille.martin@orange.fr", "phone": "01 42 68 53 00", "address": "5 rue de la Paix 75002 Paris" });
    let with = |more: Value| {
        let mut all = home.clone();
        more.as_object().unwrap().iter().for_each(|(key, value)| all[key] = value.clone());
        all
    };
    let anne = with(json!({ "first_name": "Anne", "birth_date": "1980-05-01" }));
    for (other, same, what) in [
        (with(json!({ "first_name": "Paul", "birth_date": "1978-11-23" })), false, "husband"),
        (with(json!({ "first_name": "Léa", "birth_date": "1980-05-01" })), false, "twin"),
        (
            with(json!({ "first_name": "Anne", "birth_date": "2009-02-17" })),
            false,
            "mother and daughter of one name",
        ),
        (with(json!({ "first_name": "Paul" })), false, "husband without birth date"),
        (with(json!({ "first_name": "Anne", "birth_date": "01/05/1980" })), true, "herself"),
        (with(json!({ "first_name": "ANNE", "birth_date": "1980-05-10" })), true, "herself, mistyped"),
        (
            json!({ "first_name": "Anne", "last_name": "Durand", "birth_date": "1980-05-01", "email": "famille.martin@orange.fr", "phone": "+33142685300" }),
            true,
            "herself, married",
        ),
        (
            json!({ "first_name": "Martin", "last_name": "Anne", "birth_date": "1980-05-01", "phone": "0142685300", "email": "famille.martin@orange.fr" }),
            true,
            "names in each other's place",
        ),
    ] {
        assert_eq!(merged(&model, &anne, &other), same, "{what}");
        assert_eq!(merged(&model, &other, &anne), same, "{what}");
    }
    // Names alike in letters are other names if both are known, and whoever is called Michel Michel is not all Michels.
    let mut knowing = model.clone();
    knowing.fields[0].frequency.frequent = [
        ("laura".to_owned(), 0.01),
        ("laurent".to_owned(), 0.01),
        ("marie".to_owned(), 0.02),
        ("marie claire".to_owned(), 0.01),
    ]
    .into();
    for (a, b, same) in [
        ("Laura", "Laurent", false),
        ("Laura", "Luara", true),
        ("Marie", "Marie-Claire", true),
        ("Martin", "Anne", false),
    ] {
        let (a, b) = (with(json!({ "first_name": a })), with(json!({ "first_name": b })));
        assert_eq!(merged(&knowing, &a, &b), same, "{a} {b}");
    }
    let jean = json!({ "first_name": "Jean", "last_name": "Petit", "phone": "01 40 20 50 50", "email": "contact@exemple.fr" });
    let marc = json!({ "first_name": "Marc", "last_name": "Roux", "phone": "01 40 20 50 50", "email": "contact@exemple.fr" });
    assert!(!merged(&model, &jean, &marc), "colleagues with the phone of their company");
    // A number of one's own lifts what a name says: a first name can be changed, or be the second one.
    let one =
        json!({ "first_name": "Marie", "last_name": "Curie", "card": "A-123", "birth_date": "1967-11-07" });
    let other =
        json!({ "first_name": "Manya", "last_name": "Curie", "card": "a123", "birth_date": "1967-11-07" });
    assert!(merged(&model, &one, &other));
}

#[test]
fn keys_and_patterns() {
    let rules = rules();
    let a = record(
        &rules,
        &json!({ "first_name": "Bob", "last_name": "Martin", "birth_date": "1980-05-01", "email": "contact@exemple.fr" }),
    );
    let b = record(
        &rules,
        &json!({ "first_name": "Robert", "last_name": "MARTIN", "birth_date": "01/05/1980", "phone": "0612345678" }),
    );
    assert_eq!(a[3], None, "a role's address is nobody's");
    let found = rules.pattern(&lent(&a), &lent(&b)).unwrap();
    assert_eq!(pattern_text(&found), "444----");
    assert_eq!(pattern(&rules, "444----").unwrap(), found);
    for wrong in ["444---", "944----", "44x----", ""] {
        assert!(pattern(&rules, wrong).is_err(), "{wrong}");
    }
    let (keys_a, keys_b) = (rules.keys(&lent(&a)), rules.keys(&lent(&b)));
    assert_eq!(keys_a[0], keys_b[0]);
    assert!(keys_a[0].is_some() && keys_a[1..].iter().all(Option::is_none));
    assert!(rules.pattern(&[None], &[None]).is_err());
}

#[test]
fn a_rare_name_counts_more() {
    let mut model = model();
    model.fields[1].frequency =
        Frequency { collision: None, frequent: [("martin".to_owned(), 0.01)].into(), rest: Some(1e-5) };
    let weight = |name: &str| {
        let a = record(&model.rules, &json!({ "last_name": name }));
        model.weight(&lent(&a), &lent(&a)).unwrap()
    };
    assert!((weight("Kerbrat") - weight("Martin") - 1000_f64.log2()).abs() < 1e-9);
}

#[test]
fn rules_that_are_wrong() {
    for wrong in [
        json!(null),
        json!({}),
        json!({ "comparisons": [], "blocking": [["a"]] }),
        json!({ "comparisons": [{ "field": "a" }], "blocking": [["a"]] }),
        json!({ "comparisons": [{ "field": "email" }], "blocking": [] }),
        json!({ "comparisons": [{ "field": "email" }], "blocking": [["phone"]] }),
        json!({ "comparisons": [{ "field": "email" }], "blocking": [["email:loud"]] }),
        json!({ "comparisons": [{ "field": "email" }, { "field": "email" }], "blocking": [["email"]] }),
        json!({ "comparisons": [{ "field": "email", "levels": [{ "jaro_winkler": 2 }] }], "blocking": [["email"]] }),
        json!({ "comparisons": [{ "field": "email", "levels": ["same"] }], "blocking": [["email"]] }),
        json!({ "comparisons": [{ "field": "phone", "region": "XX1" }], "blocking": [["phone"]] }),
    ] {
        assert!(Rules::from_json(&wrong).is_err(), "{wrong}");
    }
    let rules = rules();
    assert!(fit(&rules, &[], 10, &[], &mut || {}).is_err());
    assert!(Model::from_json(&json!({ "kind": "match_model" })).is_err());
}
