//! One exchange with the API: a request out, an answer in.

use alloc::string::String;
use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, Headers, Request, Response, ResponseType};

use crate::js::{object, settled};

/// A request, as often as it is sent.
pub struct Outgoing {
    pub method: &'static str,
    pub url: String,
    pub headers: Headers,
    /// `undefined` for none.
    pub body: JsValue,
    /// Where the request carries a key, it must be `"manual"`: followed, a redirect would carry
    /// the key to wherever it points.
    pub redirect: &'static str,
}

/// What came back, whatever it says.
pub struct Answer {
    /// 0 for a redirect that the browser hides.
    pub status: u16,
    pub retry_after: Option<String>,
    pub text: JsString,
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
    let (response, _abort) = send(outgoing, fetch).await?;
    read(response).await
}

/// Reads the whole answer.
///
/// # Errors
/// What the reading threw.
pub async fn read(response: Response) -> Result<Answer, JsValue> {
    let text = settled(response.text()?).await?;
    Ok(Answer {
        status: match response.type_() {
            ResponseType::Opaqueredirect => 0,
            _ => response.status(),
        },
        retry_after: response.headers().get("retry-after")?,
        text: text.unchecked_into(),
    })
}

/// Sends the request once. What comes with the response ends the exchange when it is dropped, so
/// it has to be kept until the body is read.
pub async fn send(
    outgoing: &Outgoing,
    fetch: Option<&Function>,
) -> Result<(Response, AbortOnDrop), JsValue> {
    let abort = AbortOnDrop(AbortController::new()?);
    let request = Request::new_with_str_and_init(
        &outgoing.url,
        object(&[
            ("method", outgoing.method.into()),
            ("headers", outgoing.headers.clone().into()),
            ("body", outgoing.body.clone()),
            ("redirect", outgoing.redirect.into()),
            ("cache", "no-store".into()),
            ("signal", abort.0.signal().into()),
        ])
        .unchecked_ref(),
    )?;
    let promise = match fetch {
        Some(fetch) => fetch.call1(&JsValue::UNDEFINED, &request)?,
        None => global_fetch(&request)?,
    };
    // The caller's own may answer at once.
    let response = settled(js_sys::Promise::resolve(&promise)).await?;
    Ok((response.unchecked_into(), abort))
}

/// Ends the exchange when nobody waits for it any more.
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
