//! What those who run the sandbox want to know of it.

use std::collections::BTreeMap;

/// How much there is, and how much of it is done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// How many sessions there are.
    pub sessions: usize,
    /// How many of them have work waiting or under way.
    pub pending: usize,
    /// How many models that cost money were asked for today (UTC).
    pub paid_today: u32,
    /// How many may.
    pub paid_daily_limit: Option<u32>,
    /// By the names of the engines.
    pub engines: BTreeMap<String, EngineMetrics>,
}

/// What one engine has to do, and what it did since the sandbox was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EngineMetrics {
    /// How many sessions wait for it.
    pub waiting: usize,
    /// How many it works for.
    pub running: usize,
    /// How many ended with all that was asked for. One that is refined ends once more.
    pub done: u64,
    /// How many ended badly, whoever's fault it was.
    pub failed: u64,
}
