//! Which request is answered how.

use contract::{IMAGE_URL, Parameters, SESSIONS_PATH};
use http::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::answer::{done, preflight, refused, with_type};
use crate::json::Given;
use crate::picture::Picture;
use crate::{Millis, Request, Response, Sandbox};

pub fn answer(sandbox: &Sandbox, request: &Request, now: Millis) -> Response {
    let path = request.uri().path();
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let sessions = SESSIONS_PATH.trim_matches('/');
    match (request.method(), segments.as_slice()) {
        (&Method::OPTIONS, _) => preflight(),
        (&Method::POST, [root]) if *root == sessions => create(sandbox, request, now),
        (&Method::GET, [root]) if *root == sessions => list(sandbox, request, now),
        (&Method::GET, [root, code]) if *root == sessions => get(sandbox, request, code, now),
        (&Method::GET, ["files", code, "image"]) => picture(sandbox, code, now),
        (&Method::GET, ["sandbox", "requests"]) => done(
            StatusCode::OK,
            "Retrieved",
            json!({ "results": sandbox.state().log.entries() }),
        ),
        (method, _) => refused(
            StatusCode::NOT_FOUND,
            &format!("there is no {method} {path}"),
        ),
    }
}

fn create(sandbox: &Sandbox, request: &Request, now: Millis) -> Response {
    let (parameters, picture) = match read(request.body()) {
        Ok(read) => read,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let mut state = sandbox.state();
    let state = &mut *state;
    let record = state
        .records
        .add(parameters, picture, now, &mut state.random);
    done(
        StatusCode::CREATED,
        "Created",
        record.answered(&origin(request)),
    )
}

fn read(body: &[u8]) -> Result<(Parameters, Picture), String> {
    let body: Value =
        serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let Value::Object(body) = body else {
        return Err("the body is no JSON object".into());
    };
    // Many a client writes null for what it leaves out.
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let parameters =
        Parameters::read(|name| given(name).map(Given)).map_err(|invalid| invalid.to_string())?;
    let image_url = given(IMAGE_URL).ok_or("image_url: missing; it is required")?;
    let image_url = image_url.as_str().ok_or("image_url: allowed: a text")?;
    Ok((parameters, Picture::read(image_url)?))
}

fn get(sandbox: &Sandbox, request: &Request, code: &str, now: Millis) -> Response {
    match sandbox.state().records.get(code, &sandbox.durations, now) {
        Some(record) => done(
            StatusCode::OK,
            "Retrieved",
            record.answered(&origin(request)),
        ),
        None => no_session(code),
    }
}

fn list(sandbox: &Sandbox, request: &Request, now: Millis) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let (limit, page) = match (number(query, "limit", 10), number(query, "page", 0)) {
        (Ok(limit), Ok(page)) => (limit, page),
        (Err(reason), _) | (_, Err(reason)) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let origin = origin(request);
    let mut state = sandbox.state();
    let records = state.records.list(limit, page, &sandbox.durations, now);
    let results: Vec<_> = records
        .into_iter()
        .map(|record| record.answered(&origin))
        .collect();
    done(StatusCode::OK, "Retrieved", json!({ "results": results }))
}

/// A whole number of the query, or what it is where it is left out.
fn number(query: &str, name: &str, default: usize) -> Result<usize, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, text)) = pairs.into_iter().find(|(key, _)| *key == name) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| format!("{name}: came {text:?}, allowed: a whole number"))
}

fn picture(sandbox: &Sandbox, code: &str, now: Millis) -> Response {
    match sandbox.state().records.get(code, &sandbox.durations, now) {
        Some(record) => match &record.picture {
            Picture::Stored { media_type, bytes } => {
                with_type(StatusCode::OK, media_type, bytes.clone())
            }
            Picture::Remote(_) => refused(
                StatusCode::NOT_FOUND,
                "the picture of this session lies elsewhere",
            ),
        },
        None => no_session(code),
    }
}

fn no_session(code: &str) -> Response {
    refused(
        StatusCode::NOT_FOUND,
        &format!("there is no session {code}"),
    )
}

/// Where the caller reaches this server, by the caller's own word.
fn origin(request: &Request) -> String {
    let host = request.headers().get(header::HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("http://{host}")
}
