//! What the caller said: parsed and checked before anything is read or sent.

mod connection;
mod create;
mod download;
mod fields;
mod follow;
mod list;
mod mesh;

pub use connection::{Connection, ConnectionOptions, new_headers, read_connection};
pub use create::{Create, CreateSessionOptions};
pub use download::{Download, DownloadOptions, ModelFormat};
pub use fields::refused;
pub use follow::{Follow, ImageTo3dOptions, Until, WaitOptions};
pub use list::{ListOptions, read_list};
pub use mesh::{Mesh, PreviewOptions, RefineOptions};
