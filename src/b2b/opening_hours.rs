//! SQL face of [`segmentation_core::b2b::opening_hours`]. Declared in `sql/b2b/opening_hours.sql`. A bit string is a
//! varlena of its number of bits and its bytes.

use pgrx::prelude::*;
use segmentation_core::b2b::opening_hours::{self, Mask};

#[pg_extern(sql = false)]
fn opening_hours(hours: &str) -> Option<Vec<u8>> {
    opening_hours::parse(hours).map(|mask| {
        let mut bits = (Mask::BITS as i32).to_ne_bytes().to_vec();
        bits.extend_from_slice(mask.bytes());
        bits
    })
}

#[pg_extern(sql = false)]
fn opening_hours_text(mask: &[u8]) -> Option<String> {
    let (bits, bytes) = mask.split_first_chunk::<4>()?;
    (i32::from_ne_bytes(*bits) == Mask::BITS as i32).then_some(())?;
    Mask::from_bytes(bytes).map(|mask| mask.text())
}

#[pg_extern(sql = false)]
fn opening_hours_fault(hours: &str) -> Option<String> {
    opening_hours::read(hours).err().map(|refusal| refusal.to_string())
}
