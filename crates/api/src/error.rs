//! The errors of requests.

use contract::{IMAGE_URL, ImageErrorCode, MASK_URL};
use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::response::{self, Response, with_header, with_status_text};
use crate::store::StoreError;
use decode::{DecodeBusy, DecodeError};

/// Why a request fails.
pub enum ApiError {
    /// The request is rejected with this status and message.
    Status { status: StatusCode, message: String },
    /// The image of the request is rejected.
    Image {
        code: ImageErrorCode,
        message: String,
    },
    /// The session has no model of this format.
    FormatNotAvailable {
        code: String,
        format: &'static str,
        available: Vec<&'static str>,
    },
    /// The queue is full.
    QueueFull { retry_after_seconds: u64 },
    /// Too many images are being decoded.
    DecodeBusy(DecodeBusy),
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

    /// Returns the error of an `image_url` whose image cannot be decoded.
    pub fn of_image(error: DecodeError) -> Self {
        let message = format!("{IMAGE_URL}: {error}");
        let code = match error {
            DecodeError::Busy(busy) => return Self::DecodeBusy(busy),
            DecodeError::TooManyPixels { .. } | DecodeError::TooMuchMemory { .. } => {
                ImageErrorCode::ImageTooLarge
            }
            DecodeError::Empty
            | DecodeError::Unrecognized(_)
            | DecodeError::UnsupportedFormat(_)
            | DecodeError::UnsupportedKind(_)
            | DecodeError::Undecodable { .. }
            | DecodeError::Damaged(_)
            | DecodeError::EndsEarly(_)
            | DecodeError::Refused { .. }
            | DecodeError::Faulty { .. } => ImageErrorCode::UnsupportedImage,
        };
        Self::Image { code, message }
    }

    /// Returns the error of a `mask_url` whose image cannot be decoded. It has no code: the caller's
    /// image may be right.
    pub fn of_mask(error: DecodeError) -> Self {
        match error {
            DecodeError::Busy(busy) => Self::DecodeBusy(busy),
            error => Self::bad_request(format!("{MASK_URL}: {error}")),
        }
    }

    pub fn session_not_found(code: &str) -> Self {
        Self::not_found(format!("Session {code} not found"))
    }
}

/// Creates the error of an invalid request from its message.
impl From<String> for ApiError {
    fn from(message: String) -> Self {
        Self::bad_request(message)
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
            ApiError::Image { code, message } => response::image_error(code, &message),
            ApiError::FormatNotAvailable {
                code,
                format,
                available,
            } => {
                let available = available.join(", ");
                let message =
                    format!("Session {code} has no {format} model. Available: {available}");
                let response = response::error(StatusCode::NOT_FOUND, &message);
                with_status_text(response, message)
            }
            ApiError::QueueFull {
                retry_after_seconds: seconds,
            } => {
                let message = format!("Too many pending sessions. Try again in {seconds} s.");
                let response = response::error(StatusCode::TOO_MANY_REQUESTS, &message);
                with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
            }
            ApiError::DecodeBusy(DecodeBusy {
                retry_after_seconds: seconds,
            }) => {
                let message =
                    format!("Too many images are being decoded. Try again in {seconds} s.");
                let response = response::error(StatusCode::SERVICE_UNAVAILABLE, &message);
                with_header(response, RETRY_AFTER, HeaderValue::from(seconds))
            }
            ApiError::Store(error) => {
                let message = format!("Sessions cannot be read or stored: {error}");
                response::error(StatusCode::INTERNAL_SERVER_ERROR, &message)
            }
        }
    }
}
