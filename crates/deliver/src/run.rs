//! One run: make a batch of what differs, deliver every batch that is open, part by part, and say what became of it.

use std::time::Duration;

use crate::desk::{Desk, Fault, Tools, Watcher};
use crate::outbox::{Destination, Outbox, Trouble};
use crate::patience::{Clock, Gate, Patience};
use crate::systems::System;
use crate::wire::Wire;

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Batches that arrived.
    pub batches: u64,
    /// Their parts.
    pub parts: u64,
    /// Rows that were sent.
    pub rows: u64,
    /// Rows that the destination rejected.
    pub rejected: u64,
}

/// What a run needs.
pub struct Run<'a> {
    /// The database's side.
    pub outbox: &'a mut dyn Outbox,
    /// The network.
    pub wire: &'a mut dyn Wire,
    /// Time.
    pub clock: &'a dyn Clock,
    /// How patient to be.
    pub patience: Patience,
    /// Who watches.
    pub watcher: &'a dyn Watcher,
    /// For how long a batch is taken at a time.
    pub lease: Duration,
}

/// Finds the system behind a destination.
pub type Open<'a> = dyn Fn(&Destination) -> Result<Box<dyn System>, Fault> + 'a;

/// How long a batch rests that could not be delivered.
const REST: Duration = Duration::from_secs(300);

impl Run<'_> {
    /// Makes a batch if `sync`, then delivers all that is open, by the system that `open` gives for a destination.
    pub fn deliver(&mut self, open: &Open, sync: bool) -> Result<Summary, Fault> {
        if sync {
            match self.outbox.sync()? {
                Some(batch) => self.watcher.says(&format!("batch {batch} is made")),
                None => self.watcher.says("no new batch: nothing has changed, or one is on its way"),
            }
        }
        let mut gate = Gate::default();
        let mut summary = Summary::default();
        let mut system = None;
        while let Some(batch) = self.outbox.take(self.lease)? {
            self.watcher.says(&format!("batch {}, attempt {}", batch.id, batch.attempt));
            let opened = match system.take() {
                Some(system) => Ok(system),
                None => open(&batch.destination),
            };
            let done = opened.and_then(|opened| {
                let opened = system.insert(opened);
                self.patience.gap = self.patience.gap.max(opened.gap());
                self.batch(batch.id, &mut **opened, &mut gate, &mut summary)
            });
            match done {
                Ok(()) => summary.batches += 1,
                Err(fault) => {
                    self.give_back(batch.id, &fault)?;
                    return Err(fault);
                }
            }
        }
        Ok(summary)
    }

    fn batch(
        &mut self,
        batch: i64,
        system: &mut dyn System,
        gate: &mut Gate,
        summary: &mut Summary,
    ) -> Result<(), Fault> {
        for part in self.outbox.parts(batch)? {
            if part.done {
                continue;
            }
            self.outbox.renew(batch, self.lease)?;
            let rows = part.rows;
            let tools = Tools {
                outbox: self.outbox,
                wire: self.wire,
                clock: self.clock,
                patience: &self.patience,
                gate,
                watcher: self.watcher,
                lease: self.lease,
            };
            let mut desk = Desk::new(tools, system.secrets(), part);
            let verdict = system.deliver(&mut desk)?;
            summary.rejected += verdict.rejected;
            summary.rows += rows;
            summary.parts += 1;
            desk.finish(verdict)?;
        }
        self.outbox.acknowledge(batch)?;
        Ok(())
    }

    /// Says why a batch did not arrive, unless the database is what failed.
    fn give_back(&mut self, batch: i64, fault: &Fault) -> Result<(), Trouble> {
        let reason: String = fault.to_string().chars().take(1000).collect();
        match fault {
            Fault::Trouble(_) => Ok(()),
            // What the destination refuses, it refuses again: somebody has to look.
            Fault::Refused(_) | Fault::Missing(_) => self.outbox.fail(batch, &reason, None),
            // The rest is no fault of the batch.
            Fault::Setting(_) | Fault::Credentials(_) => {
                self.outbox.fail(batch, &reason, Some(Duration::ZERO))
            }
            Fault::Unavailable(_) | Fault::Unknown(_) => self.outbox.fail(batch, &reason, Some(REST)),
        }
    }
}

/// What a dry run would send: a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its path.
    pub path: std::path::PathBuf,
    /// What would be done with it.
    pub instruction: &'static str,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Writes the parts of a batch into a folder, checked, and sends nothing.
pub fn dry_run(outbox: &mut dyn Outbox, batch: i64, folder: &std::path::Path) -> Result<Vec<Written>, Fault> {
    std::fs::create_dir_all(folder).map_err(|e| Fault::Setting(format!("{}: {e}", folder.display())))?;
    let mut written = vec![];
    for part in outbox.parts(batch)? {
        if part.name.is_empty() || part.name.contains(['/', '\\', '\0']) || part.name.starts_with('.') {
            return Err(Fault::Setting(format!("{:?} is no name for a file", part.name)));
        }
        let path = folder.join(&part.name);
        let half = folder.join(format!("{}.part", part.name));
        let mut rows = crate::desk::Checked::new(outbox.rows(&part)?, &part);
        let done = std::fs::File::create(&half)
            .and_then(|mut file| std::io::copy(&mut rows, &mut file))
            .and_then(|bytes| std::fs::rename(&half, &path).map(|()| bytes));
        match done {
            Ok(bytes) => {
                written.push(Written { path, instruction: part.instruction.name(), rows: part.rows, bytes });
            }
            Err(e) => {
                // Half a file helps nobody; that it cannot be removed changes nothing.
                let _ = std::fs::remove_file(&half);
                return Err(Fault::Setting(format!("{}: {e}", path.display())));
            }
        }
    }
    Ok(written)
}
