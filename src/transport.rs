//! One exchange with the API: a request out, an answer in.

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::{Function, JsString, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, Headers, RequestCache, RequestRedirect, ResponseType};

use crate::error::{ErrorKind, Failure, words};
use crate::options::DEFAULT_BASE_URL;

/// A request, as often as it is sent.
pub struct Outgoing {
    pub method: Method,
    pub base_url: String,
    /// Below the base URL, with its query.
    pub path: String,
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
pub async fn exchange(outgoing: &Outgoing, fetch: Option<&Function>) -> Result<Answer, Failure> {
    // A controller of our own: gloo-net cannot convert an abort whose reason is no `Error`.
    let abort = AbortOnDrop(AbortController::new().map_err(|thrown| no_answer(outgoing, &thrown))?);
    let request = build(outgoing, &abort.0)?;
    let fetch = match fetch {
        Some(fetch) => fetch.clone(),
        None => Reflect::get(&js_sys::global(), &"fetch".into())
            .and_then(JsCast::dyn_into)
            .map_err(|_| {
                Failure::new(
                    ErrorKind::Internal,
                    "there is no fetch here; give one as fetch",
                )
            })?,
    };
    let answer = async {
        let promise = fetch.call1(&JsValue::UNDEFINED, &request)?;
        let response = JsFuture::from(Promise::resolve(&promise)).await?;
        let response = Response::from(response.unchecked_into::<web_sys::Response>());
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
    };
    answer
        .await
        .map_err(|thrown: JsValue| no_answer(outgoing, &thrown))
}

fn build(outgoing: &Outgoing, abort: &AbortController) -> Result<web_sys::Request, Failure> {
    let url = [&*outgoing.base_url, &outgoing.path].concat();
    let headers = gloo_net::http::Headers::from_raw(outgoing.headers.clone());
    let request = RequestBuilder::new(&url)
        .method(outgoing.method.clone())
        .headers(headers)
        // Followed, a redirect would carry the key to wherever it points.
        .redirect(RequestRedirect::Manual)
        .cache(RequestCache::NoStore)
        .abort_signal(Some(&abort.signal()));
    let request = match &outgoing.body {
        Some(body) => request.body(body.clone()),
        None => request.build(),
    };
    request
        .map(web_sys::Request::from)
        .map_err(|error| Failure::new(ErrorKind::Internal, error.to_string()))
}

fn no_answer(outgoing: &Outgoing, thrown: &JsValue) -> Failure {
    let mut message = ["no answer from ", &outgoing.base_url, ": ", &words(thrown)].concat();
    message.push_str(if outgoing.base_url == DEFAULT_BASE_URL {
        ". The service that stood at this address is reported gone since 2026: baseUrl names another \
         server of the same API, such as one of your own (see the README)"
    } else {
        ". The server is off, its name does not resolve, the connection broke, or it does not allow \
         this page's origin (CORS): a page cannot tell which"
    });
    Failure::new(ErrorKind::Network, message)
}

/// Ends the exchange when nobody waits for it any more.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
