//! Fitting: the tables as of two days, and the blend learnt between them.

use super::data::Data;
use super::features::{ALL_DAYS, Customer, discovery};
use super::logit::{Logit, Sample};
use super::model::{AffinityModel, Blend, Warning};
use super::options::FitOptions;
use super::rows::AffinityRows;
use super::tables::Tables;
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::words::counted;
use crate::math::special::logistic;

/// Fits a model as of the rows' day.
///
/// # Errors
/// [`ErrorKind::NotReady`] if nobody bought anything up to that day.
pub fn fit(rows: &AffinityRows, checkpoint: Checkpoint) -> Result<AffinityModel> {
    let data = Data::new(rows, checkpoint)?;
    fit_data(&data, rows, rows.as_of(), checkpoint)
}

/// Fits a model as of a day on data that may go further.
pub(super) fn fit_data(
    data: &Data,
    rows: &AffinityRows,
    as_of: Day,
    checkpoint: Checkpoint,
) -> Result<AffinityModel> {
    let options = rows.options();
    if data.customers() == 0 || data.items.is_empty() {
        return Err(Error::new(ErrorKind::NotReady, "too little data for a product affinity").detail(
            format!(
                "Of {} {} bought something, and no item has {}.",
                counted(rows.taken(), "customer"),
                data.customers(),
                counted(options.min_customers, "buyer")
            ),
        ));
    }
    let split = as_of - options.horizon;
    // What is learnt of counts over so many days holds for counts over as many, not for those of a longer past:
    // everybody has bought more often as of the day of the fit than as of the split.
    let window = data.first().map_or(ALL_DAYS, |first| (split - first + 1).max(1));
    let mut warnings = Vec::new();
    let before = Tables::new(data, split, options, false, checkpoint)?;
    let (blend, trained) = learn(data, &before, (split, as_of), window, options, checkpoint)?;
    if trained == 0 {
        warnings.push(Warning::new(
            "blend_not_learnt",
            format!("No customer bought both before and after {}.", crate::base::day::format(split)?),
        ));
    }
    let tables = Tables::new(data, as_of, options, true, checkpoint)?;
    if !tables.by_ease {
        warnings.push(Warning::new(
            "item_item",
            format!(
                "{} and {} are more than the {} of EASE; discovery is by cosine neighbours.",
                counted(data.items.len(), "item"),
                counted(data.customers(), "customer"),
                options.ease_items
            ),
        ));
    }
    if data.dropped > 0 {
        warnings.push(Warning::new(
            "items_left_out",
            format!(
                "{} with fewer than {}, or beyond {}, {} left out.",
                counted(data.dropped, "item"),
                counted(options.min_customers, "customer"),
                counted(options.max_items, "item"),
                if data.dropped == 1 { "is" } else { "are" }
            ),
        ));
    }
    if data.sampled {
        warnings.push(Warning::new(
            "sampled",
            format!(
                "{} of {} were used, so as to hold at most {} MB.",
                data.customers(),
                counted(rows.taken(), "customer"),
                options.memory
            ),
        ));
    }
    Ok(AffinityModel {
        as_of,
        horizon: options.horizon,
        next: options.next,
        split,
        window,
        items: data.items.clone(),
        segments: data.segments.clone(),
        tables,
        blend,
        customers: data.customers() as u64,
        lines: data.lines,
        taken: rows.taken(),
        skipped: rows.skipped,
        trained: trained as u64,
        warnings,
    })
}

/// One customer of the inner split: what was bought after it.
pub(super) struct After {
    /// Items of the first basket.
    pub(super) next: Vec<u32>,
    /// Items within the horizon.
    pub(super) within: Vec<u32>,
}

impl After {
    /// What a score is to foretell: the items of the first basket, or all within the horizon.
    fn target(&self, next: bool) -> &[u32] {
        if next { &self.next } else { &self.within }
    }
}

/// What a customer bought after `split` up to `until`; `None` if nothing.
pub(super) fn after(data: &Data, customer: usize, split: Day, until: Day) -> Option<After> {
    let first = *data.baskets(customer).iter().find(|d| **d > split && **d <= until)?;
    let mut after = After { next: Vec::new(), within: Vec::new() };
    for (item, days) in data.pairs(customer) {
        let Some(day) = days.iter().find(|d| **d > split && **d <= until) else { continue };
        after.within.push(item);
        // Items are kept by their own first day after the split: that of the basket, or later.
        if *day == first {
            after.next.push(item);
        }
    }
    (!after.next.is_empty()).then_some(after)
}

