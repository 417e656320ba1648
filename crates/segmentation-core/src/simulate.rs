//! A seeded generator of a plausible retailer, with its hidden truth.
