//! The program is killed before and after every step, and started again.

use super::scene::{HTTP_SYSTEMS, Scene};

/// Systems that can be asked whether they have something: nothing that goes in a bulk arrives twice.
const ONCE: [&str; 3] = ["salesforce", "eloqua", "hubspot"];

#[test]
fn an_undisturbed_delivery_arrives_once() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        let summary = scene.run().unwrap_or_else(|e| panic!("{system}: {e}"));
        assert_eq!(
            (summary.batches, summary.parts, summary.rows, summary.rejected),
            (1, 3, 15, 3),
            "{system}"
        );
        assert_eq!(scene.arrived(), (1, 1), "{system}");
        // Nothing is left to do.
        assert_eq!(scene.run().unwrap().batches, 0);
        assert_eq!(scene.arrived(), (1, 1));
    }
}

#[test]
fn a_kill_at_every_step_loses_nothing() {
    for system in HTTP_SYSTEMS {
        let mut twice = 0;
        let mut steps = 0;
        for at in 1.. {
            let mut scene = Scene::new(system);
            scene.death.restart(Some(at));
            let ended = scene.run().is_ok();
            if ended {
                assert_eq!(scene.arrived(), (1, 1));
                break;
            }
            assert!(scene.death.is_dead(), "{system}, step {at}");
            steps = at;
            scene.death.restart(None);
            scene.run().unwrap_or_else(|e| panic!("{system}, killed at step {at}: {e}"));
            let (bulk, single) = scene.arrived();
            let most = bulk.max(single);
            assert!(most <= 2, "{system}, killed at step {at}: a row arrived {most} times after one kill");
            twice += u32::from(most == 2);
            assert!(
                bulk == 1 || !ONCE.contains(&system),
                "{system}, killed at step {at}: a row arrived twice"
            );
        }
        assert!(steps > 50, "{system}: only {steps} steps");
        println!("{system}: {steps} places to die, rows arrived twice after {twice} of them");
    }
}

#[test]
fn two_kills_lose_nothing_either() {
    for system in HTTP_SYSTEMS {
        // A second kill at every seventh step after a first at every fifth.
        for first in (3..90).step_by(11) {
            for second in (1..60).step_by(9) {
                let mut scene = Scene::new(system);
                scene.death.restart(Some(first));
                if scene.run().is_ok() {
                    continue;
                }
                scene.death.restart(Some(second));
                if scene.run().is_err() {
                    scene.death.restart(None);
                    scene.run().unwrap_or_else(|e| panic!("{system}, killed at {first} and {second}: {e}"));
                }
                let (bulk, single) = scene.arrived();
                assert!(
                    bulk <= if ONCE.contains(&system) { 1 } else { 3 },
                    "{system}, {first}, {second}: {bulk}"
                );
                assert!(single <= 3, "{system}, {first}, {second}: {single}");
            }
        }
    }
}

#[test]
fn another_worker_takes_over_when_the_lease_is_over_and_the_first_writes_nothing_more() {
    for system in HTTP_SYSTEMS {
        let mut scene = Scene::new(system);
        scene.death.restart(Some(25));
        scene.run().unwrap_err();
        scene.death.restart(None);
        scene.worker = "elsewhere".to_owned();
        // As long as the lease lasts there is nothing to take.
        assert_eq!(scene.run().unwrap().batches, 0, "{system}");
        scene.clock.time.set(scene.clock.time.get() + std::time::Duration::from_secs(3600));
        assert_eq!(scene.run().unwrap().batches, 1, "{system}");
        scene.arrived();
    }
}
