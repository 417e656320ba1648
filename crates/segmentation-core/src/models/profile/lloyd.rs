//! k-means and k-prototypes: Lloyd's iterations from greedy k-means++ starts.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, s};

use super::Random;
use super::data::{BLOCK, Data};
use crate::Checkpoint;

/// Blocks between two checkpoints.
const STRIDE: usize = 256;

/// Centres, and who belongs to which.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    /// A row each: the numeric features in use.
    pub(super) centres: Array2<f64>,
    /// A row each: the categorical features in use.
    pub(super) modes: Array2<u32>,
    /// Of every row, those that fill up included.
    pub(super) labels: Vec<u32>,
    /// The sum of squared distances, and of the cost of categories that differ.
    pub(super) inertia: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
    pub(super) k: usize,
}

/// Squared distances of the rows of a block to one centre.
#[inline(always)]
pub(super) fn distances(
    data: &Data,
    b: usize,
    centre: ArrayView1<f64>,
    modes: ArrayView1<u32>,
    out: &mut [f64; BLOCK],
) {
    *out = [0.0; BLOCK];
    for (values, c) in data.block(b).iter().zip(centre) {
        for i in 0..BLOCK {
            let d = values[i] - c;
            out[i] += d * d;
        }
    }
    if !modes.is_empty() {
        let modes = modes.as_slice().unwrap_or_default();
        for (i, out) in out.iter_mut().enumerate() {
            let differ = data.codes_of(b * BLOCK + i).iter().zip(modes).filter(|(a, b)| a != b).count();
            *out += data.gamma * differ as f64;
        }
    }
}

/// Rows whose distances are computed together: their sums stay in registers.
const TILE: usize = 16;

/// The nearest of the centres for each row of a block of numbers, and its squared distance.
///
/// Compiled for several generations of processors; the widest that runs is taken. None of them
/// fuses multiplication and addition, so all of them give the same bits.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512vl+avx512dq", "x86_64+avx2"))]
fn nearest(
    columns: &[[f64; BLOCK]],
    centres: ArrayView2<f64>,
    best: &mut [f64; BLOCK],
    label: &mut [u64; BLOCK],
) {
    for from in (0..BLOCK).step_by(TILE) {
        let mut nearest = [f64::INFINITY; TILE];
        let mut which = [0_u64; TILE];
        for (c, centre) in (0..).zip(centres.rows()) {
            let mut square = [0.0; TILE];
            for (column, at) in columns.iter().zip(centre.to_slice().unwrap_or_default()) {
                for i in 0..TILE {
                    let d = column[from + i] - at;
                    square[i] += d * d;
                }
            }
            for i in 0..TILE {
                let nearer = square[i] < nearest[i];
                nearest[i] = if nearer { square[i] } else { nearest[i] };
                which[i] = if nearer { c } else { which[i] };
            }
        }
        best[from..from + TILE].copy_from_slice(&nearest);
        label[from..from + TILE].copy_from_slice(&which);
    }
}

/// What one pass over the rows adds up, by cluster.
struct Totals {
    /// Weighted sums of the numeric features.
    sums: Array2<f64>,
    /// Weights.
    sizes: Array1<f64>,
    /// Weights by category of the categorical features.
    tallies: Array2<f64>,
    /// Whether a row has changed its cluster.
    changed: bool,
}

impl Clusters {
    /// The nearest centre of each row of a block, and its cost.
    fn nearest_of(&self, data: &Data, b: usize, best: &mut [f64; BLOCK], label: &mut [u64; BLOCK]) {
        if self.modes.is_empty() {
            return nearest(data.block(b), self.centres.view(), best, label);
        }
        *best = [f64::INFINITY; BLOCK];
        let mut distance = [0.0; BLOCK];
        for c in 0..self.k {
            distances(data, b, self.centres.row(c), self.modes.row(c), &mut distance);
            for i in 0..BLOCK {
                if distance[i] < best[i] {
                    (best[i], label[i]) = (distance[i], c as u64);
                }
            }
        }
    }

