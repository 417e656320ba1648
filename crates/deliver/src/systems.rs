//! The systems that batches go to, one file each: which requests, in which order, and what is noted before and after each.
//!
//! What they have in common: a step that cannot be taken back is noted before it is made ("it may have happened") and after
//! it was made, with what the other side calls it. A delivery that was killed is taken up from the last note.

pub mod actito;
pub mod brevo;
pub mod eloqua;
pub mod hubspot;
pub mod klaviyo;
pub mod salesforce;
pub mod sftp;

use std::time::Duration;

use serde_json::Value;

use crate::desk::{Again, Body, Desk, Fault, read_json};
use crate::outbox::{Destination, Format, Instruction, Part, Verdict};
use crate::secrets::{Environment, Redactor, Secret};
use crate::wire::{Head, Reply, safe_base};

/// A system that takes parts.
pub trait System {
    /// Delivers one part, from wherever its notes say that it stands.
    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault>;

    /// The shortest time between two requests that the system's limits allow.
    fn gap(&self) -> Duration {
        Duration::ZERO
    }

    /// Its secrets.
    fn secrets(&self) -> Redactor;
}

/// Names of the systems, and what delivers to them.
pub const SYSTEMS: &[(&str, &str)] = &[
    ("salesforce", "Salesforce Bulk API 2.0"),
    ("eloqua", "Oracle Eloqua Bulk API 2.0"),
    ("hubspot", "HubSpot imports"),
    ("brevo", "Brevo contact imports"),
    ("klaviyo", "Klaviyo bulk profile imports"),
    ("actito", "Actito mass imports, V5"),
    ("splio", "files by SFTP"),
    ("selligent", "files by SFTP"),
    ("adobe", "files by SFTP"),
    ("sftp", "files by SFTP"),
];

/// The system behind a destination, with its credentials from the environment.
pub fn open(destination: &Destination, environment: &dyn Environment) -> Result<Box<dyn System>, Fault> {
    let setup = Setup { destination, environment };
    // A profile of one's own, or one of plain files, can name the system in the options.
    Ok(match destination.text("system").unwrap_or(&destination.system) {
        "salesforce" => Box::new(salesforce::Salesforce::open(&setup)?),
        "eloqua" => Box::new(eloqua::Eloqua::open(&setup)?),
        "hubspot" => Box::new(hubspot::HubSpot::open(&setup)?),
        "brevo" => Box::new(brevo::Brevo::open(&setup)?),
        "klaviyo" => Box::new(klaviyo::Klaviyo::open(&setup)?),
        "actito" => Box::new(actito::Actito::open(&setup)?),
        "splio" | "selligent" | "adobe" | "sftp" => Box::new(sftp::Sftp::open(&setup)?),
        other => {
            let names = SYSTEMS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            return Err(Fault::Setting(format!(
                "nothing delivers to {other}: set {{\"client\": {{\"system\": ...}}}} in the options of the destination to one of {names}, \
                 or fetch the files with \\copy"
            )));
        }
    })
}

/// What a system is set up from.
pub struct Setup<'a> {
    /// Its destination.
    pub destination: &'a Destination,
    /// Where credentials come from.
    pub environment: &'a dyn Environment,
}

impl Setup<'_> {
    /// A variable: with the destination's prefix if it has one (option `credentials`), else without.
    pub fn variable(&self, name: &str) -> Option<String> {
        let prefix = self.destination.text("credentials");
        match prefix {
            Some(prefix) => self.environment.get(&format!("{prefix}_{name}")),
            None => self.environment.get(name),
        }
    }

    /// A variable that must be set.
    pub fn required(&self, name: &str) -> Result<String, Fault> {
        self.variable(name).ok_or_else(|| {
            let prefix = self.destination.text("credentials").map(|p| format!("{p}_")).unwrap_or_default();
            Fault::Setting(format!("the environment variable {prefix}{name} is not set"))
        })
    }

    /// A secret that must be set.
    pub fn secret(&self, name: &str, redactor: &mut Redactor) -> Result<Secret, Fault> {
        let secret = Secret::new(self.required(name)?);
        redactor.learn(&secret);
        Ok(secret)
    }

    /// The address of the system: from the environment, else the usual one.
    pub fn base(&self, name: &str, usual: Option<&str>) -> Result<String, Fault> {
        let base = match (self.variable(name), usual) {
            (Some(base), _) => base,
            (None, Some(usual)) => usual.to_owned(),
            (None, None) => self.required(name)?,
        };
        safe_base(&base).map_err(Fault::Setting)
    }

    /// A setting of the destination that must be there.
    pub fn option(&self, name: &str) -> Result<String, Fault> {
        self.destination.text(name).map(str::to_owned).ok_or_else(|| {
            Fault::Setting(format!(
                "destination {} has no option \"{name}\" under \"client\"",
                self.destination.name
            ))
        })
    }
}

