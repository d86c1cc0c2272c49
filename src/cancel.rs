//! Cancellation of calls by the caller's signal or by the timeout.

use alloc::format;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::error::{CallError, ErrorKind, Failure, Result};
use crate::js::format_number;
use crate::timer::{LONGEST_TIMER, Timer, new_promise};

/// Runs a future until it completes, the signal is aborted or the timeout (in milliseconds) elapses.
///
/// A cancelled future is dropped and has to release its resources on drop. The listener and the
/// timer are removed in any case.
pub async fn run_until_cancelled(
    signal: Option<&AbortSignal>,
    timeout: f64,
    future: impl Future<Output = Result<JsValue>>,
) -> Result<JsValue> {
    let aborted = || signal.filter(|signal| signal.aborted());
    // A signal that was aborted earlier sends no event.
    if let Some(signal) = aborted() {
        return Err(CallError::Js(signal.reason()));
    }
    let (cancelled, cancel) = new_promise();
    let _listener = signal.map(|signal| AbortListener::new(signal, &cancel));
    let _timer = (timeout <= LONGEST_TIMER).then(|| Timer::new(&cancel, timeout));

    let mut cancelled = pin!(JsFuture::from(cancelled));
    let mut future = pin!(future);
    poll_fn(|context| {
        if let Poll::Ready(result) = future.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        cancelled.as_mut().poll(context).map(|_| {
            Err(match aborted() {
                Some(signal) => CallError::Js(signal.reason()),
                None => timed_out(timeout),
            })
        })
    })
    .await
}

fn timed_out(timeout: f64) -> CallError {
    let message = format!("Timed out after {} ms", format_number(timeout));
    Failure::new(ErrorKind::Timeout, message).into()
}

/// Calls a function when the signal is aborted, unless it is dropped before.
struct AbortListener<'a> {
    signal: &'a AbortSignal,
    function: Function,
}

impl<'a> AbortListener<'a> {
    fn new(signal: &'a AbortSignal, function: &Function) -> Self {
        let _ = signal.add_event_listener_with_callback("abort", function);
        Self {
            signal,
            function: function.clone(),
        }
    }
}

impl Drop for AbortListener<'_> {
    fn drop(&mut self) {
        let _ = self
            .signal
            .remove_event_listener_with_callback("abort", &self.function);
    }
}
