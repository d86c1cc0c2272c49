//! Faults of a session. They are stored with it, so that callers who poll or download without the
//! fault's key see them too.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cors::WithoutCors;
use crate::delivery::Delivery;
use crate::response::{Response, with_delivery, with_type};
use crate::stage::{Failure, Stage};

/// A simulated fault of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionFault {
    /// The stage fails.
    #[serde(rename = "Fails")]
    StageFails(Stage),
    /// The first polls return an unknown status.
    UnknownStatus,
    /// The session has fields that clients do not know.
    UnknownFields,
    /// The session has none of the fields that the API added later.
    #[serde(rename = "OldStyle")]
    LegacyFields,
    /// Results return 403.
    ResultExpired,
    /// Results have no CORS headers.
    ResultNoCors,
    /// Results are sent slowly.
    #[serde(rename = "ResultTrickle")]
    ResultThrottled,
}

impl SessionFault {
    /// The number of polls that return an unknown status.
    const UNKNOWN_STATUS_POLLS: u32 = 3;

    /// Returns the failure that this fault plans, if any.
    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::StageFails(stage) => Some(Failure {
                stage,
                reason: "This failure was requested by the x-api-key of the session".into(),
            }),
            _ => None,
        }
    }

    /// Applies the fault to a session's JSON. `poll` counts the polls of the session, from 1; it is
    /// `None` for other responses.
    pub fn apply_to_session(self, session: &mut Map<String, Value>, poll: Option<u32>) {
        match self {
            Self::UnknownStatus if poll.is_some_and(|poll| poll <= Self::UNKNOWN_STATUS_POLLS) => {
                session.insert("status".into(), "warming_up".into());
                session.insert("session_status".into(), "pondering".into());
            }
            Self::UnknownFields => {
                session.insert("geometry_model".into(), "v9".into());
                session.insert("symmetry".into(), Value::Null);
                session.insert("nested".into(), json!({ "deep": [1, { "er": "ü" }] }));
            }
            Self::LegacyFields => {
                session.remove("session_status");
                session.remove("percent_done");
            }
            _ => {}
        }
    }

    /// Applies the fault to the download of a result.
    pub fn apply_to_result(self, mut response: Response) -> Response {
        match self {
            // The response of a storage service to a signed URL that has expired.
            Self::ResultExpired => with_type(
                StatusCode::FORBIDDEN,
                "application/xml",
                b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
                    .into(),
            ),
            Self::ResultNoCors => {
                response.extensions_mut().insert(WithoutCors);
                response
            }
            Self::ResultThrottled => with_delivery(response, Delivery::Throttle),
            _ => response,
        }
    }
}
