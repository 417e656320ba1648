//! What is known of an item and of a customer, and the features of both that the scores are made of.

use crate::base::day::Day;

/// Days counted as recent.
pub(super) const RECENT: Day = 28;

/// One item.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Item {
    /// Customers who bought it.
    pub(super) customers: u32,
    /// Share of them who bought it on two days or more.
    pub(super) repeat: f32,
    /// How often its buyers take it: decayed share of their baskets, half-life 120 days.
    pub(super) own: f32,
    /// Decayed share of all baskets, half-life 60 days.
    pub(super) share: f32,
    /// Share of the customers who bought it in the last 28 days.
    pub(super) recent: f32,
    /// How much larger its baskets are than others of who buys them: mean difference of the logarithms.
    pub(super) large: f32,
    /// How much more it sells than it did: logarithm of the share of all baskets of the last 14 days to that of the
    /// last 90.
    pub(super) trend: f32,
    /// Gamma prior of the rate of repurchase a day: shape and rate.
    pub(super) gap_shape: f32,
    pub(super) gap_rate: f32,
    /// Mean amount of a purchase.
    pub(super) price: f32,
}

/// The purchase days of a stored history, in the items of a model.
pub(super) struct Facts {
    pub(super) pairs: Vec<(u32, Vec<Day>)>,
    pub(super) baskets: Vec<Day>,
}

impl Facts {
    pub(super) fn customer(&self, as_of: Day) -> Customer<'_> {
        Customer::new(self.pairs.iter().map(|(item, days)| (*item, days.as_slice())), &self.baskets, as_of)
    }
}

/// Features of an item that the customer bought before.
pub(super) const REPEAT: [&str; REPEATS] = [
    "frequency_14",
    "frequency_60",
    "frequency_120",
    "frequency_365",
    "share_14",
    "share_60",
    "share_365",
    "item_frequency",
    "item_share",
    "baskets",
    "basket_size",
    "activity",
    "recency",
    "purchases",
    "due",
    "due_squared",
    "large_baskets",
    "item_large_baskets",
    "item_trend",
    "baskets_since",
    "frequency_by_basket",
];
/// Places of those that count.
const BASKETS: usize = 9;
const PURCHASES: usize = 13;
/// How many there are.
pub(super) const REPEATS: usize = 21;
/// How many the first release of the model had: the first of them.
pub(super) const FIRST_REPEATS: usize = 16;
/// Features of an item that the customer never bought.
pub(super) const DISCOVERY: [&str; 3] = ["log_affinity", "affinity", "popularity"];

/// One item that a customer bought.
#[derive(Debug, Clone, Copy)]
pub struct Owned<'a> {
    pub(super) item: u32,
    pub(super) n: u32,
    pub(super) first: Day,
    pub(super) last: Day,
    days: &'a [Day],
    baskets: InBaskets,
}

/// An item in the customer's baskets, which time alone does not change.
#[derive(Debug, Clone, Copy)]
struct InBaskets {
    /// Baskets since the last that held it.
    since: usize,
    /// Those that held it, each basket since then making it weigh less.
    weight: f64,
    /// How much larger than others they are: mean difference of the logarithms of sizes.
    large: f64,
}

/// What a basket weighs to the one after it, where baskets are counted and not days.
const BY_BASKET: f64 = 0.9;

impl Owned<'_> {
    /// Purchase days, each weighing half as much with every half-life that has passed.
    pub(super) fn weight(&self, half_life: f64, as_of: Day) -> f64 {
        decayed(self.days, half_life, as_of)
    }

    /// How much larger than the customer's others the baskets with it are.
    pub(super) fn large(&self) -> f64 {
        self.baskets.large
    }

    /// Purchase days among the last so many days.
    pub(super) fn recent(&self, within: Day, as_of: Day) -> usize {
        recent(self.days, within, as_of)
    }
}

