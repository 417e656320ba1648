//! Small dense linear algebra: ndarray holds the matrices, faer computes with them.
//!
//! Everything runs on the caller's thread. What faer gets is copied into matrices of its own, which are aligned: so the
//! order of its sums, and with it every bit of the result, does not depend on where the caller's lie in memory.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::ldlt::factor::{
    LdltRegularization, cholesky_in_place, cholesky_in_place_scratch,
};
use faer::prelude::ReborrowMut;
use faer::{Mat, MatMut, Par, Side};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::memory;

/// So little of a pivot, where the diagonal is one, is rounding: it is taken in place of less.
pub(crate) const LEAST_PIVOT: f64 = 1e-14;

/// A matrix of zeros whose size comes from data. To touch gigabytes for the first time takes a second: by rows.
///
/// # Errors
/// No memory.
pub(crate) fn zeros(rows: usize, columns: usize, checkpoint: Checkpoint) -> Result<Array2<f64>> {
    let elements = rows.saturating_mul(columns);
    let mut flat: Vec<f64> = memory::with_capacity(elements)?;
    for row in 1..=rows {
        flat.resize(row * columns, 0.0);
        if row % 64 == 0 {
            checkpoint();
        }
    }
    Array2::from_shape_vec((rows, columns), flat)
        .map_err(|_| memory::out_of_memory(elements.saturating_mul(size_of::<f64>())))
}

/// The rows as slices, for inner loops: views, and indices into them, cost a third of a fit's time.
pub(crate) fn rows_mut(matrix: &mut Array2<f64>) -> Vec<&mut [f64]> {
    // Those of matrices made by `zeros` and `Array2::zeros` are slices.
    matrix.outer_iter_mut().filter_map(|row| row.into_slice()).collect()
}

/// The lower triangle of a square matrix becomes its Cholesky factor, with `least` in place of smaller pivots; what is
/// above the diagonal is lost. `None` if not all of it is finite.
///
/// By way of LDL': faer's LL' (0.24.4) puts a pivot that it has set right into the column, but not on the diagonal.
pub(crate) fn factor_in_place(mut matrix: MatMut<f64>, least: f64) -> Option<()> {
    let n = matrix.nrows().min(matrix.ncols());
    let mut matrix = matrix.rb_mut().get_mut(..n, ..n);
    let positive = vec![1; n];
    let floor = LdltRegularization {
        dynamic_regularization_signs: Some(&positive),
        dynamic_regularization_delta: least,
        dynamic_regularization_epsilon: least,
    };
    let params = Default::default();
    let mut buffer = MemBuffer::new(cholesky_in_place_scratch::<f64>(n, Par::Seq, params));
    cholesky_in_place(matrix.rb_mut(), floor, Par::Seq, MemStack::new(&mut buffer), params).ok()?;
    for j in 0..n {
        let root = matrix[(j, j)].sqrt();
        matrix[(j, j)] = root;
        (j + 1..n).for_each(|i| matrix[(i, j)] *= root);
    }
    Some(())
}

/// The Cholesky factor of a positive definite matrix, scaled to a diagonal of ones so that columns of different sizes
/// do no harm.
///
/// A pivot that rounding has eaten up is set to the least that counts: a step along it is long, but finite.
pub(crate) struct Cholesky {
    factor: Mat<f64>,
    /// One over the square roots of the diagonal.
    scale: Array1<f64>,
}

