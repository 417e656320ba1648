//! Logistic regression on snapshots, shrunk towards what is known without it.

use ndarray::Array1;

use super::snapshot::Snapshots;
use super::terms::{Linear, TERMS};
use crate::Checkpoint;
use crate::base::error::Result;
use crate::math::binomial::{self, Design};

/// The log-odds of a purchase model are taken as they are: the prior of their factor is normal about 1, with this
/// precision (a standard deviation of a half).
const SLOPE_PRECISION: f64 = 4.0;
/// The precision of a coefficient that is hardly shrunk, per standard deviation of its term.
pub(super) const FREE: f64 = 1.0;

/// Means and standard deviations of the terms, by weight.
fn scales(days: &[(&Snapshots, f64)], checkpoint: Checkpoint) -> ([f64; TERMS], [f64; TERMS]) {
    let (mut total, mut sums, mut squares) = (0.0, [0.0; TERMS], [0.0; TERMS]);
    for (snapshots, weight) in days {
        checkpoint();
        for i in 0..snapshots.len() {
            let weight = weight * snapshots.customers[i] as f64;
            total += weight;
            for (sum, x) in sums.iter_mut().zip(snapshots.row(i)) {
                *sum += weight * x;
            }
        }
    }
    let means = sums.map(|sum| sum / total);
    for (snapshots, weight) in days {
        checkpoint();
        for i in 0..snapshots.len() {
            let weight = weight * snapshots.customers[i] as f64;
            for ((square, mean), x) in squares.iter_mut().zip(&means).zip(snapshots.row(i)) {
                *square += weight * (x - mean) * (x - mean);
            }
        }
    }
    (means, squares.map(|square| (square / total).sqrt()))
}

/// The regression of what followed on some terms: `shrunk` by a ridge on their coefficients per standard deviation,
/// `towards` a term whose coefficient is near 1 beforehand. Rows of a day have the weight that stands beside it.
///
/// `None` without both outcomes, or without a finite answer.
pub(super) fn regress(
    days: &[(&Snapshots, f64)],
    towards: Option<usize>,
    shrunk: &[usize],
    ridge: f64,
    checkpoint: Checkpoint,
) -> Result<Option<Linear>> {
    let outcomes = days.iter().map(|(s, _)| s.outcomes()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    if outcomes.0 == 0 || outcomes.1 == 0 {
        return Ok(None);
    }
    let (means, deviations) = scales(days, &mut *checkpoint);
    let varies = |term: &usize| deviations[*term] > 1e-9;
    let columns: Vec<usize> = towards.into_iter().chain(shrunk.iter().copied()).filter(varies).collect();
    let mut design = Design::new(columns.len());
    for (snapshots, weight) in days {
        for i in 0..snapshots.len() {
            if i % 1024 == 0 {
                checkpoint();
            }
            let (row, weight) = (snapshots.row(i), weight * snapshots.customers[i] as f64);
            let entries =
                columns.iter().enumerate().map(|(j, &t)| (j as u32, (row[t] - means[t]) / deviations[t]));
            let churned = f64::from(u8::from(snapshots.churned[i]));
            design.push(entries, weight * churned, weight * (1.0 - churned))?;
            if let Some(towards) = towards {
                crate::base::memory::push(&mut design.offset, row[towards])?;
            }
        }
    }
    let precision = |term: usize| match Some(term) == towards {
        true => SLOPE_PRECISION / (deviations[term] * deviations[term]),
        false => ridge,
    };
    let penalty: Array1<f64> = std::iter::once(0.0).chain(columns.iter().map(|&t| precision(t))).collect();
    let fitted = binomial::fit(&design, penalty.view(), checkpoint);
    let mut linear = Linear::constant(fitted.beta[0]);
    if let Some(towards) = towards {
        linear.coefficients[towards] = 1.0;
    }
    for (j, &term) in columns.iter().enumerate() {
        let coefficient = fitted.beta[j + 1] / deviations[term];
        linear.coefficients[term] += coefficient;
        linear.intercept -= coefficient * means[term];
    }
    Ok(linear.is_finite().then_some(linear))
}
