//! Brevo: one import a part, as a text within JSON; deletions one by one.
//!
//! An import has no name to find it by: one that may or may not have arrived is sent again, which changes nothing (the same
//! rows with the same values).

use std::io::Read;

use serde_json::{Map, Value, json};

use super::hubspot::Token;
use super::*;
use crate::desk::{Again, Body};

const JSON: &str = "application/json";
/// Brevo's limit for the rows within a request.
const MOST_BYTES: u64 = 10 << 20;

/// One Brevo account.
pub struct Brevo {
    account: Token,
    settings: Map<String, Value>,
    redactor: Redactor,
}

impl Brevo {
    /// From options `list_ids`, `empty_erases`, and BREVO_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("BREVO_BASE_URL", Some("https://api.brevo.com"))?;
        let key = setup.secret("BREVO_API_KEY", &mut redactor)?;
        let options = setup.destination;
        let mut settings = Map::new();
        settings.insert("updateExistingContacts".to_owned(), json!(true));
        settings.insert("disableNotification".to_owned(), json!(true));
        settings.insert(
            "emptyContactsAttributes".to_owned(),
            json!(options.flag("empty_erases").unwrap_or(true)),
        );
        if let Some(lists) = options.options.get("list_ids") {
            settings.insert("listIds".to_owned(), lists.clone());
        }
        Ok(Self { account: Token { base, header: "api-key", value: key }, settings, redactor })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v3{path}", self.account.base)
    }

    fn started(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        if let Some(id) = desk.noted("process") {
            return Ok(id);
        }
        if desk.part().bytes > MOST_BYTES {
            return Err(Fault::Setting(format!("{} is larger than Brevo's 10 MB", desk.part().name)));
        }
        csv_of(desk.part())?;
        let mut rows = String::new();
        let name = desk.part().name.clone();
        desk.rows()?
            .read_to_string(&mut rows)
            .map_err(|e| crate::outbox::Trouble::Failed(format!("{name}: {e}")))?;
        let mut body = self.settings.clone();
        if desk.part().instruction == Instruction::Unsubscribe {
            body.insert("emailBlacklist".to_owned(), json!(true));
            // Who is written to no more need not be on a list.
            body.remove("listIds");
        }
        body.insert("fileBody".to_owned(), json!(rows));
        drop(rows);
        let body = Value::Object(body).to_string();
        let url = self.url("/contacts/import");
        desk.note(json!({"step": "sending"}))?;
        let answer = self.account.ask(desk, "POST", &url, Body::Bytes(JSON, body.as_bytes()), Again::Safe)?;
        let id = wanted(&answer, "/processId")?;
        desk.note(json!({"step": "sent", "process": id}))?;
        Ok(id)
    }

    fn import(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let id = self.started(desk)?;
        let since = desk.now();
        for looks in 0.. {
            let url = self.url(&format!("/processes/{}", crate::wire::escaped(&id)));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            match answer["status"].as_str() {
                Some("completed") => return self.reports(desk, &answer),
                Some(state @ ("failed" | "cancelled")) => {
                    desk.note(json!({"step": "failed"}))?;
                    return Err(Fault::Refused(format!("process {id} is {state}")));
                }
                _ => {}
            }
            desk.says(&format!("process {id}: {}", answer["status"].as_str().unwrap_or("no status")));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }

    /// Reports of bad rows are files at addresses of their own, by kind.
    fn reports(&mut self, desk: &mut Desk, process: &Value) -> Result<Verdict, Fault> {
        let rows = desk.part().rows;
        for (kind, address) in
            process.pointer("/info/import").and_then(Value::as_object).into_iter().flatten()
        {
            let Some(address) = address.as_str().filter(|a| !a.is_empty()) else { continue };
            let address = crate::wire::safe_base(address).map_err(Fault::Refused)?;
            // Without the key: it is another server.
            let head = Head { method: "GET", url: address, headers: vec![] };
            let kind = kind.replace('_', " ");
            report(desk, &head, b';', |_, row| (row.get(0).unwrap_or_default().to_owned(), kind.clone()))?;
        }
        let rejected = desk.rejected();
        Ok(Verdict { accepted: Some(rows.saturating_sub(rejected)), rejected })
    }

    fn delete(&mut self, desk: &mut Desk, who: &str) -> Result<(), Fault> {
        let kind = match desk.part().key.as_str() {
            "SMS" => "phone_id",
            "EXT_ID" => "ext_id",
            _ => "email_id",
        };
        let url = self.url(&format!("/contacts/{}?identifierType={kind}", crate::wire::escaped(who)));
        match self.account.call(desk, "DELETE", &url, Body::Empty, Again::Safe) {
            Ok(_) => Ok(()),
            Err(Fault::Missing(_)) => Ok(()),
            Err(Fault::Refused(why)) => desk.reject(who, &why),
            Err(fault) => Err(fault),
        }
    }
}

impl System for Brevo {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn gap(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        if desk.part().instruction == Instruction::Delete {
            each(desk, 1, |desk, who| who.iter().try_for_each(|who| self.delete(desk, who)))
        } else {
            self.import(desk)
        }
    }
}
