//! What happened to one customer on which day, as one compact, mergeable value: contacts by channel
//! and their response, consents given and withdrawn, interactions by kind.
//!
//! Two forms, told apart by the first byte:
//! * the **growing form** is changed in place while an aggregate runs: a header, events of eight
//!   bytes growing upwards, names growing downwards from the end, as in a page of a table;
//! * the **packed form** is canonical: names sorted, events sorted by day, name and code, integers
//!   of variable length. Equal logs are equal bytes.

use crate::Checkpoint;
use crate::base::codec::put;
use crate::base::day::{self, Day};
use crate::base::error::{Error, ErrorKind, Result};
use crate::base::memory::{self, Bytes};
use crate::base::words::with_article;

/// What a log is a log of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogKind {
    /// Messages to the customer: the name is the channel, the code what came of it.
    Contacts = 1,
    /// Consents: the name is the channel, the code whether it was given.
    Consents = 2,
    /// What the customer did: the name is the kind.
    Interactions = 3,
}

/// What can come of a contact, by code.
pub const RESPONSES: [&str; 10] =
    ["none", "open", "click", "reply", "visit", "purchase", "response", "unsubscribe", "complaint", "bounce"];
/// Code of an open.
pub const OPEN: u8 = 1;
/// The codes that are answers: click, reply, visit, purchase, response.
pub const ANSWERS: std::ops::RangeInclusive<u8> = 2..=6;
/// Code of a response of no particular kind.
pub const RESPONSE: u8 = 6;
/// Codes by which a customer says no to a channel: an unsubscription, a complaint.
pub const REFUSALS: std::ops::RangeInclusive<u8> = 7..=8;
/// Code of a message that did not arrive.
pub const BOUNCE: u8 = 9;

/// Code of a consent withdrawn or never given.
pub const REFUSED: u8 = 0;
/// Code of a consent given.
pub const GRANTED: u8 = 1;
/// Code of a refusal of an unknown day: it holds on every day.
pub const REFUSED_UNDATED: u8 = 2;
/// The name that stands for all channels.
pub const ALL_CHANNELS: &str = "*";

impl LogKind {
    /// Its SQL type.
    #[must_use]
    pub fn sql_name(self) -> &'static str {
        match self {
            LogKind::Contacts => "contact_history",
            LogKind::Consents => "consent_history",
            LogKind::Interactions => "interaction_history",
        }
    }

    /// What its names are names of.
    #[must_use]
    pub fn name(self) -> &'static str {
        if self == LogKind::Interactions { "kind" } else { "channel" }
    }

    /// Codes from 0 up to this one.
    fn most_code(self) -> u8 {
        match self {
            LogKind::Contacts => BOUNCE,
            LogKind::Consents => REFUSED_UNDATED,
            LogKind::Interactions => 0,
        }
    }
}

/// The code of a response.
///
/// # Errors
/// It is none of [`RESPONSES`].
pub fn response_code(response: &str) -> Result<u8> {
    RESPONSES.iter().position(|known| *known == response).map(|code| code as u8).ok_or_else(|| {
        let shown: String = response.chars().take(60).collect();
        Error::invalid(format!("unknown response \"{shown}\""))
            .hint(format!("Known responses are: {}. Any other answer is \"response\".", RESPONSES.join(", ")))
    })
}

/// An event. Its name is a position in [`EventLog::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// The day.
    pub day: Day,
    /// Position of its name.
    pub name: u16,
    /// Its code.
    pub code: u8,
}

/// A log, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLog<'a> {
    /// The names; sorted if the log was packed.
    pub names: Vec<&'a str>,
    /// The events; sorted by day, name and code if the log was packed.
    pub events: Vec<Event>,
}

const GROWING: u8 = 0x80;
const VERSION: u8 = 1;
const HEADER: usize = 16;
const ENTRY: usize = 8;
/// Names of one customer, at most.
const MOST_NAMES: usize = 1000;
/// Bytes of a name, at most.
const LONGEST_NAME: usize = 200;
/// Events of one customer, at most.
const MOST_EVENTS: usize = 10_000_000;
/// Bytes of a first state: with PostgreSQL's header it fills a chunk.
pub const FIRST_SIZE: usize = 124;

