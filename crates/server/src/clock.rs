//! The machine's clock, in the unit that the API uses.

use std::time::{SystemTime, UNIX_EPOCH};

use api::Millis;

/// Returns the milliseconds since 1970, or 0 if the clock is set to an earlier time.
pub fn now() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| elapsed.as_millis() as Millis)
}
