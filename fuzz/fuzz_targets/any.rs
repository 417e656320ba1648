//! Any target of the crate `fuzz-targets`, named by the environment variable TARGET: one program to link, not seventy.
#![no_main]

use std::sync::LazyLock;

use fuzz_targets::Target;
use libfuzzer_sys::fuzz_target;

static CHOSEN: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("TARGET").expect("TARGET names a target");
    fuzz_targets::target(&name).expect("TARGET is one of fuzz_targets::TARGETS")
});

fuzz_target!(|bytes: &[u8]| CHOSEN(bytes));
