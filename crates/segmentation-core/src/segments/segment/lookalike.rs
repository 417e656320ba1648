//! Who resembles the members of a segment: naive Bayes on named features.
//!
//! For each feature the members and the others are summarised (mean and standard deviation of a
//! number, counts of a text's or boolean's values). The score of a customer is the sum over the
//! features of the logarithm of how much likelier the value is among members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::base::document::{Node, View};
use crate::base::error::{Error, ErrorKind, Result};

/// The most features.
const MAX_FEATURES: usize = 1000;
/// The most values of a text feature that are kept apart.
const MAX_VALUES: usize = 1000;
/// What one feature can add or take at most: a rare value must not decide alone.
const MOST: f64 = 3.0;

/// Count, mean and sum of squared differences from the mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Moments {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn merge(&mut self, other: &Moments) {
        if other.n == 0.0 {
            return;
        }
        let n = self.n + other.n;
        let difference = other.mean - self.mean;
        self.squares += other.squares + difference * difference * self.n * other.n / n;
        self.mean += difference * other.n / n;
        self.n = n;
    }
}

/// A feature, among the others [0] and the members [1].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Seen {
    numbers: [Moments; 2],
    values: BTreeMap<String, [u64; 2]>,
    /// Values beyond those that are kept apart.
    rest: [u64; 2],
}

/// Members of a segment and others, summarised.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Lookalike {
    customers: [u64; 2],
    features: BTreeMap<String, Seen>,
}

impl Lookalike {
    /// Takes a customer in.
    ///
    /// # Errors
    /// There are more than 1,000 features.
    pub fn add<'a, N: Node<'a>>(&mut self, member: bool, features: N) -> Result<()> {
        let class = usize::from(member);
        self.customers[class] += 1;
        for (name, value) in features.members() {
            if self.features.len() >= MAX_FEATURES && !self.features.contains_key(&*name) {
                return Err(Error::new(ErrorKind::LimitExceeded, "too many features")
                    .detail(format!("At most {MAX_FEATURES} are used."))
                    .hint("Name the features to be used."));
            }
            let text = match value.view() {
                View::Number(number) => {
                    let number = number.to_f64();
                    if number.is_finite() {
                        let one = Moments { n: 1.0, mean: number, squares: 0.0 };
                        self.features.entry(name.into_owned()).or_default().numbers[class].merge(&one);
                    }
                    continue;
                }
                View::Text(text) => String::from_utf8_lossy(text).chars().take(200).collect(),
                View::Bool(value) => value.to_string(),
                View::Null | View::List(_) | View::Object(_) => continue,
            };
            let seen = self.features.entry(name.into_owned()).or_default();
            let room = seen.values.len() < MAX_VALUES;
            match seen.values.get_mut(&text) {
                Some(counts) => counts[class] += 1,
                None if room => {
                    let mut counts = [0; 2];
                    counts[class] = 1;
                    seen.values.insert(text, counts);
                }
                None => seen.rest[class] += 1,
            }
        }
        Ok(())
    }

    /// Takes another part in.
    pub fn merge(&mut self, other: &Self) {
        for class in 0..2 {
            self.customers[class] = self.customers[class].saturating_add(other.customers[class]);
        }
        for (name, theirs) in &other.features {
            let seen = self.features.entry(name.clone()).or_default();
            for class in 0..2 {
                seen.numbers[class].merge(&theirs.numbers[class]);
                seen.rest[class] = seen.rest[class].saturating_add(theirs.rest[class]);
            }
            for (value, counts) in &theirs.values {
                let room = seen.values.len() < MAX_VALUES;
                let place = match seen.values.get_mut(value) {
                    Some(place) => place,
                    None if room => seen.values.entry(value.clone()).or_default(),
                    None => &mut seen.rest,
                };
                for class in 0..2 {
                    place[class] = place[class].saturating_add(counts[class]);
                }
            }
        }
    }

    /// The state as bytes.
    ///
    /// # Errors
    /// None is expected.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|_| invalid_state())
    }

    /// The state from bytes.
    ///
    /// # Errors
    /// They are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|_| invalid_state())
    }

    /// The model, with the features that tell members from others first.
    ///
    /// # Errors
    /// There are no members, or no others.
    pub fn model(&self) -> Result<Value> {
        let [others, members] = self.customers;
        if others == 0 || members == 0 {
            return Err(Error::new(ErrorKind::NotReady, "a lookalike model needs members and others")
                .detail(format!("There are {members} members and {others} others.")));
        }
        let mut features: Vec<(f64, Value)> = Vec::new();
        for (name, seen) in &self.features {
            features.extend(number_feature(name, &seen.numbers));
            features.extend(text_feature(name, seen));
        }
        features.sort_by(|a, b| b.0.total_cmp(&a.0));
        let features: Vec<Value> = features.into_iter().map(|(_, feature)| feature).collect();
        Ok(json!({
            "kind": "lookalike", "version": 1, "members": members, "others": others, "features": features,
        }))
    }
}

fn invalid_state() -> Error {
    Error::new(ErrorKind::InvalidBinary, "invalid aggregate state")
}

fn number_feature(name: &str, [others, members]: &[Moments; 2]) -> Option<(f64, Value)> {
    if others.n < 2.0 || members.n < 2.0 {
        return None;
    }
    let mut all = *others;
    all.merge(members);
    let sd = (all.squares / all.n).sqrt();
    if sd <= 0.0 || !sd.is_finite() {
        return None;
    }
    // A standard deviation of a handful of members is drawn to that of all.
    let shrunk = |m: &Moments| ((m.squares + 5.0 * sd * sd) / (m.n + 5.0)).sqrt();
    let strength = (members.mean - others.mean).abs() / sd;
    let feature = json!({
        "feature": name, "type": "number", "strength": strength,
        "members": {"mean": members.mean, "deviation": shrunk(members)},
        "others": {"mean": others.mean, "deviation": shrunk(others)},
    });
    Some((strength, feature))
}

