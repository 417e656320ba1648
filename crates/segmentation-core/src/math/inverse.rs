//! The inverse of a large positive definite matrix in its own place, by Cholesky's method and by blocks, so that the
//! host can interrupt it: the factor L, its inverse W, and then W'W, all of them in one triangle.
//!
//! The three loops are those of LAPACK's `potrf`, `trtri` and `lauum`; what each does to a block is faer's. No step
//! takes more than the block squared times the rows, some milliseconds for ten thousand of them.

use std::ops::Range;

use faer::linalg::matmul::triangular::BlockStructure::{
    self, Rectangular as Full, TriangularLower as Lower, TriangularUpper as Upper,
};
use faer::linalg::matmul::triangular::matmul;
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use ndarray::{Array2, s};

use super::linear::{LEAST_PIVOT, factor_in_place};
use crate::Checkpoint;

/// Rows and columns of a block.
const BLOCK: usize = 128;

fn blocks(n: usize) -> impl DoubleEndedIterator<Item = Range<usize>> + ExactSizeIterator {
    (0..n.div_ceil(BLOCK)).map(move |at| at * BLOCK..((at + 1) * BLOCK).min(n))
}

/// Puts its inverse in the place of a positive definite matrix, of which the upper triangle is read; `None` if not all
/// of it is finite, or it is not square.
///
/// Beside the matrix, only memory for a few blocks is needed.
pub(crate) fn invert(matrix: &mut Array2<f64>, checkpoint: Checkpoint) -> Option<()> {
    let n = matrix.nrows();
    if matrix.ncols() != n {
        return None;
    }
    let greatest = matrix.diag().fold(0.0_f64, |most, d| most.max(*d));
    // The upper triangle by rows is the lower one by columns, which faer likes best.
    let mut lower = MatMut::from_column_major_slice_mut(matrix.as_slice_mut()?, n, n);
    let mut spare = Mat::zeros(BLOCK, BLOCK);
    factor(lower.rb_mut(), greatest, checkpoint)?;
    invert_factor(lower.rb_mut(), &mut spare, checkpoint);
    square(lower, &mut spare, checkpoint);
    mirror(matrix, checkpoint);
    Some(())
}

/// A = LL' becomes L.
fn factor(mut a: MatMut<f64>, greatest: f64, checkpoint: Checkpoint) -> Option<()> {
    let n = a.nrows();
    let least = (LEAST_PIVOT * greatest).max(f64::MIN_POSITIVE);
    for k in blocks(n) {
        let (left, mut right) = a.rb_mut().split_at_col_mut(k.end);
        let (mut diagonal, mut below) = left.get_mut(k.start.., k.clone()).split_at_row_mut(k.len());
        factor_in_place(diagonal.rb_mut(), least)?;
        // Times the inverse of L' from the right.
        solve_lower_triangular_in_place(diagonal.rb(), below.rb_mut().transpose_mut(), Par::Seq);
        checkpoint();
        for j in blocks(n - k.end) {
            let columns = right.rb_mut().get_mut(k.end + j.start.., j.clone());
            let (triangle, rest) = columns.split_at_row_mut(j.len());
            let (own, rows) = below.rb().get(j.start.., ..).split_at_row(j.len());
            multiply((triangle, Lower), Accum::Add, (own, Full), (own.transpose(), Full), -1.0);
            multiply((rest, Full), Accum::Add, (rows, Full), (own.transpose(), Full), -1.0);
            checkpoint();
        }
    }
    Some(())
}

/// L becomes its inverse: from the last block of columns to the first, below the diagonal
/// W = -(inverse of what is below and right) L (inverse of the diagonal block).
fn invert_factor(mut l: MatMut<f64>, spare: &mut Mat<f64>, checkpoint: Checkpoint) {
    let n = l.nrows();
    for k in blocks(n).rev() {
        let (left, right) = l.rb_mut().split_at_col_mut(k.end);
        let (mut diagonal, mut below) = left.get_mut(k.start.., k.clone()).split_at_row_mut(k.len());
        let done = right.rb().get(k.end.., ..);
        // From below, so that what is above is still as it was.
        for i in blocks(n - k.end).rev() {
            let (above, mut here) = below.rb_mut().get_mut(..i.end, ..).split_at_row_mut(i.start);
            let mut product = spare.get_mut(..i.len(), ..k.len());
            let (own, before) = (done.get(i.clone(), i.clone()), done.get(i.clone(), ..i.start));
            multiply((product.rb_mut(), Full), Accum::Replace, (own, Lower), (here.rb(), Full), -1.0);
            multiply((product.rb_mut(), Full), Accum::Add, (before, Full), (above.rb(), Full), -1.0);
            here.copy_from(product.rb());
            checkpoint();
        }
        solve_upper_triangular_in_place(diagonal.rb().transpose(), below.transpose_mut(), Par::Seq);
        let mut inverse = spare.get_mut(..k.len(), ..k.len());
        invert_lower_triangular(inverse.rb_mut(), diagonal.rb(), Par::Seq);
        diagonal.copy_from_triangular_lower(inverse.rb());
        checkpoint();
    }
}

