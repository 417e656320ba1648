//! EASE: item-to-item weights that best rebuild each customer's items from the others.

use super::matrix::Counts;
use crate::Checkpoint;

/// The weights from item to item (rows: from, columns: to), dense, with a zero diagonal:
/// `B = I - P diag(1 / diag P)`, `P = (X'X + ridge I)^-1` (Steck 2019, equation 8).
///
/// X holds the entries of `counts`, or 1 for each unless `valued`; it has `n` columns.
/// The inverse is made in place by the symmetric sweep operator, in the cube of the items.
pub fn ease(counts: &Counts, ridge: f64, valued: bool, n: usize, checkpoint: Checkpoint) -> Vec<f64> {
    let mut a = gram(counts, valued, n, checkpoint);
    for i in 0..n {
        a[i * n + i] += ridge;
    }
    sweep(&mut a, n, checkpoint);
    // The sweep leaves -P in the lower triangle.
    let diagonal: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
    let mut weights = vec![0.0; n * n];
    for (i, own) in diagonal.iter().enumerate() {
        for (j, other) in diagonal[..i].iter().enumerate() {
            let p = a[i * n + j];
            weights[i * n + j] = -p / other;
            weights[j * n + i] = -p / own;
        }
        if i % 64 == 0 {
            checkpoint();
        }
    }
    weights
}

/// The same weights where there are fewer customers than items, the `kept` greatest to each item by size:
/// with `K = (XX' + ridge I)^-1`, `P = (I - X'KX) / ridge`, so that `B_ij = (X'KX)_ij / (1 - (X'KX)_jj)`.
///
/// Takes the square of the customers in memory and their cube in time, and for each item one pass over
/// all entries.
pub(super) fn ease_by_customers(
    counts: &Counts,
    ridge: f64,
    n: usize,
    kept: usize,
    checkpoint: Checkpoint,
) -> Counts {
    let (c, items) = (counts.rows(), counts.transposed(n));
    let mut a = gram(&items, true, c, checkpoint);
    for u in 0..c {
        a[u * c + u] += ridge;
    }
    sweep(&mut a, c, checkpoint);
    // The lower triangle of -K becomes all of K.
    for u in 0..c {
        for v in 0..=u {
            let value = -a[u * c + v];
            (a[u * c + v], a[v * c + u]) = (value, value);
        }
    }
    let mut columns = Counts::new();
    for to in 0..n {
        let mut by_customer = vec![0.0; c];
        for (u, x) in items.row(to) {
            let row = &a[*u as usize * c..(*u as usize + 1) * c];
            by_customer.iter_mut().zip(row).for_each(|(s, k)| *s += f64::from(*x) * k);
        }
        let mut sums = vec![0.0; n];
        for (u, weight) in by_customer.iter().enumerate() {
            counts.row(u).iter().for_each(|(from, x)| sums[*from as usize] += f64::from(*x) * weight);
            if u % 256 == 0 {
                checkpoint();
            }
        }
        let rest = 1.0 - sums[to];
        sums[to] = 0.0;
        let mut column: Vec<(u32, f32)> =
            sums.iter().enumerate().map(|(from, s)| (from as u32, (s / rest) as f32)).collect();
        column.retain(|(_, w)| *w != 0.0);
        if column.len() > kept {
            column.select_nth_unstable_by(kept, |a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
            column.truncate(kept);
        }
        column.sort_unstable_by_key(|(from, _)| *from);
        columns.push(column);
    }
    columns.transposed(n)
}

/// The lower triangle of X'X.
fn gram(counts: &Counts, valued: bool, n: usize, checkpoint: Checkpoint) -> Vec<f64> {
    let mut a = vec![0.0; n * n];
    for customer in 0..counts.rows() {
        let row = counts.row(customer);
        for (at, (i, x)) in row.iter().enumerate() {
            for (j, y) in &row[..=at] {
                a[*i as usize * n + *j as usize] += if valued { f64::from(*x) * f64::from(*y) } else { 1.0 };
            }
        }
        if customer % 64 == 0 {
            checkpoint();
        }
    }
    a
}

/// The lower triangle of a positive definite matrix becomes that of minus its inverse (Goodnight 1979).
fn sweep(a: &mut [f64], n: usize, checkpoint: Checkpoint) {
    let mut column = vec![0.0; n];
    for k in 0..n {
        let pivot = a[k * n + k];
        for (i, entry) in column.iter_mut().enumerate() {
            *entry = if i >= k { a[i * n + k] } else { a[k * n + i] };
        }
        for (i, entry) in column.iter().enumerate() {
            if i == k {
                continue;
            }
            let factor = entry / pivot;
            if factor != 0.0 {
                let row = &mut a[i * n..i * n + i + 1];
                row.iter_mut().zip(&column).for_each(|(x, c)| *x -= factor * c);
            }
            if i % 256 == 0 {
                checkpoint();
            }
        }
        for (i, entry) in column.iter().enumerate() {
            let value = entry / pivot;
            if i >= k {
                a[i * n + k] = value;
            } else {
                a[k * n + i] = value;
            }
        }
        a[k * n + k] = -1.0 / pivot;
    }
}
