//! Accepts connections within the limits on their number.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::Envelope;
use hyper::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::connections::{Connection, Connections};
use crate::notice::Notice;

/// The pause after a connection could not be accepted.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// How many rejected connections may be open to receive their response.
const MAX_REJECTED: usize = 16;

/// How long a rejected connection may be open.
const REJECTED_TIMEOUT: Duration = Duration::from_secs(1);

/// Accepts connections, and responds with status 503 to those above the limits.
pub struct Acceptor {
    listener: TcpListener,
    connections: Arc<Connections>,
    rejected: Arc<Semaphore>,
    errors: Notice,
}

impl Acceptor {
    /// Creates an acceptor of the connections to `listener`.
    pub fn new(listener: TcpListener, connections: Arc<Connections>) -> Self {
        Self {
            listener,
            connections,
            rejected: Arc::new(Semaphore::new(MAX_REJECTED)),
            errors: Notice::default(),
        }
    }

    /// Waits for the next connection within the limits. Returns it with the address of its peer.
    pub async fn accept(&mut self) -> (TcpStream, IpAddr, Connection) {
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok((stream, peer)) => (stream, peer.ip()),
                Err(error) => {
                    self.errors
                        .report(|| format!("Cannot accept a connection: {error}"));
                    // Too many open files, for example.
                    self.connections.close_waiting();
                    sleep(ERROR_PAUSE).await;
                    continue;
                }
            };
            match self.connections.admit(peer).await {
                Ok(connection) => return (stream, peer, connection),
                Err(_) => self.reject(stream),
            }
        }
    }

    /// Sends a response with status 503, if few others are being sent, and closes the connection.
    fn reject(&self, stream: TcpStream) {
        if let Ok(permit) = self.rejected.clone().try_acquire_owned() {
            tokio::spawn(async move {
                // The peer may have gone.
                let _ = timeout(REJECTED_TIMEOUT, send_rejection(stream)).await;
                drop(permit);
            });
        }
    }
}

/// Sends the response, and discards the request: a connection that is closed with unread data never
/// shows its response to the peer.
async fn send_rejection(mut stream: TcpStream) -> std::io::Result<()> {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let body = serde_json::to_string(&Envelope {
        error: status.canonical_reason().unwrap_or_default().to_owned(),
        message: "The server has too many connections: try again later".to_owned(),
        status_code: status.as_u16(),
        code: None,
        data: Value::Null,
    })?;
    let response = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: 1\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    let mut buffer = [0; 4096];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
