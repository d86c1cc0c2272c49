//! An HTTPS server on this machine.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rcgen::CertifiedKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::tls::{Certificate, RootCerts};

use crate::fetcher::Fetcher;
use crate::support::solid_png;

/// The largest image that is fetched, in bytes.
pub const LIMIT: usize = 100_000;
/// The longest time that a fetch may take.
pub const TIMEOUT: Duration = Duration::from_secs(2);

/// A server that runs until the process ends.
pub struct Https {
    pub port: u16,
    roots: RootCerts,
}

impl Https {
    pub fn start() -> Self {
        // Fetchers of the tests treat 127.0.0.2, which is this machine too, as another host.
        let names = ["localhost".into(), "127.0.0.1".into(), "127.0.0.2".into()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key.into())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, config) = (stream.unwrap(), config.clone());
                // Some clients close the connection during the response.
                std::thread::spawn(move || handle_connection(stream, config).ok());
            }
        });
        let root = Certificate::from_der(cert.der()).to_owned();
        Self {
            port,
            roots: RootCerts::new_with_certs(&[root]),
        }
    }

    /// Returns the URL of a path on this server.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Returns a fetcher that accepts this server's certificate, and the addresses for which
    /// `is_allowed` returns true.
    pub fn fetcher(&self, is_allowed: fn(IpAddr) -> bool) -> Fetcher {
        Fetcher::new(is_allowed, self.roots.clone(), LIMIT, TIMEOUT)
    }
}

/// Allows every address, as if this machine were in the public internet.
pub fn all(_: IpAddr) -> bool {
    true
}

fn handle_connection(stream: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    respond(&head, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Responds to the request with this head.
fn respond(head: &str, stream: &mut dyn Write) -> std::io::Result<()> {
    let path = head.split(' ').nth(1).unwrap();
    let mut send = |bytes: &[u8]| {
        let size = bytes.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n")?;
        stream.write_all(bytes)
    };
    match path {
        "/echo" => send(head.as_bytes()),
        "/a.png" => send(&solid_png(1)),
        "/page.html" => send(b"<!doctype html><title>Hello</title>"),
        "/limit" => send(&[7; LIMIT]),
        "/large" => send(&[7; LIMIT + 1]),
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[7; 4096])?;
            }
        }
        // Each read succeeds in time, but the body does not.
        "/slow" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")?;
            loop {
                stream.write_all(b"7")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        "/silent" => {
            std::thread::sleep(5 * TIMEOUT);
            Ok(())
        }
        "/truncated" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n7"),
        "/ssh" => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        _ => match path.split_once("?to=") {
            Some((_, to)) => write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            ),
            None => stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        },
    }
}
