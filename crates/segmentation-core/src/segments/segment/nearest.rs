//! The nearest of some points: clusters of a profile model, profiles of benefits sought.

use super::Path;
use crate::base::document::{Node, View};

/// A feature of a profile model.
#[derive(Debug, Clone)]
pub struct Feature {
    pub(super) path: Path,
    /// Its standard deviation, by which differences are divided.
    pub(super) scale: f64,
    /// How much it counts.
    pub(super) weight: f64,
}

/// A point with a name.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(super) code: String,
    pub(super) centre: Vec<f64>,
}

/// The clusters of a profile model. The distance of a customer from a centre is the root of the
/// weighted mean of squared standardised differences over the features that the customer has.
#[derive(Debug, Clone)]
pub struct Nearest {
    features: Vec<Feature>,
    clusters: Vec<Cluster>,
    max_distance: Option<f64>,
}

fn number<'a, N: Node<'a>>(customer: N, path: &[String]) -> Option<f64> {
    match customer.follow(path)?.view() {
        View::Number(number) => Some(number.to_f64()).filter(|value| value.is_finite()),
        _ => None,
    }
}

/// The two least of some distances, and where the least is; the first of equals.
fn two_least(distances: &[f64]) -> Option<(usize, f64, f64)> {
    let mut best: Option<(usize, f64)> = None;
    let mut second = f64::INFINITY;
    for (i, distance) in distances.iter().enumerate() {
        match best {
            Some((_, least)) if *distance >= least => second = second.min(*distance),
            _ => {
                second = best.map_or(second, |(_, least)| least);
                best = Some((i, *distance));
            }
        }
    }
    best.map(|(i, least)| (i, least, second))
}

/// 1 - nearest / second nearest: 0 half way between two, 1 on the point itself.
fn confidence(least: f64, second: f64) -> f64 {
    if second == 0.0 {
        0.0
    } else if second.is_infinite() {
        1.0
    } else {
        1.0 - least / second
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl Nearest {
    pub(super) fn new(features: Vec<Feature>, clusters: Vec<Cluster>, max_distance: Option<f64>) -> Self {
        Nearest { features, clusters, max_distance }
    }

    /// Codes of the clusters.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.clusters.iter().map(|cluster| cluster.code.as_str())
    }

    /// The fields that it reads.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[String]> {
        self.features.iter().map(|feature| feature.path.as_slice())
    }

    fn distances<'a, N: Node<'a>>(&self, customer: N) -> Option<Vec<f64>> {
        let values: Vec<Option<f64>> = self.features.iter().map(|f| number(customer, &f.path)).collect();
        let known = |(feature, value): (&Feature, &Option<f64>)| value.map_or(0.0, |_| feature.weight);
        let weight: f64 = self.features.iter().zip(&values).map(known).sum();
        if weight <= 0.0 {
            return None;
        }
        let distance = |cluster: &Cluster| {
            let sum: f64 = self
                .features
                .iter()
                .zip(&values)
                .zip(&cluster.centre)
                .filter_map(|((feature, value), centre)| {
                    let difference = (value.as_ref()? - centre) / feature.scale;
                    Some(feature.weight * difference * difference)
                })
                .sum();
            (sum / weight).sqrt()
        };
        Some(self.clusters.iter().map(distance).collect())
    }

    pub(super) fn assign<'a, N: Node<'a>>(&self, customer: N) -> Option<&str> {
        let (nearest, distance, _) = two_least(&self.distances(customer)?)?;
        let near = self.max_distance.is_none_or(|most| distance <= most);
        near.then(|| self.clusters[nearest].code.as_str())
    }

    /// Distances, confidence, and what each feature adds to the distance from the nearest and the next.
    pub(super) fn explain<'a, N: Node<'a>>(&self, customer: N) -> serde_json::Value {
        use serde_json::json;
        let Some(distances) = self.distances(customer) else {
            return json!({"reason": "the customer has none of the features"});
        };
        let Some((nearest, least, second)) = two_least(&distances) else { return json!({}) };
        let features: Vec<_> = self
            .features
            .iter()
            .enumerate()
            .map(|(i, feature)| {
                let value = number(customer, &feature.path);
                json!({
                    "feature": feature.path.join("."),
                    "value": value,
                    "centre": self.clusters[nearest].centre[i],
                    "standard_deviations": value.map(|v| rounded((v - self.clusters[nearest].centre[i]) / feature.scale)),
                })
            })
            .collect();
        let clusters: Vec<_> = self
            .clusters
            .iter()
            .zip(&distances)
            .map(|(cluster, distance)| json!({"segment": cluster.code, "distance": rounded(*distance)}))
            .collect();
        json!({
            "clusters": clusters,
            "confidence": rounded(confidence(least, second)),
            "features": features,
            "too_far": self.max_distance.is_some_and(|most| least > most),
        })
    }
}

/// Benefits sought: what counts for each profile, and the profile that a respondent is nearest to.
///
/// Some people give high marks to everything and some to nothing, so marks are divided by
/// their sum before they are compared: the distance is Euclid's between shares.
#[derive(Debug, Clone)]
pub struct Benefits {
    criteria: Vec<Path>,
    profiles: Vec<Cluster>,
    min_confidence: f64,
}

