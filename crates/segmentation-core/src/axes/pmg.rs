//! PMG: petits, moyens, gros clients, classes of customers by turnover; and the
//! concentration of turnover among customers.
//!
//! *Gros* are the customers at the top, *moyens* the next, *petits* the rest,
//! *inactifs* those without turnover. Two published conventions are offered:
//! the first 5 % and the next 15 % of active customers (Marketing Magazine's rule),
//! or the customers who make the first 80 % and the next 15 % of turnover (ABC).

use crate::Checkpoint;
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::money::Money;
use crate::facts::purchase_history::History;
use crate::math::order_statistics::{Key, SortedRuns, smallest_key, sort_by_key};

/// A class of customers by turnover. The order is that of importance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pmg {
    /// Inactif: turnover not above 0.
    I,
    /// Petit.
    P,
    /// Moyen.
    M,
    /// Gros.
    G,
}

impl Pmg {
    /// Its code: `I`, `P`, `M` or `G`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Pmg::I => "I",
            Pmg::P => "P",
            Pmg::M => "M",
            Pmg::G => "G",
        }
    }
}

/// What the limits are shares of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Of the number of customers with turnover.
    Rank,
    /// Of the turnover.
    Cumulative,
}

impl Mode {
    /// `rank` or `cumulative`.
    ///
    /// # Errors
    /// Any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "rank" => Ok(Mode::Rank),
            "cumulative" => Ok(Mode::Cumulative),
            other => Err(Error::invalid(format!(
                "unrecognized mode: \"{}\"",
                other.chars().take(40).collect::<String>()
            ))
            .hint("Modes are \"rank\" (shares of customers) and \"cumulative\" (shares of turnover).")),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Rank => "rank",
            Mode::Cumulative => "cumulative",
        }
    }
}

/// Parts of one that a [`Share`] counts in.
pub const SHARE_SCALE: i128 = 1_000_000_000_000;

/// A share, as an exact decimal with twelve places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub i128);

/// Mode and limits: both are cumulative, from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What the limits are shares of.
    pub mode: Mode,
    /// Where class G ends.
    pub gros: Share,
    /// Where class M ends.
    pub moyens: Share,
}

impl Limits {
    /// Limits, with the defaults of the mode where none is given: .05 and .20 of
    /// customers, .80 and .95 of turnover.
    ///
    /// # Errors
    /// Unless 0 < gros <= moyens <= 1.
    pub fn new(mode: Mode, gros: Option<Share>, moyens: Option<Share>) -> Result<Self> {
        let percent = |n: i128| Share(n * SHARE_SCALE / 100);
        let (default_gros, default_moyens) = match mode {
            Mode::Rank => (percent(5), percent(20)),
            Mode::Cumulative => (percent(80), percent(95)),
        };
        let limits =
            Limits { mode, gros: gros.unwrap_or(default_gros), moyens: moyens.unwrap_or(default_moyens) };
        if limits.gros.0 <= 0 || limits.gros > limits.moyens || limits.moyens.0 > SHARE_SCALE {
            let shown = |share: Share| share.0 as f64 / SHARE_SCALE as f64;
            return Err(Error::invalid("invalid PMG limits")
                .detail(format!("gros is {}, moyens is {}.", shown(limits.gros), shown(limits.moyens)))
                .hint("Limits are cumulative shares from the top: 0 < gros <= moyens <= 1."));
        }
        Ok(limits)
    }
}

/// The least turnover of classes G and M; whoever has less, but more than nothing, is P.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cuts {
    /// Least turnover of class G.
    pub gros_from: Money,
    /// Least turnover of class M.
    pub moyens_from: Money,
}

impl Cuts {
    /// The class of a turnover.
    #[inline]
    #[must_use]
    pub fn class(&self, turnover: Money) -> Pmg {
        if turnover <= Money::ZERO {
            Pmg::I
        } else if turnover >= self.gros_from {
            Pmg::G
        } else if turnover >= self.moyens_from {
            Pmg::M
        } else {
            Pmg::P
        }
    }
}

/// The most months that a rolling period may have: a century.
pub const MAX_MONTHS: i32 = 1200;

