//! A fitted model of profiles as a value: written, read, described, applied.

use std::borrow::Cow;

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::data::{CategoryFeature, Feature, NumberFeature};
use super::mixture::{Component, posterior};
use super::options::{MAX_K, Method};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::unfitted::{is_unfitted, unfitted};

/// What is typical of a cluster in one feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Centre {
    /// The mean, in the feature's own unit.
    Number(f64),
    /// The position of the most frequent category, and the shares of all.
    Category(u32, Vec<f64>),
}

/// One cluster.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cluster {
    pub(super) code: String,
    /// In English and French, if it was given one: it wins over a suggested name.
    pub(super) name: Option<(String, String)>,
    pub(super) customers: u64,
    pub(super) share: f64,
    /// A feature each.
    pub(super) centre: Vec<Centre>,
    /// The mean distance of its customers.
    pub(super) radius: f64,
    pub(super) silhouette: Option<f64>,
    pub(super) component: Option<Component>,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct ProfileModel {
    pub(super) method: Method,
    pub(super) gamma: f64,
    pub(super) features: Vec<Feature>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) seed: u64,
    pub(super) customers: u64,
    pub(super) about: Value,
    pub(super) quality: Map<String, Value>,
    pub(super) selection: Vec<Value>,
    pub(super) warnings: Vec<Value>,
}

/// Where a customer belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The code of the nearest (or most probable) cluster.
    pub code: String,
    /// From its centre, in the units of the fit (standard deviations, if standardised).
    pub distance: f64,
    /// 0 on the border to the next cluster, 1 at the centre: 1 - distance / distance to the next;
    /// for a mixture the posterior probability.
    pub confidence: f64,
    /// The code of the next cluster, if there is one.
    pub next: Option<String>,
}

/// One row of a description: a cluster and a feature, or a category of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The cluster.
    pub code: String,
    /// A suggested name in English.
    pub name: String,
    /// And in French.
    pub name_fr: String,
    /// Customers in the cluster.
    pub customers: u64,
    /// Their share.
    pub share: f64,
    /// The feature.
    pub feature: String,
    /// The category, for a feature with categories.
    pub category: Option<String>,
    /// The cluster's mean, or the share of the category within it.
    pub centre: f64,
    /// The same for everybody.
    pub population: f64,
    /// Their ratio; `None` unless both are above 0.
    pub lift: Option<f64>,
    /// Their difference in standard deviations of the population.
    pub deviation: Option<f64>,
}

/// The category of those who have none.
const MISSING: &str = "(missing)";

const FIELDS: &[&str] = &[
    "kind",
    "version",
    "method",
    "k",
    "seed",
    "customers",
    "about",
    "gamma",
    "features",
    "clusters",
    "quality",
    "selection",
    "warnings",
];

impl ProfileModel {
    /// The number of clusters.
    #[must_use]
    pub fn k(&self) -> usize {
        self.clusters.len()
    }

    /// The measures of quality by name.
    #[must_use]
    pub fn quality(&self) -> &Map<String, Value> {
        &self.quality
    }

    /// Code, customers, share, radius and silhouette of each cluster.
    pub fn sizes(&self) -> impl Iterator<Item = (&str, u64, f64, f64, Option<f64>)> {
        self.clusters.iter().map(|c| (&c.code[..], c.customers, c.share, c.radius, c.silhouette))
    }

