//! Numbers with what they count, in English sentences.

use std::fmt::Display;

/// `1 customer`, `2 customers`. What is counted has a regular plural.
#[must_use]
pub fn counted(number: impl Display, what: &str) -> String {
    let number = number.to_string();
    if number == "1" {
        return format!("{number} {what}");
    }
    match what.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {what}s"),
    }
}

/// `a channel`, `an interaction`.
#[must_use]
pub fn with_article(what: &str) -> String {
    format!("{} {what}", if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::{counted, with_article};

    #[test]
    fn one_is_no_plural() {
        assert_eq!(counted(1, "customer"), "1 customer");
        assert_eq!(counted(0, "customer"), "0 customers");
        assert_eq!(counted(1.0, "purchase day"), "1 purchase day");
        assert_eq!(counted(21_u64, "purchase day"), "21 purchase days");
        assert_eq!(counted(3, "category"), "3 categories");
        assert_eq!(with_article("interaction_history"), "an interaction_history");
        assert_eq!(with_article("channel"), "a channel");
    }
}
