//! The rank that a title says.

use super::title::{find, has, words};
use super::words::{
    ASSISTANTS, CXO, DEPUTY_OF, DIRECTOR, ENTRY, GENERAL_SECRETARY, HIGHER, MANAGER, NO_OWNER, NO_PARTNER,
    NOT_HEAD, OF, OWNER, PARTNER, SENIOR, SHOP, TRAINING, UNPAID, VP,
};

/// Ranks, with the codes of People Data Labs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seniority {
    /// Owns or founded the firm, or runs it as *gérant*.
    Owner,
    /// Heads the firm, or a whole function of it: CEO, CFO, *PDG*, *directeur général*.
    Cxo,
    /// Partner of a firm.
    Partner,
    /// Vice president.
    Vp,
    /// Director, head of.
    Director,
    /// Manager, *responsable*, *chef de*, team leader.
    Manager,
    /// Senior, expert, principal.
    Senior,
    /// Entry level: assistant, junior, agent.
    Entry,
    /// Trainee, apprentice.
    Training,
    /// Volunteer.
    Unpaid,
}

impl Seniority {
    /// All, the highest first.
    pub const ALL: [Seniority; 10] = [
        Seniority::Owner,
        Seniority::Cxo,
        Seniority::Partner,
        Seniority::Vp,
        Seniority::Director,
        Seniority::Manager,
        Seniority::Senior,
        Seniority::Entry,
        Seniority::Training,
        Seniority::Unpaid,
    ];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Seniority::Owner => "owner",
            Seniority::Cxo => "cxo",
            Seniority::Partner => "partner",
            Seniority::Vp => "vp",
            Seniority::Director => "director",
            Seniority::Manager => "manager",
            Seniority::Senior => "senior",
            Seniority::Entry => "entry",
            Seniority::Training => "training",
            Seniority::Unpaid => "unpaid",
        }
    }
}

/// Rank of a job title; `None` if it says nothing of one.
#[must_use]
pub fn seniority(title: &str) -> Option<Seniority> {
    rank(&words(title))
}

/// Rank by the words of a title.
pub(super) fn rank(words: &[String]) -> Option<Seniority> {
    if has(words, TRAINING) {
        return Some(Seniority::Training);
    }
    if has(words, UNPAID) {
        return Some(Seniority::Unpaid);
    }
    if has(words, GENERAL_SECRETARY) {
        return Some(Seniority::Cxo);
    }
    if let Some((at, length)) = find(words, ASSISTANTS) {
        let of_somebody = words.get(at + length).is_some_and(|word| OF.contains(&word.as_str()));
        let company_secretary = has(words, &["company secretary"]);
        if !company_secretary && (of_somebody || !has(&words[at..], HIGHER)) {
            return Some(Seniority::Entry);
        }
    }
    if has(words, DEPUTY_OF) {
        return Some(Seniority::Manager);
    }
    if has(words, SHOP) {
        return Some(Seniority::Manager);
    }
    if has(words, OWNER) && !has(words, NO_OWNER) {
        return Some(Seniority::Owner);
    }
    if has(words, VP) {
        return Some(Seniority::Vp);
    }
    if has(words, PARTNER) && !has(words, NO_PARTNER) {
        return Some(Seniority::Partner);
    }
    let chief = words.iter().any(|w| w == "chief") && words.iter().any(|w| w == "officer");
    if chief || has(words, CXO) {
        return Some(Seniority::Cxo);
    }
    if has(words, DIRECTOR) && !has(words, NOT_HEAD) && !has(words, &["deputy head"]) {
        return Some(Seniority::Director);
    }
    for (phrases, rank) in
        [(MANAGER, Seniority::Manager), (SENIOR, Seniority::Senior), (ENTRY, Seniority::Entry)]
    {
        if has(words, phrases) {
            return Some(rank);
        }
    }
    None
}
