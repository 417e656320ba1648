//! Memory whose size comes from data.
//!
//! Rust ends the process when an ordinary allocation fails. Whatever grows with the rows, or with a number that
//! somebody wrote, asks here: a failure is an [`ErrorKind::OutOfMemory`], and everything else is given back.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::hash::{BuildHasher, Hash};

use crate::base::error::{Error, ErrorKind, Result};

/// What the user can do.
pub const HINT: &CStr =
    c"Aggregate fewer rows a group, take a sample, run fewer sessions at once, or allow the server more memory.";

thread_local! {
    static MAY_FAIL: Cell<bool> = const { Cell::new(false) };
    static RECOVERS: Cell<Option<fn() -> bool>> = const { Cell::new(None) };
}

/// For a host that serves small requests from a reserve when memory has run out: from when that is spent, every
/// request for more fails until `recovers` says that there is memory again. `None` when it is there.
pub fn running_low(recovers: Option<fn() -> bool>) {
    RECOVERS.set(recovers);
}

/// Whether the allocation under way is one of this module's: its failure is reckoned with. For an allocator that
/// does something else than returning null for all others.
#[must_use]
pub fn may_fail() -> bool {
    MAY_FAIL.get()
}

/// The error that memory could not be had.
#[cold]
#[must_use]
pub fn out_of_memory(bytes: usize) -> Error {
    Error::new(ErrorKind::OutOfMemory, "out of memory")
        .detail(format!("Failed on a request of {bytes} bytes."))
        .hint(HINT.to_str().unwrap_or_default())
}

/// A collection that can be asked for room.
pub trait Room {
    /// Bytes of one element, for messages.
    const ELEMENT: usize;
    /// How many elements it can take without asking for memory.
    fn spare(&self) -> usize;
    /// Asks for room for so many more; whether it was there.
    fn ask(&mut self, more: usize, exact: bool) -> bool;
}

impl<T> Room for Vec<T> {
    const ELEMENT: usize = size_of::<T>();

    #[inline]
    fn spare(&self) -> usize {
        self.capacity() - self.len()
    }

    fn ask(&mut self, more: usize, exact: bool) -> bool {
        if exact { self.try_reserve_exact(more) } else { self.try_reserve(more) }.is_ok()
    }
}

impl Room for String {
    const ELEMENT: usize = 1;

    #[inline]
    fn spare(&self) -> usize {
        self.capacity() - self.len()
    }

    fn ask(&mut self, more: usize, exact: bool) -> bool {
        if exact { self.try_reserve_exact(more) } else { self.try_reserve(more) }.is_ok()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Room for HashMap<K, V, S> {
    const ELEMENT: usize = size_of::<(K, V)>() + 1;

    #[inline]
    fn spare(&self) -> usize {
        self.capacity() - self.len()
    }

    fn ask(&mut self, more: usize, _: bool) -> bool {
        self.try_reserve(more).is_ok()
    }
}

impl<T: Eq + Hash, S: BuildHasher> Room for HashSet<T, S> {
    const ELEMENT: usize = size_of::<T>() + 1;

    #[inline]
    fn spare(&self) -> usize {
        self.capacity() - self.len()
    }

    fn ask(&mut self, more: usize, _: bool) -> bool {
        self.try_reserve(more).is_ok()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher> Room for hashbrown::HashMap<K, V, S> {
    const ELEMENT: usize = size_of::<(K, V)>() + 1;

    #[inline]
    fn spare(&self) -> usize {
        self.capacity() - self.len()
    }

    fn ask(&mut self, more: usize, _: bool) -> bool {
        self.try_reserve(more).is_ok()
    }
}

#[cold]
#[inline(never)]
fn ask<C: Room>(of: &mut C, more: usize, exact: bool) -> Result<()> {
    reserve_by(more, C::ELEMENT, |more| of.ask(more, exact))
}

/// Room for so many more elements of so many bytes, in a collection that knows itself how to ask: `ask` tells
/// whether it was there.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn reserve_by(more: usize, bytes: usize, ask: impl FnOnce(usize) -> bool) -> Result<()> {
    let enough = RECOVERS.get().is_none_or(|recovers| recovers());
    MAY_FAIL.set(true);
    let there = enough && ask(more);
    MAY_FAIL.set(false);
    if there { Ok(()) } else { Err(out_of_memory(more.saturating_mul(bytes))) }
}

/// Room for so many more elements, and some to spare for later.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
#[inline]
pub fn reserve<C: Room>(of: &mut C, more: usize) -> Result<()> {
    if more <= of.spare() { Ok(()) } else { ask(of, more, false) }
}

/// Room for so many more elements and no others.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
#[inline]
pub fn reserve_exact<C: Room>(of: &mut C, more: usize) -> Result<()> {
    if more <= of.spare() { Ok(()) } else { ask(of, more, true) }
}

/// An empty collection with room for so many elements.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn with_capacity<C: Room + Default>(elements: usize) -> Result<C> {
    let mut empty = C::default();
    reserve_exact(&mut empty, elements)?;
    Ok(empty)
}

/// `list.push(value)`.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
#[inline]
pub fn push<T>(list: &mut Vec<T>, value: T) -> Result<()> {
    reserve(list, 1)?;
    list.push(value);
    Ok(())
}

/// `list.extend_from_slice(values)`.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
#[inline]
pub fn extend<T: Clone>(list: &mut Vec<T>, values: &[T]) -> Result<()> {
    reserve(list, values.len())?;
    list.extend_from_slice(values);
    Ok(())
}

/// `text.push_str(more)`.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
#[inline]
pub fn push_str(text: &mut String, more: &str) -> Result<()> {
    reserve(text, more.len())?;
    text.push_str(more);
    Ok(())
}

/// So many copies of a value.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn filled<T: Clone>(value: T, count: usize) -> Result<Vec<T>> {
    let mut list: Vec<T> = with_capacity(count)?;
    list.resize(count, value);
    Ok(list)
}

/// A copy of the values.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn copy<T: Clone>(values: &[T]) -> Result<Vec<T>> {
    let mut list: Vec<T> = with_capacity(values.len())?;
    list.extend_from_slice(values);
    Ok(list)
}

