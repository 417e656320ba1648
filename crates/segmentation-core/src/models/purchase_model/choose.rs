//! The choice of the family by what is asked: the probability of no purchase within a horizon.
//!
//! Each family is fitted to the customers as they were on earlier days (*inner days*), and judged by the logarithmic
//! score of its P(no purchase within the horizon) on what they then did. That score is proper: no family gains by being
//! more certain than it should (Gneiting and Raftery, Strictly proper scoring rules, Journal of the American Statistical
//! Association 102, 2007). What it judges is the answer that is wanted, where the likelihood judges when people buy.

use super::cells::{Cell, Cells, CustomerSummary, Group};
use super::design::Design;
use super::model::Candidate;
use super::score::Scorer;
use super::search::{FEW_CUSTOMERS, Fitted, Found, Search, fit_at, fit_family};
use super::{Family, MAX_K};
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::warning::Warning;
use crate::base::words;

/// The most inner days.
const MOST_INNER_DAYS: i32 = 3;
/// Each outcome is seen at least as often on an inner day.
const LEAST_OUTCOMES: f64 = 10.0;
/// If the log is too short for the horizon, its half is tried, and so on down to this many days.
const LEAST_HORIZON: f64 = 7.0;
/// Probabilities are taken as no nearer to 0 and 1.
const CLIP: f64 = 1e-9;

/// What was chosen.
pub(super) struct Choice {
    pub family: Family,
    pub k: Option<u32>,
    pub candidates: Vec<Candidate>,
    pub warning: Option<Warning>,
}

/// A summary, how many customers of it bought nothing then, and how many did.
type Outcome = (CustomerSummary, f64, f64);

/// Customers as they were on an inner day, and what they did then.
struct Inner {
    day: Day,
    search: Search,
    outcomes: Vec<Outcome>,
}

/// What came of a family, or of one k of it, on all inner days.
struct Trial {
    score: f64,
    brier: f64,
    fitted: Vec<Fitted>,
}

/// Chooses a family.
pub(super) fn choose(cells: &Cells, design: Design, checkpoint: Checkpoint) -> Result<Choice> {
    let asked = cells.options().horizon.days().round().max(1.0);
    let mut horizon = asked;
    while horizon >= LEAST_HORIZON.min(asked) {
        let inner = inner_days(cells, horizon as i32, &mut *checkpoint)?;
        if !inner.is_empty()
            && let Some(mut choice) = by_score(cells, &inner, horizon, &mut *checkpoint)?
        {
            choice.warning = (horizon < asked).then(|| {
                Warning::new(
                    "horizon_too_long",
                    format!(
                        "The log is too short to try {} out before as_of: the family was chosen by how well \
                         it foresaw {}.",
                        cells.options().horizon.text(),
                        words::counted(horizon, "day")
                    ),
                )
            });
            return Ok(choice);
        }
        horizon = (0.5 * horizon).floor();
    }
    by_likelihood(cells, design, checkpoint)
}

/// The inner days, going back from `as_of` by the horizon, that have enough before them, and enough who did this and that.
fn inner_days(cells: &Cells, horizon: i32, checkpoint: Checkpoint) -> Result<Vec<Inner>> {
    let (sample, options) = (cells.sample.sorted()?, cells.options());
    let mut inner = Vec::new();
    for n in 1..=MOST_INNER_DAYS {
        checkpoint();
        let Some(day) = horizon.checked_mul(n).and_then(|back| cells.as_of().checked_sub(back)) else {
            break;
        };
        let (mut group, mut outcomes) = (Group::default(), Vec::new());
        sample.each(|list, customers| {
            let known = &list[..list.partition_point(|d| *d <= day)];
            let Some(summary) = CustomerSummary::from_days(known.iter().copied(), day) else { return Ok(()) };
            known.windows(2).for_each(|pair| group.add_gap((pair[1] - pair[0]) as u32, customers));
            let next = list.get(known.len()).map(|next| i64::from(*next) - i64::from(day));
            memory::push(&mut outcomes, (summary, next.is_some_and(|n| n <= i64::from(horizon)), customers))
        })?;
        checkpoint();
        let (cells, outcomes) = counted(outcomes)?;
        let longest = cells.iter().map(|(summary, _)| summary.t_days()).max().unwrap_or(0);
        group.set(cells)?;
        let total = |of: fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>();
        let enough = group.customers() >= FEW_CUSTOMERS
            && total(|o| o.1).min(total(|o| o.2)) >= LEAST_OUTCOMES
            && i64::from(longest) >= i64::from(horizon);
        if !enough {
            break;
        }
        let design = Design::new(&group, options.unit.days())?;
        if design.purchases == 0.0 {
            break;
        }
        inner.push(Inner { day, search: Search::new(design, options, false)?, outcomes });
    }
    Ok(inner)
}

/// Equal customers counted together, in order: all, and by what they did.
fn counted(mut outcomes: Vec<(CustomerSummary, bool, u64)>) -> Result<(Vec<Cell>, Vec<Outcome>)> {
    outcomes.sort_unstable();
    let (mut cells, mut counted): (Vec<Cell>, Vec<Outcome>) = Default::default();
    for (summary, bought, customers) in outcomes {
        if cells.last().is_none_or(|last| last.0 != summary) {
            memory::push(&mut cells, (summary, 0))?;
            memory::push(&mut counted, (summary, 0.0, 0.0))?;
        }
        if let (Some(cell), Some(outcome)) = (cells.last_mut(), counted.last_mut()) {
            cell.1 = cell.1.saturating_add(customers);
            *(if bought { &mut outcome.2 } else { &mut outcome.1 }) += customers as f64;
        }
    }
    Ok((cells, counted))
}

