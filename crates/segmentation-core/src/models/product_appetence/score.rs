//! Features of a customer and an item, and the offers that follow from them.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::model::AffinityModel;
use super::tables::{Item, RECENT};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::json::Object;
use crate::facts::item_history;
use crate::math::special::logistic;

/// Features of an item that the customer bought before.
pub(super) const REPEAT: [&str; 16] = [
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
];
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
}

impl Owned<'_> {
    /// Purchase days, each weighing half as much with every half-life that has passed.
    pub(super) fn weight(&self, half_life: f64, as_of: Day) -> f64 {
        decayed(self.days, half_life, as_of)
    }
}

fn decayed(days: &[Day], half_life: f64, as_of: Day) -> f64 {
    days.iter().map(|d| (-f64::from(as_of - d) / half_life).exp2()).sum()
}

/// What a customer did up to a day, in the items of a model.
#[derive(Debug, Clone)]
pub struct Customer<'a> {
    pub(super) owned: Vec<Owned<'a>>,
    /// Days with a purchase of anything.
    pub(super) baskets: usize,
    days: &'a [Day],
    as_of: Day,
}

impl<'a> Customer<'a> {
    /// From each item's purchase days and the days of all baskets, all in order.
    pub(super) fn new(pairs: impl Iterator<Item = (u32, &'a [Day])>, baskets: &'a [Day], as_of: Day) -> Self {
        let known = |days: &'a [Day]| &days[..days.partition_point(|d| *d <= as_of)];
        let owned = pairs.map(|(item, days)| (item, known(days))).filter_map(|(item, days)| {
            let (first, last) = (*days.first()?, *days.last()?);
            Some(Owned { item, n: days.len() as u32, first, last, days })
        });
        let days = known(baskets);
        Self { owned: owned.collect(), baskets: days.len(), days, as_of }
    }

    /// Baskets, each weighing half as much with every half-life that has passed.
    pub(super) fn weight(&self, half_life: f64) -> f64 {
        decayed(self.days, half_life, self.as_of)
    }

    /// What the features of all items share.
    pub(super) fn habits(&self) -> Habits {
        let entries: u32 = self.owned.iter().map(|o| o.n).sum();
        let baskets = self.baskets.max(1) as f64;
        Habits {
            as_of: self.as_of,
            weights: HALF_LIVES.map(|h| self.weight(h)),
            baskets: baskets.ln(),
            size: (f64::from(entries.max(1)) / baskets).ln(),
            month: self.weight(30.0),
            activity: (self.weight(30.0) + 0.2).ln(),
        }
    }
}

const HALF_LIVES: [f64; 4] = [14.0, 60.0, 120.0, 365.0];

/// How often and how much a customer buys at all.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    as_of: Day,
    weights: [f64; 4],
    baskets: f64,
    size: f64,
    month: f64,
    /// Logarithm of the decayed number of baskets, half-life 30 days.
    pub(super) activity: f64,
}

impl Habits {
    /// The same so many days later, if nothing is bought.
    fn later(&self, days: Day) -> Self {
        let decay = |half_life: f64| (-f64::from(days) / half_life).exp2();
        let mut weights = self.weights;
        weights.iter_mut().zip(HALF_LIVES).for_each(|(w, h)| *w *= decay(h));
        let month = self.month * decay(30.0);
        Self { as_of: self.as_of + days, weights, month, activity: (month + 0.2).ln(), ..*self }
    }

    /// The features of an item bought before, in the order of [`REPEAT`].
    pub(super) fn repeat(&self, owned: &Owned, item: &Item) -> [f64; 16] {
        self.repeat_of(owned, item, HALF_LIVES.map(|h| owned.weight(h, self.as_of)))
    }

    /// The same from the item's decayed purchase days.
    fn repeat_of(&self, owned: &Owned, item: &Item, x: [f64; 4]) -> [f64; 16] {
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
        ]
    }
}

/// Below this an item has no affinity with what the customer bought.
const NO_AFFINITY: f64 = 1e-3;

