//! The fit: design, regression, what is to be said about both.

use ndarray::Array1;
use serde_json::{Map, Value, json};

use super::design::{Column, LevelRef, Prepared, prepare};
use super::features::shown;
use super::model::{ChurnModel, Coefficient, Feature, Kind};
use super::rows::ChurnRows;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::warning::Warning;
use crate::base::words::counted;
use crate::math::binomial::{self, Design, in_sample};

/// Fewer rows than this are no fit.
const LEAST_ROWS: u64 = 10;
/// The ridge that is put in where the outcomes are separated.
const RESCUE_RIDGE: f64 = 1.0;
/// An AUC on the fit's own rows from which a feature is suspected to know the outcome.
const SUSPICIOUS_AUC: f64 = 0.98;

fn penalties(columns: &[Column], ridge: f64, standardize: bool) -> Array1<f64> {
    let one = |c: &Column| match standardize {
        // Numbers stand in units of their standard deviation already.
        true => ridge * c.spread * c.spread,
        false => ridge / (c.scale * c.scale),
    };
    std::iter::once(0.0).chain(columns.iter().map(one)).collect()
}

fn name(columns: &[Column], features: &[Feature], j: usize) -> String {
    let feature = &features[columns[j].feature];
    match columns[j].level {
        LevelRef::Value => format!("\"{}\"", shown(&feature.name)),
        LevelRef::Level(at) => {
            let level = feature.levels.get(at).and_then(|l| l.name.as_deref());
            let level = level.map_or("(other or missing)".to_owned(), |l| format!("= \"{}\"", shown(l)));
            format!("\"{}\" {level}", shown(&feature.name))
        }
    }
}

fn names(columns: &[Column], features: &[Feature], which: &[usize]) -> String {
    let mut text: Vec<String> = which.iter().take(5).map(|&j| name(columns, features, j)).collect();
    if which.len() > 5 {
        text.push(format!("{} more", which.len() - 5));
    }
    text.join(", ")
}

