//! SQL face of [`segmentation_core::axes::rfm`]: `rfm_score` as a window function and
//! with frozen cut points, `rfm_cuts`, `rfm_next_change`, `rfm_segment`. Declared in `sql/axes/rfm.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::axes::rfm::{
    self, Cuts, Fault, MAX_BINS, MapRow, Rule, ScoreRange, Scores, SegmentMap, Values, check_bins,
};
use segmentation_core::base::error::shown_number;
use segmentation_core::base::json::Object;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::{Error, Result};

use crate::base::bytes_type;
use crate::base::options::{self, Options, WithOptions};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbArg;
use crate::pg::message::Message;
use crate::pg::numeric::{NumericArg, not_finite};
use crate::pg::row::{Column, RowShape, columns};
use crate::pg::snapshot::SnapshotKey;
use crate::pg::value::{BytesArg, Value};
use crate::pg::window::{Window, window_function};
use crate::pg::{CallSite, Key, Numeric, OrRaise, interrupt};

/// Recency, frequency and monetary of a customer who bought.
type Measures = [f64; 3];

fn measures(recency: NumericArg, frequency: NumericArg, monetary: Result<f64>) -> Result<Option<Measures>> {
    let frequency = frequency.f64("frequency")?;
    let measures = [recency.f64("recency")?, frequency, monetary?];
    // Who never bought is a prospect, and no part of the population that is scored.
    Ok((frequency > 0.0).then_some(measures))
}

fn finite(value: f64, what: &str) -> Result<f64> {
    if value.is_finite() { Ok(value) } else { Err(not_finite(what, &shown_number(value))) }
}

fn history_measures(
    history: &[u8],
    as_of: i32,
) -> Result<Option<(i32, u64, segmentation_core::base::money::Money)>> {
    let totals = History::read(history)?.totals(i32::MIN, segmentation_core::base::day::check(as_of)?)?;
    Ok(totals.last_purchase.map(|last| (as_of - last, totals.purchases, totals.turnover)))
}

fn of_history(history: &[u8], as_of: i32) -> Result<Option<Measures>> {
    Ok(history_measures(history, as_of)?.map(|(r, f, m)| [f64::from(r), f as f64, m.to_f64()]))
}

// Rows of type rfm

fn row(shape: RowShape, given: [Column; 3], scores: Option<Scores>, bins: usize) -> Value {
    let [recency, frequency, monetary] = given;
    let score = |value: fn(Scores) -> i16| scores.map_or(Column::Null, |s| Column::I16(value(s)));
    shape.row([
        recency,
        frequency,
        monetary,
        score(|s| s.r),
        score(|s| s.f),
        score(|s| s.m),
        Column::I16(bins as i16),
        scores.map_or(Column::Null, |s| Column::I32(s.code())),
    ])
}

fn same(value: Option<Value>) -> Column<'static> {
    value.map_or(Column::Null, Column::Same)
}

// Window functions

/// What a window function knows of its partition.
#[derive(Clone, Copy)]
struct Partition {
    bins: usize,
    cuts: Option<Cuts>,
}

impl Partition {
    fn score(&self, measures: Option<Measures>) -> Option<Scores> {
        let [recency, frequency, monetary] = measures?;
        self.cuts.map(|cuts| cuts.scores(recency, frequency, monetary))
    }
}

/// Bins and rule, arguments `at` and `at + 1`.
fn settings(window: &Window, at: i32) -> Result<(usize, Rule)> {
    let missing = |name| Error::invalid(format!("{name} must not be null"));
    let bins = check_bins(window.current(at).ok_or_else(|| missing("bins"))?.i32())?;
    let rule = Rule::parse(window.current(at + 1).ok_or_else(|| missing("rule"))?.text())?;
    Ok((bins, rule))
}

/// Monetary of a row, by the type of the third argument.
trait Monetary {
    fn read(value: Value) -> Result<f64>;
    fn column(value: Value) -> Column<'static>;
}

struct AsNumeric;
struct AsDouble;

impl Monetary for AsNumeric {
    fn read(value: Value) -> Result<f64> {
        NumericArg::from_bytes(value.bytes()).f64("monetary")
    }

    fn column(value: Value) -> Column<'static> {
        Column::Same(value)
    }
}

