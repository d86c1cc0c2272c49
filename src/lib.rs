//! Turns a picture into a 3D model through the Image-to-3D API, from a web page.
//!
//! This is the Rust behind the npm package of the same name: compiled to WebAssembly it reads a
//! `File`, streams it as base64 into the request's body, sends it through `fetch`, and answers
//! with a plain object. What the API defines keeps the API's own names; what the library adds is
//! camelCase.
#![forbid(unsafe_op_in_unsafe_fn)]

mod answer;
mod body;
mod call;
mod error;
mod image;
mod js;
mod options;
mod retry;
mod session;
mod stop;
mod transport;

pub use error::{on_panic, set_error_class};
pub use options::CreateSessionOptions;
pub use session::Session;

use tsify::Ts;
use wasm_bindgen::prelude::*;

/// Creates a session: sends the picture and the parameters, and answers as soon as the API has
/// taken them. The model is not made then; `status` says how far it is.
///
/// Nothing is sent before all options are checked and the picture is known to be one.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// const session = await createSession({
///   image: fileInput.files[0],
///   generate_texture: true,
///   baseUrl: "https://my-server.example/csm",
/// });
/// console.log(session.session_code, session.status);
#[wasm_bindgen(js_name = createSession)]
pub async fn create_session(options: Ts<CreateSessionOptions>) -> Result<Ts<Session>, JsValue> {
    session::create(&options.js_value())
        .await
        .map(Ts::new_unchecked)
}

/// Panics.
#[cfg(feature = "panic-on-demand")]
#[wasm_bindgen(js_name = panicOnDemand)]
pub async fn panic_on_demand() {
    panic!("on demand");
}
