//! Helpers of the tests: the server as a process, raw HTTP requests, and files of the repository.

pub mod gateway;
mod http;
mod repository;
mod server;

pub use http::{Response, exchange, get, parse, post};
pub use repository::repository_file;
pub use server::{
    CANARY, SESSIONS, Server, command, create_body, session_code, solid_png, spawn, wait_until,
};
