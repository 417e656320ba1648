//! Stored values and states of aggregates.

use std::fmt::Debug;

use segmentation_core::Result;
use segmentation_core::axes::pmg::{Limits, Mode, Turnovers};
use segmentation_core::axes::rfm::{Rule, Values};
use segmentation_core::b2b::opening_hours::{self, Mask};
use segmentation_core::b2b::peers::Peers;
use segmentation_core::facts::event_log::{self, EventLog, LogKind};
use segmentation_core::facts::gaps::PriorState;
use segmentation_core::facts::item_history;
use segmentation_core::facts::purchase_history::{self, History, growing_entries, pack_growing};
use segmentation_core::measure::prediction_quality::PredictionQuality;
use segmentation_core::measure::uplift::Outcomes;
use segmentation_core::models::channels::{self, ChannelCells};
use segmentation_core::models::churn_model::ChurnRows;
use segmentation_core::models::churn_stack::StackRows;
use segmentation_core::models::product_appetence::{AffinityModel, AffinityRows, OfferOptions};
use segmentation_core::models::profile::ProfileRows;
use segmentation_core::models::purchase_model::Cells;
use segmentation_core::models::retention_model::Contracts;
use segmentation_core::models::send_time::{SendHours, SendTimeCells, SendTimeOptions};
use segmentation_core::models::spend_model::SpendCells;
use segmentation_core::models::value_stack::{self, ValueRows};
use segmentation_core::segments::association::Crossing;
use segmentation_core::segments::association_rules::{BasketCounts, RuleOptions};
use segmentation_core::segments::criteria::Criterion;
use segmentation_core::segments::segment::{Definition, Lookalike, LookalikeModel};
use segmentation_core::segments::segment_rules::{SegmentRows, SegmentRulesOptions, fit_segment_rules};

use crate::{finite, probability};

/// What is accepted is written in one form, which reads as the same; `merge` of it with itself does not fail badly.
fn state<T>(
    bytes: &[u8],
    read: impl Fn(&[u8]) -> Result<T>,
    write: impl Fn(&T) -> Result<Vec<u8>>,
    merge: impl Fn(&mut T, &T),
) -> Option<T> {
    let value = read(bytes).ok()?;
    let written = written(&value, &write);
    let mut again = read(&written).expect("what was written is read");
    assert_eq!(written, self::written(&again, &write), "the written form is stable");
    merge(&mut again, &value);
    Some(value)
}

fn written<T>(value: &T, write: &impl Fn(&T) -> Result<Vec<u8>>) -> Vec<u8> {
    write(value).expect("what is accepted can be written")
}

fn drop_result<T: Debug>(result: Result<T>) {
    drop(result);
}

pub fn history(bytes: &[u8]) {
    if let Ok(history) = History::validate(bytes) {
        let text = history.to_text().expect("a valid history has a text");
        assert_eq!(purchase_history::parse_text(&text).expect("its text is valid"), bytes);
        history.to_json().expect("a valid history has a JSON form");
        assert_eq!(history.until(i32::MAX).expect("it ends"), bytes);
    }
    // Accessors read stored bytes without validating them first: they may err, never panic.
    if let Ok(history) = History::read(bytes) {
        let _ = history.totals(i32::MIN, i32::MAX);
        let _ = history.purchase_days_until(8000);
        let _ = history.next_day(8000, true);
        let _ = history.until(8000);
        let _ = history.to_json();
    }
    if let Ok(entries) = growing_entries(bytes) {
        let _ = entries.count();
    }
    drop_result(pack_growing(bytes));
}

