//! Which of the items never bought can be among the `k` best: all are bounded, few are scored.
//!
//! What such an item is ranked by grows with its log-odds, a sum of three terms: of the logarithm of its affinity with
//! what the customer bought, of the affinity itself, and of its popularity. With a quick logarithm in place of the exact
//! one the log-odds are known to within [`LN_ERROR`] times a coefficient, and whatever is farther than that below the
//! `k`-th best cannot be among them. The rest is scored exactly, so the offers are those of scoring every item.

use std::cell::RefCell;

use super::features::{Customer, NO_AFFINITY, discovery};
use super::logit::Logit;
use super::model::AffinityModel;
use super::tables::Tables;

/// [`quick_ln`] is no farther than this from the logarithm.
const LN_ERROR: f64 = 0.002;
/// Of terms that add up to log-odds, what rounding may take or bring.
const ROUNDING: f64 = 1e-12;
/// Up to so many items, the affinities of a customer are a row that is looked at whole; beyond, only items that
/// something bought speaks for are, and the most popular of the others.
const DENSE: usize = 4096;
/// More offers than this are not worth bounds.
const MOST: usize = 100;
/// Probabilities whose log-odds are closer than this may be the same number, and beyond these limits all may.
const CLOSE: f64 = 1e-6;
const LEAST: f64 = -600.0;
const GREATEST: f64 = 15.0;

/// The logarithm of a number that is neither tiny nor infinite, to three digits.
#[inline]
fn quick_ln(x: f64) -> f64 {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i64 - 1023;
    let t = f64::from_bits(bits & 0x000f_ffff_ffff_ffff | 0x3ff0_0000_0000_0000) - 1.0;
    (exponent as f64 + t + t * (1.0 - t) * (0.4225 - 0.1555 * t)) * std::f64::consts::LN_2
}

/// What of the bounds does not depend on the customer.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// Of each item, what is not of affinity; NaN if it may not be offered.
    base: Vec<f64>,
    /// Items that may be offered, greatest base first.
    by_base: Vec<u32>,
    /// The same, most popular first.
    by_popularity: Vec<u32>,
    /// Of the logarithm of affinity, and of affinity.
    slopes: [f64; 2],
    /// The size of the terms that make a base.
    scale: f64,
    /// The logarithm that no affinity has.
    none: f64,
    room: RefCell<Room>,
}

/// Room for the affinities of one customer, used again by the next.
#[derive(Debug, Clone, Default)]
struct Room {
    sums: Vec<f64>,
    /// The customer whose sum it is.
    stamps: Vec<u32>,
    stamp: u32,
    touched: Vec<u32>,
}

impl Room {
    /// The affinities of all items, as [`Tables::affinity`] has them.
    fn fill(&mut self, tables: &Tables, customer: &Customer) {
        self.sums.clear();
        self.sums.resize(tables.items.len(), 0.0);
        tables.add_affinity(customer, |to, part| self.sums[to] += part);
    }

    /// Those of the items that something bought speaks for.
    fn touch(&mut self, tables: &Tables, customer: &Customer) {
        let n = tables.items.len();
        if self.stamps.len() != n || self.stamp == u32::MAX {
            *self = Self { sums: vec![0.0; n], stamps: vec![0; n], ..Self::default() };
        }
        self.stamp += 1;
        self.touched.clear();
        // What was bought is not looked for.
        customer.owned.iter().for_each(|owned| self.stamps[owned.item as usize] = self.stamp);
        tables.add_affinity(customer, |to, part| {
            if self.stamps[to] != self.stamp {
                self.stamps[to] = self.stamp;
                self.sums[to] = 0.0;
                self.touched.push(to as u32);
            }
            self.sums[to] += part;
        });
    }
}

/// The best so far, by bounds.
struct Front {
    k: usize,
    /// The `k` greatest lower bounds, least first.
    lower: Vec<f64>,
    /// Where probabilities become too close to be told apart.
    flat: [f64; 2],
    close: f64,
    /// What is below cannot be among the best.
    floor: f64,
    /// Upper bound, item and affinity of what may be.
    found: Vec<(f64, u32, f64)>,
}

