//! Candidates as sums of logarithms, and how they are learnt.

use ndarray::{Array1, Array2};

use super::customer::FEATURES;
use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::memory;
use crate::facts::purchase_features::{Frame, NAMES};
use crate::math::linear::Cholesky;

/// The terms of a regression: ln(model / last year), then the features.
pub(super) const TERMS: usize = 1 + FEATURES.len();
/// The logarithm of one value over the other stays within this.
const MOST_RATIO: f64 = 3.0;
/// Terms count up to so many standard deviations from their mean.
const MOST_DEVIATIONS: f64 = 4.0;
/// The precision of the ridge, in customers of mean value: less than so many say little against the mean of the two.
const RIDGE: f64 = 5000.0;

/// The name of a term.
pub(super) fn name(term: usize) -> &'static str {
    match term {
        0 => "model_over_last_year",
        _ => NAMES[FEATURES[term - 1]],
    }
}

/// A customer on an inner day, and what followed; or some that are alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// By the models.
    pub model: f64,
    /// By last year's turnover.
    pub last_year: f64,
    pub features: [f64; FEATURES.len()],
    /// What came.
    pub actual: f64,
    pub customers: f64,
}

impl Row {
    pub(super) fn terms(&self) -> [f64; TERMS] {
        terms(self.model, self.last_year, &self.features)
    }
}

pub(super) fn terms(model: f64, last_year: f64, features: &[f64; FEATURES.len()]) -> [f64; TERMS] {
    let mut terms = [0.0; TERMS];
    if model > 0.0 && last_year > 0.0 {
        terms[0] = (model / last_year).ln().clamp(-MOST_RATIO, MOST_RATIO);
    }
    terms[1..].copy_from_slice(features);
    terms
}

/// Which candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    PurchaseModel,
    LastYear,
    Mean,
    Regression,
}

impl Way {
    pub(super) const ALL: [Self; 4] = [Self::PurchaseModel, Self::LastYear, Self::Mean, Self::Regression];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::PurchaseModel => "purchase_model",
            Self::LastYear => "last_year",
            Self::Mean => "mean",
            Self::Regression => "regression",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.name() == name)
    }

    /// The exponents of the two values.
    fn exponents(self) -> (f64, f64) {
        match self {
            Self::PurchaseModel => (1.0, 0.0),
            Self::LastYear => (0.0, 1.0),
            Self::Mean | Self::Regression => (0.5, 0.5),
        }
    }
}

/// A term of a regression: its coefficient by standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Coefficient {
    pub term: usize,
    pub estimate: f64,
    pub mean: f64,
    pub scale: f64,
}

impl Coefficient {
    /// What a value of the term adds.
    pub(super) fn adds(&self, value: f64) -> f64 {
        self.estimate * ((value - self.mean) / self.scale).clamp(-MOST_DEVIATIONS, MOST_DEVIATIONS)
    }
}

/// The logarithm of a value as a sum.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    pub way: Way,
    pub intercept: f64,
    pub coefficients: Vec<Coefficient>,
}

impl Weights {
    /// What the two values make, before anything that is learnt; its logarithm, which may be negative infinity.
    pub(super) fn base(&self, model: f64, last_year: f64) -> f64 {
        let (of_model, of_last_year) = self.way.exponents();
        // 0 times the logarithm of nothing is nothing.
        let part =
            |exponent: f64, value: f64| if exponent > 0.0 { exponent * value.max(0.0).ln() } else { 0.0 };
        part(of_model, model) + part(of_last_year, last_year)
    }

    /// The value.
    pub(super) fn value(&self, row: &Row) -> f64 {
        let terms = row.terms();
        let learnt = self.coefficients.iter().fold(self.intercept, |sum, c| sum + c.adds(terms[c.term]));
        (learnt + self.base(row.model, row.last_year)).exp()
    }

