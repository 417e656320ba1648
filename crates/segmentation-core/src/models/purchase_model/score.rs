//! Scores of one customer under a fitted purchase model.

use super::beta_geometric::ln_survival_of_gap;
use super::cells::CustomerSummary;
use super::model::PurchaseModel;
use super::pareto_nbd;
use super::{Family, MAX_K};
use crate::base::error::{Error, ErrorKind, Result};
use crate::math::special::{GAUSS_LEGENDRE_16, digamma, ln_gamma, logistic, softplus, trigamma};

/// The longest horizon: a thousand years.
const MOST_HORIZON: f64 = 365_250.0;

/// A horizon in days, if it is one: from 0 to 365,250.
///
/// # Errors
/// [`ErrorKind::InvalidParameter`] if it is negative, [`ErrorKind::OutOfRange`] if it is too long
/// or no number.
pub fn check_horizon(days: f64) -> Result<f64> {
    if days < 0.0 {
        return Err(Error::invalid("horizon must not be negative").detail(format!("It is {days} days.")));
    }
    if days <= MOST_HORIZON {
        return Ok(days);
    }
    Err(Error::new(ErrorKind::OutOfRange, "horizon is too long")
        .detail(format!("It is {days} days; at most {MOST_HORIZON} are accepted.")))
}

/// The parameters of a family, ready for use.
#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    Nbd { r: f64, alpha: f64 },
    BetaGeometric(BetaGeometric),
    Pareto([f64; 4]),
}

#[derive(Debug, Clone)]
pub(crate) struct BetaGeometric {
    pub k: u32,
    /// 1 if a customer may leave right after the first purchase.
    pub d: f64,
    pub r: f64,
    pub alpha: f64,
    pub a: f64,
    pub b: f64,
    ln_a: f64,
}

/// Answers for one customer at a time, prepared from a model.
///
/// All answers are at the summary's own end of observation, which need not be the model's as_of.
/// Horizons are days; a negative one counts as 0. Every answer is finite.
#[derive(Debug, Clone)]
pub struct Scorer {
    pub(crate) kernel: Kernel,
    pub(crate) units_per_day: f64,
}

impl Scorer {
    /// Prepares a model.
    ///
    /// # Errors
    /// If the parameters are not as many as the family has, or not positive.
    pub fn new(model: &PurchaseModel) -> Result<Self> {
        Self::from_parameters(model.family, model.k, &model.parameters, model.unit.days())
    }

    pub(crate) fn from_parameters(
        family: Family,
        k: u32,
        parameters: &[f64],
        unit_days: f64,
    ) -> Result<Self> {
        let fine = parameters.iter().all(|p| p.is_finite() && *p > 0.0) && (1..=MAX_K).contains(&k);
        let kernel = match (family, parameters) {
            (Family::Nbd, &[r, alpha]) if fine => Kernel::Nbd { r, alpha },
            (Family::ParetoNbd, &[r, alpha, s, beta]) if fine => Kernel::Pareto([r, alpha, s, beta]),
            (Family::BgNbd | Family::MbgNbd | Family::BgCnbdK | Family::MbgCnbdK, &[r, alpha, a, b])
                if fine =>
            {
                let d = if family.leaves_at_zero() { 1.0 } else { 0.0 };
                let k = if family.is_erlang() { k } else { 1 };
                Kernel::BetaGeometric(BetaGeometric { k, d, r, alpha, a, b, ln_a: a.ln() })
            }
            _ => return Err(Error::invalid("parameters of the purchase model are not those of its family")),
        };
        Ok(Self { kernel, units_per_day: 1.0 / unit_days })
    }

    /// x, tx and T in units.
    pub(crate) fn units(&self, customer: CustomerSummary) -> (f64, f64, f64) {
        (
            f64::from(customer.x),
            f64::from(customer.tx) * self.units_per_day,
            f64::from(customer.t) * self.units_per_day,
        )
    }

    pub(crate) fn horizon(&self, days: f64) -> f64 {
        // What is no number counts as 0, too.
        if days > 0.0 { days.min(1e9) * self.units_per_day } else { 0.0 }
    }

    /// P(no purchase within the horizon): L(x, tx, T+H) / L(x, tx, T).
    ///
    /// The ratio of the customer's likelihood with the observation end moved (statistics of
    /// censored data); exact for one-time buyers and for every family.
    #[must_use]
    pub fn churn_probability(&self, customer: CustomerSummary, horizon_days: f64) -> f64 {
        let (x, tx, t) = self.units(customer);
        self.no_purchase(x, tx, t, self.horizon(horizon_days))
    }

