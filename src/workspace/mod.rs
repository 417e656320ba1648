mod delivery;
mod lock;
mod mapping;
mod registry;
mod report;
