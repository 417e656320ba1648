//! The shop: what all customers share, made of the seed and the period. What a customer does there is written in the
//! files beside this one, each with its own `impl Shop`.

use super::calendar::Calendar;
use super::catalog::{self, Campaign, Product};
use super::options::Options;
use crate::base::day::{self, Day};
use crate::base::error::{Error, Result};
use crate::base::words::counted;

/// The largest customer number.
pub const CUSTOMER_LIMIT: i32 = 5_000_000;
/// The longest period, in days: twenty years.
pub const PERIOD_LIMIT: i32 = 7_305;
/// The shortest period, in days.
pub const PERIOD_FLOOR: i32 = 30;

/// Ids of a customer's orders, contacts and interactions are
/// `customer x ID_SPAN + n`, with `n` from 1 in the order of time.
pub const ID_SPAN: i64 = 10_000;

/// What all customers of one simulated retailer share.
#[derive(Debug, Clone)]
pub struct Shop {
    pub(super) seed: u64,
    pub(super) starts: Day,
    pub(super) ends: Day,
    pub(super) options: Options,
    pub(super) calendar: Calendar,
    pub(super) products: Vec<Product>,
    /// Products of each category, cheapest first, as positions in `products`.
    pub(super) shelves: Vec<Vec<u32>>,
    pub(super) campaigns: Vec<Campaign>,
}

impl Shop {
    /// The retailer of this seed, trading from `starts` to `ends`, both included.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParameter`] for a period that is too short, too long or
    /// outside 2000-01-01 .. 2099-12-31, and for options out of their ranges.
    pub fn new(seed: i64, starts: Day, ends: Day, options: Options) -> Result<Self> {
        let (first, last) = (0, 36_524);
        if starts < first || starts > last || ends < first || ends > last {
            return Err(Error::invalid("period of the simulation out of range")
                .detail("The simulated calendar, with its time zone, runs from 2000-01-01 to 2099-12-31."));
        }
        let days = ends - starts + 1;
        if !(PERIOD_FLOOR..=PERIOD_LIMIT).contains(&days) {
            return Err(Error::invalid("period of the simulation is too short or too long")
                .detail(format!(
                    "From {} to {} it takes {}; from {PERIOD_FLOOR} to {PERIOD_LIMIT} are possible.",
                    day::format(starts)?,
                    day::format(ends)?,
                    counted(days, "day")
                ))
                .hint("Change the start or the end of the period."));
        }
        options.check()?;
        let seed = seed as u64;
        let calendar = Calendar::new(starts, ends, options.pure);
        let products = catalog::products(seed, options.products);
        let shelves = catalog::shelves(&products);
        let campaigns = catalog::campaigns(seed, starts, ends);
        Ok(Self { seed, starts, ends, options, calendar, products, shelves, campaigns })
    }

    /// The products on sale.
    #[must_use]
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The marketing campaigns of the period.
    #[must_use]
    pub fn campaigns(&self) -> &[Campaign] {
        &self.campaigns
    }

    /// The customer's number as an id base, checked.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidParameter`] outside 1 ..= [`CUSTOMER_LIMIT`].
    pub fn check_customers(first: i32, last: i32) -> Result<()> {
        if first < 1 || last > CUSTOMER_LIMIT {
            return Err(Error::invalid("customer number out of range")
                .detail(format!("Customers {first} to {last} were asked for."))
                .hint(format!("Customers are numbered from 1 to {CUSTOMER_LIMIT}.")));
        }
        Ok(())
    }
}