/// The first day that is past the rolling period which `day` opened or was in: the first D with
/// D - months >= day, as PostgreSQL counts months. `None` beyond the calendar.
fn leaves_on(day: Day, months: i32) -> Option<Day> {
    let same = day::add_months(day, months).ok()?;
    // The last day of a short month looks back to itself only: the next one looks back past `day`.
    let back = day::add_months(same, -months).ok()?;
    day::check(if back < day { same + 1 } else { same }).ok()
}

/// The first day after `as_of` on which the class changes because a day leaves the rolling period of
/// `months` months up to and including that day, or because a day dated after `as_of` enters it.
/// `None` if it never does.
///
/// The period of day D is (D - months, D]; a refund that leaves raises the turnover.
///
/// # Errors
/// `months` outside 1 to [`MAX_MONTHS`], `as_of` outside the calendar, damaged bytes, or a turnover that does not fit.
pub fn next_change(history: &History, as_of: Day, cuts: Cuts, months: i32) -> Result<Option<Day>> {
    if !(1..=MAX_MONTHS).contains(&months) {
        return Err(Error::invalid("months must be between 1 and 1200").detail(format!("It is {months}.")));
    }
    day::check(as_of)?;
    // Before the calendar begins there is nothing to leave the period.
    let after = day::add_months(as_of, -months).unwrap_or(Day::MIN);
    let mut turnover = history.totals(after, as_of)?.turnover;
    let class = cuts.class(turnover);
    let mut entries = Vec::with_capacity(history.len());
    for entry in history.entries()? {
        let entry = entry?;
        if entry.day > after {
            entries.push(entry);
        }
    }
    // The next to leave and the next to enter; whoever enters leaves later.
    let (mut out, mut into) = (0, entries.partition_point(|e| e.day <= as_of));
    loop {
        let exit = |at: usize| entries.get(at).and_then(|e| leaves_on(e.day, months));
        let entry = |at: usize| entries.get(at).map(|e| e.day);
        let Some(day) = exit(out).into_iter().chain(entry(into)).min() else { return Ok(None) };
        while entry(into) == Some(day) {
            turnover = turnover.checked_add(entries[into].amount)?;
            into += 1;
        }
        while exit(out) == Some(day) {
            turnover = turnover.checked_sub(entries[out].amount)?;
            out += 1;
        }
        if cuts.class(turnover) != class {
            return Ok(Some(day));
        }
    }
}

/// Turnovers of many customers.
///
/// Mergeable; its flat form is sorted, so that it does not depend on the order of arrival.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turnovers(Vec<i64>);

const VERSION: u8 = 1;

impl Turnovers {
    /// The most customers that one value can hold: its flat form ends at 1 GB.
    pub const MAX_CUSTOMERS: usize = 120_000_000;

    /// Adds a customer.
    ///
    /// # Errors
    /// More than [`Self::MAX_CUSTOMERS`], or no memory.
    pub fn add(&mut self, turnover: Money) -> Result<()> {
        self.reserve(1)?;
        self.0.push(turnover.0);
        Ok(())
    }

