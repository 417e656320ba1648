//! Hold-out groups: who gets no campaign, so that its effect can be measured.
//!
//! Membership follows from the key of a customer and a salt alone: it needs no table, is the same in
//! every system that can compute SHA-256, and never changes while both stay. A customer held out at one
//! share is held out at every larger one. Groups with different salts are independent of each other.

use sha2::{Digest, Sha256};

use crate::base::error::{Error, Result};

/// The place of a key under a salt, evenly spread in [0, 1).
///
/// The first 53 bits of SHA-256(salt, a zero byte, key), both as UTF-8, read as a number with the
/// highest bit first, over 2^53. Neither text can hold a zero byte in PostgreSQL, so that no two pairs
/// share their bytes.
#[must_use]
pub fn place(key: &str, salt: &str) -> f64 {
    let digest = Sha256::new().chain_update(salt).chain_update([0]).chain_update(key).finalize();
    let first = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (first >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether a key is held out: its place is below the share.
///
/// # Errors
/// If the share is not between 0 and 1.
pub fn held_out(key: &str, salt: &str, share: f64) -> Result<bool> {
    if (0.0..=1.0).contains(&share) {
        Ok(place(key, salt) < share)
    } else {
        Err(Error::invalid("share must be between 0 and 1").detail(format!("It is {share}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_as_other_systems_have_them() {
        // Python 3.11: int.from_bytes(hashlib.sha256(b"campaign\0" + key).digest()[:8]) >> 11, over 2**53.
        PLACES
            .iter()
            .for_each(|(key, place_there)| assert_eq!(place(key, "campaign"), *place_there, "{key}"));
        assert!(place("1", "a") != place("1", "b"));
    }

    const PLACES: [(&str, f64); 3] =
        [("1", 0.28695697129962805), ("client é", 0.6677441646578265), ("", 0.7765932988194607)];

    #[test]
    fn shares_nest_and_salts_are_independent() {
        let keys: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        let held = |salt, share| keys.iter().filter(|k| held_out(k, salt, share).unwrap()).count() as f64;
        // Within five standard errors of a binomial share.
        let near = |count: f64, n: f64, p: f64| (count - n * p).abs() < 5.0 * (n * p * (1.0 - p)).sqrt();
        assert!(near(held("global", 0.1), 20_000.0, 0.1));
        let both = keys
            .iter()
            .filter(|k| held_out(k, "global", 0.1).unwrap() && held_out(k, "spring", 0.5).unwrap())
            .count() as f64;
        assert!(near(both, held("global", 0.1), 0.5), "{both}");
        for key in &keys {
            assert!(!held_out(key, "s", 0.1).unwrap() || held_out(key, "s", 0.2).unwrap());
        }
        assert!(held("s", 0.0) == 0.0 && held("s", 1.0) == 20_000.0);
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(held_out("1", "s", bad).is_err());
        }
    }
}
