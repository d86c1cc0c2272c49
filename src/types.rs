//! The TypeScript types of the functions' parameters and results, except those of the modules in
//! `options`. The library reads and writes plain JavaScript objects.
#![allow(dead_code, missing_docs)]

use tsify::Tsify;
use wasm_bindgen::prelude::*;

use crate::stage::{StageName, StageState};

/// The image: exactly one of `image` and `image_url`.
///
/// - `image`: a file or bytes. The format is detected from the first bytes; the type and the name of
///   a file do not matter. This project's server and its sandbox read PNG, JPEG, WebP, GIF (its first
///   frame), BMP, TIFF and SVG, and the server reads AVIF. Files of other known formats, such as HEIC,
///   are sent too: whether the API reads them is its decision. `prepare` reads what the browser reads.
/// - `image_url`: an `https:` or `http:` URL that the API can fetch, or the image as a base64 `data:`
///   URL. Prefer `image` for large files.
// The last variant is the one that messages of TypeScript name, for example if `image` may be
// `undefined`.
#[derive(Tsify)]
#[serde(untagged)]
pub enum ImageSource {
    Url {
        #[tsify(type = "undefined", optional)]
        image: JsValue,
        image_url: String,
    },
    Image {
        #[tsify(type = "File | Blob | ArrayBuffer | ArrayBufferView")]
        image: JsValue,
        #[tsify(type = "undefined", optional)]
        image_url: JsValue,
    },
}

/// The options of `createSession`.
#[derive(Tsify)]
#[tsify(type = "ImageSource & ModelParameters & CreateOptions & ConnectionOptions")]
pub struct CreateSessionOptions;

/// The options of `imageTo3d` without the image, such as the defaults that an app shares between its
/// calls.
#[derive(Tsify)]
#[tsify(
    type = "ModelParameters & CreateOptions & FollowOptions & AbortOptions & ConnectionOptions"
)]
pub struct ImageTo3dSettings;

/// The options of `imageTo3d`.
#[derive(Tsify)]
#[tsify(type = "CreateSessionOptions & FollowOptions & AbortOptions")]
pub struct ImageTo3dOptions;

/// The options of `requestRefine`. The parameters replace those of the session.
#[derive(Tsify)]
#[tsify(
    type = "Pick<ModelParameters, \"scaled_bbox\" | \"pivot_point\"> & Pick<CreateOptions, \"idempotencyKey\"> & ConnectionOptions"
)]
pub struct RefineOptions;

/// The URLs of a session's results in formats other than GLB. A field is absent or empty if the
/// server does not provide the format, or until the file exists.
#[derive(Tsify)]
pub struct ResultUrls {
    /// The URL of the preview as a zip archive, the API's default.
    #[tsify(optional)]
    preview_mesh_url: String,
    /// The URL of the preview as OBJ.
    #[tsify(optional)]
    preview_mesh_url_obj: String,
    /// The URL of the preview as USDZ.
    #[tsify(optional)]
    preview_mesh_url_usdz: String,
    /// The URL of the preview as a zip archive of all files.
    #[tsify(optional)]
    preview_mesh_url_zip: String,
    /// The URL of the preview as FBX.
    #[tsify(optional)]
    preview_mesh_url_fbx: String,
    /// The URL of the preview as STL, for 3D printing. An extension of this project's server.
    #[tsify(optional)]
    preview_mesh_url_stl: String,
    /// The URL of the preview as 3MF, for 3D printing in color. An extension of this project's
    /// server.
    #[tsify(optional)]
    preview_mesh_url_3mf: String,
    /// The URL of the refined model as a zip archive, the API's default.
    #[tsify(optional)]
    mesh_url: String,
    /// The URL of the refined model as OBJ.
    #[tsify(optional)]
    mesh_url_obj: String,
    /// The URL of the refined model as USDZ.
    #[tsify(optional)]
    mesh_url_usdz: String,
    /// The URL of the refined model as a zip archive of all files.
    #[tsify(optional)]
    mesh_url_zip: String,
    /// The URL of the refined model as FBX.
    #[tsify(optional)]
    mesh_url_fbx: String,
    /// The URL of the refined model as STL, for 3D printing. An extension of this project's server.
    #[tsify(optional)]
    mesh_url_stl: String,
    /// The URL of the refined model as 3MF, for 3D printing in color. An extension of this project's
    /// server.
    #[tsify(optional)]
    mesh_url_3mf: String,
    /// The URL of a video of the model.
    #[tsify(optional)]
    mp4_url: String,
}

/// A session as returned by the API. Its type contains the documented fields only, so that a
/// misspelt name is an error. Other fields are kept unchanged:
/// `(session as Session & Record<string, unknown>).name_of_field`.
#[derive(Tsify)]
#[tsify(type = "SessionFields & ResultUrls & ModelParameters")]
pub struct Session;

/// The API's response to a request for a mesh, which may be only a part of the session.
#[derive(Tsify)]
#[tsify(type = "Partial<Session>")]
pub struct SessionUpdate;

/// A page of sessions. Other fields are kept unchanged, as those of a session.
#[derive(Tsify)]
pub struct SessionList {
    /// The sessions of the page.
    pub results: Vec<Session>,
}

/// The stage of a session and its state.
#[derive(Tsify)]
pub struct Stage {
    /// The current stage.
    pub stage: StageName,
    /// The state of the stage; `"unknown"` for statuses that this library does not know.
    pub state: StageState,
    /// The progress from 0 to 100, if the API returns it.
    #[tsify(optional)]
    pub percent: Option<f64>,
}
