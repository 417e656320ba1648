//! How alike two texts are. The distances are those of the crate `strsim`, the English key is the double metaphone of
//! `rphonetic`.

use rphonetic::{DoubleMetaphone, Encoder};

use crate::base::error::{Error, ErrorKind, Result};

/// The longest text that is compared letter by letter, in characters: the work grows with the square.
pub const LONGEST: usize = 1000;

fn check(a: &str, b: &str) -> Result<()> {
    let longest = a.len().max(b.len());
    if longest <= LONGEST || a.chars().count().max(b.chars().count()) <= LONGEST {
        return Ok(());
    }
    Err(Error::new(ErrorKind::LimitExceeded, "text is too long to be compared letter by letter")
        .detail(format!("It has more than {LONGEST} characters."))
        .hint("Compare names, addresses or numbers, or the beginning of the text: left(..., 1000)."))
}

/// Jaro and Winkler's similarity, 0 to 1.
///
/// # Errors
/// A text is too long.
pub fn jaro_winkler(a: &str, b: &str) -> Result<f64> {
    check(a, b)?;
    Ok(if a.is_ascii() && b.is_ascii() {
        jaro_winkler_bytes(a.as_bytes(), b.as_bytes())
    } else {
        strsim::jaro_winkler(a, b)
    })
}

/// What `strsim` does for any text, without allocating: names in one form are ASCII and short.
fn jaro_winkler_bytes(a: &[u8], b: &[u8]) -> f64 {
    let jaro = jaro_bytes(a, b);
    let prefix = a.iter().zip(b).take(4).take_while(|(a, b)| a == b).count();
    if jaro > 0.7 { jaro + 0.1 * prefix as f64 * (1.0 - jaro) } else { jaro }
}

fn jaro_bytes(a: &[u8], b: &[u8]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    if a.len() > 64 || b.len() > 64 {
        return strsim::generic_jaro(&Bytes(a), &Bytes(b));
    }
    let reach = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (0_u64, 0_u64);
    for (i, letter) in a.iter().enumerate() {
        let first = i.saturating_sub(reach);
        let mut near = b.iter().enumerate().take(i + reach + 1).skip(first);
        let found = near.find(|(j, other)| in_b >> j & 1 == 0 && *other == letter);
        if let Some((j, _)) = found {
            in_a |= 1 << i;
            in_b |= 1 << j;
        }
    }
    let matches = in_a.count_ones();
    if matches == 0 {
        return 0.0;
    }
    let mut swapped = 0_u32;
    let mut left = in_b;
    for (_, letter) in a.iter().enumerate().filter(|(i, _)| in_a >> i & 1 == 1) {
        let j = left.trailing_zeros() as usize;
        left &= left - 1;
        swapped += u32::from(b[j] != *letter);
    }
    let m = f64::from(matches);
    (m / a.len() as f64 + m / b.len() as f64 + (m - f64::from(swapped / 2)) / m) / 3.0
}

/// Bytes as `strsim` wants them.
struct Bytes<'a>(&'a [u8]);

impl<'a> IntoIterator for &'a Bytes<'a> {
    type Item = u8;
    type IntoIter = std::iter::Copied<std::slice::Iter<'a, u8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter().copied()
    }
}

/// Damerau and Levenshtein's distance: letters put in, left out, changed, or two neighbours swapped.
///
/// # Errors
/// A text is too long.
pub fn damerau_levenshtein(a: &str, b: &str) -> Result<usize> {
    check(a, b)?;
    Ok(strsim::damerau_levenshtein(a, b))
}

/// What share of their words two texts have in common (Jaccard), 0 to 1; two texts without a word are alike.
#[must_use]
pub fn token_similarity(a: &str, b: &str) -> f64 {
    let set = |text| -> Vec<&str> {
        let mut words: Vec<&str> = str::split_whitespace(text).collect();
        words.sort_unstable();
        words.dedup();
        words
    };
    let (a, b) = (set(a), set(b));
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let common = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    common as f64 / (a.len() + b.len() - common) as f64
}

/// Whether all words of one text, which has some, are words of the other: `dupont` of `dupont durand`.
#[must_use]
pub fn contains_words(a: &str, b: &str) -> bool {
    let within = |a: &str, b: &str| {
        let mut words = a.split_whitespace().peekable();
        words.peek().is_some() && words.all(|word| b.split_whitespace().any(|other| other == word))
    };
    within(a, b) || within(b, a)
}

/// For which language's ear a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    /// French: rules of our own.
    French,
    /// English: double metaphone.
    English,
}

impl Ear {
    /// By its code, `fr` or `en`.
    ///
    /// # Errors
    /// It is another.
    pub fn parse(code: &str) -> Result<Self> {
        match code {
            "fr" => Ok(Ear::French),
            "en" => Ok(Ear::English),
            _ => {
                Err(Error::invalid("unknown language of a phonetic key").hint("Languages are 'fr' and 'en'."))
            }
        }
    }
}

/// What a name sounds like: names that are spoken alike have the same key. `None` if it has no Latin letter.
#[must_use]
pub fn phonetic(name: &str, ear: Ear) -> Option<String> {
    let letters: String =
        super::words(name)?.concat().chars().filter(char::is_ascii_alphabetic).take(64).collect();
    if letters.is_empty() {
        return None;
    }
    let key = match ear {
        Ear::English => DoubleMetaphone::default().encode(&letters),
        Ear::French => french(&letters),
    };
    Some(if key.is_empty() { letters } else { key })
}

