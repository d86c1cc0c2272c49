//! The Rust core of the npm package `csm-image-to-3d`: creates 3D models from images through the
//! Image-to-3D API, from a web page.
//!
//! Compiled to WebAssembly. Reads a `File`, streams it as base64 into the request body, sends the
//! request with `fetch`, and returns plain objects. Names that the API defines are unchanged; names
//! that the library adds are in camelCase.

mod api;
mod base64_body;
mod call_state;
mod cancel;
mod download;
mod error;
mod event_loop;
mod image;
mod image_reader;
mod js;
mod model_response;
mod options;
mod panic;
mod prepare;
mod progress;
mod redactor;
mod response;
mod retry;
mod session;
mod stage;
mod timer;
mod transport;
mod types;
mod wait;

use js_sys::Promise;
use tsify::Ts;
use wasm_bindgen::prelude::*;

use api::{Api, PreparedCall, run};
use error::Result;
use options::{
    Connection, ConnectionOptions, Create, Download, DownloadOptions, Follow, ListOptions, Mesh,
    MeshStage, OnAbort, PreviewOptions, WaitOptions,
};
use session::SessionCode;
use types::{CreateSessionOptions, ImageTo3dOptions, RefineOptions, Session};
use wait::Start;

// The tests of `tests/browser` use the library as its users do.
#[cfg(test)]
extern crate self as csm_image_to_3d;
#[cfg(all(test, target_arch = "wasm32"))]
#[path = "../tests/browser/main.rs"]
mod browser;

// The allocator of the standard library adds 2.3 KB to the wasm after brotli.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Creates a session and waits for its model.
///
/// Resolves with the preview; with `auto_refine: true` with the refined model; with
/// `preview_mesh: "turbo"` with the spins, one of which has to be selected with `requestPreview`.
/// `onUpdate` receives the session as soon as it is created. Store its `session_code` to continue
/// with `waitForSession` after the page is reloaded. An abort ends the call and leaves the session
/// running on the server, unless `onAbort` is `"delete"`.
///
/// @param options - The image, the parameters, and the options of the connection and of the wait.
/// @returns The session at the reached stage.
/// @throws {ImageTo3dError} The call failed; of kind `"session_failed"` if the session failed. If the
/// call is aborted, it throws the signal's reason instead.
///
/// @example
/// const session = await imageTo3d({
///   image: file, // of an <input type="file">
///   generate_texture: true,
///   baseUrl: "https://my-server.example/csm",
///   onUpdate: (session) => localStorage.setItem("session", session.session_code),
/// });
/// viewer.src = session.preview_mesh_url_glb ?? ""; // a <model-viewer>
#[wasm_bindgen(js_name = imageTo3d, unchecked_return_type = "Promise<Session>")]
pub fn image_to_3d(options: Ts<ImageTo3dOptions>) -> Promise {
    let call = Follow::read_with_create(&options.into());
    let call = call.map(|(create, follow, connection)| {
        let on_abort = follow.on_abort;
        let call = prepare_session(Start::New(create.into()), Some(follow), connection);
        match on_abort {
            OnAbort::Keep => call,
            OnAbort::Delete => call.after_abort(session::delete_last),
        }
    });
    run(call)
}

/// Creates a session: sends the image and the parameters.
///
/// Resolves when the API has accepted the request; use `waitForSession` to wait for the model. All
/// options and the image's format are validated before the request is sent.
///
/// @param options - The image, the parameters and the options of the connection.
/// @returns The new session.
/// @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
/// instead.
///
/// @example
/// const session = await createSession({
///   image: file, // of an <input type="file">
///   generate_texture: true,
///   baseUrl: "https://my-server.example/csm",
/// });
/// console.log(session.session_code, session.status);
#[wasm_bindgen(js_name = createSession, unchecked_return_type = "Promise<Session>")]
pub fn create_session(options: Ts<CreateSessionOptions>) -> Promise {
    let call = Create::read(&options.into());
    let call = call
        .map(|(create, connection)| prepare_session(Start::New(create.into()), None, connection));
    run(call)
}

/// Polls a session until it reaches a stage.
///
/// Settles when the session reaches the stage of `until` or a later one, fails, is aborted, or the
/// call takes longer than `timeout`. After the first successful response, network errors and the
/// statuses 408, 429 and 5xx are retried. Unknown statuses count as in progress. If the session
/// stays at `spin_generate_done` with spins for three polls, the call resolves early: select a spin
/// with `requestPreview`. Waiting for a refinement that was not requested runs into the timeout:
/// call `requestRefine` first, or create the session with `auto_refine`.
///
/// @param session_code - The code of the session.
/// @param options - The stage to wait for, and the options of the connection and of the wait.
/// @returns The session at the reached stage.
/// @throws {ImageTo3dError} The call failed; `session` is the session as received last. If the call
/// is aborted, it throws the signal's reason instead.
///
/// @example
/// const session = await waitForSession(localStorage.getItem("session") ?? "", {
///   baseUrl: "https://my-server.example/csm",
///   onUpdate: (session) => (bar.value = session.percent_done ?? 0),
/// });
#[wasm_bindgen(js_name = waitForSession, unchecked_return_type = "Promise<Session>")]
pub fn wait_for_session(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    options: Ts<WaitOptions>,
) -> Promise {
    let prepare = || {
        let (follow, connection) = Follow::read(&options.into())?;
        let start = Start::Existing(SessionCode::read(&session_code)?);
        Ok(prepare_session(start, Some(follow), connection))
    };
    run(prepare())
}

