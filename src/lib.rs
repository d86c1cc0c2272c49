//! Turns a picture into a 3D model through the Image-to-3D API, from a web page.
//!
//! This is the Rust behind the npm package of the same name: compiled to WebAssembly it reads a
//! `File`, streams it as base64 into the request's body, sends it through `fetch`, and answers
//! with a plain object. What the API defines keeps the API's own names; what the library adds is
//! camelCase.

#![no_std]

extern crate alloc;
#[cfg(any(feature = "std", not(target_arch = "wasm32")))]
extern crate std;

mod answer;
mod api;
mod body;
mod download;
mod error;
mod image;
mod js;
mod ledger;
mod options;
#[cfg(not(feature = "std"))]
#[cfg(target_arch = "wasm32")]
mod panic;
mod retry;
mod session;
mod stop;
mod transport;
#[cfg(feature = "typescript")]
mod types;
mod wait;

use js_sys::Promise;
use wasm_bindgen::prelude::*;

use api::{Api, call};
use options::{Connection, Create, Download, Follow, Mesh};
use session::Code;
use wait::Start;

// An eighth of the standard library's in size.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Turns a picture into a model: creates a session and follows it to its end.
///
/// Ends at the preview; with `auto_refine: true` at the refined model; with
/// `preview_mesh: "turbo"` at the spins, of which `requestPreview` takes one. `onUpdate` gets the
/// session as soon as it is created: keep its `session_code` there, and a page that is loaded
/// again can go on with `waitForSession`.
///
/// @throws {ImageTo3dError} for every failure (`"session_failed"` where the session ended so; the
/// session stands in `session`); where the call is aborted, the signal's reason.
///
/// @example
/// const session = await imageTo3d({
///   image: fileInput.files[0],
///   generate_texture: true,
///   baseUrl: "https://my-server.example/csm",
///   onUpdate: (session) => localStorage.setItem("session", session.session_code),
/// });
/// viewer.src = session.preview_mesh_url_glb ?? ""; // a <model-viewer>
#[wasm_bindgen(js_name = imageTo3d, unchecked_return_type = "Promise<Session>")]
pub fn image_to_3d(
    #[wasm_bindgen(unchecked_param_type = "ImageTo3dOptions")] options: JsValue,
) -> Promise {
    session(|| {
        let (create, follow, connection) = Follow::read_with_create(&options)?;
        Ok((Start::New(create.into()), Some(follow), connection))
    })
}

/// Creates a session: sends the picture and the parameters, and answers as soon as the API has
/// taken them. The model is not made then; `waitForSession` follows it.
///
/// Nothing is sent before all options are checked and the picture is known to be one.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// const session = await createSession({
///   image: fileInput.files[0],
///   generate_texture: true,
///   baseUrl: "https://my-server.example/csm",
/// });
/// console.log(session.session_code, session.status);
#[wasm_bindgen(js_name = createSession, unchecked_return_type = "Promise<Session>")]
pub fn create_session(
    #[wasm_bindgen(unchecked_param_type = "CreateSessionOptions")] options: JsValue,
) -> Promise {
    session(|| {
        let (create, connection) = Create::read(&options)?;
        Ok((Start::New(create.into()), None, connection))
    })
}

/// Follows a session until it has reached a stage, and answers it as it is then.
///
/// Ends as soon as the session is at the stage or beyond, rejects where it ended in a `*_failed`
/// status (`"session_failed"`), is aborted, or takes longer than `timeout`. Once the API has
/// answered, network errors, 408, 429 and 5xx only delay it. A status that this library does not
/// know is waited through. A session that has stood at `spin_generate_done` with spins to choose
/// from for three looks ends a wait for a later stage too: it is waiting for its caller, and
/// `requestPreview` takes it on. A wait for a refinement that nobody asked for lasts until
/// `timeout`: ask with `requestRefine` first, or create the session with `auto_refine`.
///
/// @throws {ImageTo3dError} for every failure, with the session as it was last seen in `session`;
/// where the call is aborted, the signal's reason.
///
/// @example
/// const session = await waitForSession(localStorage.getItem("session") ?? "", {
///   baseUrl: "https://my-server.example/csm",
///   onUpdate: (session) => (bar.value = session.percent_done ?? 0),
/// });
#[wasm_bindgen(js_name = waitForSession, unchecked_return_type = "Promise<Session>")]
pub fn wait_for_session(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    #[wasm_bindgen(unchecked_param_type = "WaitOptions")] options: JsValue,
) -> Promise {
    session(|| {
        let (follow, connection) = Follow::read_wait(&options)?;
        let start = Start::Known(Code::read(&session_code)?);
        Ok((start, Some(follow), connection))
    })
}

