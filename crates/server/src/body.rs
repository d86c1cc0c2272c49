//! Request bodies: read from accepted senders, discarded from rejected ones.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::timeout;

/// Time limit for the body of an accepted request: 64 MiB take less than 10 minutes at 1 Mbit/s, as
/// on a slow phone.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Time limit for the body of a rejected request.
pub const DISCARD_TIMEOUT: Duration = Duration::from_secs(2 * 60);

/// By how many bytes a discarded body may exceed the limit of one that is read.
const DISCARD_SLACK: usize = 1024 * 1024;

/// The most memory that a declared content length reserves in advance, in bytes.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// Reads a whole body. Returns `None` if it exceeds `limit` bytes; even then it is read to its end,
/// because a client that is cut off while sending never sees the response.
///
/// # Errors
/// Fails if the connection breaks, or if the body does not arrive within `time`.
pub async fn read<B>(body: B, limit: usize, time: Duration) -> anyhow::Result<Option<Vec<u8>>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    let body = timeout(time, collect(body, limit)).await;
    Ok(body.context("The request body did not arrive in time")??)
}

async fn collect<B>(mut body: B, limit: usize) -> Result<Option<Vec<u8>>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    // Reserving the declared length spares a photo from being copied as the buffer grows.
    let expected = body.size_hint().lower().min(limit as u64).min(MAX_RESERVED);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or_default());
    let mut fits = true;
    while let Some(frame) = body.frame().await {
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
/// body exceeds `limit` bytes by more than 1 MiB, or does not arrive within `time`.
pub async fn discard<B>(mut body: B, limit: usize, time: Duration)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = limit.saturating_add(DISCARD_SLACK);
    let drain = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Dropping a body that was not read to its end closes the connection.
    let _ = timeout(time, drain).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    /// A body that never sends anything.
    fn silent() -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>())
    }

    #[tokio::test]
    async fn a_silent_body_times_out() {
        let short = Duration::from_millis(1);
        let error = read(silent(), 10, short).await.unwrap_err();
        assert_eq!(error.to_string(), "The request body did not arrive in time");
        discard(silent(), 10, short).await;
    }
}
