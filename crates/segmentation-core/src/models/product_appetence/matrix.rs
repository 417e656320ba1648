//! Sparse matrices of customers by items, and the nearest items of each item in them.

use crate::Checkpoint;

/// A sparse matrix by rows; columns ascend within a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Where each row begins, and where the last ends.
    pub from: Vec<usize>,
    /// Column and value of each entry.
    pub entries: Vec<(u32, f32)>,
}

impl Default for Counts {
    fn default() -> Self {
        Self::new()
    }
}

impl Counts {
    /// No rows yet.
    #[must_use]
    pub fn new() -> Self {
        Self { from: vec![0], entries: Vec::new() }
    }

    /// Appends a row.
    pub fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        self.entries.extend(row);
        self.from.push(self.entries.len());
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.from.len() - 1
    }

    /// One row.
    #[inline]
    #[must_use]
    pub fn row(&self, at: usize) -> &[(u32, f32)] {
        &self.entries[self.from[at]..self.from[at + 1]]
    }

    /// Columns as rows.
    #[must_use]
    pub fn transposed(&self, columns: usize) -> Self {
        let mut from = vec![0; columns + 1];
        for (column, _) in &self.entries {
            from[*column as usize + 1] += 1;
        }
        for column in 0..columns {
            from[column + 1] += from[column];
        }
        let mut next = from.clone();
        let mut entries = vec![(0, 0.0); self.entries.len()];
        for row in 0..self.rows() {
            for (column, value) in self.row(row) {
                entries[next[*column as usize]] = (row as u32, *value);
                next[*column as usize] += 1;
            }
        }
        Self { from, entries }
    }
}

/// How items are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Neighbours {
    /// Cosine of bought or not: sum over customers, each item at length 1.
    Cosine,
    /// BM25 weights of the purchase days, K1 = 1.2, B = 0.75, customers as terms, items as documents.
    Bm25,
}

/// The entries with their weights under a measure, in double precision.
fn weighted(counts: &Counts, items: usize, how: Neighbours) -> Vec<f64> {
    let customers = counts.rows();
    match how {
        Neighbours::Cosine => {
            let mut buyers = vec![0_u32; items];
            counts.entries.iter().for_each(|(item, _)| buyers[*item as usize] += 1);
            counts.entries.iter().map(|(item, _)| 1.0 / f64::from(buyers[*item as usize]).sqrt()).collect()
        }
        Neighbours::Bm25 => {
            let (k1, b) = (1.2, 0.75);
            let mut lengths = vec![0.0; items];
            counts.entries.iter().for_each(|(item, n)| lengths[*item as usize] += f64::from(*n));
            let average = lengths.iter().sum::<f64>() / items.max(1) as f64;
            let mut out = Vec::with_capacity(counts.entries.len());
            for customer in 0..customers {
                let row = counts.row(customer);
                let idf = (items as f64).ln() - (row.len() as f64).ln_1p();
                for (item, n) in row {
                    let norm = 1.0 - b + b * lengths[*item as usize] / average;
                    let n = f64::from(*n);
                    out.push(n * (k1 + 1.0) / (k1 * norm + n) * idf);
                }
            }
            out
        }
    }
}

/// The `k` nearest items of each item, itself left out; ties go to the smaller item.
///
/// One pass over the customers of each item; a dense row of sums is the only other memory.
pub fn nearest(counts: &Counts, items: usize, k: usize, how: Neighbours, checkpoint: Checkpoint) -> Counts {
    let weights = weighted(counts, items, how);
    let mut by_item: Vec<Vec<(u32, f64)>> = vec![Vec::new(); items];
    for customer in 0..counts.rows() {
        let at = counts.from[customer];
        for (place, (item, _)) in counts.row(customer).iter().enumerate() {
            by_item[*item as usize].push((customer as u32, weights[at + place]));
        }
    }
    let mut out = Counts::new();
    let mut sums = vec![0.0_f64; items];
    let mut touched: Vec<u32> = Vec::new();
    let mut since = 0;
    for (item, customers) in by_item.iter().enumerate() {
        for (customer, weight) in customers {
            let at = counts.from[*customer as usize];
            let row = counts.row(*customer as usize);
            for (place, (other, _)) in row.iter().enumerate() {
                let sum = &mut sums[*other as usize];
                if *sum == 0.0 {
                    touched.push(*other);
                }
                *sum += weight * weights[at + place];
            }
            since += row.len();
            if since > 1 << 16 {
                since = 0;
                checkpoint();
            }
        }
        let mut found: Vec<(u32, f64)> = touched
            .iter()
            .map(|other| (*other, sums[*other as usize]))
            .filter(|(other, sum)| *other as usize != item && *sum > 0.0)
            .collect();
        touched.drain(..).for_each(|other| sums[other as usize] = 0.0);
        // An item may be touched twice if a sum came back to zero in between.
        found.sort_unstable_by_key(|(other, _)| *other);
        found.dedup_by_key(|(other, _)| *other);
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        found.truncate(k);
        found.sort_unstable_by_key(|(other, _)| *other);
        out.push(found.into_iter().map(|(other, sum)| (other, sum as f32)));
        checkpoint();
    }
    out
}
