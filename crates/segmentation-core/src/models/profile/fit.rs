//! The fit: k chosen or given, restarts compared on a sample, the best refined on everybody.

use ndarray::Array2;
use serde_json::{Map, Value, json};

use super::Random;
use super::data::{BLOCK, Data, Feature};
use super::lloyd::Clusters;
use super::mixture::Mixture;
use super::model::{Centre, Cluster, ProfileModel};
use super::options::{Method, ProfileOptions};
use super::rows::ProfileRows;
use super::silhouette::{SILHOUETTE_ROWS, silhouette};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::words::counted;
use crate::math::pairs::Pairs;

/// Distinct rows on which restarts and numbers of clusters are compared.
const TRIAL_ROWS: usize = 782 * BLOCK;
/// Numbers of the responsibilities of a mixture at most.
const MOST_RESPONSIBILITIES: usize = 50_000_000;

/// What a number of clusters gave.
struct Candidate {
    clusters: Clusters,
    mixture: Option<Mixture>,
    silhouette: Option<(f64, Vec<Option<f64>>)>,
    bic: Option<f64>,
}

struct Fit<'a> {
    data: &'a mut Data,
    options: &'a ProfileOptions,
    method: Method,
    /// Distances computed so far: what the fit cost.
    distances: f64,
}

/// Fits profiles to what was gathered.
///
/// # Errors
/// [`ErrorKind::NotReady`] if there are too few distinct customers or nothing varies; options that
/// do not fit the features.
pub fn fit(rows: &ProfileRows, checkpoint: Checkpoint) -> Result<ProfileModel> {
    let options = std::rc::Rc::clone(rows.options());
    let (taken, skipped) = (rows.taken, rows.skipped);
    for name in &options.categorical {
        if !rows.columns.iter().any(|c| &c.name == name) && !rows.columns.is_empty() {
            return Err(Error::invalid(format!("options.categorical names \"{name}\", which is no feature")));
        }
    }
    let ordered = rows.ordered(checkpoint)?;
    let sampled = ordered.counts.iter().sum::<u64>() < taken;
    let mut data = Data::new(&ordered, &options, checkpoint)?;
    let has_categories = data.features.iter().any(|f| matches!(f, Feature::Category(_)));
    let method = options.method.unwrap_or(if has_categories { Method::KPrototypes } else { Method::KMeans });
    if has_categories && method != Method::KPrototypes {
        return Err(Error::invalid(format!("method {} takes numbers only", method.name()))
            .detail("Some features are categories.")
            .hint("Use k_prototypes, or leave these features out."));
    }
    if data.width == 0 && data.levels.is_empty() {
        return Err(Error::new(ErrorKind::NotReady, "no feature varies").detail(format!(
            "{} taken in.",
            if data.customers == 1 {
                "1 customer was".to_owned()
            } else {
                format!("{} customers were", data.customers)
            }
        )));
    }
    let (from, mut to) = options.k;
    if data.rows < from.max(2) {
        return Err(Error::new(ErrorKind::NotReady, "too few different customers")
            .detail(format!("There are {}, and {} clusters were asked for.", data.rows, from)));
    }
    to = to.min(data.rows);
    let mut fit = Fit { data: &mut data, options: &options, method, distances: 0.0 };
    let trial = fit.data.rows.min(TRIAL_ROWS);
    let mut selection = Vec::new();
    let mut best: Option<(usize, Candidate)> = None;
    for k in from..=to {
        let candidate = match fit.candidate(k, trial, checkpoint) {
            // In a range, a k that the data cannot bear is no reason to stop.
            Err(error) if error.kind == ErrorKind::NotReady && from < to => {
                selection.push(json!({ "k": k, "message": error.message }));
                continue;
            }
            other => other?,
        };
        let mut row = json!({ "k": k, "silhouette": candidate.silhouette.as_ref().map(|s| s.0) });
        match &candidate.mixture {
            Some(mixture) => {
                row["log_likelihood"] = mixture.log_likelihood.into();
                row["bic"] = candidate.bic.into();
            }
            None => row["inertia"] = candidate.clusters.inertia.into(),
        }
        selection.push(row);
        let score = |c: &Candidate| {
            if options.by_bic { c.bic.map(|b| -b) } else { c.silhouette.as_ref().map(|s| s.0) }
                .unwrap_or(f64::NEG_INFINITY)
        };
        if best.as_ref().is_none_or(|(_, b)| score(&candidate) > score(b)) {
            best = Some((k, candidate));
        }
    }
    let Some((k, candidate)) = best else {
        return Err(Error::new(ErrorKind::NotReady, "no number of clusters could be fitted"));
    };
    let fitted = fit.finish(candidate, trial, checkpoint)?;
    let stability = fit.stability(k, trial, checkpoint);
    let distances = fit.distances;
    let judge = Judge { data: &data, options: &options, method, k, trial, checkpoint };
    let (clusters, mut quality) = judge.clusters(&fitted);
    quality.insert("stability".to_owned(), json!(stability));

    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String| warnings.push(json!({ "code": code, "message": message }));
    if sampled {
        warn(
            "sampled",
            format!(
                "There were more than {} different customers: {} of {} customers, chosen by a hash of their features, were used.",
                rows.limit(),
                data.customers + data.incomplete,
                taken
            ),
        );
    }
    for feature in &data.features {
        let (name, missing, unused) = match feature {
            Feature::Number(f) => (&f.name, f.missing, f.unused),
            Feature::Category(f) => (&f.name, f.missing, f.unused),
        };
        if unused {
            warn(
                "constant_feature",
                format!("Feature \"{name}\" is the same for everybody and was not used."),
            );
        } else if missing > 0 {
            let stands = if matches!(feature, Feature::Number(_)) {
                "the mean stands in"
            } else {
                "missing counts as a category"
            };
            warn(
                "missing_values",
                format!(
                    "Feature \"{name}\" is missing for {missing} of {}: {stands}.",
                    counted(data.customers, "customer")
                ),
            );
        }
        if let Feature::Number(f) = feature
            && f.outliers > 0
        {
            let then = if options.clip { "clipped" } else { "kept" };
            warn(
                "outliers",
                format!(
                    "Feature \"{name}\" is more than 3 interquartile ranges beyond a quartile for {}: {then}.",
                    counted(f.outliers, "customer")
                ),
            );
        }
    }
    if !fitted.converged() {
        warn("not_converged", format!("Not converged after {} iterations.", fitted.iterations()));
    }
    if quality.get("silhouette").and_then(Value::as_f64).is_some_and(|s| s < 0.25) {
        warn("weak_structure", "The silhouette is below 0.25: the clusters run into each other.".to_owned());
    }
    Ok(ProfileModel {
        method,
        gamma: data.gamma,
        features: data.features,
        clusters,
        seed: options.seed,
        customers: data.customers,
        about: json!({
            "taken": taken,
            "skipped": { "null_features": skipped, "incomplete": data.incomplete },
            "distinct": data.rows,
            "sampled": sampled,
            "iterations": fitted.iterations(),
            "converged": fitted.converged(),
            "restarts": if options.start.is_some() { 1 } else { options.restarts },
            "trial_rows": trial,
            "distances": distances,
        }),
        quality,
        selection,
        warnings,
    })
}

