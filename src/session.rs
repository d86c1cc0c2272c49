//! The calls about sessions.

use contract::SESSIONS_PATH;
use gloo_net::http::Method;
use tsify::Tsify;
use wasm_bindgen::prelude::*;
use web_sys::Headers;

use crate::answer;
use crate::body;
use crate::call::Caller;
use crate::error::{Ledger, Result, Secrets, Thrown};
use crate::options::{Connection, Create, Phase};
use crate::stop::until_stopped;
use crate::transport::Outgoing;

/// A session as the API answers it. Fields that the API documents are typed; all others are kept
/// as they come.
#[derive(Tsify)]
#[tsify(type = "SessionFields & Parameters & { [field: string]: unknown }")]
pub struct Session;

/// Creates a session: `POST /image-to-3d-sessions`.
pub async fn create(options: &JsValue) -> Result<JsValue, JsValue> {
    catch(async |ledger, secrets| {
        let options = Create::read(options)?;
        let connection = &options.connection;
        until_stopped(connection.signal.as_ref(), connection.timeout, async {
            let headers = headers(connection, secrets).await?;
            let progress = options.on_progress.as_ref();
            let body = body::write(&options.parameters, &options.picture, progress).await?;
            headers
                .set("content-type", "application/json")
                .map_err(Thrown::Value)?;
            if let Some(key) = &options.idempotency_key {
                headers.set("idempotency-key", key).map_err(Thrown::Value)?;
            }
            let size = options.picture.size();
            body::report(progress, Phase::Sending, size, size)?;
            let caller = Caller {
                fetch: connection.fetch.as_ref(),
                max_retries: connection.max_retries,
                repeatable: options.idempotency_key.is_some(),
                ledger,
                secrets,
            };
            let outgoing = Outgoing {
                method: Method::POST,
                base_url: connection.base_url.clone(),
                path: SESSIONS_PATH.into(),
                headers,
                body: Some(body),
            };
            let data = caller.call(&outgoing).await?;
            Ok(answer::session(data)?)
        })
        .await
    })
    .await
}

/// The caller's headers and the key.
async fn headers(connection: &Connection, secrets: &Secrets) -> Result<Headers> {
    let headers = &connection.headers;
    if let Ok(Some(authorization)) = headers.get("authorization") {
        secrets.add(&authorization);
    }
    if let Some(key) = connection.key.get().await? {
        secrets.add(&key);
        headers.set("x-api-key", &key).map_err(Thrown::Value)?;
    }
    Ok(headers.clone())
}

/// Runs a call; a failure becomes what JavaScript catches.
async fn catch<T>(call: impl AsyncFnOnce(&Ledger, &Secrets) -> Result<T>) -> Result<T, JsValue> {
    let (ledger, secrets) = (Ledger::default(), Secrets::default());
    call(&ledger, &secrets)
        .await
        .map_err(|thrown| match thrown {
            Thrown::Failure(failure) => failure.into_js(ledger.sent(), &secrets),
            Thrown::Value(value) => value,
        })
}
