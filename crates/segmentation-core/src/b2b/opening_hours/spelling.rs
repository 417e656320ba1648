//! From what people write to the grammar of OpenStreetMap's `opening_hours`.
//!
//! Words and times are replaced, one by one; what is not known here stays as it is, for the
//! crate that reads the grammar to understand it or to refuse it.

use super::Refusal;
use crate::base::spelling::fold;

/// Names of days, folded: OpenStreetMap's, English and French, short and whole.
const DAYS: [(&str, &[&str]); 7] = [
    ("Mo", &["mo", "mon", "monday", "lu", "lun", "lundi"]),
    ("Tu", &["tu", "tue", "tues", "tuesday", "ma", "mar", "mardi"]),
    ("We", &["we", "wed", "wednesday", "me", "mer", "mercredi"]),
    ("Th", &["th", "thu", "thur", "thurs", "thursday", "je", "jeu", "jeudi"]),
    ("Fr", &["fr", "fri", "friday", "ve", "ven", "vendredi"]),
    ("Sa", &["sa", "sat", "saturday", "sam", "samedi"]),
    ("Su", &["su", "sun", "sunday", "di", "dim", "dimanche"]),
];

/// Phrases of several words, folded, and what stands for them.
const PHRASES: [(&str, &str); 4] =
    [("tous les jours", "mo-su"), ("jours feries", "ph"), ("jour ferie", "ph"), ("vacances scolaires", "sh")];

/// Ways to write that it never closes, folded and without separators.
const ALWAYS: [&str; 5] = ["24h/24", "24h/247j/7", "7j/724h/24", "24/247/7", "7/724/24"];

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    /// A day of the week, in the grammar's name.
    Day(&'static str),
    /// Public or school holidays.
    Holiday(&'static str),
    /// Hours and minutes.
    Time(&'a str, &'a str),
    /// `24/7`.
    Always,
    /// Between the ends of a span, of days or of times.
    Dash,
    /// Between two of a list.
    Comma,
    /// Open, or closed.
    State(bool),
    /// What is left to the grammar, and whether a space is before it.
    Other(&'a str, bool),
}

impl Token<'_> {
    fn is_day(&self) -> bool {
        matches!(self, Token::Day(_) | Token::Holiday(_))
    }

    fn is_time(&self) -> bool {
        matches!(self, Token::Time(..) | Token::Always)
    }
}

/// The text in OpenStreetMap's grammar.
///
/// # Errors
/// Days without hours: the grammar would take them as open day and night.
pub(super) fn translate(text: &str) -> Result<String, Refusal> {
    let text: String = fold(text)
        .chars()
        .map(|c| match c {
            '–' | '—' | '‑' | '−' => '-',
            '\u{a0}' | '\u{202f}' | '\t' | '\r' => ' ',
            c => c,
        })
        .collect();
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | ',' | ';' | '\n')).collect();
    if ALWAYS.contains(&bare.as_str()) {
        return Ok("24/7".to_owned());
    }
    // In a comment nothing may be replaced, and no mask can hold it.
    if text.contains('"') {
        return Err(Refusal::Comment);
    }
    let text = PHRASES.iter().fold(text, |text, (written, read)| text.replace(written, read));
    let mut rules = Vec::new();
    for rule in text.split([';', '\n']) {
        let rule = rule_in_grammar(&whole_hours(tokens(rule)))?;
        if !rule.is_empty() {
            rules.push(rule);
        }
    }
    if rules.is_empty() { Err(Refusal::Empty) } else { Ok(rules.join("; ")) }
}

/// How many bytes of `text` come before the first that is not `of`.
fn run(text: &str, of: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|b| !of(b)).unwrap_or(text.len())
}

/// `8-18` after days is from 8:00 to 18:00. Elsewhere such numbers may be days of a month, or weeks.
fn whole_hours(mut tokens: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let hour = |token: &Token<'_>| match token {
        Token::Other(digits, _) if digits.len() <= 2 => digits.parse::<u8>().is_ok_and(|hour| hour <= 24),
        _ => false,
    };
    for at in 1..tokens.len().saturating_sub(2) {
        let after_days =
            tokens[at - 1].is_day() || (tokens[at - 1] == Token::Comma && at > 1 && tokens[at - 2].is_time());
        let ends = matches!(tokens.get(at + 3), None | Some(Token::Comma | Token::State(_)));
        if after_days && ends && tokens[at + 1] == Token::Dash && hour(&tokens[at]) && hour(&tokens[at + 2]) {
            for at in [at, at + 2] {
                if let Token::Other(hours, _) = tokens[at] {
                    tokens[at] = Token::Time(hours, "00");
                }
            }
        }
    }
    tokens
}