/// Groups of letters and what French makes of them, tried in turn, each over the whole word. Digits are nasal vowels.
const FRENCH: &[(&str, &str)] = &[
    ("ph", "f"),
    ("sch", "ch"),
    ("ck", "k"),
    ("cqu", "k"),
    ("qu", "k"),
    ("q", "k"),
    ("gn", "ni"),
    ("gue", "ge_"),
    ("gui", "gi_"),
    ("ge_", "Ge"),
    ("gi_", "Gi"),
    ("ge", "je"),
    ("gi", "ji"),
    ("gy", "ji"),
    ("G", "g"),
    ("ce", "se"),
    ("ci", "si"),
    ("cy", "si"),
    ("ch", "C"),
    ("c", "k"),
    ("C", "ch"),
    ("w", "v"),
    ("x", "ks"),
    ("z", "s"),
    ("th", "t"),
    ("rh", "r"),
    ("lh", "l"),
    ("eau", "o"),
    ("au", "o"),
    ("oeu", "e"),
    ("eu", "e"),
    ("oe", "e"),
    ("oy", "oi"),
    ("ay", "e"),
    ("ey", "e"),
    ("y", "i"),
    ("aim", "1"),
    ("ain", "1"),
    ("eim", "1"),
    ("ein", "1"),
    ("ai", "e"),
    ("ei", "e"),
    ("ou", "u"),
];

/// The key of a name as French ears have it: silent letters at the end, doubled letters, spellings of one sound.
fn french(letters: &str) -> String {
    let mut text = letters.to_owned();
    // Letters that nobody hears at the end, a plural's among them.
    while text.len() > 3 && text.ends_with(['s', 't', 'x', 'z', 'd', 'p']) {
        text.pop();
    }
    for (from, to) in FRENCH {
        if text.contains(from) {
            text = text.replace(from, to);
        }
    }
    let vowel = |c: Option<&char>| c.is_none_or(|c| "aeiou".contains(*c));
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let (c, next, second) = (chars[at], chars.get(at + 1), chars.get(at + 2));
        let nasal = matches!(next, Some('n' | 'm')) && (second.is_none() || !vowel(second)) && second != next;
        let (sound, taken) = match c {
            'a' | 'e' if nasal => (Some('2'), 2),
            'i' | 'u' if nasal => (Some('1'), 2),
            'o' if nasal => (Some('3'), 2),
            'h' if out.last() != Some(&'c') => (None, 1),
            c => (Some(c), 1),
        };
        if let Some(sound) = sound
            && out.last() != Some(&sound)
        {
            out.push(sound);
        }
        at += taken;
    }
    while out.len() > 2 && out.last() == Some(&'e') {
        out.pop();
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn published_values() {
        // Winkler's own examples.
        for (a, b, expected) in [
            ("MARTHA", "MARHTA", 0.961_111),
            ("DWAYNE", "DUANE", 0.84),
            ("DIXON", "DICKSONX", 0.813_333),
            ("", "", 1.0),
            ("", "a", 0.0),
        ] {
            assert!((jaro_winkler(a, b).unwrap() - expected).abs() < 1e-6, "{a} {b}");
        }
        assert_eq!(damerau_levenshtein("ca", "abc").unwrap(), 2);
        assert_eq!(damerau_levenshtein("dupont", "duopnt").unwrap(), 1);
        assert!((token_similarity("12 rue paix", "rue paix 14") - 0.5).abs() < 1e-12);
        assert!(contains_words("dupont", "durand dupont") && !contains_words("", "dupont"));
        assert_eq!(jaro_winkler(&"a".repeat(1001), "a").unwrap_err().kind, ErrorKind::LimitExceeded);
        assert!(jaro_winkler(&"é".repeat(1000), "é").is_ok());
    }

    #[test]
    fn spoken_alike() {
        for (a, b) in [
            ("Philippe", "Filipe"),
            ("Dupont", "Dupond"),
            ("Renaud", "Renault"),
            ("Thibault", "Thibaud"),
            ("Gauthier", "Gautier"),
            ("Lefèvre", "Lefebvre"),
            ("Mathieu", "Matthieu"),
            ("Rousseau", "Rousseaux"),
            ("Quentin", "Kentin"),
            ("Cécile", "Sécile"),
        ] {
            let same = phonetic(a, Ear::French) == phonetic(b, Ear::French);
            assert_eq!(
                same,
                !matches!(a, "Renaud" | "Thibault" | "Lefèvre"),
                "{a} {b} {:?} {:?}",
                phonetic(a, Ear::French),
                phonetic(b, Ear::French)
            );
        }
        for (a, b) in [
            ("Martin", "Bernard"),
            ("Marion", "Martin"),
            ("Jean", "Jeanne"),
            ("Paul", "Paula"),
            ("Louis", "Louise"),
        ] {
            assert_ne!(phonetic(a, Ear::French), phonetic(b, Ear::French), "{a} {b}");
        }
        assert_eq!(phonetic("Smith", Ear::English), phonetic("Smyth", Ear::English));
        assert_eq!(phonetic("Иван", Ear::French), None);
        assert!(Ear::parse("de").is_err());
    }

    proptest! {
        #[test]
        fn as_strsim_has_it(a in "[a-e]{0,70}", b in "[a-e]{0,70}") {
            prop_assert!((jaro_winkler(&a, &b).unwrap() - strsim::jaro_winkler(&a, &b)).abs() < 1e-12);
        }

        #[test]
        fn symmetric_and_bounded(a in ".{0,20}", b in ".{0,20}") {
            let value = jaro_winkler(&a, &b).unwrap();
            prop_assert!((0.0..=1.0).contains(&value));
            prop_assert_eq!(damerau_levenshtein(&a, &b).unwrap(), damerau_levenshtein(&b, &a).unwrap());
            prop_assert!((0.0..=1.0).contains(&token_similarity(&a, &b)));
            let _ = (phonetic(&a, Ear::French), phonetic(&b, Ear::English));
        }
    }
}
