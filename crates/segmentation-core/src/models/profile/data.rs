//! Customers made ready for clustering: scaled numbers in blocks, categories by position.

use ndarray::{Array2, Array3, ArrayView1, Axis, s};

use super::options::ProfileOptions;
use super::rows::{Kind, ProfileRows};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Rows of a block: one feature of that many customers lies together, so that distances vectorise.
pub(super) const BLOCK: usize = 64;

/// One feature that is a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumberFeature {
    pub(super) name: String,
    /// Of the customers who have it.
    pub(super) mean: f64,
    /// Population standard deviation of the same.
    pub(super) deviation: f64,
    /// What is subtracted, and then divided by.
    pub(super) centre: f64,
    pub(super) scale: f64,
    pub(super) missing: u64,
    pub(super) outliers: u64,
    /// Where values are clipped.
    pub(super) clip: Option<(f64, f64)>,
    /// Constant, or missing for everybody: it takes no part.
    pub(super) unused: bool,
}

/// One feature that is a category.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CategoryFeature {
    pub(super) name: String,
    /// Categories with their shares; a missing value is the category `None`.
    pub(super) categories: Vec<(Option<String>, f64)>,
    pub(super) missing: u64,
    pub(super) unused: bool,
}

/// A feature.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Feature {
    Number(NumberFeature),
    Category(CategoryFeature),
}

/// Customers made ready.
pub(super) struct Data {
    pub(super) features: Vec<Feature>,
    /// Rows, without those that fill up the last block.
    pub(super) rows: usize,
    /// Numeric features in use.
    pub(super) width: usize,
    /// Block by block, feature by feature, row by row.
    pub(super) numbers: Array3<f64>,
    /// Row by row, the categorical features in use.
    pub(super) codes: Array2<u32>,
    /// Categories of each of these.
    pub(super) levels: Vec<usize>,
    /// How many customers a row stands for; 0 for those that fill up.
    pub(super) weights: Vec<f64>,
    pub(super) customers: u64,
    /// The cost of a different category.
    pub(super) gamma: f64,
    /// Rows left out since a feature was missing.
    pub(super) incomplete: u64,
}

/// How many have a value, their weighted mean and population standard deviation, in two passes
/// around the middle of the range, in units of half of it: nothing overflows.
fn moments(values: &[f64], counts: &[u64]) -> (u64, f64, f64) {
    let present = || values.iter().zip(counts).filter(|(v, _)| !v.is_nan());
    let (mut n, mut least, mut most) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for (v, c) in present() {
        n += c;
        least = least.min(*v);
        most = most.max(*v);
    }
    if n == 0 || least == most {
        return (n, if n == 0 { 0.0 } else { least }, 0.0);
    }
    if !(most - least).is_finite() {
        return (n, 0.0, f64::INFINITY);
    }
    let (middle, half) = (0.5 * least + 0.5 * most, 0.5 * most - 0.5 * least);
    let total = n as f64;
    let mean = present().map(|(v, c)| (v - middle) / half * *c as f64).sum::<f64>() / total;
    let square = present().map(|(v, c)| ((v - middle) / half - mean).powi(2) * *c as f64).sum::<f64>();
    (n, middle + half * mean, half * (square / total).sqrt())
}

/// The quartiles, weighted, by position.
fn quartiles(values: &[f64], counts: &[u64], checkpoint: Checkpoint) -> Option<(f64, f64)> {
    // A beginning of the rows is a random sample: enough for a fence.
    let n = values.len().min(200_000);
    checkpoint();
    if counts[..n].iter().all(|c| *c == 1) {
        let mut present: Vec<f64> = values[..n].iter().copied().filter(|v| !v.is_nan()).collect();
        let last = present.len().checked_sub(1)?;
        let place = |share: f64| ((share * present.len() as f64).ceil() as usize).saturating_sub(1).min(last);
        let (low, high) = (place(0.25), place(0.75));
        let (below, high, _) = present.select_nth_unstable_by(high, f64::total_cmp);
        let high = *high;
        let low = if low < below.len() { *below.select_nth_unstable_by(low, f64::total_cmp).1 } else { high };
        return Some((low, high));
    }
    let mut pairs: Vec<(f64, u64)> =
        values[..n].iter().copied().zip(counts[..n].iter().copied()).filter(|(v, _)| !v.is_nan()).collect();
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    checkpoint();
    let total: u64 = pairs.iter().map(|p| p.1).sum();
    let at = |share: f64| {
        let mut before = 0;
        pairs.iter().find_map(|(v, c)| {
            before += c;
            (before as f64 >= share * total as f64).then_some(*v)
        })
    };
    Some((at(0.25)?, at(0.75)?))
}