/// The features of an item never bought, in the order of [`DISCOVERY`].
pub(super) fn discovery(affinity: f64, popularity: f32) -> [f64; 3] {
    [affinity.max(NO_AFFINITY).ln(), affinity, (f64::from(popularity) + 1e-4).ln()]
}

/// Why an item is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The customer bought it before.
    Repeat,
    /// It goes with what the customer bought.
    Discovery,
    /// Many buy it.
    Popular,
}

impl Source {
    const ALL: [Source; 3] = [Source::Repeat, Source::Discovery, Source::Popular];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Source::Repeat => "repeat",
            Source::Discovery => "discovery",
            Source::Popular => "popular",
        }
    }
}

/// One item with its score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scored {
    pub(super) item: u32,
    /// Between 0 and 1, what the ranking is by: made for the next basket, small baskets weighing more.
    pub(super) score: f64,
    /// Probability to be bought within the horizon.
    pub(super) probability: f64,
    pub(super) source: Source,
}

/// An offer, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The item.
    pub item: String,
    /// Between 0 and 1, what the ranking is by: made for the next basket, small baskets weighing more.
    pub score: f64,
    /// Probability to be bought within the horizon.
    pub probability: f64,
    /// Where it comes from.
    pub source: Source,
    /// In English.
    pub reason: String,
    /// In French.
    pub reason_fr: String,
    /// The day on which it is due again.
    pub next_due: Option<Day>,
    /// Probability times margin.
    pub value: Option<f64>,
}

impl Offer {
    /// As JSON, with its rank.
    ///
    /// # Errors
    /// The due day is out of range.
    pub fn to_json(&self, rank: usize) -> Result<Value> {
        Ok(json!({
            "rank": rank,
            "item": self.item,
            "score": self.score,
            "probability": self.probability,
            "source": self.source.code(),
            "reason": self.reason,
            "reason_fr": self.reason_fr,
            "next_due": self.next_due.map(day::format).transpose()?,
            "value": self.value,
        }))
    }
}

/// What offers are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RankBy {
    Score,
    Probability,
    Value,
}

/// What may be offered, and in which order.
#[derive(Debug, Clone)]
pub struct OfferOptions {
    exclude: HashSet<String>,
    only: Option<HashSet<String>>,
    owned_for_good: HashSet<String>,
    categories: HashMap<String, String>,
    exclude_categories: HashSet<String>,
    margins: HashMap<String, f64>,
    margin_floor: Option<f64>,
    min_probability: f64,
    sources: [bool; 3],
    rank_by: RankBy,
}

fn texts(object: &Object, key: &str) -> Result<Option<HashSet<String>>> {
    let Some(list) = object.list(key)? else { return Ok(None) };
    let texts: Option<HashSet<String>> = list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
    texts.map(Some).ok_or_else(|| object.wrong(key, "a list of texts"))
}

fn map<T>(
    object: &Object,
    key: &str,
    expected: &str,
    of: impl Fn(&Value) -> Option<T>,
) -> Result<HashMap<String, T>> {
    let Some(value) = object.get(key) else { return Ok(HashMap::new()) };
    let pairs = value.as_object().map(|map| map.iter().map(|(k, v)| Some((k.clone(), of(v)?))).collect());
    pairs.flatten().ok_or_else(|| object.wrong(key, expected))
}

