//! E-mail addresses: their domain, whether they belong to a role or to a person, whether a free provider.

use super::fold;

/// Local part and domain of an address.
///
/// One `@` between a local part of at most 64 bytes and a domain of at least two labels, no space
/// anywhere: what a mailing can use, not all that RFC 5321 allows.
fn parts(address: &str) -> Option<(String, String)> {
    if address.len() > 512 {
        return None;
    }
    let address = address.trim().trim_start_matches('<').trim_end_matches('>');
    let (local, domain) = address.split_once('@')?;
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"()<>[]:;,\\\"@".contains(c));
    local_fits.then_some(())?;
    Some((local.to_lowercase(), domain_of(domain)?))
}

/// A domain name in lower case, if it is one. Letters of other alphabets are accepted (IDN).
fn domain_of(text: &str) -> Option<String> {
    if text.len() > 253 || !text.contains('.') {
        return None;
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c == '-' || c.is_alphanumeric())
    };
    let top_is_a_name =
        text.rsplit('.').next().is_some_and(|top| top.len() >= 2 && !top.bytes().all(|b| b.is_ascii_digit()));
    (top_is_a_name && text.split('.').all(label)).then(|| text.to_lowercase())
}

/// The domain of an address, in lower case; `None` if it is not an address.
#[must_use]
pub fn domain(address: &str) -> Option<String> {
    parts(address).map(|(_, domain)| domain)
}

/// Names of roles, without separators: RFC 2142, what sending services refuse, and the French
/// names of the same. In alphabetical order.
const ROLES: &[&str] = &[
    "abuse",
    "accounting",
    "accounts",
    "accueil",
    "achat",
    "achats",
    "admin",
    "administrateur",
    "administration",
    "administrator",
    "adv",
    "agence",
    "all",
    "assistance",
    "atelier",
    "atendimento",
    "billing",
    "bonjour",
    "boutique",
    "bureau",
    "business",
    "cabinet",
    "campus",
    "career",
    "careers",
    "ce",
    "clientservice",
    "clients",
    "commande",
    "commandes",
    "commercial",
    "communication",
    "compta",
    "comptabilite",
    "contact",
    "contacts",
    "contactus",
    "courrier",
    "cse",
    "customercare",
    "customerservice",
    "devis",
    "devnull",
    "direction",
    "dns",
    "documentation",
    "dpo",
    "drh",
    "email",
    "emploi",
    "enquiries",
    "enquiry",
    "everyone",
    "expedition",
    "export",
    "facturation",
    "factures",
    "feedback",
    "finance",
    "formation",
    "ftp",
    "gestion",
    "hello",
    "help",
    "helpdesk",
    "hostmaster",
    "hotel",
    "hr",
    "info",
    "infos",
    "information",
    "informations",
    "informatique",
    "inscription",
    "inscriptions",
    "inoc",
    "invoice",
    "invoices",
    "ispfeedback",
    "ispsupport",
    "jobs",
    "juridique",
    "legal",
    "list",
    "listrequest",
    "livraison",
    "logistique",
    "magasin",
    "mail",
    "mailbox",
    "maildaemon",
    "mailerdaemon",
    "mairie",
    "marketing",
    "media",
    "moderator",
    "news",
    "newsletter",
    "noc",
    "noreply",
    "nepasrepondre",
    "notifications",
    "office",
    "order",
    "orders",
    "paie",
    "phish",
    "phishing",
    "poste",
    "postmaster",
    "presse",
    "press",
    "privacy",
    "production",
    "projets",
    "qualite",
    "reception",
    "reclamation",
    "reclamations",
    "recrutement",
    "registrar",
    "remove",
    "request",
    "reservation",
    "reservations",
    "restaurant",
    "rh",
    "rgpd",
    "root",
    "sales",
    "sav",
    "secretariat",
    "security",
    "service",
    "serviceclient",
    "serviceclients",
    "siege",
    "spam",
    "standard",
    "subscribe",
    "support",
    "sysadmin",
    "team",
    "tech",
    "technique",
    "test",
    "travaux",
    "undisclosedrecipients",
    "unsubscribe",
    "usenet",
    "users",
    "uucp",
    "vente",
    "ventes",
];

/// Roles that would otherwise not fit the table above: web names.
const WEB_ROLES: &[&str] = &["web", "webmail", "webmaster", "welcome", "www"];

/// Whether an address belongs to a role (`contact@`, `compta2@`, `service-client+fr@`) rather than to a person.
/// Compared without `+tag`, digits, separators, accents and case. `None` if it is not an address.
#[must_use]
pub fn is_role(address: &str) -> Option<bool> {
    let (local, _) = parts(address)?;
    let name = local.split('+').next().unwrap_or_default();
    let name: String = fold(name).chars().filter(|c| c.is_alphabetic()).collect();
    Some(ROLES.contains(&name.as_str()) || WEB_ROLES.contains(&name.as_str()))
}

