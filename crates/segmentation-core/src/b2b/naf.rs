//! NAF, the French classification of activities, in its two versions: sections and divisions.
//!
//! NAF rév. 2 (decree 2007-1888; NACE Rev. 2) has 21 sections and 88 divisions. NAF 2025 (decree
//! 2025-736; NACE Rev. 2.1) applies from 1 January 2027, has 22 sections and 87
//! divisions, and gives most section letters another meaning: J is information and communication in the
//! one, publishing and broadcasting in the other. So the version is always said.

/// A version of the classification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// NAF rév. 2, 2008 to 2026.
    Rev2,
    /// NAF 2025, from 2027.
    Naf2025,
}

impl Version {
    /// Both, the older first.
    pub const ALL: [Version; 2] = [Version::Rev2, Version::Naf2025];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Version::Rev2 => "rev2",
            Version::Naf2025 => "2025",
        }
    }

    /// The version of a code; `None` if there is none such.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Version::ALL.into_iter().find(|version| version.code() == code)
    }

    /// Sections: letter, first and last division.
    fn sections(self) -> &'static [(&'static str, u8, u8)] {
        match self {
            Version::Rev2 => &REV2,
            Version::Naf2025 => &NAF_2025,
        }
    }

    fn has(self, division: u8) -> bool {
        match division {
            4 | 34 | 40 | 44 | 48 | 54 | 57 | 67 | 76 | 83 | 89 => false,
            45 => self == Version::Rev2,
            division => (1..=99).contains(&division),
        }
    }

    /// Every section and division, in order.
    pub fn divisions(self) -> impl Iterator<Item = (&'static str, u8)> {
        self.sections()
            .iter()
            .flat_map(|(section, first, last)| (*first..=*last).map(move |division| (*section, division)))
            .filter(move |(_, division)| self.has(*division))
    }
}

const REV2: [(&str, u8, u8); 21] = [
    ("A", 1, 3),
    ("B", 5, 9),
    ("C", 10, 33),
    ("D", 35, 35),
    ("E", 36, 39),
    ("F", 41, 43),
    ("G", 45, 47),
    ("H", 49, 53),
    ("I", 55, 56),
    ("J", 58, 63),
    ("K", 64, 66),
    ("L", 68, 68),
    ("M", 69, 75),
    ("N", 77, 82),
    ("O", 84, 84),
    ("P", 85, 85),
    ("Q", 86, 88),
    ("R", 90, 93),
    ("S", 94, 96),
    ("T", 97, 98),
    ("U", 99, 99),
];

const NAF_2025: [(&str, u8, u8); 22] = [
    ("A", 1, 3),
    ("B", 5, 9),
    ("C", 10, 33),
    ("D", 35, 35),
    ("E", 36, 39),
    ("F", 41, 43),
    ("G", 46, 47),
    ("H", 49, 53),
    ("I", 55, 56),
    ("J", 58, 60),
    ("K", 61, 63),
    ("L", 64, 66),
    ("M", 68, 68),
    ("N", 69, 75),
    ("O", 77, 82),
    ("P", 84, 84),
    ("Q", 85, 85),
    ("R", 86, 88),
    ("S", 90, 93),
    ("T", 94, 96),
    ("U", 97, 98),
    ("V", 99, 99),
];

/// A code as it was read: its digits, and the letter of a sub-class.
struct Code {
    division: u8,
    letter: Option<u8>,
}

/// `62.01Z`, `6201Z`, `62.01`, `62.0`, `62`, with spaces and in either case.
fn read(code: &str) -> Option<Code> {
    if code.len() > 16 {
        return None;
    }
    let mut digits = [0_u8; 4];
    let mut count = 0;
    let mut letter = None;
    for c in code.trim().chars() {
        match c {
            '.' | ' ' if count >= 2 && letter.is_none() => {}
            '0'..='9' if count < 4 && letter.is_none() => {
                digits[count] = c as u8 - b'0';
                count += 1;
            }
            'a'..='z' | 'A'..='Z' if count == 4 && letter.is_none() => {
                letter = Some(c.to_ascii_uppercase() as u8)
            }
            _ => return None,
        }
    }
    (count >= 2).then_some(Code { division: digits[0] * 10 + digits[1], letter })
}

/// The version that a sub-class can only belong to, by its letter: A to F and Z in NAF rév. 2, G to
/// Y in NAF 2025. `None` for codes without a letter.
#[must_use]
pub fn version(code: &str) -> Option<Version> {
    let code = read(code)?;
    let version = of_letter(code.letter?);
    version.has(code.division).then_some(version)
}

fn of_letter(letter: u8) -> Version {
    if matches!(letter, b'A'..=b'F' | b'Z') { Version::Rev2 } else { Version::Naf2025 }
}

/// The division of a code, 1 to 99; `None` if the version has no such code.
#[must_use]
pub fn division(code: &str, version: Version) -> Option<u8> {
    let code = read(code)?;
    let fits = code.letter.is_none_or(|letter| of_letter(letter) == version);
    (fits && version.has(code.division)).then_some(code.division)
}

/// The section letter of a code; `None` if the version has no such code.
#[must_use]
pub fn section(code: &str, version: Version) -> Option<&'static str> {
    let division = division(code, version)?;
    version
        .sections()
        .iter()
        .find(|(_, first, last)| (*first..=*last).contains(&division))
        .map(|(section, ..)| *section)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_are_complete() {
        for (version, sections, divisions) in [(Version::Rev2, 21, 88), (Version::Naf2025, 22, 87)] {
            assert_eq!(version.sections().len(), sections);
            assert_eq!(version.divisions().count(), divisions);
            for (letter, number) in version.divisions() {
                assert_eq!(section(&format!("{number:02}"), version), Some(letter));
            }
        }
    }

    #[test]
    fn forms_of_a_code() {
        for code in ["62.01Z", "6201Z", " 62.01z ", "62 01 Z", "62.01", "6201", "62.0", "62"] {
            assert_eq!(section(code, Version::Rev2), Some("J"), "{code}");
        }
        for code in ["62.10Y", "6210y", "62.10", "62"] {
            assert_eq!(section(code, Version::Naf2025), Some("K"), "{code}");
        }
        for code in
            ["", "6", "J", "04", "44.00Z", "62.01ZZ", "62.011Z", "62-01Z", "6.201Z", "é2.01Z", "00", "62Z"]
        {
            assert_eq!(section(code, Version::Rev2), None, "{code}");
        }
    }

    #[test]
    fn a_code_of_the_other_version_is_refused() {
        assert_eq!(section("62.01Z", Version::Naf2025), None);
        assert_eq!(section("62.10Y", Version::Rev2), None);
        assert_eq!(section("45.11Z", Version::Naf2025), None);
        assert_eq!(section("45", Version::Naf2025), None);
        assert_eq!(version("85.59A"), Some(Version::Rev2));
        assert_eq!(version("85.59G"), Some(Version::Naf2025));
        assert_eq!(version("62.01"), None);
        assert_eq!(version("45.11Y"), None);
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,20}") {
            let _ = (section(&text, Version::Rev2), version(&text));
        }
    }
}
