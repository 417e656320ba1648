//! The part of a title's holder in a decision to buy.

use super::function::area;
use super::seniority::{Seniority, rank};
use super::title::{has, words};
use super::words::ASSISTANTS;

/// The part that a person plays when the firm buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisionRole {
    /// Decides.
    Decider,
    /// Negotiates and orders.
    Buyer,
    /// Is listened to.
    Influencer,
    /// Uses what is bought.
    User,
    /// Lets through, or not.
    Gatekeeper,
}

impl DecisionRole {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            DecisionRole::Decider => "decider",
            DecisionRole::Buyer => "buyer",
            DecisionRole::Influencer => "influencer",
            DecisionRole::User => "user",
            DecisionRole::Gatekeeper => "gatekeeper",
        }
    }
}

/// The part that the holder of a title plays, if what is bought concerns `domain` (a code of
/// [`super::function`]; none: whatever the person's own function is). `None` if the title says neither rank nor function.
///
/// * gatekeeper: assistants, secretaries, reception;
/// * decider: owners, heads of the firm and partners of it; vice presidents and directors of the domain;
/// * buyer: purchasing;
/// * influencer: other directors; managers and experts of the domain;
/// * user: all others.
#[must_use]
pub fn decision_role(title: &str, domain: Option<&str>) -> Option<DecisionRole> {
    let words = words(title);
    let (rank, area) = (rank(&words), area(&words));
    if rank.is_none() && area.is_none() {
        return None;
    }
    let concerned = domain.is_none_or(|domain| area == Some(domain));
    let leads = matches!(rank, Some(Seniority::Owner | Seniority::Partner))
        || rank == Some(Seniority::Cxo)
            && (concerned || area.is_none() || area == Some("general_management"));
    Some(match rank {
        Some(Seniority::Training | Seniority::Unpaid) => DecisionRole::User,
        Some(Seniority::Entry) if area == Some("administration") || has(&words, ASSISTANTS) => {
            DecisionRole::Gatekeeper
        }
        _ if leads => DecisionRole::Decider,
        Some(Seniority::Vp | Seniority::Director) if concerned && area != Some("purchasing") => {
            DecisionRole::Decider
        }
        _ if area == Some("purchasing") => DecisionRole::Buyer,
        Some(Seniority::Cxo | Seniority::Vp | Seniority::Director) => DecisionRole::Influencer,
        Some(Seniority::Manager | Seniority::Senior) if concerned => DecisionRole::Influencer,
        _ => DecisionRole::User,
    })
}
