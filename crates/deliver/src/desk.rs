//! The desk on which one part is delivered: its bytes, its notes, and patient requests.

use std::io::{self, Read};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::outbox::{Outbox, Part, Rejection, Trouble, Verdict};
use crate::patience::{Clock, Gate, Patience, retry_after};
use crate::secrets::Redactor;
use crate::wire::{Head, Reply, Silence, Wire};

/// Why a delivery stopped.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database: another worker has the batch, or it cannot be reached. Nothing more is written.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// A setting or a variable of the environment is missing or wrong: nothing was sent.
    #[error("{0}")]
    Setting(String),
    /// The destination does not know us.
    #[error("not allowed: {0}")]
    Credentials(String),
    /// The destination will not have this, however often it is sent.
    #[error("refused: {0}")]
    Refused(String),
    /// What was asked about is not there.
    #[error("not found: {0}")]
    Missing(String),
    /// The destination could not be reached, or has had no time, for as long as we had patience.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A request may have arrived or not. The system that made it finds out; the next attempt does if it cannot.
    #[error("no answer: {0}")]
    Unknown(String),
}

/// The body of a request.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// None.
    Empty,
    /// Some bytes and their media type.
    Bytes(&'a str, &'a [u8]),
    /// The rows of the part between two texts, and the media type.
    Rows(&'a str, &'a [u8], &'a [u8]),
    /// The rows of the part, which are CSV with LF, with one more column: media type, separator and name, separator and value.
    Marked(&'a str, &'a str, &'a str),
}

/// Whether a request may be made again when it is not known to have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// Twice is the same as once.
    Safe,
    /// Twice is not.
    Ask,
}

/// What a delivery shows to whoever watches.
pub trait Watcher {
    /// Bytes of the part that were sent.
    fn sent(&self, _bytes: u64) {}
    /// The part is sent again from its beginning.
    fn restart(&self) {}
    /// What happens now, in a few words.
    fn says(&self, _text: &str) {}
}

/// Nobody watches.
pub struct Nobody;
impl Watcher for Nobody {}

/// Rejections are handed over this many at a time.
const HANDFUL: usize = 1000;
/// No answer that is read whole is longer.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Everything that a system needs to deliver one part.
pub struct Desk<'a> {
    outbox: &'a mut dyn Outbox,
    wire: &'a mut dyn Wire,
    clock: &'a dyn Clock,
    patience: &'a Patience,
    gate: &'a mut Gate,
    watcher: &'a dyn Watcher,
    /// Secrets that no message may show.
    pub redactor: Redactor,
    lease: Duration,
    part: Part,
    pending: Vec<Rejection>,
    rejected: u64,
}

/// What all parts of a delivery have in common.
pub struct Tools<'a> {
    /// The database's side.
    pub outbox: &'a mut dyn Outbox,
    /// The network.
    pub wire: &'a mut dyn Wire,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How patient to be.
    pub patience: &'a Patience,
    /// Keeps requests apart.
    pub gate: &'a mut Gate,
    /// Who watches.
    pub watcher: &'a dyn Watcher,
    /// For how long a batch is taken at a time.
    pub lease: Duration,
}

impl<'a> Desk<'a> {
    /// A desk for one part.
    pub fn new(tools: Tools<'a>, redactor: Redactor, part: Part) -> Self {
        let Tools { outbox, wire, clock, patience, gate, watcher, lease } = tools;
        Self {
            outbox,
            wire,
            clock,
            patience,
            gate,
            watcher,
            redactor,
            lease,
            part,
            pending: vec![],
            rejected: 0,
        }
    }

    /// The part.
    pub fn part(&self) -> &Part {
        &self.part
    }

    /// What was noted of the part.
    pub fn state(&self) -> &Value {
        &self.part.state
    }

