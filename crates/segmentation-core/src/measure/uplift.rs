//! Uplift: what a campaign brought, by those assigned to it against those held out.
//!
//! Both groups are of those eligible at assignment, told apart by chance alone. Whether somebody was
//! reached, or opened anything, is no part of it: who can be reached buys more anyway.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::Checkpoint;
use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::math::special::student_t_tail;
use crate::measure::test_design::{ab_result, level_z, wilson};

/// More distinct outcomes than this are refused: about half a gigabyte.
const MOST_CELLS: usize = 16_000_000;

/// What an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It happened or it did not: groups are compared by their rates.
    Rate,
    /// A number, such as turnover: groups are compared by their means.
    Value,
}

/// The outcomes of both groups: how often each value came up.
///
/// Mergeable; sums are taken in the order of the values, so that no order of rows leaves a trace.
#[derive(Debug, Clone)]
pub struct Outcomes {
    kind: Kind,
    assigned: HashMap<u64, u64, RandomState>,
    held_out: HashMap<u64, u64, RandomState>,
    skipped: u64,
}

const VERSION: u8 = 1;

impl Outcomes {
    /// No customers yet.
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self { kind, assigned: HashMap::default(), held_out: HashMap::default(), skipped: 0 }
    }

    /// What the outcomes are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Takes one customer in; one whose group or outcome is not known is counted only.
    ///
    /// # Errors
    /// The outcome is not finite, or a limit on size is passed.
    pub fn add(&mut self, assigned: Option<bool>, outcome: Option<f64>) -> Result<()> {
        let (Some(assigned), Some(outcome)) = (assigned, outcome) else {
            self.skipped = self.skipped.saturating_add(1);
            return Ok(());
        };
        if !outcome.is_finite() {
            return Err(Error::new(ErrorKind::OutOfRange, "outcome must be a finite number")
                .detail(if outcome.is_nan() { "It is NaN." } else { "It is infinite." }));
        }
        self.count(assigned, outcome, 1)
    }

    fn count(&mut self, assigned: bool, outcome: f64, customers: u64) -> Result<()> {
        if self.assigned.len() + self.held_out.len() >= MOST_CELLS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many different outcomes for an uplift")
                .detail(format!("At most {MOST_CELLS} are kept."))
                .hint("Round the outcomes."));
        }
        let cells = if assigned { &mut self.assigned } else { &mut self.held_out };
        // Both zeros are one outcome.
        memory::reserve(cells, 1)?;
        let slot = cells.entry((outcome + 0.0).to_bits()).or_insert(0);
        *slot = slot.saturating_add(customers);
        Ok(())
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// The one holds rates and the other values, or a limit on size is passed.
    pub fn merge(&mut self, other: &Self, checkpoint: Checkpoint) -> Result<()> {
        if self.kind != other.kind {
            return Err(Error::invalid("cannot merge outcomes that happened with outcomes that are numbers"));
        }
        for (assigned, cells) in [(true, &other.assigned), (false, &other.held_out)] {
            for (i, (bits, customers)) in cells.iter().enumerate() {
                if i % 4096 == 0 {
                    checkpoint();
                }
                self.count(assigned, f64::from_bits(*bits), *customers)?;
            }
        }
        self.skipped = self.skipped.saturating_add(other.skipped);
        Ok(())
    }

    /// The stored form: equal states give equal bytes.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut out = Bytes::begin(&[VERSION, u8::from(self.kind == Kind::Rate)]);
        put(&mut out, self.skipped);
        for cells in [&self.assigned, &self.held_out] {
            put(&mut out, cells.len() as u64);
            for (outcome, customers) in sorted(cells)? {
                out.extend_from_slice(&outcome.to_le_bytes());
                put(&mut out, customers);
            }
        }
        out.finish()
    }

    /// Reads the stored form, which may come from anywhere.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`Self::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "outcomes");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let kind = match reader.byte()? {
            0 => Kind::Value,
            1 => Kind::Rate,
            _ => return Err(reader.error("Its kind is not known.")),
        };
        let mut outcomes = Self { skipped: reader.number()?, ..Self::new(kind) };
        for assigned in [true, false] {
            let mut before = f64::NEG_INFINITY;
            let cells = reader.count(9)?;
            memory::reserve(if assigned { &mut outcomes.assigned } else { &mut outcomes.held_out }, cells)?;
            for _ in 0..cells {
                let outcome = reader.take(8)?.iter().rev().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
                let (outcome, customers) = (f64::from_bits(outcome), reader.number()?);
                let fits = match kind {
                    Kind::Rate => outcome == 0.0 || outcome == 1.0,
                    Kind::Value => outcome.is_finite(),
                };
                let negative_zero = outcome == 0.0 && outcome.is_sign_negative();
                if !fits || negative_zero || outcome <= before || customers == 0 {
                    return Err(reader.error("An outcome is impossible."));
                }
                outcomes.count(assigned, outcome, customers)?;
                before = outcome;
            }
        }
        reader.finish()?;
        Ok(outcomes)
    }

    /// What the campaign brought, with intervals of `level`.
    ///
    /// Rates: Newcombe's hybrid score interval of the difference (1998, method 10), the pooled z-test,
    /// and for the ratio the same idea (MOVER-R: Donner and Zou 2012) from Wilson's intervals. Means:
    /// Welch's t (1947), and for the ratio Fieller's interval (1954) with Welch's degrees of freedom.
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn uplift(&self, level: f64) -> Result<Uplift> {
        let z = level_z(level)?;
        let (assigned, held_out) = (Group::of(&sorted(&self.assigned)?), Group::of(&sorted(&self.held_out)?));
        let mut uplift = Uplift { assigned, held_out, skipped: self.skipped, ..Uplift::default() };
        let (Some(treated), Some(control)) = (assigned.mean, held_out.mean) else { return Ok(uplift) };
        uplift.difference = Some(treated - control);
        uplift.relative = (control > 0.0).then(|| treated / control - 1.0);
        match self.kind {
            Kind::Rate => uplift.compare_rates(treated, control, level, z)?,
            Kind::Value => uplift.compare_means(treated, control, level),
        }
        if let Some((lower, upper)) = uplift.interval {
            uplift.verdict = match (lower > 0.0, upper < 0.0) {
                (true, _) => "better",
                (_, true) => "worse",
                _ => "undecided",
            };
        }
        Ok(uplift)
    }
}

