//! Validation of the caller's options, before any file is read or any request is sent.

mod connection;
mod create;
mod define;
mod download;
mod follow;
mod header;
mod list;
mod mesh;
mod object;
mod prepare;
mod spelling;

pub use connection::{Connection, ConnectionOptions, read_connection};
pub use create::Create;
pub use download::{Download, DownloadOptions, ModelFormat};
pub use follow::{Follow, OnAbort, WaitOptions};
pub use list::{ListOptions, read_list};
pub use mesh::{Mesh, MeshStage, PreviewOptions};
