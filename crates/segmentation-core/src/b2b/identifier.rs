//! Company numbers: SIREN, SIRET and European VAT numbers, by their check digits.

/// Longest text that is looked at: no number with any separators is longer.
const LONGEST: usize = 64;

/// The number without the separators that people write: spaces of all kinds, dots, dashes, slashes.
fn compact(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '.' | '-' | '/' | '\u{2010}'..='\u{2014}' => {}
            c if c.is_whitespace() || c == '\u{200b}' || c == '\u{feff}' => {}
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_uppercase()),
            _ => return None,
        }
    }
    Some(out)
}

fn digits<const N: usize>(text: &str) -> Option<[u32; N]> {
    let bytes: &[u8; N] = text.as_bytes().try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then(|| bytes.map(|b| u32::from(b - b'0')))
}

fn value(digits: &[u32]) -> u64 {
    digits.iter().fold(0, |n, d| n * 10 + u64::from(*d))
}

/// A weighted sum of digits.
fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(d, w)| d * w).sum()
}

/// The nine digits of a valid SIREN.
///
/// Nine zeros satisfy Luhn and are nobody's number.
#[must_use]
pub fn siren(text: &str) -> Option<String> {
    compact(text).filter(|number| is_siren(number))
}

fn is_siren(number: &str) -> bool {
    digits::<9>(number).is_some_and(|d| luhn::valid(number) && d != [0; 9])
}

/// SIREN of La Poste, whose establishments outgrew Luhn's check digit.
const LA_POSTE: &str = "356000000";

/// The fourteen digits of a valid SIRET: a SIREN, and Luhn over all fourteen. An establishment of
/// La Poste other than its head office has a sum of digits that is a multiple of five instead.
#[must_use]
pub fn siret(text: &str) -> Option<String> {
    let number = compact(text)?;
    let d = digits::<14>(&number)?;
    if !is_siren(&number[..9]) {
        return None;
    }
    let valid = if number.starts_with(LA_POSTE) && number != "35600000000048" {
        d.iter().sum::<u32>().is_multiple_of(5)
    } else {
        luhn::valid(&number)
    };
    valid.then_some(number)
}

/// The SIREN of a SIREN or SIRET, as the key of a company.
#[must_use]
pub fn company(text: &str) -> Option<String> {
    siren(text).or_else(|| {
        siret(text).map(|mut number| {
            number.truncate(9);
            number
        })
    })
}

/// The French VAT number of a SIREN or SIRET: FR, key, SIREN; key = (12 + 3 (SIREN mod 97)) mod 97.
#[must_use]
pub fn vat_from_siren(text: &str) -> Option<String> {
    let siren = company(text)?;
    let key = (12 + 3 * (value(&digits::<9>(&siren)?) % 97)) % 97;
    Some(format!("FR{key:02}{siren}"))
}

/// Countries whose VAT numbers begin so: the European Union, Northern Ireland, Greece as EL.
const EUROPEAN: [&str; 28] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HR", "HU", "IE", "IT", "LT",
    "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "XI",
];

