//! Postal addresses in one form.

use super::words;
use crate::base::spelling::short_form;

/// What `base::spelling` does not shorten, French and international. In order.
const SHORT_FORMS: &[(&str, &str)] = &[
    ("apartment", "apt"),
    ("appart", "apt"),
    ("appartement", "apt"),
    ("appt", "apt"),
    ("avda", "av"),
    ("avenida", "av"),
    ("building", "bldg"),
    ("calle", "c"),
    ("circle", "cir"),
    ("cours", "crs"),
    ("crescent", "cres"),
    ("domaine", "dom"),
    ("east", "e"),
    ("escalier", "esc"),
    ("etage", "etg"),
    ("floor", "fl"),
    ("general", "gal"),
    ("hameau", "ham"),
    ("highway", "hwy"),
    ("immeuble", "imm"),
    ("lieudit", "ld"),
    ("marechal", "mal"),
    ("montee", "mte"),
    ("north", "n"),
    ("parade", "pde"),
    ("passage", "pass"),
    ("president", "pdt"),
    ("promenade", "prom"),
    ("quai", "q"),
    ("quartier", "qrt"),
    ("ruelle", "rle"),
    ("sentier", "sent"),
    ("south", "s"),
    ("strasse", "str"),
    ("suite", "ste"),
    ("terrace", "tce"),
    ("west", "w"),
];

/// Words that are written or left out.
const IDLE: &[&str] = &[
    "a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "no", "num", "numero",
    "of", "the",
];

/// Countries that stand at the end.
const COUNTRIES: &[&str] = &["australia", "belgique", "canada", "france", "suisse", "uk", "usa"];

/// What follows the number of a house, as a letter.
fn repetition(word: &str) -> Option<&str> {
    match word {
        "bis" => Some("b"),
        "ter" => Some("t"),
        "quater" => Some("q"),
        "b" | "t" | "q" => Some(word),
        _ => None,
    }
}

/// An address, or a line of one, in one form: small letters without accents, the usual abbreviations of ways and
/// buildings, the number of a house with its letter (`12 bis` is `12b`), without words that join, without `CEDEX` and
/// its number, without the country at the end: `12 bis, Avenue du Général de Gaulle` is `12b av gal gaulle`. `None` without a
/// letter or digit.
#[must_use]
pub fn normalize(address: &str) -> Option<String> {
    let mut found = words(address)?;
    if found.len() > 1 && found.last().is_some_and(|word| COUNTRIES.contains(&word.as_str())) {
        found.pop();
    }
    let mut out: Vec<String> = Vec::with_capacity(found.len());
    let mut after_cedex = false;
    for (at, word) in found.iter().enumerate() {
        let is_number = word.bytes().all(|b| b.is_ascii_digit());
        // CEDEX 08: the number belongs to it, but not a postcode.
        if std::mem::replace(&mut after_cedex, word == "cedex") && is_number && word.len() <= 2
            || word == "cedex"
        {
            continue;
        }
        let follows_number =
            out.last().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()) && last.len() <= 4);
        if let (Some(letter), true) = (repetition(word), follows_number) {
            out.last_mut().into_iter().for_each(|last| last.push_str(letter));
            continue;
        }
        let number =
            word.strip_suffix("bis").map(|n| (n, "b")).or_else(|| word.strip_suffix("ter").map(|n| (n, "t")));
        if let Some((number, letter)) = number
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
        {
            out.push(format!("{number}{letter}"));
            continue;
        }
        let number_follows =
            || found.get(at + 1).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        if found.len() > 1 && (IDLE.contains(&word.as_str()) || word == "n" && number_follows()) {
            continue;
        }
        let short = SHORT_FORMS
            .binary_search_by_key(&word.as_str(), |pair| pair.0)
            .map_or_else(|_| short_form(word), |at| SHORT_FORMS[at].1);
        out.push(short.to_owned());
    }
    (!out.is_empty()).then(|| out.join(" "))
}

/// A postcode in one form: letters and digits alone, capital; French ones with the zero that a spreadsheet took
/// (`1000` is `01000`), which needs `france`. `None` without a digit or longer than any.
#[must_use]
pub fn postcode(text: &str, france: bool) -> Option<String> {
    let text = text.trim();
    if text.len() > 40 {
        return None;
    }
    let packed: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let digits = packed.bytes().all(|b| b.is_ascii_digit());
    if !packed.bytes().any(|b| b.is_ascii_digit()) || packed.len() > 12 {
        return None;
    }
    Some(if france && digits && packed.len() == 4 { format!("0{packed}") } else { packed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for (written, kept) in [
            ("12 bis, Avenue du Général de Gaulle", "12b av gal gaulle"),
            ("12B AV GAL DE GAULLE", "12b av gal gaulle"),
            ("12bis av. du Gal de Gaulle", "12b av gal gaulle"),
            ("5, rue de l'Église", "5 rue eglise"),
            ("75008 PARIS CEDEX 08", "75008 paris"),
            ("69001 Lyon Cedex, France", "69001 lyon"),
            ("BP 123", "bp 123"),
            ("Appt. 4, Bâtiment C", "apt 4 bat c"),
            ("10 Downing Street", "10 downing st"),
            ("n° 7 place St-Michel", "7 pl st michel"),
            ("Le", "le"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(kept), "{written}");
        }
        assert_eq!(normalize(", -"), None);
        assert!(SHORT_FORMS.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn postcodes() {
        assert_eq!(postcode(" 75 008 ", true).as_deref(), Some("75008"));
        assert_eq!(postcode("1000", true).as_deref(), Some("01000"));
        assert_eq!(postcode("1000", false).as_deref(), Some("1000"));
        assert_eq!(postcode("sw1a 1aa", false).as_deref(), Some("SW1A1AA"));
        assert_eq!(postcode("Paris", true), None);
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,80}") {
            let _ = (normalize(&text), postcode(&text, true));
        }
    }
}
