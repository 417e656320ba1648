//! The histories of all customers with items as numbers.

use std::collections::HashMap;

use super::rows::AffinityRows;
use crate::Checkpoint;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::memory;
use crate::facts::item_history;

/// Days on which each of a customer's items was bought.
pub(super) struct Data {
    /// Texts of the items, in order of their bytes.
    pub(super) items: Vec<String>,
    /// Mean amount of a purchase, 0 if unknown.
    pub(super) prices: Vec<f32>,
    /// Items left out because too few customers bought them, or beyond the most that are kept.
    pub(super) dropped: usize,
    /// Segments in order, and each customer's place among them.
    pub(super) segments: Vec<String>,
    pub(super) segment: Vec<Option<u32>>,
    customers: Vec<usize>,
    pairs: Vec<(u32, u32)>,
    days: Vec<Day>,
    baskets_from: Vec<usize>,
    baskets: Vec<Day>,
    /// Whether customers had to be left out, to stay within the memory.
    pub(super) sampled: bool,
    /// Lines: items by day.
    pub(super) lines: u64,
}

#[derive(Default)]
struct ItemCount {
    customers: u32,
    purchases: u64,
    amount: f64,
}

impl Data {
    /// Reads the histories up to the day of the fit.
    pub(super) fn new(rows: &AffinityRows, checkpoint: Checkpoint) -> Result<Self> {
        let (options, as_of) = (rows.options(), rows.as_of());
        let mut counts: HashMap<&str, ItemCount> = HashMap::new();
        let (rows, limit) = rows.kept()?;
        for row in &rows {
            for total in item_history::totals(&item_history::unpack(&row.history)?, as_of)? {
                memory::reserve(&mut counts, 1)?;
                let count = counts.entry(total.item).or_default();
                count.customers += 1;
                count.purchases += total.purchases;
                count.amount += total.amount.to_f64();
            }
            checkpoint();
        }
        let all = counts.len();
        let mut kept: Vec<(&str, ItemCount)> =
            memory::collect(counts.into_iter().filter(|(_, c)| c.customers >= options.min_customers))?;
        kept.sort_unstable_by(|a, b| b.1.customers.cmp(&a.1.customers).then(a.0.cmp(b.0)));
        kept.truncate(options.max_items);
        kept.sort_unstable_by(|a, b| a.0.cmp(b.0));
        let codes: HashMap<&str, u32> =
            kept.iter().enumerate().map(|(at, (item, _))| (*item, at as u32)).collect();
        let mut segments = memory::collect(rows.iter().filter_map(|r| r.segment.as_deref()))?;
        segments.sort_unstable();
        segments.dedup();
        let segments: Vec<String> = segments.into_iter().map(str::to_owned).collect();
        let mut data = Data {
            items: kept.iter().map(|(item, _)| (*item).to_owned()).collect(),
            prices: kept.iter().map(|(_, c)| (c.amount / c.purchases.max(1) as f64) as f32).collect(),
            dropped: all - kept.len(),
            segment: Vec::new(),
            segments,
            customers: vec![0],
            pairs: Vec::new(),
            days: Vec::new(),
            baskets_from: vec![0],
            baskets: Vec::new(),
            sampled: limit != u64::MAX,
            lines: 0,
        };
        for row in &rows {
            let lines = item_history::unpack(&row.history)?;
            let bought = || lines.iter().filter(|l| l.purchases > 0 && l.day <= as_of);
            let mut baskets = memory::collect(bought().map(|l| l.day))?;
            if baskets.is_empty() {
                continue;
            }
            let mut last = None;
            for line in bought() {
                let Some(item) = codes.get(line.item) else { continue };
                if last != Some(*item) {
                    memory::push(&mut data.pairs, (*item, data.days.len() as u32))?;
                    last = Some(*item);
                }
                memory::push(&mut data.days, line.day)?;
            }
            data.lines += baskets.len() as u64;
            baskets.sort_unstable();
            baskets.dedup();
            memory::extend(&mut data.baskets, &baskets)?;
            memory::push(&mut data.baskets_from, data.baskets.len())?;
            memory::push(&mut data.customers, data.pairs.len())?;
            let place = row
                .segment
                .as_deref()
                .and_then(|s| data.segments.binary_search_by(|x| x.as_str().cmp(s)).ok());
            memory::push(&mut data.segment, place.map(|p| p as u32))?;
            checkpoint();
        }
        Ok(data)
    }

    /// The first day on which anybody bought anything.
    pub(super) fn first(&self) -> Option<Day> {
        self.baskets.iter().min().copied()
    }

    pub(super) fn customers(&self) -> usize {
        self.customers.len() - 1
    }

    /// The items of a customer with their purchase days, all in order.
    pub(super) fn pairs(&self, customer: usize) -> impl Iterator<Item = (u32, &[Day])> + Clone {
        (self.customers[customer]..self.customers[customer + 1]).map(|at| {
            let (item, from) = self.pairs[at];
            let to = self.pairs.get(at + 1).map_or(self.days.len(), |next| next.1 as usize);
            (item, &self.days[from as usize..to])
        })
    }

    /// The days on which a customer bought anything.
    pub(super) fn baskets(&self, customer: usize) -> &[Day] {
        &self.baskets[self.baskets_from[customer]..self.baskets_from[customer + 1]]
    }
}
