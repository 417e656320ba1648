//! The kinds of a definition: rules, scorecard, nearest cluster, benefits sought.

use std::collections::HashSet;

use super::parser::{Fault, Parser};
use crate::base::decimal::Decimal;
use crate::base::document::{Node, View, kind, quoted};
use crate::segments::segment::nearest::{Benefits, Cluster, Feature, Nearest};
use crate::segments::segment::{Kind, Rule};

/// The most criteria, and the most profiles, of benefits sought: their explanation takes the square of both.
const MAX_BENEFITS: usize = 100;

impl Parser {
    pub(super) fn definition<'a, N: Node<'a>>(&mut self, root: N) -> Option<(Kind, Option<String>)> {
        let view = root.view();
        let View::Object(node) = view else {
            self.fault(format!("a segment definition must be an object, not {}", kind(&view)));
            return None;
        };
        const COMMON: [&str; 5] = ["kind", "name", "comment", "default", "unknown_fields"];
        let known =
            |own: &[&'static str]| -> Vec<&'static str> { COMMON.iter().chain(own).copied().collect() };
        let chosen = self.text(node, "kind", "one of rules, scorecard, nearest, benefits")?;
        let keys = match chosen.as_str() {
            "rules" => known(&["segments", "match"]),
            "scorecard" => known(&["base", "points", "bands"]),
            "nearest" => known(&["model", "max_distance"]),
            "benefits" => known(&["criteria", "profiles", "min_confidence"]),
            _ => {
                self.at("kind", |p| {
                    p.fault(format!(
                        "one of rules, scorecard, nearest, benefits is expected, not {}",
                        quoted(&chosen)
                    ))
                });
                return None;
            }
        };
        self.object(node, "a segment definition", &keys);
        for key in ["name", "comment"] {
            if node.get(key).is_some() {
                self.text(node, key, "a text");
            }
        }
        if node.get("unknown_fields").is_some()
            && let Some(list) = self.list(node, "unknown_fields", "names of fields")
        {
            let unknown = self.at("unknown_fields", |p| {
                p.each(list, |p, element| match element.view() {
                    View::Text(name) => Some(String::from_utf8_lossy(name).into_owned()),
                    view => {
                        p.fault(format!("the name of a field, a text, is expected, not {}", kind(&view)));
                        None
                    }
                })
            });
            self.unknown = unknown.unwrap_or_default();
        }
        let default = match node.get("default").map(Node::view) {
            None | Some(View::Null) => None,
            Some(_) => self.code(node, "default"),
        };
        let kind = match chosen.as_str() {
            "rules" => self.rules(node),
            "scorecard" => self.scorecard(node),
            "nearest" => self.nearest(node),
            _ => self.benefits(node),
        }?;
        Some((kind, default))
    }

    fn rules<'a, N: Node<'a>>(&mut self, node: N) -> Option<Kind> {
        let overlapping = match node.get("match").map(Node::view) {
            None => Some(false),
            Some(View::Text(b"first")) => Some(false),
            Some(View::Text(b"all")) => Some(true),
            Some(_) => {
                self.at("match", |p| p.fault("\"first\" or \"all\" is expected"));
                None
            }
        };
        let list = self.list(node, "segments", "segments")?;
        let segments = self.at("segments", |p| {
            p.each(list, |p, element| {
                let rule = p.object(element, "a segment", &["segment", "when", "comment"])?;
                let segment = p.code(rule, "segment");
                let when = p.condition_at(rule, "when");
                Some(Rule { segment: segment?, when: when? })
            })
        });
        let (segments, overlapping) = (segments?, overlapping?);
        if overlapping {
            let mut seen = HashSet::new();
            for (index, rule) in segments.iter().enumerate() {
                if !seen.insert(rule.segment.as_str()) {
                    let path = format!("{}.segments[{index}].segment", self.path);
                    let fault = "where all segments match, a code is used once; join the conditions with any"
                        .to_owned();
                    self.faults.push(Fault { path, fault });
                }
            }
        }
        Some(Kind::Rules { segments, overlapping })
    }

    fn scorecard<'a, N: Node<'a>>(&mut self, node: N) -> Option<Kind> {
        let base = if node.get("base").is_some() { self.number(node, "base") } else { Some(Decimal::zero()) };
        let points = self.list(node, "points", "points").and_then(|list| {
            self.at("points", |p| {
                p.each(list, |p, element| {
                    let item = p.object(element, "an item of a scorecard", &["when", "points", "comment"])?;
                    let when = p.condition_at(item, "when");
                    let points = p.number(item, "points");
                    Some((when?, points?))
                })
            })
        });
        let bands = self.list(node, "bands", "bands").and_then(|list| {
            self.at("bands", |p| {
                p.each(list, |p, element| {
                    let band = p.object(element, "a band", &["segment", "from", "comment"])?;
                    let segment = p.code(band, "segment");
                    let from = p.number(band, "from");
                    Some((segment?, from?))
                })
            })
        });
        let (base, points, mut bands) = (base?, points?, bands?);
        let mut seen = HashSet::new();
        for (later, (_, from)) in bands.iter().enumerate() {
            if !seen.insert(from) {
                let path = format!("{}.bands[{later}].from", self.path);
                self.faults.push(Fault { path, fault: "another band begins at the same points".to_owned() });
            }
        }
        bands.sort_by(|a, b| b.1.compare(&a.1));
        Some(Kind::Scorecard { base, points, bands })
    }

    fn nearest<'a, N: Node<'a>>(&mut self, node: N) -> Option<Kind> {
        let max_distance = match node.get("max_distance") {
            None => Some(None),
            Some(_) => self.double(node, "max_distance", 0.0, "a number not below 0").map(Some),
        };
        let Some(View::Object(model)) = node.get("model").map(Node::view) else {
            self.wrong(node, "model", "an object with features and clusters");
            return None;
        };
        // A model may say more than is needed here.
        self.at("model", |p| {
            if let Some(View::Text(method)) = model.get("method").map(Node::view)
                && method != b"k_means"
            {
                p.at("method", |p| p.fault("only a k_means model says who is nearest: use profile_assign"));
                return None;
            }
            let features = p.list(model, "features", "features").and_then(|list| {
                p.at("features", |p| {
                    p.each(list, |p, element| {
                        let View::Object(feature) = element.view() else {
                            p.fault("a feature must be an object");
                            return None;
                        };
                        // What fit_profile returns calls it "name".
                        let named = feature.get("feature").is_none() && feature.get("name").is_some();
                        let path = p.field(feature, if named { "name" } else { "feature" });
                        let optional = |p: &mut Self, key, least, expected: &str| match feature.get(key) {
                            None => Some(1.0),
                            Some(_) => p.double(feature, key, least, expected),
                        };
                        let scale = optional(p, "scale", f64::MIN_POSITIVE, "a number above 0");
                        let weight = optional(p, "weight", 0.0, "a number not below 0");
                        Some(Feature { path: path?, scale: scale?, weight: weight? })
                    })
                })
            });
            let count = features.as_ref().map(Vec::len);
            let clusters = p.list(model, "clusters", "clusters").and_then(|list| {
                p.at("clusters", |p| {
                    p.each(list, |p, element| {
                        let View::Object(cluster) = element.view() else {
                            p.fault("a cluster must be an object");
                            return None;
                        };
                        let code = p.code(cluster, "code");
                        let centre = p.numbers(cluster, "centre", count);
                        Some(Cluster { code: code?, centre: centre? })
                    })
                })
            });
            Some(Kind::Nearest(Nearest::new(features?, clusters?, max_distance?)))
        })
    }

    /// A list of finite numbers, of a certain length.
    fn numbers<'a, N: Node<'a>>(&mut self, node: N, key: &str, count: Option<usize>) -> Option<Vec<f64>> {
        let list = self.list(node, key, "numbers")?;
        self.at(key, |p| {
            let numbers = p.each(list, |p, element| match element.view() {
                View::Number(number) if number.to_f64().is_finite() => Some(number.to_f64()),
                view => {
                    let found = if matches!(view, View::Number(_)) { "one too large" } else { kind(&view) };
                    p.fault(format!("a finite number is expected, not {found}"));
                    None
                }
            })?;
            match count {
                Some(count) if count != numbers.len() => {
                    p.fault(format!("{count} numbers are expected, not {}", numbers.len()));
                    None
                }
                _ => Some(numbers),
            }
        })
    }

    fn benefits<'a, N: Node<'a>>(&mut self, node: N) -> Option<Kind> {
        let min_confidence = match node.get("min_confidence") {
            None => Some(0.0),
            Some(_) => self.double(node, "min_confidence", 0.0, "a number from 0 to 1"),
        };
        if min_confidence.is_some_and(|c| c > 1.0) {
            self.at("min_confidence", |p| p.fault("a number from 0 to 1 is expected"));
        }
        let criteria = self.list(node, "criteria", "criteria").and_then(|list| {
            self.at("criteria", |p| {
                let mut seen = HashSet::new();
                p.at_most(list, MAX_BENEFITS, "criteria", |p, element| {
                    let path = p.path_of(element)?;
                    if !seen.insert(path.clone()) {
                        p.fault("the criterion is there twice");
                        return None;
                    }
                    Some(path)
                })
            })
        });
        let count = criteria.as_ref().map(Vec::len);
        let profiles = self.list(node, "profiles", "profiles").and_then(|list| {
            self.at("profiles", |p| {
                p.at_most(list, MAX_BENEFITS, "profiles", |p, element| {
                    let profile = p.object(element, "a profile", &["segment", "weights", "comment"])?;
                    let code = p.code(profile, "segment");
                    let weights = p.numbers(profile, "weights", count);
                    if let Some(weights) = &weights {
                        let bad = weights.iter().position(|w| *w < 0.0);
                        if let Some(bad) = bad {
                            p.at("weights", |p| p.element(bad, |p| p.fault("a weight must not be below 0")));
                            return None;
                        }
                        if weights.iter().sum::<f64>() <= 0.0 {
                            p.at("weights", |p| p.fault("the weights must not all be 0"));
                            return None;
                        }
                    }
                    Some(Cluster { code: code?, centre: weights? })
                })
            })
        });
        Some(Kind::Benefits(Benefits::new(criteria?, profiles?, min_confidence?)))
    }
}
