//! Records that belong together: the best pairs first, and no pair that would make a cluster too large or bring
//! two together that may not be.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Most pairs in one call.
const LIMIT: usize = 100_000_000;

/// A pair of records with what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// One record.
    pub a: i64,
    /// The other.
    pub b: i64,
    /// The higher, the sooner the two are put together.
    pub strength: f64,
}

/// Records with numbers from 0, in the order of their ids, and the clusters that they are in so far.
struct Forest {
    ids: Vec<i64>,
    parent: Vec<u32>,
    size: Vec<u32>,
    /// What may not come into the cluster of this root: clusters, by any of their records.
    apart: HashMap<u32, Vec<u32>, FixedState>,
}

impl Forest {
    fn new(pairs: &[Pair], apart: &[(i64, i64)]) -> Result<Self> {
        let mut ids: Vec<i64> = memory::with_capacity(2 * (pairs.len() + apart.len()))?;
        ids.extend(pairs.iter().flat_map(|pair| [pair.a, pair.b]));
        ids.extend(apart.iter().flat_map(|pair| [pair.0, pair.1]));
        ids.sort_unstable();
        ids.dedup();
        let count = ids.len() as u32;
        let mut parent: Vec<u32> = memory::with_capacity(ids.len())?;
        parent.extend(0..count);
        let size = memory::filled(1, ids.len())?;
        let mut forest = Forest { ids, parent, size, apart: HashMap::default() };
        memory::reserve(&mut forest.apart, 2 * apart.len())?;
        for (a, b) in apart {
            let (a, b) = (forest.number(*a), forest.number(*b));
            memory::push(forest.apart.entry(a).or_default(), b)?;
            memory::push(forest.apart.entry(b).or_default(), a)?;
        }
        Ok(forest)
    }

    fn number(&self, id: i64) -> u32 {
        self.ids.partition_point(|other| *other < id) as u32
    }

    fn root(&mut self, mut of: u32) -> u32 {
        while self.parent[of as usize] != of {
            self.parent[of as usize] = self.parent[self.parent[of as usize] as usize];
            of = self.parent[of as usize];
        }
        of
    }

    /// Whether a record that may not be with one of `a` is in `b`.
    fn are_apart(&mut self, a: u32, b: u32) -> bool {
        let Some(list) = self.apart.remove(&a) else { return false };
        let found = list.iter().any(|other| self.root(*other) == b);
        self.apart.insert(a, list);
        found
    }

    /// Puts two clusters together if they may be.
    fn join(&mut self, a: u32, b: u32, largest: u32) -> Result<()> {
        let (a, b) = (self.root(a), self.root(b));
        if a == b
            || self.size[a as usize].saturating_add(self.size[b as usize]) > largest
            || self.are_apart(a, b)
        {
            return Ok(());
        }
        // The smaller goes to the larger.
        let (under, over) = if self.size[a as usize] < self.size[b as usize] { (a, b) } else { (b, a) };
        self.parent[under as usize] = over;
        self.size[over as usize] += self.size[under as usize];
        if let Some(list) = self.apart.remove(&under) {
            memory::extend(self.apart.entry(over).or_default(), &list)?;
        }
        Ok(())
    }
}