    pub(crate) fn no_purchase(&self, x: f64, tx: f64, t: f64, h: f64) -> f64 {
        match &self.kernel {
            Kernel::Nbd { r, alpha } => (-(r + x) * (h / (alpha + t)).ln_1p()).exp(),
            Kernel::BetaGeometric(p) => {
                let left = logistic(p.odds_of_having_left(x, tx, t));
                left + (1.0 - left) * p.ln_wait(x, tx, t, h).exp()
            }
            Kernel::Pareto(p) => {
                let (reference, alive, left) = pareto_nbd::terms(p, x, tx, t);
                // What still lies ahead is subtracted from 1 where that keeps more digits.
                let [r, alpha, s, beta] = *p;
                let alive_then =
                    alive * (-(r + x) * (h / (alpha + t)).ln_1p() - s * (h / (beta + t)).ln_1p()).exp();
                let left_then = pareto_nbd::left_between(p, x, [t, t + h], reference);
                let p = (left + left_then + alive_then) / (left + alive);
                // Under absurd parameters both terms are nothing: then nobody is left to come.
                if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
            }
        }
    }

    /// Whether [`Scorer::churn_probability`] falls while the customer is silent, as it does under
    /// Erlang gaps (k > 1) on the way to the day when a purchase is due.
    ///
    /// With S(T) the likelihood of no purchase until T, and H = -S'/S, the probability S(T+h)/S(T) falls
    /// where H(T) < H(T+h). For k = 1 S is a mixture of exponentials and a constant: H only falls, and
    /// the probability only rises. For k > 1, H' = H (H - q) with q = (m+k)/(alpha+T) - (k-1)/(T-tx),
    /// which rises to one maximum and falls from there: H can pass under q only before the maximum, and
    /// over it only behind, where it would stay; and in the end it is under. So H rises and then falls,
    /// and the probability falls to one minimum and rises from there.
    #[must_use]
    pub fn churn_probability_falls(&self, customer: CustomerSummary, horizon_days: f64) -> bool {
        let Kernel::BetaGeometric(p) = &self.kernel else { return false };
        let (x, tx, t) = self.units(customer);
        p.k > 1 && p.ln_hazard(x, tx, t) < p.ln_hazard(x, tx, t + self.horizon(horizon_days))
    }

    /// Whether both the probability of no purchase and the expected purchases move one way only while
    /// a customer is silent: the one up, the other down.
    ///
    /// Expected purchases: given the rate, they do not depend on T while the customer stays, and grow with
    /// the rate; silence makes lower rates and an earlier end more likely (Chebyshev's sum inequality).
    #[must_use]
    pub fn is_monotone_in_silence(&self) -> bool {
        !matches!(&self.kernel, Kernel::BetaGeometric(p) if p.k > 1)
    }

    /// P(still a customer at the end of observation).
    ///
    /// Under `bg_nbd` it is 1 for every one-time buyer, under `nbd` for everyone: as a score of
    /// churn use [`Scorer::churn_probability`].
    #[must_use]
    pub fn alive_probability(&self, customer: CustomerSummary) -> f64 {
        let (x, tx, t) = self.units(customer);
        self.alive(x, tx, t)
    }

    pub(crate) fn alive(&self, x: f64, tx: f64, t: f64) -> f64 {
        match &self.kernel {
            Kernel::Nbd { .. } => 1.0,
            Kernel::BetaGeometric(p) => logistic(-p.odds_of_having_left(x, tx, t)),
            Kernel::Pareto(p) => {
                let (_, alive, left) = pareto_nbd::terms(p, x, tx, t);
                let p = alive / (alive + left);
                if p.is_nan() { 0.0 } else { p }
            }
        }
    }

    /// The expected number of purchase days within the horizon.
    ///
    /// NBD: (r+x)/(alpha+T) H. Pareto/NBD: Fader and Hardie 2005 (note on the Pareto/NBD), equation
    /// 41, whose power difference stays finite through s = 1. BG/NBD and MBG/NBD: Euler's transform
    /// of Fader, Hardie and Lee 2005, equation 10, finite through a = 1 and for a + b < 1. Erlang-k:
    /// the exact sum over the number of stages passed.
    #[must_use]
    pub fn expected_purchases(&self, customer: CustomerSummary, horizon_days: f64) -> f64 {
        let (x, tx, t) = self.units(customer);
        self.expected(x, tx, t, self.horizon(horizon_days))
    }

