//! All that purchases tell, from one reading of them.

use serde_json::Value;

use super::dates::{FirstOptions, ReactivatedOptions, back, first};
use super::due::{DueOptions, checked_alive, due};
use super::moment::{Detail, LifeMoment, bought};
use super::waning::{WaningOptions, waning};
use crate::base::day::Day;
use crate::base::error::Result;

/// The moments to look for, with their options; those that are `None` are not looked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PurchaseMoments {
    /// Of [`super::purchase_due`].
    pub due: Option<DueOptions>,
    /// Of [`super::waning_interest`].
    pub waning: Option<WaningOptions>,
    /// Of [`super::first_purchase`].
    pub first: Option<FirstOptions>,
    /// Of [`super::reactivated`].
    pub reactivated: Option<ReactivatedOptions>,
}

impl PurchaseMoments {
    /// The moments that are on, as their detectors say them; then, if it is known, one that is `none` with the first day
    /// on which one of the others may be.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range, an `alive` that is no probability.
    pub fn of(&self, history: &[u8], as_of: Day, alive: f64) -> Result<Vec<LifeMoment>> {
        let alive = if self.due.is_some() { checked_alive(alive)? } else { alive };
        let Some(days) = bought(Some(history), as_of)? else { return Ok(Vec::new()) };
        let (days, detail) = (&days, Detail::Found);
        let said = [
            self.due.as_ref().map(|options| due(days, as_of, alive, options, detail)),
            self.waning.as_ref().map(|options| waning(days, as_of, options, detail)),
            self.first.as_ref().map(|options| first(days, as_of, options, detail)),
            self.reactivated.as_ref().map(|options| back(days, as_of, options)),
        ];
        let (mut found, others): (Vec<_>, Vec<_>) = said.into_iter().flatten().partition(LifeMoment::is_one);
        if let Some(next) = others.into_iter().filter_map(|moment| moment.next_change).min() {
            found.push(LifeMoment::nothing("none", Value::Null, Some(next)));
        }
        Ok(found)
    }
}