impl PartialEq for Outcomes {
    fn eq(&self, other: &Self) -> bool {
        let counts = |of: &Self| (of.kind, of.skipped);
        counts(self) == counts(other) && self.assigned == other.assigned && self.held_out == other.held_out
    }
}

fn sorted(cells: &HashMap<u64, u64, RandomState>) -> Result<Vec<(f64, u64)>> {
    let mut cells = memory::collect(cells.iter().map(|(bits, n)| (f64::from_bits(*bits), *n)))?;
    cells.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Ok(cells)
}

/// One of the two groups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Group {
    /// Its customers.
    pub customers: u64,
    /// Their mean outcome; `None` without any.
    pub mean: Option<f64>,
    /// The variance of an outcome, with n-1; `None` below two customers.
    variance: Option<f64>,
}

impl Group {
    fn of(cells: &[(f64, u64)]) -> Self {
        let customers = cells.iter().map(|(_, n)| *n).fold(0, u64::saturating_add);
        let n = customers as f64;
        let sum = cells.iter().map(|(value, k)| value * *k as f64).sum::<f64>();
        // Sums beyond a double have no mean.
        let mean = Some(sum / n).filter(|mean| mean.is_finite());
        let variance = mean.filter(|_| customers > 1).map(|mean| {
            cells.iter().map(|(value, k)| (value - mean).powi(2) * (*k as f64 / (n - 1.0))).sum()
        });
        Self { customers, mean, variance }
    }
}

/// What a campaign brought.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uplift {
    /// Those assigned to the campaign.
    pub assigned: Group,
    /// Those held out.
    pub held_out: Group,
    /// The difference of their means.
    pub difference: Option<f64>,
    /// Its interval; `None` where it cannot be known: fewer than two customers, or no spread at all.
    pub interval: Option<(f64, f64)>,
    /// The ratio of the means less 1; `None` unless the mean without the campaign is above 0.
    pub relative: Option<f64>,
    /// The lower end of its interval.
    pub relative_lower: Option<f64>,
    /// The upper end; `None` where nothing bounds it.
    pub relative_upper: Option<f64>,
    /// Two-sided: how often chance alone makes such a difference.
    pub p_value: Option<f64>,
    /// Customers whose group or outcome is not known.
    pub skipped: u64,
    /// `better`, `worse`, `undecided` or `insufficient_data`.
    pub verdict: &'static str,
}

