//! Klaviyo: one bulk import job a part; unsubscriptions by the hundred, deletions one by one.
//!
//! A part is the body of a job; the list, if there is one, is added. A job cannot be found by a name: one that may or may not
//! have arrived is sent again, which changes nothing.

use serde_json::{Value, json};

use super::hubspot::Token;
use super::*;
use crate::desk::{Again, Body};

const JSON: &str = "application/vnd.api+json";
/// Klaviyo's limit for a request.
const MOST_BYTES: u64 = 5 << 20;

/// One Klaviyo account.
pub struct Klaviyo {
    account: Token,
    revision: String,
    list: Option<String>,
    redactor: Redactor,
}

impl Klaviyo {
    /// From options `list`, `revision`, and KLAVIYO_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let base = setup.base("KLAVIYO_BASE_URL", Some("https://a.klaviyo.com"))?;
        let key = setup.secret("KLAVIYO_API_KEY", &mut redactor)?;
        let options = setup.destination;
        Ok(Self {
            account: Token {
                base,
                header: "authorization",
                value: Secret::new(format!("Klaviyo-API-Key {}", key.reveal())),
            },
            revision: options.text("revision").unwrap_or("2026-04-15").to_owned(),
            list: options.text("list").map(str::to_owned),
            redactor,
        })
    }

    fn ask(
        &mut self,
        desk: &mut Desk,
        method: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Fault> {
        let url = format!("{}/api/{path}", self.account.base);
        let (name, value) = self.account.header(desk)?;
        let mut head = request(method, url, &[(&name, &value), ("revision", &self.revision)]);
        if let Some(accept) = head.headers.last_mut() {
            accept.1 = JSON.to_owned();
        }
        let text = body.map(|b| b.to_string());
        let body = text.as_deref().map_or(Body::Empty, |text| Body::Bytes(JSON, text.as_bytes()));
        desk.ask(&head, body, Again::Safe)
    }

    /// The part as a request; at most 5 MB, so it is held whole.
    fn job(&self, desk: &mut Desk) -> Result<Value, Fault> {
        let part = desk.part().clone();
        if part.bytes > MOST_BYTES || part.rows > 10_000 {
            return Err(Fault::Setting(format!(
                "{} is larger than Klaviyo's 5 MB or 10,000 profiles",
                part.name
            )));
        }
        if part.format != Format::Json {
            return Err(Fault::Setting(format!(
                "{} must be JSON: give the destination the profile klaviyo",
                part.name
            )));
        }
        let mut body = json_body(desk.rows()?, &part)?;
        let data = &mut body["data"];
        let profiles = data.pointer_mut("/attributes/profiles/data").and_then(Value::as_array_mut);
        for profile in profiles.into_iter().flatten() {
            // Rows may be the attributes alone.
            if profile.get("attributes").is_none() {
                *profile = json!({"attributes": profile.take()});
            }
            profile["type"] = json!("profile");
        }
        if let Some(list) = &self.list {
            data["relationships"] = json!({"lists": {"data": [{"type": "list", "id": list}]}});
        }
        Ok(body)
    }

    fn import(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let id = match desk.noted("job") {
            Some(id) => id,
            None => {
                let job = self.job(desk)?;
                desk.note(json!({"step": "sending"}))?;
                let answer = self.ask(desk, "POST", "profile-bulk-import-jobs", Some(job))?;
                let id = wanted(&answer, "/data/id")?;
                desk.note(json!({"step": "sent", "job": id}))?;
                id
            }
        };
        let since = desk.now();
        for looks in 0.. {
            let path = format!("profile-bulk-import-jobs/{}", crate::wire::escaped(&id));
            let answer = self.ask(desk, "GET", &path, None)?;
            match answer.pointer("/data/attributes/status").and_then(Value::as_str) {
                Some("complete") => return self.errors(desk, &id, &answer),
                Some("cancelled") => {
                    desk.note(json!({"step": "failed"}))?;
                    return Err(Fault::Refused(format!("job {id} was cancelled")));
                }
                _ => {}
            }
            desk.says(&format!("job {id} goes on"));
            desk.wait(looks, since)?;
        }
        unreachable!("looking ends only by an answer or a fault")
    }

    fn errors(&mut self, desk: &mut Desk, id: &str, job: &Value) -> Result<Verdict, Fault> {
        let part = desk.part().clone();
        let failed = job.pointer("/data/attributes/failed_count").and_then(Value::as_u64).unwrap_or(0);
        if failed > 0 {
            let first =
                format!("profile-bulk-import-jobs/{}/import-errors?page[size]=100", crate::wire::escaped(id));
            let mut path = Some(first.replace('[', "%5B").replace(']', "%5D"));
            while let Some(here) = path.take() {
                let answer = self.ask(desk, "GET", &here, None)?;
                for error in answer["data"].as_array().into_iter().flatten() {
                    let a = &error["attributes"];
                    let who = json_key(&a["original_payload"], &part.key).unwrap_or_default();
                    let code = a["code"].as_str().unwrap_or("error");
                    let detail = a["detail"].as_str().or(a["title"].as_str()).unwrap_or_default();
                    desk.reject(who, format!("{code} {detail}").trim())?;
                }
                // The next page, if it is at the same place.
                let next = answer.pointer("/links/next").and_then(Value::as_str);
                path = next
                    .and_then(|n| n.strip_prefix(&format!("{}/api/", self.account.base)))
                    .map(str::to_owned);
            }
        }
        let rejected = failed.max(desk.rejected());
        Ok(Verdict { accepted: Some(part.rows.saturating_sub(rejected)), rejected })
    }

    /// A request about some people; those that it is refused for are rejected.
    fn about(&mut self, desk: &mut Desk, who: &[String], path: &str, body: Value) -> Result<(), Fault> {
        match self.ask(desk, "POST", path, Some(body)) {
            Ok(_) => Ok(()),
            Err(Fault::Missing(_)) => Ok(()),
            // One bad address spoils a request about many: then one by one.
            Err(Fault::Refused(_)) if who.len() > 1 => {
                who.iter().try_for_each(|one| self.act(desk, std::slice::from_ref(one)))
            }
            Err(Fault::Refused(why)) => desk.reject(who[0].clone(), &why),
            Err(fault) => Err(fault),
        }
    }

    fn act(&mut self, desk: &mut Desk, who: &[String]) -> Result<(), Fault> {
        let key = desk.part().key.clone();
        let name = match key.as_str() {
            "email" | "phone_number" => key.as_str(),
            _ => return Err(no_way(desk.part(), "Klaviyo knows people by email or phone_number here")),
        };
        if desk.part().instruction == Instruction::Delete {
            return who.iter().try_for_each(|one| {
                let body = json!({"data": {"type": "data-privacy-deletion-job", "attributes": {"profile": {
                    "data": {"type": "profile", "attributes": {name: one}}}}}});
                self.about(desk, std::slice::from_ref(one), "data-privacy-deletion-jobs", body)
            });
        }
        let channel = if name == "email" { "email" } else { "sms" };
        let profiles: Vec<Value> = (who.iter())
            .map(|one| {
                json!({"type": "profile", "attributes": {name: one, "subscriptions": {
                    channel: {"marketing": {"consent": "UNSUBSCRIBED"}}}}})
            })
            .collect();
        let mut data = json!({"type": "profile-subscription-bulk-delete-job",
                              "attributes": {"profiles": {"data": profiles}}});
        if let Some(list) = &self.list {
            data["relationships"] = json!({"list": {"data": {"type": "list", "id": list}}});
        }
        self.about(desk, who, "profile-subscription-bulk-delete-jobs", json!({ "data": data }))
    }
}

impl System for Klaviyo {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn gap(&self) -> Duration {
        // 150 requests a minute.
        Duration::from_millis(400)
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        match desk.part().instruction {
            Instruction::Upsert => self.import(desk),
            Instruction::Delete => each(desk, 1, |desk, who| self.act(desk, who)),
            Instruction::Unsubscribe => each(desk, 100, |desk, who| self.act(desk, who)),
        }
    }
}
