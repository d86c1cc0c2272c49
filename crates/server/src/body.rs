//! The bodies of requests: kept for who may come in, and for nobody else.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::timeout;

/// How long a whole body may take: 10 minutes. 64 MiB come within it at 1 Mbit/s, as from a slow
/// phone.
pub const TIME: Duration = Duration::from_secs(10 * 60);

/// How long a body may take that nobody keeps: 2 minutes.
pub const TIME_OF_STRANGERS: Duration = Duration::from_secs(2 * 60);

/// By how much a body that nobody keeps may be larger than one that is kept, in bytes.
const SLACK: usize = 1024 * 1024;

/// As much room as is made for a body on its sender's word alone, in bytes.
const RESERVED: u64 = 8 * 1024 * 1024;

/// The whole body, or `None` where it is larger than the limit. It is read to its end even then:
/// a client that is cut off while it sends never sees the answer.
///
/// # Errors
/// It broke off, or did not come within this time.
pub async fn read<B>(body: B, limit: usize, time: Duration) -> anyhow::Result<Option<Vec<u8>>>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Error + Send + Sync + 'static,
{
    let whole = timeout(time, whole(body, limit)).await;
    Ok(whole.context("the body did not come in time")??)
}

async fn whole<B>(mut body: B, limit: usize) -> Result<Option<Vec<u8>>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    // What is to come is known mostly; a photo then is not copied as it grows.
    let expected = body.size_hint().lower().min(limit as u64).min(RESERVED);
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

/// Takes a body in and keeps nothing of it, so that its sender sees the answer. One that is larger
/// than the limit and some slack, or does not come within this time, ends the connection.
pub async fn discard<B>(mut body: B, limit: usize, time: Duration)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = limit.saturating_add(SLACK);
    let taken = async {
        while let Some(Ok(frame)) = body.frame().await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    // Either way the body is dropped here, and where it was not whole the connection with it.
    let _ = timeout(time, taken).await;
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    /// A body of which nothing comes.
    fn silent() -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>())
    }

    #[tokio::test]
    async fn nobody_is_waited_for_without_end() {
        let short = Duration::from_millis(1);
        let error = read(silent(), 10, short).await.unwrap_err();
        assert_eq!(error.to_string(), "the body did not come in time");
        discard(silent(), 10, short).await;
    }
}
