//! The `Idempotency-Key` of a request.

use contract::{Invalid, quote};
use http::Request;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const HEADER: &str = "idempotency-key";

/// The maximum length of a key, which is stored with the session.
const MAX_KEY_BYTES: usize = 255;

/// An `Idempotency-Key`, and a digest of the request that used it first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IdempotencyRecord {
    pub key: String,
    pub digest: Vec<u8>,
}

impl IdempotencyRecord {
    /// Reads the key of a request, or returns `None` if it has none. The keys of two `client`s are
    /// separate.
    ///
    /// # Errors
    /// Fails if the key is too long.
    pub fn from_request(
        request: &Request<Vec<u8>>,
        client: Option<&str>,
    ) -> Result<Option<Self>, Invalid> {
        let Some(key) = request.headers().get(HEADER) else {
            return Ok(None);
        };
        let mut digest = Sha256::new();
        digest.update(request.uri().path());
        digest.update([0]);
        digest.update(request.body());
        let key = String::from_utf8_lossy(key.as_bytes());
        if key.len() > MAX_KEY_BYTES {
            let expected = format!("at most {MAX_KEY_BYTES} bytes");
            return Err(Invalid::new(HEADER, quote(&key), expected));
        }
        Ok(Some(Self {
            key: match client {
                Some(client) => format!("{client} {key}"),
                None => key.into_owned(),
            },
            digest: digest.finalize().to_vec(),
        }))
    }
}
