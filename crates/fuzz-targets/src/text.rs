//! Text as people write it.

use segmentation_core::axes::pmg::Mode;
use segmentation_core::axes::rfm::Rule;
use segmentation_core::b2b::{company, email, identifier, job, naf, opening_hours as hours};
use segmentation_core::base::day as days;
use segmentation_core::base::decimal::Decimal;
use segmentation_core::base::language::Language;
use segmentation_core::base::money::Money;
use segmentation_core::base::span::Span;
use segmentation_core::facts::item_history as items;
use segmentation_core::facts::purchase_history::{History, parse_text};
use segmentation_core::identity::{address, birth, mail, name, organisation, phone, similarity};
use segmentation_core::math::false_discovery;
use segmentation_core::measure::holdout;
use segmentation_core::models::profile::Method;
use segmentation_core::models::purchase_model::Family;
use segmentation_core::segments::segment::{Column, read_day};

use crate::{finite, probability};

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

pub fn history(bytes: &[u8]) {
    let Some(Ok(packed)) = text(bytes).map(parse_text) else { return };
    let history = History::validate(&packed).expect("what text gives is valid");
    assert_eq!(parse_text(&history.to_text().expect("it has a text")).expect("which is valid"), packed);
}

pub fn item_history(bytes: &[u8]) {
    let Some(Ok(packed)) = text(bytes).map(items::from_text) else { return };
    items::validate(&packed).expect("what text gives is valid");
    let lines = items::unpack(&packed).expect("and is read");
    assert_eq!(
        items::from_text(&items::to_text(&lines).expect("it has a text")).expect("which is valid"),
        packed
    );
}

pub fn email(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let domain = email::domain(text);
    assert_eq!(domain.is_some(), email::is_role(text).is_some());
    let _ = email::is_freemail(text);
    let _ = email::is_disposable(text);
    if let Some(domain) = email::registered_domain(text) {
        assert_eq!(email::registered_domain(&domain).as_deref(), Some(domain.as_str()));
    }
    if let Some(domain) = domain {
        assert_eq!(
            email::domain(&format!("a@{domain}")).as_deref(),
            Some(domain.as_str()),
            "a key is its own key"
        );
    }
}

pub fn identifier(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Some(siren) = identifier::siren(text) {
        assert_eq!(identifier::siren(&siren).as_deref(), Some(siren.as_str()));
        assert!(identifier::vat_from_siren(&siren).is_none_or(|vat| identifier::vat(&vat) == Some(true)));
    }
    if let Some(siret) = identifier::siret(text) {
        assert_eq!(identifier::siret(&siret).as_deref(), Some(siret.as_str()));
    }
    if let Some(company) = identifier::company(text) {
        assert_eq!(identifier::company(&company).as_deref(), Some(company.as_str()));
    }
    let _ = identifier::vat(text);
}

pub fn job(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let _ = (job::seniority(text), job::function(text));
    let (title, domain) = text.split_once('\n').unwrap_or((text, ""));
    let _ = job::decision_role(title, Some(domain));
}

pub fn company(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (category, code) = text.split_once('\n').unwrap_or((text, text));
    let _ = (company::organisation(category, Some(code)), company::organisation(category, None));
    let _ = company::is_public(category);
    if let Some(version) = naf::version(code) {
        assert!(naf::section(code, version).is_some(), "a code of a version has a section");
    }
    for version in naf::Version::ALL {
        assert_eq!(naf::section(code, version).is_some(), naf::division(code, version).is_some());
    }
}

pub fn opening_hours(bytes: &[u8]) {
    let mask = match text(bytes).map(hours::read) {
        None => return,
        Some(Err(refusal)) => return assert!(refusal.to_string().len() <= 2000),
        Some(Ok(mask)) => mask,
    };
    let text = mask.text();
    let again = hours::parse(&text).expect("what is written is read");
    assert_eq!(again.bytes(), mask.bytes(), "{text}");
}

pub fn decimal(bytes: &[u8]) {
    let Some(number) = text(bytes).and_then(Decimal::parse) else { return };
    let again = Decimal::parse(&number.to_string()).expect("what is written is read");
    assert!(number.compare(&again).is_eq());
    assert!(!number.to_f64().is_nan());
    if let Some(whole) = number.to_i64() {
        let _ = Decimal::of_integer(whole).compare(&number);
    }
}

pub fn money(bytes: &[u8]) {
    let Some(money) = text(bytes).and_then(Money::parse) else { return };
    assert_eq!(Money::parse(&money.to_string()), Some(money));
    finite(Some(money.to_f64()));
}

pub fn day(bytes: &[u8]) {
    if let Some(day) = text(bytes).and_then(days::parse) {
        assert_eq!(days::parse(&days::format(day).expect("a day that was read")), Some(day));
    }
    let _ = read_day(bytes);
}

/// Short names of choices, and keys.
pub fn names(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Some(span) = Span::parse(text) {
        finite(Some(span.days()));
    }
    let _ = (Family::parse(text), Method::parse(text), Mode::parse(text), Rule::parse(text));
    let _ = (Language::parse(text), false_discovery::Method::parse(text));
    let _ = (Column::parse(text), naf::Version::parse(text));
    let _ = segmentation_core::facts::event_log::response_code(text);
    probability(Some(holdout::place(text, "salt")));
    let _ = holdout::held_out(text, text, 0.5);
}

/// Two lines: what somebody wrote, twice.
pub fn identity(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let (a, b) = text.split_once('\n').unwrap_or((text, text));
    let france = phone::region("FR").expect("it is a region");
    for form in
        [mail::normalize, name::normalize, address::normalize, organisation::normalize, birth::normalize]
    {
        if let Some(once) = form(a) {
            assert!(!once.is_empty());
        }
    }
    if let Some(number) = phone::normalize(a, france) {
        assert_eq!(phone::normalize(&number, france), Some(number));
    }
    if let Some(digits) = birth::normalize(a) {
        assert!(birth::day(&digits).is_some());
    }
    let _ = (name::root(a), address::postcode(a, true));
    probability(similarity::jaro_winkler(a, b).ok());
    probability(Some(similarity::token_similarity(a, b)));
    let _ = similarity::damerau_levenshtein(a, b);
    for ear in [similarity::Ear::French, similarity::Ear::English] {
        let _ = similarity::phonetic(a, ear);
    }
}
