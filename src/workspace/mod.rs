mod lock;
mod mapping;
mod registry;
