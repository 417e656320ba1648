//! What is known of a customer on a day, and on later ones in silence.

use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::memory;
use crate::base::money::Money;
use crate::facts::purchase_features::{Frame, Known};
use crate::facts::purchase_history::{History, PurchaseDays, net_purchases};
use crate::models::purchase_model::CustomerSummary;
use crate::models::spend_model::{SpendModel, SpendSummary};

/// Turnover counts as last year's for so many days.
pub(super) const YEAR: i32 = 365;
/// The features of histories that a regression reads, by their place in `purchase_features`: how often, how lately, and
/// how long by the own gaps. What was spent, net of returns, comes by the two values.
pub(super) const FEATURES: [usize; 17] = [0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 19, 20, 21, 22, 23, 24];

/// A customer on a day, who does nothing from then on.
#[derive(Debug, Clone)]
pub struct ValueCustomer {
    days: PurchaseDays,
    /// What the spend model makes of what was spent.
    pub(super) spent: SpendSummary,
    /// Net purchases of the last year, ascending.
    recent: Vec<(Day, Money)>,
    /// Where features count.
    known: Option<Known>,
}

impl ValueCustomer {
    /// `None` without a purchase by `as_of`.
    ///
    /// # Errors
    /// Damaged bytes, a day out of range, no memory.
    pub(super) fn read(
        history: &History,
        as_of: Day,
        spend: &SpendModel,
        frame: Option<Frame>,
    ) -> Result<Option<Self>> {
        let Some(days) = history.purchase_days_until(as_of)? else { return Ok(None) };
        let net = net_purchases(history, as_of)?;
        let begin = net.partition_point(|(day, _)| *day <= as_of.saturating_sub(YEAR));
        let recent = memory::copy(&net[begin..])?;
        let Some(spent) = spend.summarize(net, as_of)? else { return Ok(None) };
        let known = match frame {
            Some(frame) => Known::read(history, as_of, frame)?,
            None => None,
        };
        Ok(Some(Self { days, spent, recent, known }))
    }

    /// What purchase models know on a day.
    pub(super) fn summary(&self, day: Day) -> Result<CustomerSummary> {
        let PurchaseDays { first, last, count } = self.days;
        let whole = |n: i32| u32::try_from(n).unwrap_or(0);
        CustomerSummary::new(count as u32 - 1, whole(last - first), whole(day - first))
    }

    /// Net turnover of the last so many days, at most 365.
    pub(super) fn turnover(&self, day: Day, window: i32) -> f64 {
        let begin = self.recent.partition_point(|(bought, _)| *bought <= day.saturating_sub(window));
        let total: i128 = self.recent[begin..].iter().map(|(_, amount)| i128::from(amount.0)).sum();
        total as f64 / crate::base::money::SCALE as f64
    }

    /// The features on a day; 0 where they are not read.
    pub(super) fn features(&self, day: Day) -> [f64; FEATURES.len()] {
        match &self.known {
            Some(known) => {
                let all = known.features(day);
                FEATURES.map(|i| all[i])
            }
            None => [0.0; FEATURES.len()],
        }
    }
}
