//! The share that survives, period by period, as observed.
//!
//! Sources: Kaplan and Meier, Nonparametric estimation from incomplete observations, Journal of the American
//! Statistical Association 53 (1958); the variance of the log is Greenwood's (1926), and bands are made on the scale
//! log(-log), so that they stay between 0 and 1 (Kalbfleisch and Prentice, The Statistical Analysis of Failure Time
//! Data, 1980).

use std::collections::BTreeMap;

use super::contracts::Contract;

/// One period of a Kaplan-Meier curve in which contracts ended, or the last.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Periods of tenure.
    pub period: u32,
    /// Contracts that might have ended in it.
    pub at_risk: u64,
    /// Contracts that did.
    pub ended: u64,
    /// The share that is left after it.
    pub survival: f64,
    /// The band; `None` once nobody is left.
    pub band: Option<(f64, f64)>,
}

/// The Kaplan-Meier curve, by period; `z` is the normal quantile of the bands.
pub(super) fn kaplan_meier(contracts: &[&Contract], z: f64) -> Vec<Point> {
    let last = contracts.iter().map(|c| c.exit).max().unwrap_or(0);
    let mut steps: BTreeMap<u32, (i64, u64)> = BTreeMap::new();
    for c in contracts {
        // At risk from the period after `enter` on, no more after `exit`.
        steps.entry(c.enter + 1).or_default().0 += c.all() as i64;
        steps.entry(c.exit + 1).or_default().0 -= c.all() as i64;
        steps.entry(c.exit).or_default().1 += c.ended;
    }
    let (mut at_risk, mut survival, mut variance) = (0_i64, 1.0_f64, 0.0);
    let mut curve = Vec::new();
    for (&period, &(change, ended)) in &steps {
        at_risk += change;
        let n = at_risk.max(0) as u64;
        if ended > 0 {
            let (d, n) = (ended as f64, n as f64);
            survival *= 1.0 - d / n;
            variance += d / (n * (n - d));
        }
        if ended == 0 && period != last {
            continue;
        }
        let band = if survival >= 1.0 {
            Some((1.0, 1.0))
        } else if survival > 0.0 {
            let log = survival.ln();
            let reach = z * variance.sqrt() / log.abs();
            Some((survival.powf(reach.exp()), survival.powf((-reach).exp())))
        } else {
            None
        };
        curve.push(Point { period, at_risk: n, ended, survival, band });
    }
    curve
}

/// The first period after which at most half is left; `None` if that is not seen.
pub(super) fn median(curve: &[Point]) -> Option<u32> {
    curve.iter().find(|p| p.survival <= 0.5).map(|p| p.period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kaplan_meier_by_hand() {
        // Periods 1, 2, 2+, 3, 4+ (+ still runs).
        let list: Vec<Contract> = [(1, true), (2, true), (2, false), (3, true), (4, false)]
            .map(|(exit, ended)| Contract {
                features: Vec::new(),
                enter: 0,
                exit,
                running: u64::from(!ended),
                ended: u64::from(ended),
            })
            .into();
        let curve = kaplan_meier(&list.iter().collect::<Vec<_>>(), 1.959_963_984_540_054);
        let survival: Vec<f64> = curve.iter().map(|p| p.survival).collect();
        assert_eq!(curve.iter().map(|p| p.at_risk).collect::<Vec<_>>(), [5, 4, 2, 1]);
        for (s, expected) in survival.iter().zip([0.8, 0.6, 0.3, 0.3]) {
            assert!((s - expected).abs() < 1e-15);
        }
    }
}