/// Whether a VAT number with its country in front is well formed and its check digits are right.
///
/// `None`: of a European country whose check digits are not known here, and not
/// evidently wrong. Checked: AT, BE, DE, DK, ES, FI, FR (Monaco too), IT, LU, NL, PL, PT.
/// Nothing says that a number was ever given out: that, only VIES knows.
#[must_use]
pub fn vat(text: &str) -> Option<bool> {
    let Some(number) = compact(text) else { return Some(false) };
    let Some((country, rest)) = number.split_at_checked(2) else { return Some(false) };
    if !EUROPEAN.contains(&country) {
        return Some(false);
    }
    let valid = match country {
        "FR" => vat_france(rest),
        "BE" => digits::<10>(rest).is_some_and(|d| {
            d[0] < 2 && (value(&d[..8]) + value(&d[8..])).is_multiple_of(97) && value(&d) != 0
        }),
        "DE" => digits::<9>(rest).is_some_and(|d| d[0] != 0 && mod_11_10(&d)),
        "IT" => digits::<11>(rest).is_some_and(|d| {
            let office = value(&d[7..10]);
            value(&d[..7]) != 0
                && ((1..=100).contains(&office) || matches!(office, 120 | 121 | 888 | 999))
                && luhn::valid(rest)
        }),
        "LU" => digits::<8>(rest).is_some_and(|d| value(&d[..6]) % 89 == value(&d[6..])),
        "PT" => digits::<9>(rest).is_some_and(|d| {
            d[0] != 0 && (11 - weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11 % 10 == d[8]
        }),
        "AT" => rest.strip_prefix('U').and_then(digits::<8>).is_some_and(|d| {
            let doubled: u32 = d[..7]
                .iter()
                .enumerate()
                .map(|(i, d)| if i % 2 == 0 { *d } else { d * 2 / 10 + d * 2 % 10 })
                .sum();
            (16 - doubled % 10) % 10 == d[7]
        }),
        "PL" => digits::<10>(rest)
            .is_some_and(|d| weighted(&d, &[6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 == d[9] && value(&d) != 0),
        "DK" => digits::<8>(rest)
            .is_some_and(|d| d[0] != 0 && weighted(&d, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)),
        "FI" => digits::<8>(rest)
            .is_some_and(|d| weighted(&d, &[7, 9, 10, 5, 8, 4, 2, 1]).is_multiple_of(11) && value(&d) != 0),
        "NL" => vat_netherlands(rest),
        "ES" => vat_spain(rest),
        // Two to twelve characters with a digit among them: the form of the rest of Europe.
        _ => {
            return if (5..=12).contains(&rest.len()) && rest.bytes().any(|b| b.is_ascii_digit()) {
                None
            } else {
                Some(false)
            };
        }
    };
    Some(valid)
}

/// ISO 7064, MOD 11,10.
fn mod_11_10(digits: &[u32]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let mut product = 10;
    for d in body {
        let sum = (d + product) % 10;
        product = (if sum == 0 { 10 } else { sum }) * 2 % 11;
    }
    (11 - product) % 10 == *check
}

/// Key and SIREN. A key of two digits is computed from the SIREN; keys with a letter have
/// their own rule. Monaco's numbers begin with 000 and are no SIREN.
fn vat_france(rest: &str) -> bool {
    let Some((key, siren)) = rest.split_at_checked(2) else { return false };
    let Some(d) = digits::<9>(siren) else { return false };
    if !(is_siren(siren) || siren.starts_with("000") && value(&d) != 0) {
        return false;
    }
    let n = value(&d);
    if let Some(key) = digits::<2>(key) {
        return (n * 100 + 12) % 97 == value(&key);
    }
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let place = |b: u8| ALPHABET.iter().position(|a| *a == b).map(|place| place as u64);
    let [first, second] = [key.as_bytes()[0], key.as_bytes()[1]];
    let (Some(a), Some(b)) = (place(first), place(second)) else { return false };
    let check = if first.is_ascii_digit() { a * 24 + b - 10 } else { a * 34 + b - 100 };
    (n + 1 + check / 11) % 11 == check % 11
}

/// Nine digits with the citizen or company check digit, or (natural persons since 2020)
/// the check digits of ISO 7064 MOD 97,10 over the whole; then B and two digits.
fn vat_netherlands(rest: &str) -> bool {
    let Some((head, tail)) = rest.split_once('B') else { return false };
    let (Some(d), Some(suffix)) = (digits::<9>(head), digits::<2>(tail)) else { return false };
    if value(&d) == 0 || value(&suffix) == 0 {
        return false;
    }
    let eleven = weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 == d[8];
    // N is 23, L is 21, B is 11.
    let whole = format!("2321{head}11{tail}").bytes().fold(0_u32, |n, b| (n * 10 + u32::from(b - b'0')) % 97);
    eleven || whole == 1
}

/// CIF of legal persons, DNI and NIE of natural ones.
fn vat_spain(rest: &str) -> bool {
    const LETTERS: &[u8] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let bytes = rest.as_bytes();
    if bytes.len() != 9 {
        return false;
    }
    let letter_of = |n: u64| LETTERS[(n % 23) as usize];
    match bytes[0] {
        b'0'..=b'9' => digits::<8>(&rest[..8]).is_some_and(|d| letter_of(value(&d)) == bytes[8]),
        first @ (b'X' | b'Y' | b'Z') => digits::<7>(&rest[1..8])
            .is_some_and(|d| letter_of(u64::from(first - b'X') * 10_000_000 + value(&d)) == bytes[8]),
        b'K' | b'L' | b'M' => digits::<7>(&rest[1..8]).is_some_and(|d| letter_of(value(&d)) == bytes[8]),
        b'A'..=b'H' | b'J' | b'N' | b'P'..=b'S' | b'U' | b'V' | b'W' => {
            let Some(d) = digits::<7>(&rest[1..8]) else { return false };
            let sum: u32 = d
                .iter()
                .enumerate()
                .map(|(i, d)| if i % 2 == 1 { *d } else { d * 2 / 10 + d * 2 % 10 })
                .sum();
            let check = (10 - sum % 10) % 10;
            let as_digit = b'0' + check as u8;
            let as_letter = b"JABCDEFGHI"[check as usize];
            // Which kinds of body have a letter is told differently in different places: either is accepted.
            bytes[8] == as_digit || bytes[8] == as_letter
        }
        _ => false,
    }
}
