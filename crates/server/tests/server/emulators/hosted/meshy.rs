//! Meshy's image-to-3d.

use serde_json::{Value, json};

use super::{KEY, Nasty, SIGNED, State, blind, submission};
use crate::emulators::{Reply, Request};

const TASKS: &str = "/openapi/v1/image-to-3d";

/// [A] How long a task and its files are kept, in seconds.
const KEPT: f64 = 3.0 * 24.0 * 60.0 * 60.0;

pub fn answer(request: &Request, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    // [A] Calls from browsers are refused.
    if !request.header("origin").is_empty() {
        return message(403, "Forbidden");
    }
    for name in ["x-api-key", "referer", "cookie"] {
        assert_eq!(request.header(name), "", "{name}");
    }
    if request.header("authorization") != format!("Bearer {KEY}") {
        return message(401, "Invalid API key");
    }
    let task = request.path.strip_prefix(TASKS);
    match (request.method.as_str(), request.path.as_str(), task) {
        ("GET", "/openapi/v1/balance", _) => Reply::json(200, json!({"balance": 70})),
        ("POST", _, Some("")) => submit(request, nasty, state, now),
        ("GET", _, Some("")) => {
            assert!(request.query.contains("page_num=1"));
            let tasks = state
                .jobs
                .iter()
                .rev()
                .map(|job| json!({"id": job.id, "created_at": job.at, "status": "PENDING"}));
            Reply::json(200, tasks.collect())
        }
        ("GET", _, Some(id)) => task_of(&id[1..], nasty, state, now, files),
        // [A] The task and its files; nobody says that it stops, or is paid back.
        ("DELETE", _, Some(id)) => {
            let at = state.jobs.iter().position(|job| job.id == id[1..]);
            match at {
                Some(at) => {
                    state.jobs[at].cancelled = Some(now);
                    Reply::json(200, Value::Null)
                }
                None => message(404, "Task not found"),
            }
        }
        _ => message(404, "Not found"),
    }
}

fn message(status: u16, words: &str) -> Reply {
    Reply::json(status, json!({ "message": words }))
}

fn submit(request: &Request, nasty: Nasty, state: &mut State, now: f64) -> Reply {
    state.asked += 1;
    let body = request.json();
    // [A] Retired.
    if body["model_type"] == "lowpoly" {
        return message(400, "model_type lowpoly is retired");
    }
    let picture = body["image_url"].clone();
    state.bodies.push(body);
    let (begins, reply) = submission(nasty, state.asked);
    let id = begins.then(|| state.begin(&picture, now));
    match (reply, id) {
        (Some(reply), _) => reply,
        (None, id) => Reply::json(202, json!({"result": id})),
    }
}

fn task_of(id: &str, nasty: Nasty, state: &mut State, now: f64, files: &str) -> Reply {
    let looks = state.looks(id);
    if let Some(reply) = blind(nasty, looks) {
        return reply;
    }
    let job = state.jobs.iter().find(|job| job.id == id);
    let Some(job) = job.filter(|job| job.cancelled.is_none() && now < job.begun + KEPT) else {
        return message(404, "Task not found");
    };
    let (age, at) = (now - job.begun, job.at);
    if nasty == Nasty::Forgotten && age > 1.0 {
        return message(404, "Task not found");
    }
    // [A] Times are in milliseconds, and 0 or null before they are.
    let mut task = json!({
        "id": id, "type": "image-to-3d", "status": "PENDING", "progress": 0, "preceding_tasks": 2,
        "created_at": at, "started_at": 0, "finished_at": null, "expires_at": 0,
        "model_urls": {"fbx": ""}, "texture_urls": {}, "task_error": {"message": ""},
    });
    if nasty == Nasty::UnknownFields {
        task["mood"] = json!({"deep": [1, null]});
    }
    if nasty == Nasty::UnknownStatus {
        task["status"] = "PONDERING".into();
        return Reply::json(200, task);
    }
    if age < 1.0 && nasty != Nasty::NoQueue {
        return Reply::json(200, task);
    }
    task["status"] = "IN_PROGRESS".into();
    task["progress"] = (25.0 * age).min(99.0).floor().into();
    if age < 4.0 || nasty == Nasty::Stuck {
        return Reply::json(200, task);
    }
    task["progress"] = 100.into();
    match nasty {
        // [A] A failure is 200, too.
        Nasty::Fails | Nasty::FailsOtherwise => {
            let word = match nasty {
                Nasty::Fails => "FAILED",
                _ => "CANCELED",
            };
            task["status"] = word.into();
            task["task_error"]["message"] = format!("Image too small {KEY}").into();
        }
        _ => {
            let host = match nasty {
                Nasty::ElsewhereResult => "127.0.0.1:9",
                _ => files,
            };
            task["status"] = "SUCCEEDED".into();
            // [A] Each look brings a fresh link.
            task["model_urls"]["glb"] = format!("http://{host}/{looks}/model.glb?{SIGNED}").into();
        }
    }
    Reply::json(200, task)
}
