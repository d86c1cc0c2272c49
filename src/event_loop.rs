//! Pauses of long computations, in which the page renders and handles events.

use futures_channel::oneshot;
use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::MessageChannel;

use crate::timer::sleep;

/// The time that a computation may block the event loop, in milliseconds.
const MAX_BLOCKING: f64 = 10.0;

/// Yields to the event loop at most every ten milliseconds.
pub struct Pacer {
    last_yield: f64,
}

impl Pacer {
    /// Starts the first ten milliseconds.
    pub fn new() -> Self {
        Self {
            last_yield: Date::now(),
        }
    }

    /// Yields to the event loop if it has been blocked for ten milliseconds.
    pub async fn yield_to_event_loop(&mut self) {
        // The absolute value, since a clock that was set back must not stop the pauses.
        if (Date::now() - self.last_yield).abs() < MAX_BLOCKING {
            return;
        }
        match scheduler_yield() {
            Ok(pause) => {
                let _ = JsFuture::from(pause).await;
            }
            Err(_) => message_turn().await,
        }
        self.last_yield = Date::now();
    }
}

/// Waits for a message to itself: browsers delay nested timers by 4 ms each.
async fn message_turn() {
    let Ok(channel) = MessageChannel::new() else {
        return sleep(0.0).await;
    };
    let channel = OpenChannel(channel);
    let (send, received) = oneshot::channel::<()>();
    let on_message = Closure::once(move || send.send(()).unwrap_or_default());
    let on_message = on_message.as_ref().unchecked_ref();
    channel.0.port1().set_onmessage(Some(on_message));
    if channel.0.port2().post_message(&JsValue::NULL).is_ok() {
        // Fails if the closure is dropped without a message, which this function does not do.
        let _ = received.await;
    }
}

/// A channel that is closed when it is dropped: an open port keeps a Node.js process running.
struct OpenChannel(MessageChannel);

impl Drop for OpenChannel {
    fn drop(&mut self) {
        self.0.port1().set_onmessage(None);
        self.0.port1().close();
    }
}

// web-sys has it only with its unstable APIs.
#[wasm_bindgen]
extern "C" {
    /// Fails in browsers without `scheduler.yield`.
    #[wasm_bindgen(js_namespace = scheduler, js_name = "yield", catch)]
    fn scheduler_yield() -> Result<Promise, JsValue>;
}