impl Front {
    fn new(k: usize, key: Line) -> Self {
        let at = |log_odds: f64| (log_odds - key.shift) / key.rise;
        Self {
            k,
            lower: Vec::with_capacity(k),
            flat: [at(LEAST), at(GREATEST)],
            close: CLOSE / key.rise,
            floor: f64::NEG_INFINITY,
            found: Vec::with_capacity(4 * k),
        }
    }

    fn take(&mut self, log_odds: f64, error: f64, item: u32, affinity: f64) {
        self.found.push((log_odds + error, item, affinity));
        let lower = log_odds - error;
        if self.lower.len() == self.k {
            if lower <= self.lower[0] {
                return;
            }
            self.lower.remove(0);
        }
        self.lower.insert(self.lower.partition_point(|b| *b < lower), lower);
        if self.lower.len() == self.k && self.lower[0] > self.flat[0] {
            self.floor = self.lower[0].min(self.flat[1]) - self.close;
        }
    }

    fn finish(self) -> Vec<(u32, f64)> {
        let kept = self.found.into_iter().filter(|(upper, ..)| *upper >= self.floor);
        kept.map(|(_, item, affinity)| (item, affinity)).collect()
    }
}

/// Log-odds that are a straight line of those of discovery.
#[derive(Clone, Copy)]
pub(super) struct Line {
    shift: f64,
    rise: f64,
}

impl Line {
    /// Of a regression on log-odds and other features; `None` if it does not rise, or numbers are too great to bound.
    pub(super) fn of(logit: &Logit, others: &[f64]) -> Option<Self> {
        let rise = logit.coefficient[0] / logit.sd[0];
        let mut features = vec![0.0];
        features.extend_from_slice(others);
        let shift = logit.eta(&features);
        let terms = [logit.intercept, rise, rise * logit.mean[0], shift];
        (rise > 0.0 && terms.iter().all(|term| term.abs() < 1e6)).then_some(Self { shift, rise })
    }
}

impl Bounds {
    pub(super) fn new(model: &AffinityModel, allowed: &[bool]) -> Self {
        let logit = &model.blend.discovery;
        let slope = |at: usize| logit.coefficient[at] / logit.sd[at];
        let terms: Vec<f64> = (0..3).map(|at| slope(at) * logit.mean[at]).collect();
        let recent = |at: u32| model.tables.items[at as usize].recent;
        let base =
            |at: u32| logit.intercept - terms.iter().sum::<f64>() + slope(2) * discovery(0.0, recent(at))[2];
        let sorted = |key: &dyn Fn(u32) -> f64| {
            let mut items: Vec<u32> = (0..allowed.len() as u32).filter(|at| allowed[*at as usize]).collect();
            items.sort_by(|a, b| key(*b).total_cmp(&key(*a)));
            items
        };
        Self {
            base: (0..)
                .zip(allowed)
                .map(|(at, allowed)| if *allowed { base(at) } else { f64::NAN })
                .collect(),
            by_base: sorted(&base),
            by_popularity: sorted(&|at| f64::from(recent(at))),
            slopes: [slope(0), slope(1)],
            scale: 1.0
                + logit.intercept.abs()
                + terms.iter().map(|t| t.abs()).sum::<f64>()
                + 10.0 * slope(2).abs(),
            none: NO_AFFINITY.ln(),
            room: RefCell::default(),
        }
    }

