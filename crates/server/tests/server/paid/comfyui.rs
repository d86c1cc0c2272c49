//! How a session ends under each scenario of ComfyUI. It costs nothing, but follows the same rules.

use serde_json::json;

use super::harness::Outcome::Completes;
use super::harness::{fails, start_gateway};
use crate::emulators::hosted::scenario::RetryAfter::Absent;
use crate::emulators::hosted::scenario::Scenario::*;
use crate::emulators::hosted::{Emulator, Engine, workflow_file};
use crate::support::{SESSIONS, command, wait_until};

session_tests! {
    Engine::ComfyUi;

    // The upload
    upload_is_repeated_after_500: UploadFails(500) => Completes;
    upload_that_is_too_large_fails: UploadFails(413) => fails(0, "comfyui: HTTP 413");

    // The request for a model
    completes_without_faults: Normal => Completes;
    older_version_chooses_the_job_id: OwnJobId => Completes;
    submit_is_repeated_after_429: BusyAtFirst(429, "busy", Absent) => Completes;
    // The queue and the history have the job whose id was lost.
    submit_that_times_out_is_found_in_the_queue: SubmitTimesOut => Completes;
    submit_that_is_reset_is_found_in_the_queue: SubmitResets => Completes;
    submit_that_returns_502_is_found_in_the_queue: SubmitReturns(502) => Completes;
    submit_that_never_arrives_fails: SubmitLost => fails(0, "comfyui: no response in time");
    rejected_submit_fails: SubmitRejected(400, "Prompt has no outputs") => fails(0, "comfyui: HTTP 400: Prompt has no outputs");

    // Polls
    job_that_skips_the_queue_completes: SkipsQueue => Completes;
    polls_continue_after_500: PollsFail(500, "down") => Completes;
    polls_continue_after_resets: PollsReset => Completes;
    job_of_a_restarted_comfyui_fails: JobForgotten => fails(1, "comfyui: ComfyUI does not know the job: it was removed or restarted");
    failed_job_fails_without_its_traceback: JobFails => fails(0, "comfyui: KSampler: Allocation on device");
    job_that_somebody_interrupts_fails: JobAborts => fails(0, "comfyui: the job was interrupted at ComfyUI");

    // The result
    result_that_is_a_path_is_downloaded: ResultIsPath => Completes;
    workflow_without_a_model_fails: NoResult => fails(1, "comfyui: the workflow has no output that is a GLB file");
    download_is_repeated_after_503: FileFails(1) => Completes;
    deleted_file_fails: FileUrlExpired => fails(1, "comfyui: the result has expired");
    obj_file_fails: WrongFile(b"# obj\nv 1 2 3\n") => fails(1, "comfyui: the model file is an OBJ file, not a GLB");

    // The deadline
    running_job_is_interrupted_at_the_deadline: NeverFinishes => fails(0, "comfyui: the job was not done after 2 s and was cancelled; last status: the job was interrupted at ComfyUI");

    // Every request
    slow_responses_are_awaited: Slow(100) => Completes;
    slow_response_to_the_submit_is_awaited: SubmitDelayed(300) => Completes;
    unreachable_service_fails: Unreachable => fails(0, "comfyui: the connection broke; no job was accepted for 2 s, and nothing was charged");
    silent_service_fails: Silent => fails(0, "comfyui: no response in time; no job was accepted for 2 s, and nothing was charged");
}

/// SaveGLB writes the workflow into the file, with all that is in it.
#[test]
fn workflow_in_the_file_is_removed() {
    let emulator = Emulator::start(Engine::ComfyUi, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(json!({"generate_texture": true}));
    let code = session["session_code"].as_str().unwrap();
    let file = gateway
        .server
        .get(&format!("/files/{code}/preview.glb"))
        .body;
    assert!(file.starts_with(b"glTF"), "{session}");
    let has = |text: &[u8]| file.windows(text.len()).any(|bytes| bytes == text);
    assert!(!has(b"Signature=") && !has(b"extras"));
}

#[test]
fn workflow_receives_the_order() {
    let emulator = Emulator::start(Engine::ComfyUi, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    gateway.create_and_wait(json!({"resolution": "low_poly"}));
    let prompt = emulator.bodies().remove(0)["prompt"].take();
    assert_eq!(prompt["2"]["inputs"]["faces"], 5000);
    assert!(prompt["2"]["inputs"]["seed"].is_u64());
    let prefix = prompt["9"]["inputs"]["filename_prefix"].as_str().unwrap();
    assert!(prefix.starts_with("csm_"), "{prefix}");
}

/// The job waits, so that it is removed from the queue; `/interrupt` is not needed.
#[test]
fn waiting_job_of_a_deleted_session_is_removed_from_the_queue() {
    let emulator = Emulator::with_manual_clock(Engine::ComfyUi, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| gateway.session(&code)["engine_status"] == "1 job ahead in ComfyUI's queue");
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(
        response.json()["message"],
        "Deleted. The job is removed from ComfyUI's queue, or interrupted."
    );
    wait_until(|| emulator.bill() == 0.0);
}

#[test]
fn running_job_of_a_deleted_session_is_interrupted() {
    let emulator = Emulator::with_manual_clock(Engine::ComfyUi, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    emulator.clock.skip(3.0);
    wait_until(|| gateway.session(&code)["engine_status"] == "generating the model in ComfyUI");
    gateway.server.delete(&format!("{SESSIONS}/{code}"));
    wait_until(|| emulator.bill() == 0.0);
}

/// Runs `--check` with this table, and returns what it printed.
fn check(emulator: &Emulator, table: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    let url = format!("[engines.comfyui]\nurl = \"http://{}\"\n", emulator.host);
    std::fs::write(&file, url + table).unwrap();
    let output = command().arg("--check").arg("--config").arg(&file).output();
    let output = output.unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn check_accepts_a_workflow_whose_nodes_are_installed() {
    let emulator = Emulator::start(Engine::ComfyUi, Normal);
    let output = check(&emulator, &format!("workflow = {:?}\n", workflow_file()));
    let ready = "ComfyUI 0.3.64 reachable, with all nodes of the workflow";
    assert!(output.contains(ready), "{output}");
}

#[test]
fn check_reports_missing_workflows_and_nodes() {
    let emulator = Emulator::start(Engine::ComfyUi, Normal);
    let output = check(&emulator, "");
    assert!(
        output.contains("MISSING  comfyui: no workflow; set workflow"),
        "{output}"
    );
    let example = crate::support::repository_path("docs/workflows/trellis2.json");
    let output = check(&emulator, &format!("workflow = {example:?}\n"));
    let error = "the workflow's node LoadTrellis2Models is not installed";
    assert!(output.contains(error), "{output}");
}