fn corrupt(kind: LogKind) -> Error {
    Error::new(ErrorKind::InvalidBinary, format!("invalid value of type {}", kind.sql_name()))
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

// Growing form: tag, version, names (u16), events (u32), bytes of names (u32), 4 bytes free.

/// Begins a growing log in `bytes`, at least [`FIRST_SIZE`] of them, all zero.
pub fn start(kind: LogKind, bytes: &mut [u8]) {
    bytes[0] = GROWING | kind as u8;
    bytes[1] = VERSION;
}

/// Names, events and bytes of names of a growing log.
fn sizes(kind: LogKind, bytes: &[u8]) -> Result<(usize, usize, usize)> {
    if bytes.len() < HEADER || bytes[0] != GROWING | kind as u8 || bytes[1] != VERSION {
        return Err(corrupt(kind));
    }
    let (names, events, name_bytes) = (u16_at(bytes, 2), u32_at(bytes, 4), u32_at(bytes, 8));
    if HEADER + events * ENTRY + name_bytes > bytes.len() {
        return Err(corrupt(kind));
    }
    Ok((names, events, name_bytes))
}

/// Position of a name: the newest comes first in the bytes.
fn find(names: usize, region: &[u8], name: &[u8]) -> Option<u16> {
    let mut at = 0;
    for index in (0..names).rev() {
        let len = u16_at(region.get(at..at + 2)?, 0);
        let own = region.get(at + 2..at + 2 + len)?;
        if own == name {
            return Some(index as u16);
        }
        at += 2 + len;
    }
    None
}

/// Takes an event into a growing log; false if there is no room.
///
/// # Errors
/// A day out of range; a name that is empty or too long; too many names or events.
#[inline]
pub fn append(kind: LogKind, bytes: &mut [u8], day: Day, name: &str, code: u8) -> Result<bool> {
    let day = if code == REFUSED_UNDATED && kind == LogKind::Consents {
        day::FIRST
    } else {
        day::check(day).map_err(|error| Error {
            message: format!("date out of range for {}", with_article(kind.sql_name())).into(),
            ..error
        })?
    };
    let (names, events, name_bytes) = sizes(kind, bytes)?;
    let end = bytes.len();
    let free = end - HEADER - events * ENTRY - name_bytes;
    let index = match find(names, &bytes[end - name_bytes..], name.as_bytes()) {
        Some(index) => {
            if free < ENTRY {
                return Ok(false);
            }
            index
        }
        None => {
            check_name(kind, name, names)?;
            let len = name.len();
            if free < ENTRY + 2 + len {
                return Ok(false);
            }
            let at = end - name_bytes - 2 - len;
            bytes[at..at + 2].copy_from_slice(&(len as u16).to_le_bytes());
            bytes[at + 2..at + 2 + len].copy_from_slice(name.as_bytes());
            bytes[2..4].copy_from_slice(&(names as u16 + 1).to_le_bytes());
            bytes[8..12].copy_from_slice(&((name_bytes + 2 + len) as u32).to_le_bytes());
            names as u16
        }
    };
    if events == MOST_EVENTS {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("too many events for {}", with_article(kind.sql_name())),
        )
        .detail(format!("At most {MOST_EVENTS} are allowed for one customer.")));
    }
    let at = HEADER + events * ENTRY;
    bytes[at..at + 4].copy_from_slice(&day.to_le_bytes());
    bytes[at + 4..at + 6].copy_from_slice(&index.to_le_bytes());
    bytes[at + 6] = code;
    bytes[4..8].copy_from_slice(&(events as u32 + 1).to_le_bytes());
    Ok(true)
}

