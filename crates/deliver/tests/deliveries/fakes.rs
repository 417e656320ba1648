//! The systems, as far as the client sees them, each as its documentation says: tokens, states, what may be done once only.
//!
//! Whoever's key begins with `bad` is rejected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::schemas;
use super::server::{Mischief, Plan, Req, Res, Service};

pub const TOKEN: &str = "s3cret-t0ken";

#[derive(Default)]
pub struct Job {
    pub definition: Value,
    pub body: Option<Vec<u8>>,
    pub state: String,
    pub looks: u32,
    pub rows: u64,
    pub failed: Vec<(String, String)>,
    /// Syncs of an import, reports of a process.
    pub import: String,
}

#[derive(Default)]
pub struct World {
    pub people: BTreeMap<String, BTreeMap<String, String>>,
    /// How often a row about somebody was carried out.
    pub arrivals: BTreeMap<String, u32>,
    pub unsubscribed: BTreeSet<String>,
    pub deleted: BTreeSet<String>,
    pub plans: Vec<Plan>,
    pub jobs: BTreeMap<String, Job>,
    pub next: u64,
    /// Tokens that are good now, beside `TOKEN`.
    pub tokens: BTreeSet<String>,
    pub logins: u32,
    pub requests: Vec<String>,
    /// What was wrong with requests: tests want none.
    pub wrong: Vec<String>,
    pub base: String,
}

impl Service for World {
    fn mischief(&mut self, req: &Req) -> Option<Mischief> {
        let plan = (self.plans.iter_mut())
            .find(|p| p.left > 0 && p.method == req.method && req.path.contains(p.path))?;
        plan.left -= 1;
        Some(plan.mischief.clone())
    }

    fn serve(&mut self, req: &Req) -> Res {
        self.requests.push(format!("{} {}", req.method, req.path));
        let parts = if req.headers.get("content-type").is_some_and(|t| t.starts_with("multipart/")) {
            boundary_parts(req)
        } else {
            vec![]
        };
        let document = parts.first().map_or(&req.body, |(_, body)| body);
        for fault in schemas::faults(req, document) {
            self.wrong.push(format!("{} {}: {fault}", req.method, req.path));
        }
        let res = if req.path.starts_with("/services/") {
            self.salesforce(req)
        } else if req.path.starts_with("/api/bulk/2.0/") {
            self.eloqua(req)
        } else if req.path.starts_with("/crm/v3/") || req.path.starts_with("/communication-preferences/") {
            self.hubspot(req)
        } else if req.path.starts_with("/v3/") || req.path.starts_with("/report/") {
            self.brevo(req)
        } else if req.path.starts_with("/api/") {
            self.klaviyo(req)
        } else {
            self.actito(req)
        };
        if matches!(res.status, 400 | 405) || res.body == b"no such thing" {
            self.wrong.push(format!("{} {}: {}", req.method, req.path, String::from_utf8_lossy(&res.body)));
        }
        res
    }
}

fn boundary_parts(req: &Req) -> Vec<(String, Vec<u8>)> {
    let boundary = req.headers["content-type"].split("boundary=").nth(1).unwrap().to_owned();
    let body = &req.body;
    let mark = format!("--{boundary}");
    let mut parts = vec![];
    let find =
        |from: usize, what: &[u8]| (from..=body.len() - what.len()).find(|i| body[*i..].starts_with(what));
    let mut at = find(0, mark.as_bytes()).unwrap() + mark.len();
    while !body[at..].starts_with(b"--") {
        let head_end = find(at, b"\r\n\r\n").unwrap();
        let head = String::from_utf8(body[at..head_end].to_vec()).unwrap();
        let end = find(head_end, format!("\r\n{mark}").as_bytes()).unwrap();
        parts.push((head, body[head_end + 4..end].to_vec()));
        at = end + 2 + mark.len();
    }
    parts
}

impl World {
    fn id(&mut self) -> String {
        self.next += 1;
        format!("{}", 1000 + self.next)
    }

    fn known(&self, given: Option<&String>, prefix: &str) -> bool {
        given.and_then(|g| g.strip_prefix(prefix)).is_some_and(|t| t == TOKEN || self.tokens.contains(t))
    }

