//! Fetching a picture: what is refused, from whom, and what arrives.

use crate::support;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fetcher::Fetcher;
use crate::public::is_public;
use api::{Api, Config, MemoryStore, Sculptor};
use rcgen::CertifiedKey;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts};

const LIMIT: usize = 100_000;
const PATIENCE: Duration = Duration::from_secs(2);

/// An https server on this machine, for as long as the test process lives.
struct Https {
    port: u16,
    roots: RootCerts,
}

impl Https {
    /// It answers each path as `answer` writes it.
    fn start(answer: fn(&str, &mut dyn Write) -> std::io::Result<()>) -> Self {
        // 127.0.0.2 is this machine too, and plays somebody else's.
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
                // A client that turns away is what some tests are about.
                std::thread::spawn(move || serve(stream, config, answer).ok());
            }
        });
        let root = Certificate::from_der(cert.der()).to_owned();
        Self {
            port,
            roots: RootCerts::new_with_certs(&[root]),
        }
    }

    fn address(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    fn fetcher(&self, allowed: fn(IpAddr) -> bool) -> Fetcher {
        Fetcher::new(allowed, self.roots.clone(), LIMIT, PATIENCE)
    }
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    answer: fn(&str, &mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    if path == "/echo" {
        let size = head.len();
        return write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n{head}"
        );
    }
    answer(path, &mut stream)?;
    stream.conn.send_close_notify();
    stream.flush()
}

fn answers(path: &str, stream: &mut dyn Write) -> std::io::Result<()> {
    let mut whole = |bytes: &[u8]| {
        let size = bytes.len();
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n")?;
        stream.write_all(bytes)
    };
    match path {
        "/a.png" => whole(&support::png(1)),
        "/page.html" => whole(b"<!doctype html><title>Hello</title>"),
        "/limit" => whole(&[7; LIMIT]),
        "/large" => whole(&[7; LIMIT + 1]),
        "/endless" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[7; 4096])?;
            }
        }
        // A byte now and then keeps each single read short.
        "/slow" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")?;
            loop {
                stream.write_all(b"7")?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(100));
            }
        }
        "/silent" => {
            std::thread::sleep(5 * PATIENCE);
            Ok(())
        }
        "/half" => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n7"),
        "/junk" => stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        _ => match path.split_once("?to=") {
            Some((_, to)) => write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
            ),
            None => stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
        },
    }
}

/// All of this machine, as if it were the public internet.
fn anybody(_: IpAddr) -> bool {
    true
}

/// As if 127.0.0.2 were private.
fn but_one(address: IpAddr) -> bool {
    address != IpAddr::from([127, 0, 0, 2])
}

const NOT_PUBLIC: &str = "is not in the public internet";

#[test]
fn a_picture_arrives_as_it_is() {
    let https = Https::start(answers);
    let fetcher = https.fetcher(anybody);
    assert_eq!(fetcher.fetch(&https.address("/a.png")), Ok(support::png(1)));
    let redirected = https.address("/?to=/?to=/?to=/a.png");
    assert_eq!(fetcher.fetch(&redirected), Ok(support::png(1)));
    assert_eq!(
        fetcher.fetch(&https.address("/limit")).unwrap().len(),
        LIMIT
    );
}

#[test]
fn the_request_says_nothing_about_this_machine() {
    let https = Https::start(answers);
    let head = https
        .fetcher(anybody)
        .fetch(&https.address("/echo"))
        .unwrap();
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let mut lines: Vec<_> = head.trim_end().lines().skip(1).collect();
    lines.sort_unstable();
    let host = format!("host: localhost:{}", https.port);
    assert_eq!(lines, ["accept: */*", &host, "user-agent: csm-image-to-3d"]);
}

#[test]
fn what_cannot_be_had_is_said_in_words() {
    let https = Https::start(answers);
    let fetcher = https.fetcher(anybody);
    for (path, words) in [
        ("/nothing", "its server answered 404"),
        ("/large", "larger than 100000 bytes"),
        ("/endless", "larger than 100000 bytes"),
        ("/slow", "it took longer than 2 s"),
        ("/silent", "it took longer than 2 s"),
        ("/half", "its server"),
        ("/junk", "speaks no HTTP"),
        ("/?to=/?to=/?to=/?to=/a.png", "more than 3 redirects"),
        ("/?to=http://localhost/a.png", "only https:"),
        ("/?to=ftp://localhost/a.png", "only https:"),
        ("/?to=file:///etc/passwd", "its server"),
    ] {
        let start = Instant::now();
        let said = fetcher.fetch(&https.address(path)).unwrap_err();
        assert!(said.contains(words), "{path}: {said}");
        assert!(start.elapsed() < 2 * PATIENCE, "{path}");
        for secret in ["127.0", "localhost", "rustls", "os error", "passwd"] {
            assert!(!said.contains(secret), "{path}: {said}");
        }
    }
    // Nobody listens there; nor has anybody signed that certificate; nor is there such a name.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let strangers = Fetcher::new(anybody, RootCerts::WebPki, LIMIT, PATIENCE);
    for (fetcher, address, words) in [
        (&fetcher, format!("https://{closed}/"), "cannot be reached"),
        (
            &strangers,
            https.address("/a.png"),
            "a certificate that is not accepted",
        ),
        (
            &fetcher,
            "https://nobody.invalid/".into(),
            "its server cannot be reached",
        ),
        (
            &fetcher,
            "https://me:secret@localhost/".into(),
            "none that can be fetched",
        ),
        (&fetcher, "https://".into(), "none that can be fetched"),
        (&fetcher, "https:// /".into(), "none that can be fetched"),
        (&fetcher, "http://localhost/a.png".into(), "only https:"),
        (&fetcher, "HTTP://LOCALHOST/a.png".into(), "only https:"),
    ] {
        let said = fetcher.fetch(&address).unwrap_err();
        assert!(said.contains(words), "{address}: {said}");
    }
}