/// Fits the model.
///
/// # Errors
/// [`ErrorKind::NotReady`] with fewer than 10 rows or one outcome only; a feature of several kinds.
pub fn fit(state: &ChurnRows, checkpoint: Checkpoint) -> Result<ChurnModel> {
    let options = state.options();
    let canonical = state.canonical()?;
    checkpoint();
    let prepared = prepare(&canonical, options, &mut *checkpoint)?;
    let Prepared { design, columns, mut features, rows, churned, missing_values, no_offset, mut warnings } =
        prepared;
    if rows < LEAST_ROWS || churned == 0 || churned == rows {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a churn model").detail(format!(
            "Of {} {churned} churned; at least {LEAST_ROWS} rows and both outcomes are needed.",
            counted(rows, "row")
        )));
    }
    let mut ridge = options.ridge;
    let mut fitted =
        binomial::fit(&design, penalties(&columns, ridge, options.standardize).view(), &mut *checkpoint);
    if !fitted.runaway.is_empty() {
        warnings.push(Warning::new(
            "separation",
            format!(
                "Outcomes are separated along {}: without a ridge the coefficients would be infinite. A ridge of {RESCUE_RIDGE} on standardised coefficients was used.",
                names(&columns, &features, &fitted.runaway)
            ),
        ));
        ridge = ridge.max(RESCUE_RIDGE);
        fitted = binomial::fit(&design, penalties(&columns, ridge, true).view(), &mut *checkpoint);
    }
    let live = |j: &usize| columns[*j].spread > 0.0;
    let aliased: Vec<usize> = (0..columns.len()).filter(|&j| fitted.aliased[j + 1]).filter(live).collect();
    if !aliased.is_empty() {
        warnings.push(Warning::new(
            "collinear",
            format!(
                "{} {} no coefficient of {} own.",
                names(&columns, &features, &aliased),
                if aliased.len() == 1 {
                    "follows from other features and has"
                } else {
                    "follow from other features and have"
                },
                if aliased.len() == 1 { "its" } else { "their" }
            ),
        ));
    }
    if !fitted.converged {
        warnings.push(Warning::new("not_converged", "The search for the best coefficients did not end."));
    }
    let live_columns =
        (0..columns.len()).filter(|j| !fitted.aliased[j + 1] && columns[*j].spread > 0.0).count();
    let events = churned.min(rows - churned);
    if events < 10 * live_columns as u64 {
        warnings.push(Warning::new(
            "few_events",
            format!(
                "{} of the rarer outcome for {}: fewer than 10 each. Use fewer features, or a ridge.",
                counted(events, "row"),
                counted(live_columns, "coefficient")
            ),
        ));
    }

    // Back to the units of the features.
    let n = columns.len() + 1;
    let mut intercept = fitted.beta[0];
    // The intercept in those units is this combination of the coefficients.
    let mut combination = Array1::zeros(n);
    combination[0] = 1.0;
    for (j, column) in columns.iter().enumerate() {
        let factor = column.centre / column.scale;
        intercept -= fitted.beta[j + 1] * factor;
        combination[j + 1] = -factor;
    }
    let variance = combination.dot(&fitted.covariance.dot(&combination));
    let (yes, no): (f64, f64) = (design.yes.iter().sum(), design.no.iter().sum());
    if let Some(rate) = options.base_rate {
        intercept += (rate / (1.0 - rate)).ln() - (yes / no).ln();
    }
    let intercept = Coefficient { estimate: intercept, standard_error: Some(variance.max(0.0).sqrt()) };
    for (j, column) in columns.iter().enumerate() {
        let known = !fitted.aliased[j + 1] && column.spread > 0.0;
        let coefficient = Coefficient {
            estimate: if known { fitted.beta[j + 1] / column.scale } else { 0.0 },
            standard_error: known.then(|| fitted.covariance[[j + 1, j + 1]].max(0.0).sqrt() / column.scale),
        };
        let feature = &mut features[column.feature];
        match column.level {
            LevelRef::Value => feature.coefficient = Some(coefficient),
            LevelRef::Level(at) => feature.levels[at].coefficient = Some(coefficient),
        }
    }

    let beta = fitted.beta.to_vec();
    let scores = memory::collect((0..design.len()).map(|i| design.log_odds(&beta, i)))?;
    let measures = in_sample(&scores, &design.yes, &design.no, &mut *checkpoint);
    if measures.auc >= SUSPICIOUS_AUC {
        let (feature, auc) = best_feature(&design, &columns, &features, &beta, &mut *checkpoint);
        warnings.push(Warning::new(
            "leak_suspected",
            format!(
                "The AUC on the rows of the fit is {:.4}: a feature probably knows the outcome. Look first at \"{}\", which alone has {auc:.4}.",
                measures.auc,
                shown(&feature)
            ),
        ));
    }
    if state.fraction() < 1.0 {
        warnings.push(Warning::new(
            "sampled",
            format!(
                "There were more distinct rows than are kept: the fit is on a sample of {} of them, chosen by their content.",
                state.fraction()
            ),
        ));
    }
    let base = yes / (yes + no);
    let null = binomial::null_log_likelihood(&design, &mut *checkpoint)?;
    let skipped = state.skipped();
    let skipped: Map<String, Value> = [
        ("null_outcome", skipped.null_outcome),
        ("null_features", skipped.null_features),
        ("no_weight", skipped.no_weight),
        ("missing_values", missing_values),
        ("no_offset", no_offset),
    ]
    .into_iter()
    .filter(|(_, n)| *n > 0)
    .map(|(reason, n)| (reason.to_owned(), n.into()))
    .collect();
    let mut report = Map::new();
    let mut put = |key: &str, value: Value| {
        report.insert(key.to_owned(), value);
    };
    put("rows", rows.into());
    put("churned", churned.into());
    put("weight", (yes + no).into());
    put("base_rate", base.into());
    put("ridge", ridge.into());
    put("standardize", options.standardize.into());
    put("log_likelihood", fitted.log_likelihood.into());
    put("deviance", (-2.0 * fitted.log_likelihood).into());
    put("null_deviance", (-2.0 * null).into());
    put(
        "aic",
        json!((ridge == 0.0).then_some(-2.0 * fitted.log_likelihood + 2.0 * (live_columns as f64 + 1.0))),
    );
    put("auc", measures.auc.into());
    put("brier", measures.brier.into());
    put("brier_skill", (1.0 - measures.brier / (base * (1.0 - base))).into());
    put("log_loss", (-fitted.log_likelihood / (yes + no)).into());
    put("iterations", fitted.iterations.into());
    put("converged", fitted.converged.into());
    put(
        "sample",
        json!({ "seen": state.seen(), "distinct_rows": canonical.len(), "fraction": state.fraction() }),
    );
    put("skipped", skipped.into());
    put("warnings", Warning::list(&warnings));
    Ok(ChurnModel::new(intercept, features, options.offset.clone(), report, options.confidence))
}

/// The feature whose own part of the score ranks best, with its AUC.
fn best_feature(
    design: &Design,
    columns: &[Column],
    features: &[Feature],
    beta: &[f64],
    checkpoint: Checkpoint,
) -> (String, f64) {
    let mut best = (String::new(), 0.0);
    for (id, feature) in features.iter().enumerate() {
        let scores: Vec<f64> = (0..design.len())
            .map(|i| {
                let own = design.row(i).iter().filter(|(j, _)| columns[*j as usize].feature == id);
                own.map(|&(j, x)| beta[j as usize + 1] * x).sum()
            })
            .collect();
        let auc = in_sample(&scores, &design.yes, &design.no, &mut *checkpoint).auc;
        if auc > best.1 {
            best = (feature.name.clone(), auc);
        }
    }
    debug_assert!(features.iter().all(|f| f.kind != Kind::Category || f.base.is_some()));
    best
}
