//! The shapes of what the functions take and answer, as TypeScript sees them. The code reads and
//! writes JavaScript's own objects, so that nothing of this is in the wasm.
#![allow(dead_code, missing_docs)]

use alloc::string::String;

use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::error::{ErrorKind, Sent};
use crate::wait::{StageName, StageState};

/// How far the picture, or the model, is on its way.
#[derive(Tsify)]
pub struct Progress {
    /// `"encoding"`: the picture is being read and encoded. `"sending"`: the request has been
    /// handed to `fetch`, which reports no upload progress. `"downloading"`: the model is coming.
    pub phase: Phase,
    /// Bytes of the picture that are encoded, or of the model that have come.
    pub loaded: f64,
    /// Bytes in all; 0 where the server does not say how many.
    pub total: f64,
}

/// What a call is doing.
#[derive(Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Encoding,
    Sending,
    Downloading,
}

/// What only a request that creates something takes.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
pub struct CreateOptions {
    /// Further parameters, put into the request's body as they are: for parameters of the API
    /// that are newer than this library. A name that the library knows is an error here.
    #[tsify(type = "Record<string, unknown>", optional)]
    extra: JsValue,
    /// Sent as `Idempotency-Key`, for servers that honour it (the one of this project does):
    /// the same key and request twice make one session, and so the call may be sent again after
    /// any failure. The documented service is not known to honour it.
    #[tsify(type = "string", optional)]
    idempotency_key: JsValue,
    /// Called while the picture is read and encoded, and once when the request is handed to
    /// `fetch`. What it throws ends the call.
    #[tsify(type = "(progress: Progress) => void", optional)]
    on_progress: JsValue,
}

/// The picture: exactly one of `image` and `image_url`.
///
/// - `image`: a picture as the browser has it. What it is, is told from its first bytes; its
///   `type` and its name do not matter. PNG, JPEG, WebP, GIF, BMP, AVIF, HEIC and TIFF are known.
/// - `image_url`: an `https:` or `http:` URL that the API can reach, or the picture as a base64
///   `data:` URI. Who has a large picture does better with `image`.
#[derive(Tsify)]
#[serde(untagged)]
pub enum ImageSource {
    Image {
        #[tsify(type = "File | Blob | ArrayBuffer | ArrayBufferView")]
        image: JsValue,
        #[tsify(type = "never", optional)]
        image_url: JsValue,
    },
    Url {
        #[tsify(type = "never", optional)]
        image: JsValue,
        image_url: String,
    },
}

/// What `createSession` takes.
#[derive(Tsify)]
#[tsify(type = "ImageSource & Parameters & CreateOptions & ConnectionOptions")]
pub struct CreateSessionOptions;

/// Where the API is and how to talk to it: the same for every call.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionOptions {
    /// The API key, or a function that gives it (or a promise of it), asked once per call.
    ///
    /// Required unless `baseUrl` or `fetch` is given. A key in a page is public: let a server of
    /// your own add it, and name that server in `baseUrl`.
    #[tsify(type = "string | (() => string | Promise<string>)", optional)]
    api_key: JsValue,
    /// The API's address, with or without a trailing slash; a path prefix is allowed, and so is
    /// an address relative to the page. Default: `"https://api.csm.ai"`.
    #[tsify(type = "string | URL", optional)]
    base_url: JsValue,
    /// Further headers. They cannot set what the library sets itself: `x-api-key`, `content-type`
    /// and `idempotency-key`.
    #[tsify(type = "HeadersInit", optional)]
    headers: JsValue,
    /// Ends the call: it rejects with the signal's `reason`.
    #[tsify(type = "AbortSignal", optional)]
    signal: JsValue,
    /// How long the whole call may take, in milliseconds. Default: `600000` (ten minutes);
    /// `Infinity` for no limit.
    #[tsify(type = "number", optional)]
    timeout: JsValue,
    /// How often a failed request may be sent again, where that cannot cost twice. Default: `2`.
    ///
    /// A request that creates something is sent again only where the API has said that nothing
    /// was created (429, or 503 with `Retry-After`), or under an `idempotencyKey`.
    #[tsify(type = "number", optional)]
    max_retries: JsValue,
    /// What to call instead of the global `fetch`, with a `Request`.
    #[tsify(type = "(request: Request) => Promise<Response>", optional)]
    fetch: JsValue,
}

/// What following a session takes beside the connection.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
pub struct FollowOptions {
    /// Called with the session whenever its status or its percentage has changed, the first time
    /// at once. What it throws ends the call.
    #[tsify(type = "(session: Session) => void", optional)]
    on_update: JsValue,
    /// How long to wait before the session is asked for again, in milliseconds. Default: `2000`.
    /// Each wait is half as long again as the one before, up to 15 s (or to `interval`, where that
    /// is longer), unless the API says in `Retry-After` when to come back.
    #[tsify(type = "number", optional)]
    interval: JsValue,
    /// How long the whole call may take, in milliseconds. Default: `3600000` (an hour);
    /// `Infinity` for no limit. The error holds the session as it was last seen.
    #[tsify(type = "number", optional)]
    timeout: JsValue,
}

