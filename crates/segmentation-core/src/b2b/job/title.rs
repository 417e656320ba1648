//! A title as words, and phrases in it.

use super::super::head;
use crate::base::spelling::fold;

/// Words of a title that are looked at: what follows is not a title any more.
const WORDS: usize = 24;

/// What says that somebody was, and is no more.
const FORMER: &[&str] =
    &["ancien", "ancienne", "anciennement", "ex", "former", "formerly", "retired", "retraite", "retraitee"];

/// The parts of a title that are so today: `Ex-directeur, consultant` is a consultant.
fn current(text: &str) -> String {
    let parts = text.split([',', ';', '|', '/', '\n']).flat_map(|part| part.split(" - "));
    let was = |part: &&str| {
        let first = part.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
        first.is_some_and(|word| FORMER.contains(&word))
    };
    parts.filter(|part| !was(part)).collect::<Vec<_>>().join(", ")
}

/// The words of a title, without what somebody was. Inclusive forms (`chargé(e)`, `directeur·rice`, `directeur/trice`) lose their ending,
/// `R&D` is one word, and so is an abbreviation with dots (`P.D.G.`).
pub(super) fn words(title: &str) -> Vec<String> {
    let mut text = fold(head(title, 400));
    // Most titles have none of this.
    if text.contains(['(', '·', '/', '&']) {
        for ending in [
            "(e)", "(ne)", "(se)", "(euse)", "(ere)", "(re)", "(trice)", "(rice)", "(ice)", "(fe)", "·e",
            "·ne", "·se", "·euse", "·ere", "·re", "·trice", "·rice", "·ice", "·fe", "/trice", "/rice",
            "/ice", "/euse", "/ere",
        ] {
            text = text.replace(ending, "");
        }
        for (written, read) in [("r&d", "rd"), ("r & d", "rd"), ("h/f", ""), ("f/h", ""), ("m/f", "")] {
            text = text.replace(written, read);
        }
    }
    if FORMER.iter().any(|word| text.contains(word)) {
        text = current(&text);
    }
    let mut words: Vec<String> = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric() && c != '.') {
        let parts: Vec<&str> = word.split('.').filter(|part| !part.is_empty()).collect();
        // Letters with dots between them join: p.d.g. is pdg.
        if parts.len() > 1 && parts.iter().all(|part| part.chars().count() == 1) {
            words.push(parts.concat());
        } else {
            words.extend(parts.into_iter().map(str::to_owned));
        }
        if words.len() >= WORDS {
            break;
        }
    }
    words.truncate(WORDS);
    words
}

/// Whether `phrase` begins at `at`.
fn stands_at(words: &[String], at: usize, phrase: &str) -> bool {
    // Most phrases begin with another letter: no need to take them apart.
    if words[at].as_bytes().first() != phrase.as_bytes().first() {
        return false;
    }
    let mut rest = words[at..].iter();
    phrase.split(' ').all(|part| {
        rest.next().is_some_and(|word| match part.strip_suffix('*') {
            Some(beginning) => word.starts_with(beginning),
            None => word == part,
        })
    })
}

/// Where the first of these phrases begins, and its number of words: the earliest, and there the longest.
pub(super) fn find(words: &[String], phrases: &[&str]) -> Option<(usize, usize)> {
    (0..words.len()).find_map(|at| {
        phrases
            .iter()
            .filter(|phrase| stands_at(words, at, phrase))
            .map(|phrase| phrase.split(' ').count())
            .max()
            .map(|length| (at, length))
    })
}

/// Whether one of these phrases is in it.
pub(super) fn has(words: &[String], phrases: &[&str]) -> bool {
    find(words, phrases).is_some()
}
