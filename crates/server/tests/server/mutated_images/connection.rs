//! A connection on which requests follow each other.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Response, SESSIONS, connect, image_body, parse, session_code};

/// A connection that is opened again after a failure.
pub struct Connection<'a> {
    host: &'a str,
    stream: Option<TcpStream>,
}

impl<'a> Connection<'a> {
    /// Creates a connection that the first request opens.
    pub fn new(host: &'a str) -> Self {
        Self { host, stream: None }
    }

    /// Sends an image. Returns the session's code, or `None` if the image is rejected.
    pub fn create(&mut self, file: &[u8]) -> Result<Option<String>, String> {
        let media_type =
            contract::ImageFormat::detect(file).map_or("image/png", |format| format.media_type());
        let body = image_body(media_type, file).to_string();
        let response = self.send("POST", SESSIONS, &body)?;
        match response.status {
            201 => Ok(Some(session_code(&response.json()["data"]))),
            400 | 413 | 429 | 503 => Ok(None),
            status => Err(format!("{status}: {}", response.message())),
        }
    }

    /// Deletes a session.
    pub fn delete(&mut self, code: &str) -> Result<(), String> {
        let response = self.send("DELETE", &format!("{SESSIONS}/{code}"), "")?;
        match response.status {
            200..300 => Ok(()),
            status => Err(format!(
                "deleting its session: {status}: {}",
                response.message()
            )),
        }
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Result<Response, String> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let response = self.exchange(request.as_bytes());
        if response.is_err() {
            self.stream = None;
        }
        response
    }

    /// Sends a request, and reads the response up to its end rather than the connection's.
    fn exchange(&mut self, request: &[u8]) -> Result<Response, String> {
        let failed = |error| format!("the connection broke: {error}");
        let stream = match &mut self.stream {
            Some(stream) => stream,
            None => self.stream.insert(connect(self.host).map_err(failed)?),
        };
        stream.write_all(request).map_err(failed)?;
        let mut bytes = Vec::new();
        let mut buffer = [0; 64 * 1024];
        loop {
            match stream.read(&mut buffer).map_err(failed)? {
                0 => return Err("the connection was closed without a response".into()),
                length => bytes.extend(&buffer[..length]),
            }
            if let Some(response) = parse(&bytes) {
                return Ok(response);
            }
        }
    }
}