    /// The nearest centre of every row, and its squared distance; the inertia.
    pub(super) fn assign(
        &mut self,
        data: &Data,
        rows: usize,
        mut each: impl FnMut(usize, f64),
        checkpoint: Checkpoint,
    ) {
        self.labels.resize(Data::blocks(rows) * BLOCK, 0);
        let mut inertia = 0.0;
        let (mut best, mut label) = ([0.0; BLOCK], [0; BLOCK]);
        for b in 0..Data::blocks(rows) {
            if b % STRIDE == 0 {
                checkpoint();
            }
            self.nearest_of(data, b, &mut best, &mut label);
            let first = b * BLOCK;
            for i in 0..BLOCK {
                self.labels[first + i] = label[i] as u32;
                inertia += data.weights[first + i] * best[i];
            }
            for (i, best) in best.iter().enumerate().take(rows.saturating_sub(first)) {
                each(first + i, *best);
            }
        }
        self.inertia = inertia;
    }

    /// Assigns every row to its nearest centre and adds up the clusters, in one pass.
    fn pass(&mut self, data: &Data, rows: usize, checkpoint: Checkpoint) -> Totals {
        let (k, width, all) = (self.k, data.width, data.levels.iter().sum::<usize>());
        let padded = Data::blocks(rows) * BLOCK;
        let mut totals = Totals {
            sums: Array2::zeros((k, width)),
            sizes: Array1::zeros(k),
            tallies: Array2::zeros((k, all)),
            changed: self.labels.len() != padded,
        };
        self.labels.resize(padded, 0);
        let (mut best, mut label) = ([0.0; BLOCK], [0; BLOCK]);
        for b in 0..Data::blocks(rows) {
            if b % STRIDE == 0 {
                checkpoint();
            }
            self.nearest_of(data, b, &mut best, &mut label);
            let first = b * BLOCK;
            let labels = &mut self.labels[first..first + BLOCK];
            let mut changed = 0;
            for (old, new) in labels.iter_mut().zip(&label) {
                changed |= *old ^ *new as u32;
                *old = *new as u32;
            }
            totals.changed |= changed != 0;
            let block = data.block(b);
            for (i, (l, w)) in label.iter().zip(&data.weights[first..first + BLOCK]).enumerate() {
                let l = *l as usize;
                totals.sizes[l] += w;
                let sums = totals.sums.row_mut(l).into_slice().unwrap_or_default();
                for (sum, column) in sums.iter_mut().zip(block) {
                    *sum += w * column[i];
                }
            }
            if all > 0 {
                for i in first..(first + BLOCK).min(rows) {
                    let mut tallies = totals.tallies.row_mut(label[i - first] as usize);
                    let mut at = 0;
                    for (code, levels) in data.codes_of(i).iter().zip(&data.levels) {
                        tallies[at + *code as usize] += data.weights[i];
                        at += levels;
                    }
                }
            }
        }
        totals
    }

    /// Means and modes of the clusters; how far the centres moved, squared. Empty clusters get
    /// the rows that are farthest from their own centre.
    fn update(&mut self, data: &Data, totals: &Totals, far: &[(f64, usize)]) -> f64 {
        let (k, width) = (self.k, data.width);
        let Totals { sums, sizes, tallies, .. } = totals;
        let offsets: Vec<usize> = data
            .levels
            .iter()
            .scan(0, |at, levels| {
                *at += levels;
                Some(*at - levels)
            })
            .collect();
        let mut moved = 0.0;
        let mut far = far.iter();
        for c in 0..k {
            let refill = if sizes[c] == 0.0 { far.next() } else { None };
            for j in 0..width {
                let new = match refill {
                    Some((_, row)) => data.row(*row)[j],
                    None if sizes[c] > 0.0 => sums[(c, j)] / sizes[c],
                    None => self.centres[(c, j)],
                };
                moved += (new - self.centres[(c, j)]).powi(2);
                self.centres[(c, j)] = new;
            }
            for (j, offset) in offsets.iter().enumerate() {
                let new = match refill {
                    Some((_, row)) => data.codes_of(*row)[j],
                    None => {
                        let tally = tallies.slice(s![c, *offset..offset + data.levels[j]]);
                        let old = self.modes[(c, j)];
                        // The first of the most frequent; an old mode stays if it is one of them.
                        let most = tally.iter().copied().fold(0.0, f64::max);
                        if tally[old as usize] == most {
                            old
                        } else {
                            tally.iter().position(|t| *t == most).map_or(old, |p| p as u32)
                        }
                    }
                };
                if new != self.modes[(c, j)] {
                    moved += data.gamma;
                }
                self.modes[(c, j)] = new;
            }
        }
        moved
    }