    /// The value that is stored.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let feature = |f: &Feature| match f {
            Feature::Number(f) => json!({
                "name": f.name, "type": "number", "used": !f.unused, "mean": f.mean, "deviation": f.deviation,
                "centre": f.centre, "scale": f.scale, "missing": f.missing, "outliers": f.outliers,
                "clip": f.clip.map(|(low, high)| [low, high]),
            }),
            Feature::Category(f) => json!({
                "name": f.name, "type": "category", "used": !f.unused, "missing": f.missing,
                "categories": f.categories.iter().map(|(c, s)| json!([c, s])).collect::<Vec<_>>(),
            }),
        };
        let centre = |c: &Centre| match c {
            Centre::Number(v) => json!(v),
            Centre::Category(mode, shares) => json!({ "mode": mode, "shares": shares }),
        };
        let cluster = |c: &Cluster| {
            let mut value = json!({
                "code": c.code, "customers": c.customers, "share": c.share, "radius": c.radius,
                "silhouette": c.silhouette, "centre": c.centre.iter().map(centre).collect::<Vec<_>>(),
            });
            if let Some((name, name_fr)) = &c.name {
                value["name"] = name.as_str().into();
                value["name_fr"] = name_fr.as_str().into();
            }
            if let Some(component) = &c.component {
                value["weight"] = component.weight.into();
                value["mean"] = component.mean.iter().copied().collect();
                value["covariance"] = component.covariance.iter().copied().collect();
            }
            value
        };
        json!({
            "kind": "profile_model", "version": 1, "method": self.method.name(), "k": self.clusters.len(),
            "seed": self.seed, "customers": self.customers, "about": self.about, "gamma": self.gamma,
            "features": self.features.iter().map(feature).collect::<Vec<_>>(),
            "clusters": self.clusters.iter().map(cluster).collect::<Vec<_>>(),
            "quality": self.quality, "selection": self.selection, "warnings": self.warnings,
        })
    }

    /// What stands for a model that could not be fitted for want of data.
    #[must_use]
    pub fn unfitted(error: &Error, taken: u64) -> Value {
        unfitted("profile_model", json!({ "method": null, "customers": taken, "clusters": null }), error)
    }

    /// Whether a value is what [`ProfileModel::unfitted`] makes.
    #[must_use]
    pub fn is_unfitted(value: &Value) -> bool {
        is_unfitted(value, "profile_model", "clusters")
    }

    /// Reads the value, which may come from anywhere.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Self> {
        const WHAT: &str = "profile model";
        let object = Object::new(WHAT, "", value, FIELDS)?;
        if object.text("kind")? != Some("profile_model") {
            return Err(object.wrong("kind", "\"profile_model\""));
        }
        object.need_whole("version", 1, 1)?;
        let method = Method::parse(object.need_text("method")?)
            .ok_or_else(|| object.wrong("method", "one of k_means, k_prototypes, gaussian_mixture"))?;
        let list = |key| object.list(key)?.ok_or_else(|| object.wrong(key, "a list"));
        let features = list("features")?.iter().map(read_feature).collect::<Result<Vec<_>>>()?;
        let clusters = list("clusters")?
            .iter()
            .map(|c| read_cluster(c, &features, method))
            .collect::<Result<Vec<_>>>()?;
        if features.is_empty() || clusters.is_empty() || clusters.len() > MAX_K as usize {
            return Err(Error::invalid("a profile model must have features and clusters"));
        }
        Ok(Self {
            method,
            gamma: object.need_number("gamma", 0.0, 1e300)?,
            features,
            clusters,
            seed: object.whole("seed", 0, 1 << 53)?.unwrap_or(0),
            customers: object.whole("customers", 0, 1 << 53)?.unwrap_or(0),
            about: object.get("about").cloned().unwrap_or(Value::Null),
            quality: object.get("quality").and_then(Value::as_object).cloned().unwrap_or_default(),
            selection: object.list("selection")?.unwrap_or_default().to_vec(),
            warnings: object.list("warnings")?.unwrap_or_default().to_vec(),
        })
    }

    /// Where the elements of an array belong; `None` if all are missing.
    ///
    /// # Errors
    /// An array of another length; an element that is not finite; a model with categories.
    pub fn assign_array(&self, values: &[Option<f64>]) -> Result<Option<Assignment>> {
        if values.len() != self.features.len() {
            return Err(Error::invalid("features must have as many elements as the model has")
                .detail(format!("It has {}, the model {}.", values.len(), self.features.len())));
        }
        let mut numbers = Vec::with_capacity(values.len());
        for (value, feature) in values.iter().zip(&self.features) {
            let Feature::Number(feature) = feature else {
                return Err(Error::invalid("the model has categories: features must be a jsonb object"));
            };
            if value.is_some_and(|v| !v.is_finite()) {
                return Err(Error::new(ErrorKind::OutOfRange, "features must be finite numbers"));
            }
            if !feature.unused {
                numbers.push(feature.scaled(value.unwrap_or(f64::NAN)));
            }
        }
        Ok(values.iter().any(Option::is_some).then(|| self.nearest(&numbers, &[])))
    }

    /// Where named features belong; what the model does not know is ignored. `None` if all of the
    /// model's are missing.
    ///
    /// # Errors
    /// A feature of another type than the model's.
    pub fn assign_named(&self, values: &Map<String, Value>) -> Result<Option<Assignment>> {
        self.assign(|name| Ok(values.get(name).map_or(Cow::Owned(Value::Null), Cow::Borrowed)))
    }

    /// The same of values that are asked for by name; null where there is none.
    ///
    /// # Errors
    /// A feature of another type than the model's, what `value_of` says.
    pub fn assign<'v>(
        &self,
        value_of: impl Fn(&str) -> Result<Cow<'v, Value>>,
    ) -> Result<Option<Assignment>> {
        let (mut numbers, mut codes, mut any) = (Vec::new(), Vec::new(), false);
        for feature in &self.features {
            match feature {
                Feature::Number(f) => {
                    let value = match &*value_of(&f.name)? {
                        Value::Null => f64::NAN,
                        value => value.as_f64().filter(|v| v.is_finite()).ok_or_else(|| {
                            Error::invalid(format!("feature \"{}\" must be a number", f.name))
                        })?,
                    };
                    any |= !value.is_nan();
                    if !f.unused {
                        numbers.push(f.scaled(value));
                    }
                }
                Feature::Category(f) => {
                    let given = value_of(&f.name)?;
                    let text = match &*given {
                        Value::Null => None,
                        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
                        value @ (Value::Bool(_) | Value::Number(_)) => Some(Cow::Owned(value.to_string())),
                        _ => {
                            return Err(Error::invalid(format!("feature \"{}\" must be a text", f.name)));
                        }
                    };
                    any |= text.is_some();
                    if !f.unused {
                        // A category that the model has not seen differs from all.
                        codes.push(f.code(text.as_deref()).unwrap_or(u32::MAX));
                    }
                }
            }
        }
        Ok(any.then(|| self.nearest(&numbers, &codes)))
    }

    fn nearest(&self, numbers: &[f64], codes: &[u32]) -> Assignment {
        let mut room = vec![0.0; numbers.len()];
        let mut found: Vec<(f64, f64)> = Vec::with_capacity(self.clusters.len());
        for cluster in &self.clusters {
            let (mut cost, mut j, mut l) = (0.0, 0, 0);
            for (feature, centre) in self.features.iter().zip(&cluster.centre) {
                match (feature, centre) {
                    (Feature::Number(f), Centre::Number(c)) if !f.unused => {
                        cost += (numbers[j] - (c - f.centre) / f.scale).powi(2);
                        j += 1;
                    }
                    (Feature::Category(f), Centre::Category(mode, _)) if !f.unused => {
                        cost += if codes[l] == *mode { 0.0 } else { self.gamma };
                        l += 1;
                    }
                    _ => {}
                }
            }
            let ln = cluster.component.as_ref().map_or(0.0, |c| c.ln_density(numbers, &mut room));
            found.push((cost.sqrt(), ln));
        }
        let mixture = self.clusters.iter().all(|c| c.component.is_some());
        let mut order: Vec<usize> = (0..found.len()).collect();
        order.sort_by(|a, b| {
            if mixture { found[*b].1.total_cmp(&found[*a].1) } else { found[*a].0.total_cmp(&found[*b].0) }
        });
        let (first, next) = (order[0], order.get(1).copied());
        let confidence = if mixture {
            let mut ln: Vec<f64> = found.iter().map(|f| f.1).collect();
            posterior(&mut ln);
            ln[first]
        } else {
            match next {
                Some(next) if found[next].0 > 0.0 => 1.0 - found[first].0 / found[next].0,
                Some(_) => 0.0,
                None => 1.0,
            }
        };
        Assignment {
            code: self.clusters[first].code.clone(),
            distance: found[first].0,
            confidence,
            next: next.map(|n| self.clusters[n].code.clone()),
        }
    }

    /// One row a cluster and feature, or category of one.
    #[must_use]
    pub fn describe(&self) -> Vec<Description> {
        let mut rows = Vec::new();
        let mut parts = Vec::with_capacity(self.clusters.len());
        for cluster in &self.clusters {
            let first = rows.len();
            for (feature, centre) in self.features.iter().zip(&cluster.centre) {
                let mut push =
                    |name: &str, category: Option<String>, centre: f64, population: f64, deviation: f64| {
                        rows.push(Description {
                            code: cluster.code.clone(),
                            name: String::new(),
                            name_fr: String::new(),
                            customers: cluster.customers,
                            share: cluster.share,
                            feature: name.to_owned(),
                            category,
                            centre,
                            population,
                            lift: (population > 0.0 && centre >= 0.0).then(|| centre / population),
                            deviation: (deviation > 0.0).then(|| (centre - population) / deviation),
                        });
                    };
                match (feature, centre) {
                    (Feature::Number(f), Centre::Number(c)) if !f.unused => {
                        push(&f.name, None, *c, f.mean, f.deviation)
                    }
                    (Feature::Category(f), Centre::Category(_, shares)) if !f.unused => {
                        for ((category, population), share) in f.categories.iter().zip(shares) {
                            let category = category.clone().unwrap_or_else(|| MISSING.to_owned());
                            let deviation = (population * (1.0 - population)).sqrt();
                            push(&f.name, Some(category), *share, *population, deviation);
                        }
                    }
                    _ => {}
                }
            }
            parts.push(first..rows.len());
        }
        let given: Vec<_> = self.clusters.iter().map(|cluster| cluster.name.clone()).collect();
        let told: Vec<&[Description]> = parts.iter().map(|part| &rows[part.clone()]).collect();
        let names = names(&given, &told);
        for (part, (name, name_fr)) in parts.into_iter().zip(names) {
            for row in &mut rows[part] {
                row.name.clone_from(&name);
                row.name_fr.clone_from(&name_fr);
            }
        }
        rows
    }
}

