//! Patterns as SQL's LIKE has them: `%` any text, `_` any one character, `\` before either itself.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Byte(u8),
    One,
    Many,
}

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Like {
    /// As it was written.
    pub text: String,
    parts: Vec<Part>,
}

impl Like {
    /// Reads a pattern; `None` if it ends with a lone backslash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = Vec::with_capacity(text.len());
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            parts.push(match byte {
                b'\\' => Part::Byte(bytes.next()?),
                b'_' => Part::One,
                b'%' => Part::Many,
                byte => Part::Byte(byte),
            });
        }
        Some(Like { text: text.to_owned(), parts })
    }

    /// Whether the whole of `text` (UTF-8) follows the pattern.
    #[must_use]
    pub fn matches(&self, text: &[u8]) -> bool {
        let next_char = |at: usize| {
            let mut end = at + 1;
            while end < text.len() && text[end] & 0xC0 == 0x80 {
                end += 1;
            }
            end
        };
        let (mut part, mut at) = (0, 0);
        // Where to try again: the part after the last `%`, and from where in the text.
        let mut retry: Option<(usize, usize)> = None;
        loop {
            match self.parts.get(part) {
                Some(Part::Many) => {
                    part += 1;
                    retry = Some((part, at));
                    continue;
                }
                Some(Part::Byte(byte)) if at < text.len() && text[at] == *byte => {
                    part += 1;
                    at += 1;
                    continue;
                }
                Some(Part::One) if at < text.len() => {
                    part += 1;
                    at = next_char(at);
                    continue;
                }
                None if at == text.len() => return true,
                _ => {}
            }
            match retry {
                Some((after, from)) if from < text.len() => {
                    // Pattern times text, at worst.
                    if from % 64 == 0 {
                        crate::base::host::pause();
                    }
                    let from = next_char(from);
                    retry = Some((after, from));
                    (part, at) = (after, from);
                }
                _ => return false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_sql() {
        for (pattern, text, matches) in [
            ("abc", "abc", true),
            ("a%", "abc", true),
            ("%", "", true),
            ("", "", true),
            ("", "a", false),
            ("_", "é", true),
            ("__", "é", false),
            ("%_é", "aaé", true),
            ("a%b%c", "axxbxxbc", true),
            ("a%b%c", "axxbxxb", false),
            ("100\\%", "100%", true),
            ("100\\%", "1000", false),
            ("%\\_%", "a_b", true),
            ("%é_%é", "éxé", true),
            ("%aab", "aaaab", true),
            ("%_", "", false),
        ] {
            assert_eq!(Like::parse(pattern).unwrap().matches(text.as_bytes()), matches, "{pattern} {text}");
        }
        assert!(Like::parse("a\\").is_none());
        // No exponential search.
        let pattern = Like::parse(&"%a".repeat(50)).unwrap();
        assert!(!pattern.matches("b".repeat(100_000).as_bytes()));
    }
}