    /// The rows farthest from their centres, one for each cluster that nobody belongs to.
    fn refills(
        &mut self,
        data: &Data,
        rows: usize,
        totals: &Totals,
        checkpoint: Checkpoint,
    ) -> Vec<(f64, usize)> {
        if totals.sizes.iter().all(|size| *size > 0.0) {
            return Vec::new();
        }
        // Customers without weight, the other half of a test of stability, are members too.
        let mut used = vec![false; self.k];
        self.labels[..rows].iter().for_each(|l| used[*l as usize] = true);
        let empty = used.iter().filter(|u| !**u).count();
        let mut far: Vec<(f64, usize)> = Vec::new();
        if empty > 0 {
            self.assign(
                data,
                rows,
                |i, d| {
                    if far.len() < empty || far.last().is_some_and(|f| d > f.0) {
                        let at = far.partition_point(|f| f.0 >= d);
                        far.insert(at, (d, i));
                        far.truncate(empty);
                    }
                },
                checkpoint,
            );
        }
        far
    }

    /// Lloyd's iterations until the centres move less than `tolerance`, squared.
    pub(super) fn refine(
        mut self,
        data: &Data,
        rows: usize,
        max_iterations: usize,
        tolerance: f64,
        checkpoint: Checkpoint,
    ) -> Self {
        self.converged = false;
        for iteration in 1..=max_iterations {
            self.iterations = iteration;
            let totals = self.pass(data, rows, checkpoint);
            let far = self.refills(data, rows, &totals, checkpoint);
            let moved = self.update(data, &totals, &far);
            if far.is_empty() && (!totals.changed || moved <= tolerance) {
                self.converged = true;
                break;
            }
        }
        // Who belongs to which of the last centres.
        self.assign(data, rows, |_, _| {}, checkpoint);
        self
    }

    /// Starting centres in the units of the fit.
    pub(super) fn from_centres(centres: Array2<f64>, modes: Array2<u32>) -> Self {
        let k = centres.nrows();
        Self { centres, modes, labels: Vec::new(), inertia: 0.0, iterations: 0, converged: false, k }
    }

    /// Greedy k-means++: each next centre is the best of 2 + ln k rows drawn in proportion to
    /// their cost so far (the number that scikit-learn tries).
    pub(super) fn start(
        data: &Data,
        rows: usize,
        k: usize,
        random: &mut Random,
        checkpoint: Checkpoint,
    ) -> Self {
        let blocks = Data::blocks(rows);
        let weight = |i: usize| data.weights[i];
        let mut cost: Vec<f64> = vec![f64::INFINITY; blocks * BLOCK];
        let mut clusters =
            Self::from_centres(Array2::zeros((k, data.width)), Array2::zeros((k, data.levels.len())));
        let trials = 2 + (k as f64).ln() as usize;
        let draw = |cost: &[f64], random: &mut Random| -> usize {
            let share = |i: usize| {
                let c = cost[i];
                weight(i) * if c.is_finite() { c } else { 1.0 }
            };
            let total: f64 = (0..rows).map(share).sum();
            let mut left = random.uniform() * total;
            let mut last = 0;
            for i in 0..rows {
                let s = share(i);
                if s > 0.0 {
                    last = i;
                    left -= s;
                    if left < 0.0 {
                        break;
                    }
                }
            }
            last
        };
        for c in 0..k {
            let mut best: Option<(f64, usize, Vec<f64>)> = None;
            for _ in 0..if c == 0 { 1 } else { trials } {
                checkpoint();
                let row = draw(&cost, random);
                let centre = data.row(row);
                let mut new = cost.clone();
                let mut total = 0.0;
                let mut distance = [0.0; BLOCK];
                for b in 0..blocks {
                    if b % STRIDE == 0 {
                        checkpoint();
                    }
                    distances(data, b, centre, data.codes_of(row), &mut distance);
                    for (i, distance) in distance.iter().enumerate() {
                        let at = b * BLOCK + i;
                        new[at] = new[at].min(*distance);
                        total += if at < rows { data.weights[at] * new[at] } else { 0.0 };
                    }
                }
                if best.as_ref().is_none_or(|b| total < b.0) {
                    best = Some((total, row, new));
                }
            }
            if let Some((_, row, new)) = best {
                clusters.centres.row_mut(c).assign(&data.row(row));
                clusters.modes.row_mut(c).assign(&data.codes_of(row));
                cost = new;
            }
        }
        clusters
    }
}
