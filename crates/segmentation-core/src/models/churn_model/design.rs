//! From stored rows to columns of numbers: kinds, categories, missing values, scales.

use std::collections::HashMap;

use super::features::shown;
use super::model::{Feature, Kind, Level};
use super::options::ChurnOptions;
use super::rows::{Canonical, Row};
use super::stored::Stored;
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::base::warning::Warning;
use crate::base::words::counted;
use crate::math::binomial::Design;

/// The most columns of one fit.
const MOST_COLUMNS: usize = 1000;

/// One column of the design.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Column {
    /// The feature, by its number among [`Prepared::features`].
    pub feature: usize,
    pub level: LevelRef,
    /// Taken off before scaling: 0 but for numbers.
    pub centre: f64,
    /// Divided by: 1 but for numbers.
    pub scale: f64,
    /// The standard deviation of the column as it stands in the design.
    pub spread: f64,
}

impl Column {
    fn value(feature: usize, centre: f64, scale: f64) -> Self {
        Self { feature, level: LevelRef::Value, centre, scale, spread: 0.0 }
    }

    fn level(feature: usize, at: usize) -> Self {
        Self { feature, level: LevelRef::Level(at), centre: 0.0, scale: 1.0, spread: 0.0 }
    }
}

/// Which coefficient of a feature a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LevelRef {
    /// The number or the boolean itself.
    Value,
    /// The category at this place of [`Feature::levels`].
    Level(usize),
}

/// A design with the features that it is made of.
pub(super) struct Prepared {
    pub design: Design,
    pub columns: Vec<Column>,
    pub features: Vec<Feature>,
    /// Rows in the fit, and how many of them churned.
    pub rows: u64,
    pub churned: u64,
    /// Rows left out for a missing value.
    pub missing_values: u64,
    /// Rows without the offset.
    pub no_offset: u64,
    pub warnings: Vec<Warning>,
}

/// What the rows have of one feature.
#[derive(Default)]
struct Census<'a> {
    booleans: u64,
    trues: u64,
    numbers: u64,
    weight: f64,
    sum: f64,
    least: f64,
    most: f64,
    levels: HashMap<&'a str, u64>,
}

impl<'a> Census<'a> {
    /// Takes in a value of `n` rows of that weight together.
    fn add(&mut self, value: Stored<'a>, n: u64, weight: f64) {
        match value {
            Stored::Boolean(b) => {
                self.booleans += n;
                self.trues += if b { n } else { 0 };
                self.weight += weight;
                self.sum += if b { weight } else { 0.0 };
            }
            Stored::Number(x) => {
                if self.numbers == 0 {
                    (self.least, self.most) = (x, x);
                }
                (self.least, self.most) = (self.least.min(x), self.most.max(x));
                self.numbers += n;
                self.weight += weight;
                self.sum += weight * x;
            }
            Stored::Text(text) => *self.levels.entry(text).or_default() += n,
        }
    }

    fn texts(&self) -> u64 {
        self.levels.values().sum()
    }

    /// Rows that have a value.
    fn known(&self) -> u64 {
        self.booleans + self.numbers + self.texts()
    }

    /// # Errors
    /// Values of several kinds.
    fn check(&self, name: &str) -> Result<()> {
        let texts = self.texts();
        if [self.booleans, self.numbers, texts].iter().filter(|&&n| n > 0).count() > 1 {
            return Err(Error::invalid(format!("feature \"{}\" has values of different kinds", shown(name)))
                .detail(format!(
                    "It is a number in {}, a boolean in {} and a text in {texts}.",
                    counted(self.numbers, "row"),
                    self.booleans
                ))
                .hint("Cast it to one type before jsonb_build_object."));
        }
        Ok(())
    }
}

/// Which rows are in the fit, and what they have.
struct Counted<'a> {
    inside: Vec<bool>,
    /// By feature.
    census: Vec<Census<'a>>,
    rows: u64,
    churned: u64,
    /// The weights of the rows together.
    total: f64,
    missing_values: u64,
    no_offset: u64,
}

/// How a feature's values become entries.
enum Encoder<'a> {
    /// Not in the design.
    Nothing,
    Offset,
    /// Column, centre, scale; the column of the missing ones.
    Number(u32, f64, f64, Option<u32>),
    /// Column; its mean, for the missing ones; their column.
    Boolean(u32, f64, Option<u32>),
    /// Columns of the categories; of the pooled ones; of the missing ones.
    Category(HashMap<&'a str, Option<u32>>, Option<u32>, Option<u32>),
}

