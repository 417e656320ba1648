//! Loyalty: how long, how often, how regularly and how broadly a customer buys, and an index of it.
//!
//! Each component is a measure in its own unit and points from 0 to 1; the index is their weighted mean
//! times 100, over the components that are known. Clumpiness is that of Zhang, Bradlow and Small (2015),
//! "Predicting Customer Value Using Clumpiness: From RFM to RFMC", Marketing Science 34(2), section 3.

use rand_distr::{Distribution, Uniform};
use serde_json::Value;

use crate::Checkpoint;
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::language::Language;
use crate::base::words::counted;
use crate::facts::gaps::{GapPrior, PurchaseDaysOf, gaps_of};
use crate::facts::interest::Counts;

/// x ln x, 0 at 0.
fn x_ln_x(x: f64) -> f64 {
    if x > 0.0 { x * x.ln() } else { 0.0 }
}

/// Clumpiness of `events` from the sum of g ln g over the n + 1 gaps, whose own sum is `total`.
fn clumpiness_of(events: usize, total: f64, sum: f64) -> f64 {
    let c = 1.0 + (sum / total - total.ln()) / (events as f64 + 1.0).ln();
    // Evenly spread events leave a rounding error about 0.
    c.clamp(0.0, 1.0)
}

/// How clumped events are in time: 0 for evenly spread, towards 1 for all together. `None` without events.
///
/// With t the events in 1 ..= `span` and x the gaps of (0, t, span + 1) over (span + 1):
/// C = 1 + (sum of x ln x) / ln(n + 1).
///
/// # Errors
/// The events are not distinct, in order and within 1 ..= `span`.
pub fn clumpiness(events: &[i64], span: i64) -> Result<Option<f64>> {
    if span < 1 {
        return Err(Error::invalid("span must be 1 or above").detail(format!("It is {span}.")));
    }
    let mut previous = 0;
    let mut sum = 0.0;
    for event in events {
        if *event <= previous || *event > span {
            return Err(Error::invalid("events must be distinct, in order, and from 1 to span")
                .detail(format!("There is {event} after {previous}, and span is {span}.")));
        }
        sum += x_ln_x((event - previous) as f64);
        previous = *event;
    }
    let total = span as f64 + 1.0;
    sum += x_ln_x(total - previous as f64);
    Ok((!events.is_empty()).then(|| clumpiness_of(events.len(), total, sum)))
}

/// Draws behind a critical value: its standard error is below 0.003 at the 5 % level.
const DRAWS: usize = 20_000;

/// The clumpiness that `events` events in `span` days, placed at random, pass with probability
/// 1 - `level`: by 20,000 draws, always the same ones.
///
/// # Errors
/// More events than days, too many of either, or a level that is no share.
pub fn clumpiness_critical(events: u32, span: u32, level: f64, checkpoint: Checkpoint) -> Result<f64> {
    if events == 0 || events > span {
        return Err(Error::invalid("events must be from 1 to span")
            .detail(format!("They are {events}, and span is {span}.")));
    }
    if events > 10_000 || span > 1_000_000 {
        return Err(Error::new(ErrorKind::LimitExceeded, "too many events or days")
            .detail("At most 10000 events and 1000000 days are allowed."));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level must lie between 0 and 1").detail(format!("It is {level}.")));
    }
    let mut random = rand_pcg::Pcg64Mcg::new(0x5eed_0fc1);
    // The first places of a shuffled list are a sample without replacement, whatever the list's order.
    let mut places: Vec<u32> = (1..=span).collect();
    let (n, total) = (events as usize, f64::from(span) + 1.0);
    let mut drawn = Vec::with_capacity(DRAWS);
    let mut sample = vec![0; n];
    for _ in 0..DRAWS {
        checkpoint();
        for i in 0..n {
            let range = Uniform::new_inclusive(i, span as usize - 1);
            let j = range.map_or(i, |range| range.sample(&mut random));
            places.swap(i, j);
        }
        sample.copy_from_slice(&places[..n]);
        sample.sort_unstable();
        let mut previous = 0;
        let mut sum = 0.0;
        for place in &sample {
            sum += x_ln_x(f64::from(place - previous));
            previous = *place;
        }
        drawn.push(clumpiness_of(n, total, sum + x_ln_x(total - f64::from(previous))));
    }
    drawn.sort_unstable_by(f64::total_cmp);
    Ok(drawn[((DRAWS as f64 * level) as usize).min(DRAWS - 1)])
}

