//! What may be offered, in which order, and what an offer says.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::features::Owned;
use super::model::AffinityModel;
use super::shortlist::Bounds;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::json::Object;

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
    /// Between 0 and 1, what the ranking is by: of coming true, small baskets weighing more.
    pub(super) score: f64,
    /// Probability to be bought within the horizon, or to be in the next basket.
    pub(super) probability: f64,
    pub(super) source: Source,
}

/// An offer, explained.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The item.
    pub item: String,
    /// Between 0 and 1, what the ranking is by: of coming true, small baskets weighing more.
    pub score: f64,
    /// Probability to be bought within the horizon, or to be in the next basket.
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

/// What offers are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RankBy {
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
    pub(super) min_probability: f64,
    sources: [bool; 3],
    pub(super) rank_by: RankBy,
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
    pub(super) fn resolve(&self, model: &AffinityModel) -> Choice {
        let items = &model.items;
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
        Choice { bounds: Bounds::new(model, &allowed), allowed, for_good, margins, options: self.clone() }
    }
}

/// Options with items by place.
#[derive(Debug, Clone)]
pub struct Choice {
    allowed: Vec<bool>,
    for_good: Vec<bool>,
    margins: Vec<Option<f64>>,
    pub(super) options: OfferOptions,
    pub(super) bounds: Bounds,
}

impl Choice {
    /// Whether offers of a source are wanted.
    pub(super) fn wants(&self, source: Source) -> bool {
        self.options.sources[source as usize]
    }

    pub(super) fn takes(&self, scored: &Scored) -> bool {
        let at = scored.item as usize;
        self.allowed[at]
            && !(self.for_good[at] && scored.source == Source::Repeat)
            && self.wants(scored.source)
            && scored.probability >= self.options.min_probability
            && (self.options.rank_by != RankBy::Value || self.margins[at].is_some())
    }

    pub(super) fn value(&self, scored: &Scored) -> Option<f64> {
        Some(scored.probability * self.margins[scored.item as usize]?)
    }

    pub(super) fn key(&self, scored: &Scored) -> f64 {
        match self.options.rank_by {
            RankBy::Score => scored.score,
            RankBy::Probability => scored.probability,
            RankBy::Value => self.value(scored).unwrap_or(f64::NEG_INFINITY),
        }
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
pub(super) fn repeat_reason(owned: &Owned, as_of: Day) -> (String, String) {
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
