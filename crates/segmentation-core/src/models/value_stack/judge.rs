//! How well values foresaw what came: in rank, in total, by customer.

use serde_json::{Map, Value, json};

use crate::base::error::Result;
use crate::base::json::Object;
use crate::base::memory;

/// How good a prediction was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Customers judged on.
    pub customers: f64,
    /// Rank correlation (Spearman); `None` if one side is constant.
    pub spearman: Option<f64>,
    /// Predicted over actual total, less 1; `None` if nothing came.
    pub bias: Option<f64>,
    /// Mean absolute error over the mean of what came.
    pub mae: Option<f64>,
    /// Mean absolute error of ln(1 + value).
    pub log_mae: f64,
    /// The share of what came that the tenth of the customers with the highest predictions brought.
    pub top_tenth: Option<f64>,
    /// Predicted total.
    pub predicted: f64,
    /// What came.
    pub actual: f64,
    /// Linear correlation.
    pub correlation: Option<f64>,
}

const FIELDS: [&str; 9] =
    ["customers", "spearman", "bias", "mae", "log_mae", "top_tenth", "predicted", "actual", "correlation"];

/// A prediction, what came, and of how many customers.
pub(super) type Outcome = (f64, f64, f64);

impl Quality {
    /// Judges predictions. Sums are taken in order of prediction, so that no order of rows leaves a trace.
    ///
    /// # Errors
    /// No memory.
    pub(super) fn of(outcomes: &[Outcome]) -> Result<Self> {
        let mut sorted = memory::copy(outcomes)?;
        sorted
            .sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.total_cmp(&a.2)));
        let sum = |f: &dyn Fn(&Outcome) -> f64| sorted.iter().map(|o| f(o) * o.2).sum::<f64>();
        let customers = sum(&|_| 1.0);
        let (predicted, actual) = (sum(&|o| o.0), sum(&|o| o.1));
        let relative = |value: f64| (actual > 0.0).then(|| value / actual);
        // The best tenth: what is alike at its end counts by share.
        let (mut left, mut captured, mut at) = ((customers / 10.0).max(1.0), 0.0, 0);
        while at < sorted.len() && left > 0.0 {
            let alike = sorted[at..].iter().take_while(|o| o.0 == sorted[at].0);
            let (n, total, count) =
                alike.fold((0.0, 0.0, 0), |(n, total, count), o| (n + o.2, total + o.1 * o.2, count + 1));
            captured += total * (left / n).min(1.0);
            left -= n;
            at += count;
        }
        Ok(Self {
            customers,
            spearman: spearman(&sorted)?,
            bias: relative(predicted).map(|r| r - 1.0),
            mae: relative(sum(&|o| (o.0 - o.1).abs())),
            log_mae: sum(&|o| (o.0.max(0.0).ln_1p() - o.1.max(0.0).ln_1p()).abs()) / customers.max(1.0),
            top_tenth: relative(captured),
            predicted,
            actual,
            correlation: correlation(sorted.iter().copied()),
        })
    }

    /// What candidates are chosen by: rank, less a quarter of the error by customer and an eighth of that of the total.
    pub(super) fn score(&self) -> f64 {
        let off = self.bias.map_or(1.0, |bias| (1.0 + bias).max(1e-3).ln().abs());
        self.spearman.unwrap_or(0.0) - 0.25 * self.mae.unwrap_or(1.0) - 0.125 * off
    }

    pub(super) fn to_map(self) -> Map<String, Value> {
        let values = [
            Some(self.customers),
            self.spearman,
            self.bias,
            self.mae,
            Some(self.log_mae),
            self.top_tenth,
            Some(self.predicted),
            Some(self.actual),
            self.correlation,
        ];
        FIELDS.iter().zip(values).map(|(field, value)| ((*field).to_owned(), json!(value))).collect()
    }

    pub(super) fn fields() -> &'static [&'static str] {
        &FIELDS
    }

    pub(super) fn read(object: &Object) -> Result<Self> {
        let number = |key: &str| object.number(key, f64::MIN, f64::MAX);
        let needed = |key: &str| object.need_number(key, f64::MIN, f64::MAX);
        Ok(Self {
            customers: needed("customers")?,
            spearman: number("spearman")?,
            bias: number("bias")?,
            mae: number("mae")?,
            log_mae: needed("log_mae")?,
            top_tenth: number("top_tenth")?,
            predicted: needed("predicted")?,
            actual: needed("actual")?,
            correlation: number("correlation")?,
        })
    }
}

