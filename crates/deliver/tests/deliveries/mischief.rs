//! Servers that are busy, broken, slow, or answer half; keys that are wrong; secrets that must not show.

use std::time::Duration;

use deliver::desk::Fault;
use serde_json::json;

use super::memory::Status;
use super::scene::{HTTP_SYSTEMS, Scene};
use super::server::{Mischief, Plan};

fn plan(scene: &Scene, method: &'static str, path: &'static str, mischief: Mischief, left: u32) {
    scene.world.lock().unwrap().plans.push(Plan { method, path, mischief, left });
}

#[test]
fn a_wrong_key_is_said_without_showing_it_and_costs_the_batch_nothing() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        let good = scene.environment.clone();
        for name in [
            "SALESFORCE_ACCESS_TOKEN",
            "ELOQUA_PASSWORD",
            "HUBSPOT_TOKEN",
            "BREVO_API_KEY",
            "KLAVIYO_API_KEY",
            "ACTITO_API_KEY",
        ] {
            scene.environment.insert(name.to_owned(), "wr0ng-hunter2".to_owned());
        }
        let fault = scene.run().unwrap_err();
        assert!(matches!(fault, Fault::Credentials(_)), "{system}: {fault}");
        assert!(fault.to_string().contains("401"), "{fault}");
        let reason = scene.store.borrow().batches[&1].reason.clone().unwrap();
        assert!(!fault.to_string().contains("hunter2") && !reason.contains("hunter2"), "{fault}");
        // Salesforce repeats the token in its answer.
        assert_eq!(reason.contains("(secret)"), system == "salesforce", "{reason}");
        assert_eq!(scene.store.borrow().batches[&1].status, Status::Open);
        scene.environment = good;
        scene.run().unwrap();
        assert_eq!(scene.arrived(), (1, 1));
    }
}

#[test]
fn without_credentials_nothing_is_sent() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        scene.environment.retain(|name, _| name.ends_with("_URL"));
        let fault = scene.run().unwrap_err();
        assert!(
            matches!(&fault, Fault::Setting(why) if why.starts_with("the environment variable ")),
            "{system}: {fault}"
        );
        assert!(scene.requests.is_empty());
    }
}

#[test]
fn a_busy_server_gets_the_time_that_it_asks_for() {
    for system in HTTP_SYSTEMS {
        for method in ["POST", "GET"] {
            let mut scene = Scene::new(system);
            plan(&scene, method, "", Mischief::Answer(429, Some("77".to_owned())), 2);
            plan(&scene, method, "", Mischief::Answer(503, Some("78".to_owned())), 1);
            scene.run().unwrap_or_else(|e| panic!("{system} {method}: {e}"));
            assert_eq!(scene.arrived(), (1, 1), "{system}");
            let slept = scene.clock.slept.borrow();
            let long = slept
                .iter()
                .filter(|s| **s >= Duration::from_secs(77) && **s < Duration::from_secs(80))
                .count();
            assert_eq!(long, 3, "{system} {method}: {slept:?}");
        }
    }
}

#[test]
fn errors_of_the_server_are_tried_again_and_end() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        for method in ["POST", "PUT", "GET", "PATCH"] {
            plan(&scene, method, "", Mischief::Answer(500, None), 1);
            plan(&scene, method, "", Mischief::Drop, 1);
        }
        scene.run().unwrap_or_else(|e| panic!("{system}: {e}"));
        assert_eq!(scene.arrived(), (1, 1), "{system}");

        // One that never recovers: the batch rests, and is delivered later.
        let mut scene = Scene::new(system);
        plan(&scene, "GET", "", Mischief::Answer(502, None), 200);
        plan(&scene, "POST", "", Mischief::Answer(502, None), 200);
        let fault = scene.run().unwrap_err();
        assert!(matches!(fault, Fault::Unavailable(_)), "{system}: {fault}");
        assert_eq!(scene.store.borrow().batches[&1].status, Status::Open);
        assert!(scene.requests.len() < 40, "{system}: {} requests", scene.requests.len());
        scene.world.lock().unwrap().plans.clear();
        assert_eq!(scene.run().unwrap().batches, 0, "{system}: it rests");
        scene.clock.time.set(scene.clock.time.get() + Duration::from_secs(600));
        scene.run().unwrap();
        scene.arrived();
    }
}

#[test]
fn a_request_that_was_taken_without_an_answer_arrives_once_where_the_system_can_be_asked() {
    for system in HTTP_SYSTEMS {
        for mischief in [Mischief::TakeAndDrop, Mischief::TakeAndBreak, Mischief::TakeAnd504] {
            for method in ["POST", "PUT", "PATCH", "GET"] {
                for path in [
                    "",
                    "imports",
                    "sync",
                    "import",
                    "failedResults",
                    "rejects",
                    "errors",
                    "report",
                    "delete",
                ] {
                    let mut scene = Scene::new(system);
                    // Which request of that method it hits.
                    plan(&scene, method, path, mischief.clone(), 1);
                    scene.run().unwrap_or_else(|e| panic!("{system} {method} {path} {mischief:?}: {e}"));
                    let (bulk, single) = scene.arrived();
                    let once = ["salesforce", "eloqua", "hubspot"].contains(&system);
                    assert!(
                        bulk <= if once { 1 } else { 2 },
                        "{system} {method} {path} {mischief:?}: {bulk}"
                    );
                    assert!(single <= 2, "{system} {method} {path} {mischief:?}: {single}");
                }
            }
        }
    }
}

