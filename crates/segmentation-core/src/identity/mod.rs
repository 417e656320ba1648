//! Who is the same customer: records of several systems become one customer, with reasons.
//!
//! What people write is brought into one form (`name`, `phone`, `mail`, `address`, `organisation`, `birth`), compared
//! (`similarity`), weighed by a model of Fellegi and Sunter (`model`, `fit`) and put together (`cluster`).

pub mod address;
pub mod birth;
pub mod cluster;
pub mod fit;
pub mod frequency;
pub mod mail;
pub mod model;
pub mod name;
mod nicknames;
pub mod organisation;
pub mod phone;
pub mod rules;
pub mod similarity;
#[cfg(test)]
mod tests;

/// Longest text that is looked at, in bytes: no name, address or number of a customer is longer.
pub(crate) const LONGEST: usize = 512;

/// Whether a character shows nothing: marks of direction, joiners, soft hyphens. They come with texts that were copied.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The words of a text in small letters without accents; dots within shortened words (`S.A.R.L.`) are left out. `None`
/// if there is none, or the text is too long to be what somebody wrote.
pub(crate) fn words(text: &str) -> Option<Vec<String>> {
    if text.len() > LONGEST {
        return None;
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    let folded = crate::base::spelling::fold(&visible);
    let mut words: Vec<String> = Vec::new();
    for piece in folded.split(|c: char| !c.is_alphanumeric() && c != '.') {
        let parts: Vec<&str> = piece.split('.').filter(|part| !part.is_empty()).collect();
        // `s.a.r.l` is a word of letters; `j.dupont` is two words.
        if parts.len() > 1 && parts.iter().all(|part| part.chars().count() == 1) {
            words.push(parts.concat());
        } else {
            words.extend(parts.iter().map(|part| (*part).to_owned()));
        }
    }
    (!words.is_empty()).then_some(words)
}
