//! Special functions of real arguments, for the probability models.
//!
//! The gamma and error functions are libm's; the rest is short enough to be here.

use std::sync::LazyLock;

/// ln Γ(x), for x > 0.
#[must_use]
pub fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// Digamma, the derivative of ln Γ, for x > 0.
///
/// Recurrence to x >= 10, then the asymptotic series (Abramowitz and Stegun 6.3.18).
#[must_use]
pub fn digamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 12.0
            - y * (1.0 / 120.0
                - y * (1.0 / 252.0
                    - y * (1.0 / 240.0 - y * (1.0 / 132.0 - y * (691.0 / 32_760.0 - y * (1.0 / 12.0)))))));
    shift + x.ln() - 0.5 / x - series
}

/// Trigamma, the second derivative of ln Γ, for x > 0.
///
/// Recurrence to x >= 10, then the asymptotic series (Abramowitz and Stegun 6.4.12).
#[must_use]
pub fn trigamma(mut x: f64) -> f64 {
    let mut shift = 0.0;
    while x < 10.0 {
        shift += 1.0 / (x * x);
        x += 1.0;
    }
    let y = 1.0 / (x * x);
    let series = y
        * (1.0 / 6.0
            - y * (1.0 / 30.0
                - y * (1.0 / 42.0
                    - y * (1.0 / 30.0 - y * (5.0 / 66.0 - y * (691.0 / 2730.0 - y * (7.0 / 6.0)))))));
    shift + 1.0 / x + 0.5 * y + series / x
}

/// The regularised incomplete beta function I_x(a, b) and its complement, for a, b > 0.
///
/// The continued fraction DLMF 8.17.22 by Lentz's method, on the side of the mean where it
/// converges fast. Both values are returned so that a small one keeps its digits.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> (f64, f64) {
    incomplete_beta_from(ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b), a, b, x)
}

/// The same, given -ln B(a, b).
fn incomplete_beta_from(less_ln_beta: f64, a: f64, b: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x >= 1.0 {
        return (1.0, 0.0);
    }
    let ln_front = less_ln_beta + a * x.ln() + b * (-x).ln_1p();
    if x < (a + 1.0) / (a + b + 2.0) {
        let p = (ln_front.exp() / a * beta_fraction(a, b, x)).clamp(0.0, 1.0);
        (p, 1.0 - p)
    } else {
        let q = (ln_front.exp() / b * beta_fraction(b, a, 1.0 - x)).clamp(0.0, 1.0);
        (1.0 - q, q)
    }
}

/// The quantile of the beta distribution: the x with I_x(a, b) = p, for a, b > 0 and 0 < p < 1.
#[must_use]
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    logistic(beta_quantile_log_odds(a, b, p))
}

/// The quantile of the beta distribution as log-odds, ln(x / (1 - x)): no digits are lost near 1. Divided by one
/// another, two gamma variables of shapes a and b have its exponential as their quantile.
///
/// Newton's method on the logarithm of the smaller tail as a function of the log-odds of x, where it
/// is nearly a straight line, kept within a bracket; it starts from the normal distribution that has
/// the log-odds' mean and variance.
#[must_use]
pub fn beta_quantile_log_odds(a: f64, b: f64, p: f64) -> f64 {
    if p > 0.5 {
        return -beta_quantile_log_odds(b, a, 1.0 - p);
    }
    // Log-odds at which x and 1 - x leave the range of doubles.
    let (mut low, mut high) = (-700.0, 700.0);
    let (of_a, of_b, of_both) = (ln_gamma(a), ln_gamma(b), ln_gamma(a + b));
    let ln_beta = of_a + of_b - of_both;
    let start = digamma(a) - digamma(b) + normal_quantile(p) * (trigamma(a) + trigamma(b)).sqrt();
    let mut u = start.clamp(low + 1.0, high - 1.0);
    for _ in 0..200 {
        let below = if u <= 0.0 {
            incomplete_beta_from(of_both - of_a - of_b, a, b, logistic(u)).0
        } else {
            incomplete_beta_from(of_both - of_b - of_a, b, a, logistic(-u)).1
        };
        let error = if below > 0.0 { below.ln() - p.ln() } else { f64::NEG_INFINITY };
        if error < 0.0 {
            low = u;
        } else {
            high = u;
        }
        // The derivative of ln I by the log-odds: density x (1 - x) / I.
        let slope = (-a * softplus(-u) - b * softplus(u) - ln_beta).exp() / below;
        let next = u - error / slope;
        let next = if next.is_finite() && next > low && next < high { next } else { 0.5 * (low + high) };
        if (next - u).abs() <= 1e-15 * (1.0 + u.abs()) {
            return next;
        }
        u = next;
    }
    u
}

