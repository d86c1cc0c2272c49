//! Bodies that come in pieces, with pauses.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame};

use crate::http::Pieces;

const SLOW_PIECES: usize = 20;
const SLOW_PAUSE: Duration = Duration::from_millis(150);
/// Enough for the first half to be on its way before the connection is closed.
const HALF_PAUSE: Duration = Duration::from_millis(50);

/// The whole body, over some three seconds.
pub fn slow(body: Bytes) -> Pieces {
    let size = body.len().div_ceil(SLOW_PIECES).max(1);
    let starts = (0..body.len()).step_by(size);
    let pieces = starts.map(|start| Ok(body.slice(start..body.len().min(start + size))));
    paced(pieces.collect(), SLOW_PAUSE)
}

/// Half of the body, and then the connection's end.
pub fn half(body: Bytes) -> Pieces {
    let half = body.slice(..body.len() / 2);
    paced(
        vec![Ok(half), Err("asked for by the key".into())],
        HALF_PAUSE,
    )
}

/// The pieces, each but the first after a pause.
fn paced(pieces: Vec<Result<Bytes, <Pieces as Body>::Error>>, pause: Duration) -> Pieces {
    let pieces = pieces.into_iter().enumerate();
    let stream = stream::unfold(pieces, move |mut pieces| async move {
        let (at, piece) = pieces.next()?;
        if at > 0 {
            tokio::time::sleep(pause).await;
        }
        Some((piece.map(Frame::data), pieces))
    });
    StreamBody::new(stream).boxed_unsync()
}
