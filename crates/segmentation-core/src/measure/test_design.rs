//! Trials of an offer at small cost: how many customers to ask, and what came of it.

use crate::base::error::{Error, Result};
use crate::base::words::counted;
use crate::math::special::{normal_cdf, normal_quantile};

/// How many customers a trial needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleSize {
    /// Who get the offer, not rounded.
    pub exact: f64,
    /// Who get the offer.
    pub treated: u64,
    /// Who do not.
    pub held_out: u64,
    /// The rate to be detected.
    pub target_rate: f64,
}

fn open_unit(value: f64, name: &str) -> Result<f64> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(Error::invalid(format!("{name} must be above 0 and below 1"))
            .detail(format!("It is {}.", crate::base::error::shown_number(value))))
    }
}

/// The smallest trial that tells a rate of `base_rate` from one `lift` higher (0.1: by a tenth),
/// two-sided at `significance`, with probability `power`. With as many held out as treated it is
/// what R's power.prop.test answers. `held_out` is the share of the customers who get no offer.
///
/// # Errors
/// If an argument is no share, or the rate to be detected is none.
pub fn sample_size(
    base_rate: f64,
    lift: f64,
    power: f64,
    significance: f64,
    held_out: f64,
) -> Result<SampleSize> {
    let p = open_unit(base_rate, "base_rate")?;
    let (power, alpha) = (open_unit(power, "power")?, open_unit(significance, "significance")?);
    let share = open_unit(held_out, "held_out")?;
    let target = p * (1.0 + lift);
    if !(target > 0.0 && target < 1.0) || lift == 0.0 {
        return Err(Error::invalid("lift must change base_rate to another rate above 0 and below 1")
            .detail(format!("The rate would be {target}.")));
    }
    // Held out for each treated customer.
    let ratio = share / (1.0 - share);
    let mean = (target + ratio * p) / (1.0 + ratio);
    let (z_alpha, z_beta) = (normal_quantile(1.0 - alpha / 2.0), normal_quantile(power));
    let null = z_alpha * (mean * (1.0 - mean) * (1.0 + 1.0 / ratio)).sqrt();
    let alternative = z_beta * (target * (1.0 - target) + p * (1.0 - p) / ratio).sqrt();
    let exact = ((null + alternative) / (target - p)).powi(2);
    // A power below half of the significance asks for less than nothing.
    if !(exact.is_finite() && exact < 9e15 && exact * ratio < 9e15 && null + alternative > 0.0) {
        return Err(Error::invalid("no trial of a possible size answers this")
            .hint("Choose a larger lift, or more significance than power needs."));
    }
    Ok(SampleSize {
        exact,
        treated: exact.ceil() as u64,
        held_out: (exact * ratio).ceil() as u64,
        target_rate: target,
    })
}

/// What a trial gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialResult {
    /// The rate with the offer.
    pub treated_rate: f64,
    /// The rate without.
    pub held_out_rate: f64,
    /// Their difference, with its interval (Newcombe's hybrid score method 10, 1998).
    pub difference: (f64, f64, f64),
    /// Their ratio less 1; `None` if nobody answered without the offer.
    pub lift: Option<f64>,
    /// Two-sided, of the pooled z-test.
    pub p_value: f64,
    /// `better`, `worse` or `undecided`: whether the interval leaves 0 out.
    pub verdict: &'static str,
}

/// How many standard errors an interval of that level takes on each side.
///
/// # Errors
/// If the level is no share.
pub fn level_z(level: f64) -> Result<f64> {
    Ok(normal_quantile(0.5 + open_unit(level, "level")? / 2.0))
}

/// Wilson's score interval (1927) of a share.
#[must_use]
pub fn wilson(successes: f64, n: f64, z: f64) -> (f64, f64) {
    if n <= 0.0 {
        return (0.0, 1.0);
    }
    let (p, z2) = (successes / n, z * z);
    let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // Exactly 0 and 1 where the formula says so up to rounding.
    let lower = if successes <= 0.0 { 0.0 } else { (middle - half).max(0.0) };
    (lower, if successes >= n { 1.0 } else { (middle + half).min(1.0) })
}

