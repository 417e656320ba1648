//! Reads a definition, and finds every fault in it.

use std::collections::{HashMap, HashSet};

use super::decimal::Decimal;
use super::document::{Node, View, kind, quoted};
use super::like::Like;
use super::nearest::{Benefits, Cluster, Feature, Nearest};
use super::{
    Asked, Comparison, Condition, DateOperand, Definition, Events, FieldTest, Kind, MAX_DEPTH, Operand, Path,
    Rule, Test,
};
use crate::base::day;
use crate::base::error::{Error, ErrorKind, Result};

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON path from `$`.
    pub path: String,
    /// A phrase.
    pub fault: String,
}

/// More faults than anybody reads.
const MAX_FAULTS: usize = 1000;
/// The longest code of a segment, in characters.
const MAX_CODE: usize = 200;
/// The most criteria, and the most profiles, of benefits sought: their explanation takes the square of both.
const MAX_BENEFITS: usize = 100;
/// Days that a definition may look back or ahead: 1,000 years.
const MAX_DAYS: i64 = 365_250;

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// It has faults: the first is in the detail.
    pub fn parse<'a, N: Node<'a>>(root: N) -> Result<Self> {
        Self::check(root).map_err(|faults| {
            let mut detail = String::new();
            let mut kind = ErrorKind::InvalidParameter;
            if let Some(first) = faults.first() {
                detail = format!("{}: {}.", first.path, first.fault);
                if first.fault.starts_with("nested deeper") {
                    kind = ErrorKind::LimitExceeded;
                }
            }
            match faults.len() {
                0 | 1 => {}
                2 => detail.push_str(" There is another fault."),
                n => detail.push_str(&format!(" There are {} other faults.", n - 1)),
            }
            Error::new(kind, "invalid segment definition")
                .detail(detail)
                .hint("segment_check(definition) lists every fault.")
        })
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// All its faults.
    pub fn check<'a, N: Node<'a>>(root: N) -> std::result::Result<Self, Vec<Fault>> {
        let mut parser = Parser {
            path: "$".to_owned(),
            faults: Vec::new(),
            scopes: vec![Interned::default()],
            dates: Interned::default(),
            relative: false,
            depth: 0,
        };
        let definition = parser.definition(root);
        match definition {
            Some((kind, default)) if parser.faults.is_empty() => Ok(Definition {
                kind,
                default,
                fields: parser.scopes.swap_remove(0).values,
                dates: parser.dates.values,
                relative: parser.relative,
            }),
            _ => Err(parser.faults),
        }
    }
}

/// Values, each kept once.
struct Interned<T> {
    values: Vec<T>,
    places: HashMap<T, usize>,
}

impl<T> Default for Interned<T> {
    fn default() -> Self {
        Interned { values: Vec::new(), places: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Interned<T> {
    /// The place of a value, which is added if it is not there.
    fn place(&mut self, value: T) -> usize {
        *self.places.entry(value).or_insert_with_key(|value| {
            self.values.push(value.clone());
            self.values.len() - 1
        })
    }
}

struct Parser {
    /// Where the parser is.
    path: String,
    faults: Vec<Fault>,
    /// Fields read from the customer and, within events, from an event.
    scopes: Vec<Interned<Path>>,
    dates: Interned<DateOperand>,
    relative: bool,
    depth: usize,
}

const TESTS: [&str; 16] = [
    "field",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not_in",
    "between",
    "is_null",
    "starts_with",
    "like",
    "contains",
    "contains_any",
    "contains_all",
];
const EVENTS: [&str; 12] = [
    "events",
    "on",
    "where",
    "last_days",
    "from",
    "until",
    "count",
    "sum",
    "then",
    "not_then",
    "within_days",
    "comment",
];

impl Parser {
    fn fault(&mut self, fault: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { path: self.path.clone(), fault: fault.into() });
        }
    }

    /// Goes to a member.
    fn at<R>(&mut self, key: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let mut name = key.bytes();
        let plain = name.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_')
            && name.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        let step = if plain && key.len() <= 60 {
            format!(".{key}")
        } else {
            let short: String = key.chars().take(60).collect();
            format!(".{}", quoted(&if short.len() < key.len() { short + "…" } else { short }))
        };
        self.step(&step, read)
    }

    /// Goes to an element.
    fn element<R>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> R) -> R {
        self.step(&format!("[{index}]"), read)
    }

