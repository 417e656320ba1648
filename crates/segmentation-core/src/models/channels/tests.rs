use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::facts::event_log::{self, EventLog, GRANTED, LogKind, REFUSED};

fn log(kind: LogKind, events: &[(Day, &str, u8)]) -> Vec<u8> {
    let mut bytes = vec![0; 100_000];
    event_log::start(kind, &mut bytes);
    for &(day, name, code) in events {
        assert!(event_log::append(kind, &mut bytes, day, name, code).unwrap());
    }
    EventLog::read(kind, &bytes).unwrap().pack(kind).unwrap()
}

fn model() -> ChannelModel {
    let channel = |name: &str, alpha: f64, beta: f64, segments: Value| json!({"channel": name, "parameters": {"alpha": alpha, "beta": beta}, "segments": segments});
    let young = json!([{"segment": "young", "parameters": {"alpha": 3, "beta": 7}}]);
    ChannelModel::from_json(&json!({
        "kind": "channel_model", "version": 1, "counting": {"opens": false},
        "channels": [channel("email", 2.0, 38.0, json!([])), channel("sms", 1.0, 9.0, young), channel("mail", 4.0, 36.0, json!([]))],
    }))
    .unwrap()
    .unwrap()
}

fn options(value: Value) -> RankOptions {
    RankOptions::from_json(&value).unwrap()
}

#[test]
fn ranks_by_what_is_asked() {
    let model = model();
    let consents =
        log(LogKind::Consents, &[(0, "email", GRANTED), (0, "sms", GRANTED), (0, "mail", GRANTED)]);
    let consents = EventLog::read(LogKind::Consents, &consents).unwrap();
    let order = |value: Value, segment: Option<&str>| {
        let mut cache = LowerCache::default();
        let ranked = rank(&model, segment, None, Some(&consents), 10, &options(value), &mut cache);
        ranked.iter().filter(|r| r.rank.is_some()).map(|r| r.channel).collect::<Vec<_>>()
    };
    // Lower bounds at 0.1, SciPy 1.17.1: mail .04557, email .01364, sms .01164; young sms .1291.
    assert_eq!(order(json!({}), None), ["mail", "email", "sms"]);
    assert_eq!(order(json!({"by": "mean"}), None), ["mail", "sms", "email"]);
    assert_eq!(order(json!({}), Some("young")), ["sms", "mail", "email"]);
    assert_eq!(order(json!({}), Some("unheard of")), ["mail", "email", "sms"]);
    // 10 a response: email .5 - .01, sms 1 - .3, mail 1 - 1.2.
    let value = json!({"margin": 10, "cost": {"email": 0.01, "sms": 0.3, "mail": 1.2}});
    assert_eq!(order(value, None), ["sms", "email"]);
    assert_eq!(order(json!({"channels": ["sms"]}), None), ["sms"]);
}

