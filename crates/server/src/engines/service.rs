//! The trait that a remote engine's adapter implements, and its types.

use std::time::Duration;

use api::image::{DynamicImage, ImageError};
use api::{Cents, CostUnit, Cutout, EndedJob, Millis, ServiceFormat, SessionCost};
use serde_json::Value;
use thiserror::Error;

use super::client::{ApiResponse, Client, ErrorResponse, RequestError};
use super::order::Order;

/// How often a job is polled, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The pause between two polls.
    pub poll_interval: Duration,
    /// The time limit for a job.
    pub deadline: Duration,
}

/// A request for a model.
pub struct ModelRequest<'a> {
    pub image: &'a DynamicImage,
    /// The part of the image to make the model of, for a service that
    /// [takes objects alone](Service::takes_cutouts), or if the caller chose how to find it.
    pub cutout: Option<&'a Cutout>,
    pub order: Order,
}

/// A service that makes each model as a job of its own. Several threads use it at once.
pub trait Service: Send + Sync {
    /// Returns the name in configurations, requests and messages.
    fn name(&self) -> &'static str;

    /// Returns whether a job costs money.
    fn is_paid(&self) -> bool {
        true
    }

    /// Returns the list price of a model, or `None` if it is free or unknown.
    fn price(&self, _order: &Order) -> Option<Cents> {
        None
    }

    /// Returns where the list prices were read, and when.
    fn price_source(&self) -> &'static str {
        "no list prices"
    }

    /// Returns whether the service takes images of objects without their background.
    fn takes_cutouts(&self) -> bool {
        false
    }

    /// Returns what the configuration lacks for the service to work, if anything.
    fn missing(&self) -> Option<String> {
        None
    }

    /// Returns how many jobs to submit at the same time unless configured otherwise.
    fn default_concurrent(&self) -> usize;

    /// Requests a model: the only request that may cost money. Returns the job's reference, a text
    /// in a form of the service's own.
    ///
    /// # Errors
    /// Fails if the service did not accept the job, or if that is unknown.
    fn submit(&self, request: &ModelRequest) -> Result<String, SubmitError>;

    /// Returns the references of the jobs that were created since a time.
    ///
    /// # Errors
    /// Fails if the service has no list of jobs, or if it cannot be read for now.
    fn list_since(&self, _: Millis) -> Result<Vec<String>, ListError> {
        Err(ListError::Unsupported)
    }

    /// Returns the state of a job.
    ///
    /// # Errors
    /// Fails if the state cannot be read for now. The job itself may be fine.
    fn poll(&self, job: &str) -> Result<JobState, PollError>;

    /// Asks the service to cancel a job.
    fn cancel(&self, _job: &str, _reason: CancelReason) -> Cancellation {
        Cancellation::Unsupported
    }

    /// Returns what becomes of a job whose session is deleted.
    fn after_deletion(&self) -> EndedJob {
        let name = self.name();
        let may_be_charged = self.is_paid();
        let charge = if may_be_charged {
            " and may be charged"
        } else {
            ""
        };
        EndedJob {
            message: format!("{name} cannot cancel a job: it goes on{charge}."),
            may_be_charged,
        }
    }

    /// Returns the client that downloads results.
    fn client(&self) -> &Client;

    /// Describes the service if it is reachable and would make a model. Spends nothing. Assumes that
    /// nothing is [`missing`](Self::missing).
    ///
    /// # Errors
    /// Fails if the service is unreachable, or would not make a model.
    fn check(&self) -> Result<String, CheckError>;
}

/// The state of a job.
#[derive(Debug)]
pub enum JobState {
    /// The job waits or runs.
    Running {
        /// From 0 to 1; 0 while the job waits.
        progress: f32,
        /// The current step of the job, for `engine_status`.
        status: String,
    },
    /// The job is done, and this is the file.
    Done(Vec<u8>),
    /// The job is done, and the file is at this URL.
    DoneAt {
        url: String,
        /// The same model in other formats.
        others: Vec<ResultUrl>,
        /// What the service has charged, if it tells.
        cost: Option<SessionCost>,
    },
    /// The job has failed for this reason.
    Failed(String),
}

impl JobState {
    /// Returns the state of a job in the queue of a service, behind this many jobs if that is known.
    pub fn queued(service: &str, ahead: Option<u64>) -> Self {
        let status = match ahead {
            Some(0) => format!("next in {service}'s queue"),
            Some(1) => format!("1 job ahead in {service}'s queue"),
            Some(ahead) => format!("{ahead} jobs ahead in {service}'s queue"),
            None => format!("in {service}'s queue"),
        };
        Self::Running {
            progress: 0.0,
            status,
        }
    }

    /// Returns the state of a running job of which this part is done, from 0 to 1.
    pub fn running(progress: f32, status: &str) -> Self {
        Self::Running {
            // A running job may report 0, which means waiting to the API.
            progress: progress.max(0.01),
            status: status.into(),
        }
    }

    /// Returns the state of a job that has ended with this status, for which the service may have sent a
    /// reason.
    pub fn failed_with(client: &Client, status: &str, reason: Option<&str>) -> Self {
        let reason = client.redact(reason.unwrap_or_default());
        Self::Failed(match reason.is_empty() {
            true => format!("task {status}"),
            false => format!("task {status}: {reason}"),
        })
    }

