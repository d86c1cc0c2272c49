//! ComfyUI's HTTP API. Its jobs cost nothing; the emulator bills those that ran to their end.

use serde_json::{Value, json};

use super::engine::Engine;
use super::faults::{self, Submit};
use super::files;
use super::scenario::Scenario;
use super::state::{Job, State};
use crate::emulators::http::{Reply, Request};
use crate::emulators::samples::number_of_image_file;

/// Seconds from the start of a job until it leaves the queue.
const QUEUED: f64 = 2.0;
/// Seconds from the start of a job until it has ended.
const ENDED: f64 = 4.0;

#[derive(PartialEq)]
enum Phase {
    Pending,
    Running,
    Ended,
    /// It was removed from the queue, or ComfyUI was restarted.
    Unknown,
}

fn phase(scenario: Scenario, job: &Job, now: f64) -> Phase {
    let age = now - job.started;
    let is_queued = |at: f64| at - job.started < QUEUED && scenario != Scenario::SkipsQueue;
    match (scenario, job.cancelled) {
        (Scenario::JobForgotten, _) if age > 1.0 => Phase::Unknown,
        (_, Some(at)) if is_queued(at) => Phase::Unknown,
        (_, Some(_)) => Phase::Ended,
        _ if is_queued(now) => Phase::Pending,
        _ if age < ENDED || scenario == Scenario::NeverFinishes => Phase::Running,
        _ => Phase::Ended,
    }
}

pub fn respond(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    // [A] Requests of a page of another host are refused, without a body.
    if !request.header("origin").is_empty() {
        return Reply::text(403, "");
    }
    request.assert_without(&["authorization", "x-api-key", "referer", "cookie"]);
    let history = request.path.strip_prefix("/history");
    match (request.method.as_str(), request.path.as_str(), history) {
        ("POST", "/upload/image", _) => upload(request, scenario, state),
        ("POST", "/prompt", _) => submit(request, scenario, state, now),
        ("GET", "/queue", _) => queue(scenario, state, now),
        ("POST", "/queue", _) => delete(&request.json(), scenario, state, now),
        ("POST", "/interrupt", _) => interrupt(&request.json(), scenario, state, now),
        ("GET", _, Some("")) => {
            let ended = state
                .jobs
                .iter()
                .filter(|job| phase(scenario, job, now) == Phase::Ended);
            let ended = ended.map(|job| (job.id.clone(), history_entry(job, scenario)));
            Reply::json(200, Value::Object(ended.collect()))
        }
        ("GET", _, Some(id)) => history_of(&id[1..], scenario, state, now),
        ("GET", "/view", _) => view(request, scenario, state),
        ("GET", "/system_stats", _) => Reply::json(
            200,
            json!({"system": {"comfyui_version": "0.3.64", "os": "posix"}}),
        ),
        // [A] An unknown class has no entry.
        ("GET", path, _) if path.starts_with("/object_info/") => {
            let class = path.trim_start_matches("/object_info/");
            match class {
                "LoadImage" | "SaveGLB" | "KSampler" => Reply::json(200, json!({class: {}})),
                _ => Reply::json(200, json!({})),
            }
        }
        _ => Reply::text(404, "404: Not Found"),
    }
}

fn upload(request: &Request, scenario: Scenario, state: &mut State) -> Reply {
    if let Scenario::UploadFails(status) = scenario
        && state.uploads.is_empty()
    {
        state.uploads.push(0);
        return Reply::text(status, "");
    }
    let Some(file) = request.file_of_form("image") else {
        // [A] Without a body.
        return Reply::text(400, "");
    };
    assert_eq!(request.field_of_form("type").as_deref(), Some("input"));
    state.uploads.push(number_of_image_file(file));
    // [A] A file of a known name is renamed.
    let name = format!("renamed ({}).png", state.uploads.len());
    Reply::json(
        200,
        json!({"name": name, "subfolder": "in", "type": "input"}),
    )
}

fn submit(request: &Request, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    state.submits += 1;
    let body = request.json();
    let nodes = body["prompt"].as_object().unwrap();
    let loaded = nodes
        .values()
        .find(|node| node["class_type"] == "LoadImage");
    let name = loaded.and_then(|node| node["inputs"]["image"].as_str());
    let number = name.and_then(|name| name.strip_prefix("in/renamed ("));
    let number = number.and_then(|rest| rest.strip_suffix(").png"));
    let Some(number) = number.and_then(|number| number.parse::<usize>().ok()) else {
        // [A] The validation of the node.
        let errors = json!({"1": {"class_type": "LoadImage", "dependent_outputs": [], "errors": [
            {"type": "custom_validation_failed", "message": "Custom validation failed for node",
                "details": format!("image - Invalid image file: {name:?}"), "extra_info": {}}]}});
        return Reply::json(
            400,
            json!({"error": {"type": "prompt_outputs_failed_validation",
                "message": "Prompt outputs failed validation", "details": "", "extra_info": {}},
                "node_errors": errors}),
        );
    };
    let chosen = body["prompt_id"].as_str().unwrap_or_default().to_owned();
    // [A] Newer versions accept a lower-case UUID only.
    let lengths: Vec<_> = chosen.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{chosen}");
    let since = body["extra_data"].clone();
    let image = state.uploads[number - 1];
    state.bodies.push(body);
    let Submit { starts_job, reply } = faults::submit(scenario, state.submits);
    let id = starts_job.then(|| {
        let id = state.start_job(image, 1.0, now);
        // [A] Older versions choose the id themselves.
        let job = state.jobs.last_mut().unwrap();
        job.extra_data = since;
        match scenario {
            Scenario::OwnJobId => id,
            _ => {
                job.id.clone_from(&chosen);
                chosen
            }
        }
    });
    let accepted = json!({"prompt_id": id, "number": state.jobs.len(), "node_errors": {}});
    reply.unwrap_or_else(|| Reply::json(200, accepted))
}

