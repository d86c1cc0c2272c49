//! Access to a server that others can reach: who is let in, what each client sees, and what is
//! logged.

mod bodies;
mod clients;
mod config;
mod harness;
mod limits;
mod origins;