    /// Carries out rows: gives how many there were, and who was rejected.
    fn upsert(&mut self, rows: Vec<BTreeMap<String, String>>, key: &str) -> (u64, Vec<(String, String)>) {
        let mut failed = vec![];
        let count = rows.len() as u64;
        for row in rows {
            let who = row.get(key).cloned().unwrap_or_default();
            if who.is_empty() || who.starts_with("bad") {
                failed.push((who, "INVALID_EMAIL: no such thing".to_owned()));
                continue;
            }
            *self.arrivals.entry(who.clone()).or_default() += 1;
            self.deleted.remove(&who);
            self.people.entry(who).or_default().extend(row);
        }
        (count, failed)
    }

    fn csv(bytes: &[u8], separator: u8) -> Vec<BTreeMap<String, String>> {
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(bytes);
        let header = reader.headers().unwrap().clone();
        reader
            .records()
            .map(|r| header.iter().map(str::to_owned).zip(r.unwrap().iter().map(str::to_owned)).collect())
            .collect()
    }

    fn salesforce(&mut self, req: &Req) -> Res {
        if req.path == "/services/oauth2/token" {
            self.logins += 1;
            let body = String::from_utf8(req.body.clone()).unwrap();
            if !body.contains("client_secret=client%2Fs3cret") {
                return Res::json(401, json!({"error": "invalid_client", "error_description": body}));
            }
            let token = format!("token-{}", self.logins);
            self.tokens.insert(token.clone());
            return Res::json(200, json!({"access_token": token, "token_type": "Bearer"}));
        }
        if !self.known(req.headers.get("authorization"), "Bearer ") {
            let said = req.headers.get("authorization").cloned().unwrap_or_default();
            return Res::json(
                401,
                json!([{"errorCode": "INVALID_SESSION_ID", "message": format!("Session {said}")}]),
            );
        }
        if let Some(rest) = req.path.strip_prefix("/services/data/v62.0/sobjects/Contact/") {
            let (name, who) = rest.split_once('/').unwrap();
            assert_eq!((req.method.as_str(), name), ("DELETE", "Ext__c"));
            let who = who.replace("%40", "@");
            // The second time it is gone.
            let gone = self.deleted.contains(&who);
            self.remove(&who);
            return if gone { Res::text(404, "NOT_FOUND") } else { Res::text(204, "") };
        }
        let rest = req.path.strip_prefix("/services/data/v62.0/jobs/ingest").expect("the version asked for");
        let pieces: Vec<&str> = rest.trim_matches('/').split('/').filter(|p| !p.is_empty()).collect();
        match (req.method.as_str(), &pieces[..]) {
            ("POST", []) => {
                let definition: Value = serde_json::from_slice(&req.body).unwrap();
                if definition["operation"] == "upsert" && !definition["externalIdFieldName"].is_string() {
                    return Res::json(400, json!([{"errorCode": "INVALIDJOB"}]));
                }
                let id = self.id();
                let job = Job { definition, state: "Open".to_owned(), ..Default::default() };
                self.jobs.insert(id.clone(), job);
                Res::json(200, json!({"id": id, "state": "Open"}))
            }
            ("PUT", [id, "batches"]) => {
                let job = self.jobs.get_mut(*id).unwrap();
                if job.state != "Open" || job.body.is_some() {
                    return Res::json(
                        400,
                        json!([{"errorCode": "INVALIDJOBSTATE", "message": "one upload a job"}]),
                    );
                }
                assert!(req.headers["content-type"].starts_with("text/csv"));
                job.body = Some(req.body.clone());
                Res::text(201, "")
            }
            ("PATCH", [id]) => {
                let change: Value = serde_json::from_slice(&req.body).unwrap();
                let job = self.jobs.get_mut(*id).unwrap();
                if job.state != "Open" {
                    return Res::json(409, json!([{"errorCode": "INVALIDJOBSTATE"}]));
                }
                job.state = change["state"].as_str().unwrap().to_owned();
                Res::json(200, json!({"id": id, "state": job.state}))
            }
            ("GET", [id]) => {
                let id = (*id).to_owned();
                let job = self.jobs.get_mut(&id).unwrap();
                if job.state == "UploadComplete" {
                    job.state = "InProgress".to_owned();
                } else if job.state == "InProgress" {
                    job.state = "JobComplete".to_owned();
                    let separator =
                        if job.definition["columnDelimiter"] == "SEMICOLON" { b';' } else { b',' };
                    let rows = Self::csv(job.body.as_deref().unwrap(), separator);
                    let key = job.definition["externalIdFieldName"].as_str().unwrap_or("Id").to_owned();
                    let delete = job.definition["operation"] == "delete";
                    let out =
                        rows.iter().filter(|r| r.get("HasOptedOutOfEmail").is_some_and(|v| v == "true"));
                    let out: Vec<String> = out.map(|r| r[&key].clone()).collect();
                    self.unsubscribed.extend(out);
                    let (count, failed) = if delete {
                        let ids: Vec<String> = rows.iter().map(|r| r["Id"].clone()).collect();
                        ids.iter().for_each(|i| self.remove(i));
                        (ids.len() as u64, vec![])
                    } else {
                        self.upsert(rows, &key)
                    };
                    let job = self.jobs.get_mut(&id).unwrap();
                    (job.rows, job.failed) = (count, failed);
                }
                let job = &self.jobs[&id];
                Res::json(
                    200,
                    json!({"id": id, "state": job.state, "numberRecordsProcessed": job.rows, "numberRecordsFailed": job.failed.len()}),
                )
            }
            ("GET", [id, "failedResults"]) => {
                let job = &self.jobs[*id];
                let key = job.definition["externalIdFieldName"].as_str().unwrap_or("Id");
                let mut out = format!("\"sf__Id\",\"sf__Error\",\"{key}\"\n");
                job.failed.iter().for_each(|(who, why)| out.push_str(&format!("\"\",\"{why}\",\"{who}\"\n")));
                Res::text(200, &out)
            }
            _ => Res::text(404, "no such thing"),
        }
    }

