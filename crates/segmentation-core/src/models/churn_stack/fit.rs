//! The fit: inner days, candidates judged on them, the best one learnt from all of them.

use serde_json::Value;

use super::candidate::{Learnt, Training, Way};
use super::days::{Plan, Reach};
use super::judge::{Trial, judge, quality};
use super::lost::verify;
use super::model::{Candidate, ChurnStack, Coefficient, LastDay};
use super::rows::StackRows;
use super::snapshot::{Snapshots, fit_families, fit_scorers};
use super::terms::{self, Linear, TERMS};
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::warning::Warning;
use crate::base::words::counted;
use crate::facts::history_sample::Sampled;
use crate::facts::purchase_features::Frame;
use crate::facts::purchase_history::History;
use crate::models::purchase_model::{Family, PurchaseModel, Scorer};

/// Fewer customers than this get a warning.
const FEW_CUSTOMERS: u64 = 100;
/// The reach of the features is no longer: two years.
const MOST_REACH: i32 = 730;
/// So many first purchases in a thousand may lie before the log begins: a date mistyped is no log.
const STRAYS: usize = 2;
/// So many different customers a day are learnt from and judged on, at most: the first of the sample.
const MOST_ROWS: usize = 16_384;
/// A day is judged on, or learnt from, only with so many customers.
const LEAST_CUSTOMERS: usize = 20;
/// Regressions on features are tried with so many customers for each of them.
const CUSTOMERS_A_FEATURE: usize = 10;

/// When the log begins, and what a purchase usually comes to.
fn survey(sample: &[Sampled], as_of: Day, checkpoint: Checkpoint) -> Result<(Day, f64)> {
    let mut firsts: Vec<Day> = memory::with_capacity(sample.len())?;
    let mut baskets: Vec<f64> = memory::with_capacity(sample.len())?;
    for (i, customer) in sample.iter().enumerate() {
        if i % 1024 == 0 {
            checkpoint();
        }
        let history = History::read(customer.content.history)?;
        let Some((first, _)) = history.purchase_span() else { continue };
        firsts.push(first);
        let turnover = history.totals(i32::MIN, as_of)?.turnover.to_f64();
        baskets.push(turnover / history.purchase_days() as f64);
    }
    firsts.sort_unstable();
    baskets.sort_unstable_by(f64::total_cmp);
    let start = firsts.get(firsts.len() * STRAYS / 1000).copied().unwrap_or(as_of);
    let unit = baskets.get(baskets.len() / 2).copied().filter(|unit| *unit > 0.0).unwrap_or(1.0);
    Ok((start, unit))
}

/// What one fit works with.
struct Work<'a> {
    sample: &'a [Sampled<'a>],
    plan: Plan,
    frame: Frame,
    with_events: bool,
    families: Vec<Family>,
    /// By inner day.
    days: Vec<Snapshots>,
    /// What rows of a day weigh: the horizons of days near each other overlap.
    weight: f64,
    told: Vec<usize>,
    features: bool,
}

impl<'a> Work<'a> {
    fn new(rows: &'a StackRows, sample: &'a [Sampled<'a>], checkpoint: Checkpoint) -> Result<Self> {
        let options = rows.options();
        let (start, unit) = survey(sample, rows.as_of(), &mut *checkpoint)?;
        let plan = Plan::new(start, rows.as_of(), options.horizon_days());
        let earliest = plan.days.first().map_or(rows.as_of(), |inner| inner.day);
        let frame = Frame { reach: (earliest - start).clamp(1, MOST_REACH), unit };
        let logs = |c: &Sampled| c.content.contacts.is_some() || c.content.interactions.is_some();
        let with_events = rows.with_events() && sample.iter().any(logs);
        let told = terms::told(frame, with_events);
        Ok(Self {
            weight: (f64::from(plan.step) / f64::from(plan.horizon)).min(1.0),
            features: options.features && sample.len() >= CUSTOMERS_A_FEATURE * told.len(),
            sample,
            plan,
            frame,
            with_events,
            families: options.families.clone(),
            days: Vec::new(),
            told,
        })
    }

    /// Customers on every inner day. A family that cannot be fitted on one of them is no candidate.
    fn look_back(&mut self, checkpoint: Checkpoint) -> Result<()> {
        let mut fitted: Vec<Vec<Option<(u32, Scorer)>>> = Vec::new();
        let mut shapes: Vec<Option<u32>> = Vec::new();
        for inner in &self.plan.days {
            let models = fit_scorers(self.sample, inner.day, &self.families, &shapes, &mut *checkpoint)?;
            if shapes.is_empty() {
                shapes = models.iter().map(|model| model.as_ref().map(|(k, _)| *k)).collect();
            }
            fitted.push(models);
        }
        // Early days may have too few purchases for any of them: they are given up.
        let usable = |from: usize| -> Vec<usize> {
            let fitted = |i: &usize| fitted[from..].iter().all(|models| models[*i].is_some());
            (0..self.families.len()).filter(fitted).collect()
        };
        let from = (0..fitted.len()).find(|from| !usable(*from).is_empty()).unwrap_or(fitted.len());
        let usable = usable(from);
        self.families = usable.iter().map(|i| self.families[*i]).collect();
        self.plan.days.drain(..from);
        fitted.drain(..from);
        for (inner, models) in self.plan.days.iter().zip(&fitted) {
            let scorers = usable
                .iter()
                .zip(&self.families)
                .filter_map(|(i, family)| models[*i].as_ref().map(|(_, scorer)| (*family, scorer.clone())));
            let scorers: Vec<(Family, Scorer)> = scorers.collect();
            let sample = self.sample.get(..MOST_ROWS).unwrap_or(self.sample);
            let taken =
                Snapshots::take(sample, *inner, &scorers, self.frame, self.with_events, &mut *checkpoint)?;
            self.days.push(taken);
        }
        Ok(())
    }

    fn learn(&self, days: &[usize], only: Option<Way>, checkpoint: Checkpoint) -> Result<Learnt> {
        let weighted: Vec<(&Snapshots, f64)> = days.iter().map(|i| (&self.days[*i], self.weight)).collect();
        let training = Training {
            days: &weighted,
            families: &self.families,
            told: &self.told,
            regressions: self.plan.reach == Reach::Full,
            features: self.features,
            only,
        };
        training.learn(checkpoint)
    }

    /// The days that can be judged on: there is something to learn from before them. With raw families only, the last.
    fn trials(&self, checkpoint: Checkpoint) -> Result<Vec<Trial<'_>>> {
        let mut trials = Vec::new();
        let enough = |i: &usize| self.days[*i].len() >= LEAST_CUSTOMERS;
        for judged in (0..self.days.len()).filter(enough) {
            let before: Vec<usize> = self.plan.before(judged).filter(enough).collect();
            let whole = self.plan.days[judged].horizon == self.plan.horizon;
            if !whole || (before.is_empty() && judged + 1 < self.days.len()) {
                continue;
            }
            let (learnt, _) = self.learn(&before, None, &mut *checkpoint)?;
            trials.push(Trial { snapshots: &self.days[judged], learnt });
        }
        Ok(trials)
    }
}