/// The regularised upper incomplete gamma function Q(a, x), for a > 0: the probability that a
/// chi-squared variable of 2a degrees of freedom exceeds 2x.
///
/// The series DLMF 8.11.4 below the mean, the continued fraction 8.9.2 above.
#[must_use]
pub fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..100_000 {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < 1e-17 * sum {
                break;
            }
        }
        return (1.0 - front * sum).clamp(0.0, 1.0);
    }
    let mut b = x + 1.0 - a;
    let mut c = 1e300;
    let mut d = 1.0 / b;
    let mut h = d;
    for n in 1..100_000 {
        let n = f64::from(n);
        let an = -n * (n - a);
        b += 2.0;
        d = 1.0 / (an * d + b);
        c = b + an / c;
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    (front * h).clamp(0.0, 1.0)
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let guard = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / guard(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    // It needs O(sqrt(max(a, b))) steps: the bound is met by no argument a model can give.
    for m in 1..=20_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / guard(1.0 + even * d);
        c = guard(1.0 + even / c);
        h *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / guard(1.0 + odd * d);
        c = guard(1.0 + odd / c);
        let step = d * c;
        h *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    h
}

/// The probability that Student's t of `freedom` degrees of freedom is further from 0 than `t`.
#[must_use]
pub fn student_t_tail(t: f64, freedom: f64) -> f64 {
    // By the side that keeps its digits.
    let square = t * t;
    if square < freedom {
        incomplete_beta(0.5, 0.5 * freedom, square / (freedom + square)).1
    } else {
        incomplete_beta(0.5 * freedom, 0.5, freedom / (freedom + square)).0
    }
}

/// The normal distribution function.
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The probability that a standard normal variable is further from 0 than `z`; small ones keep their digits.
#[must_use]
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// The quantile of the standard normal distribution, for 0 < p < 1.
///
/// A rough start (Abramowitz and Stegun 26.2.23), then Newton steps on the exact distribution.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let t = (-2.0 * p.max(f64::MIN_POSITIVE).ln()).sqrt();
    let mut z = -(t
        - (2.515_517 + t * (0.802_853 + t * 0.010_328))
            / (1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308))));
    for _ in 0..4 {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if density <= 0.0 {
            break;
        }
        let error = (normal_cdf(z) - p) / density;
        // Halley's correction: the second derivative of the distribution is -z times its density.
        z -= error / (1.0 + 0.5 * z * error);
    }
    z
}

/// ln(1 + e^x) without overflow.
#[inline]
#[must_use]
pub fn softplus(x: f64) -> f64 {
    if x > 0.0 { x + (-x).exp().ln_1p() } else { x.exp().ln_1p() }
}

/// 1 / (1 + e^-x).
#[inline]
#[must_use]
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

/// The nodes and weights of Gauss-Legendre quadrature with 16 nodes on (-1, 1).
pub static GAUSS_LEGENDRE_16: LazyLock<[(f64, f64); 16]> = LazyLock::new(|| {
    let mut rule = [(0.0, 0.0); 16];
    for (i, slot) in rule.iter_mut().enumerate() {
        // Newton's method on the Legendre polynomial, from Chebyshev's approximation of its roots.
        let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / 16.5).cos();
        let mut slope = 1.0;
        for _ in 0..50 {
            let (mut p, mut before) = (1.0, 0.0);
            for n in 0..16 {
                let n = f64::from(n);
                let next = ((2.0 * n + 1.0) * x * p - n * before) / (n + 1.0);
                before = p;
                p = next;
            }
            slope = 16.0 * (x * p - before) / (x * x - 1.0);
            let step = p / slope;
            x -= step;
            if step.abs() < 1e-16 {
                break;
            }
        }
        *slot = (x, 2.0 / ((1.0 - x * x) * slope * slope));
    }
    rule
});