    pub(crate) fn expected(&self, x: f64, tx: f64, t: f64, h: f64) -> f64 {
        if h <= 0.0 {
            return 0.0;
        }
        match &self.kernel {
            Kernel::Nbd { r, alpha } => (r + x) / (alpha + t) * h,
            Kernel::BetaGeometric(p) => self.alive(x, tx, t) * p.expected_if_alive(x, tx, t, h),
            Kernel::Pareto(p) => {
                let [r, alpha, s, beta] = *p;
                let years_left = power_difference(s - 1.0, -(h / (beta + t)).ln_1p()) * (beta + t);
                self.alive(x, tx, t) * (r + x) / (alpha + t) * years_left
            }
        }
    }
}

/// (1 - exp(e ln w)) / e, which is -ln w at e = 0.
fn power_difference(e: f64, ln_w: f64) -> f64 {
    let y = e * ln_w;
    if y.abs() < 1e-8 { -ln_w * (1.0 + 0.5 * y) } else { -y.exp_m1() / e }
}

impl BetaGeometric {
    /// m = r + kx, the shape of what is known of the rate.
    pub(crate) fn shape(&self, x: f64) -> f64 {
        self.r + f64::from(self.k) * x
    }

    /// ln [P(left) / P(still a customer)] at T.
    fn odds_of_having_left(&self, x: f64, tx: f64, t: f64) -> f64 {
        if x + self.d == 0.0 {
            return f64::NEG_INFINITY;
        }
        let m = self.shape(x);
        let u = (t - tx).max(0.0);
        let mut odds = self.ln_a - (self.b + x - 1.0 + self.d).ln() + m * (u / (self.alpha + tx)).ln_1p();
        if self.k > 1 {
            odds -= ln_survival_of_gap(self.k, m, u / (self.alpha + t));
        }
        odds
    }

    /// ln of the rate at which a purchase comes at T, but for a term that does not depend on T.
    fn ln_hazard(&self, x: f64, tx: f64, t: f64) -> f64 {
        let k = f64::from(self.k);
        let (u, reach) = ((t - tx).max(0.0), self.alpha + t);
        let waited = ln_survival_of_gap(self.k, self.shape(x), u / reach);
        (k - 1.0) * u.ln() - k * reach.ln() - waited - softplus(self.odds_of_having_left(x, tx, t))
    }

    /// ln P(no purchase in (T, T+h) | still a customer at T): with Erlang gaps the time already
    /// waited counts.
    fn ln_wait(&self, x: f64, tx: f64, t: f64, h: f64) -> f64 {
        let m = self.shape(x);
        let mut ln = -m * (h / (self.alpha + t)).ln_1p();
        if self.k > 1 {
            let u = (t - tx).max(0.0);
            ln += ln_survival_of_gap(self.k, m, (u + h) / (self.alpha + t + h))
                - ln_survival_of_gap(self.k, m, u / (self.alpha + t));
        }
        ln.min(0.0)
    }

    /// The probability of each number of Erlang stages already passed in the gap under way.
    pub(crate) fn stage_weights(&self, x: f64, tx: f64, t: f64) -> [f64; MAX_K as usize] {
        let mut weights = [0.0; MAX_K as usize];
        let m = self.shape(x);
        let y = (t - tx).max(0.0) / (self.alpha + t);
        let (mut term, mut total) = (1.0, 0.0);
        for (j, weight) in weights.iter_mut().enumerate().take(self.k as usize) {
            if j > 0 {
                term *= (m + (j - 1) as f64) * y / j as f64;
            }
            *weight = term;
            total += term;
        }
        weights.map(|w| w / total)
    }