/// The parts, one after the other.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn concat(parts: &[&[u8]]) -> Result<Vec<u8>> {
    let mut all: Vec<u8> = with_capacity(parts.iter().map(|part| part.len()).sum())?;
    parts.iter().for_each(|part| all.extend_from_slice(part));
    Ok(all)
}

/// All that the iterator gives.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn collect<T>(values: impl IntoIterator<Item = T>) -> Result<Vec<T>> {
    let values = values.into_iter();
    let mut list: Vec<T> = with_capacity(values.size_hint().0)?;
    for value in values {
        push(&mut list, value)?;
    }
    Ok(list)
}

/// Bytes that are being written. Memory that cannot be had is told at the end, so that writers need not ask at
/// every number.
#[derive(Debug, Default)]
pub struct Bytes {
    bytes: Vec<u8>,
    /// What went wrong first; nothing is written after that.
    error: Option<Error>,
}

impl Bytes {
    /// Bytes that begin with these.
    #[must_use]
    pub fn begin(head: &[u8]) -> Self {
        let mut out = Self::default();
        out.extend_from_slice(head);
        out
    }

    /// Room for so many more bytes and no others, where their number is known.
    pub fn reserve_exact(&mut self, more: usize) {
        if self.error.is_none() {
            self.error = reserve_exact(&mut self.bytes, more).err();
        }
    }

    /// As a vector does it.
    #[inline]
    pub fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    /// As a vector does it.
    #[inline]
    pub fn extend_from_slice(&mut self, more: &[u8]) {
        if self.error.is_some() {
            return;
        }
        match reserve(&mut self.bytes, more.len()) {
            Ok(()) => self.bytes.extend_from_slice(more),
            Err(error) => self.error = Some(error),
        }
    }

    /// What was written.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`].
    pub fn finish(self) -> Result<Vec<u8>> {
        self.error.map_or(Ok(self.bytes), Err)
    }
}

/// For writers of others; they stop at the first failure.
impl std::io::Write for Bytes {
    fn write(&mut self, more: &[u8]) -> std::io::Result<usize> {
        self.extend_from_slice(more);
        if self.error.is_some() { Err(std::io::ErrorKind::OutOfMemory.into()) } else { Ok(more.len()) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_had_is_an_error() {
        let error = filled(0_u64, usize::MAX / 16).unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutOfMemory);
        assert!(error.hint.is_some());
        assert_eq!(with_capacity::<String>(usize::MAX / 2).unwrap_err().kind, ErrorKind::OutOfMemory);
        assert_eq!(with_capacity::<HashMap<u64, u64>>(1 << 60).unwrap_err().kind, ErrorKind::OutOfMemory);
        // Afterwards other allocations are those of others again.
        assert!(!may_fail());
    }

    #[test]
    fn a_spent_reserve_ends_growth_until_it_is_filled_again() {
        running_low(Some(|| false));
        let mut list = vec![1];
        list.shrink_to_fit();
        assert_eq!(push(&mut list, 2).unwrap_err().kind, ErrorKind::OutOfMemory);
        running_low(Some(|| true));
        push(&mut list, 2).unwrap();
        running_low(None);
        push(&mut list, 3).unwrap();
        assert_eq!(list, [1, 2, 3]);
    }

    #[test]
    fn what_can_be_had_is_as_ever() {
        assert_eq!(collect((0..100).filter(|n| n % 2 == 0)).unwrap().len(), 50);
        assert_eq!(copy(&[1, 2, 3]).unwrap(), [1, 2, 3]);
        let mut text = String::new();
        push_str(&mut text, "ab").unwrap();
        let mut list = filled(7, 2).unwrap();
        push(&mut list, 8).unwrap();
        extend(&mut list, &[9]).unwrap();
        assert_eq!((text.as_str(), list), ("ab", vec![7, 7, 8, 9]));
    }
}