/// A request with a header that says who we are.
fn request(method: &'static str, url: String, headers: &[(&str, &str)]) -> Head {
    let mut headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    headers.push(("accept".to_owned(), "application/json".to_owned()));
    Head { method, url, headers }
}

/// Credentials that are exchanged for a token which ends: asks for a new one once when the old one is no longer taken.
trait Account {
    /// The header with the present token; logs in if there is none yet.
    fn header(&mut self, desk: &mut Desk) -> Result<(String, String), Fault>;
    /// Forgets the token. False if there is no way to get another.
    fn forget(&mut self) -> bool;

    /// A request in the account's name.
    fn call(
        &mut self,
        desk: &mut Desk,
        method: &'static str,
        url: &str,
        body: Body,
        again: Again,
    ) -> Result<Reply, Fault> {
        let mut fresh = false;
        loop {
            let (name, value) = self.header(desk)?;
            let head = request(method, url.to_owned(), &[(&name, &value)]);
            match desk.call(&head, body, again) {
                Err(Fault::Credentials(_)) if !fresh && self.forget() => fresh = true,
                answer => return answer,
            }
        }
    }

    /// A request in the account's name whose answer is JSON.
    fn ask(
        &mut self,
        desk: &mut Desk,
        method: &'static str,
        url: &str,
        body: Body,
        again: Again,
    ) -> Result<Value, Fault> {
        let mut attempt = 1;
        loop {
            match read_json(self.call(desk, method, url, body, again)?) {
                Ok(answer) => return Ok(answer),
                Err(why) => {
                    attempt += 1;
                    desk.unread(attempt, format!("{method} {url}: {why}"), again)?;
                }
            }
        }
    }
}

/// A text or a number of a JSON answer, as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What must be in an answer.
fn wanted(value: &Value, pointer: &str) -> Result<String, Fault> {
    value
        .pointer(pointer)
        .and_then(text)
        .ok_or_else(|| Fault::Unknown(format!("the answer has no {}", pointer.trim_start_matches('/'))))
}

/// The header and the separator of a part that must be CSV.
fn csv_of(part: &Part) -> Result<(char, &[String]), Fault> {
    match &part.format {
        Format::Csv { separator, header } => Ok((*separator, header)),
        _ => Err(Fault::Setting(format!(
            "{} must be CSV: give the destination a profile with that format",
            part.name
        ))),
    }
}