fn recent(days: &[Day], within: Day, as_of: Day) -> usize {
    days.len() - days.partition_point(|d| as_of - d >= within)
}

fn decayed(days: &[Day], half_life: f64, as_of: Day) -> f64 {
    days.iter().map(|d| (-f64::from(as_of - d) / half_life).exp2()).sum()
}

/// The place of a day among the days of baskets.
fn basket(baskets: &[Day], day: Day) -> usize {
    baskets.partition_point(|d| *d < day)
}

/// Logarithms of the number of items in each basket, and their mean.
struct LogSizes {
    of: Vec<f64>,
    mean: f64,
}

impl LogSizes {
    fn new<'a>(items: impl Iterator<Item = &'a [Day]>, baskets: &[Day]) -> Self {
        let mut sizes = vec![0_u32; baskets.len()];
        items.flatten().for_each(|day| sizes[basket(baskets, *day)] += 1);
        // A basket of nothing that the model knows held something all the same.
        let of: Vec<f64> = sizes.iter().map(|n| f64::from((*n).max(1)).ln()).collect();
        let mean = of.iter().sum::<f64>() / of.len().max(1) as f64;
        Self { of, mean }
    }
}

/// What a customer did up to a day, in the items of a model.
#[derive(Debug, Clone)]
pub struct Customer<'a> {
    pub(super) owned: Vec<Owned<'a>>,
    /// Days with a purchase of anything.
    pub(super) baskets: usize,
    days: &'a [Day],
    /// The baskets, weighing as those of an item do.
    by_basket: f64,
    pub(super) as_of: Day,
}

impl<'a> Customer<'a> {
    /// From each item's purchase days and the days of all baskets, all in order.
    pub(super) fn new(
        pairs: impl Iterator<Item = (u32, &'a [Day])> + Clone,
        baskets: &'a [Day],
        as_of: Day,
    ) -> Self {
        let known = |days: &'a [Day]| &days[..days.partition_point(|d| *d <= as_of)];
        let days = known(baskets);
        let sizes = LogSizes::new(pairs.clone().map(|(_, days)| known(days)), days);
        // What each basket weighs, the last 1, and what all up to it do.
        let mut weights = vec![1.0; days.len()];
        for at in (1..days.len()).rev() {
            weights[at - 1] = weights[at] * BY_BASKET;
        }
        let owned = pairs.map(|(item, days)| (item, known(days))).filter_map(|(item, own)| {
            let (first, last) = (*own.first()?, *own.last()?);
            let (mut weight, mut large, mut since) = (0.0, 0.0, 0);
            for day in own {
                let at = basket(days, *day);
                weight += weights[at];
                large += sizes.of[at];
                since = days.len() - 1 - at;
            }
            let large = large / own.len() as f64 - sizes.mean;
            Some(Owned {
                item,
                n: own.len() as u32,
                first,
                last,
                days: own,
                baskets: InBaskets { since, weight, large },
            })
        });
        Self { owned: owned.collect(), baskets: days.len(), days, by_basket: weights.iter().sum(), as_of }
    }

    /// Baskets, each weighing half as much with every half-life that has passed.
    pub(super) fn weight(&self, half_life: f64) -> f64 {
        decayed(self.days, half_life, self.as_of)
    }

    /// Baskets among the last so many days.
    pub(super) fn recent(&self, within: Day) -> usize {
        recent(self.days, within, self.as_of)
    }

    /// What the features of all items share; `window` is that of [`Habits::counted`].
    pub(super) fn habits(&self, window: Day) -> Habits<'a> {
        let entries: u32 = self.owned.iter().map(|o| o.n).sum();
        let baskets = self.baskets.max(1) as f64;
        Habits {
            as_of: self.as_of,
            window,
            days: self.days,
            weights: HALF_LIVES.map(|h| self.weight(h)),
            baskets: baskets.ln(),
            size: (f64::from(entries.max(1)) / baskets).ln(),
            month: self.weight(30.0),
            by_basket: self.by_basket,
            activity: (self.weight(30.0) + 0.2).ln(),
        }
    }
}

