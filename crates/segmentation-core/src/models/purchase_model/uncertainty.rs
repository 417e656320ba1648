//! What the uncertainty of the parameters does to a score.

use ndarray::{Array1, Array2};

use super::cells::CustomerSummary;
use super::model::PurchaseModel;
use super::predictive::check_level;
use super::score::Scorer;
use crate::base::error::{Error, ErrorKind, Result};
use crate::math::special::{logistic, normal_quantile};

/// The step in a log-parameter of the central differences.
const STEP: f64 = 1e-4;

/// Confidence intervals of scores by the delta method.
///
/// The gradient is taken in the logarithms of the parameters, of the logit of a probability and of
/// the logarithm of a number, where normality holds best and no bound is crossed. Not to be mixed
/// up with the predictive intervals of [`Scorer`]: those say what one customer may do, these how
/// well the score itself is known.
#[derive(Debug, Clone)]
pub struct ParameterUncertainty {
    scorer: Scorer,
    /// Scorers with one log-parameter a step up and down.
    moved: Vec<(Scorer, Scorer)>,
    /// Covariance of the log-parameters.
    covariance: Array2<f64>,
}

impl ParameterUncertainty {
    /// Prepares a model.
    ///
    /// # Errors
    /// [`ErrorKind::NotReady`] if the model has no covariance.
    pub fn new(model: &PurchaseModel) -> Result<Self> {
        let scorer = Scorer::new(model)?;
        let parameters = &model.parameters;
        let covariance = model.covariance.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::NotReady, "the purchase model has no covariance of its parameters")
                .detail("Its likelihood is flat in some direction; see its warnings.")
        })?;
        let moved = |i: usize, by: f64| {
            let mut parameters = parameters.clone();
            parameters[i] *= by.exp();
            Scorer::from_parameters(model.family, model.k, &parameters, model.unit.days())
        };
        Ok(Self {
            moved: (0..parameters.len())
                .map(|i| Ok((moved(i, STEP)?, moved(i, -STEP)?)))
                .collect::<Result<_>>()?,
            covariance: Array2::from_shape_fn(covariance.dim(), |(i, j)| {
                covariance[[i, j]] / (parameters[i] * parameters[j])
            }),
            scorer,
        })
    }

    /// value and standard error of `f`, on whatever scale it has.
    pub(crate) fn delta(&self, f: impl Fn(&Scorer) -> f64) -> (f64, f64) {
        let gradient: Array1<f64> =
            self.moved.iter().map(|(up, down)| (f(up) - f(down)) / (2.0 * STEP)).collect();
        let variance = gradient.dot(&self.covariance.dot(&gradient));
        (f(&self.scorer), variance.max(0.0).sqrt())
    }

    fn probability(&self, level: f64, f: impl Fn(&Scorer) -> f64) -> Result<(f64, f64)> {
        let z = normal_quantile(0.5 + 0.5 * check_level(level)?);
        let point = f(&self.scorer);
        if point <= 0.0 || point >= 1.0 {
            // A probability that the model fixes, such as P(alive) = 1 under NBD.
            return Ok((point, point));
        }
        let (value, error) = self.delta(|scorer| {
            let p = f(scorer);
            p.max(1e-300).ln() - (1.0 - p).max(1e-300).ln()
        });
        let reach = (z * error).min(1e6);
        Ok((logistic(value - reach), logistic(value + reach)))
    }

    /// The interval of [`Scorer::churn_probability`].
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn churn_probability(
        &self,
        customer: CustomerSummary,
        horizon_days: f64,
        level: f64,
    ) -> Result<(f64, f64)> {
        self.probability(level, |scorer| scorer.churn_probability(customer, horizon_days))
    }

    /// The interval of [`Scorer::alive_probability`].
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn alive_probability(&self, customer: CustomerSummary, level: f64) -> Result<(f64, f64)> {
        self.probability(level, |scorer| scorer.alive_probability(customer))
    }

    /// The interval of [`Scorer::expected_purchases`].
    ///
    /// # Errors
    /// If the level is not between 0 and 1.
    pub fn expected_purchases(
        &self,
        customer: CustomerSummary,
        horizon_days: f64,
        level: f64,
    ) -> Result<(f64, f64)> {
        let z = normal_quantile(0.5 + 0.5 * check_level(level)?);
        let point = self.scorer.expected_purchases(customer, horizon_days);
        if point <= 0.0 {
            return Ok((0.0, 0.0));
        }
        let (value, error) =
            self.delta(|scorer| scorer.expected_purchases(customer, horizon_days).max(1e-300).ln());
        let reach = (z * error).min(600.0);
        Ok(((value - reach).exp(), (value + reach).exp().min(f64::MAX)))
    }
}