pub fn item_history(bytes: &[u8]) {
    if item_history::validate(bytes).is_ok() {
        let lines = item_history::unpack(bytes).expect("a valid history is read");
        assert_eq!(item_history::pack(&lines).expect("it is packed"), bytes);
        let text = item_history::to_text(&lines).expect("it has a text");
        assert_eq!(item_history::from_text(&text).expect("its text is valid"), bytes);
        item_history::to_json(&lines).expect("it has a JSON form");
    }
    if let Ok(lines) = item_history::lines(bytes) {
        let _ = item_history::next_day(&lines, 8000);
        let _ = item_history::totals(&lines, i32::MAX);
        let _ = item_history::purchases_of(&lines, |item| item.len() % 2 == 1);
        let _ = item_history::net(lines);
    }
    let _ = item_history::until(bytes, 8000);
    let mut own = bytes.to_vec();
    if let Ok(log) = item_history::Log::resume(&mut own) {
        let _ = log.used();
    }
}

fn event_log(kind: LogKind, bytes: &[u8]) {
    let Ok(log) = EventLog::read(kind, bytes) else { return };
    let packed = log.pack(kind).expect("what is read is packed");
    let again = EventLog::read(kind, &packed).expect("what was packed is read");
    assert_eq!(again.pack(kind).expect("and again"), packed, "the packed form is stable");
    let counting = ChannelCells::options(&serde_json::json!({})).expect("no options are options");
    for as_of in [i32::MIN, 0, 8000, i32::MAX] {
        for (sent, responses) in event_log::counts(&log, as_of, &counting) {
            finite(Some(sent));
            finite(Some(responses));
        }
        let _ = event_log::contacts(&log, as_of, Some(30), Some("email"));
        let _ = event_log::last_response(&log, as_of);
        let _ = event_log::consent(&log, "email", as_of, Some(365));
        finite(event_log::engagement(&log, as_of, 30.0, |_| 1.0, &mut || {}).ok());
    }
}

pub fn contact_history(bytes: &[u8]) {
    event_log(LogKind::Contacts, bytes);
}

pub fn consent_history(bytes: &[u8]) {
    event_log(LogKind::Consents, bytes);
}

pub fn interaction_history(bytes: &[u8]) {
    event_log(LogKind::Interactions, bytes);
}

pub fn channel_cells(bytes: &[u8]) {
    let cells = state(bytes, ChannelCells::from_bytes, ChannelCells::to_bytes, |a, b| {
        let _ = a.merge(b);
    });
    if let Some(cells) = cells
        && bytes.len() < 500
    {
        let _ = channels::fit(&cells, &mut || {});
    }
}

pub fn crossing(bytes: &[u8]) {
    if let Some(crossing) = state(
        bytes,
        Crossing::from_bytes,
        |c| Ok(c.to_bytes()),
        |a, b| {
            let _ = a.merge(b);
        },
    ) {
        let pairs = crossing.pairs();
        finite(pairs.adjusted_rand_index());
        finite(pairs.psi());
        finite(pairs.cramers_v().map(|(v, _)| v));
        let _ = (pairs.mutual_information(), pairs.chi_squared(), crossing.migrations());
    }
}

pub fn basket_counts(bytes: &[u8]) {
    let counts = state(
        bytes,
        BasketCounts::from_bytes,
        |c| c.to_bytes(),
        |a, b| {
            let _ = a.merge(b);
        },
    );
    if let Some(counts) = counts {
        let options = RuleOptions::from_json(&serde_json::json!({})).expect("no options are options");
        for rule in counts.rules(&options, &mut || {}).into_iter().flatten() {
            let _ = rule.to_json();
        }
    }
}

pub fn peers(bytes: &[u8]) {
    let peers = state(
        bytes,
        Peers::from_bytes,
        |p| p.to_bytes(),
        |a, b| {
            let _ = a.merge(b);
        },
    );
    if let Some(benchmark) = peers.and_then(|peers| peers.benchmark(&mut || {}).ok().flatten()) {
        finite(Some(benchmark.median));
        finite(Some(benchmark.upper));
    }
}

pub fn churn_rows(bytes: &[u8]) {
    state(bytes, ChurnRows::from_bytes, ChurnRows::to_bytes, |a, b| {
        let _ = a.merge(b);
    });
}

