//! Association rules: which items are bought together more often than chance has it.
//!
//! Pairs only: one item makes another likelier. Support, confidence, lift and leverage are those of
//! Agrawal, Imieliński, Swami (SIGMOD 1993) and Piatetsky-Shapiro (1991); significance is Fisher's exact
//! test, one-sided, on the two-by-two table of baskets, with the false discovery rate of Benjamini and
//! Hochberg (1995) over all pairs that could have come to `min_baskets`: those that did are chosen by the
//! very count that is tested, and among them alone chance would look like a discovery.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::base::memory::{self, Bytes};
use crate::facts::item_history::LONGEST_ITEM;
use crate::math::special::ln_gamma;

/// Different items at most.
const MOST_ITEMS: usize = 50_000;
/// Pairs held at most.
const MOST_PAIRS: usize = 20_000_000;
/// Items of one basket at most: pairs go with their square.
const MOST_IN_BASKET: usize = 1000;
const WHAT: &str = "basket_counts";

/// What a rule has to reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleOptions {
    /// Share of the baskets that hold both items.
    pub min_support: f64,
    /// Share of the baskets with the first item that hold the second.
    pub min_confidence: f64,
    /// Lift.
    pub min_lift: f64,
    /// False discovery rate.
    pub max_q: f64,
    /// Baskets that hold both items; rarer pairs are not tested.
    pub min_baskets: u64,
    /// Rules at most: those of the greatest lift.
    pub limit: usize,
}

impl RuleOptions {
    /// Reads the options; what is missing takes its default.
    ///
    /// # Errors
    /// Names the field that is unknown or wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let fields = ["min_support", "min_confidence", "min_lift", "max_q", "min_baskets", "limit"];
        let object = Object::new("options", "", value, &fields)?;
        let share = |key, default| -> Result<f64> { Ok(object.number(key, 0.0, 1.0)?.unwrap_or(default)) };
        Ok(Self {
            min_support: share("min_support", 0.0)?,
            min_confidence: share("min_confidence", 0.0)?,
            min_lift: object.number("min_lift", 0.0, 1e9)?.unwrap_or(1.0),
            max_q: share("max_q", 0.05)?,
            min_baskets: object.whole("min_baskets", 1, u64::MAX)?.unwrap_or(5),
            limit: object.whole("limit", 1, 1_000_000)?.map_or(1000, |n| n as usize),
        })
    }
}

/// Baskets counted by item and by pair of items.
#[derive(Debug, Clone, Default)]
pub struct BasketCounts {
    items: Vec<Box<str>>,
    codes: HashMap<Box<str>, u32>,
    single: Vec<u64>,
    pairs: HashMap<(u32, u32), u64>,
    baskets: u64,
}

/// Counts in the order of the texts: items, and pairs of items by their places among them.
type Sorted<'a> = (Vec<(&'a str, u64)>, Vec<((u32, u32), u64)>);

fn limit(what: &'static str, most: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, what)
        .detail(format!("At most {most} are allowed."))
        .hint("Count categories instead of products, or leave out rare items.")
}

impl BasketCounts {
    fn code(&mut self, item: &str) -> Result<u32> {
        if let Some(code) = self.codes.get(item) {
            return Ok(*code);
        }
        if item.len() > LONGEST_ITEM {
            return Err(limit("an item is too long", LONGEST_ITEM));
        }
        if self.items.len() == MOST_ITEMS {
            return Err(limit("too many items", MOST_ITEMS));
        }
        let code = self.items.len() as u32;
        self.items.push(item.into());
        self.codes.insert(item.into(), code);
        self.single.push(0);
        Ok(code)
    }

    fn count(&mut self, a: u32, b: u32, n: u64) -> Result<()> {
        memory::reserve(&mut self.pairs, 1)?;
        let pair = self.pairs.entry((a.min(b), a.max(b))).or_default();
        *pair = pair.saturating_add(n);
        if self.pairs.len() > MOST_PAIRS { Err(limit("too many pairs of items", MOST_PAIRS)) } else { Ok(()) }
    }

