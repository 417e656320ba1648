//! What a criterion of segmentation is worth: how filled and how varied it is, how much it says of
//! a target, and how far apart the value of its classes is.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::base::codec::{Reader, put};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::hash::hash_text;
use crate::math::pairs::Pairs;
use crate::math::special::{incomplete_beta, upper_gamma};

/// Distinct values told apart. Numbers beyond it are joined with their neighbours, texts into "other".
const CELLS: usize = 2048;
/// Classes of a target at most.
const MOST_CLASSES: usize = 64;
/// Bins of a number, by quantiles.
const BINS: f64 = 10.0;
/// Categories told apart in a measure.
const CATEGORIES: usize = 50;
const VERSION: u8 = 1;

/// Customers with one value.
#[derive(Debug, Clone, Default, PartialEq)]
struct Cell {
    n: u64,
    /// By class of the target.
    classes: BTreeMap<u64, u64>,
    /// Count, sum and sum of squares of a numeric target, and of the money.
    target: [f64; 3],
    money: [f64; 3],
}

impl Cell {
    fn absorb(&mut self, other: &Self) {
        self.n = self.n.saturating_add(other.n);
        for (class, n) in &other.classes {
            let count = self.classes.entry(*class).or_default();
            *count = count.saturating_add(*n);
        }
        for i in 0..3 {
            self.target[i] += other.target[i];
            self.money[i] += other.money[i];
        }
    }
}

/// The mergeable state of one criterion.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Criterion {
    cells: HashMap<u64, Cell>,
    /// Whether values are texts.
    texts: bool,
    /// Bits of a number that are not told apart.
    shift: u32,
    /// Texts whose hash was above those kept.
    other: Cell,
    missing: Cell,
}

/// One value of the criterion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Observed<'a> {
    /// A number.
    Number(f64),
    /// A category.
    Text(&'a str),
}

impl Criterion {
    /// Takes in a customer: the criterion, the target as a number or as a class, the value in money.
    ///
    /// # Errors
    /// Numbers that are not finite; too many classes.
    pub fn add(
        &mut self,
        value: Option<Observed>,
        target: Option<f64>,
        class: Option<&str>,
        money: Option<f64>,
    ) -> Result<()> {
        let finite = |v: Option<f64>, name: &str| match v {
            Some(v) if !v.is_finite() => {
                Err(Error::new(ErrorKind::OutOfRange, format!("{name} must be a finite number")))
            }
            v => Ok(v),
        };
        let moments = |v: Option<f64>| v.map_or([0.0; 3], |v| [1.0, v, v * v]);
        let (target, money) = (finite(target, "target")?, finite(money, "value")?);
        let mut cell = Cell { n: 1, target: moments(target), money: moments(money), ..Cell::default() };
        if let Some(class) = class {
            cell.classes.insert(hash_text(class), 1);
        }
        let key = match value {
            None => None,
            Some(Observed::Number(v)) => {
                // An ordered key: neighbours in value are neighbours in it. NaN counts as missing.
                let bits = (v + 0.0).to_bits();
                let key = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
                (!v.is_nan()).then_some(key >> self.shift)
            }
            Some(Observed::Text(text)) => {
                self.texts = true;
                Some(hash_text(text))
            }
        };
        match key {
            None => self.missing.absorb(&cell),
            Some(key) => self.cells.entry(key).or_default().absorb(&cell),
        }
        self.shrink()
    }

    /// Joins cells until there are few enough: the result depends on the values only.
    fn shrink(&mut self) -> Result<()> {
        let classes = |c: &Cell| c.classes.len() > MOST_CLASSES;
        if self.cells.len() > 2 * CELLS {
            self.settle();
        }
        if classes(&self.missing)
            || classes(&self.other)
            || self.cells.values().any(classes) && self.cells.len() < 8
        {
            return Err(too_many_classes());
        }
        Ok(())
    }

    fn settle(&mut self) {
        while !self.texts && self.cells.len() > CELLS {
            self.shift += 1;
            for (key, cell) in std::mem::take(&mut self.cells) {
                self.cells.entry(key >> 1).or_default().absorb(&cell);
            }
        }
        if self.texts && self.cells.len() > CELLS {
            let mut keys: Vec<u64> = self.cells.keys().copied().collect();
            keys.sort_unstable();
            for key in &keys[CELLS..] {
                if let Some(cell) = self.cells.remove(key) {
                    self.other.absorb(&cell);
                }
            }
        }
    }

