//! The growing form: a sorted array with spare room, changed in place.

use super::entry::Entry;
use super::packed::{corrupt, pack};
use crate::base::day::{self, Day};
use crate::base::error::Result;
use crate::base::money::Money;

/// A history while it grows: a sorted array of days with room to spare, in bytes
/// that its owner provides (so that an aggregate's state is one flat value).
///
/// Layout: 8 bytes of header (form 0x80, three zero bytes, number of days as
/// `u32`), then 16 bytes a day. Integers are in the machine's order: this form
/// is never stored or sent to another machine.
pub struct Growing<'a> {
    bytes: &'a mut [u8],
}

const GROWING: u8 = 0x80;
const HEADER: usize = 8;
const ENTRY: usize = 16;

impl<'a> Growing<'a> {
    /// Bytes needed for `days` days.
    #[must_use]
    pub const fn size_for(days: usize) -> usize {
        HEADER + days * ENTRY
    }

    /// Starts an empty history in `bytes`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidBinary`] if they are too few for the header.
    pub fn start(bytes: &'a mut [u8]) -> Result<Self> {
        let header = bytes.get_mut(..HEADER).ok_or_else(|| corrupt("it ends too early"))?;
        header.copy_from_slice(&[GROWING, 0, 0, 0, 0, 0, 0, 0]);
        Ok(Growing { bytes })
    }

    /// Takes up a history begun by [`Growing::start`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidBinary`] if the bytes are not in growing form.
    #[inline]
    pub fn resume(bytes: &'a mut [u8]) -> Result<Self> {
        check_growing(bytes)?;
        Ok(Growing { bytes })
    }

    /// Number of days so far.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        growing_len(self.bytes)
    }

    /// Whether there is no day yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of days that the bytes have room for.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        (self.bytes.len() - HEADER) / ENTRY
    }

    /// Adds to a day. `false`: there is no room left for another day, nothing was changed.
    ///
    /// # Errors
    /// [`crate::ErrorKind::DateOutOfRange`], or [`crate::ErrorKind::OutOfRange`] if a sum does not fit.
    #[inline]
    pub fn add(&mut self, entry: Entry) -> Result<bool> {
        day::check(entry.day)?;
        let len = self.len();
        // Orders mostly arrive in order of time: look at the end first.
        let mut at = len;
        if len > 0 {
            let last = self.day(len - 1);
            if entry.day == last {
                at = len - 1;
            } else if entry.day < last {
                at = self.position(entry.day, len);
            }
        }
        if at < len && self.day(at) == entry.day {
            let mut old = read_growing(self.bytes, at);
            old.absorb(entry)?;
            self.write(at, old);
            return Ok(true);
        }
        if len == self.capacity() {
            return Ok(false);
        }
        let start = HEADER + at * ENTRY;
        self.bytes.copy_within(start..HEADER + len * ENTRY, start + ENTRY);
        self.write(at, entry);
        self.bytes[4..8].copy_from_slice(&(len as u32 + 1).to_ne_bytes());
        Ok(true)
    }

    /// The first position whose day is not before `day`.
    fn position(&self, day: Day, len: usize) -> usize {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.day(middle) < day {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    #[inline]
    fn day(&self, at: usize) -> Day {
        let start = HEADER + at * ENTRY;
        i32::from_ne_bytes(array(&self.bytes[start..start + 4]))
    }

    #[inline]
    fn write(&mut self, at: usize, entry: Entry) {
        let bytes = &mut self.bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY];
        bytes[..4].copy_from_slice(&entry.day.to_ne_bytes());
        bytes[4..8].copy_from_slice(&entry.purchases.to_ne_bytes());
        bytes[8..].copy_from_slice(&entry.amount.0.to_ne_bytes());
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[inline]
fn growing_len(bytes: &[u8]) -> usize {
    u32::from_ne_bytes(array(&bytes[4..8])) as usize
}

#[inline]
fn check_growing(bytes: &[u8]) -> Result<()> {
    if bytes.len() < HEADER || bytes[0] != GROWING || growing_len(bytes) > (bytes.len() - HEADER) / ENTRY {
        return Err(corrupt("an aggregate's state is not in growing form"));
    }
    Ok(())
}

#[inline]
fn read_growing(bytes: &[u8], at: usize) -> Entry {
    let bytes = &bytes[HEADER + at * ENTRY..HEADER + (at + 1) * ENTRY];
    Entry {
        day: i32::from_ne_bytes(array(&bytes[..4])),
        purchases: u32::from_ne_bytes(array(&bytes[4..8])),
        amount: Money(i64::from_ne_bytes(array(&bytes[8..]))),
    }
}

/// The days of a growing history, in order.
///
/// # Errors
/// [`crate::ErrorKind::InvalidBinary`] if the bytes are not in growing form.
pub fn growing_entries(bytes: &[u8]) -> Result<impl Iterator<Item = Entry> + '_> {
    check_growing(bytes)?;
    Ok((0..growing_len(bytes)).map(|at| read_growing(bytes, at)))
}

/// The packed form of a growing history.
///
/// # Errors
/// [`crate::ErrorKind::InvalidBinary`] if the bytes are not in growing form.
pub fn pack_growing(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(pack(&growing_entries(bytes)?.collect::<Vec<_>>()))
}