/// Pairs of a customer and an item never bought that are looked at, about; of more, one in so many.
const PAIRS: usize = 500_000;

/// Whether a pair that did not come true is among the one in `every` that are taken.
fn taken(customer: usize, item: u32, every: u64) -> bool {
    let mixed = (customer as u64 * 0x9e37_79b9 + u64::from(item)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 32).is_multiple_of(every)
}

/// The least slope of a probability over the score.
const FLAT: f64 = 1e-3;

/// A score that fell as the evidence rises would turn the order round: chance in small data, or an order learnt for
/// small baskets where most of what comes true is in large ones. It is held flat then, at the level of what happened.
fn rising<const WIDTH: usize>(mut logit: Logit, sample: &Sample<WIDTH>) -> Logit {
    if logit.coefficient[0] >= FLAT {
        return logit;
    }
    logit.coefficient[0] = FLAT;
    logit.intercept = 0.0;
    let etas = etas(&logit, sample);
    for _ in 0..100 {
        let (mut gap, mut slope) = (0.0, 0.0);
        for ((eta, happened), weight) in etas.iter().zip(&sample.y).zip(&sample.weight) {
            let p = logistic(eta + logit.intercept);
            gap += weight * (f64::from(u8::from(*happened)) - p);
            slope += weight * p * (1.0 - p);
        }
        let step = (gap / slope.max(f64::MIN_POSITIVE)).clamp(-1.0, 1.0);
        logit.intercept += step;
        if step.abs() < 1e-12 {
            break;
        }
    }
    logit
}

/// What each of so many items weighs: between one over their number, by which recall counts customers alike however
/// much they buy, and one over its root, which is nearer to how the order at the top is judged.
fn fair(items: usize) -> f64 {
    let n = items as f64;
    1.0 / (n.sqrt() * n.sqrt().sqrt())
}