/// A name is made of so many features, and of more only where that tells two clusters apart.
const FEATURES: std::ops::RangeInclusive<usize> = 2..=4;

/// The names of clusters, all of them different: those given, else what sets each apart.
fn names(given: &[Option<(String, String)>], rows: &[&[Description]]) -> Vec<(String, String)> {
    let suggested = |features| -> Vec<(String, String)> {
        let name = |(given, rows): (&Option<_>, &&[Description])| match given {
            Some(name) => Clone::clone(name),
            None => suggest(rows, features),
        };
        given.iter().zip(rows).map(name).collect()
    };
    let mut names = suggested(*FEATURES.start());
    for features in FEATURES.skip(1) {
        let twice = doubles(&names);
        for (i, longer) in suggested(features).into_iter().enumerate().filter(|(i, _)| twice[*i]) {
            names[i] = longer;
        }
    }
    let twice = doubles(&names);
    let numbered = |i: &usize| twice[*i] && given[*i].is_none();
    for (i, (name, name_fr)) in names.iter_mut().enumerate().filter(|(i, _)| numbered(i)) {
        *name = format!("{name} ({})", i + 1);
        *name_fr = format!("{name_fr} ({})", i + 1);
    }
    names
}

/// Which of some names another one equals.
fn doubles(names: &[(String, String)]) -> Vec<bool> {
    names.iter().map(|name| names.iter().filter(|other| other.0 == name.0).count() > 1).collect()
}

