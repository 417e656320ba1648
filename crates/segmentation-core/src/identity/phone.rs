//! Phone numbers in the one form that the world has for them, E.164.
//!
//! The plans of all countries are those of the crate `phonenumber`, which has the metadata of Google's libphonenumber.

use phonenumber::country::Id;
use phonenumber::{Mode, PhoneNumber};

use super::is_invisible;
use crate::base::error::{Error, Result};

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 64;

/// French overseas departments: each has a country of its own in the plan, and people there write `0690 ...` as in France.
const OVERSEAS: &[Id] = &[Id::GP, Id::MQ, Id::GF, Id::RE, Id::YT];

/// A country by its two letters.
///
/// # Errors
/// There is none.
pub fn region(code: &str) -> Result<Id> {
    let upper = code.trim().to_ascii_uppercase();
    upper.parse().map_err(|_| {
        let shown: String = code.chars().take(40).collect();
        Error::invalid("unknown region of a phone number")
            .detail(format!("The region is \"{shown}\"."))
            .hint("Give the two letters of a country (ISO 3166), for instance 'FR'.")
    })
}

/// Whether a region is France, whose postcodes have five digits.
#[must_use]
pub fn is_france(region: Id) -> bool {
    region == Id::FR
}

fn valid(region: Id, text: &str) -> Option<PhoneNumber> {
    phonenumber::parse(Some(region), text).ok().filter(PhoneNumber::is_valid)
}

/// A number in E.164 (`+33612345678`), with country codes as written or that of the region. `None` if it is no number
/// of the plan: too short, too long, of no range that is in use, two numbers in one field.
#[must_use]
pub fn normalize(text: &str, region: Id) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    // `+33 (0)6`: the zero in brackets is for callers from within.
    let text: String = text.chars().filter(|c| !is_invisible(*c)).collect::<String>().replace("(0)", "");
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| {
        c.is_ascii_digit()
            || c.is_whitespace()
            || matches!(c, '+' | '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2014}')
    });
    if !plain || !(4..=18).contains(&digits) {
        return None;
    }
    let overseas = if region == Id::FR { OVERSEAS } else { &[] };
    let number = std::iter::once(&region).chain(overseas).find_map(|region| valid(*region, text.trim()))?;
    Some(number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for (written, kept) in [
            ("06 12 34 56 78", "+33612345678"),
            ("06.12.34.56.78", "+33612345678"),
            ("+33 6 12 34 56 78", "+33612345678"),
            ("+33 (0)6 12 34 56 78", "+33612345678"),
            ("0033612345678", "+33612345678"),
            ("\u{202a}06-12-34-56-78\u{202c}", "+33612345678"),
            ("+1 (415) 555-2671", "+14155552671"),
            ("0690 12 34 56", "+590690123456"),
            ("0692 12 34 56", "+262692123456"),
        ] {
            assert_eq!(normalize(written, Id::FR).as_deref(), Some(kept), "{written}");
        }
        assert_eq!(normalize("030 901820", Id::DE).as_deref(), Some("+4930901820"));
        for wrong in
            ["", "12", "3615", "0000000000", "06 12 34 56 78 / 07 12 34 56 78", "call me", "+", "++33"]
        {
            assert_eq!(normalize(wrong, Id::FR), None, "{wrong}");
        }
    }

    #[test]
    fn regions() {
        assert_eq!(region(" fr ").unwrap(), Id::FR);
        assert!(region("France").is_err() && region("").is_err());
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,40}") {
            let _ = normalize(&text, Id::FR);
        }

        #[test]
        fn twice_is_once(digits in "[+0][0-9]{8,12}") {
            if let Some(once) = normalize(&digits, Id::FR) {
                prop_assert_eq!(normalize(&once, Id::FR), Some(once));
            }
        }
    }
}
