//! RFM: recency, frequency, monetary value, scored by quantiles of the population.
//!
//! A customer who bought recently, often and for much has high scores. Cut points
//! divide the population of buyers into bins by value, so that equal values always
//! get equal scores, and bins are unequal where ties are many. (`ntile` would make
//! bins equal by splitting ties by chance.)

use crate::Checkpoint;
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::json::Object;
use crate::base::memory;
use crate::facts::purchase_history::History;
use crate::math::order_statistics::{Key, SortedRuns, quantiles, sort_by_key};

/// The most bins that can be asked for.
pub const MAX_BINS: usize = 10;

/// How a value is compared with the cut points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A value belongs to the first bin whose cut point it does not exceed.
    Quantile,
    /// As R's package `rfm` does it: cut points are raised by 1 and bins are
    /// `[lower, upper)`. For whole numbers that is the same; a fractional quantile
    /// lets values just above it into the lower bin.
    RRfm,
}

impl Rule {
    /// `quantile` or `r_rfm`.
    ///
    /// # Errors
    /// Any other name.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "quantile" => Ok(Rule::Quantile),
            "r_rfm" => Ok(Rule::RRfm),
            other => Err(Error::invalid(format!(
                "unrecognized rule: \"{}\"",
                other.chars().take(40).collect::<String>()
            ))
            .hint("Rules are \"quantile\" and \"r_rfm\".")),
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rule::Quantile => "quantile",
            Rule::RRfm => "r_rfm",
        }
    }
}

/// Checks a number of bins.
///
/// # Errors
/// Outside 2 to [`MAX_BINS`].
pub fn check_bins(bins: i32) -> Result<usize> {
    match usize::try_from(bins) {
        Ok(count) if (2..=MAX_BINS).contains(&count) => Ok(count),
        _ => Err(Error::invalid("bins must be between 2 and 10").detail(format!("bins is {bins}."))),
    }
}

/// The cut points of one measure: `bins - 1` of them, ascending.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeasureCuts([f64; MAX_BINS - 1]);

/// Cut points of the three measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuts {
    bins: usize,
    rule: Rule,
    measures: [MeasureCuts; 3],
}

/// Scores of one customer, each from 1 to the number of bins; the highest is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores {
    /// Recency: the highest for the most recent purchase.
    pub r: i16,
    /// Frequency.
    pub f: i16,
    /// Monetary.
    pub m: i16,
}

impl Scores {
    /// 100 r + 10 f + m.
    #[must_use]
    pub fn code(self) -> i32 {
        100 * i32::from(self.r) + 10 * i32::from(self.f) + i32::from(self.m)
    }
}

impl Cuts {
    /// Cut points of a population of buyers; `None` if there are none.
    ///
    /// The three slices hold one value a customer each, finite, in any order.
    ///
    /// # Errors
    /// Memory.
    pub fn of_population(
        values: [&[f64]; 3],
        bins: usize,
        rule: Rule,
        checkpoint: Checkpoint,
    ) -> Result<Option<Cuts>> {
        let mut cuts = Vec::with_capacity(3);
        for measure in values {
            match quantiles(&SortedRuns::new(measure, checkpoint)?, bins) {
                Some(quantiles) => cuts.push(quantiles),
                None => return Ok(None),
            }
        }
        let raise = if rule == Rule::RRfm { 1.0 } else { 0.0 };
        for cut in cuts.iter_mut().flatten() {
            *cut += raise;
        }
        Cuts::new([&cuts[0], &cuts[1], &cuts[2]], bins, rule).map(Some)
    }