    /// Adds the customers of another.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn merge(&mut self, other: &Turnovers) -> Result<()> {
        self.reserve(other.0.len())?;
        self.0.extend_from_slice(&other.0);
        Ok(())
    }

    fn reserve(&mut self, more: usize) -> Result<()> {
        if self.0.len() + more > Self::MAX_CUSTOMERS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many customers for one set of turnovers")
                .detail(format!("At most {} customers can be held.", Self::MAX_CUSTOMERS))
                .hint("Take a sample of the customers, or group them."));
        }
        memory::reserve(&mut self.0, more)
    }

    /// How many customers there are, active or not.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.0.len()
    }

    /// Sorts those with turnover for questions about their order.
    ///
    /// # Errors
    /// No memory.
    pub fn active(&self, checkpoint: Checkpoint) -> Result<Active> {
        let mut positive = Vec::new();
        memory::reserve_exact(&mut positive, self.0.len())?;
        positive.extend(self.0.iter().copied().filter(|turnover| *turnover > 0));
        let runs = SortedRuns::new(&positive, checkpoint)?;
        // Running totals from the top of each run answer "how much above x" by binary search.
        let mut above = Vec::new();
        memory::reserve_exact(&mut above, runs.len())?;
        for run in runs.runs() {
            checkpoint();
            let start = above.len();
            above.resize(start + run.len(), 0);
            let mut total = 0_i128;
            for (slot, key) in above[start..].iter_mut().zip(run).rev() {
                total += i128::from(i64::from_key(*key));
                *slot = total;
            }
        }
        Ok(Active { runs, above })
    }

    /// Cut points of these customers; `None` if nobody has turnover.
    ///
    /// # Errors
    /// No memory.
    pub fn cuts(&self, limits: Limits, checkpoint: Checkpoint) -> Result<Option<Cuts>> {
        Ok(self.active(checkpoint)?.cuts(limits))
    }

    /// Gini coefficient of all customers, negative turnovers taken as 0: 0 if all
    /// have the same, near 1 if one has everything. `None` without turnover.
    ///
    /// # Errors
    /// No memory.
    pub fn gini(&self, checkpoint: Checkpoint) -> Result<Option<f64>> {
        let active = self.active(checkpoint)?;
        let total = active.total();
        if total == 0 {
            return Ok(None);
        }
        // Area under the Lorenz curve by trapezoids, from the top down.
        let n = self.0.len() as f64;
        let mut rank = 0_u64;
        let mut weighted = 0.0;
        active.descending(checkpoint, |turnover, count| {
            // Ranks rank + 1 ..= rank + count have this turnover each.
            let count_f = count as f64;
            weighted += turnover as f64 * (count_f * rank as f64 + count_f * (count_f + 1.0) / 2.0);
            rank += count;
        });
        Ok(Some((n + 1.0 - 2.0 * weighted / total as f64) / n))
    }

    /// The concentration curve: for `points + 1` shares of all customers from 0 to 1,
    /// biggest first, their share of the turnover. Empty without turnover.
    ///
    /// # Errors
    /// Not 1 to 10,000 points, or no memory.
    pub fn concentration(&self, points: i32, checkpoint: Checkpoint) -> Result<Vec<CurvePoint>> {
        if !(1..=10_000).contains(&points) {
            return Err(
                Error::invalid("points must be between 1 and 10000").detail(format!("points is {points}."))
            );
        }
        let points = points as usize;
        let active = self.active(checkpoint)?;
        let total = active.total();
        if total == 0 {
            return Ok(Vec::new());
        }
        let n = self.0.len();
        let mut curve = Vec::with_capacity(points + 1);
        let (mut rank, mut sum) = (0_usize, 0_i128);
        let mut push = |rank: usize, sum: i128| {
            curve.push(CurvePoint {
                customers: rank,
                customer_share: rank as f64 / n as f64,
                turnover: sum,
                turnover_share: sum as f64 / total as f64,
            });
        };
        let mut next = 0;
        active.descending(checkpoint, |turnover, count| {
            let count = count as usize;
            while next <= points && n * next / points < rank + count {
                let within = n * next / points - rank;
                push(n * next / points, sum + i128::from(turnover) * within as i128);
                next += 1;
            }
            rank += count;
            sum += i128::from(turnover) * count as i128;
        });
        while next <= points {
            push(n * next / points, sum);
            next += 1;
        }
        Ok(curve)
    }

    /// The flat form: version, customers, sorted turnovers.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self, checkpoint: Checkpoint) -> Result<Vec<u8>> {
        let mut sorted = memory::copy(&self.0)?;
        sort_by_key(&mut sorted, |turnover| *turnover, checkpoint)?;
        let mut out: Vec<u8> = memory::with_capacity(9 + 8 * sorted.len())?;
        out.push(VERSION);
        out.extend_from_slice(&(sorted.len() as u64).to_le_bytes());
        for turnover in sorted {
            out.extend_from_slice(&turnover.to_le_bytes());
        }
        Ok(out)
    }

    /// Reads the flat form.
    ///
    /// # Errors
    /// Anything that [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = |detail: &'static str| {
            Error::new(ErrorKind::InvalidBinary, "invalid turnover_values").detail(detail)
        };
        let (header, rest) =
            bytes.split_first_chunk::<9>().ok_or_else(|| invalid("The value ends too early."))?;
        if header[0] != VERSION {
            return Err(invalid("Its version is not one that this release knows."));
        }
        let count = u64::from_le_bytes(std::array::from_fn(|i| header[1 + i]));
        if count.checked_mul(8) != Some(rest.len() as u64) {
            return Err(invalid("Its count does not fit its length."));
        }
        let mut turnovers = Turnovers::default();
        turnovers.reserve(rest.len() / 8)?;
        turnovers.0.extend(rest.chunks_exact(8).map(|b| i64::from_le_bytes(std::array::from_fn(|i| b[i]))));
        Ok(turnovers)
    }
}