pub fn churn_stack_rows(bytes: &[u8]) {
    if let Ok(rows) = StackRows::from_bytes(bytes) {
        assert_eq!(rows.to_bytes().expect("it is written"), bytes);
        let mut twice = StackRows::from_bytes(bytes).expect("the same bytes");
        let _ = twice.merge(&rows, &mut || {});
        if bytes.len() < 1_500 {
            let _ = segmentation_core::models::churn_stack::fit(&rows, &mut || {});
        }
    }
}

pub fn value_stack_rows(bytes: &[u8]) {
    if let Ok(rows) = ValueRows::from_bytes(bytes) {
        assert_eq!(rows.to_bytes().expect("it is written"), bytes);
        let mut twice = ValueRows::from_bytes(bytes).expect("the same bytes");
        let _ = twice.merge(&rows, &mut || {});
        if bytes.len() < 1_500 {
            let _ = value_stack::fit(&rows, &mut || {});
        }
    }
}

pub fn criterion(bytes: &[u8]) {
    let criterion = state(
        bytes,
        Criterion::from_bytes,
        |c| Ok(c.to_bytes()),
        |a, b| {
            let _ = a.merge(b);
        },
    );
    if let Some(criterion) = criterion {
        let _ = criterion.report();
    }
}

pub fn prior_state(bytes: &[u8]) {
    let prior = state(
        bytes,
        PriorState::from_bytes,
        |p| Ok(p.to_bytes()),
        |a, b| {
            let _ = a.merge(b);
            let _ = a.fit(1);
        },
    );
    if let Some(prior) = prior {
        let _ = prior.fit(3);
    }
}

pub fn turnovers(bytes: &[u8]) {
    let turnovers = state(
        bytes,
        Turnovers::from_bytes,
        |t| t.to_bytes(&mut || {}),
        |a, b| {
            let _ = a.merge(b);
        },
    );
    if let Some(turnovers) = turnovers {
        finite(turnovers.gini(&mut || {}).ok().flatten());
        let _ = turnovers.concentration(10, &mut || {});
        for mode in ["customers", "turnover"] {
            if let Ok(limits) = Mode::parse(mode).and_then(|mode| Limits::new(mode, None, None)) {
                let _ = turnovers.cuts(limits, &mut || {});
            }
        }
    }
}

pub fn prediction_quality(bytes: &[u8]) {
    for read in [PredictionQuality::from_bytes, PredictionQuality::scores_from_bytes] {
        let quality = state(bytes, read, PredictionQuality::to_bytes, |a, b| {
            let _ = a.merge(b);
        });
        if let Some(quality) = quality {
            if let Ok(report) = quality.report(&mut || {}) {
                let _ = report.to_json();
            }
            if let Ok(ranking) = quality.ranking() {
                let _ = ranking.to_json();
            }
        }
    }
}

pub fn affinity_rows(bytes: &[u8]) {
    state(
        bytes,
        AffinityRows::from_bytes,
        |r| r.to_bytes(),
        |a, b| {
            let _ = a.merge(b);
        },
    );
}