fn check_name(kind: LogKind, name: &str, names: usize) -> Result<()> {
    if name.is_empty() || name.len() > LONGEST_NAME {
        return Err(Error::invalid(format!(
            "{} must have from 1 to {LONGEST_NAME} bytes",
            with_article(kind.name())
        ))
        .detail(format!("It has {}.", name.len())));
    }
    if names == MOST_NAMES {
        return Err(Error::new(ErrorKind::LimitExceeded, format!("too many different {}s", kind.name()))
            .detail(format!("At most {MOST_NAMES} are allowed for one customer.")));
    }
    Ok(())
}

/// The size to move to when there is no room: twice as large, filling a chunk again.
#[must_use]
pub fn larger(len: usize, name: &str) -> usize {
    ((len + 4) * 2).max((len + ENTRY + name.len() + 6).next_power_of_two()) - 4
}

/// Moves a growing log into larger bytes, all zero.
///
/// # Errors
/// It is no growing log.
pub fn move_into(kind: LogKind, old: &[u8], new: &mut [u8]) -> Result<()> {
    let (_, events, name_bytes) = sizes(kind, old)?;
    let used = HEADER + events * ENTRY;
    new[..used].copy_from_slice(&old[..used]);
    let end = new.len();
    new[end - name_bytes..].copy_from_slice(&old[old.len() - name_bytes..]);
    Ok(())
}

fn read_growing(kind: LogKind, bytes: &[u8]) -> Result<EventLog<'_>> {
    let (count, events, name_bytes) = sizes(kind, bytes)?;
    let region = &bytes[bytes.len() - name_bytes..];
    let mut names = Vec::with_capacity(count.min(region.len()));
    let mut at = 0;
    for _ in 0..count {
        let len = region.get(at..at + 2).map(|b| u16_at(b, 0)).ok_or_else(|| corrupt(kind))?;
        let name = region.get(at + 2..at + 2 + len).ok_or_else(|| corrupt(kind))?;
        names.push(std::str::from_utf8(name).map_err(|_| corrupt(kind))?);
        at += 2 + len;
    }
    names.reverse();
    let events = bytes[HEADER..HEADER + events * ENTRY].as_chunks::<ENTRY>().0.iter().map(|e| {
        let day = i32::from_le_bytes([e[0], e[1], e[2], e[3]]);
        Event { day, name: u16::from_le_bytes([e[4], e[5]]), code: e[6] }
    });
    let log = EventLog { names, events: memory::collect(events)? };
    log.check(kind)?;
    Ok(log)
}