#[test]
fn pressure_and_answers_close_a_channel() {
    let model = model();
    let contacts = [(90, "email", 2), (95, "email", 0), (96, "sms", 0), (99, "mail", 0), (99, "mail", 9)];
    let history = log(LogKind::Contacts, &contacts);
    let history = EventLog::read(LogKind::Contacts, &history).unwrap();
    let consents =
        log(LogKind::Consents, &[(0, "email", GRANTED), (0, "sms", GRANTED), (50, "mail", GRANTED)]);
    let consents = EventLog::read(LogKind::Consents, &consents).unwrap();
    let mut cache = LowerCache::default();
    let mut reasons = |value: Value, as_of| {
        let options = options(value);
        let ranked = rank(&model, None, Some(&history), Some(&consents), as_of, &options, &mut cache);
        let mut reasons: Vec<_> = ranked.iter().map(|r| (r.channel, r.reason)).collect();
        reasons.sort_unstable();
        let next = next_change(
            &model,
            None,
            Some(&history),
            Some(&consents),
            as_of,
            &options,
            &mut cache,
            &mut || {},
        );
        (reasons.into_iter().map(|r| r.1).collect::<Vec<_>>(), next)
    };
    let pressure = Some("pressure");
    assert_eq!(reasons(json!({}), 100), (vec![None, None, None], None));
    // Email, mail, sms. Two e-mails in ten days: the first leaves on day 100.
    let rule = json!({"pressure": [{"channel": "email", "contacts": 2, "days": 10}]});
    assert_eq!(reasons(rule.clone(), 99).0, [pressure, None, None]);
    assert_eq!(reasons(rule, 100).0, [None, None, None]);
    // Three contacts in 8 days: a bounce is none. The best channel is open again on day 103.
    let rule = json!({"pressure": [{"contacts": 3, "days": 8}]});
    assert_eq!(reasons(rule.clone(), 100), (vec![pressure; 3], Some(103)));
    assert_eq!(reasons(rule, 103).0, [None; 3]);
    // Consents end 60 days after they were given.
    let old = Some("consent_expired");
    assert_eq!(reasons(json!({"consent_days": 60}), 100), (vec![old, None, old], Some(110)));
    // Mail was never answered, once.
    let given_up = json!({"no_answer_after": 1});
    assert_eq!(reasons(given_up, 100).0, [None, Some("no_answer"), Some("no_answer")]);
}

#[test]
fn who_unsubscribes_or_complains_has_to_consent_anew() {
    let model = model();
    let mut cache = LowerCache::default();
    let mut email = |sent: &[(Day, &str, u8)], given: &[(Day, &str, u8)], as_of| {
        let history = log(LogKind::Contacts, sent);
        let history = EventLog::read(LogKind::Contacts, &history).unwrap();
        let consents = log(LogKind::Consents, given);
        let consents = EventLog::read(LogKind::Consents, &consents).unwrap();
        let ranked =
            rank(&model, None, Some(&history), Some(&consents), as_of, &options(json!({})), &mut cache);
        ranked.iter().find(|r| r.channel == "email").unwrap().reason
    };
    let given = [(0, "email", GRANTED)];
    for code in [7, 8] {
        assert_eq!(email(&[(10, "email", code)], &given, 9), None);
        assert_eq!(email(&[(10, "email", code)], &given, 10), Some("unsubscribed"));
        assert_eq!(email(&[(10, "Email ", code)], &given, 10), Some("unsubscribed"));
        assert_eq!(email(&[(10, "sms", code)], &given, 10), None);
        let anew = [(0, "email", GRANTED), (10, "email", GRANTED), (12, "email", GRANTED)];
        assert_eq!(email(&[(10, "email", code)], &anew[..2], 11), Some("unsubscribed"));
        assert_eq!(email(&[(10, "email", code)], &anew, 11), Some("unsubscribed"));
        assert_eq!(email(&[(10, "email", code)], &anew, 12), None);
    }
}

#[test]
fn without_consents_nothing_is_ranked() {
    let model = model();
    let mut cache = LowerCache::default();
    let ranked = rank(&model, None, None, None, 10, &options(json!({})), &mut cache);
    assert!(ranked.iter().all(|r| r.rank.is_none() && r.reason == Some("no_consent")));
    assert_eq!(code(&ranked), NONE);
}

/// The definition again, by other means: the last explicit word of the exact name.
fn may_be_contacted(events: &[(Day, String, u8)], channel: &str, as_of: Day) -> bool {
    let latest = |keep: &dyn Fn(&str) -> bool| {
        let mut known: Vec<(Day, u8)> =
            events.iter().filter(|e| e.0 <= as_of && keep(&e.1)).map(|e| (e.0, 1 - e.2.min(1))).collect();
        // On one day the refusal (now 1) is the last word.
        known.sort_unstable();
        known.last().copied()
    };
    match latest(&|name| name == channel) {
        Some((given, 0)) => {
            events.iter().all(|e| !(e.0 <= as_of && e.2 == REFUSED && e.1 == "*" && e.0 >= given))
                && !["email", "Email", "EMAIL "].iter().any(|other| {
                    channel.trim().eq_ignore_ascii_case(other.trim())
                        && latest(&|name| name == *other).is_some_and(|(_, refused)| refused == 1)
                })
        }
        _ => false,
    }
}