    /// Counts one basket; an item that is in it twice counts once.
    ///
    /// # Errors
    /// A limit is passed.
    pub fn add<'a>(&mut self, basket: impl Iterator<Item = &'a str>) -> Result<()> {
        let mut codes = basket.map(|item| self.code(item)).collect::<Result<Vec<u32>>>()?;
        codes.sort_unstable();
        codes.dedup();
        if codes.len() > MOST_IN_BASKET {
            return Err(limit("too many items in a basket", MOST_IN_BASKET));
        }
        self.baskets += u64::from(!codes.is_empty());
        for (at, a) in codes.iter().enumerate() {
            self.single[*a as usize] += 1;
            for b in &codes[at + 1..] {
                self.count(*a, *b, 1)?;
            }
        }
        Ok(())
    }

    /// Takes the baskets of another part in.
    ///
    /// # Errors
    /// A limit is passed.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let codes = other.items.iter().map(|item| self.code(item)).collect::<Result<Vec<u32>>>()?;
        self.baskets = self.baskets.saturating_add(other.baskets);
        for (n, code) in other.single.iter().zip(&codes) {
            let single = &mut self.single[*code as usize];
            *single = single.saturating_add(*n);
        }
        for ((a, b), n) in &other.pairs {
            self.count(codes[*a as usize], codes[*b as usize], *n)?;
        }
        Ok(())
    }

    /// Counts in the order of the texts.
    fn sorted(&self) -> Result<Sorted<'_>> {
        let mut order = memory::collect(0..self.items.len())?;
        order.sort_unstable_by_key(|code| &*self.items[*code]);
        let mut places = memory::filled(0_u32, order.len())?;
        for (place, code) in order.iter().enumerate() {
            places[*code] = place as u32;
        }
        let items = memory::collect(order.iter().map(|code| (&*self.items[*code], self.single[*code])))?;
        let mut pairs = memory::collect(self.pairs.iter().map(|((a, b), n)| {
            let (a, b) = (places[*a as usize], places[*b as usize]);
            ((a.min(b), a.max(b)), *n)
        }))?;
        pairs.sort_unstable();
        Ok((items, pairs))
    }

    /// The flat form: the same for the same baskets.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let (items, pairs) = self.sorted()?;
        let mut out = Bytes::begin(&[1]);
        put(&mut out, self.baskets);
        put(&mut out, items.len() as u64);
        for (item, n) in &items {
            put(&mut out, item.len() as u64);
            out.extend_from_slice(item.as_bytes());
            put(&mut out, *n);
        }
        put(&mut out, pairs.len() as u64);
        for ((a, b), n) in pairs {
            put(&mut out, u64::from(a));
            put(&mut out, u64::from(b));
            put(&mut out, n);
        }
        out.finish()
    }

    /// Reads the flat form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, WHAT);
        if reader.byte()? != 1 {
            return Err(reader.error("Its version is not one that this release knows."));
        }
        let mut counts = Self { baskets: reader.number()?, ..Self::default() };
        for at in 0..reader.count(2)? {
            let len = reader.number()?;
            let item =
                std::str::from_utf8(reader.take(len)?).map_err(|_| reader.error("An item is not a text."))?;
            if counts.code(item)? as usize != at {
                return Err(reader.error("An item occurs twice."));
            }
            counts.single[at] = reader.number()?;
        }
        let pairs = reader.count(3)?;
        memory::reserve(&mut counts.pairs, pairs)?;
        for _ in 0..pairs {
            let (a, b, n) = (reader.small()?, reader.small()?, reader.number()?);
            let known = |i: u32| counts.single.get(i as usize).is_some_and(|single| n <= *single);
            // Two items that are in more than half of the baskets each must meet in some.
            let meets = |a: u32, b: u32| {
                let together = u128::from(n) + u128::from(counts.baskets);
                u128::from(counts.single[a as usize]) + u128::from(counts.single[b as usize]) <= together
            };
            if a >= b || !known(a) || !known(b) || !meets(a, b) {
                return Err(reader.error("A pair does not fit its items."));
            }
            counts.pairs.insert((a, b), n);
        }
        reader.finish()?;
        if counts.baskets > 1 << 53 || counts.single.iter().any(|n| *n > counts.baskets) {
            return Err(reader.error("An item is in more baskets than there are."));
        }
        Ok(counts)
    }

    /// The rules that reach what the options ask, of the greatest lift first.
    ///
    /// # Errors
    /// No memory.
    pub fn rules(&self, options: &RuleOptions, checkpoint: Checkpoint) -> Result<Vec<Rule<'_>>> {
        let (items, pairs) = self.sorted()?;
        let n = self.baskets as f64;
        let mut tested: Vec<((u32, u32), u64, f64)> = Vec::new();
        for (pair, both) in pairs.into_iter().filter(|(_, both)| *both >= options.min_baskets) {
            let [a, b] = [pair.0, pair.1].map(|place| items[place as usize].1);
            memory::push(&mut tested, (pair, both, fisher(both, a, b, self.baskets)))?;
            checkpoint();
        }
        let p = memory::collect(tested.iter().map(|t| t.2))?;
        // By the items' own counts alone, which the test takes as given.
        let frequent = items.iter().filter(|(_, n)| *n >= options.min_baskets).count() as f64;
        let q = false_discovery(&p, 0.5 * frequent * (frequent - 1.0))?;
        let mut rules = Vec::new();
        for (((a, b), both, p_value), q_value) in tested.into_iter().zip(q) {
            for (antecedent, consequent) in [(a, b), (b, a)] {
                let (antecedent, first) = items[antecedent as usize];
                let (consequent, second) = items[consequent as usize];
                let (first, second) = (first as f64, second as f64);
                let (support, confidence) = (both as f64 / n, both as f64 / first);
                let lift = confidence * n / second;
                let leverage = support - first / n * (second / n);
                let rule = Rule {
                    antecedent,
                    consequent,
                    baskets: both,
                    support,
                    confidence,
                    lift,
                    leverage,
                    p_value,
                    q_value,
                };
                if rule.reaches(options) {
                    memory::push(&mut rules, rule)?;
                }
            }
        }
        rules.sort_by(|x, y| {
            y.lift.total_cmp(&x.lift).then((x.antecedent, x.consequent).cmp(&(y.antecedent, y.consequent)))
        });
        rules.truncate(options.limit);
        Ok(rules)
    }

    /// Baskets counted.
    #[must_use]
    pub fn baskets(&self) -> u64 {
        self.baskets
    }
}