/// The keys of a part's rows, read as a stream: one handful after the other, from row `from` on.
fn keys(desk: &mut Desk, from: u64, count: usize) -> Result<Vec<String>, Fault> {
    use std::io::BufRead;
    let part = desk.part().clone();
    let rows = desk.rows()?;
    let broken =
        |why: String| Fault::Trouble(crate::outbox::Trouble::Failed(format!("{}: {why}", part.name)));
    let mut keys = vec![];
    match &part.format {
        Format::Csv { separator, .. } => {
            let separator = u8::try_from(*separator).map_err(|_| {
                Fault::Setting(format!("the separator of {} is no ASCII character", part.name))
            })?;
            let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(rows);
            let header = reader.byte_headers().map_err(|e| broken(e.to_string()))?.clone();
            let place = (header.iter())
                .position(|name| name == part.key.as_bytes())
                .ok_or_else(|| broken(format!("no column {}", part.key)))?;
            for record in reader.byte_records().skip(from as usize).take(count) {
                let record = record.map_err(|e| broken(e.to_string()))?;
                keys.push(String::from_utf8_lossy(record.get(place).unwrap_or_default()).into_owned());
            }
        }
        Format::Json => {
            let body = json_body(rows, &part)?;
            let rows = body.pointer("/data/attributes/profiles/data").and_then(Value::as_array);
            let rows = rows.ok_or_else(|| broken("no profiles".to_owned()))?;
            for row in rows.iter().skip(from as usize).take(count) {
                keys.push(json_key(row, &part.key).ok_or_else(|| broken(format!("no {}", part.key)))?);
            }
        }
        Format::JsonLines => {
            let lines = std::io::BufReader::new(rows).lines();
            for line in lines.skip(from as usize).take(count) {
                let line = line.map_err(|e| broken(e.to_string()))?;
                let row: Value = serde_json::from_str(&line).map_err(|e| broken(e.to_string()))?;
                let key = json_key(&row, &part.key).ok_or_else(|| broken(format!("no {}", part.key)))?;
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

/// A part that is one body of JSON, read whole: its system has a limit for it.
fn json_body(rows: impl std::io::Read, part: &Part) -> Result<Value, Fault> {
    serde_json::from_reader(std::io::BufReader::new(rows))
        .map_err(|e| crate::outbox::Trouble::Failed(format!("{}: {e}", part.name)).into())
}

/// The key of a row that is JSON, wherever it lies: at the top or among attributes.
fn json_key(row: &Value, key: &str) -> Option<String> {
    let places = [
        row,
        row.get("attributes").unwrap_or(&Value::Null),
        row.pointer("/data/attributes").unwrap_or(&Value::Null),
    ];
    places.into_iter().find_map(|place| text(place.get(key)?))
}

/// One request for each handful of rows, with a note after each, for what the system has no bulk way for. Each request must be
/// safe to repeat: after a kill the last handful is made again.
fn each(
    desk: &mut Desk,
    size: usize,
    mut act: impl FnMut(&mut Desk, &[String]) -> Result<(), Fault>,
) -> Result<Verdict, Fault> {
    let mut row = desk.state().get("row").and_then(Value::as_u64).unwrap_or(0);
    // What was rejected before a kill counts too.
    let before = desk.state().get("rejected").and_then(Value::as_u64).unwrap_or(0);
    // Nothing is done to anybody before the whole list is known to be right.
    let part = desk.part().clone();
    std::io::copy(&mut desk.rows()?, &mut std::io::sink())
        .map_err(|e| crate::outbox::Trouble::Failed(format!("{}: {e}", part.name)))?;
    // Reading is by the thousand, so that a million rows are not read a million times over.
    let handful = 20_000;
    loop {
        let keys = keys(desk, row, handful)?;
        for some in keys.chunks(size.max(1)) {
            act(desk, some)?;
            row += some.len() as u64;
            let rejected = before + desk.rejected();
            desk.note(serde_json::json!({"step": "rows", "row": row, "rejected": rejected}))?;
        }
        if keys.len() < handful {
            break;
        }
    }
    let rejected = before + desk.rejected();
    Ok(Verdict { accepted: Some(row.saturating_sub(rejected)), rejected })
}

/// A part as one file of a `multipart/form-data` body beside one field: media type, what stands before the rows, what after.
fn multipart(part: &Part, field: Option<(&str, &str)>, file: (&str, &str)) -> (String, Vec<u8>, Vec<u8>) {
    // Content and number make the boundary: no row can hold its own checksum's.
    let boundary = format!("segmentation-{}-{}-{}", part.batch, part.number, &part.sha256);
    let mut before = String::new();
    if let Some((name, json)) = field {
        before.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json\r\n\r\n{json}\r\n"
        ));
    }
    let (name, media) = file;
    let filename = part.name.replace(['"', '\r', '\n', '\\'], "_");
    before.push_str(&format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {media}\r\n\r\n"
    ));
    let after = format!("\r\n--{boundary}--\r\n");
    (format!("multipart/form-data; boundary={boundary}"), before.into_bytes(), after.into_bytes())
}

/// The name by which a part can be found again at the other side.
fn tag(part: &Part) -> String {
    format!(
        "segmentation batch {} part {} {}",
        part.batch,
        part.number,
        &part.sha256[..part.sha256.len().min(12)]
    )
}

/// Reads a report in CSV and hands over what it says of each row: `pick` gives key and reason. One that breaks off is fetched
/// again.
fn report(
    desk: &mut Desk,
    head: &Head,
    separator: u8,
    pick: impl Fn(&csv::StringRecord, &csv::StringRecord) -> (String, String),
) -> Result<(), Fault> {
    let before = desk.rejected();
    let mut attempt = 1;
    loop {
        let reply = desk.call(head, Body::Empty, Again::Safe)?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(reply.body);
        let why = loop {
            let header = match reader.headers() {
                Ok(header) => header.clone(),
                Err(e) => break e.to_string(),
            };
            let mut record = csv::StringRecord::new();
            match reader.read_record(&mut record) {
                Ok(true) => {
                    let (key, reason) = pick(&header, &record);
                    desk.reject(key, &reason)?;
                }
                Ok(false) => return Ok(()),
                Err(e) => break e.to_string(),
            }
        };
        attempt += 1;
        desk.recount(before);
        desk.again(attempt, &format!("a report breaks off: {why}"))?;
    }
}

/// A part that the system has no way to take.
fn no_way(part: &Part, why: &str) -> Fault {
    let what = match part.instruction {
        Instruction::Upsert => "changes",
        Instruction::Delete => "deletions",
        Instruction::Unsubscribe => "unsubscriptions",
    };
    Fault::Setting(format!("{}: {what} cannot be sent: {why}", part.name))
}
