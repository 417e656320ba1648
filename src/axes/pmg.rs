//! SQL face of [`segmentation_core::axes::pmg`]: `pmg_bucket`, `pmg_cuts`, `pmg_next_change`, `gini`,
//! `concentration_curve`. Declared in `sql/axes/pmg.sql`.

use std::ffi::CStr;

use pgrx::prelude::*;
use segmentation_core::axes::pmg::{self, Cuts, Limits, Mode, SHARE_SCALE, Share, Turnovers};
use segmentation_core::base::json::Object;
use segmentation_core::base::money::Money;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::{Error, Result};

use crate::base::bytes_type;
use crate::base::cuts::pmg_cuts;
use crate::base::options::{self, Options, WithOptions};
use crate::pg::enums::EnumValues;
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::JsonbArg;
use crate::pg::message::Message;
use crate::pg::numeric::NumericArg;
use crate::pg::row::Column;
use crate::pg::value::{BytesArg, Value};
use crate::pg::window::{Window, window_function};
use crate::pg::{CallSite, Key, Numeric, OrRaise, interrupt};

const LABELS: [&str; 4] = ["I", "P", "M", "G"];

// Window function

fn turnover(value: Value) -> Money {
    NumericArg::from_bytes(value.bytes()).money("turnover").or_raise()
}

fn share(value: Value, name: &str) -> Result<Share> {
    NumericArg::from_bytes(value.bytes()).fixed(3, name).map(Share)
}

fn bucket_window(window: &mut Window) -> Option<Value> {
    let cuts: Option<Cuts> = window.partition(|window| {
        let mode = window.current(1).ok_or_else(|| Error::invalid("mode must not be null"));
        let limits = mode
            .and_then(|mode| Mode::parse(mode.text()))
            .and_then(|mode| {
                let gros = window.current(2).map(|v| share(v, "gros")).transpose()?;
                let moyens = window.current(3).map(|v| share(v, "moyens")).transpose()?;
                Limits::new(mode, gros, moyens)
            })
            .or_raise();
        let mut turnovers = Turnovers::default();
        window.scan(1, |_, value| {
            if let Some(value) = value {
                turnovers.add(turnover(value)).or_raise();
            }
        });
        turnovers.cuts(limits, &mut interrupt).or_raise()
    });
    let turnover = turnover(window.current(0)?);
    // Without anybody active there are no cuts, and everybody is I.
    let class = cuts.map_or("I", |cuts| cuts.class(turnover).code());
    let labels = window.call.remember(|call| EnumValues::of_result(call, &LABELS));
    Some(labels.get(class))
}

window_function!(pmg_bucket_window, pg_finfo_pmg_bucket_window, bucket_window);

// Frozen limits

#[pg_extern(sql = false)]
fn pmg_bucket_frozen<'fcx>(
    turnover: NumericArg<'fcx>,
    cuts: Value,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let cuts = *call.memo(&[Key::of(cuts)], || pmg_cuts(cuts)).or_raise();
    let turnover = turnover.money("turnover").or_raise();
    let class = cuts?.class(turnover).code();
    Some(call.remember(|call| EnumValues::of_result(call, &LABELS)).get(class))
}

#[pg_extern(sql = false)]
fn pmg_next_change<'fcx>(
    history: BytesArg<'fcx>,
    as_of: i32,
    cuts: Value,
    months: i32,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let cuts = (*call.memo(&[Key::of(cuts)], || pmg_cuts(cuts)).or_raise())?;
    History::read(&history).and_then(|history| pmg::next_change(&history, as_of, cuts, months)).or_raise()
}

// Turnovers of a population

impl Flat for Turnovers {
    const SQL_NAME: &'static str = "turnover_values";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Turnovers::to_bytes(self, &mut interrupt)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Turnovers::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn turnover_values_in(text: &CStr) -> Vec<u8> {
    bytes_type::parse::<Turnovers>(text).or_raise()
}

#[pg_extern(sql = false)]
fn turnover_values_recv(mut message: Message) -> Vec<u8> {
    bytes_type::checked::<Turnovers>(message.rest()).or_raise()
}

