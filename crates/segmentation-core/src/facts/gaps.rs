//! The time between a customer's purchases: how long, how regular, and when the next is due.
//!
//! Gaps are gamma: shape k is the regularity (1: at random, more: regular, less: in bursts), the rate
//! differs from customer to customer. Both are shrunk to a population ([`GapPrior`]), since most
//! customers have few gaps:
//!
//! * the shape by the likelihood of the gaps' proportions given their sum, which is Dirichlet (k, ..., k)
//!   and knows nothing of the scale (Wilks 1962, Mathematical Statistics, 7.7), times a log-normal prior;
//! * the rate by its conjugate gamma prior, so that the next gap is beta prime: no customer's own mean is
//!   taken as known (Gelman et al. 2013, Bayesian Data Analysis, 2.6).
//!
//! The prior is found by moments: with s = ln(mean) - mean(ln) of n gaps,
//! E s = psi(nk) - ln n - psi(k) and Var s = psi'(k) / n - psi'(nk) for known k; what varies more is
//! variation between customers.

use serde_json::{Value, json};

use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::json::Object;
use crate::facts::purchase_history::History;
use crate::math::special::{beta_quantile_log_odds, digamma, incomplete_beta, trigamma};

/// The last so many gaps of a customer are used.
pub const MOST_GAPS: usize = 64;
/// ln of the least and the greatest shape that a customer can have.
const LN_SHAPE: (f64, f64) = (-3.0, 4.6);

/// The root that bisection finds, of a function that is above 0 before its root and not after it.
///
/// The function is asked where it matters: secants close in on the root, and where they leave no doubt it is not asked
/// again. Within [`NOISE`] of the root rounding decides: there bisection asks, as it would have done.
fn root(mut low: f64, mut high: f64, steps: usize, f: impl Fn(f64) -> f64) -> f64 {
    const NOISE: f64 = 1e-9;
    const NEAR: f64 = 1e-7;
    // It is above 0 up to the first, and not from the second on.
    let (mut above, mut below) = (low, high);
    let ask = |x: f64, above: &mut f64, below: &mut f64| {
        let y = f(x);
        *(if y > 0.0 { above } else { below }) = x;
        y
    };
    let mut last: Option<(f64, f64)> = None;
    let mut secant = None;
    for _ in 0..12 {
        let middle = 0.5 * (above + below);
        let x = secant.filter(|x| above < *x && *x < below).unwrap_or(middle);
        let y = ask(x, &mut above, &mut below);
        secant = last.map(|(before, then)| x - y * (x - before) / (y - then));
        last = Some((x, y));
        if let Some(next) = secant.filter(|next| (next - x).abs() < NEAR) {
            for side in [next - NOISE, next + NOISE] {
                if above < side && side < below {
                    ask(side, &mut above, &mut below);
                }
            }
            break;
        }
    }
    for _ in 0..steps {
        let middle = 0.5 * (low + high);
        let is_above = middle <= above || middle < below && f(middle) > 0.0;
        *(if is_above { &mut low } else { &mut high }) = middle;
    }
    0.5 * (low + high)
}

/// Maximum-likelihood shape of a gamma distribution: ln k - psi(k) = ln(mean) - mean(ln).
///
/// `None` with fewer than two gaps, or if all are alike: the likelihood then grows without end.
///
/// # Errors
/// A gap is not a finite number above 0.
pub fn gamma_shape(gaps: &[f64]) -> Result<Option<f64>> {
    if let Some(gap) = gaps.iter().find(|g| !(g.is_finite() && **g > 0.0)) {
        return Err(Error::invalid("gaps must be finite numbers above 0").detail(format!("One is {gap}.")));
    }
    let s = spread(gaps);
    if gaps.len() < 2 || s < 1e-13 {
        return Ok(None);
    }
    Ok(Some(root(-30.0, 35.0, 60, |u| u - digamma(u.exp()) - s).exp()))
}

/// ln(mean) - mean(ln), in order of size so that the order of the gaps does not matter.
fn spread(gaps: &[f64]) -> f64 {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len().max(1) as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    (mean.ln() - sorted.iter().map(|g| g.ln()).sum::<f64>() / n).max(0.0)
}