/// Asks for a session as it is now.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// const session = await getSession(session_code, { baseUrl });
/// if (stageOf(session).state === "done") show(session);
#[wasm_bindgen(js_name = getSession, unchecked_return_type = "Promise<Session>")]
pub fn get_session(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    #[wasm_bindgen(unchecked_param_type = "ConnectionOptions")] options: JsValue,
) -> Promise {
    session(|| {
        let connection = options::read_connection(&options)?;
        let start = Start::Known(Code::read(&session_code)?);
        Ok((start, None, connection))
    })
}

fn session(
    read_options: impl FnOnce() -> error::Result<(Start, Option<Follow>, Connection)>,
) -> Promise {
    let options = read_options();
    call(|| {
        let (start, follow, connection) = options?;
        Ok(Api::work(connection, async |api| {
            wait::session(api, start, follow).await
        }))
    })
}

/// Asks for the sessions of the key's owner, a page of them.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// const { results } = await listSessions({ baseUrl, limit: 20 });
/// for (const { session_code, status } of results) console.log(session_code, status);
#[wasm_bindgen(js_name = listSessions, unchecked_return_type = "Promise<SessionList>")]
pub fn list_sessions(
    #[wasm_bindgen(unchecked_param_type = "ListOptions")] options: JsValue,
) -> Promise {
    call(|| {
        let (query, connection) = options::read_list(&options)?;
        Ok(Api::work(connection, async move |api| {
            session::list(api, &query).await
        }))
    })
}

/// Asks for the preview of a session that stands at its spins. It costs what a preview costs, and
/// so is sent again only as `createSession` is.
///
/// Answers what the API answers, which need not be the whole session.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// await requestPreview(session_code, { selected_spin_index: 2, baseUrl });
/// const session = await waitForSession(session_code, { baseUrl });
#[wasm_bindgen(js_name = requestPreview, unchecked_return_type = "Promise<SessionUpdate>")]
pub fn request_preview(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    #[wasm_bindgen(unchecked_param_type = "PreviewOptions")] options: JsValue,
) -> Promise {
    let options = Mesh::read(&options, true);
    request_mesh(&session_code, "/get-3d/preview", options)
}

/// Asks for the refined model of a session whose preview is done. It costs what a refinement
/// costs, and so is sent again only as `createSession` is.
///
/// Answers what the API answers, which need not be the whole session.
///
/// @throws {ImageTo3dError} for every failure; where the call is aborted, the signal's reason.
///
/// @example
/// await requestRefine(session_code, { baseUrl });
/// const session = await waitForSession(session_code, { until: "refine", baseUrl });
#[wasm_bindgen(js_name = requestRefine, unchecked_return_type = "Promise<SessionUpdate>")]
pub fn request_refine(
    #[wasm_bindgen(unchecked_param_type = "string")] session_code: JsValue,
    #[wasm_bindgen(unchecked_param_type = "RefineOptions")] options: JsValue,
) -> Promise {
    let options = Mesh::read(&options, false);
    request_mesh(&session_code, "/get-3d/refine", options)
}

fn request_mesh(
    session_code: &JsValue,
    below: &str,
    options: error::Result<(Mesh, Connection)>,
) -> Promise {
    call(|| {
        let (mesh, connection) = options?;
        let path = Code::read(session_code)?.path(below);
        Ok(Api::work(connection, async move |api| {
            session::request_mesh(api, path, &mesh).await
        }))
    })
}

/// Downloads a session's model: the refined one where there is one, else the preview.
///
/// Needs no key for results that lie elsewhere, and never sends one to another origin than that of
/// `baseUrl`. Answers a `Blob` with the format's media type.
///
/// @throws {ImageTo3dError} for every failure; where the session has no model in the format, the
/// message names the formats that it has. Where the call is aborted, the signal's reason.
///
/// @example
/// const blob = await downloadModel(session, { format: "glb" });
/// viewer.src = URL.createObjectURL(blob);
#[wasm_bindgen(js_name = downloadModel, unchecked_return_type = "Promise<Blob>")]
pub fn download_model(
    #[wasm_bindgen(unchecked_param_type = "Session")] session: JsValue,
    #[wasm_bindgen(unchecked_optional_param_type = "DownloadOptions")] options: JsValue,
) -> Promise {
    call(|| {
        let (download, connection) = Download::read(&options)?;
        let url = download::best_url(&session, download.format)?;
        Ok(Api::work(connection, async move |api| {
            download::model(api, url, &download).await
        }))
    })
}

/// Panics.
#[cfg(feature = "panic-on-demand")]
#[wasm_bindgen(js_name = panicOnDemand)]
pub async fn panic_on_demand() {
    panic!("on demand");
}
