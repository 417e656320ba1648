//! A few bytes that claim to hold thousands of millions of entries are refused before memory is asked for.
#![allow(missing_docs)]

use std::rc::Rc;

use segmentation_core::axes::pmg::Turnovers;
use segmentation_core::axes::rfm::Values;
use segmentation_core::b2b::peers::Peers;
use segmentation_core::base::money::Money;
use segmentation_core::facts::event_log::{self, Counting, EventLog, LogKind};
use segmentation_core::facts::item_history::{self, Line};
use segmentation_core::facts::purchase_history::{Entry, Growing, History, growing_entries, pack};
use segmentation_core::measure::prediction_quality::PredictionQuality;
use segmentation_core::measure::uplift::{Kind, Outcomes};
use segmentation_core::models::channels::ChannelCells;
use segmentation_core::models::churn_model::{ChurnOptions, ChurnRows, Features};
use segmentation_core::models::product_appetence::{self, AffinityModel, AffinityRows};
use segmentation_core::models::profile::{ProfileOptions, ProfileRows};
use segmentation_core::models::purchase_model::{Cells, FitOptions};
use segmentation_core::models::retention_model::{Contracts, RetentionOptions};
use segmentation_core::models::send_time::{SendHours, SendTimeCells};
use segmentation_core::models::spend_model::{SpendCells, SpendOptions};
use segmentation_core::segments::association::Crossing;
use segmentation_core::segments::association_rules::BasketCounts;
use segmentation_core::segments::criteria::{Criterion, Observed};

