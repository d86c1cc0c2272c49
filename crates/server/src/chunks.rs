//! Response bodies that are sent in chunks with pauses, and bodies that end too early.

use std::error::Error;
use std::time::Duration;

use api::ChunkPlan;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;

/// The body of a response. An error in it closes the connection.
pub type ResponseBody = UnsyncBoxBody<Bytes, BodyError>;

type BodyError = Box<dyn Error + Send + Sync>;

/// Returns a body that is sent in the chunks of `plan`. Closes the connection if the plan is shorter
/// than the body.
pub fn chunked(body: &Bytes, plan: ChunkPlan) -> ResponseBody {
    let starts = (0..plan.length).step_by(plan.chunk_size);
    let chunk = |start| body.slice(start..plan.length.min(start + plan.chunk_size));
    let mut chunks: Vec<_> = starts.map(|start| Ok(chunk(start))).collect();
    if plan.length < body.len() {
        chunks.push(Err("The body is truncated on request".into()));
    }
    paced(chunks, Duration::from_millis(plan.pause.into()))
}

/// Sends the chunks with a pause before each but the first.
fn paced(chunks: Vec<Result<Bytes, BodyError>>, pause: Duration) -> ResponseBody {
    let chunks = chunks.into_iter().enumerate();
    let stream = stream::unfold(chunks, move |mut chunks| async move {
        let (index, chunk) = chunks.next()?;
        if index > 0 {
            tokio::time::sleep(pause).await;
        }
        Some((chunk.map(Frame::data), chunks))
    });
    StreamBody::new(stream).boxed_unsync()
}
