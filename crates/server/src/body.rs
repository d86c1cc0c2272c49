//! Request bodies: read from accepted senders, discarded from rejected ones.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::timeout;

/// How long a request body may take.
#[derive(Clone, Copy)]
pub struct BodyTime {
    /// From its first byte to its last.
    pub total: Duration,
    /// Until the first byte, and between two parts that arrive.
    pub pause: Duration,
}

impl BodyTime {
    /// Time for the body of an accepted request: 64 MiB take less than 10 minutes at 1 Mbit/s, as on a
    /// slow phone, which may lose its network for some seconds.
    pub const READ: Self = Self {
        total: Duration::from_secs(10 * 60),
        pause: Duration::from_secs(30),
    };

    /// Time for the body of a rejected request.
    pub const DISCARD: Self = Self {
        total: Duration::from_secs(2 * 60),
        ..Self::READ
    };
}

/// By how many bytes a discarded body may exceed the limit of one that is read.
const DISCARD_SLACK: usize = 1024 * 1024;

/// The error for a body that takes too long.
const LATE: &str = "The request body did not arrive in time";

/// The most memory that a declared content length reserves in advance, in bytes.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// Reads a whole body. Returns `None` if it exceeds `limit` bytes; even then it is read to its end,
/// because a client that is cut off while sending never sees the response.
///
/// # Errors
/// Fails if the connection breaks, or if the body takes longer than `time`.
pub async fn read<B>(body: B, limit: usize, time: BodyTime) -> anyhow::Result<Option<Vec<u8>>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    let body = timeout(time.total, collect(body, limit, time.pause)).await;
    body.context(LATE)?
}

async fn collect<B>(mut body: B, limit: usize, pause: Duration) -> anyhow::Result<Option<Vec<u8>>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    // Reserving the declared length spares a photo from being copied as the buffer grows.
    let expected = body.size_hint().lower().min(limit as u64).min(MAX_RESERVED);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let mut fits = true;
    while let Some(frame) = timeout(pause, body.frame()).await.context(LATE)? {
        if let Ok(data) = frame?.into_data() {
            fits &= bytes.len() + data.len() <= limit;
            if fits {
                bytes.extend_from_slice(&data);
            } else {
                bytes = Vec::new();
            }
        }
    }
    Ok(fits.then_some(bytes))
}

/// Reads a body and drops it, so that its sender sees the response. Closes the connection if the
/// body exceeds `limit` bytes by more than 1 MiB, or takes longer than `time`.
pub async fn discard<B>(mut body: B, limit: usize, time: BodyTime)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = limit.saturating_add(DISCARD_SLACK);
    let drain = async {
        while let Ok(Some(Ok(frame))) = timeout(time.pause, body.frame()).await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Dropping a body that was not read to its end closes the connection.
    let _ = timeout(time.total, drain).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http_body_util::StreamBody;
    use hyper::body::Frame;
    use tokio::time::{Instant, sleep};

    use super::*;

    /// A body that never sends anything.
    fn silent() -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>())
    }

    /// Sends a byte after each pause.
    fn paused(pauses: Vec<u64>) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        let frames = stream::iter(pauses).then(|pause| async move {
            sleep(Duration::from_secs(pause)).await;
            Ok(Frame::data(Bytes::from_static(b"x")))
        });
        StreamBody::new(Box::pin(frames))
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_body_times_out_after_30_s() {
        let start = Instant::now();
        let error = read(silent(), 10, BodyTime::READ).await.unwrap_err();
        assert_eq!(error.to_string(), LATE);
        assert_eq!(start.elapsed().as_secs(), 30);
        discard(silent(), 10, BodyTime::DISCARD).await;
        assert_eq!(start.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stalls_times_out_after_30_s() {
        let body = || paused(vec![20, 20, 10_000]);
        let start = Instant::now();
        let error = read(body(), 10, BodyTime::READ).await.unwrap_err();
        assert_eq!(error.to_string(), LATE);
        assert_eq!(start.elapsed().as_secs(), 70);
        discard(body(), 10, BodyTime::DISCARD).await;
        assert_eq!(start.elapsed().as_secs(), 140);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_may_take_10_minutes() {
        let accepted = read(paused(vec![25; 23]), 100, BodyTime::READ).await;
        assert_eq!(accepted.unwrap().unwrap().len(), 23);
        let start = Instant::now();
        let error = read(paused(vec![25; 25]), 100, BodyTime::READ).await;
        assert_eq!(error.unwrap_err().to_string(), LATE);
        assert_eq!(start.elapsed().as_secs(), 600);
    }
}