impl OfferOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// Names the field that is unknown or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        const FIELDS: [&str; 10] = [
            "exclude",
            "only",
            "owned_for_good",
            "categories",
            "exclude_categories",
            "margins",
            "margin_floor",
            "min_probability",
            "sources",
            "rank_by",
        ];
        let object = Object::new("options", "", value, &FIELDS)?;
        let rank_by = match object.text("rank_by")? {
            None | Some("score") => RankBy::Score,
            Some("probability") => RankBy::Probability,
            Some("value") => RankBy::Value,
            Some(_) => return Err(object.wrong("rank_by", "one of score, probability, value")),
        };
        let sources = texts(&object, "sources")?;
        if let Some(sources) = &sources
            && sources.iter().any(|s| !Source::ALL.iter().any(|source| source.code() == s))
        {
            return Err(object.wrong("sources", "a list of repeat, discovery, popular"));
        }
        let wanted = |s: Source| sources.as_ref().is_none_or(|set| set.contains(s.code()));
        let options = Self {
            exclude: texts(&object, "exclude")?.unwrap_or_default(),
            only: texts(&object, "only")?,
            owned_for_good: texts(&object, "owned_for_good")?.unwrap_or_default(),
            categories: map(&object, "categories", "an object of texts by item", |v| {
                v.as_str().map(str::to_owned)
            })?,
            exclude_categories: texts(&object, "exclude_categories")?.unwrap_or_default(),
            margins: map(&object, "margins", "an object of numbers by item", Value::as_f64)?,
            margin_floor: object.number("margin_floor", -1e15, 1e15)?,
            min_probability: object.number("min_probability", 0.0, 1.0)?.unwrap_or(0.0),
            sources: Source::ALL.map(wanted),
            rank_by,
        };
        if rank_by == RankBy::Value && options.margins.is_empty() {
            return Err(object.wrong("margins", "given when \"rank_by\" is \"value\""));
        }
        Ok(options)
    }

    /// The options applied to the items of a model.
    pub(super) fn resolve(&self, items: &[String]) -> Choice {
        let place = |item: &String| items.binary_search(item).ok();
        let mut allowed = vec![self.only.is_none(); items.len()];
        self.only.iter().flatten().filter_map(place).for_each(|at| allowed[at] = true);
        self.exclude.iter().filter_map(place).for_each(|at| allowed[at] = false);
        let unwanted = self.categories.iter().filter(|(_, c)| self.exclude_categories.contains(*c));
        unwanted.filter_map(|(item, _)| place(item)).for_each(|at| allowed[at] = false);
        let mut margins = vec![None; items.len()];
        self.margins
            .iter()
            .filter_map(|(i, m)| Some((place(i)?, m)))
            .for_each(|(at, m)| margins[at] = Some(*m));
        if let Some(floor) = self.margin_floor {
            // An item without a known margin cannot be shown to reach the floor.
            allowed.iter_mut().zip(&margins).for_each(|(a, m)| *a &= m.is_some_and(|m| m >= floor));
        }
        let mut for_good = vec![false; items.len()];
        self.owned_for_good.iter().filter_map(place).for_each(|at| for_good[at] = true);
        Choice { allowed, for_good, margins, options: self.clone() }
    }
}

/// Options with items by place.
#[derive(Debug, Clone)]
pub struct Choice {
    allowed: Vec<bool>,
    for_good: Vec<bool>,
    margins: Vec<Option<f64>>,
    options: OfferOptions,
}

impl Choice {
    fn takes(&self, scored: &Scored) -> bool {
        let at = scored.item as usize;
        self.allowed[at]
            && !(self.for_good[at] && scored.source == Source::Repeat)
            && self.options.sources[scored.source as usize]
            && scored.probability >= self.options.min_probability
            && (self.options.rank_by != RankBy::Value || self.margins[at].is_some())
    }

    fn value(&self, scored: &Scored) -> Option<f64> {
        Some(scored.probability * self.margins[scored.item as usize]?)
    }

    fn key(&self, scored: &Scored) -> f64 {
        match self.options.rank_by {
            RankBy::Score => scored.score,
            RankBy::Probability => scored.probability,
            RankBy::Value => self.value(scored).unwrap_or(f64::NEG_INFINITY),
        }
    }
}

/// The purchase days of a stored history, in the items of a model.
pub(super) struct Facts {
    pairs: Vec<(u32, Vec<Day>)>,
    baskets: Vec<Day>,
}

impl Facts {
    pub(super) fn customer(&self, as_of: Day) -> Customer<'_> {
        Customer::new(self.pairs.iter().map(|(item, days)| (*item, days.as_slice())), &self.baskets, as_of)
    }
}

fn ago(days: Day) -> (String, String) {
    match days {
        0 => ("today".to_owned(), "aujourd'hui".to_owned()),
        1 => ("1 day ago".to_owned(), "il y a 1 jour".to_owned()),
        n => (format!("{n} days ago"), format!("il y a {n} jours")),
    }
}

