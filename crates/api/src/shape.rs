//! Faults that belong to a session: remembered with it, so that whoever polls or downloads without
//! the key meets them too.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::Response;
use crate::answer::{WithoutCors, with_type};
use crate::delivery::{Delivery, deliver};
use crate::record::{Failure, Stage};

/// What is odd about a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    Fails(Stage),
    UnknownStatus,
    UnknownFields,
    OldStyle,
    ResultExpired,
    ResultNoCors,
    ResultTrickle,
}

impl Shape {
    /// As many polls as `UnknownStatus` lasts.
    pub const UNKNOWN_POLLS: u32 = 3;

    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::Fails(stage) => Some(Failure {
                stage,
                reason: "it was asked to fail by the key that created it".into(),
            }),
            _ => None,
        }
    }

    /// The session as it is answered. `polls` counts the polls up to this one; it is 0 for other
    /// answers.
    pub fn session(self, session: &mut Map<String, Value>, polls: u32) {
        match self {
            Self::UnknownStatus if (1..=Self::UNKNOWN_POLLS).contains(&polls) => {
                session.insert("status".into(), "warming_up".into());
                session.insert("session_status".into(), "pondering".into());
            }
            Self::UnknownFields => {
                session.insert("geometry_model".into(), "v9".into());
                session.insert("symmetry".into(), Value::Null);
                session.insert("nested".into(), json!({ "deep": [1, { "er": "ü" }] }));
            }
            Self::OldStyle => {
                session.remove("session_status");
                session.remove("percent_done");
            }
            _ => {}
        }
    }

    /// The result file as it is answered.
    pub fn result(self, mut response: Response) -> Response {
        match self {
            // As the storage behind a signed link answers once the link is old.
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
            Self::ResultTrickle => deliver(response, Delivery::Throttle),
            _ => response,
        }
    }
}