/// Mid-ranks of one side, weighted.
fn ranks(outcomes: &[Outcome], side: impl Fn(&Outcome) -> f64) -> Result<Vec<f64>> {
    let mut order: Vec<usize> = memory::collect(0..outcomes.len())?;
    order.sort_by(|a, b| side(&outcomes[*a]).total_cmp(&side(&outcomes[*b])));
    let mut ranks = memory::collect(outcomes.iter().map(|_| 0.0))?;
    let (mut at, mut below) = (0, 0.0);
    while at < order.len() {
        let value = side(&outcomes[order[at]]);
        let end = at + order[at..].iter().take_while(|i| side(&outcomes[**i]) == value).count();
        let n: f64 = order[at..end].iter().map(|i| outcomes[*i].2).sum();
        order[at..end].iter().for_each(|i| ranks[*i] = below + 0.5 * (n + 1.0));
        below += n;
        at = end;
    }
    Ok(ranks)
}

fn spearman(outcomes: &[Outcome]) -> Result<Option<f64>> {
    let (predicted, actual) = (ranks(outcomes, |o| o.0)?, ranks(outcomes, |o| o.1)?);
    Ok(correlation((0..outcomes.len()).map(|i| (predicted[i], actual[i], outcomes[i].2))))
}

fn correlation(pairs: impl Iterator<Item = Outcome> + Clone) -> Option<f64> {
    let sum = |f: &dyn Fn(f64, f64) -> f64| pairs.clone().map(|(a, b, n)| n * f(a, b)).sum::<f64>();
    let n = sum(&|_, _| 1.0);
    let (a, b) = (sum(&|a, _| a) / n, sum(&|_, b| b) / n);
    let (aa, bb) = (sum(&|x, _| (x - a).powi(2)), sum(&|_, y| (y - b).powi(2)));
    let ab = sum(&|x, y| (x - a) * (y - b));
    let found = ab / (aa * bb).sqrt();
    (aa > 0.0 && bb > 0.0 && found.is_finite()).then(|| found.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.stats.spearmanr([5, 3, 3, 0, 8, 1], [2, 4, 0, 0, 9, 1]).statistic, and numpy.corrcoef. Customers that are alike, as one row with their number, give the same.
    #[test]
    fn as_scipy_says() {
        let rows = [(5.0, 2.0), (3.0, 4.0), (3.0, 0.0), (0.0, 0.0), (8.0, 9.0), (1.0, 1.0)];
        let one: Vec<Outcome> = rows.iter().map(|&(p, a)| (p, a, 1.0)).collect();
        let quality = Quality::of(&one).unwrap();
        eprintln!("{quality:?}");
        assert!((quality.spearman.unwrap() - 0.75).abs() < 1e-12);
        assert!((quality.correlation.unwrap() - 0.841_374_158_629_627_5).abs() < 1e-9);
        assert!((quality.bias.unwrap() - 0.25).abs() < 1e-12);
        assert!((quality.mae.unwrap() - 8.0 / 16.0).abs() < 1e-12);
        assert!((quality.top_tenth.unwrap() - 9.0 / 16.0).abs() < 1e-12);
        let twice: Vec<Outcome> = one.iter().chain(&one).copied().collect();
        let weighted: Vec<Outcome> = one.iter().map(|&(p, a, _)| (p, a, 2.0)).collect();
        let (twice, weighted) = (Quality::of(&twice).unwrap(), Quality::of(&weighted).unwrap());
        assert!((twice.spearman.unwrap() - weighted.spearman.unwrap()).abs() < 1e-12);
        assert!((twice.top_tenth.unwrap() - weighted.top_tenth.unwrap()).abs() < 1e-12);
        assert_eq!(Quality::of(&[(1.0, 0.0, 1.0)]).unwrap().bias, None);
    }
}
