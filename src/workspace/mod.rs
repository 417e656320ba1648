mod lock;
mod registry;
