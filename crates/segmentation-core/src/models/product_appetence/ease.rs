//! EASE: item-to-item weights that best rebuild each customer's items from the others.

use ndarray::{Array1, Array2};

use super::matrix::Counts;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::math::inverse::invert;
use crate::math::linear::{rows_mut, zeros};

/// The weights from item to item (rows: from, columns: to), dense, with a zero diagonal:
/// `B = I - P diag(1 / diag P)`, `P = (X'X + ridge I)^-1` (Steck 2019, equation 8).
///
/// X holds the entries of `counts`, or 1 for each unless `valued`; it has `n` columns. One matrix of `n` times `n`
/// numbers is all that is held: P takes the place of X'X, and B that of P. Columns lie in memory one after the other.
///
/// # Errors
/// No memory; entries that are not finite.
pub fn ease(
    counts: &Counts,
    ridge: f64,
    valued: bool,
    n: usize,
    checkpoint: Checkpoint,
) -> Result<Array2<f64>> {
    let mut p = inverse(counts, ridge, valued, n, checkpoint)?;
    // P is symmetric: its rows are its columns, and become those of B.
    for (to, mut row) in p.outer_iter_mut().enumerate() {
        let own = -row[to];
        row /= own;
        row[to] = 0.0;
        if to % 64 == 0 {
            checkpoint();
        }
    }
    Ok(p.reversed_axes())
}

/// The greatest weights to each item by size, as a sparse matrix; of equals at the end none.
pub(super) fn strongest(weights: &Array2<f64>, kept: usize, checkpoint: Checkpoint) -> Counts {
    let mut columns = Counts::new();
    let mut sizes = Vec::new();
    for column in weights.columns() {
        let mut floor = 0.0;
        if kept < column.len() {
            sizes.clear();
            sizes.extend(column.iter().map(|w| w.abs()));
            floor = *sizes.select_nth_unstable_by(kept, |a, b| b.total_cmp(a)).1;
        }
        let entries = column.iter().zip(0..).filter(|(w, _)| w.abs() > floor);
        columns.push(entries.map(|(w, from)| (from, *w as f32)));
        checkpoint();
    }
    columns.transposed(weights.nrows())
}

/// The same weights where there are fewer customers than items, the `kept` greatest to each item by size:
/// with `K = (XX' + ridge I)^-1`, `P = (I - X'KX) / ridge`, so that `B_ij = (X'KX)_ij / (1 - (X'KX)_jj)`.
///
/// Takes the square of the customers in memory and their cube in time, and for every few items one pass over
/// all entries.
///
/// # Errors
/// As for [`ease`].
pub(super) fn ease_by_customers(
    counts: &Counts,
    ridge: f64,
    n: usize,
    kept: usize,
    checkpoint: Checkpoint,
) -> Result<Counts> {
    let (customers, items) = (counts.rows(), counts.transposed(n));
    let k = inverse(&items, ridge, true, customers, checkpoint)?;
    let mut columns = Counts::new();
    let mut by_customer = Array1::zeros(customers);
    let mut weights = memory::filled([0.0; SIDE_BY_SIDE], customers)?;
    let mut sums = memory::filled([0.0; SIDE_BY_SIDE], n)?;
    for first in (0..n).step_by(SIDE_BY_SIDE) {
        let block = first..n.min(first + SIDE_BY_SIDE);
        weights.fill([0.0; SIDE_BY_SIDE]);
        for (lane, to) in block.clone().enumerate() {
            by_customer.fill(0.0);
            for (customer, x) in items.row(to) {
                by_customer.scaled_add(f64::from(*x), &k.row(*customer as usize));
            }
            weights.iter_mut().zip(&by_customer).for_each(|(lanes, w)| lanes[lane] = *w);
        }
        sums.fill([0.0; SIDE_BY_SIDE]);
        for (customer, weights) in weights.iter().enumerate() {
            for (from, x) in counts.row(customer) {
                let x = f64::from(*x);
                sums[*from as usize].iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
            }
            if customer % 32 == 0 {
                checkpoint();
            }
        }
        for (lane, to) in block.enumerate() {
            let rest = 1.0 - sums[to][lane];
            sums[to][lane] = 0.0;
            columns.push(greatest(sums.iter().map(|s| (s[lane] / rest) as f32), kept));
        }
    }
    Ok(columns.transposed(n))
}

/// Items whose weights are summed up side by side: the entries are read once for so many.
const SIDE_BY_SIDE: usize = 8;

/// The `kept` greatest of a column by size; of equals the smaller items.
fn greatest(column: impl Iterator<Item = f32>, kept: usize) -> Vec<(u32, f32)> {
    let mut column: Vec<(u32, f32)> = (0..).zip(column).filter(|(_, w)| *w != 0.0).collect();
    if column.len() > kept {
        column.select_nth_unstable_by(kept, |a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        column.truncate(kept);
    }
    column.sort_unstable_by_key(|(from, _)| *from);
    column
}

/// (X'X + ridge I)^-1.
fn inverse(
    counts: &Counts,
    ridge: f64,
    valued: bool,
    n: usize,
    checkpoint: Checkpoint,
) -> Result<Array2<f64>> {
    let mut a = gram(counts, valued, n, checkpoint)?;
    a.diag_mut().mapv_inplace(|d| d + ridge);
    invert(&mut a, checkpoint).ok_or_else(|| {
        Error::new(ErrorKind::NotReady, "too little data for a product affinity")
            .detail("The purchase days of the items cannot be told apart; a greater ridge may help.")
    })?;
    Ok(a)
}

/// How many products are summed up between two looks at the host.
const STRIDE: usize = 1 << 20;

/// The upper triangle of X'X.
fn gram(counts: &Counts, valued: bool, n: usize, checkpoint: Checkpoint) -> Result<Array2<f64>> {
    let mut a = zeros(n, n, checkpoint)?;
    let mut lines = rows_mut(&mut a);
    let mut since = 0;
    for customer in 0..counts.rows() {
        let row = counts.row(customer);
        for (at, (i, x)) in row.iter().enumerate() {
            let line = &mut lines[*i as usize];
            for (j, y) in &row[at..] {
                line[*j as usize] += if valued { f64::from(*x) * f64::from(*y) } else { 1.0 };
            }
            since += row.len() - at;
            if since > STRIDE {
                since = 0;
                checkpoint();
            }
        }
    }
    Ok(a)
}