    fn step<R>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.path.len();
        self.path.push_str(step);
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// A fault at the member `key` of `node`, or that it is missing.
    fn wrong<'a, N: Node<'a>>(&mut self, node: N, key: &str, expected: &str) {
        match node.get(key).map(Node::view) {
            None => self.fault(format!("\"{key}\" is missing: {expected} is expected")),
            Some(view) => {
                let found = kind(&view);
                self.at(key, |p| p.fault(format!("{expected} is expected, not {found}")));
            }
        }
    }

    /// An object; its keys must be among the known.
    fn object<'a, N: Node<'a>>(&mut self, node: N, what: &str, known: &[&str]) -> Option<N> {
        let view = node.view();
        let View::Object(object) = view else {
            self.fault(format!("{what} must be an object, not {}", kind(&view)));
            return None;
        };
        for (key, _) in object.members() {
            if !known.contains(&&*key) {
                self.at(&key, |p| p.fault(format!("unknown key; known here are {}", known.join(", "))));
            }
        }
        Some(object)
    }

    fn text<'a, N: Node<'a>>(&mut self, node: N, key: &str, expected: &str) -> Option<String> {
        match node.get(key).map(Node::view) {
            Some(View::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => {
                self.wrong(node, key, expected);
                None
            }
        }
    }

    fn number<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Decimal<'static>> {
        match node.get(key).map(Node::view) {
            Some(View::Number(number)) => Some(number.into_owned()),
            _ => {
                self.wrong(node, key, "a number");
                None
            }
        }
    }

    fn double<'a, N: Node<'a>>(&mut self, node: N, key: &str, least: f64, expected: &str) -> Option<f64> {
        match node.get(key).map(Node::view) {
            Some(View::Number(number)) if number.to_f64() >= least && number.to_f64().is_finite() => {
                Some(number.to_f64())
            }
            Some(View::Number(number)) => {
                let shown: String = number.to_string().chars().take(60).collect();
                self.at(key, |p| p.fault(format!("{expected} is expected, not {shown}")));
                None
            }
            _ => {
                self.wrong(node, key, expected);
                None
            }
        }
    }

    /// A list that is not empty.
    fn list<'a, N: Node<'a>>(&mut self, node: N, key: &str, of: &str) -> Option<N> {
        match node.get(key).map(Node::view) {
            Some(View::List(list)) => {
                if list.elements().next().is_none() {
                    self.at(key, |p| p.fault(format!("a list of {of} must not be empty")));
                    return None;
                }
                Some(list)
            }
            _ => {
                self.wrong(node, key, &format!("a list of {of}"));
                None
            }
        }
    }

    /// The code of a segment.
    fn code<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<String> {
        let code = self.text(node, key, "the code of a segment, a text,")?;
        let length = code.chars().count();
        if length == 0 || length > MAX_CODE {
            self.at(key, |p| p.fault(format!("a code has 1 to {MAX_CODE} characters, not {length}")));
            return None;
        }
        Some(code)
    }

    /// Elements read one by one; `None` if one of them is at fault.
    fn each<'a, N: Node<'a>, T>(
        &mut self,
        list: N,
        mut read: impl FnMut(&mut Self, N) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        let mut whole = true;
        for (index, element) in list.elements().enumerate() {
            match self.element(index, |p| read(p, element)) {
                Some(value) => values.push(value),
                None => whole = false,
            }
        }
        whole.then_some(values)
    }

