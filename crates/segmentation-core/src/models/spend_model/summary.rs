//! What a spend model knows of one customer.

use super::options::Transactions;
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::money::Money;

/// A logarithm is kept in billionths, so that sums of them are exact and have no order.
const LOG_SCALE: f64 = 1e9;

/// Transactions and what they came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpendSummary {
    /// Number of transactions; 0 for one-time buyers, unless every day counts.
    pub transactions: u32,
    /// Those of them that came to nothing: free, or all of it sent back.
    pub nothing: u32,
    /// Their total.
    pub total: Money,
    /// The sum of the logarithms of what is above 0, in billionths.
    pub logs: i64,
}

impl SpendSummary {
    /// One transaction.
    #[must_use]
    pub fn of(amount: Money) -> Self {
        let paid = amount > Money::ZERO;
        Self {
            transactions: 1,
            nothing: u32::from(!paid),
            total: amount,
            logs: if paid { (amount.to_f64().ln() * LOG_SCALE).round() as i64 } else { 0 },
        }
    }

    /// Both together.
    ///
    /// # Errors
    /// If the amounts do not fit.
    pub fn and(self, other: Self) -> Result<Self> {
        Ok(Self {
            transactions: self.transactions.saturating_add(other.transactions),
            nothing: self.nothing.saturating_add(other.nothing),
            total: self.total.checked_add(other.total)?,
            logs: self.logs.saturating_add(other.logs),
        })
    }

    /// Without one of its transactions.
    pub(super) fn without(self, amount: Money) -> Self {
        let one = Self::of(amount);
        Self {
            transactions: self.transactions.saturating_sub(one.transactions),
            nothing: self.nothing.saturating_sub(one.nothing),
            total: Money(self.total.0.saturating_sub(one.total.0)),
            logs: self.logs.saturating_sub(one.logs),
        }
    }

    /// The mean spend of a transaction; 0 without one.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.transactions == 0 { 0.0 } else { self.total.to_f64() / f64::from(self.transactions) }
    }

    /// Transactions that came to something.
    #[must_use]
    pub fn paid(&self) -> u32 {
        self.transactions - self.nothing.min(self.transactions)
    }

    /// The sum of the logarithms.
    #[must_use]
    pub fn sum_of_logs(&self) -> f64 {
        self.logs as f64 / LOG_SCALE
    }
}

impl Transactions {
    /// The spend summary of a customer, from ascending (purchase day, turnover of the day); days after `as_of` are as
    /// if they were not there. `None` without a purchase.
    ///
    /// What a day came to counts up to `limit`, or to twice the customer's second largest day if that is more.
    ///
    /// # Errors
    /// If the amounts do not fit.
    pub fn summarize(
        self,
        days: impl IntoIterator<Item = (Day, Money)>,
        as_of: Day,
        limit: Option<Money>,
    ) -> Result<Option<SpendSummary>> {
        let mut days = days.into_iter().take_while(|&(d, _)| d <= as_of);
        let Some((_, first)) = days.next() else { return Ok(None) };
        let mut summary = SpendSummary::default();
        let mut largest = [Money::ZERO; 2];
        let mut count = |summary: &mut SpendSummary, amount: Money| -> Result<()> {
            *summary = summary.and(SpendSummary::of(amount))?;
            largest =
                if amount > largest[0] { [amount, largest[0]] } else { [largest[0], largest[1].max(amount)] };
            Ok(())
        };
        for (_, amount) in days {
            count(&mut summary, amount)?;
        }
        if self == Self::Every || (self == Self::All && summary.transactions > 0) {
            count(&mut summary, first)?;
        }
        if let Some(limit) = limit {
            let [most, second] = largest;
            let limit = limit.max(Money(second.0.saturating_mul(2)));
            if most > limit {
                summary = summary.without(most).and(SpendSummary::of(limit))?;
            }
        }
        Ok(Some(summary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(amounts: &[i64]) -> Vec<(Day, Money)> {
        amounts.iter().enumerate().map(|(i, a)| (i as Day, Money(a * 10_000))).collect()
    }

    #[test]
    fn which_days_count() {
        for (transactions, of_one, of_three) in [
            (Transactions::Repeat, (0, 0), (2, 50)),
            (Transactions::All, (0, 0), (3, 60)),
            (Transactions::Every, (1, 10), (3, 60)),
        ] {
            let one = transactions.summarize(days(&[10]), 9, None).unwrap().unwrap();
            assert_eq!((one.transactions, one.total.0 / 10_000), of_one);
            let three = transactions.summarize(days(&[10, 20, 30, 40]), 2, None).unwrap().unwrap();
            assert_eq!((three.transactions, three.total.0 / 10_000), of_three);
        }
        assert_eq!(Transactions::Every.summarize(days(&[10]), -1, None).unwrap(), None);
    }

    #[test]
    fn an_extreme_day_counts_to_the_limit() {
        let total = |amounts: &[i64]| {
            let limit = Some(Money(1000 * 10_000));
            Transactions::Every.summarize(days(amounts), 9, limit).unwrap().unwrap().total.0 / 10_000
        };
        assert_eq!(total(&[77_183]), 1000);
        assert_eq!(total(&[100, 77_183, 50]), 1150);
        assert_eq!(total(&[900, 1700]), 2600);
        assert_eq!(total(&[3000, 7000]), 9000);
        assert_eq!(total(&[7000, 5000]), 12_000);
    }
}