/// The pieces of a rule.
fn tokens(rule: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = rule;
    // What is left out between two pieces parts them as a space does.
    let mut parted = false;
    loop {
        let bare = rest.trim_start();
        let spaced = parted || bare.len() < rest.len();
        let Some(first) = bare.chars().next() else { return tokens };
        let (token, length) = if first.is_ascii_digit() {
            let (token, length) = number(bare, spaced);
            (Some(token), length)
        } else if first.is_ascii_lowercase() {
            let length = run(bare, |b| b.is_ascii_lowercase());
            (word(&bare[..length], spaced, tokens.last() == Some(&Token::Dash)), length)
        } else {
            let after_day =
                tokens.last().is_some_and(|token| token.is_day() || matches!(token, Token::State(_)));
            let length = first.len_utf8();
            let token = match first {
                '-' => Some(Token::Dash),
                ',' | '&' => Some(Token::Comma),
                // A span of times after a slash is the second of two; a time alone is how often.
                '/' if after_day => Some(Token::Comma),
                '/' if tokens.last().is_some_and(Token::is_time) && bare.contains('-') => Some(Token::Comma),
                // Of an abbreviation, or before its hours.
                '.' | ':' if after_day => None,
                _ => Some(Token::Other(&bare[..length], spaced)),
            };
            (token, length)
        };
        parted = token.is_none();
        // `Su, off`: days and what holds for them.
        let holds = token.as_ref().is_some_and(|token| token.is_time() || matches!(token, Token::State(_)));
        if holds && matches!(tokens[..], [.., Token::Day(_) | Token::Holiday(_), Token::Comma]) {
            tokens.pop();
        }
        // `9h-12h 14h-18h`: two spans.
        if token.as_ref().is_some_and(Token::is_time) && tokens.last().is_some_and(Token::is_time) {
            tokens.push(Token::Comma);
        }
        tokens.extend(token);
        rest = &bare[length..];
    }
}

/// A time, or `24/7`, or just digits, and its length. Times are `9:00`, `09:00`, `9h`, `9 h 30`, `9 heures`.
fn number(text: &str, spaced: bool) -> (Token<'_>, usize) {
    let digits = run(text, |b| b.is_ascii_digit());
    let (hours, after) = text.split_at(digits);
    let just_digits = (Token::Other(hours, spaced), digits);
    if hours == "24" && after.starts_with("/7") && !after[2..].starts_with(|c: char| c.is_ascii_digit()) {
        return (Token::Always, digits + 2);
    }
    if digits > 2 {
        return just_digits;
    }
    let two_digits = |text: &str| run(text, |b| b.is_ascii_digit()) == 2;
    let word = after.trim_start();
    if let Some(minutes) = word.strip_prefix(':').map(str::trim_start) {
        let length = text.len() - minutes.len() + 2;
        return if two_digits(minutes) { (Token::Time(hours, &minutes[..2]), length) } else { just_digits };
    }
    let length = run(word, |b| b.is_ascii_lowercase());
    if !matches!(&word[..length], "h" | "heure" | "heures") {
        return just_digits;
    }
    let rest = &word[length..];
    let minutes = rest.trim_start();
    // In `12h 14h-18h` the 14 are hours.
    let hours_again = minutes.get(2..).is_some_and(|after| after.trim_start().starts_with(['h', ':']));
    let (minutes, rest) =
        if two_digits(minutes) && !hours_again { minutes.split_at(2) } else { ("00", rest) };
    (Token::Time(hours, minutes), text.len() - rest.len())
}