    /// As [`Self::each`], of a list that must not be longer than `most`.
    fn at_most<'a, N: Node<'a>, T>(
        &mut self,
        list: N,
        most: usize,
        of: &str,
        read: impl FnMut(&mut Self, N) -> Option<T>,
    ) -> Option<Vec<T>> {
        if list.elements().nth(most).is_some() {
            self.fault(format!("at most {most} {of} are accepted"));
            return None;
        }
        self.each(list, read)
    }

    fn definition<'a, N: Node<'a>>(&mut self, root: N) -> Option<(Kind, Option<String>)> {
        let view = root.view();
        let View::Object(node) = view else {
            self.fault(format!("a segment definition must be an object, not {}", kind(&view)));
            return None;
        };
        const COMMON: [&str; 4] = ["kind", "name", "comment", "default"];
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

    // Conditions

    fn condition_at<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Condition> {
        match node.get(key) {
            Some(condition) => self.at(key, |p| p.condition(condition)),
            None => {
                self.fault(format!("\"{key}\" is missing: a condition is expected"));
                None
            }
        }
    }

    fn condition<'a, N: Node<'a>>(&mut self, node: N) -> Option<Condition> {
        if self.depth >= MAX_DEPTH {
            self.fault(format!("nested deeper than {MAX_DEPTH} levels"));
            return None;
        }
        self.depth += 1;
        let test = self.test(node);
        self.depth -= 1;
        Some(Condition { path: self.path.clone(), test: test? })
    }

    fn test<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        let view = node.view();
        let View::Object(object) = view else {
            self.fault(format!("a condition must be an object, not {}", kind(&view)));
            return None;
        };
        const HEADS: [&str; 5] = ["all", "any", "not", "field", "events"];
        let heads: Vec<&str> = HEADS.into_iter().filter(|head| object.get(head).is_some()).collect();
        match heads.as_slice() {
            ["not"] => {
                self.object(object, "a condition", &["not", "comment"]);
                Some(Test::Not(Box::new(self.condition_at(object, "not")?)))
            }
            ["field"] => self.field_tests(object),
            ["events"] => self.events(object),
            [head] => {
                self.object(object, "a condition", &[head, "comment"]);
                let Some(View::List(list)) = object.get(head).map(Node::view) else {
                    self.wrong(object, head, "a list of conditions");
                    return None;
                };
                let parts = self.at(head, |p| p.each(list, |p, part| p.condition(part)))?;
                Some(if *head == "all" { Test::All(parts) } else { Test::Any(parts) })
            }
            [] => {
                self.object(object, "a condition", &[&HEADS[..], &["comment"]].concat());
                self.fault("a condition has one of all, any, not, field, events");
                None
            }
            more => {
                self.fault(format!("a condition has only one of {}", more.join(", ")));
                None
            }
        }
    }

    /// A key, or a list of keys from the object down.
    fn path_of<'a, N: Node<'a>>(&mut self, node: N) -> Option<Path> {
        match node.view() {
            View::Text(text) => Some(vec![String::from_utf8_lossy(text).into_owned()]),
            View::List(list) => {
                let path = self.each(list, |p, element| match element.view() {
                    View::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
                    view => {
                        p.fault(format!("a key, a text, is expected, not {}", kind(&view)));
                        None
                    }
                })?;
                if path.is_empty() || path.len() > MAX_DEPTH {
                    self.fault(format!("a path has 1 to {MAX_DEPTH} keys"));
                    return None;
                }
                Some(path)
            }
            view => {
                self.fault(format!("a key or a list of keys is expected, not {}", kind(&view)));
                None
            }
        }
    }

    fn field<'a, N: Node<'a>>(&mut self, node: N, key: &str) -> Option<Path> {
        match node.get(key) {
            Some(field) => self.at(key, |p| p.path_of(field)),
            None => {
                self.wrong(node, key, "a key or a list of keys");
                None
            }
        }
    }

    /// The place of a path among the fields of the scope.
    fn intern(&mut self, path: Path) -> usize {
        self.scopes.last_mut().map_or(0, |fields| fields.place(path))
    }

