//! fal's queue API.

use serde_json::{Value, json};

use super::faults::{self, Submit};
use super::scenario::{Cancel, Scenario};
use super::secrets::KEY;
use super::state::{Job, State};
use crate::emulators::http::{Reply, Request};
use crate::emulators::samples::image_number;

/// Seconds from the start of a job until it leaves the queue.
const QUEUED: f64 = 2.0;
/// Seconds from the start of a job until it completes.
const COMPLETED: f64 = 4.0;
/// [B] Seconds that a result is kept.
const KEPT: f64 = 3600.0;

enum Phase {
    /// With this many jobs ahead.
    Queued(u32),
    Running,
    Completed,
    Cancelled,
    Unknown,
}

fn phase(scenario: Scenario, job: &Job, now: f64) -> Phase {
    let age = now - job.started;
    match (scenario, job.cancelled) {
        (Scenario::JobForgotten, _) if age > 1.0 => Phase::Unknown,
        (Scenario::NeverStarts(_), None) => Phase::Queued(7),
        (Scenario::NeverStarts(Cancel::NotFound), Some(_)) => Phase::Unknown,
        (Scenario::NeverStarts(Cancel::CompletesAnyway), Some(_)) if job.polls_since_cancel < 3 => {
            Phase::Running
        }
        (
            Scenario::NeverStarts(
                Cancel::CompletesAnyway
                | Cancel::AlreadyCompletedStatus
                | Cancel::AlreadyCompletedDetail,
            ),
            Some(_),
        ) => Phase::Completed,
        (_, Some(_)) => Phase::Cancelled,
        _ if age < QUEUED && scenario != Scenario::SkipsQueue => {
            Phase::Queued((QUEUED - age) as u32)
        }
        _ if age < COMPLETED || scenario == Scenario::NeverFinishes => Phase::Running,
        _ => Phase::Completed,
    }
}

pub fn respond(
    request: &Request,
    scenario: Scenario,
    state: &mut State,
    now: f64,
    file_host: &str,
) -> Reply {
    // [A] The scheme is Key, not Bearer.
    if request.header("authorization") != format!("Key {KEY}") {
        return detail(401, "No user found for Key ID and Secret");
    }
    request.assert_without(&["x-api-key", "origin", "referer", "cookie"]);
    if request.method == "POST" {
        return submit(request, scenario, state, now, file_host);
    }
    let path = request.path.as_str();
    let (path, action) = match path.rsplit_once('/') {
        Some((parent, action @ ("status" | "cancel"))) => (parent, action),
        _ => (path, "result"),
    };
    let id = path.rsplit('/').next().unwrap_or_default();
    // [A] The path has the owner and the app only; that of the full model id does not exist.
    let is_short = path.split('/').count() == 5;
    let index = state.jobs.iter().position(|job| job.id == id && is_short);
    let Some(index) = index else {
        return detail(404, &format!("Path {path} not found"));
    };
    match (request.method.as_str(), action) {
        ("GET", "status") => {
            let logs = match request.query.contains("logs=1") {
                true => {
                    json!([{"message": "3D", "level": "INFO", "source": "x", "timestamp": "x"}])
                }
                // [A] Logs are null unless the query selects them.
                false => Value::Null,
            };
            status(scenario, state, index, now, &logs)
        }
        ("PUT", "cancel") => cancel(scenario, state, index, now),
        ("GET", "result") => result(scenario, state, index, now, (&request.path, file_host)),
        _ => detail(405, "Method Not Allowed"),
    }
}

fn detail(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({ "detail": message }))
}

/// Returns the URL of the image, or of the first one in a list.
fn image_url(body: &Value) -> &Value {
    let names = [
        "image_url",
        "input_image_url",
        "image_urls",
        "input_image_urls",
    ];
    let field = names.iter().find_map(|name| body.get(*name));
    let field = field.unwrap_or(&Value::Null);
    field.get(0).unwrap_or(field)
}

