//! Metrics for operators.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::quota::Cents;

/// The state of all sessions and engines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// The number of stored sessions.
    pub sessions: usize,
    /// The number of sessions with pending work, waiting or running.
    pub pending: usize,
    /// The number of paid models requested today (UTC).
    pub paid_today: u32,
    /// The sum of their list prices.
    pub paid_cents_today: Cents,
    /// The daily limit of paid models for all clients together.
    pub paid_daily_limit: Option<u32>,
    /// The daily limit of the list prices for all clients together.
    pub paid_daily_limit_cents: Option<Cents>,
    /// The number of those by the client for which they were requested; `""` if callers need no key.
    pub paid_today_by_client: BTreeMap<String, u32>,
    /// The metrics of each client, by its name. Users that a client names count for the client.
    pub clients: BTreeMap<String, ClientMetrics>,
    /// The metrics of each engine, by its name.
    pub engines: BTreeMap<String, EngineMetrics>,
}

/// The use of the API by one client.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ClientMetrics {
    /// The number of sessions that the client has created since the API was opened.
    pub created: u64,
    /// The number of paid models that the client requested today (UTC).
    pub paid_today: u32,
}

/// The state of one engine. The counters start at 0 when the API is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EngineMetrics {
    /// The number of sessions that wait for the engine.
    pub waiting: usize,
    /// How long the oldest of them has waited, in milliseconds.
    pub queue_age: Millis,
    /// The number of sessions that the engine works on.
    pub running: usize,
    /// The number of sessions that completed. A refinement counts as one more.
    pub done: u64,
    /// The number of sessions that failed, whatever the reason.
    pub failed: u64,
}
