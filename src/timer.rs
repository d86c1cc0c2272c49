//! Timers of the event loop.

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// The longest delay of a browser's timer in milliseconds: it is stored in 31 bits.
pub const LONGEST_TIMER: f64 = 2_147_483_647.0;

/// Waits for a number of milliseconds. Dropping the future clears the timer.
pub async fn sleep(milliseconds: f64) {
    let (elapsed, resolve) = new_promise();
    let _timer = Timer::new(&resolve, milliseconds.min(LONGEST_TIMER));
    let _ = JsFuture::from(elapsed).await;
}

/// Creates a promise and the function that resolves it.
pub fn new_promise() -> (Promise, Function) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    (promise, resolver.unwrap_throw())
}

/// Calls a function after a delay, unless it is dropped before.
pub struct Timer(JsValue);

impl Timer {
    /// Starts the timer. `milliseconds` is at most [`LONGEST_TIMER`].
    pub fn new(function: &Function, milliseconds: f64) -> Self {
        Self(set_timeout(function, milliseconds))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.0);
    }
}

#[wasm_bindgen]
extern "C" {
    // The timer's id is a number in browsers and an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(function: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}
