//! One exchange with the API: a request out, an answer in.

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Function, JsString, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, Headers, RequestCache, RequestRedirect, ResponseType};

/// A request, as often as it is sent.
pub struct Outgoing {
    pub method: Method,
    pub url: String,
    pub headers: Headers,
    pub body: Option<Blob>,
}

/// What came back, whatever it says.
pub struct Answer {
    /// 0 for a redirect that the browser hides.
    pub status: u16,
    pub retry_after: Option<String>,
    pub text: String,
}

impl Answer {
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 0 | 301 | 302 | 303 | 307 | 308)
    }
}

/// Sends the request once and reads the whole answer. Dropping the future ends the exchange.
///
/// # Errors
/// What `fetch` threw, or the reading of the answer.
pub async fn exchange(outgoing: &Outgoing, fetch: Option<&Function>) -> Result<Answer, JsValue> {
    let (response, _abort) = send(outgoing, fetch, RequestRedirect::Manual).await?;
    read(response).await
}

/// Reads the whole answer.
///
/// # Errors
/// What the reading threw.
pub async fn read(response: Response) -> Result<Answer, JsValue> {
    let status = match response.type_() {
        ResponseType::Opaqueredirect => 0,
        _ => response.status(),
    };
    let retry_after = response.headers().get("retry-after");
    // The raw one: gloo-net's conversion of what a foreign stream throws may trap.
    let text = web_sys::Response::from(response).text()?;
    let text = JsFuture::from(text).await?;
    Ok(Answer {
        status,
        retry_after,
        text: text.unchecked_into::<JsString>().into(),
    })
}

/// Sends the request once. What comes with the response ends the exchange when it is dropped, so
/// it has to be kept until the body is read. Where the request carries a key, `redirect` must be
/// `Manual`: followed, a redirect would carry the key to wherever it points.
pub async fn send(
    outgoing: &Outgoing,
    fetch: Option<&Function>,
    redirect: RequestRedirect,
) -> Result<(Response, AbortOnDrop), JsValue> {
    // A controller of our own: gloo-net cannot convert an abort whose reason is no `Error`.
    let abort = AbortOnDrop(AbortController::new()?);
    let request = build(outgoing, &abort.0, redirect)?;
    let fetch = match fetch {
        Some(fetch) => fetch.clone(),
        None => Reflect::get(&js_sys::global(), &"fetch".into())?.dyn_into()?,
    };
    let promise = fetch.call1(&JsValue::UNDEFINED, &request)?;
    let response = JsFuture::from(Promise::resolve(&promise)).await?;
    let response = Response::from(response.unchecked_into::<web_sys::Response>());
    Ok((response, abort))
}

fn build(
    outgoing: &Outgoing,
    abort: &AbortController,
    redirect: RequestRedirect,
) -> Result<web_sys::Request, JsValue> {
    let headers = gloo_net::http::Headers::from_raw(outgoing.headers.clone());
    let request = RequestBuilder::new(&outgoing.url)
        .method(outgoing.method.clone())
        .headers(headers)
        .redirect(redirect)
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&abort.signal()));
    let request = match &outgoing.body {
        Some(body) => request.body(body.clone()),
        None => request.build(),
    };
    request
        .map(web_sys::Request::from)
        .map_err(|error| error.to_string().into())
}

/// Ends the exchange when nobody waits for it any more.
pub struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
