//! Serves HTTP on one stream, within time limits.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::HttpService;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_io_timeout::TimeoutStream;

use crate::activity::{Activity, TrackedStream};
use crate::body::BodyTime;
use crate::chunks::ResponseBody;

/// How long a connection waits for its peer.
pub struct TimeLimits {
    /// For the whole head of a request, also of the next one on a connection.
    pub head: Duration,
    /// For the body of an accepted request.
    pub body: BodyTime,
    /// For the body of a rejected request.
    pub discarded_body: BodyTime,
    /// Until the peer reads more of a response. A slow reader may get new data only when it has read
    /// a third of what the system buffers, which can be several MiB.
    pub write: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            body: BodyTime::READ,
            discarded_body: BodyTime::DISCARD,
            write: Duration::from_secs(60),
        }
    }
}

/// Serves HTTP on a stream until the peer closes it, the server shuts down, a time limit is exceeded,
/// or the activity is asked to close.
pub async fn serve_stream<S>(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    service: S,
    activity: &Arc<Activity>,
    limits: &TimeLimits,
    watcher: Watcher,
) where
    S: HttpService<Incoming, ResBody = ResponseBody> + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let mut stream = TimeoutStream::new(TrackedStream::new(stream, activity.clone()));
    stream.set_write_timeout(Some(limits.write));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .serve_connection(TokioIo::new(Box::pin(stream)), service);
    tokio::select! {
        // Errors are the client's, or faults that the client requested.
        _ = watcher.watch(connection) => {}
        () = activity.closed() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use http_body_util::{BodyExt, Full};
    use hyper::Response;
    use hyper::service::service_fn;
    use hyper_util::server::graceful::GracefulShutdown;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::activity::{Exchange, Waiting};

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    /// How much a peer may leave unread before the server's writes block.
    const BUFFER_SIZE: usize = 64 * 1024;

    /// The peer of a server that sends `response_size` bytes for each request.
    struct Peer {
        stream: DuplexStream,
        activity: Arc<Activity>,
        start: Instant,
        served: JoinHandle<()>,
    }

    impl Peer {
        fn start(response_size: usize) -> Self {
            let (stream, server) = duplex(BUFFER_SIZE);
            let activity = Arc::new(Activity::new());
            let tracked = activity.clone();
            let served = tokio::spawn(async move {
                let activity = tracked.clone();
                let service = service_fn(move |_| {
                    let exchange = Exchange::start(activity.clone());
                    let body = Full::from(vec![b'x'; response_size]);
                    let body = body.map_err(|never: Infallible| match never {});
                    let body = exchange.end_with(body.boxed_unsync());
                    async { Ok::<_, Infallible>(Response::new(body)) }
                });
                let (limits, graceful) = (TimeLimits::default(), GracefulShutdown::new());
                serve_stream(server, service, &tracked, &limits, graceful.watcher()).await;
            });
            Self {
                stream,
                activity,
                start: Instant::now(),
                served,
            }
        }

        async fn send(&mut self, bytes: &[u8]) {
            self.stream.write_all(bytes).await.unwrap();
        }

        async fn read(&mut self, size: usize) -> Vec<u8> {
            let mut bytes = vec![0; size];
            self.stream.read_exact(&mut bytes).await.unwrap();
            bytes
        }

        /// Waits until the server has done what it can.
        async fn settle(&self) {
            sleep(Duration::from_millis(1)).await;
        }

        /// Returns after how many seconds the server closes the connection.
        async fn seconds_until_closed(self) -> u64 {
            self.served.await.unwrap();
            self.start.elapsed().as_secs()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn closes_a_silent_connection() {
        assert_eq!(Peer::start(1).seconds_until_closed().await, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn closes_a_connection_whose_head_arrives_byte_by_byte() {
        let mut peer = Peer::start(1);
        for byte in &REQUEST[..25] {
            peer.send(&[*byte]).await;
            sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(
            peer.activity.waiting().unwrap(),
            (Waiting::ForRequest, peer.start)
        );
        assert_eq!(peer.seconds_until_closed().await, 30);
    }

    #[tokio::test(start_paused = true)]
    async fn closes_an_idle_connection() {
        let mut peer = Peer::start(1);
        sleep(Duration::from_secs(20)).await;
        peer.send(REQUEST).await;
        peer.settle().await;
        assert_eq!(peer.activity.waiting().unwrap().0, Waiting::ForRequest);
        assert_eq!(peer.seconds_until_closed().await, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn closes_a_connection_whose_peer_does_not_read_a_response() {
        let mut peer = Peer::start(10 * BUFFER_SIZE);
        peer.send(REQUEST).await;
        peer.settle().await;
        assert_eq!(peer.activity.waiting().unwrap().0, Waiting::ForProgress);
        assert_eq!(peer.seconds_until_closed().await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn closes_a_connection_whose_peer_does_not_read_pipelined_responses() {
        let mut peer = Peer::start(1000);
        for _ in 0..1000 {
            peer.send(REQUEST).await;
        }
        peer.settle().await;
        assert_eq!(peer.activity.waiting().unwrap().0, Waiting::ForProgress);
        assert_eq!(peer.seconds_until_closed().await, 60);
    }

    #[tokio::test(start_paused = true)]
    async fn sends_a_large_response_to_a_slow_reader() {
        let parts = 30;
        let mut peer = Peer::start(parts * BUFFER_SIZE);
        peer.send(REQUEST).await;
        for _ in 0..parts {
            sleep(Duration::from_secs(50)).await;
            peer.read(BUFFER_SIZE).await;
        }
        let mut rest = Vec::new();
        peer.stream.read_to_end(&mut rest).await.unwrap();
        assert!(rest.ends_with(b"x"));
    }

    #[tokio::test(start_paused = true)]
    async fn closes_a_connection_on_demand() {
        let peer = Peer::start(1);
        peer.activity.close();
        assert_eq!(peer.seconds_until_closed().await, 0);
    }
}
