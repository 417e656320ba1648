//! The outbox in a workspace of PostgreSQL, by its functions `crm_...`.

use std::io::{self, Read};
use std::time::Duration;

use postgres::binary_copy::BinaryCopyOutIter;
use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, Config, Error, Row};
use serde_json::{Map, Value, json};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Batch, Destination, Format, Instruction, Outbox, Part, Rejection, Trouble, Verdict};
use crate::secrets::Environment;

/// One destination of a workspace.
pub struct Workspace {
    client: Client,
    workspace: String,
    destination: String,
    worker: String,
    format: String,
}

/// Where the database is: a connection string, else `DATABASE_URL`, else the variables that psql reads.
pub fn settings(given: Option<&str>, environment: &dyn Environment) -> Result<Config, String> {
    let mut config = match given.map(str::to_owned).or_else(|| environment.get("DATABASE_URL")) {
        Some(text) => text.parse::<Config>().map_err(|e| format!("the connection string: {e}"))?,
        None => Config::new(),
    };
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host(&environment.get("PGHOST").unwrap_or_else(|| "/var/run/postgresql".to_owned()));
    }
    if let (true, Some(port)) = (config.get_ports().is_empty(), environment.get("PGPORT")) {
        config.port(port.parse().map_err(|_| format!("PGPORT {port} is no port"))?);
    }
    if config.get_user().is_none() {
        let user = environment.get("PGUSER").or_else(|| environment.get("USER"));
        config.user(&user.ok_or("no user of the database: set PGUSER")?);
    }
    if let (None, Some(name)) = (config.get_dbname(), environment.get("PGDATABASE")) {
        config.dbname(&name);
    }
    if let (None, Some(password)) = (config.get_password(), environment.get("PGPASSWORD")) {
        config.password(password);
    }
    // Over a network, encrypted or not at all, unless the string says otherwise.
    let near = |host: &Host| match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
    };
    let far = !config.get_hosts().iter().all(near) || config.get_hostaddrs().iter().any(|a| !a.is_loopback());
    if far && config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(SslMode::Require);
    }
    config.application_name("deliver");
    Ok(config)
}

/// Encryption, with the certificates (PEM) of the authorities to trust in place of the usual ones.
fn encryption(authorities: Option<&[u8]>) -> Result<MakeRustlsConnect, String> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let Some(pem) = authorities else {
        // As for the destinations: the authorities of the web.
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        return with_roots(roots);
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    }
    with_roots(roots)
}