    /// Frozen cut points: those of an earlier population, or an expert's.
    ///
    /// # Errors
    /// Not `bins - 1` finite, ascending cut points for each of recency, frequency and monetary.
    pub fn new(cuts: [&[f64]; 3], bins: usize, rule: Rule) -> Result<Cuts> {
        let mut measures = [MeasureCuts([f64::INFINITY; MAX_BINS - 1]); 3];
        for ((measure, cuts), name) in measures.iter_mut().zip(cuts).zip(["recency", "frequency", "monetary"])
        {
            let faulty = if cuts.len() + 1 != bins {
                Some(format!("There are {} cut points of {name} for {bins} bins.", cuts.len()))
            } else if cuts.iter().any(|cut| !cut.is_finite()) {
                Some(format!("A cut point of {name} is not a finite number."))
            } else if cuts.windows(2).any(|pair| pair[0] > pair[1]) {
                Some(format!("The cut points of {name} are not in ascending order."))
            } else {
                None
            };
            if let Some(detail) = faulty {
                return Err(Error::invalid("invalid cut points").detail(detail));
            }
            measure.0[..cuts.len()].copy_from_slice(cuts);
        }
        Ok(Cuts { bins, rule, measures })
    }

    /// Number of bins.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// The rule of comparison.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The cut points of recency, frequency and monetary.
    #[must_use]
    pub fn measures(&self) -> [&[f64]; 3] {
        [0, 1, 2].map(|i| &self.measures[i].0[..self.bins - 1])
    }

    /// Bin of a value, 1 being the lowest.
    #[inline]
    fn bin(&self, measure: usize, value: f64) -> i16 {
        let cuts = &self.measures[measure].0[..self.bins - 1];
        let passed = match self.rule {
            Rule::Quantile => cuts.iter().filter(|cut| value > **cut).count(),
            Rule::RRfm => cuts.iter().filter(|cut| value >= **cut).count(),
        };
        passed as i16 + 1
    }

    /// The next recency, in whole days, at which the score of recency changes; `None` if it is at
    /// its last.
    #[must_use]
    pub fn next_recency(&self, recency: i32) -> Option<i64> {
        let first_beyond = |cut: f64| match self.rule {
            Rule::Quantile => cut.floor() + 1.0,
            Rule::RRfm => cut.ceil(),
        };
        // Ascending: the first cut point that is not passed yet. Too far ones saturate.
        let [cuts, ..] = self.measures();
        cuts.iter()
            .map(|cut| first_beyond(*cut))
            .find(|next| *next > f64::from(recency))
            .map(|next| next as i64)
    }

    /// Scores of a customer who bought.
    #[must_use]
    pub fn scores(&self, recency: f64, frequency: f64, monetary: f64) -> Scores {
        Scores {
            r: self.bins as i16 + 1 - self.bin(0, recency),
            f: self.bin(1, frequency),
            m: self.bin(2, monetary),
        }
    }
}

/// The first day after `as_of` on which the scores change because the last purchase is too long ago, or
/// on which something dated after `as_of` may change them. `None` if neither ever is.
///
/// # Errors
/// `as_of` outside the calendar, damaged bytes.
pub fn next_change(history: &History, as_of: Day, cuts: &Cuts) -> Result<Option<Day>> {
    day::check(as_of)?;
    let crossing = history.purchase_days_until(as_of)?.and_then(|days| {
        let recency = cuts.next_recency(as_of - days.last)?;
        let day = i64::from(days.last).checked_add(recency)?;
        Day::try_from(day).ok().filter(|day| *day <= day::LAST)
    });
    Ok(crossing.into_iter().chain(history.next_day(as_of, true)?).min())
}

/// Recency, frequency and monetary of many customers: what cut points are made of.
///
/// Mergeable; its flat form lists the customers in the order of their values, so
/// that it does not depend on the order of arrival.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    recency: Vec<f64>,
    frequency: Vec<f64>,
    monetary: Vec<f64>,
    /// Customers left out because they never bought.
    pub prospects: u64,
}

const VALUES_VERSION: u8 = 1;

impl Values {
    /// The most customers that one value can hold: its flat form ends at 1 GB.
    pub const MAX_CUSTOMERS: usize = 40_000_000;

