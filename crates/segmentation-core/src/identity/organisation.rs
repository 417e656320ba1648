//! Names of companies in one form.

use super::words;

/// Legal forms and words that companies write or leave out.
const FORMS: &[&str] = &[
    "aarpi",
    "ab",
    "ag",
    "ap",
    "aps",
    "asbl",
    "association",
    "bhd",
    "bv",
    "bvba",
    "cie",
    "co",
    "company",
    "compagnie",
    "corp",
    "corporation",
    "earl",
    "ei",
    "eirl",
    "ets",
    "etablissement",
    "etablissements",
    "eurl",
    "gaec",
    "gie",
    "gmbh",
    "groupe",
    "group",
    "holding",
    "inc",
    "incorporated",
    "kft",
    "kg",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "ltda",
    "mbh",
    "nv",
    "oy",
    "oyj",
    "plc",
    "pte",
    "pty",
    "sa",
    "sagl",
    "sarl",
    "sarlu",
    "sas",
    "sasu",
    "sc",
    "sca",
    "scea",
    "sci",
    "scm",
    "scop",
    "scp",
    "scs",
    "sel",
    "selarl",
    "selas",
    "sem",
    "sep",
    "sl",
    "slu",
    "snc",
    "societe",
    "soc",
    "spa",
    "spol",
    "sprl",
    "srl",
    "ste",
    "ug",
];

/// Words that join names and say nothing.
const JOINTS: &[&str] =
    &["and", "d", "de", "des", "du", "et", "fils", "l", "la", "le", "les", "of", "the", "und", "y"];

/// A company's name in one form: small letters without accents, without its legal form and without the words that
/// join: `Sté des Éts DUPONT & Cie, S.A.R.L.` is `dupont`. A name of nothing else stays as it is. `None` without a letter or
/// digit.
#[must_use]
pub fn normalize(name: &str) -> Option<String> {
    let all = words(name)?;
    let own: Vec<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|word| !FORMS.contains(word) && !JOINTS.contains(word))
        .collect();
    Some(if own.is_empty() { all.join(" ") } else { own.join(" ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for (written, kept) in [
            ("Sté des Éts DUPONT & Cie, S.A.R.L.", "dupont"),
            ("DUPONT SARL", "dupont"),
            ("L'Oréal S.A.", "oreal"),
            ("Société Générale", "generale"),
            ("Smith and Sons Ltd.", "smith sons"),
            ("Müller GmbH & Co. KG", "muller"),
            ("La Compagnie des SAS", "la compagnie des sas"),
            ("3M", "3m"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(kept), "{written}");
        }
        assert_eq!(normalize(" - "), None);
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,60}") {
            if let Some(once) = normalize(&text) {
                prop_assert_eq!(normalize(&once), Some(once));
            }
        }
    }
}