/// Fits the stack.
///
/// # Errors
/// [`ErrorKind::NotReady`] if there is no customer, or no purchase model can be fitted. Doubts that leave a usable
/// model are its warnings.
pub fn fit(rows: &StackRows, checkpoint: Checkpoint) -> Result<ChurnStack> {
    let sample = rows.sample.customers()?;
    checkpoint();
    if sample.is_empty() {
        return Err(
            Error::new(ErrorKind::NotReady, "no customer to fit a churn stack to").hint("Check as_of.")
        );
    }
    let mut work = Work::new(rows, &sample, &mut *checkpoint)?;
    work.look_back(&mut *checkpoint)?;
    let trials = work.trials(&mut *checkpoint)?;
    let verdict = judge(&trials, sample.len(), !rows.options().features, &mut *checkpoint)?;
    let all: Vec<usize> = match work.plan.reach {
        // The calibration at the horizon itself, which is known now.
        Reach::Calibration => (0..work.days.len()).rev().take(1).collect(),
        _ => (0..work.days.len()).collect(),
    };
    let (way, linear) = match &verdict {
        Some(verdict) => {
            let way = verdict.candidates[verdict.best].way;
            let (learnt, _) = work.learn(&all, Some(way), &mut *checkpoint)?;
            let linear = learnt.into_iter().find(|(other, _)| *other == way).map(|(_, linear)| linear);
            (way, linear.ok_or_else(|| lacking("the candidate that was chosen cannot be learnt again"))?)
        }
        None => {
            let family = likeliest(&work, &rows.options().families, rows.as_of(), &mut *checkpoint)?;
            (Way::Raw(family), Linear::term(terms::of_family(family)))
        }
    };
    let reach = if verdict.is_some() { work.plan.reach } else { Reach::Nothing };
    finish(rows, &work, &trials, verdict.as_ref(), (way, reach), &linear, checkpoint)
}

fn lacking(message: &'static str) -> Error {
    Error::new(ErrorKind::NotReady, message)
}

/// Where nothing can be judged: the family of the greatest likelihood less its parameters (Akaike 1974).
fn likeliest(work: &Work, families: &[Family], as_of: Day, checkpoint: Checkpoint) -> Result<Family> {
    let models = fit_families(work.sample, as_of, families, checkpoint)?;
    let mut best: Option<(f64, Family)> = None;
    for model in models.into_iter().flatten() {
        let score =
            model.log_likelihood - (model.parameters.len() + usize::from(model.family.is_erlang())) as f64;
        if best.is_none_or(|(most, _)| score > most + 1e-9 * most.abs()) {
            best = Some((score, model.family));
        }
    }
    best.map(|(_, family)| family)
        .ok_or_else(|| lacking("no purchase model can be fitted to these customers"))
}

