//! Calls of the API: as many exchanges as the rules of [`retry`](crate::retry) allow.

use gloo_net::http::Method;
use js_sys::{Date, Math};
use wasm_bindgen::prelude::*;
use web_sys::{Blob, Headers};

use crate::answer;
use crate::error::{Failure, Result, Thrown};
use crate::ledger::Ledger;
use crate::options::Connection;
use crate::retry::{self, Miss};
use crate::stop::{sleep, until_stopped};
use crate::transport::{Answer, Outgoing, exchange};

/// The API as one caller reaches it.
pub struct Api<'a> {
    pub connection: &'a Connection,
    pub ledger: &'a Ledger,
    /// The caller's own, and the key.
    headers: Headers,
}

/// What the API answered where it said yes.
pub struct Reply {
    /// The envelope's `data`: an object.
    pub data: JsValue,
    /// In how many milliseconds the API wants to be asked again, where it said so.
    pub retry_after: Option<f64>,
}

impl<'a> Api<'a> {
    /// Does the work with the API, until the caller's signal or time ends it.
    pub async fn with<T>(
        connection: &'a Connection,
        ledger: &'a Ledger,
        work: impl AsyncFnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        until_stopped(connection.signal.as_ref(), connection.timeout, async {
            let headers = connection.headers.clone();
            if let Ok(Some(authorization)) = headers.get("authorization") {
                ledger.keep_secret(&authorization);
            }
            if let Some(key) = connection.key.get().await? {
                ledger.keep_secret(&key);
                headers.set("x-api-key", &key).map_err(Thrown::Value)?;
            }
            work(&Self {
                connection,
                ledger,
                headers,
            })
            .await
        })
        .await
    }

    /// The caller's own headers and the key: for the API's own origin only.
    pub fn headers(&self) -> Result<Headers> {
        Headers::new_with_headers(&self.headers).map_err(Thrown::Value)
    }

    /// Asks for something.
    pub async fn get(&self, path: String) -> Result<Reply> {
        let outgoing = self.outgoing(Method::GET, path, self.headers()?, None);
        self.call(&outgoing, true).await
    }

    /// Makes something, which may cost money: it is sent again only where that cannot cost twice.
    pub async fn post(
        &self,
        path: String,
        json: Blob,
        idempotency_key: Option<&str>,
    ) -> Result<Reply> {
        let headers = self.headers()?;
        let set = |name, value| headers.set(name, value).map_err(Thrown::Value);
        set("content-type", "application/json")?;
        if let Some(key) = idempotency_key {
            set("idempotency-key", key)?;
        }
        let outgoing = self.outgoing(Method::POST, path, headers, Some(json));
        self.call(&outgoing, idempotency_key.is_some()).await
    }

    fn outgoing(
        &self,
        method: Method,
        path: String,
        headers: Headers,
        body: Option<Blob>,
    ) -> Outgoing {
        Outgoing {
            method,
            url: [&*self.connection.base_url, &path].concat(),
            headers,
            body,
        }
    }

    /// Sends the request until there is an answer, and opens it. `repeatable`: sending it twice
    /// does the same as sending it once.
    async fn call(&self, outgoing: &Outgoing, repeatable: bool) -> Result<Reply> {
        let creates = outgoing.method == Method::POST;
        let mut retries = 0;
        loop {
            if creates {
                self.ledger.sending();
            }
            let (miss, failure) = match exchange(outgoing, self.connection.fetch.as_ref()).await {
                Ok(answer) => match self.open(answer) {
                    Ok(reply) => return Ok(reply),
                    Err(missed) => missed,
                },
                Err(thrown) => (Miss::Network, self.connection.no_answer(&thrown)),
            };
            if creates && miss.is_rejection() {
                self.ledger.rejected();
            }
            let wait = retry::wait(miss, retries, repeatable, Math::random());
            match wait.filter(|_| retries < self.connection.max_retries) {
                Some(wait) => sleep(wait).await,
                None => return Err(failure.into()),
            }
            retries += 1;
        }
    }

    fn open(&self, answer: Answer) -> Result<Reply, (Miss, Failure)> {
        let retry_after = answer.retry_after.as_deref();
        let retry_after =
            retry_after.and_then(|text| retry::seconds(text, Date::now(), Date::parse));
        match answer::open(&answer, self.ledger) {
            Ok(data) => Ok(Reply {
                data,
                retry_after: retry_after.map(|seconds| seconds * 1000.0),
            }),
            Err(mut failure) => {
                failure.retry_after = retry_after;
                let status = answer.status;
                Err((
                    Miss::Status {
                        status,
                        retry_after,
                    },
                    failure,
                ))
            }
        }
    }
}
