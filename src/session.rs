//! The calls about sessions, one exchange each.

use alloc::string::String;
use contract::SESSIONS_PATH;
use js_sys::encode_uri_component;
use wasm_bindgen::prelude::*;

use crate::answer;
use crate::api::{Api, Reply};
use crate::body;
use crate::error::Result;
use crate::options::{Create, Mesh, refused};

/// `POST /image-to-3d-sessions`
pub async fn create(api: &Api, options: &Create) -> Result<Reply> {
    let progress = options.on_progress.as_ref();
    let body = body::write(&options.json, &options.picture, progress).await?;
    let size = options.picture.size();
    body::report(progress, "sending", size, size)?;
    let key = options.idempotency_key.as_deref();
    checked(api, api.post(SESSIONS_PATH.into(), body, key)?.await?)
}

/// `GET /image-to-3d-sessions/{session_code}`
pub async fn get(api: &Api, code: &Code) -> Result<Reply> {
    checked(api, api.get(code.path("")).await?)
}

/// A reply that is a session.
fn checked(api: &Api, reply: Reply) -> Result<Reply> {
    answer::check_session(&reply.data)?;
    api.ledger.saw(&reply.data);
    Ok(reply)
}

/// `GET /image-to-3d-sessions`
pub async fn list(api: &Api, query: &str) -> Result<JsValue> {
    let reply = api.get([SESSIONS_PATH, query].concat()).await?;
    answer::check_list(&reply.data)?;
    Ok(reply.data)
}

/// `POST /image-to-3d-sessions/get-3d/{stage}/{session_code}`
pub async fn request_mesh(api: &Api, path: String, options: &Mesh) -> Result<JsValue> {
    let key = options.idempotency_key.as_deref();
    let body = options.json.clone().into();
    Ok(api.post(path, body, key)?.await?.data)
}

/// The code of a session, fit for a path.
pub struct Code(String);

impl Code {
    pub fn read(given: &JsValue) -> Result<Self> {
        match given.as_string().filter(|code| !code.trim().is_empty()) {
            Some(code) => Ok(Self(encode_uri_component(&code).into())),
            None => Err(refused(
                "session_code",
                given,
                "the code of a session, a text",
            )),
        }
    }

    /// The path of the session, below the sessions' own.
    pub fn path(&self, below: &str) -> String {
        [SESSIONS_PATH, below, "/", &self.0].concat()
    }
}
