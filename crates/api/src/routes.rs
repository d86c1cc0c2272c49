//! The routes of the API.

use contract::SESSIONS_PATH;
use http::{Method, Request};

/// The target of a request, by its method and path.
pub enum Route<'a> {
    /// A CORS preflight request, for any path.
    Preflight,
    /// `GET /files/<code>/<name>`, and `HEAD`
    File { code: &'a str, name: &'a str },
    /// `POST /image-to-3d-sessions`
    CreateSession,
    /// `GET /image-to-3d-sessions`
    ListSessions,
    /// `GET /image-to-3d-sessions/<code>`
    GetSession { code: &'a str },
    /// `DELETE /image-to-3d-sessions/<code>`, an extension of this project's server
    DeleteSession { code: &'a str },
    /// `POST /image-to-3d-sessions/get-3d/preview/<code>`
    StartPreview { code: &'a str },
    /// `POST /image-to-3d-sessions/get-3d/refine/<code>`
    StartRefinement { code: &'a str },
    /// `GET /sandbox/requests`
    ListRequests,
    /// `GET /sandbox/engines`
    ListEngines,
    /// `GET /sandbox/faults`
    ListFaults,
    /// Anything else.
    Unknown,
}

impl<'a> Route<'a> {
    pub fn parse<B>(request: &'a Request<B>) -> Self {
        let path = request.uri().path();
        let segments: Vec<_> = path.trim_matches('/').split('/').collect();
        let sessions = SESSIONS_PATH.trim_matches('/');
        match (request.method(), segments.as_slice()) {
            (&Method::OPTIONS, _) => Self::Preflight,
            (&Method::GET | &Method::HEAD, ["files", code, name]) => Self::File { code, name },
            (&Method::POST, [root]) if *root == sessions => Self::CreateSession,
            (&Method::GET, [root]) if *root == sessions => Self::ListSessions,
            (&Method::GET, [root, code]) if *root == sessions => Self::GetSession { code },
            (&Method::DELETE, [root, code]) if *root == sessions => Self::DeleteSession { code },
            (&Method::POST, [root, "get-3d", "preview", code]) if *root == sessions => {
                Self::StartPreview { code }
            }
            (&Method::POST, [root, "get-3d", "refine", code]) if *root == sessions => {
                Self::StartRefinement { code }
            }
            (&Method::GET, ["sandbox", "requests"]) => Self::ListRequests,
            (&Method::GET, ["sandbox", "engines"]) => Self::ListEngines,
            (&Method::GET, ["sandbox", "faults"]) => Self::ListFaults,
            _ => Self::Unknown,
        }
    }

    /// Returns whether the route needs no API key even if the server requires one. The URL of a
    /// file has a token instead.
    pub fn is_public(&self) -> bool {
        matches!(self, Self::Preflight | Self::File { .. })
    }
}