    /// Returns the state of a job whose model is at this URL, or the failure of one without a model.
    pub fn done_at(url: Option<&str>, others: Vec<ResultUrl>, cost: Option<SessionCost>) -> Self {
        match url {
            Some(url) if !url.is_empty() => Self::DoneAt {
                url: url.to_owned(),
                others,
                cost,
            },
            _ => Self::Failed("the task has no GLB".into()),
        }
    }
}

/// Returns the amount of credits in a field of a response.
pub fn credits(amount: &Value) -> Option<SessionCost> {
    amount.as_f64().map(|amount| SessionCost {
        amount,
        unit: CostUnit::Credits,
    })
}

/// The place of a model in another format than GLB.
#[derive(Clone, Debug)]
pub struct ResultUrl {
    pub format: ServiceFormat,
    pub url: String,
}

impl ResultUrl {
    /// Returns the URLs that a result has. `find` returns the URL of a format by its name.
    pub fn all<'a>(find: impl Fn(&'static str) -> Option<&'a str>) -> Vec<Self> {
        let formats = ServiceFormat::ALL.iter().copied();
        let urls = formats.filter_map(|format| {
            let url = find(format.name()).filter(|url| !url.is_empty())?;
            let url = url.to_owned();
            Some(Self { format, url })
        });
        urls.collect()
    }
}

/// Why a job is cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelReason {
    /// Nobody wants the model any more.
    Deleted,
    /// The job has exceeded its deadline. A model that is done all the same is used.
    Deadline,
}

/// Whether a job's cancellation was requested. Only the job's state tells whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// The service received the request.
    Requested,
    /// The service could not be reached. A later attempt may succeed.
    Failed,
    /// The service has no such request.
    Unsupported,
}

impl From<Result<ApiResponse, RequestError>> for Cancellation {
    fn from(result: Result<ApiResponse, RequestError>) -> Self {
        match result {
            Ok(response) if response.status == 429 || response.status >= 500 => Self::Failed,
            Ok(_) => Self::Requested,
            Err(_) => Self::Failed,
        }
    }
}

/// Why there is no job, as far as known.
#[derive(Debug, Error)]
pub enum SubmitError {
    /// No job was created, and the same request would be rejected again.
    #[error("{0}")]
    Rejected(String),
    /// No job was created, but a later attempt may succeed.
    #[error("{reason}")]
    Busy {
        reason: String,
        retry_after: Option<Duration>,
    },
    /// A job may have been created.
    #[error("{0}")]
    Unknown(String),
}

impl SubmitError {
    /// Classifies an error response. A 503 counts as the service's own only with `Retry-After`;
    /// otherwise it may come from a gateway after the service has received the request.
    pub fn from_response(client: &Client, response: &ApiResponse) -> Self {
        let reason = client.error(response).to_string();
        let retry_after = response.retry_after;
        match response.status {
            503 if retry_after.is_none() => Self::Unknown(reason),
            429 | 503 => Self::Busy {
                reason,
                retry_after,
            },
            400..=499 if response.status != 408 => Self::Rejected(reason),
            _ => Self::Unknown(reason),
        }
    }

    /// Returns the error for a request that was certainly not handled.
    pub fn not_handled(error: &RequestError) -> Self {
        Self::Busy {
            reason: error.to_string(),
            retry_after: None,
        }
    }

    /// Returns the error for a request before that for the model, such as an upload: it can be repeated.
    pub fn before_submit(self) -> Self {
        match self {
            Self::Unknown(reason) => Self::Busy {
                reason,
                retry_after: None,
            },
            error => error,
        }
    }
}

impl From<RequestError> for SubmitError {
    fn from(error: RequestError) -> Self {
        match error.may_have_arrived() {
            false => Self::not_handled(&error),
            true => Self::Unknown(error.to_string()),
        }
    }
}

impl From<ImageError> for SubmitError {
    fn from(error: ImageError) -> Self {
        Self::Rejected(format!("the image cannot be encoded: {error}"))
    }
}

/// Why the state of a job cannot be read for now.
#[derive(Debug, Error)]
pub enum PollError {
    /// There is no response.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The response is an error that says nothing about the job.
    #[error(transparent)]
    Response(#[from] ErrorResponse),
    /// The response cannot be interpreted.
    #[error("unexpected response: {0}")]
    Unexpected(&'static str),
    /// The reference of the job cannot be parsed.
    #[error("invalid job reference: {0}")]
    Reference(#[from] serde_json::Error),
}

/// Why the list of jobs cannot be read.
#[derive(Debug, Error)]
pub enum ListError {
    /// The service has no list of jobs.
    #[error("the service has no list of jobs")]
    Unsupported,
    /// The list cannot be read for now.
    #[error(transparent)]
    Poll(#[from] PollError),
}

/// Why a service is not ready.
#[derive(Debug, Error)]
#[error("{url}: {reason}")]
pub struct CheckError {
    url: String,
    reason: String,
}

impl CheckError {
    /// Creates an error about the service behind `client`.
    pub fn new(client: &Client, reason: impl ToString) -> Self {
        Self {
            url: client.base_url().to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Returns the ids that can be part of a path as they are.
pub fn plain_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    ids.filter(|id| is_plain_id(id))
        .map(str::to_owned)
        .collect()
}

/// Returns whether a job's id from a response can be part of a path as it is.
pub fn is_plain_id(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    !text.is_empty() && text.len() <= 100 && text.chars().all(is_plain)
}