    /// Customers who bought.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.recency.len()
    }

    /// Adds a customer who bought.
    ///
    /// # Errors
    /// More than [`Self::MAX_CUSTOMERS`], or no memory.
    pub fn add(&mut self, recency: f64, frequency: f64, monetary: f64) -> Result<()> {
        self.reserve(1)?;
        self.recency.push(recency);
        self.frequency.push(frequency);
        self.monetary.push(monetary);
        Ok(())
    }

    /// Adds the customers of another.
    ///
    /// # Errors
    /// As for [`Self::add`].
    pub fn merge(&mut self, other: &Values) -> Result<()> {
        self.reserve(other.customers())?;
        self.recency.extend_from_slice(&other.recency);
        self.frequency.extend_from_slice(&other.frequency);
        self.monetary.extend_from_slice(&other.monetary);
        self.prospects = self.prospects.saturating_add(other.prospects);
        Ok(())
    }

    fn reserve(&mut self, more: usize) -> Result<()> {
        if self.customers() + more > Self::MAX_CUSTOMERS {
            return Err(crate::Error::new(
                crate::ErrorKind::LimitExceeded,
                "too many customers for one set of cut points",
            )
            .detail(format!("At most {} customers can be held.", Self::MAX_CUSTOMERS))
            .hint("Take a sample of the customers: cut points of some millions are as good."));
        }
        for measure in [&mut self.recency, &mut self.frequency, &mut self.monetary] {
            memory::reserve(measure, more)?;
        }
        Ok(())
    }

    /// Their cut points; `None` if nobody bought.
    ///
    /// # Errors
    /// Memory.
    pub fn cuts(&self, bins: usize, rule: Rule, checkpoint: Checkpoint) -> Result<Option<Cuts>> {
        Cuts::of_population([&self.recency, &self.frequency, &self.monetary], bins, rule, checkpoint)
    }

    /// The flat form: version, prospects, customers, then their values in ascending order.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self, checkpoint: Checkpoint) -> Result<Vec<u8>> {
        let customers = self.customers();
        let mut rows: Vec<[f64; 3]> = memory::with_capacity(customers)?;
        for start in (0..customers).step_by(1 << 20) {
            checkpoint();
            let end = customers.min(start + (1 << 20));
            rows.extend((start..end).map(|i| [self.recency[i], self.frequency[i], self.monetary[i]]));
        }
        sort_by_key(&mut rows, |row| row.map(Key::to_key), checkpoint)?;
        let mut out: Vec<u8> = memory::with_capacity(17 + 24 * rows.len())?;
        out.push(VALUES_VERSION);
        out.extend_from_slice(&self.prospects.to_le_bytes());
        out.extend_from_slice(&(rows.len() as u64).to_le_bytes());
        for value in rows.iter().flatten() {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Ok(out)
    }

    /// Reads the flat form.
    ///
    /// # Errors
    /// Anything that [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = |detail: &'static str| {
            Error::new(crate::ErrorKind::InvalidBinary, "invalid rfm_values").detail(detail)
        };
        let (header, rest) =
            bytes.split_first_chunk::<17>().ok_or_else(|| invalid("The value ends too early."))?;
        if header[0] != VALUES_VERSION {
            return Err(invalid("Its version is not one that this release knows."));
        }
        let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| header[at + i]));
        if word(9).checked_mul(24) != Some(rest.len() as u64) {
            return Err(invalid("Its count does not fit its length."));
        }
        let mut values = Values { prospects: word(1), ..Values::default() };
        values.reserve(rest.len() / 24)?;
        for row in rest.chunks_exact(24) {
            let number = |at: usize| f64::from_le_bytes(std::array::from_fn(|i| row[at + i]));
            let row = [number(0), number(8), number(16)];
            if row.iter().any(|v| !v.is_finite()) {
                return Err(invalid("It holds a number that is not finite."));
            }
            values.add(row[0], row[1], row[2])?;
        }
        Ok(values)
    }
}

/// A map from scores to segment names.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentMap {
    name: String,
    bins: usize,
    segments: Vec<String>,
    /// For each code, in order of r, f, m: index into `segments` plus one, 0 if it has none.
    codes: Vec<u16>,
}

/// What is wrong with a map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `missing`, `double` or `invalid`.
    pub fault: &'static str,
    /// The code, such as 145, if one is concerned.
    pub code: Option<i32>,
    /// In words.
    pub detail: String,
}