/// "bought every 14 days, last 12 days ago".
fn repeat_reason(owned: &Owned, as_of: Day) -> (String, String) {
    let (en, fr) = ago(as_of - owned.last);
    if owned.n < 2 {
        return (format!("bought once, {en}"), format!("acheté une fois, {fr}"));
    }
    match (f64::from(owned.last - owned.first) / f64::from(owned.n - 1)).round() as Day {
        0 | 1 => {
            (format!("bought every day, last {en}"), format!("acheté chaque jour, la dernière fois {fr}"))
        }
        n => (
            format!("bought every {n} days, last {en}"),
            format!("acheté tous les {n} jours, la dernière fois {fr}"),
        ),
    }
}

/// Who bought nothing yet: the popularity in the segment, if the model knows it.
#[derive(Clone, Copy)]
struct Cold<'a>(Option<&'a [f32]>);

impl AffinityModel {
    /// Reads a history; items that the model does not know count for the baskets only.
    pub(super) fn facts(&self, history: Option<&[u8]>) -> Result<Facts> {
        let lines = history.map(item_history::unpack).transpose()?.unwrap_or_default();
        let mut facts = Facts { pairs: Vec::new(), baskets: Vec::new() };
        for entries in lines.chunk_by(|a, b| a.item == b.item) {
            let days: Vec<Day> = entries.iter().filter(|l| l.purchases > 0).map(|l| l.day).collect();
            facts.baskets.extend(&days);
            if let Some(item) = self.place(entries[0].item)
                && !days.is_empty()
            {
                facts.pairs.push((item as u32, days));
            }
        }
        facts.baskets.sort_unstable();
        facts.baskets.dedup();
        Ok(facts)
    }

    /// All items with their scores, in order of item.
    pub(super) fn scored(&self, customer: &Customer, segment: Option<&str>) -> Vec<Scored> {
        let mut out = self.unseen(customer, segment);
        for scored in self.repeats(customer) {
            out[scored.item as usize] = scored;
        }
        out
    }

    /// The items bought before.
    fn repeats(&self, customer: &Customer) -> Vec<Scored> {
        let habits = customer.habits();
        customer.owned.iter().map(|owned| self.repeated(owned, &habits)).collect()
    }

    fn repeated(&self, owned: &Owned, habits: &Habits) -> Scored {
        self.repeated_by(owned, habits, &habits.repeat(owned, &self.tables.items[owned.item as usize]))
    }

    fn repeated_by(&self, owned: &Owned, habits: &Habits, features: &[f64]) -> Scored {
        let eta = self.blend.repeat.eta(features);
        let probability = logistic(self.blend.repeat_probability.eta(&[eta, habits.activity]));
        Scored { item: owned.item, score: logistic(eta), probability, source: Source::Repeat }
    }