    /// Expected purchases within h of one who is still a customer at T.
    fn expected_if_alive(&self, x: f64, tx: f64, t: f64, h: f64) -> f64 {
        let m = self.shape(x);
        // B of the posterior Beta(a, B) of the probability to leave.
        let stay = self.b + x + self.d;
        let y = h / (self.alpha + t);
        if self.k == 1 {
            let z = h / (self.alpha + t + h);
            // Where the series is slow, or cancels, the integral is right.
            let series =
                if z < 0.99 { euler_series(self.a, m, self.a + stay - 1.0, z, -y.ln_1p()) } else { None };
            // Nobody buys more than one who never leaves.
            return series.unwrap_or_else(|| expected_by_integral(m, y, self.a, stay)).clamp(0.0, m * y);
        }
        let weights = self.stage_weights(x, tx, t);
        (0..self.k)
            .map(|j| weights[j as usize] * expected_by_stages(self.k, j, m + f64::from(j), y, self.a, stay))
            .sum()
    }
}

/// C f - w^e S: expected purchases of one who is still a customer.
///
/// With e = a-1, C = a+b+x-1+d and A = C-m: f = (1 - w^e)/e and S = sum over n >= 1 of
/// (A)_n (a)_(n-1) / ((C+1)_(n-1) n!) z^n, Euler's transformation of the 2F1 in Fader, Hardie and
/// Lee 2005, equation 10. `None` if the series does not settle, or if so much cancels that fewer than
/// twelve digits are left: A far below 0 makes huge terms of both signs, C far above m two huge parts.
fn euler_series(a: f64, m: f64, c: f64, z: f64, ln_w: f64) -> Option<f64> {
    let e = a - 1.0;
    let shift = c - m;
    let mut term = shift * z;
    let (mut sum, mut greatest) = (term, term.abs());
    let mut settled = false;
    for n in 1..4000 {
        let n = f64::from(n);
        term *= (shift + n) * (e + n) / ((c + n) * (n + 1.0)) * z;
        sum += term;
        greatest = greatest.max(term.abs());
        if term.abs() <= 1e-17 * sum.abs() && (shift + n > 0.0 || term == 0.0) {
            settled = true;
            break;
        }
    }
    let (all, scale) = (c * power_difference(e, ln_w), (e * ln_w).exp());
    let value = all - scale * sum;
    (settled && value.is_finite() && all.abs() + scale * greatest <= 4e3 * value).then_some(value)
}

/// The same by an integral of positive terms, over the logit u of the probability p to leave after a
/// purchase, Beta(a, stay). Who leaves so is expected to buy (1 - (1 + p y)^-m) / p times: purchases come at
/// a rate Gamma(m, 1) in time y, and stop at each with probability p.
///
/// Panels of 16 Gauss-Legendre nodes from the density's mode outwards, until nothing is added; what lies
/// beyond the last one is an exponential in u. Its own mass divides it, so that no gamma function cancels.
/// Right to 1e-12 of arbitrary precision for m up to 1e5.
fn expected_by_integral(m: f64, y: f64, a: f64, stay: f64) -> f64 {
    // What is left out beyond the ends, as a share.
    const NOTHING: f64 = 1e-12;
    let mode = (a / stay).ln();
    let width = (1.5 * (1.0 / a + 1.0 / stay).sqrt()).min(1.0);
    // ln of the density over that at the mode, at a distance from it. Neither share is one less the other: one may be
    // too small for that.
    let shares = [a / (a + stay), stay / (a + stay)];
    let grown = |part: f64, rest: f64, d: f64| {
        if d.abs() < 1.0 { (part * d.exp_m1()).ln_1p() } else { (part * d.exp() + rest).ln() }
    };
    let ln_density = |d: f64| -a * grown(shares[1], shares[0], -d) - stay * grown(shares[0], shares[1], d);
    let bought = |d: f64| {
        let p = (-softplus(-(mode + d))).exp();
        -(-m * (p * y).ln_1p()).exp_m1() / p
    };
    let (mut mass, mut total) = (0.0, 0.0);
    let ends = [
        (-1.0, a, ((NOTHING / (stay.max(1.0) + (m + 1.0) * y)).ln() - mode).min(0.0)),
        (1.0, stay, (((a.max(1.0) + 1.0) / NOTHING).ln() - mode).max(0.0)),
    ];
    for (side, decay, end) in ends {
        let mut from = 0.0;
        loop {
            if (from - end) * side >= 0.0 {
                let beyond = ln_density(from).exp() / decay;
                mass += beyond;
                total += beyond * bought(from);
                break;
            }
            let to = from + side * width;
            let (mut of_mass, mut of_total) = (0.0, 0.0);
            let (middle, half) = (0.5 * (from + to), 0.5 * width);
            for &(node, weight) in GAUSS_LEGENDRE_16.iter() {
                let d = middle + half * node;
                let density = weight * half * ln_density(d).exp();
                of_mass += density;
                of_total += density * bought(d);
            }
            mass += of_mass;
            total += of_total;
            if of_mass <= 1e-17 * mass && of_total <= 1e-17 * total {
                break;
            }
            from = to;
        }
    }
    total / mass
}

