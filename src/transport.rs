//! HTTP through the browser's `fetch`.

use alloc::string::String;

use js_sys::{Function, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Headers, Request, Response, ResponseType};

use crate::js::{await_promise, object};

/// How `fetch` treats a redirect.
#[derive(Clone, Copy)]
pub enum Redirect {
    Follow,
    /// Returns the redirect. Required for requests with a key: a followed redirect would send the
    /// key to its target.
    Manual,
}

/// A request, which may be sent several times.
pub struct ApiRequest {
    pub method: &'static str,
    pub url: String,
    pub headers: Headers,
    /// `undefined` if there is none.
    pub body: JsValue,
    pub redirect: Redirect,
}

/// A response with any status.
pub struct RawResponse {
    /// 0 for a redirect, which browsers hide.
    pub status: u16,
    pub retry_after: Option<String>,
    pub text: JsString,
}

impl RawResponse {
    /// Whether the response is a redirect that was not followed.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 0 | 301 | 302 | 303 | 307 | 308)
    }
}

/// Sends a request once and reads the whole response. Dropping the future aborts the request.
///
/// # Errors
/// Returns what `fetch` or the reading of the response threw.
pub async fn exchange(
    request: &ApiRequest,
    fetch: Option<&Function>,
) -> Result<RawResponse, JsValue> {
    let (response, _abort) = send(request, fetch).await?;
    read(response).await
}

/// Reads a whole response.
///
/// # Errors
/// Returns what the reading threw.
pub async fn read(response: Response) -> Result<RawResponse, JsValue> {
    let text = await_promise(response.text()?).await?;
    Ok(RawResponse {
        status: match response.type_() {
            ResponseType::Opaqueredirect => 0,
            _ => response.status(),
        },
        retry_after: response.headers().get("retry-after")?,
        text: text.unchecked_into(),
    })
}

/// Sends a request once. The caller keeps the returned guard until the body is read: dropping it
/// aborts the request.
///
/// # Errors
/// Returns what `fetch` threw.
pub async fn send(
    request: &ApiRequest,
    fetch: Option<&Function>,
) -> Result<(Response, AbortOnDrop), JsValue> {
    let abort = AbortOnDrop(AbortController::new()?);
    let redirect = match request.redirect {
        Redirect::Follow => "follow",
        Redirect::Manual => "manual",
    };
    let request = Request::new_with_str_and_init(
        &request.url,
        object(&[
            ("method", request.method.into()),
            ("headers", request.headers.clone().into()),
            ("body", request.body.clone()),
            ("redirect", redirect.into()),
            ("cache", "no-store".into()),
            ("signal", abort.0.signal().into()),
        ])
        .unchecked_ref(),
    )?;
    let response = match fetch {
        Some(fetch) => fetch.call1(&JsValue::UNDEFINED, &request)?,
        None => global_fetch(&request)?,
    };
    // The caller's `fetch` may return a plain response instead of a promise.
    let response = await_promise(Promise::resolve(&response)).await?;
    Ok((response.unchecked_into(), abort))
}

/// Aborts a request when it is dropped.
pub struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn global_fetch(request: &Request) -> Result<JsValue, JsValue>;
}
