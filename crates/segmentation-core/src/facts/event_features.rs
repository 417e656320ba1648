//! What contact and interaction logs say of a customer on a day, as a fixed list of named numbers, and nothing that came
//! later. Beside [`super::purchase_features`], and like those monotone in time while nothing happens.
//!
//! | feature | what |
//! |---|---|
//! | `contacts_30`, `contacts_90` | ln(1 + contacts of the last so many days); bounces are none |
//! | `answers_90`, `answers_365` | ln(1 + contacts of these days that were answered) |
//! | `refused` | 1 after an unsubscription or complaint, else 0 |
//! | `interactions_30`, `_90`, `_365` | ln(1 + interactions of the last so many days) |

use super::event_log::{ANSWERS, BOUNCE, EventLog, LogKind, REFUSALS};
use crate::base::day::Day;
use crate::base::error::Result;
use crate::base::memory;

/// How many features there are.
pub const EVENT_FEATURES: usize = 8;
/// Their names, in order: five of contacts, three of interactions.
pub const EVENT_NAMES: [&str; EVENT_FEATURES] = [
    "contacts_30",
    "contacts_90",
    "answers_90",
    "answers_365",
    "refused",
    "interactions_30",
    "interactions_90",
    "interactions_365",
];
/// How many of them are of contacts.
pub const CONTACT_FEATURES: usize = 5;

/// What is known of a customer's contacts and interactions at the end of a day.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KnownEvents {
    as_of: Day,
    contacts: Vec<Day>,
    answers: Vec<Day>,
    interactions: Vec<Day>,
    refused: bool,
}

impl KnownEvents {
    /// Reads logs up to a day. A customer without a log had neither contacts nor interactions.
    ///
    /// # Errors
    /// Damaged bytes, no memory.
    pub fn read(contacts: Option<&[u8]>, interactions: Option<&[u8]>, as_of: Day) -> Result<Self> {
        let mut known = Self { as_of, ..Self::default() };
        if let Some(bytes) = contacts {
            for event in EventLog::read(LogKind::Contacts, bytes)?.events.iter().filter(|e| e.day <= as_of) {
                known.refused |= REFUSALS.contains(&event.code);
                if event.code != BOUNCE {
                    memory::push(&mut known.contacts, event.day)?;
                }
                if ANSWERS.contains(&event.code) {
                    memory::push(&mut known.answers, event.day)?;
                }
            }
        }
        if let Some(bytes) = interactions {
            for event in
                EventLog::read(LogKind::Interactions, bytes)?.events.iter().filter(|e| e.day <= as_of)
            {
                memory::push(&mut known.interactions, event.day)?;
            }
        }
        Ok(known)
    }

    /// The features on that day, or on a later one if nothing has happened since.
    #[must_use]
    pub fn features(&self, day: Day) -> [f64; EVENT_FEATURES] {
        let day = day.max(self.as_of);
        let count = |days: &[Day], window: i32| {
            let n = days.iter().filter(|d| day - **d < window).count();
            (n as f64).ln_1p()
        };
        [
            count(&self.contacts, 30),
            count(&self.contacts, 90),
            count(&self.answers, 90),
            count(&self.answers, 365),
            f64::from(u8::from(self.refused)),
            count(&self.interactions, 30),
            count(&self.interactions, 90),
            count(&self.interactions, 365),
        ]
    }

    /// The first day after `as_of` on which a log has something, of what lies ahead.
    ///
    /// # Errors
    /// Damaged bytes.
    pub fn next_day(contacts: Option<&[u8]>, interactions: Option<&[u8]>, as_of: Day) -> Result<Option<Day>> {
        let mut next: Option<Day> = None;
        for (kind, bytes) in [(LogKind::Contacts, contacts), (LogKind::Interactions, interactions)] {
            let Some(bytes) = bytes else { continue };
            let log = EventLog::read(kind, bytes)?;
            let ahead = log.events.iter().map(|e| e.day).filter(|day| *day > as_of).min();
            next = next.into_iter().chain(ahead).min();
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::super::event_log::Event;
    use super::*;

    #[test]
    fn by_hand() {
        let event = |day, code| Event { day, name: 0, code };
        let contacts = EventLog {
            names: vec!["email"],
            events: vec![event(0, 2), event(40, BOUNCE), event(70, 0), event(95, 7), event(120, 2)],
        };
        let calls = EventLog { names: vec!["call"], events: vec![event(10, 0), event(99, 0)] };
        let (contacts, calls) =
            (contacts.pack(LogKind::Contacts).unwrap(), calls.pack(LogKind::Interactions).unwrap());
        let known = KnownEvents::read(Some(&contacts), Some(&calls), 100).unwrap();
        let two = 2f64.ln();
        let right = [two, 3f64.ln(), 0.0, two, 1.0, two, two, 3f64.ln()];
        // The day itself at the earliest.
        for features in [known.features(100), known.features(99)] {
            assert!(features.iter().zip(&right).all(|(a, b)| (a - b).abs() < 1e-15), "{features:?}");
        }
        assert_eq!(known.features(600), [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(KnownEvents::read(None, None, 100).unwrap().features(100), [0.0; EVENT_FEATURES]);
        assert_eq!(KnownEvents::next_day(Some(&contacts), Some(&calls), 98).unwrap(), Some(99));
        assert_eq!(KnownEvents::next_day(Some(&contacts), None, 120).unwrap(), None);
        assert!(KnownEvents::read(Some(&calls), None, 0).is_err());
    }
}