fn submit(
    request: &Request,
    scenario: Scenario,
    state: &mut State,
    now: f64,
    file_host: &str,
) -> Reply {
    state.submits += 1;
    let body = request.json();
    let image = image_url(&body).clone();
    let text = image.as_str().unwrap_or_default();
    // [A] fal cannot fetch from a private network; every http(s) URL of a test is in one.
    if !text.starts_with("data:image/") {
        let error = json!({"loc": ["body", "image_url"], "type": "file_download_error",
            "msg": "Failed to download the file", "url": "https://docs.fal.ai/errors", "input": text});
        return Reply::json(422, json!({"detail": [error]}));
    }
    let Submit { starts_job, reply } = faults::submit(scenario, state.submits);
    let price = price(&request.path, &body);
    state.bodies.push(body);
    state.headers.push(request.headers.clone());
    let id = starts_job.then(|| state.start_job(image_number(&image), price, now));
    if let Some(reply) = reply {
        return reply;
    }
    // [A] The URLs hold only the owner and the app.
    let app: Vec<_> = request.path.split('/').skip(1).take(2).collect();
    let host = match scenario {
        Scenario::JobUrlsOnOtherHost => file_host,
        _ => request.header("host"),
    };
    let job = format!("http://{host}/{}/requests/{}", app.join("/"), id.unwrap());
    let mut response = json!({
        "status": "IN_QUEUE", "request_id": job.rsplit('/').next(), "queue_position": 2,
        "response_url": job, "status_url": format!("{job}/status"),
        "cancel_url": format!("{job}/cancel"), "gateway_request_id": "x",
    });
    if scenario == Scenario::SkipsQueue {
        response["status"] = "IN_PROGRESS".into();
        response.as_object_mut().unwrap().remove("queue_position");
    }
    Reply::json(200, response)
}

/// Returns the billable units of a job.
///
/// [B] Tripo's models are billed in credits of $0.01. [A] Each of `texture` and `pbr` makes and bills a
/// texture, and both are on by default. [C] How many credits that are.
fn price(path: &str, body: &Value) -> f64 {
    let is_off = |name: &str| body[name] == json!(false) || body[name] == json!("no");
    match path.starts_with("/tripo3d/") {
        true if is_off("texture") && is_off("pbr") => 20.0,
        true => 30.0,
        // [C] One unit.
        false => 1.0,
    }
}

fn status(scenario: Scenario, state: &mut State, index: usize, now: f64, logs: &Value) -> Reply {
    let number = state.count_poll(&format!("status {index}"));
    let job = &mut state.jobs[index];
    job.polls_since_cancel += usize::from(job.cancelled.is_some());
    if let Some(reply) = faults::failed_poll(scenario, number) {
        return reply;
    }
    if scenario == Scenario::UnknownStatus {
        return Reply::json(200, json!({"status": "PONDERING"}));
    }
    let (status, mut response) = match phase(scenario, job, now) {
        Phase::Unknown => return detail(404, "Request not found"),
        Phase::Queued(ahead) => (202, json!({"status": "IN_QUEUE", "queue_position": ahead})),
        Phase::Running => (202, json!({"status": "IN_PROGRESS", "logs": logs})),
        Phase::Completed => {
            let metrics = json!({"inference_time": 2});
            (
                200,
                json!({"status": "COMPLETED", "logs": logs, "metrics": metrics}),
            )
        }
        // [C] In the form of the other failures.
        Phase::Cancelled => {
            let error = json!({"status": "COMPLETED", "error": "Client cancelled the request",
                "error_type": "client_cancelled"});
            (200, error)
        }
    };
    // [A] Errors with a status of 500 or more are not billed.
    if scenario == Scenario::JobAborts && response["status"] == "COMPLETED" {
        job.is_free = true;
        response["error"] = "Request timed out".into();
        response["error_type"] = "request_timeout".into();
    }
    if scenario == Scenario::UnknownFields {
        response["mood"] = json!({"deep": [1, null]});
    }
    Reply::json(status, response)
}

