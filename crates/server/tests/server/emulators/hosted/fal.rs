//! fal's queue.

use serde_json::{Value, json};

use super::{Cancel, Job, KEY, Nasty, State, blind, submission};
use crate::emulators::{Reply, Request};

/// How long a job waits and is made, in seconds.
const QUEUED: f64 = 2.0;
const MADE: f64 = 4.0;
/// [B] How long a result is kept.
const KEPT: f64 = 3600.0;

enum Phase {
    Queued(u32),
    Running,
    Completed,
    Cancelled,
    Unknown,
}

fn phase(nasty: Nasty, job: &Job, now: f64) -> Phase {
    let age = now - job.begun;
    match (nasty, job.cancelled) {
        (Nasty::Forgotten, _) if age > 1.0 => Phase::Unknown,
        (Nasty::NeverStarts(_), None) => Phase::Queued(7),
        (Nasty::NeverStarts(Cancel::Unknown), Some(_)) => Phase::Unknown,
        (Nasty::NeverStarts(Cancel::MadeAllTheSame), Some(_)) if job.looks_since < 3 => {
            Phase::Running
        }
        (
            Nasty::NeverStarts(
                Cancel::MadeAllTheSame | Cancel::MadeByStatus | Cancel::MadeByDetail,
            ),
            Some(_),
        ) => Phase::Completed,
        (_, Some(_)) => Phase::Cancelled,
        _ if age < QUEUED && nasty != Nasty::NoQueue => Phase::Queued((QUEUED - age) as u32),
        _ if age < MADE || nasty == Nasty::Stuck => Phase::Running,
        _ => Phase::Completed,
    }
}

pub fn answer(request: &Request, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    // [A] The word is Key, and not Bearer.
    if request.header("authorization") != format!("Key {KEY}") {
        return detail(401, "No user found for Key ID and Secret");
    }
    for name in ["x-api-key", "origin", "referer", "cookie"] {
        assert_eq!(request.header(name), "", "{name}");
    }
    if request.method == "POST" {
        return submit(request, nasty, state, now, files);
    }
    let path = request.path.as_str();
    let (path, what) = match path.rsplit_once('/') {
        Some((before, end @ ("status" | "cancel"))) => (before, end),
        _ => (path, "result"),
    };
    let id = path.rsplit('/').next().unwrap_or_default();
    // [A] The full model id leads nowhere.
    let is_short = path.split('/').count() == 5;
    let at = state.jobs.iter().position(|job| job.id == id && is_short);
    let Some(at) = at else {
        return detail(404, &format!("Path {path} not found"));
    };
    match (request.method.as_str(), what) {
        ("GET", "status") => {
            let logs = request.query.contains("logs=1");
            status(nasty, state, at, now, logs)
        }
        ("PUT", "cancel") => cancel(nasty, state, at, now),
        ("GET", "result") => result(nasty, state, at, now, (&request.path, files)),
        _ => detail(405, "Method Not Allowed"),
    }
}

fn detail(status: u16, words: &str) -> Reply {
    Reply::json(status, json!({ "detail": words }))
}

/// The picture's address, or the first of several.
fn picture(body: &Value) -> &Value {
    let names = [
        "image_url",
        "input_image_url",
        "image_urls",
        "input_image_urls",
    ];
    let named = names.iter().find_map(|name| body.get(*name));
    let named = named.unwrap_or(&Value::Null);
    named.get(0).unwrap_or(named)
}

fn submit(request: &Request, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    state.asked += 1;
    let body = request.json();
    let address = picture(&body).clone();
    let text = address.as_str().unwrap_or_default();
    // [A] Nothing of a private network can be fetched by it; for the emulator all is private.
    if !text.starts_with("data:image/") {
        let error = json!({"loc": ["body", "image_url"], "type": "file_download_error",
            "msg": "Failed to download the file", "url": "https://docs.fal.ai/errors", "input": text});
        return Reply::json(422, json!({"detail": [error]}));
    }
    state.bodies.push(body);
    let (begins, reply) = submission(nasty, state.asked);
    let id = begins.then(|| state.begin(&address, now));
    if let Some(reply) = reply {
        return reply;
    }
    // [A] Only the owner and the app are in the addresses.
    let app: Vec<_> = request.path.split('/').skip(1).take(2).collect();
    let host = match nasty {
        Nasty::ElsewhereAddresses => files,
        _ => request.header("host"),
    };
    let job = format!("http://{host}/{}/requests/{}", app.join("/"), id.unwrap());
    let mut answer = json!({
        "status": "IN_QUEUE", "request_id": job.rsplit('/').next(), "queue_position": 2,
        "response_url": job, "status_url": format!("{job}/status"),
        "cancel_url": format!("{job}/cancel"), "gateway_request_id": "x",
    });
    if nasty == Nasty::NoQueue {
        answer["status"] = "IN_PROGRESS".into();
        answer.as_object_mut().unwrap().remove("queue_position");
    }
    Reply::json(200, answer)
}

