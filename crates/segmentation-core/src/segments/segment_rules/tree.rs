//! The tree: binary splits by Gini's impurity, of numbers, of sets of categories, of missing values.

use super::SegmentRulesOptions;
use super::rows::{Kind, SegmentRows};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Rows looked at between two checkpoints.
const STRIDE: usize = 1 << 16;
/// Customers that are counted at most: squares of counts must fit.
const MOST_CUSTOMERS: u64 = u32::MAX as u64;

/// What a split asks of a feature that is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    /// Below a number goes left.
    Below(f64),
    /// One of these categories goes left.
    OneOf(Vec<bool>),
    /// Whatever is there goes left, what is missing right.
    Present,
}

/// A part of the tree.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Leaf(Leaf),
    Split {
        column: usize,
        test: Test,
        /// Whether missing values go left; `None` if the fit saw none here.
        missing_left: Option<bool>,
        children: Box<[Node; 2]>,
    },
}

/// Customers who are told apart no further.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// The commonest segment here.
    pub(super) class: usize,
    /// Whether it is common enough for a rule.
    pub(super) pure: bool,
    /// Customers by segment.
    pub(super) counts: Vec<u64>,
}

impl Leaf {
    pub(super) fn customers(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// A tree, with the segments in its order: the commonest first.
#[derive(Debug, Clone)]
pub(super) struct Tree {
    pub(super) root: Node,
    pub(super) classes: Vec<String>,
    pub(super) counts: Vec<u64>,
}

#[cfg(test)]
impl Tree {
    /// The segment that the tree itself gives to a row; `None` where it has seen nothing like it.
    pub(super) fn predict(&self, rows: &SegmentRows, row: usize) -> &str {
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return &self.classes[if leaf.pure { leaf.class } else { 0 }],
                Node::Split { column, test, missing_left, children } => {
                    let value = rows.columns[*column].values[row];
                    let left = goes_left(test, *missing_left, value);
                    node = &children[usize::from(!left)];
                }
            }
        }
    }
}

fn goes_left(test: &Test, missing_left: Option<bool>, value: f64) -> bool {
    if value.is_nan() {
        return missing_left == Some(true);
    }
    match test {
        Test::Below(limit) => value < *limit,
        Test::OneOf(codes) => codes[value as usize],
        Test::Present => true,
    }
}

/// Customers by segment, with what Gini's impurity needs of them.
#[derive(Clone)]
struct Counts {
    of: Vec<u64>,
    customers: u64,
    squares: u64,
}

impl Counts {
    fn none(classes: usize) -> Self {
        Self { of: vec![0; classes], customers: 0, squares: 0 }
    }

    fn add(&mut self, class: usize, n: u64) {
        let before = self.of[class];
        self.squares += n * (2 * before + n);
        self.of[class] = before + n;
        self.customers += n;
    }

    fn less(&mut self, other: &Self) {
        for (own, other) in self.of.iter_mut().zip(&other.of) {
            *own -= other;
        }
        self.customers -= other.customers;
        self.squares = self.of.iter().map(|n| n * n).sum();
    }

    /// Sum of squares over customers: high where one segment reigns.
    fn purity(&self) -> f64 {
        self.squares as f64 / self.customers as f64
    }

    fn class(&self) -> usize {
        let most = self.of.iter().max().copied().unwrap_or(0);
        self.of.iter().position(|n| *n == most).unwrap_or(0)
    }
}

/// The best split so far.
struct Best {
    score: f64,
    column: usize,
    test: Test,
    /// The values on both sides of the limit of a [`Test::Below`].
    gap: (f64, f64),
    missing_left: Option<bool>,
}

/// Two parts that what is there is divided into, and what is missing beside them.
struct Parts {
    left: Counts,
    right: Counts,
    missing: Counts,
    /// Sums of products of counts: left by missing, right by missing.
    crossed: (u64, u64),
}

