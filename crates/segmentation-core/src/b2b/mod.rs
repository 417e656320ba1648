//! B2B: companies, the people in them, where they are and when they are open.
//!
//! Functions of one value, made for millions of rows of unclean data: what is not a
//! company number, an address, a job title or a weekly timetable is `None` or
//! `false`, as each says, and never an error.

pub mod company;
pub mod email;
pub mod identifier;
pub mod job;
pub mod naf;
pub mod opening_hours;
pub mod peers;
pub mod place;
pub mod public_holiday;

/// Text as a person writes it, brought to lower case without accents: `Écoles` is `ecoles`.
///
/// Covers the letters of western European languages; others stay as they are.
fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => out.push('a'),
            'ç' => out.push('c'),
            'è' | 'é' | 'ê' | 'ë' => out.push('e'),
            'ì' | 'í' | 'î' | 'ï' => out.push('i'),
            'ñ' => out.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' => out.push('o'),
            'ù' | 'ú' | 'û' | 'ü' => out.push('u'),
            'ý' | 'ÿ' => out.push('y'),
            'œ' => out.push_str("oe"),
            'æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            // Combining accents, of text in its decomposed form.
            '\u{300}'..='\u{36f}' => {}
            '’' | 'ʼ' | '‘' => out.push('\''),
            c => out.push(c),
        }
    }
    out
}

/// At most `bytes` bytes of the text, cut between two characters.
fn head(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding() {
        assert_eq!(fold("Président·e d’École À GRENOBLE, Œuvre"), "president·e d'ecole a grenoble, oeuvre");
        assert_eq!(fold("De\u{301}veloppeur"), "developpeur");
        assert_eq!(head("aé", 2), "a");
        assert_eq!(head("aé", 9), "aé");
    }
}
