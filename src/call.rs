//! One call of the API: as many exchanges as the rules of [`retry`](crate::retry) allow.

use js_sys::{Date, Function, Math};

use crate::answer::{self, Data};
use crate::error::{Failure, Ledger, Result, Secrets};
use crate::retry::{self, Miss};
use crate::stop::sleep;
use crate::transport::{Answer, Outgoing, exchange};

/// What a call needs beside its request.
pub struct Caller<'a> {
    pub fetch: Option<&'a Function>,
    pub max_retries: u32,
    /// Whether sending the request twice does the same as sending it once.
    pub repeatable: bool,
    pub ledger: &'a Ledger,
    pub secrets: &'a Secrets,
}

impl Caller<'_> {
    /// Sends the request until there is an answer, and opens it.
    pub async fn call(&self, outgoing: &Outgoing) -> Result<Data> {
        let mut retries = 0;
        loop {
            self.ledger.sending();
            let (miss, failure) = match exchange(outgoing, self.fetch).await {
                Ok(answer) => match self.open(answer) {
                    Ok(data) => return Ok(data),
                    Err(missed) => missed,
                },
                Err(failure) => (Miss::Network, failure),
            };
            if miss.is_rejection() {
                self.ledger.rejected();
            }
            let wait = retry::wait(miss, retries, self.repeatable, Math::random());
            match wait.filter(|_| retries < self.max_retries) {
                Some(wait) => sleep(wait).await,
                None => return Err(failure.into()),
            }
            retries += 1;
        }
    }

    fn open(&self, answer: Answer) -> Result<Data, (Miss, Failure)> {
        let retry_after = answer.retry_after.as_deref();
        let retry_after =
            retry_after.and_then(|text| retry::seconds(text, Date::now(), Date::parse));
        answer::open(&answer, self.secrets).map_err(|mut failure| {
            failure.retry_after = retry_after;
            let status = failure.status.unwrap_or_default();
            (
                Miss::Status {
                    status,
                    retry_after,
                },
                failure,
            )
        })
    }
}