    /// Takes in all that `other` holds.
    ///
    /// # Errors
    /// Too many classes.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.texts |= other.texts;
        while self.shift < other.shift {
            self.shift += 1;
            for (key, cell) in std::mem::take(&mut self.cells) {
                self.cells.entry(key >> 1).or_default().absorb(&cell);
            }
        }
        for (key, cell) in &other.cells {
            self.cells.entry(key >> (self.shift - other.shift)).or_default().absorb(cell);
        }
        self.other.absorb(&other.other);
        self.missing.absorb(&other.missing);
        self.shrink()
    }

    /// The cells as bins: quantiles of a number, the largest categories of a text, missing ones last.
    fn bins(&self) -> Vec<Cell> {
        let mut cells: Vec<(&u64, &Cell)> = self.cells.iter().collect();
        cells.sort_unstable_by_key(|(key, _)| **key);
        let total: u64 = cells.iter().map(|(_, c)| c.n).sum();
        let mut bins: Vec<Cell> = Vec::new();
        if self.texts {
            cells.sort_by_key(|(_, cell)| std::cmp::Reverse(cell.n));
            let mut rest = self.other.clone();
            for (i, (_, cell)) in cells.into_iter().enumerate() {
                if i < CATEGORIES {
                    bins.push(cell.clone());
                } else {
                    rest.absorb(cell);
                }
            }
            bins.push(rest);
        } else if cells.len() as f64 <= BINS {
            bins.extend(cells.into_iter().map(|(_, c)| c.clone()));
        } else {
            let mut before = 0.0;
            let mut last = usize::MAX;
            for (_, cell) in cells {
                let n = cell.n as f64;
                let bin = (BINS * (before + 0.5 * n) / total as f64) as usize;
                before += n;
                if bin != last {
                    bins.push(Cell::default());
                    last = bin;
                }
                if let Some(bin) = bins.last_mut() {
                    bin.absorb(cell);
                }
            }
        }
        bins.push(self.missing.clone());
        bins.retain(|b| b.n > 0);
        bins
    }

    /// All measures; null where the data do not define one.
    ///
    /// # Errors
    /// Too many classes of the target.
    pub fn report(&self) -> Result<Value> {
        let mut settled = self.clone();
        settled.settle();
        let bins = settled.bins();
        let present: u64 = settled.cells.values().map(|c| c.n).sum::<u64>() + settled.other.n;
        let rows = present + settled.missing.n;
        // The k smallest of uniform hashes tell how many there are (Bar-Yossef and others 2002).
        let full = settled.texts && settled.other.n > 0;
        let distinct = if full {
            let largest = settled.cells.keys().copied().max().unwrap_or(u64::MAX) as f64 / u64::MAX as f64;
            ((CELLS as f64 - 1.0) / largest).min(present as f64).round()
        } else {
            settled.cells.len() as f64
        };
        let entropy: f64 =
            bins.iter().map(|b| b.n as f64 / rows.max(1) as f64).map(|p| -p * p.ln()).sum::<f64>();
        let levels = bins.len() as f64;

        let mut pairs = Pairs::default();
        for (i, bin) in bins.iter().enumerate() {
            bin.classes.iter().for_each(|(class, n)| pairs.count(i as u64, *class, *n));
        }
        let mut totals: BTreeMap<u64, u64> = BTreeMap::new();
        for (class, n) in bins.iter().flat_map(|b| &b.classes) {
            *totals.entry(*class).or_default() += n;
        }
        if totals.len() > MOST_CLASSES {
            return Err(too_many_classes());
        }
        let by_class = totals.len() > 1;
        let numeric = variance_explained(bins.iter().map(|b| b.target));
        let money = variance_explained(bins.iter().map(|b| b.money));
        let mut p_value = None;
        if by_class && let Some((chi, freedom)) = pairs.chi_squared() {
            p_value = (freedom > 0.0).then(|| upper_gamma(0.5 * freedom, 0.5 * chi));
        } else if let Some((eta, between, within)) = numeric {
            let ratio = eta / between / ((1.0 - eta) / within);
            p_value = (between > 0.0 && within > 0.0).then(|| {
                if ratio.is_finite() {
                    incomplete_beta(0.5 * within, 0.5 * between, within / (within + between * ratio)).0
                } else {
                    0.0
                }
            });
        }
        let means: Vec<f64> = bins
            .iter()
            .filter(|b| b.money[0] >= 0.01 * rows as f64 && b.money[0] > 0.0)
            .map(|b| b.money[1] / b.money[0])
            .collect();
        let finite = |v: f64| v.is_finite().then_some(v);
        Ok(json!({
            "rows": rows,
            "missing": settled.missing.n,
            "fill": (rows > 0).then(|| present as f64 / rows as f64),
            "distinct": distinct,
            "distinct_is_exact": !full && settled.shift == 0,
            "at_least": settled.shift > 0,
            "entropy": (levels > 1.0).then(|| entropy / levels.ln()),
            "information_value": if totals.len() == 2 { information_value(&bins, &totals) } else { None },
            "mutual_information": if by_class { pairs.mutual_information().map(|m| m.0) } else { None },
            "cramers_v": if by_class { pairs.cramers_v().map(|v| v.0) } else { None },
            "cramers_v_corrected": if by_class { pairs.cramers_v().map(|v| v.1) } else { None },
            "eta_squared": numeric.map(|e| e.0).and_then(finite),
            "p_value": p_value,
            "value_explained": money.map(|e| e.0).and_then(finite),
            "value_lowest": means.iter().copied().reduce(f64::min),
            "value_highest": means.iter().copied().reduce(f64::max),
        }))
    }

    /// The stored form.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        fn write(out: &mut Vec<u8>, cell: &Cell) {
            put(out, cell.n);
            put(out, cell.classes.len() as u64);
            for (class, n) in &cell.classes {
                out.extend_from_slice(&class.to_le_bytes());
                put(out, *n);
            }
            for v in cell.target.iter().chain(&cell.money) {
                out.extend_from_slice(&v.to_le_bytes());
            }
        }
        let mut settled = self.clone();
        settled.settle();
        let mut out = vec![VERSION, u8::from(settled.texts), settled.shift as u8];
        write(&mut out, &settled.other);
        write(&mut out, &settled.missing);
        put(&mut out, settled.cells.len() as u64);
        let mut keys: Vec<u64> = settled.cells.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            out.extend_from_slice(&key.to_le_bytes());
            write(&mut out, &settled.cells[&key]);
        }
        out
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for anything that [`Criterion::to_bytes`] cannot have written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        fn word(reader: &mut Reader) -> Result<u64> {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(reader.take(8)?);
            Ok(u64::from_le_bytes(bytes))
        }
        fn cell(reader: &mut Reader) -> Result<Cell> {
            let mut cell = Cell { n: reader.number()?, ..Cell::default() };
            for _ in 0..reader.count(9)? {
                let class = word(reader)?;
                cell.classes.insert(class, reader.number()?);
            }
            for i in 0..3 {
                cell.target[i] = f64::from_bits(word(reader)?);
            }
            for i in 0..3 {
                cell.money[i] = f64::from_bits(word(reader)?);
            }
            if cell.n > 1 << 50 || cell.classes.values().any(|n| *n > 1 << 50) {
                return Err(reader.error("A count is impossible."));
            }
            Ok(cell)
        }
        let mut reader = Reader::new(bytes, "criterion");
        if reader.byte()? != VERSION {
            return Err(reader.error("Its version is not known."));
        }
        let texts = reader.byte()? == 1;
        let shift = u32::from(reader.byte()?);
        if shift > 60 {
            return Err(reader.error("Its resolution is impossible."));
        }
        let (other, missing) = (cell(&mut reader)?, cell(&mut reader)?);
        let mut cells = HashMap::new();
        for _ in 0..reader.count(50)? {
            let key = word(&mut reader)?;
            cells.insert(key, cell(&mut reader)?);
        }
        reader.finish()?;
        Ok(Self { cells, texts, shift, other, missing })
    }
}

