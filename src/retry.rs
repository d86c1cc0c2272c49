//! The retry rules: which failures are retried, and after which delay.
//!
//! Has no side effects: callers pass the clock and the random number.

/// The delay before the first retry, in milliseconds, without jitter. It doubles with each retry.
const FIRST_DELAY: f64 = 500.0;

/// The longest delay between two attempts, in milliseconds.
const LONGEST_DELAY: f64 = 8000.0;

/// The part of a delay that is random, so that many clients do not retry at the same time.
const JITTER: f64 = 0.25;

/// The shortest delay that a `Retry-After` can request, in seconds: with 0 every waiting page would
/// send requests without a pause.
const SHORTEST_RETRY_AFTER: f64 = 1.0;

/// The longest delay that a `Retry-After` can request, in seconds.
const LONGEST_RETRY_AFTER: f64 = 300.0;

/// The failure of one attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttemptFailure {
    /// No response was received.
    Network,
    /// Repeating the request cannot help: it is invalid, or the caller's `fetch` does not work.
    Permanent,
    /// The response has an error status.
    Status {
        status: u16,
        /// The value of `Retry-After` in seconds.
        retry_after: Option<f64>,
    },
}

/// Whether a request has the same effect when it is sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    Idempotent,
    NotIdempotent,
}

impl AttemptFailure {
    /// Whether the API has rejected the request without creating anything: with a 4xx status, or a
    /// 503 with `Retry-After`. After any other failure the request may have been carried out.
    pub fn is_rejection(self) -> bool {
        match self {
            Self::Network | Self::Permanent => false,
            Self::Status {
                status: 503,
                retry_after,
            } => retry_after.is_some(),
            Self::Status { status, .. } => (400..500).contains(&status),
        }
    }

    /// Whether the rejection is temporary: a 429, or a 503 with `Retry-After`.
    fn is_temporary_rejection(self) -> bool {
        let is_temporary = matches!(
            self,
            Self::Status {
                status: 429 | 503,
                ..
            }
        );
        is_temporary && self.is_rejection()
    }

    /// Whether the same request may succeed later.
    fn is_transient(self) -> bool {
        match self {
            Self::Network => true,
            Self::Permanent => false,
            Self::Status { status, .. } => is_transient_status(status),
        }
    }
}

/// Whether a request that got this status may succeed later.
pub fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// Returns the delay before the next attempt in milliseconds, or `None` if the request must not be
/// repeated, or not within five minutes. `retries` is the number of retries so far, `random` a number
/// from 0 to 1.
pub fn delay(
    failure: AttemptFailure,
    retries: u32,
    idempotency: Idempotency,
    random: f64,
) -> Option<f64> {
    let is_repeatable = idempotency == Idempotency::Idempotent && failure.is_transient();
    if !is_repeatable && !failure.is_temporary_rejection() {
        return None;
    }
    if let AttemptFailure::Status {
        retry_after: Some(seconds),
        ..
    } = failure
    {
        return (seconds <= LONGEST_RETRY_AFTER).then(|| requested_delay(seconds, random));
    }
    let delay = (FIRST_DELAY * f64::from(1 << retries.min(4))).min(LONGEST_DELAY);
    Some(delay * (1.0 - JITTER * random))
}

/// Returns the delay before the next poll of a session in milliseconds. `retry_after` is the value of
/// `Retry-After` in seconds, `interval` the delay without one in milliseconds, `random` a number from
/// 0 to 1.
pub fn poll_delay(retry_after: Option<f64>, interval: f64, random: f64) -> f64 {
    retry_after.map_or(interval, |seconds| requested_delay(seconds, random))
}

/// Returns the delay for a `Retry-After`. The jitter makes it longer, since the server has asked for
/// no earlier request.
fn requested_delay(seconds: f64, random: f64) -> f64 {
    let seconds = seconds.clamp(SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER);
    seconds * 1000.0 * (1.0 + JITTER * random)
}