impl Parts {
    fn new(node: &Counts, present: &Counts) -> Self {
        let mut missing = node.clone();
        missing.less(present);
        let right = present.clone();
        let crossed = right.of.iter().zip(&missing.of).map(|(a, b)| a * b).sum();
        Self { left: Counts::none(node.of.len()), right, missing, crossed: (0, crossed) }
    }

    /// Takes customers from right to left.
    fn shift(&mut self, class: usize, n: u64) {
        self.left.add(class, n);
        let right = &mut self.right;
        right.squares -= n * (2 * right.of[class] - n);
        right.of[class] -= n;
        right.customers -= n;
        self.crossed.0 += n * self.missing.of[class];
        self.crossed.1 -= n * self.missing.of[class];
    }

    /// The better way to place what is missing: the score, and whether it goes left.
    fn score(&self, least: u64) -> Option<(f64, Option<bool>)> {
        let score = |left: u64, left_n: u64, right: u64, right_n: u64| {
            (left_n >= least && right_n >= least && left_n > 0 && right_n > 0)
                .then(|| left as f64 / left_n as f64 + right as f64 / right_n as f64)
        };
        let (l, r, m) = (&self.left, &self.right, &self.missing);
        if m.customers == 0 {
            return score(l.squares, l.customers, r.squares, r.customers).map(|s| (s, None));
        }
        let left = score(
            l.squares + 2 * self.crossed.0 + m.squares,
            l.customers + m.customers,
            r.squares,
            r.customers,
        );
        let right = score(
            l.squares,
            l.customers,
            r.squares + 2 * self.crossed.1 + m.squares,
            r.customers + m.customers,
        );
        match (left, right) {
            (Some(left), Some(right)) if left > right => Some((left, Some(true))),
            (_, Some(right)) => Some((right, Some(false))),
            (Some(left), None) => Some((left, Some(true))),
            (None, None) => None,
        }
    }
}

/// A tree while it grows.
struct Grower<'a> {
    rows: &'a SegmentRows,
    class: Vec<u32>,
    /// For each feature with an order the rows that have it, by value; those of a part of the tree lie together.
    order: Vec<Vec<u32>>,
    members: Vec<u32>,
    least: u64,
    options: &'a SegmentRulesOptions,
    room: Vec<u32>,
    left: Vec<bool>,
}

/// Where the rows of a part of the tree lie.
#[derive(Clone)]
struct Place {
    members: (usize, usize),
    order: Vec<(usize, usize)>,
}

/// Segments by how common they are, with their customers.
fn classes(rows: &SegmentRows) -> Result<(Vec<String>, Vec<u64>, Vec<u32>)> {
    let codes = &rows.segment.categories;
    let mut counts = vec![0_u64; codes.len()];
    for (value, count) in rows.segment.values.iter().zip(&rows.counts) {
        counts[*value as usize] += count;
    }
    let mut order: Vec<usize> = (0..codes.len()).filter(|c| counts[*c] > 0).collect();
    order.sort_unstable_by(|a, b| counts[*b].cmp(&counts[*a]).then_with(|| codes[*a].cmp(&codes[*b])));
    let mut place = vec![0_u32; codes.len()];
    order.iter().enumerate().for_each(|(at, c)| place[*c] = at as u32);
    let class = memory::collect(rows.segment.values.iter().map(|v| place[*v as usize]))?;
    Ok((order.iter().map(|c| codes[*c].clone()).collect(), order.iter().map(|c| counts[*c]).collect(), class))
}