/// Stored rows as a design of numbers: one column a number or boolean, one a category but the base, one for the
/// missing ones of a feature that often misses.
///
/// # Errors
/// A feature of several kinds, an offset that is no number, more than 1000 columns.
pub(super) fn prepare(
    canonical: &Canonical,
    options: &ChurnOptions,
    checkpoint: Checkpoint,
) -> Result<Prepared> {
    let mut warnings = unknown_features(&canonical.names, options);
    let offset = options.offset.as_ref().and_then(|name| canonical.names.iter().position(|n| n == name));
    let counted = count(canonical, options, offset, &mut *checkpoint)?;
    let mut layout = lay_out(&canonical.names, &counted, options, offset, &mut warnings)?;
    let squares = layout.squares(canonical, &counted.inside, &mut *checkpoint)?;
    layout.scale(&squares, counted.total);
    warnings.extend(layout.constants(options.min_level_rows));
    let design = layout.fill(canonical, &counted.inside, options.offset.is_some(), checkpoint)?;
    Ok(Prepared {
        design,
        columns: layout.columns,
        features: layout.features,
        rows: counted.rows,
        churned: counted.churned,
        missing_values: counted.missing_values,
        no_offset: counted.no_offset,
        warnings,
    })
}

/// Features that options name and no row has.
fn unknown_features(names: &[String], options: &ChurnOptions) -> Vec<Warning> {
    let wanted = options.features.iter().chain(options.base_levels.keys()).chain(&options.offset);
    let unknown = wanted.filter(|wanted| !names.contains(wanted));
    let warning = |name: &String| {
        Warning::new(
            "unknown_feature",
            format!("No row has the feature \"{}\" that an option names.", shown(name)),
        )
    };
    unknown.map(warning).collect()
}

/// Goes through the rows once: which are in, and what their features are.
fn count<'a>(
    canonical: &'a Canonical,
    options: &ChurnOptions,
    offset: Option<usize>,
    checkpoint: Checkpoint,
) -> Result<Counted<'a>> {
    let used = canonical.names.len() - usize::from(offset.is_some());
    let mut counted = Counted {
        inside: memory::filled(true, canonical.len())?,
        census: canonical.names.iter().map(|_| Census::default()).collect(),
        rows: 0,
        churned: 0,
        total: 0.0,
        missing_values: 0,
        no_offset: 0,
    };
    canonical.each(|i, row| {
        if i % 4096 == 0 {
            checkpoint();
        }
        let n = row.stayed + row.churned;
        let has_offset = offset.is_some_and(|o| row.values.iter().any(|(id, _)| *id as usize == o));
        if options.offset.is_some() && !has_offset {
            counted.no_offset += n;
            counted.inside[i] = false;
            return Ok(());
        }
        if options.skip_missing && row.values.len() - usize::from(has_offset) < used {
            counted.missing_values += n;
            counted.inside[i] = false;
            return Ok(());
        }
        counted.rows += n;
        counted.churned += row.churned;
        let weight = row.weight * n as f64;
        counted.total += weight;
        for (id, value) in &row.values {
            counted.census[*id as usize].add(*value, n, weight);
        }
        Ok(())
    })?;
    Ok(counted)
}

/// Columns and how values get into them.
struct Layout<'a> {
    features: Vec<Feature>,
    columns: Vec<Column>,
    /// By feature of the rows, in their order.
    encoders: Vec<Encoder<'a>>,
}

/// Gives every feature its columns.
fn lay_out<'a>(
    names: &[String],
    counted: &Counted<'a>,
    options: &ChurnOptions,
    offset: Option<usize>,
    warnings: &mut Vec<Warning>,
) -> Result<Layout<'a>> {
    let mut layout = Layout { features: Vec::new(), columns: Vec::new(), encoders: Vec::new() };
    for (id, (name, census)) in names.iter().zip(&counted.census).enumerate() {
        census.check(name)?;
        if Some(id) == offset {
            if census.numbers == 0 && counted.rows > 0 {
                return Err(Error::invalid(format!("the offset \"{}\" must be a number", shown(name))));
            }
            layout.encoders.push(Encoder::Offset);
            continue;
        }
        let missing = counted.rows - census.known();
        let often = missing >= options.min_level_rows.max(1) && missing < counted.rows && missing > 0;
        let own_column = often.then_some(missing);
        let feature = Feature {
            name: name.clone(),
            kind: Kind::Number,
            missing,
            mean: 0.0,
            standard_deviation: 0.0,
            base: None,
            levels: Vec::new(),
            pooled: 0,
            coefficient: None,
        };
        if census.numbers > 0 {
            layout.number(feature, census, own_column);
        } else if census.booleans > 0 {
            layout.boolean(feature, census, own_column);
        } else if census.texts() > 0 {
            layout.category(feature, census, own_column, options, warnings);
        } else {
            layout.encoders.push(Encoder::Nothing);
            continue;
        }
        if layout.columns.len() > MOST_COLUMNS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many columns for one churn model")
                .detail(format!("Features and their categories make more than {MOST_COLUMNS}."))
                .hint("Lower the option \"max_levels\", or choose with the option \"features\"."));
        }
    }
    Ok(layout)
}