    fn field_tests<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        let mut known = TESTS.to_vec();
        known.push("comment");
        self.object(node, "a condition on a field", &known);
        let path = self.field(node, "field");
        let field = path.map(|path| self.intern(path));
        let mut tests: Vec<Condition> = Vec::new();
        let mut whole = true;
        let mut said = 0;
        for key in TESTS.into_iter().skip(1) {
            let Some(value) = node.get(key) else { continue };
            said += 1;
            match self.at(key, |p| {
                p.field_test(key, value, field).map(|test| Condition { path: p.path.clone(), test })
            }) {
                Some(test) => tests.push(test),
                None => whole = false,
            }
        }
        if said == 0 {
            self.fault(format!("a condition on a field needs one of {}", TESTS[1..].join(", ")));
            return None;
        }
        if !whole || field.is_none() {
            return None;
        }
        if tests.len() == 1 { tests.pop().map(|single| single.test) } else { Some(Test::All(tests)) }
    }

    fn field_test<'a, N: Node<'a>>(&mut self, key: &str, value: N, field: Option<usize>) -> Option<Test> {
        // Read on without the field, to find the faults of the rest.
        let on = field.unwrap_or_default();
        let test = |test| Some(Test::Field(on, test));
        let negated = |path: &str, inner| {
            Some(Test::Not(Box::new(Condition { path: path.to_owned(), test: Test::Field(on, inner) })))
        };
        if let Some(comparison) = Comparison::ALL.into_iter().find(|comparison| comparison.sign() == key) {
            let operand = self.operand(value)?;
            if matches!(operand, Operand::Bool(_))
                && !matches!(comparison, Comparison::Equal | Comparison::NotEqual)
            {
                self.fault("booleans are compared by = and <> only");
                return None;
            }
            return test(FieldTest::Compare(comparison, operand));
        }
        match key {
            "in" => test(FieldTest::In(self.operands(value)?)),
            "not_in" => {
                let operands = self.operands(value)?;
                negated(&self.path, FieldTest::In(operands))
            }
            "between" => {
                let operands = self.operands(value)?;
                let path = self.path.clone();
                let Ok([low, high]) = <[Operand; 2]>::try_from(operands) else {
                    self.fault("between takes a list of two values, the lowest and the highest");
                    return None;
                };
                if matches!(low, Operand::Bool(_)) {
                    self.fault("booleans are compared by = and <> only");
                    return None;
                }
                let bound = |index, comparison, operand| Condition {
                    path: format!("{path}[{index}]"),
                    test: Test::Field(on, FieldTest::Compare(comparison, operand)),
                };
                Some(Test::All(vec![bound(0, Comparison::AtLeast, low), bound(1, Comparison::AtMost, high)]))
            }
            "is_null" => match value.view() {
                View::Bool(true) => test(FieldTest::IsNull),
                View::Bool(false) => negated(&self.path, FieldTest::IsNull),
                view => {
                    self.fault(format!("true or false is expected, not {}", kind(&view)));
                    None
                }
            },
            "starts_with" | "like" => {
                let View::Text(text) = value.view() else {
                    self.fault(format!("a text is expected, not {}", kind(&value.view())));
                    return None;
                };
                let text = String::from_utf8_lossy(text).into_owned();
                if key == "starts_with" {
                    return test(FieldTest::StartsWith(text));
                }
                match Like::parse(&text) {
                    Some(like) => test(FieldTest::Like(like)),
                    None => {
                        self.fault("a pattern must not end with a single backslash");
                        None
                    }
                }
            }
            _ => {
                let operands =
                    if key == "contains" { vec![self.operand(value)?] } else { self.operands(value)? };
                if operands.iter().any(|operand| matches!(operand, Operand::Date(_))) {
                    self.fault("a list is searched for numbers, texts and booleans, not for dates");
                    return None;
                }
                test(if key == "contains_all" {
                    FieldTest::ContainsAll(operands)
                } else {
                    FieldTest::ContainsAny(operands)
                })
            }
        }
    }

    /// Values of one type.
    fn operands<'a, N: Node<'a>>(&mut self, node: N) -> Option<Vec<Operand>> {
        let view = node.view();
        let View::List(list) = view else {
            self.fault(format!("a list of values is expected, not {}", kind(&view)));
            return None;
        };
        let operands = self.each(list, |p, element| p.operand(element))?;
        let Some(first) = operands.first() else {
            self.fault("a list of values must not be empty");
            return None;
        };
        let first = std::mem::discriminant(first);
        if operands.iter().any(|operand| std::mem::discriminant(operand) != first) {
            self.fault("the values of a list must be of one type");
            return None;
        }
        Some(operands)
    }

    fn operand<'a, N: Node<'a>>(&mut self, node: N) -> Option<Operand> {
        match node.view() {
            View::Number(number) => Some(Operand::Number(number.into_owned())),
            View::Text(text) => Some(Operand::Text(String::from_utf8_lossy(text).into_owned())),
            View::Bool(value) => Some(Operand::Bool(value)),
            View::Object(object) => self.date(object).map(Operand::Date),
            View::Null => {
                self.fault("nothing equals null: use is_null");
                None
            }
            View::List(_) => {
                self.fault("a number, a text, a boolean or a date is expected, not a list");
                None
            }
        }
    }

    /// `{"date": "2024-01-31"}`, `{"days_ago": 30}` and so on: its place among the dates.
    fn date<'a, N: Node<'a>>(&mut self, node: N) -> Option<usize> {
        const KEYS: [&str; 4] = ["date", "days_ago", "months_ago", "years_ago"];
        let mut members = node.members();
        let (Some((key, value)), None) = (members.next(), members.next()) else {
            self.fault(format!("a date is an object with one of {}", KEYS.join(", ")));
            return None;
        };
        let date = match &*key {
            "date" => {
                let day = match value.view() {
                    View::Text(text) => std::str::from_utf8(text).ok().and_then(day::parse),
                    _ => None,
                };
                match day {
                    Some(day) => DateOperand::Day(day),
                    None => {
                        self.at("date", |p| p.fault("a date written yyyy-mm-dd is expected"));
                        return None;
                    }
                }
            }
            "days_ago" | "months_ago" | "years_ago" => {
                let (unit, most) = match &*key {
                    "days_ago" => (1, MAX_DAYS),
                    "months_ago" => (1, 12_000),
                    _ => (12, 1_000),
                };
                let count = self.at(&key, |p| p.whole(value, -most, most))? as i32;
                self.relative = true;
                if &*key == "days_ago" {
                    DateOperand::DaysAgo(count)
                } else {
                    DateOperand::MonthsAgo(count * unit)
                }
            }
            _ => {
                self.at(&key, |p| p.fault(format!("unknown key; a date has one of {}", KEYS.join(", "))));
                return None;
            }
        };
        Some(self.intern_date(date))
    }

    fn intern_date(&mut self, date: DateOperand) -> usize {
        self.relative |= !matches!(date, DateOperand::Day(_));
        self.dates.place(date)
    }

    fn whole<'a, N: Node<'a>>(&mut self, node: N, least: i64, most: i64) -> Option<i64> {
        let number = match node.view() {
            View::Number(number) => number.to_i64(),
            _ => None,
        };
        match number {
            Some(number) if (least..=most).contains(&number) => Some(number),
            _ => {
                self.fault(format!("a whole number from {least} to {most} is expected"));
                None
            }
        }
    }

    fn events<'a, N: Node<'a>>(&mut self, node: N) -> Option<Test> {
        self.object(node, "a condition on events", &EVENTS);
        if self.scopes.len() > 1 {
            self.fault("events of events are not looked at");
            return None;
        }
        let field = self.field(node, "events").map(|path| self.intern(path));
        let on = match node.get("on") {
            None => Some(vec!["date".to_owned()]),
            Some(_) => self.field(node, "on"),
        };
        let asked: Vec<&str> =
            ["count", "sum", "then", "not_then"].into_iter().filter(|key| node.get(key).is_some()).collect();
        self.scopes.push(Interned::default());
        let filter = match node.get("where") {
            None => Some(None),
            Some(_) => self.condition_at(node, "where").map(Some),
        };
        let asked = match asked.as_slice() {
            ["count"] => self
                .at("count", |p| node.get("count").and_then(|count| p.counts(count, &[])).map(Asked::Count)),
            ["sum"] => match node.get("sum") {
                Some(sum) => self.at("sum", |p| {
                    let tests = p.counts(sum, &["of"]);
                    let of = p.field(sum, "of");
                    Some(Asked::Sum(of?, tests?))
                }),
                None => None,
            },
            [then @ ("then" | "not_then")] => {
                let not = *then == "not_then";
                let second = self.condition_at(node, then);
                let within = match node.get("within_days") {
                    Some(within) => self.at("within_days", |p| p.whole(within, 0, MAX_DAYS)),
                    None => {
                        self.fault("\"within_days\" is missing: a whole number of days is expected");
                        None
                    }
                };
                // Whether nothing followed is known only when the days have passed.
                self.relative |= not;
                match (second, within) {
                    (Some(second), Some(within)) => Some(Asked::Then { second, within: within as i32, not }),
                    _ => None,
                }
            }
            _ => {
                self.fault("a condition on events has one of count, sum, then, not_then");
                None
            }
        };
        let fields = self.scopes.pop().unwrap_or_default().values;
        if !matches!(asked, Some(Asked::Then { .. }) | None) && node.get("within_days").is_some() {
            self.at("within_days", |p| p.fault("within_days goes with then and not_then"));
        }
        let bound = |p: &mut Self, key| match node.get(key) {
            None => Some(None),
            Some(value) => p.at(key, |p| match value.view() {
                View::Object(object) => p.date(object).map(Some),
                view => {
                    p.fault(format!("a date, an object, is expected, not {}", kind(&view)));
                    None
                }
            }),
        };
        let mut from = bound(self, "from");
        let mut until = bound(self, "until");
        if let Some(days) = node.get("last_days") {
            if node.get("from").is_some() || node.get("until").is_some() {
                self.at("last_days", |p| p.fault("last_days is instead of from and until"));
            }
            match self.at("last_days", |p| p.whole(days, 1, MAX_DAYS)) {
                Some(days) => {
                    from = Some(Some(self.intern_date(DateOperand::DaysAgo(days as i32 - 1))));
                    until = Some(Some(self.intern_date(DateOperand::DaysAgo(0))));
                }
                None => from = None,
            }
        }
        Some(Test::Events(Box::new(Events {
            field: field?,
            on: on?,
            fields,
            filter: filter?,
            from: from?,
            until: until?,
            asked: asked?,
        })))
    }

    /// `{">=": 2, "<": 5}`, with other keys that are read elsewhere.
    fn counts<'a, N: Node<'a>>(
        &mut self,
        node: N,
        others: &[&str],
    ) -> Option<Vec<(Comparison, Decimal<'static>)>> {
        let signs = Comparison::ALL.map(Comparison::sign);
        let known: Vec<&str> = others.iter().copied().chain(signs).collect();
        let object = self.object(node, "what is asked", &known)?;
        let mut tests = Vec::new();
        let mut whole = true;
        for comparison in Comparison::ALL {
            if object.get(comparison.sign()).is_some() {
                match self.number(object, comparison.sign()) {
                    Some(number) => tests.push((comparison, number)),
                    None => whole = false,
                }
            }
        }
        if tests.is_empty() && whole {
            self.fault(format!("one of {} is expected", signs.join(", ")));
            return None;
        }
        whole.then_some(tests)
    }
}
