//! HubSpot: one import a part, found again by its name when its number was lost; deletions and unsubscriptions one by one.

use serde_json::{Value, json};

use super::*;
use crate::desk::{Again, Body};

const JSON: &str = "application/json";

/// One HubSpot account.
pub struct HubSpot {
    account: Token,
    object: String,
    id_property: Option<String>,
    date_format: String,
    redactor: Redactor,
}

/// A key that is sent as it is.
pub(super) struct Token {
    pub base: String,
    pub header: &'static str,
    pub value: Secret,
}

impl Account for Token {
    fn header(&mut self, _: &mut Desk) -> Result<(String, String), Fault> {
        Ok((self.header.to_owned(), self.value.reveal().to_owned()))
    }

    fn forget(&mut self) -> bool {
        false
    }
}

impl HubSpot {
    /// From options `object`, `id_property`, `date_format`, and HUBSPOT_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("HUBSPOT_BASE_URL", Some("https://api.hubapi.com"))?;
        let token = setup.secret("HUBSPOT_TOKEN", &mut redactor)?;
        let options = setup.destination;
        Ok(Self {
            account: Token {
                base,
                header: "authorization",
                value: Secret::new(format!("Bearer {}", token.reveal())),
            },
            object: options.text("object").unwrap_or("0-1").to_owned(),
            id_property: options.text("id_property").map(str::to_owned),
            date_format: options.text("date_format").unwrap_or("YEAR_MONTH_DAY").to_owned(),
            redactor,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.account.base)
    }

    fn definition(&self, part: &Part) -> Result<String, Fault> {
        let (_, header) = csv_of(part)?;
        let key = self.id_property.as_deref().unwrap_or(&part.key);
        let columns: Vec<Value> = (header.iter())
            .map(|column| {
                let id = match column.as_str() {
                    "hs_object_id" => json!("HUBSPOT_OBJECT_ID"),
                    column if column == key => json!("HUBSPOT_ALTERNATE_ID"),
                    _ => Value::Null,
                };
                json!({"columnObjectTypeId": self.object, "columnName": column, "propertyName": column, "idColumnType": id})
            })
            .collect();
        Ok(json!({
            "name": tag(part),
            "importOperations": {self.object.as_str(): "UPSERT"},
            "dateFormat": self.date_format,
            "files": [{
                "fileName": part.name, "fileFormat": "CSV",
                "fileImportPage": {"hasHeader": true, "columnMappings": columns}
            }]
        })
        .to_string())
    }

    /// The import with our name, if there is one: the newest come first.
    fn find(&mut self, desk: &mut Desk) -> Result<Option<String>, Fault> {
        let name = tag(desk.part());
        let mut after = String::new();
        for _ in 0..20 {
            let url = self.url(&format!("/crm/v3/imports?limit=100{after}"));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            let ours = (answer["results"].as_array().into_iter().flatten())
                .find(|i| i["importName"] == name.as_str());
            if let Some(import) = ours {
                return Ok(Some(wanted(import, "/id")?));
            }
            match answer.pointer("/paging/next/after").and_then(text) {
                Some(next) => after = format!("&after={}", crate::wire::escaped(&next)),
                None => break,
            }
        }
        Ok(None)
    }

    fn started(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        if let Some(id) = desk.noted("import") {
            return Ok(id);
        }
        if desk.at("sending")
            && let Some(id) = self.find(desk)?
        {
            desk.note(json!({"step": "sent", "import": id}))?;
            return Ok(id);
        }
        let definition = self.definition(desk.part())?;
        for _ in 0..3 {
            desk.note(json!({"step": "sending"}))?;
            let (media, before, after) =
                multipart(desk.part(), Some(("importRequest", &definition)), ("files", "text/csv"));
            let url = self.url("/crm/v3/imports");
            let id =
                match self.account.ask(desk, "POST", &url, Body::Rows(&media, &before, &after), Again::Ask) {
                    Ok(answer) => Some(wanted(&answer, "/id")?),
                    Err(Fault::Unknown(why)) => {
                        desk.says(&format!("{why}; looking whether it arrived"));
                        self.find(desk)?
                    }
                    Err(fault) => return Err(fault),
                };
            if let Some(id) = id {
                desk.note(json!({"step": "sent", "import": id}))?;
                return Ok(id);
            }
        }
        Err(Fault::Unavailable("three imports in a row had no answer".to_owned()))
    }