/// How many of the categories, most frequent first, have a column of their own.
fn kept_levels(by_count: &[(&str, u64)], options: &ChurnOptions) -> usize {
    let frequent = by_count.iter().take_while(|(_, n)| *n >= options.min_level_rows).count();
    let mut kept = frequent.min(options.max_levels as usize);
    // The pooled categories together are at least as many rows as one alone has to be.
    while kept > 0 && kept < by_count.len() && pooled(&by_count[kept..]) < options.min_level_rows {
        kept -= 1;
    }
    kept
}

fn pooled(rest: &[(&str, u64)]) -> u64 {
    rest.iter().map(|(_, n)| n).sum()
}

impl<'a> Layout<'a> {
    fn next_column(&self) -> u32 {
        self.columns.len() as u32
    }

    /// A category of the feature that is being laid out, with a column of its own.
    fn level(&mut self, feature: &mut Feature, level: Level) -> u32 {
        let column = self.next_column();
        self.columns.push(Column::level(self.features.len(), feature.levels.len()));
        feature.levels.push(level);
        column
    }

    fn number(&mut self, mut feature: Feature, census: &Census, own_column: Option<u64>) {
        feature.mean = census.sum / census.weight;
        // In units of half the range first, so that squares are neither too large nor too small.
        let range = 0.5 * census.most - 0.5 * census.least;
        if range == 0.0 {
            feature.mean = census.most;
        }
        let range = if range > 0.0 { range } else { 1.0 };
        let column = self.next_column();
        self.columns.push(Column::value(self.features.len(), feature.mean, range));
        let missing = own_column.map(|n| self.level(&mut feature, Level::missing(n)));
        self.encoders.push(Encoder::Number(column, feature.mean, range, missing));
        self.features.push(feature);
    }

    fn boolean(&mut self, mut feature: Feature, census: &Census, own_column: Option<u64>) {
        feature.kind = Kind::Boolean;
        feature.mean = census.sum / census.weight;
        let column = self.next_column();
        self.columns.push(Column::value(self.features.len(), 0.0, 1.0));
        let missing = own_column.map(|n| self.level(&mut feature, Level::missing(n)));
        self.encoders.push(Encoder::Boolean(column, feature.mean, missing));
        self.features.push(feature);
    }