/// Who buys one item buys another.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule<'a> {
    /// Who buys this.
    pub antecedent: &'a str,
    /// Buys that.
    pub consequent: &'a str,
    /// Baskets that hold both.
    pub baskets: u64,
    /// Their share of all baskets.
    pub support: f64,
    /// Their share of the baskets with the antecedent.
    pub confidence: f64,
    /// Confidence over the share of the consequent in all baskets.
    pub lift: f64,
    /// Support less what independence would give.
    pub leverage: f64,
    /// Fisher's exact test: so many or more by chance.
    pub p_value: f64,
    /// The smallest false discovery rate at which the pair is found.
    pub q_value: f64,
}

impl Rule<'_> {
    fn reaches(&self, o: &RuleOptions) -> bool {
        self.support >= o.min_support
            && self.confidence >= o.min_confidence
            && self.lift >= o.min_lift
            && self.q_value <= o.max_q
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "antecedent": self.antecedent, "consequent": self.consequent, "baskets": self.baskets,
            "support": self.support, "confidence": self.confidence, "lift": self.lift, "leverage": self.leverage,
            "p_value": self.p_value, "q_value": self.q_value,
        })
    }
}

fn ln_choose(n: u64, k: u64) -> f64 {
    ln_gamma(n as f64 + 1.0) - ln_gamma(k as f64 + 1.0) - ln_gamma((n - k) as f64 + 1.0)
}

/// P(at least `both` baskets in common) of items in `a` and `b` of `n` baskets: the hypergeometric tail.
fn fisher(both: u64, a: u64, b: u64, n: u64) -> f64 {
    let most = a.min(b);
    let first = (ln_choose(a, both) + ln_choose(n - a, b - both) - ln_choose(n, b)).exp();
    // Each term from the one before; they fall fast once beyond the mean.
    let (mut term, mut sum) = (1.0, 1.0);
    let mean = a as f64 * b as f64 / n as f64;
    for x in both..most {
        let rest = (n + x + 1) as f64 - a as f64 - b as f64;
        term *= (a - x) as f64 * (b - x) as f64 / ((x + 1) as f64 * rest);
        sum += term;
        if term < 1e-17 * sum && x as f64 > mean {
            break;
        }
    }
    (first * sum).min(1.0)
}