    fn remove(&mut self, who: &str) {
        self.people.remove(who);
        *self.arrivals.entry(who.to_owned()).or_default() += 1;
        self.deleted.insert(who.to_owned());
    }

    fn eloqua(&mut self, req: &Req) -> Res {
        // acme\ann:s3cret-t0ken
        if req.headers.get("authorization").map(String::as_str) != Some("Basic YWNtZVxhbm46czNjcmV0LXQwa2Vu")
        {
            return Res::text(401, "Not authenticated.");
        }
        let path = req.path.strip_prefix("/api/bulk/2.0").unwrap().to_owned();
        match (req.method.as_str(), path.as_str()) {
            ("POST", "/contacts/imports" | "/contacts/syncActions") => {
                let definition: Value = serde_json::from_slice(&req.body).unwrap();
                let fields = definition["fields"].as_object().unwrap();
                assert!(
                    fields.values().all(|f| f.as_str().unwrap().starts_with("{{Contact.Field(C_")),
                    "{fields:?}"
                );
                assert!(fields.contains_key(definition["identifierFieldName"].as_str().unwrap()));
                assert_eq!(definition["isSyncTriggeredOnImport"], false);
                let uri = format!("{path}/{}", self.id());
                self.jobs.insert(uri.clone(), Job { definition, ..Default::default() });
                Res::json(201, json!({"uri": uri}))
            }
            ("POST", "/syncs") => {
                let body: Value = serde_json::from_slice(&req.body).unwrap();
                let import = body["syncedInstanceUri"].as_str().unwrap().to_owned();
                let failed = self.eloqua_sync(&import);
                let uri = format!("/syncs/{}", self.id());
                self.jobs.insert(
                    uri.clone(),
                    Job { import, failed, state: "pending".to_owned(), ..Default::default() },
                );
                Res::json(201, json!({"uri": uri, "status": "pending"}))
            }
            ("GET", "/syncs") => {
                let items: Vec<Value> = (self.jobs.iter().filter(|(uri, _)| uri.starts_with("/syncs/")))
                    .map(|(uri, job)| json!({"uri": uri, "syncedInstanceUri": job.import, "status": job.state}))
                    .collect();
                Res::json(200, json!({"items": items, "hasMore": false}))
            }
            ("POST", data) if data.ends_with("/data") => {
                let uri = data.strip_suffix("/data").unwrap().to_owned();
                assert_eq!(req.headers["content-type"], "text/csv");
                let job = self.jobs.get_mut(&uri).unwrap();
                // Staged rows add up: a second load of the same rows would come twice.
                job.body.get_or_insert_default().extend_from_slice(&req.body);
                job.looks += 1;
                Res::text(204, "")
            }
            ("GET", uri) if uri.ends_with("/rejects") => {
                let failed = &self.jobs[uri.strip_suffix("/rejects").unwrap()].failed;
                let offset: usize = req.query.split("offset=").nth(1).unwrap().parse().unwrap();
                // Pages of two.
                let items: Vec<Value> = (failed.iter().skip(offset).take(2))
                    .map(|(who, why)| {
                        json!({"fieldValues": {"C_EmailAddress": who}, "message": why, "statusCode": "ELQ-00002",
                               "invalidFields": ["C_EmailAddress"], "recordIndex": 1})
                    })
                    .collect();
                Res::json(200, json!({"hasMore": offset + items.len() < failed.len(), "items": items}))
            }
            ("GET", uri) if uri.starts_with("/syncs/") => {
                let sync = self.jobs.get_mut(uri).unwrap();
                sync.looks += 1;
                match sync.looks {
                    2 => sync.state = "active".to_owned(),
                    3 => sync.state = if sync.failed.is_empty() { "success" } else { "warning" }.to_owned(),
                    _ => {}
                }
                Res::json(200, json!({"uri": uri, "status": self.jobs[uri].state}))
            }
            _ => Res::text(404, "no such thing"),
        }
    }

