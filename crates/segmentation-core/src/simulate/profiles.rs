//! The hidden profiles: who the customers are, and how that shows.

use super::catalog::CATEGORY_COUNT;

/// A hidden cluster of customers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// Code, snake_case.
    pub code: &'static str,
    /// Whether its members are companies.
    pub company: bool,
    /// Its share among consumers, or among companies.
    pub share: f64,
    /// Mean and standard deviation of the age at the start of the period (persons).
    pub age: (f64, f64),
    /// Mean of the income band, 1 to 5 (persons).
    pub income: f64,
    /// Probability of living in a large city.
    pub urban: f64,
    /// Mean size of the household beyond the first person (persons).
    pub household: f64,
    /// Occupations (INSEE PCS, first digit) and their weights (persons).
    pub occupations: &'static [(u8, f64)],
    /// Factor on the purchase rate.
    pub rate: f64,
    /// Factor on the amount of an order.
    pub spend: f64,
    /// Mean of the preferred hour.
    pub hour: f64,
    /// Probability of preferring the weekend.
    pub weekend: f64,
    /// Mean share of orders placed on the web and in the app.
    pub digital: f64,
    /// Mean price sensitivity, 0 to 1.
    pub sensitivity: f64,
    /// Weights of the preferred channel, in the order of [`super::CHANNELS`].
    pub channels: [f64; 5],
    /// Mean tastes, in the order of [`super::CATEGORIES`]; any scale.
    pub tastes: [f64; CATEGORY_COUNT],
    /// Activities (NAF rev. 2) of companies.
    pub activities: &'static [&'static str],
    /// Headcount bands (Sirene codes) of companies and their weights.
    pub headcounts: &'static [(&'static str, f64)],
}

const PERSON: Profile = Profile {
    code: "",
    company: false,
    share: 0.0,
    age: (40.0, 10.0),
    income: 3.0,
    urban: 0.5,
    household: 1.0,
    occupations: &[],
    rate: 1.0,
    spend: 1.0,
    hour: 18.0,
    weekend: 0.5,
    digital: 0.5,
    sensitivity: 0.5,
    channels: [1.0; 5],
    tastes: [1.0; CATEGORY_COUNT],
    activities: &[],
    headcounts: &[],
};

const COMPANY: Profile =
    Profile { company: true, age: (0.0, 0.0), household: 0.0, weekend: 0.03, hour: 11.0, ..PERSON };

