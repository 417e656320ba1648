//! What kind of company: its size and what its legal form says.

/// Size classes of the decree 2008-1354, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// Microenterprise (TPE): under 10 persons, and turnover or balance sheet up to 2 million.
    Micro,
    /// Small and medium-sized: under 250 persons, turnover up to 50 or balance sheet up to 43 million.
    Pme,
    /// Intermediate: under 5,000 persons, turnover up to 1,500 or balance sheet up to 2,000 million.
    Eti,
    /// Large: all others.
    Ge,
}

impl Size {
    /// All, in ascending order.
    pub const ALL: [Size; 4] = [Size::Micro, Size::Pme, Size::Eti, Size::Ge];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Size::Micro => "micro",
            Size::Pme => "pme",
            Size::Eti => "eti",
            Size::Ge => "ge",
        }
    }
}

/// Size of a company whose figures are all known: headcount in annual work units, turnover
/// without tax and balance sheet total in euros, of the last closed year (article 3 of the decree).
///
/// Micro is a subset of PME in the decree; here each company has the smallest class that it fits.
#[must_use]
pub fn size(headcount: f64, turnover: f64, balance_sheet: f64) -> Size {
    const MILLION: f64 = 1e6;
    let fits = |heads: f64, most_turnover: f64, most_balance: f64| {
        headcount < heads && (turnover <= most_turnover * MILLION || balance_sheet <= most_balance * MILLION)
    };
    if fits(10.0, 2.0, 2.0) {
        Size::Micro
    } else if fits(250.0, 50.0, 43.0) {
        Size::Pme
    } else if fits(5000.0, 1500.0, 2000.0) {
        Size::Eti
    } else {
        Size::Ge
    }
}

/// The least and the greatest size that the known figures leave possible. What is missing,
/// negative or not a number is unknown. Size grows with every figure, so that the
/// bounds come from the least and the greatest value of what is unknown.
#[must_use]
pub fn size_bounds(
    headcount: Option<f64>,
    turnover: Option<f64>,
    balance_sheet: Option<f64>,
) -> (Size, Size) {
    let known = |figure: Option<f64>| figure.filter(|figure| figure.is_finite() && *figure >= 0.0);
    let figures = [known(headcount), known(turnover), known(balance_sheet)];
    let with = |unknown: f64| {
        let [headcount, turnover, balance_sheet] = figures.map(|figure| figure.unwrap_or(unknown));
        size(headcount, turnover, balance_sheet)
    };
    (with(0.0), with(f64::INFINITY))
}

/// What an organisation is, by its legal form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Organisation {
    /// A commercial company, cooperative, mutual insurer or civil company.
    Company,
    /// A company that holds others.
    Holding,
    /// An association.
    Association,
    /// An association recognised as of public benefit, or a foundation.
    Ngo,
    /// The state, local authorities, and what belongs to them.
    PublicBody,
    /// A person trading under the own name.
    Independent,
    /// All else: co-owners, foreign legal persons, works councils, pension funds, ...
    Other,
}

impl Organisation {
    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Organisation::Company => "company",
            Organisation::Holding => "holding",
            Organisation::Association => "association",
            Organisation::Ngo => "ngo",
            Organisation::PublicBody => "public_body",
            Organisation::Independent => "independent",
            Organisation::Other => "other",
        }
    }
}

/// The digits of a legal category (INSEE, *catégorie juridique*) of one, two or four digits.
fn category(code: &str) -> Option<&str> {
    let code = code.trim();
    let known = matches!(code.len(), 1 | 2 | 4) && code.bytes().all(|b| b.is_ascii_digit());
    (known && !code.starts_with('0')).then_some(code)
}

/// Type of an organisation by its legal category at any of its three levels (one, two or four
/// digits); `None` if it is not one. A company whose activity (NAF, either version)
/// is 64.20, 64.21 (holdings) or 70.10 (head offices) is a holding.
///
/// NGO is no legal form in France: here it is an association recognised as of public
/// benefit (9230) or a foundation (93).
#[must_use]
pub fn organisation(legal_category: &str, naf: Option<&str>) -> Option<Organisation> {
    let code = category(legal_category)?;
    let holds = || {
        let digits: String = head_of_naf(naf.unwrap_or_default());
        matches!(digits.as_str(), "6420" | "6421" | "7010")
    };
    Some(match code.as_bytes()[0] {
        b'1' => Organisation::Independent,
        b'4' | b'7' => Organisation::PublicBody,
        b'5' | b'6' if holds() => Organisation::Holding,
        b'5' | b'6' => Organisation::Company,
        b'9' if code == "9230" || code.starts_with("93") => Organisation::Ngo,
        b'9' if code.starts_with("92") => Organisation::Association,
        _ => Organisation::Other,
    })
}

