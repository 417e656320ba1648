//! One batch for each system, and what the world must look like when it has arrived.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deliver::desk::{Fault, Nobody};
use deliver::outbox::{Format, Instruction, Part};
use deliver::patience::Patience;
use deliver::run::{Run, Summary};
use deliver::systems;
use deliver::wire::Network;
use serde_json::{Value, json};

use super::fakes::{TOKEN, World};
use super::memory::{Death, FakeClock, Memory, Mortal, Status, Store, destination, part};
use super::server::serve;

pub const HTTP_SYSTEMS: [&str; 6] = ["salesforce", "eloqua", "hubspot", "brevo", "klaviyo", "actito"];

pub struct Scene {
    pub system: &'static str,
    pub world: Arc<Mutex<World>>,
    pub store: Rc<RefCell<Store>>,
    pub death: Rc<Death>,
    pub clock: Rc<FakeClock>,
    pub environment: HashMap<String, String>,
    pub options: Value,
    pub patience: Patience,
    pub worker: String,
    pub limit: Duration,
    pub requests: Vec<String>,
}

const GOOD: [&str; 7] =
    ["ann@x.org", "bob@x.org", "cé@x.org", "dan@x.org", "eve@x.org", "fay@x.org", "gus@x.org"];
const BAD: [&str; 3] = ["bad1@x.org", "bad2@x.org", "bad3@x.org"];
const UNSUBSCRIBED: [&str; 3] = ["ida@x.org", "joe@x.org", "kim@x.org"];
const DELETED: [&str; 2] = ["leo@x.org", "mia@x.org"];

fn name_of(who: &str) -> String {
    format!("{} \"the\" O'Neil, \u{1F600}", who.split('@').next().unwrap())
}

fn csv(separator: char, header: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new().delimiter(separator as u8).from_writer(vec![]);
    out.write_record(header).unwrap();
    rows.iter().for_each(|row| out.write_record(row).unwrap());
    out.into_inner().unwrap()
}

/// What this system calls the key, and the first name.
fn names(system: &str) -> (&'static str, &'static str, char) {
    match system {
        "salesforce" => ("Ext__c", "FirstName", ','),
        "eloqua" => ("C_EmailAddress", "C_FirstName", ','),
        "hubspot" => ("email", "firstname", ','),
        "brevo" => ("EMAIL", "FIRSTNAME", ';'),
        "actito" | "sftp" => ("email", "firstname", ';'),
        _ => ("email", "first_name", ','),
    }
}

/// The body of a Klaviyo job, one profile a line.
fn body(number: i32, instruction: Instruction, name: &str, key: &str, rows: Vec<Value>) -> (Part, Vec<u8>) {
    // Whole profiles, or attributes alone, as the database writes them.
    let whole = |r: &Value| if number == 2 { json!({"type": "profile", "attributes": r}) } else { r.clone() };
    let rows: Vec<String> = rows.iter().map(|r| whole(r).to_string()).collect();
    let text = format!(
        "{{\"data\":{{\"type\":\"profile-bulk-import-job\",\"attributes\":{{\"profiles\":{{\"data\":[\n{}\n]}}}}}}}}",
        rows.join(",\n")
    );
    let (mut part, bytes) = part(number, instruction, name, key, Format::Json, text.as_bytes());
    part.rows = rows.len() as u64;
    (part, bytes)
}

pub fn parts(system: &str) -> Vec<(Part, Vec<u8>)> {
    let (key, first, separator) = names(system);
    let people: Vec<&str> = GOOD.iter().chain(&BAD).copied().collect();
    let format =
        |header: &[&str]| Format::Csv { separator, header: header.iter().map(|h| (*h).to_owned()).collect() };
    let list = |number, instruction, name: &str, who: &[&str], key: &str| {
        if system == "klaviyo" {
            return body(number, instruction, name, key, who.iter().map(|w| json!({ key: w })).collect());
        }
        let rows: Vec<Vec<String>> = who.iter().map(|w| vec![(*w).to_owned()]).collect();
        part(number, instruction, name, key, format(&[key]), &csv(separator, &[key], &rows))
    };
    let upsert = if system == "klaviyo" {
        let rows = people.iter().map(|w| json!({"email": w, "first_name": name_of(w)})).collect();
        body(1, Instruction::Upsert, "crm_1_1.json", key, rows)
    } else {
        let rows: Vec<Vec<String>> = people.iter().map(|w| vec![(*w).to_owned(), name_of(w)]).collect();
        part(
            1,
            Instruction::Upsert,
            "crm_1_1.csv",
            key,
            format(&[key, first]),
            &csv(separator, &[key, first], &rows),
        )
    };
    let mut parts = vec![upsert];
    parts.push(list(2, Instruction::Unsubscribe, "crm_1_2.csv", &UNSUBSCRIBED, key));
    parts.push(list(3, Instruction::Delete, "crm_1_3.csv", &DELETED, key));
    parts
}

