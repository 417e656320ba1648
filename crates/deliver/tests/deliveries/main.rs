//! Whole deliveries against servers that behave as the systems' documentation says, badly too.

mod fakes;
mod kills;
mod memory;
mod mischief;
mod scene;
mod schemas;
mod server;
mod sftp;
mod sshd;
