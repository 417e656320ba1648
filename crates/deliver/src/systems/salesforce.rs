//! Salesforce Bulk API 2.0: create a job, upload, close, poll, read what failed.
//!
//! A job takes one upload and starts when it is closed, so nothing arrives twice: a job that may or may not have its data is
//! aborted and made anew, one that may or may not be closed is asked.

use serde_json::{Value, json};

use super::*;
use crate::desk::{Again, Body};

const JSON: &str = "application/json; charset=UTF-8";

/// One organisation.
pub struct Salesforce {
    account: Login,
    version: String,
    object: String,
    opt_out: String,
    redactor: Redactor,
}

struct Login {
    base: String,
    token: Option<Secret>,
    client: Option<(String, Secret)>,
}

impl Account for Login {
    fn header(&mut self, desk: &mut Desk) -> Result<(String, String), Fault> {
        if self.token.is_none() {
            let (id, secret) = self.client.as_ref().ok_or_else(|| {
                Fault::Setting("neither SALESFORCE_ACCESS_TOKEN nor SALESFORCE_CLIENT_ID is set".to_owned())
            })?;
            let form = format!(
                "grant_type=client_credentials&client_id={}&client_secret={}",
                crate::wire::escaped(id),
                crate::wire::escaped(secret.reveal())
            );
            let head = request("POST", format!("{}/services/oauth2/token", self.base), &[]);
            let answer = desk.ask(
                &head,
                Body::Bytes("application/x-www-form-urlencoded", form.as_bytes()),
                Again::Safe,
            )?;
            let token = Secret::new(wanted(&answer, "/access_token")?);
            desk.redactor.learn(&token);
            self.token = Some(token);
        }
        let token = self.token.as_ref().map(Secret::reveal).unwrap_or_default();
        Ok(("authorization".to_owned(), format!("Bearer {token}")))
    }

    fn forget(&mut self) -> bool {
        self.client.is_some() && self.token.take().is_some()
    }
}

