//! The fit: inner days, candidates judged on the latest of them, the best one learnt from all of them.

use super::customer::{ValueCustomer, YEAR};
use super::days::Plan;
use super::judge::{Outcome, Quality};
use super::model::ValueStack;
use super::options::SeasonOption;
use super::rows::ValueRows;
use super::season::Season;
use super::weights::{Row, Way, Weights};
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::warning::Warning;
use crate::base::words::counted;
use crate::facts::history_sample::Sampled;
use crate::facts::purchase_features::Frame;
use crate::facts::purchase_history::{History, net_purchases};
use crate::models::purchase_model::{Cells, FitOptions, PurchaseModel, Scorer, fit as fit_purchases};
use crate::models::spend_model::{SpendCells, SpendModel, fit_spend};

/// Fewer customers than this get a warning.
const FEW_CUSTOMERS: u64 = 100;
/// A day is judged on, or learnt from, only with so many customers.
const LEAST_CUSTOMERS: usize = 20;
/// A regression is tried with so many rows to learn from.
const LEAST_ROWS: usize = 200;
/// So many first purchases in a thousand may lie before the log begins: a date mistyped is no log.
const STRAYS: usize = 2;
/// The reach of the features is no longer: two years.
const MOST_REACH: i32 = 730;

/// The first day of the log.
fn log_start(sample: &[Sampled], as_of: Day) -> Result<Day> {
    let mut firsts: Vec<Day> = memory::with_capacity(sample.len())?;
    for customer in sample {
        if let Some((first, _)) = History::read(customer.content.history)?.purchase_span() {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts.get(firsts.len() * STRAYS / 1000).copied().unwrap_or(as_of))
}

/// Both models of what was known on a day; `None` if one cannot be fitted.
fn fit_models(
    rows: &ValueRows,
    sample: &[Sampled],
    day: Day,
    checkpoint: Checkpoint,
) -> Result<Option<(PurchaseModel, SpendModel)>> {
    let options = rows.options();
    let mut purchases = Cells::new(day, FitOptions::of(options.family))?;
    let mut spend = SpendCells::new(day, options.spend.clone())?;
    for (i, customer) in sample.iter().enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        let history = History::read(customer.content.history)?;
        let net = net_purchases(&history, day)?;
        if net.is_empty() {
            continue;
        }
        for copy in 1..=customer.customers {
            if copy % 4096 == 0 {
                checkpoint();
            }
            purchases.add(net.iter().map(|(day, _)| *day))?;
            spend.add(net.iter().copied())?;
        }
    }
    let ready = |error: Error| if error.kind == ErrorKind::NotReady { Ok(None) } else { Err(error) };
    let purchases = match fit_purchases(&purchases, &mut *checkpoint) {
        Ok(model) => model,
        Err(error) => return ready(error),
    };
    match fit_spend(&spend, checkpoint) {
        Ok(model) => Ok(Some((purchases, model))),
        Err(error) => ready(error),
    }
}

/// What one fit works with.
struct Work<'a> {
    rows: &'a ValueRows,
    sample: &'a [Sampled<'a>],
    start: Day,
    plan: Plan,
    frame: Frame,
    season: Option<Season>,
}

