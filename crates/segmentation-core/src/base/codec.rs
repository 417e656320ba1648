//! Bytes of the stored states: variable-length integers, read with suspicion.

use serde_json::Value;

use crate::base::day::Day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::Bytes;

/// Where numbers are written to.
pub(crate) trait Sink {
    fn push(&mut self, byte: u8);
}

impl Sink for Bytes {
    #[inline]
    fn push(&mut self, byte: u8) {
        Bytes::push(self, byte);
    }
}

/// For a few bytes; what grows with the data goes to [`Bytes`].
impl Sink for Vec<u8> {
    #[inline]
    fn push(&mut self, byte: u8) {
        Vec::push(self, byte);
    }
}

/// Appends `value` in groups of seven bits, the lowest first.
pub(crate) fn put(out: &mut impl Sink, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Signed integers by zigzag, so that small ones of either sign stay short.
pub(crate) fn put_signed(out: &mut impl Sink, value: i64) {
    put(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Reads what [`put`] wrote; every byte may be hostile.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, what }
    }

    #[cold]
    pub(crate) fn error(&self, detail: &'static str) -> Error {
        Error::new(ErrorKind::InvalidBinary, format!("invalid binary form of {}", self.what)).detail(detail)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let (&first, rest) = self.bytes.split_first().ok_or_else(|| self.error("It ends too early."))?;
        self.bytes = rest;
        Ok(first)
    }

    pub(crate) fn take(&mut self, n: u64) -> Result<&'a [u8]> {
        let n = usize::try_from(n).map_err(|_| self.error("A length is too large."))?;
        if n > self.bytes.len() {
            return Err(self.error("It ends too early."));
        }
        let (head, rest) = self.bytes.split_at(n);
        self.bytes = rest;
        Ok(head)
    }

    pub(crate) fn number(&mut self) -> Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7f);
            if shift == 63 && group > 1 {
                break;
            }
            value |= group << shift;
            if byte & 0x80 == 0 {
                // One number has one spelling: equal states have equal bytes.
                return if byte == 0 && shift > 0 {
                    Err(self.error("A number is not in its shortest form."))
                } else {
                    Ok(value)
                };
            }
        }
        Err(self.error("A number is too large."))
    }

    pub(crate) fn signed(&mut self) -> Result<i64> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(crate) fn small(&mut self) -> Result<u32> {
        let value = self.number()?;
        u32::try_from(value).map_err(|_| self.error("A number is too large."))
    }

    /// The day and the options of a state: options have one form, that in which they are written.
    pub(crate) fn day_and_options<O>(
        &mut self,
        read: impl Fn(&Value) -> Result<O>,
        write: impl Fn(&O) -> Value,
    ) -> Result<(Day, O)> {
        let day = self.signed()?;
        let length = self.number()?;
        let text = self.take(length)?;
        let bad = || self.error("Its head is impossible.");
        let day = Day::try_from(day).map_err(|_| bad())?;
        let options: Value = serde_json::from_slice(text).map_err(|_| bad())?;
        let options = read(&options).map_err(|_| bad())?;
        if write(&options).to_string().as_bytes() != text {
            return Err(bad());
        }
        Ok((day, options))
    }

    /// A count of items that take at least `least` bytes each: never more than can follow.
    pub(crate) fn count(&mut self, least: usize) -> Result<usize> {
        let n = self.number()?;
        match usize::try_from(n) {
            Ok(n) if n <= self.bytes.len() / least.max(1) => Ok(n),
            _ => Err(self.error("A count is larger than what follows.")),
        }
    }

    /// All that has not been read yet.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    pub(crate) fn finish(&self) -> Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(self.error("There are bytes after its end.")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_round_trip(n: u64, i: i64) {
            let mut out = Bytes::default();
            put(&mut out, n);
            put_signed(&mut out, i);
            let out = out.finish().unwrap();
            let mut reader = Reader::new(&out, "a test");
            prop_assert_eq!(reader.number().unwrap(), n);
            prop_assert_eq!(reader.signed().unwrap(), i);
            reader.finish().unwrap();
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes, "a test");
            while reader.number().is_ok() {}
        }
    }
}
