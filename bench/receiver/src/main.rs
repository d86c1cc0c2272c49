//! Receives the uploads of the benchmark, and passes all other requests on to the harness.
//!
//! Pages load from this program, so that an upload needs no CORS preflight.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// The size of a read. Larger than what the kernel usually holds, so that the window stays open.
const READ_BYTES: usize = 4 << 20;

/// What becomes of the bodies of uploads.
#[derive(Clone, Copy, Default, PartialEq)]
enum Bodies {
    /// They are available at `/uploads/body`.
    Keep,
    #[default]
    Discard,
}

/// A request with an image.
struct Upload {
    /// When its head arrived, in milliseconds since 1970.
    arrived: f64,
    bytes: usize,
}

/// The uploads since the harness last selected what becomes of their bodies.
#[derive(Default)]
struct Uploads {
    bodies: Bodies,
    received: Vec<Upload>,
    last_body: Vec<u8>,
}

/// The head of an HTTP message.
struct Head {
    /// Including the empty line at its end.
    text: String,
    content_length: usize,
}

fn main() -> io::Result<()> {
    let harness = env::args().nth(1).and_then(|port| port.parse().ok());
    let harness: u16 = harness.ok_or_else(|| io::Error::other("usage: bench-receiver PORT"))?;
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("listening on http://{}", listener.local_addr()?);
    // The harness holds the other end of the standard input, which closes when it ends.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        process::exit(0);
    });
    let uploads = Arc::<Mutex<Uploads>>::default();
    for client in listener.incoming() {
        let (client, uploads) = (client?, Arc::clone(&uploads));
        // A connection that fails concerns only the browser, which reports it.
        thread::spawn(move || serve(&client, harness, &uploads));
    }
    Ok(())
}

/// Responds to the requests of one connection, until the browser closes it.
fn serve(client: &TcpStream, harness: u16, uploads: &Mutex<Uploads>) -> io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client);
    let mut buffer = vec![0; READ_BYTES];
    let mut upstream = None;
    while let Some(head) = read_head(&mut reader)? {
        let arrived = SystemTime::now().duration_since(UNIX_EPOCH);
        let arrived = arrived.unwrap_or_default().as_secs_f64() * 1000.0;
        let lock = || uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let mut line = head.text.split(' ');
        match (line.next().unwrap_or(""), line.next().unwrap_or("")) {
            ("POST", "/image-to-3d-sessions") => {
                let bodies = lock().bodies;
                let mut body = Vec::new();
                let mut bytes = 0;
                while bytes < head.content_length {
                    let most = buffer.len().min(head.content_length - bytes);
                    let count = reader.read(&mut buffer[..most])?;
                    if count == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    bytes += count;
                    if bodies == Bodies::Keep {
                        body.extend_from_slice(&buffer[..count]);
                    }
                }
                {
                    let mut uploads = lock();
                    uploads.received.push(Upload { arrived, bytes });
                    uploads.last_body = body;
                }
                let session = br#"{"data":{"session_code":"SESSION_1","status":"queued"}}"#;
                respond(client, "201 Created", session)?;
            }
            ("POST", path @ ("/uploads/keep" | "/uploads/discard")) => {
                *lock() = Uploads {
                    bodies: match path {
                        "/uploads/keep" => Bodies::Keep,
                        _ => Bodies::Discard,
                    },
                    ..Uploads::default()
                };
                respond(client, "200 OK", b"{}")?;
            }
            ("GET", "/uploads") => {
                let list: Vec<_> = lock()
                    .received
                    .iter()
                    .map(|Upload { arrived, bytes }| {
                        format!(r#"{{"arrived":{arrived},"bytes":{bytes}}}"#)
                    })
                    .collect();
                respond(client, "200 OK", format!("[{}]", list.join(",")).as_bytes())?;
            }
            ("GET", "/uploads/body") => respond(client, "200 OK", &lock().last_body)?,
            _ => {
                let harness = match &mut upstream {
                    Some(harness) => harness,
                    none => {
                        none.insert(BufReader::new(TcpStream::connect(("127.0.0.1", harness))?))
                    }
                };
                pass_on(&head, &mut reader, harness.get_mut())?;
                let response = read_head(harness)?.ok_or(io::ErrorKind::UnexpectedEof)?;
                pass_on(&response, harness, client)?;
            }
        }
    }
    Ok(())
}

/// Reads the head of a message. Returns `None` if the connection was closed before it.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut text = String::new();
    let mut content_length = 0;
    loop {
        let start = text.len();
        if reader.read_line(&mut text)? == 0 {
            return Ok(None);
        }
        let line = text[start..].trim_end();
        if line.is_empty() {
            return Ok(Some(Head {
                text,
                content_length,
            }));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            content_length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
}

/// Writes a message, whose body is still to be read.
fn pass_on(head: &Head, body: &mut impl Read, mut to: impl Write) -> io::Result<()> {
    to.write_all(head.text.as_bytes())?;
    io::copy(&mut body.take(head.content_length as u64), &mut to)?;
    Ok(())
}

fn respond(mut client: &TcpStream, status: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n\
         content-length: {length}\r\n\r\n"
    );
    // In one write: a second packet would take its own wake-up of the browser.
    client.write_all(&[head.as_bytes(), body].concat())
}