/// A point of the concentration curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Number of customers, biggest first.
    pub customers: usize,
    /// Their share of all customers.
    pub customer_share: f64,
    /// Their turnover, in ten-thousandths.
    pub turnover: i128,
    /// Their share of all turnover above 0.
    pub turnover_share: f64,
}

/// Turnovers above 0, sorted.
pub struct Active {
    runs: SortedRuns<i64>,
    /// For each key of each run, the total of the run from it upwards.
    above: Vec<i128>,
}

impl Active {
    /// How many customers have turnover.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.runs.len()
    }

    /// Their turnover, in ten-thousandths.
    #[must_use]
    pub fn total(&self) -> i128 {
        self.turnover_above(0)
    }

    /// Turnover of the customers with more than `turnover`.
    fn turnover_above(&self, turnover: i64) -> i128 {
        let key = turnover.to_key();
        let mut start = 0;
        let mut total = 0;
        for run in self.runs.runs() {
            let at = run.partition_point(|k| *k <= key);
            if at < run.len() {
                total += self.above[start + at];
            }
            start += run.len();
        }
        total
    }

    /// Cut points; `None` if nobody has turnover.
    ///
    /// Whoever crosses a limit is in the higher class. Customers with the same turnover are in the same class: where a
    /// tie crosses a limit, in the higher one if at least half of them are within it, in whatever order they come, and
    /// somebody has less than they. Of customers who all have the same none is large.
    #[must_use]
    pub fn cuts(&self, limits: Limits) -> Option<Cuts> {
        if self.runs.is_empty() {
            return None;
        }
        let total = self.total();
        // Whether a customer is within the limit whom so many precede, with so much turnover.
        let within = |share: Share, customers: usize, turnover: i128| match limits.mode {
            Mode::Rank => customers as i128 * SHARE_SCALE < share.0 * self.customers() as i128,
            Mode::Cumulative => below(turnover, share, total),
        };
        let least = |share: Share| {
            let key = smallest_key(|key| {
                let turnover = i64::from_key(key);
                within(share, self.runs.count_above(turnover), self.turnover_above(turnover))
            });
            let last = self.runs.first_from(i64::from_key(key))?;
            let above = self.runs.count_above(last);
            let tied = self.runs.count_above(last - 1) - above;
            // The first of the half that has to be within: of four the second, of five the third.
            let half = tied.div_ceil(2) - 1;
            let turnover = self.turnover_above(last) + i128::from(last) * half as i128;
            let everybody = above + tied == self.customers();
            let crossed = !within(share, self.customers() - 1, total - i128::from(self.runs.at(0)?));
            if tied == 1 || within(share, above + half, turnover) && !(everybody && crossed) {
                return Some(Money(last));
            }
            // Whoever has more than they; if nobody has, whoever will.
            Some(Money(self.runs.first_from(last.saturating_add(1)).unwrap_or(last.saturating_add(1))))
        };
        Some(Cuts { gros_from: least(limits.gros)?, moyens_from: least(limits.moyens)? })
    }

    /// Calls `each` with every distinct turnover and the number of customers who have it, biggest first.
    fn descending(&self, checkpoint: Checkpoint, mut each: impl FnMut(i64, u64)) {
        let mut heads: Vec<&[u64]> = self.runs.runs().collect();
        let mut calls = 0_u32;
        while let Some(top) = heads.iter().filter_map(|run| run.last().copied()).max() {
            let mut count = 0;
            for run in &mut heads {
                let at = if run.last() == Some(&top) { run.partition_point(|k| *k < top) } else { run.len() };
                count += (run.len() - at) as u64;
                *run = &run[..at];
            }
            each(i64::from_key(top), count);
            calls += 1;
            if calls.is_multiple_of(4096) {
                checkpoint();
            }
        }
    }
}

