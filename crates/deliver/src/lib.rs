//! The reference client of deliveries.
//!
//! The database makes batches and keeps everything that must survive: which batch, which part, what the other side calls it,
//! what was rejected. This program only carries: it takes a batch for a while, sends its parts, and says what became of them.
//! It may be killed at any moment; the next run goes on from the last note. A part may arrive twice only where the other
//! system cannot say whether it has it, and then with the same rows.

pub mod desk;
pub mod outbox;
pub mod patience;
pub mod run;
pub mod secrets;
pub mod systems;
pub mod wire;