/// The purchase days of a customer up to a day.
#[derive(Debug, Clone, PartialEq)]
pub struct PurchaseDaysOf {
    /// In order; not empty.
    pub days: Vec<Day>,
}

impl PurchaseDaysOf {
    /// Those up to `as_of`; `None` without any.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range.
    pub fn read(history: &[u8], as_of: Day) -> Result<Option<Self>> {
        day::check(as_of)?;
        let mut days = Vec::new();
        for entry in History::read(history)?.entries()? {
            let entry = entry?;
            if entry.day > as_of {
                break;
            }
            if entry.purchases > 0 {
                days.push(entry.day);
            }
        }
        Ok((!days.is_empty()).then_some(Self { days }))
    }

    /// The first.
    #[must_use]
    pub fn first(&self) -> Day {
        self.days.first().copied().unwrap_or(0)
    }

    /// The last.
    #[must_use]
    pub fn last(&self) -> Day {
        self.days.last().copied().unwrap_or(0)
    }

    /// The last [`MOST_GAPS`] gaps, in days.
    #[must_use]
    pub fn gaps(&self) -> Vec<f64> {
        gaps_of(&self.days)
    }
}

/// The last [`MOST_GAPS`] gaps between days in order.
#[must_use]
pub fn gaps_of(days: &[Day]) -> Vec<f64> {
    let from = days.len().saturating_sub(MOST_GAPS + 1);
    days[from..].windows(2).map(|w| f64::from(w[1] - w[0])).collect()
}

/// Nodes and weights of a normal distribution (Gauss-Hermite, 5 points).
const NORMAL: [(f64, f64); 5] = [
    (-2.856_970_013_872_806, 0.011_257_411_327_720_69),
    (-1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (0.0, 0.533_333_333_333_333_3),
    (1.355_626_179_974_266, 0.222_075_922_005_612_6),
    (2.856_970_013_872_806, 0.011_257_411_327_720_69),
];

/// Mean and standard deviation of ln shape, by which the mean and the mean square of s come out, from
/// (gaps n, customers, sum of s, sum of s squared).
fn shape_prior(spreads: &[(f64, f64, f64, f64)]) -> (f64, f64) {
    // E s and E s squared over customers whose ln shape is normal.
    let moments = |n: f64, centre: f64, deviation: f64| {
        NORMAL.iter().fold((0.0, 0.0), |(first, second), (x, weight)| {
            let k = (centre + deviation * x).clamp(LN_SHAPE.0 - 1.0, LN_SHAPE.1 + 1.0).exp();
            let mean = digamma(n * k) - n.ln() - digamma(k);
            let variance = trigamma(k) / n - trigamma(n * k);
            (first + weight * mean, second + weight * (mean * mean + variance))
        })
    };
    let centre = |deviation: f64| {
        root(LN_SHAPE.0, LN_SHAPE.1, 30, |u| {
            spreads.iter().map(|(n, c, s, _)| c * moments(*n, u, deviation).0 - s).sum::<f64>()
        })
    };
    let deviation = root(0.1, 2.0, 25, |deviation| {
        let u = centre(deviation);
        spreads.iter().map(|(n, c, _, squares)| squares - c * moments(*n, u, deviation).1).sum::<f64>()
    });
    (centre(deviation), deviation)
}

/// What is known of a population's gaps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GapPrior {
    /// Median shape over the customers.
    pub shape: f64,
    /// Standard deviation of ln shape between customers.
    pub shape_spread: f64,
    /// Typical mean gap in days.
    pub gap: f64,
    /// Standard deviation of ln mean gap between customers.
    pub gap_spread: f64,
}

impl Default for GapPrior {
    /// Without a population: at random once in a quarter, and little trust in that.
    fn default() -> Self {
        Self { shape: 1.0, shape_spread: 0.7, gap: 90.0, gap_spread: 1.0 }
    }
}