/// Providers with many countries: the first label of the domain, under any short ending.
const FREE_NAMES: &[&str] = &[
    "gmail",
    "googlemail",
    "gmx",
    "hotmail",
    "live",
    "msn",
    "outlook",
    "rocketmail",
    "yahoo",
    "yandex",
    "ymail",
    "zohomail",
];

/// Domains of providers for private persons.
const FREE_DOMAINS: &[&str] = &[
    "126.com",
    "163.com",
    "9online.fr",
    "abv.bg",
    "akeonet.com",
    "alice.it",
    "aliceadsl.fr",
    "aol.com",
    "aol.fr",
    "arcor.de",
    "aruba.it",
    "att.net",
    "bbox.fr",
    "bellsouth.net",
    "bigpond.com",
    "bk.ru",
    "blueyonder.co.uk",
    "bluewin.ch",
    "btinternet.com",
    "caramail.com",
    "caramail.fr",
    "cegetel.net",
    "centrum.cz",
    "charter.net",
    "chello.at",
    "chello.nl",
    "club-internet.fr",
    "comcast.net",
    "cox.net",
    "duck.com",
    "earthlink.net",
    "email.com",
    "email.cz",
    "email.it",
    "eircom.net",
    "estvideo.fr",
    "evc.net",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freemail.hu",
    "freenet.de",
    "gawab.com",
    "hetnet.nl",
    "hey.com",
    "home.nl",
    "hushmail.com",
    "icloud.com",
    "iol.it",
    "inbox.ru",
    "inbox.com",
    "interia.pl",
    "juno.com",
    "kpnmail.nl",
    "laposte.net",
    "libero.it",
    "libertysurf.fr",
    "list.ru",
    "lycos.fr",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailo.com",
    "me.com",
    "naver.com",
    "neuf.fr",
    "noos.fr",
    "nordnet.fr",
    "ntlworld.com",
    "numericable.fr",
    "o2.pl",
    "online.de",
    "online.fr",
    "onet.pl",
    "op.pl",
    "orange.fr",
    "outlook.com.br",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "sapo.pt",
    "sbcglobal.net",
    "scarlet.be",
    "seznam.cz",
    "sfr.fr",
    "skynet.be",
    "sky.com",
    "t-online.de",
    "talktalk.net",
    "telefonica.net",
    "telenet.be",
    "tele2.fr",
    "terra.es",
    "tiscali.it",
    "tutanota.com",
    "ukr.net",
    "verizon.net",
    "virgilio.it",
    "virginmedia.com",
    "voila.fr",
    "wanadoo.fr",
    "web.de",
];

/// Further such domains.
const MORE_FREE_DOMAINS: &[&str] =
    &["wp.pl", "xs4all.nl", "ya.ru", "ziggo.nl", "zoho.com", "zoho.eu", "worldonline.fr", "tuta.com"];

/// Whether an address, or a domain, is of a provider for private persons (gmail.com, orange.fr, ...): such a
/// domain says nothing of a company. `None` if it is neither.
#[must_use]
pub fn is_freemail(address_or_domain: &str) -> Option<bool> {
    let domain = match parts(address_or_domain) {
        Some((_, domain)) => domain,
        None => domain_of(address_or_domain.trim())?,
    };
    if FREE_DOMAINS.contains(&domain.as_str()) || MORE_FREE_DOMAINS.contains(&domain.as_str()) {
        return Some(true);
    }
    let (name, ending) = domain.split_once('.')?;
    // Country endings: fr, com, co.uk, com.br.
    let short = ending.split('.').count() <= 2 && ending.split('.').all(|label| label.len() <= 3);
    Some(short && FREE_NAMES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn domains() {
        assert_eq!(domain(" Jean.Dupont@Exemple.FR ").as_deref(), Some("exemple.fr"));
        assert_eq!(domain("<a+b@sub.example.co.uk>").as_deref(), Some("sub.example.co.uk"));
        assert_eq!(domain("info@société.fr").as_deref(), Some("société.fr"));
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
            "laposte.net",
        ] {
            assert_eq!(is_freemail(free), Some(true), "{free}");
        }
        for company in [
            "a@laposte.fr",
            "a@orange.com",
            "a@free.example.fr",
            "a@live.events",
            "gmail.example.com",
            "a@mygmail.com",
        ] {
            assert_eq!(is_freemail(company), Some(false), "{company}");
        }
        for neither in ["", "gmail", "a b", "@gmail.com"] {
            assert_eq!(is_freemail(neither), None, "{neither}");
        }
    }

    proptest! {
        #[test]
        fn any_text(text in ".{0,40}") {
            prop_assert_eq!(domain(&text).is_some(), is_role(&text).is_some());
            let _ = is_freemail(&text);
        }
    }
}
