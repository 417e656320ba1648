//! Two Poisson rates compared exactly, and the binomial tails that this needs.
//!
//! Sources: Przyborowski and Wilenski, Homogeneity of results in testing samples from Poisson series, Biometrika 31
//! (1940), for the test given all events; Clopper and Pearson, The use of confidence or fiducial limits illustrated in
//! the case of the binomial, Biometrika 26 (1934), for the interval.

use crate::base::error::{Error, Result};
use crate::math::special::incomplete_beta;

/// Two Poisson rates compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    /// Recent rate over the earlier one; `None` without earlier events.
    pub ratio: Option<f64>,
    /// Exact interval: lower end.
    pub lower: f64,
    /// Upper end; infinite if not bounded.
    pub upper: f64,
    /// P(so few recent events or fewer), given all events, if the rate is the same. 1 without events.
    pub p_value: f64,
}

/// P(X <= x) for X binomial with `n` trials of chance `p`, for whole `x`.
fn binomial_at_most(x: f64, n: f64, p: f64) -> f64 {
    if x >= n { 1.0 } else { incomplete_beta(n - x, x + 1.0, 1.0 - p).0 }
}

/// P(X >= x) for X binomial with `n` trials of chance `p`, for whole `x`.
#[must_use]
pub fn binomial_at_least(x: f64, n: f64, p: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { incomplete_beta(x, n - x + 1.0, p).0 }
}

/// The exact test that a Poisson rate has not fallen, and the exact interval of the ratio.
///
/// Given all events, the recent ones are binomial with the recent window's share of the time (Przyborowski
/// and Wilenski 1940); the interval is Clopper and Pearson's (1934). `recent` and `before` are counts, each over as many
/// days (not whole, if you like); `level` is the interval's coverage, 0 to 1.
///
/// # Errors
/// Counts below 0 or not whole, windows not above 0, a level that is no share.
pub fn rate_ratio_test(
    recent: f64,
    recent_days: f64,
    before: f64,
    before_days: f64,
    level: f64,
) -> Result<RateRatio> {
    for (name, n) in [("recent", recent), ("before", before)] {
        if !(0.0..=1e9).contains(&n) || n.fract() != 0.0 {
            return Err(Error::invalid(format!("{name} must be a whole number from 0 to 1e9"))
                .detail(format!("It is {n}.")));
        }
    }
    for (name, days) in [("recent_days", recent_days), ("before_days", before_days)] {
        if !(days > 0.0 && days <= 1e9) {
            return Err(Error::invalid(format!("{name} must be above 0, at most 1e9"))
                .detail(format!("It is {days}.")));
        }
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(Error::invalid("level must lie between 0 and 1").detail(format!("It is {level}.")));
    }
    let n = recent + before;
    let p_value = fewer(recent, recent_days, before, before_days);
    let tail = 0.5 * (1.0 - level);
    // A share of the events as a ratio of rates.
    let ratio = |p: f64| if p >= 1.0 { f64::INFINITY } else { p / (1.0 - p) * before_days / recent_days };
    let bound = |too_low: &dyn Fn(f64) -> bool| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if too_low(middle) { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    };
    let lower = if recent > 0.0 { ratio(bound(&|p| binomial_at_least(recent, n, p) < tail)) } else { 0.0 };
    let upper =
        if before > 0.0 { ratio(bound(&|p| binomial_at_most(recent, n, p) > tail)) } else { f64::INFINITY };
    let observed = (before > 0.0).then(|| (recent / recent_days) / (before / before_days));
    Ok(RateRatio { ratio: observed, lower, upper, p_value })
}

/// The p value of [`rate_ratio_test`]: P(so few recent events or fewer), given all events, if the rate has stayed the
/// same. Its arguments are not checked: counts from 0, days above 0.
#[must_use]
pub fn fewer(recent: f64, recent_days: f64, before: f64, before_days: f64) -> f64 {
    binomial_at_most(recent, recent + before, recent_days / (recent_days + before_days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_ratio_is_scipys() {
        // scipy.stats.binomtest(recent, recent + before, recent_days / (recent_days + before_days), 'less'), SciPy 1.17.1.
        for (r, rd, b, bd, p) in [
            (0.0, 180.0, 6.0, 540.0, 0.177_978_515_625),
            (1.0, 90.0, 20.0, 360.0, 0.057_646_075_230_342_42),
            (3.0, 30.0, 40.0, 365.0, 0.585_634_837_960_722_6),
            (2.0, 180.0, 2.0, 200.0, 0.725_899_893_340_290_5),
            (5.0, 90.0, 20.0, 360.0, 0.616_689_411_779_368_6),
            (0.0, 60.0, 100.0, 700.0, 0.000_268_191_354_288_461_2),
        ] {
            let test = rate_ratio_test(r, rd, b, bd, 0.95).unwrap();
            assert!((test.p_value / p - 1.0).abs() < 1e-12, "{r} {b} {}", test.p_value);
        }
        let test = rate_ratio_test(2.0, 180.0, 2.0, 200.0, 0.95).unwrap();
        let ratio = |p: f64| p / (1.0 - p) * 200.0 / 180.0;
        assert!((test.lower / ratio(0.067_585_986_488_542_98) - 1.0).abs() < 1e-9);
        assert!((test.upper / ratio(0.932_414_013_511_457) - 1.0).abs() < 1e-9);
        assert_eq!(rate_ratio_test(0.0, 9.0, 0.0, 9.0, 0.95).unwrap().p_value, 1.0);
        assert!(rate_ratio_test(0.5, 9.0, 0.0, 9.0, 0.95).is_err());
        assert!(rate_ratio_test(1.0, f64::NAN, 0.0, 9.0, 0.95).is_err());
    }
}
