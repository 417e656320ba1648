//! Two classifications of the same things: how far they go together, and by how much they moved.

use std::collections::BTreeMap;

/// Pairs of classes with how often each occurs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pairs {
    cells: BTreeMap<(u64, u64), u64>,
}

fn pairs_of(n: f64) -> f64 {
    n * (n - 1.0) / 2.0
}

impl Pairs {
    /// Counts `n` customers of the classes `a` and `b`.
    pub fn count(&mut self, a: u64, b: u64, n: u64) {
        *self.cells.entry((a, b)).or_default() += n;
    }

    /// The margins.
    fn margins(&self) -> (BTreeMap<u64, u64>, BTreeMap<u64, u64>, u64) {
        let (mut rows, mut columns, mut n) = (BTreeMap::new(), BTreeMap::new(), 0);
        for ((a, b), count) in &self.cells {
            *rows.entry(*a).or_default() += count;
            *columns.entry(*b).or_default() += count;
            n += count;
        }
        (rows, columns, n)
    }

    /// The adjusted Rand index (Hubert and Arabie 1985): 1 if both classify alike, 0 on average for
    /// unrelated ones. `None` with fewer than two customers.
    #[must_use]
    pub fn adjusted_rand_index(&self) -> Option<f64> {
        let (rows, columns, n) = self.margins();
        if n < 2 {
            return None;
        }
        let sum = |counts: &mut dyn Iterator<Item = &u64>| counts.map(|c| pairs_of(*c as f64)).sum::<f64>();
        let (together, a, b) =
            (sum(&mut self.cells.values()), sum(&mut rows.values()), sum(&mut columns.values()));
        let expected = a * b / pairs_of(n as f64);
        let most = 0.5 * (a + b);
        Some(if most == expected { 1.0 } else { (together - expected) / (most - expected) })
    }

    /// Mutual information in nats, and the entropies of both.
    #[must_use]
    pub fn mutual_information(&self) -> Option<(f64, f64, f64)> {
        let (rows, columns, n) = self.margins();
        if n == 0 {
            return None;
        }
        let n = n as f64;
        let entropy = |m: &BTreeMap<u64, u64>| {
            m.values().filter(|c| **c > 0).map(|c| *c as f64 / n).map(|p| -p * p.ln()).sum::<f64>()
        };
        let information = self
            .cells
            .iter()
            .filter(|(_, c)| **c > 0)
            .map(|((a, b), c)| {
                let c = *c as f64;
                c / n * (c * n / (rows[a] as f64 * columns[b] as f64)).ln()
            })
            .sum::<f64>();
        Some((information.max(0.0), entropy(&rows), entropy(&columns)))
    }

    /// Pearson's chi-squared statistic and its degrees of freedom.
    #[must_use]
    pub fn chi_squared(&self) -> Option<(f64, f64)> {
        let (rows, columns, n) = self.margins();
        if n == 0 {
            return None;
        }
        // sum of (o - e)^2 / e = n (sum of o^2 / (r c) - 1), which needs no empty cells.
        let share: f64 = self
            .cells
            .iter()
            .map(|((a, b), o)| (*o as f64) * (*o as f64) / (rows[a] as f64 * columns[b] as f64))
            .filter(|v| v.is_finite())
            .sum();
        let freedom = (rows.len() - 1) as f64 * (columns.len() - 1) as f64;
        Some(((n as f64 * (share - 1.0)).max(0.0), freedom))
    }

    /// Cramer's V, as it is and with Bergsma's correction for bias (2013).
    #[must_use]
    pub fn cramers_v(&self) -> Option<(f64, f64)> {
        let (rows, columns, n) = self.margins();
        let (r, c, n) = (rows.len() as f64, columns.len() as f64, n as f64);
        let (chi, _) = self.chi_squared()?;
        if r < 2.0 || c < 2.0 || n < 2.0 {
            return None;
        }
        let plain = (chi / n / (r - 1.0).min(c - 1.0)).sqrt().min(1.0);
        let phi = (chi / n - (r - 1.0) * (c - 1.0) / (n - 1.0)).max(0.0);
        let (r, c) = (r - (r - 1.0).powi(2) / (n - 1.0), c - (c - 1.0).powi(2) / (n - 1.0));
        let least = (r - 1.0).min(c - 1.0);
        Some((plain, if least > 0.0 { (phi / least).sqrt().min(1.0) } else { 0.0 }))
    }

    /// The population stability index from the first classification to the second.
    #[must_use]
    pub fn psi(&self) -> Option<f64> {
        let (rows, columns, _) = self.margins();
        let mut classes: Vec<u64> = rows.keys().chain(columns.keys()).copied().collect();
        classes.sort_unstable();
        classes.dedup();
        let count = |m: &BTreeMap<u64, u64>, c: &u64| m.get(c).copied().unwrap_or(0) as f64;
        let both: Vec<(f64, f64)> = classes.iter().map(|c| (count(&rows, c), count(&columns, c))).collect();
        psi(&both)
    }
}

/// The share that an empty class counts as, in the population stability index.
pub const PSI_FLOOR: f64 = 1e-4;

/// The population stability index: the sum of (p - q) ln(p / q) over the classes, of shares or
/// counts before and after. Below 0.1 stable, to 0.25 moderate, above major. An empty class counts
/// as a share of [`PSI_FLOOR`]. `None` if either side is empty.
#[must_use]
pub fn psi(classes: &[(f64, f64)]) -> Option<f64> {
    let total = |side: fn(&(f64, f64)) -> f64| classes.iter().map(side).sum::<f64>();
    let (before, after) = (total(|c| c.0), total(|c| c.1));
    if !(before > 0.0 && after > 0.0) {
        return None;
    }
    let mut sum = 0.0;
    for (p, q) in classes {
        if *p == 0.0 && *q == 0.0 {
            continue;
        }
        let (p, q) = ((p / before).max(PSI_FLOOR), (q / after).max(PSI_FLOOR));
        sum += (p - q) * (p / q).ln();
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_stability_index() {
        let classes = [(0.2, 0.1), (0.5, 0.6), (0.3, 0.3)];
        assert!((psi(&classes).unwrap() - 0.087_546_873_735_389_96).abs() < 1e-15);
        assert_eq!(psi(&[]), None);
    }

    #[test]
    fn as_scikit_learn_and_scipy() {
        // scikit-learn 1.9.1 adjusted_rand_score, mutual_info_score; SciPy 1.17.1 association, by the
        // table ((10, 20, 30), (25, 5, 15)).
        let mut pairs = Pairs::default();
        for (a, row) in [[10, 20, 30], [25, 5, 15]].iter().enumerate() {
            for (b, n) in row.iter().enumerate() {
                pairs.count(a as u64, b as u64, *n);
            }
        }
        let (information, ..) = pairs.mutual_information().unwrap();
        assert!(
            (pairs.adjusted_rand_index().unwrap() - 0.096_479_791_395_045_63).abs() < 1e-14,
            "{:?}",
            pairs.adjusted_rand_index()
        );
        assert!((information - 0.091_549_687_917_564_07).abs() < 1e-14, "{information}");
        assert!(
            (pairs.chi_squared().unwrap().0 - 18.666_666_666_666_664).abs() < 1e-12,
            "{:?}",
            pairs.chi_squared()
        );
        assert!(
            (pairs.cramers_v().unwrap().0 - 0.421_637_021_355_783_9).abs() < 1e-14,
            "{:?}",
            pairs.cramers_v()
        );
    }
}