/// How evenly purchases spread over categories: Shannon entropy over ln(`categories`), 0 to 1.
/// `None` without purchases.
///
/// # Errors
/// Fewer than two categories to choose from, or purchases in more than those.
pub fn category_breadth(counts: &Counts, categories: u32) -> Result<Option<f64>> {
    let used = counts.values().filter(|n| **n > 0.0).count();
    if categories < 2 || used > categories as usize {
        return Err(Error::invalid("categories must be 2 or above, and not below those bought")
            .detail(format!("It is {categories}; {used} were bought.")));
    }
    let total: f64 = counts.values().sum();
    if total <= 0.0 {
        return Ok(None);
    }
    let entropy = -counts.values().map(|n| x_ln_x(n / total)).sum::<f64>();
    // One category leaves -0.
    Ok(Some((entropy / f64::from(categories).ln()).clamp(0.0, 1.0) + 0.0))
}

/// The class of an answer to "would you recommend us", 0 to 10 (Reichheld 2003).
///
/// # Errors
/// It is no whole number from 0 to 10.
pub fn nps_class(score: f64) -> Result<&'static str> {
    match score {
        s if !(0.0..=10.0).contains(&s) || s.fract() != 0.0 => {
            Err(Error::invalid("score must be a whole number from 0 to 10").detail(format!("It is {score}.")))
        }
        s if s >= 9.0 => Ok("promoter"),
        s if s >= 7.0 => Ok("passive"),
        _ => Ok("detractor"),
    }
}

/// The components of the index, in the order of the composite.
pub const COMPONENTS: [&str; 8] = [
    "tenure",
    "purchase_days",
    "regularity",
    "clumpiness",
    "trend",
    "breadth",
    "satisfaction",
    "share_of_wallet",
];

/// The bands, from the least to the most loyal; below them `new` and `insufficient_data`.
pub const BANDS: [&str; 4] = ["occasional", "regular", "loyal", "ambassador"];

/// The default weights, of [`COMPONENTS`].
const WEIGHTS: [f64; 8] = [15.0, 25.0, 15.0, 5.0, 40.0, 10.0, 10.0, 10.0];

/// How the index is made.
#[derive(Debug, Clone, PartialEq)]
pub struct LoyaltyOptions {
    prior: GapPrior,
    weights: [f64; 8],
    window: Day,
    new_days: Day,
    full_tenure: f64,
    half_purchase_days: f64,
    bands: [f64; 3],
}

impl Default for LoyaltyOptions {
    fn default() -> Self {
        Self {
            prior: GapPrior::default(),
            weights: WEIGHTS,
            window: 180,
            new_days: 90,
            full_tenure: 1095.0,
            half_purchase_days: 6.0,
            bands: [25.0, 50.0, 75.0],
        }
    }
}

impl LoyaltyOptions {
    /// Reads options.
    ///
    /// # Errors
    /// Names the field that is wrong or unknown.
    pub fn from_json(value: &Value) -> Result<Self> {
        let known = &["prior", "weights", "window", "new_days", "full_tenure", "half_purchase_days", "bands"];
        let object = Object::new("options", "", value, known)?;
        let mut options = Self::default();
        if let Some(prior) = object.get("prior") {
            // One that lacked data leaves the default.
            options.prior = GapPrior::from_json(prior)?.unwrap_or_default();
        }
        if let Some(weights) = object.get("weights") {
            let weights = Object::new("options", "weights", weights, &COMPONENTS)?;
            for (i, name) in COMPONENTS.iter().enumerate() {
                if let Some(weight) = weights.number(name, 0.0, 1e6)? {
                    options.weights[i] = weight;
                }
            }
            if options.weights.iter().all(|w| *w == 0.0) {
                return Err(Error::invalid("at least one weight must be above 0"));
            }
        }
        let days = |key, default: Day| object.whole(key, 1, 3650).map(|n| n.map_or(default, |n| n as Day));
        options.window = days("window", options.window)?;
        options.new_days = days("new_days", options.new_days)?;
        if let Some(n) = object.number("full_tenure", 1.0, 36_500.0)? {
            options.full_tenure = n;
        }
        if let Some(n) = object.number("half_purchase_days", 0.01, 10_000.0)? {
            options.half_purchase_days = n;
        }
        if let Some(list) = object.list("bands")? {
            let limits: Vec<f64> = list.iter().filter_map(Value::as_f64).collect();
            let [a, b, c] = limits[..] else { return Err(object.wrong("bands", "three numbers in order")) };
            if !(0.0 < a && a < b && b < c && c <= 100.0) || list.len() != 3 {
                return Err(object.wrong("bands", "three numbers in order, above 0, at most 100"));
            }
            options.bands = [a, b, c];
        }
        Ok(options)
    }
}