impl Default for Uplift {
    fn default() -> Self {
        Self {
            assigned: Group::default(),
            held_out: Group::default(),
            difference: None,
            interval: None,
            relative: None,
            relative_lower: None,
            relative_upper: None,
            p_value: None,
            skipped: 0,
            verdict: "insufficient_data",
        }
    }
}

impl Uplift {
    /// The difference and its interval, of all that were assigned: what the campaign brought in sum.
    #[must_use]
    pub fn incremental(&self) -> [Option<f64>; 3] {
        let n = self.assigned.customers as f64;
        [self.difference, self.interval.map(|i| i.0), self.interval.map(|i| i.1)].map(|v| v.map(|v| v * n))
    }

    fn compare_rates(&mut self, treated: f64, control: f64, level: f64, z: f64) -> Result<()> {
        let [n1, n2] = [self.assigned, self.held_out].map(|group| group.customers);
        let [s1, s2] = [(treated, n1), (control, n2)].map(|(rate, n)| (rate * n as f64).round());
        let whole = |n: f64| n as i64;
        let result = ab_result(whole(n1 as f64), whole(s1), whole(n2 as f64), whole(s2), level)?;
        self.interval = Some((result.difference.1, result.difference.2));
        self.p_value = Some(result.p_value);
        if control > 0.0 {
            let ratio =
                ratio_interval((treated, wilson(s1, n1 as f64, z)), (control, wilson(s2, n2 as f64, z)));
            self.set_ratio(ratio);
        }
        Ok(())
    }

    fn compare_means(&mut self, treated: f64, control: f64, level: f64) {
        let share = |group: Group| group.variance.map(|variance| variance / group.customers as f64);
        let (Some(v1), Some(v2)) = (share(self.assigned), share(self.held_out)) else { return };
        let variance = v1 + v2;
        if !(variance > 0.0 && variance.is_finite()) {
            return;
        }
        let difference = treated - control;
        // Satterthwaite's degrees of freedom.
        let part = |v: f64, group: Group| (v / variance).powi(2) / (group.customers - 1) as f64;
        let freedom = 1.0 / (part(v1, self.assigned) + part(v2, self.held_out));
        let t = t_quantile(freedom, level);
        let half = t * variance.sqrt();
        self.interval = Some((difference - half, difference + half));
        self.p_value = Some(student_t_tail(difference / variance.sqrt(), freedom));
        if control > 0.0 {
            let around = |mean: f64, v: f64| (mean, (mean - t * v.sqrt(), mean + t * v.sqrt()));
            self.set_ratio(ratio_interval(around(treated, v1), around(control, v2)));
        }
    }

    fn set_ratio(&mut self, (lower, upper): (Option<f64>, Option<f64>)) {
        self.relative_lower = lower.map(|ratio| ratio - 1.0);
        self.relative_upper = upper.map(|ratio| ratio - 1.0);
    }
}

/// The interval of a ratio of two independent estimates from the interval of each (MOVER-R: Donner
/// and Zou 2012, equation 9); with intervals of t standard errors it is Fieller's (1954).
///
/// An end is `None` where nothing bounds it.
fn ratio_interval(
    (above, (l1, u1)): (f64, (f64, f64)),
    (below, (l2, u2)): (f64, (f64, f64)),
) -> (Option<f64>, Option<f64>) {
    // The estimate below is not told from 0: nothing bounds the ratio.
    if l2 <= 0.0 {
        return (None, None);
    }
    let product = above * below;
    let parts = |limit: f64, other: f64| {
        let (p, q) = (limit * (2.0 * above - limit), other * (2.0 * below - other));
        (p, q, (product * product - p * q).max(0.0).sqrt())
    };
    let (p, q, root) = parts(l1, u2);
    // (product - root) / q, without cancelling where it would.
    let lower = match product {
        product if product < 0.0 => (product - root) / q,
        product if product + root > 0.0 => p / (product + root),
        _ => 0.0,
    };
    let (_, q, root) = parts(u1, l2);
    let upper = (product + root) / q;
    (Some(lower).filter(|end| end.is_finite()), Some(upper).filter(|end| end.is_finite()))
}

