//! How good predicted probabilities were, once the outcome is known.