/// Returns the value of `Retry-After`, a number or a date, in seconds from `now` (milliseconds since
/// 1970). `parse_date` returns the milliseconds of an HTTP date, or NaN.
pub fn parse_retry_after(value: &str, now: f64, parse_date: impl Fn(&str) -> f64) -> Option<f64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // No timer runs longer than 2^32 seconds.
        return Some(value.parse::<u32>().map_or(f64::INFINITY, f64::from));
    }
    let date = parse_date(value);
    date.is_finite().then(|| ((date - now) / 1000.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::Idempotency::{Idempotent, NotIdempotent};
    use super::*;

    fn status(status: u16, retry_after: Option<f64>) -> AttemptFailure {
        AttemptFailure::Status {
            status,
            retry_after,
        }
    }

    #[test]
    fn retries_creates_only_after_temporary_rejections() {
        for failure in [
            AttemptFailure::Network,
            AttemptFailure::Permanent,
            status(408, None),
            status(500, None),
            status(500, Some(1.0)),
            status(502, None),
            status(503, None),
            status(504, Some(1.0)),
        ] {
            assert_eq!(delay(failure, 0, NotIdempotent, 0.0), None, "{failure:?}");
        }
        for (failure, expected) in [
            (status(429, None), 500.0),
            (status(429, Some(3.0)), 3000.0),
            (status(503, Some(0.0)), 1000.0),
        ] {
            let delay = delay(failure, 0, NotIdempotent, 0.0);
            assert_eq!(delay, Some(expected), "{failure:?}");
        }
    }

    #[test]
    fn retries_idempotent_requests_after_transient_failures_only() {
        for failure in [
            AttemptFailure::Network,
            status(408, None),
            status(429, None),
            status(500, None),
            status(503, None),
        ] {
            let delay = delay(failure, 0, Idempotent, 0.0);
            assert_eq!(delay, Some(500.0), "{failure:?}");
        }
        for code in [400, 401, 402, 403, 404, 409, 413, 422] {
            let delay = delay(status(code, None), 0, Idempotent, 0.0);
            assert_eq!(delay, None, "{code}");
        }
    }

    #[test]
    fn doubles_delays_up_to_eight_seconds_with_a_quarter_of_jitter() {
        let delays = (0..8).map(|retries| delay(AttemptFailure::Network, retries, Idempotent, 0.0));
        let delays = delays.map(Option::unwrap).collect::<Vec<_>>();
        assert_eq!(
            delays,
            [
                500.0, 1000.0, 2000.0, 4000.0, 8000.0, 8000.0, 8000.0, 8000.0
            ]
        );
        let shortest = delay(AttemptFailure::Network, 1, Idempotent, 1.0);
        assert_eq!(shortest, Some(750.0));
    }

    #[test]
    fn limits_and_scatters_requested_delays() {
        for (seconds, random, expected) in [
            (0.0, 0.0, Some(1000.0)),
            (0.0, 1.0, Some(1250.0)),
            (60.0, 1.0, Some(75_000.0)),
            (300.0, 0.0, Some(300_000.0)),
            (301.0, 0.0, None),
            (f64::INFINITY, 0.0, None),
        ] {
            let failure = status(429, Some(seconds));
            assert_eq!(delay(failure, 0, Idempotent, random), expected, "{seconds}");
        }
        assert_eq!(poll_delay(None, 20.0, 1.0), 20.0);
        assert_eq!(poll_delay(Some(0.0), 20.0, 0.0), 1000.0);
        assert_eq!(poll_delay(Some(f64::INFINITY), 20.0, 0.0), 300_000.0);
    }

    #[test]
    fn counts_4xx_and_503_with_retry_after_as_rejections() {
        assert!(status(400, None).is_rejection());
        assert!(status(429, None).is_rejection());
        assert!(status(503, Some(1.0)).is_rejection());
        assert!(!status(503, None).is_rejection());
        assert!(!status(500, Some(1.0)).is_rejection());
        assert!(!status(200, None).is_rejection());
        assert!(!AttemptFailure::Network.is_rejection());
    }

    #[test]
    fn parses_retry_after_as_seconds_or_date() {
        const DATE: &str = "Wed, 21 Oct 2026 07:28:00 GMT";
        let parse_date = |text: &str| match text {
            DATE => 61_000.0,
            _ => f64::NAN,
        };
        for (value, now, expected) in [
            ("7", 0.0, Some(7.0)),
            (" 7 ", 0.0, Some(7.0)),
            ("99999999999", 0.0, Some(f64::INFINITY)),
            (DATE, 1000.0, Some(60.0)),
            (DATE, 90_000.0, Some(0.0)),
            ("", 0.0, None),
            ("soon", 0.0, None),
            ("-1", 0.0, None),
        ] {
            let seconds = parse_retry_after(value, now, parse_date);
            assert_eq!(seconds, expected, "{value:?}");
        }
    }
}
