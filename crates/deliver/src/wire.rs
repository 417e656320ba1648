//! Requests over HTTP, one try each. What an answer means, and whether to ask again, is decided by the desk.

use std::io::Read;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Head {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: &'static str,
    /// The whole address.
    pub url: String,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
}

/// An answer.
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
    /// The body, to be read as it comes.
    pub body: Box<dyn Read>,
}

/// A request without an answer.
#[derive(Debug)]
pub enum Silence {
    /// It never left: asking again is safe.
    NotSent(String),
    /// It may have arrived.
    Unknown(String),
}

/// What carries requests: the network, or a test.
pub trait Wire {
    /// One try. A body comes with its length.
    fn call(&mut self, head: &Head, body: Option<(&mut dyn Read, u64)>) -> Result<Reply, Silence>;
}

/// The network.
pub struct Network {
    agent: ureq::Agent,
}

impl Network {
    /// With a limit of time for one request, and certificates (PEM) of the authorities to trust in place of the usual ones.
    pub fn new(limit: Duration, authorities: Option<&[u8]>) -> Result<Self, String> {
        let roots = match authorities {
            None => RootCerts::WebPki,
            Some(pem) => {
                let certificates: Vec<Certificate<'static>> = parse_pem(pem)
                    .filter_map(|item| match item {
                        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
                        Ok(_) => None,
                        Err(e) => Some(Err(e.to_string())),
                    })
                    .collect::<Result<_, _>>()?;
                if certificates.is_empty() {
                    return Err("no certificate in the file of authorities".to_owned());
                }
                certificates.into()
            }
        };
        let config = ureq::Agent::config_builder()
            // A status is an answer, and its body says why.
            .http_status_as_error(false)
            // A redirection would carry keys to another place.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("segmentation-deliver/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(30).min(limit)))
            .timeout_per_call(Some(limit))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: config.new_agent() })
    }
}

impl Wire for Network {
    fn call(&mut self, head: &Head, body: Option<(&mut dyn Read, u64)>) -> Result<Reply, Silence> {
        let mut request = http::Request::builder().method(head.method).uri(&head.url);
        for (name, value) in &head.headers {
            request = request.header(name, value);
        }
        let answer = match body {
            None => request.body(()).map_err(ureq::Error::from).and_then(|r| self.agent.run(r)),
            Some((reader, length)) => request
                .header("content-length", length)
                .body(ureq::SendBody::from_reader(reader))
                .map_err(ureq::Error::from)
                .and_then(|r| self.agent.run(r)),
        };
        let answer = answer.map_err(silence)?;
        let retry_after =
            answer.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
        let status = answer.status().as_u16();
        Ok(Reply { status, retry_after, body: Box::new(answer.into_body().into_reader()) })
    }
}

/// Whether a request without an answer can have arrived. When in doubt it can.
fn silence(error: ureq::Error) -> Silence {
    use ureq::{Error, Timeout};
    let text = error.to_string();
    match error {
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::BadUri(_)
        | Error::Http(_)
        | Error::Tls(_)
        | Error::Rustls(_)
        | Error::Pem(_)
        | Error::TlsRequired
        | Error::ConnectProxyFailed(_)
        | Error::InvalidProxyUrl
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Silence::NotSent(text),
        Error::Io(ref e) if e.kind() == std::io::ErrorKind::ConnectionRefused => Silence::NotSent(text),
        _ => Silence::Unknown(text),
    }
}

/// An address that credentials may be sent to: HTTPS, or this machine.
pub fn safe_base(url: &str) -> Result<String, String> {
    let url = url.trim().trim_end_matches('/');
    let parsed: http::Uri = url.parse().map_err(|_| format!("{url} is no address"))?;
    let host = parsed.host().unwrap_or_default();
    if parsed.authority().is_some_and(|a| a.as_str().contains('@')) {
        return Err("an address must not hold a name and a password".to_owned());
    }
    match parsed.scheme_str() {
        Some("https") if !host.is_empty() => Ok(url.to_owned()),
        Some("http") if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => Ok(url.to_owned()),
        _ => Err(format!("{url} is no https address: credentials would be sent in the clear")),
    }
}

/// What stands as it is in a piece of a path.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A piece of a path or a query, with everything escaped that is not a plain letter, digit or `-._~`.
pub fn escaped(piece: &str) -> String {
    utf8_percent_encode(piece, PLAIN).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_go_over_https_only() {
        assert_eq!(safe_base("https://a.example/ "), Ok("https://a.example".to_owned()));
        assert_eq!(safe_base("http://127.0.0.1:80"), Ok("http://127.0.0.1:80".to_owned()));
        for bad in [
            "http://a.example",
            "http://127.0.0.1.a.example",
            "ftp://a",
            "a.example",
            "",
            "https://me:pw@a.example",
            "http://localhost@a.example",
        ] {
            assert!(safe_base(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_piece_of_a_path_stays_one_piece() {
        assert_eq!(escaped("a+b@c.d/é?"), "a%2Bb%40c.d%2F%C3%A9%3F");
    }
}
