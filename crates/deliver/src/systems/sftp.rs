//! Files by SFTP, for Splio, Selligent, Adobe and whoever takes files: under another name first, then renamed.
//!
//! Nobody at the other side sees half a file, and no file comes twice: a file that was renamed is not sent again, even when it
//! has been fetched and removed meanwhile.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{self, AuthResult, Handle};
use russh::keys::{HashAlg, PrivateKeyWithHashAlg, PublicKey, load_secret_key};
use russh_sftp::client::SftpSession;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{OpenFlags, StatusCode};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use super::*;

/// Why a directory at the other side could not do what it should.
#[derive(Debug)]
pub enum Mishap {
    /// The connection broke, or never came about: try again.
    Broken(String),
    /// The other side will not.
    Refused(String),
    /// It does not know us, or we do not know it.
    Credentials(String),
}

/// A directory at the other side: SFTP, or a test's own.
pub trait Folder {
    /// The size of a file, if it is there.
    fn size(&mut self, name: &str) -> Result<Option<u64>, Mishap>;
    /// Writes a file from its beginning.
    fn put(&mut self, name: &str, rows: &mut dyn Read) -> Result<u64, Mishap>;
    /// Renames a file.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), Mishap>;
    /// Removes a file.
    fn remove(&mut self, name: &str) -> Result<(), Mishap>;
    /// Ends the connection; the next request makes a new one.
    fn reset(&mut self);
}

/// A destination that takes files.
pub struct Sftp {
    folder: Box<dyn Folder>,
    redactor: Redactor,
}

impl Sftp {
    /// From the option `directory`, and SFTP_* in the environment.
    pub fn open(setup: &Setup) -> Result<Self, Fault> {
        let mut redactor = Redactor::default();
        let port = setup.variable("SFTP_PORT").unwrap_or_else(|| "22".to_owned());
        let login = match setup.variable("SFTP_KEY_FILE") {
            Some(file) => {
                let phrase = match setup.variable("SFTP_KEY_PASSPHRASE") {
                    Some(_) => Some(setup.secret("SFTP_KEY_PASSPHRASE", &mut redactor)?),
                    None => None,
                };
                Login::Key(file, phrase)
            }
            None => Login::Password(setup.secret("SFTP_PASSWORD", &mut redactor)?),
        };
        let known = match (setup.variable("SFTP_HOST_KEY"), setup.variable("SFTP_KNOWN_HOSTS")) {
            (Some(print), _) => Known::Print(print),
            (None, Some(file)) => Known::File(file),
            (None, None) => Known::Usual,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fault::Unavailable(e.to_string()))?;
        let remote = Remote {
            host: setup.required("SFTP_HOST")?,
            port: port.parse().map_err(|_| Fault::Setting(format!("SFTP_PORT {port} is no port")))?,
            user: setup.required("SFTP_USER")?,
            directory: setup.destination.text("directory").unwrap_or(".").trim_end_matches('/').to_owned(),
            login,
            known,
            runtime,
            session: None,
        };
        Ok(Self { folder: Box::new(remote), redactor })
    }

    /// Into a given folder.
    pub fn into_folder(folder: Box<dyn Folder>) -> Self {
        Self { folder, redactor: Redactor::default() }
    }

    /// What is done in the folder, again with patience when the connection breaks.
    fn patiently<T>(
        &mut self,
        desk: &mut Desk,
        mut act: impl FnMut(&mut dyn Folder, &mut Desk) -> Result<Result<T, Mishap>, Fault>,
    ) -> Result<T, Fault> {
        let mut attempt = 1;
        loop {
            let why = match act(&mut *self.folder, desk)? {
                Ok(done) => return Ok(done),
                Err(Mishap::Refused(why)) => return Err(Fault::Refused(desk.redactor.clean(&why))),
                Err(Mishap::Credentials(why)) => return Err(Fault::Credentials(desk.redactor.clean(&why))),
                Err(Mishap::Broken(why)) => desk.redactor.clean(&why),
            };
            self.folder.reset();
            attempt += 1;
            desk.again(attempt, &why)?;
        }
    }
}

impl System for Sftp {
    fn secrets(&self) -> Redactor {
        self.redactor.clone()
    }

