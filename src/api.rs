//! Requests to the API, with authentication and retries.

use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::pin::Pin;

use js_sys::{Date, JsString, Math, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::call_state::CallState;
use crate::cancel::run_until_cancelled;
use crate::error::{Failure, Result};
use crate::options::{Connection, new_headers};
use crate::response::parse_envelope;
use crate::retry::{self, AttemptFailure, Idempotency};
use crate::timer::sleep;
use crate::transport::{ApiRequest, RawResponse, Redirect, exchange};

/// The API, as one call uses it.
pub struct Api {
    pub connection: Connection,
    pub state: CallState,
}

/// A successful response.
pub struct ApiResponse {
    /// The `data` of the envelope: an object.
    pub data: JsValue,
    /// The value of `Retry-After` in milliseconds.
    pub retry_after: Option<f64>,
}

/// A call whose options are validated. The future is boxed, since the surrounding code would
/// otherwise be compiled once for each exported function.
pub struct PreparedCall {
    api: Rc<Api>,
    future: Pin<Box<dyn Future<Output = Result<JsValue>>>>,
}

/// Runs a call: reads its options and runs its future until that completes or is cancelled. The
/// promise rejects with an `ImageTo3dError`, or with the caller's own exception.
pub fn run(prepare: impl FnOnce() -> Result<PreparedCall>) -> Promise {
    start(prepare())
}

fn start(call: Result<PreparedCall>) -> Promise {
    future_to_promise(async {
        let PreparedCall { api, future } =
            call.map_err(|error| error.into_js(&CallState::default()))?;
        let Connection {
            signal, timeout, ..
        } = &api.connection;
        let result = run_until_cancelled(signal.as_ref(), *timeout, async {
            api.authorize().await?;
            future.await
        });
        result.await.map_err(|error| error.into_js(&api.state))
    })
}

impl Api {
    /// Prepares a call that uses the API through this connection.
    pub fn prepare(
        connection: Connection,
        call: impl AsyncFnOnce(&Self) -> Result<JsValue> + 'static,
    ) -> PreparedCall {
        let api = Rc::new(Self {
            connection,
            state: CallState::default(),
        });
        let shared = api.clone();
        PreparedCall {
            api,
            future: Box::pin(async move { call(&shared).await }),
        }
    }

    /// Adds the key to the headers, and registers all credentials as secrets.
    async fn authorize(&self) -> Result<()> {
        let headers = &self.connection.headers;
        let redactor = &self.state.redactor;
        if let Ok(Some(authorization)) = headers.get("authorization") {
            redactor.add_secret(&authorization.into());
        }
        if let Some(key) = self.connection.key().await? {
            redactor.add_secret(&JsString::from(&*key));
            headers.set("x-api-key", &key)?;
        }
        Ok(())
    }

    /// Sends a GET request for a path below the base URL.
    pub fn get(&self, path: String) -> impl Future<Output = Result<ApiResponse>> {
        let request = ApiRequest {
            method: "GET",
            url: format!("{}{path}", self.connection.base_url),
            headers: self.connection.headers.clone(),
            body: JsValue::UNDEFINED,
            redirect: Redirect::Manual,
        };
        self.send(request, Idempotency::Idempotent)
    }

    /// Sends a POST request, which may cost money: without an idempotency key it is retried only if
    /// the API has created nothing.
    pub fn post(
        &self,
        path: String,
        json: JsValue,
        idempotency_key: Option<&str>,
    ) -> Result<impl Future<Output = Result<ApiResponse>>> {
        let headers = new_headers(&self.connection.headers)?;
        headers.set("content-type", "application/json")?;
        let idempotency = match idempotency_key {
            Some(key) => {
                headers.set("idempotency-key", key)?;
                Idempotency::Idempotent
            }
            None => Idempotency::NotIdempotent,
        };
        let request = ApiRequest {
            method: "POST",
            url: format!("{}{path}", self.connection.base_url),
            headers,
            body: json,
            redirect: Redirect::Manual,
        };
        Ok(self.send(request, idempotency))
    }

    async fn send(&self, request: ApiRequest, idempotency: Idempotency) -> Result<ApiResponse> {
        let creates = !request.body.is_undefined();
        let mut retries = 0;
        loop {
            if creates {
                self.state.create_sent();
            }
            let response = exchange(&request, self.connection.fetch.as_ref()).await;
            let (attempt, failure) = match response {
                Ok(response) => match self.parse(&response) {
                    Ok(parsed) => return Ok(parsed),
                    Err(failed) => failed,
                },
                Err(thrown) => (
                    AttemptFailure::Network,
                    self.connection.network_failure(&thrown),
                ),
            };
            if creates && attempt.is_rejection() {
                self.state.create_rejected();
            }
            let delay = retry::delay(attempt, retries, idempotency, Math::random());
            match delay.filter(|_| retries < self.connection.max_retries) {
                Some(delay) => sleep(delay).await,
                None => return Err(failure.into()),
            }
            retries += 1;
        }
    }

    fn parse(&self, response: &RawResponse) -> Result<ApiResponse, (AttemptFailure, Box<Failure>)> {
        let retry_after = response.retry_after.as_deref();
        let retry_after =
            retry_after.and_then(|value| retry::parse_retry_after(value, Date::now(), Date::parse));
        match parse_envelope(response, &self.state.redactor) {
            Ok(data) => Ok(ApiResponse {
                data,
                retry_after: retry_after.map(|seconds| seconds * 1000.0),
            }),
            Err(mut failure) => {
                failure.retry_after = retry_after;
                let attempt = AttemptFailure::Status {
                    status: response.status,
                    retry_after,
                };
                Err((attempt, failure))
            }
        }
    }
}