/// What is known of a customer besides purchases, each from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Attitudes {
    /// Over categories.
    pub breadth: Option<f64>,
    /// From a survey, or an NPS score over 10.
    pub satisfaction: Option<f64>,
    /// Own turnover over the customer's needs.
    pub share_of_wallet: Option<f64>,
}

impl Attitudes {
    /// Checks that each is a share.
    ///
    /// # Errors
    /// Names the one that is not.
    pub fn check(self) -> Result<Self> {
        for (name, value) in [
            ("breadth", self.breadth),
            ("satisfaction", self.satisfaction),
            ("share_of_wallet", self.share_of_wallet),
        ] {
            if let Some(value) = value.filter(|v| !(0.0..=1.0).contains(v)) {
                return Err(
                    Error::invalid(format!("{name} must be from 0 to 1")).detail(format!("It is {value}."))
                );
            }
        }
        Ok(self)
    }
}

/// A customer's loyalty at a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Loyalty {
    /// The measures of [`COMPONENTS`]; `None` where unknown.
    pub values: [Option<f64>; 8],
    /// Their points, 0 to 1.
    pub points: [Option<f64>; 8],
    /// Their weights, which add up to 1 over the known ones.
    pub weights: [f64; 8],
    /// 0 to 100; `None` without a purchase.
    pub index: Option<f64>,
    /// The code.
    pub band: &'static str,
}

/// What does not change until the next purchase, so that a day costs little.
struct Customer<'o> {
    options: &'o LoyaltyOptions,
    attitudes: Attitudes,
    days: Vec<Day>,
    regularity: Option<f64>,
    /// Sum of g ln g over the closed gaps.
    closed: f64,
}

impl<'o> Customer<'o> {
    fn new(days: PurchaseDaysOf, options: &'o LoyaltyOptions, attitudes: Attitudes) -> Self {
        let days = days.days;
        let gaps = gaps_of(&days);
        let closed = days.windows(2).map(|w| x_ln_x(f64::from(w[1] - w[0]))).sum();
        let regularity = (gaps.len() >= 2).then(|| options.prior.shape_of(&gaps));
        Self { options, attitudes, days, regularity, closed }
    }

    fn at(&self, as_of: Day) -> Loyalty {
        let (first, last) = (self.days[0], self.days[self.days.len() - 1]);
        let tenure = as_of - first;
        let repeats = self.days.len() - 1;
        // The first purchase opens the window and is no event in it, as in the paper.
        let total = f64::from(tenure) + 1.0;
        let clumpiness = (repeats > 0)
            .then(|| clumpiness_of(repeats, total, self.closed + x_ln_x(f64::from(as_of - last) + 1.0)));
        let values = [
            Some(f64::from(tenure)),
            Some(self.days.len() as f64),
            self.regularity,
            clumpiness,
            self.trend(as_of),
            self.attitudes.breadth,
            self.attitudes.satisfaction,
            self.attitudes.share_of_wallet,
        ];
        self.judge(values)
    }

    /// The rate of the last days over that of the days before, both drawn to the customer's own mean
    /// by one purchase spread evenly over the tenure. `None` without a repeat purchase.
    fn trend(&self, as_of: Day) -> Option<f64> {
        let tenure = as_of - self.days[0];
        let window = self.options.window.min(tenure / 2);
        if self.days.len() < 2 || window < 1 {
            return None;
        }
        let from = self.days.partition_point(|day| *day <= as_of - window);
        let (now, before) = ((self.days.len() - from) as f64, (from - 1) as f64);
        let share = f64::from(window) / f64::from(tenure);
        Some((now + share) / (before + 1.0 - share) * (1.0 - share) / share)
    }

    fn judge(&self, values: [Option<f64>; 8]) -> Loyalty {
        let options = self.options;
        let points: [fn(f64, &LoyaltyOptions) -> f64; 8] = [
            |days, o| (days / o.full_tenure).min(1.0),
            |n, o| (n - 1.0) / (n - 1.0 + o.half_purchase_days),
            |shape, _| shape / (shape + 1.0),
            |clumpiness, _| 1.0 - clumpiness,
            |trend, _| trend.min(1.0),
            |share, _| share,
            |share, _| share,
            |share, _| share,
        ];
        let points: [Option<f64>; 8] = std::array::from_fn(|i| values[i].map(|v| points[i](v, options)));
        let known: f64 = (0..8).filter(|i| points[*i].is_some()).map(|i| options.weights[i]).sum();
        let weights = std::array::from_fn(|i| {
            if points[i].is_some() && known > 0.0 { options.weights[i] / known } else { 0.0 }
        });
        let sum: f64 = (0..8).filter_map(|i| points[i].map(|p: f64| p * weights[i])).sum();
        let index = (known > 0.0).then_some(100.0 * sum);
        let band = match index {
            _ if values[0].is_some_and(|tenure| tenure < f64::from(options.new_days)) => "new",
            None => "insufficient_data",
            Some(_) if values[1].is_some_and(|n| n < 2.0) => BANDS[0],
            Some(index) => BANDS[options.bands.iter().filter(|limit| index >= **limit).count()],
        };
        Loyalty { values, points, weights, index, band }
    }
}