    fn eloqua_sync(&mut self, import: &str) -> Vec<(String, String)> {
        let import = self.jobs.get_mut(import).unwrap();
        // What is synchronised is staged no more.
        let body = import.body.take();
        let definition = import.definition.clone();
        if std::mem::take(&mut import.looks) > 1 {
            self.wrong.push("the same rows were staged twice".to_owned());
        }
        let key = definition["identifierFieldName"].as_str().unwrap();
        let rows = body.map(|b| Self::csv(&b, b',')).unwrap_or_default();
        let Some(actions) = definition["syncActions"].as_array() else { return self.upsert(rows, key).1 };
        for row in rows {
            let who = row[key].clone();
            *self.arrivals.entry(who.clone()).or_default() += 1;
            if actions.iter().any(|a| a["action"] == "remove") {
                self.people.remove(&who);
                self.deleted.insert(who.clone());
            }
            self.unsubscribed.insert(who);
        }
        vec![]
    }

    fn hubspot(&mut self, req: &Req) -> Res {
        if !self.known(req.headers.get("authorization"), "Bearer ") {
            return Res::json(401, json!({"status": "error", "category": "INVALID_AUTHENTICATION"}));
        }
        let path = req.path.clone();
        match (req.method.as_str(), path.as_str()) {
            ("POST", "/crm/v3/imports") => {
                let parts = boundary_parts(req);
                let request: Value = serde_json::from_slice(&parts[0].1).unwrap();
                let name = request["files"][0]["fileName"].as_str().unwrap();
                assert!(parts[0].0.contains("name=\"importRequest\""));
                assert!(
                    parts[1].0.contains(&format!("name=\"files\"; filename=\"{name}\"")),
                    "{}",
                    parts[1].0
                );
                let mappings = request["files"][0]["fileImportPage"]["columnMappings"].as_array().unwrap();
                let header = Self::csv(&parts[1].1, b',');
                assert!(
                    mappings
                        .iter()
                        .all(|m| header.is_empty()
                            || header[0].contains_key(m["columnName"].as_str().unwrap()))
                );
                let id = self.id();
                let job = Job {
                    definition: request,
                    body: Some(parts[1].1.clone()),
                    state: "STARTED".to_owned(),
                    ..Default::default()
                };
                self.jobs.insert(id.clone(), job);
                Res::json(200, json!({"id": id, "state": "STARTED"}))
            }
            ("GET", "/crm/v3/imports") => {
                // Pages of one, newest first.
                let all: Vec<&String> = self.jobs.keys().rev().collect();
                let at: usize = req.query.split("after=").nth(1).map_or(0, |a| a.parse().unwrap());
                let results: Vec<Value> = (all.iter().skip(at).take(1))
                    .map(|id| json!({"id": id, "importName": self.jobs[*id].definition["name"]}))
                    .collect();
                let paging = if at + 1 < all.len() {
                    json!({"next": {"after": (at + 1).to_string()}})
                } else {
                    Value::Null
                };
                Res::json(200, json!({"results": results, "paging": paging}))
            }
            ("GET", p) if p.ends_with("/errors") => {
                let job = &self.jobs[p.split('/').nth(4).unwrap()];
                let results: Vec<Value> = (job.failed.iter().enumerate())
                    .map(|(i, (who, why))| {
                        json!({"errorType": "INVALID_EMAIL", "errorMessage": why,
                               "sourceData": {"lineNumber": i + 2, "rowData": [who, "?"]}})
                    })
                    .collect();
                // Each row has two errors.
                let twice: Vec<Value> = results.iter().chain(&results).cloned().collect();
                Res::json(200, json!({ "results": twice }))
            }
            ("GET", p) if p.starts_with("/crm/v3/imports/") => {
                let id = p.rsplit('/').next().unwrap().to_owned();
                let job = self.jobs.get_mut(&id).unwrap();
                job.looks += 1;
                if job.looks == 2 {
                    let rows = Self::csv(job.body.as_deref().unwrap(), b',');
                    let (count, failed) = self.upsert(rows, "email");
                    let job = self.jobs.get_mut(&id).unwrap();
                    (job.rows, job.failed, job.state) = (count, failed, "DONE".to_owned());
                }
                Res::json(200, json!({"id": id, "state": self.jobs[&id].state}))
            }
            ("POST", "/crm/v3/objects/contacts/gdpr-delete") => {
                let body: Value = serde_json::from_slice(&req.body).unwrap();
                assert_eq!(body["idProperty"], "email");
                let who = body["objectId"].as_str().unwrap();
                if who.starts_with("bad") {
                    return Res::json(422, json!({"message": "invalid email"}));
                }
                self.remove(who);
                Res::text(204, "")
            }
            ("POST", p) if p.starts_with("/communication-preferences/v4/statuses/") => {
                let who = p.split('/').nth(4).unwrap().replace("%40", "@");
                *self.arrivals.entry(who.clone()).or_default() += 1;
                self.unsubscribed.insert(who);
                Res::json(200, json!({}))
            }
            _ => Res::text(404, "no such thing"),
        }
    }