impl Monetary for AsDouble {
    fn read(value: Value) -> Result<f64> {
        finite(value.f64(), "monetary")
    }

    fn column(value: Value) -> Column<'static> {
        Column::NumericOfDouble(value.f64())
    }
}

fn numeric<'a>(value: Value) -> NumericArg<'a> {
    NumericArg::from_bytes(value.bytes())
}

fn score_window<M: Monetary>(window: &mut Window) -> Option<Value> {
    let partition = window.partition(|window| {
        let (bins, rule) = settings(window, 3).or_raise();
        let mut read: [Vec<f64>; 3] = Default::default();
        // NaN stands for NULL here: a real one is refused by the readers.
        window.scan(3, |arg, value| {
            let read_one = |value| match arg {
                0 => numeric(value).f64("recency"),
                1 => numeric(value).f64("frequency"),
                _ => M::read(value),
            };
            read[arg].push(value.map_or(f64::NAN, |value| read_one(value).or_raise()));
        });
        let [recency, frequency, monetary] = &mut read;
        let bought: Vec<bool> = (0..recency.len())
            .map(|i| frequency[i] > 0.0 && !recency[i].is_nan() && !monetary[i].is_nan())
            .collect();
        for measure in [recency, frequency, monetary] {
            let mut bought = bought.iter();
            measure.retain(|_| bought.next().copied().unwrap_or(false));
        }
        let cuts = Cuts::of_population([&read[0], &read[1], &read[2]], bins, rule, &mut interrupt).or_raise();
        Partition { bins, cuts }
    });
    let [recency, frequency, monetary] = [0, 1, 2].map(|arg| window.current(arg));
    let scores = match (recency, frequency, monetary) {
        (Some(r), Some(f), Some(m)) => {
            partition.score(measures(numeric(r), numeric(f), M::read(m)).or_raise())
        }
        _ => None,
    };
    let shape = window.call.shape();
    let given = [same(recency), same(frequency), monetary.map_or(Column::Null, M::column)];
    Some(row(shape, given, scores, partition.bins))
}

fn score_history_window(window: &mut Window) -> Option<Value> {
    let partition = window.partition(|window| {
        let (bins, rule) = settings(window, 2).or_raise();
        let mut read: [Vec<f64>; 3] = Default::default();
        // The day comes after the history, when the history's memory may be gone.
        let mut history: Vec<u8> = Vec::new();
        window.scan(2, |arg, value| match (arg, value) {
            (0, value) => {
                history.clear();
                history.extend_from_slice(value.map_or(&[], Value::bytes));
            }
            (_, Some(as_of)) if !history.is_empty() => {
                if let Some(measures) = of_history(&history, as_of.i32()).or_raise() {
                    for (column, value) in read.iter_mut().zip(measures) {
                        column.push(value);
                    }
                }
            }
            _ => {}
        });
        let cuts = Cuts::of_population([&read[0], &read[1], &read[2]], bins, rule, &mut interrupt).or_raise();
        Partition { bins, cuts }
    });
    let measures = match (window.current(0), window.current(1)) {
        (Some(history), Some(as_of)) => history_measures(history.bytes(), as_of.i32()).or_raise(),
        _ => None,
    };
    let shape = window.call.shape();
    Some(history_row(shape, measures, |m| partition.score(m), partition.bins))
}

fn history_row(
    shape: RowShape,
    measures: Option<(i32, u64, segmentation_core::base::money::Money)>,
    score: impl FnOnce(Option<Measures>) -> Option<Scores>,
    bins: usize,
) -> Value {
    let Some((recency, frequency, monetary)) = measures else {
        return row(shape, [Column::Null, Column::Null, Column::Null], None, bins);
    };
    let given = [
        Column::Numeric(Numeric::of_integer(i64::from(recency))),
        Column::Numeric(Numeric::of_integer(frequency as i64)),
        Column::Numeric(Numeric::of_money(monetary)),
    ];
    row(shape, given, score(Some([f64::from(recency), frequency as f64, monetary.to_f64()])), bins)
}

window_function!(rfm_score_window_numeric, pg_finfo_rfm_score_window_numeric, score_window::<AsNumeric>);
window_function!(rfm_score_window_double, pg_finfo_rfm_score_window_double, score_window::<AsDouble>);
window_function!(rfm_score_window_history, pg_finfo_rfm_score_window_history, score_history_window);

