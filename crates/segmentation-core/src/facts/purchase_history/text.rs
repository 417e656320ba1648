//! Histories as text and as JSON.

use super::entry::Entry;
use super::packed::{History, pack};
use crate::base::day;
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::host;
use crate::base::money::Money;

impl History<'_> {
    /// Text form: `{2024-01-03:1:12.50,2024-02-01:2:80.00}`, day, purchases, amount.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn to_text(&self) -> Result<String> {
        self.write_days("{", "}", |entry| {
            Ok(format!("{}:{}:{}", day::format(entry.day)?, entry.purchases, entry.amount))
        })
    }

    /// JSON form: `[{"day": "2024-01-03", "purchases": 1, "amount": 12.50}]`.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidBinary`] for damaged bytes.
    pub fn to_json(&self) -> Result<String> {
        self.write_days("[", "]", |entry| {
            let day = day::format(entry.day)?;
            Ok(format!(r#"{{"day":"{day}","purchases":{},"amount":{}}}"#, entry.purchases, entry.amount))
        })
    }

    fn write_days(&self, open: &str, close: &str, write: impl Fn(Entry) -> Result<String>) -> Result<String> {
        let mut text = open.to_owned();
        for (i, entry) in self.entries()?.enumerate() {
            if i > 0 {
                text.push(',');
            }
            text.push_str(&write(entry?)?);
        }
        text.push_str(close);
        Ok(text)
    }
}

/// Reads the text form. Days may come in any order and more than once: they are added up.
///
/// # Errors
/// [`ErrorKind::InvalidText`], [`ErrorKind::OutOfRange`] if a day's sum does not fit.
pub fn parse_text(text: &str) -> Result<Vec<u8>> {
    let invalid = |detail: String| {
        Error::new(ErrorKind::InvalidText, "invalid input syntax for type purchase_history")
            .detail(detail)
            .hint("Write a history as {day:purchases:amount,...}, for example {2024-01-03:1:12.50,2024-02-01:2:80.00}.")
    };
    let inner = text
        .trim_ascii()
        .strip_prefix('{')
        .and_then(|text| text.strip_suffix('}'))
        .ok_or_else(|| invalid("It does not begin with { and end with }.".into()))?;
    let mut entries = Vec::new();
    if !inner.trim_ascii().is_empty() {
        for (i, item) in inner.split(',').enumerate() {
            if i % 4096 == 4095 {
                host::pause();
            }
            let item = item.trim_ascii();
            let mut parts = item.splitn(3, ':');
            let entry = (|| {
                let day = day::parse(parts.next()?)?;
                let purchases = parts.next()?;
                let purchases = if purchases.bytes().all(|b| b.is_ascii_digit()) {
                    purchases.parse().ok()?
                } else {
                    return None;
                };
                Some(Entry { day, purchases, amount: Money::parse(parts.next()?)? })
            })();
            let entry = entry.ok_or_else(|| {
                let shown: String = item.chars().take(40).collect();
                invalid(format!("Item {} is not day:purchases:amount: \"{shown}\".", i + 1))
            })?;
            entries.push(entry);
        }
    }
    entries.sort_by_key(|e: &Entry| e.day);
    let mut merged: Vec<Entry> = Vec::with_capacity(entries.len());
    for entry in entries {
        match merged.last_mut() {
            Some(last) if last.day == entry.day => last.absorb(entry)?,
            _ => merged.push(entry),
        }
    }
    Ok(pack(&merged))
}