#[test]
fn a_redirect_is_looked_at_again() {
    let https = Https::start(answers);
    let fetcher = https.fetcher(but_one);
    let elsewhere = format!("https://127.0.0.2:{}/a.png", https.port);
    // There is something to be had, for those who may.
    assert!(https.fetcher(anybody).fetch(&elsewhere).is_ok());
    for address in [
        elsewhere.clone(),
        https.address(&format!("/?to={elsewhere}")),
        https.address(&format!("/?to=/?to={elsewhere}")),
        https.address("/?to=https://127.2/a.png"),
    ] {
        let said = fetcher.fetch(&address).unwrap_err();
        assert!(said.contains(NOT_PUBLIC), "{address}: {said}");
    }
}

#[test]
fn what_is_not_public_is_refused_however_it_is_spelt() {
    let https = Https::start(answers);
    // Even where everything else would fit.
    let fetcher = https.fetcher(is_public);
    let hosts = [
        // This machine.
        "localhost",
        "LOCALHOST",
        "127.0.0.1",
        "127.0.0.2",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        // Private, a provider's, link-local.
        "10.0.0.1",
        "10.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "3232235521",
        "100.64.0.1",
        "169.254.169.254",
        "0xa9fea9fe",
        "[::ffff:10.0.0.1]",
        "[fc00::1]",
        "[fd12:3456:789a::1]",
        "[fe80::1]",
        "[fec0::1]",
        // By way of a translator.
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2002:a00:1::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        // Many at once, documentation, reserved.
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "192.0.2.1",
        "198.51.100.1",
        "203.0.113.1",
        "198.18.0.1",
        "192.0.0.8",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
    ];
    for host in hosts {
        let address = format!("https://{host}:{}/a.png", https.port);
        let start = Instant::now();
        let said = fetcher.fetch(&address).unwrap_err();
        assert!(said.contains(NOT_PUBLIC), "{host}: {said}");
        assert!(start.elapsed() < PATIENCE, "{host}");
    }
}

#[test]
fn what_is_public_is_allowed() {
    for address in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450::1",
        "64:ff9b::1.1.1.1",
        "2002:101:101::1",
    ] {
        assert!(is_public(address.parse().unwrap()), "{address}");
    }
}

#[test]
fn a_session_has_its_picture_fetched_or_ends_with_the_reason() {
    let https = Https::start(answers);
    for (path, status, words) in [
        ("/a.png", "preview_done", None),
        (
            "/page.html",
            "preview_failed",
            Some("image_url: the data is no picture"),
        ),
        (
            "/nothing",
            "preview_failed",
            Some("image_url: the picture cannot be had: its server answered 404"),
        ),
    ] {
        let sandbox = Api::open(&Config::default(), Box::new(MemoryStore::default()), 0).unwrap();
        let body = format!(r#"{{"image_url":{:?}}}"#, https.address(path));
        let request = |method: &str, path: &str, body: &str| {
            let request = api::http::Request::builder().method(method).uri(path);
            request.body(body.into()).unwrap()
        };
        let data = |response: api::Response| {
            let envelope: Value = serde_json::from_slice(response.body()).unwrap();
            envelope["data"].clone()
        };
        let created = data(sandbox.handle(&request("POST", support::SESSIONS, &body), 0));
        let job = sandbox.next_job(1000).unwrap();
        let fetched = job
            .image_url()
            .map(|address| https.fetcher(anybody).fetch(address));
        sandbox.run_job(job, fetched, &Sculptor).unwrap();
        let poll = format!("{}/{}", support::SESSIONS, support::code(&created));
        let session = data(sandbox.handle(&request("GET", &poll, ""), 2000));
        assert_eq!(session["status"], status);
        let error = session["error"].as_str();
        assert_eq!(error.is_some(), words.is_some(), "{session}");
        assert!(
            error
                .unwrap_or_default()
                .contains(words.unwrap_or_default()),
            "{session}"
        );
    }
}