/// Grows the tree of the rows, which are in their order; `None` if there are none.
pub(super) fn grow(
    rows: &SegmentRows,
    options: &SegmentRulesOptions,
    checkpoint: Checkpoint,
) -> Result<Option<Tree>> {
    if rows.counts.is_empty() {
        return Ok(None);
    }
    let customers: u64 = rows.counts.iter().fold(0, |sum, n| sum.saturating_add(*n));
    if customers > MOST_CUSTOMERS {
        return Err(Error::new(ErrorKind::LimitExceeded, "too many customers for rules")
            .detail(format!("There are {customers}; at most {MOST_CUSTOMERS} are counted.")));
    }
    let (names, counts, class) = classes(rows)?;
    let mut order = Vec::new();
    for column in &rows.columns {
        checkpoint();
        let mut present = Vec::new();
        if matches!(column.kind, Kind::Number | Kind::Flag) {
            let there = (0..rows.counts.len() as u32).filter(|row| !column.values[*row as usize].is_nan());
            present = memory::collect(there)?;
            // At most a million: a tenth of a second.
            let compare = |a: &u32, b: &u32| {
                column.values[*a as usize].total_cmp(&column.values[*b as usize]).then(a.cmp(b))
            };
            present.sort_unstable_by(compare);
        }
        order.push(present);
    }
    let place = Place {
        members: (0, rows.counts.len()),
        order: order.iter().map(|present| (0, present.len())).collect(),
    };
    let mut grower = Grower {
        rows,
        class,
        order,
        members: memory::collect(0..rows.counts.len() as u32)?,
        least: options.least(customers),
        options,
        room: memory::with_capacity(rows.counts.len())?,
        left: memory::filled(false, rows.counts.len())?,
    };
    let mut root = grower.part(&place, names.len(), 0, checkpoint)?;
    join(&mut root);
    Ok(Some(Tree { root, classes: names, counts }))
}

