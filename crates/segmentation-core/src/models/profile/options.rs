//! What a fit of profiles may be told.

use serde_json::Value;

use crate::base::error::{Error, Result};
use crate::base::json::Object;

/// More features than this are refused.
pub(super) const MOST_FEATURES: usize = 256;

/// How profiles are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Lloyd's k-means, on numbers.
    KMeans,
    /// k-prototypes, on numbers and categories.
    KPrototypes,
    /// A mixture of normal distributions by EM, on numbers.
    GaussianMixture,
}

impl Method {
    /// Its name in SQL.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::KMeans => "k_means",
            Self::KPrototypes => "k_prototypes",
            Self::GaussianMixture => "gaussian_mixture",
        }
    }

    /// The method of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::KMeans, Self::KPrototypes, Self::GaussianMixture].into_iter().find(|m| m.name() == name)
    }
}

/// Options of a fit. See [`ProfileOptions::from_json`].
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileOptions {
    /// `None` for k-means, or k-prototypes if there are categories.
    pub method: Option<Method>,
    /// The smallest and the largest number of clusters.
    pub k: (usize, usize),
    /// Of the random numbers.
    pub seed: u64,
    /// Starts of each k, of which the best is kept.
    pub restarts: usize,
    /// Iterations of a start at most.
    pub max_iterations: usize,
    /// When a start has converged; `None` for the method's own.
    pub tolerance: Option<f64>,
    /// Whether features are brought to mean 0 and standard deviation 1.
    pub standardize: bool,
    /// Whether numbers beyond three interquartile ranges from the quartiles are brought to there.
    pub clip: bool,
    /// Whether customers with a missing feature are left out; else means stand in.
    pub skip_missing: bool,
    /// Distinct customers used at most.
    pub sample: usize,
    /// Names of the elements of an array.
    pub names: Vec<String>,
    /// Features whose numbers are categories.
    pub categorical: Vec<String>,
    /// The cost of a different category; `None` for half the mean standard deviation of the numbers.
    pub gamma: Option<f64>,
    /// Gaussian mixture: whether features are independent within a cluster.
    pub diagonal: bool,
    /// Where k-means starts, in the features' own units.
    pub start: Option<Vec<Vec<f64>>>,
    /// Gaussian mixture: whether k is chosen by BIC.
    pub by_bic: bool,
    text: String,
}

/// More clusters than this are no profiles.
pub(super) const MAX_K: u64 = 50;
const FIELDS: &[&str] = &[
    "method",
    "k",
    "seed",
    "restarts",
    "max_iterations",
    "tolerance",
    "standardize",
    "outliers",
    "missing",
    "sample",
    "names",
    "categorical",
    "gamma",
    "covariance",
    "start",
    "choose_by",
];

impl Default for ProfileOptions {
    fn default() -> Self {
        Self {
            method: None,
            k: (2, 8),
            seed: 1,
            restarts: 10,
            max_iterations: 300,
            tolerance: None,
            standardize: true,
            clip: false,
            skip_missing: false,
            sample: 1_000_000,
            names: Vec::new(),
            categorical: Vec::new(),
            gamma: None,
            diagonal: false,
            start: None,
            by_bic: false,
            text: "{}".to_owned(),
        }
    }
}