#[pg_extern(sql = false)]
fn turnover_values_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Turnovers>>,
    turnover: Option<NumericArg<'fcx>>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Turnovers> {
    let mut state = resume(state, &call, Turnovers::default);
    if let Some(turnover) = turnover {
        turnover.money("turnover").and_then(|turnover| state.value().add(turnover)).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn turnover_values_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Turnovers>>,
    other: Option<ExpandedArg<'fcx, Turnovers>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Turnovers>> {
    merge(state, other, &call, Turnovers::merge)
}

// Cuts

/// `{"mode": "rank", "gros": 0.05, "moyens": 0.20}`
struct CutOptions(Limits);

impl Options for CutOptions {
    const FIELDS: &[&str] = &["mode", "gros", "moyens"];

    fn read(object: &Object) -> Result<Self> {
        let mode = object.text("mode")?.map_or(Ok(Mode::Rank), Mode::parse)?;
        // Twelve places: any share that a person writes is meant exactly.
        let share = |key| -> Result<Option<Share>> {
            let number = object.number(key, 0.0, 1.0)?;
            Ok(number.map(|share| Share((share * SHARE_SCALE as f64).round() as i128)))
        };
        Limits::new(mode, share("gros")?, share("moyens")?).map(CutOptions)
    }
}

#[pg_extern(sql = false)]
fn pmg_cuts_add<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Turnovers>>>,
    turnover: Option<NumericArg<'fcx>>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<Turnovers>> {
    let mut state = WithOptions::resume::<CutOptions>(state, options, &mut call, Turnovers::default);
    if let Some(turnover) = turnover {
        turnover.money("turnover").and_then(|turnover| state.value().state.add(turnover)).or_raise();
    }
    state
}

#[pg_extern(sql = false)]
fn pmg_cuts_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Turnovers>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<Turnovers>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<Turnovers>>> {
    merge(state, other, &call, |state, other| state.absorb(other, Turnovers::merge))
}

fn cuts_row(turnovers: &Turnovers, options: &CutOptions, call: &mut CallSite) -> Option<Value> {
    let limits = options.0;
    let active = turnovers.active(&mut interrupt).or_raise();
    let cuts = active.cuts(limits)?;
    // Shares have at most twelve places; a numeric of ours shows four.
    let share = |share: Share| Column::NumericOfDouble(share.0 as f64 / SHARE_SCALE as f64);
    let shape = call.shape();
    Some(shape.row([
        Column::Text(limits.mode.name()),
        share(limits.gros),
        share(limits.moyens),
        Column::Numeric(Numeric::of_money(cuts.gros_from)),
        Column::Numeric(Numeric::of_money(cuts.moyens_from)),
        Column::I64(turnovers.customers() as i64),
        Column::I64(active.customers() as i64),
        Column::Numeric(Numeric::of_sum(active.total())),
    ]))
}

#[pg_extern(sql = false)]
fn pmg_cuts_final<'fcx>(state: ExpandedArg<'fcx, Turnovers>, mut call: CallSite<'fcx>) -> Option<Value> {
    state.with(|turnovers| cuts_row(turnovers, &options::none::<CutOptions>(), &mut call))
}

#[pg_extern(sql = false)]
fn pmg_cuts_options_final<'fcx>(
    state: ExpandedArg<'fcx, WithOptions<Turnovers>>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    state.with(|state| cuts_row(&state.state, &state.options::<CutOptions>().or_raise(), &mut call))
}

#[pg_extern(sql = false)]
fn pmg_cuts_of_values<'fcx>(
    values: ExpandedArg<'fcx, Turnovers>,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let options: CutOptions = options::read(options).or_raise();
    values.with(|turnovers| cuts_row(turnovers, &options, &mut call))
}

// Concentration

#[pg_extern(sql = false)]
fn gini_of_values(values: ExpandedArg<'_, Turnovers>) -> Option<f64> {
    values.with(|turnovers| turnovers.gini(&mut interrupt)).or_raise()
}

#[pg_extern(sql = false)]
fn concentration_curve(
    values: ExpandedArg<'_, Turnovers>,
    points: i32,
) -> TableIterator<
    'static,
    (name!(customers, i64), name!(customer_share, f64), name!(turnover, Numeric), name!(turnover_share, f64)),
> {
    let curve = values.with(|turnovers| turnovers.concentration(points, &mut interrupt)).or_raise();
    TableIterator::new(
        curve
            .into_iter()
            .map(|p| (p.customers as i64, p.customer_share, Numeric::of_sum(p.turnover), p.turnover_share)),
    )
}
