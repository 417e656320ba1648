//! SQL face of [`segmentation_core::axes::loyalty`] and [`segmentation_core::facts::gaps`]: `loyalty`,
//! `loyalty_explain`, `loyalty_next_change`, `fit_loyalty_prior`, `clumpiness`, `gamma_shape`,
//! `category_breadth`, `nps`. Declared in `sql/axes/loyalty.sql`.

// The columns of a table are its row type.
#![allow(clippy::type_complexity)]

use pgrx::prelude::*;
use segmentation_core::axes::loyalty::{self, Attitudes, LoyaltyOptions};
use segmentation_core::base::json::Object;
use segmentation_core::base::language::Language;
use segmentation_core::facts::gaps::{self, PriorState};
use segmentation_core::facts::interest::counts;
use segmentation_core::{Error, ErrorKind, Result};

use crate::base::options::{self, Options, WithOptions, not_constant};
use crate::pg::expanded::{Expanded, ExpandedArg, Flat, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::memo::borrow;
use crate::pg::row::Column;
use crate::pg::value::{BytesArg, Value};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

fn read(options: Option<JsonbArg>) -> Result<LoyaltyOptions> {
    LoyaltyOptions::from_json(&options::given(options)?)
}

fn number(value: Option<f64>) -> Column<'static> {
    value.map_or(Column::Null, Column::F64)
}

#[pg_extern(sql = false)]
fn loyalty<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    breadth: Option<f64>,
    satisfaction: Option<f64>,
    share_of_wallet: Option<f64>,
    mut call: CallSite<'fcx>,
) -> Option<Value> {
    let shape = call.shape();
    let options = call.memo(&[Key::of(options)], || read(options)).or_raise();
    let attitudes = Attitudes { breadth, satisfaction, share_of_wallet };
    let loyalty = loyalty::loyalty(history.map(|h| h.0), as_of?, options, attitudes).or_raise();
    let v = loyalty.values;
    let whole = |value: Option<f64>| value.map_or(Column::Null, |n| Column::I32(n as i32));
    Some(shape.row([
        whole(v[0]),
        whole(v[1]),
        number(v[2]),
        number(v[3]),
        number(v[4]),
        number(v[5]),
        number(v[6]),
        number(v[7]),
        number(loyalty.index),
        Column::Text(loyalty.band),
    ]))
}

#[pg_extern(sql = false)]
fn loyalty_next_change<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    breadth: Option<f64>,
    satisfaction: Option<f64>,
    share_of_wallet: Option<f64>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let options = call.memo(&[Key::of(options)], || read(options)).or_raise();
    let attitudes = Attitudes { breadth, satisfaction, share_of_wallet };
    loyalty::next_change(history.map(|h| h.0), as_of?, options, attitudes, None).or_raise()
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn loyalty_next_change_until<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    breadth: Option<f64>,
    satisfaction: Option<f64>,
    share_of_wallet: Option<f64>,
    until: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let options = call.memo(&[Key::of(options)], || read(options)).or_raise();
    let attitudes = Attitudes { breadth, satisfaction, share_of_wallet };
    loyalty::next_change(history.map(|h| h.0), as_of?, options, attitudes, until).or_raise()
}

#[pg_extern(sql = false)]
fn loyalty_explain<'fcx>(
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    breadth: Option<f64>,
    satisfaction: Option<f64>,
    share_of_wallet: Option<f64>,
    language: Option<&'fcx str>,
) -> TableIterator<
    'static,
    (
        name!(component, &'static str),
        name!(value, Option<f64>),
        name!(points, Option<f64>),
        name!(weight, f64),
        name!(contribution, Option<f64>),
        name!(text, String),
    ),
> {
    let language = Language::parse(language.unwrap_or("en")).or_raise();
    let options = borrow(&[Key::of(options)], || read(options)).or_raise();
    let attitudes = Attitudes { breadth, satisfaction, share_of_wallet };
    let lines = as_of.map(|as_of| {
        let loyalty = loyalty::loyalty(history.map(|h| h.0), as_of, &options, attitudes).or_raise();
        loyalty::explain(&loyalty, language)
    });
    TableIterator::new(
        lines
            .unwrap_or_default()
            .into_iter()
            .map(|l| (l.component, l.value, l.points, l.weight, l.contribution, l.text)),
    )
}

// The prior

struct PriorOptions(u64);

impl Options for PriorOptions {
    const FIELDS: &[&str] = &["least_customers"];

    fn read(object: &Object) -> Result<Self> {
        Ok(PriorOptions(object.whole("least_customers", 2, 1 << 40)?.unwrap_or(30)))
    }
}

impl Flat for PriorState {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(PriorState::to_bytes(self))
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        PriorState::from_bytes(bytes)
    }
}

#[pg_extern(sql = false)]
fn loyalty_prior_add<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<PriorState>>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<PriorState>> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let mut state = WithOptions::resume::<PriorOptions>(state, Some(options), &mut call, || {
        PriorState::new(as_of).or_raise()
    });
    add(&mut state.value().state, history, as_of).or_raise();
    state
}

