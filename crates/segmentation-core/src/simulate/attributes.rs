//! What the shop knows of a customer: names, addresses, household, company, and how they changed.

use super::behaviour::{Customer, MomentKind};
use super::random::{Aspect, Random};
use super::shop::Shop;
use crate::base::day::Day;
use crate::base::hash::mix;

/// Attributes of a company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanyAttributes {
    /// Its name.
    pub name: String,
    /// Nine digits that pass Luhn's check, as a French SIREN; no two customers of one shop share one.
    pub siren: String,
    /// Activity, NAF rev. 2, such as `62.01Z`.
    pub naf: &'static str,
    /// Headcount band, Sirene code, such as `12` for 20 to 49.
    pub headcount: &'static str,
}

/// Attributes as the shop knows them at the end of the period.
#[derive(Debug, Clone, PartialEq)]
pub struct Attributes {
    /// First name of the person, or of the company's contact.
    pub first_name: &'static str,
    /// Last name.
    pub last_name: &'static str,
    /// An address under a domain that RFC 2606 reserves, so that nobody is ever written to.
    pub email: String,
    /// A mobile number of the block that the French regulator keeps for works of fiction.
    pub phone: String,
    /// Birth date (persons).
    pub born: Option<Day>,
    /// F or M (persons).
    pub sex: Option<&'static str>,
    /// single or married (persons).
    pub marital_status: Option<&'static str>,
    /// Persons in the household (persons).
    pub household_size: Option<i16>,
    /// 1 (lowest) to 5 (persons).
    pub income_band: Option<i16>,
    /// First digit of the INSEE PCS code (persons).
    pub occupation: Option<String>,
    /// City.
    pub city: &'static str,
    /// Postcode, five digits.
    pub postcode: String,
    /// How the customer came: search, social, store, referral, marketplace or sales.
    pub acquisition_channel: &'static str,
    /// Set for companies.
    pub company: Option<CompanyAttributes>,
}

/// A change of an attribute that the shop wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeChange {
    /// The column of `customers`.
    pub attribute: &'static str,
    /// As text.
    pub old_value: String,
    /// As text.
    pub new_value: String,
    /// The day it was written down.
    pub changed_on: Day,
}