/// A name, a valid form, and its reader, which tells whether it took the bytes.
type Form = (&'static str, Vec<u8>, fn(&[u8]) -> bool);

fn items() -> Vec<u8> {
    let line = |item, day| Line::order(item, day, Money(10_000), Money(50_000)).unwrap();
    item_history::pack(&item_history::net(vec![line("bread", 10), line("milk", 12)]).unwrap()).unwrap()
}

fn log(kind: LogKind) -> [Vec<u8>; 2] {
    let mut growing = vec![0; 200];
    event_log::start(kind, &mut growing);
    for day in 0..5 {
        assert!(event_log::append(kind, &mut growing, day, "email", 0).unwrap());
    }
    let packed = EventLog::read(kind, &growing).unwrap().pack(kind).unwrap();
    [growing, packed]
}

fn states() -> Vec<Form> {
    let days = [Entry::order(10, Money(10_000)), Entry::order(30, Money(20_000))];
    let mut growing = vec![0; Growing::size_for(4)];
    Growing::start(&mut growing).unwrap().add(days[0]).unwrap();

    let mut values = Values::default();
    values.add(1.0, 2.0, 3.0).unwrap();
    let mut turnovers = Turnovers::default();
    turnovers.add(Money(10_000)).unwrap();
    let mut peers = Peers::default();
    peers.add(10.0, 2.0).unwrap();
    let mut cells = Cells::new(100, FitOptions::default()).unwrap();
    cells.add([1, 5, 9]).unwrap();
    let mut spend = SpendCells::new(100, SpendOptions::default()).unwrap();
    spend.add([(1, Money(10_000)), (9, Money(20_000))]).unwrap();
    let mut churn = ChurnRows::new(ChurnOptions::default());
    churn.add(Some(true), Some(&Features::parse(r#"{"a": 1, "b": "x"}"#).unwrap()), Some(1.0)).unwrap();
    let mut contracts = Contracts::new(1000, RetentionOptions::default()).unwrap();
    contracts.add(Some(10), Some(500), None).unwrap();
    let mut profiles = ProfileRows::new(Rc::new(ProfileOptions::default()));
    profiles.add_named(serde_json::json!({"a": 1, "b": "x"}).as_object().unwrap()).unwrap();
    let mut affinity = AffinityRows::new(100, Rc::new(product_appetence::FitOptions::default())).unwrap();
    affinity.add(&items(), Some("all")).unwrap();
    let mut outcomes = Outcomes::new(Kind::Value);
    outcomes.add(Some(true), Some(5.0)).unwrap();
    let mut baskets = BasketCounts::default();
    baskets.add(["bread", "milk"].into_iter()).unwrap();
    let mut crossing = Crossing::default();
    crossing.add(Some("a"), Some("b")).unwrap();
    let mut criterion = Criterion::default();
    criterion.add(Some(Observed::Text("x")), Some(1.0), Some("yes"), Some(2.0)).unwrap();
    let mut channels = ChannelCells::new(Some(100), Counting::PLAIN);
    channels.add("email", Some("all"), 5.0, 2.0).unwrap();
    let mut quality = PredictionQuality::new();
    quality.add(0.5, true).unwrap();
    let hours = SendHours::from_array(&[1.0; 168]).unwrap();
    let mut send_time = SendTimeCells::default();
    send_time.add(Some(&hours));

    let mut forms: Vec<Form> = vec![
        ("purchase_history", pack(&days), |b| History::validate(b).is_ok()),
        ("growing purchase_history", growing, |b| growing_entries(b).is_ok_and(|days| days.count() > 0)),
        ("item_history", items(), |b| item_history::validate(b).is_ok()),
        ("item_history or its state", items(), |b| item_history::lines(b).is_ok()),
        ("rfm_values", values.to_bytes(&mut || {}).unwrap(), |b| Values::from_bytes(b).is_ok()),
        ("turnover_values", turnovers.to_bytes(&mut || {}).unwrap(), |b| Turnovers::from_bytes(b).is_ok()),
        ("peers", peers.to_bytes().unwrap(), |b| Peers::from_bytes(b).is_ok()),
        ("purchase_cells", cells.to_bytes().unwrap(), |b| Cells::from_bytes(b).is_ok()),
        ("spend_cells", spend.to_bytes().unwrap(), |b| SpendCells::from_bytes(b).is_ok()),
        ("churn_rows", churn.to_bytes().unwrap(), |b| ChurnRows::from_bytes(b).is_ok()),
        ("contracts", contracts.to_bytes().unwrap(), |b| Contracts::from_bytes(b).is_ok()),
        ("profile_rows", profiles.to_bytes().unwrap(), |b| ProfileRows::from_bytes(b).is_ok()),
        ("affinity_rows", affinity.to_bytes().unwrap(), |b| AffinityRows::from_bytes(b).is_ok()),
        ("uplift_values", outcomes.to_bytes().unwrap(), |b| Outcomes::from_bytes(b).is_ok()),
        ("basket_counts", baskets.to_bytes().unwrap(), |b| BasketCounts::from_bytes(b).is_ok()),
        ("pairs of classes", crossing.to_bytes(), |b| Crossing::from_bytes(b).is_ok()),
        ("criterion", criterion.to_bytes(), |b| Criterion::from_bytes(b).is_ok()),
        ("channel_cells", channels.to_bytes().unwrap(), |b| ChannelCells::from_bytes(b).is_ok()),
        ("prediction_quality", quality.to_bytes().unwrap(), |b| PredictionQuality::from_bytes(b).is_ok()),
        ("send_hours", hours.pack(), |b| SendHours::read(b).is_ok()),
        ("send_time_cells", send_time.to_bytes(), |b| SendTimeCells::from_bytes(b).is_ok()),
        ("product_affinity", vec![1, 1, 2, b'{', b'}', 0, 0, 0, 0, 0], |b| {
            AffinityModel::from_bytes(b).is_ok()
        }),
    ];
    let [growing, packed] = log(LogKind::Contacts);
    forms.push(("contact_history", packed, |b| EventLog::read(LogKind::Contacts, b).is_ok()));
    forms.push(("growing contact_history", growing, |b| EventLog::read(LogKind::Contacts, b).is_ok()));
    let [_, packed] = log(LogKind::Consents);
    forms.push(("consent_history", packed, |b| EventLog::read(LogKind::Consents, b).is_ok()));
    let [_, packed] = log(LogKind::Interactions);
    forms.push(("interaction_history", packed, |b| EventLog::read(LogKind::Interactions, b).is_ok()));
    forms
}

/// The most address space that the process has had, in bytes; `None` where that is not told.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

#[test]
fn lengths_are_checked_against_the_bytes_that_are_there() {
    let claims = [1_u64 << 28, 1 << 31, 1 << 40, u64::MAX];
    let forms = states();
    let before = peak();
    for (name, bytes, read) in &forms {
        if *name != "product_affinity" {
            assert!(read(bytes), "{name}: the valid form is refused");
        }
        for at in 0..bytes.len() {
            for claim in claims {
                // Instead of one byte as a number of variable length; over the bytes as one of four or eight.
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let mut forged = vec![[&bytes[..at], &varint(claim), rest].concat()];
                for width in [4, 8] {
                    let mut over = bytes.clone();
                    if let Some(place) = over.get_mut(at..at + width) {
                        place.copy_from_slice(&claim.to_le_bytes()[..width]);
                        forged.push(over);
                    }
                }
                for bytes in forged {
                    // A number that is no length may be as large: then the bytes are taken.
                    let _ = read(&bytes);
                }
            }
        }
        // 2^28 entries of one byte each would be 256 MB.
        let grown = peak().zip(before).map_or(0, |(after, before)| after - before);
        assert!(grown < 128 << 20, "{name}: {grown} bytes were asked for");
    }
}