impl Scene {
    pub fn new(system: &'static str) -> Self {
        let world = Arc::new(Mutex::new(World::default()));
        let base = serve(world.clone());
        world.lock().unwrap().base = base.clone();
        let store = Store { waiting: vec![parts(system)], ..Default::default() };
        let environment = [
            ("SALESFORCE_INSTANCE_URL", base.as_str()),
            ("SALESFORCE_ACCESS_TOKEN", TOKEN),
            ("ELOQUA_BASE_URL", &base),
            ("ELOQUA_COMPANY", "acme"),
            ("ELOQUA_USER", "ann"),
            ("ELOQUA_PASSWORD", TOKEN),
            ("HUBSPOT_BASE_URL", &base),
            ("HUBSPOT_TOKEN", TOKEN),
            ("BREVO_BASE_URL", &base),
            ("BREVO_API_KEY", TOKEN),
            ("KLAVIYO_BASE_URL", &base),
            ("KLAVIYO_API_KEY", TOKEN),
            ("ACTITO_BASE_URL", &base),
            ("ACTITO_API_KEY", TOKEN),
        ];
        Self {
            system,
            world,
            store: Rc::new(RefCell::new(store)),
            death: Rc::default(),
            clock: Rc::default(),
            environment: environment.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
            options: json!({"etl": 11, "etl_unsubscribe": 12, "etl_delete": 13, "list": system_list(system)}),
            patience: Patience::default(),
            worker: "here".to_owned(),
            limit: Duration::from_secs(10),
            requests: vec![],
        }
    }

    /// The program from its start to its end, or death.
    pub fn run(&mut self) -> Result<Summary, Fault> {
        let destination = destination(self.system, self.options.clone());
        let mut outbox = Memory {
            store: self.store.clone(),
            destination,
            worker: self.worker.clone(),
            death: self.death.clone(),
            clock: self.clock.clone(),
        };
        let mut wire = Mortal {
            inner: Network::new(self.limit, None).unwrap(),
            death: self.death.clone(),
            requests: vec![],
        };
        let mut run = Run {
            outbox: &mut outbox,
            wire: &mut wire,
            clock: &*self.clock,
            patience: self.patience.clone(),
            watcher: &Nobody,
            lease: Duration::from_secs(1800),
        };
        let done = run.deliver(&|destination| systems::open(destination, &self.environment), true);
        self.requests.append(&mut wire.requests);
        done
    }

    /// The batch has arrived: everybody, with the right values, and every rejection is known. Gives the most often that a row
    /// was carried out, in a bulk, and one by one.
    pub fn arrived(&self) -> (u32, u32) {
        let world = self.world.lock().unwrap();
        let (key, first, _) = names(self.system);
        let store = self.store.borrow();
        assert_eq!(store.batches[&1].status, Status::Done, "{:?}", store.batches[&1].reason);
        assert_eq!(world.wrong, Vec::<String>::new());
        for who in GOOD {
            let person = world.people.get(who).unwrap_or_else(|| panic!("{}: {who} is missing", self.system));
            assert_eq!((&person[key], &person[first]), (&who.to_owned(), &name_of(who)));
        }
        assert_eq!(
            world
                .unsubscribed
                .iter()
                .map(String::as_str)
                .filter(|w| !DELETED.contains(w))
                .collect::<Vec<_>>(),
            UNSUBSCRIBED
        );
        assert_eq!(world.deleted.iter().map(String::as_str).collect::<Vec<_>>(), DELETED);
        let rejected: Vec<&str> = store.rejections.keys().map(|(_, _, who)| who.as_str()).collect();
        assert_eq!(rejected, BAD, "{}", self.system);
        assert!(store.rejections.values().all(|why| !why.is_empty()));
        let verdict = store.verdicts[&(1, 1)];
        assert_eq!((verdict.accepted, verdict.rejected), (Some(7), 3), "{}", self.system);
        assert!(store.batches[&1].parts.iter().all(|(part, _)| part.done));
        let everybody = GOOD.len() + UNSUBSCRIBED.len() + DELETED.len();
        assert_eq!(world.arrivals.len(), everybody);
        let most = |who: &[&str]| who.iter().map(|w| world.arrivals[*w]).max().unwrap();
        (most(&GOOD), most(&UNSUBSCRIBED).max(most(&DELETED)))
    }
}

fn system_list(system: &str) -> Value {
    match system {
        "eloqua" => json!(7),
        _ => Value::Null,
    }
}
