//! The requests about sessions.

use alloc::format;
use alloc::string::String;

use contract::SESSIONS_PATH;
use js_sys::encode_uri_component;
use wasm_bindgen::prelude::*;

use crate::api::{Api, ApiResponse};
use crate::base64_body;
use crate::error::{CallError, Result};
use crate::options::{Create, Mesh, MeshStage};
use crate::progress::{Phase, report};
use crate::response::{check_list, check_session};

/// Sends `POST /image-to-3d-sessions`.
pub async fn create(api: &Api, options: &Create) -> Result<ApiResponse> {
    let on_progress = options.on_progress.as_ref();
    let body = base64_body::write(&options.json, &options.image, on_progress).await?;
    let size = options.image.size();
    report(on_progress, Phase::Sending, size, size)?;
    let key = options.idempotency_key.as_deref();
    let response = api.post(SESSIONS_PATH.into(), body, key)?.await?;
    received(api, response)
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
    let body = options.json.clone().into();
    Ok(api.post(path, body, key)?.await?.data)
}

/// The code of a session, escaped for a path.
pub struct SessionCode(String);

impl SessionCode {
    /// Validates the caller's `session_code`.
    ///
    /// # Errors
    /// Fails if it is not a string, or is blank.
    pub fn read(value: &JsValue) -> Result<Self> {
        match value.as_string().filter(|code| !code.trim().is_empty()) {
            Some(code) => Ok(Self(encode_uri_component(&code).into())),
            None => Err(CallError::invalid_options(
                "session_code must be a non-empty string",
            )),
        }
    }
}