fn with_roots(roots: rustls::RootCertStore) -> Result<MakeRustlsConnect, String> {
    let provider = rustls::crypto::ring::default_provider().into();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// An error with what the server adds to it.
fn told(error: &Error) -> String {
    match error.as_db_error() {
        Some(e) => {
            let detail = e.detail().map(|d| format!(" ({d})")).unwrap_or_default();
            let hint = e.hint().map(|h| format!(" Hint: {h}")).unwrap_or_default();
            format!("{}{detail}{hint} [{}]", e.message(), e.code().code())
        }
        None => {
            // The cause says more than "error connecting to server".
            let cause = std::error::Error::source(error).map(|c| format!(": {c}")).unwrap_or_default();
            format!("{error}{}", if error.to_string().contains(&cause) { String::new() } else { cause })
        }
    }
}

fn failed(error: Error) -> Trouble {
    let text = told(&error);
    match error.code() {
        Some(code) if *code == SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE => Trouble::Lost(text),
        _ => Trouble::Failed(text),
    }
}

/// A literal of SQL, for COPY, which takes no parameters.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

impl Workspace {
    /// Connects. One worker is one process: a second of the same name is told so.
    pub fn open(
        config: &Config,
        authorities: Option<&[u8]>,
        workspace: &str,
        destination: &str,
        worker: &str,
    ) -> Result<Self, Trouble> {
        let mut client = config.connect(encryption(authorities).map_err(Trouble::Failed)?).map_err(failed)?;
        // Held until the connection ends, however it ends. That of a run that was just killed takes a moment.
        let name = format!("deliver {workspace} {destination} {worker}");
        let alone = (0..25).any(|look| {
            if look > 0 {
                std::thread::sleep(Duration::from_millis(200));
            }
            let held = client.query_one(
                "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended($1, 20261127))",
                &[&name],
            );
            held.is_ok_and(|row| row.get(0))
        });
        if !alone {
            return Err(Trouble::Failed(format!(
                "another deliver runs as worker {worker} for {destination}: let it end, or choose another --worker"
            )));
        }
        Ok(Self {
            client,
            workspace: workspace.to_owned(),
            destination: destination.to_owned(),
            worker: worker.to_owned(),
            format: "csv".to_owned(),
        })
    }

    /// Everything from here on is undone by [`Workspace::undo`], or when the connection ends.
    pub fn rehearse(&mut self) -> Result<(), Trouble> {
        self.client.batch_execute("BEGIN").map_err(failed)
    }

    /// Undoes a rehearsal.
    pub fn undo(&mut self) -> Result<(), Trouble> {
        self.client.batch_execute("ROLLBACK").map_err(failed)
    }

    fn part(&self, batch: i64, row: &Row) -> Result<Part, Trouble> {
        let read = || -> Result<_, Error> {
            Ok((
                row.try_get::<_, i32>("part")?,
                row.try_get::<_, String>("name")?,
                row.try_get::<_, String>("instruction")?,
                row.try_get::<_, i64>("rows")?,
                row.try_get::<_, i64>("bytes")?,
                row.try_get::<_, String>("sha256")?,
                row.try_get::<_, Option<Vec<String>>>("columns")?,
                row.try_get::<_, Option<String>>("key_column")?,
                row.try_get::<_, Option<String>>("separator")?,
                row.try_get::<_, Option<Value>>("state")?,
            ))
        };
        let (number, name, instruction, rows, bytes, sha256, columns, key, separator, state) =
            read().map_err(failed)?;
        let instruction = Instruction::read(&instruction).ok_or_else(|| {
            Trouble::Failed(format!("unknown instruction {instruction}: this client is too old"))
        })?;
        let format = match self.format.as_str() {
            "csv" => Format::Csv {
                separator: separator.and_then(|s| s.chars().next()).unwrap_or(','),
                header: columns.unwrap_or_default(),
            },
            "json" => Format::Json,
            _ => Format::JsonLines,
        };
        let state = state.unwrap_or(Value::Null);
        let done = state.get("step").and_then(Value::as_str) == Some("done");
        Ok(Part {
            batch,
            number,
            name,
            instruction,
            rows: rows.unsigned_abs(),
            bytes: bytes.unsigned_abs(),
            sha256,
            format,
            key: key.unwrap_or_default(),
            state,
            done,
        })
    }
}

impl Outbox for Workspace {
    fn sync(&mut self) -> Result<Option<i64>, Trouble> {
        let made = self
            .client
            .query_one("SELECT segmentation.crm_sync($1, $2)", &[&self.workspace, &self.destination]);
        match made {
            Ok(row) => row.try_get(0).map_err(failed),
            // Somebody delivers already: there is nothing to make now.
            Err(e) if e.code() == Some(&SqlState::OBJECT_IN_USE) => Ok(None),
            Err(e) => Err(failed(e)),
        }
    }

    fn take(&mut self, lease: Duration) -> Result<Option<Batch>, Trouble> {
        let taken = self
            .client
            .query_opt(
                "SELECT batch, destination, system, format, options, attempt \
                 FROM segmentation.crm_take($1, $2, $3, pg_catalog.make_interval(secs => $4)) \
                 AS t (batch, destination, profile, system, format, options, attempt, lease_until)",
                &[&self.workspace, &self.worker, &self.destination, &lease.as_secs_f64()],
            )
            .map_err(failed)?;
        let Some(row) = taken else { return Ok(None) };
        self.format = row.try_get("format").map_err(failed)?;
        let options: Option<Value> = row.try_get("options").map_err(failed)?;
        let client = options.as_ref().and_then(|o| o.get("client")).and_then(Value::as_object);
        Ok(Some(Batch {
            id: row.try_get("batch").map_err(failed)?,
            attempt: row.try_get("attempt").map_err(failed)?,
            destination: Destination {
                name: row.try_get("destination").map_err(failed)?,
                system: row.try_get("system").map_err(failed)?,
                options: client.cloned().unwrap_or_else(Map::new),
            },
        }))
    }

    fn renew(&mut self, batch: i64, lease: Duration) -> Result<(), Trouble> {
        self.client
            .execute(
                "SELECT segmentation.crm_renew($1, $2, $3, pg_catalog.make_interval(secs => $4))",
                &[&self.workspace, &batch, &self.worker, &lease.as_secs_f64()],
            )
            .map_err(failed)?;
        Ok(())
    }

    fn parts(&mut self, batch: i64) -> Result<Vec<Part>, Trouble> {
        let rows = self
            .client
            .query(
                "SELECT part, name, instruction, rows, bytes, sha256, columns, key_column, separator, state \
                 FROM segmentation.crm_files($1, $2) ORDER BY part",
                &[&self.workspace, &batch],
            )
            .map_err(failed)?;
        rows.iter().map(|row| self.part(batch, row)).collect()
    }

    fn rows<'a>(&'a mut self, part: &Part) -> Result<Box<dyn Read + 'a>, Trouble> {
        let query = format!(
            "COPY (SELECT segmentation.crm_bytes({}, {}, {})) TO STDOUT (FORMAT binary)",
            literal(&self.workspace),
            part.batch,
            part.number
        );
        let reader = self.client.copy_out(&query).map_err(failed)?;
        Ok(Box::new(Chunks { rows: BinaryCopyOutIter::new(reader, &[Type::BYTEA]), chunk: vec![], given: 0 }))
    }

    fn note(&mut self, part: &Part, state: &Value) -> Result<(), Trouble> {
        self.client
            .execute(
                "SELECT segmentation.crm_note($1, $2, $3, $4, $5)",
                &[&self.workspace, &part.batch, &part.number, &self.worker, state],
            )
            .map_err(failed)?;
        Ok(())
    }

    fn reject(&mut self, part: &Part, rows: &[Rejection]) -> Result<(), Trouble> {
        // What the destination does not name cannot be written down by name; it counts all the same.
        let named: Vec<&Rejection> = rows.iter().filter(|r| !r.key.is_empty()).collect();
        let keys: Vec<&str> = named.iter().map(|r| r.key.as_str()).collect();
        let reasons: Vec<&str> = named.iter().map(|r| r.reason.as_str()).collect();
        self.client
            .execute(
                "SELECT segmentation.crm_result($1, $2, $3, $4, $5, $6)",
                &[&self.workspace, &part.batch, &self.worker, &keys, &vec![false; named.len()], &reasons],
            )
            .map_err(failed)?;
        Ok(())
    }

    fn done(&mut self, part: &Part, verdict: Verdict) -> Result<(), Trouble> {
        let state = json!({
            "step": "done", "accepted": verdict.accepted, "rejected": verdict.rejected, "last": part.state
        });
        self.note(part, &state)
    }

    fn acknowledge(&mut self, batch: i64) -> Result<(), Trouble> {
        self.client
            .execute("SELECT segmentation.crm_ack($1, $2, $3)", &[&self.workspace, &batch, &self.worker])
            .map_err(failed)?;
        Ok(())
    }

    fn fail(&mut self, batch: i64, reason: &str, again: Option<Duration>) -> Result<(), Trouble> {
        self.client
            .execute(
                "SELECT segmentation.crm_fail($1, $2, $3, $4, pg_catalog.make_interval(secs => $5))",
                &[&self.workspace, &batch, &self.worker, &reason, &again.map(|a| a.as_secs_f64())],
            )
            .map_err(failed)?;
        Ok(())
    }
}

