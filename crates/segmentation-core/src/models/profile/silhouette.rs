//! How well clusters are apart.

use ndarray::ArrayView1;

use super::data::{BLOCK, Data};
use super::lloyd::distances;
use crate::Checkpoint;

/// Rows for which it is computed at most: its cost goes with their square.
pub(super) const SILHOUETTE_ROWS: usize = 2000;

/// Rousseeuw's silhouette (1987) of the first `rows` rows: its mean over all customers they stand
/// for, and over those of each cluster. Customers alone in their cluster have 0. `None` with fewer
/// than two clusters among them.
pub(super) fn silhouette(
    data: &Data,
    rows: usize,
    labels: &[u32],
    k: usize,
    checkpoint: Checkpoint,
) -> Option<(f64, Vec<Option<f64>>)> {
    let mut sizes = vec![0.0; k];
    for i in 0..rows {
        sizes[labels[i] as usize] += data.weights[i];
    }
    if sizes.iter().filter(|s| **s > 0.0).count() < 2 {
        return None;
    }
    let mut of_cluster = vec![0.0; k];
    for i in 0..rows {
        checkpoint();
        let point = data.row(i).to_owned();
        let sums = distance_sums(data, rows, (point.view(), data.codes_of(i)), labels, k);
        let own = labels[i] as usize;
        if sizes[own] <= 1.0 {
            continue;
        }
        let a = sums[own] / (sizes[own] - 1.0);
        let b = (0..k)
            .filter(|c| *c != own && sizes[*c] > 0.0)
            .map(|c| sums[c] / sizes[c])
            .fold(f64::INFINITY, f64::min);
        let largest = a.max(b);
        of_cluster[own] += data.weights[i] * if largest > 0.0 { (b - a) / largest } else { 0.0 };
    }
    let mean = of_cluster.iter().sum::<f64>() / sizes.iter().sum::<f64>();
    let each = of_cluster.iter().zip(&sizes).map(|(s, n)| (*n > 0.0).then(|| s / n)).collect();
    Some((mean, each))
}

/// The sums of the distances from one point to the members of each cluster.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2"))]
fn distance_sums(
    data: &Data,
    rows: usize,
    point: (ArrayView1<f64>, ArrayView1<u32>),
    labels: &[u32],
    k: usize,
) -> Vec<f64> {
    let mut sums = vec![0.0; k];
    let mut distance = [0.0_f64; BLOCK];
    for b in 0..Data::blocks(rows) {
        distances(data, b, point.0, point.1, &mut distance);
        distance.iter_mut().for_each(|d| *d = d.sqrt());
        let first = b * BLOCK;
        for (i, d) in (first..rows).zip(&distance) {
            sums[labels[i] as usize] += data.weights[i] * d;
        }
    }
    sums
}