fn cancel(scenario: Scenario, state: &mut State, index: usize, now: f64) -> Reply {
    state.cancels += 1;
    let job = &mut state.jobs[index];
    job.cancel_requests += 1;
    let already_completed = || Reply::json(400, json!({"status": "ALREADY_COMPLETED"}));
    let accepted = |status| Reply::json(status, json!({"status": "CANCELLATION_REQUESTED"}));
    let is_queued = match phase(scenario, job, now) {
        Phase::Unknown => return Reply::json(404, json!({"status": "NOT_FOUND"})),
        Phase::Completed | Phase::Cancelled => return already_completed(),
        Phase::Queued(_) => true,
        Phase::Running => false,
    };
    job.cancelled = Some(now);
    match scenario {
        Scenario::NeverStarts(Cancel::CompletesAnyway) => accepted(202),
        Scenario::NeverStarts(Cancel::AlreadyCompletedStatus) => already_completed(),
        Scenario::NeverStarts(Cancel::AlreadyCompletedDetail) => {
            detail(400, &format!("Request {} is already completed.", job.id))
        }
        Scenario::NeverStarts(Cancel::NotFound) => Reply::json(404, json!({"status": "NOT_FOUND"})),
        // [B] A job cancelled in the queue costs nothing; one that was running may.
        _ => {
            job.is_free = is_queued;
            match scenario {
                Scenario::NeverStarts(Cancel::AcceptedWith200) => accepted(200),
                _ => accepted(202),
            }
        }
    }
}

fn result(
    scenario: Scenario,
    state: &mut State,
    index: usize,
    now: f64,
    (path, file_host): (&str, &str),
) -> Reply {
    let number = state.count_poll(&format!("result {index}"));
    let job = &mut state.jobs[index];
    let in_progress = || detail(400, "Request is still in progress");
    match phase(scenario, job, now) {
        Phase::Queued(_) | Phase::Running => return in_progress(),
        Phase::Unknown => return detail(404, "Request not found"),
        Phase::Cancelled => {
            return Reply::json(
                499,
                json!({"detail": "Client cancelled the request", "error_type": "client_cancelled"}),
            );
        }
        Phase::Completed if now > job.started + COMPLETED + KEPT => {
            return detail(404, "Request not found");
        }
        Phase::Completed => {}
    }
    match scenario {
        // [A] The error repeats the whole input, the image included.
        Scenario::JobFails => Reply::json(
            422,
            json!({"detail": [{"loc": ["body", "image_url"], "msg": "Image too small",
                "type": "image_too_small", "input": state.bodies[0].clone()}]}),
        ),
        Scenario::JobAborts => Reply::json(
            504,
            json!({"detail": format!("Request timed out for {KEY} at https://x.example/a?sig=Zq83canary7d1f93"),
                "error_type": "request_timeout"}),
        ),
        Scenario::ResultNotReadyOnce if number == 1 => in_progress(),
        Scenario::ResultFailsAtFirst if number <= 2 => Reply::text(502, "<h1>Bad Gateway</h1>"),
        // [A] The header tells the billable units.
        _ => {
            job.is_free = false;
            Reply::json(200, output(scenario, path, file_host))
                .with_header("x-fal-billable-units", job.price)
        }
    }
}

/// [A] The field that holds the model differs from app to app, and a field of that name may hold
/// another format.
fn output(scenario: Scenario, path: &str, file_host: &str) -> Value {
    let host = match scenario {
        Scenario::FileOnOtherHost => "127.0.0.1:9",
        _ => file_host,
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
        "tripo3d/h3.1" | "tripo3d/p1" | "tripo3d/p2" | "tripo3d/tripo" => {
            json!({"model_mesh": model, "model_urls": {"glb": model}})
        }
        "fal-ai/meshy" => json!({
            "model_glb": model,
            "model_urls": {
                "glb": model, "fbx": file("model.fbx"), "obj": file("model.obj"),
                "usdz": file("model.usdz"),
            },
        }),
        "fal-ai/hyper3d" => json!({"model_mesh": model, "textures": []}),
        _ => json!({"model_glb": model, "seed": 7}),
    }
}