/// Benjamini and Hochberg's q-values of the smallest p-values among those of so many hypotheses: p-values that
/// are not given are taken for larger ones, which makes q larger if anything.
fn false_discovery(p: &[f64], hypotheses: f64) -> Result<Vec<f64>> {
    let mut order = memory::collect(0..p.len())?;
    order.sort_unstable_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut q = memory::filled(0.0, p.len())?;
    let mut least = 1.0_f64;
    for (at, place) in order.iter().enumerate() {
        least = least.min(p[*place] * hypotheses / (p.len() - at) as f64);
        q[*place] = least;
    }
    Ok(q)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> RuleOptions {
        RuleOptions::from_json(&serde_json::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn fisher_by_hand() {
        // Fisher's tea: 3 or 4 right of 4 in 8 is 17/70.
        assert!((fisher(3, 4, 4, 8) - 17.0 / 70.0).abs() < 1e-14);
        assert!((fisher(4, 4, 4, 8) - 1.0 / 70.0).abs() < 1e-15);
        // An item in every basket goes with everything by necessity.
        assert!((fisher(5, 10, 5, 10) - 1.0).abs() < 1e-12);
        assert!((fisher(1, 3, 2, 6) - 0.8).abs() < 1e-14);
    }

    #[test]
    fn q_values_by_hand() {
        let q = false_discovery(&[0.01, 0.04, 0.03, 0.5], 4.0).unwrap();
        for (q, expected) in q.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, 0.5]) {
            assert!((q - expected).abs() < 1e-15);
        }
    }

    #[test]
    fn rules_and_merging() {
        let baskets: Vec<Vec<&str>> = (0..60)
            .map(|i| match i % 3 {
                0 => vec!["bread", "butter", "bread"],
                1 => vec!["bread", "beer"],
                _ => vec!["beer", "bag"],
            })
            .chain([vec![]])
            .collect();
        let mut whole = BasketCounts::default();
        let (mut a, mut b) = (BasketCounts::default(), BasketCounts::default());
        for (at, basket) in baskets.iter().enumerate() {
            whole.add(basket.iter().copied()).unwrap();
            if at % 2 == 0 { &mut b } else { &mut a }.add(basket.iter().copied()).unwrap();
        }
        a.merge(&BasketCounts::from_bytes(&b.to_bytes().unwrap()).unwrap()).unwrap();
        assert_eq!(a.to_bytes(), whole.to_bytes());
        assert_eq!(whole.baskets(), 60);
        let rules = whole.rules(&options("{}"), &mut || {}).unwrap();
        let names: Vec<(&str, &str)> = rules.iter().map(|r| (r.antecedent, r.consequent)).collect();
        assert_eq!(names, [("bag", "beer"), ("beer", "bag"), ("bread", "butter"), ("butter", "bread")]);
        let butter = &rules[3];
        assert_eq!((butter.support, butter.confidence, butter.lift), (1.0 / 3.0, 1.0, 1.5));
        assert!((butter.leverage - (1.0 / 3.0 - 2.0 / 9.0)).abs() < 1e-15);
        // 40 choose 20 over 60 choose 20; two of six pairs are that rare.
        let p = 137_846_528_820.0 / 4_191_844_505_805_495.0;
        assert!((butter.p_value / p - 1.0).abs() < 1e-9 && (butter.q_value / (3.0 * p) - 1.0).abs() < 1e-9);
        // Beer and bread meet less often than by chance.
        assert_eq!(whole.rules(&options(r#"{"min_lift": 0, "max_q": 1}"#), &mut || {}).unwrap().len(), 6);
        assert!(BasketCounts::from_bytes(&whole.to_bytes().unwrap()[1..]).is_err());
    }

    /// Where nothing goes with anything, about nothing is found, whatever pairs are rare enough to be left out.
    #[test]
    fn chance_is_no_discovery() {
        use rand_distr::Distribution;
        let mut random = rand_pcg::Pcg64::new(7, 11);
        for (items, baskets, skew) in [(60, 2000, 0.0), (200, 3000, 0.7), (400, 1500, 1.1)] {
            let names: Vec<String> = (0..items).map(|i| format!("i{i}")).collect();
            let chances: Vec<rand_distr::Bernoulli> = (0..items)
                .map(|i| rand_distr::Bernoulli::new(0.3 / f64::from(i + 1).powf(skew)).unwrap())
                .collect();
            let mut counts = BasketCounts::default();
            for _ in 0..baskets {
                let basket: Vec<&str> = chances
                    .iter()
                    .zip(&names)
                    .filter(|(chance, _)| chance.sample(&mut random))
                    .map(|(_, name)| &**name)
                    .collect();
                counts.add(basket.into_iter()).unwrap();
            }
            for min_baskets in [1, 2, 5, 10, 40, 150] {
                let options = options(&format!(r#"{{"min_baskets": {min_baskets}}}"#));
                let found = counts.rules(&options, &mut || {}).unwrap().len() / 2;
                assert!(found <= 1, "{items} items, min_baskets {min_baskets}: {found} pairs");
            }
        }
    }
}
