//! Logistic regression of ending on features and steps of tenure: one row a contract and period.
//!
//! Of a period that has passed in part, or into whose midst the log begins, a share f was at risk: it is survived with
//! probability (1 - h)^f if a whole one is with 1 - h, and ended in with 1 - (1 - h)^f. The former is a row of weight f.
//! The latter has the slope of a row of an ended contract whose weight is found by taking turns with the fit:
//! it is 1 at f = 1, and at most 1 / (1 - h).
//!
//! Source: Singer and Willett, It's about time: using discrete-time survival analysis to study duration and the timing
//! of events, Journal of Educational Statistics 18 (1993).

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::contracts::{Contract, Piece, STEP, feature_json};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::math::special::{logistic, softplus};
use crate::models::churn_model::{self, ChurnModel, ChurnOptions, ChurnRows, FeatureValue, Features};

/// A step of tenure has at least this many ends.
const STEP_ENDS: u64 = 20;
/// So often the weights of parts of periods are made anew.
const MOST_TURNS: usize = 5;
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
        *ends.entry(c.exit.ceil() as u32).or_default() += c.ended;
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

/// Rows of the same features and step.
#[derive(Debug, Default)]
struct Cell {
    features: Features<'static>,
    /// Whole periods survived, and ended in.
    stayed: u64,
    ended: u64,
    /// Parts of periods survived: how many, and their lengths together.
    parts: (u64, f64),
    /// Parts of periods ended in: length and count.
    ended_parts: Vec<(f64, u64)>,
}

/// Contracts as rows: each in every step that it passes.
fn cells(contracts: &[Contract], steps: &[u32], checkpoint: Checkpoint) -> Result<BTreeMap<String, Cell>> {
    let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
    for (i, c) in contracts.iter().enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        let name = Value::Object(feature_json(&c.features)).to_string();
        let mut cell = |step: usize, visit: &dyn Fn(&mut Cell)| {
            let cell = cells.entry(format!("{step} {name}")).or_insert_with(|| {
                let mut all: Vec<_> = c.features.iter().map(|(n, v)| (n.clone().into(), v.clone())).collect();
                all.push((Cow::Borrowed(STEP), FeatureValue::Text(step_name(steps, step).into())));
                all.sort_by(|a: &(Cow<str>, _), b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
                Cell { features: Features(all), ..Cell::default() }
            });
            visit(cell);
        };
        for (ended, n) in [(false, c.running), (true, c.ended)] {
            let mut pieces = c.pieces(ended).filter(|_| n > 0).peekable();
            while let Some(Piece { from, whole, part }) = pieces.next() {
                let ends = ended && pieces.peek().is_none();
                if whole == 0 {
                    let step = steps.partition_point(|&end| end <= from);
                    cell(step, &|cell| {
                        if ends {
                            cell.ended_parts.push((part, n));
                        } else {
                            cell.parts.0 += n;
                            cell.parts.1 += part * n as f64;
                        }
                    });
                }
                let (mut at, to) = (from, from + whole);
                while at < to {
                    let step = steps.partition_point(|&end| end <= at);
                    let end = steps.get(step).copied().unwrap_or(u32::MAX).min(to);
                    let last = u64::from(ends && end == to) * n;
                    cell(step, &|cell| {
                        cell.stayed += u64::from(end - at) * n - last;
                        cell.ended += last;
                    });
                    at = end;
                }
            }
        }
    }
    Ok(cells)
}

/// The weight of a row that ended within a share of a period, at log odds of ending in a whole one: with it a row of a
/// logistic regression has the slope of ln(1 - (1 - h)^share).
fn weight_of_part(share: f64, log_odds: f64) -> f64 {
    let (ended, stays) = (logistic(log_odds), logistic(-log_odds));
    share / (share * softplus(log_odds)).exp_m1() * ended / stays
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
    let cells = cells(contracts, &steps, &mut *checkpoint)?;
    let mut options = options.clone();
    options.base_levels.entry(STEP.to_owned()).or_insert_with(|| step_name(&steps, 0));
    let parted = cells.values().any(|cell| !cell.ended_parts.is_empty());
    let mut model: Option<ChurnModel> = None;
    for _ in 0..MOST_TURNS {
        let mut rows = ChurnRows::new(options.clone());
        let mut change = 0.0_f64;
        for cell in cells.values() {
            checkpoint();
            if cell.stayed + cell.ended > 0 {
                rows.insert(&cell.features, 1.0, cell.stayed, cell.ended)?;
            }
            let (n, length) = cell.parts;
            if n > 0 {
                rows.insert(&cell.features, length / n as f64, n, 0)?;
            }
            let n: u64 = cell.ended_parts.iter().map(|(_, n)| n).sum();
            if n > 0 {
                let log_odds = model.as_ref().map(|model| model.log_odds(&cell.features)).transpose()?;
                let mut parts = cell.ended_parts.clone();
                parts.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let weight =
                    |part| log_odds.map_or(1.0, |log_odds| weight_of_part(part, log_odds.clamp(-30.0, 30.0)));
                let weight = parts.iter().map(|&(part, n)| weight(part) * n as f64).sum::<f64>() / n as f64;
                change = change.max((weight - 1.0).abs());
                rows.insert(&cell.features, weight, 0, n)?;
            }
        }
        let fitted = churn_model::fit(&rows, &mut *checkpoint)?;
        let before = model.replace(fitted);
        // A turn changes the log odds by the square of the hazard or less: four are as good as any number.
        if !parted || (before.is_some() && change < 1e-9) {
            break;
        }
    }
    let model = model.ok_or_else(|| Error::new(ErrorKind::NotReady, "no contract to fit a hazard to"))?;
    Ok(Hazard { model, steps })
}