impl Candidate {
    fn iterations(&self) -> usize {
        self.mixture.as_ref().map_or(self.clusters.iterations, |m| m.iterations)
    }

    fn converged(&self) -> bool {
        self.mixture.as_ref().map_or(self.clusters.converged, |m| m.converged)
    }
}

impl Fit<'_> {
    /// When centres have moved little enough: scikit-learn's rule, relative to the mean variance.
    fn tolerance(&self) -> f64 {
        let variances = self.data.features.iter().filter_map(|f| match f {
            Feature::Number(f) if !f.unused => Some((f.deviation / f.scale).powi(2)),
            _ => None,
        });
        let (n, sum) = variances.fold((0.0, 0.0), |(n, sum), v| (n + 1.0, sum + v));
        let tolerance = match self.method {
            Method::GaussianMixture => 1e-4,
            _ => self.options.tolerance.unwrap_or(1e-4),
        };
        if n == 0.0 { 0.0 } else { tolerance * sum / n }
    }

    fn count(&mut self, clusters: &Clusters, rows: usize) {
        self.distances += (rows * clusters.k * (clusters.iterations + 1)) as f64;
    }

    /// The best of the restarts on the first `rows` rows.
    fn lloyd(
        &mut self,
        k: usize,
        rows: usize,
        restarts: usize,
        purpose: u64,
        checkpoint: Checkpoint,
    ) -> Result<Clusters> {
        let tolerance = self.tolerance();
        if let Some(start) = &self.options.start {
            let clusters = self.given(start)?;
            let clusters =
                clusters.refine(self.data, rows, self.options.max_iterations, tolerance, checkpoint);
            self.count(&clusters, rows);
            return Ok(clusters);
        }
        let mut best: Option<Clusters> = None;
        for restart in 0..restarts {
            let mut random =
                Random::new(self.options.seed, purpose << 32 | (k as u64) << 16 | restart as u64);
            let start = Clusters::start(self.data, rows, k, &mut random, checkpoint);
            let clusters = start.refine(self.data, rows, self.options.max_iterations, tolerance, checkpoint);
            self.count(&clusters, rows);
            self.distances += (rows * k * (2 + (k as f64).ln() as usize)) as f64;
            if best.as_ref().is_none_or(|b| clusters.inertia < b.inertia) {
                best = Some(clusters);
            }
        }
        best.ok_or_else(|| Error::invalid("restarts must be at least 1"))
    }

    /// The centres of options.start, in the units of the fit.
    fn given(&self, start: &[Vec<f64>]) -> Result<Clusters> {
        if !self.data.levels.is_empty() {
            return Err(Error::invalid("options.start takes features that are numbers"));
        }
        let numbers: Vec<_> = self
            .data
            .features
            .iter()
            .map(|f| if let Feature::Number(f) = f { Some(f) } else { None })
            .collect();
        if start.iter().any(|c| c.len() != numbers.len()) {
            return Err(Error::invalid("a centre of options.start must have one number a feature")
                .detail(format!("There are {} features.", numbers.len())));
        }
        let used = |centre: &Vec<f64>| -> Vec<f64> {
            centre
                .iter()
                .zip(&numbers)
                .filter_map(|(v, f)| f.filter(|f| !f.unused).map(|f| (v - f.centre) / f.scale))
                .collect()
        };
        let centres: Vec<f64> = start.iter().flat_map(used).collect();
        let centres = Array2::from_shape_vec((start.len(), self.data.width), centres)
            .map_err(|_| Error::invalid("a centre of options.start must have one number a feature"))?;
        Ok(Clusters::from_centres(centres, Array2::default((start.len(), 0))))
    }

    fn em_limits(&self) -> (usize, f64) {
        (self.options.max_iterations, self.options.tolerance.unwrap_or(1e-6))
    }

    fn candidate(&mut self, k: usize, rows: usize, checkpoint: Checkpoint) -> Result<Candidate> {
        let mut clusters = self.lloyd(k, rows, self.options.restarts, 1, checkpoint)?;
        let mut mixture = None;
        let mut bic = None;
        if self.method == Method::GaussianMixture {
            let diagonal = self.options.diagonal;
            if rows * k > MOST_RESPONSIBILITIES || (!diagonal && self.data.width > 64) {
                return Err(Error::new(ErrorKind::LimitExceeded, "too many features for a Gaussian mixture")
                    .hint("Use covariance \"diagonal\", or fewer features."));
            }
            let fitted = Mixture::from_labels(
                self.data,
                rows,
                &clusters.labels,
                k,
                diagonal,
                self.em_limits(),
                checkpoint,
            )?;
            self.distances += (rows * k * (fitted.iterations + 1)) as f64;
            let labels = fitted.labels(self.data, rows, checkpoint);
            clusters.labels[..rows].copy_from_slice(&labels);
            let parameters = Mixture::parameters(k, self.data.width, diagonal) as f64;
            let customers: f64 = self.data.weights[..rows].iter().sum();
            bic = Some(parameters * customers.ln() - 2.0 * fitted.log_likelihood);
            mixture = Some(fitted);
        }
        let sample = rows.min(SILHOUETTE_ROWS);
        self.distances += (sample * sample) as f64;
        let silhouette = silhouette(self.data, sample, &clusters.labels, k, checkpoint);
        Ok(Candidate { clusters, mixture, silhouette, bic })
    }

    /// The chosen one refined on everybody.
    fn finish(&mut self, mut chosen: Candidate, trial: usize, checkpoint: Checkpoint) -> Result<Candidate> {
        let rows = self.data.rows;
        if rows == trial {
            return Ok(chosen);
        }
        match chosen.mixture.take() {
            None => {
                let clusters =
                    if let Some(start) = &self.options.start { self.given(start)? } else { chosen.clusters };
                chosen.clusters = clusters.refine(
                    self.data,
                    rows,
                    self.options.max_iterations,
                    self.tolerance(),
                    checkpoint,
                );
                let counted = chosen.clusters.clone();
                self.count(&counted, rows);
            }
            Some(mixture) => {
                let k = mixture.components.len();
                // Everybody's responsibilities would not fit: a larger beginning must do.
                let most = (MOST_RESPONSIBILITIES / k).min(rows);
                let most = if most < rows { most / BLOCK * BLOCK } else { most };
                let mut mixture =
                    mixture.resume(self.data, most, self.em_limits(), self.options.diagonal, checkpoint)?;
                if most < rows {
                    let share: f64 = self.data.weights[..most].iter().sum();
                    mixture.log_likelihood *= self.data.customers as f64 / share;
                }
                self.distances += (most * k * (mixture.iterations + 1)) as f64;
                let labels = mixture.labels(self.data, rows, checkpoint);
                chosen.clusters.labels.resize(rows.div_ceil(BLOCK) * BLOCK, 0);
                chosen.clusters.labels[..rows].copy_from_slice(&labels);
                chosen.mixture = Some(mixture);
            }
        }
        Ok(chosen)
    }

    /// The adjusted Rand index of the clusterings that two halves of the customers give.
    fn stability(&mut self, k: usize, rows: usize, checkpoint: Checkpoint) -> Option<f64> {
        if self.method == Method::GaussianMixture || self.options.start.is_some() || rows < 10 * k || k < 2 {
            return None;
        }
        let whole = self.data.weights.clone();
        let mut labels = Vec::new();
        for half in 0..2 {
            for (i, weight) in self.data.weights.iter_mut().enumerate() {
                *weight = if i % 2 == half { whole[i] } else { 0.0 };
            }
            let fitted = self.lloyd(k, rows, self.options.restarts.min(5), 2 + half as u64, checkpoint);
            self.data.weights.clone_from(&whole);
            labels.push(fitted.ok()?.labels);
        }
        let mut pairs = Pairs::default();
        for i in 0..rows {
            pairs.count(u64::from(labels[0][i]), u64::from(labels[1][i]), whole[i] as u64);
        }
        pairs.adjusted_rand_index()
    }
}

