//! Secrets that must never reach a caller, a log or the data folder.

/// The engine's API key. It contains the marks that the tests search for in all output.
pub const KEY: &str = "key-id-Zq81ENGINESECRET-canary7d1f93:Zq82ENGINESECRET-canary7d1f93";

/// The query of Meshy's signed file URLs.
pub const SIGNATURE: &str = "Signature=Zq83ENGINESECRET-canary7d1f93";
