//! Responses with files: validators, ranges, and the name under which a browser saves a file.

use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    HeaderName, HeaderValue, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use http::{Method, Request, StatusCode};
use http_range_header::{EndPosition, StartPosition, parse_range_header};

use crate::clock::Millis;
use crate::response::{self, Response};

/// How long a browser may use its copy of a file without a request.
#[derive(Clone, Copy)]
pub enum Freshness {
    /// For a day: the file never changes.
    Fixed,
    /// Not at all: the file changes when its stage is requested again.
    Revalidated,
}

/// What the headers of a file depend on.
pub struct FileInfo {
    etag: String,
    file_name: String,
    freshness: Freshness,
}

impl FileInfo {
    /// Describes the file `name` of the session `code`, which was written for a stage that started at
    /// `changed_at`. `bytes` is the size of the stage's stored result.
    pub fn new(
        code: &str,
        name: &str,
        changed_at: Millis,
        bytes: u64,
        freshness: Freshness,
    ) -> Self {
        // Another version may convert a model differently.
        let version = env!("CARGO_PKG_VERSION");
        Self {
            etag: format!("\"{changed_at:x}-{bytes:x}-{version}\""),
            file_name: format!("{code}-{name}"),
            freshness,
        }
    }
}

/// Returns whether the caller needs the file: `If-None-Match` does not name the current one.
pub fn precondition_holds<B>(request: &Request<B>, info: &FileInfo) -> bool {
    let values = request.headers().get_all(IF_NONE_MATCH).iter();
    let mut tags = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim);
    // A compressed copy has a weak tag.
    tags.all(|tag| tag != "*" && tag.strip_prefix("W/").unwrap_or(tag) != info.etag)
}

/// Creates the response to a caller that has the current file.
pub fn not_modified(info: &FileInfo) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    set_validators(&mut response, info);
    response
}

/// Adds the headers to a response with a whole file, and reduces it to the range that the request
/// asks for. Several ranges, and invalid ones, are ignored.
pub fn full<B>(request: &Request<B>, info: &FileInfo, file: Response) -> Response {
    let length = file.body().len() as u64;
    let mut response = match requested_range(request, info, length) {
        None => file,
        Some(Ok((start, end))) => {
            let (mut parts, body) = file.into_parts();
            parts.status = StatusCode::PARTIAL_CONTENT;
            let range = body.get(start as usize..=end as usize);
            let mut response = Response::from_parts(parts, range.unwrap_or_default().to_vec());
            set(
                &mut response,
                CONTENT_RANGE,
                &format!("bytes {start}-{end}/{length}"),
            );
            response
        }
        Some(Err(Unsatisfiable)) => {
            let message =
                format!("Invalid range: expected one within the {length} bytes of the file");
            let mut response = response::error(StatusCode::RANGE_NOT_SATISFIABLE, &message);
            set(&mut response, CONTENT_RANGE, &format!("bytes */{length}"));
            return response;
        }
    };
    set_validators(&mut response, info);
    set(&mut response, ACCEPT_RANGES, "bytes");
    let media_type = response.headers().get(CONTENT_TYPE);
    let media_type = media_type.and_then(|media_type| media_type.to_str().ok());
    let name = match (info.file_name.contains('.'), media_type) {
        (false, Some("image/jpeg")) => format!("{}.jpg", info.file_name),
        (false, Some(media_type)) if media_type.starts_with("image/") => {
            format!("{}.{}", info.file_name, &media_type["image/".len()..])
        }
        _ => info.file_name.clone(),
    };
    set(
        &mut response,
        CONTENT_DISPOSITION,
        &format!("inline; filename=\"{name}\""),
    );
    response
}

/// The range is outside of the file.
struct Unsatisfiable;

/// Returns the first and the last byte that the request asks for, or `None` if it asks for all.
fn requested_range<B>(
    request: &Request<B>,
    info: &FileInfo,
    length: u64,
) -> Option<Result<(u64, u64), Unsatisfiable>> {
    if request.method() != Method::GET {
        return None;
    }
    // The caller has a part of another version.
    if request
        .headers()
        .get(IF_RANGE)
        .is_some_and(|tag| *tag != *info.etag)
    {
        return None;
    }
    let range = request.headers().get(RANGE)?.to_str().ok()?;
    let ranges = parse_range_header(range).ok()?;
    let [range] = ranges.ranges.as_slice() else {
        return None;
    };
    if let (StartPosition::Index(start), EndPosition::Index(end)) = (range.start, range.end)
        && end < start
    {
        return None;
    }
    Some(match ranges.validate(length).as_deref() {
        Ok([range]) => Ok((*range.start(), *range.end())),
        _ => Err(Unsatisfiable),
    })
}

fn set_validators(response: &mut Response, info: &FileInfo) {
    let cache_control = match info.freshness {
        Freshness::Fixed => "private, max-age=86400",
        Freshness::Revalidated => "private, no-cache",
    };
    set(response, CACHE_CONTROL, cache_control);
    set(response, ETAG, &info.etag);
}

/// Sets a header whose value consists of visible characters.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