/// The profiles. Rates and amounts average to about 1 over consumers; companies order larger baskets.
pub const PROFILES: [Profile; 9] = [
    Profile {
        code: "young_urban",
        share: 0.18,
        age: (29.0, 4.5),
        income: 3.1,
        urban: 0.92,
        household: 0.5,
        occupations: &[(3, 0.35), (4, 0.35), (5, 0.30)],
        rate: 1.05,
        spend: 0.85,
        hour: 20.5,
        weekend: 0.45,
        digital: 0.85,
        sensitivity: 0.45,
        channels: [0.20, 0.20, 0.02, 0.03, 0.55],
        tastes: [1.0, 0.5, 1.8, 0.8, 0.2, 0.6, 3.2, 0.8, 0.1, 2.0, 1.8, 1.6, 2.4, 0.1],
        ..PERSON
    },
    Profile {
        code: "family",
        share: 0.26,
        age: (38.0, 5.5),
        income: 3.0,
        urban: 0.50,
        household: 2.6,
        occupations: &[(3, 0.18), (4, 0.34), (5, 0.30), (6, 0.18)],
        rate: 1.30,
        spend: 1.10,
        hour: 21.0,
        weekend: 0.60,
        digital: 0.60,
        sensitivity: 0.60,
        channels: [0.40, 0.30, 0.08, 0.04, 0.18],
        tastes: [3.2, 2.4, 0.8, 1.4, 3.0, 1.0, 1.6, 1.2, 0.6, 1.2, 0.9, 0.7, 0.8, 0.2],
        ..PERSON
    },
    Profile {
        code: "comfortable_senior",
        share: 0.20,
        age: (69.0, 6.0),
        income: 3.6,
        urban: 0.45,
        household: 0.8,
        occupations: &[(7, 0.94), (3, 0.06)],
        rate: 0.95,
        spend: 1.20,
        hour: 10.5,
        weekend: 0.15,
        digital: 0.25,
        sensitivity: 0.30,
        channels: [0.22, 0.03, 0.50, 0.24, 0.01],
        tastes: [1.4, 1.0, 1.0, 3.0, 0.2, 1.2, 0.6, 1.0, 3.0, 0.4, 2.4, 2.2, 0.4, 0.3],
        ..PERSON
    },
    Profile {
        code: "budget_student",
        share: 0.12,
        age: (22.0, 2.2),
        income: 1.4,
        urban: 0.85,
        household: 0.3,
        occupations: &[(8, 0.85), (5, 0.15)],
        rate: 0.70,
        spend: 0.50,
        hour: 22.0,
        weekend: 0.55,
        digital: 0.92,
        sensitivity: 0.85,
        channels: [0.08, 0.32, 0.01, 0.02, 0.57],
        tastes: [2.0, 0.6, 1.4, 0.5, 0.1, 0.2, 2.4, 0.5, 0.1, 1.2, 2.4, 0.8, 2.8, 0.8],
        ..PERSON
    },
    Profile {
        code: "rural_couple",
        share: 0.15,
        age: (53.0, 7.0),
        income: 2.4,
        urban: 0.08,
        household: 1.4,
        occupations: &[(1, 0.15), (2, 0.12), (5, 0.33), (6, 0.40)],
        rate: 0.80,
        spend: 0.95,
        hour: 13.0,
        weekend: 0.70,
        digital: 0.30,
        sensitivity: 0.65,
        channels: [0.18, 0.30, 0.36, 0.14, 0.02],
        tastes: [1.4, 1.8, 0.5, 0.8, 0.2, 3.4, 0.6, 1.8, 3.2, 0.8, 0.6, 0.4, 0.6, 0.2],
        ..PERSON
    },
    Profile {
        code: "premium_professional",
        share: 0.09,
        age: (46.0, 7.0),
        income: 4.7,
        urban: 0.75,
        household: 1.5,
        occupations: &[(2, 0.22), (3, 0.78)],
        rate: 1.05,
        spend: 2.00,
        hour: 12.5,
        weekend: 0.25,
        digital: 0.70,
        sensitivity: 0.12,
        channels: [0.50, 0.12, 0.10, 0.18, 0.10],
        tastes: [0.8, 0.6, 2.4, 1.0, 0.3, 0.5, 2.8, 2.6, 0.6, 1.6, 1.6, 3.0, 1.6, 0.4],
        ..PERSON
    },
    Profile {
        code: "craft_business",
        share: 0.50,
        urban: 0.35,
        rate: 1.00,
        spend: 2.20,
        hour: 8.5,
        weekend: 0.10,
        digital: 0.35,
        sensitivity: 0.60,
        channels: [0.15, 0.35, 0.15, 0.34, 0.01],
        tastes: [0.4, 2.4, 0.1, 0.4, 0.1, 0.3, 0.8, 2.2, 1.6, 0.2, 0.2, 0.2, 1.0, 2.4],
        activities: &["43.22A", "43.32A", "43.34Z", "45.20A", "10.71C", "96.02A"],
        headcounts: &[("00", 0.35), ("01", 0.35), ("02", 0.22), ("03", 0.08)],
        ..COMPANY
    },
    Profile {
        code: "office_company",
        share: 0.38,
        urban: 0.75,
        rate: 1.40,
        spend: 4.00,
        hour: 10.5,
        digital: 0.75,
        sensitivity: 0.45,
        channels: [0.66, 0.06, 0.08, 0.18, 0.02],
        tastes: [1.2, 1.2, 0.1, 0.4, 0.0, 0.0, 0.1, 0.8, 0.1, 0.1, 0.5, 0.8, 2.2, 5.0],
        activities: &["62.01Z", "69.20Z", "70.22Z", "71.12B", "73.11Z", "82.11Z"],
        headcounts: &[("03", 0.30), ("11", 0.35), ("12", 0.25), ("21", 0.10)],
        ..COMPANY
    },
    Profile {
        code: "large_account",
        share: 0.12,
        urban: 0.85,
        rate: 2.20,
        spend: 12.0,
        hour: 9.5,
        digital: 0.60,
        sensitivity: 0.30,
        channels: [0.30, 0.02, 0.14, 0.53, 0.01],
        tastes: [2.2, 2.2, 0.1, 0.6, 0.0, 0.0, 0.8, 1.6, 0.3, 0.1, 0.3, 1.6, 2.4, 3.6],
        activities: &["47.11F", "64.19Z", "84.11Z", "86.10Z", "49.10Z", "29.10Z"],
        headcounts: &[("22", 0.30), ("31", 0.15), ("32", 0.25), ("41", 0.15), ("51", 0.10), ("53", 0.05)],
        ..COMPANY
    },
];
