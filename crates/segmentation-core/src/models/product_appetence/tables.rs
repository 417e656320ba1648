//! What a model knows of its items, as of a day.

use super::data::Data;
use super::ease::{ease, ease_by_customers, strongest};
use super::features::{Customer, Item, RECENT};
use super::matrix::{Counts, Neighbours, nearest};
use super::options::FitOptions;
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::Result;

/// Weights of EASE kept to each item, the greatest by size: more bring nothing.
const EASE_KEPT: usize = 200;
/// Customers that the popularity of the whole weighs as much as, beside that in a segment.
const SEGMENT_PRIOR: f64 = 20.0;

/// What is known on a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tables {
    pub(super) items: Vec<Item>,
    /// Whether discovery is by EASE; by cosine neighbours otherwise.
    pub(super) by_ease: bool,
    pub(super) cosine: Counts,
    pub(super) bm25: Counts,
    /// EASE on ln(1 + purchase days): rows from, columns to.
    pub(super) ease: Counts,
    /// Popularity by segment, as `recent`.
    pub(super) segments: Vec<Vec<f32>>,
}

impl Tables {
    /// From the purchases up to `as_of`; `full` also makes what only readers of the model need.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn new(
        data: &Data,
        as_of: Day,
        options: &FitOptions,
        full: bool,
        checkpoint: Checkpoint,
    ) -> Result<Self> {
        let n = data.items.len();
        let mut counts = Counts::new();
        let mut logs = Counts::new();
        for customer in 0..data.customers() {
            let known =
                data.pairs(customer).map(|(item, days)| (item, days.partition_point(|d| *d <= as_of)));
            let row: Vec<(u32, f32)> =
                known.filter(|(_, n)| *n > 0).map(|(item, n)| (item, n as f32)).collect();
            logs.push(row.iter().map(|(item, n)| (*item, n.ln_1p())));
            counts.push(row);
        }
        let mut tables = Tables { by_ease: n.min(counts.rows()) <= options.ease_items, ..Tables::default() };
        tables.items = items(data, as_of, checkpoint);
        tables.segments = segments(data, as_of, &tables.items);
        if full || !tables.by_ease {
            tables.cosine = nearest(&counts, n, options.neighbours, Neighbours::Cosine, checkpoint);
        }
        if full {
            tables.bm25 = nearest(&counts, n, options.neighbours, Neighbours::Bm25, checkpoint);
        }
        if tables.by_ease {
            let ridge = options.ridge.unwrap_or((0.4 * counts.rows() as f64).clamp(1.0, 1000.0));
            tables.ease = if n <= counts.rows() || n <= options.ease_items {
                strongest(&ease(&logs, ridge, true, n, checkpoint)?, EASE_KEPT, checkpoint)
            } else {
                ease_by_customers(&logs, ridge, n, EASE_KEPT, checkpoint)?
            };
        }
        Ok(tables)
    }

    /// The affinity of one item, as [`Tables::affinity`] has it.
    pub(super) fn affinity_to(&self, customer: &Customer, item: u32) -> f64 {
        let weights = if self.by_ease { &self.ease } else { &self.cosine };
        let divide = if self.by_ease { 1.0 } else { customer.owned.len().max(1) as f64 };
        let mut sum = 0.0;
        for owned in &customer.owned {
            let row = weights.row(owned.item as usize);
            if let Ok(at) = row.binary_search_by_key(&item, |entry| entry.0) {
                sum += f64::from(owned.n).ln_1p() / divide * f64::from(row[at].1);
            }
        }
        sum
    }

    /// The affinity of all items with what one customer bought.
    pub(super) fn affinity(&self, customer: &Customer) -> Vec<f64> {
        let mut sums = vec![0.0; self.items.len()];
        self.add_affinity(customer, |to, part| sums[to] += part);
        sums
    }

    /// The same part by part: an item, and what one of those bought adds to it.
    #[inline]
    pub(super) fn add_affinity(&self, customer: &Customer, mut add: impl FnMut(usize, f64)) {
        let weights = if self.by_ease { &self.ease } else { &self.cosine };
        // Cosine similarities of many items add up: their mean is on the scale of one.
        let divide = if self.by_ease { 1.0 } else { customer.owned.len().max(1) as f64 };
        for owned in &customer.owned {
            let weight = f64::from(owned.n).ln_1p() / divide;
            for (to, w) in weights.row(owned.item as usize) {
                add(*to as usize, weight * f64::from(*w));
            }
        }
    }
}

/// Moments of the gaps of one item over its customers.
#[derive(Default, Clone, Copy)]
struct Gaps {
    n: f64,
    gaps: f64,
    days: f64,
    days_squared: f64,
    rates: f64,
}

impl Gaps {
    fn add(&mut self, gaps: f64, days: f64) {
        self.n += 1.0;
        self.gaps += gaps;
        self.days += days;
        self.days_squared += days * days;
        self.rates += gaps * gaps / days;
    }

