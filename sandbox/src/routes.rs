//! Which request is answered how.

use contract::SESSIONS_PATH;
use http::{Method, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{done, preflight, refused, with_type};
use crate::body::{self, Continue};
use crate::fault::{self, Effect};
use crate::picture::Picture;
use crate::record::{Once, Record, Stage, State, spin_file};
use crate::results::{look, up_to_date};
use crate::sessions::{Added, IMAGE};
use crate::store::StoreError;
use crate::{Millis, Request, Response, Sandbox};

const GENERATING: &str = "Generating Mesh";

pub fn answer(sandbox: &Sandbox, request: &Request, now: Millis) -> Response {
    routed(sandbox, request, now).unwrap_or_else(|refusal| refusal.into())
}

/// Why a request is not answered with what it asks for.
enum Refusal {
    Because(StatusCode, String),
    /// The fault is here.
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Because(status, words) => refused(status, &words),
            Refusal::Store(error) => {
                let words = format!("the sessions cannot be stored or read: {error}");
                refused(StatusCode::INTERNAL_SERVER_ERROR, &words)
            }
        }
    }
}

fn bad(reason: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::BAD_REQUEST, reason.into())
}

/// Nothing is wrong with the request as such: at another time it would do.
fn conflict(reason: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::CONFLICT, reason.into())
}

fn missing(what: impl Into<String>) -> Refusal {
    Refusal::Because(StatusCode::NOT_FOUND, what.into())
}

fn no_session(code: &str) -> Refusal {
    missing(format!("there is no session {code}"))
}

fn routed(sandbox: &Sandbox, request: &Request, now: Millis) -> Result<Response, Refusal> {
    let path = request.uri().path();
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let sessions = SESSIONS_PATH.trim_matches('/');
    match (request.method(), segments.as_slice()) {
        (&Method::OPTIONS, _) => Ok(preflight()),
        (&Method::POST, [root]) if *root == sessions => create(sandbox, request, now),
        (&Method::GET, [root]) if *root == sessions => list(sandbox, request, now),
        (&Method::GET, [root, code]) if *root == sessions => get(sandbox, request, code, now),
        (&Method::POST, [root, "get-3d", "preview", code]) if *root == sessions => {
            preview(sandbox, request, code, now)
        }
        (&Method::POST, [root, "get-3d", "refine", code]) if *root == sessions => {
            refine(sandbox, request, code, now)
        }
        (&Method::GET, ["files", code, name]) => file(sandbox, code, name, now),
        (&Method::GET, ["sandbox", "requests"]) => {
            let entries = sandbox.state().log.entries();
            Ok(retrieved(json!({ "results": entries })))
        }
        (&Method::GET, ["sandbox", "faults"]) => {
            Ok(retrieved(json!({ "results": fault::listed() })))
        }
        (method, _) => Err(missing(format!("there is no {method} {path}"))),
    }
}

fn retrieved(data: Value) -> Response {
    done(StatusCode::OK, "Retrieved", data)
}

fn create(sandbox: &Sandbox, request: &Request, now: Millis) -> Result<Response, Refusal> {
    let once = once(request);
    let created = |record: &Record| {
        let session = record.answered(&origin(request), now, 0);
        done(StatusCode::CREATED, "Created", session)
    };
    if let Some(record) = repeated(sandbox, once.as_ref())? {
        return Ok(created(&record));
    }
    let asked = body::create(request.body()).map_err(bad)?;
    let (shape, random) = {
        let mut state = sandbox.state();
        let of_session = |effect| matches!(effect, Effect::Session(_));
        let shape = match state.faults.meet(request, of_session) {
            Some(Effect::Session(shape)) => Some(shape),
            _ => None,
        };
        (shape, state.random.fork())
    };
    let mut record = Record::new(asked.parameters, asked.skip_spins, shape, now, sandbox.pace);
    let picture = match asked.picture {
        Picture::Stored(bytes) => Some(bytes),
        Picture::Remote(url) => {
            record.remote = Some(url);
            None
        }
    };
    match sandbox.sessions.add(record, picture, once, random)? {
        Added::New(record) | Added::Before(record) => Ok(created(&record)),
        Added::Taken => Err(taken()),
    }
}

/// The key that a request came with, so that it is carried out once however often it comes.
fn once(request: &Request) -> Option<Once> {
    let key = request.headers().get("idempotency-key")?;
    let mut digest = Sha256::new();
    digest.update(request.uri().path());
    digest.update([0]);
    digest.update(request.body());
    Some(Once {
        key: String::from_utf8_lossy(key.as_bytes()).into_owned(),
        digest: digest.finalize().to_vec(),
    })
}

/// The session of an earlier request that was the same.
fn repeated(sandbox: &Sandbox, once: Option<&Once>) -> Result<Option<Record>, Refusal> {
    match sandbox.sessions.before(once) {
        Some(Added::New(record) | Added::Before(record)) => Ok(Some(record)),
        Some(Added::Taken) => Err(taken()),
        None => Ok(None),
    }
}

fn taken() -> Refusal {
    conflict("this Idempotency-Key came before with another request")
}

fn get(sandbox: &Sandbox, request: &Request, code: &str, now: Millis) -> Result<Response, Refusal> {
    let record = up_to_date(sandbox, code, now)?.ok_or_else(|| no_session(code))?;
    let polls = match record.shape {
        Some(_) => sandbox.state().faults.count(code),
        None => 0,
    };
    let session = record.answered(&origin(request), now, polls);
    Ok(done(StatusCode::OK, "Retrieved", session))
}

