//! HTTP through the browser's `fetch`, or through the caller's.

use gloo_net::http::{Headers, Request, Response};
use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{RequestCache, RequestInit, RequestRedirect, TextDecodeOptions, TextDecoder};

use crate::cancel::AbortOnDrop;
use crate::error::{CallError, ErrorCode, Failure};
use crate::js::{bytes, call_method, describe, error_message, field, from_fields, has_method};
use crate::timer::await_within;

/// The time that a server may take for the headers of a response, if the request is repeatable and
/// small, and between two chunks of any body, in milliseconds. A connection that the network has
/// forgotten, such as after a sleep of the machine, reports no error.
pub const STALL_LIMIT: f64 = 30_000.0;

/// The size of a response in bytes above which it is not from the API. A WebAssembly memory never
/// shrinks, so an endless body must not fill it.
const MAX_TEXT: usize = 64 << 20;

const TOO_LARGE: &str = "Unexpected response: larger than any response of the Image-to-3D API";

/// The method of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, which may be sent several times.
pub struct ApiRequest {
    pub method: Method,
    pub url: String,
    pub headers: Headers,
    pub body: Option<JsValue>,
    /// Must be `Manual` for requests with a key: a followed redirect would send the key to its
    /// target.
    pub redirect: RequestRedirect,
    /// The time limit for the headers of the response in milliseconds, which includes the time to
    /// send the body.
    pub headers_limit: f64,
}

/// A request that `fetch` has accepted. Dropping it aborts the request.
pub struct StartedRequest {
    promise: JsValue,
    headers_limit: f64,
    abort: AbortOnDrop,
}

/// Starts a request.
///
/// # Errors
/// Fails if the request is invalid or the caller's `fetch` throws at once. Nothing is sent then.
pub fn start(
    request: &ApiRequest,
    fetch: Option<&Function>,
) -> Result<StartedRequest, Box<Failure>> {
    let abort = AbortOnDrop::new().map_err(network_failure)?;
    let promise = match fetch {
        None => global_fetch(request, &abort)?,
        Some(fetch) => custom_fetch(fetch, request, &abort)?,
    };
    Ok(StartedRequest {
        promise,
        headers_limit: request.headers_limit,
        abort,
    })
}

fn global_fetch(request: &ApiRequest, abort: &AbortOnDrop) -> Result<JsValue, Box<Failure>> {
    let builder = match request.method {
        Method::Get => Request::get(&request.url),
        Method::Post => Request::post(&request.url),
        Method::Delete => Request::delete(&request.url),
    };
    let builder = builder
        .headers(copy_headers(&request.headers))
        .redirect(request.redirect)
        .cache(RequestCache::NoStore)
        .abort_signal(abort.signal().as_ref());
    let built = match &request.body {
        Some(body) => builder.body(body),
        None => builder.build(),
    };
    let built = built.map_err(|error| Failure::network(error.to_string()))?;
    // `Request::send` of gloo-net panics if `fetch` rejects with a value that is no `Error`.
    let built: web_sys::Request = built.into();
    js_fetch(&built).map_err(network_failure)
}

/// Calls the caller's `fetch` with a URL and an object. The functions of other libraries (undici,
/// node-fetch) do not accept the `Request` of the runtime.
fn custom_fetch(
    fetch: &Function,
    request: &ApiRequest,
    abort: &AbortOnDrop,
) -> Result<JsValue, Box<Failure>> {
    let init = RequestInit::new();
    init.set_method(request.method.name());
    // A plain object, because callers copy it with `{ ...init.headers }`.
    let headers = request.headers.entries();
    let headers = headers.map(|(name, value)| (name, value.into()));
    init.set_headers(&from_fields(headers.collect()));
    if let Some(body) = &request.body {
        init.set_body(body);
    }
    init.set_redirect(request.redirect);
    init.set_cache(RequestCache::NoStore);
    init.set_signal(abort.signal().as_ref());
    let url = request.url.as_str().into();
    fetch
        .call2(&JsValue::UNDEFINED, &url, &init)
        .map_err(|thrown| {
            let message = format!("The function fetch threw: {}", error_message(&thrown));
            Failure::new(ErrorCode::InvalidOptions, message).with_cause(thrown)
        })
}

/// Copies headers.
pub fn copy_headers(headers: &Headers) -> Headers {
    let copy = Headers::new();
    for (name, value) in headers.entries() {
        copy.append(&name, &value);
    }
    copy
}

/// A response whose body is not read yet. Dropping it aborts the request.
pub struct OpenResponse {
    response: Response,
    abort: AbortOnDrop,
}

