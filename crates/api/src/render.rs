//! Renders the results of requests as responses.

use http::header::HeaderValue;
use http::{HeaderName, StatusCode};
use serde_json::{Map, Value, json};

use crate::cors::preflight;
use crate::forwarded::base_url;
use crate::handlers::{Context, Output};
use crate::record::Record;
use crate::response::{Response, no_content, success, with_header};
use crate::session_json::{MissingFormats, SessionView};

impl Context<'_> {
    /// Renders the result of the request.
    pub fn render(self, output: Output) -> Response {
        let ok = |message, data: Value| success(StatusCode::OK, message, data);
        match output {
            Output::Preflight => preflight(
                self.request,
                self.state.web_access.origin_access(self.request),
            ),
            Output::Created(record) => {
                let session = self.session(&record, None);
                success(StatusCode::CREATED, "Created", session)
            }
            Output::Polled(record, poll) => ok("Retrieved", self.session(&record, poll).into()),
            Output::Started(record) => ok("Generating Mesh", self.session(&record, None).into()),
            Output::Deleted(None) => no_content(),
            Output::Deleted(Some(job)) => {
                let message = format!("Deleted. {}", job.message);
                ok(&message, json!({ "may_be_charged": job.may_be_charged }))
            }
            Output::Listed(records) => {
                let sessions = records.iter().map(|record| self.session(record, None));
                let sessions: Vec<_> = sessions.collect();
                ok("Retrieved", json!({ "results": sessions }))
            }
            Output::Results(results) => ok("Retrieved", json!({ "results": results })),
            Output::File(response) => with_header(
                response,
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("cross-origin"),
            ),
        }
    }

    fn session(self, record: &Record, poll: Option<u32>) -> Map<String, Value> {
        let view = SessionView {
            record,
            now: self.now,
            base_url: &base_url(self.request, self.state.public_url.as_deref()),
            progress: &self.state.queue.progress(record),
            poll,
            missing_formats: MissingFormats::for_client(self.request),
        };
        view.to_json()
    }
}
