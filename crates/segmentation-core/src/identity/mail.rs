//! E-mail addresses as keys of persons.

use crate::b2b::email;

/// Providers that deliver an address with and without dots to the same person.
const DOTS_IGNORED: &[&str] = &["gmail.com"];

/// Domains of one provider under which the same names are the same persons, with the one that is kept.
const SAME_PROVIDER: &[(&str, &str)] = &[
    ("googlemail.com", "gmail.com"),
    ("mac.com", "icloud.com"),
    ("me.com", "icloud.com"),
    ("pm.me", "proton.me"),
    ("protonmail.ch", "proton.me"),
    ("protonmail.com", "proton.me"),
];

/// An address in one form: small letters, without tags (`+news`), without the dots that the provider ignores, the
/// provider's domains as one. `None` if it is no address.
///
/// It is a key to compare by, and not to write to: a provider that the list does not know may tell dots apart.
#[must_use]
pub fn normalize(address: &str) -> Option<String> {
    let (local, domain) = email::parts(address)?;
    let domain = SAME_PROVIDER.iter().find(|pair| pair.0 == domain).map_or(domain.as_str(), |pair| pair.1);
    let name = local.split('+').next().unwrap_or_default().trim_end_matches('.');
    let name = if name.is_empty() { &local } else { name };
    let name = if DOTS_IGNORED.contains(&domain) { name.replace('.', "") } else { name.to_owned() };
    Some(format!("{name}@{domain}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_form() {
        for (written, kept) in [
            (" Jean.Dupont+Promo@GMail.com ", "jeandupont@gmail.com"),
            ("jeandupont@googlemail.com", "jeandupont@gmail.com"),
            ("jean.dupont@orange.fr", "jean.dupont@orange.fr"),
            ("a+b@sub.exemple.fr", "a@sub.exemple.fr"),
            ("+tag@exemple.fr", "+tag@exemple.fr"),
            ("Anne@me.com", "anne@icloud.com"),
        ] {
            assert_eq!(normalize(written).as_deref(), Some(kept), "{written}");
        }
        for wrong in ["", "jean", "jean@", "@x.fr", "a b@x.fr", "a@b"] {
            assert_eq!(normalize(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn twice_is_once(name in "[a-zA-Z.+]{1,12}", domain in "(gmail|me|exemple)\\.com") {
            if let Some(once) = normalize(&format!("{name}@{domain}")) {
                prop_assert_eq!(normalize(&once), Some(once));
            }
        }
    }
}
