//! The database's side in memory: a twin of the real outbox, and death at any step.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;
use std::time::Duration;

use deliver::desk::hex;
use deliver::outbox::{Batch, Destination, Format, Instruction, Outbox, Part, Rejection, Trouble, Verdict};
use deliver::patience::Clock;
use deliver::wire::{Head, Network, Reply, Silence, Wire};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Counts steps, and kills at one of them: from then on nothing works until somebody starts the program again.
#[derive(Default)]
pub struct Death {
    pub steps: Cell<u64>,
    pub at: Cell<Option<u64>>,
}

impl Death {
    pub fn step(&self) -> Result<(), Trouble> {
        self.steps.set(self.steps.get() + 1);
        match self.at.get() {
            Some(at) if self.steps.get() >= at => Err(Trouble::Failed("killed".to_owned())),
            _ => Ok(()),
        }
    }

    pub fn is_dead(&self) -> bool {
        self.at.get().is_some_and(|at| self.steps.get() >= at)
    }

    pub fn restart(&self, at: Option<u64>) {
        self.steps.set(0);
        self.at.set(at);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Status {
    Open,
    Taken(String, Duration),
    Done,
    Failed(String),
}

pub struct Stored {
    pub status: Status,
    pub rest: Duration,
    pub attempt: i32,
    pub parts: Vec<(Part, Vec<u8>)>,
    pub reason: Option<String>,
}

#[derive(Default)]
pub struct Store {
    pub batches: BTreeMap<i64, Stored>,
    pub rejections: BTreeMap<(i64, i32, String), String>,
    pub verdicts: BTreeMap<(i64, i32), Verdict>,
    pub waiting: Vec<Vec<(Part, Vec<u8>)>>,
    pub notes: u64,
    pub corrupt: bool,
}

pub struct Memory {
    pub store: Rc<RefCell<Store>>,
    pub destination: Destination,
    pub worker: String,
    pub death: Rc<Death>,
    pub clock: Rc<FakeClock>,
}

#[derive(Default)]
pub struct FakeClock {
    pub time: Cell<Duration>,
    pub slept: RefCell<Vec<Duration>>,
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        self.time.get()
    }
    fn sleep(&self, time: Duration) {
        self.time.set(self.time.get() + time);
        self.slept.borrow_mut().push(time);
    }
    fn chance(&self) -> f64 {
        0.5
    }
}

/// A part with given bytes.
pub fn part(
    number: i32,
    instruction: Instruction,
    name: &str,
    key: &str,
    format: Format,
    bytes: &[u8],
) -> (Part, Vec<u8>) {
    let rows = bytes.iter().filter(|b| **b == b'\n').count() as u64
        - u64::from(matches!(format, Format::Csv { .. }));
    let sha256 = hex(&Sha256::digest(bytes));
    let part = Part {
        batch: 0,
        number,
        name: name.to_owned(),
        instruction,
        rows,
        bytes: bytes.len() as u64,
        sha256,
        format,
        key: key.to_owned(),
        state: Value::Null,
        done: false,
    };
    (part, bytes.to_vec())
}

impl Memory {
    fn held(&self, batch: i64) -> Result<(), Trouble> {
        match &self.store.borrow().batches[&batch].status {
            Status::Taken(worker, _) if *worker == self.worker => Ok(()),
            other => Err(Trouble::Lost(format!("{other:?}"))),
        }
    }

    /// Runs something between two chances to die: before it happened, and after, when nobody learns that it has.
    fn mortal<T>(&mut self, act: impl FnOnce(&mut Self) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.death.step()?;
        let done = act(self);
        self.death.step()?;
        done
    }
}

impl Outbox for Memory {
    fn sync(&mut self) -> Result<Option<i64>, Trouble> {
        self.mortal(|me| {
            let mut store = me.store.borrow_mut();
            let Some(mut parts) = store.waiting.pop() else { return Ok(None) };
            let id = store.batches.len() as i64 + 1;
            parts.iter_mut().for_each(|(part, _)| part.batch = id);
            let batch =
                Stored { status: Status::Open, rest: Duration::ZERO, attempt: 0, parts, reason: None };
            store.batches.insert(id, batch);
            Ok(Some(id))
        })
    }