/// What `waitForSession` takes beside the session's code.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** What to wait for. Default: `\"preview\"`. */\n  until?: Until;\n} & FollowOptions & ConnectionOptions"
)]
pub struct WaitOptions;

/// What `imageTo3d` takes.
#[derive(Tsify)]
#[tsify(type = "CreateSessionOptions & FollowOptions")]
pub struct ImageTo3dOptions;

/// What `listSessions` takes.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** How many sessions to answer at most. Default: the API's, `10`. */\n  limit?: number;\n  /** Which page of so many, from 0. Default: `0`. */\n  page?: number;\n} & ConnectionOptions"
)]
pub struct ListOptions;

/// What may be said once more about the mesh when it is requested.
#[derive(Tsify)]
#[tsify(
    type = "Pick<Parameters, \"scaled_bbox\" | \"pivot_point\"> & Pick<CreateOptions, \"idempotencyKey\"> & ConnectionOptions"
)]
pub struct RefineOptions;

/// What `requestPreview` takes beside the session's code.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** Which of the session's `spins` to go on with, from 0 to 3. For `preview_mesh: \"turbo\"`. */\n  selected_spin_index?: 0 | 1 | 2 | 3;\n  /** The `image_url` of the spin to go on with. For `preview_mesh: \"turbo\"`. */\n  selected_spin?: string;\n} & RefineOptions"
)]
pub struct PreviewOptions;

/// What `downloadModel` takes beside the session.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** Default: `\"glb\"`. */\n  format?: ModelFormat;\n  /** Called for each piece that has come. What it throws ends the call. */\n  onProgress?: (progress: Progress) => void;\n} & Partial<ConnectionOptions>"
)]
pub struct DownloadOptions;

/// Where a session's results lie in the formats that the API documents beside GLB. A server need
/// not have them all: a field is absent, or empty, until its file exists.
#[derive(Tsify)]
pub struct ResultUrls {
    /// Where the preview can be fetched as the API's own default archive, a zip.
    #[tsify(optional)]
    preview_mesh_url: String,
    /// Where the preview can be fetched as OBJ.
    #[tsify(optional)]
    preview_mesh_url_obj: String,
    /// Where the preview can be fetched as USDZ.
    #[tsify(optional)]
    preview_mesh_url_usdz: String,
    /// Where the preview can be fetched as a zip of all files.
    #[tsify(optional)]
    preview_mesh_url_zip: String,
    /// Where the preview can be fetched as FBX.
    #[tsify(optional)]
    preview_mesh_url_fbx: String,
    /// Where the preview can be fetched as STL, for printing: an extension of this project's own
    /// server, which the API does not document.
    #[tsify(optional)]
    preview_mesh_url_stl: String,
    /// Where the refined model can be fetched as the API's own default archive, a zip.
    #[tsify(optional)]
    mesh_url: String,
    /// Where the refined model can be fetched as OBJ.
    #[tsify(optional)]
    mesh_url_obj: String,
    /// Where the refined model can be fetched as USDZ.
    #[tsify(optional)]
    mesh_url_usdz: String,
    /// Where the refined model can be fetched as a zip of all files.
    #[tsify(optional)]
    mesh_url_zip: String,
    /// Where the refined model can be fetched as FBX.
    #[tsify(optional)]
    mesh_url_fbx: String,
    /// Where the refined model can be fetched as STL, for printing: an extension of this project's own
    /// server, which the API does not document.
    #[tsify(optional)]
    mesh_url_stl: String,
    /// Where a video of the model can be fetched.
    #[tsify(optional)]
    mp4_url: String,
}

/// A session as the API answers it. Fields that the API documents are typed; all others are kept
/// as they come.
#[derive(Tsify)]
#[tsify(type = "SessionFields & ResultUrls & Parameters & { [field: string]: unknown }")]
pub struct Session;

/// What the API answers to a request for a mesh: need not be the whole session.
#[derive(Tsify)]
#[tsify(type = "Partial<Session>")]
pub struct SessionUpdate;

/// A page of sessions.
#[derive(Tsify)]
#[tsify(
    type = "{\n  /** The sessions of the page. */\n  results: Session[];\n  [field: string]: unknown;\n}"
)]
pub struct SessionList;

/// How far a session is.
#[derive(Tsify)]
pub struct Stage {
    /// What was made last, or is being made.
    pub stage: StageName,
    /// How that is going; `"unknown"` where the API says what this library does not know.
    pub state: StageState,
    /// From 0 to 100, where the API says so.
    #[tsify(optional)]
    pub percent: Option<f64>,
}

/// What an `ImageTo3dError` holds beside its message.
#[derive(Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ErrorDetails {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whether the API may have created a session all the same.
    pub sent: Sent,
    /// The HTTP status, where the API answered.
    #[tsify(optional)]
    pub status: Option<u16>,
    /// How many seconds to wait before the next try, where the API said so and the page may read
    /// it (`Retry-After`; from another origin only if the server exposes that header).
    #[tsify(optional)]
    pub retry_after: Option<f64>,
    /// What the API answered: the parsed JSON, or the text where it is none.
    #[tsify(type = "unknown", optional)]
    pub body: JsValue,
    /// The session as it was last seen, where the call had seen one.
    #[tsify(type = "Session", optional)]
    pub session: JsValue,
}