    fn brevo(&mut self, req: &Req) -> Res {
        if let Some(id) = req.path.strip_prefix("/report/") {
            if req.headers.contains_key("api-key") {
                self.wrong.push("a key was sent to another server".to_owned());
            }
            let mut out = "EMAIL;REASON\n".to_owned();
            self.jobs[id].failed.iter().for_each(|(who, _)| out.push_str(&format!("{who};x\n")));
            return Res::text(200, &out);
        }
        if !self.known(req.headers.get("api-key"), "") {
            return Res::json(401, json!({"code": "unauthorized", "message": "Key not found"}));
        }
        match (req.method.as_str(), req.path.as_str()) {
            ("POST", "/v3/contacts/import") => {
                let body: Value = serde_json::from_slice(&req.body).unwrap();
                let rows = Self::csv(body["fileBody"].as_str().unwrap().as_bytes(), b';');
                let id = self.id();
                let failed = if body["emailBlacklist"] == true {
                    for row in rows {
                        *self.arrivals.entry(row["EMAIL"].clone()).or_default() += 1;
                        self.unsubscribed.insert(row["EMAIL"].clone());
                    }
                    vec![]
                } else {
                    assert_eq!(body["emptyContactsAttributes"], true);
                    self.upsert(rows, "EMAIL").1
                };
                self.jobs.insert(id.clone(), Job { failed, ..Default::default() });
                Res::json(202, json!({"processId": id.parse::<u64>().unwrap()}))
            }
            ("GET", p) if p.starts_with("/v3/processes/") => {
                let id = p.rsplit('/').next().unwrap().to_owned();
                let job = self.jobs.get_mut(&id).unwrap();
                job.looks += 1;
                if job.looks < 2 {
                    return Res::json(200, json!({"id": 1, "name": "IMPORTUSER", "status": "in_process"}));
                }
                let report = if job.failed.is_empty() {
                    Value::Null
                } else {
                    json!(format!("{}/report/{id}", self.base))
                };
                Res::json(
                    200,
                    json!({"id": 1, "name": "IMPORTUSER", "status": "completed", "info": {"import": {"invalid_emails": report}}}),
                )
            }
            ("DELETE", p) if p.starts_with("/v3/contacts/") => {
                let who = p.rsplit('/').next().unwrap().replace("%40", "@");
                assert_eq!(req.query, "identifierType=email_id");
                if !self.people.contains_key(&who) {
                    self.remove(&who);
                    return Res::json(404, json!({"code": "document_not_found"}));
                }
                self.remove(&who);
                Res::text(204, "")
            }
            _ => Res::text(404, "no such thing"),
        }
    }