fn too_many_classes() -> Error {
    Error::new(ErrorKind::LimitExceeded, "the target has too many classes")
        .detail(format!("At most {MOST_CLASSES} are allowed."))
        .hint("Give a number, or group the classes.")
}

/// The information value of bins against two classes; an empty side counts as half a customer.
fn information_value(bins: &[Cell], totals: &BTreeMap<u64, u64>) -> Option<f64> {
    let mut classes = totals.iter();
    let ((yes, all_yes), (no, all_no)) = (classes.next()?, classes.next()?);
    let count = |bin: &Cell, class: &u64| bin.classes.get(class).copied().unwrap_or(0) as f64;
    let sum = bins
        .iter()
        .filter(|b| !b.classes.is_empty())
        .map(|b| {
            let p = count(b, yes).max(0.5) / *all_yes as f64;
            let q = count(b, no).max(0.5) / *all_no as f64;
            (p - q) * (p / q).ln()
        })
        .sum();
    Some(sum)
}

/// Eta-squared, and the degrees of freedom between and within.
fn variance_explained(groups: impl Iterator<Item = [f64; 3]> + Clone) -> Option<(f64, f64, f64)> {
    let groups = groups.filter(|g| g[0] > 0.0);
    let k = groups.clone().count() as f64;
    let all = groups.clone().fold([0.0; 3], |a, g| [a[0] + g[0], a[1] + g[1], a[2] + g[2]]);
    let mean = all[1] / all[0];
    let total = all[2] - all[0] * mean * mean;
    if !(all[0] > k && total > 1e-12 * all[2]) {
        return None;
    }
    let between: f64 = groups.map(|g| g[0] * (g[1] / g[0] - mean).powi(2)).sum();
    Some(((between / total).clamp(0.0, 1.0), k - 1.0, all[0] - k))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_value_by_hand() {
        // Classes a: 90 no, 10 yes; b: 60 no, 40 yes. p(no) = .6, .4; p(yes) = .2, .8.
        // (.2 - .6) ln(.2 / .6) + (.8 - .4) ln(.8 / .4) = .4 ln 3 + .4 ln 2 = .4 ln 6.
        let mut criterion = Criterion::default();
        for (value, class, n) in [("a", "no", 90), ("a", "yes", 10), ("b", "no", 60), ("b", "yes", 40)] {
            for _ in 0..n {
                criterion.add(Some(Observed::Text(value)), None, Some(class), Some(1.0)).unwrap();
            }
        }
        let report = criterion.report().unwrap();
        assert!((report["information_value"].as_f64().unwrap() - 0.4 * 6f64.ln()).abs() < 1e-14);
        assert_eq!(report["distinct"], 2.0);
        // Pearson's chi-squared of the table is 24; SciPy's chi2.sf(24, 1).
        assert!((report["p_value"].as_f64().unwrap() / 9.633570086430948e-07 - 1.0).abs() < 1e-10);
        assert_eq!(Criterion::from_bytes(&criterion.to_bytes()).unwrap(), criterion);
    }

    #[test]
    fn many_values_stay_few_cells_whatever_their_order() {
        let values: Vec<f64> = (0..20_000).map(|i| f64::from(i * 7919 % 20_011) - 5000.5).collect();
        let mut one = Criterion::default();
        let mut other = Criterion::default();
        for v in &values {
            one.add(Some(Observed::Number(*v)), Some(v * 2.0), None, None).unwrap();
        }
        for v in values.iter().rev() {
            other.add(Some(Observed::Number(*v)), Some(v * 2.0), None, None).unwrap();
        }
        one.settle();
        other.settle();
        assert!(one.cells.len() <= CELLS);
        assert_eq!(one.shift, other.shift);
        let report = one.report().unwrap();
        assert!(report["eta_squared"].as_f64().unwrap() > 0.97);
        let mut texts = Criterion::default();
        for v in 0..20_000 {
            texts.add(Some(Observed::Text(&v.to_string())), None, None, None).unwrap();
        }
        let distinct = texts.report().unwrap()["distinct"].as_f64().unwrap();
        assert!((distinct / 20_000.0 - 1.0).abs() < 0.1, "{distinct}");
    }
}