impl ProfileOptions {
    /// Options from their JSON object; what is missing or null takes its default.
    ///
    /// # Errors
    /// Names the field that is unknown or has a wrong value.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = Object::new("options", "", value, FIELDS)?;
        let mut options = Self { text: value.to_string(), ..Self::default() };
        options.method = match object.text("method")? {
            None | Some("auto") => None,
            Some(name) => Some(Method::parse(name).ok_or_else(|| {
                object.wrong("method", "one of auto, k_means, k_prototypes, gaussian_mixture")
            })?),
        };
        options.k = match object.get("k") {
            None => options.k,
            Some(Value::Array(range)) => {
                let whole = |v: &Value| v.as_f64().filter(|k| k.fract() == 0.0 && (2.0..=50.0).contains(k));
                match range.as_slice() {
                    [from, to] => match (whole(from), whole(to)) {
                        (Some(from), Some(to)) if from <= to => (from as usize, to as usize),
                        _ => return Err(object.wrong("k", format_args!("a range within 2 to {MAX_K}"))),
                    },
                    _ => return Err(object.wrong("k", "a whole number, or a list of the least and the most")),
                }
            }
            Some(_) => {
                let k = object.need_whole("k", 1, MAX_K)? as usize;
                (k, k)
            }
        };
        options.seed = object.whole("seed", 0, (1 << 53) - 1)?.unwrap_or(1);
        options.restarts = object.whole("restarts", 1, 1000)?.unwrap_or(10) as usize;
        options.max_iterations = object.whole("max_iterations", 1, 100_000)?.unwrap_or(300) as usize;
        options.tolerance = object.number("tolerance", 0.0, 1.0)?;
        options.standardize = flag(&object, "standardize")?.unwrap_or(true);
        options.clip = choice(&object, "outliers", "keep", "clip")?;
        options.skip_missing = choice(&object, "missing", "mean", "skip")?;
        options.diagonal = choice(&object, "covariance", "full", "diagonal")?;
        options.by_bic = choice(&object, "choose_by", "silhouette", "bic")?;
        options.sample = object.whole("sample", 100, 5_000_000)?.unwrap_or(1_000_000) as usize;
        options.names = names(&object, "names")?;
        options.categorical = names(&object, "categorical")?;
        options.gamma = object.number("gamma", 0.0, 1e6)?;
        options.start = start(&object)?;
        let gaussian = options.method == Some(Method::GaussianMixture);
        if options.by_bic && !gaussian {
            return Err(object.wrong("choose_by", "silhouette unless method is gaussian_mixture"));
        }
        if options.diagonal && !gaussian {
            return Err(object.wrong("covariance", "left out unless method is gaussian_mixture"));
        }
        if let Some(start) = &options.start {
            if gaussian {
                return Err(object.wrong("start", "left out if method is gaussian_mixture"));
            }
            options.k = (start.len(), start.len());
            if object.get("k").is_some_and(|k| k.as_f64() != Some(start.len() as f64)) {
                return Err(object.wrong("k", "left out, or the number of start's centres"));
            }
        }
        Ok(options)
    }

    /// The text that the options were read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

fn flag(object: &Object, key: &str) -> Result<Option<bool>> {
    object.get(key).map(|v| v.as_bool().ok_or_else(|| object.wrong(key, "true or false"))).transpose()
}

/// Whether the field has its second value; the first is the default.
fn choice(object: &Object, key: &str, usual: &str, other: &str) -> Result<bool> {
    match object.text(key)? {
        None => Ok(false),
        Some(text) if text == usual => Ok(false),
        Some(text) if text == other => Ok(true),
        Some(_) => Err(object.wrong(key, format_args!("{usual} or {other}"))),
    }
}

fn names(object: &Object, key: &str) -> Result<Vec<String>> {
    let Some(list) = object.list(key)? else { return Ok(Vec::new()) };
    if list.len() > MOST_FEATURES {
        return Err(object.wrong(key, format_args!("a list of at most {MOST_FEATURES} texts")));
    }
    let names: Option<Vec<String>> = list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
    let names = names.ok_or_else(|| object.wrong(key, "a list of texts"))?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < names.len() {
        return Err(object.wrong(key, "a list without repetitions"));
    }
    Ok(names)
}

fn start(object: &Object) -> Result<Option<Vec<Vec<f64>>>> {
    let Some(list) = object.list("start")? else { return Ok(None) };
    let wrong =
        || Error::invalid("field \"start\" of options must be a list of centres, each a list of numbers");
    let number = |v: &Value| v.as_f64().filter(|v| v.is_finite()).ok_or_else(wrong);
    let centre = |v: &Value| v.as_array().ok_or_else(wrong)?.iter().map(number).collect::<Result<Vec<f64>>>();
    let centres = list.iter().map(centre).collect::<Result<Vec<_>>>()?;
    let width = centres.first().map_or(0, Vec::len);
    if width == 0 || centres.len() > MAX_K as usize || centres.iter().any(|c| c.len() != width) {
        return Err(wrong());
    }
    Ok(Some(centres))
}
