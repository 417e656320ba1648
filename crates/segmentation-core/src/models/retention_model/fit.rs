//! Contracts to a model.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::contracts::{Contract, Contracts, feature_json};
use super::geometric::geometric;
use super::hazard::fit_hazard;
use super::kaplan_meier::kaplan_meier;
use super::model::{Group, RetentionModel};
use super::options::Family;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::warning::Warning;
use crate::math::special::normal_quantile;

/// A group of contracts: its features (none for all contracts together) and who is in it.
type Members<'a> = (Option<Map<String, Value>>, Vec<&'a Contract>);

/// The most groups that have a curve of their own.
const MOST_GROUPS: usize = 200;

/// Fewer contracts than this are no fit.
const LEAST_CONTRACTS: u64 = 10;

/// Fits the model.
///
/// # Errors
/// [`ErrorKind::NotReady`] with too few contracts (for the family `shifted_beta_geometric` also without ends or renewals);
/// [`ErrorKind::LimitExceeded`] with more than 200 groups; what [`crate::models::churn_model::fit`] refuses.
pub fn fit(state: &Contracts, checkpoint: Checkpoint) -> Result<RetentionModel> {
    let contracts = state.decoded()?;
    checkpoint();
    let total: u64 = contracts.iter().map(Contract::all).sum();
    if total < LEAST_CONTRACTS {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a retention model")
            .detail(format!("There are {total} contracts; at least {LEAST_CONTRACTS} are needed.")));
    }
    let with_features = contracts.iter().any(|c| !c.features.is_empty());
    let family =
        state.options.family.unwrap_or(if with_features { Family::Hazard } else { Family::KaplanMeier });
    let confidence = state.options.regression.confidence;
    let z = normal_quantile(0.5 + 0.5 * confidence);
    let mut warnings = Vec::new();
    let mut groups = Vec::new();
    for members in grouped(&contracts, family != Family::Hazard && with_features)? {
        checkpoint();
        groups.push(fit_group(members, family, z, &mut warnings, &mut *checkpoint)?);
    }
    let hazard = match family {
        Family::Hazard => Some(fit_hazard(&contracts, &state.options.regression, checkpoint)?),
        _ => None,
    };
    warnings.extend(doubts(state, &contracts));
    let skipped = state.skipped.counts().into_iter().filter(|(_, n)| *n > 0);
    let skipped = skipped.map(|(reason, n)| (reason.to_owned(), n.into())).collect();
    Ok(RetentionModel {
        family,
        unit: state.options.unit.clone(),
        as_of: state.as_of,
        confidence,
        groups,
        hazard,
        skipped,
        warnings,
    })
}

/// All contracts together, and if so wanted those of each set of features, in the order of their JSON.
fn grouped(contracts: &[Contract], by_features: bool) -> Result<Vec<Members<'_>>> {
    let mut groups: BTreeMap<String, Members<'_>> = BTreeMap::new();
    groups.insert(String::new(), (None, contracts.iter().collect()));
    for c in contracts.iter().filter(|_| by_features) {
        let features = feature_json(&c.features);
        let key = Value::Object(features.clone()).to_string();
        groups.entry(key).or_insert_with(|| (Some(features), Vec::new())).1.push(c);
        if groups.len() > MOST_GROUPS + 1 {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many groups of contracts")
                .detail(format!(
                    "At most {MOST_GROUPS} different values of features are allowed for curves by group."
                ))
                .hint("Use fewer features, or the family \"hazard\"."));
        }
    }
    Ok(groups.into_values().collect())
}

/// The curve of a group, and its distribution if the family has one: a group with too few renewals takes that of all
/// contracts, with a warning.
fn fit_group(
    (features, list): Members,
    family: Family,
    z: f64,
    warnings: &mut Vec<Warning>,
    checkpoint: Checkpoint,
) -> Result<Group> {
    let fitted = match family {
        Family::ShiftedBetaGeometric => match geometric(&list, checkpoint) {
            Ok(fitted) => Some(fitted),
            Err(error) if error.kind == ErrorKind::NotReady && features.is_some() => {
                let name = Value::Object(features.clone().unwrap_or_default());
                warnings.push(Warning::new(
                    "insufficient_data",
                    format!("Group {name}: {}. The model of all contracts is used for it.", error.message),
                ));
                None
            }
            Err(error) => return Err(error),
        },
        _ => None,
    };
    Ok(Group {
        features,
        contracts: list.iter().map(|c| c.all()).sum(),
        ended: list.iter().map(|c| c.ended).sum(),
        curve: kaplan_meier(&list, z),
        geometric: fitted,
    })
}

/// What the user of the model should know of its data.
fn doubts(state: &Contracts, contracts: &[Contract]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if contracts.iter().all(|c| c.ended == 0) {
        warnings.push(Warning::new("no_ends", "No contract ended: nothing is known of when they do."));
    }
    if state.rows.fraction() < 1.0 {
        warnings.push(Warning::new(
            "sampled",
            format!("The fit is on a sample of {} of the distinct contracts.", state.rows.fraction()),
        ));
    }
    warnings
}
