//! The share that survives, by exact days, shown period by period.
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

/// The Kaplan-Meier curve; `z` is the normal quantile of the bands.
///
/// Its steps are where contracts ended, to the day: who still runs is at risk up to the end of observation and no
/// further, in the middle of a period too. A point is the end of a period.
pub(super) fn kaplan_meier(contracts: &[&Contract], z: f64) -> Vec<Point> {
    // At a time: who enters after it, who leaves at it, and how many of those ended. Times are positive: so are their
    // bits, and in the same order.
    let mut times: BTreeMap<u64, [u64; 3]> = BTreeMap::new();
    for c in contracts {
        times.entry(c.enter.to_bits()).or_default()[0] += c.all();
        let exit = times.entry(c.exit.to_bits()).or_default();
        exit[1] += c.all();
        exit[2] += c.ended;
    }
    let last = contracts.iter().map(|c| c.exit).fold(0.0, f64::max);
    // What nobody has been seen through half of is no period of the curve, unless contracts ended in it.
    let last = if last.fract() >= 0.5 { last.ceil() } else { last.floor() };
    let (mut n, mut survival, mut variance) = (0_u64, 1.0_f64, 0.0);
    let mut curve: Vec<Point> = Vec::new();
    let (mut period, mut at_risk, mut ended_in) = (0_u32, 0_u64, 0_u64);
    let mut point = |period: u32, at_risk: u64, ended: u64, survival: f64, variance: f64| {
        if period == 0 || (ended == 0 && f64::from(period) != last) {
            return;
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
        curve.push(Point { period, at_risk, ended, survival, band });
    };
    for (&time, &[enter, exit, ended]) in &times {
        let time = f64::from_bits(time);
        let this = time.ceil() as u32;
        if this > period {
            point(period, at_risk, ended_in, survival, variance);
            if f64::from(period) < last && last < f64::from(this) {
                point(last as u32, n, 0, survival, variance);
            }
            (period, at_risk, ended_in) = (this, n, 0);
        }
        if ended > 0 {
            let (d, n) = (ended as f64, n as f64);
            survival *= 1.0 - d / n;
            variance += d / (n * (n - d));
            ended_in += ended;
        }
        // Who enters in the midst of a period is at risk in it.
        if time.fract() > 0.0 {
            at_risk += enter;
        }
        n = n + enter - exit;
    }
    point(period, at_risk, ended_in, survival, variance);
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
                enter: 0.0,
                exit: f64::from(exit),
                until: f64::from(exit),
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
