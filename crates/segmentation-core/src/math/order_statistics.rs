//! Order statistics of millions of values, without one long uninterruptible sort.
//!
//! Values are sorted in runs of about a million. A rank, or the value at which a
//! running total passes a limit, is then found by bisection over the value space:
//! each step counts in every run by binary search. The result is that of a full
//! sort, and the host is asked between runs whether to go on.

use crate::Checkpoint;
use crate::base::error::Result;
use crate::base::memory;

/// Values sorted together: some 40 ms of work between two checkpoints.
const RUN: usize = 1 << 20;

/// A number that sorts as an unsigned integer.
pub trait Key: Copy {
    /// To an integer of the same order.
    fn to_key(self) -> u64;
    /// Back from it.
    fn from_key(key: u64) -> Self;
}

impl Key for i64 {
    fn to_key(self) -> u64 {
        self as u64 ^ (1 << 63)
    }

    fn from_key(key: u64) -> Self {
        (key ^ (1 << 63)) as i64
    }
}

/// Finite doubles; minus zero is taken as zero.
impl Key for f64 {
    fn to_key(self) -> u64 {
        let bits = (self + 0.0).to_bits();
        if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
    }

    fn from_key(key: u64) -> Self {
        f64::from_bits(if key >> 63 == 1 { key ^ (1 << 63) } else { !key })
    }
}

/// Values in sorted runs.
pub struct SortedRuns<T> {
    keys: Vec<u64>,
    of: std::marker::PhantomData<T>,
}

impl<T: Key> SortedRuns<T> {
    /// Sorts `values`.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
    pub fn new(values: &[T], checkpoint: Checkpoint) -> Result<Self> {
        let mut keys: Vec<u64> = memory::with_capacity(values.len())?;
        for run in values.chunks(RUN) {
            checkpoint();
            let start = keys.len();
            keys.extend(run.iter().map(|v| v.to_key()));
            keys[start..].sort_unstable();
        }
        Ok(SortedRuns { keys, of: std::marker::PhantomData })
    }

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The runs, each sorted, as keys.
    pub fn runs(&self) -> impl Iterator<Item = &[u64]> {
        self.keys.chunks(RUN)
    }

    fn count_up_to(&self, key: u64) -> usize {
        self.runs().map(|run| run.partition_point(|k| *k <= key)).sum()
    }

    /// The value at `rank`, 0 being the smallest; `None` past the end.
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<T> {
        (rank < self.len()).then(|| T::from_key(smallest_key(|key| self.count_up_to(key) > rank)))
    }

    /// The smallest value not below `value`.
    #[must_use]
    pub fn first_from(&self, value: T) -> Option<T> {
        let key = value.to_key();
        self.runs()
            .filter_map(|run| run.get(run.partition_point(|k| *k < key)).copied())
            .min()
            .map(T::from_key)
    }

    /// How many values are greater.
    #[must_use]
    pub fn count_above(&self, value: T) -> usize {
        self.len() - self.count_up_to(value.to_key())
    }
}

/// Sorts as `sort_unstable_by_key` does, asking between runs whether to go on.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`](crate::ErrorKind::OutOfMemory).
pub fn sort_by_key<T: Copy, K: Ord>(
    values: &mut Vec<T>,
    key: impl Fn(&T) -> K,
    checkpoint: Checkpoint,
) -> Result<()> {
    for run in values.chunks_mut(RUN) {
        checkpoint();
        run.sort_unstable_by_key(&key);
    }
    let mut length = RUN;
    let mut merged = Vec::new();
    while length < values.len() {
        merged.clear();
        memory::reserve_exact(&mut merged, values.len())?;
        for pair in values.chunks(2 * length) {
            let (mut one, mut other) = pair.split_at(length.min(pair.len()));
            while let (Some(a), Some(b)) = (one.first(), other.first()) {
                let from = if key(b) < key(a) { &mut other } else { &mut one };
                merged.push(from[0]);
                *from = &from[1..];
                if merged.len().is_multiple_of(RUN) {
                    checkpoint();
                }
            }
            merged.extend_from_slice(one);
            merged.extend_from_slice(other);
        }
        std::mem::swap(values, &mut merged);
        length *= 2;
    }
    Ok(())
}