/// A category in English and French.
fn category_words(category: &str) -> (&str, &str) {
    match category {
        MISSING => (MISSING, "(non renseigné)"),
        "true" => ("yes", "oui"),
        "false" => ("no", "non"),
        category => (category, category),
    }
}

/// A name from what sets a cluster apart most: so many features at most, half a standard deviation or more.
fn suggest(rows: &[Description], features: usize) -> (String, String) {
    let mut told: Vec<&Description> = rows
        .iter()
        .filter(|r| r.deviation.is_some_and(|d| d >= 0.5 || (r.category.is_none() && d <= -0.5)))
        .collect();
    let size = |r: &Description| r.deviation.unwrap_or(0.0).abs();
    told.sort_by(|a, b| size(b).total_cmp(&size(a)));
    let mut english = Vec::new();
    let mut french = Vec::new();
    let mut used: Vec<&str> = Vec::new();
    for row in told {
        if used.len() == features || used.contains(&&row.feature[..]) {
            continue;
        }
        used.push(&row.feature);
        match (&row.category, row.deviation) {
            (Some(category), _) => {
                let (word, word_fr) = category_words(category);
                english.push(format!("{}: {word}", row.feature));
                french.push(format!("{} : {word_fr}", row.feature));
            }
            (None, Some(d)) if d > 0.0 => {
                english.push(format!("high {}", row.feature));
                french.push(format!("{} élevé", row.feature));
            }
            _ => {
                english.push(format!("low {}", row.feature));
                french.push(format!("{} faible", row.feature));
            }
        }
    }
    if english.is_empty() {
        return ("average".to_owned(), "dans la moyenne".to_owned());
    }
    (english.join(", "), french.join(", "))
}