impl Data {
    /// Scales what was gathered. `rows` is in its order.
    pub(super) fn new(rows: &ProfileRows, options: &ProfileOptions, checkpoint: Checkpoint) -> Result<Self> {
        let complete;
        let (rows, incomplete) = if options.skip_missing {
            complete = rows.complete()?;
            (&complete, rows.counts.iter().sum::<u64>() - complete.counts.iter().sum::<u64>())
        } else {
            (rows, 0)
        };
        let n = rows.counts.len();
        let customers: u64 = rows.counts.iter().sum();
        let mut features = Vec::new();
        for column in &rows.columns {
            checkpoint();
            let (present, mean, deviation) = if column.kind == Kind::Category {
                (0, 0.0, 0.0)
            } else {
                moments(&column.values, &rows.counts)
            };
            features.push(if column.kind == Kind::Category {
                let mut totals = vec![0_u64; column.categories.len() + 1];
                for (v, c) in column.values.iter().zip(&rows.counts) {
                    totals[if v.is_nan() { column.categories.len() } else { *v as usize }] += c;
                }
                let missing = totals[column.categories.len()];
                let names = column.categories.iter().cloned().map(Some).chain([None]);
                let share = |n: u64| n as f64 / customers.max(1) as f64;
                let categories: Vec<_> =
                    names.zip(&totals).filter(|(_, n)| **n > 0).map(|(name, n)| (name, share(*n))).collect();
                Feature::Category(CategoryFeature {
                    name: column.name.clone(),
                    unused: categories.len() < 2,
                    categories,
                    missing,
                })
            } else {
                if !deviation.is_finite() {
                    return Err(Error::new(
                        ErrorKind::OutOfRange,
                        format!("feature \"{}\" is out of range", column.name),
                    ));
                }
                let fence = quartiles(&column.values, &rows.counts, checkpoint)
                    .map(|(low, high)| (low - 3.0 * (high - low), high + 3.0 * (high - low)))
                    .filter(|(low, high)| low < high);
                let outside = |v: f64| fence.is_some_and(|(low, high)| v < low || v > high);
                let outliers = column
                    .values
                    .iter()
                    .zip(&rows.counts)
                    .filter(|(v, _)| outside(**v))
                    .map(|(_, c)| c)
                    .sum();
                let clip = fence.filter(|_| options.clip);
                let (mut mean, mut deviation) = (mean, deviation);
                if let Some((low, high)) = clip {
                    let clipped =
                        column.values.iter().map(|v| if v.is_nan() { *v } else { v.clamp(low, high) });
                    let clipped = memory::collect(clipped)?;
                    (_, mean, deviation) = moments(&clipped, &rows.counts);
                }
                // What is left of rounding in a constant is no variation.
                let unused = present == 0 || deviation <= 1e-14 * mean.abs();
                Feature::Number(NumberFeature {
                    name: column.name.clone(),
                    mean,
                    deviation,
                    centre: if options.standardize { mean } else { 0.0 },
                    scale: if options.standardize && !unused { deviation } else { 1.0 },
                    missing: customers - present,
                    outliers,
                    clip,
                    unused,
                })
            });
        }
        let mut data = Self {
            features,
            rows: n,
            width: 0,
            numbers: Array3::default((0, 0, 0)),
            codes: Array2::default((0, 0)),
            levels: Vec::new(),
            weights: memory::with_capacity(n.div_ceil(BLOCK) * BLOCK)?,
            customers,
            gamma: 0.0,
            incomplete,
        };
        data.weights.extend(rows.counts.iter().map(|c| *c as f64));
        data.weights.resize(n.div_ceil(BLOCK) * BLOCK, 0.0);
        data.fill(rows, checkpoint)?;
        data.gamma = options.gamma.unwrap_or_else(|| data.usual_gamma());
        Ok(data)
    }