fn list(sandbox: &Sandbox, request: &Request, now: Millis) -> Result<Response, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let limit = number(query, "limit", 10)?;
    let page = number(query, "page", 0)?;
    let origin = origin(request);
    let mut results = Vec::new();
    for record in sandbox.sessions.list(limit, page) {
        // One that was deleted meanwhile is left out.
        if let Some(record) = up_to_date(sandbox, &record.code, now)? {
            results.push(record.answered(&origin, now, 0));
        }
    }
    Ok(retrieved(json!({ "results": results })))
}

/// A whole number of the query, or what it is where it is left out.
fn number(query: &str, name: &str, default: usize) -> Result<usize, Refusal> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, text)) = pairs.into_iter().find(|(key, _)| *key == name) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| bad(format!("{name}: came {text:?}, allowed: a whole number")))
}

fn preview(
    sandbox: &Sandbox,
    request: &Request,
    code: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    carry_on(sandbox, request, code, now, |record, asked| {
        if record.stands(now) != (Stage::Spin, State::Done) {
            return Err(conflict(format!(
                "a preview can be asked for at spin_generate_done; this session is at {}",
                words(record, now)
            )));
        }
        record.chosen_spin = chosen(code, asked)?;
        record.begin(Stage::Preview, now, sandbox.pace);
        Ok(())
    })
}

fn refine(
    sandbox: &Sandbox,
    request: &Request,
    code: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    carry_on(sandbox, request, code, now, |record, _| {
        match record.stands(now) {
            (Stage::Preview, State::Done) | (Stage::Refine, State::Done | State::Failed) => {
                record.refine_again(now, sandbox.pace);
                Ok(())
            }
            _ => Err(conflict(format!(
                "a refinement can be asked for once the preview is done; this session is at {}",
                words(record, now)
            ))),
        }
    })
}

/// Begins the stage that was asked for, with the measures that came with the request.
fn carry_on(
    sandbox: &Sandbox,
    request: &Request,
    code: &str,
    now: Millis,
    begin: impl FnOnce(&mut Record, &Continue) -> Result<(), Refusal>,
) -> Result<Response, Refusal> {
    let generating = |record: &Record| {
        let session = record.answered(&origin(request), now, 0);
        Ok(done(StatusCode::OK, GENERATING, session))
    };
    let once = once(request);
    if let Some(record) = repeated(sandbox, once.as_ref())? {
        return generating(&record);
    }
    let asked = body::carry_on(request.body()).map_err(bad)?;
    up_to_date(sandbox, code, now)?;
    let changed = sandbox
        .sessions
        .change(code, Vec::new(), |record| -> Result<_, Refusal> {
            // Asked again where nobody else writes: two such requests may have come at once.
            if repeated(sandbox, once.as_ref())?.is_some() {
                return Ok(record.clone());
            }
            begin(record, &asked)?;
            let parameters = &mut record.parameters;
            parameters.scaled_bbox = asked.parameters.scaled_bbox.or(parameters.scaled_bbox);
            parameters.pivot_point = asked.parameters.pivot_point.or(parameters.pivot_point);
            record.once.extend(once);
            Ok(record.clone())
        })?;
    match changed {
        Some(record) => generating(&record?),
        None => Err(no_session(code)),
    }
}

/// The view that a request names, by its number or its address.
fn chosen(code: &str, asked: &Continue) -> Result<usize, Refusal> {
    let by_address = match &asked.selected_spin {
        // Whatever the name by which the caller reaches this server.
        Some(address) => Some(
            (0..sculpt::SPINS)
                .find(|index| address.ends_with(&format!("/files/{code}/{}", spin_file(*index))))
                .ok_or_else(|| bad("selected_spin: allowed: the address of one of the spins"))?,
        ),
        None => None,
    };
    match (asked.selected_spin_index, by_address) {
        (Some(index), Some(other)) if index != other => Err(bad(
            "selected_spin_index and selected_spin name two different spins",
        )),
        (Some(index), _) | (None, Some(index)) => Ok(index),
        (None, None) => Err(bad(
            "selected_spin_index or selected_spin: missing; one of them is required",
        )),
    }
}

fn words(record: &Record, now: Millis) -> Value {
    json!(record.status(now))
}

fn file(sandbox: &Sandbox, code: &str, name: &str, now: Millis) -> Result<Response, Refusal> {
    let record = up_to_date(sandbox, code, now)?.ok_or_else(|| no_session(code))?;
    let nothing = || missing(format!("session {code} has no file {name}"));
    if record.has_spins(now)
        && let Some(spin) = (0..sculpt::SPINS).find(|index| spin_file(*index) == name)
    {
        let png = look(sandbox, &record, spin)?.and_then(|spin| sculpt::png(&spin));
        return Ok(with_type(
            StatusCode::OK,
            "image/png",
            png.map_err(missing)?,
        ));
    }
    if name == IMAGE {
        let bytes = sandbox.sessions.file(code, IMAGE)?.ok_or_else(nothing)?;
        let media_type = contract::sniff(&bytes).unwrap_or("application/octet-stream");
        return Ok(with_type(StatusCode::OK, media_type, bytes));
    }
    let bytes = match [Stage::Preview, Stage::Refine].map(Stage::file) {
        results if results.contains(&Some(name)) => sandbox.sessions.file(code, name)?,
        _ => None,
    };
    let result = with_type(
        StatusCode::OK,
        "model/gltf-binary",
        bytes.ok_or_else(nothing)?,
    );
    Ok(match record.shape {
        Some(shape) => shape.result(result),
        None => result,
    })
}

/// Where the caller reaches this server, by the caller's own word.
fn origin(request: &Request) -> String {
    let host = request.headers().get(header::HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    format!("http://{host}")
}