/// What is needed to describe clusters.
struct Judge<'a, 'c> {
    data: &'a Data,
    options: &'a ProfileOptions,
    method: Method,
    k: usize,
    trial: usize,
    checkpoint: Checkpoint<'c>,
}

impl Judge<'_, '_> {
    /// The clusters, the largest first, and how good they are.
    fn clusters(self, fitted: &Candidate) -> (Vec<Cluster>, Map<String, Value>) {
        let Judge { data, options, method, k, trial, checkpoint } = self;
        let labels = &fitted.clusters.labels;
        let width = data.width;
        let mut sizes = vec![0.0; k];
        let mut shares: Vec<Vec<f64>> = vec![vec![0.0; data.levels.iter().sum()]; k];
        let mut spread = vec![0.0; k];
        let mut distance = vec![0.0; k];
        let mut within = 0.0;
        let centre_of = |c: usize| match &fitted.mixture {
            Some(mixture) => mixture.components[c].mean.view(),
            None => fitted.clusters.centres.row(c),
        };
        let modes = |c: usize| fitted.clusters.modes.row(c);
        for (i, label) in labels[..data.rows].iter().enumerate() {
            if i % 1024 == 0 {
                checkpoint();
            }
            let (c, w) = (*label as usize, data.weights[i]);
            sizes[c] += w;
            let mut at = 0;
            for (code, levels) in data.codes_of(i).iter().zip(&data.levels) {
                shares[c][at + *code as usize] += w;
                at += levels;
            }
            let square: f64 = data.row(i).iter().zip(centre_of(c)).map(|(a, b)| (a - b) * (a - b)).sum();
            let differ = data.codes_of(i).iter().zip(modes(c)).filter(|(a, b)| a != b).count();
            let cost = square + data.gamma * differ as f64;
            spread[c] += w * cost;
            distance[c] += w * cost.sqrt();
            within += w * cost;
        }
        let customers = data.customers as f64;
        let mut order: Vec<usize> = (0..k).filter(|c| sizes[*c] > 0.0 || fitted.mixture.is_some()).collect();
        order.sort_by(|a, b| {
            sizes[*b].total_cmp(&sizes[*a]).then_with(|| {
                let centres = centre_of(*a).into_iter().zip(centre_of(*b));
                centres
                    .map(|(a, b)| a.total_cmp(b))
                    .find(|o| o.is_ne())
                    .unwrap_or_else(|| modes(*a).into_iter().cmp(modes(*b)))
            })
        });
        let sample = trial.min(SILHOUETTE_ROWS);
        let silhouettes = silhouette(data, sample, labels, k, checkpoint);
        let clusters = order
            .iter()
            .enumerate()
            .map(|(position, &c)| {
                let (mut j, mut level, mut at) = (0, 0, 0);
                let centre = data
                    .features
                    .iter()
                    .map(|feature| match feature {
                        Feature::Number(f) if f.unused => Centre::Number(f.mean),
                        Feature::Number(f) => {
                            j += 1;
                            Centre::Number(centre_of(c)[j - 1] * f.scale + f.centre)
                        }
                        Feature::Category(f) if f.unused => {
                            Centre::Category(0, f.categories.iter().map(|c| c.1).collect())
                        }
                        Feature::Category(_) => {
                            let levels = data.levels[level];
                            let share =
                                shares[c][at..at + levels].iter().map(|n| n / sizes[c].max(1.0)).collect();
                            at += levels;
                            level += 1;
                            Centre::Category(modes(c)[level - 1], share)
                        }
                    })
                    .collect();
                Cluster {
                    code: format!("profile_{}", position + 1),
                    name: None,
                    customers: sizes[c] as u64,
                    share: sizes[c] / customers,
                    centre,
                    radius: if sizes[c] > 0.0 { distance[c] / sizes[c] } else { 0.0 },
                    silhouette: silhouettes.as_ref().and_then(|s| s.1[c]),
                    component: fitted.mixture.as_ref().map(|m| m.components[c].clone()),
                }
            })
            .collect();
        let mut quality = Map::new();
        let mut put = |name: &str, value: Option<f64>| {
            quality.insert(name.to_owned(), json!(value.filter(|v| v.is_finite())));
        };
        put("silhouette", silhouettes.as_ref().map(|s| s.0));
        let total = total_cost(data);
        match &fitted.mixture {
            Some(mixture) => {
                let parameters = Mixture::parameters(k, width, options.diagonal) as f64;
                put("log_likelihood", Some(mixture.log_likelihood));
                put("bic", Some(parameters * customers.ln() - 2.0 * mixture.log_likelihood));
                put("aic", Some(2.0 * parameters - 2.0 * mixture.log_likelihood));
            }
            None => put("inertia", Some(within)),
        }
        put("explained", (total > 0.0).then(|| 1.0 - within / total));
        if method == Method::KMeans && k > 1 {
            let (kf, n) = (k as f64, customers);
            put(
                "calinski_harabasz",
                (n > kf && within > 0.0).then(|| (total - within) / (kf - 1.0) / (within / (n - kf))),
            );
            let scatter: Vec<f64> = (0..k).map(|c| distance[c] / sizes[c]).collect();
            let worst = |a: usize| {
                (0..k)
                    .filter(|b| *b != a)
                    .map(|b| {
                        let apart: f64 =
                            centre_of(a).into_iter().zip(centre_of(b)).map(|(x, y)| (x - y).powi(2)).sum();
                        (scatter[a] + scatter[b]) / apart.sqrt()
                    })
                    .fold(0.0, f64::max)
            };
            put("davies_bouldin", Some((0..k).map(worst).sum::<f64>() / kf));
        }
        put("smallest_share", sizes.iter().copied().reduce(f64::min).map(|s| s / customers));
        quality.insert("silhouette_rows".to_owned(), json!(sample));
        (clusters, quality)
    }
}

/// The cost of one cluster for everybody.
fn total_cost(data: &Data) -> f64 {
    let n = data.customers as f64;
    data.features
        .iter()
        .map(|f| match f {
            Feature::Number(f) if !f.unused => {
                // Missing values stand at the mean.
                let present = (data.customers - f.missing) as f64;
                present * (f.deviation / f.scale).powi(2)
            }
            Feature::Category(f) if !f.unused => {
                data.gamma * n * (1.0 - f.categories.iter().map(|c| c.1).fold(0.0, f64::max))
            }
            _ => 0.0,
        })
        .sum()
}
