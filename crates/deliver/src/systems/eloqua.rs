//! Oracle Eloqua Bulk API 2.0: define an import, load its data, synchronise, poll, read the rejects.
//!
//! What was loaded does nothing until it is synchronised: an import that may or may not have its data is left alone (it ends by
//! itself) and defined anew. A synchronisation whose number was lost is found by its import.

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Map, Value, json};

use super::*;
use crate::desk::{Again, Body};

const JSON: &str = "application/json";

/// One Eloqua company.
pub struct Eloqua {
    account: Login,
    object: Option<i64>,
    fields: Map<String, Value>,
    update_rule: String,
    list: Option<i64>,
    redactor: Redactor,
}

struct Login {
    base: String,
    authorization: Secret,
}

impl Account for Login {
    fn header(&mut self, _: &mut Desk) -> Result<(String, String), Fault> {
        Ok(("authorization".to_owned(), self.authorization.reveal().to_owned()))
    }

    fn forget(&mut self) -> bool {
        false
    }
}

impl Eloqua {
    /// From options `custom_object`, `fields`, `update_rule`, `list`, and ELOQUA_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("ELOQUA_BASE_URL", None)?;
        let authorization = if setup.variable("ELOQUA_TOKEN").is_some() {
            format!("Bearer {}", setup.secret("ELOQUA_TOKEN", &mut redactor)?.reveal())
        } else {
            let company = setup.required("ELOQUA_COMPANY")?;
            let user = setup.required("ELOQUA_USER")?;
            let password = setup.secret("ELOQUA_PASSWORD", &mut redactor)?;
            let pair =
                Secret::new(BASE64_STANDARD.encode(format!("{company}\\{user}:{}", password.reveal())));
            redactor.learn(&pair);
            format!("Basic {}", pair.reveal())
        };
        let options = setup.destination;
        let fields = options.options.get("fields").and_then(Value::as_object).cloned().unwrap_or_default();
        Ok(Self {
            account: Login { base, authorization: Secret::new(authorization) },
            object: options.number("custom_object"),
            fields,
            update_rule: options.text("update_rule").unwrap_or("always").to_owned(),
            list: options.number("list"),
            redactor,
        })
    }

    fn url(&self, uri: &str) -> String {
        format!("{}/api/bulk/2.0{}", self.account.base, uri)
    }

    /// What a column is called in Eloqua's markup.
    fn statement(&self, column: &str) -> String {
        if let Some(statement) = self.fields.get(column).and_then(Value::as_str) {
            return statement.to_owned();
        }
        match self.object {
            _ if column.starts_with("{{") => column.to_owned(),
            Some(id) => format!("{{{{CustomObject[{id}].Field({column})}}}}"),
            None => format!("{{{{Contact.Field({column})}}}}"),
        }
    }

    /// Where the import or the action is defined, and its definition.
    fn definition(&self, part: &Part) -> Result<(String, Value), Fault> {
        let (_, header) = csv_of(part)?;
        let name: String = tag(part).chars().take(100).collect();
        let mut fields = Map::new();
        match part.instruction {
            Instruction::Upsert => {
                if header.len() > 100 {
                    return Err(Fault::Setting(format!("{} has more than Eloqua's 100 fields", part.name)));
                }
                for column in header {
                    fields.insert(column.clone(), json!(self.statement(column)));
                }
                let object = self.object.map_or("/contacts".to_owned(), |id| format!("/customObjects/{id}"));
                Ok((
                    format!("{object}/imports"),
                    json!({
                        "name": name, "fields": fields, "identifierFieldName": part.key, "updateRule": self.update_rule,
                        "isSyncTriggeredOnImport": false, "dataRetentionDuration": "P7D"
                    }),
                ))
            }
            // Contacts cannot be deleted in bulk: they leave the list, and are written to no more.
            Instruction::Delete | Instruction::Unsubscribe => {
                if header != std::slice::from_ref(&part.key) {
                    return Err(no_way(part, "the key must be the only column"));
                }
                if self.object.is_some() {
                    return Err(no_way(
                        part,
                        "custom objects have no subscription and cannot be deleted in bulk",
                    ));
                }
                fields.insert(part.key.clone(), json!(self.statement(&part.key)));
                let mut actions = vec![];
                if let (Some(list), Instruction::Delete) = (self.list, part.instruction) {
                    actions.push(
                        json!({"action": "remove", "destination": format!("{{{{ContactList[{list}]}}}}")}),
                    );
                }
                actions.push(json!({"action": "setStatus", "destination": "{{GlobalSubscribe}}", "status": "unsubscribed"}));
                Ok((
                    "/contacts/syncActions".to_owned(),
                    json!({"name": name, "fields": fields, "identifierFieldName": part.key, "syncActions": actions,
                           "isSyncTriggeredOnImport": false}),
                ))
            }
        }
    }

    fn define(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        let (place, definition) = self.definition(desk.part())?;
        let url = self.url(&place);
        let body = definition.to_string();
        let answer = self.account.ask(desk, "POST", &url, Body::Bytes(JSON, body.as_bytes()), Again::Safe)?;
        let uri = wanted(&answer, "/uri")?;
        desk.note(json!({"step": "defined", "import": uri}))?;
        Ok(uri)
    }

    /// A definition with all its data.
    fn loaded(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        let mut uri = match desk.noted("import") {
            Some(uri) if desk.at("loaded") => return Ok(uri),
            Some(uri) if desk.at("defined") => uri,
            _ => self.define(desk)?,
        };
        for _ in 0..3 {
            desk.note(json!({"step": "loading", "import": uri}))?;
            let url = self.url(&format!("{uri}/data"));
            match self.account.call(desk, "POST", &url, Body::Rows("text/csv", b"", b""), Again::Ask) {
                Ok(_) => {
                    desk.note(json!({"step": "loaded", "import": uri}))?;
                    return Ok(uri);
                }
                Err(Fault::Unknown(why)) => {
                    desk.says(&format!("{why}; again in a new import"));
                    uri = self.define(desk)?;
                }
                Err(fault) => return Err(fault),
            }
        }
        Err(Fault::Unavailable("three loads in a row had no answer".to_owned()))
    }

    fn synchronised(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        if let Some(sync) = desk.noted("sync") {
            return Ok(sync);
        }
        let (import, mut looking) = match desk.noted("import") {
            Some(import) if desk.at("synchronising") => (import, true),
            _ => (self.loaded(desk)?, false),
        };
        let body = json!({ "syncedInstanceUri": import }).to_string();
        for _ in 0..3 {
            let found = if looking { self.find(desk, &import)? } else { None };
            let sync = match found {
                Some(sync) => sync,
                None => {
                    desk.note(json!({"step": "synchronising", "import": import}))?;
                    let url = self.url("/syncs");
                    match self.account.ask(desk, "POST", &url, Body::Bytes(JSON, body.as_bytes()), Again::Ask)
                    {
                        Ok(answer) => wanted(&answer, "/uri")?,
                        Err(Fault::Unknown(why)) => {
                            desk.says(&format!("{why}; looking whether it began"));
                            looking = true;
                            continue;
                        }
                        Err(fault) => return Err(fault),
                    }
                }
            };
            desk.note(json!({"step": "synchronised", "import": import, "sync": sync}))?;
            return Ok(sync);
        }
        Err(Fault::Unavailable("three synchronisations in a row had no answer".to_owned()))
    }

    /// The synchronisation of an import, if it has begun.
    fn find(&mut self, desk: &mut Desk, import: &str) -> Result<Option<String>, Fault> {
        let url = self.url("/syncs?orderBy=createdAt%20DESC&limit=1000");
        let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
        let ours =
            (answer["items"].as_array().into_iter().flatten()).find(|s| s["syncedInstanceUri"] == import);
        ours.map(|sync| wanted(sync, "/uri")).transpose()
    }
}