    /// A Gamma prior by the method of moments: the spread of the rates beyond that of Poisson counts.
    fn prior(&self, fallback: (f64, f64)) -> (f64, f64) {
        if self.n < 3.0 {
            return fallback;
        }
        let mean = self.gaps / self.days;
        let spread = self.rates - self.gaps * mean - (self.n - 1.0) * mean;
        let between = spread / (self.days - self.days_squared / self.days);
        let shape = if between > 0.0 { (mean * mean / between).clamp(0.5, 50.0) } else { 50.0 };
        (shape, shape / mean)
    }
}

/// Days whose share of the baskets is set against that of as many.
const TREND: [Day; 2] = [14, 90];
/// A share of baskets that is too small to have a trend.
const TOO_RARE: f64 = 2e-4;

/// The logarithm of the later share of all baskets to the longer one.
fn trend(sold: [usize; 2], baskets: [usize; 2]) -> f64 {
    let share = |at: usize| sold[at] as f64 / baskets[at].max(1) as f64 + TOO_RARE;
    (share(0) / share(1)).ln()
}

fn items(data: &Data, as_of: Day, checkpoint: Checkpoint) -> Vec<Item> {
    let n = data.items.len();
    let mut items: Vec<Item> = data.prices.iter().map(|p| Item { price: *p, ..Item::default() }).collect();
    let (mut own, mut buyers, mut share) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut again = vec![0_u32; n];
    let mut recent = vec![0_u32; n];
    let (mut large, mut bought) = (vec![0.0; n], vec![0.0; n]);
    // Purchases of each, and baskets, of the days that a trend is made of.
    let mut sold = vec![[0_usize; 2]; n];
    let mut baskets_of = [0_usize; 2];
    let mut gaps = vec![Gaps::default(); n];
    let (mut all, mut customers, mut everything) = (0.0, 0_u32, Gaps::default());
    for at in 0..data.customers() {
        let customer = Customer::new(data.pairs(at), data.baskets(at), as_of);
        if customer.baskets == 0 {
            continue;
        }
        customers += 1;
        all += customer.weight(60.0);
        let baskets = customer.weight(120.0);
        baskets_of.iter_mut().zip(TREND).for_each(|(n, days)| *n += customer.recent(days));
        for owned in &customer.owned {
            let item = owned.item as usize;
            items[item].customers += 1;
            again[item] += u32::from(owned.n > 1);
            recent[item] += u32::from(as_of - owned.last < RECENT);
            own[item] += owned.weight(120.0, as_of);
            buyers[item] += baskets;
            share[item] += owned.weight(60.0, as_of);
            large[item] += f64::from(owned.n) * owned.large();
            bought[item] += f64::from(owned.n);
            sold[item].iter_mut().zip(TREND).for_each(|(n, days)| *n += owned.recent(days, as_of));
            if owned.n > 1 {
                let (gap, days) = (f64::from(owned.n - 1), f64::from(owned.last - owned.first));
                gaps[item].add(gap, days);
                everything.add(gap, days);
            }
        }
        if at % 64 == 0 {
            checkpoint();
        }
    }
    // Two purchases in a quarter where nothing is known.
    let fallback = everything.prior((2.0, 90.0));
    for (at, item) in items.iter_mut().enumerate() {
        item.repeat = (f64::from(again[at]) / f64::from(item.customers.max(1))) as f32;
        item.own = ((own[at] + 0.1) / (buyers[at] + 1.0)) as f32;
        item.share = (share[at] / f64::max(all, 1e-9)) as f32;
        item.recent = (f64::from(recent[at]) / f64::from(customers.max(1))) as f32;
        item.large = (large[at] / f64::max(bought[at], 1.0)) as f32;
        item.trend = trend(sold[at], baskets_of) as f32;
        let (shape, rate) = gaps[at].prior(fallback);
        (item.gap_shape, item.gap_rate) = (shape as f32, rate as f32);
    }
    items
}

fn segments(data: &Data, as_of: Day, items: &[Item]) -> Vec<Vec<f32>> {
    let mut counts = vec![vec![0.0_f64; items.len()]; data.segments.len()];
    let mut members = vec![0.0_f64; data.segments.len()];
    for customer in 0..data.customers() {
        let Some(segment) = data.segment[customer].map(|s| s as usize) else { continue };
        members[segment] += 1.0;
        for (item, days) in data.pairs(customer) {
            let bought = days.iter().any(|d| *d <= as_of && as_of - d < RECENT);
            counts[segment][item as usize] += f64::from(u8::from(bought));
        }
    }
    let shrunk = |count: &f64, item: &Item, n: f64| {
        ((count + SEGMENT_PRIOR * f64::from(item.recent)) / (n + SEGMENT_PRIOR)) as f32
    };
    let of =
        |(counts, n): (&Vec<f64>, &f64)| counts.iter().zip(items).map(|(c, i)| shrunk(c, i, *n)).collect();
    counts.iter().zip(&members).map(of).collect()
}