/// Marks as shares of their sum.
fn shares(marks: &[f64]) -> Vec<f64> {
    let sum: f64 = marks.iter().sum();
    marks.iter().map(|mark| mark / sum).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

impl Benefits {
    pub(super) fn new(criteria: Vec<Path>, profiles: Vec<Cluster>, min_confidence: f64) -> Self {
        let profiles =
            profiles.into_iter().map(|p| Cluster { code: p.code, centre: shares(&p.centre) }).collect();
        Benefits { criteria, profiles, min_confidence }
    }

    /// Codes of the profiles.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.profiles.iter().map(|profile| profile.code.as_str())
    }

    /// The fields that it reads.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[String]> {
        self.criteria.iter().map(Vec::as_slice)
    }

    /// The marks, if all are there, none is below 0 and not all are 0.
    fn marks<'a, N: Node<'a>>(&self, customer: N) -> std::result::Result<Vec<f64>, String> {
        let mut marks = Vec::with_capacity(self.criteria.len());
        for path in &self.criteria {
            match number(customer, path) {
                Some(mark) if mark >= 0.0 => marks.push(mark),
                Some(_) => return Err(format!("the mark of {} is below 0", path.join("."))),
                None => return Err(format!("there is no mark of {}", path.join("."))),
            }
        }
        let sum: f64 = marks.iter().sum();
        if sum > 0.0 && sum.is_finite() { Ok(marks) } else { Err("the marks are all 0".to_owned()) }
    }

    fn nearest(&self, marks: &[f64]) -> Option<(usize, f64, f64)> {
        let own = shares(marks);
        let distances: Vec<f64> = self.profiles.iter().map(|p| distance(&own, &p.centre)).collect();
        two_least(&distances)
    }

    pub(super) fn assign<'a, N: Node<'a>>(&self, customer: N) -> Option<&str> {
        let (nearest, least, second) = self.nearest(&self.marks(customer).ok()?)?;
        let sure = confidence(least, second) >= self.min_confidence;
        sure.then(|| self.profiles[nearest].code.as_str())
    }

    /// The mark of one criterion at which profile `rival` is as near as profile `nearest`, all other marks
    /// staying: both distances are linear in the shares, so that the equation in the mark is linear too.
    fn turning_mark(&self, marks: &[f64], nearest: usize, rival: usize, criterion: usize) -> Option<f64> {
        let (p, q) = (&self.profiles[nearest].centre, &self.profiles[rival].centre);
        let sum: f64 = marks.iter().sum();
        let along: f64 = marks.iter().zip(p.iter().zip(q)).map(|(m, (p, q))| m * (p - q)).sum();
        let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        let level = (square(p) - square(q)) / 2.0;
        let mark = marks[criterion] + (level * sum - along) / (p[criterion] - q[criterion] - level);
        (mark.is_finite() && mark >= 0.0).then_some(mark)
    }

    /// Shares, distances, confidence, and the smallest changes of one mark that change the answer.
    pub(super) fn explain<'a, N: Node<'a>>(&self, customer: N) -> serde_json::Value {
        use serde_json::json;
        let marks = match self.marks(customer) {
            Ok(marks) => marks,
            Err(reason) => return json!({"reason": reason}),
        };
        let Some((nearest, least, second)) = self.nearest(&marks) else { return json!({}) };
        let own = shares(&marks);
        let criteria: Vec<_> = self
            .criteria
            .iter()
            .enumerate()
            .map(|(i, path)| {
                json!({
                    "criterion": path.join("."),
                    "mark": marks[i],
                    "share": rounded(own[i]),
                    "profile": rounded(self.profiles[nearest].centre[i]),
                })
            })
            .collect();
        let profiles: Vec<_> = self
            .profiles
            .iter()
            .map(|p| json!({"segment": p.code, "distance": rounded(distance(&own, &p.centre))}))
            .collect();
        let mut changes: Vec<(f64, serde_json::Value)> = Vec::new();
        for rival in (0..self.profiles.len()).filter(|rival| *rival != nearest) {
            for criterion in 0..marks.len() {
                let Some(mark) = self.turning_mark(&marks, nearest, rival, criterion) else { continue };
                // A little beyond the turning point the rival must be the answer.
                let change = mark - marks[criterion];
                let mut beyond = marks.clone();
                beyond[criterion] = (mark + change * 1e-6).max(0.0);
                if beyond.iter().sum::<f64>() > 0.0
                    && self.nearest(&beyond).is_some_and(|(answer, ..)| answer == rival)
                {
                    changes.push((
                        change.abs(),
                        json!({
                            "criterion": self.criteria[criterion].join("."),
                            "mark": marks[criterion],
                            "beyond": rounded(mark),
                            "segment": self.profiles[rival].code,
                        }),
                    ));
                }
            }
        }
        changes.sort_by(|a, b| a.0.total_cmp(&b.0));
        let changes: Vec<_> = changes.into_iter().take(5).map(|(_, change)| change).collect();
        json!({
            "profiles": profiles,
            "confidence": rounded(confidence(least, second)),
            "criteria": criteria,
            "what_would_change_it": changes,
        })
    }
}