#[test]
fn what_is_refused_waits_for_somebody() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        plan(&scene, "POST", "", Mischief::Answer(422, None), 1);
        let fault = scene.run().unwrap_err();
        assert!(matches!(&fault, Fault::Refused(why) if why.contains("422")), "{system}: {fault}");
        assert!(matches!(scene.store.borrow().batches[&1].status, Status::Failed(_)));
        assert_eq!(scene.run().unwrap().batches, 0);
    }
}

#[test]
fn a_redirection_is_not_followed() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        let method = if system == "actito" { "GET" } else { "POST" };
        plan(&scene, method, "", Mischief::Answer(307, None), 1);
        assert!(matches!(scene.run().unwrap_err(), Fault::Refused(_)), "{system}");
        assert_eq!(scene.requests.len(), 1);
    }
}

#[test]
fn rows_that_are_not_those_promised_never_arrive() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        scene.store.borrow_mut().corrupt = true;
        let fault = scene.run().unwrap_err();
        assert!(matches!(fault, Fault::Trouble(_)), "{system}: {fault}");
        assert!(fault.to_string().contains("not those that were promised"), "{system}: {fault}");
        assert!(scene.world.lock().unwrap().arrivals.is_empty(), "{system}");
        // Lists for single requests are read whole before the first.
        scene.store.borrow_mut().batches.get_mut(&1).unwrap().parts[0].0.done = true;
        scene.store.borrow_mut().batches.get_mut(&1).unwrap().parts[1].0.done = true;
        scene.run().unwrap_err();
        assert!(scene.world.lock().unwrap().arrivals.is_empty(), "{system}");
        scene.store.borrow_mut().batches.get_mut(&1).unwrap().parts[0].0.done = false;
        scene.store.borrow_mut().batches.get_mut(&1).unwrap().parts[1].0.done = false;
        scene.store.borrow_mut().corrupt = false;
        scene.run().unwrap_or_else(|e| panic!("{system}: {e}"));
        assert_eq!(scene.arrived(), (1, 1));
    }
}

#[test]
fn requests_keep_the_distance_that_the_system_wants() {
    let mut scene = Scene::new("klaviyo");
    scene.run().unwrap();
    // 150 a minute: as many requests as that take a minute at least.
    let requests = scene.requests.len() as u32;
    assert!(scene.clock.time.get() >= Duration::from_millis(400) * (requests - 1), "{requests}");
}

#[test]
fn salesforce_logs_in_by_itself_and_again_when_the_session_has_ended() {
    let mut scene = Scene::new("salesforce");
    scene.environment.remove("SALESFORCE_ACCESS_TOKEN");
    scene.environment.insert("SALESFORCE_CLIENT_ID".to_owned(), "id".to_owned());
    scene.environment.insert("SALESFORCE_CLIENT_SECRET".to_owned(), "client/s3cret".to_owned());
    plan(&scene, "PUT", "", Mischief::Answer(401, None), 1);
    scene.run().unwrap();
    assert_eq!(scene.arrived(), (1, 1));
    assert_eq!(scene.world.lock().unwrap().logins, 2);
}

#[test]
fn a_destination_can_have_credentials_of_its_own() {
    let mut scene = Scene::new("hubspot");
    scene.options["credentials"] = json!("SHOP_FR");
    let fault = scene.run().unwrap_err();
    assert_eq!(fault.to_string(), "the environment variable SHOP_FR_HUBSPOT_TOKEN is not set");
    for name in ["HUBSPOT_TOKEN", "HUBSPOT_BASE_URL"] {
        let value = scene.environment.remove(name).unwrap();
        scene.environment.insert(format!("SHOP_FR_{name}"), value);
    }
    scene.run().unwrap();
    assert_eq!(scene.arrived(), (1, 1));
}

#[test]
fn a_limit_of_time_ends_a_request() {
    // Nobody answers there, but the connection is taken.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut scene = Scene::new("brevo");
    scene
        .environment
        .insert("BREVO_BASE_URL".to_owned(), format!("http://{}", listener.local_addr().unwrap()));
    scene.limit = Duration::from_millis(200);
    scene.patience.tries = 2;
    let fault = scene.run().unwrap_err();
    assert!(matches!(&fault, Fault::Unavailable(why) if why.contains("timeout")), "{fault}");
    // And where nobody listens at all.
    drop(listener);
    scene.clock.time.set(Duration::from_secs(10_000));
    assert!(matches!(scene.run().unwrap_err(), Fault::Unavailable(_)));
}