#[pg_extern(sql = false)]
fn loyalty_prior_add_plain<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<PriorState>>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<PriorState>> {
    let as_of = as_of.ok_or_else(|| not_constant("as_of")).or_raise();
    let mut state =
        WithOptions::resume::<PriorOptions>(state, None, &mut call, || PriorState::new(as_of).or_raise());
    add(&mut state.value().state, history, as_of).or_raise();
    state
}

fn add(state: &mut PriorState, history: Option<BytesArg>, as_of: i32) -> Result<()> {
    if state.as_of() != as_of {
        return Err(not_constant("as_of"));
    }
    state.add(history.map(|h| h.0))
}

#[pg_extern(sql = false)]
fn loyalty_prior_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<PriorState>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<PriorState>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<PriorState>>> {
    merge(state, other, &call, |state, other| state.absorb(other, PriorState::merge))
}

#[pg_extern(sql = false)]
fn loyalty_prior_final(state: ExpandedArg<'_, WithOptions<PriorState>>) -> JsonbOut {
    state.with(|state| {
        let options: PriorOptions = options::parse(state.text()).or_raise();
        JsonbOut(state.state.fit(options.0))
    })
}

// Measures by themselves

#[pg_extern(sql = false)]
fn gamma_shape(gaps: Vec<Option<f64>>) -> Option<f64> {
    let gaps: Vec<f64> = gaps.into_iter().map(|g| g.unwrap_or(f64::NAN)).collect();
    gaps::gamma_shape(&gaps).or_raise()
}

#[pg_extern(sql = false)]
fn clumpiness_events(events: Vec<Option<i32>>, span: i32) -> Option<f64> {
    let events: Option<Vec<i64>> = events.into_iter().map(|e| e.map(i64::from)).collect();
    let events = events.ok_or_else(|| Error::invalid("events must not hold NULL")).or_raise();
    loyalty::clumpiness(&events, i64::from(span)).or_raise()
}

#[pg_extern(sql = false)]
fn clumpiness_history(history: BytesArg<'_>, from: i32, until: i32) -> Option<f64> {
    segmentation_core::base::day::check(from).or_raise();
    let days = gaps::PurchaseDaysOf::read(&history, until).or_raise()?.days;
    if from > until {
        Err(Error::invalid("from must not be after until")).or_raise()
    }
    let events: Vec<i64> =
        days.iter().filter(|day| **day >= from).map(|day| i64::from(day - from + 1)).collect();
    loyalty::clumpiness(&events, i64::from(until) - i64::from(from) + 1).or_raise()
}

#[pg_extern(sql = false)]
fn clumpiness_critical(events: i32, span: i32, level: f64) -> f64 {
    let whole = |n: i32| u32::try_from(n).unwrap_or(0);
    loyalty::clumpiness_critical(whole(events), whole(span), level, &mut interrupt).or_raise()
}

#[pg_extern(sql = false)]
fn category_breadth(bought: JsonbArg<'_>, categories: i32) -> Option<f64> {
    let bought = bought.value("counts").and_then(|v| counts(&v)).or_raise();
    loyalty::category_breadth(&bought, u32::try_from(categories).unwrap_or(0)).or_raise()
}

#[pg_extern(sql = false)]
fn nps_class(score: f64) -> &'static str {
    loyalty::nps_class(score).or_raise()
}

/// Answers by class.
#[derive(Default, Clone, Copy)]
struct Answers {
    promoters: u64,
    detractors: u64,
    all: u64,
}

impl Flat for Answers {
    const SQL_NAME: &'static str = "bytea";

    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok([self.promoters, self.detractors, self.all].iter().flat_map(|n| n.to_le_bytes()).collect())
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let number = |i: usize| bytes.get(8 * i..)?.first_chunk().map(|n| u64::from_le_bytes(*n));
        match (number(0), number(1), number(2)) {
            (Some(promoters), Some(detractors), Some(all))
                if bytes.len() == 24 && all < 1 << 60 && promoters <= all && detractors <= all =>
            {
                Ok(Answers { promoters, detractors, all })
            }
            _ => Err(Error::new(ErrorKind::InvalidBinary, "invalid aggregate state")),
        }
    }
}

#[pg_extern(sql = false)]
fn nps_add<'fcx>(
    state: Option<ExpandedArg<'fcx, Answers>>,
    score: Option<f64>,
    call: CallSite<'fcx>,
) -> Expanded<'fcx, Answers> {
    let mut state = resume(state, &call, Answers::default);
    if let Some(score) = score {
        let class = loyalty::nps_class(score).or_raise();
        let answers = state.value();
        answers.all += 1;
        answers.promoters += u64::from(class == "promoter");
        answers.detractors += u64::from(class == "detractor");
    }
    state
}

#[pg_extern(sql = false)]
fn nps_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, Answers>>,
    other: Option<ExpandedArg<'fcx, Answers>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, Answers>> {
    merge(state, other, &call, |state, other| {
        state.promoters = state.promoters.saturating_add(other.promoters);
        state.detractors = state.detractors.saturating_add(other.detractors);
        state.all = state.all.saturating_add(other.all);
        Ok(())
    })
}

#[pg_extern(sql = false)]
fn nps_final(state: ExpandedArg<'_, Answers>) -> Option<f64> {
    state.with(|a| (a.all > 0).then(|| 100.0 * (a.promoters as f64 - a.detractors as f64) / a.all as f64))
}
