//! The handler of requests for files.

use contract::ImageFormat;
use http::StatusCode;

use crate::error::ApiError;
use crate::file_response::{FileInfo, Freshness, full, not_modified, precondition_holds};
use crate::files::{CUTOUT, FileName, Format, model_file, service_file, spin_file};
use crate::handlers::Context;
use crate::response::{self, Response, with_status_text, with_type};
use crate::session_json::available_formats;
use crate::stage::Stage;

impl Context<'_> {
    /// Returns a file once the session's JSON has its URL. If callers need a key, the URL has a
    /// token instead, and the file does not exist without it.
    pub fn file(self, code: &str, name: &str) -> Result<Response, ApiError> {
        let sessions = &self.state.sessions;
        let not_found = || ApiError::not_found(format!("Session {code} has no file {name}"));
        let record = sessions.get(code)?;
        let record = record.ok_or_else(|| ApiError::session_not_found(code))?;
        let query = self.request.uri().query().unwrap_or_default();
        let token = query.strip_prefix("ticket=");
        let has_token = token.is_some() && token == record.url_token.as_deref();
        if self.state.access.requires_key() && !has_token {
            return Err(ApiError::session_not_found(code));
        }
        let file = FileName::parse(name).ok_or_else(not_found)?;
        let stage = match file {
            FileName::Image => None,
            FileName::Cutout if record.cutout_report(self.now).is_some() => {
                Some(record.first_result_stage())
            }
            FileName::Spin(_) if record.has_spins(self.now) => Some(Stage::Spin),
            FileName::Model(stage, _) if record.is_stage_done(stage, self.now) => Some(stage),
            FileName::Cutout | FileName::Spin(_) | FileName::Model(..) => return Err(not_found()),
        };
        let (changed_at, bytes) = match (&file, stage.and_then(|stage| record.span(stage))) {
            (FileName::Image, _) | (_, None) => (record.created_at, record.image_bytes),
            (FileName::Cutout, Some(span)) => (span.start, record.cutout.file_bytes),
            (_, Some(span)) => (span.start, span.result_bytes.unwrap_or_default()),
        };
        let freshness = match stage {
            Some(Stage::Refine) => Freshness::Revalidated,
            Some(Stage::Spin | Stage::Preview) | None => Freshness::Fixed,
        };
        let info = FileInfo::new(&record.code, name, changed_at, bytes, freshness);
        if record.fault.is_none() && bytes > 0 && !precondition_holds(self.request, &info) {
            return Ok(not_modified(&info));
        }
        let read = |name: &str| sessions.file(code, name)?.ok_or_else(not_found);
        let found = match file {
            FileName::Image => {
                let bytes = read(name)?;
                let media_type = ImageFormat::detect(&bytes)
                    .map_or("application/octet-stream", ImageFormat::media_type);
                with_type(StatusCode::OK, media_type, bytes)
            }
            FileName::Cutout => with_type(StatusCode::OK, "image/png", read(CUTOUT)?),
            FileName::Spin(view) => with_type(StatusCode::OK, "image/png", read(&spin_file(view))?),
            FileName::Model(stage, format) => {
                let available = available_formats(&record, stage);
                // A failed conversion has a reason.
                if !available.contains(&format.name) && !format.is_converted() {
                    return Err(ApiError::FormatNotAvailable {
                        code: code.to_owned(),
                        format: format.name,
                        available,
                    });
                }
                let service_format = record.service_format(format.name);
                let result = match service_format.filter(|_| stage == Stage::Preview) {
                    Some(found) => {
                        let file = read(&service_file(found))?;
                        with_type(StatusCode::OK, format.media_type, file)
                    }
                    None if format.is_stored() || format.is_converted() => {
                        let glb = read(&model_file(stage).ok_or_else(not_found)?)?;
                        converted(glb, format)
                    }
                    None => return Err(not_found()),
                };
                if let Some(fault) = record.fault {
                    return Ok(fault.apply_to_result(result));
                }
                result
            }
        };
        Ok(match found.status() {
            StatusCode::OK => full(self.request, &info, found),
            _ => found,
        })
    }
}

fn converted(glb: Vec<u8>, format: &Format) -> Response {
    match format.convert(glb) {
        Ok(bytes) => with_type(StatusCode::OK, format.media_type, bytes),
        Err(reason) => {
            let name = format.name;
            let message = format!("This model cannot be converted to {name}: {reason}");
            let response = response::error(StatusCode::INTERNAL_SERVER_ERROR, &message);
            with_status_text(response, message)
        }
    }
}