    /// The most frequent category is the base, which has no column, if the options do not name another.
    fn category(
        &mut self,
        mut feature: Feature,
        census: &Census<'a>,
        own_column: Option<u64>,
        options: &ChurnOptions,
        warnings: &mut Vec<Warning>,
    ) {
        feature.kind = Kind::Category;
        let mut by_count: Vec<(&'a str, u64)> = census.levels.iter().map(|(l, n)| (*l, *n)).collect();
        by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let (kept, rest) = by_count.split_at(kept_levels(&by_count, options));
        feature.pooled = rest.len() as u64;
        let mut base = 0;
        if let Some(wanted) = options.base_levels.get(&feature.name) {
            match kept.iter().position(|(l, _)| l == wanted) {
                Some(at) => base = at,
                None => warnings.push(Warning::new(
                    "unknown_base_level",
                    format!(
                        "Feature \"{}\" has no category \"{}\" on enough rows; its most frequent one is the base.",
                        shown(&feature.name),
                        shown(wanted)
                    ),
                )),
            }
        }
        let mut add = |level: Level, is_base: bool| {
            if is_base {
                feature.base = Some(feature.levels.len());
                feature.levels.push(level);
                return None;
            }
            Some(self.level(&mut feature, level))
        };
        let columns =
            kept.iter().enumerate().map(|(i, (name, n))| (*name, add(Level::named(name, *n), i == base)));
        let columns: HashMap<&'a str, Option<u32>> = columns.collect();
        let others = pooled(rest);
        let other = if others > 0 { add(Level::other(others), kept.is_empty()) } else { None };
        let missing = own_column.and_then(|n| add(Level::missing(n), false));
        self.encoders.push(Encoder::Category(columns, other, missing));
        self.features.push(feature);
    }

    /// The entries of a row, by column; returns its offset.
    fn encode(&self, row: &Row, entries: &mut Vec<(u32, f64)>) -> f64 {
        entries.clear();
        let mut values = row.values.iter().peekable();
        let mut offset = 0.0;
        for (id, encoder) in self.encoders.iter().enumerate() {
            let value = values.next_if(|(at, _)| *at as usize == id).map(|(_, value)| value);
            match (encoder, value) {
                (Encoder::Offset, Some(Stored::Number(x))) => offset = *x,
                (Encoder::Number(at, centre, scale, _), Some(Stored::Number(x))) => {
                    entries.push((*at, (x - centre) / scale));
                }
                (Encoder::Number(_, _, _, Some(at)) | Encoder::Boolean(_, _, Some(at)), None) => {
                    entries.push((*at, 1.0));
                }
                (Encoder::Boolean(at, mean, None), None) => entries.push((*at, *mean)),
                (Encoder::Boolean(at, ..), Some(Stored::Boolean(true))) => entries.push((*at, 1.0)),
                (Encoder::Category(map, other, _), Some(Stored::Text(text))) => {
                    let column = map.get(*text).copied().unwrap_or(*other);
                    entries.extend(column.map(|at| (at, 1.0)));
                }
                (Encoder::Category(_, _, Some(at)), None) => entries.push((*at, 1.0)),
                _ => {}
            }
        }
        offset
    }

    /// By column the weighted sum of its entries, of numbers that of their squares.
    fn squares(&self, canonical: &Canonical, inside: &[bool], checkpoint: Checkpoint) -> Result<Vec<f64>> {
        let mut squares = vec![0.0; self.columns.len()];
        let mut entries: Vec<(u32, f64)> = Vec::new();
        canonical.each(|i, row| {
            if i % 4096 == 0 {
                checkpoint();
            }
            if !inside[i] {
                return Ok(());
            }
            self.encode(row, &mut entries);
            let weight = row.weight * (row.stayed + row.churned) as f64;
            for &(j, x) in &entries {
                let column = &self.columns[j as usize];
                let x = match column.level {
                    LevelRef::Value if self.features[column.feature].kind == Kind::Number => x * x,
                    _ => x,
                };
                squares[j as usize] += weight * x;
            }
            Ok(())
        })?;
        Ok(squares)
    }

    /// Puts the numbers into units of their standard deviation, and says of every column how far it spreads and of
    /// every category which share it has. `total` is the weight of all rows.
    fn scale(&mut self, squares: &[f64], total: f64) {
        for (column, square) in self.columns.iter_mut().zip(squares) {
            let feature = &mut self.features[column.feature];
            let mean = square / total;
            match (column.level, feature.kind) {
                (LevelRef::Value, Kind::Number) => {
                    feature.standard_deviation = mean.sqrt() * column.scale;
                    if feature.standard_deviation > 0.0 {
                        column.scale = feature.standard_deviation;
                        column.spread = 1.0;
                    }
                }
                (LevelRef::Value, _) => {
                    column.spread = (mean * (1.0 - mean)).max(0.0).sqrt();
                    feature.standard_deviation = column.spread;
                }
                (LevelRef::Level(at), _) => {
                    feature.levels[at].share = mean;
                    column.spread = (mean * (1.0 - mean)).max(0.0).sqrt();
                }
            }
        }
        for feature in &mut self.features {
            if let (Kind::Category, Some(base)) = (feature.kind, feature.base) {
                let others: f64 = feature.levels.iter().map(|l| l.share).sum();
                feature.levels[base].share = (1.0 - others).max(0.0);
            }
        }
        for encoder in &mut self.encoders {
            if let Encoder::Number(at, _, scale, _) = encoder {
                *scale = self.columns[*at as usize].scale;
            }
        }
    }

    /// Features that tell nothing, because they are the same for all rows.
    fn constants(&self, min_level_rows: u64) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for (id, feature) in self.features.iter().enumerate() {
            if self.columns.iter().any(|c| c.feature == id && c.spread != 0.0) {
                continue;
            }
            let name = shown(&feature.name);
            warnings.push(if feature.pooled > 0 {
                Warning::new(
                    "rare_categories",
                    format!(
                        "Feature \"{name}\" has {}, none on {} or more: all are pooled, so it tells nothing.",
                        counted(feature.pooled, "category"),
                        counted(min_level_rows, "row"),
                    ),
                )
            } else {
                Warning::new(
                    "constant_feature",
                    format!("Feature \"{name}\" is the same for all rows, so it tells nothing."),
                )
            });
        }
        warnings
    }

    /// The rows of the design: columns that do not spread stay empty.
    fn fill(
        &self,
        canonical: &Canonical,
        inside: &[bool],
        with_offset: bool,
        checkpoint: Checkpoint,
    ) -> Result<Design> {
        let dead: Vec<bool> = self.columns.iter().map(|c| c.spread == 0.0).collect();
        let mut design = Design::new(self.columns.len());
        let mut entries: Vec<(u32, f64)> = Vec::new();
        canonical.each(|i, row| {
            if i % 4096 == 0 {
                checkpoint();
            }
            if !inside[i] {
                return Ok(());
            }
            let offset = self.encode(row, &mut entries);
            let live = entries.iter().copied().filter(|(j, _)| !dead[*j as usize]);
            design.push(live, row.weight * row.churned as f64, row.weight * row.stayed as f64)?;
            if with_offset {
                memory::push(&mut design.offset, offset)?;
            }
            Ok(())
        })?;
        Ok(design)
    }
}