/// Expected purchases when `j` of `k` stages of the gap under way have passed, stages come at a
/// rate Gamma(shape, 1) in time y, and each purchase is the last with a probability Beta(a, stay).
///
/// The number of stages N is negative binomial, and it brings floor((N+j)/k) purchases, of which
/// the n-th is still made with probability c_n = (stay)_(n-1) / (a+stay)_(n-1): an exact sum of
/// positive terms. Beyond 20,000 stages it is taken in blocks of a thousandth of their place, with
/// a relative error below 1e-6.
fn expected_by_stages(k: u32, j: u32, shape: f64, y: f64, a: f64, stay: f64) -> f64 {
    const EXACT: f64 = 20_000.0;
    let ln_z = -(1.0 / y).ln_1p();
    let ln_w = -y.ln_1p();
    let ln_mass =
        |n: f64| ln_gamma(shape + n) - ln_gamma(shape) - ln_gamma(n + 1.0) + shape * ln_w + n * ln_z;
    let (mean, deviation) = (shape * y, (shape * y * (1.0 + y)).sqrt());
    let last = mean + 9.0 * deviation + 45.0 * (1.0 + y) + 45.0;
    let kk = f64::from(k);
    // The first stage count that may bring a purchase or has a mass that counts.
    let begin = (mean - 12.0 * deviation - 50.0).max(f64::from(k - j)).floor();
    let (mut n, mut total) = (begin, 0.0);
    if n < EXACT {
        let z = ln_z.exp();
        let mut mass = ln_mass(n).exp();
        let mut purchases = ((n + f64::from(j)) / kk).floor();
        let mut phase = (n + f64::from(j)) as u64 % u64::from(k);
        let mut made = purchases_made(purchases, a, stay);
        let mut chance = chance_of_purchase(purchases + 1.0, a, stay);
        while n < last.min(EXACT) {
            total += mass * made;
            mass *= (shape + n) / (n + 1.0) * z;
            n += 1.0;
            phase += 1;
            if phase == u64::from(k) {
                phase = 0;
                made += chance;
                chance *= (stay + purchases) / (a + stay + purchases);
                purchases += 1.0;
            }
        }
    }
    while n < last {
        let width = (n / 1000.0).floor().max(1.0);
        let middle = n + 0.5 * (width - 1.0);
        // Within a block the floor is a half step below its argument on average.
        let purchases = (middle + f64::from(j) - 0.5 * (kk - 1.0)) / kk;
        total += width * ln_mass(middle).exp() * purchases_made(purchases, a, stay);
        n += width;
    }
    total
}

/// c_n, the probability that the n-th coming purchase is still made: (stay)_(n-1) / (a+stay)_(n-1).
pub(crate) fn chance_of_purchase(n: f64, a: f64, stay: f64) -> f64 {
    let i = n - 1.0;
    if i <= 0.0 {
        return 1.0;
    }
    if i <= 16.0 && i.fract() == 0.0 {
        return (0..i as u32).map(f64::from).fold(1.0, |c, i| c * (stay + i) / (a + stay + i));
    }
    (ln_gamma(stay + i) - ln_gamma(stay) - ln_gamma(a + stay + i) + ln_gamma(a + stay)).exp()
}

