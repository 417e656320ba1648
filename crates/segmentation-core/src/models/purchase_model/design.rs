//! Cells made ready for evaluating a likelihood many times.

use super::cells::Group;
use crate::base::error::Result;
use crate::base::{hash, memory};
use crate::math::special::{digamma, ln_gamma, trigamma};

/// One cell: indices into the distinct counts and times, and how many customers share it.
pub(crate) struct Row {
    pub x: u32,
    pub tx: u32,
    pub t: u32,
    pub n: f64,
}

/// The distinct counts and times apart, so that logarithms are taken once for each.
pub(crate) struct Design {
    /// Distinct x, ascending, and the customers of each.
    pub xs: Vec<(u32, f64)>,
    /// Distinct tx and T, ascending, in units.
    pub times: Vec<f64>,
    pub rows: Vec<Row>,
    pub customers: f64,
    pub purchases: f64,
    /// Sum of the logarithms of the gaps, in units.
    pub ln_gaps: f64,
}

/// A cell's place in a sample by its content.
fn place(x: u32, tx: u32, t: u32) -> u64 {
    [x, tx, t].iter().fold(0, |hash, &v| hash::mix(hash ^ u64::from(v)))
}

impl Design {
    /// A sample of the cells, by their content, that stands for all customers; `None` if there are no more than `most`.
    pub(crate) fn thinned(&self, most: usize) -> Result<Option<Self>> {
        if self.rows.len() <= most {
            return Ok(None);
        }
        let mut places: Vec<(u64, u32)> = memory::collect(
            (0_u32..).zip(&self.rows).map(|(i, row)| (place(self.xs[row.x as usize].0, row.tx, row.t), i)),
        )?;
        places.select_nth_unstable(most);
        places.truncate(most);
        places.sort_unstable_by_key(|(_, i)| *i);
        let kept = places.iter().map(|&(_, i)| &self.rows[i as usize]);
        let share = self.customers / kept.clone().map(|row| row.n).sum::<f64>();
        let mut thin = Self { xs: Vec::new(), times: memory::copy(&self.times)?, rows: Vec::new(), ..*self };
        for row in kept {
            let (x, n) = (self.xs[row.x as usize].0, row.n * share);
            match thin.xs.last_mut() {
                Some((last, total)) if *last == x => *total += n,
                _ => thin.xs.push((x, n)),
            }
            thin.rows.push(Row { x: thin.xs.len() as u32 - 1, n, ..*row });
        }
        Ok(Some(thin))
    }

    pub(crate) fn new(group: &Group, unit_days: f64) -> Result<Self> {
        let cells = group.sorted()?;
        // A table over all days up to the longest: no search for each of a million cells.
        let longest = cells.iter().map(|(s, _)| s.t).max().unwrap_or(0);
        let mut index = vec![0_u32; longest as usize + 1];
        for (summary, _) in cells.iter() {
            index[summary.tx as usize] = 1;
            index[summary.t as usize] = 1;
        }
        let mut days: Vec<u32> = Vec::new();
        for (day, slot) in (0_u32..).zip(&mut index) {
            if *slot > 0 {
                *slot = days.len() as u32;
                days.push(day);
            }
        }
        let mut xs: Vec<(u32, f64)> = Vec::new();
        let mut rows: Vec<Row> = memory::with_capacity(cells.len())?;
        for (summary, count) in cells.iter() {
            let n = *count as f64;
            match xs.last_mut() {
                Some((x, total)) if *x == summary.x => *total += n,
                _ => xs.push((summary.x, n)),
            }
            rows.push(Row {
                x: xs.len() as u32 - 1,
                tx: index[summary.tx as usize],
                t: index[summary.t as usize],
                n,
            });
        }
        Ok(Self {
            customers: xs.iter().map(|(_, n)| n).sum(),
            purchases: xs.iter().map(|&(x, n)| f64::from(x) * n).sum(),
            xs,
            times: days.iter().map(|&d| f64::from(d) / unit_days).collect(),
            rows,
            ln_gaps: group.gaps().iter().map(|&(gap, n)| n as f64 * (f64::from(gap) / unit_days).ln()).sum(),
        })
    }
}

/// A value with its first and second derivative.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Jet {
    pub value: f64,
    pub first: f64,
    pub second: f64,
}

/// ln Γ(p + n) - ln Γ(p) with its derivatives in p, for each of the ascending `ns`.
///
/// Plain sums while they are short: they lose no digits (statistics of prefix sums); the gamma
/// functions across a long jump.
pub(crate) fn rising(p: f64, ns: impl Iterator<Item = u64>) -> Vec<Jet> {
    let (mut at, mut sum) = (0_u64, Jet::default());
    ns.map(|n| {
        if n.saturating_sub(at) > 4096 {
            let q = p + n as f64;
            sum = Jet {
                value: ln_gamma(q) - ln_gamma(p),
                first: digamma(q) - digamma(p),
                second: trigamma(q) - trigamma(p),
            };
            at = n;
        }
        while at < n {
            let term = p + at as f64;
            sum.value += term.ln();
            sum.first += 1.0 / term;
            sum.second -= 1.0 / (term * term);
            at += 1;
        }
        sum
    })
    .collect()
}