fn head_of_naf(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).take(4).collect()
}

/// Whether a legal category is public: legal persons of public law, commercial or not. `None` if
/// it is not a legal category.
#[must_use]
pub fn is_public(legal_category: &str) -> Option<bool> {
    category(legal_category).map(|code| matches!(code.as_bytes()[0], b'4' | b'7'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The cases worked out from the text of the decree.
    #[test]
    fn sizes_of_the_decree() {
        const M: f64 = 1e6;
        for (headcount, turnover, balance, size_expected) in [
            (5.0, 3.0 * M, M, Size::Micro),
            (9.0, 3.0 * M, 3.0 * M, Size::Pme),
            (10.0, M, M, Size::Pme),
            (249.0, 60.0 * M, 40.0 * M, Size::Pme),
            (100.0, 60.0 * M, 50.0 * M, Size::Eti),
            (250.0, M, M, Size::Eti),
            (4999.0, 1600.0 * M, 2100.0 * M, Size::Ge),
            (5000.0, M, M, Size::Ge),
            (9.99, 2.0 * M, 9.0 * M, Size::Micro),
            (4999.0, 1500.0 * M, 2100.0 * M, Size::Eti),
        ] {
            assert_eq!(size(headcount, turnover, balance), size_expected);
            assert_eq!(
                size_bounds(Some(headcount), Some(turnover), Some(balance)),
                (size_expected, size_expected)
            );
        }
    }

    #[test]
    fn unknown_figures_give_bounds() {
        assert_eq!(size_bounds(Some(5.0), None, None), (Size::Micro, Size::Ge));
        assert_eq!(size_bounds(Some(5.0), Some(1e6), None), (Size::Micro, Size::Micro));
        assert_eq!(size_bounds(Some(300.0), Some(1e6), None), (Size::Eti, Size::Eti));
        assert_eq!(size_bounds(Some(300.0), None, None), (Size::Eti, Size::Ge));
        assert_eq!(size_bounds(None, Some(1e6), None), (Size::Micro, Size::Ge));
        assert_eq!(size_bounds(Some(6000.0), None, None), (Size::Ge, Size::Ge));
        assert_eq!(size_bounds(Some(f64::NAN), Some(-1.0), Some(f64::INFINITY)), (Size::Micro, Size::Ge));
    }

    #[test]
    fn legal_forms() {
        for (code, naf, expected) in [
            ("1000", None, Organisation::Independent),
            ("5710", None, Organisation::Company),
            ("5710", Some("64.20Z"), Organisation::Holding),
            ("5499", Some("6421Y"), Organisation::Holding),
            ("5499", Some("70.10Z"), Organisation::Holding),
            ("6540", Some("68.20A"), Organisation::Company),
            ("9220", Some("64.20Z"), Organisation::Association),
            ("9230", None, Organisation::Ngo),
            ("9300", None, Organisation::Ngo),
            ("93", None, Organisation::Ngo),
            ("7210", None, Organisation::PublicBody),
            ("4110", None, Organisation::PublicBody),
            ("9110", None, Organisation::Other),
            ("8210", None, Organisation::Other),
            ("3120", None, Organisation::Other),
            (" 5 ", None, Organisation::Company),
        ] {
            assert_eq!(organisation(code, naf), Some(expected), "{code}");
        }
        for bad in ["", "0", "571", "57100", "5A", "ABCD", "٥"] {
            assert_eq!(organisation(bad, None), None, "{bad}");
            assert_eq!(is_public(bad), None, "{bad}");
        }
        assert_eq!(is_public("7210"), Some(true));
        assert_eq!(is_public("5710"), Some(false));
    }

    proptest! {
        #[test]
        fn bounds_hold_whatever_the_unknown_is(h in 0.0..6000.0_f64, t in 0.0..2e9_f64, b in 0.0..3e9_f64, mask in 0..8_u8) {
            let part = |bit: u8, figure: f64| (mask >> bit & 1 == 1).then_some(figure);
            let (least, most) = size_bounds(part(0, h), part(1, t), part(2, b));
            prop_assert!((least..=most).contains(&size(h, t, b)));
        }

        #[test]
        fn any_text_as_legal_category(text in ".{0,12}", naf in ".{0,12}") {
            let _ = organisation(&text, Some(&naf));
        }
    }
}
