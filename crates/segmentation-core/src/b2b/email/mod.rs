//! E-mail addresses: their domain, whether they belong to a role or to a person, whether a free provider.
//!
//! The form of an address is checked by the crate `email_address`, where a domain ends by `psl`, the public suffix
//! list; [`words`] has the lists that are nowhere else.

mod words;

use std::sync::LazyLock;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::base::spelling::fold;
use words::{FREE_DOMAINS, FREE_NAMES, PLACES, ROLES};

/// Longest text that is looked at: no address is longer.
const LONGEST: usize = 512;

/// Local part and domain of an address, in lower case: what a mailing can use, not all that RFC 5322 allows.
///
/// No quotes, no name around it, no address of a machine; nothing invisible, which the RFCs for other alphabets allow.
pub(crate) fn parts(address: &str) -> Option<(String, String)> {
    if address.len() > LONGEST {
        return None;
    }
    let address: String = address.trim().trim_start_matches('<').trim_end_matches('>').nfc().collect();
    let options = Options::default().with_required_tld().without_domain_literal().without_display_text();
    let address = EmailAddress::parse_with_options(&address, options).ok()?;
    let local = address.local_part();
    let visible =
        !local.starts_with('"') && local.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric());
    visible.then_some(())?;
    Some((local.to_lowercase(), domain_of(address.domain())?))
}

/// A domain name in its one form, if it is one: small letters, composed, no punycode (UTS 46). Letters of other alphabets
/// are accepted (IDN); signs, which the form of an address allows, are not, nor is a top that is a number.
fn domain_of(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let (text, read) = idna::domain_to_unicode(text);
    read.ok()?;
    let (_, top) = text.rsplit_once('.')?;
    // Marks belong to the letters of other alphabets, and are no letters.
    let is_name = text.chars().all(|c| matches!(c, '-' | '.') || c.is_alphanumeric() || is_combining_mark(c));
    let top_is_name = top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit());
    let ascii = idna::domain_to_ascii(&text).ok()?;
    (is_name && top_is_name && ascii.len() <= 253 && EmailAddress::is_valid_domain(&ascii)).then_some(text)
}

/// The domain of an address, or of a domain name.
fn domain_of_either(address_or_domain: &str) -> Option<String> {
    domain(address_or_domain).or_else(|| domain_of(address_or_domain.trim()))
}

/// The domain of an address, in lower case; `None` if it is not an address.
#[must_use]
pub fn domain(address: &str) -> Option<String> {
    parts(address).map(|(_, domain)| domain)
}

/// The part of the domain of an address, or of a domain name, that somebody registered: `example.co.uk` of
/// `mail.example.co.uk`. `None` if it is neither, or all of it is a public suffix (`co.uk`).
#[must_use]
pub fn registered_domain(address_or_domain: &str) -> Option<String> {
    let domain = domain_of_either(address_or_domain)?;
    psl::domain_str(&domain).map(str::to_owned)
}

/// Whether an address belongs to a role (`contact@`, `compta2@`, `service-client+fr@`, `info.lyon@`) rather than to a
/// person.
/// Compared without `+tag`, digits, separators, accents and case. `None` if it is not an address.
#[must_use]
pub fn is_role(address: &str) -> Option<bool> {
    let (local, _) = parts(address)?;
    let name = fold(local.split('+').next().unwrap_or_default());
    let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
    let is_role = |text: &str| ROLES.contains(&letters(text).as_str());
    let of_a_place = || {
        let (role, place) = name.rsplit_once(['.', '-', '_'])?;
        Some(is_role(role) && PLACES.contains(&letters(place).as_str()))
    };
    Some(is_role(&name) || of_a_place() == Some(true))
}

/// Whether an address, or a domain, is of a provider for private persons (gmail.com, orange.fr, ...): such a
/// domain says nothing of a company. `None` if it is neither.
#[must_use]
pub fn is_freemail(address_or_domain: &str) -> Option<bool> {
    let domain = domain_of_either(address_or_domain)?;
    Some(FREE_DOMAINS.contains(&domain.as_str()) || is_name_of_provider(&domain))
}

/// The list of the crate `mailchecker` in order: it looks at all of its 55,000 for each question itself.
static DISPOSABLE: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut list = mailchecker::blacklist();
    list.sort_unstable();
    list
});

/// Whether an address, or a domain, is of a provider of addresses to throw away (yopmail.com, ...), by the list of
/// the crate `mailchecker`, or below one. `None` if it is neither.
#[must_use]
pub fn is_disposable(address_or_domain: &str) -> Option<bool> {
    let domain = domain_of_either(address_or_domain)?;
    let ascii = idna::domain_to_ascii(&domain).ok()?;
    let ends = ascii.match_indices('.').map(|(at, _)| &ascii[at + 1..]);
    Some(std::iter::once(&*ascii).chain(ends).any(|end| DISPOSABLE.binary_search(&end).is_ok()))
}

