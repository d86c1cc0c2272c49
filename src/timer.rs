//! Pauses, and time limits of single steps.

use futures_lite::future;
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::*;

use crate::js::await_value;

/// The longest delay of a browser's timer in milliseconds: it is stored in 31 bits.
pub const LONGEST_TIMER: f64 = i32::MAX as f64;

/// Waits for a number of milliseconds, for at most [`LONGEST_TIMER`]. Dropping the future clears the
/// timer.
pub fn sleep(milliseconds: f64) -> TimeoutFuture {
    TimeoutFuture::new(milliseconds.clamp(0.0, LONGEST_TIMER) as u32)
}

/// Waits for a number of milliseconds, or for ever if it is more than [`LONGEST_TIMER`].
pub async fn elapse(milliseconds: f64) {
    if milliseconds > LONGEST_TIMER {
        return future::pending().await;
    }
    sleep(milliseconds).await;
}

/// Waits for a promise for at most a number of milliseconds. Returns `None` if it is not settled by
/// then.
pub async fn await_within(milliseconds: f64, promise: JsValue) -> Option<Result<JsValue, JsValue>> {
    let settled = async { Some(await_value(promise).await) };
    let elapsed = async {
        elapse(milliseconds).await;
        None
    };
    future::or(settled, elapsed).await
}