/// Fetches a session in its current state.
///
/// @param session_code - The code of the session.
/// @param options - The options of the connection.
/// @returns The session.
/// @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
/// instead.
///
/// @example
/// const session = await getSession(session_code, { baseUrl });
/// if (stageOf(session).state === "done") show(session);
#[wasm_bindgen(js_name = getSession, unchecked_return_type = "Promise<Session>")]
pub fn get_session(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    options: Ts<ConnectionOptions>,
) -> Promise {
    let prepare = || {
        let connection = options::read_connection(&options.into())?;
        let start = Start::Existing(SessionCode::read(&session_code)?);
        Ok(prepare_session(start, None, connection))
    };
    run(prepare())
}

fn prepare_session(start: Start, follow: Option<Follow>, connection: Connection) -> PreparedCall {
    Api::prepare(connection, async |api| {
        wait::run_session(api, start, follow).await
    })
}

/// Deletes a session with its image and its models, and cancels its work.
///
/// An extension of this project's server. A session keeps running on the server, and may cost money,
/// after the call that waits for it was aborted.
///
/// @param session_code - The code of the session.
/// @param options - The options of the connection.
/// @returns A promise that resolves once the session is deleted.
/// @throws {ImageTo3dError} The call failed; of kind `"not_found"` if there is no such session. If the
/// call is aborted, it throws the signal's reason instead.
///
/// @example
/// await deleteSession(session_code, { baseUrl });
#[wasm_bindgen(js_name = deleteSession, unchecked_return_type = "Promise<void>")]
pub fn delete_session(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    options: Ts<ConnectionOptions>,
) -> Promise {
    let prepare = || {
        let connection = options::read_connection(&options.into())?;
        let code = SessionCode::read(&session_code)?;
        Ok(Api::prepare(connection, async move |api| {
            session::delete(api, &code).await?;
            Ok(JsValue::UNDEFINED)
        }))
    };
    run(prepare())
}

/// Fetches a page of the sessions of the key's owner.
///
/// @param options - The page and the options of the connection.
/// @returns The sessions of the page.
/// @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
/// instead.
///
/// @example
/// const { results } = await listSessions({ baseUrl, limit: 20 });
/// for (const { session_code, status } of results) console.log(session_code, status);
#[wasm_bindgen(js_name = listSessions, unchecked_return_type = "Promise<SessionList>")]
pub fn list_sessions(options: Ts<ListOptions>) -> Promise {
    let call = options::read_list(&options.into());
    let call = call.map(|(query, connection)| {
        Api::prepare(connection, async move |api| {
            session::list(api, &query).await
        })
    });
    run(call)
}

/// Requests the preview of a session that waits for the selection of a spin.
///
/// A preview may cost money; the request is retried under the same conditions as `createSession`.
///
/// @param session_code - The code of the session.
/// @param options - The selected spin, parameters, and the options of the connection.
/// @returns The API's response, which may be only a part of the session.
/// @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
/// instead.
///
/// @example
/// await requestPreview(session_code, { selected_spin_index: 2, baseUrl });
/// const session = await waitForSession(session_code, { baseUrl });
#[wasm_bindgen(js_name = requestPreview, unchecked_return_type = "Promise<SessionUpdate>")]
pub fn request_preview(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    options: Ts<PreviewOptions>,
) -> Promise {
    let call = prepare_mesh(MeshStage::Preview, &session_code, &options.into());
    run(call)
}

/// Requests the refined model of a session whose preview is done.
///
/// A refinement may cost money; the request is retried under the same conditions as `createSession`.
///
/// @param session_code - The code of the session.
/// @param options - Parameters and the options of the connection.
/// @returns The API's response, which may be only a part of the session.
/// @throws {ImageTo3dError} The call failed. If the call is aborted, it throws the signal's reason
/// instead.
///
/// @example
/// await requestRefine(session_code, { baseUrl });
/// const session = await waitForSession(session_code, { until: "refine", baseUrl });
#[wasm_bindgen(js_name = requestRefine, unchecked_return_type = "Promise<SessionUpdate>")]
pub fn request_refine(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    options: Ts<RefineOptions>,
) -> Promise {
    let call = prepare_mesh(MeshStage::Refine, &session_code, &options.into());
    run(call)
}

fn prepare_mesh(
    stage: MeshStage,
    session_code: &JsValue,
    options: &JsValue,
) -> Result<PreparedCall> {
    let (mesh, connection) = Mesh::read(options, stage)?;
    let code = SessionCode::read(session_code)?;
    Ok(Api::prepare(connection, async move |api| {
        session::request_mesh(api, stage, &code, &mesh).await
    }))
}

/// Downloads the model of a session: the refined model if it exists, or else the preview.
///
/// The key is sent only to the origin of `baseUrl`; results on other origins need no key.
///
/// @param session - The session.
/// @param options - The format and the options of the connection.
/// @returns The model, with the media type of its format.
/// @throws {ImageTo3dError} The call failed. If the session has no model in the format, the message
/// lists the available formats. If the call is aborted, it throws the signal's reason instead.
///
/// @example
/// const blob = await downloadModel(session, { format: "glb" });
/// viewer.src = URL.createObjectURL(blob);
#[wasm_bindgen(js_name = downloadModel, unchecked_return_type = "Promise<Blob>")]
pub fn download_model(session: Ts<Session>, options: Option<Ts<DownloadOptions>>) -> Promise {
    let prepare = || {
        let options = options.map(JsValue::from);
        let (download, connection) = Download::read(options.as_ref())?;
        let url = download::model_url(&session.into(), download.format)?;
        Ok(Api::prepare(connection, async move |api| {
            download::model(api, url, &download).await
        }))
    };
    run(prepare())
}