// Packed form: kind, version, names, each with its length, events, each a day gap and name x 16 + code.

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl<'a> EventLog<'a> {
    /// Reads a log in either form.
    ///
    /// # Errors
    /// The bytes are no log of this kind.
    pub fn read(kind: LogKind, bytes: &'a [u8]) -> Result<Self> {
        match bytes.first() {
            Some(tag) if tag & GROWING != 0 => read_growing(kind, bytes),
            _ => Self::read_packed(kind, bytes).unwrap_or_else(|| Err(corrupt(kind))),
        }
    }

    fn read_packed(kind: LogKind, bytes: &'a [u8]) -> Option<Result<Self>> {
        let (head, mut rest) = bytes.split_first_chunk::<2>()?;
        (*head == [kind as u8, VERSION]).then_some(())?;
        let count = take(&mut rest)? as usize;
        (count <= MOST_NAMES).then_some(())?;
        let mut names: Vec<&str> = Vec::with_capacity(count);
        for _ in 0..count {
            let len = take(&mut rest)? as usize;
            let (name, after) = rest.split_at_checked(len)?;
            rest = after;
            names.push(std::str::from_utf8(name).ok()?);
        }
        let count = take(&mut rest)? as usize;
        // An event takes two bytes at least.
        (count <= MOST_EVENTS && count <= rest.len() / 2).then_some(())?;
        let mut events: Vec<Event> = match memory::with_capacity(count) {
            Ok(events) => events,
            Err(error) => return Some(Err(error)),
        };
        let mut day = i64::from(day::FIRST);
        for _ in 0..count {
            day += i64::try_from(take(&mut rest)?).ok().filter(|gap| *gap <= 10_000_000)?;
            let code = take(&mut rest)?;
            let name = u16::try_from(code >> 4).ok()?;
            events.push(Event { day: i32::try_from(day).ok()?, name, code: (code & 15) as u8 });
        }
        let log = EventLog { names, events };
        let canonical = log.names.is_sorted_by(|a, b| a < b) && log.events.is_sorted();
        (rest.is_empty() && canonical && log.check(kind).is_ok()).then_some(Ok(log))
    }

    fn check(&self, kind: LogKind) -> Result<()> {
        let mut used = vec![false; self.names.len()];
        for event in &self.events {
            match used.get_mut(usize::from(event.name)) {
                Some(used)
                    if event.code <= kind.most_code() && (day::FIRST..=day::LAST).contains(&event.day) =>
                {
                    *used = true;
                }
                _ => return Err(corrupt(kind)),
            }
        }
        let fits = |name: &&str| (1..=LONGEST_NAME).contains(&name.len());
        if used.contains(&false) || !self.names.iter().all(fits) {
            return Err(corrupt(kind));
        }
        Ok(())
    }

    /// The packed form.
    ///
    /// # Errors
    /// No memory.
    pub fn pack(&self, kind: LogKind) -> Result<Vec<u8>> {
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_unstable_by_key(|&i| self.names[i]);
        let mut place = vec![0u16; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new as u16;
        }
        let mut events =
            memory::collect(self.events.iter().map(|e| Event { name: place[usize::from(e.name)], ..*e }))?;
        events.sort_unstable();
        let mut out = Bytes::begin(&[kind as u8, VERSION]);
        put(&mut out, order.len() as u64);
        for &name in &order {
            put(&mut out, self.names[name].len() as u64);
            out.extend_from_slice(self.names[name].as_bytes());
        }
        put(&mut out, events.len() as u64);
        let mut before = i64::from(day::FIRST);
        for event in events {
            put(&mut out, (i64::from(event.day) - before) as u64);
            put(&mut out, u64::from(event.name) << 4 | u64::from(event.code));
            before = i64::from(event.day);
        }
        out.finish()
    }

    /// Leaves out what is later than a day, and names that nothing bears any more.
    pub fn keep_until(&mut self, until: Day) {
        self.events.retain(|event| event.day <= until);
        let mut used = vec![false; self.names.len()];
        self.events.iter().for_each(|event| used[usize::from(event.name)] = true);
        let mut place = 0;
        let places: Vec<u16> = used
            .iter()
            .map(|used| {
                place += u16::from(*used);
                place.saturating_sub(1)
            })
            .collect();
        self.events.iter_mut().for_each(|event| event.name = places[usize::from(event.name)]);
        let mut used = used.iter();
        self.names.retain(|_| used.next().copied().unwrap_or(false));
    }

    /// The name of an event.
    #[must_use]
    pub fn name(&self, event: &Event) -> &'a str {
        self.names[usize::from(event.name)]
    }
}

/// How contacts are counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Counting {
    /// Only contacts of the last so many days.
    pub window_days: Option<Day>,
    /// A contact of so many days ago counts half.
    pub half_life_days: Option<f64>,
    /// Opens count as answers.
    pub opens: bool,
}

impl Counting {
    /// All contacts alike, no opens.
    pub const PLAIN: Counting = Counting { window_days: None, half_life_days: None, opens: false };

    /// What a contact of a day weighs; 0 if it is not counted.
    #[must_use]
    pub fn weight(&self, day: Day, as_of: Day) -> f64 {
        let age = as_of.saturating_sub(day);
        if age < 0 || self.window_days.is_some_and(|window| age >= window) {
            return 0.0;
        }
        self.half_life_days.map_or(1.0, |half_life| (-f64::from(age) / half_life).exp2())
    }

    /// Whether a code is an answer.
    #[must_use]
    pub fn answered(&self, code: u8) -> bool {
        ANSWERS.contains(&code) || (self.opens && code == OPEN)
    }
}