impl Grower<'_> {
    fn part(&mut self, place: &Place, classes: usize, depth: u32, checkpoint: Checkpoint) -> Result<Node> {
        let mut counts = Counts::none(classes);
        for rows in self.members[place.members.0..place.members.1].chunks(STRIDE) {
            checkpoint();
            for row in rows {
                counts.add(self.class[*row as usize] as usize, self.rows.counts[*row as usize]);
            }
        }
        let alone = counts.of.iter().filter(|n| **n > 0).count() < 2;
        let best = if alone || depth == self.options.max_depth || counts.customers < 2 * self.least {
            None
        } else {
            self.best(place, &counts, checkpoint)?
        };
        let Some(best) = best else {
            let class = counts.class();
            let pure = counts.of[class] as f64 >= self.options.min_purity * counts.customers as f64;
            return Ok(Node::Leaf(Leaf { class, pure, counts: counts.of }));
        };
        let column = &self.rows.columns[best.column];
        let test = match best.test {
            Test::Below(_) => Test::Below(readable(best.gap, column.exact)),
            test => test,
        };
        let [left, right] = self.divide(place, best.column, &test, best.missing_left, checkpoint);
        let children = Box::new([
            self.part(&left, classes, depth + 1, checkpoint)?,
            self.part(&right, classes, depth + 1, checkpoint)?,
        ]);
        Ok(Node::Split { column: best.column, test, missing_left: best.missing_left, children })
    }

    /// The split after which the segments are purest; `None` if no split makes them purer.
    fn best(&self, place: &Place, node: &Counts, checkpoint: Checkpoint) -> Result<Option<Best>> {
        // What is left of rounding is no gain.
        let mut best: Option<Best> = None;
        let mut to_beat = node.purity() * (1.0 + 1e-12);
        for (at, column) in self.rows.columns.iter().enumerate() {
            checkpoint();
            let found = match column.kind {
                Kind::Unknown => None,
                Kind::Category => self.best_set(at, place, node, to_beat, checkpoint)?,
                Kind::Number | Kind::Flag => self.best_limit(at, place, node, to_beat, checkpoint),
            };
            if let Some(found) = found {
                to_beat = found.score;
                best = Some(found);
            }
        }
        Ok(best)
    }

    /// The best limit of a number.
    fn best_limit(
        &self,
        at: usize,
        place: &Place,
        node: &Counts,
        mut to_beat: f64,
        checkpoint: Checkpoint,
    ) -> Option<Best> {
        let column = &self.rows.columns[at];
        let order = &self.order[at][place.order[at].0..place.order[at].1];
        let mut present = Counts::none(node.of.len());
        for rows in order.chunks(STRIDE) {
            checkpoint();
            for row in rows {
                present.add(self.class[*row as usize] as usize, self.rows.counts[*row as usize]);
            }
        }
        let mut parts = Parts::new(node, &present);
        let mut best = None;
        for (i, row) in order.iter().enumerate() {
            if i % STRIDE == 0 {
                checkpoint();
            }
            parts.shift(self.class[*row as usize] as usize, self.rows.counts[*row as usize]);
            let value = column.values[*row as usize];
            let next = order.get(i + 1).map(|next| column.values[*next as usize]);
            match next {
                // Numbers that lost digits can be told apart only where a double lies between them.
                Some(next) if next == value || !column.exact && value.next_up() >= next => continue,
                None if parts.missing.customers == 0 => continue,
                _ => {}
            }
            let Some((score, missing_left)) = parts.score(self.least) else { continue };
            // After the last value only what is missing is left for the other side.
            if score > to_beat && (next.is_some() || missing_left == Some(false)) {
                to_beat = score;
                let (test, gap) = match next {
                    Some(next) => (Test::Below(next), (value, next)),
                    None => (Test::Present, (0.0, 0.0)),
                };
                best = Some(Best { score, column: at, test, gap, missing_left });
            }
        }
        best
    }

    /// The best set of categories: in turn for each segment, those where it is commonest. For two segments that is the
    /// best of all sets (Breiman and others 1984, theorem 4.5).
    fn best_set(
        &self,
        at: usize,
        place: &Place,
        node: &Counts,
        mut to_beat: f64,
        checkpoint: Checkpoint,
    ) -> Result<Option<Best>> {
        let column = &self.rows.columns[at];
        let classes = node.of.len();
        let mut of = memory::filled(0_u64, column.categories.len() * classes)?;
        let mut present = Counts::none(classes);
        for rows in self.members[place.members.0..place.members.1].chunks(STRIDE) {
            checkpoint();
            for row in rows {
                let value = column.values[*row as usize];
                if !value.is_nan() {
                    let (class, count) =
                        (self.class[*row as usize] as usize, self.rows.counts[*row as usize]);
                    of[value as usize * classes + class] += count;
                    present.add(class, count);
                }
            }
        }
        let of = |category: usize| &of[category * classes..(category + 1) * classes];
        let total = |category: usize| of(category).iter().sum::<u64>();
        let there: Vec<(usize, u64)> =
            (0..column.categories.len()).map(|c| (c, total(c))).filter(|c| c.1 > 0).collect();
        let mut best = None;
        let turns = if classes == 2 { 1 } else { classes };
        for class in (0..turns).filter(|class| node.of[*class] > 0) {
            checkpoint();
            let mut order = there.clone();
            let share =
                |c: &(usize, u64), other: &(usize, u64)| u128::from(of(c.0)[class]) * u128::from(other.1);
            order.sort_by(|a, b| share(b, a).cmp(&share(a, b)));
            let mut parts = Parts::new(node, &present);
            for i in 0..order.len() {
                for (class, n) in of(order[i].0).iter().enumerate().filter(|(_, n)| **n > 0) {
                    parts.shift(class, *n);
                }
                let last = i + 1 == order.len();
                if last && parts.missing.customers == 0 {
                    continue;
                }
                let Some((score, missing_left)) = parts.score(self.least) else { continue };
                if score > to_beat && (!last || missing_left == Some(false)) {
                    to_beat = score;
                    let test = if last {
                        Test::Present
                    } else {
                        let mut set = vec![false; column.categories.len()];
                        order[..=i].iter().for_each(|(category, _)| set[*category] = true);
                        Test::OneOf(set)
                    };
                    best = Some(Best { score, column: at, test, gap: (0.0, 0.0), missing_left });
                }
            }
        }
        Ok(best)
    }

    /// Moves the rows of a part to its two sides.
    fn divide(
        &mut self,
        place: &Place,
        column: usize,
        test: &Test,
        missing_left: Option<bool>,
        checkpoint: Checkpoint,
    ) -> [Place; 2] {
        let values = &self.rows.columns[column].values;
        for rows in self.members[place.members.0..place.members.1].chunks(STRIDE) {
            checkpoint();
            for row in rows {
                self.left[*row as usize] = goes_left(test, missing_left, values[*row as usize]);
            }
        }
        let (left, room) = (&self.left, &mut self.room);
        let mut halve = |list: &mut [u32]| {
            checkpoint();
            room.clear();
            let mut at = 0;
            for i in 0..list.len() {
                let row = list[i];
                if left[row as usize] {
                    list[at] = row;
                    at += 1;
                } else {
                    room.push(row);
                }
            }
            list[at..].copy_from_slice(room);
            at
        };
        let (from, to) = place.members;
        let middle = from + halve(&mut self.members[from..to]);
        let mut sides = [
            Place { members: (from, middle), order: Vec::new() },
            Place { members: (middle, to), order: Vec::new() },
        ];
        for (order, (from, to)) in self.order.iter_mut().zip(&place.order) {
            let middle = from + halve(&mut order[*from..*to]);
            sides[0].order.push((*from, middle));
            sides[1].order.push((middle, *to));
        }
        sides
    }
}

