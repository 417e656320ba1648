//! The page and its pictures as parsers that are not ours read them: well-formed, and every text of the data a text.

use scraper::{Html, Selector};
use serde_json::{Value, json};

/// Names as people, machines and attackers give them.
const NAMES: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"quoted\" & 'single' </title></style></svg>",
    "👩‍👩‍👧‍👧 familles 🎄",
    "عملاء مخلصون",
    "\u{202E}reversed",
    "control \u{0}\u{1}\u{B} end",
    "]]><!--",
    "onload=\"x\" javascript:alert(1)",
];

fn code(place: usize, customers: f64) -> Value {
    json!({"label": NAMES[place % NAMES.len()], "customers": customers, "turnover": customers * 10.0,
           "future_value": 5, "before": customers + 100.0})
}

/// A document with all parts, hostile names in all places of names.
fn document(language: &str) -> Value {
    let name = NAMES[0];
    let part = |part: &str, data: Value| json!({"part": part, "state": "shown", "data": data});
    json!({"workspace": NAMES[1], "language": language, "as_of": "2025-12-31", "parts": [
        part("axes", json!({"before": "2025-11-30", "axes": [
            {"axis": "rfm", "label": "RFM", "codes": (0..8).map(|place| code(place, 50.0 * place as f64)).collect::<Vec<_>>()},
            {"axis": format!("segment:{name}"), "label": name, "codes": (0..40).map(|place| code(place, 9.0)).collect::<Vec<_>>()}]})),
        part("rfm", json!({"cells": [
            {"r": 5, "f": 5, "customers": 100, "turnover": 1e6, "monetary": 2e6, "expected_churners": 3.5},
            {"r": 1, "f": 5, "customers": 40, "turnover": 0, "monetary": 2e6, "expected_churners": null}]})),
        part("pmg", json!({"curve": [[0, 0], [1, 0.2], [20, 0.7], [100, 1]], "customers": 1000, "turnover": 5e5})),
        part("churn_value", json!({"cells": [
            {"churn": "high", "churn_label": NAMES[2], "churn_position": 3, "value": "high", "value_label": NAMES[3],
             "value_position": 1, "customers": 50, "turnover": 100, "future_value": 900, "expected_churners": 40}]})),
        part("migration", json!({"as_of": "2025-12-31", "retrained": true, "axes": [{"axis": "pmg", "label": "PMG", "flows": [
            {"from": 1, "from_label": NAMES[0], "to": 2, "to_label": NAMES[3], "customers": 10, "turnover": null},
            {"from": 2, "from_label": NAMES[3], "to": 2, "to_label": NAMES[3], "customers": 90, "turnover": 5}]}]})),
        part("cohorts", json!({"cohorts": [{"cohort": "2025-01-01", "customers": 10, "shares": [0.5, 0.25, 0]}]})),
        part("profiles", json!({"profiles": [
            {"code": "profile_1", "label": NAMES[4], "customers": 100, "turnover": 1000, "future_value": 3, "churn_probability": 0.5, "products": [name]},
            {"code": "profile_2", "label": NAMES[6], "customers": 300, "turnover": 100, "future_value": 3, "churn_probability": null}]})),
        part("offers", json!({"products": [{"name": NAMES[7], "customers": 5, "expected": 1.5}]})),
        part("reach", json!({"customers": 100, "channels": [
            {"label": NAMES[5], "reachable": 20, "best_reachable": 10, "best": 50, "preferred": 3}]})),
        part("moments", json!({"weeks": ["2025-12-29", "2026-01-05"], "moments": [{"label": name, "customers": [4, 2]}]})),
        part("campaigns", json!({"campaigns": [
            {"name": name, "as_of": "2025-11-30", "assigned": 900, "held_out": 100, "difference": 2, "lower": 1, "upper": 3, "incremental": 1800},
            {"name": NAMES[1], "as_of": null, "assigned": 1, "held_out": 0, "difference": null, "lower": null, "upper": null, "incremental": null}]})),
        part("change", json!({"before": ["2024-01-01", "2024-12-31"], "after": ["2025-01-01", "2025-12-31"], "groups": [
            {"what": "up", "customers": 40, "turnover_before": 100.5, "turnover_after": 400.5, "change": 300},
            {"what": "lost", "customers": 90, "turnover_before": 1000.5, "turnover_after": 0, "change": -1000.5}],
            "factors": [{"factor": "basket", "before": null, "after": 2.5, "effect": -700.5}],
            "drivers": [{"segment": name, "before": 90.5, "after": 10.5, "contribution": -80, "unexpected": -60.5}]})),
        part("drift", json!({"as_of": "2025-12-31", "retrained": false, "axes": [
            {"axis": "rfm", "label": "RFM", "psi": 0.4, "verdict": "major", "verdict_label": "Major", "moved": 3, "customers": 10}]})),
        part("models", json!({"quality": {"as_of": "2025-11-30", "churn_auc": 0.9, "recency_auc": 0.8, "churn_status": "weak", "churn_reasons": name},
            "candidates": [{"axis": "churn", "label": name, "auc": 0.9, "brier": 0.1, "spearman": null}]})),
        part("health", json!({"measures": [
            {"measure": "with_lines", "label": name, "value": 3, "share": 0.3},
            {"measure": "rows_of_purchases_no_customer", "label": name, "value": 30, "share": 0.3}]})),
    ]})
}