impl StartedRequest {
    /// Waits for the headers of the response, which may be the `Response` of any runtime or library.
    ///
    /// # Errors
    /// Fails if there is none.
    pub async fn response(self) -> Result<OpenResponse, CallError> {
        let value = await_step(self.headers_limit, self.promise).await?;
        let is_response = field(&value, "status").as_f64().is_some()
            && has_method(&field(&value, "headers"), "get")
            && has_method(&value, "text");
        if !is_response {
            let received = describe(&value);
            let message = format!("The function fetch must return a Response, got {received}");
            return Err(Failure::new(ErrorCode::InvalidOptions, message).into());
        }
        let response: web_sys::Response = value.unchecked_into();
        Ok(OpenResponse {
            response: response.into(),
            abort: self.abort,
        })
    }
}

impl OpenResponse {
    /// Returns the status, or `None` for a redirect that was not followed and that the browser
    /// hides.
    pub fn status(&self) -> Option<u16> {
        // 0 hides the status of a redirect.
        Some(self.response.status()).filter(|status| *status > 0)
    }

    /// Whether the response has a status of success.
    pub fn is_success(&self) -> bool {
        matches!(self.status(), Some(200..300))
    }

    /// Returns the value of a header. `Headers::get` of gloo-net panics if the method throws, which
    /// that of another library may do.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.response.headers().into_raw();
        let value = call_method(&headers, "get", &Array::of1(&name.into()));
        value.ok()?.as_string()
    }

    /// Reads the body, and calls `on_chunk` with each chunk. Through the stream instead of gloo-net,
    /// whose error conversion panics if a body fails with a value that is no `Error`.
    ///
    /// # Errors
    /// Fails if the connection breaks or stalls, or if `on_chunk` fails.
    pub async fn read(
        self,
        on_chunk: &mut dyn FnMut(Uint8Array) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        let Self {
            response,
            mut abort,
        } = self;
        let response: web_sys::Response = response.into();
        let body = field(&response, "body");
        if !has_method(&body, "getReader") {
            // node-fetch has a stream of Node.js there, and tests may have only `text()`.
            let whole = whole_body(&response).await?;
            abort.disarm();
            return on_chunk(whole);
        }
        let no_arguments = Array::new();
        let reader = call_method(&body, "getReader", &no_arguments).map_err(network_failure)?;
        loop {
            let read = call_method(&reader, "read", &no_arguments).map_err(network_failure)?;
            let result = await_step(STALL_LIMIT, read).await?;
            // The last result has no value.
            let Some(chunk) = bytes(&field(&result, "value")) else {
                abort.disarm();
                return Ok(());
            };
            on_chunk(chunk)?;
        }
    }

    /// Reads the body as text in UTF-8.
    ///
    /// # Errors
    /// Fails if the connection breaks or stalls.
    pub async fn text(self) -> Result<String, CallError> {
        let decoder = TextDecoder::new()?;
        let options = TextDecodeOptions::new();
        options.set_stream(true);
        let mut text = String::new();
        self.read(&mut |chunk| {
            text += &decoder.decode_with_js_u8_array_and_options(&chunk, &options)?;
            match text.len() > MAX_TEXT {
                true => Err(Failure::new(ErrorCode::UnexpectedResponse, TOO_LARGE).into()),
                false => Ok(()),
            }
        })
        .await?;
        text += &decoder.decode()?;
        Ok(text)
    }
}

async fn whole_body(response: &JsValue) -> Result<Uint8Array, CallError> {
    let method = match has_method(response, "arrayBuffer") {
        true => "arrayBuffer",
        false => "text",
    };
    let promise = call_method(response, method, &Array::new()).map_err(network_failure)?;
    let whole = await_step(STALL_LIMIT, promise).await?;
    Ok(match whole.as_string() {
        Some(text) => Uint8Array::from(text.as_bytes()),
        None => bytes(&whole).unwrap_or_default(),
    })
}

/// Waits for a promise for at most a number of milliseconds.
async fn await_step(milliseconds: f64, promise: JsValue) -> Result<JsValue, CallError> {
    match await_within(milliseconds, promise).await {
        Some(Err(thrown)) if is_library_error(&thrown) => Err(CallError::Js(thrown)),
        Some(result) => Ok(result.map_err(network_failure)?),
        None => Err(Failure::network("the server has sent nothing for 30 seconds").into()),
    }
}

/// Returns whether a value is an `ImageTo3dError`, as the sandbox throws it after a crash. It is passed
/// on: it has its own message, and no server has failed to respond.
fn is_library_error(thrown: &JsValue) -> bool {
    field(thrown, "name").as_string().as_deref() == Some("ImageTo3dError")
}

/// Converts what `fetch` or the reading of a body threw. The message is only the reason; the caller
/// adds what was requested.
fn network_failure(thrown: JsValue) -> Box<Failure> {
    Failure::network(error_message(&thrown)).with_cause(thrown)
}

#[wasm_bindgen]
extern "C" {
    // web-sys has it only for windows and for workers, and declares that it never throws.
    #[wasm_bindgen(js_name = fetch, catch)]
    fn js_fetch(request: &web_sys::Request) -> Result<JsValue, JsValue>;
}
