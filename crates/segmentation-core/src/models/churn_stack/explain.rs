//! What drives a probability.