proptest! {
    /// No consent, no rank, whatever the history, the options and the day.
    #[test]
    fn consent_rules(
        events in prop::collection::vec(
            (0..60i32, prop::sample::select(vec!["email", "sms", "mail", "Email", "EMAIL ", "*", "fax"]), 0..2u8), 0..10),
        sent in prop::collection::vec((0..60i32, prop::sample::select(vec!["email", "sms", "mail", "fax", "Email"]), 0..10u8), 0..12),
        as_of in 0..60i32,
        most in 0..4u64,
    ) {
        let model = model();
        let owned: Vec<_> = events.iter().map(|(d, n, c)| (*d, (*n).to_owned(), *c)).collect();
        let consents = log(LogKind::Consents, &events);
        let consents = EventLog::read(LogKind::Consents, &consents).unwrap();
        let history = log(LogKind::Contacts, &sent);
        let history = EventLog::read(LogKind::Contacts, &history).unwrap();
        let options = options(json!({"pressure": [{"contacts": most, "days": 7}], "margin": 2, "cost": 0.01, "no_answer_after": 3}));
        let mut cache = LowerCache::default();
        let ranked = rank(&model, None, Some(&history), Some(&consents), as_of, &options, &mut cache);
        let recent = sent.iter().filter(|s| s.0 > as_of - 7 && s.0 <= as_of && s.2 != event_log::BOUNCE).count();
        for r in &ranked {
            prop_assert_eq!(r.rank.is_none(), r.reason.is_some());
            let said_no = sent.iter().filter(|s| s.0 <= as_of && (s.2 == 7 || s.2 == 8));
            let said_no = said_no.filter(|s| s.1.trim().to_lowercase() == r.channel.trim().to_lowercase());
            let said_no = said_no.map(|s| s.0).max();
            let said_yes = events.iter().filter(|e| e.0 <= as_of && e.1 == r.channel && e.2 == GRANTED).map(|e| e.0).max();
            if said_no.is_some() {
                prop_assert!(r.rank.is_none() || said_yes > said_no, "{} {:?} {:?}", r.channel, events, sent);
            }
            prop_assert!(r.reason != Some("unsubscribed") || said_yes <= said_no);
            if r.rank.is_some() {
                prop_assert!(may_be_contacted(&owned, r.channel, as_of), "{} {:?}", r.channel, events);
                prop_assert!((recent as u64) < most);
            } else if r.reason == Some("no_consent") {
                prop_assert!(!may_be_contacted(&owned, r.channel, as_of), "{} {:?}", r.channel, events);
            }
        }
        // The next change is the first one.
        let now = code(&ranked);
        let next = next_change(&model, None, Some(&history), Some(&consents), as_of, &options, &mut cache, &mut || {});
        let first = (as_of + 1..as_of + 200).find(|day| {
            code(&rank(&model, None, Some(&history), Some(&consents), *day, &options, &mut cache)) != now
        });
        prop_assert_eq!(next, first);
    }

    /// A fading model may ask to be looked at earlier, never later.
    #[test]
    fn fading(sent in prop::collection::vec((0..60i32, prop::sample::select(vec!["email", "sms", "mail"]), 0..6u8), 1..12), half_life in 1.0..40.0f64) {
        let mut model = model();
        model.counting.half_life_days = Some(half_life);
        let consents = log(LogKind::Consents, &[(0, "email", GRANTED), (0, "sms", GRANTED), (0, "mail", GRANTED)]);
        let consents = EventLog::read(LogKind::Consents, &consents).unwrap();
        let history = log(LogKind::Contacts, &sent);
        let history = EventLog::read(LogKind::Contacts, &history).unwrap();
        let options = options(json!({}));
        let mut cache = LowerCache::default();
        let mut on = |day| code(&rank(&model, None, Some(&history), Some(&consents), day, &options, &mut cache));
        let now = on(60);
        let first = (61..160).find(|day| on(*day) != now);
        let next = next_change(&model, None, Some(&history), Some(&consents), 60, &options, &mut LowerCache::default(), &mut || {});
        prop_assert!(first.is_none_or(|first| next.is_some_and(|next| next <= first)));
    }
}