impl Salesforce {
    /// From options `object`, `opt_out_field`, `api_version`, and SALESFORCE_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("SALESFORCE_INSTANCE_URL", None)?;
        let client = match setup.variable("SALESFORCE_CLIENT_ID") {
            Some(id) => Some((id, setup.secret("SALESFORCE_CLIENT_SECRET", &mut redactor)?)),
            None => None,
        };
        let token = match (&client, setup.variable("SALESFORCE_ACCESS_TOKEN")) {
            (Some(_), None) => None,
            _ => Some(setup.secret("SALESFORCE_ACCESS_TOKEN", &mut redactor)?),
        };
        let options = setup.destination;
        Ok(Self {
            account: Login { base, token, client },
            version: options.text("api_version").unwrap_or("62.0").trim_start_matches('v').to_owned(),
            object: options.text("object").unwrap_or("Contact").to_owned(),
            opt_out: options.text("opt_out_field").unwrap_or("HasOptedOutOfEmail").to_owned(),
            redactor,
        })
    }

    fn jobs(&self) -> String {
        format!("{}/services/data/v{}/jobs/ingest", self.account.base, self.version)
    }

    fn job(&mut self, desk: &mut Desk, id: &str) -> Result<Option<Value>, Fault> {
        let url = format!("{}/{}", self.jobs(), crate::wire::escaped(id));
        match self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe) {
            Ok(job) => Ok(Some(job)),
            // Old jobs are removed after a week.
            Err(Fault::Missing(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    fn change(&mut self, desk: &mut Desk, id: &str, state: &str) -> Result<(), Fault> {
        let url = format!("{}/{}", self.jobs(), crate::wire::escaped(id));
        let body = json!({ "state": state }).to_string();
        // A state that is set already is refused, not set twice.
        match self.account.call(desk, "PATCH", &url, Body::Bytes(JSON, body.as_bytes()), Again::Ask) {
            Ok(_) => Ok(()),
            Err(Fault::Unknown(_) | Fault::Refused(_)) => match self.job(desk, id)? {
                Some(job) if state == "Aborted" || job["state"] != "Open" => Ok(()),
                _ => Err(Fault::Unavailable(format!("job {id} does not become {state}"))),
            },
            Err(fault) => Err(fault),
        }
    }

    /// Makes a job; its number is noted at once. A job whose number was lost has no data and does nothing.
    fn create(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        let part = desk.part();
        let (separator, header) = csv_of(part)?;
        let delimiter = match separator {
            ',' => "COMMA",
            ';' => "SEMICOLON",
            '\t' => "TAB",
            '|' => "PIPE",
            '^' => "CARET",
            '`' => "BACKQUOTE",
            other => return Err(Fault::Setting(format!("Salesforce knows no separator {other:?}"))),
        };
        let mut job = json!({"object": self.object, "contentType": "CSV", "columnDelimiter": delimiter, "lineEnding": "LF"});
        match part.instruction {
            // Deletion in bulk is by Salesforce's own Id alone.
            Instruction::Delete => job["operation"] = json!("delete"),
            _ if part.key == "Id" => job["operation"] = json!("update"),
            _ => {
                job["operation"] = json!("upsert");
                job["externalIdFieldName"] = json!(part.key);
            }
        }
        if !header.contains(&part.key) {
            return Err(Fault::Setting(format!("{} has no column {}", part.name, part.key)));
        }
        let jobs = self.jobs();
        let answer = self.account.ask(
            desk,
            "POST",
            &jobs,
            Body::Bytes(JSON, job.to_string().as_bytes()),
            Again::Safe,
        )?;
        let id = wanted(&answer, "/id")?;
        desk.note(json!({"step": "created", "job": id}))?;
        Ok(id)
    }

    fn upload(&mut self, desk: &mut Desk, id: &str) -> Result<(), Fault> {
        desk.note(json!({"step": "uploading", "job": id}))?;
        let url = format!("{}/{}/batches", self.jobs(), crate::wire::escaped(id));
        let media = "text/csv; charset=UTF-8";
        let (separator, _) = csv_of(desk.part())?;
        let (name, value) = (format!("{separator}{}", self.opt_out), format!("{separator}true"));
        let body = match desk.part().instruction {
            Instruction::Unsubscribe => Body::Marked(media, &name, &value),
            _ => Body::Rows(media, b"", b""),
        };
        self.account.call(desk, "PUT", &url, body, Again::Ask)?;
        desk.note(json!({"step": "uploaded", "job": id}))
    }

    /// A job with all its data, new or found again.
    fn loaded(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        if let Some(id) = desk.noted("job") {
            let job = self.job(desk, &id)?;
            match job.as_ref().and_then(|j| j["state"].as_str()) {
                Some("Open") if desk.at("uploaded") => return Ok(id),
                Some("Open") if desk.at("created") => {
                    self.upload(desk, &id)?;
                    return Ok(id);
                }
                // Whether the data arrived cannot be asked: away with it.
                Some("Open") => self.change(desk, &id, "Aborted")?,
                Some("UploadComplete" | "InProgress" | "JobComplete") => return Ok(id),
                // Failed, aborted by somebody, or gone: a new one.
                _ => {}
            }
        }
        // An upload without an answer is made anew in a new job, within this attempt as after a kill.
        for _ in 0..3 {
            let id = self.create(desk)?;
            match self.upload(desk, &id) {
                Err(Fault::Unknown(why)) => {
                    desk.says(&format!("{why}; again in a new job"));
                    self.change(desk, &id, "Aborted")?;
                }
                other => return other.map(|()| id),
            }
        }
        Err(Fault::Unavailable("three uploads in a row had no answer".to_owned()))
    }
}

impl System for Salesforce {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        if desk.part().instruction == Instruction::Delete && desk.part().key != "Id" {
            return each(desk, 1, |desk, who| who.iter().try_for_each(|who| self.delete(desk, who)));
        }
        let id = self.loaded(desk)?;
        let since = desk.now();
        let mut closed = false;
        for looks in 0.. {
            let job =
                (self.job(desk, &id)?).ok_or_else(|| Fault::Unavailable(format!("job {id} is gone")))?;
            match job["state"].as_str() {
                Some("Open") if closed => {}
                Some("Open") => {
                    self.change(desk, &id, "UploadComplete")?;
                    closed = true;
                    continue;
                }
                Some("JobComplete") => return self.outcome(desk, &id, &job),
                Some("Failed") | Some("Aborted") => {
                    let why = job["errorMessage"].as_str().unwrap_or("no reason given");
                    let state = job["state"].as_str().unwrap_or_default();
                    return Err(Fault::Refused(format!("job {id} is {state}: {why}")));
                }
                _ => {}
            }
            desk.says(&format!("job {id}: {} rows", job["numberRecordsProcessed"].as_u64().unwrap_or(0)));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }
}

impl Salesforce {
    /// Deletes one record by its external id, which only single requests can.
    fn delete(&mut self, desk: &mut Desk, who: &str) -> Result<(), Fault> {
        let url = format!(
            "{}/services/data/v{}/sobjects/{}/{}/{}",
            self.account.base,
            self.version,
            crate::wire::escaped(&self.object),
            crate::wire::escaped(&desk.part().key),
            crate::wire::escaped(who)
        );
        match self.account.call(desk, "DELETE", &url, Body::Empty, Again::Safe) {
            Ok(_) => Ok(()),
            // Who is not there is gone already.
            Err(Fault::Missing(_)) => Ok(()),
            Err(Fault::Refused(why)) => desk.reject(who, &why),
            Err(fault) => Err(fault),
        }
    }

    fn outcome(&mut self, desk: &mut Desk, id: &str, job: &Value) -> Result<Verdict, Fault> {
        let key = desk.part().key.clone();
        let failed = job["numberRecordsFailed"].as_u64().unwrap_or(0);
        let processed = job["numberRecordsProcessed"].as_u64().unwrap_or(0);
        let rows = desk.part().rows;
        let mut lists = vec![];
        if failed > 0 {
            lists.push("failedResults");
        }
        if processed < rows {
            lists.push("unprocessedrecords");
        }
        for list in lists {
            let url = format!("{}/{}/{list}/", self.jobs(), crate::wire::escaped(id));
            let (name, value) = self.account.header(desk)?;
            let head = Head { method: "GET", url, headers: vec![(name, value)] };
            report(desk, &head, b',', |header, row| {
                let at = |name: &str| {
                    header.iter().position(|h| h == name).and_then(|i| row.get(i)).unwrap_or_default()
                };
                let reason = at("sf__Error");
                let reason = if reason.is_empty() { "not processed" } else { reason };
                (at(&key).to_owned(), reason.to_owned())
            })?;
        }
        let rejected = desk.rejected();
        Ok(Verdict { accepted: Some(rows.saturating_sub(rejected)), rejected })
    }
}