/// A customer's loyalty at the end of `as_of`. Without a purchase by then: `insufficient_data`.
///
/// # Errors
/// Damaged bytes, a day out of range, an attitude that is no share.
pub fn loyalty(
    history: Option<&[u8]>,
    as_of: Day,
    options: &LoyaltyOptions,
    attitudes: Attitudes,
) -> Result<Loyalty> {
    let attitudes = attitudes.check()?;
    Ok(match history.map(|h| PurchaseDaysOf::read(h, as_of)).transpose()?.flatten() {
        Some(days) => Customer::new(days, options, attitudes).at(as_of),
        None => Loyalty {
            values: [None; 8],
            points: [None; 8],
            weights: [0.0; 8],
            index: None,
            band: "insufficient_data",
        },
    })
}

/// Days looked ahead for the next change; after them it says to look again.
const LOOK_AHEAD: Day = 120;

/// The first day after `as_of` on which the band changes if nothing happens, or, if it does not within
/// 120 days, the day to look again. `None` for who has bought nothing. What comes after `until` is not looked for: then
/// it is a day no earlier than that.
///
/// # Errors
/// As [`loyalty`].
pub fn next_change(
    history: Option<&[u8]>,
    as_of: Day,
    options: &LoyaltyOptions,
    attitudes: Attitudes,
    until: Option<Day>,
) -> Result<Option<Day>> {
    let attitudes = attitudes.check()?;
    let Some(days) = history.map(|h| PurchaseDaysOf::read(h, as_of)).transpose()?.flatten() else {
        return Ok(None);
    };
    let first = days.first();
    let customer = Customer::new(days, options, attitudes);
    let now = customer.at(as_of).band;
    if now == "new" {
        return Ok(Some((first + options.new_days).min(day::LAST)));
    }
    if customer.days.len() < 2 {
        return Ok(None);
    }
    let until = as_of.saturating_add(LOOK_AHEAD).min(until.unwrap_or(day::LAST)).clamp(as_of, day::LAST);
    Ok(Some((as_of + 1..until).find(|day| customer.at(*day).band != now).unwrap_or(until)))
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Of [`COMPONENTS`].
    pub component: &'static str,
    /// The measure.
    pub value: Option<f64>,
    /// 0 to 1.
    pub points: Option<f64>,
    /// Share of the index that it decides.
    pub weight: f64,
    /// What it adds to the index.
    pub contribution: Option<f64>,
    /// A sentence.
    pub text: String,
}

/// Why the index is what it is: one line a component, those left out last, said so.
#[must_use]
pub fn explain(loyalty: &Loyalty, language: Language) -> Vec<Line> {
    let mut lines: Vec<Line> = (0..8)
        .map(|i| Line {
            component: COMPONENTS[i],
            value: loyalty.values[i],
            points: loyalty.points[i],
            weight: loyalty.weights[i],
            contribution: loyalty.points[i].map(|p| 100.0 * p * loyalty.weights[i]),
            text: sentence(i, loyalty, language),
        })
        .collect();
    // The sort is stable: equal contributions keep the order of the components.
    lines.sort_by(|a, b| b.contribution.unwrap_or(-1.0).total_cmp(&a.contribution.unwrap_or(-1.0)));
    lines
}