/// Contacts and answers, by position of the channel in the log's names. Bounces are no contacts.
#[must_use]
pub fn counts(log: &EventLog, as_of: Day, counting: &Counting) -> Vec<(f64, f64)> {
    let mut counts = vec![(0.0, 0.0); log.names.len()];
    for event in &log.events {
        let weight = counting.weight(event.day, as_of);
        if weight > 0.0 && event.code != BOUNCE {
            let count = &mut counts[usize::from(event.name)];
            count.0 += weight;
            if counting.answered(event.code) {
                count.1 += weight;
            }
        }
    }
    counts
}

/// Contacts of `days` days up to a day, of one channel or of all; bounces are none.
#[must_use]
pub fn contacts(log: &EventLog, as_of: Day, days: Option<Day>, channel: Option<&str>) -> i64 {
    let from = days.map_or(Day::MIN, |days| as_of.saturating_sub(days));
    let counted = |e: &&Event| {
        e.day > from
            && e.day <= as_of
            && e.code != BOUNCE
            && channel.is_none_or(|channel| log.name(e) == channel)
    };
    log.events.iter().filter(counted).count() as i64
}

/// The day of the last answer up to a day: click, reply, visit, purchase, response.
#[must_use]
pub fn last_response(log: &EventLog, as_of: Day) -> Option<Day> {
    log.events.iter().filter(|e| e.day <= as_of && ANSWERS.contains(&e.code)).map(|e| e.day).max()
}

/// What is known of a consent on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// It was given, and holds.
    Granted,
    /// It was given, too long ago.
    Expired,
    /// It was withdrawn or never given.
    None,
    /// It was given, but not after the customer unsubscribed or complained.
    Unsubscribed,
}

/// [`consent`], with what came of the contacts: who unsubscribed from a channel or complained about it, under
/// any spelling, has to consent on a later day.
#[must_use]
pub fn consent_by_answers(
    consents: &EventLog,
    contacts: Option<&EventLog>,
    channel: &str,
    as_of: Day,
    valid_days: Option<Day>,
) -> Consent {
    let refused = contacts.and_then(|log| last_refusal(log, channel, as_of));
    match (consent(consents, channel, as_of, valid_days), refused) {
        (Consent::None, _) => Consent::None,
        (said, None) => said,
        (said, Some(day)) => {
            let since = consents.events.iter().any(|event| {
                event.code == GRANTED
                    && (day + 1..=as_of).contains(&event.day)
                    && consents.name(event) == channel
            });
            if since { said } else { Consent::Unsubscribed }
        }
    }
}

/// The last day up to `as_of` on which a customer answered a message of the channel by an unsubscription or
/// a complaint.
fn last_refusal(contacts: &EventLog, channel: &str, as_of: Day) -> Option<Day> {
    let wanted = channel.trim().to_lowercase();
    let alike = contacts.names.iter().map(|name| name.trim().to_lowercase() == wanted);
    let alike: Vec<bool> = alike.collect();
    let refusals = contacts.events.iter().filter(|event| {
        event.day <= as_of && REFUSALS.contains(&event.code) && alike[usize::from(event.name)]
    });
    refusals.map(|event| event.day).max()
}