/// [A] The entry of a job in the queue and in the history.
fn prompt(index: usize, job: &Job) -> Value {
    json!([index, job.id, {"1": {"class_type": "LoadImage", "inputs": {}}}, job.extra_data, ["2"]])
}

fn queue(scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let number = state.count_poll("queue");
    if let Some(reply) = faults::failed_poll(scenario, number) {
        return reply;
    }
    let jobs = |wanted: Phase| {
        let jobs = state.jobs.iter().enumerate();
        let jobs = jobs.filter(|(_, job)| phase(scenario, job, now) == wanted);
        jobs.map(|(index, job)| prompt(index, job))
            .collect::<Vec<_>>()
    };
    // Jobs of other programs; the queue is a heap, in no order.
    let mut pending = jobs(Phase::Pending);
    pending.push(json!([-1, "other-program", {}, {}, []]));
    let running = jobs(Phase::Running);
    Reply::json(
        200,
        json!({"queue_running": running, "queue_pending": pending}),
    )
}

fn delete(body: &Value, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    state.cancels += 1;
    for id in body["delete"].as_array().unwrap() {
        let mut jobs = state.jobs.iter_mut();
        if let Some(job) = jobs.find(|job| job.id == *id) {
            job.cancel_requests += 1;
            if phase(scenario, job, now) == Phase::Pending {
                job.cancelled = Some(now);
                job.is_free = true;
            }
        }
    }
    Reply::text(200, "")
}

fn interrupt(body: &Value, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    // [A] Without it, the job of somebody else would be interrupted.
    let id = body["prompt_id"]
        .as_str()
        .expect("interrupt without prompt_id");
    let mut jobs = state.jobs.iter_mut();
    let job = jobs
        .find(|job| job.id == id)
        .expect("interrupt of an unknown job");
    // Versions that do not know `prompt_id` interrupt whatever runs.
    if phase(scenario, job, now) == Phase::Running {
        job.cancelled = Some(now);
        job.is_free = true;
    }
    Reply::text(200, "")
}

fn history_of(id: &str, scenario: Scenario, state: &mut State, now: f64) -> Reply {
    let number = state.count_poll(id);
    if let Some(reply) = faults::failed_poll(scenario, number) {
        return reply;
    }
    let job = state.jobs.iter_mut().find(|job| job.id == id);
    match job {
        Some(job) if phase(scenario, job, now) == Phase::Ended => {
            job.is_free |= matches!(scenario, Scenario::JobFails | Scenario::JobAborts);
            Reply::json(200, json!({id: history_entry(job, scenario)}))
        }
        // [A] Jobs that have not ended and unknown ones look alike.
        _ => Reply::json(200, json!({})),
    }
}

fn history_entry(job: &Job, scenario: Scenario) -> Value {
    let mut entry = json!({"prompt": prompt(0, job), "outputs": {}, "meta": {},
        "status": {"status_str": "success", "completed": true, "messages": [
            ["execution_start", {"prompt_id": job.id, "timestamp": 1}],
            ["execution_success", {"prompt_id": job.id, "timestamp": 2}]]}});
    let end = match scenario {
        // [A] With the traceback, which tells about the machine.
        Scenario::JobFails => Some(json!(["execution_error", {"node_id": "5",
            "node_type": "KSampler", "exception_type": "OutOfMemoryError",
            "exception_message": "Allocation on device\n",
            "traceback": ["  File \"/home/somebody/ComfyUI/execution.py\", line 1\n"]}])),
        _ if scenario == Scenario::JobAborts || job.cancelled.is_some() => {
            Some(json!(["execution_interrupted", {"prompt_id": job.id, "node_id": "5"}]))
        }
        _ => None,
    };
    match end {
        Some(message) => {
            entry["status"]["status_str"] = "error".into();
            entry["status"]["completed"] = false.into();
            entry["status"]["messages"][1] = message;
        }
        None => {
            entry["outputs"] = match scenario {
                // [B] Of the core's Preview3D.
                Scenario::ResultIsPath => json!({"9": {"result": ["csm/a b.glb", null, null]}}),
                Scenario::NoResult => json!({"9": {"text": ["done"]}}),
                // [A] Of the core's SaveGLB.
                _ => {
                    json!({"3": {"images": [{"filename": "p.png", "subfolder": "", "type": "temp"}]},
                    "9": {"3d": [{"filename": "a b.glb", "subfolder": "csm", "type": "output"}]}})
                }
            };
        }
    }
    entry
}

fn view(request: &Request, scenario: Scenario, state: &mut State) -> Reply {
    assert_eq!(
        request.query,
        "filename=a%20b.glb&subfolder=csm&type=output"
    );
    state.downloads += 1;
    files::respond(request, Engine::ComfyUi, scenario, state.downloads)
}