    /// The items never bought that can be among the `k` best, and their affinities; `None` where bounds do not help.
    ///
    /// `key` is what the ranking is by; `discovers` and `popular`: whether items with affinity, and those without, may
    /// be offered.
    pub(super) fn shortlist(
        &self,
        tables: &Tables,
        customer: &Customer,
        k: usize,
        key: Line,
        (discovers, popular): (bool, bool),
    ) -> Option<Vec<(u32, f64)>> {
        if k == 0 || k > MOST || k >= self.base.len() {
            return None;
        }
        let mut front = Front::new(k, key);
        let wanted = |affinity: f64| if affinity > NO_AFFINITY { discovers } else { popular };
        let mut room = self.room.borrow_mut();
        let room = &mut *room;
        if tables.items.len() <= DENSE {
            room.fill(tables, customer);
            let mut owned = customer.owned.iter().map(|owned| owned.item).peekable();
            for (item, affinity) in (0..).zip(&room.sums) {
                if owned.next_if_eq(&item).is_none() && wanted(*affinity) {
                    self.look(&mut front, item, *affinity);
                }
            }
        } else {
            room.touch(tables, customer);
            for item in &room.touched {
                let affinity = room.sums[*item as usize];
                if wanted(affinity) {
                    self.look(&mut front, *item, affinity);
                }
            }
            let others = self.by_base.iter().filter(|item| room.stamps[**item as usize] != room.stamp);
            for item in others.take_while(|_| popular) {
                // Those that follow have no more.
                if self.look(&mut front, *item, 0.0) < front.floor {
                    break;
                }
            }
        }
        Some(front.finish())
    }

    /// Offers an item to the front. Returns the upper bound of its log-odds.
    #[inline]
    fn look(&self, front: &mut Front, item: u32, affinity: f64) -> f64 {
        let base = self.base[item as usize];
        let (ln, error) =
            if affinity > NO_AFFINITY { (quick_ln(affinity), LN_ERROR) } else { (self.none, 0.0) };
        let (first, second) = (self.slopes[0] * ln, self.slopes[1] * affinity);
        let rounding = ROUNDING * (self.scale + base.abs() + first.abs() + second.abs());
        let (log_odds, error) = (base + first + second, self.slopes[0].abs() * error + rounding);
        // One that may not be offered has no base, and is below all floors.
        if log_odds + error >= front.floor {
            front.take(log_odds, error, item, affinity);
        }
        log_odds + error
    }

