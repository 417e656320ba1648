//! The systems of the tests as a program of their own, for tests/delivery: prints its address, and serves until it is ended.
//! `GET /state` answers with what has arrived. Argument: how many milliseconds a request takes.

#[allow(dead_code)]
#[path = "../tests/deliveries/fakes.rs"]
mod fakes;
#[allow(dead_code)]
#[path = "../tests/deliveries/schemas.rs"]
mod schemas;
#[allow(dead_code)]
#[path = "../tests/deliveries/server.rs"]
mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fakes::World;
use serde_json::json;
use server::{Mischief, Req, Res, Service};

struct Slow {
    world: World,
    pause: Duration,
}

impl Service for Slow {
    fn mischief(&mut self, _: &Req) -> Option<Mischief> {
        None
    }

    fn serve(&mut self, req: &Req) -> Res {
        if req.path == "/state" {
            let world = &self.world;
            return Res::json(
                200,
                json!({
                    "people": world.people, "arrivals": world.arrivals, "unsubscribed": world.unsubscribed,
                    "deleted": world.deleted, "requests": world.requests.len(), "wrong": world.wrong
                }),
            );
        }
        std::thread::sleep(self.pause / 2);
        let answer = self.world.serve(req);
        std::thread::sleep(self.pause / 2);
        answer
    }
}

fn main() {
    let pause = std::env::args().nth(1).map_or(0, |p| p.parse().expect("milliseconds"));
    let slow = Slow { world: World::default(), pause: Duration::from_millis(pause) };
    let world = Arc::new(Mutex::new(slow));
    let address = server::serve(world.clone());
    world.lock().expect("nobody has it yet").world.base = address.clone();
    println!("{address}");
    loop {
        std::thread::park();
    }
}
