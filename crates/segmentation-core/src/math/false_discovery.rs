//! False discovery: of the customers that a test picks out of thousands, how many are picked by chance.
//!
//! Benjamini and Hochberg (1995), J. R. Statist. Soc. B 57, 289-300; for tests that depend on each other in
//! any way Benjamini and Yekutieli (2001), Annals of Statistics 29, 1165-1188.

use crate::Checkpoint;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory;

/// How false discoveries are controlled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Benjamini and Hochberg: independent tests, or positively dependent ones.
    BenjaminiHochberg,
    /// Benjamini and Yekutieli: any dependence.
    BenjaminiYekutieli,
}

impl Method {
    /// By its code.
    ///
    /// # Errors
    /// Neither `bh` nor `by`.
    pub fn parse(code: &str) -> Result<Self> {
        match code {
            "bh" => Ok(Self::BenjaminiHochberg),
            "by" => Ok(Self::BenjaminiYekutieli),
            _ => Err(Error::invalid("method must be bh or by").detail(format!("It is \"{code}\"."))),
        }
    }
}

/// The p values of a population.
#[derive(Debug, Clone, Default)]
pub struct Tests {
    p_values: Vec<f64>,
}

/// Values sorted at a stretch: some tens of milliseconds.
const RUN: usize = 1 << 19;

impl Tests {
    /// Takes in a test.
    ///
    /// # Errors
    /// It is no probability; memory cannot be had.
    pub fn add(&mut self, p_value: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&p_value) {
            return Err(Error::invalid("p_value must be from 0 to 1").detail(format!("It is {p_value}.")));
        }
        if self.p_values.len() == self.p_values.capacity() {
            let more = self.p_values.len().max(1024);
            memory::reserve_exact(&mut self.p_values, more)?;
        }
        self.p_values.push(p_value);
        Ok(())
    }

    /// The q values, to be looked up.
    ///
    /// # Errors
    /// Memory cannot be had.
    pub fn finish(self, method: Method, checkpoint: Checkpoint) -> Result<QValues> {
        let p = sorted(self.p_values, checkpoint)?;
        let n = p.len();
        let factor = match method {
            Method::BenjaminiHochberg => 1.0,
            Method::BenjaminiYekutieli => (1..=n).rev().map(|i| 1.0 / i as f64).sum(),
        };
        let mut q = memory::filled(1.0_f64, n)?;
        let mut least = 1.0_f64;
        for i in (0..n).rev() {
            if i % RUN == 0 {
                checkpoint();
            }
            least = least.min(p[i] * factor * n as f64 / (i + 1) as f64);
            q[i] = least;
        }
        Ok(QValues { p, q })
    }
}

/// Sorted runs, merged two by two, so that a long sort can be interrupted.
fn sorted(mut values: Vec<f64>, checkpoint: Checkpoint) -> Result<Vec<f64>> {
    for run in values.chunks_mut(RUN) {
        run.sort_unstable_by(f64::total_cmp);
        checkpoint();
    }
    let mut width = RUN;
    while width < values.len() {
        let mut merged: Vec<f64> = memory::with_capacity(values.len())?;
        for pair in values.chunks(2 * width) {
            let (mut a, mut b) = pair.split_at(width.min(pair.len()));
            while let (Some(x), Some(y)) = (a.first(), b.first()) {
                if merged.len().is_multiple_of(RUN) {
                    checkpoint();
                }
                if x.total_cmp(y).is_le() {
                    merged.push(*x);
                    a = &a[1..];
                } else {
                    merged.push(*y);
                    b = &b[1..];
                }
            }
            merged.extend_from_slice(a);
            merged.extend_from_slice(b);
        }
        values = merged;
        width *= 2;
    }
    Ok(values)
}

/// The q value of each p value of a population.
#[derive(Debug, Clone, Default)]
pub struct QValues {
    p: Vec<f64>,
    q: Vec<f64>,
}

impl QValues {
    /// The q value of one of the p values: the least share of false discoveries at which it is one.
    /// Equal p values have the same.
    ///
    /// # Errors
    /// It is none of them.
    pub fn get(&self, p_value: f64) -> Result<f64> {
        // The last of equal values has their common q value; -0 was sorted before 0.
        let after = self.p.partition_point(|p| *p <= p_value);
        match after.checked_sub(1).filter(|i| self.p[*i] == p_value) {
            Some(i) => Ok(self.q[i]),
            None => Err(Error::new(ErrorKind::InvalidParameter, "p_value is not among those tested")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q_values(p: &[f64], method: Method) -> Vec<f64> {
        let mut tests = Tests::default();
        p.iter().for_each(|p| tests.add(*p).unwrap());
        let q = tests.finish(method, &mut || {}).unwrap();
        p.iter().map(|p| q.get(*p).unwrap()).collect()
    }

    #[test]
    fn are_scipys() {
        // scipy.stats.false_discovery_control, SciPy 1.17.1.
        let p = [0.01, 0.02, 0.03, 0.04, 0.05, 0.01, 0.9, 0.5, 1.0, 0.001];
        let bh = [
            0.033_333_333_333_333_33,
            0.05,
            0.06,
            0.066_666_666_666_666_67,
            0.071_428_571_428_571_44,
            0.033_333_333_333_333_33,
            1.0,
            0.625,
            1.0,
            0.01,
        ];
        let by = [
            0.097_632_275_132_275_13,
            0.146_448_412_698_412_7,
            0.175_738_095_238_095_23,
            0.195_264_550_264_550_25,
            0.209_212_018_140_589_6,
            0.097_632_275_132_275_13,
            1.0,
            1.0,
            1.0,
            0.029_289_682_539_682_54,
        ];
        for (method, expected) in [(Method::BenjaminiHochberg, bh), (Method::BenjaminiYekutieli, by)] {
            for (ours, theirs) in q_values(&p, method).iter().zip(expected) {
                assert!((ours - theirs).abs() < 1e-14, "{method:?} {ours} {theirs}");
            }
        }
        assert_eq!(q_values(&[0.2; 5], Method::BenjaminiHochberg), [0.2; 5]);
        let mut tests = Tests::default();
        assert!(tests.add(f64::NAN).is_err() && tests.add(1.1).is_err() && tests.add(-0.0).is_ok());
        assert_eq!(tests.finish(Method::BenjaminiHochberg, &mut || {}).unwrap().get(0.0).unwrap(), 0.0);
    }

    #[test]
    fn long_sorts_are_sorts() {
        let mut x = 1_u64;
        let values: Vec<f64> = (0..3 * RUN + 17)
            .map(|_| {
                x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (x >> 40) as f64
            })
            .collect();
        let mut expected = values.clone();
        expected.sort_unstable_by(f64::total_cmp);
        assert_eq!(sorted(values, &mut || {}).unwrap(), expected);
    }
}