/// Fits one family at one k on each inner day, and scores it; `before` holds the fits at the k before.
fn trial(
    inner: &[Inner],
    (family, k): (Family, u32),
    before: Option<&[Fitted]>,
    (horizon, unit): (f64, f64),
    checkpoint: Checkpoint,
) -> Result<Option<Trial>> {
    let mut trial = Trial { score: 0.0, brier: 0.0, fitted: Vec::new() };
    let mut customers = 0.0;
    for (i, at) in inner.iter().enumerate() {
        let before = before.and_then(|fitted| fitted.get(i));
        let Some(fitted) = fit_at(&at.search, family, k, before, &mut *checkpoint) else { return Ok(None) };
        let scorer = Scorer::from_parameters(family, k, fitted.parameters(), unit)?;
        for (j, &(summary, silent, bought)) in at.outcomes.iter().enumerate() {
            if j % 256 == 0 {
                checkpoint();
            }
            let p = scorer.churn_probability(summary, horizon);
            let q = p.clamp(CLIP, 1.0 - CLIP);
            trial.score += silent * q.ln() + bought * (-q).ln_1p();
            trial.brier += silent * (1.0 - p) * (1.0 - p) + bought * p * p;
            customers += silent + bought;
        }
        trial.fitted.push(fitted);
    }
    trial.score /= customers;
    trial.brier /= customers;
    Ok(trial.score.is_finite().then_some(trial))
}

/// The family, and its k, of the best score; `None` if none can be fitted.
fn by_score(cells: &Cells, inner: &[Inner], horizon: f64, checkpoint: Checkpoint) -> Result<Option<Choice>> {
    let terms = (horizon, cells.options().unit.days());
    let mut candidates = Vec::new();
    let mut best: Option<(f64, Family, Option<u32>)> = None;
    for family in Family::ALL {
        checkpoint();
        let mut top: Option<(u32, Trial)> = None;
        let (mut last, mut falls): (Option<Trial>, _) = (None, 0);
        for k in 1..=if family.is_erlang() { MAX_K } else { 1 } {
            let before = last.as_ref().map(|last| last.fitted.as_slice());
            let Some(tried) = trial(inner, (family, k), before, terms, &mut *checkpoint)? else { break };
            falls = if last.is_some_and(|last| tried.score < last.score) { falls + 1 } else { 0 };
            if top.as_ref().is_none_or(|(_, top)| tried.score > top.score) {
                let fitted = Vec::new();
                top = Some((k, Trial { fitted, ..tried }));
            }
            last = Some(tried);
            if falls == 2 {
                break;
            }
        }
        let k = top.as_ref().map(|(k, _)| *k).filter(|_| family.is_erlang());
        candidates.push(Candidate {
            family,
            k,
            log_score: top.as_ref().map(|(_, top)| top.score),
            brier: top.as_ref().map(|(_, top)| top.brier),
            inner_days: inner.iter().map(|inner| inner.day).collect(),
        });
        // With equal scores the simpler family, which comes first: k = 1 is the family without k.
        if let Some((_, top)) = top
            && best.is_none_or(|(most, ..)| top.score > most + 1e-9)
        {
            best = Some((top.score, family, k));
        }
    }
    Ok(best.map(|(_, family, k)| Choice { family, k, candidates, warning: None }))
}

/// Without an inner day: Akaike's criterion on all the data.
fn by_likelihood(cells: &Cells, design: Design, checkpoint: Checkpoint) -> Result<Choice> {
    let search = Search::new(design, cells.options(), false)?;
    let mut candidates = Vec::new();
    let mut best: Option<(f64, Family, Option<u32>)> = None;
    for family in Family::ALL {
        checkpoint();
        let found = fit_family(&search, family, None, &mut *checkpoint);
        let k = found.as_ref().map(|found| found.k).filter(|_| family.is_erlang());
        candidates.push(Candidate { family, k, log_score: None, brier: None, inner_days: Vec::new() });
        let shape = if family.is_erlang() { 1 } else { 0 };
        let score = |found: &Found| found.log_likelihood - (found.parameters.len() + shape) as f64;
        if let Some(score) = found.as_ref().map(score).filter(|score| score.is_finite())
            && best.is_none_or(|(most, ..)| score > most + 1e-9 * (1.0 + score.abs()))
        {
            best = Some((score, family, k));
        }
    }
    let (_, family, k) = best.ok_or_else(|| {
        Error::new(ErrorKind::NotReady, "no purchase model can be fitted to these customers")
            .detail("The likelihood of every family is not finite.")
    })?;
    let warning = Some(Warning::new(
        "holdout_unusable",
        "The log is too short to see how well purchases were foreseen: the family was chosen by Akaike's criterion \
         on all the data. Set the option horizon to a shorter time, or name a family.",
    ));
    Ok(Choice { family, k, candidates, warning })
}
