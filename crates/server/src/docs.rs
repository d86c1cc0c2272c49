//! The description of the API: `/openapi.json`, and the page `/docs/api/` that shows it. Needs no site and
//! no key.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::chunks::ResponseBody;
use crate::site;

/// A response for one path.
enum Content {
    /// A file, with its media type.
    File(&'static str, &'static str),
    /// A redirect, relative to the path of the request: the server may be under a path of a proxy.
    Redirect(&'static str),
}

const OPENAPI: &str = include_str!("../docs/openapi.json");
const PAGE: &str = include_str!("../docs/index.html");
const STYLE: &str = include_str!("../docs/style.css");

fn content(path: &str) -> Option<Content> {
    Some(match path {
        "/openapi.json" => Content::File("application/json", OPENAPI),
        "/docs/api/" | "/docs/api/index.html" => Content::File("text/html; charset=utf-8", PAGE),
        "/docs/api/style.css" => Content::File("text/css; charset=utf-8", STYLE),
        "/docs" => Content::Redirect("docs/api/"),
        "/docs/" | "/docs/api" => Content::Redirect("api/"),
        _ => return None,
    })
}

/// Returns the response to a request for the description of the API, or `None` for any other request.
pub fn respond<B>(request: &Request<B>) -> Option<Response<ResponseBody>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let mut response = Response::new("");
    match content(request.uri().path())? {
        Content::File(media_type, text) => {
            *response.body_mut() = text;
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            // The document is the same for everybody, so tools in pages of any origin may read it.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        Content::Redirect(target) => {
            *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
            let headers = response.headers_mut();
            headers.insert(LOCATION, HeaderValue::from_static(target));
        }
    }
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    site::insert_headers(headers);
    // In the response to a HEAD request, hyper sends the length of the body without the body.
    Some(response.map(|text| {
        let body = Full::from(text).map_err(|never: Infallible| match never {});
        body.boxed_unsync()
    }))
}