/// c_1 + ... + c_n, the purchases made of n that come: (a+stay-1)/(a-1) [1 - (stay)_n / (a+stay-1)_n].
fn purchases_made(n: f64, a: f64, stay: f64) -> f64 {
    if n <= 64.0 && n.fract() == 0.0 {
        let (mut sum, mut chance) = (0.0, 1.0);
        for i in 0..n as u32 {
            sum += chance;
            chance *= (stay + f64::from(i)) / (a + stay + f64::from(i));
        }
        return sum;
    }
    let e = a - 1.0;
    if e.abs() < 1e-4 {
        // The gamma functions would cancel: their Taylor series in e, to the second order.
        let ln_ratio_by_e =
            digamma(stay) - digamma(stay + n) + 0.5 * e * (trigamma(stay) - trigamma(stay + n));
        return -(stay + e) * ln_ratio_by_e * (1.0 + 0.5 * e * ln_ratio_by_e);
    }
    let ln_ratio = ln_gamma(stay + n) - ln_gamma(stay) - ln_gamma(e + stay + n) + ln_gamma(e + stay);
    // With a huge a + stay the gamma functions cancel: then hardly anyone leaves.
    (-(stay + e) / e * ln_ratio.exp_m1()).clamp(0.0, n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scorer(parameters: [f64; 4]) -> Scorer {
        Scorer::from_parameters(Family::MbgNbd, 1, &parameters, 7.0).unwrap()
    }

    /// mpmath 1.3, 40 digits: (C / e) (1 - w^m 2F1(m, stay; C; z)).
    #[test]
    fn expected_purchases_are_right_where_the_series_cancels() {
        let issue = [2081.53, 628.85, 0.7754, 28.787];
        for (parameters, x, t, horizon, right) in [
            (issue, 3.0, 365.0, 365.0, 71.420977934238),
            (issue, 3.0, 365.0, 547.0, 88.988_478_675_304_17),
            (issue, 3.0, 365.0, 730.0, 102.98409085706172),
            (issue, 3.0, 365.0, 7300.0, 263.041_654_835_078_9),
            ([1e5, 2e3, 0.01, 5.0], 0.0, 30.0, 365.0, 2470.5747439028262),
            ([1e5, 1e6, 20.0, 4000.0], 7.0, 300.0, 3650.0, 45.964_400_023_960_18),
            ([50.0, 10.0, 0.5, 0.2], 40.0, 700.0, 365.0, 35.147_198_986_075_96),
            ([1e4, 1.0, 1.0000001, 2.0], 1.0, 10.0, 100.0, 38.905_104_170_845_93),
            ([3e4, 5e3, 300.0, 2.0], 0.0, 700.0, 3650.0, 1.0100334448160535),
            // Everybody leaves with a probability of a half: (1 - 1.5^-1) / 0.5.
            ([1.0, 1.0, 1e20, 1e20], 0.0, 0.0, 7.0, 2.0 / 3.0),
            // Everybody leaves with the first purchase: 1 - 2^-1.
            ([1.0, 1.0, 1e20, 1e-20], 0.0, 0.0, 7.0, 0.5),
        ] {
            let scorer = scorer(parameters);
            let Kernel::BetaGeometric(kernel) = &scorer.kernel else { unreachable!() };
            let got = kernel.expected_if_alive(x, 0.0, t / 7.0, horizon / 7.0);
            assert!((got / right - 1.0).abs() < 1e-11, "{parameters:?} {horizon}: {got}, right {right}");
        }
    }

    #[test]
    fn series_and_integral_agree_and_rise_with_the_horizon_up_to_their_bound() {
        let mut taken = 0;
        for r in [0.05, 1.0, 30.0, 2e3, 1e5] {
            for (a, b) in [(0.01, 0.3), (0.8, 2.0), (1.0, 30.0), (7.0, 900.0), (400.0, 20.0)] {
                for alpha in [0.5, 40.0, 5e3] {
                    let scorer = scorer([r, alpha, a, b]);
                    let Kernel::BetaGeometric(kernel) = &scorer.kernel else { unreachable!() };
                    let (x, t, mut before) = (2.0, 50.0, 0.0);
                    for h in [0.01, 1.0, 20.0, 52.0, 78.0, 104.0, 500.0, 5e3] {
                        let (m, y) = (kernel.shape(x), h / (alpha + t));
                        let got = kernel.expected_if_alive(x, 30.0, t, h);
                        assert!(
                            got >= before * (1.0 - 1e-13) && got <= m * y,
                            "{r} {alpha} {a} {b} {h}: {got}"
                        );
                        before = got;
                        let stay = b + x + 1.0;
                        let z = y / (1.0 + y);
                        if let Some(series) = euler_series(a, m, a + stay - 1.0, z, -y.ln_1p()) {
                            let integral = expected_by_integral(m, y, a, stay);
                            assert!((series / integral - 1.0).abs() < 1e-9, "{r} {alpha} {a} {b} {h}");
                            taken += 1;
                        }
                    }
                }
            }
        }
        assert!(taken > 100, "{taken} by the series");
    }
}
