//! Helpers of the tests: the server as a process, raw HTTP requests, and files of the repository.

pub mod bombs;
pub mod gateway;
mod http;
pub mod openapi;
mod repository;
mod response;
mod server;

pub use http::{connect, exchange, get, parse, post};
pub use repository::{repository_file, repository_files, repository_path};
pub use response::Response;
pub use server::{
    CANARY, SESSIONS, Server, Signal, command, command_with_file_size_limit, create_body,
    image_body, session_code, solid_png, spawn, wait_until,
};

/// Bytes.
pub const MIB: u64 = 1 << 20;

/// Returns whether tests with two forms run their long one: `cargo xtask test --full`.
pub fn is_full_run() -> bool {
    std::env::var_os("TEST_FULL").is_some()
}

/// Returns the number in an environment variable, if it is set.
pub fn number_variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("Invalid {name} {text:?}: expected a number")))
}
