//! What each connection waits for, and since when.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::chunks::ResponseBody;

/// A part of an exchange between a peer and the server.
#[derive(Clone, Copy, PartialEq)]
pub enum Phase {
    /// The peer has to send the head of a request. The body of a rejected request may still arrive.
    AwaitingRequest,
    /// The peer has to send the body of a request.
    ReceivingBody,
    /// The server has to respond.
    Handling,
    /// The peer has to read the response.
    Responding,
}

/// What a connection waits for. Those that wait for a request are closed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiting {
    /// Waits for the head of a request.
    ForRequest,
    /// Waits until the peer sends more of a body, or reads more of a response.
    ForProgress,
}

/// The activity of one connection.
pub struct Activity {
    state: Mutex<State>,
    close: Notify,
}

struct State {
    phase: Phase,
    /// The peer does not read what was sent to it.
    is_write_blocked: bool,
    /// The time of the last progress.
    since: Instant,
    is_closing: bool,
    is_authorized: bool,
}

impl Activity {
    /// Creates the activity of a connection that was just accepted.
    pub fn new() -> Self {
        let state = State {
            phase: Phase::AwaitingRequest,
            is_write_blocked: false,
            since: Instant::now(),
            is_closing: false,
            is_authorized: false,
        };
        Self {
            state: Mutex::new(state),
            close: Notify::new(),
        }
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = phase;
        // Handling more requests is no progress of a peer that does not read the responses.
        if !state.is_write_blocked {
            state.since = Instant::now();
        }
    }

    /// Returns whether the connection was asked to close.
    pub fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    /// Returns what the connection waits for, and since when. Returns `None` if it waits for the
    /// server.
    pub fn waiting(&self) -> Option<(Waiting, Instant)> {
        let state = self.state();
        let waiting = match state.phase {
            _ if state.is_write_blocked => Waiting::ForProgress,
            Phase::Handling => return None,
            Phase::AwaitingRequest => Waiting::ForRequest,
            Phase::ReceivingBody | Phase::Responding => Waiting::ForProgress,
        };
        Some((waiting, state.since))
    }

    /// Returns whether a request on the connection was authorized.
    pub fn is_authorized(&self) -> bool {
        self.state().is_authorized
    }

    /// Asks the connection to close.
    pub fn close(&self) {
        self.state().is_closing = true;
        self.close.notify_one();
    }

    /// Waits until the connection is asked to close.
    pub async fn closed(&self) {
        self.close.notified().await;
    }

    fn add_read(&self) {
        let mut state = self.state();
        // A head that arrives byte by byte must not keep a connection from being closed.
        if state.phase == Phase::ReceivingBody {
            state.since = Instant::now();
        }
    }

    fn add_write(&self, written: &Poll<io::Result<usize>>) {
        let mut state = self.state();
        state.is_write_blocked = written.is_pending();
        if written.is_ready() {
            state.since = Instant::now();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An exchange in progress. Its connection awaits the next request when it is dropped.
pub struct Exchange(Arc<Activity>);

impl Exchange {
    /// Starts an exchange whose request the server handles.
    pub fn start(activity: Arc<Activity>) -> Self {
        activity.enter(Phase::Handling);
        Self(activity)
    }

    /// Enters the next phase.
    pub fn enter(&self, phase: Phase) {
        self.0.enter(phase);
    }

    /// Starts to receive the body of an authorized request.
    pub fn receive_body(&self) {
        self.0.state().is_authorized = true;
        self.enter(Phase::ReceivingBody);
    }

    /// Ends the exchange when the returned body is dropped, which is when the whole response was
    /// handed to the connection.
    pub fn end_with(self, body: ResponseBody) -> ResponseBody {
        self.enter(Phase::Responding);
        // `map_err` keeps the length of the body, and its closure lives as long as the body.
        let keep_exchange = move |error| {
            let _exchange = &self;
            error
        };
        body.map_err(keep_exchange).boxed_unsync()
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.enter(Phase::AwaitingRequest);
    }
}

/// A stream that reports its reads and writes to the activity of its connection.
pub struct TrackedStream<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> TrackedStream<S> {
    /// Wraps a stream.
    pub fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TrackedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.activity.add_read();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TrackedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.activity.add_write(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        self.activity.add_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
