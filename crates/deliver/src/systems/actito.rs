//! Actito V5: each part is one execution of an ETL that is defined in Actito, or of a definition sent along.
//!
//! An execution cannot be found by a name: one that may or may not have started is started again, which changes nothing.

use serde_json::{Value, json};

use super::*;
use crate::desk::{Again, Body};

/// One entity of an Actito licence.
pub struct Actito {
    account: Login,
    entity: String,
    /// The ETL for each instruction.
    etls: [Option<String>; 3],
    definition: Option<Value>,
    redactor: Redactor,
}

struct Login {
    base: String,
    key: Secret,
    token: Option<Secret>,
}

impl Account for Login {
    fn header(&mut self, desk: &mut Desk) -> Result<(String, String), Fault> {
        if self.token.is_none() {
            let head =
                request("GET", format!("{}/auth/token", self.base), &[("authorization", self.key.reveal())]);
            let answer = desk.ask(&head, Body::Empty, Again::Safe)?;
            let token = Secret::new(wanted(&answer, "/accessToken")?);
            desk.redactor.learn(&token);
            self.token = Some(token);
        }
        let token = self.token.as_ref().map(Secret::reveal).unwrap_or_default();
        Ok(("authorization".to_owned(), format!("Bearer {token}")))
    }

    fn forget(&mut self) -> bool {
        // A token lives for a quarter of an hour.
        self.token.take().is_some()
    }
}

impl Actito {
    /// From options `entity`, `etl`, `etl_delete`, `etl_unsubscribe` or `definition`, and ACTITO_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("ACTITO_BASE_URL", Some("https://api.actito.com"))?;
        let key = setup.secret("ACTITO_API_KEY", &mut redactor)?;
        let options = setup.destination;
        let etl = |name: &str| options.options.get(name).and_then(text);
        Ok(Self {
            account: Login { base, key, token: None },
            entity: setup.option("entity")?,
            etls: [etl("etl"), etl("etl_delete"), etl("etl_unsubscribe")],
            definition: options.options.get("definition").filter(|d| d.is_object()).cloned(),
            redactor,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/mass-imports/v5/entities/{}{path}", self.account.base, crate::wire::escaped(&self.entity))
    }

    fn started(&mut self, desk: &mut Desk) -> Result<String, Fault> {
        if let Some(id) = desk.noted("execution") {
            return Ok(id);
        }
        let part = desk.part().clone();
        csv_of(&part)?;
        let (which, option) = match part.instruction {
            Instruction::Upsert => (0, "etl"),
            Instruction::Delete => (1, "etl_delete"),
            Instruction::Unsubscribe => (2, "etl_unsubscribe"),
        };
        let (path, definition) = match (&self.etls[which], &self.definition) {
            (Some(etl), _) => (format!("/etls/{}/trigger-execution", crate::wire::escaped(etl)), None),
            (None, Some(definition)) if which == 0 => {
                ("/etl-executions".to_owned(), Some(definition.to_string()))
            }
            _ => return Err(no_way(&part, &format!("the destination has no option \"{option}\""))),
        };
        let field = definition.as_deref().map(|d| ("etlDefinition", d));
        let (media, before, after) = multipart(&part, field, ("file", "text/csv"));
        let url = self.url(&path);
        desk.note(json!({"step": "sending"}))?;
        let answer =
            self.account.ask(desk, "POST", &url, Body::Rows(&media, &before, &after), Again::Safe)?;
        let id = wanted(&answer, "/id").or_else(|_| wanted(&answer, "/executionId"))?;
        desk.note(json!({"step": "sent", "execution": id}))?;
        Ok(id)
    }
}

impl System for Actito {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let id = self.started(desk)?;
        let rows = desk.part().rows;
        let since = desk.now();
        for looks in 0.. {
            let url = self.url(&format!("/etl-executions/{}", crate::wire::escaped(&id)));
            let answer = self.account.ask(desk, "GET", &url, Body::Empty, Again::Safe)?;
            let status = answer["status"].as_str().or(answer["executionStatus"].as_str()).unwrap_or_default();
            match status {
                "SUCCESS" | "PARTIAL_SUCCESS" | "WARNING" => return self.outcome(desk, rows, &answer),
                "ERROR" | "FAILED" | "FAILURE" | "CANCELLED" => {
                    desk.note(json!({"step": "failed"}))?;
                    let why = answer["message"]
                        .as_str()
                        .or(answer["errorMessage"].as_str())
                        .unwrap_or("no reason given");
                    return Err(Fault::Refused(format!("execution {id} is {status}: {why}")));
                }
                _ => {}
            }
            desk.says(&format!("execution {id}: {status}"));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }
}

impl Actito {
    fn outcome(&mut self, desk: &mut Desk, rows: u64, answer: &Value) -> Result<Verdict, Fault> {
        for error in answer["errors"].as_array().into_iter().flatten() {
            let who = error.get("key").and_then(text).unwrap_or_default();
            desk.reject(who, error["message"].as_str().unwrap_or("rejected"))?;
        }
        let said = answer["rejectedRows"].as_u64().unwrap_or(0);
        let rejected = said.max(desk.rejected());
        Ok(Verdict { accepted: Some(rows.saturating_sub(rejected)), rejected })
    }
}