    /// A text that was noted of the part.
    pub fn noted(&self, name: &str) -> Option<String> {
        let value = self.part.state.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Whether this step is the one that was noted last.
    pub fn at(&self, step: &str) -> bool {
        self.part.state.get("step").and_then(Value::as_str) == Some(step)
    }

    /// Remembers where the delivery stands, before and after every step that cannot be taken back.
    pub fn note(&mut self, state: Value) -> Result<(), Fault> {
        // What is behind the note must not be lost with a kill after it.
        self.hand_over()?;
        self.outbox.note(&self.part, &state)?;
        self.part.state = state;
        Ok(())
    }

    /// What is going on, for whoever watches.
    pub fn says(&self, text: &str) {
        self.watcher.says(text);
    }

    /// A row that the destination rejected.
    pub fn reject(&mut self, key: impl Into<String>, reason: &str) -> Result<(), Fault> {
        let reason: String = self.redactor.clean(reason).chars().take(1000).collect();
        self.pending.push(Rejection { key: key.into(), reason });
        self.rejected += 1;
        if self.pending.len() >= HANDFUL { self.hand_over() } else { Ok(()) }
    }

    fn hand_over(&mut self) -> Result<(), Fault> {
        if !self.pending.is_empty() {
            self.outbox.reject(&self.part, &self.pending)?;
            self.pending.clear();
        }
        Ok(())
    }

    /// How many rows were rejected so far.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Counts from here again: what comes now was said before, in part.
    pub fn recount(&mut self, rejected: u64) {
        self.pending.clear();
        self.rejected = rejected;
    }

    /// Writes down that the destination has finished with the part.
    pub fn finish(mut self, verdict: Verdict) -> Result<(), Fault> {
        self.hand_over()?;
        let rejected = verdict.rejected.max(self.rejected);
        self.outbox.done(&self.part, Verdict { rejected, ..verdict })?;
        Ok(())
    }

    /// The rows of the part, checked against its checksum.
    pub fn rows(&mut self) -> Result<Checked<'_>, Fault> {
        let part = self.part.clone();
        Ok(Checked::new(self.outbox.rows(&part)?, &part))
    }

    /// Waits between two looks at a job: short at first, up to half a minute. Gives up when the job takes too long.
    pub fn wait(&mut self, looks: u32, since: Duration) -> Result<(), Fault> {
        let waited = self.clock.now().saturating_sub(since);
        if waited > self.patience.job {
            let minutes = waited.as_secs() / 60;
            return Err(Fault::Unavailable(format!("the job has not ended after {minutes} minutes")));
        }
        let wait =
            self.patience.first.mul_f64(1.5f64.powi(looks.min(12) as i32)).min(Duration::from_secs(30));
        self.clock.sleep(wait);
        self.renew()
    }

    /// Time now, for [`Desk::wait`].
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    fn renew(&mut self) -> Result<(), Fault> {
        Ok(self.outbox.renew(self.part.batch, self.lease)?)
    }

    /// A request, repeated with patience as long as that is safe; an answer with status 2xx.
    pub fn call(&mut self, head: &Head, body: Body, again: Again) -> Result<Reply, Fault> {
        let mut attempt = 1;
        loop {
            self.gate.pass(self.patience.gap, self.clock);
            let (why, asked, unknown) = match self.once(head, &body)? {
                Ok(mut reply) => {
                    let asked = reply.retry_after.as_deref().and_then(|v| retry_after(v, SystemTime::now()));
                    match reply.status {
                        200..=299 => return Ok(reply),
                        401 | 403 => return Err(Fault::Credentials(self.complaint(head, &mut reply))),
                        404 | 410 => return Err(Fault::Missing(self.complaint(head, &mut reply))),
                        // The server says that it has not taken it.
                        429 => (self.complaint(head, &mut reply), asked, false),
                        503 => (self.complaint(head, &mut reply), asked, asked.is_none()),
                        408 | 500 | 502 | 504 => (self.complaint(head, &mut reply), asked, true),
                        _ => return Err(Fault::Refused(self.complaint(head, &mut reply))),
                    }
                }
                Err(Silence::NotSent(why)) => {
                    (format!("{} {}: {why}", head.method, address(head)), None, false)
                }
                Err(Silence::Unknown(why)) => {
                    (format!("{} {}: {why}", head.method, address(head)), None, true)
                }
            };
            let why = self.redactor.clean(&why);
            if unknown && again == Again::Ask {
                return Err(Fault::Unknown(why));
            }
            attempt += 1;
            if attempt > self.patience.tries {
                return Err(Fault::Unavailable(format!("{why} (tried {} times)", self.patience.tries)));
            }
            let wait = self.patience.wait(attempt, asked, self.clock.chance());
            self.watcher.says(&format!("{why}; again in {:.1} s", wait.as_secs_f64()));
            self.sleep(wait)?;
        }
    }

