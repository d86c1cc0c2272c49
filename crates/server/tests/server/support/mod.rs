//! Helpers of the tests: the server as a process, raw HTTP requests, and files of the repository.

pub mod gateway;
mod http;
mod repository;
mod server;

pub use http::{Response, exchange, get, parse, post};
pub use repository::repository_file;
pub use server::{
    CANARY, SESSIONS, Server, Signal, command, command_with_file_size_limit, create_body,
    session_code, solid_png, spawn, wait_until,
};

/// Returns whether tests with two forms run their long one: `cargo xtask test --full`.
pub fn is_full_run() -> bool {
    std::env::var_os("TEST_FULL").is_some()
}
