//! Hashes that are part of stored forms and of seeded random numbers: they never change.

/// A step of SplitMix64 (Steele, Lea and Flood 2014): neighbouring keys give unrelated values.
pub(crate) fn mix(z: u64) -> u64 {
    finish(z.wrapping_add(0x9E37_79B9_7F4A_7C15))
}

/// The finaliser of SplitMix64 alone: spreads the bits of a hash, and leaves 0 at 0.
pub(crate) fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Where [`fnv`] starts.
pub(crate) const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a (Fowler, Noll and Vo), over more bytes.
pub(crate) fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A hash of a text: part of the stored forms, so it never changes.
pub(crate) fn hash_text(text: &str) -> u64 {
    hash_bytes(text.as_bytes())
}

/// A hash of bytes, likewise.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hash = mix(bytes.len() as u64);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(word));
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_values() {
        // SplitMix64 seeded with 1234567: the first number of the test vector that Java's SplittableRandom has too.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
        assert_eq!(finish(0), 0);
        // FNV-1a, 64 bits, of "", "a" and "foobar": Noll's page.
        assert_eq!(fnv(FNV_START, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv(FNV_START, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv(FNV_START, b"foobar"), 0x8594_4171_f739_67e8);
    }
}