    /// Waits before try `attempt` of something else than a request, unless it was tried often enough.
    pub fn again(&mut self, attempt: u32, why: &str) -> Result<(), Fault> {
        if attempt > self.patience.tries {
            return Err(Fault::Unavailable(format!("{why} (tried {} times)", self.patience.tries)));
        }
        let wait = self.patience.wait(attempt, None, self.clock.chance());
        self.watcher.says(&format!("{why}; again in {:.1} s", wait.as_secs_f64()));
        self.sleep(wait)
    }

    /// The part is sent from its beginning.
    pub fn restart(&self) {
        self.watcher.restart();
    }

    /// Who watches.
    pub fn watcher(&self) -> &'a dyn Watcher {
        self.watcher
    }

    /// Sleeps, and keeps the batch meanwhile.
    fn sleep(&mut self, wait: Duration) -> Result<(), Fault> {
        let step = (self.lease / 3).max(Duration::from_secs(1));
        let mut left = wait;
        while left > step {
            self.clock.sleep(step);
            left -= step;
            self.renew()?;
        }
        self.clock.sleep(left);
        self.renew()
    }

    fn once(&mut self, head: &Head, body: &Body) -> Result<Result<Reply, Silence>, Fault> {
        let mut head = head.clone();
        let mut kind = |kind: &str| head.headers.push(("content-type".to_owned(), kind.to_owned()));
        Ok(match *body {
            Body::Empty if matches!(head.method, "POST" | "PUT" | "PATCH") => {
                self.wire.call(&head, Some((&mut io::empty(), 0)))
            }
            Body::Empty => self.wire.call(&head, None),
            Body::Bytes(media, mut bytes) => {
                kind(media);
                let length = bytes.len() as u64;
                self.wire.call(&head, Some((&mut bytes, length)))
            }
            Body::Rows(media, before, after) => {
                kind(media);
                let length = before.len() as u64 + self.part.bytes + after.len() as u64;
                return self.send(&head, length, before, after, None);
            }
            Body::Marked(media, name, value) => {
                kind(media);
                let length = self.part.bytes + name.len() as u64 + self.part.rows * value.len() as u64;
                let inserts = [name.as_bytes().to_vec(), value.as_bytes().to_vec()];
                return self.send(&head, length, b"", b"", Some(inserts));
            }
        })
    }

    /// A request with the rows of the part, streamed.
    fn send(
        &mut self,
        head: &Head,
        length: u64,
        before: &[u8],
        after: &[u8],
        inserts: Option<[Vec<u8>; 2]>,
    ) -> Result<Result<Reply, Silence>, Fault> {
        self.watcher.restart();
        self.renew()?;
        let rows = Checked::new(self.outbox.rows(&self.part)?, &self.part);
        let rows: Box<dyn Read> = match inserts {
            Some(inserts) => Box::new(Marked::new(rows, inserts)),
            None => Box::new(rows),
        };
        let mut counted =
            Counted { inner: before.chain(rows).chain(after), watcher: self.watcher, fault: None };
        let answer = self.wire.call(head, Some((&mut counted, length)));
        // Rows that cannot be read are the database's fault, not the network's.
        match (answer, counted.fault) {
            (Err(_), Some(fault)) => Err(Trouble::Failed(fault).into()),
            (answer, _) => Ok(answer),
        }
    }

    /// What a server says that did not do what it was asked, without secrets.
    fn complaint(&self, head: &Head, reply: &mut Reply) -> String {
        let mut text = vec![];
        // A body that breaks off says what it says.
        let _ = reply.body.by_ref().take(2000).read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        self.redactor.clean(format!("{} {}: {} {text}", head.method, address(head), reply.status).trim_end())
    }

    /// A request whose answer is JSON; repeated like one without an answer when the answer breaks off.
    pub fn ask(&mut self, head: &Head, body: Body, again: Again) -> Result<Value, Fault> {
        let mut attempt = 1;
        loop {
            let why = match read_json(self.call(head, body, again)?) {
                Ok(answer) => return Ok(answer),
                Err(why) => format!("{} {}: {why}", head.method, address(head)),
            };
            attempt += 1;
            self.unread(attempt, why, again)?;
        }
    }

    /// An answer could not be read: waits, if the request may be made again.
    pub fn unread(&mut self, attempt: u32, why: String, again: Again) -> Result<(), Fault> {
        match again {
            Again::Safe => self.again(attempt, &why),
            Again::Ask => Err(Fault::Unknown(why)),
        }
    }
}