impl System for Eloqua {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let sync = self.synchronised(desk)?;
        let since = desk.now();
        for looks in 0.. {
            let url = self.url(&sync);
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            match answer["status"].as_str() {
                Some("success" | "warning") => return self.rejects(desk, &sync),
                Some("error") => {
                    let url = self.url(&format!("{sync}/logs"));
                    let logs = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
                    let why = (logs["items"].as_array().into_iter().flatten())
                        .filter(|log| log["severity"] == "error")
                        .filter_map(|log| {
                            Some(format!("{} {}", log["statusCode"].as_str()?, log["message"].as_str()?))
                        })
                        .collect::<Vec<_>>()
                        .join("; ");
                    // The next attempt defines everything anew.
                    desk.note(json!({"step": "failed"}))?;
                    return Err(Fault::Refused(format!("{sync} ended with an error: {why}")));
                }
                _ => {}
            }
            desk.says(&format!("{sync}: {}", answer["status"].as_str().unwrap_or("no status")));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }
}

impl Eloqua {
    fn rejects(&mut self, desk: &mut Desk, sync: &str) -> Result<Verdict, Fault> {
        let key = desk.part().key.clone();
        let rows = desk.part().rows;
        let (mut offset, page) = (0, 1000);
        loop {
            let url = self.url(&format!("{sync}/rejects?limit={page}&offset={offset}"));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            let items = answer["items"].as_array().cloned().unwrap_or_default();
            for item in &items {
                let who = item["fieldValues"].get(&key).and_then(text).unwrap_or_default();
                let fields: Vec<_> =
                    item["invalidFields"].as_array().into_iter().flatten().filter_map(text).collect();
                let code = item["statusCode"].as_str().unwrap_or_default();
                let why =
                    format!("{code} {} {}", item["message"].as_str().unwrap_or_default(), fields.join(", "));
                desk.reject(who, why.trim())?;
            }
            offset += items.len();
            if items.is_empty() || answer["hasMore"] != true {
                break;
            }
        }
        let rejected = desk.rejected();
        Ok(Verdict { accepted: Some(rows.saturating_sub(rejected)), rejected })
    }
}