/// W becomes the lower triangle of W'W: each block of rows needs itself and what is below.
fn square(mut w: MatMut<f64>, spare: &mut Mat<f64>, checkpoint: Checkpoint) {
    let n = w.nrows();
    for i in blocks(n) {
        let (above, below) = w.rb_mut().split_at_row_mut(i.end);
        let (mut before, mut diagonal) = above.get_mut(i.clone(), ..i.end).split_at_col_mut(i.start);
        let rows = below.rb().get(.., i.clone());
        for j in blocks(i.start) {
            let mut here = before.rb_mut().get_mut(.., j.clone());
            let mut product = spare.get_mut(..i.len(), ..j.len());
            let (own, columns) = (diagonal.rb().transpose(), below.rb().get(.., j));
            multiply((product.rb_mut(), Full), Accum::Replace, (own, Upper), (here.rb(), Full), 1.0);
            multiply((product.rb_mut(), Full), Accum::Add, (rows.transpose(), Full), (columns, Full), 1.0);
            here.copy_from(product.rb());
            checkpoint();
        }
        let mut product = spare.get_mut(..i.len(), ..i.len());
        let own = diagonal.rb();
        multiply((product.rb_mut(), Lower), Accum::Replace, (own.transpose(), Upper), (own, Lower), 1.0);
        multiply((product.rb_mut(), Lower), Accum::Add, (rows.transpose(), Full), (rows, Full), 1.0);
        diagonal.copy_from_triangular_lower(product.rb());
        checkpoint();
    }
}

/// A matrix, and which part of it counts.
type Part<M> = (M, BlockStructure);

/// `times` a b, in place of what was there or added to it.
fn multiply(into: Part<MatMut<f64>>, how: Accum, a: Part<MatRef<f64>>, b: Part<MatRef<f64>>, times: f64) {
    matmul(into.0, into.1, how, a.0, a.1, b.0, b.1, times, Par::Seq);
}

/// The upper triangle becomes that of a symmetric matrix, by blocks that fit into the cache.
fn mirror(matrix: &mut Array2<f64>, checkpoint: Checkpoint) {
    let n = matrix.nrows();
    for i in blocks(n) {
        for j in blocks(i.start) {
            let (mut to, from) = matrix.multi_slice_mut((s![i.clone(), j.clone()], s![j.clone(), i.clone()]));
            to.assign(&from.t());
        }
        for row in i.clone() {
            for column in i.start..row {
                matrix[[row, column]] = matrix[[column, row]];
            }
        }
        checkpoint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Positive definite, the same everywhere; what is below the diagonal is not to be read.
    fn matrix(n: usize) -> Array2<f64> {
        let mut state = 3_u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / f64::from(1 << 24) - 0.5
        };
        let x = Array2::from_shape_simple_fn((n + 5, n), &mut draw);
        let mut m = x.t().dot(&x);
        m.diag_mut().mapv_inplace(|d| d + 0.3);
        m
    }

    fn upper(m: &Array2<f64>) -> Array2<f64> {
        Array2::from_shape_fn(m.dim(), |(i, j)| if i <= j { m[[i, j]] } else { f64::NAN })
    }

    #[test]
    fn the_inverse_times_the_matrix_is_one() {
        for n in [0, 1, 2, 127, 128, 129, 300, 513] {
            let m = matrix(n);
            let mut inverse = upper(&m);
            let mut looks = 0;
            invert(&mut inverse, &mut || looks += 1).unwrap();
            assert!(inverse == inverse.t());
            for ((i, j), one) in inverse.dot(&m).indexed_iter() {
                assert!((one - f64::from(u8::from(i == j))).abs() < 1e-11, "{n}: {i} {j}");
            }
            assert!(n <= BLOCK || looks > 10);
        }
    }

    /// Otherwise two fits of the same customers could differ in their last bits.
    #[test]
    fn no_bit_depends_on_where_it_lies_in_memory() {
        for n in [5, 129, 257] {
            let m = matrix(n);
            let found: Vec<Vec<u64>> = (0..8)
                .map(|shift| {
                    let mut held = vec![0.0; n * n + 8];
                    held[shift..shift + n * n].copy_from_slice(m.as_slice().unwrap());
                    let mut view = MatMut::from_column_major_slice_mut(&mut held[shift..shift + n * n], n, n);
                    let mut spare = Mat::zeros(BLOCK, BLOCK);
                    factor(view.rb_mut(), 1.0, &mut || {}).unwrap();
                    invert_factor(view.rb_mut(), &mut spare, &mut || {});
                    square(view.rb_mut(), &mut spare, &mut || {});
                    held[shift..shift + n * n].iter().map(|x| x.to_bits()).collect()
                })
                .collect();
            assert!(found.iter().all(|f| *f == found[0]), "{n}");
        }
    }

    #[test]
    fn what_is_not_definite_is_finite_or_refused() {
        let mut ones = Array2::from_elem((200, 200), 1.0);
        invert(&mut ones, &mut || {}).unwrap();
        assert!(ones.iter().all(|x| x.is_finite()));
        let mut nan = Array2::from_elem((3, 3), f64::NAN);
        assert!(invert(&mut nan, &mut || {}).is_none());
        assert!(invert(&mut Array2::zeros((2, 3)), &mut || {}).is_none());
        assert!(invert(&mut Array2::zeros((3, 3)), &mut || {}).is_some());
    }
}