// Frozen cut points

/// Reads a value of type rfm_cuts.
///
/// # Errors
/// Says which cut points are wrong.
fn read_cuts(value: Value) -> Result<Cuts> {
    let [recency, frequency, monetary, bins, rule, _, _] = columns::<7>(value, "rfm_cuts");
    let array = |value: Option<Value>| value.map(Value::f64_array).unwrap_or_default();
    let bins = check_bins(bins.map_or(0, |bins| i32::from(bins.i16())))?;
    let rule = Rule::parse(rule.map_or("", Value::text))?;
    Cuts::new([&array(recency), &array(frequency), &array(monetary)], bins, rule)
}

fn frozen(call: &mut CallSite, cuts: Value) -> Cuts {
    *call.memo(&[Key::of(cuts)], || read_cuts(cuts)).or_raise()
}

#[pg_extern(sql = false)]
fn rfm_next_change<'fcx>(
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let cuts = frozen(&mut call, cuts);
    History::read(&history).and_then(|history| rfm::next_change(&history, as_of, &cuts)).or_raise()
}

fn score_frozen<M: Monetary>(
    recency: Option<Value>,
    frequency: Option<Value>,
    monetary: Option<Value>,
    cuts: Option<Value>,
    call: &mut CallSite,
) -> Option<Value> {
    let cuts = frozen(call, cuts?);
    let scores = match (recency, frequency, monetary) {
        (Some(r), Some(f), Some(m)) => {
            measures(numeric(r), numeric(f), M::read(m)).or_raise().map(|[r, f, m]| cuts.scores(r, f, m))
        }
        _ => None,
    };
    let given = [same(recency), same(frequency), monetary.map_or(Column::Null, M::column)];
    Some(row(call.shape(), given, scores, cuts.bins()))
}

#[pg_extern(sql = false)]
fn rfm_score_frozen_numeric<'fcx>(
    recency: Option<Value>,
    frequency: Option<Value>,
    monetary: Option<Value>,
    cuts: Option<Value>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    score_frozen::<AsNumeric>(recency, frequency, monetary, cuts, &mut call)
}

#[pg_extern(sql = false)]
fn rfm_score_frozen_double<'fcx>(
    recency: Option<Value>,
    frequency: Option<Value>,
    monetary: Option<Value>,
    cuts: Option<Value>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    score_frozen::<AsDouble>(recency, frequency, monetary, cuts, &mut call)
}

#[pg_extern(sql = false)]
fn rfm_score_frozen_history<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    cuts: Option<Value>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let cuts = frozen(&mut call, cuts?);
    let measures = match (history, as_of) {
        (Some(history), Some(as_of)) => history_measures(&history, as_of).or_raise(),
        _ => None,
    };
    Some(history_row(call.shape(), measures, |m| m.map(|[r, f, m]| cuts.scores(r, f, m)), cuts.bins()))
}

// Cut points of a population

impl Flat for Values {
    const SQL_NAME: &'static str = "rfm_values";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Values::to_bytes(self, &mut interrupt)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Values::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn rfm_values_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<Values>(text).or_raise()
}

#[pg_extern(sql = false)]
fn rfm_values_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<Values>(message.rest()).or_raise()
}

/// `{"bins": 5, "rule": "quantile"}`
struct CutOptions {
    bins: usize,
    rule: Rule,
}

impl Options for CutOptions {
    const FIELDS: &[&str] = &["bins", "rule"];

    fn read(object: &Object) -> Result<Self> {
        let bins = object.whole("bins", 2, MAX_BINS as u64)?.unwrap_or(5) as usize;
        let rule = object.text("rule")?.map_or(Ok(Rule::Quantile), Rule::parse)?;
        Ok(CutOptions { bins, rule })
    }
}

fn add_customer(values: &mut Values, measures: Option<Measures>) {
    match measures {
        Some([recency, frequency, monetary]) => values.add(recency, frequency, monetary).or_raise(),
        None => values.prospects += 1,
    }
}

/// Measures of a row given by its columns; a NULL makes a customer who is only counted.
fn given_measures<M: Monetary>(
    recency: Option<NumericArg>,
    frequency: Option<NumericArg>,
    monetary: Option<Value>,
) -> Option<Measures> {
    measures(recency?, frequency?, M::read(monetary?)).or_raise()
}