impl GapPrior {
    /// Reads what [`PriorState::fit`] made; `None` if it could not be fitted.
    ///
    /// # Errors
    /// Names the field that is malformed.
    pub fn from_json(value: &Value) -> Result<Option<Self>> {
        let fields = &["kind", "version", "as_of", "parameters", "customers", "gaps", "skipped", "warnings"];
        let object = Object::new("loyalty prior", "", value, fields)?;
        if object.text("kind")? != Some("loyalty_prior") {
            return Err(object.wrong("kind", "\"loyalty_prior\""));
        }
        object.need_whole("version", 1, 1)?;
        let Some(parameters) = object.get("parameters") else { return Ok(None) };
        let fields = &["shape", "shape_spread", "gap", "gap_spread"];
        let object = Object::new("loyalty prior", "parameters", parameters, fields)?;
        Ok(Some(Self {
            shape: object.need_number("shape", 0.01, 1000.0)?,
            shape_spread: object.need_number("shape_spread", 0.001, 10.0)?,
            gap: object.need_number("gap", 0.001, 1e6)?,
            gap_spread: object.need_number("gap_spread", 0.001, 10.0)?,
        }))
    }

    /// The customer's shape: the mode of its posterior on the scale of ln k. Without two gaps, the prior's.
    #[must_use]
    pub fn shape_of(&self, gaps: &[f64]) -> f64 {
        if gaps.len() < 2 {
            return self.shape;
        }
        let (n, s) = (gaps.len() as f64, spread(gaps));
        let slope = |u: f64| {
            let k = u.exp();
            n * k * (digamma(n * k) - n.ln() - digamma(k) - s)
                - (u - self.shape.ln()) / self.shape_spread.powi(2)
        };
        root(LN_SHAPE.0, LN_SHAPE.1, 40, slope).exp()
    }

    /// The distribution of the customer's next gap.
    #[must_use]
    pub fn next_gap(&self, gaps: &[f64]) -> NextGap {
        let shape = self.shape_of(gaps);
        let a = self.gap_spread.powi(-2);
        let mut sorted = gaps.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        NextGap {
            shape,
            a: a + shape * gaps.len() as f64,
            b: a * self.gap / shape + sorted.iter().sum::<f64>(),
        }
    }
}

/// The next gap of a customer: gamma with this shape, and a rate that is gamma (a, b).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NextGap {
    /// Regularity.
    pub shape: f64,
    a: f64,
    b: f64,
}

impl NextGap {
    /// P(gap <= days) and P(gap > days): a beta distribution of days / (days + b), through the smaller of that and its
    /// complement, so that no digits are lost far out.
    fn both(&self, days: f64) -> (f64, f64) {
        if days <= 0.0 {
            (0.0, 1.0)
        } else if days <= self.b {
            incomplete_beta(self.shape, self.a, days / (days + self.b))
        } else {
            let (above, below) = incomplete_beta(self.a, self.shape, self.b / (days + self.b));
            (below, above)
        }
    }

    /// P(gap <= days).
    #[must_use]
    pub fn cdf(&self, days: f64) -> f64 {
        self.both(days).0
    }

    /// P(gap > days).
    #[must_use]
    pub fn survival(&self, days: f64) -> f64 {
        self.both(days).1
    }

    /// The days by which the gap has ended with this probability, from e^-12 to e^20: ratios to them stay finite.
    #[must_use]
    pub fn quantile(&self, probability: f64) -> f64 {
        (self.b.ln() + beta_quantile_log_odds(self.shape, self.a, probability)).clamp(-12.0, 20.0).exp()
    }

    /// The customer's typical gap in days: the median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }
}

/// Sums over customers with the same number of gaps, in units of 1e-9 so that they are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Class {
    customers: u64,
    spread: i128,
    spread_squared: i128,
    level: i128,
    level_squared: i128,
}

const UNIT: f64 = 1e9;

fn exact(value: f64) -> i128 {
    (value * UNIT).round() as i128
}

/// The state of the aggregate `fit_loyalty_prior`: sums by number of gaps, 1 to [`MOST_GAPS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriorState {
    as_of: Day,
    /// Customers without a purchase by `as_of`, and rows without a history.
    skipped: u64,
    /// Customers with one purchase day.
    one: u64,
    classes: Vec<Class>,
}

impl PriorState {
    /// An empty state.
    ///
    /// # Errors
    /// The day is out of range.
    pub fn new(as_of: Day) -> Result<Self> {
        Ok(Self { as_of: day::check(as_of)?, skipped: 0, one: 0, classes: vec![Class::default(); MOST_GAPS] })
    }

    /// Up to when histories count.
    #[must_use]
    pub fn as_of(&self) -> Day {
        self.as_of
    }