    fn klaviyo(&mut self, req: &Req) -> Res {
        if !self.known(req.headers.get("authorization"), "Klaviyo-API-Key ") {
            return Res::json(401, json!({"errors": [{"code": "not_authenticated"}]}));
        }
        assert_eq!(req.headers["revision"], "2026-04-15");
        let data = || serde_json::from_slice::<Value>(&req.body).unwrap()["data"].clone();
        match (req.method.as_str(), req.path.strip_prefix("/api/").unwrap()) {
            ("POST", "profile-bulk-import-jobs") => {
                let data = data();
                assert_eq!(data["type"], "profile-bulk-import-job");
                let profiles = data["attributes"]["profiles"]["data"].as_array().unwrap();
                assert!(profiles.iter().all(|p| p["type"] == "profile"));
                let rows = (profiles.iter())
                    .map(|p| {
                        let plain = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                        p["attributes"]
                            .as_object()
                            .unwrap()
                            .iter()
                            .map(|(k, v)| (k.clone(), plain(v)))
                            .collect()
                    })
                    .collect();
                let (rows, failed) = self.upsert(rows, "email");
                let id = self.id();
                self.jobs.insert(id.clone(), Job { rows, failed, ..Default::default() });
                Res::json(
                    202,
                    json!({"data": {"type": "profile-bulk-import-job", "id": id, "attributes": {"status": "queued"}}}),
                )
            }
            ("GET", p) if p.ends_with("/import-errors") => {
                let errors: Vec<Value> = (self.jobs[p.split('/').nth(1).unwrap()].failed.iter())
                    .map(|(who, why)| json!({"type": "import-error", "attributes": {"code": "invalid", "detail": why, "original_payload": {"email": who}}}))
                    .collect();
                Res::json(200, json!({"data": errors, "links": {"next": null}}))
            }
            ("GET", p) if p.starts_with("profile-bulk-import-jobs/") => {
                let job = self.jobs.get_mut(p.split('/').nth(1).unwrap()).unwrap();
                job.looks += 1;
                let status = if job.looks < 3 { "processing" } else { "complete" };
                Res::json(
                    200,
                    json!({"data": {"attributes": {"status": status, "failed_count": job.failed.len()}}}),
                )
            }
            ("POST", "profile-subscription-bulk-delete-jobs") => {
                for profile in data()["attributes"]["profiles"]["data"].as_array().unwrap() {
                    let who = profile["attributes"]["email"].as_str().unwrap().to_owned();
                    *self.arrivals.entry(who.clone()).or_default() += 1;
                    self.unsubscribed.insert(who);
                }
                Res::text(202, "")
            }
            ("POST", "data-privacy-deletion-jobs") => {
                let who = data()["attributes"]["profile"]["data"]["attributes"]["email"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                self.remove(&who);
                Res::text(202, "")
            }
            _ => Res::text(404, "no such thing"),
        }
    }

    fn actito(&mut self, req: &Req) -> Res {
        if req.path == "/auth/token" {
            self.logins += 1;
            if req.headers.get("authorization").map(String::as_str) != Some(TOKEN) {
                return Res::text(401, "UNAUTHORIZED");
            }
            let token = format!("token-{}", self.logins);
            self.tokens.insert(token.clone());
            return Res::json(200, json!({"accessToken": token, "tokenType": "bearer", "expiresIn": "900s"}));
        }
        if !self.known(req.headers.get("authorization"), "Bearer ") {
            return Res::text(401, "UNAUTHORIZED");
        }
        let path = req.path.strip_prefix("/mass-imports/v5/entities/shop").unwrap().to_owned();
        match (req.method.as_str(), path.as_str()) {
            ("POST", p) if p.ends_with("/trigger-execution") || p == "/etl-executions" => {
                let parts = boundary_parts(req);
                let rows = Self::csv(&parts.last().unwrap().1, b';');
                let id = self.id();
                let mut failed = vec![];
                match p.split('/').nth(2) {
                    Some("12") => {
                        for row in rows {
                            *self.arrivals.entry(row["email"].clone()).or_default() += 1;
                            self.unsubscribed.insert(row["email"].clone());
                        }
                    }
                    Some("13") => rows.iter().for_each(|row| self.remove(&row["email"])),
                    _ => failed = self.upsert(rows, "email").1,
                }
                self.jobs.insert(id.clone(), Job { failed, ..Default::default() });
                Res::json(200, json!({"id": id}))
            }
            ("GET", p) => {
                let job = self.jobs.get_mut(p.rsplit('/').next().unwrap()).unwrap();
                job.looks += 1;
                if job.looks == 2 {
                    // A token lives for a quarter of an hour; here, for one look.
                    self.tokens.clear();
                }
                let status = if job.looks < 3 { "RUNNING" } else { "SUCCESS" };
                let errors: Vec<Value> =
                    job.failed.iter().map(|(who, why)| json!({"key": who, "message": why})).collect();
                Res::json(200, json!({"status": status, "errors": errors}))
            }
            _ => Res::text(404, "no such thing"),
        }
    }
}
