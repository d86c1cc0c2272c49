//! The requests about sessions.

use std::rc::Rc;

use contract::{IMAGE_URL, ImageFormat, SESSIONS_PATH};
use wasm_bindgen::prelude::*;
use web_sys::console;

use crate::api::{Api, ApiResponse, BoxedFuture, PostBody};
use crate::base64_body;
use crate::error::{CallError, ErrorCode, Failure, Result};
use crate::image::{IMAGE, ImageInput};
use crate::js::{describe, field, text};
use crate::options::{Create, Mesh, MeshStage};
use crate::prepare::prepare;
use crate::progress::{Phase, Progress};
use crate::response::{check_list, check_session};

/// Sends `POST /image-to-3d-sessions`.
pub async fn create(api: &Api, options: &Create) -> Result<ApiResponse> {
    let on_progress = options.on_progress.as_ref();
    let prepared = match &options.prepare {
        Some(settings) => Some(prepare(&options.image, settings, on_progress).await?),
        None => None,
    };
    let image = prepared.as_ref().unwrap_or(&options.image);
    let body = base64_body::write(&options.json, image, on_progress).await?;
    let size = image.size();
    let progress = Progress {
        phase: Phase::Sending,
        loaded: size,
        total: size,
    };
    progress.report(on_progress)?;
    let key = options.idempotency_key.as_deref();
    let body = PostBody::Image(body);
    match api.post(SESSIONS_PATH.into(), body, key).await {
        Ok(response) => received(api, response),
        Err(CallError::Failure(failure)) => Err(name_image(failure, image).await.into()),
        Err(error) => Err(error),
    }
}

/// Changes the message about a rejected `image`, which the API knows as `image_url`: names the option,
/// and mentions `prepare` if browsers read the format.
async fn name_image(mut failure: Box<Failure>, image: &ImageInput) -> Box<Failure> {
    let is_rejected = failure.status == Some(400)
        && matches!(
            failure.code,
            ErrorCode::UnsupportedImage | ErrorCode::ImageTooLarge
        );
    let format = match is_rejected {
        true => base64_body::read_format(image).await.ok().flatten(),
        false => None,
    };
    let message = text(&failure.body, "message").unwrap_or_default();
    let reason = message.strip_prefix(IMAGE_URL);
    if let (Some(format), Some(reason)) = (format, reason) {
        let hint = match format {
            ImageFormat::Heic | ImageFormat::JpegXl => ", or use `prepare` in Safari.",
            ImageFormat::Avif | ImageFormat::Ico => ", or use `prepare`.",
            _ => ".",
        };
        // The reason is a sentence if it says what to do.
        let advice = reason
            .strip_suffix('.')
            .map(|advice| format!("{advice}{hint}"));
        let reason = advice.as_deref().unwrap_or(reason);
        failure.message = format!("{IMAGE}{reason} (HTTP 400)");
    }
    failure
}

/// Sends `GET /image-to-3d-sessions/{session_code}`.
pub async fn get(api: &Api, code: &SessionCode) -> Result<ApiResponse> {
    let path = format!("{SESSIONS_PATH}/{}", code.0);
    received(api, api.get(path).await?)
}

/// Checks and records a session.
fn received(api: &Api, response: ApiResponse) -> Result<ApiResponse> {
    check_session(&response.data)?;
    api.state.session_received(&response.data);
    Ok(response)
}

/// Sends `DELETE /image-to-3d-sessions/{session_code}`, an extension of this project's server.
pub async fn delete(api: &Api, code: &SessionCode) -> Result<()> {
    api.delete(format!("{SESSIONS_PATH}/{}", code.0)).await
}

/// Deletes the session that a call has received last, if it has received one. A failure is logged,
/// since nobody waits for the result.
pub fn delete_last(api: Rc<Api>) -> BoxedFuture<()> {
    Box::pin(async move {
        let session = api.state.take_session();
        let Ok(code) = SessionCode::of_session(&session) else {
            return;
        };
        if let Err(error) = delete(&api, &code).await {
            let warning = format!("csm-image-to-3d: could not delete the session {}:", code.0);
            console::warn_2(&warning.into(), &error.into_js(&api.state));
        }
    })
}

/// Sends `GET /image-to-3d-sessions`.
pub async fn list(api: &Api, query: &str) -> Result<JsValue> {
    let response = api.get(format!("{SESSIONS_PATH}{query}")).await?;
    check_list(&response.data)?;
    Ok(response.data)
}

/// Sends `POST /image-to-3d-sessions/get-3d/{stage}/{session_code}`.
pub async fn request_mesh(
    api: &Api,
    stage: MeshStage,
    code: &SessionCode,
    options: &Mesh,
) -> Result<JsValue> {
    let stage = match stage {
        MeshStage::Preview => "preview",
        MeshStage::Refine => "refine",
    };
    let path = format!("{SESSIONS_PATH}/get-3d/{stage}/{}", code.0);
    let key = options.idempotency_key.as_deref();
    let body = PostBody::Parameters(&options.json);
    Ok(api.post(path, body, key).await?.data)
}

/// The code of a session, which needs no escaping in a path.
pub struct SessionCode(String);

impl SessionCode {
    /// Validates the caller's `session_code`.
    ///
    /// # Errors
    /// Fails if it is not a string, or cannot be the code of a session.
    pub fn read(value: &JsValue) -> Result<Self> {
        let expected = "the code of a session, such as \"SESSION_1700000000_1234567\"";
        Self::parse(value).ok_or_else(|| CallError::invalid_value("session_code", value, expected))
    }

    /// Returns the code of a session that the API has returned.
    ///
    /// # Errors
    /// Fails if no request for the session can be made with it.
    pub fn of_session(session: &JsValue) -> Result<Self> {
        let value = field(session, "session_code");
        Self::parse(&value).ok_or_else(|| {
            let code = describe(&value);
            let message = format!("Unexpected response: invalid session_code {code}");
            Failure::new(ErrorCode::UnexpectedResponse, message).into()
        })
    }

    /// Accepts the characters that URLs reserve for no purpose (RFC 3986). `.` and `..` would name
    /// other paths of the API.
    fn parse(value: &JsValue) -> Option<Self> {
        let code = value.as_string()?;
        let is_unreserved =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let is_code = !code.is_empty() && code.chars().all(is_unreserved) && !is_dots(&code);
        is_code.then_some(Self(code))
    }
}

fn is_dots(code: &str) -> bool {
    matches!(code, "." | "..")
}