fn given_history(history: Option<&[u8]>, as_of: Option<i32>) -> Option<Measures> {
    of_history(history?, as_of?).or_raise()
}

macro_rules! values_transitions {
    ($($name:ident, $with_options:ident: ($($arg:ident: $type:ty),*) => $measures:expr;)*) => {$(
        #[pg_extern(sql = false)]
        fn $name<'fcx>(
            state: Option<ExpandedArg<'fcx, Values>>,
            $($arg: Option<$type>,)*
            call: CallSite<'fcx>,
        ) -> Expanded<'fcx, Values> {
            let measures = $measures;
            let mut state = resume(state, &call, Values::default);
            add_customer(state.value(), measures);
            state
        }

        #[pg_extern(sql = false)]
        fn $with_options<'fcx>(
            state: Option<ExpandedArg<'fcx, WithOptions<Values>>>,
            $($arg: Option<$type>,)*
            options: Option<JsonbArg<'fcx>>,
            mut call: CallSite<'fcx>,
        ) -> Expanded<'fcx, WithOptions<Values>> {
            let measures = $measures;
            let mut state = WithOptions::resume::<CutOptions>(state, options, &mut call, Values::default);
            add_customer(&mut state.value().state, measures);
            state
        }
    )*};
}

values_transitions! {
    rfm_values_add_numeric, rfm_cuts_add_numeric:
        (recency: NumericArg<'_>, frequency: NumericArg<'_>, monetary: Value)
        => given_measures::<AsNumeric>(recency, frequency, monetary);
    rfm_values_add_double, rfm_cuts_add_double:
        (recency: NumericArg<'_>, frequency: NumericArg<'_>, monetary: Value)
        => given_measures::<AsDouble>(recency, frequency, monetary);
    rfm_values_add_history, rfm_cuts_add_history:
        (history: &[u8], as_of: i32)
        => given_history(history, as_of);
}

#[pg_extern(sql = false)]
fn rfm_values_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Values>>,
    other: Option<ExpandedArg<'fcx, Values>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Values>> {
    merge(state, other, &call, Values::merge)
}

#[pg_extern(sql = false)]
fn rfm_cuts_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Values>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<Values>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<Values>>> {
    merge(state, other, &call, |state, other| state.absorb(other, Values::merge))
}

fn cuts_row(values: &Values, options: &CutOptions, call: &mut CallSite) -> Option<Value> {
    let CutOptions { bins, rule } = *options;
    let cuts = values.cuts(bins, rule, &mut interrupt).or_raise()?;
    let [recency, frequency, monetary] = cuts.measures();
    let shape = call.shape();
    Some(shape.row([
        Column::F64Array(recency),
        Column::F64Array(frequency),
        Column::F64Array(monetary),
        Column::I16(bins as i16),
        Column::Text(rule.name()),
        Column::I64(values.customers() as i64),
        Column::I64(values.prospects as i64),
    ]))
}

#[pg_extern(sql = false)]
fn rfm_cuts_of_values<'fcx>(
    values: ExpandedArg<'fcx, Values>,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let options: CutOptions = options::read(options).or_raise();
    values.with(|values| cuts_row(values, &options, &mut call))
}

#[pg_extern(sql = false)]
fn rfm_cuts_final<'fcx>(state: ExpandedArg<'fcx, Values>, mut call: CallSite<'fcx>) -> Option<Value> {
    state.with(|values| cuts_row(values, &options::none::<CutOptions>(), &mut call))
}

#[pg_extern(sql = false)]
fn rfm_cuts_options_final<'fcx>(
    state: ExpandedArg<'fcx, WithOptions<Values>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    state.with(|state| cuts_row(&state.state, &state.options::<CutOptions>().or_raise(), &mut call))
}

// Segments

