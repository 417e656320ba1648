//! An SFTP server with files in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use russh::keys::{HashAlg, PrivateKey};
use russh::server::{Auth, Msg, Server as _, Session};
use russh::{Channel, ChannelId};
use russh_sftp::protocol::{Attrs, FileAttributes, Handle, OpenFlags, Status, StatusCode, Version};

pub const PASSWORD: &str = "s3cret-w0rd";

#[derive(Default)]
pub struct Disk {
    pub files: BTreeMap<String, Vec<u8>>,
    pub opened: Vec<String>,
    pub logins: u32,
}

pub struct Server {
    pub port: u16,
    pub fingerprint: String,
    pub disk: Arc<Mutex<Disk>>,
}

/// Serves until the process ends.
pub fn start(disk: Arc<Mutex<Disk>>) -> Server {
    // A key of the tests' own, worth nothing anywhere else.
    let key = PrivateKey::from(russh::keys::ssh_key::private::Ed25519Keypair::from_seed(&[7; 32]));
    let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
    let config = russh::server::Config {
        auth_rejection_time: Duration::from_millis(10),
        auth_rejection_time_initial: Some(Duration::ZERO),
        keys: vec![key],
        ..Default::default()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = Ssh { disk: disk.clone() };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            server.run_on_socket(Arc::new(config), &listener).await.unwrap();
        });
    });
    Server { port, fingerprint, disk }
}

struct Ssh {
    disk: Arc<Mutex<Disk>>,
}

impl russh::server::Server for Ssh {
    type Handler = Connection;
    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Connection {
        Connection { disk: self.disk.clone(), channels: HashMap::new() }
    }
}

struct Connection {
    disk: Arc<Mutex<Disk>>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl russh::server::Handler for Connection {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        self.disk.lock().unwrap().logins += 1;
        Ok(if user == "shop" && password == PASSWORD { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: russh::server::ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        assert_eq!(name, "sftp");
        let channel = self.channels.remove(&id).unwrap();
        session.channel_success(id)?;
        russh_sftp::server::run(channel.into_stream(), Files { disk: self.disk.clone() }).await;
        Ok(())
    }
}

struct Files {
    disk: Arc<Mutex<Disk>>,
}

fn ok(id: u32) -> Status {
    Status { id, status_code: StatusCode::Ok, error_message: "Ok".to_owned(), language_tag: "en".to_owned() }
}

impl russh_sftp::server::Handler for Files {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn init(&mut self, _: u32, _: HashMap<String, String>) -> Result<Version, StatusCode> {
        Ok(Version::new())
    }

    async fn open(
        &mut self,
        id: u32,
        name: String,
        flags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let mut disk = self.disk.lock().unwrap();
        if !flags.contains(OpenFlags::CREATE | OpenFlags::TRUNCATE) {
            return Err(StatusCode::PermissionDenied);
        }
        disk.files.insert(name.clone(), vec![]);
        disk.opened.push(name.clone());
        Ok(Handle { id, handle: name })
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        let mut disk = self.disk.lock().unwrap();
        let file = disk.files.get_mut(&handle).ok_or(StatusCode::Failure)?;
        let end = offset as usize + data.len();
        if file.len() < end {
            file.resize(end, 0);
        }
        file[offset as usize..end].copy_from_slice(&data);
        Ok(ok(id))
    }

    async fn close(&mut self, id: u32, _: String) -> Result<Status, StatusCode> {
        Ok(ok(id))
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let disk = self.disk.lock().unwrap();
        let size = disk.files.get(&path).ok_or(StatusCode::NoSuchFile)?.len() as u64;
        Ok(Attrs { id, attrs: FileAttributes { size: Some(size), ..Default::default() } })
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        let mut disk = self.disk.lock().unwrap();
        if disk.files.contains_key(&to) {
            return Err(StatusCode::Failure);
        }
        let file = disk.files.remove(&from).ok_or(StatusCode::NoSuchFile)?;
        disk.files.insert(to, file);
        Ok(ok(id))
    }

    async fn remove(&mut self, id: u32, name: String) -> Result<Status, StatusCode> {
        self.disk.lock().unwrap().files.remove(&name).map(|_| ok(id)).ok_or(StatusCode::NoSuchFile)
    }
}