/// The smallest key for which `enough` holds, given that it holds for all above it.
pub(crate) fn smallest_key(enough: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0_u64, u64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// The `k / parts` quantiles for k = 1 .. parts - 1, by linear interpolation
/// between order statistics (type 7 of Hyndman and Fan 1996, "Sample quantiles in
/// statistical packages"; the default of R and NumPy).
///
/// `None` without values. The position is computed in integers, so that a
/// quantile that falls on a value is that value.
#[must_use]
pub fn quantiles(runs: &SortedRuns<f64>, parts: usize) -> Option<Vec<f64>> {
    let last = runs.len().checked_sub(1)?;
    (1..parts)
        .map(|k| {
            let position = last * k;
            let (rank, rest) = (position / parts, position % parts);
            let low = runs.at(rank)?;
            if rest == 0 {
                return Some(low);
            }
            let high = runs.at(rank + 1)?;
            let fraction = rest as f64 / parts as f64;
            let between = low + (high - low) * fraction;
            // The difference of two huge values of opposite sign may not be finite.
            Some(if between.is_finite() {
                between.min(high)
            } else {
                low * (1.0 - fraction) + high * fraction
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ranks_are_those_of_a_sort(values in proptest::collection::vec(-1e6..1e6_f64, 1..200)) {
            let runs = SortedRuns::new(&values, &mut || {}).unwrap();
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for (rank, value) in sorted.iter().enumerate() {
                prop_assert_eq!(runs.at(rank), Some(*value));
            }
            prop_assert_eq!(runs.at(values.len()), None);
            prop_assert_eq!(runs.first_from(0.0), sorted.iter().copied().find(|v| *v >= 0.0));
            prop_assert_eq!(runs.count_above(0.0), sorted.iter().filter(|v| **v > 0.0).count());
        }

        #[test]
        fn keys_keep_the_order(a: i64, b: i64, x in -1e300..1e300_f64, y in -1e300..1e300_f64) {
            prop_assert_eq!(a.cmp(&b), a.to_key().cmp(&b.to_key()));
            prop_assert_eq!(i64::from_key(a.to_key()), a);
            prop_assert_eq!(x < y, x.to_key() < y.to_key());
            prop_assert_eq!(f64::from_key(x.to_key()), x);
        }
    }

    #[test]
    fn many_runs() {
        // 2.5 runs; a full period of a generator modulo a prime above them visits each value once.
        let n = RUN * 5 / 2;
        let mut values: Vec<i64> =
            (0..n as u64).map(|i| (i.wrapping_mul(2_654_435_761) % 4_294_967_291) as i64).collect();
        let runs = SortedRuns::new(&values, &mut || {}).unwrap();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        for rank in [0, 1, n / 5, n / 2, n - 1] {
            assert_eq!(runs.at(rank), Some(sorted[rank]));
        }
        sort_by_key(&mut values, |v| *v, &mut || {}).unwrap();
        assert!(values == sorted);
    }

    #[test]
    fn type_7() {
        // R: quantile(c(1, 2, 4, 8), (1:4) / 5) = 1.6 2.4 3.6 (interpolated), 5.6
        let runs = SortedRuns::new(&[8.0, 1.0, 4.0, 2.0], &mut || {}).unwrap();
        let expected = [1.6, 2.4, 3.6, 5.6];
        for (q, e) in quantiles(&runs, 5).unwrap().iter().zip(expected) {
            assert!((q - e).abs() < 1e-12, "{q} {e}");
        }
        assert_eq!(quantiles(&SortedRuns::new(&[], &mut || {}).unwrap(), 5), None);
        assert_eq!(quantiles(&SortedRuns::new(&[3.0], &mut || {}).unwrap(), 5), Some(vec![3.0; 4]));
    }
}
