//! The database's side of a delivery: batches, their parts, and what the client has to remember.
//!
//! Everything that must survive a kill is kept there. [`postgres`] is the real one; the tests have a twin in memory.

pub mod postgres;

use std::io::Read;
use std::time::Duration;

use serde_json::{Map, Value};

/// Where batches go: one row of the workspace's destinations.
#[derive(Clone, Debug)]
pub struct Destination {
    /// Its name.
    pub name: String,
    /// The system behind it: `salesforce`, `eloqua`, `hubspot`, `brevo`, `klaviyo`, `actito`, `splio` ...
    pub system: String,
    /// Settings of the client, those under `client` in the destination's options. Never a secret.
    pub options: Map<String, Value>,
}

impl Destination {
    /// A setting that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.options.get(name).and_then(Value::as_str)
    }

    /// A setting that is a whole number, written as a number or as a text.
    pub fn number(&self, name: &str) -> Option<i64> {
        let value = self.options.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    /// A setting that is true or false.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.options.get(name).and_then(Value::as_bool)
    }
}

/// One batch, taken by this worker.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Its number, unique in the workspace and never used again.
    pub id: i64,
    /// How often it was taken, this time included.
    pub attempt: i32,
    /// Where it goes.
    pub destination: Destination,
}

/// What the destination is to do with the rows of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// Create them or change them.
    Upsert,
    /// Remove these people.
    Delete,
    /// Keep these people, but write to them no more.
    Unsubscribe,
}

impl Instruction {
    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::Delete => "delete",
            Self::Unsubscribe => "unsubscribe",
        }
    }

    /// What the database wrote.
    pub fn read(name: &str) -> Option<Self> {
        [Self::Upsert, Self::Delete, Self::Unsubscribe].into_iter().find(|i| i.name() == name)
    }
}

/// How the rows of a part are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Lines with a header, and what separates the fields.
    Csv {
        /// One character.
        separator: char,
        /// Names of the columns, in order.
        header: Vec<String>,
    },
    /// One JSON object a line.
    JsonLines,
    /// One body in JSON, as the system takes it.
    Json,
}

/// One file or body of a batch.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its batch.
    pub batch: i64,
    /// Its number within the batch, from 1.
    pub number: i32,
    /// The name of the file.
    pub name: String,
    /// What to do with its rows.
    pub instruction: Instruction,
    /// How many rows it has, the header not counted.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// The checksum of these bytes, in hexadecimal.
    pub sha256: String,
    /// How it is written.
    pub format: Format,
    /// Which column says who a row is about.
    pub key: String,
    /// What the client noted of it, `null` at first.
    pub state: Value,
    /// Whether the destination has finished with it.
    pub done: bool,
}

/// What the destination said of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Who the row is about, as the file says it; empty if the destination does not say.
    pub key: String,
    /// Why it was rejected.
    pub reason: String,
}

/// What the destination said of a whole part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Rows that it has taken, if it says so.
    pub accepted: Option<u64>,
    /// Rows that it has rejected.
    pub rejected: u64,
}

/// Why the database's side could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The batch belongs to another worker by now: stop, and touch nothing.
    #[error("another worker has the batch: {0}")]
    Lost(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// The database's side.
pub trait Outbox {
    /// Makes a batch of what differs since the last acknowledged one; nothing if nothing does, or another worker has one.
    fn sync(&mut self) -> Result<Option<i64>, Trouble>;

    /// Takes the next batch for a while: a new one, this worker's own, or one whose worker is gone.
    fn take(&mut self, lease: Duration) -> Result<Option<Batch>, Trouble>;

    /// Holds a batch for longer.
    fn renew(&mut self, batch: i64, lease: Duration) -> Result<(), Trouble>;

    /// The parts of a batch, in the order in which they must be sent.
    fn parts(&mut self, batch: i64) -> Result<Vec<Part>, Trouble>;

    /// The bytes of a part, the same whenever they are asked for, streamed.
    fn rows<'a>(&'a mut self, part: &Part) -> Result<Box<dyn Read + 'a>, Trouble>;

    /// Remembers where the delivery of a part stands.
    fn note(&mut self, part: &Part, state: &Value) -> Result<(), Trouble>;

    /// Rows that the destination rejected. Saying it twice is the same as saying it once.
    fn reject(&mut self, part: &Part, rows: &[Rejection]) -> Result<(), Trouble>;

    /// The destination has finished with a part.
    fn done(&mut self, part: &Part, verdict: Verdict) -> Result<(), Trouble>;

    /// The destination has the whole batch.
    fn acknowledge(&mut self, batch: i64) -> Result<(), Trouble>;

    /// The batch did not arrive. If `again`, it may be tried again after that time; else somebody has to look.
    fn fail(&mut self, batch: i64, reason: &str, again: Option<Duration>) -> Result<(), Trouble>;
}
