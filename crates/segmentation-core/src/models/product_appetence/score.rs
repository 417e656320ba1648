//! The scores of a model's items for one customer, and the offers made of the best.

use super::features::{
    Customer, Facts, HALF_LIVES, Habits, Item, NO_AFFINITY, Owned, RECENT, REPEATS, discovery,
};
use super::model::AffinityModel;
use super::offer::{Choice, Offer, OfferOptions, RankBy, Scored, Source, repeat_reason};
use super::shortlist::Line;
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::facts::item_history;
use crate::math::special::logistic;

/// Who bought nothing yet: the popularity in the segment, if the model knows it.
#[derive(Clone, Copy)]
struct Cold<'a>(Option<&'a [f32]>);

/// The score of an item by its popularity alone.
fn cold_score(popularity: f32) -> f64 {
    f64::from(popularity).clamp(0.0, 1.0)
}

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
        let habits = customer.habits(self.window);
        customer.owned.iter().map(|owned| self.repeated(owned, &habits)).collect()
    }

    fn repeated(&self, owned: &Owned, habits: &Habits) -> Scored {
        self.repeated_by(owned, habits, &habits.repeat(owned, &self.tables.items[owned.item as usize]))
    }

    fn repeated_by(&self, owned: &Owned, habits: &Habits, features: &[f64; REPEATS]) -> Scored {
        let eta = self.blend.repeat.eta(features);
        let counted = self.blend.repeat.eta(&habits.counted(owned, features));
        let probability = logistic(self.blend.repeat_probability.eta(&[counted, habits.activity]));
        Scored { item: owned.item, score: logistic(eta), probability, source: Source::Repeat }
    }

    /// What who bought nothing yet is judged by.
    fn cold<'a>(&'a self, customer: &Customer, segment: Option<&str>) -> Option<Cold<'a>> {
        customer.owned.is_empty().then(|| Cold(segment.and_then(|s| self.segment(s))))
    }

    /// All items as if never bought.
    fn unseen(&self, customer: &Customer, segment: Option<&str>) -> Vec<Scored> {
        let affinity = self.tables.affinity(customer);
        let activity = customer.habits(self.window).activity;
        let cold = self.cold(customer, segment);
        (0..self.items.len()).map(|at| self.tried(at, affinity[at], cold, activity)).collect()
    }

    fn tried(&self, at: usize, affinity: f64, cold: Option<Cold>, activity: f64) -> Scored {
        let recent = self.tables.items[at].recent;
        if let Some(Cold(segment)) = cold {
            let score = cold_score(segment.map_or(recent, |popularity| popularity[at]));
            let probability = self.cold_probability(at, score);
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

    /// The probability for who bought nothing yet, from the share of customers who buy it within four weeks.
    fn cold_probability(&self, at: usize, popularity: f64) -> f64 {
        let Item { share, recent, .. } = self.tables.items[at];
        if self.next {
            // As far from the share of all baskets as the segment is from all customers.
            let ratio = if recent > 0.0 { popularity / f64::from(recent) } else { 1.0 };
            return (f64::from(share) * ratio).min(1.0);
        }
        1.0 - (1.0 - popularity).powf(f64::from(self.horizon) / f64::from(RECENT))
    }

    /// One item, as [`AffinityModel::scored`] has it, without the others.
    fn scored_one(&self, customer: &Customer, at: usize, segment: Option<&str>) -> Scored {
        let habits = customer.habits(self.window);
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
        options.resolve(self)
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
        let mut scored = self.contenders(&customer, k, segment, choice);
        best(&mut scored, k, choice);
        Ok(scored.iter().map(|s| self.offer(s, &customer, segment, choice)).collect())
    }

    /// [`AffinityModel::rank`] by scoring every item: what it is tested against.
    #[cfg(test)]
    pub(super) fn rank_all(
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

    /// Items with their scores, among them the `k` best that may be offered.
    fn contenders(
        &self,
        customer: &Customer,
        k: usize,
        segment: Option<&str>,
        choice: &Choice,
    ) -> Vec<Scored> {
        let cold = self.cold(customer, segment);
        let habits = customer.habits(self.window);
        let Some(listed) = self.shortlist(customer, k, cold, &habits, choice) else {
            return self.scored(customer, segment);
        };
        let unseen =
            listed.iter().map(|(at, affinity)| self.tried(*at as usize, *affinity, cold, habits.activity));
        unseen.chain(customer.owned.iter().map(|owned| self.repeated(owned, &habits))).collect()
    }

    /// Items never bought, with their affinities: at least those that can be among the `k` best; `None` where that
    /// cannot be told without scoring all.
    fn shortlist(
        &self,
        customer: &Customer,
        k: usize,
        cold: Option<Cold>,
        habits: &Habits,
        choice: &Choice,
    ) -> Option<Vec<(u32, f64)>> {
        let (by, popular) = (choice.options.rank_by, choice.wants(Source::Popular));
        if choice.options.min_probability > 0.0 {
            return None;
        }
        if let Some(Cold(segment)) = cold {
            let popularity = |at: u32| cold_score(self.tables.items[at as usize].recent);
            let simple = segment.is_none() && by == RankBy::Score && popular;
            return simple
                .then(|| choice.bounds.popular(k, popularity).iter().map(|at| (*at, 0.0)).collect());
        }
        let key = match by {
            RankBy::Score => Line::of(&self.blend.link, &[]),
            RankBy::Probability => Line::of(&self.blend.discovery_probability, &[habits.activity]),
            RankBy::Value => None,
        }?;
        choice.bounds.shortlist(&self.tables, customer, k, key, (choice.wants(Source::Discovery), popular))
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
        let habits = customer.habits(self.window);
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
