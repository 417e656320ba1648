//! A small HTTP server for the tests: one thread a connection, one request a connection, mischief on demand.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Debug, Default)]
pub struct Req {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

pub struct Res {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Res {
    pub fn json(status: u16, body: serde_json::Value) -> Self {
        Self { status, headers: vec![], body: body.to_string().into_bytes() }
    }
    pub fn text(status: u16, body: &str) -> Self {
        Self { status, headers: vec![], body: body.as_bytes().to_vec() }
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Mischief {
    /// It is answered with a status, and not taken.
    Answer(u16, Option<String>),
    /// It is not taken, and the connection closed.
    Drop,
    /// It is taken, and the connection closed without an answer.
    TakeAndDrop,
    /// It is taken, and half of the answer comes.
    TakeAndBreak,
    /// It is taken, and answered with a gateway's 504.
    TakeAnd504,
}

/// Which requests, what, how often.
pub struct Plan {
    pub method: &'static str,
    pub path: &'static str,
    pub mischief: Mischief,
    pub left: u32,
}

pub trait Service: Send + 'static {
    fn serve(&mut self, req: &Req) -> Res;
    fn mischief(&mut self, req: &Req) -> Option<Mischief>;
}

/// Serves until the process ends; gives the address.
pub fn serve<S: Service>(service: Arc<Mutex<S>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let service = service.clone();
            std::thread::spawn(move || {
                let _ = one(stream, &service);
            });
        }
    });
    address
}

fn one<S: Service>(mut stream: TcpStream, service: &Mutex<S>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let mut req = Req { method: words.next().unwrap_or_default().to_owned(), ..Default::default() };
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (req.path, req.query) = (path.to_owned(), query.to_owned());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else { break };
        req.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length: usize = req.headers.get("content-length").map_or(0, |l| l.parse().unwrap());
    assert!(!req.headers.contains_key("transfer-encoding"), "bodies have a length");
    req.body = vec![0; length];
    // A body that breaks off was never sent.
    if reader.read_exact(&mut req.body).is_err() {
        return Ok(());
    }
    let mut service = service.lock().unwrap_or_else(|e| e.into_inner());
    let mischief = service.mischief(&req);
    match mischief {
        Some(Mischief::Drop) => return Ok(()),
        Some(Mischief::Answer(status, retry)) => {
            let mut res = Res::text(status, "mischief");
            if let Some(retry) = retry {
                res.headers.push(("Retry-After".to_owned(), retry));
            }
            return write(&mut stream, &res, false);
        }
        _ => {}
    }
    let res = service.serve(&req);
    drop(service);
    match mischief {
        Some(Mischief::TakeAndDrop) => Ok(()),
        Some(Mischief::TakeAndBreak) => write(&mut stream, &res, true),
        Some(Mischief::TakeAnd504) => write(&mut stream, &Res::text(504, "gateway"), false),
        _ => write(&mut stream, &res, false),
    }
}

fn write(stream: &mut TcpStream, res: &Res, half: bool) -> std::io::Result<()> {
    let mut head =
        format!("HTTP/1.1 {} X\r\nContent-Length: {}\r\nConnection: close\r\n", res.status, res.body.len());
    for (name, value) in &res.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(head.as_bytes())?;
    stream.write_all(b"\r\n")?;
    let end = if half { res.body.len() / 2 } else { res.body.len() };
    stream.write_all(&res.body[..end])?;
    stream.flush()
}
