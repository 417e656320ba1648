//! The Gamma-Gamma model of spend per purchase.