/// Whether a customer may be contacted by a channel on a day.
///
/// Yes only if the last word about exactly this channel, up to that day, was a consent, not older than
/// `valid_days`. Doubt is a no: a refusal on the same day, a refusal of an unknown day, a refusal of
/// all channels (`*`) on that day or after, a refusal that is standing under another spelling of the
/// channel (case, surrounding blanks). Consent to all channels is consent to none.
#[must_use]
pub fn consent(log: &EventLog, channel: &str, as_of: Day, valid_days: Option<Day>) -> Consent {
    if channel == ALL_CHANNELS {
        return Consent::None;
    }
    let wanted = channel.trim().to_lowercase();
    let mut granted: Option<Day> = None;
    // The last word of each name that reads like this channel, and of all channels.
    for (index, name) in log.names.iter().enumerate() {
        let all = name.trim() == ALL_CHANNELS;
        let alike = *name == channel || name.trim().to_lowercase() == wanted;
        if !all && !alike {
            continue;
        }
        let (mut yes, mut no) = (None::<Day>, None::<Day>);
        for event in log.events.iter().filter(|e| usize::from(e.name) == index) {
            match event.code {
                REFUSED_UNDATED => return Consent::None,
                _ if event.day > as_of => {}
                GRANTED => yes = yes.max(Some(event.day)),
                _ => no = no.max(Some(event.day)),
            }
        }
        if *name == channel {
            granted = yes.filter(|yes| no.is_none_or(|no| no < *yes));
        } else if !all && no.is_some() && no >= yes {
            return Consent::None;
        }
    }
    let refused_all = log
        .events
        .iter()
        .filter(|e| e.day <= as_of && e.code == REFUSED && log.name(e).trim() == ALL_CHANNELS)
        .map(|e| e.day)
        .max();
    match granted {
        Some(day) if refused_all.is_some_and(|refused| refused >= day) => Consent::None,
        Some(day) if valid_days.is_some_and(|valid| as_of.saturating_sub(day) >= valid) => Consent::Expired,
        Some(_) => Consent::Granted,
        None => Consent::None,
    }
}