pub(super) const HALF_LIVES: [f64; 4] = [14.0, 60.0, 120.0, 365.0];

/// How often and how much a customer buys at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits<'a> {
    as_of: Day,
    /// Days over which purchases and baskets are counted.
    window: Day,
    days: &'a [Day],
    weights: [f64; 4],
    /// Logarithm of the number of baskets.
    baskets: f64,
    size: f64,
    month: f64,
    by_basket: f64,
    /// Logarithm of the decayed number of baskets, half-life 30 days.
    pub(super) activity: f64,
}

impl Habits<'_> {
    /// The same so many days later, if nothing is bought.
    pub(super) fn later(&self, days: Day) -> Self {
        let decay = |half_life: f64| (-f64::from(days) / half_life).exp2();
        let mut weights = self.weights;
        weights.iter_mut().zip(HALF_LIVES).for_each(|(w, h)| *w *= decay(h));
        let month = self.month * decay(30.0);
        Self { as_of: self.as_of + days, weights, month, activity: (month + 0.2).ln(), ..*self }
    }

    /// The features of an item bought before, in the order of [`REPEAT`].
    pub(super) fn repeat(&self, owned: &Owned, item: &Item) -> [f64; REPEATS] {
        self.repeat_of(owned, item, HALF_LIVES.map(|h| owned.weight(h, self.as_of)))
    }

    /// The features with baskets and purchases counted over the window alone: what a probability is made of, for
    /// the level of counts over a longer past is not that which was learnt. The order is by all that is known.
    pub(super) fn counted(&self, owned: &Owned, features: &[f64; REPEATS]) -> [f64; REPEATS] {
        let mut features = *features;
        features[BASKETS] = (recent(self.days, self.window, self.as_of).max(1) as f64).ln();
        features[PURCHASES] = (owned.recent(self.window, self.as_of) as f64 + 1.0).ln();
        features
    }

    /// The same from the item's decayed purchase days.
    pub(super) fn repeat_of(&self, owned: &Owned, item: &Item, x: [f64; 4]) -> [f64; REPEATS] {
        let (own, share) = (f64::from(item.own), f64::from(item.share));
        let frequency = |at: usize| ((x[at] + 0.2 * own) / (self.weights[at] + 0.2)).ln();
        let part = |at: usize| x[at] / (self.weights[at] + 0.5);
        let since = f64::from(self.as_of - owned.last + 1);
        let due = if owned.n > 1 {
            let gap = f64::from(owned.last - owned.first) / f64::from(owned.n - 1);
            (since / (gap + 3.0) + 0.05).ln()
        } else {
            0.0
        };
        [
            frequency(0),
            frequency(1),
            frequency(2),
            frequency(3),
            part(0),
            part(1),
            part(3),
            (own + 1e-4).ln(),
            (share + 1e-4).ln(),
            self.baskets,
            self.size,
            self.activity,
            since.ln(),
            f64::from(owned.n + 1).ln(),
            due,
            due * due,
            owned.baskets.large,
            f64::from(item.large),
            f64::from(item.trend),
            (owned.baskets.since as f64 + 1.0).ln(),
            ((owned.baskets.weight + 0.2 * own) / (self.by_basket + 0.2)).ln(),
        ]
    }
}

/// No limit to the days over which purchases and baskets are counted.
pub(super) const ALL_DAYS: Day = Day::MAX;

/// Below this an item has no affinity with what the customer bought.
pub(super) const NO_AFFINITY: f64 = 1e-3;

/// The features of an item never bought, in the order of [`DISCOVERY`].
pub(super) fn discovery(affinity: f64, popularity: f32) -> [f64; 3] {
    [affinity.max(NO_AFFINITY).ln(), affinity, (f64::from(popularity) + 1e-4).ln()]
}
