//! SQL face of [`segmentation_core::identity::similarity`]. Declared in `sql/identity/similarity.sql`.

use pgrx::prelude::*;
use segmentation_core::identity::similarity::{self, Ear};

use crate::pg::OrRaise;

#[pg_extern(sql = false)]
fn jaro_winkler(a: &str, b: &str) -> f64 {
    similarity::jaro_winkler(a, b).or_raise()
}

#[pg_extern(sql = false)]
fn damerau_levenshtein(a: &str, b: &str) -> i32 {
    // At most as many as the longest text has characters.
    similarity::damerau_levenshtein(a, b).or_raise() as i32
}

#[pg_extern(sql = false)]
fn token_similarity(a: &str, b: &str) -> f64 {
    similarity::token_similarity(a, b)
}

#[pg_extern(sql = false)]
fn phonetic_key(name: &str, language: &str) -> Option<String> {
    similarity::phonetic(name, Ear::parse(language).or_raise())
}
