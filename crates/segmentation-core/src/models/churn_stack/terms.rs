//! What a stack adds up: features of the history, features of the logs, log-odds of the purchase models.

use crate::facts::event_features::{CONTACT_FEATURES, EVENT_FEATURES, EVENT_NAMES};
use crate::facts::purchase_features::{FEATURES, Frame, NAMES};
use crate::models::purchase_model::Family;

/// Families of purchase models.
const FAMILIES: usize = Family::ALL.len();
/// How many terms there are.
pub(super) const TERMS: usize = FEATURES + EVENT_FEATURES + FAMILIES;
/// Where the features of the logs begin.
pub(super) const EVENTS: usize = FEATURES;
/// Where the families begin, in the order of [`Family::ALL`].
pub(super) const LOGITS: usize = FEATURES + EVENT_FEATURES;
const LOGIT_NAMES: [&str; FAMILIES] =
    ["logit_nbd", "logit_bg_nbd", "logit_mbg_nbd", "logit_pareto_nbd", "logit_bg_cnbd_k", "logit_mbg_cnbd_k"];

/// The name of a term.
pub(super) fn name(term: usize) -> &'static str {
    let names = NAMES.iter().chain(&EVENT_NAMES).chain(&LOGIT_NAMES);
    names.copied().nth(term).unwrap_or_default()
}

/// The term of a name.
pub(super) fn parse(text: &str) -> Option<usize> {
    (0..TERMS).find(|term| name(*term) == text)
}

/// The term of a family's log-odds.
pub(super) fn of_family(family: Family) -> usize {
    LOGITS + Family::ALL.iter().position(|f| *f == family).unwrap_or(0)
}

/// The family whose log-odds a term is.
pub(super) fn family(term: usize) -> Option<Family> {
    Family::ALL.get(term.checked_sub(LOGITS)?).copied()
}

/// The features that can be told.
pub(super) fn told(frame: Frame, with_events: bool) -> Vec<usize> {
    let logs = if with_events { EVENTS..EVENTS + CONTACT_FEATURES + 3 } else { EVENTS..EVENTS };
    (0..FEATURES).filter(|feature| frame.has(*feature)).chain(logs).collect()
}

/// Weighted terms, in log-odds of no purchase.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Linear {
    pub intercept: f64,
    pub coefficients: [f64; TERMS],
}

impl Linear {
    /// The same for everyone.
    pub(super) fn constant(intercept: f64) -> Self {
        Self { intercept, coefficients: [0.0; TERMS] }
    }

    /// One term as it is.
    pub(super) fn term(term: usize) -> Self {
        let mut linear = Self::constant(0.0);
        linear.coefficients[term] = 1.0;
        linear
    }

    /// The mean of two.
    pub(super) fn mean(&self, other: &Self) -> Self {
        let half = |a: f64, b: f64| 0.5 * a + 0.5 * b;
        Self {
            intercept: half(self.intercept, other.intercept),
            coefficients: std::array::from_fn(|i| half(self.coefficients[i], other.coefficients[i])),
        }
    }

    /// The log-odds of a row of all terms.
    #[inline]
    pub(super) fn log_odds(&self, row: &[f64]) -> f64 {
        self.coefficients.iter().zip(row).fold(self.intercept, |sum, (c, x)| sum + c * x)
    }

    /// Whether every number is finite.
    pub(super) fn is_finite(&self) -> bool {
        self.intercept.is_finite() && self.coefficients.iter().all(|c| c.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for term in 0..TERMS {
            assert_eq!(parse(name(term)), Some(term));
        }
        for one in Family::ALL {
            assert_eq!(name(of_family(one)), format!("logit_{}", one.name()));
            assert_eq!(family(of_family(one)), Some(one));
        }
        assert_eq!((family(0), parse("")), (None, None));
        assert_eq!(told(Frame { reach: 100, unit: 1.0 }, true).len(), 8 + 13 + 8);
        assert_eq!(told(Frame { reach: 1, unit: 1.0 }, false).len(), 13);
    }
}
