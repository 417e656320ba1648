use super::regression::regress;
use super::snapshot::Snapshots;
use super::terms::{self, TERMS};
use crate::models::purchase_model::Family;

/// Ridge, intercept, coefficients.
const PLAIN: [(f64, f64, [f64; 3]); 2] = [
    (1.0, -0.3491589163453708, [0.6074407754669737, 0.1817512877895914, -0.3225940993981067]),
    (25.0, -0.4313326332425103, [0.3942768869782571, 0.1377849508483793, -0.2123248800996127]),
];
/// Ridge, intercept, factor of the offset, coefficients.
const TOWARDS: (f64, f64, f64, [f64; 3]) = (
    25.0,
    -0.24005013862598348,
    0.579196214370161,
    [0.40765056105097086, 0.10687921154815869, -0.22309908606335968],
);

#[test]
fn ridge_regression_as_scikit_learn_and_scipy() {
    // scikit-learn 1.9.1, LogisticRegression(C = 1 / ridge) on columns standardised by their own deviation, and scipy's
    // minimum of the same with an offset and the prior of its factor; recorded from the formulas below.
    let n = 200;
    let xs = |i: usize| {
        let x = i as f64;
        [x.sin(), (2.0 * x).cos() + 0.3 * x.sin(), (i % 7) as f64 / 3.0]
    };
    let offset = |i: usize| 1.5 * (3.0 * i as f64).sin() - 0.4;
    let mut values = Vec::new();
    let mut churned = Vec::new();
    let of = terms::of_family(Family::MbgNbd);
    for i in 0..n {
        let (x, z) = (xs(i), offset(i));
        let mut row = [0.0; TERMS];
        row[..3].copy_from_slice(&x);
        row[of] = z;
        values.extend(row);
        let p = 100.0 / (1.0 + (-(0.8 * x[0] - 0.5 * x[2] + 0.7 * z)).exp());
        churned.push((((i * 37) % 100) as f64) < p);
    }
    let snapshots = Snapshots::of_rows(values, churned);
    let days = [(&snapshots, 1.0)];
    let close = |got: f64, right: f64| assert!((got - right).abs() < 2e-6, "{got}, right {right}");
    for (ridge, intercept, right) in PLAIN {
        let linear = regress(&days, None, &[0, 1, 2], ridge, &mut || {}).unwrap().unwrap();
        close(linear.intercept, intercept);
        (0..3).for_each(|i| close(linear.coefficients[i], right[i]));
    }
    let (ridge, intercept, factor, right) = TOWARDS;
    let linear = regress(&days, Some(of), &[0, 1, 2], ridge, &mut || {}).unwrap().unwrap();
    close(linear.intercept, intercept);
    close(linear.coefficients[of], factor);
    (0..3).for_each(|i| close(linear.coefficients[i], right[i]));
}
