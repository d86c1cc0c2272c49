//! A session as the API returns it.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use contract::{Parameters, SHAPE, SessionCutout, SessionFields, SessionStatus, Spin};
use http::header::USER_AGENT;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::Millis;
use crate::engine::VIEW_COUNT;
use crate::files::{CUTOUT, FORMATS, Format, IMAGE, model_stem, service_file, spin_file};
use crate::progress::{JobProgress, percent_done};
use crate::record::Record;
use crate::request::Request;
use crate::stage::{Stage, State};

/// The `user_id` of all sessions: this server has no users.
const USER_ID: &str = "5a4db0c5a4db0c5a4db0c5a4";

/// A session with all that its JSON depends on.
pub struct SessionView<'a> {
    pub record: &'a Record,
    pub now: Millis,
    /// The scheme and host of the file URLs.
    pub base_url: &'a str,
    /// The progress of the session's next job.
    pub progress: &'a JobProgress,
    /// The number of polls of the session so far, from 1; `None` if this response is not one.
    pub poll: Option<u32>,
    pub missing_formats: MissingFormats,
}

/// How a complete session shows the formats that it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingFormats {
    /// Without their fields.
    Omitted,
    /// With URLs whose responses say which formats it has.
    Refused,
}

impl MissingFormats {
    /// Returns the way that suits a client.
    ///
    /// The service's last Python client reads `mesh_url_<format>` without a check, and ends with a
    /// `KeyError` if there is no such field. From a URL it shows the status text of the response. It sends
    /// no name of its own but that of its HTTP library.
    pub fn for_client(request: &Request) -> Self {
        let agent = request.headers().get(USER_AGENT);
        match agent.is_some_and(|agent| agent.as_bytes().starts_with(b"python-requests/")) {
            true => Self::Refused,
            false => Self::Omitted,
        }
    }
}

/// Returns the formats of a session's model after a stage.
pub fn available_formats(record: &Record, stage: Stage) -> Vec<&'static str> {
    let has_format = |format: &&Format| {
        let is_made = format.is_converted() && !record.is_glb_only(stage);
        is_made || format.is_stored() || record.offered_service_format(stage, format).is_some()
    };
    FORMATS
        .iter()
        .filter(has_format)
        .map(|format| format.name)
        .collect()
}

impl SessionView<'_> {
    /// Returns the JSON object of the session, with its simulated fault.
    pub fn to_json(&self) -> Map<String, Value> {
        #[derive(Serialize)]
        struct Session {
            #[serde(flatten)]
            fields: SessionFields,
            #[serde(flatten)]
            parameters: Parameters,
        }
        let session = Session {
            fields: self.fields(),
            parameters: self.record.parameters.or_defaults(),
        };
        let Ok(Value::Object(mut session)) = serde_json::to_value(session) else {
            return Map::new();
        };
        session.extend(self.result_urls());
        if let Some(fault) = self.record.fault {
            fault.apply_to_session(&mut session, self.poll);
        }
        session
    }

    fn fields(&self) -> SessionFields {
        let (record, now) = (self.record, self.now);
        let (stage, state) = record.stage_at(now);
        let span = record.span(stage);
        let updated_at = match state {
            State::Running => span.map(|span| span.start),
            State::Done | State::Failed => span.map(|span| span.end),
        };
        let percent = percent_done(record, now, self.progress.fraction);
        let image_url = record.image_url.clone();
        SessionFields {
            id: Some(record.id.clone()),
            user_id: Some(USER_ID.into()),
            session_code: record.code.clone(),
            image_url: Some(image_url.unwrap_or_else(|| self.file_url(IMAGE))),
            status: record.status(now),
            session_status: Some(match state {
                State::Failed => SessionStatus::Failed,
                _ if record.is_complete(now) => SessionStatus::Complete,
                // The session waits for its caller, not in a queue.
                State::Done if stage == Stage::Spin => SessionStatus::InProgress,
                _ if percent == 0 => SessionStatus::Queued,
                _ => SessionStatus::InProgress,
            }),
            percent_done: Some(percent),
            error: record.failure_reason(now).map(str::to_owned),
            spins: record.has_spins(now).then(|| {
                let urls = (0..VIEW_COUNT).map(|view| self.file_url(&spin_file(view)));
                urls.map(|image_url| Spin { image_url }).collect()
            }),
            // Set by `result_urls` with those of the other formats.
            preview_mesh_url_glb: None,
            mesh_url_glb: None,
            engine: Some(record.engine.clone()),
            engine_status: self
                .progress
                .status
                .clone()
                .filter(|_| state == State::Running),
            unsupported: self.unsupported(),
            cutout: record.cutout_report(now).map(|report| SessionCutout {
                report,
                mask_url: self.file_url(CUTOUT),
            }),
            shape: record.shape(now),
            cost: record.cost,
            source: Some("external".into()),
            created_at: Some(timestamp(record.created_at)),
            updated_at: Some(timestamp(updated_at.unwrap_or(record.created_at))),
        }
    }

    /// Returns the names of the requested parameters that have no effect, if there are any.
    fn unsupported(&self) -> Option<Vec<String>> {
        let record = self.record;
        let names = record.ignored.iter().chain(&record.unsupported);
        let mut names: BTreeSet<_> = names.cloned().collect();
        if record.ignores_shape() {
            names.insert(SHAPE.into());
        }
        (!names.is_empty()).then(|| names.into_iter().collect())
    }

    /// Returns the fields with the URLs of the available models.
    fn result_urls(&self) -> Vec<(String, Value)> {
        let (record, now) = (self.record, self.now);
        let [preview, refined] = [Stage::Preview, Stage::Refine]
            .map(|stage| record.is_stage_done(stage, now).then_some(stage));
        let best = refined.or(preview.filter(|_| record.is_complete(now)));
        let mut fields = Vec::new();
        for (field, stage) in [("preview_mesh_url", preview), ("mesh_url", best)] {
            let Some((stage, stem)) = stage.and_then(|stage| Some((stage, model_stem(stage)?)))
            else {
                continue;
            };
            let url = |extension| self.file_url(&format!("{stem}.{extension}")).into();
            let available = available_formats(record, stage);
            if !record.is_glb_only(stage) {
                fields.push((field.to_owned(), url("zip")));
            }
            for format in &FORMATS {
                let name = format.name;
                let url = match record.offered_service_format(stage, format) {
                    Some(format) => self.file_url(&service_file(format)).into(),
                    None if available.contains(&name) => url(name),
                    None if self.missing_formats == MissingFormats::Refused => url(name),
                    None => continue,
                };
                fields.push((format!("{field}_{name}"), url));
            }
        }
        fields
    }

    fn file_url(&self, name: &str) -> String {
        let url = format!("{}/files/{}/{name}", self.base_url, self.record.code);
        match &self.record.url_token {
            Some(token) => format!("{url}?ticket={token}"),
            None => url,
        }
    }
}

fn timestamp(at: Millis) -> String {
    let time = UNIX_EPOCH + Duration::from_millis(at);
    humantime::format_rfc3339_millis(time).to_string()
}
