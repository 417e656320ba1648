//! Names of persons in one form, and the first name behind a nickname.

use super::nicknames::NICKNAMES;
use super::words;

/// What stands before a name and does not belong to it.
const TITLES: &[&str] = &[
    "docteur",
    "dr",
    "herr",
    "frau",
    "m",
    "madame",
    "mademoiselle",
    "maitre",
    "me",
    "miss",
    "mlle",
    "mme",
    "monsieur",
    "mr",
    "mrs",
    "ms",
    "pr",
    "prof",
    "professeur",
    "professor",
    "sr",
    "sra",
];

/// Particles, which some write apart and others as one word with the name (`De la Tour`, `Delatour`).
const PARTICLES: &[&str] = &[
    "al", "ben", "bin", "d", "da", "das", "de", "dei", "del", "della", "den", "der", "des", "di", "do",
    "dos", "du", "el", "l", "la", "las", "le", "les", "lo", "los", "mac", "mc", "o", "ter", "van", "von",
    "zu", "zum", "zur",
];

/// The words of a name without titles, small, without accents, with particles joined to what follows them. `None` if
/// there is no letter.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut found = words(text)?;
    if found.len() > 1 {
        let titles = found.iter().take_while(|word| TITLES.contains(&word.as_str())).count();
        found.drain(..titles.min(found.len() - 1));
    }
    let mut out: Vec<String> = Vec::with_capacity(found.len());
    let mut particle = String::new();
    let last = found.len() - 1;
    for (at, word) in found.into_iter().enumerate() {
        particle.push_str(&word);
        if at == last || !PARTICLES.contains(&word.as_str()) {
            out.push(std::mem::take(&mut particle));
        }
    }
    out.iter().any(|word| word.chars().any(char::is_alphabetic)).then_some(out)
}

/// A name in one form: small letters without accents, without a title in front, words parted by one space, particles
/// joined to their name: `M. DE LA TOUR` is `delatour`, `Jean-Pierre` is `jean pierre`, `O'Brien` is `obrien`.
///
/// `None` if there is no letter in it, or it is longer than any name.
#[must_use]
pub fn normalize(name: &str) -> Option<String> {
    Some(parts(name)?.join(" "))
}

/// The first name that somebody has, by what the person is called: `Bob` is `robert`, `Manu` is `emmanuel`, `Kate` is
/// `katherine`. What the lists do not know, and what is short for several names (`Alex`), is itself in one form.
#[must_use]
pub fn root(first_name: &str) -> Option<String> {
    let name = normalize(first_name)?;
    Some(
        NICKNAMES
            .binary_search_by_key(&name.as_str(), |pair| pair.0)
            .map_or(name, |at| NICKNAMES[at].1.to_owned()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for (written, kept) in [
            ("M. DE LA TOUR", "delatour"),
            ("Delatour", "delatour"),
            ("d’Estaing", "destaing"),
            ("D'ESTAING", "destaing"),
            ("Jean-Pierre", "jean pierre"),
            ("JEAN  PIERRE", "jean pierre"),
            ("Mme Hélène", "helene"),
            ("Le Goff", "legoff"),
            ("van der Berg", "vanderberg"),
            ("O'Brien", "obrien"),
            ("Dupont-Durand", "dupont durand"),
            ("Dr", "dr"),
            ("Du", "du"),
            ("J.-P.", "j p"),
            ("Ngọc Ánh", "ngoc anh"),
            ("Иван", "иван"),
            ("Ma\u{202e}rie", "marie"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(kept), "{written}");
        }
        for nothing in ["", " ", "-", "123", "?!", "\u{200b}"] {
            assert_eq!(normalize(nothing), None, "{nothing}");
        }
        assert_eq!(normalize(&"x".repeat(600)), None);
    }

    #[test]
    fn nicknames() {
        assert!(NICKNAMES.is_sorted_by(|a, b| a.0 < b.0), "in order, each once");
        for (nickname, name) in NICKNAMES {
            assert_eq!(normalize(nickname).as_deref(), Some(*nickname));
            assert_eq!(normalize(name).as_deref(), Some(*name));
            assert_eq!(root(name).as_deref(), Some(*name), "{nickname}: a root is its own root");
        }
        for (called, named) in
            [("Bob", "robert"), ("Manu", "emmanuel"), ("KATE", "katherine"), ("Zoé", "zoe"), ("Alex", "alex")]
        {
            assert_eq!(root(called).as_deref(), Some(named));
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(name in "(de |du |le |Dr |M. )?[A-Za-zÀ-ÿ'-]{1,12}( [A-Za-zÀ-ÿ'-]{1,12})?") {
            if let Some(once) = normalize(&name) {
                // A particle that stands alone is joined to nothing; nothing else changes at the second time.
                let again = normalize(&once);
                prop_assert_eq!(again.map(|text| text.replace(' ', "")), Some(once.replace(' ', "")));
            }
        }

        #[test]
        fn any_text(text in ".{0,60}") {
            let _ = root(&text);
        }
    }
}