/// One row of a map: a box of scores and its segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapRow {
    /// The segment's code, such as `champions`.
    pub segment: String,
    /// Lowest and highest recency score; all if absent.
    pub r: Option<ScoreRange>,
    /// Lowest and highest frequency score; all if absent.
    pub f: Option<ScoreRange>,
    /// Lowest and highest monetary score; all if absent.
    pub m: Option<ScoreRange>,
}

/// One score, or the lowest and the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreRange {
    /// A single score.
    One(i16),
    /// From the first to the second.
    Between(i16, i16),
}

impl SegmentMap {
    /// From rows; with `first_match`, a code belongs to the first row that holds it.
    ///
    /// Returns the map and its faults: a code without segment, a code with two
    /// (unless `first_match`), a score outside the bins.
    ///
    /// # Errors
    /// A number of bins that is not allowed, or more than 1,000 rows.
    pub fn of_rows(name: &str, bins: i32, first_match: bool, rows: &[MapRow]) -> Result<(Self, Vec<Fault>)> {
        let bins = check_bins(bins)?;
        if rows.len() > 1000 {
            return Err(Error::invalid(format!("map \"{name}\" has more than 1000 rows")));
        }
        let mut map = SegmentMap {
            name: name.to_owned(),
            bins,
            segments: rows.iter().map(|row| row.segment.clone()).collect(),
            codes: vec![0; bins.pow(3)],
        };
        let mut faults = Vec::new();
        for (index, row) in rows.iter().enumerate() {
            let mut bounds = [(1, bins as i16); 3];
            for (bound, range) in bounds.iter_mut().zip([row.r, row.f, row.m]) {
                match range {
                    None => {}
                    Some(ScoreRange::One(score)) => *bound = (score, score),
                    Some(ScoreRange::Between(low, high)) => *bound = (low, high),
                }
            }
            if let Some((low, high)) =
                bounds.iter().find(|(low, high)| *low < 1 || *high > bins as i16 || low > high)
            {
                faults.push(Fault {
                    fault: "invalid",
                    code: None,
                    detail: format!(
                        "Row {} (\"{}\") has scores from {low} to {high}; there are {bins} bins.",
                        index + 1,
                        row.segment
                    ),
                });
                continue;
            }
            for r in bounds[0].0..=bounds[0].1 {
                for f in bounds[1].0..=bounds[1].1 {
                    for m in bounds[2].0..=bounds[2].1 {
                        let scores = Scores { r, f, m };
                        let position = map.position(scores);
                        match map.codes[position] {
                            0 => map.codes[position] = index as u16 + 1,
                            _ if first_match => {}
                            first => faults.push(Fault {
                                fault: "double",
                                code: Some(scores.code()),
                                detail: format!(
                                    "Code {} is both \"{}\" and \"{}\".",
                                    scores.code(),
                                    map.segments[usize::from(first) - 1],
                                    row.segment
                                ),
                            }),
                        }
                    }
                }
            }
        }
        for r in 1..=bins as i16 {
            for f in 1..=bins as i16 {
                for m in 1..=bins as i16 {
                    let scores = Scores { r, f, m };
                    if map.codes[map.position(scores)] == 0 {
                        let code = scores.code();
                        faults.push(Fault {
                            fault: "missing",
                            code: Some(code),
                            detail: format!("Code {code} has no segment."),
                        });
                    }
                }
            }
        }
        Ok((map, faults))
    }