impl<'a> Work<'a> {
    fn new(rows: &'a ValueRows, sample: &'a [Sampled<'a>], checkpoint: Checkpoint) -> Result<Self> {
        let as_of = rows.as_of();
        let start = log_start(sample, as_of)?;
        let plan = Plan::new(start, as_of, rows.options().horizon_days());
        let earliest = plan.days.last().copied().unwrap_or(as_of);
        let frame = Frame { reach: (earliest - start).clamp(1, MOST_REACH), unit: 1.0 };
        let season = match &rows.options().season {
            SeasonOption::None => None,
            SeasonOption::Months(months) => Some(Season::of_months(months)),
            SeasonOption::Auto => learn_season(sample, start, as_of, checkpoint)?,
        };
        Ok(Self { rows, sample, start, plan, frame, season })
    }

    /// How many days of turnover are last year's on a day.
    fn window(&self, day: Day) -> i32 {
        // The first day of the log is one of them.
        (day - self.start + 1).clamp(1, YEAR)
    }

    /// Customers as they were on an inner day, and what followed; nothing if the models cannot be fitted to it.
    fn look_back(&self, day: Day, checkpoint: Checkpoint) -> Result<Vec<Row>> {
        let mut taken: Vec<Row> = Vec::new();
        let Some((purchases, spend)) = fit_models(self.rows, self.sample, day, &mut *checkpoint)? else {
            return Ok(taken);
        };
        let scorer = Scorer::new(&purchases)?;
        let (horizon, window) = (self.plan.horizon, self.window(day));
        let season = self.season.as_ref().map_or(1.0, |season| season.factor(day, horizon));
        for (i, customer) in self.sample.iter().enumerate() {
            if i % 256 == 0 {
                checkpoint();
            }
            let history = History::read(customer.content.history)?;
            let Some(known) = ValueCustomer::read(&history, day, &spend, Some(self.frame))? else { continue };
            let Some(each) = spend.expected_spend(&known.spent) else { continue };
            let bought = scorer.expected_purchases(known.summary(day)?, f64::from(horizon));
            let last_year = known.turnover(day, window) * f64::from(horizon) / f64::from(window);
            let actual = history.totals(day, day + horizon)?.turnover.to_f64();
            memory::push(
                &mut taken,
                Row {
                    model: bought * each * season,
                    last_year: last_year * season,
                    features: known.features(day),
                    actual,
                    customers: customer.customers as f64,
                },
            )?;
        }
        Ok(taken)
    }
}

/// The season of what the customers of the sample bought.
fn learn_season(
    sample: &[Sampled],
    start: Day,
    as_of: Day,
    checkpoint: Checkpoint,
) -> Result<Option<Season>> {
    let length = (i64::from(as_of) - i64::from(start) + 1).max(0) as usize;
    // A log of centuries is one of mistyped dates.
    if !(super::season::LEAST_LOG as usize..=36_525).contains(&length) {
        return Ok(None);
    }
    // In exact sums, so that no order leaves a trace.
    let mut days: Vec<i128> = memory::collect((0..length).map(|_| 0))?;
    for (i, customer) in sample.iter().enumerate() {
        if i % 256 == 0 {
            checkpoint();
        }
        for (day, amount) in net_purchases(&History::read(customer.content.history)?, as_of)? {
            if day >= start {
                days[(day - start) as usize] += i128::from(amount.0) * i128::from(customer.customers);
            }
        }
    }
    let turnover: Vec<f64> = memory::collect(days.iter().map(|d| *d as f64))?;
    Ok(Season::learn(start, &turnover))
}

/// Fits the stack.
///
/// # Errors
/// [`ErrorKind::NotReady`] if no purchase model or no spend model can be fitted. Doubts that leave a usable model are
/// its warnings.
pub fn fit(rows: &ValueRows, checkpoint: Checkpoint) -> Result<ValueStack> {
    let sample = rows.sample.customers()?;
    let not_ready = || {
        Error::new(ErrorKind::NotReady, "no customers to fit a value stack to")
            .detail("It needs customers who bought on at least two days, and spent something.")
    };
    if sample.is_empty() {
        return Err(not_ready());
    }
    let as_of = rows.as_of();
    let (purchase_model, spend_model) =
        fit_models(rows, &sample, as_of, &mut *checkpoint)?.ok_or_else(not_ready)?;
    let work = Work::new(rows, &sample, &mut *checkpoint)?;
    let mut days = Vec::new();
    for day in &work.plan.days {
        days.push(work.look_back(*day, &mut *checkpoint)?);
    }
    let mut warnings = Vec::new();
    let judged = judge(&work, &days, &mut *checkpoint)?;
    let all: Vec<&Row> = days.iter().flatten().collect();
    let best = choose(&judged);
    let mut weights = Weights { way: Way::PurchaseModel, intercept: 0.0, coefficients: Vec::new() };
    match Weights::learn(best, &all, work.frame, &mut *checkpoint)? {
        Some(learnt) if !judged.is_empty() => weights = learnt,
        _ => warnings.push(Warning::new(
            "not_judged",
            "The log is too short, or its customers too few, to try candidates on days of the past: the purchase model \
             is taken as it is.",
        )),
    }
    let options = rows.options();
    if !judged.is_empty() && work.plan.horizon < options.horizon_days() {
        warnings.push(Warning::new(
            "shorter_horizon",
            format!(
                "The log is too short to try candidates on {}: they were tried on {}, and the rest is extrapolated.",
                options.horizon.text(),
                counted(work.plan.horizon, "day")
            ),
        ));
    }
    if rows.customers() < FEW_CUSTOMERS {
        warnings.push(Warning::new(
            "few_customers",
            format!(
                "{} {} few to choose by: the choice may be chance.",
                counted(rows.customers(), "customer"),
                if rows.customers() == 1 { "is" } else { "are" }
            ),
        ));
    }
    Ok(ValueStack {
        as_of,
        horizon: options.horizon.clone(),
        purchase_model,
        spend_model,
        season: work.season.clone(),
        quality: judged.iter().find(|(way, _)| *way == weights.way).map(|(_, quality)| *quality),
        correlation_past: judged
            .iter()
            .find(|(way, _)| *way == Way::LastYear)
            .and_then(|(_, q)| q.correlation),
        candidates: judged.into_iter().map(|(way, quality)| (way.name().to_owned(), quality)).collect(),
        weights,
        frame: work.frame,
        window: work.window(as_of),
        inner_horizon: work.plan.horizon.max(0),
        inner_days: work.plan.days.clone(),
        customers: rows.customers(),
        sample: sample.len() as u64,
        skipped: rows.skipped().map(|(reason, n)| (reason.to_owned(), n)).collect(),
        warnings,
    })
}

/// Candidates on the latest inner day, each learnt from days whose outcome was known by then.
fn judge(work: &Work, days: &[Vec<Row>], checkpoint: Checkpoint) -> Result<Vec<(Way, Quality)>> {
    let mut judged = Vec::new();
    let Some(last) = days.first().filter(|rows| rows.len() >= LEAST_CUSTOMERS) else { return Ok(judged) };
    let before: Vec<&Row> = work.plan.before().flat_map(|i| &days[i]).collect();
    for way in Way::ALL {
        if way == Way::Regression && before.len() < LEAST_ROWS {
            continue;
        }
        let learnt = match before.len() < LEAST_CUSTOMERS {
            // Nobody to learn from: as it is.
            true => Some(Weights { way, intercept: 0.0, coefficients: Vec::new() }),
            false => Weights::learn(way, &before, work.frame, &mut *checkpoint)?,
        };
        let Some(learnt) = learnt else { continue };
        let mut outcomes: Vec<Outcome> = memory::with_capacity(last.len())?;
        for row in last {
            outcomes.push((learnt.value(row), row.actual, row.customers));
        }
        judged.push((way, Quality::of(&outcomes)?));
    }
    Ok(judged)
}

/// The regression, or else the mean, unless another is better by more than what chance makes of such differences.
fn choose(judged: &[(Way, Quality)]) -> Way {
    let of = |way: Way| judged.iter().find(|(w, _)| *w == way).map(|(_, quality)| quality);
    let Some((favourite, quality)) =
        [Way::Regression, Way::Mean].into_iter().find_map(|way| of(way).map(|quality| (way, quality)))
    else {
        return judged.first().map_or(Way::PurchaseModel, |(way, _)| *way);
    };
    let chance = 1.0 / quality.customers.max(1.0).sqrt();
    let mut best = (favourite, quality.score() + chance);
    for (way, quality) in judged {
        if quality.score() > best.1 {
            best = (*way, quality.score());
        }
    }
    best.0
}
