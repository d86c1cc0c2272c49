//! Tripo's API, version 3.

use serde_json::{Value, json};

use super::faults::{self, Submit};
use super::scenario::Scenario;
use super::secrets::{KEY, SIGNATURE};
use super::state::State;
use crate::emulators::http::{Reply, Request};
use crate::emulators::samples::number_of_image_file;

pub const SUBMIT: &str = "/v3/generation/image-to-model";

/// Seconds from the start of a task until it leaves the queue.
const QUEUED: f64 = 1.0;
/// Seconds from the start of a task until it is done.
const DONE: f64 = 4.0;
/// [C] Seconds that a task is kept.
const KEPT: f64 = 3.0 * 24.0 * 60.0 * 60.0;

pub fn respond(
    request: &Request,
    scenario: Scenario,
    state: &mut State,
    now: f64,
    file_host: &str,
) -> Reply {
    request.assert_without(&["x-api-key", "origin", "referer", "cookie"]);
    // [B] The code of a wrong key is 2.
    if request.header("authorization") != format!("Bearer {KEY}") {
        return error(401, 2, "Invalid API key");
    }
    let task = request.path.strip_prefix("/v3/tasks/");
    match (request.method.as_str(), request.path.as_str(), task) {
        ("POST", "/v3/files", _) => upload(request, scenario, state),
        ("POST", SUBMIT, _) => submit(request, scenario, state, now),
        ("GET", "/v3/account/balance", _) => data(json!({"balance": "70.5", "frozen": "0"})),
        // [A] The rows; [C] their envelope.
        ("GET", "/v3/account/usage", _) => {
            let rows = state.jobs.iter().rev().map(|job| {
                let created_at = humantime::format_rfc3339_millis(job.created_time());
                json!({"task_id": job.id, "type": "image_to_model", "status": "running",
                    "created_at": created_at.to_string(), "credits_consumed": job.price})
            });
            data(json!({"items": rows.collect::<Vec<_>>(), "total": 1}))
        }
        ("GET", _, Some(id)) => look(id, scenario, state, now, file_host),
        // [A] The official clients know no request to cancel a task.
        ("DELETE", ..) | ("PUT", ..) => {
            state.cancels += 1;
            error(405, 1003, "Method not allowed")
        }
        _ => error(404, 4001, "Unknown route"),
    }
}

/// [A] The envelope of success.
fn data(data: Value) -> Reply {
    Reply::json(200, json!({"code": 0, "data": data}))
}

/// [A] The envelope of an error; [B] the codes.
fn error(status: u16, code: u32, message: &str) -> Reply {
    let body = json!({"code": code, "message": message, "suggestion": "", "request_id": "x"});
    Reply::json(status, body)
}

fn upload(request: &Request, scenario: Scenario, state: &mut State) -> Reply {
    if let Scenario::UploadFails(status) = scenario
        && state.uploads.is_empty()
    {
        state.uploads.push(0);
        return error(status, 1000, "upload failed");
    }
    let Some(file) = request.file_of_form("file") else {
        return error(400, 1003, "no file");
    };
    // [A] JPEG and PNG are accepted.
    if !file.starts_with(b"\x89PNG") && !file.starts_with(b"\xff\xd8\xff") {
        return error(400, 2003, "unsupported file type");
    }
    state.uploads.push(number_of_image_file(file));
    data(json!({"file_token": format!("file_{}", state.uploads.len())}))
}

fn submit(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    state.submits += 1;
    let body = request.json();
    let number = body["input"]
        .as_str()
        .and_then(|input| input.strip_prefix("file_"));
    let number: Option<usize> = number.and_then(|number| number.parse().ok());
    // [B] `data:` URIs are refused. [A] No input is one.
    let Some(number) = number else {
        return error(400, 1004, "input is invalid");
    };
    if let Some(message) = invalid_field(&body) {
        return error(400, 1004, message);
    }
    let price = price(&body);
    let image = state.uploads[number - 1];
    state.bodies.push(body);
    let Submit { starts_job, reply } = faults::submit(scenario, state.submits);
    let id = starts_job.then(|| state.start_job(image, price, now));
    reply.unwrap_or_else(|| data(json!({"task_id": id, "status": "queued"})))
}

/// [B] Returns why Tripo rejects a request for a model, if it does.
fn invalid_field(body: &Value) -> Option<&'static str> {
    let model = body["model"].as_str().unwrap_or_default();
    let faces = body["face_limit"].as_u64().unwrap_or(1_000);
    let p1_rejects = [
        "quad",
        "smart_low_poly",
        "generate_parts",
        "geometry_quality",
    ];
    match model {
        "" => Some("model is required"),
        "P1-20260311" if p1_rejects.iter().any(|name| body.get(name).is_some()) => {
            Some("parameter is not supported by P1")
        }
        "P1-20260311" if !(48..=20_000).contains(&faces) => Some("face_limit is out of range"),
        _ => None,
    }
}

/// [C] Returns the credits of a task, as of version 2. [A] `pbr` makes a texture, and is on by default.
fn price(body: &Value) -> f64 {
    match body["texture"] == json!(false) && body["pbr"] == json!(false) {
        true => 20.0,
        false => 30.0,
    }
}

fn look(id: &str, scenario: Scenario, state: &mut State, now: f64, file_host: &str) -> Reply {
    let number = state.count_poll(id);
    if let Some(reply) = faults::failed_poll(scenario, number) {
        return reply;
    }
    let job = state.jobs.iter_mut().find(|job| job.id == id);
    let Some(job) = job.filter(|job| now < job.started + KEPT) else {
        return error(404, 2001, "Task not found");
    };
    let age = now - job.started;
    if scenario == Scenario::JobForgotten && age > 1.0 {
        return error(404, 2001, "Task not found");
    }
    let mut task = json!({
        "task_id": id, "type": "image_to_model", "status": "queued", "progress": 0,
        "queuing_num": 2, "running_left_time": -1, "input": {}, "output": {},
        "created_at": "2026-11-28T12:00:00Z", "error_code": null, "error_message": null,
    });
    if scenario == Scenario::UnknownFields {
        task["mood"] = json!({"deep": [1, null]});
    }
    let is_over = age >= DONE && scenario != Scenario::NeverFinishes;
    if scenario == Scenario::UnknownStatus {
        task["status"] = "pondering".into();
    } else if is_over {
        task["progress"] = 100.into();
        finish(&mut task, scenario, number, file_host);
        // [B] Failed tasks are not charged.
        job.is_free = task["status"] != "success";
        task["credits_consumed"] = if job.is_free { 0.0 } else { job.price }.into();
    } else if age >= QUEUED || scenario == Scenario::SkipsQueue {
        task["status"] = "running".into();
        task["progress"] = (25.0 * age).min(99.0).floor().into();
    }
    data(task)
}

fn finish(task: &mut Value, scenario: Scenario, number: usize, file_host: &str) {
    match scenario {
        // [B] Content policy. [A] The HTTP status is 200.
        Scenario::JobFails => {
            task["status"] = "failed".into();
            task["error_code"] = 2008.into();
            task["error_message"] = format!("Image too small {KEY}").into();
        }
        Scenario::JobAborts => task["status"] = "banned".into(),
        _ => {
            let host = match scenario {
                Scenario::FileOnOtherHost => "127.0.0.1:9",
                _ => file_host,
            };
            task["status"] = "success".into();
            // [A] Valid for five minutes; each poll returns a fresh URL.
            let url = format!("http://{host}/{number}/model.glb?{SIGNATURE}");
            task["output"]["model_url"] = url.into();
        }
    }
}