    /// Learns a candidate: the factor that makes the total right and, for a regression, what the terms add. `None` if
    /// nothing was foreseen or nothing came.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn learn(
        way: Way,
        rows: &[&Row],
        frame: Frame,
        checkpoint: Checkpoint,
    ) -> Result<Option<Self>> {
        let mut weights = Self { way, intercept: 0.0, coefficients: Vec::new() };
        let (mut foreseen, mut came) = (0.0, 0.0);
        for row in rows {
            foreseen += row.customers * weights.base(row.model, row.last_year).exp();
            came += row.customers * row.actual;
        }
        if !(foreseen > 0.0 && came > 0.0 && foreseen.is_finite()) {
            return Ok(None);
        }
        weights.intercept = (came / foreseen).ln();
        if way == Way::Regression {
            weights.regress(rows, frame, checkpoint)?;
        }
        Ok(Some(weights))
    }

    /// Poisson regression with a log link and a ridge, by Newton's method: consistent for the mean, whatever the
    /// distribution of what comes (Gourieroux, Monfort and Trognon 1984). The intercept keeps the total.
    fn regress(&mut self, rows: &[&Row], frame: Frame, checkpoint: Checkpoint) -> Result<()> {
        const STEPS: usize = 40;
        let told = |term: usize| term == 0 || frame.has(FEATURES[term - 1]);
        let mut kept: Vec<(&Row, f64)> = memory::with_capacity(rows.len())?;
        for row in rows {
            let base = self.base(row.model, row.last_year);
            if base.is_finite() {
                kept.push((row, base));
            }
        }
        let total: f64 = kept.iter().map(|(row, _)| row.customers).sum();
        let came: f64 = kept.iter().map(|(row, _)| row.customers * row.actual.max(0.0)).sum();
        if came <= 0.0 || came.is_nan() {
            return Ok(());
        }
        let mean = came / total;
        for term in (0..TERMS).filter(|term| told(*term)) {
            let values = || kept.iter().map(|(row, _)| (row.terms()[term], row.customers));
            let centre = values().map(|(v, n)| v * n).sum::<f64>() / total;
            let scale = (values().map(|(v, n)| n * (v - centre).powi(2)).sum::<f64>() / total).sqrt();
            if scale > 1e-9 {
                self.coefficients.push(Coefficient { term, estimate: 0.0, mean: centre, scale });
            }
        }
        let n = self.coefficients.len() + 1;
        let unit: Vec<Coefficient> =
            self.coefficients.iter().map(|c| Coefficient { estimate: 1.0, ..*c }).collect();
        let mut beta = Array1::<f64>::zeros(n);
        beta[0] = self.intercept;
        let evaluate = |beta: &Array1<f64>, checkpoint: Checkpoint| {
            let (mut loss, mut gradient, mut hessian) = (0.0, Array1::zeros(n), Array2::zeros((n, n)));
            let mut line = vec![1.0; n];
            for (i, (row, base)) in kept.iter().enumerate() {
                if i % 1024 == 0 {
                    checkpoint();
                }
                let terms = row.terms();
                unit.iter().zip(&mut line[1..]).for_each(|(c, z)| *z = c.adds(terms[c.term]));
                // In units of the mean, so that the ridge means the same in any currency.
                let eta = base - mean.ln() + line.iter().zip(beta).map(|(z, b)| z * b).sum::<f64>();
                let mu = eta.clamp(-30.0, 12.0).exp();
                let y = row.actual.max(0.0) / mean;
                loss += row.customers * (mu - y * eta);
                for a in 0..n {
                    gradient[a] += row.customers * (mu - y) * line[a];
                    for b in 0..=a {
                        hessian[[a, b]] += row.customers * mu * line[a] * line[b];
                    }
                }
            }
            for a in 1..n {
                loss += 0.5 * RIDGE * beta[a] * beta[a];
                gradient[a] += RIDGE * beta[a];
                hessian[[a, a]] += RIDGE;
            }
            (loss, gradient, hessian)
        };
        let mut at = evaluate(&beta, &mut *checkpoint);
        for _ in 0..STEPS {
            let Some(factor) = Cholesky::new(at.2.view()) else { break };
            let mut step = factor.solve(at.1.view());
            let promise = step.dot(&at.1);
            let mut moved = false;
            for _ in 0..20 {
                let trial = &beta - &step;
                let there = evaluate(&trial, &mut *checkpoint);
                if there.0.is_finite() && there.0 <= at.0 + 1e-12 * at.0.abs() {
                    (beta, at, moved) = (trial, there, true);
                    break;
                }
                step *= 0.5;
            }
            if !moved || promise < 1e-9 * total {
                break;
            }
        }
        self.intercept = beta[0];
        for (c, b) in self.coefficients.iter_mut().zip(beta.iter().skip(1)) {
            c.estimate = *b;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes is base times e^(0.5 z): with many customers the ridge gives way.
    #[test]
    fn a_regression_learns_what_is_there() {
        let frame = Frame { reach: 400, unit: 1.0 };
        let row = |i: usize| {
            let z = (i % 9) as f64 - 4.0;
            let mut features = [0.0; FEATURES.len()];
            features[8] = z;
            let base = 50.0 + (i % 7) as f64;
            Row {
                model: base,
                last_year: base,
                features,
                actual: 2.0 * base * (0.25 * z).exp(),
                customers: 1.0,
            }
        };
        let rows: Vec<Row> = (0..200_000).map(row).collect();
        let all: Vec<&Row> = rows.iter().collect();
        let learnt = Weights::learn(Way::Regression, &all, frame, &mut || {}).unwrap().unwrap();
        let own = learnt.coefficients.iter().find(|c| name(c.term) == "recency").unwrap();
        assert!((own.estimate / own.scale - 0.25).abs() < 0.02, "{own:?}");
        let total = |weights: &Weights| rows.iter().map(|r| weights.value(r)).sum::<f64>();
        let came: f64 = rows.iter().map(|r| r.actual).sum();
        for way in Way::ALL {
            let weights = Weights::learn(way, &all, frame, &mut || {}).unwrap().unwrap();
            assert!((total(&weights) / came - 1.0).abs() < 1e-6, "{way:?}");
        }
        // A handful of customers moves little away from the mean of the two.
        let few = Weights::learn(Way::Regression, &all[..50], frame, &mut || {}).unwrap().unwrap();
        assert!(few.coefficients.iter().all(|c| c.estimate.abs() < 0.02), "{few:?}");
        assert!(Weights::learn(Way::Mean, &[], frame, &mut || {}).unwrap().is_none());
    }
}
