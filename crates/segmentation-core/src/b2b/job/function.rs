//! The function within the firm that a title says.

use super::seniority::{Seniority, rank};
use super::title::{find, has, words};
use super::words::{ASSISTANTS, BROAD_FUNCTIONS, FUNCTIONS, GENERAL_SECRETARY};

/// Function of a job title; `None` if it names none that is known.
#[must_use]
pub fn function(title: &str) -> Option<&'static str> {
    area(&words(title))
}

/// Every code of a function.
pub fn functions() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().chain(BROAD_FUNCTIONS).map(|(code, _)| *code)
}

/// Function by the words of a title.
pub(super) fn area(words: &[String]) -> Option<&'static str> {
    if has(words, GENERAL_SECRETARY) {
        return Some("general_management");
    }
    let earliest = FUNCTIONS
        .iter()
        .filter_map(|(code, phrases)| {
            find(words, phrases).map(|(at, length)| (at, std::cmp::Reverse(length), *code))
        })
        .min();
    if let Some((.., code)) = earliest {
        return Some(code);
    }
    // The person who assists the head does not manage; who owns the firm and is an engineer does.
    let broad =
        |wanted: &str| BROAD_FUNCTIONS.iter().any(|(code, phrases)| *code == wanted && has(words, phrases));
    let assists = has(words, ASSISTANTS) && rank(words) == Some(Seniority::Entry);
    let order = if assists {
        ["administration", "general_management", "engineering"]
    } else {
        ["general_management", "engineering", "administration"]
    };
    order.into_iter().find(|code| broad(code))
}