    fn take(&mut self, lease: Duration) -> Result<Option<Batch>, Trouble> {
        self.mortal(|me| {
            let now = me.clock.now();
            let mut store = me.store.borrow_mut();
            for (id, batch) in &mut store.batches {
                let free = match &batch.status {
                    Status::Open => batch.rest <= now,
                    Status::Taken(worker, until) => *worker == me.worker || *until < now,
                    _ => false,
                };
                if free {
                    batch.status = Status::Taken(me.worker.clone(), now + lease);
                    batch.attempt += 1;
                    return Ok(Some(Batch {
                        id: *id,
                        attempt: batch.attempt,
                        destination: me.destination.clone(),
                    }));
                }
            }
            Ok(None)
        })
    }

    fn renew(&mut self, batch: i64, lease: Duration) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(batch)?;
            let until = me.clock.now() + lease;
            me.store.borrow_mut().batches.get_mut(&batch).unwrap().status =
                Status::Taken(me.worker.clone(), until);
            Ok(())
        })
    }

    fn parts(&mut self, batch: i64) -> Result<Vec<Part>, Trouble> {
        self.mortal(|me| Ok(me.store.borrow().batches[&batch].parts.iter().map(|(p, _)| p.clone()).collect()))
    }

    fn rows<'a>(&'a mut self, part: &Part) -> Result<Box<dyn Read + 'a>, Trouble> {
        self.mortal(|me| {
            let store = me.store.borrow();
            let mut bytes = store.batches[&part.batch].parts[part.number as usize - 1].1.clone();
            if store.corrupt {
                *bytes.last_mut().unwrap() ^= 1;
            }
            Ok(Box::new(std::io::Cursor::new(bytes)) as Box<dyn Read>)
        })
    }

    fn note(&mut self, part: &Part, state: &Value) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(part.batch)?;
            let mut store = me.store.borrow_mut();
            store.notes += 1;
            store.batches.get_mut(&part.batch).unwrap().parts[part.number as usize - 1].0.state =
                state.clone();
            Ok(())
        })
    }

    fn reject(&mut self, part: &Part, rows: &[Rejection]) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(part.batch)?;
            for row in rows {
                let place = (part.batch, part.number, row.key.clone());
                me.store.borrow_mut().rejections.insert(place, row.reason.clone());
            }
            Ok(())
        })
    }

    fn done(&mut self, part: &Part, verdict: Verdict) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(part.batch)?;
            let mut store = me.store.borrow_mut();
            store.verdicts.insert((part.batch, part.number), verdict);
            store.batches.get_mut(&part.batch).unwrap().parts[part.number as usize - 1].0.done = true;
            Ok(())
        })
    }

    fn acknowledge(&mut self, batch: i64) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(batch)?;
            me.store.borrow_mut().batches.get_mut(&batch).unwrap().status = Status::Done;
            Ok(())
        })
    }

    fn fail(&mut self, batch: i64, reason: &str, again: Option<Duration>) -> Result<(), Trouble> {
        self.mortal(|me| {
            me.held(batch)?;
            let now = me.clock.now();
            let mut store = me.store.borrow_mut();
            let batch = store.batches.get_mut(&batch).unwrap();
            batch.reason = Some(reason.to_owned());
            match again {
                Some(rest) => (batch.status, batch.rest) = (Status::Open, now + rest),
                None => batch.status = Status::Failed(reason.to_owned()),
            }
            Ok(())
        })
    }
}

/// The network, with the same deaths.
pub struct Mortal {
    pub inner: Network,
    pub death: Rc<Death>,
    pub requests: Vec<String>,
}

impl Wire for Mortal {
    fn call(&mut self, head: &Head, body: Option<(&mut dyn Read, u64)>) -> Result<Reply, Silence> {
        let dead = |e: Trouble| Silence::Unknown(e.to_string());
        self.death.step().map_err(dead)?;
        self.requests.push(format!("{} {}", head.method, head.url));
        let answer = self.inner.call(head, body);
        self.death.step().map_err(dead)?;
        answer
    }
}

pub fn destination(system: &str, options: Value) -> Destination {
    let mut options = options.as_object().unwrap().clone();
    options.entry("entity").or_insert(json!("shop"));
    Destination { name: "crm".to_owned(), system: system.to_owned(), options }
}