/// The cluster of each record that is in a pair: the least id in it. `apart` are pairs of records that may not be in one,
/// `largest` the most records of one. The same whatever the order of the pairs.
///
/// # Errors
/// A strength that is no number, too many pairs, no memory.
pub fn clusters(
    mut pairs: Vec<Pair>,
    apart: &[(i64, i64)],
    largest: u32,
    checkpoint: Checkpoint,
) -> Result<Vec<(i64, i64)>> {
    if pairs.len().max(apart.len()) > LIMIT {
        return Err(Error::new(ErrorKind::LimitExceeded, "too many pairs of records")
            .detail(format!("At most {LIMIT} can be given in one call."))
            .hint("Take a higher threshold, or narrower blocking rules."));
    }
    if pairs.iter().any(|pair| pair.strength.is_nan()) {
        return Err(Error::invalid("strength of a pair must not be NaN"));
    }
    for pair in &mut pairs {
        (pair.a, pair.b) = (pair.a.min(pair.b), pair.a.max(pair.b));
    }
    checkpoint();
    pairs
        .sort_unstable_by(|x, y| y.strength.total_cmp(&x.strength).then_with(|| (x.a, x.b).cmp(&(y.a, y.b))));
    checkpoint();
    let mut forest = Forest::new(&pairs, apart)?;
    for (done, pair) in pairs.iter().enumerate() {
        if done % 1024 == 0 {
            checkpoint();
        }
        let (a, b) = (forest.number(pair.a), forest.number(pair.b));
        forest.join(a, b, largest)?;
    }
    checkpoint();
    let mut least: Vec<u32> = memory::filled(u32::MAX, forest.ids.len())?;
    let mut out: Vec<(i64, i64)> = memory::with_capacity(forest.ids.len())?;
    for record in 0..forest.ids.len() as u32 {
        let root = forest.root(record) as usize;
        least[root] = least[root].min(record);
        out.push((forest.ids[record as usize], forest.ids[least[root] as usize]));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pairs: &[(i64, i64, f64)], apart: &[(i64, i64)], largest: u32) -> Vec<(i64, i64)> {
        let pairs = pairs.iter().map(|(a, b, strength)| Pair { a: *a, b: *b, strength: *strength }).collect();
        clusters(pairs, apart, largest, &mut || {}).unwrap()
    }

    #[test]
    fn the_best_pairs_first() {
        let chain = [(1, 2, 0.9), (2, 3, 0.8), (3, 4, 0.99), (9, 9, 1.0)];
        assert_eq!(of(&chain, &[], 100), [(1, 1), (2, 1), (3, 1), (4, 1), (9, 9)]);
        assert_eq!(of(&chain, &[(1, 4)], 100), [(1, 1), (2, 1), (3, 3), (4, 3), (9, 9)]);
        assert_eq!(of(&chain, &[], 2), [(1, 1), (2, 1), (3, 3), (4, 3), (9, 9)]);
        assert_eq!(of(&[], &[], 2), []);
        assert!(clusters(vec![Pair { a: 1, b: 2, strength: f64::NAN }], &[], 9, &mut || {}).is_err());
    }

    proptest! {
        /// Without limits these are the connected components, which a plain search finds too; with limits, they hold.
        #[test]
        fn components_and_guards(
            pairs in proptest::collection::vec((0..25_i64, 0..25_i64, 0..5_u8), 0..40),
            apart in proptest::collection::vec((0..25_i64, 0..25_i64), 0..10), largest in 1..6_u32, seed: u64
        ) {
            let weighted: Vec<(i64, i64, f64)> = pairs.iter().map(|(a, b, w)| (*a, *b, f64::from(*w))).collect();
            let all = of(&weighted, &[], u32::MAX);
            for (record, cluster) in &all {
                let mut reached = vec![*record];
                let mut at = 0;
                while at < reached.len() {
                    for (a, b, _) in &weighted {
                        for (from, to) in [(a, b), (b, a)] {
                            if *from == reached[at] && !reached.contains(to) {
                                reached.push(*to);
                            }
                        }
                    }
                    at += 1;
                }
                prop_assert_eq!(Some(cluster), reached.iter().min());
            }
            let apart: Vec<(i64, i64)> = apart.into_iter().filter(|(a, b)| a != b).collect();
            let guarded = of(&weighted, &apart, largest);
            let cluster = |record: i64| guarded.iter().find(|pair| pair.0 == record).unwrap().1;
            for (a, b) in &apart {
                prop_assert_ne!(cluster(*a), cluster(*b));
            }
            for (_, one) in &guarded {
                prop_assert!(guarded.iter().filter(|pair| pair.1 == *one).count() <= largest as usize);
            }
            let mut shuffled = weighted.clone();
            shuffled.sort_by_key(|(a, b, _)| crate::base::hash::mix(seed ^ (a * 31 + b) as u64));
            let flipped: Vec<_> = shuffled.iter().map(|(a, b, w)| (*b, *a, *w)).collect();
            prop_assert_eq!(of(&flipped, &apart, largest), guarded);
        }
    }
}
