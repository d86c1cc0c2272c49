//! Cancellation of calls by the caller's signal or by the timeout.

use futures_channel::oneshot;
use futures_lite::future;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal};

use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::js::{call_method, field, format_number};
use crate::timer::elapse;

/// Runs a future until it completes, the signal is aborted or the timeout (in milliseconds) elapses.
///
/// A cancelled future is dropped and has to release its resources on drop. The listener and the
/// timer are removed in any case.
pub async fn run_until_cancelled(
    signal: Option<&JsValue>,
    timeout: f64,
    future: impl Future<Output = Result<JsValue>>,
) -> Result<JsValue> {
    if let Some(signal) = signal {
        throw_if_aborted(signal)?;
    }
    let cancelled = future::or(aborted(signal), timed_out(timeout));
    future::or(future, cancelled).await
}

/// Waits until the signal is aborted, and returns its reason as the error.
async fn aborted(signal: Option<&JsValue>) -> Result<JsValue> {
    let Some(signal) = signal else {
        return future::pending().await;
    };
    let (abort, on_abort) = oneshot::channel::<()>();
    let _listener = AbortListener::new(signal, abort)?;
    // A function of the caller may have aborted it before the listener was added.
    throw_if_aborted(signal)?;
    // Fails if the sender was dropped, which only the event does.
    let _ = on_abort.await;
    Err(CallError::Js(field(signal, "reason")))
}

/// Fails with the signal's reason if the signal is aborted. A signal that was aborted earlier sends
/// no event.
pub fn throw_if_aborted(signal: &JsValue) -> Result<()> {
    if field(signal, "aborted").is_truthy() {
        return Err(CallError::Js(field(signal, "reason")));
    }
    Ok(())
}

/// Waits until the timeout elapses, and returns the error.
async fn timed_out(timeout: f64) -> Result<JsValue> {
    elapse(timeout).await;
    let message = format!("Timed out after {} ms", format_number(timeout));
    Err(Failure::new(ErrorCode::Timeout, message).into())
}

/// Aborts a request, or other work with a signal, when it is dropped, unless it is disarmed.
pub struct AbortOnDrop(Option<AbortController>);

impl AbortOnDrop {
    /// Creates a controller.
    pub fn new() -> std::result::Result<Self, JsValue> {
        Ok(Self(Some(AbortController::new()?)))
    }

    /// Returns the signal of the controller; `None` once it is disarmed.
    pub fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }

    /// Lets work that is complete end by itself: browsers list an aborted one as cancelled, and
    /// discard its response.
    pub fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}

/// Listens for the abort of a signal until it is dropped.
///
/// The listener of gloo-events panics if the signal is not an `EventTarget`, which the signals of
/// other libraries need not be.
struct AbortListener<'a> {
    signal: &'a JsValue,
    function: Closure<dyn FnMut()>,
}

impl<'a> AbortListener<'a> {
    fn new(signal: &'a JsValue, abort: oneshot::Sender<()>) -> Result<Self> {
        // Fails if the call has ended in the same turn.
        let function = Closure::once(move || abort.send(()).unwrap_or_default());
        let listener = Self { signal, function };
        listener.call("addEventListener")?;
        Ok(listener)
    }

    fn call(&self, method: &str) -> Result<JsValue, JsValue> {
        let arguments = Array::of2(&"abort".into(), self.function.as_ref());
        call_method(self.signal, method, &arguments)
    }
}

impl Drop for AbortListener<'_> {
    fn drop(&mut self) {
        // Nothing can be done about a signal that refuses.
        let _ = self.call("removeEventListener");
    }
}
