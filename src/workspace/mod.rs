mod delivery;
mod lock;
mod mapping;
mod progress;
mod registry;
mod report;
