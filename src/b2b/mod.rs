//! Companies, the people in them, where they are and when they are open.

mod company;
mod email;
mod identifier;
mod job;
mod naf;
mod opening_hours;
mod peers;
mod place;
mod public_holiday;
