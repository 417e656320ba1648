//! Covariance matrices as JSON: a list of rows.

use ndarray::Array2;
use serde_json::Value;

/// The rows.
pub(crate) fn to_json(covariance: &Array2<f64>) -> Value {
    covariance.outer_iter().map(|row| Value::from_iter(row.iter().copied())).collect()
}

/// Reads the rows of a symmetric n by n matrix with a positive diagonal; `None` if they are anything else.
pub(crate) fn from_json(rows: &[Value], n: usize) -> Option<Array2<f64>> {
    if rows.len() != n {
        return None;
    }
    let mut matrix = Array2::zeros((n, n));
    for (row, mut into) in rows.iter().zip(matrix.outer_iter_mut()) {
        let row = row.as_array().filter(|row| row.len() == n)?;
        for (value, into) in row.iter().zip(&mut into) {
            *into = value.as_f64()?;
        }
    }
    let m = &matrix;
    let fits = m.diag().iter().all(|d| *d > 0.0 && d.is_finite())
        && m.indexed_iter().all(|((i, j), value)| {
            let scale = (m[[i, i]] * m[[j, j]]).sqrt();
            value.abs() <= scale * (1.0 + 1e-6) && (value - m[[j, i]]).abs() <= 1e-6 * scale
        });
    fits.then_some(matrix)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_symmetric_matrices_are_read() {
        let read = |value: Value| from_json(value.as_array().unwrap(), 2);
        let good = json!([[4.0, -1.0], [-1.0, 0.25]]);
        assert_eq!(to_json(&read(good.clone()).unwrap()), good);
        for bad in [
            json!([[1.0, 0.0]]),
            json!([[1.0, 0.0], [0.0]]),
            json!([[1.0, 0.0], [0.0, "1"]]),
            json!([[1.0, 0.5], [0.4, 1.0]]),
            json!([[1.0, 1.5], [1.5, 1.0]]),
            json!([[1.0, 0.0], [0.0, -1.0]]),
            json!([[1.0, 0.0], 7]),
        ] {
            assert!(read(bad.clone()).is_none(), "{bad}");
        }
    }
}
