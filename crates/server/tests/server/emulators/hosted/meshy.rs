//! Meshy's image-to-3d API.

use serde_json::{Value, json};

use super::faults::{self, Submit};
use super::scenario::Scenario;
use super::secrets::{KEY, SIGNATURE};
use super::state::State;
use crate::emulators::http::{Reply, Request};
use crate::emulators::samples::image_number;

const TASKS: &str = "/openapi/v1/image-to-3d";

/// [A] Seconds that a task and its files are kept.
const KEPT: f64 = 3.0 * 24.0 * 60.0 * 60.0;

pub fn respond(
    request: &Request,
    scenario: Scenario,
    state: &mut State,
    now: f64,
    file_host: &str,
) -> Reply {
    // [A] Calls from browsers are refused.
    if !request.header("origin").is_empty() {
        return message(403, "Forbidden");
    }
    request.assert_without(&["x-api-key", "referer", "cookie"]);
    if request.header("authorization") != format!("Bearer {KEY}") {
        return message(401, "Invalid API key");
    }
    let task = request.path.strip_prefix(TASKS);
    match (request.method.as_str(), request.path.as_str(), task) {
        ("GET", "/openapi/v1/balance", _) => Reply::json(200, json!({"balance": 70})),
        ("POST", _, Some("")) => submit(request, scenario, state, now),
        ("GET", _, Some("")) => {
            assert!(request.query.contains("page_num=1"));
            let tasks = state.jobs.iter().rev().map(
                |job| json!({"id": job.id, "created_at": job.created_at, "status": "PENDING"}),
            );
            Reply::json(200, tasks.collect())
        }
        ("GET", _, Some(id)) => task_object(&id[1..], scenario, state, now, file_host),
        // [A] Deletes the task and its files. [C] It is billed all the same: whether it stops or is
        // refunded is not documented.
        ("DELETE", _, Some(id)) => {
            state.cancels += 1;
            match state.jobs.iter_mut().find(|job| job.id == id[1..]) {
                Some(job) => {
                    job.cancel_requests += 1;
                    job.cancelled = Some(now);
                    Reply::json(200, Value::Null)
                }
                None => message(404, "Task not found"),
            }
        }
        _ => message(404, "Not found"),
    }
}

fn message(status: u16, message: &str) -> Reply {
    Reply::json(status, json!({ "message": message }))
}

fn submit(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    state.submits += 1;
    let body = request.json();
    if let Some(error) = invalid_field(&body) {
        return message(400, error);
    }
    let image = image_number(&body["image_url"]);
    let price = price(&body);
    state.bodies.push(body);
    let Submit { starts_job, reply } = faults::submit(scenario, state.submits);
    let id = starts_job.then(|| state.start_job(image, price, now));
    reply.unwrap_or_else(|| Reply::json(202, json!({"result": id})))
}

/// Returns why Meshy rejects a request for a model, if it does.
fn invalid_field(body: &Value) -> Option<&'static str> {
    let model = body["ai_model"].as_str().unwrap_or_default();
    let is_smart = body["model_type"] == "smart-topology";
    let faces = body["target_polycount"].as_u64();
    match model {
        // [A] Retired.
        _ if body["model_type"] == "lowpoly" => Some("model_type lowpoly is retired"),
        "meshy-4" | "meshy-5" | "meshy-t1" => Some("ai_model is retired"),
        // [A] The models of smart topology make nothing else. [C] The message.
        _ if is_smart != model.starts_with("meshy-t") => Some("ai_model does not fit model_type"),
        // [A] meshy-t2.5 makes triangles only, of 100 to 30,000 faces.
        "meshy-t2.5" if body["topology"] == "quad" => Some("topology is not supported"),
        "meshy-t2.5" if faces.is_some_and(|faces| !(100..=30_000).contains(&faces)) => {
            Some("target_polycount is out of range")
        }
        _ => None,
    }
}

/// [A] Returns the credits of a task.
fn price(body: &Value) -> f64 {
    let mesh = match body["model_type"] == "smart-topology" {
        true => 5.0,
        false => 20.0,
    };
    // Textures are on by default.
    mesh + if body["should_texture"] == json!(false) {
        0.0
    } else {
        10.0
    }
}

fn task_object(
    id: &str,
    scenario: Scenario,
    state: &mut State,
    now: f64,
    file_host: &str,
) -> Reply {
    let number = state.count_poll(id);
    if let Some(reply) = faults::failed_poll(scenario, number) {
        return reply;
    }
    let index = state.jobs.iter().position(|job| job.id == id);
    let formats = index
        .and_then(|index| state.bodies.get(index))
        .map_or(Value::Null, |body| body["target_formats"].clone());
    let job = index.and_then(|index| state.jobs.get_mut(index));
    let Some(job) = job.filter(|job| job.cancelled.is_none() && now < job.started + KEPT) else {
        return message(404, "Task not found");
    };
    let age = now - job.started;
    if scenario == Scenario::JobForgotten && age > 1.0 {
        return message(404, "Task not found");
    }
    // [A] Times are in milliseconds; those in the future are 0 or null.
    let mut task = json!({
        "id": id, "type": "image-to-3d", "status": "PENDING", "progress": 0, "preceding_tasks": 2,
        "created_at": job.created_at, "started_at": 0, "finished_at": null, "expires_at": 0,
        "model_urls": {"fbx": ""}, "texture_urls": {}, "task_error": {"message": ""},
    });
    if scenario == Scenario::UnknownFields {
        task["mood"] = json!({"deep": [1, null]});
    }
    if scenario == Scenario::UnknownStatus {
        task["status"] = "PONDERING".into();
        return Reply::json(200, task);
    }
    if age < 1.0 && scenario != Scenario::SkipsQueue {
        return Reply::json(200, task);
    }
    task["status"] = "IN_PROGRESS".into();
    task["progress"] = (25.0 * age).min(99.0).floor().into();
    if age < 4.0 || scenario == Scenario::NeverFinishes {
        return Reply::json(200, task);
    }
    task["progress"] = 100.into();
    // [A] The HTTP status of a failed task is 200, too.
    let failure = match scenario {
        Scenario::JobFails => Some("FAILED"),
        Scenario::JobAborts => Some("CANCELED"),
        _ => None,
    };
    match failure {
        Some(status) => {
            // [A] Failed tasks are refunded.
            job.is_free = true;
            task["consumed_credits"] = 0.into();
            task["status"] = status.into();
            task["task_error"]["message"] = format!("Image too small {KEY}").into();
        }
        None => {
            let host = match scenario {
                Scenario::FileOnOtherHost => "127.0.0.1:9",
                _ => file_host,
            };
            job.is_free = false;
            task["status"] = "SUCCEEDED".into();
            task["consumed_credits"] = job.price.into();
            // [A] Each poll returns fresh URLs, of the formats that were asked for, or of all but 3MF.
            let all = ["glb", "fbx", "obj", "usdz"].map(|format| json!(format));
            for format in formats.as_array().map_or(&all[..], Vec::as_slice) {
                let format = format.as_str().unwrap_or_default();
                let url = format!("http://{host}/{number}/model.{format}?{SIGNATURE}");
                task["model_urls"][format] = url.into();
            }
        }
    }
    Reply::json(200, task)
}