fn read_feature(value: &Value) -> Result<Feature> {
    const WHAT: &str = "profile model";
    const NUMBER: &[&str] =
        &["name", "type", "used", "mean", "deviation", "centre", "scale", "missing", "outliers", "clip"];
    const CATEGORY: &[&str] = &["name", "type", "used", "missing", "categories"];
    let number = value.get("type").is_some_and(|t| t == "number");
    let object = Object::new(WHAT, "features", value, if number { NUMBER } else { CATEGORY })?;
    let name = object.need_text("name")?.to_owned();
    let unused = object.get("used").and_then(Value::as_bool).is_some_and(|used| !used);
    let missing = object.whole("missing", 0, 1 << 53)?.unwrap_or(0);
    if number {
        let clip = match object.list("clip")? {
            None => None,
            Some([low, high]) => match (low.as_f64(), high.as_f64()) {
                (Some(low), Some(high)) if low <= high => Some((low, high)),
                _ => return Err(object.wrong("clip", "two numbers in ascending order")),
            },
            Some(_) => return Err(object.wrong("clip", "two numbers in ascending order")),
        };
        return Ok(Feature::Number(NumberFeature {
            name,
            mean: object.need_number("mean", -1e300, 1e300)?,
            deviation: object.need_number("deviation", 0.0, 1e300)?,
            centre: object.need_number("centre", -1e300, 1e300)?,
            scale: object.need_number("scale", 1e-300, 1e300)?,
            missing,
            outliers: object.whole("outliers", 0, 1 << 53)?.unwrap_or(0),
            clip,
            unused,
        }));
    }
    if object.need_text("type")? != "category" {
        return Err(object.wrong("type", "number or category"));
    }
    let wrong = || object.wrong("categories", "a list of pairs of a text and a share");
    let mut categories = Vec::new();
    for pair in object.list("categories")?.ok_or_else(wrong)? {
        match pair.as_array().map(Vec::as_slice) {
            Some([name, share]) if name.is_null() || name.is_string() => {
                let share = share.as_f64().filter(|s| (0.0..=1.0).contains(s)).ok_or_else(wrong)?;
                categories.push((name.as_str().map(str::to_owned), share));
            }
            _ => return Err(wrong()),
        }
    }
    Ok(Feature::Category(CategoryFeature { name, categories, missing, unused }))
}

