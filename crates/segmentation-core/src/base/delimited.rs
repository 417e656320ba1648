//! Rows of delimited text, RFC 4180, as the tools that read them want them: what is quoted, what stands for no value.
//!
//! A value is quoted where two readers could differ: it has the separator, a quote or a line break, a blank at an end
//! (some trim), or is what stands for no value. A line break is LF whatever it was, as with a lone CR no two readers
//! agree.

use crate::base::error::{Error, Result};
use crate::base::memory::Bytes;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Any letters: quoted where that is needed.
    Text,
    /// Digits with a decimal point.
    Number,
    /// What needs no quotes by its nature: days, booleans.
    Plain,
}

/// How a tool reads rows.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// Between two values.
    pub separator: char,
    /// Quotes around every text, not only where they are needed.
    pub quote_texts: bool,
    /// Whether a line break in a text is written as a space.
    pub one_line: bool,
    /// What stands for no value.
    pub null: &'a str,
    /// What stands for a text without letters.
    pub empty: &'a str,
    /// Point or comma of numbers.
    pub decimal_point: char,
    /// Most characters of a text.
    pub longest: Option<usize>,
}

impl Form<'_> {
    /// One row, without the line break that ends it.
    ///
    /// # Errors
    /// No memory.
    pub fn row<'v>(&self, cells: impl Iterator<Item = (Cell, Option<&'v str>)>) -> Result<String> {
        let mut row = Bytes::begin(b"");
        let mut separator = [0; 4];
        let separator = self.separator.encode_utf8(&mut separator).as_bytes();
        for (place, (kind, value)) in cells.enumerate() {
            if place > 0 {
                row.extend_from_slice(separator);
            }
            match (value, kind) {
                (None, _) => row.extend_from_slice(self.null.as_bytes()),
                (Some(value), Cell::Plain) => row.extend_from_slice(value.as_bytes()),
                (Some(value), Cell::Number) => self.number(&mut row, value),
                (Some(value), Cell::Text) => self.text(&mut row, value),
            }
        }
        String::from_utf8(row.finish()?).map_err(|_| Error::invalid("a row is not valid UTF-8"))
    }

    fn number(&self, row: &mut Bytes, value: &str) {
        let quoted = self.decimal_point != '.' || matches!(self.separator, '.' | '-');
        let quote: &[u8] = if quoted { b"\"" } else { b"" };
        row.extend_from_slice(quote);
        let mut point = [0; 4];
        for (place, digits) in value.split('.').enumerate() {
            if place > 0 {
                row.extend_from_slice(self.decimal_point.encode_utf8(&mut point).as_bytes());
            }
            row.extend_from_slice(digits.as_bytes());
        }
        row.extend_from_slice(quote);
    }

    fn text(&self, row: &mut Bytes, value: &str) {
        // Most values have nothing to mend.
        let mended;
        let mut value = value;
        if value.contains(['\r', '\n']) && (self.one_line || value.contains('\r')) {
            mended =
                value.replace("\r\n", "\n").replace(['\r', '\n'], if self.one_line { " " } else { "\n" });
            value = &mended;
        }
        if let Some(longest) = self.longest
            && let Some((end, _)) = value.char_indices().nth(longest)
        {
            value = &value[..end];
        }
        if value.is_empty() {
            return row.extend_from_slice(self.empty.as_bytes());
        }
        let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\x0b' | '\x0c' | '\u{a0}' | '\u{feff}');
        let quoted = self.quote_texts
            || value == self.null
            || value.contains([self.separator, '"', '\n'])
            || value.starts_with(blank)
            || value.ends_with(blank);
        if !quoted {
            return row.extend_from_slice(value.as_bytes());
        }
        for (place, piece) in value.split('"').enumerate() {
            row.extend_from_slice(if place > 0 { b"\"\"" } else { b"\"" });
            row.extend_from_slice(piece.as_bytes());
        }
        row.extend_from_slice(b"\"");
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Form};
    use proptest::prelude::*;

    const PLAIN: Form<'_> = Form {
        separator: ',',
        quote_texts: false,
        one_line: false,
        null: "",
        empty: "\"\"",
        decimal_point: '.',
        longest: None,
    };

    fn texts(form: &Form<'_>, values: &[Option<&str>]) -> String {
        form.row(values.iter().map(|v| (Cell::Text, *v))).unwrap()
    }

    #[test]
    fn a_value_is_quoted_where_readers_could_differ() {
        let written = [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("\"", "\"\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("two\r\nlines\rthree", "\"two\nlines\nthree\""),
            (" before", "\" before\""),
            ("after\u{a0}", "\"after\u{a0}\""),
            ("in the middle", "in the middle"),
            ("\u{feff}mark", "\"\u{feff}mark\""),
            ("", "\"\""),
        ];
        for (value, expected) in written {
            assert_eq!(texts(&PLAIN, &[Some(value)]), expected, "{value:?}");
        }
        assert_eq!(texts(&PLAIN, &[None, Some("a"), None]), ",a,");
        assert_eq!(PLAIN.row(std::iter::empty()).unwrap(), "");
    }

    #[test]
    fn tools_differ() {
        let salesforce = Form { null: "#N/A", empty: "#N/A", ..PLAIN };
        assert_eq!(texts(&salesforce, &[None, Some(""), Some("#N/A"), Some("#N")]), "#N/A,#N/A,\"#N/A\",#N");
        let splio = Form { separator: ';', one_line: true, longest: Some(3), ..PLAIN };
        assert_eq!(texts(&splio, &[Some("a\r\nb"), Some("éèàç"), Some("a,b")]), "a b;éèà;a,b");
        let french = Form { separator: ';', decimal_point: ',', ..PLAIN };
        let row = [(Cell::Number, Some("-1.5")), (Cell::Number, None), (Cell::Plain, Some("2026-01-02"))];
        assert_eq!(french.row(row.into_iter()).unwrap(), "\"-1,5\";;2026-01-02");
        assert_eq!(PLAIN.row(row.into_iter()).unwrap(), "-1.5,,2026-01-02");
        let all = Form { quote_texts: true, ..PLAIN };
        assert_eq!(
            all.row([(Cell::Text, Some("a")), (Cell::Number, Some("1"))].into_iter()).unwrap(),
            "\"a\",1"
        );
    }

    /// A reader by the grammar of RFC 4180, letter by letter; None is a field without quotes and without letters.
    fn read(row: &str, separator: char) -> Vec<Option<String>> {
        let mut fields: Vec<Option<String>> = vec![None];
        let mut letters = row.chars().peekable();
        let mut inside = false;
        while let Some(c) = letters.next() {
            let field = fields.last_mut().expect("there is always one");
            match c {
                '"' if inside && letters.peek() == Some(&'"') => {
                    letters.next();
                    field.get_or_insert_default().push('"');
                }
                '"' => {
                    inside = !inside;
                    field.get_or_insert_default();
                }
                c if c == separator && !inside => fields.push(None),
                c => field.get_or_insert_default().push(c),
            }
        }
        fields
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            values in prop::collection::vec(prop::option::of("[a-z ,;\"\n\t\u{a0}é]{0,6}"), 1..6),
            separator in prop::sample::select(vec![',', ';', '|', '\t']),
            quote_texts in any::<bool>(),
        ) {
            let form = Form { separator, quote_texts, ..PLAIN };
            let given: Vec<Option<&str>> = values.iter().map(Option::as_deref).collect();
            prop_assert_eq!(read(&texts(&form, &given), separator), values);
        }
    }
}