fn sentence(i: usize, loyalty: &Loyalty, language: Language) -> String {
    let french = language == Language::French;
    let Some(value) = loyalty.values[i] else {
        return match (french, i < 5) {
            (false, true) => "Not known yet: too few purchases. The other weights share its part.",
            (false, false) => "Not given. The other weights share its part.",
            (true, true) => "Pas encore connu : trop peu d'achats. Les autres poids se partagent sa part.",
            (true, false) => "Non fourni. Les autres poids se partagent sa part.",
        }
        .to_owned();
    };
    let two = |x: f64| {
        let text = format!("{x:.2}");
        if french { text.replace('.', ",") } else { text }
    };
    let percent = (100.0 * value).round();
    match (i, french) {
        (0, false) => format!("Customer for {}.", counted(value, "day")),
        (0, true) => format!("Client depuis {value} {}.", if value < 2.0 { "jour" } else { "jours" }),
        (1, false) => format!("Bought on {value} {}.", if value < 2.0 { "day" } else { "days" }),
        (1, true) => format!("A acheté {value} {}.", if value < 2.0 { "jour" } else { "jours différents" }),
        (2, false) => format!("{} (shape of the gaps {}).", rhythm(value, false), two(value)),
        (2, true) => format!("{} (forme des intervalles : {}).", rhythm(value, true), two(value)),
        (3, false) => format!("Clumpiness {}: 0 is evenly spread, 1 all at once.", two(value)),
        (3, true) => format!("Concentration {} : 0 réparti également, 1 tout à la fois.", two(value)),
        (4, false) => format!("Buys now at {percent} % of the own earlier pace."),
        (4, true) => format!("Achète maintenant à {percent} % de son propre rythme antérieur."),
        (5, false) => format!("Breadth over categories: {percent} %."),
        (5, true) => format!("Diversité des catégories : {percent} %."),
        (6, false) => format!("Satisfaction: {percent} %."),
        (6, true) => format!("Satisfaction : {percent} %."),
        (_, false) => format!("Share of wallet: {percent} %."),
        (_, true) => format!("Part du portefeuille : {percent} %."),
    }
}

fn rhythm(shape: f64, french: bool) -> &'static str {
    match (shape, french) {
        (s, false) if s >= 1.5 => "Buys regularly",
        (s, true) if s >= 1.5 => "Achète régulièrement",
        (s, false) if s >= 0.75 => "Buys at random moments",
        (s, true) if s >= 0.75 => "Achète à des moments quelconques",
        (_, false) => "Buys in bursts",
        (_, true) => "Achète par à-coups",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::money::Money;
    use crate::facts::purchase_history::{Entry, pack};

    fn history(days: &[Day]) -> Vec<u8> {
        pack(&days.iter().map(|d| Entry::order(*d, Money(10_000))).collect::<Vec<_>>())
    }

    #[test]
    fn published_clumpiness() {
        // Zhang, Bradlow and Small: .036, .48, .34; N = 30; critical value of n = 6: .257.
        for (events, expected) in [
            ([1, 6, 11, 16, 21, 26], 0.0357),
            ([2, 3, 4, 27, 28, 29], 0.4767),
            ([13, 14, 15, 16, 17, 18], 0.3408),
        ] {
            let c = clumpiness(&events, 30).unwrap().unwrap();
            assert!((c - expected).abs() < 5e-5, "{c} {expected}");
        }
        assert_eq!(clumpiness(&[], 30).unwrap(), None);
        assert!(clumpiness(&[3, 3], 30).is_err() && clumpiness(&[31], 30).is_err());
        let critical = clumpiness_critical(6, 30, 0.95, &mut || {}).unwrap();
        assert!((critical - 0.257).abs() < 0.006, "{critical}");
    }

    #[test]
    fn agrees_with_the_definition_day_by_day() {
        let days = [0, 40, 41, 90, 200, 310];
        let options = LoyaltyOptions::default();
        for as_of in 310..900 {
            let value = loyalty(Some(&history(&days)), as_of, &options, Attitudes::default()).unwrap();
            let events: Vec<i64> = days[1..].iter().map(|d| i64::from(*d)).collect();
            let direct = clumpiness(&events, i64::from(as_of)).unwrap().unwrap();
            assert!((value.values[3].unwrap() - direct).abs() < 1e-12);
            let index = value.index.unwrap();
            let sum: f64 = explain(&value, Language::English).iter().filter_map(|l| l.contribution).sum();
            assert!((0.0..=100.0).contains(&index) && (sum - index).abs() < 1e-9);
            assert!((value.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn the_next_change_is_never_late() {
        let options = LoyaltyOptions::default();
        for days in [vec![0], vec![0, 30], vec![0, 30, 60, 90, 120, 150], vec![0, 300, 310, 700]] {
            let h = history(&days);
            let band = |as_of| loyalty(Some(&h), as_of, &options, Attitudes::default()).unwrap().band;
            let last = days[days.len() - 1];
            for as_of in last..last + 800 {
                let next = next_change(Some(&h), as_of, &options, Attitudes::default(), None).unwrap();
                let end = next.unwrap_or(as_of + 3650);
                assert!((as_of + 1..end).all(|day| band(day) == band(as_of)), "{days:?} {as_of}");
            }
        }
    }
}
