//! Logistic regression of ending on features and steps of tenure: one row a contract and step.
//!
//! Source: Singer and Willett, It's about time: using discrete-time survival analysis to study duration and the timing
//! of events, Journal of Educational Statistics 18 (1993).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::contracts::{Contract, STEP};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::models::churn_model::{self, ChurnModel, ChurnOptions, ChurnRows, FeatureValue, Features};

/// A step of tenure has at least this many ends.
const STEP_ENDS: u64 = 20;
/// About as many steps of tenure are made.
const STEPS: u64 = 12;

/// A logistic regression of ending on features and steps of tenure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hazard {
    pub(super) model: ChurnModel,
    /// Where the steps of tenure end; the last has no end.
    pub(super) steps: Vec<u32>,
}

/// Ends of the steps of tenure: each step has its share of the ends; the last is open.
fn steps(contracts: &[Contract]) -> Vec<u32> {
    let mut ends: BTreeMap<u32, u64> = BTreeMap::new();
    for c in contracts {
        *ends.entry(c.exit).or_default() += c.ended;
    }
    let total: u64 = ends.values().sum();
    let enough = (total / STEPS).max(STEP_ENDS);
    let (mut steps, mut so_far, mut left) = (Vec::new(), 0, total);
    for (&period, &n) in &ends {
        so_far += n;
        left -= n;
        if so_far >= enough && left >= STEP_ENDS {
            steps.push(period);
            so_far = 0;
        }
    }
    steps
}

/// What the regression calls a step: `1-3`, `4`, `5+` periods.
pub(super) fn step_name(steps: &[u32], i: usize) -> String {
    let from = if i == 0 { 1 } else { steps[i - 1] + 1 };
    match steps.get(i) {
        Some(&to) if to == from => format!("{from}"),
        Some(&to) => format!("{from}-{to}"),
        None => format!("{from}+"),
    }
}

/// Fits the regression: each contract is a row in every step that it passes, with its periods and whether it ended.
///
/// # Errors
/// As [`churn_model::fit`].
pub(super) fn fit_hazard(
    contracts: &[Contract],
    options: &ChurnOptions,
    checkpoint: Checkpoint,
) -> Result<Hazard> {
    let steps = steps(contracts);
    let mut rows = ChurnRows::new(options.clone());
    for (i, c) in contracts.iter().enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        let mut from = c.enter;
        while from < c.exit {
            let step = steps.partition_point(|&end| end <= from);
            let to = steps.get(step).copied().unwrap_or(u32::MAX).min(c.exit);
            let last = to == c.exit;
            let periods = u64::from(to - from) * c.all();
            let ends = if last { c.ended } else { 0 };
            let mut features =
                Features(c.features.iter().map(|(n, v)| (Cow::Borrowed(n.as_str()), v.clone())).collect());
            features.0.push((Cow::Borrowed(STEP), FeatureValue::Text(step_name(&steps, step).into())));
            features.0.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
            rows.insert(&features, 1.0, periods - ends, ends)?;
            from = to;
        }
    }
    let mut options = options.clone();
    options.base_levels.entry(STEP.to_owned()).or_insert_with(|| step_name(&steps, 0));
    let rows = rows.with_options(options);
    let model = churn_model::fit(&rows, checkpoint)?;
    Ok(Hazard { model, steps })
}
