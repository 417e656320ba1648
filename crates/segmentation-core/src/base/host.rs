//! The host's own checkpoint, for loops that none can be handed to.
//!
//! What gathers, fits or scores takes a [`Checkpoint`](crate::Checkpoint). What reads a value (a model, a definition, a
//! pattern against a text) is usually done in microseconds and called from everywhere; with hostile input it can take
//! long, so it asks here.

use std::sync::OnceLock;

static CHECKPOINT: OnceLock<fn()> = OnceLock::new();

/// Says what is called; the first call counts. As with a [`Checkpoint`](crate::Checkpoint), it may unwind.
pub fn install(checkpoint: fn()) {
    let _ = CHECKPOINT.set(checkpoint);
}

/// Lets the host interrupt. Nothing happens where none is installed, as in tests.
#[inline]
pub(crate) fn pause() {
    if let Some(checkpoint) = CHECKPOINT.get() {
        checkpoint();
    }
}
