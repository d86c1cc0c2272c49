//! The errors of requests.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::response::{self, Response, with_header};
use crate::store::StoreError;

/// Why a request fails.
pub enum ApiError {
    /// The request is rejected with this status and message.
    Status { status: StatusCode, message: String },
    /// The queue is full.
    QueueFull { retry_after_seconds: u64 },
    /// The store failed.
    Store(StoreError),
}

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Status {
            status,
            message: message.into(),
        }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub fn session_not_found(code: &str) -> Self {
        Self::not_found(format!("Session {code} not found"))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<ApiError> for Response {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Status { status, message } => response::error(status, &message),
            ApiError::QueueFull {
                retry_after_seconds: seconds,
            } => {
                let message = format!("Too many pending sessions. Try again in {seconds} s.");
                let response = response::error(StatusCode::TOO_MANY_REQUESTS, &message);
                with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
            }
            ApiError::Store(error) => {
                let message = format!("Sessions cannot be read or stored: {error}");
                response::error(StatusCode::INTERNAL_SERVER_ERROR, &message)
            }
        }
    }
}