fn texts(html: &Html) -> String {
    html.root_element().text().collect::<Vec<_>>().join("\n")
}

#[test]
fn the_page_is_well_formed_and_names_are_texts() {
    for language in ["en", "fr"] {
        let page = segmentation_report::page(&document(language)).unwrap();
        let html = Html::parse_document(&page);
        assert!(html.errors.is_empty(), "{language}: {:?}", html.errors);
        assert!(
            html.select(&Selector::parse("script, iframe, img, link, object, base").unwrap())
                .next()
                .is_none()
        );
        for element in html.select(&Selector::parse("*").unwrap()) {
            for (name, value) in element.value().attrs() {
                assert!(!name.starts_with("on"), "{name}");
                assert!(name != "href" || value.starts_with('#'), "{value}");
                assert!(name != "src" && !value.contains("url("), "{value}");
            }
        }
        let text = texts(&html);
        for name in [NAMES[0], NAMES[1], NAMES[2], NAMES[3], NAMES[6], NAMES[7]] {
            assert!(text.contains(name), "{language}: {name}");
        }
        assert!(
            text.contains("control \u{FFFD}\u{FFFD}\u{FFFD} end")
                && !page.contains('\u{202E}')
                && !page.contains('\0')
        );
        // All parts have something to say.
        assert!(html.select(&Selector::parse(".nothing").unwrap()).next().is_none());
        assert!(page.len() < 1_000_000, "{}", page.len());
    }
}

#[test]
fn ids_are_unique_and_what_is_pointed_at_is_there() {
    let html = Html::parse_document(&segmentation_report::page(&document("en")).unwrap());
    let mut ids: Vec<String> = Vec::new();
    let all = Selector::parse("*").unwrap();
    for element in html.select(&all) {
        if let Some(id) = element.value().attr("id") {
            assert!(!id.contains(' ') && !id.is_empty(), "{id}");
            ids.push(id.to_owned());
        }
    }
    let number = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(number, ids.len());
    for element in html.select(&all) {
        let pointed = element.value().attr("aria-labelledby").unwrap_or_default().split_whitespace();
        for id in pointed.chain(element.value().attr("href").map(|href| href.trim_start_matches('#'))) {
            assert!(ids.iter().any(|there| there == id), "{id}");
        }
    }
}