/// An answer that must be JSON, or empty. One that breaks off is as good as none.
pub fn read_json(reply: Reply) -> Result<Value, String> {
    let mut text = vec![];
    reply.body.take(LONGEST_ANSWER).read_to_end(&mut text).map_err(|e| e.to_string())?;
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&text).map_err(|e| format!("the answer is no JSON: {e}"))
}

/// The address without its query, which may hold what nobody should read.
fn address(head: &Head) -> &str {
    head.url.split('?').next().unwrap_or_default()
}

/// Bytes of a part, with their number and checksum held against what the database said of them. The last bytes come only
/// when all are right, so that a body that differs never arrives whole.
pub struct Checked<'a> {
    inner: Box<dyn Read + 'a>,
    held: Vec<u8>,
    given: usize,
    next: Vec<u8>,
    hash: Option<Sha256>,
    bytes: u64,
    expected: (u64, String),
}

const CHUNK: usize = 64 << 10;

impl<'a> Checked<'a> {
    /// Reads `inner` as the bytes of a part.
    pub fn new(inner: Box<dyn Read + 'a>, part: &Part) -> Self {
        let expected = (part.bytes, part.sha256.to_ascii_lowercase());
        Self { inner, held: vec![], given: 0, next: vec![], hash: Some(Sha256::new()), bytes: 0, expected }
    }