impl Cholesky {
    /// Reads the lower triangle of a square matrix; `None` if not all of it is finite.
    pub(crate) fn new(matrix: ArrayView2<f64>) -> Option<Self> {
        let scale = matrix.diag().mapv(|d| 1.0 / d.max(f64::MIN_POSITIVE).sqrt());
        let n = scale.len();
        // Of a matrix that is not square, the smaller square.
        let n = n.min(matrix.nrows());
        let mut factor = Mat::from_fn(n, n, |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0.0,
            _ => matrix[[i, j]] * scale[i] * scale[j],
        });
        factor_in_place(factor.as_mut(), LEAST_PIVOT)?;
        Some(Self { factor, scale })
    }

    /// Solves for a right-hand side of as many numbers.
    pub(crate) fn solve(&self, b: ArrayView1<f64>) -> Array1<f64> {
        let n = self.scale.len();
        let mut x = Mat::from_fn(n, 1, |i, _| b.get(i).map_or(0.0, |b| b * self.scale[i]));
        self.solve_in_place(&mut x);
        Array1::from_shape_fn(n, |i| x[(i, 0)] * self.scale[i])
    }

    /// The inverse of the matrix.
    pub(crate) fn inverse(&self) -> Array2<f64> {
        let n = self.scale.len();
        let mut x = Mat::from_fn(n, n, |i, j| if i == j { self.scale[i] } else { 0.0 });
        self.solve_in_place(&mut x);
        // Both triangles the same to the last bit.
        Array2::from_shape_fn((n, n), |(i, j)| x[(i.max(j), i.min(j))] * self.scale[i.max(j)])
    }

    fn solve_in_place(&self, x: &mut Mat<f64>) {
        use faer::linalg::triangular_solve::{
            solve_lower_triangular_in_place, solve_upper_triangular_in_place,
        };
        let mut x = x.as_mut();
        solve_lower_triangular_in_place(self.factor.as_ref(), x.rb_mut(), Par::Seq);
        solve_upper_triangular_in_place(self.factor.transpose(), x, Par::Seq);
    }
}

/// Eigenvalues, ascending, and eigenvectors (one a column) of a symmetric matrix, of which the lower triangle is read;
/// `None` if they are not found, as with numbers that are not finite.
pub(crate) fn eigen(matrix: ArrayView2<f64>) -> Option<(Array1<f64>, Array2<f64>)> {
    if matrix.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let n = matrix.nrows().min(matrix.ncols());
    let found = Mat::from_fn(n, n, |i, j| matrix[[i, j]]).self_adjoint_eigen(Side::Lower).ok()?;
    let (values, vectors) = (found.S().column_vector(), found.U());
    Some((Array1::from_shape_fn(n, |i| values[i]), Array2::from_shape_fn((n, n), |(i, j)| vectors[(i, j)])))
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        let m = array![[4.0, 1.0, -2.0], [1.0, 2.0, 0.5], [-2.0, 0.5, -3.0]];
        let (values, vectors) = eigen(m.view()).unwrap();
        assert!(values[0] < values[1] && values[1] < values[2]);
        let back = vectors.dot(&Array2::from_diag(&values)).dot(&vectors.t());
        assert!(back.iter().zip(&m).all(|(b, m)| (b - m).abs() < 1e-14));
        assert!(eigen(array![[f64::NAN]].view()).is_none());
        assert!(eigen(Array2::zeros((2, 2)).view()).is_some());
    }

    #[test]
    fn solves_and_inverts_whatever_the_scales() {
        // Condition 1e40 as it stands, 3 once scaled.
        let scale = array![1e20, 1.0, 1e-20];
        let unit = array![[1.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]];
        let m = Array2::from_shape_fn((3, 3), |(i, j)| unit[[i, j]] * scale[i] * scale[j]);
        let factor = Cholesky::new(m.view()).unwrap();
        let inverse = array![[4.0 / 3.0, -2.0 / 3.0, 0.0], [-2.0 / 3.0, 4.0 / 3.0, 0.0], [0.0, 0.0, 1.0]];
        for ((i, j), found) in factor.inverse().indexed_iter() {
            assert!((found * scale[i] * scale[j] - inverse[[i, j]]).abs() < 1e-14);
        }
        let x = factor.solve((&scale * 3.0).view());
        for (i, expected) in [2.0, 2.0, 3.0].into_iter().enumerate() {
            assert!((x[i] * scale[i] - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn what_is_not_definite_gives_something_finite() {
        for m in
            [array![[1.0, 1.0], [1.0, 1.0]], array![[1.0, 2.0], [2.0, 1.0]], array![[0.0, 0.0], [0.0, 1.0]]]
        {
            let factor = Cholesky::new(m.view()).unwrap();
            assert!(factor.solve(array![1.0, 0.0].view()).iter().all(|x| !x.is_nan()));
        }
        assert!(Cholesky::new(array![[f64::NAN, 0.0], [0.0, 1.0]].view()).is_none());
        assert_eq!(Cholesky::new(Array2::zeros((0, 0)).view()).unwrap().inverse().len(), 0);
    }
}