/// `part < share * total`, exactly, for sums that a product may overflow.
fn below(part: i128, share: Share, total: i128) -> bool {
    match (part.checked_mul(SHARE_SCALE), share.0.checked_mul(total)) {
        (Some(left), Some(right)) => left < right,
        _ => (part as f64) < (share.0 as f64 / SHARE_SCALE as f64) * total as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn turnovers(values: &[i64]) -> Turnovers {
        let mut turnovers = Turnovers::default();
        for value in values {
            turnovers.add(Money(*value)).unwrap();
        }
        turnovers
    }

    fn classes(values: &[i64], mode: Mode) -> String {
        let limits = Limits::new(mode, None, None).unwrap();
        let cuts = turnovers(values).cuts(limits, &mut || {}).unwrap().unwrap();
        values.iter().map(|v| cuts.class(Money(*v)).code()).collect()
    }

    /// The worked example of nine customers (total 116,460; cumulative shares 41.2, 77.3, 84.8, 91.8, 96.9 %).
    const NINE: [i64; 9] = [48_000, 42_000, 8_700, 8_200, 6_000, 2_000, 950, 400, 210];

    #[test]
    fn nine_customers() {
        // The third crosses 80 % and the fifth 95 %: both are in the higher class.
        assert_eq!(classes(&NINE, Mode::Cumulative), "GGGMMPPPP");
        // 5 % of nine is less than one, 20 % is 1.8.
        assert_eq!(classes(&NINE, Mode::Rank), "GMPPPPPPP");
    }

    #[test]
    fn ties_and_inactive() {
        // Nobody is large where all are alike, whatever the limits are shares of.
        assert_eq!(classes(&[10, 10, 10, 10, 0, -5], Mode::Rank), "PPPPII");
        assert_eq!(classes(&[10; 50], Mode::Cumulative), "P".repeat(50));
        // Of five the last crosses 80 % only: all are within the medium limit of 95 %.
        assert_eq!(classes(&[10; 5], Mode::Cumulative), "MMMMM");
        assert_eq!(classes(&[10], Mode::Rank), "G");
        // Nor are most of them.
        assert_eq!(classes(&[90, 10, 10, 10, 10, 1], Mode::Rank), "GPPPPP");
        // 5 % of thirty are two: half of a tie of three is within, and not of one of five.
        let thirty =
            |tied: usize| -> Vec<i64> { [vec![99; tied], (1..=30 - tied as i64).collect()].concat() };
        assert_eq!(&classes(&thirty(3), Mode::Rank)[..5], "GGGPP");
        assert_eq!(&classes(&thirty(5), Mode::Rank)[..7], "MMMMMPP");
        // A limit that takes everybody takes them in.
        let whole = Limits::new(Mode::Rank, Some(Share(SHARE_SCALE)), Some(Share(SHARE_SCALE))).unwrap();
        assert_eq!(turnovers(&[7, 7]).cuts(whole, &mut || {}).unwrap().unwrap().gros_from, Money(7));
        let twenty: Vec<i64> = (1..=20).rev().collect();
        assert_eq!(classes(&twenty, Mode::Rank), "GMMMPPPPPPPPPPPPPPPP");
        let limits = Limits::new(Mode::Rank, None, None).unwrap();
        assert_eq!(turnovers(&[0, -3]).cuts(limits, &mut || {}).unwrap(), None);
    }

    #[test]
    fn limits_are_checked() {
        let share = |n: i128| Some(Share(n * SHARE_SCALE / 100));
        for (gros, moyens) in [(0, 20), (30, 20), (5, 101), (-5, 20)] {
            assert!(Limits::new(Mode::Rank, share(gros), share(moyens)).is_err());
        }
        assert!(Limits::new(Mode::Rank, share(100), share(100)).is_ok());
    }

    #[test]
    fn concentration_of_nine() {
        let curve = turnovers(&NINE).concentration(9, &mut || {}).unwrap();
        let shares: Vec<String> = curve.iter().map(|p| format!("{:.1}", 100.0 * p.turnover_share)).collect();
        assert_eq!(shares, ["0.0", "41.2", "77.3", "84.8", "91.8", "96.9", "98.7", "99.5", "99.8", "100.0"]);
        assert!(turnovers(&NINE).concentration(0, &mut || {}).is_err());
        assert!(turnovers(&[]).concentration(10, &mut || {}).unwrap().is_empty());
    }

    #[test]
    fn gini_of_known_cases() {
        let gini = |values: &[i64]| turnovers(values).gini(&mut || {}).unwrap();
        assert_eq!(gini(&[]), None);
        assert_eq!(gini(&[0, -1]), None);
        assert!((gini(&[5, 5, 5, 5]).unwrap()).abs() < 1e-15);
        assert!((gini(&[0, 0, 0, 9]).unwrap() - 0.75).abs() < 1e-15);
        // Mean absolute difference over twice the mean, by hand: 1,2,3,4 -> 0.25
        assert!((gini(&[1, 2, 3, 4]).unwrap() - 0.25).abs() < 1e-15);
    }

    /// The definition, customer by customer, on a full sort.
    fn brute_force(values: &[i64], limits: Limits) -> Vec<Pmg> {
        let mut active: Vec<i64> = values.iter().copied().filter(|v| *v > 0).collect();
        active.sort_unstable_by(|a, b| b.cmp(a));
        let total: i128 = active.iter().map(|v| i128::from(*v)).sum();
        let within = |at: usize, share: Share| match limits.mode {
            Mode::Rank => (at as i128) * SHARE_SCALE < share.0 * active.len() as i128,
            Mode::Cumulative => {
                active[..at].iter().map(|v| i128::from(*v)).sum::<i128>() * SHARE_SCALE < share.0 * total
            }
        };
        let reaches = |value: i64, share: Share| {
            let places: Vec<usize> = (0..active.len()).filter(|at| active[*at] == value).collect();
            let inside = places.iter().filter(|at| within(**at, share)).count();
            let last = active.last() == Some(&value) && places.len() > 1 && inside < places.len();
            2 * inside >= places.len() && !last
        };
        values
            .iter()
            .map(|v| match *v {
                v if v <= 0 => Pmg::I,
                v if reaches(v, limits.gros) => Pmg::G,
                v if reaches(v, limits.moyens) => Pmg::M,
                _ => Pmg::P,
            })
            .collect()
    }

    proptest! {
        #[test]
        fn equals_brute_force(values in proptest::collection::vec(prop_oneof![-20..60_i64, 1..4_i64, 1..1_000_000_i64], 1..80), gros in 1..60_i128, more in 0..40_i128, cumulative: bool) {
            let mode = if cumulative { Mode::Cumulative } else { Mode::Rank };
            let percent = |n: i128| Some(Share(n * SHARE_SCALE / 100));
            let limits = Limits::new(mode, percent(gros), percent(gros + more)).unwrap();
            let expected = brute_force(&values, limits);
            match turnovers(&values).cuts(limits, &mut || {}).unwrap() {
                None => prop_assert!(expected.iter().all(|class| *class == Pmg::I)),
                Some(cuts) => {
                    let classes: Vec<Pmg> = values.iter().map(|v| cuts.class(Money(*v))).collect();
                    prop_assert_eq!(classes, expected);
                    // A turnover of somebody's, or just above the highest of a tie.
                    for from in [cuts.gros_from.0, cuts.moyens_from.0] {
                        prop_assert!(values.contains(&from) || values.iter().max() == Some(&(from - 1)));
                    }
                    prop_assert!(cuts.gros_from >= cuts.moyens_from);
                }
            }
        }

        #[test]
        fn gini_equals_the_mean_difference(values in proptest::collection::vec(-5..1000_i64, 1..60)) {
            let clamped: Vec<f64> = values.iter().map(|v| (*v).max(0) as f64).collect();
            let n = clamped.len() as f64;
            let mean = clamped.iter().sum::<f64>() / n;
            let difference: f64 = clamped.iter().map(|a| clamped.iter().map(|b| (a - b).abs()).sum::<f64>()).sum();
            match turnovers(&values).gini(&mut || {}).unwrap() {
                None => prop_assert_eq!(mean, 0.0),
                Some(gini) => prop_assert!((gini - difference / (2.0 * n * n * mean)).abs() < 1e-12),
            }
        }

        #[test]
        fn hostile_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(read) = Turnovers::from_bytes(&bytes) {
                prop_assert_eq!(Turnovers::from_bytes(&read.to_bytes(&mut || {}).unwrap()).unwrap().to_bytes(&mut || {}), read.to_bytes(&mut || {}));
            }
        }
    }
}