/// The integral of `f` over (from, to) with 16 Gauss-Legendre nodes.
pub fn integrate(from: f64, to: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    let (middle, half) = (0.5 * (from + to), 0.5 * (to - from));
    GAUSS_LEGENDRE_16.iter().map(|&(x, w)| w * f(middle + half * x)).sum::<f64>() * half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn against_known_values() {
        // Values from mpmath 1.4.1 with 50 digits.
        assert!((digamma(0.25) + 4.227_453_533_376_265_4).abs() < 1e-14);
        assert!((digamma(1.0) + 0.577_215_664_901_532_9).abs() < 1e-15);
        assert!((trigamma(0.25) - 17.197_329_154_507_11).abs() < 1e-13);
        assert!((trigamma(30.0) - 0.033_895_060_357_739_944).abs() < 1e-15);
        assert!((normal_quantile(0.975) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((normal_quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-12);
        // The binomial sum behind I_x(a, b): P(Bin(4, .3) >= 2) = I_.3(2, 3).
        assert!((incomplete_beta(2.0, 3.0, 0.3).0 - 0.3483).abs() < 1e-14);
        // SciPy 1.17.1, chi2.sf.
        assert!((upper_gamma(0.5, 12.0) / 9.633_570_086_430_948e-7 - 1.0).abs() < 1e-12);
        assert!((upper_gamma(4.5, 2.0) - 0.911_412_526_831_679_2).abs() < 1e-13);
        // SciPy 1.17.1, 2 * t.sf.
        for (t, freedom, tail) in [
            (2.0, 3.7, 0.121_817_201_905_233_98),
            (0.1, 1.0, 0.936_548_965_138_893),
            (5.0, 2e6, 5.733_514_637_831_457e-7),
            (40.0, 10.5, 8.070_736_030_482_157e-13),
            (1e-3, 30.0, 0.999_208_735_766_485_1),
        ] {
            assert!((student_t_tail(t, freedom) / tail - 1.0).abs() < 1e-8, "{t} {freedom}");
        }
        assert!((incomplete_beta(2000.0, 3000.0, 0.4).0 - 0.500_767_787_945_589_5).abs() < 1e-11);
        assert!((incomplete_beta(0.3, 7.0, 0.01).0 - 0.487_492_050_933_724_7).abs() < 1e-14);
        assert!((incomplete_beta(25.0, 0.3, 0.99).0 - 0.306_000_861_112_977_9).abs() < 1e-13);
        assert!((integrate(0.0, 2.0, |x| x.powi(31)) / (2f64.powi(32) / 32.0) - 1.0).abs() < 1e-14);
    }

    #[test]
    fn beta_quantiles() {
        // SciPy 1.17.1, scipy.stats.beta.ppf.
        for (a, b, p, x) in [
            (0.5, 0.5, 0.1, 0.024_471_741_852_423_214),
            (2.0, 3.0, 0.1, 0.142_559_316_710_030_72),
            (0.05, 4.0, 0.1, 1.652_589_610_944_289e-21),
            (1.3, 47.2, 0.1, 0.004_415_967_819_604_792),
            (30.0, 2.0, 0.1, 0.880_230_761_887_405_1),
            (2000.0, 50_000.0, 0.1, 0.037_384_649_669_990_666),
            (5.0, 0.001, 0.9, 1.0),
            (0.7, 12.0, 0.5, 0.033_791_189_547_625_465),
            (1.5, 20.0, 0.9, 0.143_070_299_102_256_1),
            (1e6, 3e6, 0.025, 0.249_575_773_831_608_03),
            (1.0, 1.0, 0.3, 0.3),
        ] {
            let found = beta_quantile(a, b, p);
            assert!((found / x - 1.0).abs() < 1e-9, "{a} {b} {p}: {found} {x}");
        }
        // Shapes of edited models: something between 0 and 1.
        for (a, b) in [(1e-9, 1e-9), (1e12, 1e-9), (1e-9, 1e12), (1e12, 1e12)] {
            assert!((0.0..=1.0).contains(&beta_quantile(a, b, 0.1)), "{a} {b}");
        }
    }
}
