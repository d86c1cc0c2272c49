//! What ends a call from outside, and waiting that can be ended so.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

use js_sys::{Date, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, MessageChannel};

use crate::error::{ErrorKind, Failure, Result, Thrown};
use crate::js::digits;

/// The longest that a browser's timer counts, in milliseconds: it keeps them in 31 bits.
const LONGEST_TIMER: f64 = 2_147_483_647.0;

/// Does the work, unless the signal or the time (milliseconds) ends it first. The work is dropped
/// then, and so must let go by itself of what it holds. No listener and no timer stays behind.
pub async fn until_stopped(
    signal: Option<&AbortSignal>,
    timeout: f64,
    work: impl Future<Output = Result<JsValue>>,
) -> Result<JsValue> {
    let aborted = || signal.filter(|signal| signal.aborted());
    // It may have been aborted before anybody listened.
    if let Some(signal) = aborted() {
        return Err(Thrown::Value(signal.reason()));
    }
    let (stopped, stop) = promise();
    let _listener = signal.map(|signal| Listener::new(signal, &stop));
    let _timer = (timeout <= LONGEST_TIMER).then(|| Timer::new(&stop, timeout));

    let mut stopped = pin!(JsFuture::from(stopped));
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        stopped.as_mut().poll(context).map(|_| {
            Err(match aborted() {
                Some(signal) => Thrown::Value(signal.reason()),
                None => over(timeout),
            })
        })
    })
    .await
}

fn over(timeout: f64) -> Thrown {
    let message = [
        "timeout: the call was not done after ",
        &digits(timeout),
        " ms",
    ];
    Failure::new(ErrorKind::Timeout, &message).into()
}

/// Waits so many milliseconds. The timer goes with the future.
pub async fn sleep(milliseconds: f64) {
    let (over, end) = promise();
    let _timer = Timer::new(&end, milliseconds.min(LONGEST_TIMER));
    let _ = JsFuture::from(over).await;
}

/// A promise, and what resolves it.
fn promise() -> (Promise, Function) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    (promise, resolver.unwrap_throw())
}

/// Calls the function when the time has passed, unless it is dropped before.
struct Timer(JsValue);

impl Timer {
    fn new(function: &Function, milliseconds: f64) -> Self {
        Self(set_timeout(function, milliseconds))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.0);
    }
}

/// Calls the function when the signal is aborted, unless it is dropped before.
struct Listener<'a> {
    signal: &'a AbortSignal,
    function: Function,
}

impl<'a> Listener<'a> {
    fn new(signal: &'a AbortSignal, function: &Function) -> Self {
        let _ = signal.add_event_listener_with_callback("abort", function);
        Self {
            signal,
            function: function.clone(),
        }
    }
}

impl Drop for Listener<'_> {
    fn drop(&mut self) {
        let _ = self
            .signal
            .remove_event_listener_with_callback("abort", &self.function);
    }
}

/// Lets the page draw and answer between two pieces of work, at most every ten milliseconds.
pub struct Breath {
    since: f64,
}

impl Breath {
    /// How long work may go on without a pause, in milliseconds.
    const HELD: f64 = 10.0;

    pub fn new() -> Self {
        Self { since: Date::now() }
    }

    pub async fn take(&mut self) {
        // A clock that was set back must not stop the pauses.
        if (Date::now() - self.since).abs() < Self::HELD {
            return;
        }
        match scheduler_yield() {
            Ok(pause) => {
                let _ = JsFuture::from(pause).await;
            }
            Err(_) => message_pause().await,
        }
        self.since = Date::now();
    }
}

/// A turn of the event loop by a message to oneself: timers would be held back to 4 ms each.
async fn message_pause() {
    let Ok(channel) = MessageChannel::new() else {
        return sleep(0.0).await;
    };
    let (over, end) = promise();
    channel.port1().set_onmessage(Some(&end));
    if channel.port2().post_message(&JsValue::NULL).is_ok() {
        let _ = JsFuture::from(over).await;
    }
    // An open port keeps a runtime such as Node alive.
    channel.port1().close();
}

#[wasm_bindgen]
extern "C" {
    // What they answer and take is a number in browsers and an object in Node.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(function: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);

    /// Fails where the browser has no `scheduler.yield`.
    #[wasm_bindgen(js_namespace = scheduler, js_name = "yield", catch)]
    fn scheduler_yield() -> core::result::Result<Promise, JsValue>;
}
