//! Who is the same customer.

mod cluster;
mod form;
mod matching;
mod similarity;
