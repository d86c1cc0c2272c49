//! Requests to the API, with authentication and retries.

use std::pin::Pin;
use std::rc::Rc;

use js_sys::{Math, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{future_to_promise, spawn_local};
use web_sys::RequestRedirect;

use crate::call_state::CallState;
use crate::cancel::{run_until_cancelled, throw_if_aborted};
use crate::error::{CallError, ErrorCode, Result};
use crate::model_response;
use crate::options::{Connection, Download};
use crate::response::ReceivedResponse;
use crate::retry::{self, Idempotency};
use crate::timer::sleep;
use crate::transport::{self, ApiRequest, Method, STALL_LIMIT, copy_headers};

/// The API, as one call uses it.
pub struct Api {
    pub connection: Connection,
    pub state: CallState,
}

/// A successful response.
pub struct ApiResponse {
    /// The `data` of the envelope: an object.
    pub data: JsValue,
    /// The value of `Retry-After` in seconds.
    pub retry_after: Option<f64>,
}

/// The JSON body of a POST request.
pub enum PostBody<'a> {
    /// Parameters alone.
    Parameters(&'a str),
    /// Parameters and an image, in any form that `fetch` accepts.
    Image(JsValue),
}

/// A future on the heap. Futures of the calls' own types would compile the surrounding code once for
/// each exported function.
pub type BoxedFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// A call whose options are validated.
pub struct PreparedCall {
    api: Rc<Api>,
    future: BoxedFuture<Result<JsValue>>,
    after_abort: Option<fn(Rc<Api>) -> BoxedFuture<()>>,
}

impl PreparedCall {
    /// Runs a task if the caller aborts the call. The call does not wait for it.
    pub fn after_abort(self, task: fn(Rc<Api>) -> BoxedFuture<()>) -> Self {
        Self {
            after_abort: Some(task),
            ..self
        }
    }
}

/// Runs a call until it completes or is cancelled. The promise rejects with an `ImageTo3dError`, or
/// with the caller's own exception.
///
/// The exported functions return this promise, instead of being `async`, so that the code around
/// their futures exists only once (1.3 KB less after brotli).
pub fn run(call: Result<PreparedCall>) -> Promise {
    future_to_promise(run_prepared(call))
}

async fn run_prepared(call: Result<PreparedCall>) -> Result<JsValue, JsValue> {
    let PreparedCall {
        api,
        future,
        after_abort,
    } = call.map_err(|error| error.into_js(&CallState::default()))?;
    let Connection {
        signal, timeout, ..
    } = &api.connection;
    let result = run_until_cancelled(signal.as_ref(), *timeout, async {
        api.authorize().await?;
        future.await
    });
    let result = result.await;
    let is_aborted = || {
        signal
            .as_ref()
            .is_some_and(|signal| throw_if_aborted(signal).is_err())
    };
    if let Some(task) = after_abort
        && result.is_err()
        && is_aborted()
    {
        spawn_local(task(api.clone()));
    }
    result.map_err(|error| error.into_js(&api.state))
}

/// What a request is for: how its response is read, and what its errors say.
pub enum Target<'a> {
    /// An endpoint of the API, whose responses are envelopes.
    Endpoint,
    /// The deletion of a session, whose response may be empty.
    Deletion,
    /// The model of a session.
    Model(&'a Download),
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
            after_abort: None,
        }
    }

    /// Adds the key to the headers, and registers all credentials as secrets.
    async fn authorize(&self) -> Result<()> {
        let redactor = &self.state.redactor;
        for secret in self.connection.header_secrets() {
            redactor.add(&secret);
        }
        if let Some(key) = self.connection.key().await? {
            redactor.add(&key);
            // Panics for an invalid value, so the key is checked before.
            self.connection.headers.set("x-api-key", &key);
        }
        Ok(())
    }

    /// Sends a GET request for a path below the base URL.
    pub async fn get(&self, path: String) -> Result<ApiResponse> {
        let request = self.request(Method::Get, &path);
        let idempotency = Idempotency::Idempotent;
        self.send(request, idempotency, Target::Endpoint).await
    }

    /// Sends a DELETE request for a path below the base URL.
    pub async fn delete(&self, path: String) -> Result<()> {
        let request = self.request(Method::Delete, &path);
        let idempotency = Idempotency::Idempotent;
        self.send(request, idempotency, Target::Deletion).await?;
        Ok(())
    }

    fn request(&self, method: Method, path: &str) -> ApiRequest {
        ApiRequest {
            method,
            url: format!("{}{path}", self.connection.base_url),
            headers: copy_headers(&self.connection.headers),
            body: None,
            redirect: RequestRedirect::Manual,
            headers_limit: STALL_LIMIT,
        }
    }

    /// Sends a POST request, which may cost money: without an idempotency key it is retried only if
    /// the API has created nothing.
    pub async fn post(
        &self,
        path: String,
        body: PostBody<'_>,
        idempotency_key: Option<&str>,
    ) -> Result<ApiResponse> {
        let mut request = self.request(Method::Post, &path);
        // Both values are checked: `Headers::set` panics for an invalid one.
        request.headers.set("content-type", "application/json");
        let idempotency = match idempotency_key {
            Some(key) => {
                request.headers.set("idempotency-key", key);
                Idempotency::Idempotent
            }
            None => Idempotency::NotIdempotent,
        };
        let (json, headers_limit) = match (body, idempotency) {
            (PostBody::Parameters(json), Idempotency::Idempotent) => (json.into(), STALL_LIMIT),
            // Repeating the request would be worse than waiting.
            (PostBody::Parameters(json), Idempotency::NotIdempotent) => {
                (json.into(), f64::INFINITY)
            }
            // An upload may take longer than any limit, and `fetch` does not tell when it is done.
            (PostBody::Image(json), _) => (json, f64::INFINITY),
        };
        request.body = Some(json);
        request.headers_limit = headers_limit;
        self.send(request, idempotency, Target::Endpoint).await
    }

    /// Sends a request, and repeats it as far as the retry rules allow. For a model, `data` of the
    /// response is its `Blob`.
    ///
    /// # Errors
    /// Fails if there is no valid response, or if a function of the caller throws.
    pub async fn send(
        &self,
        request: ApiRequest,
        idempotency: Idempotency,
        target: Target<'_>,
    ) -> Result<ApiResponse> {
        let mut retries = 0;
        loop {
            let mut failure = match self.attempt(&request, &target).await {
                Err(CallError::Failure(failure)) => failure,
                result => return result,
            };
            if request.method == Method::Post && failure.attempt.is_rejection() {
                self.state.create_rejected();
            }
            let delay = retry::delay(failure.attempt, retries, idempotency, Math::random());
            match delay.filter(|_| retries < self.connection.max_retries) {
                Some(delay) => sleep(delay).await,
                None => {
                    if failure.code == ErrorCode::Network {
                        failure.message = match target {
                            Target::Endpoint | Target::Deletion => {
                                self.connection.no_response(&failure.message)
                            }
                            Target::Model(_) => model_response::no_response(
                                &self.connection,
                                &request.url,
                                &failure.message,
                            ),
                        };
                    }
                    return Err(failure.into());
                }
            }
            retries += 1;
        }
    }

    async fn attempt(&self, request: &ApiRequest, target: &Target<'_>) -> Result<ApiResponse> {
        // The caller's `onProgress` may have aborted the call. `onAbort` sends a deletion after an abort.
        if let Some(signal) = &self.connection.signal
            && request.method != Method::Delete
        {
            throw_if_aborted(signal)?;
        }
        let started = transport::start(request, self.connection.fetch.as_ref())?;
        if request.method == Method::Post {
            self.state.create_sent();
        }
        let response = started.response().await?;
        let redactor = &self.state.redactor;
        match target {
            Target::Model(options) if response.is_success() => Ok(ApiResponse {
                data: model_response::read(response, options).await?,
                retry_after: None,
            }),
            Target::Model(_) => {
                let response = ReceivedResponse::read(response).await?;
                Err(response
                    .into_failure(redactor, model_response::error_response)
                    .into())
            }
            Target::Endpoint | Target::Deletion => {
                let response = ReceivedResponse::read(response).await?;
                Ok(ApiResponse {
                    retry_after: response.retry_after,
                    data: match target {
                        Target::Deletion if response.is_empty_success() => JsValue::UNDEFINED,
                        _ => response.into_data(redactor)?,
                    },
                })
            }
        }
    }
}