/// Learns the blend on what was bought after the split, with counts over so many days before it; also says on how
/// many customers.
fn learn(
    data: &Data,
    tables: &Tables,
    (split, until): (Day, Day),
    window: Day,
    options: &FitOptions,
    checkpoint: Checkpoint,
) -> Result<(Blend, usize)> {
    let mut repeat = Sample::new();
    let (mut next_repeat, mut activity_repeat) = (Vec::new(), Vec::new());
    let mut unseen = Sample::new();
    let (mut target_unseen, mut weight_unseen, mut activity_unseen) = (Vec::new(), Vec::new(), Vec::new());
    let mut times_unseen: Vec<f64> = Vec::new();
    let (mut targets, mut horizons) = (0.0, 0.0);
    // Who bought nothing after the split says nothing of what, but counts for how probable a purchase is within
    // the horizon; not for what the next basket holds, whenever it comes.
    let (mut absent, mut absent_unseen) = (Sample::new(), Sample::new());
    let (mut absent_activity, mut absent_unseen_activity) = (Vec::new(), Vec::new());
    let looked_at = data.customers().min(4 * options.training_customers);
    let every = (looked_at * data.items.len() / PAIRS).clamp(1, 1000) as u64;
    let mut trained = 0;
    for at in 0..looked_at {
        if trained == options.training_customers {
            break;
        }
        let customer = Customer::new(data.pairs(at), data.baskets(at), split);
        if customer.baskets == 0 {
            continue;
        }
        checkpoint();
        let habits = customer.habits(window);
        let Some(after) = after(data, at, split, until) else {
            if options.next {
                continue;
            }
            let mut owns = vec![false; data.items.len()];
            for owned in &customer.owned {
                owns[owned.item as usize] = true;
                absent.push(&habits.repeat(owned, &tables.items[owned.item as usize]), false, 1.0)?;
                absent_activity.push(habits.activity);
            }
            let affinity = tables.affinity(&customer);
            for (item, facts) in tables.items.iter().enumerate() {
                if !owns[item] && taken(at, item as u32, every) {
                    absent_unseen.push(&discovery(affinity[item], facts.recent), false, every as f64)?;
                    absent_unseen_activity.push(habits.activity);
                }
            }
            continue;
        };
        trained += 1;
        let target = after.target(options.next);
        let weight = fair(target.len());
        targets += weight;
        horizons += 1.0 / after.within.len() as f64;
        let mut owns = vec![false; data.items.len()];
        for owned in &customer.owned {
            owns[owned.item as usize] = true;
            let x = habits.repeat(owned, &tables.items[owned.item as usize]);
            repeat.push(&x, target.binary_search(&owned.item).is_ok(), weight)?;
            next_repeat.push(after.next.binary_search(&owned.item).is_ok());
            activity_repeat.push(habits.activity);
        }
        let affinity = tables.affinity(&customer);
        for (item, facts) in tables.items.iter().enumerate() {
            let place = item as u32;
            let bought = after.within.binary_search(&place).is_ok();
            if owns[item] || !(bought || taken(at, place, every)) {
                continue;
            }
            let times = if bought { 1.0 } else { every as f64 };
            times_unseen.push(times);
            let times = times / after.within.len() as f64;
            unseen.push(&discovery(affinity[item], facts.recent), bought, times)?;
            target_unseen.push(target.binary_search(&place).is_ok());
            weight_unseen.push(weight * times_unseen[times_unseen.len() - 1]);
            activity_unseen.push(habits.activity);
        }
    }
    // Weights of mean 1 a customer, so that the ridge means the same for large baskets as for small.
    repeat.weight.iter_mut().for_each(|w| *w *= trained as f64 / targets);
    unseen.weight.iter_mut().for_each(|w| *w *= trained as f64 / horizons);
    let mut blend = Blend::default();
    let outcome: Vec<bool> = repeat.y.iter().chain(&absent.y).copied().collect();
    if !repeat.usable() {
        // All came true within the horizon, or nothing: what comes first is left to rank by.
        repeat.y = next_repeat;
    }
    if repeat.usable() {
        blend.repeat = Logit::fit(&repeat, 1.0, checkpoint);
        let mut eta = etas(&blend.repeat, &repeat);
        eta.extend(etas(&blend.repeat, &absent));
        activity_repeat.extend(absent_activity);
        let weight = vec![1.0; eta.len()];
        let x = |at| [eta[at], activity_repeat[at]];
        blend.repeat_probability = second(x, &outcome, &weight, checkpoint)?;
    }
    if unseen.usable() {
        blend.discovery = Logit::fit(&unseen, 10.0, checkpoint);
        let mut eta = etas(&blend.discovery, &unseen);
        blend.link = second(|at| [eta[at]], &target_unseen, &weight_unseen, checkpoint)?;
        eta.extend(etas(&blend.discovery, &absent_unseen));
        activity_unseen.extend(absent_unseen_activity);
        times_unseen.extend(&absent_unseen.weight);
        let outcome: Vec<bool> = target_unseen.iter().chain(&absent_unseen.y).copied().collect();
        let x = |at| [eta[at], activity_unseen[at]];
        blend.discovery_probability = second(x, &outcome, &times_unseen, checkpoint)?;
    } else if !unseen.y.is_empty() && repeat.usable() {
        // Nobody tried anything new: the order stays, the level is that of nothing in so many chances.
        let level = (0.5 / (times_unseen.iter().sum::<f64>() + 1.0)).ln();
        let eta = etas(&blend.discovery, &unseen);
        let shift = level - eta.iter().sum::<f64>() / eta.len() as f64;
        blend.discovery_probability.intercept = shift;
        blend.link.intercept = shift;
    }
    Ok((blend, if repeat.usable() || unseen.usable() { trained } else { 0 }))
}

fn etas<const WIDTH: usize>(model: &Logit, sample: &Sample<WIDTH>) -> Vec<f64> {
    sample.x.iter().map(|row| model.eta(&row.map(f64::from))).collect()
}

/// Where all or none happened: the score's order, at the level of half a case beside those seen.
fn level(etas: impl Iterator<Item = f64>, outcome: &[bool], width: usize) -> Logit {
    let n = outcome.len().max(1) as f64;
    let yes = outcome.iter().filter(|y| **y).count() as f64;
    let shift = ((yes + 0.5) / (n - yes + 0.5)).ln() - etas.sum::<f64>() / n;
    Logit { intercept: shift, ..Logit::identity(width) }
}

/// A regression on a score, which `x` gives first, and perhaps on the customer's activity: from scores to
/// probabilities.
fn second<const WIDTH: usize>(
    x: impl Fn(usize) -> [f64; WIDTH],
    outcome: &[bool],
    weight: &[f64],
    checkpoint: Checkpoint,
) -> Result<Logit> {
    let mut sample = Sample::new();
    for (at, (outcome, weight)) in outcome.iter().zip(weight).enumerate() {
        sample.push(&x(at), *outcome, *weight)?;
    }
    if !sample.usable() {
        return Ok(level((0..outcome.len()).map(|at| x(at)[0]), outcome, WIDTH));
    }
    Ok(rising(Logit::fit(&sample, 1e-6, checkpoint), &sample))
}