    /// What who bought nothing yet is judged by.
    fn cold<'a>(&'a self, customer: &Customer, segment: Option<&str>) -> Option<Cold<'a>> {
        customer.owned.is_empty().then(|| Cold(segment.and_then(|s| self.segment(s))))
    }

    /// All items as if never bought.
    fn unseen(&self, customer: &Customer, segment: Option<&str>) -> Vec<Scored> {
        let affinity = self.tables.affinity(customer);
        let activity = customer.habits().activity;
        let cold = self.cold(customer, segment);
        (0..self.items.len()).map(|at| self.tried(at, affinity[at], cold, activity)).collect()
    }

    fn tried(&self, at: usize, affinity: f64, cold: Option<Cold>, activity: f64) -> Scored {
        let recent = self.tables.items[at].recent;
        if let Some(Cold(segment)) = cold {
            let score = f64::from(segment.map_or(recent, |popularity| popularity[at])).clamp(0.0, 1.0);
            let probability = 1.0 - (1.0 - score).powf(f64::from(self.horizon) / f64::from(RECENT));
            return Scored { item: at as u32, score, probability, source: Source::Popular };
        }
        let eta = self.blend.discovery.eta(&discovery(affinity, recent));
        Scored {
            item: at as u32,
            score: logistic(self.blend.link.eta(&[eta])),
            probability: logistic(self.blend.discovery_probability.eta(&[eta, activity])),
            source: if affinity > NO_AFFINITY { Source::Discovery } else { Source::Popular },
        }
    }

    /// One item, as [`AffinityModel::scored`] has it, without the others.
    fn scored_one(&self, customer: &Customer, at: usize, segment: Option<&str>) -> Scored {
        let habits = customer.habits();
        match customer.owned.iter().find(|o| o.item as usize == at) {
            Some(owned) => self.repeated(owned, &habits),
            None => {
                let affinity = self.tables.affinity_to(customer, at as u32);
                self.tried(at, affinity, self.cold(customer, segment), habits.activity)
            }
        }
    }

    /// The options applied to this model's items.
    #[must_use]
    pub fn choice(&self, options: &OfferOptions) -> Choice {
        options.resolve(&self.items)
    }

    /// The `k` best offers for a customer as of a day; no history is a customer nobody knows.
    ///
    /// # Errors
    /// The history cannot be read, the day is out of range.
    pub fn rank(
        &self,
        history: Option<&[u8]>,
        as_of: Day,
        k: usize,
        segment: Option<&str>,
        choice: &Choice,
    ) -> Result<Vec<Offer>> {
        let facts = self.facts(history)?;
        let customer = facts.customer(day::check(as_of)?);
        let mut scored = self.scored(&customer, segment);
        best(&mut scored, k, choice);
        Ok(scored.iter().map(|s| self.offer(s, &customer, segment, choice)).collect())
    }

    /// The offer of one item, as [`AffinityModel::rank`] has it; `None` if the model does not know the item.
    ///
    /// # Errors
    /// As for [`AffinityModel::rank`].
    pub fn score(
        &self,
        history: Option<&[u8]>,
        as_of: Day,
        item: &str,
        segment: Option<&str>,
        choice: &Choice,
    ) -> Result<Option<Offer>> {
        let facts = self.facts(history)?;
        let customer = facts.customer(day::check(as_of)?);
        let Some(at) = self.place(item) else { return Ok(None) };
        let scored = self.scored_one(&customer, at, segment);
        Ok(choice.takes(&scored).then(|| self.offer(&scored, &customer, segment, choice)))
    }

    /// The probability that one item is bought within the horizon; `None` if the model does not know it.
    ///
    /// # Errors
    /// As for [`AffinityModel::rank`].
    pub fn probability(&self, history: Option<&[u8]>, as_of: Day, item: &str) -> Result<Option<f64>> {
        let facts = self.facts(history)?;
        let customer = facts.customer(day::check(as_of)?);
        let at = self.place(item);
        Ok(at.map(|at| self.scored_one(&customer, at, None).probability))
    }

    fn offer(&self, scored: &Scored, customer: &Customer, segment: Option<&str>, choice: &Choice) -> Offer {
        let owned = customer.owned.iter().find(|o| o.item == scored.item);
        let (reason, reason_fr) = match (scored.source, owned) {
            (Source::Repeat, Some(owned)) => repeat_reason(owned, customer.as_of),
            (Source::Discovery, _) => self.discovery_reason(scored.item, customer),
            _ => match segment.filter(|s| customer.owned.is_empty() && self.segment(s).is_some()) {
                Some(s) => (format!("popular in segment {s}"), format!("populaire dans le segment {s}")),
                None => ("popular with everybody".to_owned(), "populaire chez tous".to_owned()),
            },
        };
        Offer {
            item: self.items[scored.item as usize].clone(),
            score: scored.score,
            probability: scored.probability,
            source: scored.source,
            reason,
            reason_fr,
            next_due: owned.and_then(|o| self.next_due(o)),
            value: choice.value(scored),
        }
    }

    /// The two items bought that speak most for another.
    fn discovery_reason(&self, item: u32, customer: &Customer) -> (String, String) {
        let t = &self.tables;
        let weights = if t.by_ease { &t.ease } else { &t.cosine };
        let weight = |from: u32| {
            let row = weights.row(from as usize);
            row.binary_search_by_key(&item, |e| e.0).map_or(0.0, |at| row[at].1)
        };
        let mut speak: Vec<(f32, u32)> = customer.owned.iter().map(|o| (weight(o.item), o.item)).collect();
        speak.retain(|(w, _)| *w > 0.0);
        speak.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let names: Vec<&str> = speak.iter().take(2).map(|(_, i)| self.items[*i as usize].as_str()).collect();
        (format!("goes with {}", names.join(", ")), format!("va avec {}", names.join(", ")))
    }

    /// The day on which an item is due: the last purchase and the expected gap.
    fn next_due(&self, owned: &Owned) -> Option<Day> {
        let item = &self.tables.items[owned.item as usize];
        let gaps = f64::from(owned.n - 1) + f64::from(item.gap_shape);
        let days = f64::from(owned.last - owned.first) + f64::from(item.gap_rate);
        let gap = (days / gaps).round().clamp(1.0, 36_500.0) as Day;
        owned.last.checked_add(gap).filter(|d| day::check(*d).is_ok())
    }

    /// The first day after `as_of` on which the `k` best offers are others or in another order, if the
    /// customer buys nothing; `None` for who never bought anything.
    ///
    /// Looks a month ahead day by day; if nothing changes in it, its end is the day to look again.
    ///
    /// # Errors
    /// As for [`AffinityModel::rank`].
    pub fn next_change(
        &self,
        history: Option<&[u8]>,
        as_of: Day,
        k: usize,
        segment: Option<&str>,
        choice: &Choice,
        checkpoint: crate::Checkpoint,
    ) -> Result<Option<Day>> {
        const AHEAD: Day = 31;
        let facts = self.facts(history)?;
        let customer = facts.customer(day::check(as_of)?);
        if customer.baskets == 0 {
            return Ok(None);
        }
        let habits = customer.habits();
        let decayed: Vec<[f64; 4]> =
            customer.owned.iter().map(|o| HALF_LIVES.map(|h| o.weight(h, as_of))).collect();
        // What was never bought changes with the customer's activity only.
        let affinity = self.tables.affinity(&customer);
        let cold = self.cold(&customer, segment);
        let mut owns = vec![false; self.items.len()];
        customer.owned.iter().for_each(|o| owns[o.item as usize] = true);
        let list = |days: Day| -> Vec<u32> {
            let later = habits.later(days);
            let unseen = (0..self.items.len()).filter(|at| !owns[*at]);
            let mut scored: Vec<Scored> =
                unseen.map(|at| self.tried(at, affinity[at], cold, later.activity)).collect();
            for (owned, x) in customer.owned.iter().zip(&decayed) {
                let mut x = *x;
                x.iter_mut().zip(HALF_LIVES).for_each(|(x, h)| *x *= (-f64::from(days) / h).exp2());
                let features = later.repeat_of(owned, &self.tables.items[owned.item as usize], x);
                scored.push(self.repeated_by(owned, &later, &features));
            }
            best(&mut scored, k, choice);
            scored.iter().map(|s| s.item).collect()
        };
        let now = list(0);
        for days in 1..AHEAD {
            if day::check(as_of + days).is_err() {
                return Ok(None);
            }
            if list(days) != now {
                return Ok(Some(as_of + days));
            }
            checkpoint();
        }
        Ok(Some(as_of + AHEAD).filter(|d| day::check(*d).is_ok()))
    }
}

/// The `k` best of what may be offered, best first; ties go to the smaller item.
fn best(scored: &mut Vec<Scored>, k: usize, choice: &Choice) {
    scored.retain(|s| choice.takes(s));
    let order = |a: &Scored, b: &Scored| choice.key(b).total_cmp(&choice.key(a)).then(a.item.cmp(&b.item));
    if k < scored.len() {
        if k > 0 {
            scored.select_nth_unstable_by(k - 1, order);
        }
        scored.truncate(k);
    }
    scored.sort_unstable_by(order);
}
