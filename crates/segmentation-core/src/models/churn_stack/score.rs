//! Scores of one customer under a fitted churn stack.

use super::model::ChurnStack;
use super::snapshot::{log_odds, summary_on};
use super::terms::{self, EVENTS, LOGITS, TERMS};
use crate::base::day::Day;
use crate::base::error::Result;
use crate::facts::event_features::KnownEvents;
use crate::facts::purchase_features::{Frame, Known};
use crate::facts::purchase_history::{History, PurchaseDays};
use crate::math::special::logistic;
use crate::models::purchase_model::Scorer;

/// Log-odds this near a limit are not told from it.
const NEAR: f64 = 1e-9;

/// Answers for one customer at a time, prepared from a stack.
#[derive(Debug, Clone)]
pub struct StackScorer {
    /// The horizon, in days.
    pub horizon: i32,
    pub(super) frame: Frame,
    intercept: f64,
    /// What features of the history add, by feature.
    features: Vec<(usize, f64)>,
    /// The same of the logs.
    events: Vec<(usize, f64)>,
    /// The same of purchase models.
    families: Vec<(usize, f64, Scorer)>,
}

/// A customer as a stack sees them on a day, who does nothing from then on.
#[derive(Debug, Clone)]
pub struct StackCustomer {
    days: PurchaseDays,
    /// Where features of the history count.
    known: Option<Known>,
    /// Where those of the logs do.
    events: Option<KnownEvents>,
}

impl StackScorer {
    /// Prepares a stack.
    ///
    /// # Errors
    /// Parameters of a purchase model are not those of its family.
    pub fn new(stack: &ChurnStack) -> Result<Self> {
        let within = |from: usize, to: usize| {
            let terms = stack.coefficients.iter().filter(move |c| (from..to).contains(&c.term));
            terms.map(move |c| (c.term - from, c.estimate)).collect::<Vec<_>>()
        };
        let mut families = Vec::new();
        for (at, weight) in within(LOGITS, TERMS) {
            let family = terms::family(LOGITS + at);
            for model in stack.models.iter().filter(|model| Some(model.family) == family) {
                families.push((LOGITS + at, weight, Scorer::new(model)?));
            }
        }
        Ok(Self {
            horizon: stack.horizon_days(),
            frame: stack.frame,
            intercept: stack.intercept,
            features: within(0, EVENTS),
            events: within(EVENTS, LOGITS),
            families,
        })
    }

    /// What is known of a customer on a day; `None` without a purchase by then.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range.
    pub fn customer(
        &self,
        history: &History,
        contacts: Option<&[u8]>,
        interactions: Option<&[u8]>,
        as_of: Day,
    ) -> Result<Option<StackCustomer>> {
        crate::base::day::check(as_of)?;
        // The header of a history is enough for purchase models.
        let (days, known) = match self.features.is_empty() {
            true => (history.purchase_days_until(as_of)?, None),
            false => {
                let known = Known::read(history, as_of, self.frame)?;
                (known.as_ref().map(Known::purchase_days), known)
            }
        };
        let Some(days) = days else { return Ok(None) };
        let events = match self.events.is_empty() {
            true => None,
            false => Some(KnownEvents::read(contacts, interactions, as_of)?),
        };
        Ok(Some(StackCustomer { days, known, events }))
    }

    /// All terms on a day; those that do not count may be 0.
    pub(super) fn terms(&self, customer: &StackCustomer, day: Day) -> Result<[f64; TERMS]> {
        let mut terms = [0.0; TERMS];
        if let Some(known) = &customer.known {
            terms[..EVENTS].copy_from_slice(&known.features(day));
        }
        if let Some(events) = &customer.events {
            terms[EVENTS..LOGITS].copy_from_slice(&events.features(day));
        }
        if !self.families.is_empty() {
            let summary = summary_on(customer.days, day)?;
            for (term, _, scorer) in &self.families {
                terms[*term] = log_odds(scorer, summary, f64::from(self.horizon));
            }
        }
        Ok(terms)
    }

    /// The log-odds of no purchase within the horizon of a day.
    fn log_odds_of(&self, terms: &[f64; TERMS]) -> f64 {
        let sum = self.features.iter().fold(self.intercept, |sum, (i, c)| sum + c * terms[*i]);
        let sum = self.events.iter().fold(sum, |sum, (i, c)| sum + c * terms[EVENTS + i]);
        self.families.iter().fold(sum, |sum, (term, c, _)| sum + c * terms[*term])
    }

    /// The probability of no purchase within the horizon of a day, if the customer does nothing until then.
    ///
    /// # Errors
    /// An impossible history.
    pub fn churn_probability(&self, customer: &StackCustomer, day: Day) -> Result<f64> {
        Ok(logistic(self.log_odds_of(&self.terms(customer, day)?)))
    }

    /// The days in (from, to] on which the features may turn.
    ///
    /// # Errors
    /// No memory.
    pub fn turns(&self, customer: &StackCustomer, from: Day, to: Day) -> Result<Vec<Day>> {
        customer.known.as_ref().map_or_else(|| Ok(Vec::new()), |known| known.turns(from, to))
    }

    /// Whether the probability stays strictly on the same side of every limit on all days from one to another, between
    /// which no turn lies; false where that cannot be told. The limits are probabilities.
    ///
    /// # Errors
    /// An impossible history.
    pub fn keeps_to_one_side(
        &self,
        customer: &StackCustomer,
        (from, to): (Day, Day),
        limits: &[f64],
    ) -> Result<bool> {
        let (terms, later) = (self.terms(customer, from)?, self.terms(customer, to)?);
        let Some((least, most)) = self.bounds(customer, (from, &terms), (to, &later))? else {
            return Ok(false);
        };
        Ok(limits.iter().all(|limit| {
            let at = limit.ln() - (-limit).ln_1p();
            at < least - NEAR || at > most + NEAR
        }))
    }

    /// The least and the greatest the log-odds may be from one day to another, both given with their terms; `None` if
    /// nothing is known between them. No day on which a refund leaves a window may lie in (from, to].
    ///
    /// Every term is monotone in silence, so it lies between its values at the two ends, and their weighted sum
    /// between the sums of the lesser and of the greater ones. Erlang gaps are the exception: their probability may
    /// fall before it rises ([`Scorer::churn_probability_falls`]).
    fn bounds(
        &self,
        customer: &StackCustomer,
        (from, terms): (Day, &[f64; TERMS]),
        (to, later): (Day, &[f64; TERMS]),
    ) -> Result<Option<(f64, f64)>> {
        if to > from + 1 && self.families.iter().any(|(_, _, scorer)| !scorer.is_monotone_in_silence()) {
            let (summary, horizon) = (summary_on(customer.days, from)?, f64::from(self.horizon));
            if self.families.iter().any(|(_, _, scorer)| scorer.churn_probability_falls(summary, horizon)) {
                return Ok(None);
            }
        }
        let (mut least, mut most) = (self.intercept, self.intercept);
        let mut add = |term: usize, c: f64| {
            let (a, b) = (c * terms[term], c * later[term]);
            (least, most) = (least + a.min(b), most + a.max(b));
        };
        self.features.iter().for_each(|(i, c)| add(*i, *c));
        self.events.iter().for_each(|(i, c)| add(EVENTS + i, *c));
        self.families.iter().for_each(|(term, c, _)| add(*term, *c));
        Ok(Some((least, most)))
    }
}