    /// From JSON: `{"bins": 5, "first_match": true, "segments": [{"segment": "champions", "r": [4, 5], "f": 5}]}`.
    ///
    /// # Errors
    /// A value that does not follow the form, or what [`Self::of_rows`] refuses.
    pub fn of_json(value: &serde_json::Value) -> Result<(Self, Vec<Fault>)> {
        const WHAT: &str = "map of RFM segments";
        let object = Object::new(WHAT, "", value, &["bins", "first_match", "segments"])?;
        let bins = object.whole("bins", 2, MAX_BINS as u64)?.unwrap_or(5);
        let first_match = match object.get("first_match") {
            None => false,
            Some(value) => value.as_bool().ok_or_else(|| object.wrong("first_match", "true or false"))?,
        };
        let segments = object.list("segments")?.ok_or_else(|| {
            object.wrong("segments", "a list").hint(
                r#"A map is written {"bins": 5, "segments": [{"segment": "champions", "r": [4, 5], "f": [4, 5], "m": [4, 5]}, ...]}."#,
            )
        })?;
        let mut rows = Vec::with_capacity(segments.len().min(1000));
        for (index, segment) in segments.iter().enumerate() {
            let path = format!("segments[{index}]");
            let row = Object::new(WHAT, &path, segment, &["segment", "r", "f", "m"])?;
            let name = row.need_text("segment")?;
            if name.is_empty() {
                return Err(row.wrong("segment", "a name that is not empty"));
            }
            let range = |key| -> Result<Option<ScoreRange>> {
                let score = |value: &serde_json::Value| value.as_i64().and_then(|n| i16::try_from(n).ok());
                let Some(value) = row.get(key) else { return Ok(None) };
                let range = match value {
                    serde_json::Value::Array(pair) => match &pair[..] {
                        [low, high] => {
                            score(low).zip(score(high)).map(|(low, high)| ScoreRange::Between(low, high))
                        }
                        _ => None,
                    },
                    one => score(one).map(ScoreRange::One),
                };
                range
                    .map(Some)
                    .ok_or_else(|| row.wrong(key, "a score, or a list of the lowest and the highest"))
            };
            rows.push(MapRow { segment: name.to_owned(), r: range("r")?, f: range("f")?, m: range("m")? });
        }
        Self::of_rows("jsonb", bins as i32, first_match, &rows)
    }

    /// Every code that has a segment: scores, segment, bins.
    #[must_use]
    pub fn cells(&self) -> Vec<(Scores, String, i16)> {
        let bins = self.bins as i16;
        let all = (1..=bins)
            .flat_map(|r| (1..=bins).flat_map(move |f| (1..=bins).map(move |m| Scores { r, f, m })));
        all.filter_map(|scores| {
            let index = usize::from(self.codes[self.position(scores)]).checked_sub(1)?;
            Some((scores, self.segments[index].clone(), bins))
        })
        .collect()
    }

    fn position(&self, scores: Scores) -> usize {
        let digit = |score: i16| (score - 1) as usize;
        (digit(scores.r) * self.bins + digit(scores.f)) * self.bins + digit(scores.m)
    }

