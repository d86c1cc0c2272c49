//! The `Idempotency-Key` of a request.

use http::Request;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// An `Idempotency-Key`, and a digest of the request that used it first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    pub key: String,
    pub digest: Vec<u8>,
}

impl IdempotencyRecord {
    /// Reads the key of a request, or returns `None` if it has none. The keys of two `client`s are
    /// separate.
    pub fn from_request(request: &Request<Vec<u8>>, client: Option<&str>) -> Option<Self> {
        let key = request.headers().get("idempotency-key")?;
        let mut digest = Sha256::new();
        digest.update(request.uri().path());
        digest.update([0]);
        digest.update(request.body());
        let key = String::from_utf8_lossy(key.as_bytes());
        Some(Self {
            key: match client {
                Some(client) => format!("{client} {key}"),
                None => key.into_owned(),
            },
            digest: digest.finalize().to_vec(),
        })
    }
}
