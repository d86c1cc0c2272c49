//! An abort cancels a call immediately, in every phase, with the signal's reason.

use js_sys::{Error, Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::AbortController;

use super::support::*;

fn abort(controller: &AbortController, reason: &JsValue) {
    controller.abort_with_reason(reason);
}

async fn next_task() {
    let timer = Function::new_with_args("resolve", "setTimeout(resolve, 0)");
    let promise = Promise::new(&mut |resolve, _| drop(timer.call1(&JsValue::UNDEFINED, &resolve)));
    JsFuture::from(promise).await.unwrap();
}

#[wasm_bindgen_test]
async fn rejects_with_the_reason_of_the_signal() {
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
        assert_eq!(create_error(&options).await, reason);
    }
}

/// Returns options for an image of several chunks with a signal, and the controller of the signal.
/// `more` is a JavaScript expression for further options, which can use `controller`.
async fn options_with_signal(more: &str) -> (JsValue, AbortController) {
    let controller = AbortController::new().unwrap();
    let options = to_server("{}").await;
    set(&options, "image", file(&png(3_000_000), "image.png"));
    set(&options, "signal", controller.signal());
    let more = Function::new_with_args("controller", &format!("return {more}"));
    let more = more.call1(&JsValue::UNDEFINED, &controller).unwrap();
    js_sys::Object::<JsValue>::assign(options.unchecked_ref(), more.unchecked_ref());
    (options, controller)
}

#[wasm_bindgen_test]
async fn cancels_the_call_in_every_phase() {
    for when in [
        // while the key function runs
        "{ apiKey: () => { setTimeout(() => controller.abort('now')); return new Promise(() => {}) } }",
        // while the image is read
        "{ image: Object.assign(new Blob(['x']), { stream: () => new ReadableStream({ type: 'bytes',
             pull() { setTimeout(() => controller.abort('now')); return new Promise(() => {}) } }) }) }",
        // while the image is encoded
        "{ onProgress: (p) => { if (p.loaded < p.total) controller.abort('now') } }",
        // before fetch
        "{ onProgress: (p) => { if (p.phase === 'sending') controller.abort('now') } }",
        // while fetch is pending
        "{ fetch: (r) => { setTimeout(() => controller.abort('now'), 20); return new Promise(() => {}) } }",
        "{ fetch: (...r) => { const response = fetch(...r); controller.abort('now'); return response } }",
        // while the response is read
        "{ fetch: async (r) => { setTimeout(() => controller.abort('now'), 20);
             return new Response(new ReadableStream()) } }",
        // during the delay before a retry
        "{ fetch: async (r) => { setTimeout(() => controller.abort('now'), 20);
             return new Response('', { status: 429, headers: { 'retry-after': '60' } }) } }",
    ] {
        let (options, _controller) = options_with_signal(when).await;
        assert_eq!(create_error(&options).await, "now", "{when}");
    }
}

#[wasm_bindgen_test]
async fn aborts_the_request() {
    let (options, controller) = options_with_signal(
        "{ fetch: (url, init) => { controller.request = init; setTimeout(() => controller.abort('now')); return fetch(url, init) } }",
    )
    .await;
    assert_eq!(create_error(&options).await, "now");
    next_task().await;
    let signal = get(&get(&controller, "request"), "signal");
    assert!(get(&signal, "aborted").is_truthy());
}

#[wasm_bindgen_test]
async fn removes_its_listener_from_the_signal() {
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