/// Somewhere to live: city, first postcode, number of arrondissements, weight.
type Place = (&'static str, u32, u32, f64);

const CITIES: [Place; 24] = [
    ("Paris", 75_001, 20, 21.0),
    ("Marseille", 13_001, 16, 8.7),
    ("Lyon", 69_001, 9, 5.2),
    ("Toulouse", 31_000, 1, 5.0),
    ("Nice", 6_000, 1, 3.4),
    ("Nantes", 44_000, 1, 3.2),
    ("Montpellier", 34_000, 1, 3.0),
    ("Strasbourg", 67_000, 1, 2.9),
    ("Bordeaux", 33_000, 1, 2.6),
    ("Lille", 59_000, 1, 2.3),
    ("Rennes", 35_000, 1, 2.2),
    ("Reims", 51_100, 1, 1.8),
    ("Toulon", 83_000, 1, 1.8),
    ("Saint-Étienne", 42_000, 1, 1.7),
    ("Le Havre", 76_600, 1, 1.7),
    ("Grenoble", 38_000, 1, 1.6),
    ("Dijon", 21_000, 1, 1.6),
    ("Angers", 49_000, 1, 1.5),
    ("Nîmes", 30_000, 1, 1.5),
    ("Clermont-Ferrand", 63_000, 1, 1.4),
    ("Brest", 29_200, 1, 1.4),
    ("Tours", 37_000, 1, 1.3),
    ("Limoges", 87_000, 1, 1.3),
    ("Metz", 57_000, 1, 1.2),
];

const TOWNS: [Place; 24] = [
    ("Aubenas", 7_200, 1, 1.0),
    ("Aurillac", 15_000, 1, 1.0),
    ("Auxerre", 89_000, 1, 1.0),
    ("Bergerac", 24_100, 1, 1.0),
    ("Cahors", 46_000, 1, 1.0),
    ("Carhaix-Plouguer", 29_270, 1, 1.0),
    ("Châteaudun", 28_200, 1, 1.0),
    ("Cognac", 16_100, 1, 1.0),
    ("Die", 26_150, 1, 1.0),
    ("Foix", 9_000, 1, 1.0),
    ("Guéret", 23_000, 1, 1.0),
    ("Langres", 52_200, 1, 1.0),
    ("Le Puy-en-Velay", 43_000, 1, 1.0),
    ("Loudéac", 22_600, 1, 1.0),
    ("Mende", 48_000, 1, 1.0),
    ("Millau", 12_100, 1, 1.0),
    ("Morlaix", 29_600, 1, 1.0),
    ("Nevers", 58_000, 1, 1.0),
    ("Pithiviers", 45_300, 1, 1.0),
    ("Pontivy", 56_300, 1, 1.0),
    ("Saint-Flour", 15_100, 1, 1.0),
    ("Sarlat-la-Canéda", 24_200, 1, 1.0),
    ("Vervins", 2_140, 1, 1.0),
    ("Vire", 14_500, 1, 1.0),
];

const WOMEN: [&str; 32] = [
    "Marie",
    "Camille",
    "Léa",
    "Julie",
    "Sarah",
    "Manon",
    "Chloé",
    "Laura",
    "Inès",
    "Emma",
    "Nathalie",
    "Isabelle",
    "Sylvie",
    "Catherine",
    "Martine",
    "Françoise",
    "Monique",
    "Céline",
    "Sandrine",
    "Aurélie",
    "Émilie",
    "Sophie",
    "Fatima",
    "Nadia",
    "Hélène",
    "Anne",
    "Claire",
    "Lucie",
    "Pauline",
    "Zoé",
    "Jeanne",
    "Louise",
];

const MEN: [&str; 32] = [
    "Jean",
    "Pierre",
    "Michel",
    "Philippe",
    "Alain",
    "Nicolas",
    "Julien",
    "Thomas",
    "Alexandre",
    "Maxime",
    "Lucas",
    "Hugo",
    "Louis",
    "Gabriel",
    "Arthur",
    "Jules",
    "Mohamed",
    "Karim",
    "Christophe",
    "Laurent",
    "Stéphane",
    "Olivier",
    "Éric",
    "Patrick",
    "Bernard",
    "Gérard",
    "François",
    "Antoine",
    "Mathieu",
    "Romain",
    "Vincent",
    "Paul",
];

const LAST_NAMES: [&str; 48] = [
    "Martin",
    "Bernard",
    "Thomas",
    "Petit",
    "Robert",
    "Richard",
    "Durand",
    "Dubois",
    "Moreau",
    "Laurent",
    "Simon",
    "Michel",
    "Lefèvre",
    "Leroy",
    "Roux",
    "David",
    "Bertrand",
    "Morel",
    "Fournier",
    "Girard",
    "Bonnet",
    "Dupont",
    "Lambert",
    "Fontaine",
    "Rousseau",
    "Vincent",
    "Müller",
    "Faure",
    "André",
    "Mercier",
    "Blanc",
    "Guérin",
    "Boyer",
    "Garnier",
    "Chevalier",
    "François",
    "Legrand",
    "Gauthier",
    "Garcia",
    "Perrin",
    "Robin",
    "Clément",
    "Morin",
    "Nicolas",
    "Henry",
    "Roussel",
    "Mathieu",
    "Benali",
];

const COMPANY_NAMES: [(&str, &str); 6] = [
    ("Établissements ", ""),
    ("Atelier ", ""),
    ("", " SARL"),
    ("", " et Fils"),
    ("", " SAS"),
    ("Groupe ", ""),
];

/// Domains for which RFC 2606 reserves the name.
const DOMAINS: [&str; 3] = ["example.com", "example.org", "example.net"];

impl Shop {
    /// The attributes of a customer at the end of the period, and the changes that led there, in
    /// the order of time.
    #[must_use]
    pub fn attributes(&self, customer: &Customer) -> (Attributes, Vec<AttributeChange>) {
        let mut random = Random::new(self.seed, customer.id as u32, Aspect::Names);
        let profile = customer.profile();
        let company = customer.company();
        let woman = customer.sex == 1;
        let first_name = random.pick(if woman { &WOMEN } else { &MEN });
        let last_name = random.pick(&LAST_NAMES);
        let local = format!("{}.{}", ascii(first_name), ascii(last_name));
        let age = f64::from(self.starts - customer.born) / 365.25;
        let income = random.normal(profile.income, 0.7).round().clamp(1.0, 5.0) as i16;
        let married = random.chance(if age < 26.0 { 0.04 } else { 0.55 });
        let household = 1 + random.poisson(profile.household).min(6) as i16;
        let household = if married { household.max(2) } else { household };
        let home = place(profile.urban, &mut random);
        let acquisition_channel = if company {
            random.pick(&["sales", "sales", "referral", "search"])
        } else {
            let digital = profile.digital;
            let weights = [0.35 * digital, 0.35 * digital, 0.8 * (1.0 - digital), 0.15, 0.2 * digital];
            ["search", "social", "store", "referral", "marketplace"][random.weighted(&weights)]
        };
        let mut attributes = Attributes {
            first_name,
            last_name,
            email: String::new(),
            phone: format!("+336399{:05}", 80_000 + random.below(10_000)),
            born: (!company).then_some(customer.born),
            sex: (!company).then_some(if woman { "F" } else { "M" }),
            marital_status: (!company).then_some(if married { "married" } else { "single" }),
            household_size: (!company).then_some(household),
            income_band: (!company).then_some(income),
            occupation: (!company).then(|| customer.occupation.to_string()),
            city: home.0,
            postcode: home.1,
            acquisition_channel,
            company: None,
        };
        if company {
            let (before, after) = random.pick(&COMPANY_NAMES);
            let name = format!("{before}{}{after}", random.pick(&LAST_NAMES));
            let weights: Vec<f64> = profile.headcounts.iter().map(|h| h.1).collect();
            let headcount = profile.headcounts.get(random.weighted(&weights)).map_or("NN", |h| h.0);
            attributes.email = format!("{local}@company{}.{}", customer.id, random.pick(&DOMAINS));
            attributes.company = Some(CompanyAttributes {
                name,
                siren: siren(self.seed, customer.id),
                naf: random.pick(profile.activities),
                headcount,
            });
        } else {
            attributes.email = format!("{local}.{}@{}", customer.id, random.pick(&DOMAINS));
        }
        let changes = self.changes(customer, &mut attributes, &mut random);
        (attributes, changes)
    }

    /// Applies what was recorded, in the order in which it was, and tells it.
    fn changes(
        &self,
        customer: &Customer,
        attributes: &mut Attributes,
        random: &mut Random,
    ) -> Vec<AttributeChange> {
        let mut changes: Vec<AttributeChange> = Vec::new();
        let mut recorded: Vec<_> =
            customer.moments.iter().filter_map(|m| m.recorded.map(|on| (on, m.kind))).collect();
        recorded.sort_unstable();
        for (changed_on, kind) in recorded {
            let mut change = |attribute, old_value: String, new_value: String| {
                // Two changes of one attribute on one day are one.
                match changes.last_mut() {
                    Some(AttributeChange { attribute: a, new_value: new, changed_on: on, .. })
                        if (*a, *on) == (attribute, changed_on) =>
                    {
                        *new = new_value;
                    }
                    _ if old_value != new_value => {
                        changes.push(AttributeChange { attribute, old_value, new_value, changed_on });
                    }
                    _ => {}
                }
            };
            match kind {
                MomentKind::Moving | MomentKind::CompanyMove => {
                    let (city, postcode) = elsewhere(customer.profile().urban, &attributes.postcode, random);
                    change("postcode", attributes.postcode.clone(), postcode.clone());
                    change("city", attributes.city.to_owned(), city.to_owned());
                    (attributes.city, attributes.postcode) = (city, postcode);
                }
                MomentKind::Birth => {
                    let old = attributes.household_size.unwrap_or(1);
                    change("household_size", old.to_string(), (old + 1).to_string());
                    attributes.household_size = Some(old + 1);
                }
                MomentKind::Marriage => {
                    let old = attributes.marital_status.unwrap_or("single");
                    change("marital_status", old.to_owned(), "married".to_owned());
                    attributes.marital_status = Some("married");
                    let old = attributes.household_size.unwrap_or(1);
                    let new = old.max(2);
                    change("household_size", old.to_string(), new.to_string());
                    attributes.household_size = Some(new);
                }
                MomentKind::Retirement => {
                    let old = attributes.occupation.clone().unwrap_or_default();
                    change("occupation_code", old, "7".to_owned());
                    attributes.occupation = Some("7".to_owned());
                }
                _ => {}
            }
        }
        changes
    }
}

fn place(urban: f64, random: &mut Random) -> (&'static str, String) {
    let places: &[Place] = if random.chance(urban) { &CITIES } else { &TOWNS };
    let weights: Vec<f64> = places.iter().map(|p| p.3).collect();
    let (city, postcode, districts, _) = places[random.weighted(&weights)];
    (city, format!("{:05}", postcode + random.below(districts as usize) as u32))
}

/// Another place than the old one; after some tries, the next best.
fn elsewhere(urban: f64, postcode: &str, random: &mut Random) -> (&'static str, String) {
    for _ in 0..8 {
        let new = place(urban, random);
        if new.1 != postcode {
            return new;
        }
    }
    if postcode == "87000" { ("Limoges", "87100".to_owned()) } else { ("Limoges", "87000".to_owned()) }
}

/// Nine digits that pass Luhn's check. The first eight are a permutation of the customer's number,
/// so that no two customers of a shop share them.
fn siren(seed: u64, customer: i32) -> String {
    const SPAN: u64 = 90_000_000;
    // Coprime with the span, hence a permutation.
    let number = (customer as u64 * 48_271_891 + mix(seed) % SPAN) % SPAN + 10_000_000;
    let digits = number.to_string();
    // In nine digits Luhn doubles every second from the second.
    let sum: u64 = digits
        .bytes()
        .enumerate()
        .map(|(position, byte)| {
            let digit = u64::from(byte - b'0');
            match (position % 2, digit) {
                (0, _) => digit,
                (_, 0..=4) => digit * 2,
                _ => digit * 2 - 9,
            }
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// Lower-case ASCII of a name.
fn ascii(name: &str) -> String {
    name.chars()
        .map(|c| match c {
            'é' | 'è' | 'É' => 'e',
            'ç' => 'c',
            'ï' => 'i',
            'ü' => 'u',
            _ => c.to_ascii_lowercase(),
        })
        .collect()
}