fn text_feature(name: &str, seen: &Seen) -> Option<(f64, Value)> {
    let sum = |class: usize| {
        seen.values.values().map(|counts| counts[class]).fold(seen.rest[class], u64::saturating_add)
    };
    let (others, members) = (sum(0), sum(1));
    if others == 0 || members == 0 {
        return None;
    }
    let total = (others + members) as f64;
    // Shrunk to the share among all, by as much as ten customers would.
    let weight = |counts: &[u64; 2]| {
        let share = (counts[0] + counts[1]) as f64 / total;
        let part = |count: u64, n: u64| (count as f64 + 10.0 * share) / (n as f64 + 10.0);
        (part(counts[1], members) / part(counts[0], others)).ln().clamp(-MOST, MOST)
    };
    let mut strength = 0.0;
    let mut weights = serde_json::Map::new();
    for (value, counts) in &seen.values {
        let weight = weight(counts);
        let [a, b] = [counts[1] as f64 / members as f64, counts[0] as f64 / others as f64];
        strength += (a - b) * weight;
        weights.insert(value.clone(), json!(weight));
    }
    let feature = json!({"feature": name, "type": "text", "strength": strength, "weights": weights});
    Some((strength.max(0.0), feature))
}

/// How much likelier members are to have a value.
#[derive(Debug, Clone)]
enum Weigh {
    Number { members: (f64, f64), others: (f64, f64) },
    Text(BTreeMap<String, f64>),
}

/// A lookalike model, ready to score.
#[derive(Debug, Clone)]
pub struct LookalikeModel {
    features: Vec<(String, Weigh)>,
}

impl LookalikeModel {
    /// Reads a model; `None` where there was too little data for one.
    ///
    /// # Errors
    /// It is none.
    pub fn parse<'a, N: Node<'a>>(model: N) -> Result<Option<Self>> {
        let invalid = |what: &str| {
            Error::invalid("invalid lookalike model")
                .detail(format!("It lacks {what}."))
                .hint("A model is the result of fit_lookalike.")
        };
        let text = |node: N, key: &str| match node.get(key).map(Node::view) {
            Some(View::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        let number = |node: N, key: &str| match node.get(key).map(Node::view) {
            Some(View::Number(number)) => Some(number.to_f64()).filter(|n| n.is_finite()),
            _ => None,
        };
        if text(model, "kind").as_deref() != Some("lookalike") {
            return Err(invalid("kind: lookalike"));
        }
        let list = model.get("features").ok_or_else(|| invalid("features"))?;
        if matches!(list.view(), View::Null) {
            return Ok(None);
        }
        let mut features = Vec::new();
        for feature in list.elements() {
            let name = text(feature, "feature").ok_or_else(|| invalid("the name of a feature"))?;
            let weigh = match text(feature, "type").as_deref() {
                Some("number") => {
                    let of = |class: &str| {
                        let class = feature.get(class)?;
                        let deviation = number(class, "deviation").filter(|d| *d > 0.0)?;
                        Some((number(class, "mean")?, deviation))
                    };
                    let read = of("members").zip(of("others"));
                    let (members, others) = read.ok_or_else(|| invalid("mean and deviation of a feature"))?;
                    Weigh::Number { members, others }
                }
                Some("text") => {
                    let weights = feature.get("weights").ok_or_else(|| invalid("weights of a feature"))?;
                    let weights = weights.members().filter_map(|(value, weight)| match weight.view() {
                        View::Number(weight) => Some((value.into_owned(), weight.to_f64())),
                        _ => None,
                    });
                    Weigh::Text(weights.collect())
                }
                _ => return Err(invalid("the type of a feature")),
            };
            features.push((name, weigh));
        }
        Ok(Some(LookalikeModel { features }))
    }

    /// What each feature of a customer adds.
    pub fn parts<'a, N: Node<'a>>(&self, customer: N) -> impl Iterator<Item = (&str, f64)> {
        self.features.iter().filter_map(move |(name, weigh)| {
            let view = customer.get(name)?.view();
            let part = match (weigh, view) {
                (Weigh::Number { members, others }, View::Number(number)) => {
                    let x = number.to_f64();
                    let density = |(mean, deviation): (f64, f64)| {
                        let z = (x - mean) / deviation;
                        -z * z / 2.0 - deviation.ln()
                    };
                    density(*members) - density(*others)
                }
                (Weigh::Text(weights), View::Text(text)) => *weights.get(std::str::from_utf8(text).ok()?)?,
                (Weigh::Text(weights), View::Bool(value)) => {
                    *weights.get(if value { "true" } else { "false" })?
                }
                _ => return None,
            };
            part.is_finite().then_some((name.as_str(), part.clamp(-MOST, MOST)))
        })
    }

    /// The score: above 0, the customer resembles members more than others. The sum of nothing is -0: hence + 0.
    pub fn score<'a, N: Node<'a>>(&self, customer: N) -> f64 {
        self.parts(customer).map(|(_, part)| part).sum::<f64>() + 0.0
    }

    /// What each feature adds to the score, the most telling first.
    pub fn explain<'a, N: Node<'a>>(&self, customer: N) -> Value {
        let mut parts: Vec<(&str, f64)> = self.parts(customer).collect();
        parts.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        let parts: Vec<Value> = parts
            .into_iter()
            .map(|(name, part)| json!({"feature": name, "adds": (part * 1000.0).round() / 1000.0}))
            .collect();
        Value::Array(parts)
    }
}