    /// Gets the next chunk ready; at the end holds everything against what was promised.
    fn advance(&mut self) -> io::Result<()> {
        if let Some(hash) = &mut self.hash {
            self.next.clear();
            self.inner.by_ref().take(CHUNK as u64).read_to_end(&mut self.next)?;
            hash.update(&self.next);
            self.bytes += self.next.len() as u64;
            let over = self.bytes > self.expected.0;
            if self.next.len() < CHUNK || over {
                let sum = hex(&self.hash.take().map(Sha256::finalize).unwrap_or_default());
                if over || (self.bytes, &sum) != (self.expected.0, &self.expected.1) {
                    self.next.clear();
                    self.held.clear();
                    let (bytes, sha256) = &self.expected;
                    return Err(io::Error::other(format!(
                        "the rows are not those that were promised: {} bytes with checksum {sum}, not {bytes} with {sha256}",
                        self.bytes
                    )));
                }
            }
        } else {
            self.next.clear();
        }
        Ok(())
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.held.len() {
            if self.hash.is_some() && self.bytes == 0 {
                self.advance()?;
            }
            std::mem::swap(&mut self.held, &mut self.next);
            self.given = 0;
            self.advance()?;
        }
        let count = out.len().min(self.held.len() - self.given);
        out[..count].copy_from_slice(&self.held[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// CSV with one more column at the end of every record.
struct Marked<R> {
    inner: io::BufReader<R>,
    inserts: [Vec<u8>; 2],
    header: bool,
    quoted: bool,
    ready: Vec<u8>,
    given: usize,
}

impl<R: Read> Marked<R> {
    fn new(inner: R, inserts: [Vec<u8>; 2]) -> Self {
        Self {
            inner: io::BufReader::new(inner),
            inserts,
            header: true,
            quoted: false,
            ready: vec![],
            given: 0,
        }
    }
}

impl<R: Read> Read for Marked<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        use io::BufRead;
        if self.given == self.ready.len() {
            self.ready.clear();
            self.given = 0;
            let chunk = self.inner.fill_buf()?;
            for byte in chunk {
                match byte {
                    b'"' => self.quoted = !self.quoted,
                    b'\n' if !self.quoted => {
                        self.ready.extend_from_slice(&self.inserts[usize::from(!self.header)]);
                        self.header = false;
                    }
                    _ => {}
                }
                self.ready.push(*byte);
            }
            let length = chunk.len();
            self.inner.consume(length);
        }
        let count = out.len().min(self.ready.len() - self.given);
        out[..count].copy_from_slice(&self.ready[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// Bytes in hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Tells the watcher how much was read, and keeps an error of the inner reader.
struct Counted<'a, R> {
    inner: R,
    watcher: &'a dyn Watcher,
    fault: Option<String>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(out) {
            Ok(count) => {
                self.watcher.sent(count as u64);
                Ok(count)
            }
            Err(e) => {
                self.fault = Some(e.to_string());
                Err(e)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::{Format, Instruction};
    use proptest::prelude::*;

    fn part(bytes: &[u8]) -> Part {
        Part {
            batch: 1,
            number: 1,
            name: "a.csv".to_owned(),
            instruction: Instruction::Upsert,
            rows: 0,
            bytes: bytes.len() as u64,
            sha256: hex(&Sha256::digest(bytes)),
            format: Format::JsonLines,
            key: "email".to_owned(),
            state: Value::Null,
            done: false,
        }
    }

    #[test]
    fn a_column_more_is_at_the_end_of_every_record() {
        let rows = "k\n\"a\nb\"\nc\n\"\"\"\"\n".as_bytes();
        let mut out = String::new();
        Marked::new(rows, [b",x".to_vec(), b",true".to_vec()]).read_to_string(&mut out).unwrap();
        assert_eq!(out, "k,x\n\"a\nb\",true\nc,true\n\"\"\"\",true\n");
        assert_eq!(out.len(), rows.len() + 2 + 3 * 5);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn checked_gives_the_bytes_and_never_all_of_wrong_ones(
            length in 0usize..300_000, at in any::<prop::sample::Index>(), piece in 1usize..100_000, cut in 0usize..3
        ) {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 31 % 251) as u8).collect();
            let promised = part(&bytes);
            let mut read = vec![];
            let mut checked = Checked::new(Box::new(&bytes[..]), &promised);
            let mut buffer = vec![0; piece];
            loop {
                let count = checked.read(&mut buffer).unwrap();
                if count == 0 { break }
                read.extend_from_slice(&buffer[..count]);
            }
            prop_assert_eq!(&read, &bytes);
            if length > 0 {
                let mut wrong = bytes.clone();
                match cut {
                    0 => wrong[at.index(length)] ^= 1,
                    1 => wrong.truncate(at.index(length)),
                    _ => wrong.push(7),
                }
                let mut read = vec![];
                prop_assert!(Checked::new(Box::new(&wrong[..]), &promised).read_to_end(&mut read).is_err());
                prop_assert!(read.len() < length);
            }
        }
    }
}
