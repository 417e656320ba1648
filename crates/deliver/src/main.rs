//! `deliver`: brings the batches of a workspace to where they are to act.

use std::cell::Cell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use deliver::desk::{Fault, Watcher};
use deliver::outbox::Outbox;
use deliver::outbox::postgres::{Workspace, settings};
use deliver::patience::{Patience, RealClock};
use deliver::run::{Run, Summary, dry_run};
use deliver::secrets::{Environment, ProcessEnvironment};
use deliver::systems::{self, SYSTEMS};
use deliver::wire::Network;
use indicatif::{ProgressBar, ProgressStyle};

/// Brings what a workspace has to say to CRM and campaign tools: makes a batch of what differs since the last one that
/// arrived, sends it, and writes back what was rejected. It may be killed at any moment: the next run goes on from there.
#[derive(Parser)]
#[command(version, after_help = after_help())]
struct Arguments {
    /// The workspace.
    workspace: String,
    /// Its destinations, one after the other.
    #[arg(required = true)]
    destinations: Vec<String>,
    /// The database, as "host=... dbname=..." or postgresql://...; without it DATABASE_URL, or PGHOST, PGPORT, PGUSER,
    /// PGDATABASE and PGPASSWORD. A password is better kept in a variable: others see arguments.
    #[arg(short, long)]
    database: Option<String>,
    /// Writes the files that would be sent into this folder; sends nothing, and changes nothing in the database.
    #[arg(long, value_name = "FOLDER")]
    dry_run: Option<PathBuf>,
    /// Delivers what is open, and makes no new batch.
    #[arg(long)]
    no_sync: bool,
    /// The name under which batches are taken; a run of the same name takes up what an earlier one left.
    #[arg(long)]
    worker: Option<String>,
    /// Longest time of one request, in seconds.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// How often a request is tried.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=100))]
    tries: u32,
    /// First wait between two tries, and two looks at a job, in seconds; each further one is longer.
    #[arg(long, default_value_t = 1.0, value_parser = seconds)]
    wait: f64,
    /// Longest time that the other side may take over a job, in minutes.
    #[arg(long, default_value_t = 360, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    patience: u64,
    /// Most requests a minute, where the system's own limit is higher.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=60_000))]
    rate: Option<u32>,
    /// Certificates (PEM) of the authorities to trust for the destination, in place of those of the web.
    #[arg(long, value_name = "FILE")]
    authorities: Option<PathBuf>,
    /// The same for the database; also PGSSLROOTCERT.
    #[arg(long, value_name = "FILE")]
    database_authorities: Option<PathBuf>,
    /// Says only what went wrong.
    #[arg(short, long)]
    quiet: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "a number of seconds is wanted".to_owned())?;
    if (0.001..=3600.0).contains(&value) { Ok(value) } else { Err("from 0.001 to 3600 seconds".to_owned()) }
}

fn after_help() -> String {
    let systems: Vec<String> = SYSTEMS.iter().map(|(name, what)| format!("  {name:<11} {what}")).collect();
    format!(
        "Systems:\n{}\n\nCredentials come from the environment only: docs/deliver.md has the variables.",
        systems.join("\n")
    )
}

/// Shows what happens: a bar on a terminal, else lines.
struct Show {
    bar: ProgressBar,
    terminal: bool,
    quiet: bool,
    name: String,
    sent: Cell<u64>,
}

impl Show {
    fn new(name: &str, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal() && !quiet;
        let bar = if terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {bytes} {bytes_per_sec} {msg}") {
            bar.set_style(style);
        }
        Self { bar, terminal, quiet, name: name.to_owned(), sent: Cell::new(0) }
    }
}

impl Watcher for Show {
    fn sent(&self, bytes: u64) {
        self.sent.set(self.sent.get() + bytes);
        self.bar.set_position(self.sent.get());
    }

    fn restart(&self) {
        self.sent.set(0);
        self.bar.set_position(0);
    }

    fn says(&self, text: &str) {
        if self.terminal {
            self.bar.set_message(format!("{}: {text}", self.name));
            self.bar.tick();
        } else if !self.quiet {
            eprintln!("{}: {text}", self.name);
        }
    }
}

fn read(file: Option<&PathBuf>) -> Result<Option<Vec<u8>>, Fault> {
    file.map(|f| std::fs::read(f).map_err(|e| Fault::Setting(format!("{}: {e}", f.display())))).transpose()
}

/// A name that is the same in the next run on this machine.
fn usual_worker() -> String {
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    format!("deliver@{}", host.trim())
}

/// One destination from beginning to end.
fn one(arguments: &Arguments, destination: &str) -> Result<String, Fault> {
    let environment = ProcessEnvironment;
    let config = settings(arguments.database.as_deref(), &environment).map_err(Fault::Setting)?;
    let own = arguments
        .database_authorities
        .clone()
        .or_else(|| environment.get("PGSSLROOTCERT").map(PathBuf::from));
    let worker = arguments.worker.clone().unwrap_or_else(usual_worker);
    let mut outbox =
        Workspace::open(&config, read(own.as_ref())?.as_deref(), &arguments.workspace, destination, &worker)?;
    if let Some(folder) = &arguments.dry_run {
        return rehearse(&mut outbox, folder);
    }
    let limit = Duration::from_secs(arguments.timeout);
    let authorities = read(arguments.authorities.as_ref())?;
    let mut wire = Network::new(limit, authorities.as_deref()).map_err(Fault::Setting)?;
    let gap = arguments.rate.map(|rate| Duration::from_secs(60) / rate).unwrap_or_default();
    let show = Show::new(destination, arguments.quiet);
    let mut run = Run {
        outbox: &mut outbox,
        wire: &mut wire,
        clock: &RealClock::default(),
        patience: Patience {
            tries: arguments.tries,
            first: Duration::from_secs_f64(arguments.wait),
            job: Duration::from_secs(60 * arguments.patience),
            gap,
            ..Patience::default()
        },
        watcher: &show,
        lease: 3 * limit,
    };
    let done = run.deliver(&|destination| systems::open(destination, &environment), !arguments.no_sync);
    show.bar.finish_and_clear();
    let Summary { batches, parts, rows, rejected } = done?;
    Ok(match batches {
        0 => "nothing to send".to_owned(),
        _ => format!(
            "{}, {}, {} sent, {rejected} rejected",
            many(batches, "batch", "batches"),
            many(parts, "file", "files"),
            many(rows, "row", "rows")
        ),
    })
}

fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Makes the batch, writes its files, and undoes it.
fn rehearse(outbox: &mut Workspace, folder: &std::path::Path) -> Result<String, Fault> {
    outbox.rehearse()?;
    outbox.sync()?;
    // An hour is longer than any rehearsal, and ends with it.
    let Some(batch) = outbox.take(Duration::from_secs(3600))? else {
        outbox.undo()?;
        return Ok("nothing would be sent".to_owned());
    };
    let files = dry_run(outbox, batch.id, folder);
    outbox.undo()?;
    let lines: Vec<String> = (files?.iter())
        .map(|f| format!("{} {}: {} rows, {} bytes", f.instruction, f.path.display(), f.rows, f.bytes))
        .collect();
    Ok(format!("a dry run, nothing was sent\n{}", lines.join("\n")))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut code = ExitCode::SUCCESS;
    for destination in &arguments.destinations {
        match one(&arguments, destination) {
            Ok(summary) => {
                if !arguments.quiet {
                    println!("{destination}: {summary}");
                }
            }
            Err(fault) => {
                eprintln!("error: {destination}: {fault}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
