//! SQL face of [`segmentation_core::axes::churn_level`]: `churn_level`, `churn_next_change`. Declared in
//! `sql/axes/churn_level.sql`.

use pgrx::prelude::*;
use segmentation_core::axes::churn_level::{ChurnLevels, Stacks};
use segmentation_core::axes::silence::{look_ahead, with_later_purchases};
use segmentation_core::base::day;
use segmentation_core::facts::event_features::KnownEvents;
use segmentation_core::facts::purchase_history::History;
use segmentation_core::models::purchase_model::CustomerSummary;
use segmentation_core::{Error, Result};

use crate::base::purchases::{Prepared, customer_summary, prepare_purchases};
use crate::base::stacks::{PreparedStack, prepare_stack};
use crate::pg::jsonb::JsonbArg;
use crate::pg::value::BytesArg;
use crate::pg::{CallSite, Key, OrRaise};

/// The level without a model or purchases.
const INSUFFICIENT_DATA: &str = "insufficient_data";

/// A purchase model and the limits of the levels.
type Churn = (Option<Prepared>, ChurnLevels);

fn prepare_churn(model: JsonbArg, options: JsonbArg) -> Result<Churn> {
    Ok((prepare_purchases(model)?, ChurnLevels::from_json(&options.value("options")?)?))
}

#[pg_extern(sql = false)]
fn churn_level<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let (as_of, options) = (as_of?, options?);
    let (Some(model), Some(history)) = (model, history) else { return Some(INSUFFICIENT_DATA) };
    let keys = [Key::of(model), Key::of(options)];
    let (model, levels) = call.memo(&keys, || prepare_churn(model, options)).or_raise();
    let level = |customer: CustomerSummary| Some(levels.level(&model.as_ref()?.scorer, customer).code());
    Some(customer_summary(&history, as_of).or_raise().and_then(level).unwrap_or(INSUFFICIENT_DATA))
}

#[pg_extern(sql = false)]
fn churn_level_of<'fcx>(
    probability: Option<f64>,
    lost_probability: Option<f64>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let options = options?;
    let levels =
        call.memo(&[Key::of(options)], || ChurnLevels::from_json(&options.value("options")?)).or_raise();
    let Some(p) = probability else { return Some(INSUFFICIENT_DATA) };
    // A score may be off by rounding.
    for (name, value) in [("probability", Some(p)), ("lost_probability", lost_probability)] {
        if value.is_some_and(|value| !(-1e-9..=1.0 + 1e-9).contains(&value)) {
            Err::<(), _>(Error::invalid(format!("{name} must be from 0 to 1"))).or_raise();
        }
    }
    Some(levels.of(p, lost_probability).code())
}

#[pg_extern(sql = false)]
fn churn_next_change<'fcx>(
    model: JsonbArg<'fcx>,
    history: BytesArg<'fcx>,
    as_of: i32,
    options: JsonbArg<'fcx>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    let keys = [Key::of(model), Key::of(options)];
    let (model, levels) = call.memo(&keys, || prepare_churn(model, options)).or_raise();
    let scorer = &model.as_ref()?.scorer;
    let customer = customer_summary(&history, as_of).or_raise();
    let history = History::read(&history).or_raise();
    with_later_purchases(&history, as_of, |until| {
        Ok(customer.and_then(|customer| levels.next_change(scorer, customer, as_of, until)))
    })
    .or_raise()
}

/// The two stacks of the levels, and their limits.
type StackLevels = (Option<PreparedStack>, Option<PreparedStack>, ChurnLevels);

fn prepare_stacks(model: JsonbArg, lost: Option<JsonbArg>, options: JsonbArg) -> Result<StackLevels> {
    let lost = lost.map(prepare_stack).transpose()?.flatten();
    Ok((prepare_stack(model)?, lost, ChurnLevels::from_json(&options.value("options")?)?))
}

