//! What a body has to be, by the documentation of its system, as JSON schemas: one file a kind of request.

use serde_json::Value;

use super::server::Req;

/// The schema of a request's JSON, if its body is, or holds, a document.
fn of(req: &Req) -> Option<&'static str> {
    let path = req.path.as_str();
    Some(match req.method.as_str() {
        "POST" if path.ends_with("/jobs/ingest") => include_str!("../schemas/salesforce_job.json"),
        "PATCH" if path.contains("/jobs/ingest/") => include_str!("../schemas/salesforce_state.json"),
        "POST" if path.ends_with("/imports") && path.starts_with("/api/bulk/") => {
            include_str!("../schemas/eloqua_import.json")
        }
        "POST" if path.ends_with("/contacts/syncActions") => include_str!("../schemas/eloqua_import.json"),
        "POST" if path.ends_with("/bulk/2.0/syncs") => include_str!("../schemas/eloqua_sync.json"),
        "POST" if path == "/crm/v3/imports" => include_str!("../schemas/hubspot_import.json"),
        "POST" if path.ends_with("/gdpr-delete") => include_str!("../schemas/hubspot_deletion.json"),
        "POST" if path == "/v3/contacts/import" => include_str!("../schemas/brevo_import.json"),
        "POST" if path == "/api/profile-bulk-import-jobs" => include_str!("../schemas/klaviyo_import.json"),
        "POST" if path == "/api/profile-subscription-bulk-delete-jobs" => {
            include_str!("../schemas/klaviyo_unsubscription.json")
        }
        "POST" if path == "/api/data-privacy-deletion-jobs" => {
            include_str!("../schemas/klaviyo_deletion.json")
        }
        _ => return None,
    })
}

/// What is wrong with a request's JSON: nothing, if its system has no schema for it.
pub fn faults(req: &Req, document: &[u8]) -> Vec<String> {
    let Some(schema) = of(req) else { return vec![] };
    let schema: Value = serde_json::from_str(schema).expect("a schema is JSON");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema is one");
    match serde_json::from_slice(document) {
        Ok(body) => schema.iter_errors(&body).map(|e| format!("{}: {e}", e.instance_path())).collect(),
        Err(e) => vec![format!("no JSON: {e}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str) -> Req {
        Req { method: method.to_owned(), path: path.to_owned(), ..Default::default() }
    }

    #[test]
    fn a_schema_refuses_what_its_system_would() {
        let klaviyo = request("POST", "/api/profile-bulk-import-jobs");
        let body = |profile: &str| {
            format!(
                r#"{{"data":{{"type":"profile-bulk-import-job","attributes":{{"profiles":{{"data":[{profile}]}}}}}}}}"#
            )
        };
        assert!(
            faults(&klaviyo, body(r#"{"type":"profile","attributes":{"email":"a@x.org"}}"#).as_bytes())
                .is_empty()
        );
        // Attributes alone, no identifier, a field that must be a property.
        for wrong in [
            r#"{"email":"a@x.org"}"#,
            r#"{"type":"profile","attributes":{"first_name":"Ann"}}"#,
            r#"{"type":"profile","attributes":{"email":"a@x.org","rfm":"lost"}}"#,
        ] {
            assert!(!faults(&klaviyo, body(wrong).as_bytes()).is_empty(), "{wrong}");
        }
        let job = request("POST", "/services/data/v62.0/jobs/ingest");
        let upsert = br#"{"object":"Contact","operation":"upsert","contentType":"CSV"}"#;
        assert!(!faults(&job, upsert).is_empty(), "an upsert needs its external id");
        assert!(!faults(&job, b"{").is_empty());
        assert!(faults(&request("GET", "/services/data/v62.0/jobs/ingest"), b"").is_empty());
    }
}
