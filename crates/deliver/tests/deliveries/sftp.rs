//! Files: killed at every step in a folder of the test, then by real SFTP against a real server.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use deliver::desk::{Fault, Nobody};
use deliver::outbox::{Format, Instruction};
use deliver::patience::Patience;
use deliver::run::{Run, Summary};
use deliver::systems::{
    self, System,
    sftp::{Folder, Mishap, Sftp},
};
use deliver::wire::Network;
use serde_json::json;

use super::memory::{Death, FakeClock, Memory, Status, Store, destination, part};
use super::sshd;

/// Files by name, in the order in which they were fetched.
type Fetched = Rc<RefCell<Vec<(String, Vec<u8>)>>>;

/// A folder in memory that dies with the program, breaks when told, and is emptied by whoever fetches the files.
struct Desk {
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    fetched: Fetched,
    death: Rc<Death>,
    breaks: Rc<RefCell<Vec<u64>>>,
    steps: u64,
}

impl Desk {
    fn step(&mut self) -> Result<(), Mishap> {
        self.steps += 1;
        if self.breaks.borrow().contains(&self.steps) {
            return Err(Mishap::Broken("the line broke".to_owned()));
        }
        self.death.step().map_err(|e| Mishap::Broken(e.to_string()))
    }
}

impl Folder for Desk {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Mishap> {
        self.step()?;
        Ok(self.files.borrow().get(name).map(|f| f.len() as u64))
    }
    fn put(&mut self, name: &str, rows: &mut dyn Read) -> Result<u64, Mishap> {
        self.step()?;
        self.files.borrow_mut().insert(name.to_owned(), vec![]);
        let mut all = vec![];
        rows.read_to_end(&mut all).map_err(|e| Mishap::Broken(e.to_string()))?;
        let half = all.len() / 2;
        self.files.borrow_mut().get_mut(name).unwrap().extend_from_slice(&all[..half]);
        self.step()?;
        self.files.borrow_mut().get_mut(name).unwrap().extend_from_slice(&all[half..]);
        self.step()?;
        Ok(all.len() as u64)
    }
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Mishap> {
        self.step()?;
        let mut files = self.files.borrow_mut();
        if files.contains_key(to) {
            return Err(Mishap::Refused("it exists".to_owned()));
        }
        let file = files.remove(from).ok_or_else(|| Mishap::Refused("no such file".to_owned()))?;
        // Whoever waits for files takes them at once.
        self.fetched.borrow_mut().push((to.to_owned(), file));
        drop(files);
        self.step()
    }
    fn remove(&mut self, name: &str) -> Result<(), Mishap> {
        self.step()?;
        self.files.borrow_mut().remove(name);
        Ok(())
    }
    fn reset(&mut self) {}
}

fn rows() -> Vec<u8> {
    let mut rows = b"email;name\n".to_vec();
    for i in 0..5000 {
        rows.extend_from_slice(format!("u{i}@x.org;\"N {i}; \"\"x\"\"\"\n").as_bytes());
    }
    rows
}

fn store() -> Rc<RefCell<Store>> {
    let csv = Format::Csv { separator: ';', header: vec!["email".to_owned(), "name".to_owned()] };
    let key = Format::Csv { separator: ';', header: vec!["email".to_owned()] };
    let waiting = vec![vec![
        part(1, Instruction::Upsert, "shop_contacts_1_1.csv", "email", csv, &rows()),
        part(2, Instruction::Unsubscribe, "shop_contacts_1_2.csv", "email", key, b"email\nz@x.org\n"),
    ]];
    Rc::new(RefCell::new(Store { waiting, ..Default::default() }))
}

fn run(store: &Rc<RefCell<Store>>, death: &Rc<Death>, system: Box<dyn System>) -> Result<Summary, Fault> {
    let clock = Rc::new(FakeClock::default());
    // Later than every rest.
    clock.time.set(Duration::from_secs(1_000_000) * (store.borrow().notes as u32 + 1));
    let mut outbox = Memory {
        store: store.clone(),
        destination: destination("splio", json!({})),
        worker: "here".to_owned(),
        death: death.clone(),
        clock: clock.clone(),
    };
    let mut wire = Network::new(Duration::from_secs(5), None).unwrap();
    let mut run = Run {
        outbox: &mut outbox,
        wire: &mut wire,
        clock: &*clock,
        patience: Patience { tries: 3, ..Patience::default() },
        watcher: &Nobody,
        lease: Duration::from_secs(1800),
    };
    let system = RefCell::new(Some(system));
    run.deliver(&|_| Ok(system.take().expect("a system is opened once")), true)
}