    fn import(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let id = self.started(desk)?;
        let since = desk.now();
        for looks in 0.. {
            let url = self.url(&format!("/crm/v3/imports/{}", crate::wire::escaped(&id)));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            match answer["state"].as_str() {
                Some("DONE") => return self.errors(desk, &id),
                Some(state @ ("FAILED" | "CANCELED")) => {
                    desk.note(json!({"step": "failed"}))?;
                    return Err(Fault::Refused(format!("import {id} is {state}")));
                }
                _ => {}
            }
            desk.says(&format!("import {id}: {}", answer["state"].as_str().unwrap_or("no state")));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }

    /// The rows with errors. One row can have several.
    fn errors(&mut self, desk: &mut Desk, id: &str) -> Result<Verdict, Fault> {
        let part = desk.part().clone();
        let (_, header) = csv_of(&part)?;
        let place = header.iter().position(|c| *c == part.key);
        let mut lines = std::collections::BTreeSet::new();
        let mut after = String::new();
        loop {
            let url =
                self.url(&format!("/crm/v3/imports/{}/errors?limit=100{after}", crate::wire::escaped(id)));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            for error in answer["results"].as_array().into_iter().flatten() {
                let line = error.pointer("/sourceData/lineNumber").and_then(Value::as_u64);
                if line.is_some_and(|line| !lines.insert(line)) {
                    continue;
                }
                let row = error.pointer("/sourceData/rowData").and_then(Value::as_array);
                let who = row.zip(place).and_then(|(row, place)| text(row.get(place)?)).unwrap_or_default();
                let kind = error["errorType"].as_str().unwrap_or("UNKNOWN");
                let why =
                    error["errorMessage"].as_str().or(error["invalidValue"].as_str()).unwrap_or_default();
                desk.reject(who, format!("{kind} {why}").trim())?;
            }
            match answer.pointer("/paging/next/after").and_then(text) {
                Some(next) => after = format!("&after={}", crate::wire::escaped(&next)),
                None => break,
            }
        }
        let rejected = desk.rejected();
        Ok(Verdict { accepted: Some(part.rows.saturating_sub(rejected)), rejected })
    }

    fn one(&mut self, desk: &mut Desk, who: &str) -> Result<(), Fault> {
        let escaped = crate::wire::escaped(who);
        let answer = match desk.part().instruction {
            Instruction::Unsubscribe => {
                let url = self.url(&format!(
                    "/communication-preferences/v4/statuses/{escaped}/unsubscribe-all?channel=EMAIL"
                ));
                self.account.call(desk, "POST", &url, Body::Empty, Again::Safe)
            }
            _ => {
                let property = self.id_property.clone().unwrap_or_else(|| desk.part().key.clone());
                let body = json!({"idProperty": property, "objectId": who}).to_string();
                let url = self.url("/crm/v3/objects/contacts/gdpr-delete");
                self.account.call(desk, "POST", &url, Body::Bytes(JSON, body.as_bytes()), Again::Safe)
            }
        };
        match answer {
            Ok(_) => Ok(()),
            // Who is not there is gone already.
            Err(Fault::Missing(_)) => Ok(()),
            Err(Fault::Refused(why)) => desk.reject(who, &why),
            Err(fault) => Err(fault),
        }
    }
}

impl System for HubSpot {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn gap(&self) -> Duration {
        // 100 requests in 10 seconds.
        Duration::from_millis(100)
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        if desk.part().instruction == Instruction::Upsert {
            self.import(desk)
        } else {
            each(desk, 1, |desk, who| who.iter().try_for_each(|who| self.one(desk, who)))
        }
    }
}