#[test]
fn a_picture_is_xml_with_a_title_and_a_description() {
    let segment = format!("segment:{}", NAMES[0]);
    for language in ["en", "fr"] {
        let document = document(language);
        let names = [
            "axis:rfm",
            &segment,
            "rfm",
            "pmg",
            "churn_value",
            "migration:pmg",
            "cohorts",
            "profiles",
            "offers",
            "reach",
            "moments",
            "campaigns",
            "change",
            "drift",
            "models",
            "health",
        ];
        for name in names {
            for width in [240, 390, 720, 2000] {
                let svg = segmentation_report::chart(&document, name, width).unwrap();
                let xml = roxmltree::Document::parse(&svg)
                    .unwrap_or_else(|error| panic!("{name} {width}: {error}\n{svg}"));
                let root = xml.root_element();
                assert_eq!(root.tag_name().name(), "svg");
                assert_eq!(root.attribute("width"), Some(width.to_string().as_str()));
                let text = |tag: &str| {
                    root.children()
                        .find(|child| child.tag_name().name() == tag)
                        .and_then(|child| child.text())
                };
                assert!(
                    text("title").is_some_and(|title| !title.is_empty())
                        && text("desc").is_some_and(|about| !about.is_empty())
                );
                assert!(xml.descendants().all(|node| !matches!(
                    node.tag_name().name(),
                    "script" | "foreignObject" | "image" | "a"
                )));
            }
        }
    }
}

#[test]
fn what_cannot_be_shown_says_why() {
    let document = json!({"workspace": "it's", "language": "en", "as_of": null, "parts": [
        {"part": "rfm", "state": "not_refreshed", "relation": "x.bi_rfm_grid"},
        {"part": "pmg", "state": "no_right", "relation": "x.bi_pmg_curve"},
        {"part": "drift", "state": "missing", "relation": "x.bi_drift"},
        {"part": "axes", "state": "shown", "data": {"before": null, "axes": []}},
        {"part": "health", "state": "shown", "data": null}]});
    let html = Html::parse_document(&segmentation_report::page(&document).unwrap());
    let text = texts(&html);
    assert!(text.contains("CALL refresh_views('it''s')"));
    assert!(text.contains("no right to read x.bi_pmg_curve"));
    assert!(text.contains("x.bi_drift is not there"));
    assert_eq!(html.select(&Selector::parse(".nothing").unwrap()).count(), 5);
    let error = segmentation_report::chart(&document, "rfm", 700).unwrap_err();
    assert!(error.to_string().contains("no picture \"rfm\""), "{error}");
    assert!(error.detail.is_some_and(|detail| detail.contains("refresh_views")));
}

#[test]
fn what_is_not_a_document_is_refused() {
    for wrong in [
        json!(null),
        json!([]),
        json!({}),
        json!({"workspace": "x", "language": "xx", "as_of": null, "parts": []}),
        json!({"workspace": "x", "language": "en", "as_of": null, "parts": [{"part": "nonsense", "state": "shown"}]}),
        json!({"workspace": "x", "language": "en", "as_of": null, "parts": [{"part": "pmg", "state": "shown", "data": {"curve": "x"}}]}),
    ] {
        assert!(segmentation_report::page(&wrong).is_err(), "{wrong}");
    }
    assert!(segmentation_report::chart(&document("en"), "pmg", 100).is_err());
    let error = segmentation_report::chart(&document("en"), "nonsense", 720).unwrap_err();
    assert!(error.hint.is_some_and(|hint| hint.contains("axis:rfm") && hint.contains("migration:pmg")));
}

#[test]
fn numbers_of_any_size_are_drawn() {
    for size in [1e-300, 1e-9, 1.0, 1e15, 1e300, -1e300] {
        let mut document = document("en");
        fn scale(value: &mut Value, size: f64) {
            match value {
                Value::Number(number) if number.as_i64().is_none() || number.as_i64() > Some(9) => {
                    *value = json!(number.as_f64().unwrap_or(1.0) * size);
                }
                Value::Array(items) => items.iter_mut().for_each(|item| scale(item, size)),
                Value::Object(fields) => fields.values_mut().for_each(|item| scale(item, size)),
                _ => {}
            }
        }
        scale(&mut document["parts"], size);
        let page = segmentation_report::page(&document).unwrap();
        assert!(!page.contains("NaN") && !page.contains("inf\"") && page.len() < 1_000_000, "{size}");
    }
}