/// Compares successes among treated customers with those among held-out ones.
///
/// # Errors
/// If a group is empty, a count is negative or impossible, or the level no share.
pub fn ab_result(
    treated: i64,
    successes: i64,
    held_out: i64,
    held_out_successes: i64,
    level: f64,
) -> Result<TrialResult> {
    let z = level_z(level)?;
    for (n, s, group) in [(treated, successes, "treated"), (held_out, held_out_successes, "held_out")] {
        if !(1..=1 << 53).contains(&n) {
            return Err(
                Error::invalid(format!("{group} must be at least 1 customer")).detail(format!("It is {n}."))
            );
        }
        if s < 0 || s > n {
            return Err(Error::invalid(format!("successes of {group} must be between 0 and its customers"))
                .detail(format!("Given: {s} of {}.", counted(n, "customer"))));
        }
    }
    let (n1, s1, n2, s2) = (treated as f64, successes as f64, held_out as f64, held_out_successes as f64);
    let (p1, p2) = (s1 / n1, s2 / n2);
    let ((l1, u1), (l2, u2)) = (wilson(s1, n1, z), wilson(s2, n2, z));
    let difference = p1 - p2;
    let lower = difference - ((p1 - l1).powi(2) + (u2 - p2).powi(2)).sqrt();
    let upper = difference + ((u1 - p1).powi(2) + (p2 - l2).powi(2)).sqrt();
    let pooled = (s1 + s2) / (n1 + n2);
    let error = (pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)).sqrt();
    Ok(TrialResult {
        treated_rate: p1,
        held_out_rate: p2,
        difference: (difference, lower, upper),
        lift: (p2 > 0.0).then(|| p1 / p2 - 1.0),
        p_value: if error > 0.0 { 2.0 * normal_cdf(-(difference / error).abs()) } else { 1.0 },
        verdict: if lower > 0.0 {
            "better"
        } else if upper < 0.0 {
            "worse"
        } else {
            "undecided"
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_as_power_prop_test() {
        // R's help page of power.prop.test: p1 = .50, p2 = .75, power = .90 gives n = 76.7.
        let size = sample_size(0.5, 0.5, 0.9, 0.05, 0.5).unwrap();
        assert!((size.exact - 76.7).abs() < 0.05, "{}", size.exact);
        assert_eq!((size.treated, size.held_out), (77, 77));
        // p1 = .50, p2 = .75, n = 50 has power 0.740 by the same page.
        assert!((sample_size(0.5, 0.5, 0.740, 0.05, 0.5).unwrap().exact - 50.0).abs() < 0.1);
    }

    #[test]
    fn newcombe_interval() {
        // Newcombe 1998, table II, contrast (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
        let result = ab_result(70, 56, 80, 48, 0.95).unwrap();
        assert!((result.difference.1 - 0.0524).abs() < 5e-5 && (result.difference.2 - 0.3339).abs() < 5e-5);
        assert_eq!(result.verdict, "better");
        // Contrast (d): 9/10 against 3/10: 0.1705 to 0.8090.
        let result = ab_result(10, 9, 10, 3, 0.95).unwrap();
        assert!((result.difference.1 - 0.1705).abs() < 5e-5 && (result.difference.2 - 0.8090).abs() < 5e-5);
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(sample_size(0.5, 1.0, 0.9, 0.05, 0.5).is_err());
        assert!(sample_size(0.5, f64::NAN, 0.9, 0.05, 0.5).is_err());
        assert!(sample_size(0.0, 0.1, 0.9, 0.05, 0.5).is_err());
        assert!(sample_size(1e-9, 1e-9, 0.9, 0.05, 0.5).is_err());
        assert!(ab_result(0, 0, 1, 1, 0.95).is_err());
        assert!(ab_result(10, 11, 1, 1, 0.95).is_err());
        assert!(ab_result(10, -1, 1, 1, 0.95).is_err());
    }
}
