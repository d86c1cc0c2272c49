//! What the caller said: parsed and checked before anything is read or sent.

mod connection;
mod create;
mod download;
mod fields;
mod follow;
mod list;
mod mesh;

pub use connection::{Connection, new_headers, read_connection};
pub use create::Create;
pub use download::{Download, ModelFormat};
pub use fields::refused;
pub use follow::{Follow, Until};
pub use list::read_list;
pub use mesh::Mesh;