/// What `answer` says of a customer as both stacks see them; `None` if there is nothing to see.
fn by_stacks<R>(
    (model, lost, levels): &StackLevels,
    history: &History,
    logs: (Option<&[u8]>, Option<&[u8]>),
    as_of: i32,
    answer: impl FnOnce(&ChurnLevels, &Stacks) -> Result<R>,
) -> Result<Option<R>> {
    let Some(model) = model else { return Ok(None) };
    let Some(customer) = model.scorer.customer(history, logs.0, logs.1, as_of)? else { return Ok(None) };
    // The stack says itself from where on somebody is lost.
    let lost = lost.as_ref().and_then(|lost| Some((lost, lost.stack.lost?.threshold?)));
    let own =
        lost.map(|(lost, _)| lost.scorer.customer(history, logs.0, logs.1, as_of)).transpose()?.flatten();
    let lost = lost.zip(own.as_ref()).map(|((lost, threshold), own)| (&lost.scorer, own, threshold));
    answer(levels, &Stacks { level: (&model.scorer, &customer), lost }).map(Some)
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn churn_level_stacks<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    lost_model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<&'static str> {
    let (as_of, options) = (as_of?, options?);
    let (Some(model), Some(history)) = (model, history) else { return Some(INSUFFICIENT_DATA) };
    let keys = [Key::of(model), Key::of(lost_model), Key::of(options)];
    let prepared = call.memo(&keys, || prepare_stacks(model, lost_model, options)).or_raise();
    let history = History::read(&history).or_raise();
    let logs = (contacts.as_ref().map(|log| &log[..]), interactions.as_ref().map(|log| &log[..]));
    let level =
        by_stacks(prepared, &history, logs, as_of, |levels, stacks| levels.level_of_stacks(stacks, as_of));
    Some(level.or_raise().map_or(INSUFFICIENT_DATA, |level| level.code()))
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn churn_next_change_stacks<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    lost_model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    next_change((model, lost_model, options), (history, contacts, interactions), as_of, None, &mut call)
}

#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn churn_next_change_stacks_until<'fcx>(
    model: Option<JsonbArg<'fcx>>,
    lost_model: Option<JsonbArg<'fcx>>,
    history: Option<BytesArg<'fcx>>,
    contacts: Option<BytesArg<'fcx>>,
    interactions: Option<BytesArg<'fcx>>,
    as_of: Option<i32>,
    options: Option<JsonbArg<'fcx>>,
    until: Option<i32>,
    mut call: CallSite<'fcx>,
) -> Option<i32> {
    next_change((model, lost_model, options), (history, contacts, interactions), as_of, until, &mut call)
}

/// History, contacts, interactions.
type Logs<'fcx> = (Option<BytesArg<'fcx>>, Option<BytesArg<'fcx>>, Option<BytesArg<'fcx>>);

/// The first day of another level, by models and options; changes after `limit` are not looked for.
fn next_change<'fcx>(
    (model, lost_model, options): (Option<JsonbArg<'fcx>>, Option<JsonbArg<'fcx>>, Option<JsonbArg<'fcx>>),
    (history, contacts, interactions): Logs<'fcx>,
    as_of: Option<i32>,
    limit: Option<i32>,
    call: &mut CallSite<'fcx>,
) -> Option<i32> {
    let (model, history, as_of, options) = (model?, history?, as_of?, options?);
    let keys = [Key::of(model), Key::of(lost_model), Key::of(options)];
    let prepared = call.memo(&keys, || prepare_stacks(model, lost_model, options)).or_raise();
    let history = History::read(&history).or_raise();
    let logs = (contacts.as_ref().map(|log| &log[..]), interactions.as_ref().map(|log| &log[..]));
    let search = || -> Result<Option<i32>> {
        let last = look_ahead(day::check(as_of)?);
        // Whatever is dated ahead, a refund or a contact too, begins the search anew.
        let ahead = [history.next_day(as_of, true)?, KnownEvents::next_day(logs.0, logs.1, as_of)?];
        let next = ahead.into_iter().flatten().min().filter(|day| *day <= last);
        let until = next.map_or(last, |day| day - 1).min(limit.unwrap_or(last)).max(as_of);
        let change = by_stacks(prepared, &history, logs, as_of, |levels, stacks| {
            levels.next_change_of_stacks(stacks, as_of, until)
        })?;
        Ok(change.flatten().or(next))
    };
    search().or_raise()
}
