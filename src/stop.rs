//! What ends a call from outside, and waiting that can be ended so.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use gloo_events::EventListener;
use gloo_timers::callback::Timeout;
use js_sys::{Date, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, MessageChannel};

use crate::error::{ErrorKind, Failure, Result, Thrown};
use crate::js::shown;

/// The longest that a browser's timer counts, in milliseconds: it keeps them in 31 bits.
const LONGEST_TIMER: f64 = 2_147_483_647.0;

/// Does the work, unless the signal or the time (milliseconds) ends it first. The work is dropped
/// then, and so must let go by itself of what it holds. No listener and no timer stays behind.
pub async fn until_stopped<T>(
    signal: Option<&AbortSignal>,
    timeout: f64,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    // It may have been aborted before anybody listened.
    if let Some(signal) = signal.filter(|signal| signal.aborted()) {
        return Err(Thrown::Value(signal.reason()));
    }
    let (stopped, stop) = promise();
    let _listener = signal.map(|signal| {
        let stop = stop.clone();
        EventListener::once(signal, "abort", move |_| settle(&stop))
    });
    let _timer =
        (timeout <= LONGEST_TIMER).then(|| Timeout::new(timeout as u32, move || settle(&stop)));

    let mut stopped = pin!(JsFuture::from(stopped));
    let mut work = pin!(work);
    poll_fn(|context| {
        if let Poll::Ready(result) = work.as_mut().poll(context) {
            return Poll::Ready(result);
        }
        match stopped.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(_) => Poll::Ready(Err(match signal.filter(|signal| signal.aborted()) {
                Some(signal) => Thrown::Value(signal.reason()),
                None => Failure::new(ErrorKind::Timeout, over(timeout)).into(),
            })),
        }
    })
    .await
}

fn over(timeout: f64) -> String {
    let milliseconds = shown(&timeout.into());
    [
        "timeout: the call was not done after ",
        &milliseconds,
        " ms",
    ]
    .concat()
}

/// Waits so many milliseconds. The timer goes with the future.
pub async fn sleep(milliseconds: f64) {
    let (over, end) = promise();
    let _timer = Timeout::new(milliseconds.min(LONGEST_TIMER) as u32, move || settle(&end));
    let _ = JsFuture::from(over).await;
}

/// A promise, and what resolves it.
fn promise() -> (Promise, Function) {
    let mut resolver = None;
    let promise = Promise::new(&mut |resolve, _| resolver = Some(resolve));
    (promise, resolver.unwrap_throw())
}

fn settle(resolve: &Function) {
    let _ = resolve.call0(&JsValue::UNDEFINED);
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
    /// Fails where the browser has no `scheduler.yield`.
    #[wasm_bindgen(js_namespace = scheduler, js_name = "yield", catch)]
    fn scheduler_yield() -> std::result::Result<Promise, JsValue>;
}