/// Joins leaves of one parent that say the same.
fn join(node: &mut Node) {
    let Node::Split { children, .. } = node else { return };
    children.iter_mut().for_each(join);
    if let [Node::Leaf(left), Node::Leaf(right)] = &**children
        && left.pure == right.pure
        && (!left.pure || left.class == right.class)
    {
        let counts: Vec<u64> = left.counts.iter().zip(&right.counts).map(|(a, b)| a + b).collect();
        let class = if left.pure {
            left.class
        } else {
            let most = counts.iter().max().copied().unwrap_or(0);
            counts.iter().position(|n| *n == most).unwrap_or(0)
        };
        *node = Node::Leaf(Leaf { class, pure: left.pure, counts });
    }
}

/// The shortest number above the first and not above the second: nothing that the fit saw changes sides. Where digits
/// were lost it is below the second too.
fn readable((below, above): (f64, f64), exact: bool) -> f64 {
    let fits = |t: f64| below < t && (t < above || exact && t == above);
    let middle = below / 2.0 + above / 2.0;
    if below < 0.0 && fits(0.0) {
        return 0.0;
    }
    let size = below.abs().max(above.abs());
    let highest = size.log10().ceil() as i32 + 1;
    for exponent in (highest - 18..=highest).rev() {
        for unit in [10_i64, 5] {
            // Multiples of the unit, ten or five tenths of a power of ten: the nearest to the middle.
            let step = unit as f64 * 10_f64.powi(exponent - 1);
            let near = (middle / step).round();
            if !step.is_normal() || near.abs() > 9e14 {
                continue;
            }
            for times in [near, near + 1.0, near - 1.0] {
                let text = format!("{}e{}", times as i64 * unit, exponent - 1);
                if let Some(t) = text.parse().ok().filter(|t| fits(*t)) {
                    return t;
                }
            }
        }
    }
    if exact {
        above
    } else if fits(middle) {
        middle
    } else {
        below.next_up()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_short() {
        for (below, above, limit) in [
            (29.0, 30.0, 30.0),
            (22.0, 28.0, 25.0),
            (-3.0, 7.0, 0.0),
            (0.1234, 0.1299, 0.125),
            (56.7, 61.2, 60.0),
            (1234.5, 1240.0, 1240.0),
            (0.0, 1e-300, 1e-300),
            (-10.0, -9.0, -9.0),
            (68.75, 68.8, 68.8),
        ] {
            assert_eq!(readable((below, above), true), limit, "{below} {above}");
        }
    }

    proptest! {
        #[test]
        fn a_limit_lies_between(a: f64, b: f64, exact: bool, near: bool) {
            prop_assume!(a.is_finite() && b.is_finite());
            let b = if near { a.next_up().next_up() } else { b };
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            prop_assume!(a < b && b.is_finite() && (exact || a.next_up() < b));
            let t = readable((a, b), exact);
            prop_assert!(a < t && (t < b || exact && t == b), "{a:e} {t:e} {b:e}");
        }
    }
}