/// The chosen one as a model, with the families that it needs fitted to all that is known.
fn finish(
    rows: &StackRows,
    work: &Work,
    trials: &[Trial],
    verdict: Option<&super::judge::Verdict>,
    (way, reach): (Way, Reach),
    linear: &Linear,
    checkpoint: Checkpoint,
) -> Result<ChurnStack> {
    let as_of = rows.as_of();
    let used: Vec<usize> = (0..TERMS).filter(|t| linear.coefficients[*t] != 0.0).collect();
    let families: Vec<Family> = used.iter().filter_map(|t| terms::family(*t)).collect();
    let fitted = fit_families(work.sample, as_of, &families, &mut *checkpoint)?;
    let models: Vec<PurchaseModel> = fitted.into_iter().flatten().collect();
    if models.len() < families.len() {
        return Err(lacking("no purchase model can be fitted to these customers"));
    }
    let scorers = models.iter().map(|m| Ok((m.family, Scorer::new(m)?))).collect::<Result<Vec<_>>>()?;
    let now = super::days::InnerDay { day: as_of, horizon: rows.options().horizon_days() };
    let sample = work.sample.get(..MOST_ROWS).unwrap_or(work.sample);
    let today = Snapshots::take(sample, now, &scorers, work.frame, work.with_events, &mut *checkpoint)?;
    let averages = today.averages();
    let mut warnings = doubts(reach, work.plan.horizon, rows, &models);
    let lost = match rows.options().lost {
        None => None,
        Some(stay) if matches!(reach, Reach::Full | Reach::Calibration) => {
            Some(verify(trials, way, stay, &mut *checkpoint)?)
        }
        Some(_) => Some(Default::default()),
    };
    if lost.is_some_and(|lost| lost.threshold.is_none()) {
        warnings.push(Warning::new(
            "lost_not_verified",
            "On the inner days no group was found of which so few came back with confidence: nobody is called lost.",
        ));
    }
    let last = match (trials.last(), work.plan.days.last()) {
        (Some(_), Some(inner)) => {
            let quality = quality(&trials[trials.len() - 1..], way, &mut *checkpoint)?;
            quality.brier.map(|brier| LastDay { day: inner.day, auc: quality.auc, brier })
        }
        _ => None,
    };
    let best = verdict.map(|verdict| &verdict.candidates[verdict.best]);
    let recency = verdict.and_then(|v| v.candidates.iter().find(|c| c.way == Way::Recency));
    Ok(ChurnStack {
        as_of,
        horizon: rows.options().horizon.clone(),
        candidate: way.code().to_owned(),
        family: way.family().or_else(|| families.first().copied()),
        ridge: way.ridge(),
        frame: work.frame,
        with_events: work.with_events,
        intercept: linear.intercept,
        coefficients: used
            .iter()
            .map(|&term| Coefficient { term, estimate: linear.coefficients[term], mean: averages[term] })
            .collect(),
        models,
        inner_days: work.plan.days.iter().map(|inner| inner.day).collect(),
        inner_horizon: work.plan.horizon,
        customers: rows.customers(),
        sample: work.sample.len() as u64,
        skipped: rows.skipped(),
        quality: best.map(|best| without_bins(best.quality.to_json())),
        last,
        recency: recency.map(|c| (c.quality.auc, c.quality.brier)),
        candidates: verdict.map_or_else(Vec::new, |verdict| {
            let candidates = verdict.candidates.iter();
            candidates
                .map(|c| Candidate {
                    candidate: c.way.code().to_owned(),
                    family: c.way.family(),
                    ridge: c.way.ridge(),
                    auc: c.quality.auc,
                    brier: c.quality.brier,
                    log_loss: c.quality.log_loss,
                })
                .collect()
        }),
        lost,
        warnings,
    })
}

fn without_bins(mut quality: Value) -> Value {
    if let Some(calibration) = quality.get_mut("calibration").and_then(Value::as_object_mut) {
        calibration.remove("bins");
    }
    quality
}

/// What a user should know.
fn doubts(reach: Reach, inner_horizon: i32, rows: &StackRows, models: &[PurchaseModel]) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let horizon = rows.options().horizon_days();
    let said = match reach {
        Reach::Full => None,
        Reach::Calibration => Some(format!(
            "The log is too short to learn at {} and to test what was learnt: only purchase models were \
             tried, on one day.",
            counted(horizon, "day")
        )),
        Reach::Shorter => Some(format!(
            "The log is too short for {}: purchase models were chosen and calibrated at {}.",
            counted(horizon, "day"),
            counted(inner_horizon, "day")
        )),
        Reach::Nothing => Some(
            "The log is too short to test anything: the purchase model was chosen by its likelihood."
                .to_owned(),
        ),
    };
    warnings.extend(said.map(|said| Warning::new("short_history", said)));
    if rows.customers() < FEW_CUSTOMERS {
        let n = rows.customers();
        warnings.push(Warning::new(
            "few_customers",
            format!(
                "Only {}: little can be told apart, and what was chosen may be so by chance.",
                counted(n, "customer")
            ),
        ));
    }
    for model in models {
        for warning in &model.warnings {
            if warning.code != "few_customers" {
                let message = format!("{}: {}", model.family.name(), warning.message);
                warnings.push(Warning::new(&warning.code, message));
            }
        }
    }
    warnings
}
