//! A minimal HTTP/1.1 server: one thread and one request per connection.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A request with its whole body.
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Keyed by lower-case name.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// Returns the body as JSON, or `null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Returns the file in a field of a `multipart/form-data` body.
    pub fn file_of_form(&self, name: &str) -> Option<&[u8]> {
        let (_, boundary) = self.header("content-type").split_once("boundary=")?;
        let find = |from: usize, text: &str| {
            let mut windows = self.body[from..].windows(text.len());
            Some(from + windows.position(|bytes| bytes == text.as_bytes())?)
        };
        let head = find(0, &format!("name=\"{name}\"; filename="))?;
        let start = find(head, "\r\n\r\n")? + 4;
        let end = find(start, &format!("\r\n--{boundary}"))?;
        Some(&self.body[start..end])
    }

    /// Returns the value of a field of a `multipart/form-data` body.
    pub fn field_of_form(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body);
        let (_, rest) = text.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
        Some(rest.split_once("\r\n")?.0.to_owned())
    }

    /// Panics if the request has one of these headers.
    pub fn assert_without(&self, names: &[&str]) {
        for name in names {
            assert_eq!(self.header(name), "", "unexpected header {name}");
        }
    }
}

/// The server's reaction to a request.
pub enum Reply {
    /// Sends status, headers and body.
    Response(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Closes the connection without a response.
    Reset,
    /// Waits, then closes the connection without a response.
    Silence(Duration),
    /// Waits, then continues with the other reply.
    Delayed(Duration, Box<Reply>),
    /// Sends a body without length or end.
    Endless,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self::Response(status, headers, body.to_string().into_bytes())
    }

    pub fn text(status: u16, body: &str) -> Self {
        let headers = vec![("content-type", "text/plain; charset=utf-8".to_owned())];
        Self::Response(status, headers, body.into())
    }

    pub fn bytes(body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/octet-stream".to_owned())];
        Self::Response(200, headers, body)
    }

    /// Adds a header to a response.
    pub fn with_header(self, name: &'static str, value: impl ToString) -> Self {
        match self {
            Self::Response(status, mut headers, body) => {
                headers.push((name, value.to_string()));
                Self::Response(status, headers, body)
            }
            other => other,
        }
    }
}

/// Serves on a free loopback port until the process ends, and returns `127.0.0.1:<port>`.
pub fn serve(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let handler = Arc::new(handler);
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Some tests kill the client in the middle of a request.
            let Ok(stream) = stream else { continue };
            let handler = handler.clone();
            thread::spawn(move || handle_connection(stream, &*handler).ok());
        }
    });
    host
}

fn handle_connection(mut stream: TcpStream, handler: &dyn Fn(&Request) -> Reply) -> io::Result<()> {
    let request = read_request(&stream)?;
    let mut reply = handler(&request);
    while let Reply::Delayed(time, next) = reply {
        thread::sleep(time);
        reply = *next;
    }
    match reply {
        Reply::Delayed(..) | Reply::Reset => Ok(()),
        Reply::Silence(time) => {
            thread::sleep(time);
            Ok(())
        }
        Reply::Endless => {
            stream.write_all(b"HTTP/1.1 200 Any\r\nconnection: close\r\n\r\n")?;
            let zeros = vec![0; 1 << 20];
            loop {
                stream.write_all(&zeros)?;
            }
        }
        Reply::Response(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Any\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            stream.write_all(head.as_bytes())?;
            stream.write_all(&body)?;
            stream.flush()
        }
    }
}

/// Reads a line. Fails if the connection ends before it does, as when a test kills the client.
fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    match line.ends_with("\r\n") {
        true => Ok(line),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

fn read_request(stream: &TcpStream) -> io::Result<Request> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let line = read_line(&mut reader)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = HashMap::new();
    loop {
        let line = read_line(&mut reader)?;
        if line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Request {
        method: method.into(),
        path: path.into(),
        query: query.into(),
        headers,
        body,
    })
}