    fn deliver(&mut self, desk: &mut Desk) -> Result<Verdict, Fault> {
        let part = desk.part().clone();
        let verdict = Verdict { accepted: None, rejected: 0 };
        if part.name.is_empty() || part.name.contains(['/', '\\', '\0']) || part.name.starts_with('.') {
            return Err(Fault::Setting(format!("{:?} is no name for a file", part.name)));
        }
        let under = format!("{}.part", part.name);
        // A kill or a broken connection between the renaming and its note: if the half file is gone, it was renamed.
        let size = self.patiently(desk, |folder, _| Ok(folder.size(&under)))?;
        if desk.at("renaming") && size.is_none() {
            return Ok(verdict);
        }
        if !(desk.at("renaming") && size == Some(part.bytes)) {
            desk.note(json!({"step": "uploading"}))?;
            let written = self.patiently(desk, |folder, desk| {
                desk.restart();
                let watcher = desk.watcher();
                let mut rows = desk.rows()?;
                let mut fault = None;
                let mut reader = Watched { inner: &mut rows, watcher, fault: &mut fault };
                let done = folder.put(&under, &mut reader);
                match fault {
                    Some(why) => Err(crate::outbox::Trouble::Failed(why).into()),
                    None => Ok(done),
                }
            })?;
            let size = self.patiently(desk, |folder, _| Ok(folder.size(&under)))?;
            if written != part.bytes || size != Some(part.bytes) {
                let there = size.map_or_else(|| "nothing".to_owned(), |s| format!("{s} bytes"));
                return Err(Fault::Unavailable(format!(
                    "{under}: {} bytes were sent, {there} arrived",
                    part.bytes
                )));
            }
            desk.note(json!({"step": "renaming"}))?;
        }
        self.patiently(desk, |folder, _| {
            // SFTP does not rename over a file. One of our name can only be ours: names hold the batch.
            Ok(match folder.size(&under) {
                Ok(None) => Ok(()),
                Ok(Some(_)) => match folder.size(&part.name) {
                    Ok(Some(_)) => folder.remove(&part.name).and_then(|()| folder.rename(&under, &part.name)),
                    Ok(None) => folder.rename(&under, &part.name),
                    Err(mishap) => Err(mishap),
                },
                Err(mishap) => Err(mishap),
            })
        })?;
        Ok(verdict)
    }
}

/// Tells the watcher how much was read, and keeps an error of the rows.
struct Watched<'a, R> {
    inner: &'a mut R,
    watcher: &'a dyn crate::desk::Watcher,
    fault: &'a mut Option<String>,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.inner
            .read(out)
            .inspect(|n| self.watcher.sent(*n as u64))
            .inspect_err(|e| *self.fault = Some(e.to_string()))
    }
}

enum Login {
    Password(Secret),
    Key(String, Option<Secret>),
}

#[derive(Clone)]
enum Known {
    /// `SHA256:...`
    Print(String),
    /// A file of known hosts.
    File(String),
    /// The user's own file.
    Usual,
}

/// A directory by SFTP.
struct Remote {
    host: String,
    port: u16,
    user: String,
    directory: String,
    login: Login,
    known: Known,
    runtime: Runtime,
    session: Option<(SftpSession, Handle<Guard>)>,
}

/// Takes a connection only to the server that is known.
struct Guard {
    host: String,
    port: u16,
    known: Known,
}

impl client::Handler for Guard {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let russh::keys::PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        Ok(self.knows(key))
    }
}

impl Guard {
    fn knows(&self, key: &PublicKey) -> bool {
        match &self.known {
            Known::Print(print) => key.fingerprint(HashAlg::Sha256).to_string() == *print,
            Known::File(file) => {
                russh::keys::check_known_hosts_path(&self.host, self.port, key, Path::new(file))
                    .unwrap_or(false)
            }
            Known::Usual => russh::keys::check_known_hosts(&self.host, self.port, key).unwrap_or(false),
        }
    }
}

/// No step of the protocol takes longer.
const STEP: Duration = Duration::from_secs(60);

