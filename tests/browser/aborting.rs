//! An abort ends the call at once, in every phase, with the caller's own reason.

use js_sys::{Error, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use crate::support::*;

fn abort(controller: &AbortController, reason: &JsValue) {
    controller.abort_with_reason(reason);
}

async fn turn() {
    let timer = Function::new_with_args("resolve", "setTimeout(resolve, 0)");
    let promise = Promise::new(&mut |resolve, _| drop(timer.call1(&JsValue::UNDEFINED, &resolve)));
    JsFuture::from(promise).await.unwrap();
}

#[wasm_bindgen_test]
async fn the_reason_is_passed_on_whatever_it_is() {
    for reason in [
        "stop".into(),
        JsValue::NULL,
        JsValue::from(0),
        Error::new("mine").into(),
    ] {
        let controller = AbortController::new().unwrap();
        let options = to_server("{}").await;
        set(&options, "signal", controller.signal());
        abort(&controller, &reason);
        assert_eq!(thrown(&options).await, reason);
    }
}

/// Options for a picture of several pieces, with a signal; `when` is JavaScript that gets
/// `controller` and answers further options.
async fn aborted_by(when: &str) -> (JsValue, AbortController) {
    let controller = AbortController::new().unwrap();
    let options = to_server("{}").await;
    set(&options, "image", file(&png(3_000_000), "picture.png"));
    set(&options, "signal", controller.signal());
    let more = Function::new_with_args("controller", &format!("return {when}"));
    let more = more.call1(&JsValue::UNDEFINED, &controller).unwrap();
    js_sys::Object::<JsValue>::assign(options.unchecked_ref(), more.unchecked_ref());
    (options, controller)
}

#[wasm_bindgen_test]
async fn it_ends_the_call_in_every_phase() {
    for when in [
        // while the key is asked for
        "{ apiKey: () => { setTimeout(() => controller.abort('now')); return new Promise(() => {}) } }",
        // while the picture is read
        "{ image: Object.assign(new Blob(['x']), { stream: () => new ReadableStream({ type: 'bytes',
             pull() { setTimeout(() => controller.abort('now')); return new Promise(() => {}) } }) }) }",
        // while the picture is encoded
        "{ onProgress: (p) => { if (p.loaded < p.total) controller.abort('now') } }",
        // before fetch
        "{ onProgress: (p) => { if (p.phase === 'sending') controller.abort('now') } }",
        // while fetch is under way
        "{ fetch: (r) => { setTimeout(() => controller.abort('now'), 20); return new Promise(() => {}) } }",
        "{ fetch: (r) => { const answer = fetch(r); controller.abort('now'); return answer } }",
        // while the answer is read
        "{ fetch: async (r) => { setTimeout(() => controller.abort('now'), 20);
             return new Response(new ReadableStream()) } }",
        // while it waits for the next attempt
        "{ fetch: async (r) => { setTimeout(() => controller.abort('now'), 20);
             return new Response('', { status: 429, headers: { 'retry-after': '60' } }) } }",
    ] {
        let (options, _controller) = aborted_by(when).await;
        assert_eq!(thrown(&options).await, "now", "{when}");
    }
}

#[wasm_bindgen_test]
async fn it_reaches_the_request() {
    let (options, controller) = aborted_by(
        "{ fetch: (r) => { controller.request = r; setTimeout(() => controller.abort('now')); return fetch(r) } }",
    )
    .await;
    assert_eq!(thrown(&options).await, "now");
    turn().await;
    let request: web_sys::Request = get(&controller, "request").unchecked_into();
    assert!(request.signal().aborted());
}

#[wasm_bindgen_test]
async fn nothing_stays_on_the_signal() {
    let controller = AbortController::new().unwrap();
    let signal = controller.signal();
    let count = Function::new_with_args(
        "signal",
        "signal.open = 0;
         const { addEventListener, removeEventListener } = EventTarget.prototype;
         signal.addEventListener = (...a) => { signal.open++; addEventListener.apply(signal, a) };
         signal.removeEventListener = (...a) => { signal.open--; removeEventListener.apply(signal, a) };",
    );
    count.call1(&JsValue::UNDEFINED, &signal).unwrap();
    let options = to_server("{}").await;
    set(&options, "signal", &signal);
    create(&options).await.unwrap();
    assert_eq!(get(&signal, "open"), 0);
}
