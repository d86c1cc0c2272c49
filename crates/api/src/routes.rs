//! Which request is answered how.

use contract::SESSIONS_PATH;
use http::{Method, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::answer::{done, preflight};
use crate::body::{self, Continue};
use crate::engine::{SCULPT, VIEW_COUNT};
use crate::fault::{self, Effect};
use crate::files::{self, spin_file};
use crate::money::Purse;
use crate::picture::Picture;
use crate::record::{Once, Record, Stage, State};
use crate::refusal::{Refusal, bad, conflict, missing, no_session};
use crate::sessions::{Added, Files};
use crate::{Api, Millis, Request, Response};

const GENERATING: &str = "Generating Mesh";

pub fn answer(sandbox: &Api, request: &Request, now: Millis) -> Response {
    routed(sandbox, request, now).unwrap_or_else(|refusal| refusal.into())
}

fn routed(sandbox: &Api, request: &Request, now: Millis) -> Result<Response, Refusal> {
    let path = request.uri().path();
    let gate = &sandbox.gate;
    gate.admits(request)?;
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let sessions = SESSIONS_PATH.trim_matches('/');
    match (request.method(), segments.as_slice()) {
        (&Method::OPTIONS, _) => return Ok(preflight()),
        (&Method::GET, ["files", code, name]) => {
            let query = request.uri().query().unwrap_or_default();
            return files::answer(sandbox, code, name, query, now);
        }
        _ => {}
    }
    let caller = gate.caller(request)?;
    match (request.method(), segments.as_slice()) {
        (&Method::POST, [root]) if *root == sessions => create(sandbox, request, caller, now),
        (&Method::GET, [root]) if *root == sessions => list(sandbox, request, caller, now),
        (&Method::GET, [root, code]) if *root == sessions => {
            get(sandbox, request, caller, code, now)
        }
        (&Method::POST, [root, "get-3d", "preview", code]) if *root == sessions => {
            preview(sandbox, request, caller, code, now)
        }
        (&Method::POST, [root, "get-3d", "refine", code]) if *root == sessions => {
            refine(sandbox, request, caller, code, now)
        }
        // What others ask for is nobody's business.
        (&Method::GET, ["sandbox", "requests"]) if !gate.is_closed() => {
            let entries = sandbox.state().log.entries();
            Ok(retrieved(json!({ "results": entries })))
        }
        (&Method::GET, ["sandbox", "engines"]) => {
            Ok(retrieved(json!({ "results": sandbox.engines })))
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

fn create(
    sandbox: &Api,
    request: &Request,
    caller: Option<&str>,
    now: Millis,
) -> Result<Response, Refusal> {
    let once = once(request, caller);
    let created = |record: &Record| {
        let session = shown(sandbox, request, record, now, 0);
        done(StatusCode::CREATED, "Created", session)
    };
    if let Some(record) = repeated(sandbox, once.as_ref())? {
        return Ok(created(&record));
    }
    // Before the picture is decoded for nothing; and once more where nobody else writes.
    if sandbox.sessions.is_full(caller) {
        return Err(busy(sandbox, now));
    }
    let asked = body::create(request.body()).map_err(bad)?;
    let engine = engine(sandbox, asked.engine)?;
    let (shape, random) = {
        let mut state = sandbox.state();
        let of_session = |effect| matches!(effect, Effect::Session(_));
        let met = match sandbox.gate.is_closed() {
            true => None,
            false => state.faults.meet(request, of_session),
        };
        let shape = match met {
            Some(Effect::Session(shape)) => Some(shape),
            _ => None,
        };
        (shape, state.random.fork())
    };
    let mut record = Record::new(
        asked.parameters,
        engine,
        asked.skip_spins,
        shape,
        now,
        sandbox.pace,
    );
    record.client = caller.map(str::to_owned);
    // That of a session whose view is still to be chosen is paid for when it is asked for.
    let is_paid = record.wants_model() && sandbox.paid.contains(&record.engine);
    let picture = match asked.picture {
        Picture::Stored(bytes) => Some(bytes),
        Picture::Remote(url) => {
            record.remote = Some(url);
            None
        }
    };
    let ticket = |id: &str| sandbox.gate.ticket(id);
    let added = sandbox
        .sessions
        .add(record, picture, once, is_paid, random, ticket)?;
    match added {
        Added::New(record) | Added::Before(record) => Ok(created(&record)),
        Added::Taken => Err(taken()),
        Added::Full => Err(busy(sandbox, now)),
        Added::Spent(words) => Err(spent(words)),
    }
}

/// The engine that a request names, or the one of those that name none.
fn engine(sandbox: &Api, asked: Option<String>) -> Result<String, Refusal> {
    let known = &sandbox.engines;
    match asked {
        None => Ok(known.first().cloned().unwrap_or_else(|| SCULPT.into())),
        Some(name) if known.contains(&name) => Ok(name),
        Some(name) => {
            let name: String = name.chars().take(60).collect();
            let known = known.join(", ");
            Err(bad(format!("engine: came {name:?}, allowed: {known}")))
        }
    }
}

/// Until the session that is to end first ends. One that should have long ended is taken to need as
/// long again.
fn busy(sandbox: &Api, now: Millis) -> Refusal {
    let ends = |records: &mut dyn Iterator<Item = &Record>| records.map(Record::ends).min();
    let wait = sandbox
        .sessions
        .with_open(ends)
        .unwrap_or(now)
        .abs_diff(now);
    Refusal::Busy(wait.div_ceil(1000).clamp(1, 60))
}

/// The session as the caller sees it; `polls` as in [`Record::answered`].
fn shown(
    sandbox: &Api,
    request: &Request,
    record: &Record,
    now: Millis,
    polls: u32,
) -> Map<String, Value> {
    let progress = sandbox.desk.progress(record);
    record.answered(&origin(request), now, &progress, polls)
}

/// The key that a request came with, so that it is carried out once however often it comes.
fn once(request: &Request, caller: Option<&str>) -> Option<Once> {
    let key = request.headers().get("idempotency-key")?;
    let mut digest = Sha256::new();
    digest.update(request.uri().path());
    digest.update([0]);
    digest.update(request.body());
    let key = String::from_utf8_lossy(key.as_bytes());
    Some(Once {
        // Two callers may think of the same one.
        key: match caller {
            Some(caller) => format!("{caller} {key}"),
            None => key.into_owned(),
        },
        digest: digest.finalize().to_vec(),
    })
}

/// The session of an earlier request that was the same.
fn repeated(sandbox: &Api, once: Option<&Once>) -> Result<Option<Record>, Refusal> {
    match sandbox.sessions.before(once) {
        Some(Added::New(record) | Added::Before(record)) => Ok(Some(record)),
        Some(Added::Taken) => Err(taken()),
        Some(Added::Full | Added::Spent(_)) | None => Ok(None),
    }
}

fn spent(words: String) -> Refusal {
    Refusal::Because(StatusCode::PAYMENT_REQUIRED, words)
}

fn taken() -> Refusal {
    conflict("this Idempotency-Key came before with another request")
}

fn get(
    sandbox: &Api,
    request: &Request,
    caller: Option<&str>,
    code: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    let record = sandbox.sessions.get(code);
    let record = record.filter(|record| record.is_of(caller));
    let record = record.ok_or_else(|| no_session(code))?;
    let polls = match record.shape {
        Some(_) => sandbox.state().faults.count(code),
        None => 0,
    };
    let session = shown(sandbox, request, &record, now, polls);
    Ok(done(StatusCode::OK, "Retrieved", session))
}

fn list(
    sandbox: &Api,
    request: &Request,
    caller: Option<&str>,
    now: Millis,
) -> Result<Response, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let limit = number(query, "limit", 10)?;
    let page = number(query, "page", 0)?;
    let records = sandbox.sessions.list(caller, limit, page).into_iter();
    let results: Vec<_> = records
        .map(|record| shown(sandbox, request, &record, now, 0))
        .collect();
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
    sandbox: &Api,
    request: &Request,
    caller: Option<&str>,
    code: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    carry_on(
        sandbox,
        (request, caller),
        code,
        Stage::Preview,
        now,
        |record, asked| {
            if record.stands(now) != (Stage::Spin, State::Done) {
                return Err(conflict(format!(
                    "a preview can be asked for at spin_generate_done; this session is at {}",
                    words(record, now)
                )));
            }
            record.chosen_spin = chosen(code, asked)?;
            record.begin(Stage::Preview, now, sandbox.pace);
            Ok(())
        },
    )
}

fn refine(
    sandbox: &Api,
    request: &Request,
    caller: Option<&str>,
    code: &str,
    now: Millis,
) -> Result<Response, Refusal> {
    carry_on(
        sandbox,
        (request, caller),
        code,
        Stage::Refine,
        now,
        |record, _| match record.stands(now) {
            (Stage::Preview, State::Done) | (Stage::Refine, State::Done | State::Failed) => {
                record.refine_again(now, sandbox.pace);
                Ok(())
            }
            _ => Err(conflict(format!(
                "a refinement can be asked for once the preview is done; this session is at {}",
                words(record, now)
            ))),
        },
    )
}

/// Begins the stage that was asked for, with the measures that came with the request.
fn carry_on(
    sandbox: &Api,
    (request, caller): (&Request, Option<&str>),
    code: &str,
    stage: Stage,
    now: Millis,
    begin: impl FnOnce(&mut Record, &Continue) -> Result<(), Refusal>,
) -> Result<Response, Refusal> {
    let generating = |record: &Record| {
        let session = shown(sandbox, request, record, now, 0);
        Ok(done(StatusCode::OK, GENERATING, session))
    };
    let once = once(request, caller);
    if let Some(record) = repeated(sandbox, once.as_ref())? {
        return generating(&record);
    }
    let asked = body::carry_on(request.body()).map_err(bad)?;
    // The model that is to be made anew is not kept meanwhile.
    let files = Files {
        remove: stage.file().into_iter().collect(),
        ..Default::default()
    };
    let change = |record: &mut Record, purse: &mut Purse| -> Result<_, Refusal> {
        if !record.is_of(caller) {
            return Err(no_session(code));
        }
        // Asked again where nobody else writes: two such requests may have come at once.
        if repeated(sandbox, once.as_ref())?.is_some() {
            return Ok(record.clone());
        }
        begin(record, &asked)?;
        if sandbox.sessions.is_full(caller) {
            return Err(busy(sandbox, now));
        }
        if stage == Stage::Preview && sandbox.paid.contains(&record.engine) {
            purse.pay(caller, now).map_err(spent)?;
        }
        let parameters = &mut record.parameters;
        parameters.scaled_bbox = asked.parameters.scaled_bbox.or(parameters.scaled_bbox);
        parameters.pivot_point = asked.parameters.pivot_point.or(parameters.pivot_point);
        record.once.extend(once);
        Ok(record.clone())
    };
    let changed = sandbox.sessions.change_and_pay(code, files, change)?;
    match changed {
        Some(record) => generating(&record?),
        None => Err(no_session(code)),
    }
}

/// The view that a request names, by its number or its address.
fn chosen(code: &str, asked: &Continue) -> Result<usize, Refusal> {
    let address = asked.selected_spin.as_deref();
    // The rest is the file's ticket.
    let address = address.map(|address| address.split('?').next().unwrap_or(address));
    let by_address = match address {
        // Whatever the name by which the caller reaches this server.
        Some(address) => Some(
            (0..VIEW_COUNT)
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

/// Where the caller reaches this server, by the caller's own word.
fn origin(request: &Request) -> String {
    let host = request.headers().get(header::HOST);
    let host = host
        .and_then(|host| host.to_str().ok())
        .unwrap_or("localhost");
    // As a proxy that adds TLS says it.
    let scheme = request.headers().get("x-forwarded-proto");
    match scheme.is_some_and(|scheme| scheme == "https") {
        true => format!("https://{host}"),
        false => format!("http://{host}"),
    }
}