    /// The `k` most popular items that may be offered, and those as popular as the last of them.
    pub(super) fn popular(&self, k: usize, popularity: impl Fn(u32) -> f64) -> &[u32] {
        let Some(last) = k.checked_sub(1).and_then(|at| self.by_popularity.get(at)) else {
            return &self.by_popularity[..k.min(self.by_popularity.len())];
        };
        let least = popularity(*last);
        &self.by_popularity[..self.by_popularity.partition_point(|item| popularity(*item) >= least)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::features::Item;
    use super::super::matrix::Counts;
    use super::super::model::Blend;
    use super::super::offer::OfferOptions;
    use super::*;
    use crate::base::money::{Money, SCALE};
    use crate::facts::item_history::{Line as Bought, net, pack};

    #[test]
    fn quick_logarithms_are_within_their_error() {
        for step in 0..2_000_000 {
            let x = (f64::from(step) * 1e-4 - 100.0).exp();
            let error = (quick_ln(x) - x.ln()).abs();
            assert!(error < LN_ERROR * 0.9, "{x}: {error}");
        }
    }

    struct Dice(u64);

    impl Dice {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        fn below(&mut self, n: usize) -> usize {
            (self.next() * n as f64) as usize
        }
    }

    /// A model with weights of both signs, and popularities of which many are equal.
    fn model(n: usize, by_ease: bool, dice: &mut Dice) -> AffinityModel {
        let items = (0..n).map(|_| Item {
            own: dice.next() as f32 / 8.0,
            share: dice.next() as f32 / 100.0,
            recent: (dice.below(40) as f32 / 400.0).powi(2),
            gap_shape: 2.0,
            gap_rate: 90.0,
            ..Item::default()
        });
        let mut tables = Tables { by_ease, items: items.collect(), ..Tables::default() };
        tables.segments = vec![(0..n).map(|_| dice.next() as f32).collect()];
        let mut weights = Counts::new();
        for _ in 0..n {
            let mut row: Vec<(u32, f32)> = (0..50)
                .map(|_| (dice.below(n) as u32, (dice.next() as f32 - if by_ease { 0.3 } else { 0.0 }) / 4.0))
                .collect();
            row.sort_unstable_by_key(|entry| entry.0);
            row.dedup_by_key(|entry| entry.0);
            weights.push(row);
        }
        *(if by_ease { &mut tables.ease } else { &mut tables.cosine }) = weights;
        AffinityModel {
            as_of: 8000,
            horizon: 28,
            next: n % 2 == 1,
            split: 7972,
            window: 300,
            items: (0..n).map(|at| format!("item {at:05}")).collect(),
            segments: vec!["night".to_owned()],
            tables,
            blend: Blend::default(),
            customers: 0,
            lines: 0,
            taken: 0,
            skipped: 0,
            trained: 0,
            warnings: Vec::new(),
        }
    }

    fn history(n: usize, dice: &mut Dice) -> Vec<u8> {
        let count = dice.below(25);
        let lines: Vec<(String, i32)> = (0..count)
            .map(|_| (format!("item {:05}", dice.below(n)), 7600 + dice.below(400) as i32))
            .collect();
        let line = |(item, day): &'_ (String, i32)| {
            Bought::order(Box::leak(item.clone().into_boxed_str()), *day, Money(SCALE), Money(SCALE)).unwrap()
        };
        pack(&net(lines.iter().map(line).collect()).unwrap()).unwrap()
    }

    #[test]
    fn the_shortlist_has_the_offers_of_scoring_all() {
        let mut dice = Dice(11);
        let all = [
            "{}",
            r#"{"rank_by": "probability"}"#,
            r#"{"sources": ["discovery"]}"#,
            r#"{"sources": ["popular", "repeat"]}"#,
            r#"{"exclude": ["item 00003", "item 00017"], "owned_for_good": ["item 00005"]}"#,
            r#"{"only": ["item 00001", "item 00002", "item 00003", "item 00040"]}"#,
            r#"{"min_probability": 0.2}"#,
            r#"{"margins": {"item 00001": 3, "item 00007": -1}, "rank_by": "value"}"#,
        ];
        let mut short = 0;
        // An odd number of items: ranked by the next basket.
        for (n, by_ease) in [(60, true), (61, true), (700, true), (701, false), (6000, true), (6001, false)] {
            for round in 0..12 {
                let mut model = model(n, by_ease, &mut dice);
                if round > 0 {
                    // Of any sign and size, some so great that probabilities are 0 or 1.
                    let mut random = |logit: &mut Logit| {
                        let size = [0.01, 1.0, 30.0, 1e5][round % 4];
                        logit.coefficient.iter_mut().for_each(|c| *c = size * (dice.next() - 0.3));
                        logit.intercept = size * (dice.next() - 0.5);
                        logit.mean.iter_mut().for_each(|m| *m = dice.next() - 0.5);
                    };
                    random(&mut model.blend.discovery);
                    random(&mut model.blend.link);
                    random(&mut model.blend.discovery_probability);
                }
                for text in all {
                    let choice =
                        model.choice(&OfferOptions::from_json(&serde_json::from_str(text).unwrap()).unwrap());
                    for _ in 0..4 {
                        let history = history(n, &mut dice);
                        let segment = (dice.below(2) == 0).then_some("night");
                        for (k, day) in [(0, 7990), (1, 7990), (5, 7700), (20, 8020), (99, 7990)] {
                            let offers = model.rank(Some(&history), day, k, segment, &choice).unwrap();
                            let twin = model.rank_all(Some(&history), day, k, segment, &choice).unwrap();
                            assert_eq!(offers, twin, "{n} {by_ease} {round} {text} {k}");
                            short += 1;
                        }
                    }
                }
            }
        }
        assert_eq!(short, 6 * 12 * 8 * 4 * 5);
    }

    #[test]
    fn few_items_are_scored() {
        let mut dice = Dice(5);
        for (n, by_ease) in [(700, true), (6000, false)] {
            let model = model(n, by_ease, &mut dice);
            let choice = model.choice(&OfferOptions::from_json(&serde_json::json!({})).unwrap());
            for _ in 0..50 {
                let facts = model.facts(Some(&history(n, &mut dice))).unwrap();
                let customer = facts.customer(8000);
                if customer.owned.is_empty() {
                    continue;
                }
                let key = Line::of(&model.blend.link, &[]).unwrap();
                let listed = choice.bounds.shortlist(&model.tables, &customer, 5, key, (true, true)).unwrap();
                assert!((5..n / 10).contains(&listed.len()), "{n}: {}", listed.len());
            }
        }
    }
}