/// The t that a Student's variable is within with probability `level`.
fn t_quantile(freedom: f64, level: f64) -> f64 {
    let outside = |t: f64| student_t_tail(t, freedom) - (1.0 - level);
    let (mut low, mut high) = (0.0, 1.0);
    while outside(high) > 0.0 && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    while high - low > 1e-13 * high {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if outside(middle) > 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(value: Option<f64>, expected: f64) -> bool {
        value.is_some_and(|v| (v - expected).abs() <= 1e-9 * expected.abs().max(1.0))
    }

    fn values(assigned: &[f64], held_out: &[f64]) -> Outcomes {
        let mut outcomes = Outcomes::new(Kind::Value);
        assigned.iter().for_each(|v| outcomes.add(Some(true), Some(*v)).unwrap());
        held_out.iter().for_each(|v| outcomes.add(Some(false), Some(*v)).unwrap());
        outcomes
    }

    fn rates(s1: u64, n1: u64, s2: u64, n2: u64) -> Uplift {
        let mut outcomes = Outcomes::new(Kind::Rate);
        for (assigned, s, n) in [(true, s1, n1), (false, s2, n2)] {
            for i in 0..n {
                outcomes.add(Some(assigned), Some(f64::from(u8::from(i < s)))).unwrap();
            }
        }
        outcomes.uplift(0.95).unwrap()
    }

    /// SciPy 1.17.1: ttest_ind(equal_var=False) with its confidence_interval; the ratio by inverting
    /// that test with brentq.
    #[test]
    fn means_as_scipy() {
        let a = [0., 0., 0., 0., 0., 12.5, 40., 0., 0., 7.25, 120., 0., 0., 33., 0., 0., 18., 0., 64.75, 0.];
        let b = [0., 0., 0., 15., 0., 0., 0., 0., 22., 0., 0., 9.5];
        let uplift = values(&a, &b).uplift(0.95).unwrap();
        assert!(near(uplift.difference, 10.9) && near(uplift.p_value, 0.139_303_423_835_207_27));
        let (lower, upper) = uplift.interval.unwrap();
        assert!(
            (lower + 3.827_910_951_724_806_7).abs() < 1e-9 && (upper - 25.627_910_951_724_807).abs() < 1e-9
        );
        // The mean of those held out is not told from 0: the ratio has no bounds.
        assert_eq!((uplift.relative_lower, uplift.relative_upper, uplift.verdict), (None, None, "undecided"));
        let narrow = values(&a, &b).uplift(0.8).unwrap();
        assert!(near(narrow.relative_lower, 0.310_344_300_327_949_13));
        assert!(near(narrow.relative_upper, 14.421_367_623_015_517));

        let a: Vec<f64> =
            (0..5000).map(|i| if i % 7 == 0 { f64::from((i * 7919) % 1000) / 10.0 } else { 0.0 }).collect();
        let b: Vec<f64> = (0..1500_i64)
            .map(|i| if i % 8 == 0 { ((i * 104_729) % 1000) as f64 / 11.0 } else { 0.0 })
            .collect();
        let uplift = values(&a, &b).uplift(0.95).unwrap();
        assert!(near(uplift.p_value, 0.016_283_872_732_691_967) && uplift.verdict == "better");
        let [total, lower, upper] = uplift.incremental();
        assert!(near(total, 5000.0 * (7.1283 - 5.811_878_787_878_787)));
        assert!(
            near(lower, 5000.0 * 0.242_664_164_654_341_93) && near(upper, 5000.0 * 2.390_178_259_588_084)
        );
        assert!(near(uplift.relative_lower, 0.036_845_820_910_170_746));
        assert!(near(uplift.relative_upper, 0.477_726_482_329_943_86));
    }

    /// statsmodels 0.15.0: confint_proportions_2indep(method="newcomb"), proportions_ztest; the ratio
    /// by solving the interval of p1 - R p2 from Wilson's intervals for its ends at 0, with brentq.
    #[test]
    fn rates_as_statsmodels() {
        let known = [
            (
                (130, 1000, 45, 500),
                (0.005_660_669_424_367_368, 0.071_343_200_294_594_15),
                0.022_911_505_419_098_03,
                (0.049_865_560_784_917_884, 0.991_701_798_350_336_7),
            ),
            (
                (56, 70, 48, 80),
                (0.052_431_472_402_364_98, 0.333_872_654_036_906_14),
                0.008_045_081_368_196_56,
                (0.078_294_613_240_292_65, 0.662_919_966_511_070_9),
            ),
            (
                (0, 50, 3, 40),
                (-0.198_642_335_243_105_5, 0.011_646_270_916_476_312),
                0.048_884_633_916_181_135,
                (-1.0, 0.259_704_574_639_455_07),
            ),
            (
                (3, 4, 1, 3),
                (-0.225_680_778_374_866_6, 0.756_787_687_049_546_4),
                0.270_289_384_801_698_6,
                (-0.360_333_485_518_758_3, 11.298_251_587_593_212),
            ),
        ];
        for ((s1, n1, s2, n2), (lower, upper), p_value, (relative_lower, relative_upper)) in known {
            let uplift = rates(s1, n1, s2, n2);
            let interval = uplift.interval.unwrap();
            assert!(
                (interval.0 - lower).abs() < 1e-12 && (interval.1 - upper).abs() < 1e-12,
                "{s1}: {interval:?}"
            );
            assert!(near(uplift.p_value, p_value), "{s1}");
            assert!(
                near(uplift.relative_lower, relative_lower) && near(uplift.relative_upper, relative_upper),
                "{s1}: {uplift:?}"
            );
        }
        let nobody = rates(5, 9, 0, 11);
        assert_eq!((nobody.relative, nobody.relative_upper, nobody.verdict), (None, None, "better"));
    }

    #[test]
    fn too_little_to_say() {
        let empty = Outcomes::new(Kind::Value).uplift(0.95).unwrap();
        assert_eq!((empty.difference, empty.verdict), (None, "insufficient_data"));
        let one_sided = values(&[1.0, 2.0], &[]).uplift(0.95).unwrap();
        assert_eq!((one_sided.assigned.mean, one_sided.difference), (Some(1.5), None));
        // One customer has no spread; no spread at all says nothing of what else could have been.
        for outcomes in
            [values(&[1.0, 2.0], &[3.0]), values(&[0.0; 50], &[0.0; 50]), values(&[2.0; 5], &[1.0; 5])]
        {
            let uplift = outcomes.uplift(0.95).unwrap();
            assert!(uplift.difference.is_some() && uplift.interval.is_none() && uplift.p_value.is_none());
            assert_eq!(uplift.verdict, "insufficient_data");
        }
        // A mean of nothing or less has no ratio.
        let losses = values(&[1.0, 2.0, 4.0], &[-1.0, -2.0, -2.5]).uplift(0.95).unwrap();
        assert!(losses.relative.is_none() && losses.relative_lower.is_none() && losses.verdict == "better");
        let huge = values(&[1e300, -1e300, 1e308], &[1e308, 0.0]).uplift(0.95).unwrap();
        assert_eq!(huge.verdict, "insufficient_data");
        for bad in [0.0, 1.0, f64::NAN] {
            assert!(values(&[1.0, 2.0], &[1.0, 3.0]).uplift(bad).is_err());
        }
        let mut outcomes = Outcomes::new(Kind::Value);
        assert!(outcomes.add(Some(true), Some(f64::NAN)).is_err());
        outcomes.add(None, Some(1.0)).unwrap();
        outcomes.add(Some(true), None).unwrap();
        assert_eq!(outcomes.uplift(0.95).unwrap().skipped, 2);
        assert!(outcomes.merge(&Outcomes::new(Kind::Rate), &mut || {}).is_err());
    }

    proptest! {
        #[test]
        fn any_order_and_any_parts_are_the_same(rows in proptest::collection::vec((any::<bool>(), -50..50_i32), 0..60), at in 0..60_usize) {
            let add = |rows: &[(bool, i32)]| {
                let mut outcomes = Outcomes::new(Kind::Value);
                rows.iter().for_each(|(a, v)| outcomes.add(Some(*a), Some(f64::from(*v) / 7.0)).unwrap());
                outcomes
            };
            let whole = add(&rows);
            let mut reversed = rows.clone();
            reversed.reverse();
            let (left, right) = rows.split_at(at.min(rows.len()));
            let mut merged = add(right);
            merged.merge(&add(left), &mut || {}).unwrap();
            prop_assert_eq!(&whole, &merged);
            prop_assert_eq!(whole.uplift(0.9).unwrap(), add(&reversed).uplift(0.9).unwrap());
            prop_assert_eq!(&Outcomes::from_bytes(&whole.to_bytes().unwrap()).unwrap(), &whole);
        }

        #[test]
        fn hostile_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(read) = Outcomes::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes().unwrap(), bytes);
            }
        }
    }
}