    /// Takes in a customer; `None` is one without a history.
    ///
    /// # Errors
    /// Damaged bytes.
    pub fn add(&mut self, history: Option<&[u8]>) -> Result<()> {
        let days = history.map(|h| PurchaseDaysOf::read(h, self.as_of)).transpose()?.flatten();
        match days.map(|d| d.gaps()) {
            None => self.skipped += 1,
            Some(gaps) if gaps.is_empty() => self.one += 1,
            Some(gaps) => {
                let s = spread(&gaps);
                let level = (gaps.iter().sum::<f64>() / gaps.len() as f64).ln();
                let class = &mut self.classes[gaps.len() - 1];
                class.customers += 1;
                class.spread += exact(s);
                class.spread_squared += exact(s * s);
                class.level += exact(level);
                class.level_squared += exact(level * level);
            }
        }
        Ok(())
    }

    /// Takes in another part.
    ///
    /// # Errors
    /// It has another `as_of`.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.as_of != other.as_of {
            return Err(Error::invalid("as_of must be the same for all rows of an aggregate"));
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        self.one = self.one.saturating_add(other.one);
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            mine.customers = mine.customers.saturating_add(theirs.customers);
            mine.spread = mine.spread.saturating_add(theirs.spread);
            mine.spread_squared = mine.spread_squared.saturating_add(theirs.spread_squared);
            mine.level = mine.level.saturating_add(theirs.level);
            mine.level_squared = mine.level_squared.saturating_add(theirs.level_squared);
        }
        Ok(())
    }

    /// (gaps n, customers, sum, sum of squares) of a figure, where there are customers.
    fn sums(
        &self,
        least: usize,
        pick: impl Fn(&Class) -> (i128, i128),
    ) -> impl Iterator<Item = (f64, f64, f64, f64)> {
        self.classes.iter().enumerate().skip(least - 1).filter(|(_, c)| c.customers > 0).map(move |(i, c)| {
            let (sum, squares) = pick(c);
            ((i + 1) as f64, c.customers as f64, sum as f64 / UNIT, squares as f64 / UNIT)
        })
    }

    /// The prior by moments; `None` below `least` customers with two gaps.
    #[must_use]
    pub fn prior(&self, least: u64) -> Option<GapPrior> {
        let spreads: Vec<_> = self.sums(2, |c| (c.spread, c.spread_squared)).collect();
        let levels: Vec<_> = self.sums(1, |c| (c.level, c.level_squared)).collect();
        // Counts may be a stranger's.
        let regular = self.classes.iter().skip(1).fold(0_u64, |n, c| n.saturating_add(c.customers));
        if regular < least.max(2) {
            return None;
        }
        let (ln_shape, shape_spread) = shape_prior(&spreads);
        let k = ln_shape.exp();
        // ln mean gap = ln(mean) + psi(nk) - ln(nk) + noise of variance psi'(nk).
        let customers: f64 = levels.iter().map(|l| l.1).sum();
        let shift = |n: f64| digamma(n * k) - (n * k).ln();
        let ln_gap = levels.iter().map(|(n, c, sum, _)| sum - c * shift(*n)).sum::<f64>() / customers;
        let variance = levels
            .iter()
            .map(|(n, c, sum, squares)| {
                let centre = ln_gap + shift(*n);
                squares - 2.0 * centre * sum + c * centre * centre - c * trigamma(n * k)
            })
            .sum::<f64>()
            / customers;
        Some(GapPrior {
            shape: k,
            shape_spread,
            gap: ln_gap.exp(),
            gap_spread: variance.clamp(0.04, 9.0).sqrt(),
        })
    }

    /// The fitted prior as a value; without data enough its parameters are null.
    #[must_use]
    pub fn fit(&self, least: u64) -> Value {
        let prior = self.prior(least);
        let warnings = match prior {
            Some(_) => json!([]),
            None => json!([{ "code": "insufficient_data",
                "message": format!("fewer than {least} customers have three purchase days") }]),
        };
        // A state may come from a stranger: its counts add up to no more than there is room for.
        let total = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
        let gaps = total(
            &mut self.classes.iter().enumerate().map(|(i, c)| (i as u64 + 1).saturating_mul(c.customers)),
        );
        json!({
            "kind": "loyalty_prior", "version": 1, "as_of": day::format(self.as_of).unwrap_or_default(),
            "parameters": prior.map(|p| json!({
                "shape": p.shape, "shape_spread": p.shape_spread, "gap": p.gap, "gap_spread": p.gap_spread })),
            "customers": total(&mut self.classes.iter().map(|c| c.customers)),
            "gaps": gaps,
            "skipped": { "no_purchase": self.skipped, "one_purchase_day": self.one },
            "warnings": warnings,
        })
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![1];
        out.extend(self.as_of.to_le_bytes());
        out.extend(self.skipped.to_le_bytes());
        out.extend(self.one.to_le_bytes());
        for class in &self.classes {
            out.extend(class.customers.to_le_bytes());
            for sum in [class.spread, class.spread_squared, class.level, class.level_squared] {
                out.extend(sum.to_le_bytes());
            }
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid aggregate state");
        let mut rest = bytes;
        let mut take = |n: usize| -> Result<&[u8]> {
            let (head, tail) = rest.split_at_checked(n).ok_or_else(invalid)?;
            rest = tail;
            Ok(head)
        };
        if take(1)? != [1] {
            return Err(invalid());
        }
        let as_of = Day::from_le_bytes(take(4)?.try_into().map_err(|_| invalid())?);
        let mut state = Self::new(as_of).map_err(|_| invalid())?;
        state.skipped = u64::from_le_bytes(take(8)?.try_into().map_err(|_| invalid())?);
        state.one = u64::from_le_bytes(take(8)?.try_into().map_err(|_| invalid())?);
        for class in &mut state.classes {
            class.customers = u64::from_le_bytes(take(8)?.try_into().map_err(|_| invalid())?);
            for sum in
                [&mut class.spread, &mut class.spread_squared, &mut class.level, &mut class.level_squared]
            {
                *sum = i128::from_le_bytes(take(16)?.try_into().map_err(|_| invalid())?);
            }
        }
        if rest.is_empty() { Ok(state) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use rand_distr::Distribution;

    use super::*;

    #[test]
    fn shape_is_scipys() {
        // scipy.stats.gamma.fit(gaps, floc=0)[0], SciPy 1.17.1; recorded in tests/sql/loyalty.sql too.
        let shape = gamma_shape(&[30.0, 28.0, 35.0, 31.0, 60.0, 25.0]).unwrap().unwrap();
        assert!((shape - 11.379_460_549_661_6).abs() < 1e-9, "{shape}");
        assert_eq!(gamma_shape(&[7.0, 7.0]).unwrap(), None);
        assert_eq!(gamma_shape(&[7.0]).unwrap(), None);
        assert!(gamma_shape(&[0.0, 1.0]).is_err() && gamma_shape(&[f64::NAN, 1.0]).is_err());
    }

    #[test]
    fn prior_is_found_again_and_shrinks() {
        let mut random = rand_pcg::Pcg64Mcg::new(7);
        let shapes = rand_distr::LogNormal::new(2.0_f64.ln(), 0.5).unwrap();
        let levels = rand_distr::LogNormal::new(60.0_f64.ln(), 0.8).unwrap();
        let mut state = PriorState::new(0).unwrap();
        for i in 0..20_000_usize {
            let (k, mean): (f64, f64) = (shapes.sample(&mut random), levels.sample(&mut random));
            let gaps = rand_distr::Gamma::new(k, mean / k).unwrap();
            let gaps: Vec<f64> = (0..2 + i % 12).map(|_| gaps.sample(&mut random)).collect();
            let class = &mut state.classes[gaps.len() - 1];
            let (s, level) = (spread(&gaps), (gaps.iter().sum::<f64>() / gaps.len() as f64).ln());
            class.customers += 1;
            class.spread += exact(s);
            class.spread_squared += exact(s * s);
            class.level += exact(level);
            class.level_squared += exact(level * level);
        }
        let prior = state.prior(30).unwrap();
        assert!((prior.shape - 2.0).abs() < 0.15, "{prior:?}");
        assert!((prior.shape_spread - 0.5).abs() < 0.15, "{prior:?}");
        assert!((prior.gap / 60.0).ln().abs() < 0.05 && (prior.gap_spread - 0.8).abs() < 0.05, "{prior:?}");
        assert_eq!(PriorState::from_bytes(&state.to_bytes()).unwrap(), state);
        assert!(PriorState::from_bytes(&state.to_bytes()[1..]).is_err());

        assert_eq!(prior.shape_of(&[30.0]), prior.shape);
        let (few, many) = (prior.shape_of(&[30.0; 2]), prior.shape_of(&[30.0; 30]));
        assert!(prior.shape < few && few < many);
        let next = prior.next_gap(&[30.0; 30]);
        assert!((next.median() - 30.0).abs() < 3.0 && (next.cdf(next.quantile(0.25)) - 0.25).abs() < 1e-9);
        assert!((next.cdf(40.0) + next.survival(40.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn roots_are_those_of_bisection() {
        let halved = |mut low: f64, mut high: f64, steps: usize, f: &dyn Fn(f64) -> f64| {
            for _ in 0..steps {
                let middle = 0.5 * (low + high);
                *(if f(middle) > 0.0 { &mut low } else { &mut high }) = middle;
            }
            0.5 * (low + high)
        };
        let mut random = rand_pcg::Pcg64Mcg::new(3);
        let uniform = rand_distr::Uniform::new(0.0, 1.0).unwrap();
        let asked = std::cell::Cell::new(0);
        for round in 0..4000_usize {
            let mut draw = || -> f64 { uniform.sample(&mut random) };
            let prior = GapPrior {
                shape: (4.0 * draw() - 2.0).exp(),
                shape_spread: 0.1 + 2.0 * draw(),
                ..GapPrior::default()
            };
            let gaps: Vec<f64> =
                (0..2 + round % 30).map(|_| 1.0 + (300.0 * draw().powi(3)).floor()).collect();
            let (n, s) = (gaps.len() as f64, spread(&gaps));
            let slope = |u: f64| {
                let k = u.exp();
                n * k * (digamma(n * k) - n.ln() - digamma(k) - s)
                    - (u - prior.shape.ln()) / prior.shape_spread.powi(2)
            };
            let counted = |u: f64| {
                asked.set(asked.get() + 1);
                slope(u)
            };
            let found = root(LN_SHAPE.0, LN_SHAPE.1, 40, counted);
            assert_eq!(
                found.to_bits(),
                halved(LN_SHAPE.0, LN_SHAPE.1, 40, &slope).to_bits(),
                "{prior:?} {gaps:?}"
            );
            let flat = |u: f64| u - digamma(u.exp()) - s;
            assert_eq!(
                root(-30.0, 35.0, 60, flat).to_bits(),
                halved(-30.0, 35.0, 60, &flat).to_bits(),
                "{gaps:?}"
            );
        }
        assert!(asked.get() < 4000 * 24, "{}", asked.get());
        // Roots at the ends, on a step, on a place that bisection asks for.
        for at in [0.0, 1.0, 0.5, 0.25, 0.3, -1.0, 2.0] {
            for f in [
                |x: f64, at: f64| at - x,
                |x: f64, at: f64| if x < at { 1.0 } else { -1.0 },
                |x: f64, at: f64| (at - x).powi(9),
            ] {
                let f = |x: f64| f(x, at);
                assert_eq!(root(0.0, 1.0, 30, f).to_bits(), halved(0.0, 1.0, 30, &f).to_bits(), "{at}");
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_bisection() {
        for shape in [0.05, 0.7, 1.0, 3.0, 100.0] {
            for a in [0.05, 1.0, 4.0, 60.0, 3000.0] {
                for b in [0.5, 40.0, 20_000.0] {
                    let next = NextGap { shape, a, b };
                    for p in [0.001, 0.25, 0.5, 0.75, 0.95, 0.9999] {
                        let halved = root(-12.0, 20.0, 60, |u| p - next.cdf(u.exp()));
                        let found = next.quantile(p).ln();
                        // Where the curve is flat, days as far apart as this have one probability.
                        let same = (next.cdf(found.exp()) - next.cdf(halved.exp())).abs() < 1e-14;
                        assert!((found - halved).abs() < 1e-9 || same, "{next:?} {p}: {found} {halved}");
                    }
                }
            }
        }
    }
}