fn cells(rows: &[(f64, f64, f64)]) -> Vec<Cell> {
    rows.iter().map(|&(sent, responses, customers)| Cell { sent, responses, customers }).collect()
}

#[test]
fn derivatives_are_those_of_the_likelihood() {
    let data = cells(&[(3.0, 1.0, 7.0), (40.0, 2.0, 3.0), (2.5, 0.5, 2.0), (1.0, 0.0, 20.0)]);
    let at = |x: [f64; 2]| beta_binomial(&data, x, Some((x, [1e-30, 1e-30])), &mut || {});
    let (x, h) = ([-1.3, 0.7], 1e-4);
    let here = at(x);
    for k in 0..2 {
        let moved = |by: f64| {
            let mut to = x;
            to[k] += by;
            at(to).log_likelihood
        };
        let second = (moved(h) - 2.0 * here.log_likelihood + moved(-h)) / (h * h);
        assert!((second + here.information[k][k]).abs() < 1e-4 * (1.0 + second.abs()), "{k}");
    }
}

/// Two segments that differ, and a few customers.
fn two_segments() -> ChannelCells {
    let mut cells = ChannelCells::new(None, crate::facts::event_log::Counting::PLAIN);
    for (segment, rows) in ORACLE_CELLS {
        for &(sent, responses, customers) in rows {
            for _ in 0..customers {
                cells.add("email", Some(segment), sent, responses).unwrap();
            }
        }
    }
    cells
}

/// (segment, (contacts, answers, customers)): as in the script that recorded the estimates.
type OracleRows = &'static [(f64, f64, u32)];
const ORACLE_CELLS: [(&str, OracleRows); 3] = [
    ("a", &[(10.0, 0.0, 60), (10.0, 1.0, 25), (10.0, 3.0, 9), (5.0, 0.0, 40), (5.0, 2.0, 6), (20.0, 9.0, 2)]),
    ("b", &[(10.0, 0.0, 20), (10.0, 2.0, 20), (8.0, 4.0, 15), (3.0, 1.0, 30), (12.0, 7.0, 5), (2.5, 0.5, 4)]),
    ("c", &[(4.0, 3.0, 3), (6.0, 1.0, 2)]),
];

fn near(found: &Value, recorded: f64) {
    let found = found.as_f64().unwrap();
    assert!((found / recorded - 1.0).abs() < 1e-6, "{found} {recorded}");
}

#[test]
fn against_scipy() {
    let model = fit(&two_segments(), &mut || {}).unwrap();
    let channel = &model["channels"][0];
    assert_eq!(channel["method"], "maximum_likelihood");
    // SciPy 1.17.1: scipy.optimize.minimize (Nelder-Mead) on the same likelihood written with
    // scipy.special.gammaln; segments by BFGS on the penalised likelihood, with EM steps to the end.
    near(&channel["parameters"]["alpha"], 0.579_795_649_7);
    near(&channel["parameters"]["beta"], 3.578_743_406_5);
    near(&channel["log_likelihood"], -693.448_285_647);
    let within =
        |found: &Value, recorded: f64| assert!((found.as_f64().unwrap() / recorded - 1.0).abs() < 1e-5);
    within(&channel["standard_errors"]["logit_mean"], 0.103_503_63);
    within(&channel["standard_errors"]["log_precision"], 0.190_214_16);
    within(&channel["spread"]["logit_mean"], 1.092_130_49);
    within(&channel["spread"]["log_precision"], 0.357_208_24);
    for (i, (alpha, beta)) in
        [(0.348_515_803, 4.953_618_819), (1.453_433_047, 4.260_641_671), (1.722_710_679, 2.540_099_157)]
            .iter()
            .enumerate()
    {
        near(&channel["segments"][i]["parameters"]["alpha"], *alpha);
        near(&channel["segments"][i]["parameters"]["beta"], *beta);
    }
    assert!(model["warnings"].as_array().unwrap().is_empty());
}

