//! From stored rows to columns of numbers: kinds, categories, missing values, scales.

use std::collections::HashMap;

use super::features::shown;
use super::model::{Feature, Kind, Level};
use super::options::ChurnOptions;
use super::rows::{Canonical, Stored};
use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;
use crate::math::binomial::Design;
use crate::models::purchase_model::Warning;

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

pub(super) fn prepare(
    canonical: &Canonical,
    options: &ChurnOptions,
    checkpoint: Checkpoint,
) -> Result<Prepared> {
    let names = &canonical.names;
    let mut warnings = Vec::new();
    for wanted in options.features.iter().chain(options.base_levels.keys()).chain(&options.offset) {
        if !names.contains(wanted) {
            warnings.push(Warning::new(
                "unknown_feature",
                format!("No row has the feature \"{}\" that an option names.", shown(wanted)),
            ));
        }
    }
    let offset = options.offset.as_ref().and_then(|name| names.iter().position(|n| n == name));
    // Which rows are in.
    let used = names.len() - usize::from(offset.is_some());
    let (mut missing_values, mut no_offset) = (0, 0);
    let mut inside = memory::filled(true, canonical.len())?;
    let mut census: Vec<Census> = names.iter().map(|_| Census::default()).collect();
    let (mut rows, mut churned, mut total) = (0_u64, 0_u64, 0.0);
    canonical.each(|i, row| {
        if i % 4096 == 0 {
            checkpoint();
        }
        let n = row.stayed + row.churned;
        let has_offset = offset.is_some_and(|o| row.values.iter().any(|(id, _)| *id as usize == o));
        if options.offset.is_some() && !has_offset {
            no_offset += n;
            inside[i] = false;
            return Ok(());
        }
        if options.skip_missing && row.values.len() - usize::from(has_offset) < used {
            missing_values += n;
            inside[i] = false;
            return Ok(());
        }
        rows += n;
        churned += row.churned;
        let weight = row.weight * n as f64;
        total += weight;
        for (id, value) in &row.values {
            let census = &mut census[*id as usize];
            match value {
                Stored::Boolean(b) => {
                    census.booleans += n;
                    census.trues += if *b { n } else { 0 };
                    census.weight += weight;
                    census.sum += if *b { weight } else { 0.0 };
                }
                Stored::Number(x) => {
                    if census.numbers == 0 {
                        (census.least, census.most) = (*x, *x);
                    }
                    (census.least, census.most) = (census.least.min(*x), census.most.max(*x));
                    census.numbers += n;
                    census.weight += weight;
                    census.sum += weight * x;
                }
                Stored::Text(text) => *census.levels.entry(text).or_default() += n,
            }
        }
        Ok(())
    })?;

    let mut features = Vec::new();
    let mut columns: Vec<Column> = Vec::new();
    let mut encoders = Vec::new();
    for (id, census) in census.iter().enumerate() {
        let name = &names[id];
        let texts: u64 = census.levels.values().sum();
        let kinds = [census.booleans, census.numbers, texts].iter().filter(|&&n| n > 0).count();
        if kinds > 1 {
            return Err(Error::invalid(format!("feature \"{}\" has values of different kinds", shown(name)))
                .detail(format!(
                    "It is a number in {} rows, a boolean in {} and a text in {texts}.",
                    census.numbers, census.booleans
                ))
                .hint("Cast it to one type before jsonb_build_object."));
        }
        if Some(id) == offset {
            if census.numbers == 0 && rows > 0 {
                return Err(Error::invalid(format!("the offset \"{}\" must be a number", shown(name))));
            }
            encoders.push(Encoder::Offset);
            continue;
        }
        let missing = rows - (census.booleans + census.numbers + texts);
        let own_column = missing >= options.min_level_rows.max(1) && missing < rows && missing > 0;
        let feature = features.len();
        let value = |centre, scale| Column { feature, level: LevelRef::Value, centre, scale, spread: 0.0 };
        let level = |at| Column { feature, level: LevelRef::Level(at), centre: 0.0, scale: 1.0, spread: 0.0 };
        let next = columns.len() as u32;
        let mut made = Feature {
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
            made.mean = census.sum / census.weight;
            let missing_column = own_column.then(|| {
                made.levels.push(Level::missing(missing));
                next + 1
            });
            // In units of half the range first, so that squares are neither too large nor too small.
            let range = 0.5 * census.most - 0.5 * census.least;
            if range == 0.0 {
                made.mean = census.most;
            }
            let range = if range > 0.0 { range } else { 1.0 };
            encoders.push(Encoder::Number(next, made.mean, range, missing_column));
            columns.push(value(made.mean, range));
            if own_column {
                columns.push(level(0));
            }
        } else if census.booleans > 0 {
            made.kind = Kind::Boolean;
            made.mean = census.sum / census.weight;
            let missing_column = own_column.then(|| {
                made.levels.push(Level::missing(missing));
                next + 1
            });
            encoders.push(Encoder::Boolean(next, made.mean, missing_column));
            columns.push(value(0.0, 1.0));
            if own_column {
                columns.push(level(0));
            }
        } else if texts > 0 {
            made.kind = Kind::Category;
            let mut by_count: Vec<(&str, u64)> = census.levels.iter().map(|(l, n)| (*l, *n)).collect();
            by_count.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
            let wanted = options.base_levels.get(name);
            let frequent = by_count.iter().take_while(|(_, n)| *n >= options.min_level_rows).count();
            let mut kept = frequent.min(options.max_levels as usize);
            // The pooled categories together are at least as many rows as one alone has to be.
            let pooled = |kept: usize| by_count[kept..].iter().map(|(_, n)| n).sum::<u64>();
            while kept > 0 && kept < by_count.len() && pooled(kept) < options.min_level_rows {
                kept -= 1;
            }
            let rest = pooled(kept);
            made.pooled = (by_count.len() - kept) as u64;
            let mut base = 0;
            if let Some(wanted) = wanted {
                match by_count[..kept].iter().position(|(l, _)| l == wanted) {
                    Some(at) => base = at,
                    None => warnings.push(Warning::new(
                        "unknown_base_level",
                        format!(
                            "Feature \"{}\" has no category \"{}\" on enough rows; its most frequent one is the base.",
                            shown(name),
                            shown(wanted)
                        ),
                    )),
                }
            }
            let mut map = HashMap::new();
            let mut at = next;
            let mut push = |columns: &mut Vec<Column>, made: &mut Feature, one: Level, is_base: bool| {
                let place = made.levels.len();
                made.levels.push(one);
                if is_base {
                    made.base = Some(place);
                    return None;
                }
                columns.push(level(place));
                at += 1;
                Some(at - 1)
            };
            for (i, (name, n)) in by_count[..kept].iter().enumerate() {
                let column = push(&mut columns, &mut made, Level::named(name, *n), i == base);
                map.insert(*name, column);
            }
            let other =
                if rest > 0 { push(&mut columns, &mut made, Level::other(rest), kept == 0) } else { None };
            let missing_column =
                if own_column { push(&mut columns, &mut made, Level::missing(missing), false) } else { None };
            encoders.push(Encoder::Category(map, other, missing_column));
        } else {
            encoders.push(Encoder::Nothing);
            continue;
        }
        features.push(made);
        if columns.len() > MOST_COLUMNS {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many columns for one churn model")
                .detail(format!("Features and their categories make more than {MOST_COLUMNS}."))
                .hint("Lower the option \"max_levels\", or choose with the option \"features\"."));
        }
    }

    // Scales of the numbers; the means of the others are those of their columns.
    let mut squares = vec![0.0; columns.len()];
    let mut entries: Vec<(u32, f64)> = Vec::new();
    let encode = |row: &super::rows::Row, encoders: &[Encoder], entries: &mut Vec<(u32, f64)>| -> f64 {
        entries.clear();
        let mut values = row.values.iter().peekable();
        let mut offset = 0.0;
        for (id, encoder) in encoders.iter().enumerate() {
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
                    let column = map.get(text).copied().unwrap_or(*other);
                    entries.extend(column.map(|at| (at, 1.0)));
                }
                (Encoder::Category(_, _, Some(at)), None) => entries.push((*at, 1.0)),
                _ => {}
            }
        }
        offset
    };
    canonical.each(|i, row| {
        if i % 4096 == 0 {
            checkpoint();
        }
        if !inside[i] {
            return Ok(());
        }
        encode(row, &encoders, &mut entries);
        let weight = row.weight * (row.stayed + row.churned) as f64;
        for &(j, x) in &entries {
            let x = match columns[j as usize].level {
                LevelRef::Value if features[columns[j as usize].feature].kind == Kind::Number => x * x,
                _ => x,
            };
            squares[j as usize] += weight * x;
        }
        Ok(())
    })?;
    for (j, column) in columns.iter_mut().enumerate() {
        let feature = &mut features[column.feature];
        let mean = squares[j] / total;
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
    for (feature, id) in features.iter_mut().zip(0..) {
        if let (Kind::Category, Some(base)) = (feature.kind, feature.base) {
            let others: f64 = feature.levels.iter().map(|l| l.share).sum();
            feature.levels[base].share = (1.0 - others).max(0.0);
        }
        let constant = columns.iter().filter(|c| c.feature == id).all(|c| c.spread == 0.0);
        if constant && feature.pooled > 0 {
            warnings.push(Warning::new(
                "rare_categories",
                format!(
                    "Feature \"{}\" has {} categories, none on {} rows or more: all are pooled, so it tells nothing.",
                    shown(&feature.name),
                    feature.pooled,
                    options.min_level_rows
                ),
            ));
        } else if constant {
            warnings.push(Warning::new(
                "constant_feature",
                format!(
                    "Feature \"{}\" is the same for all rows, so it tells nothing.",
                    shown(&feature.name)
                ),
            ));
        }
    }
    for encoder in &mut encoders {
        if let Encoder::Number(at, _, scale, _) = encoder {
            *scale = columns[*at as usize].scale;
        }
    }
    let dead: Vec<bool> = columns.iter().map(|c| c.spread == 0.0).collect();
    let mut design = Design::new(columns.len());
    canonical.each(|i, row| {
        if i % 4096 == 0 {
            checkpoint();
        }
        if !inside[i] {
            return Ok(());
        }
        let offset = encode(row, &encoders, &mut entries);
        let live = entries.iter().copied().filter(|(j, _)| !dead[*j as usize]);
        design.push(live, row.weight * row.churned as f64, row.weight * row.stayed as f64)?;
        if options.offset.is_some() {
            memory::push(&mut design.offset, offset)?;
        }
        Ok(())
    })?;
    Ok(Prepared { design, columns, features, rows, churned, missing_values, no_offset, warnings })
}
