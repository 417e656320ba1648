//! Runs every target over its corpus and over mutations of it: `fuzz-targets [seconds a target] [target]`.
//!
//! The mutations depend on nothing but their number, so that what fails once fails again. No coverage guides
//! them: that is what `make fuzz` is for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use fuzz_targets::{TARGETS, Target};

/// An input may take so long, whatever it is: in a build without optimisation, on a busy machine.
const SLOW: Duration = Duration::from_secs(5);

/// xorshift64*: as good as is needed here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n.max(1)
    }
}

/// Pieces that break readers of text, JSON and numbers.
const PIECES: &[&[u8]] = &[
    b"0",
    b"-1",
    b"1e308",
    b"-1e308",
    b"1e-320",
    b"1e400",
    b"0.5",
    b"9223372036854775808",
    b"null",
    b"true",
    b"\"\"",
    b"{}",
    b"[]",
    b"[[",
    b"NaN",
    b"9999-12-31",
    b"0001-01-01",
    b"infinity",
    b",",
    b":",
    b"-",
    b"\\u0000",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"\x00",
    b"\x01",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\xff\xff\xff\x7f",
    b"\x00\x00\x00\x80",
    b"\x00\x00\x00\x00\x00\x00\xf0\x7f",
    b"\x00\x00\x00\x00\x00\x00\xf8\x7f",
    b"\x00\x00\x00\x00\x00\x00\x00\x80",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff\xff\xff\xef\x7f",
];

fn mutated(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let until = (at + 1 + random.below(12)).min(bytes.len());
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..until)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            3 => {
                let piece = PIECES[random.below(PIECES.len())];
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
            4 => {
                let piece = PIECES[random.below(PIECES.len())];
                let until = (at + piece.len()).min(bytes.len());
                drop(bytes.splice(at..until, piece.iter().copied()));
            }
            5 => {
                let again = bytes[at..until].to_vec();
                drop(bytes.splice(at..at, again));
            }
            // The rest of another example.
            _ => {
                let other = &corpus[random.below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
            }
        }
    }
    bytes
}

/// What is wrong with an answer, if something is.
fn fault(target: Target, bytes: &[u8]) -> Option<String> {
    let started = Instant::now();
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(bytes))) {
        let words = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        return Some(words.unwrap_or("a panic").to_owned());
    }
    (started.elapsed() > SLOW).then(|| format!("takes {:?}", started.elapsed()))
}

fn corpus(name: &str) -> std::io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    files.iter().map(std::fs::read).collect()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seconds = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(0.15);
    let only = arguments.get(1);
    // The words of a panic come with the input that made it.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut passed, mut failed, mut inputs) = (0, 0, 0_u64);
    for (name, target) in TARGETS {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let examples = match corpus(name) {
            Ok(examples) if !examples.is_empty() => examples,
            _ => {
                println!("FAULT {name}: no examples in fuzz/corpus/{name}");
                failed += 1;
                continue;
            }
        };
        let started = Instant::now();
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut next = examples.iter().cloned();
        let found = loop {
            let Some(bytes) = next.next().or_else(|| {
                (started.elapsed().as_secs_f64() < seconds).then(|| mutated(&examples, &mut random))
            }) else {
                break None;
            };
            inputs += 1;
            if let Some(words) = fault(*target, &bytes) {
                break Some((words, bytes));
            }
        };
        match found {
            None => passed += 1,
            Some((words, bytes)) => {
                println!(
                    "FAULT {name}: {words}\n  {} {bytes:02x?}",
                    String::from_utf8_lossy(&bytes).escape_debug()
                );
                failed += 1;
            }
        }
    }
    println!("fuzz: {passed} passed, {failed} failed ({inputs} inputs)");
    std::process::exit(i32::from(failed > 0));
}