/// Reads a map from the table rfm_map.
fn read_map(name: &str) -> Result<(SegmentMap, Vec<Fault>)> {
    let (bins, rows) = Spi::connect(|client| {
        let rows = client.select(
            "SELECT r, f, m, segment, bins FROM segmentation.rfm_map \
             WHERE map OPERATOR(pg_catalog.=) $1 ORDER BY r, f, m",
            Some(1001),
            &[name.into()],
        )?;
        let mut bins = Vec::new();
        let mut read = Vec::new();
        for row in rows {
            let score = |value: Option<i16>| value.map(ScoreRange::One);
            read.push(MapRow {
                r: score(row.get(1)?),
                f: score(row.get(2)?),
                m: score(row.get(3)?),
                segment: row.get(4)?.unwrap_or_default(),
            });
            bins.push(row.get::<i16>(5)?.unwrap_or_default());
        }
        Ok::<_, spi::Error>((bins, read))
    })
    .map_err(|error| Error::invalid("table rfm_map cannot be read").detail(format!("{error}.")))?;
    let Some(first) = bins.first().copied() else {
        let shown: String = name.chars().take(60).collect();
        return Err(Error::invalid(format!("map \"{shown}\" does not exist"))
            .hint("Maps are rows of segmentation.rfm_map."));
    };
    if bins.iter().any(|bins| *bins != first) {
        return Err(Error::invalid(format!("map \"{name}\" mixes numbers of bins")));
    }
    SegmentMap::of_rows(name, i32::from(first), false, &rows)
}

/// Bins and scores of an rfm value; no scores for a prospect, nothing at all for a row of nulls.
fn read_rfm(rfm: Value) -> Option<(i16, Option<Scores>)> {
    let [_, _, _, r, f, m, bins, _] = columns::<8>(rfm, "rfm");
    let score = |value: Option<Value>| value.map(Value::i16);
    let scores = match (score(r), score(f), score(m)) {
        (Some(r), Some(f), Some(m)) => Some(Scores { r, f, m }),
        _ => None,
    };
    Some((score(bins)?, scores))
}

const PROSPECT: &str = "prospect";

#[pg_extern(sql = false)]
fn rfm_segment_by_name<'fcx>(
    rfm: Option<Value>,
    map: Option<&'fcx str>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    let ((bins, scores), map) = (read_rfm(rfm?)?, map?);
    let seen = SnapshotKey::current();
    let keys = [Key::bytes(map.as_bytes()), Key::bytes(seen.bytes())];
    let map = call.memo(&keys, || read_map(map).map(|(map, _)| map)).or_raise();
    let Some(scores) = scores else { return Some(PROSPECT.to_owned()) };
    Some(map.segment(scores, bins).or_raise().to_owned())
}

#[pg_extern(sql = false)]
fn rfm_segment_by_json<'fcx>(
    rfm: Option<Value>,
    map: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<String> {
    let ((bins, scores), map) = (read_rfm(rfm?)?, map?);
    let map = call
        .memo(&[Key::of(map)], || {
            SegmentMap::of_json(&map.value("map of RFM segments").or_raise()).map(|(map, _)| map)
        })
        .or_raise();
    let Some(scores) = scores else { return Some(PROSPECT.to_owned()) };
    Some(map.segment(scores, bins).or_raise().to_owned())
}

fn fault_row(fault: Fault) -> (&'static str, Option<i32>, String) {
    (fault.fault, fault.code, fault.detail)
}

#[pg_extern(sql = false)]
fn rfm_map_check_name(
    map: &str,
) -> TableIterator<'static, (name!(fault, &'static str), name!(code, Option<i32>), name!(detail, String))> {
    TableIterator::new(read_map(map).or_raise().1.into_iter().map(fault_row))
}

#[pg_extern(sql = false)]
fn rfm_map_check_json(
    map: JsonbArg<'_>,
) -> TableIterator<'static, (name!(fault, &'static str), name!(code, Option<i32>), name!(detail, String))> {
    TableIterator::new(
        SegmentMap::of_json(&map.value("map of RFM segments").or_raise())
            .or_raise()
            .1
            .into_iter()
            .map(fault_row),
    )
}

#[pg_extern(sql = false)]
fn rfm_map_rows(
    map: JsonbArg<'_>,
) -> TableIterator<
    'static,
    (name!(r, i16), name!(f, i16), name!(m, i16), name!(segment, String), name!(bins, i16)),
> {
    let (map, _) = SegmentMap::of_json(&map.value("map of RFM segments").or_raise()).or_raise();
    TableIterator::new(
        map.cells().into_iter().map(|(s, segment, bins)| (s.r, s.f, s.m, segment, bins)).collect::<Vec<_>>(),
    )
}