pub fn affinity_model(bytes: &[u8]) {
    let _ = AffinityModel::header(bytes);
    let Ok(Some(model)) = AffinityModel::from_bytes(bytes) else { return };
    let written = model.to_bytes().expect("what is accepted can be written");
    assert!(AffinityModel::from_bytes(&written).expect("what was written is read").is_some());
    let _ = model.to_json();
    let _ = model.item_facts().count();
    let _ = model.neighbours("cosine", 3);
    let options = OfferOptions::from_json(&serde_json::json!({})).expect("no options are options");
    let choice = model.choice(&options);
    let _ = model.rank(None, 8000, 5, None, &choice);
    let known = item_history::from_text(r#"[["a","2021-11-01",1,"1","1"]]"#).expect("a valid history");
    let _ = model.rank(Some(&known), 8000, 5, None, &choice);
    probability(model.probability(None, 8000, "a").ok().flatten());
}

pub fn profile_rows(bytes: &[u8]) {
    state(
        bytes,
        ProfileRows::from_bytes,
        |r| r.to_bytes(),
        |a, b| {
            let _ = a.merge(b, &mut || {});
        },
    );
}

pub fn segment_rows(bytes: &[u8]) {
    state(
        bytes,
        SegmentRows::from_bytes,
        |r| r.to_bytes(),
        |a, b| {
            let _ = a.merge(b, &mut || {});
        },
    );
    if let Ok(rows) = SegmentRows::from_bytes(bytes)
        && let Ok(Some(rules)) = fit_segment_rules(&rows, &SegmentRulesOptions::default(), &mut || {})
    {
        assert!(Definition::parse(&rules).is_ok(), "{rules}");
    }
}

pub fn purchase_cells(bytes: &[u8]) {
    if let Ok(cells) = Cells::from_bytes(bytes) {
        assert_eq!(cells.to_bytes().expect("it is written"), bytes);
        let mut twice = Cells::from_bytes(bytes).expect("the same bytes");
        let _ = twice.merge(&cells, &mut || {});
    }
}

pub fn spend_cells(bytes: &[u8]) {
    if let Ok(cells) = SpendCells::from_bytes(bytes) {
        assert_eq!(cells.to_bytes().expect("it is written"), bytes);
        let mut twice = SpendCells::from_bytes(bytes).expect("the same bytes");
        let _ = twice.merge(&cells, &mut || {});
    }
}

pub fn contracts(bytes: &[u8]) {
    state(bytes, Contracts::from_bytes, Contracts::to_bytes, |a, b| {
        let _ = a.merge(b);
    });
}

pub fn rfm_values(bytes: &[u8]) {
    let values = state(
        bytes,
        Values::from_bytes,
        |v| v.to_bytes(&mut || {}),
        |a, b| {
            let _ = a.merge(b);
        },
    );
    if let Some(values) = values {
        for rule in ["quantile", "nested"] {
            if let Ok(rule) = Rule::parse(rule) {
                let _ = values.cuts(5, rule, &mut || {});
            }
        }
    }
}

pub fn lookalike(bytes: &[u8]) {
    let lookalike = state(bytes, Lookalike::from_bytes, Lookalike::to_bytes, Lookalike::merge);
    if let Some(model) = lookalike.and_then(|lookalike| lookalike.model().ok())
        && let Ok(Some(model)) = LookalikeModel::parse(&model)
    {
        finite(Some(model.score(&serde_json::json!({ "a": 1, "b": "x" }))));
    }
}

pub fn send_hours(bytes: &[u8]) {
    if let Ok(hours) = SendHours::read(bytes) {
        let packed = hours.pack();
        assert_eq!(SendHours::read(&packed).expect("what was packed is read").pack(), packed);
        finite(Some(hours.total()));
        let _ = SendHours::from_array(&hours.array());
    }
}

pub fn send_time_cells(bytes: &[u8]) {
    let cells = state(bytes, SendTimeCells::from_bytes, |c| Ok(c.to_bytes()), SendTimeCells::merge);
    if let Some(cells) = cells {
        let options = SendTimeOptions::from_json(&serde_json::json!({})).expect("no options are options");
        let _ = cells.fit(&options);
    }
}

pub fn outcomes(bytes: &[u8]) {
    let outcomes = state(
        bytes,
        Outcomes::from_bytes,
        |o| o.to_bytes(),
        |a, b| {
            let _ = a.merge(b, &mut || {});
        },
    );
    if let Some(uplift) = outcomes.and_then(|outcomes| outcomes.uplift(0.95).ok()) {
        let _ = uplift.incremental();
    }
}

pub fn opening_mask(bytes: &[u8]) {
    if let Some(mask) = Mask::from_bytes(bytes) {
        assert_eq!(mask.bytes(), bytes);
        let text = mask.text();
        if !text.is_empty() {
            let again = opening_hours::parse(&text).expect("what is written is read");
            assert_eq!(again.bytes(), mask.bytes(), "{text}");
        }
    }
}
