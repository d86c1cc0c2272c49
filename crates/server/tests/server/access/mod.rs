//! Access to a server that others can reach: which requests are accepted, what each client sees, and
//! what is logged.

mod bodies;
mod clients;
mod config;
pub mod harness;
mod hosts;
mod limits;
mod log;
mod origins;
mod proxy;
mod reload;
mod users;
