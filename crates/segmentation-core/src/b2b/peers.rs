//! What a company could buy, by what its peers do.

use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// Most companies in one group of peers.
const LIMIT: usize = 120_000_000;

/// What the companies of one sector and size buy for each person they employ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Peers {
    rates: Vec<f64>,
}

/// Their quantiles.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Benchmark {
    /// Companies.
    pub companies: usize,
    /// Turnover for each employee, median.
    pub median: f64,
    /// Turnover for each employee, third quartile: what a good client of this kind buys.
    pub upper: f64,
}

impl Peers {
    /// Takes in a company. One without turnover or headcount, or with unknown figures, is no client to compare with.
    ///
    /// # Errors
    /// Too many companies.
    pub fn add(&mut self, turnover: f64, headcount: f64) -> Result<()> {
        let rate = turnover / headcount;
        if turnover > 0.0 && headcount > 0.0 && headcount.is_finite() && rate.is_finite() {
            self.room(1)?;
            self.rates.push(rate);
        }
        Ok(())
    }

    /// Takes in another part of the same group.
    ///
    /// # Errors
    /// Too many companies.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.room(other.rates.len())?;
        self.rates.extend_from_slice(&other.rates);
        Ok(())
    }

    fn room(&mut self, more: usize) -> Result<()> {
        if self.rates.len() + more > LIMIT {
            return Err(Error::new(ErrorKind::LimitExceeded, "too many companies in one group of peers")
                .detail(format!("At most {LIMIT} fit."))
                .hint("Group by sector and size, or take a sample."));
        }
        memory::reserve(&mut self.rates, more)
    }

    fn sorted(&self) -> Result<Vec<f64>> {
        let mut sorted = memory::copy(&self.rates)?;
        sorted.sort_unstable_by(f64::total_cmp);
        Ok(sorted)
    }

    /// Median and third quartile (type 7); `None` without companies.
    ///
    /// # Errors
    /// No memory.
    pub fn benchmark(&self, checkpoint: Checkpoint) -> Result<Option<Benchmark>> {
        checkpoint();
        let sorted = self.sorted()?;
        let Some(last) = sorted.len().checked_sub(1) else { return Ok(None) };
        let quantile = |q: f64| {
            let place = q * last as f64;
            let below = place.floor() as usize;
            let above = (below + 1).min(last);
            sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
        };
        Ok(Some(Benchmark { companies: sorted.len(), median: quantile(0.5), upper: quantile(0.75) }))
    }

    /// The flat form: sorted, so that it does not depend on the order of rows.
    ///
    /// # Errors
    /// No memory.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let sorted = self.sorted()?;
        let mut out: Vec<u8> = memory::with_capacity(8 * sorted.len())?;
        out.extend(sorted.iter().flat_map(|rate| rate.to_le_bytes()));
        Ok(out)
    }

    /// Reads the flat form.
    ///
    /// # Errors
    /// Anything that [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let invalid = || Error::new(ErrorKind::InvalidBinary, "invalid aggregate state");
        let (chunks, rest) = bytes.as_chunks::<8>();
        let rates = memory::collect(chunks.iter().map(|chunk| f64::from_le_bytes(*chunk)))?;
        let sane = rest.is_empty() && rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0);
        sane.then_some(Peers { rates }).ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quartiles() {
        let mut peers = Peers::default();
        for turnover in [100.0, 200.0, 300.0, 400.0] {
            peers.add(turnover, 10.0).unwrap();
        }
        for (turnover, headcount) in [
            (0.0, 5.0),
            (-1.0, 5.0),
            (5.0, 0.0),
            (f64::NAN, 5.0),
            (5.0, f64::NAN),
            (5.0, f64::INFINITY),
            (f64::INFINITY, 1.0),
        ] {
            peers.add(turnover, headcount).unwrap();
        }
        // As quantile(c(10, 20, 30, 40), c(.5, .75)) in R.
        assert_eq!(
            peers.benchmark(&mut || {}).unwrap(),
            Some(Benchmark { companies: 4, median: 25.0, upper: 32.5 })
        );
        assert_eq!(Peers::default().benchmark(&mut || {}).unwrap(), None);
    }

    proptest! {
        #[test]
        fn parts_merge_in_any_order(rates in proptest::collection::vec(0.01..1e6_f64, 1..40), cut in 0..40_usize) {
            let of = |values: &[f64]| { let mut p = Peers::default(); for v in values { p.add(*v, 1.0).unwrap(); } p };
            let cut = cut.min(rates.len());
            let mut merged = of(&rates[cut..]);
            merged.merge(&of(&rates[..cut])).unwrap();
            prop_assert_eq!(merged.to_bytes(), of(&rates).to_bytes());
            prop_assert_eq!(Peers::from_bytes(&merged.to_bytes().unwrap()).unwrap().benchmark(&mut || {}), of(&rates).benchmark(&mut || {}));
        }

        #[test]
        fn hostile_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(peers) = Peers::from_bytes(&bytes) {
                let _ = peers.benchmark(&mut || {});
            }
        }
    }
}