fn read_cluster(value: &Value, features: &[Feature], method: Method) -> Result<Cluster> {
    const WHAT: &str = "profile model";
    const FIELDS: &[&str] = &[
        "code",
        "name",
        "name_fr",
        "customers",
        "share",
        "radius",
        "silhouette",
        "centre",
        "weight",
        "mean",
        "covariance",
    ];
    let object = Object::new(WHAT, "clusters", value, FIELDS)?;
    let wrong = || object.wrong("centre", "a list with one entry a feature");
    let list = object.list("centre")?.ok_or_else(wrong)?;
    if list.len() != features.len() {
        return Err(wrong());
    }
    let centre = list
        .iter()
        .zip(features)
        .map(|(value, feature)| match feature {
            Feature::Number(_) => {
                value.as_f64().filter(|v| v.abs() <= 1e300).map(Centre::Number).ok_or_else(wrong)
            }
            Feature::Category(f) => {
                let mode = value.get("mode").and_then(Value::as_u64).ok_or_else(wrong)?;
                let shares: Option<Vec<f64>> = value
                    .get("shares")
                    .and_then(Value::as_array)
                    .ok_or_else(wrong)?
                    .iter()
                    .map(Value::as_f64)
                    .collect();
                let shares = shares.filter(|s| s.len() == f.categories.len()).ok_or_else(wrong)?;
                Ok(Centre::Category(mode.min(u64::from(u32::MAX)) as u32, shares))
            }
        })
        .collect::<Result<Vec<_>>>()?;
    let component = if method == Method::GaussianMixture {
        let numbers = |key: &str| -> Result<Vec<f64>> {
            let wrong = || object.wrong(key, "a list of numbers");
            let list = object.list(key)?.ok_or_else(wrong)?;
            list.iter().map(|v| v.as_f64().filter(|v| v.is_finite()).ok_or_else(wrong)).collect()
        };
        let (mean, covariance) = (numbers("mean")?, numbers("covariance")?);
        let d = features.iter().filter(|f| matches!(f, Feature::Number(f) if !f.unused)).count();
        if mean.len() != d || (covariance.len() != d && covariance.len() != d * d) {
            return Err(object.wrong("covariance", "as many numbers as the features need"));
        }
        let weight = object.need_number("weight", 1e-300, 1.0)?;
        let rows = covariance.len() / d.max(1);
        let covariance = Array2::from_shape_vec((rows, d), covariance)
            .map_err(|_| object.wrong("covariance", "as many numbers as the features need"))?;
        Some(Component::new(weight, mean.into(), covariance).map_err(|error| Error::invalid(error.message))?)
    } else {
        None
    };
    let name = match (object.text("name")?, object.text("name_fr")?) {
        (None, None) => None,
        (Some(name), Some(name_fr)) => Some((name.to_owned(), name_fr.to_owned())),
        _ => return Err(object.wrong("name_fr", "a text where name is one")),
    };
    Ok(Cluster {
        code: object.need_text("code")?.to_owned(),
        name,
        customers: object.whole("customers", 0, 1 << 53)?.unwrap_or(0),
        share: object.number("share", 0.0, 1.0)?.unwrap_or(0.0),
        centre,
        radius: object.number("radius", 0.0, 1e300)?.unwrap_or(0.0),
        silhouette: object.number("silhouette", -1.0, 1.0)?,
        component,
    })
}
