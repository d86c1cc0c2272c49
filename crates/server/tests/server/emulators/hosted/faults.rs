//! The replies of the scenarios that the hosted engines have in common.

use std::time::Duration;

use serde_json::json;

use super::scenario::{RetryAfter, Scenario};
use crate::emulators::http::Reply;

/// The effect of a request for a model.
pub struct Submit {
    pub starts_job: bool,
    /// The response, unless it is the one of success.
    pub reply: Option<Reply>,
}

/// Returns the outcome of the submit with this number, counted from 1.
pub fn submit(scenario: Scenario, number: usize) -> Submit {
    let (starts_job, reply) = match scenario {
        Scenario::SubmitTimesOut => (true, Some(never_arrives())),
        Scenario::SubmitResets => (true, Some(Reply::Reset)),
        Scenario::SubmitReturns(status) => (true, Some(error(status, "gateway error"))),
        Scenario::SubmitLost => (false, Some(never_arrives())),
        Scenario::SubmitRejected(status, message) => (false, Some(error(status, message))),
        Scenario::BusyAtFirst(status, message, retry_after) if number <= 2 => {
            let reply = error(status, message);
            let reply = match retry_after {
                RetryAfter::Present => reply.with_header("retry-after", 1),
                RetryAfter::Absent => reply,
            };
            (false, Some(reply))
        }
        _ => (true, None),
    };
    Submit { starts_job, reply }
}

/// Returns the response to the poll with this number, counted from 1, if the scenario makes it
/// fail.
pub fn failed_poll(scenario: Scenario, number: usize) -> Option<Reply> {
    match scenario {
        Scenario::PollsFail(status, message) if (2..6).contains(&number) => {
            Some(error(status, message))
        }
        Scenario::PollsReset if (2..6).contains(&number) => Some(Reply::Reset),
        _ => None,
    }
}

/// Returns no response, for longer than the timeout of 1 s that `Emulator::config` sets for these scenarios.
pub fn never_arrives() -> Reply {
    Reply::Silence(Duration::from_secs(2))
}

/// Returns an error in the form of all engines. [B] The code is Tripo's.
fn error(status: u16, message: &str) -> Reply {
    let code = match status {
        429 => 2000,
        500.. => 1000,
        _ => 1004,
    };
    let body = json!({"detail": message, "message": message, "code": code});
    Reply::json(status, body)
}
