//! SQL face of [`segmentation_core::models::calibration`] and [`segmentation_core::measure::profit`]: `calibrate`,
//! `calibrated`, `profit_curve`. Declared in `sql/models/calibration.sql`.

use pgrx::prelude::*;
use segmentation_core::base::unfitted::{is_unfitted, unfitted};
use segmentation_core::measure::profit::{Costs, profit_curve};
use segmentation_core::models::calibration::{Calibration, Method, calibrate};
use segmentation_core::{ErrorKind, Result};
use serde_json::{Value as Json, json};

use crate::base::options::{WithOptions, not_constant};
use crate::measure::prediction_quality::Outcomes;
use crate::pg::expanded::{Expanded, ExpandedArg, merge, resume};
use crate::pg::jsonb::{JsonbArg, JsonbOut};
use crate::pg::{CallSite, Key, OrRaise, interrupt};

#[pg_extern(sql = false)]
fn outcomes_add<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
    predicted: Option<f64>,
    happened: Option<bool>,
    options: Option<JsonbArg<'fcx>>,
    mut call: CallSite<'fcx>,
) -> Expanded<'fcx, WithOptions<Outcomes>> {
    let options = options.ok_or_else(|| not_constant("options")).or_raise();
    let text = call.memo(&[Key::of(options)], || options.options_text()).or_raise().clone();
    let mut state = resume(state, &call, || WithOptions::new(Outcomes::default(), Some(options)).or_raise());
    if state.value().text() != text {
        Err(not_constant("options")).or_raise()
    }
    state.value().state.add(predicted, happened).or_raise();
    state
}

#[pg_extern(sql = false)]
fn outcomes_merge<'fcx>(
    state: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
    other: Option<ExpandedArg<'fcx, WithOptions<Outcomes>>>,
    call: CallSite<'fcx>,
) -> Option<Expanded<'fcx, WithOptions<Outcomes>>> {
    merge(state, other, &call, |state, other| state.absorb(other, Outcomes::absorb))
}

fn calibration(outcomes: &Outcomes, method: Method) -> Json {
    match calibrate(&outcomes.quality, method, &mut interrupt) {
        Ok(calibration) => {
            let mut value = calibration.to_json();
            let report = outcomes.quality.report(&mut interrupt).or_raise();
            value["n"] = report.n.into();
            value["base_rate"] = report.base_rate.into();
            value["skipped"] = outcomes.skipped.into();
            value
        }
        Err(error) if error.kind == ErrorKind::NotReady => {
            unfitted("calibration", json!({ "coefficients": null, "rows": 0 }), &error)
        }
        Err(error) => Err(error).or_raise(),
    }
}

#[pg_extern(sql = false)]
fn calibrate_final(state: ExpandedArg<'_, Outcomes>) -> JsonbOut {
    state.with(|outcomes| JsonbOut(calibration(outcomes, Method::Isotonic)))
}

#[pg_extern(sql = false)]
fn calibrate_options_final(state: ExpandedArg<'_, WithOptions<Outcomes>>) -> JsonbOut {
    state.with(|state| {
        let method = Method::from_json(&state.value().or_raise()).or_raise();
        JsonbOut(calibration(&state.state, method))
    })
}

#[pg_extern(sql = false)]
fn profit_curve_final(state: ExpandedArg<'_, WithOptions<Outcomes>>) -> Option<JsonbOut> {
    state.with(|state| {
        let costs = Costs::from_json(&state.value().or_raise()).or_raise();
        let empty = state.state.quality.report(&mut interrupt).or_raise().n == 0;
        let curve = (!empty).then(|| profit_curve(&state.state.quality, &costs).or_raise());
        curve.map(|mut curve| {
            curve["skipped"] = state.state.skipped.into();
            JsonbOut(curve)
        })
    })
}

fn prepare(model: JsonbArg) -> Result<Option<Calibration>> {
    let value = model.value("calibration")?;
    if is_unfitted(&value, "calibration", "coefficients") {
        return Ok(None);
    }
    Calibration::from_json(&value).map(Some)
}

#[pg_extern(sql = false)]
fn calibrated<'fcx>(model: JsonbArg<'fcx>, predicted: f64, mut call: CallSite<'fcx>) -> Option<f64> {
    let model = call.memo(&[Key::of(model)], || prepare(model)).or_raise().as_ref()?;
    Some(model.calibrated(predicted).or_raise())
}
