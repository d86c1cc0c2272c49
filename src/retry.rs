//! Which failure may be tried again, and when. Pure: the clock and the dice are the caller's.

/// What came instead of a result.
#[derive(Clone, Copy, Debug)]
pub enum Miss {
    /// No answer at all.
    Network,
    /// An answer that says no.
    Status {
        status: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<f64>,
    },
}

impl Miss {
    /// Whether the API has said that it created nothing: every 4xx, and a 503 that says when to
    /// come back. Any other failure may have come after the work was done.
    pub fn is_rejection(self) -> bool {
        match self {
            Self::Network => false,
            Self::Status {
                status: 503,
                retry_after,
            } => retry_after.is_some(),
            Self::Status { status, .. } => (400..500).contains(&status),
        }
    }

    /// Whether the same request may fare better later.
    fn is_passing(self) -> bool {
        match self {
            Self::Network => true,
            Self::Status { status, .. } => is_passing(status),
        }
    }
}

/// Whether the same request may be answered otherwise later.
pub fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}

/// How many milliseconds to wait before the request is sent again; `None` where it must not be.
///
/// - `retries`: how often it has been sent again so far.
/// - `repeatable`: sending it twice does the same as sending it once.
/// - `random`: from 0 to 1.
pub fn wait(miss: Miss, retries: u32, repeatable: bool, random: f64) -> Option<f64> {
    let refused_for_now = matches!(
        miss,
        Miss::Status {
            status: 429 | 503,
            ..
        }
    ) && miss.is_rejection();
    if !(refused_for_now || repeatable && miss.is_passing()) {
        return None;
    }
    if let Miss::Status {
        retry_after: Some(seconds),
        ..
    } = miss
    {
        return Some(seconds * 1000.0);
    }
    // 0.5 s, 1 s, 2 s … 8 s, up to a quarter less, so that many pages do not come back at once.
    let full = (500.0 * f64::from(1 << retries.min(4))).min(8000.0);
    Some(full * (1.0 - 0.25 * random))
}

/// `Retry-After` in seconds from `now` (milliseconds since 1970). `date` reads an HTTP date as
/// such milliseconds, NaN where it is none.
pub fn seconds(retry_after: &str, now: f64, date: impl Fn(&str) -> f64) -> Option<f64> {
    let text = retry_after.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Longer than any timer counts is as good as for ever.
        return Some(text.parse::<u32>().map_or(f64::INFINITY, f64::from));
    }
    let until = date(text);
    until.is_finite().then(|| ((until - now) / 1000.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn status(status: u16, retry_after: Option<f64>) -> Miss {
        Miss::Status {
            status,
            retry_after,
        }
    }

    #[test]
    fn what_costs_money_is_repeated_only_after_a_clear_no() {
        for miss in [
            Miss::Network,
            status(408, None),
            status(500, None),
            status(500, Some(1.0)),
            status(502, None),
            status(503, None),
            status(504, Some(1.0)),
        ] {
            assert_eq!(wait(miss, 0, false, 0.0), None, "{miss:?}");
        }
        assert_eq!(wait(status(429, None), 0, false, 0.0), Some(500.0));
        assert_eq!(wait(status(429, Some(3.0)), 0, false, 0.0), Some(3000.0));
        assert_eq!(wait(status(503, Some(0.0)), 0, false, 0.0), Some(0.0));
    }

    #[test]
    fn what_is_repeatable_survives_blips_but_no_clear_answer() {
        for miss in [
            Miss::Network,
            status(408, None),
            status(429, None),
            status(500, None),
            status(503, None),
        ] {
            assert_eq!(wait(miss, 0, true, 0.0), Some(500.0), "{miss:?}");
        }
        for code in [400, 401, 402, 403, 404, 409, 413, 422] {
            assert_eq!(wait(status(code, None), 0, true, 0.0), None, "{code}");
        }
    }

    #[test]
    fn waits_double_up_to_eight_seconds_and_scatter_by_a_quarter() {
        let waits = (0..8).map(|retries| wait(Miss::Network, retries, true, 0.0));
        let waits = waits.map(Option::unwrap).collect::<Vec<_>>();
        assert_eq!(
            waits,
            [
                500.0, 1000.0, 2000.0, 4000.0, 8000.0, 8000.0, 8000.0, 8000.0
            ]
        );
        assert_eq!(wait(Miss::Network, 1, true, 1.0), Some(750.0));
    }

    #[test]
    fn only_what_the_api_refused_counts_as_rejected() {
        assert!(status(400, None).is_rejection());
        assert!(status(429, None).is_rejection());
        assert!(status(503, Some(1.0)).is_rejection());
        assert!(!status(503, None).is_rejection());
        assert!(!status(500, Some(1.0)).is_rejection());
        assert!(!status(200, None).is_rejection());
        assert!(!Miss::Network.is_rejection());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = |text: &str| {
            if text.starts_with("Wed") {
                61_000.0
            } else {
                f64::NAN
            }
        };
        assert_eq!(seconds("7", 0.0, date), Some(7.0));
        assert_eq!(seconds(" 7 ", 0.0, date), Some(7.0));
        assert_eq!(seconds("99999999999", 0.0, date), Some(f64::INFINITY));
        assert_eq!(
            seconds("Wed, 21 Oct 2026 07:28:00 GMT", 1000.0, date),
            Some(60.0)
        );
        assert_eq!(
            seconds("Wed, 21 Oct 2026 07:28:00 GMT", 90_000.0, date),
            Some(0.0)
        );
        assert_eq!(seconds("", 0.0, date), None);
        assert_eq!(seconds("soon", 0.0, date), None);
        assert_eq!(seconds("-1", 0.0, date), None);
    }
}