    fn fill(&mut self, rows: &ProfileRows, checkpoint: Checkpoint) -> Result<()> {
        let used = self.features.iter().zip(&rows.columns);
        let numeric: Vec<_> = used
            .clone()
            .filter_map(
                |(f, c)| if let Feature::Number(f) = f { (!f.unused).then_some((f, c)) } else { None },
            )
            .collect();
        let categorical: Vec<_> = used
            .filter_map(
                |(f, c)| if let Feature::Category(f) = f { (!f.unused).then_some((f, c)) } else { None },
            )
            .collect();
        self.width = numeric.len();
        let padded = self.weights.len();
        self.numbers = zeros((padded / BLOCK, numeric.len(), BLOCK))?;
        for (j, (feature, column)) in numeric.iter().enumerate() {
            checkpoint();
            let blocks = self.numbers.axis_iter_mut(Axis(0));
            for (mut block, values) in blocks.zip(column.values.chunks(BLOCK)) {
                for (place, value) in block.row_mut(j).iter_mut().zip(values) {
                    *place = feature.scaled(*value);
                }
            }
        }
        self.codes = zeros((padded, categorical.len()))?;
        for (j, (feature, column)) in categorical.iter().enumerate() {
            checkpoint();
            let code: Vec<u32> =
                column.categories.iter().map(|c| feature.code(Some(c)).unwrap_or(0)).collect();
            let missing = feature.code(None).unwrap_or(0);
            for (i, value) in column.values.iter().enumerate() {
                self.codes[(i, j)] = if value.is_nan() { missing } else { code[*value as usize] };
            }
            self.levels.push(feature.categories.len());
        }
        Ok(())
    }

    /// Huang's: half the mean standard deviation of the numbers, in the units of the fit.
    fn usual_gamma(&self) -> f64 {
        let deviations = self.features.iter().filter_map(|f| match f {
            Feature::Number(f) if !f.unused => Some(f.deviation / f.scale),
            _ => None,
        });
        let (n, sum) = deviations.fold((0.0, 0.0), |(n, sum), d| (n + 1.0, sum + d));
        if n == 0.0 { 1.0 } else { 0.5 * sum / n }
    }

    pub(super) fn blocks(rows: usize) -> usize {
        rows.div_ceil(BLOCK)
    }

    /// The numbers of one block, feature by feature.
    pub(super) fn block(&self, b: usize) -> &[[f64; BLOCK]] {
        self.numbers.index_axis(Axis(0), b).to_slice().unwrap_or_default().as_chunks::<BLOCK>().0
    }

    /// The numbers of one row.
    pub(super) fn row(&self, i: usize) -> ArrayView1<'_, f64> {
        self.numbers.slice(s![i / BLOCK, .., i % BLOCK])
    }

    /// The categories of one row.
    pub(super) fn codes_of(&self, i: usize) -> ArrayView1<'_, u32> {
        self.codes.row(i)
    }
}

/// An array of zeros, whose memory is asked for.
pub(super) fn zeros<T: Clone + Default, D: ndarray::Dimension>(
    shape: impl ndarray::ShapeBuilder<Dim = D>,
) -> Result<ndarray::Array<T, D>> {
    let shape = shape.into_shape_with_order();
    let cells = memory::filled(T::default(), shape.size())?;
    ndarray::Array::from_shape_vec(shape, cells).map_err(|_| memory::out_of_memory(0))
}

impl NumberFeature {
    /// A value in the units of the fit; the mean stands in for a missing one.
    pub(super) fn scaled(&self, value: f64) -> f64 {
        let value = if value.is_nan() { self.mean } else { value };
        let value = self.clip.map_or(value, |(low, high)| value.clamp(low, high));
        (value - self.centre) / self.scale
    }
}

impl CategoryFeature {
    /// The position of a category.
    pub(super) fn code(&self, category: Option<&str>) -> Option<u32> {
        self.categories.iter().position(|(c, _)| c.as_deref() == category).map(|c| c as u32)
    }
}