fn status(nasty: Nasty, state: &mut State, at: usize, now: f64, logs: bool) -> Reply {
    let looks = state.looks(&format!("status {at}"));
    state.jobs[at].looks_since += usize::from(state.jobs[at].cancelled.is_some());
    if let Some(reply) = blind(nasty, looks) {
        return reply;
    }
    if nasty == Nasty::UnknownStatus {
        return Reply::json(200, json!({"status": "PONDERING"}));
    }
    // [A] Logs are null unless they are asked for.
    let logs = match logs {
        true => json!([{"message": "3D", "level": "INFO", "source": "x", "timestamp": "x"}]),
        false => Value::Null,
    };
    let (status, mut answer) = match phase(nasty, &state.jobs[at], now) {
        Phase::Unknown => return detail(404, "Request not found"),
        Phase::Queued(before) => (202, json!({"status": "IN_QUEUE", "queue_position": before})),
        Phase::Running => (202, json!({"status": "IN_PROGRESS", "logs": logs})),
        Phase::Completed => {
            let metrics = json!({"inference_time": 2});
            (
                200,
                json!({"status": "COMPLETED", "logs": logs, "metrics": metrics}),
            )
        }
        // [C] As everything that goes wrong.
        Phase::Cancelled => {
            let error = json!({"status": "COMPLETED", "error": "Client cancelled the request",
                "error_type": "client_cancelled"});
            (200, error)
        }
    };
    if nasty == Nasty::FailsOtherwise && answer["status"] == "COMPLETED" {
        answer["error"] = "Request timed out".into();
        answer["error_type"] = "request_timeout".into();
    }
    if nasty == Nasty::UnknownFields {
        answer["mood"] = json!({"deep": [1, null]});
    }
    Reply::json(status, answer)
}

fn cancel(nasty: Nasty, state: &mut State, at: usize, now: f64) -> Reply {
    state.cancels += 1;
    let before = phase(nasty, &state.jobs[at], now);
    let job = &mut state.jobs[at];
    let over = || Reply::json(400, json!({"status": "ALREADY_COMPLETED"}));
    let accepted = |status| Reply::json(status, json!({"status": "CANCELLATION_REQUESTED"}));
    match before {
        Phase::Unknown => return Reply::json(404, json!({"status": "NOT_FOUND"})),
        Phase::Completed | Phase::Cancelled => return over(),
        Phase::Queued(_) | Phase::Running => {}
    }
    job.cancelled = Some(now);
    match nasty {
        Nasty::NeverStarts(Cancel::MadeAllTheSame) => accepted(202),
        Nasty::NeverStarts(Cancel::MadeByStatus) => over(),
        Nasty::NeverStarts(Cancel::MadeByDetail) => {
            detail(400, &format!("Request {} is already completed.", job.id))
        }
        Nasty::NeverStarts(Cancel::Unknown) => Reply::json(404, json!({"status": "NOT_FOUND"})),
        // [B] Out of the queue it costs nothing; what was running may.
        _ => {
            job.free = matches!(before, Phase::Queued(_));
            let with_200 = nasty == Nasty::NeverStarts(Cancel::AcceptedWith200);
            accepted(if with_200 { 200 } else { 202 })
        }
    }
}

fn result(
    nasty: Nasty,
    state: &mut State,
    at: usize,
    now: f64,
    (path, files): (&str, &str),
) -> Reply {
    let looks = state.looks(&format!("result {at}"));
    let job = &state.jobs[at];
    let early = || detail(400, "Request is still in progress");
    match phase(nasty, job, now) {
        Phase::Queued(_) | Phase::Running => return early(),
        Phase::Unknown => return detail(404, "Request not found"),
        Phase::Cancelled => {
            return Reply::json(
                499,
                json!({"detail": "Client cancelled the request", "error_type": "client_cancelled"}),
            );
        }
        Phase::Completed if now > job.begun + MADE + KEPT => {
            return detail(404, "Request not found");
        }
        Phase::Completed => {}
    }
    match nasty {
        // [A] The whole input comes back, the picture in it.
        Nasty::Fails => Reply::json(
            422,
            json!({"detail": [{"loc": ["body", "image_url"], "msg": "Image too small",
                "type": "image_too_small", "input": state.bodies[0].clone()}]}),
        ),
        Nasty::FailsOtherwise => Reply::json(
            504,
            json!({"detail": format!("Request timed out for {KEY} at https://x.example/a?sig=Zq83canary7d1f93"),
                "error_type": "request_timeout"}),
        ),
        Nasty::EarlyResult if looks == 1 => early(),
        Nasty::ResultFails if looks <= 2 => Reply::text(502, "<h1>Bad Gateway</h1>"),
        _ => Reply::json(200, output(nasty, path, files)),
    }
}

/// [A] Where the model is differs from one app to the next, and what seems to be it may be another.
fn output(nasty: Nasty, path: &str, files: &str) -> Value {
    let host = match nasty {
        Nasty::ElsewhereResult => "127.0.0.1:9",
        _ => files,
    };
    let file = |name: &str| {
        let url = format!("http://{host}/files/b{path}/{name}");
        json!({"url": url, "content_type": "application/octet-stream", "file_size": 1})
    };
    let model = file("model.glb");
    let app: Vec<_> = path.split('/').skip(1).take(2).collect();
    match app.join("/").as_str() {
        "fal-ai/hunyuan3d" | "fal-ai/trellis" => json!({"model_mesh": model, "seed": 7}),
        "fal-ai/hunyuan-3d" => json!({
            "model_glb": file("model.obj"),
            "model_urls": {"glb": model, "obj": file("model.obj"), "fbx": null},
        }),
        "fal-ai/hunyuan3d-v21" => json!({"model_mesh": file("model.zip"), "model_glb": model}),
        "fal-ai/hyper3d" => json!({"model_mesh": model, "textures": []}),
        _ => json!({"model_glb": model, "seed": 7}),
    }
}