#[test]
fn where_the_likelihood_says_nothing() {
    let fitted = |rows: &[(f64, f64, u32)]| {
        let mut cells = ChannelCells::new(None, crate::facts::event_log::Counting::PLAIN);
        for &(sent, responses, customers) in rows {
            (0..customers).for_each(|_| cells.add("email", None, sent, responses).unwrap());
        }
        fit(&cells, &mut || {}).unwrap()
    };
    let warned = |rows: &[(f64, f64, u32)], code: &str| {
        let model = fitted(rows);
        assert_eq!(model["warnings"][0]["code"], code, "{model}");
        ChannelModel::from_json(&model).unwrap().unwrap().prior("email", None).unwrap()
    };
    assert!((warned(&[(5.0, 0.0, 40)], "no_response").mean() - 0.5 / 201.0).abs() < 1e-12);
    assert!((warned(&[(1.0, 0.0, 30), (1.0, 1.0, 10)], "not_identified").mean() - 10.5 / 41.0).abs() < 1e-12);
    assert!((warned(&[(5.0, 1.0, 3)], "few_customers").mean() - 3.5 / 16.0).abs() < 1e-12);
    // As binomial as can be, or more even than that: customers are alike.
    let alike = warned(&[(4.0, 0.0, 1), (4.0, 1.0, 100), (4.0, 2.0, 1)], "no_spread");
    assert!((alike.mean() - 0.25).abs() < 1e-6 && alike.alpha + alike.beta > 9e5);
    let empty = fit(&ChannelCells::new(None, crate::facts::event_log::Counting::PLAIN), &mut || {}).unwrap();
    assert_eq!(empty["warnings"][0]["code"], "insufficient_data");
    assert_eq!(ChannelModel::from_json(&empty).unwrap(), None);
}

#[test]
fn stored_cells_and_broken_models() {
    let cells = two_segments();
    assert_eq!(ChannelCells::from_bytes(&cells.to_bytes().unwrap()).unwrap(), cells);
    let mut merged = cells.clone();
    merged.merge(&cells).unwrap();
    assert_eq!(fit(&merged, &mut || {}).unwrap()["channels"][0]["customers"], 482);
    let good = fit(&cells, &mut || {}).unwrap();
    let broken = |path: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(path).unwrap() = value;
        assert!(ChannelModel::from_json(&bad).is_err(), "{path}");
    };
    broken("/kind", json!("purchase_model"));
    broken("/version", json!(2));
    broken("/counting", json!({"opens": "yes"}));
    broken("/channels", json!("email"));
    broken("/channels/0", json!(1));
    broken("/channels/0/parameters/alpha", json!(-1));
    broken("/channels/0/parameters", json!(null));
    broken("/channels/0/channel", json!(7));
    broken("/channels/0/segments/0/parameters/beta", json!(0));
    broken("/channels/0/segments/0/segment", json!("b"));
    broken("/channels/0/segments", json!({}));
}

#[test]
fn counts_that_cannot_be() {
    for (sent, responses) in
        [(-1.0, 0.0), (1.0, 2.0), (f64::NAN, 0.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (1.0, -0.5)]
    {
        assert!(check_counts(sent, responses).is_err(), "{sent} {responses}");
    }
    for level in [0.0, 1.0, -0.1, f64::NAN] {
        assert!(check_level(level).is_err());
    }
}