#[test]
fn each_file_comes_whole_and_once_wherever_the_program_is_killed() {
    let mut steps = 0;
    for at in 1.. {
        let (files, fetched) = (Rc::default(), Fetched::default());
        let (store, death) = (store(), Rc::<Death>::default());
        let folder = || Desk {
            files: Rc::clone(&files),
            fetched: fetched.clone(),
            death: death.clone(),
            breaks: Rc::default(),
            steps: 0,
        };
        death.restart(Some(at));
        let ended = run(&store, &death, Box::new(Sftp::into_folder(Box::new(folder())))).is_ok();
        death.restart(None);
        if !ended {
            run(&store, &death, Box::new(Sftp::into_folder(Box::new(folder()))))
                .unwrap_or_else(|e| panic!("{at}: {e}"));
        }
        assert_eq!(store.borrow().batches[&1].status, Status::Done);
        let fetched = fetched.borrow();
        let names: Vec<&str> = fetched.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["shop_contacts_1_1.csv", "shop_contacts_1_2.csv"], "killed at step {at}");
        assert!(fetched[0].1 == rows(), "killed at step {at}");
        assert!(files.borrow().is_empty());
        if ended {
            break;
        }
        steps = at;
    }
    assert!(steps > 40, "{steps}");
}

#[test]
fn a_line_that_breaks_is_taken_up_again() {
    for at in 1..20 {
        let fetched = Fetched::default();
        let (store, death) = (store(), Rc::<Death>::default());
        let folder = Desk {
            files: Rc::default(),
            fetched: fetched.clone(),
            death: death.clone(),
            breaks: Rc::new(RefCell::new(vec![at, at + 1])),
            steps: 0,
        };
        run(&store, &death, Box::new(Sftp::into_folder(Box::new(folder))))
            .unwrap_or_else(|e| panic!("{at}: {e}"));
        let fetched = fetched.borrow();
        assert_eq!(fetched.len(), 2, "broken at step {at}");
        assert!(fetched[0].1 == rows());
    }
}

fn environment(server: &sshd::Server) -> HashMap<String, String> {
    [
        ("SFTP_HOST", "127.0.0.1".to_owned()),
        ("SFTP_PORT", server.port.to_string()),
        ("SFTP_USER", "shop".to_owned()),
        ("SFTP_PASSWORD", sshd::PASSWORD.to_owned()),
        ("SFTP_HOST_KEY", server.fingerprint.clone()),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_owned(), v))
    .collect()
}

#[test]
fn files_arrive_by_sftp() {
    let server = sshd::start(Arc::new(Mutex::new(sshd::Disk::default())));
    let (store, death) = (store(), Rc::<Death>::default());
    let destination = destination("splio", json!({"directory": "/in"}));
    let system = systems::open(&destination, &environment(&server)).unwrap();
    let summary = run(&store, &death, system).unwrap();
    assert_eq!((summary.batches, summary.parts), (1, 2));
    let disk = server.disk.lock().unwrap();
    let names: Vec<&str> = disk.files.keys().map(String::as_str).collect();
    assert_eq!(names, ["/in/shop_contacts_1_1.csv", "/in/shop_contacts_1_2.csv"]);
    assert!(disk.files["/in/shop_contacts_1_1.csv"] == rows());
    // Nothing was ever written under the name that others wait for.
    assert!(disk.opened.iter().all(|name| name.ends_with(".part")), "{:?}", disk.opened);
}

#[test]
fn a_server_that_is_not_known_gets_no_password() {
    let server = sshd::start(Arc::new(Mutex::new(sshd::Disk::default())));
    let mut variables = environment(&server);
    let destination = destination("adobe", json!({}));
    let death = Rc::<Death>::default();
    for print in ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""] {
        variables.insert("SFTP_HOST_KEY".to_owned(), print.to_owned());
        variables.insert("SFTP_KNOWN_HOSTS".to_owned(), "/nonexistent".to_owned());
        let system = systems::open(&destination, &variables).unwrap();
        let fault = run(&store(), &death, system).unwrap_err();
        assert!(matches!(&fault, Fault::Credentials(why) if why.contains("is not known")), "{fault}");
    }
    assert_eq!(server.disk.lock().unwrap().logins, 0);
    variables.insert("SFTP_HOST_KEY".to_owned(), server.fingerprint.clone());
    variables.insert("SFTP_PASSWORD".to_owned(), "wr0ng".to_owned());
    let system = systems::open(&destination, &variables).unwrap();
    let fault = run(&store(), &death, system).unwrap_err();
    assert!(matches!(&fault, Fault::Credentials(why) if !why.contains("wr0ng")), "{fault}");
}