    /// The segment of a score.
    ///
    /// # Errors
    /// Scores of other bins, or a code that the map leaves out.
    pub fn segment(&self, scores: Scores, bins: i16) -> Result<&str> {
        let name = &self.name;
        if usize::try_from(bins) != Ok(self.bins) {
            return Err(Error::invalid(format!("map \"{name}\" does not fit the scores"))
                .detail(format!("The map is for {} bins, the scores have {bins}.", self.bins)));
        }
        if [scores.r, scores.f, scores.m].iter().any(|score| !(1..=bins).contains(score)) {
            return Err(Error::invalid("invalid rfm value").detail("A score lies outside its bins."));
        }
        match self.codes[self.position(scores)] {
            0 => Err(Error::invalid(format!("map \"{name}\" has no segment for code {}", scores.code()))
                .hint("rfm_map_check lists all faults of a map.")),
            index => Ok(&self.segments[usize::from(index) - 1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_stay_together_and_cuts_include_their_value() {
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let cuts = Cuts::of_population([&values; 3], 5, Rule::Quantile, &mut || {}).unwrap().unwrap();
        // Type-7 quantiles of 1..10: 2.8 4.6 6.4 8.2
        let bins: Vec<i16> = values.iter().map(|v| cuts.scores(0.0, *v, *v).f).collect();
        assert_eq!(bins, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(cuts.scores(1.0, 10.0, 1.0), Scores { r: 5, f: 5, m: 1 });
        assert_eq!(cuts.scores(1.0, 10.0, 1.0).code(), 551);
        assert_eq!(cuts.scores(99.0, -5.0, 1e9).code(), 115);
    }

    #[test]
    fn one_value_only() {
        let cuts = Cuts::of_population([&[7.0]; 3], 5, Rule::Quantile, &mut || {}).unwrap().unwrap();
        assert_eq!(cuts.scores(7.0, 7.0, 7.0).code(), 511);
        assert_eq!(Cuts::of_population([&[]; 3], 5, Rule::Quantile, &mut || {}).unwrap(), None);
    }

    #[test]
    fn cut_points_are_checked() {
        let good: &[f64] = &[1.0, 2.0, 3.0, 4.0];
        assert!(Cuts::new([good; 3], 5, Rule::Quantile).is_ok());
        for bad in [&[1.0, 2.0, 3.0][..], &[4.0, 3.0, 2.0, 1.0], &[1.0, f64::NAN, 3.0, 4.0], &[]] {
            assert!(Cuts::new([good, bad, good], 5, Rule::Quantile).is_err(), "{bad:?}");
        }
        for bins in [-1, 0, 1, 11, i32::MAX] {
            assert!(check_bins(bins).is_err());
        }
    }

    fn json_of(text: &str) -> serde_json::Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn maps_are_checked() {
        let json = r#"{"bins": 2, "segments": [{"segment": "good", "r": 2}, {"segment": "bad", "r": 1, "f": [1, 1]}]}"#;
        let (map, faults) = SegmentMap::of_json(&json_of(json)).unwrap();
        assert_eq!(
            faults.iter().map(|f| (f.fault, f.code)).collect::<Vec<_>>(),
            [("missing", Some(121)), ("missing", Some(122))]
        );
        assert_eq!(map.segment(Scores { r: 2, f: 1, m: 2 }, 2).unwrap(), "good");
        assert!(map.segment(Scores { r: 1, f: 2, m: 2 }, 2).is_err());
        assert!(map.segment(Scores { r: 1, f: 1, m: 2 }, 5).is_err());
        assert!(map.segment(Scores { r: 3, f: 1, m: 2 }, 2).is_err());
        let double = r#"{"bins": 2, "segments": [{"segment": "a"}, {"segment": "b", "r": 1, "f": 1, "m": 1}, {"segment": "c", "r": [2, 3]}]}"#;
        let (_, faults) = SegmentMap::of_json(&json_of(double)).unwrap();
        assert_eq!(
            faults.iter().map(|f| (f.fault, f.code)).collect::<Vec<_>>(),
            [("double", Some(111)), ("invalid", None)]
        );
        for bad in [
            "[]",
            "{}",
            r#"{"segments": [{"segment": 1}]}"#,
            r#"{"bins": 50, "segments": []}"#,
            r#"{"segments": [], "x": 1}"#,
        ] {
            assert!(SegmentMap::of_json(&json_of(bad)).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn merged_values_are_the_same_bytes(rows in proptest::collection::vec((0..900_i32, 1..30_i32, -5.0..1e4_f64), 0..50), at: prop::sample::Index) {
            let mut whole = Values::default();
            let (mut left, mut right) = (Values::default(), Values::default());
            let cut = if rows.is_empty() { 0 } else { at.index(rows.len()) };
            for (i, (r, f, m)) in rows.iter().enumerate() {
                let (r, f) = (f64::from(*r), f64::from(*f));
                whole.add(r, f, *m).unwrap();
                if i < cut { left.add(r, f, *m).unwrap() } else { right.add(r, f, *m).unwrap() }
            }
            right.merge(&left).unwrap();
            let bytes = |values: &Values| values.to_bytes(&mut || {}).unwrap();
            prop_assert_eq!(bytes(&right), bytes(&whole));
            prop_assert_eq!(bytes(&Values::from_bytes(&bytes(&whole)).unwrap()), bytes(&whole));
        }

        #[test]
        fn hostile_values(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Values::from_bytes(&bytes);
        }

        #[test]
        fn hostile_maps(bins: i64, low: i64, high: i64, segment in "\\PC{0,9}") {
            let row = serde_json::json!({"segment": segment, "r": [low, high], "f": low});
            let _ = SegmentMap::of_json(&serde_json::json!({"bins": bins, "segments": [row.clone()]}));
            let _ = SegmentMap::of_json(&serde_json::json!({"segments": [row]}));
        }
    }
}