/// What a word stands for; nothing for articles.
fn word(word: &str, spaced: bool, after_dash: bool) -> Option<Token<'_>> {
    if let Some((day, _)) = DAYS.iter().find(|(_, names)| names.contains(&word)) {
        return Some(Token::Day(day));
    }
    Some(match word {
        "de" | "du" | "le" | "les" | "des" | "from" => return None,
        "a" | "au" | "to" => Token::Dash,
        "et" | "and" | "puis" | "then" => Token::Comma,
        "ph" => Token::Holiday("PH"),
        "sh" => Token::Holiday("SH"),
        "off" | "closed" | "ferme" | "fermee" | "fermes" => Token::State(false),
        "open" | "ouvert" | "ouverte" | "ouverts" => Token::State(true),
        "midi" => Token::Time("12", "00"),
        "minuit" => Token::Time(if after_dash { "24" } else { "00" }, "00"),
        other => Token::Other(other, spaced),
    })
}

/// A rule in the grammar, or several that a comma joins (`Mo 8:00-10:00, Tu 9:00-11:00`).
fn rule_in_grammar(tokens: &[Token<'_>]) -> Result<String, Refusal> {
    let mut out = String::new();
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        let joins =
            *token == Token::Comma && at > start && begins(&tokens[at + 1..]) && !tokens[at - 1].is_day();
        if joins {
            write_part(&tokens[start..at], &mut out)?;
            out.push_str(", ");
            start = at + 1;
        }
    }
    write_part(&tokens[start..], &mut out)?;
    Ok(out)
}

/// Whether days begin here, maybe after their state: `Tu ...`, `fermé dimanche`.
fn begins(tokens: &[Token<'_>]) -> bool {
    match tokens {
        [Token::State(_), next, ..] | [next, ..] => next.is_day(),
        [] => false,
    }
}

/// Days, times, state, in this order.
fn write_part(part: &[Token<'_>], out: &mut String) -> Result<(), Refusal> {
    let state = part.iter().position(|token| matches!(token, Token::State(_)));
    let has_times = part.iter().any(Token::is_time);
    let only_days = part.iter().all(|token| token.is_day() || matches!(token, Token::Dash | Token::Comma));
    if only_days && part.iter().any(Token::is_day) {
        return Err(Refusal::DaysWithoutHours);
    }
    // The grammar takes `PH Mo` as `PH,Mo`, where the specification means holidays on a Monday.
    if part
        .windows(2)
        .any(|pair| matches!(pair, [Token::Holiday(_), Token::Day(_)] | [Token::Day(_), Token::Holiday(_)]))
    {
        return Err(Refusal::SomeDays);
    }
    // The state stands last. In the middle of something else it stays, and is refused.
    let moved = state.filter(|at| {
        let (before, after) = (&part[..*at], &part[at + 1..]);
        before.last().is_none_or(Token::is_day) || after.is_empty()
    });
    let mut before: Option<&Token<'_>> = None;
    for (at, token) in part.iter().enumerate() {
        if Some(at) == moved {
            continue;
        }
        write_token(before, token, out);
        before = Some(token);
    }
    match moved.map(|at| &part[at]) {
        // Hours say that it is open.
        Some(Token::State(true)) if has_times => {}
        Some(token) => write_token(before, token, out),
        None => {}
    }
    Ok(())
}

fn write_token(before: Option<&Token<'_>>, token: &Token<'_>, out: &mut String) {
    let space = match (before, token) {
        (None, _)
        | (_, Token::Dash | Token::Comma)
        | (Some(Token::Dash | Token::Comma), Token::Day(_) | Token::Holiday(_) | Token::Time(..)) => false,
        (_, Token::Other(_, spaced)) => *spaced,
        (Some(Token::Other(before, _)), Token::Time(..)) => {
            before.ends_with(|c: char| c == ']' || c.is_alphanumeric())
        }
        _ => true,
    };
    if space {
        out.push(' ');
    }
    match token {
        Token::Day(name) | Token::Holiday(name) | Token::Other(name, _) => out.push_str(name),
        Token::Time(hours, minutes) => {
            if hours.len() < 2 {
                out.push('0');
            }
            out.push_str(hours);
            out.push(':');
            out.push_str(minutes);
        }
        Token::Always => out.push_str("24/7"),
        Token::Dash => out.push('-'),
        Token::Comma => out.push(','),
        Token::State(open) => out.push_str(if *open { "open" } else { "off" }),
    }
}