/// The chunks of a part as they come.
struct Chunks<'a> {
    rows: BinaryCopyOutIter<'a>,
    chunk: Vec<u8>,
    given: usize,
}

impl Read for Chunks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            let Some(row) = self.rows.next().map_err(|e| io::Error::other(told(&e)))? else { return Ok(0) };
            let bytes: Option<&[u8]> = row.try_get(0).map_err(io::Error::other)?;
            self.chunk.clear();
            self.chunk.extend_from_slice(bytes.unwrap_or_default());
            self.given = 0;
        }
        let count = out.len().min(self.chunk.len() - self.given);
        out[..count].copy_from_slice(&self.chunk[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn a_database_far_away_is_spoken_to_in_secret() {
        let none = HashMap::from([("USER".to_owned(), "ann".to_owned())]);
        let mode = |text: &str| settings(Some(text), &none).unwrap().get_ssl_mode();
        assert_eq!(mode("host=db.example dbname=a"), SslMode::Require);
        assert_eq!(mode("postgresql://u:p@10.0.0.1/a"), SslMode::Require);
        assert_eq!(mode("host=localhost hostaddr=10.0.0.1"), SslMode::Require);
        assert_eq!(mode("host=/tmp dbname=a"), SslMode::Prefer);
        assert_eq!(mode("host=localhost"), SslMode::Prefer);
        assert_eq!(mode("host=db.example sslmode=disable"), SslMode::Disable);
        let variables = HashMap::from(
            [
                ("PGHOST", "/run/x"),
                ("PGPORT", "5433"),
                ("PGUSER", "bob"),
                ("PGDATABASE", "shop"),
                ("PGPASSWORD", "pw"),
            ]
            .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        let config = settings(None, &variables).unwrap();
        assert_eq!(
            (config.get_user(), config.get_dbname(), config.get_ports()),
            (Some("bob"), Some("shop"), &[5433][..])
        );
        assert_eq!(config.get_password(), Some(&b"pw"[..]));
        // A string wins over variables.
        assert_eq!(settings(Some("dbname=other"), &variables).unwrap().get_dbname(), Some("other"));
    }

    #[test]
    fn names_of_workspaces_are_quoted() {
        assert_eq!(literal(r"a'b\c"), r"E'a''b\\c'");
    }
}
