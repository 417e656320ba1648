//! What drives a customer's probability, against the average customer.
//!
//! Terms that say nearly the same, such as counts of nested windows, share what they say in ways that mean nothing one
//! by one: so they are told together.

use super::model::ChurnStack;
use super::score::{StackCustomer, StackScorer};
use super::terms::{EVENTS, LOGITS, TERMS};
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::language::Language;
use crate::facts::event_features::CONTACT_FEATURES;
use crate::facts::purchase_features::{NAMES, RECENCY};
use crate::math::special::logistic;
use crate::models::churn_model::{Contribution, number, sentence};

/// Terms that are told together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    PurchaseModel,
    Recency,
    Purchases,
    Spend,
    Returns,
    Contacts,
    Interactions,
}

const GROUPS: [Group; 7] = [
    Group::PurchaseModel,
    Group::Recency,
    Group::Purchases,
    Group::Spend,
    Group::Returns,
    Group::Contacts,
    Group::Interactions,
];

impl Group {
    fn code(self) -> &'static str {
        match self {
            Self::PurchaseModel => "purchase_model",
            Self::Recency => "recency",
            Self::Purchases => "purchases",
            Self::Spend => "spend",
            Self::Returns => "returns",
            Self::Contacts => "contacts",
            Self::Interactions => "interactions",
        }
    }

    fn of(term: usize) -> Self {
        match term {
            LOGITS.. => Self::PurchaseModel,
            term if term >= EVENTS + CONTACT_FEATURES => Self::Interactions,
            EVENTS.. => Self::Contacts,
            term => match NAMES[term] {
                "recency" | "overdue" | "once" | "late" | "since_median" | "since_longest"
                | "beyond_longest" | "as_long" => Self::Recency,
                "returns" => Self::Returns,
                name if name.starts_with("spend") || name == "basket" => Self::Spend,
                _ => Self::Purchases,
            },
        }
    }

    /// What its value is called.
    fn words(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::PurchaseModel, Language::English) => {
                "the risk by the rhythm of the purchases alone, in percent,"
            }
            (Self::PurchaseModel, Language::French) => {
                "le risque d'après le seul rythme des achats, en pour cent,"
            }
            (Self::Recency, Language::English) => "the number of days since the last purchase",
            (Self::Recency, Language::French) => "le nombre de jours depuis le dernier achat",
            (Self::Purchases, Language::English) => "the number of purchase days in 90 days",
            (Self::Purchases, Language::French) => "le nombre de jours d'achat en 90 jours",
            (Self::Spend, Language::English) => "the turnover of 90 days",
            (Self::Spend, Language::French) => "le chiffre d'affaires de 90 jours",
            (Self::Returns, Language::English) => "the share of days with refunds only in percent",
            (Self::Returns, Language::French) => "la part des jours de remboursement seul en pour cent",
            (Self::Contacts, Language::English) => "the number of contacts in 90 days",
            (Self::Contacts, Language::French) => "le nombre de contacts en 90 jours",
            (Self::Interactions, Language::English) => "the number of interactions in 90 days",
            (Self::Interactions, Language::French) => "le nombre d'interactions en 90 jours",
        }
    }

    /// Its value from the terms.
    fn value(self, terms: &[f64; TERMS], stack: &ChurnStack) -> f64 {
        let at = |name: &str| NAMES.iter().position(|n| *n == name).unwrap_or(RECENCY);
        match self {
            Self::PurchaseModel => {
                let term = stack.coefficients.iter().map(|c| c.term).find(|term| *term >= LOGITS);
                100.0 * logistic(term.map_or(0.0, |term| terms[term]))
            }
            Self::Recency => terms[RECENCY].exp_m1(),
            Self::Purchases => terms[at("purchases_90")].exp_m1(),
            Self::Spend => terms[at("spend_90")].exp_m1() * stack.frame.unit,
            Self::Returns => 100.0 * terms[at("returns")],
            Self::Contacts => terms[EVENTS + 1].exp_m1(),
            Self::Interactions => terms[EVENTS + CONTACT_FEATURES + 1].exp_m1(),
        }
    }
}

impl ChurnStack {
    /// What each group of terms contributes to the log-odds of no purchase against the average customer of the fit, the
    /// strongest first. Contributions and the average log-odds sum to those of this customer.
    ///
    /// # Errors
    /// An impossible history.
    pub fn explain(
        &self,
        scorer: &StackScorer,
        customer: &StackCustomer,
        day: Day,
        language: Language,
    ) -> Result<Vec<Contribution>> {
        let terms = scorer.terms(customer, day)?;
        let mut list = Vec::new();
        for group in GROUPS {
            let own = || self.coefficients.iter().filter(|c| Group::of(c.term) == group);
            if own().next().is_none() {
                continue;
            }
            let contribution = own().map(|c| c.estimate * (terms[c.term] - c.mean)).sum();
            let x = group.value(&terms, self);
            let rounded = if x.abs() >= 10.0 { x.round() } else { (x * 10.0).round() / 10.0 };
            let value = number(rounded, language);
            let words = sentence(group.words(language), Some(&value), None, contribution, language);
            list.push(Contribution {
                feature: group.code().to_owned(),
                value: Some(value),
                contribution,
                words,
            });
        }
        list.sort_by(|a: &Contribution, b| b.contribution.abs().total_cmp(&a.contribution.abs()));
        Ok(list)
    }
}