/// Whether a provider with many countries stands before the suffix of a country (`fr`, `co.uk`, `com.br`), or
/// before `com` or `net`.
fn is_name_of_provider(domain: &str) -> bool {
    let Some(suffix) = psl::suffix(domain.as_bytes()).filter(|suffix| suffix.typ() == Some(psl::Type::Icann))
    else {
        return false;
    };
    let Some(name) = domain.len().checked_sub(suffix.as_bytes().len() + 1) else { return false };
    let top = domain.rsplit('.').next().unwrap_or_default();
    FREE_NAMES.contains(&&domain[..name]) && (top.len() == 2 || matches!(top, "com" | "net"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn domains() {
        assert_eq!(domain(" Jean.Dupont@Exemple.FR ").as_deref(), Some("exemple.fr"));
        assert_eq!(domain("<a+b@sub.example.co.uk>").as_deref(), Some("sub.example.co.uk"));
        for written in
            ["info@société.fr", "info@socie\u{301}te\u{301}.fr", "INFO@SOCIÉTÉ.FR", "info@xn--socit-esab.fr"]
        {
            assert_eq!(domain(written).as_deref(), Some("société.fr"), "{written}");
        }
        assert_eq!(is_disposable("a@yopmail.com"), Some(true));
        assert_eq!(is_disposable("yopmail.com"), Some(true));
        assert_eq!(is_disposable("a@mail.yopmail.com"), Some(true));
        assert_eq!(is_disposable("a@notyopmail.com"), Some(false));
        assert_eq!(is_disposable("a@gmail.com"), Some(false));
        assert_eq!(is_disposable("a"), None);
        assert_eq!(is_freemail("a@yopmail.com"), Some(false));
        for bad in [
            "",
            "@",
            "a@",
            "@b.fr",
            "a@b",
            "a b@c.fr",
            "a@b@c.fr",
            "a@-b.fr",
            "a@b..fr",
            "a@b.1",
            "a@192.168.0.1",
            ".a@b.fr",
            "a.@b.fr",
            "a,b@c.fr",
            "a@b.fr\n,c@d.fr",
            "\"a\"@b.fr",
            "a\u{a0}b@c.fr",
            "a\u{200b}@c.fr",
            "a@b_c.fr",
            "a@b!c.fr",
            "a@[127.0.0.1]",
            "A <a@b.fr>",
        ] {
            assert_eq!(domain(bad), None, "{bad}");
            assert_eq!(is_role(bad), None, "{bad}");
        }
    }

    #[test]
    fn roles_and_persons() {
        for role in [
            "contact@a.fr",
            "CONTACT@A.FR",
            "info2@a.fr",
            "no-reply@a.com",
            "service.client@a.fr",
            "Comptabilité@a.fr",
            "sales+fr@a.com",
            "webmaster@a.fr",
            "list-request@a.org",
            "mairie@ville.fr",
            "r.h@a.fr",
            "compta_75@a.fr",
            "direction.generale@a.fr",
            "info.fr@a.com",
            "info.lyon@a.fr",
        ] {
            assert_eq!(is_role(role), Some(true), "{role}");
        }
        for person in ["jean.dupont@a.fr", "m.martin2@a.fr", "info.dupont@a.fr", "salesse@a.fr", "2@a.fr"] {
            assert_eq!(is_role(person), Some(false), "{person}");
        }
    }

    #[test]
    fn providers() {
        for free in [
            "a@gmail.com",
            "a@yahoo.co.uk",
            "a@hotmail.fr",
            "wanadoo.fr",
            "A@ORANGE.FR",
            "a@gmx.de",
            "a@live.com.mx",
            "a@gmx.net",
            "a@outlook.com.br",
            "laposte.net",
            "a@netcourrier.com",
            "a@tuta.io",
            "a@interia.eu",
            "a@posteo.net",
            "x1@privaterelay.appleid.com",
        ] {
            assert_eq!(is_freemail(free), Some(true), "{free}");
        }
        for company in [
            "a@laposte.fr",
            "a@orange.com",
            "a@free.example.fr",
            "a@live.events",
            "a@live.biz",
            "a@yahoo.ab.cd",
            "gmail.example.com",
            "a@mygmail.com",
        ] {
            assert_eq!(is_freemail(company), Some(false), "{company}");
        }
        for neither in ["", "gmail", "a b", "@gmail.com"] {
            assert_eq!(is_freemail(neither), None, "{neither}");
        }
    }

    #[test]
    fn lists_are_in_order() {
        for list in [words::ROLES, words::FREE_NAMES, words::FREE_DOMAINS, words::PLACES] {
            assert!(list.is_sorted_by(|a, b| a < b));
        }
        // Every provider is a domain that somebody registered.
        for domain in words::FREE_DOMAINS.iter().filter(|d| **d != "privaterelay.appleid.com") {
            assert_eq!(registered_domain(domain).as_deref(), Some(*domain));
        }
    }

    #[test]
    fn registered_domains() {
        for (written, registered) in [
            ("a@mail.example.co.uk", Some("example.co.uk")),
            ("a@b.example.fr", Some("example.fr")),
            ("WWW.Exemple.FR", Some("exemple.fr")),
            ("a@x.y.asso.fr", Some("y.asso.fr")),
            ("a@b.société.fr", Some("société.fr")),
            ("a@shop.blogspot.com", Some("shop.blogspot.com")),
            ("a@mail.example.nosuchtop", Some("example.nosuchtop")),
            ("a@co.uk", None),
            ("gouv.fr", None),
            ("fr", None),
            ("", None),
            ("a b", None),
        ] {
            assert_eq!(registered_domain(written).as_deref(), registered, "{written}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,40}") {
            prop_assert_eq!(domain(&text).is_some(), is_role(&text).is_some());
            prop_assert!(registered_domain(&text).is_none_or(|domain| registered_domain(&domain) == Some(domain.clone())));
            let _ = is_freemail(&text);
        }
    }
}
