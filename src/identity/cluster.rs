//! SQL face of [`segmentation_core::identity::cluster`]. Declared in `sql/identity/cluster.sql`.

use pgrx::datum::Array;
use pgrx::prelude::*;
use segmentation_core::base::memory;
use segmentation_core::identity::cluster::{Pair, clusters};
use segmentation_core::{Error, Result};

use crate::pg::{OrRaise, interrupt};

fn wrong(what: &str) -> Error {
    Error::invalid(format!("{what} must have one element for each pair, none of them null"))
}

fn ids(array: &Array<i64>, what: &str) -> Result<Vec<i64>> {
    let mut all: Vec<i64> = memory::with_capacity(array.len())?;
    for id in array.iter() {
        all.push(id.ok_or_else(|| wrong(what))?);
    }
    Ok(all)
}

fn found(
    a: &Array<i64>,
    b: &Array<i64>,
    strength: &Array<f64>,
    apart: (&Array<i64>, &Array<i64>),
    largest: i32,
) -> Result<Vec<(i64, i64)>> {
    if a.len() != b.len() || a.len() != strength.len() {
        return Err(wrong("arrays a, b and strength"));
    }
    if apart.0.len() != apart.1.len() {
        return Err(wrong("arrays apart_a and apart_b"));
    }
    let largest = u32::try_from(largest)
        .ok()
        .filter(|largest| *largest > 0)
        .ok_or_else(|| Error::invalid("largest must be at least 1").detail(format!("It is {largest}.")))?;
    let (a, b) = (ids(a, "a")?, ids(b, "b")?);
    let mut pairs: Vec<Pair> = memory::with_capacity(a.len())?;
    for ((a, b), strength) in a.into_iter().zip(b).zip(strength.iter()) {
        pairs.push(Pair { a, b, strength: strength.ok_or_else(|| wrong("strength"))? });
    }
    let apart: Vec<(i64, i64)> =
        memory::collect(ids(apart.0, "apart_a")?.into_iter().zip(ids(apart.1, "apart_b")?))?;
    clusters(pairs, &apart, largest, &mut interrupt)
}

#[pg_extern(sql = false)]
fn match_clusters<'fcx>(
    a: Array<'fcx, i64>,
    b: Array<'fcx, i64>,
    strength: Array<'fcx, f64>,
    apart_a: Array<'fcx, i64>,
    apart_b: Array<'fcx, i64>,
    largest: i32,
) -> TableIterator<'static, (name!(record, i64), name!(cluster, i64))> {
    TableIterator::new(found(&a, &b, &strength, (&apart_a, &apart_b), largest).or_raise())
}