impl Remote {
    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.directory)
    }

    fn connect(&mut self) -> Result<(), Mishap> {
        if self.session.is_some() {
            return Ok(());
        }
        let guard = Guard { host: self.host.clone(), port: self.port, known: self.known.clone() };
        let config = client::Config { inactivity_timeout: Some(STEP * 5), ..Default::default() };
        let broken = |e: &dyn std::fmt::Display| Mishap::Broken(format!("{}:{}: {e}", self.host, self.port));
        let key = match &self.login {
            Login::Key(file, phrase) => Some(
                load_secret_key(file, phrase.as_ref().map(Secret::reveal))
                    .map_err(|e| Mishap::Credentials(format!("SFTP_KEY_FILE {file}: {e}")))?,
            ),
            Login::Password(_) => None,
        };
        let session = self.runtime.block_on(async {
            let connected = tokio::time::timeout(
                STEP,
                client::connect(Arc::new(config), (self.host.as_str(), self.port), guard),
            );
            let mut handle = match connected.await {
                Err(_) => return Err(broken(&"no answer")),
                Ok(Err(russh::Error::UnknownKey)) => {
                    return Err(Mishap::Credentials(format!(
                        "the key of {}:{} is not known: set SFTP_HOST_KEY or SFTP_KNOWN_HOSTS",
                        self.host, self.port
                    )));
                }
                Ok(Err(e)) => return Err(broken(&e)),
                Ok(Ok(handle)) => handle,
            };
            let answer = match (&self.login, key) {
                (_, Some(key)) => {
                    let hash = handle.best_supported_rsa_hash().await.map_err(|e| broken(&e))?.flatten();
                    let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
                    handle.authenticate_publickey(&self.user, key).await
                }
                (Login::Password(password), None) => {
                    handle.authenticate_password(&self.user, password.reveal()).await
                }
                (Login::Key(..), None) => return Err(Mishap::Credentials("no key".to_owned())),
            };
            match answer {
                Ok(AuthResult::Success) => {}
                Ok(_) => {
                    return Err(Mishap::Credentials(format!("{} does not let {} in", self.host, self.user)));
                }
                Err(e) => return Err(broken(&e)),
            }
            let channel = handle.channel_open_session().await.map_err(|e| broken(&e))?;
            channel.request_subsystem(true, "sftp").await.map_err(|e| broken(&e))?;
            let sftp = SftpSession::new(channel.into_stream()).await.map_err(|e| broken(&e))?;
            Ok((sftp, handle))
        })?;
        self.session = Some(session);
        Ok(())
    }

    fn mishap(&self, what: &str, error: SftpError) -> Mishap {
        let text = format!("{what}: {error}");
        match error {
            SftpError::Status(s)
                if !matches!(s.status_code, StatusCode::NoConnection | StatusCode::ConnectionLost) =>
            {
                Mishap::Refused(text)
            }
            _ => Mishap::Broken(text),
        }
    }

    fn run<T>(
        &mut self,
        what: &str,
        act: impl AsyncFnOnce(&SftpSession) -> Result<T, SftpError>,
    ) -> Result<T, Mishap> {
        self.connect()?;
        let Some((sftp, _)) = &self.session else { return Err(Mishap::Broken(what.to_owned())) };
        let done = self.runtime.block_on(async { tokio::time::timeout(STEP, act(sftp)).await });
        match done {
            Err(_) => Err(Mishap::Broken(format!("{what}: no answer"))),
            Ok(Err(e)) => Err(self.mishap(what, e)),
            Ok(Ok(done)) => Ok(done),
        }
    }
}

impl Folder for Remote {
    fn size(&mut self, name: &str) -> Result<Option<u64>, Mishap> {
        let path = self.path(name);
        self.run(&path.clone(), async move |sftp| match sftp.metadata(path).await {
            Ok(found) => Ok(Some(found.size.unwrap_or(0))),
            Err(SftpError::Status(s)) if s.status_code == StatusCode::NoSuchFile => Ok(None),
            Err(e) => Err(e),
        })
    }

    fn put(&mut self, name: &str, rows: &mut dyn Read) -> Result<u64, Mishap> {
        let path = self.path(name);
        let what = path.clone();
        let flags = OpenFlags::CREATE | OpenFlags::TRUNCATE | OpenFlags::WRITE;
        let mut file = self.run(&what, async move |sftp| sftp.open_with_flags(path, flags).await)?;
        let mut chunk = vec![0; 128 << 10];
        let mut bytes = 0;
        loop {
            // Rows are read outside of the runtime: the database's client has one of its own.
            let count = rows.read(&mut chunk).map_err(|e| Mishap::Broken(e.to_string()))?;
            if count == 0 {
                break;
            }
            let piece = &chunk[..count];
            let file = &mut file;
            self.run(&what, async move |_| Ok(file.write_all(piece).await?))?;
            bytes += count as u64;
        }
        self.run(&what, async move |_| {
            file.flush().await?;
            Ok(file.shutdown().await?)
        })?;
        Ok(bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), Mishap> {
        let (from, to) = (self.path(from), self.path(to));
        self.run(&from.clone(), async move |sftp| sftp.rename(from, to).await)
    }

    fn remove(&mut self, name: &str) -> Result<(), Mishap> {
        let path = self.path(name);
        self.run(&path.clone(), async move |sftp| sftp.remove_file(path).await)
    }

    fn reset(&mut self) {
        self.session = None;
    }
}
