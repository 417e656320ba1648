//! Hashes that are part of stored forms and of seeded random numbers: they never change.

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): neighbouring keys give unrelated values.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A hash of a text: part of the stored forms, so it never changes.
pub(crate) fn hash_text(text: &str) -> u64 {
    let mut hash = mix(text.len() as u64);
    for chunk in text.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash ^ u64::from_le_bytes(bytes));
    }
    hash
}
