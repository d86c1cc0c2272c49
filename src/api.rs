//! Calls of the API: as many exchanges as the rules of [`retry`](crate::retry) allow.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;
use core::pin::Pin;

use js_sys::{Date, JsString, Math, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

use crate::answer;
use crate::error::{Failure, Result, Thrown};
use crate::ledger::Ledger;
use crate::options::{Connection, new_headers};
use crate::retry::{self, Miss};
use crate::stop::{sleep, until_stopped};
use crate::transport::{Answer, Outgoing, exchange};

/// The API as one call reaches it.
pub struct Api {
    pub connection: Connection,
    pub ledger: Ledger,
}

/// What the API answered where it said yes.
pub struct Reply {
    /// The envelope's `data`: an object.
    pub data: JsValue,
    /// In how many milliseconds the API wants to be asked again, where it said so.
    pub retry_after: Option<f64>,
}

/// What a call does once its options are read. Boxed, since the code around it would otherwise
/// stand in the wasm once for each function of the library.
pub struct Work {
    api: Rc<Api>,
    work: Pin<Box<dyn Future<Output = Result<JsValue>>>>,
}

/// Makes a call: reads its options, and does its work until that is done or the caller's signal or
/// time ends it. What ends it becomes what JavaScript catches.
pub fn call(read_options: impl FnOnce() -> Result<Work>) -> Promise {
    start(read_options())
}

fn start(work: Result<Work>) -> Promise {
    future_to_promise(async {
        let Work { api, work } = work.map_err(|thrown| thrown.into_js(&Ledger::default()))?;
        let Connection {
            signal, timeout, ..
        } = &api.connection;
        let done = until_stopped(signal.as_ref(), *timeout, async {
            api.authorize().await?;
            work.await
        });
        done.await.map_err(|thrown| thrown.into_js(&api.ledger))
    })
}

impl Api {
    /// What is to be done with the API.
    pub fn work(
        connection: Connection,
        work: impl AsyncFnOnce(&Self) -> Result<JsValue> + 'static,
    ) -> Work {
        let api = Rc::new(Self {
            connection,
            ledger: Ledger::default(),
        });
        let own = api.clone();
        Work {
            api,
            work: Box::pin(async move { work(&own).await }),
        }
    }

    /// Adds the key to the headers, and keeps both it and the caller's own out of all errors.
    async fn authorize(&self) -> Result<()> {
        let headers = &self.connection.headers;
        if let Ok(Some(authorization)) = headers.get("authorization") {
            self.ledger.keep_secret(&authorization.into());
        }
        if let Some(key) = self.connection.key().await? {
            self.ledger.keep_secret(&JsString::from(&*key));
            headers.set("x-api-key", &key).map_err(Thrown::Value)?;
        }
        Ok(())
    }

    /// Asks for something.
    pub fn get(&self, path: String) -> impl Future<Output = Result<Reply>> {
        self.call(
            true,
            Outgoing {
                method: "GET",
                url: [&*self.connection.base_url, &path].concat(),
                headers: self.connection.headers.clone(),
                body: JsValue::UNDEFINED,
                redirect: "manual",
            },
        )
    }

    /// Makes something, which may cost money: it is sent again only where that cannot cost twice.
    pub fn post(
        &self,
        path: String,
        json: JsValue,
        idempotency_key: Option<&str>,
    ) -> Result<impl Future<Output = Result<Reply>>> {
        let headers = new_headers(&self.connection.headers).map_err(Thrown::Value)?;
        let set = |name, value| headers.set(name, value).map_err(Thrown::Value);
        set("content-type", "application/json")?;
        if let Some(key) = idempotency_key {
            set("idempotency-key", key)?;
        }
        Ok(self.call(
            idempotency_key.is_some(),
            Outgoing {
                method: "POST",
                url: [&*self.connection.base_url, &path].concat(),
                headers,
                body: json,
                redirect: "manual",
            },
        ))
    }

    /// Sends the request until there is an answer, and opens it. `repeatable`: sending it twice
    /// does the same as sending it once.
    async fn call(&self, repeatable: bool, outgoing: Outgoing) -> Result<Reply> {
        let creates = !outgoing.body.is_undefined();
        let mut retries = 0;
        loop {
            if creates {
                self.ledger.sending();
            }
            let (miss, failure) = match exchange(&outgoing, self.connection.fetch.as_ref()).await {
                Ok(answer) => match self.open(&answer) {
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

    fn open(&self, answer: &Answer) -> Result<Reply, (Miss, Box<Failure>)> {
        let retry_after = answer.retry_after.as_deref();
        let retry_after =
            retry_after.and_then(|text| retry::seconds(text, Date::now(), Date::parse));
        match answer::open(answer, &self.ledger) {
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