/// The sum over events up to a day of weight x 2^(-age / half-life).
///
/// # Errors
/// The sum is not finite.
pub fn engagement(
    log: &EventLog,
    as_of: Day,
    half_life_days: f64,
    weight: impl Fn(&str) -> f64,
    checkpoint: Checkpoint,
) -> Result<f64> {
    let weights: Vec<f64> = log.names.iter().map(|name| weight(name)).collect();
    let mut sum = 0.0;
    for (i, event) in log.events.iter().enumerate() {
        if i % 65_536 == 65_535 {
            checkpoint();
        }
        if event.day <= as_of {
            sum += weights[usize::from(event.name)]
                * (-f64::from(as_of.saturating_sub(event.day)) / half_life_days).exp2();
        }
    }
    if sum.is_finite() {
        Ok(sum)
    } else {
        Err(Error::new(ErrorKind::OutOfRange, "engagement score out of range"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log(kind: LogKind, events: &[(Day, &str, u8)]) -> Vec<u8> {
        let mut bytes = vec![0; FIRST_SIZE];
        start(kind, &mut bytes);
        for &(day, name, code) in events {
            while !append(kind, &mut bytes, day, name, code).unwrap() {
                let mut more = vec![0; larger(bytes.len(), name)];
                move_into(kind, &bytes, &mut more).unwrap();
                bytes = more;
            }
        }
        EventLog::read(kind, &bytes).unwrap().pack(kind).unwrap()
    }

    #[test]
    fn counts_what_was_sent_and_answered() {
        let bytes = log(
            LogKind::Contacts,
            &[
                (10, "email", 0),
                (12, "email", 2),
                (12, "sms", 5),
                (14, "email", 1),
                (15, "email", 9),
                (40, "email", 2),
            ],
        );
        let log = EventLog::read(LogKind::Contacts, &bytes).unwrap();
        assert_eq!(log.names, ["email", "sms"]);
        assert_eq!(counts(&log, 20, &Counting::PLAIN), [(3.0, 1.0), (1.0, 1.0)]);
        let opens = Counting { opens: true, ..Counting::PLAIN };
        assert_eq!(counts(&log, 20, &opens), [(3.0, 2.0), (1.0, 1.0)]);
        let window = Counting { window_days: Some(8), ..Counting::PLAIN };
        // Days 13 to 20.
        assert_eq!(counts(&log, 20, &window), [(1.0, 0.0), (0.0, 0.0)]);
        let decay = Counting { half_life_days: Some(2.0), ..Counting::PLAIN };
        assert_eq!(counts(&log, 14, &decay)[0], (0.25 + 0.5 + 1.0, 0.5));
        assert_eq!(contacts(&log, 20, Some(8), None), 1);
        assert_eq!(contacts(&log, 20, Some(9), None), 3);
        assert_eq!(contacts(&log, 20, Some(9), Some("sms")), 1);
        assert_eq!(contacts(&log, 100, None, None), 5);
        assert_eq!(last_response(&log, 39), Some(12));
        let sum = engagement(&log, 14, 2.0, |name| if name == "sms" { 10.0 } else { 1.0 }, &mut || {});
        assert_eq!(sum.unwrap(), 0.25 + 0.5 + 5.0 + 1.0);
    }

    #[test]
    fn doubt_is_no_consent() {
        let is = |events: &[(Day, &str, u8)], valid| {
            let bytes = log(LogKind::Consents, events);
            consent(&EventLog::read(LogKind::Consents, &bytes).unwrap(), "email", 100, valid)
        };
        use Consent::{Expired, Granted};
        assert_eq!(is(&[(1, "email", GRANTED)], None), Granted);
        assert_eq!(is(&[(1, "email", GRANTED)], Some(99)), Expired);
        assert_eq!(is(&[(1, "email", GRANTED)], Some(100)), Granted);
        // Given again after the withdrawal.
        assert_eq!(is(&[(1, "email", GRANTED), (5, "email", REFUSED), (9, "email", GRANTED)], None), Granted);
        assert_eq!(is(&[(1, "*", REFUSED), (9, "email", GRANTED)], None), Granted);
        // Withdrawn under another spelling, then given again under it.
        assert_eq!(is(&[(1, "email", GRANTED), (5, "Email", REFUSED), (6, "Email", GRANTED)], None), Granted);
        for no in [
            &[(1, "Email", GRANTED)][..],
            &[(1, "email ", GRANTED)],
            &[(1, "sms", GRANTED)],
            &[(1, "*", GRANTED)],
            &[(101, "email", GRANTED)],
            &[(1, "email", GRANTED), (1, "email", REFUSED)],
            &[(1, "email", GRANTED), (100, "email", REFUSED)],
            &[(1, "email", GRANTED), (50, " EMAIL", REFUSED)],
            &[(1, "email", GRANTED), (1, "EMAIL", REFUSED)],
            &[(1, "email", GRANTED), (1, "*", REFUSED)],
            &[(1, "email", GRANTED), (1, "email", REFUSED_UNDATED)],
            &[(1, "email", GRANTED), (7, "*", REFUSED_UNDATED)],
            &[(1, "email", GRANTED), (5, "*", REFUSED), (9, "*", GRANTED)],
        ] {
            assert_eq!(is(no, None), Consent::None, "{no:?}");
        }
    }

    proptest! {
        /// Any order of arrival gives the same bytes, which are read back.
        #[test]
        fn canonical(mut events in prop::collection::vec((0..4000i32, "[a-c]{1,3}", 0..10u8), 0..80)) {
            let build = |events: &[(i32, String, u8)]| {
                let events: Vec<_> = events.iter().map(|(d, n, c)| (*d, n.as_str(), *c)).collect();
                log(LogKind::Contacts, &events)
            };
            let bytes = build(&events);
            let read = EventLog::read(LogKind::Contacts, &bytes).unwrap();
            prop_assert_eq!(read.events.len(), events.len());
            prop_assert_eq!(read.pack(LogKind::Contacts).unwrap(), bytes.clone());
            events.reverse();
            prop_assert_eq!(build(&events), bytes.clone());
            prop_assert!(EventLog::read(LogKind::Consents, &bytes).is_err());
        }

        /// Bytes from anywhere never panic.
        #[test]
        fn hostile(mut bytes in prop::collection::vec(any::<u8>(), 0..60), tag in 0..4u8, growing in any::<bool>()) {
            if bytes.len() > 1 {
                bytes[0] = tag | if growing { GROWING } else { 0 };
                bytes[1] = VERSION;
            }
            for kind in [LogKind::Contacts, LogKind::Consents, LogKind::Interactions] {
                let _ = EventLog::read(kind, &bytes);
                let mut copy = bytes.clone();
                let _ = append(kind, &mut copy, 1, "email", 0);
            }
        }
    }
}
