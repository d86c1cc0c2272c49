//! How a session ends under each scenario of Tripo.

use serde_json::json;

use super::harness::Outcome::Completes;
use super::harness::{fails, start_gateway};
use crate::emulators::hosted::scenario::RetryAfter::{Absent, Present};
use crate::emulators::hosted::scenario::Scenario::*;
use crate::emulators::hosted::{Emulator, Engine};
use crate::support::{SESSIONS, wait_until};

session_tests! {
    Engine::Tripo;

    // The upload
    upload_is_repeated_after_500: UploadFails(500) => Completes;
    upload_is_repeated_after_429: UploadFails(429) => Completes;
    rejected_upload_fails: UploadFails(400) => fails(0, "tripo: HTTP 400: upload failed");

    // The request for a model
    completes_without_faults: Normal => Completes;
    submit_is_repeated_after_429_with_retry_after: BusyAtFirst(429, "too many tasks", Present) => Completes;
    submit_is_repeated_after_429: BusyAtFirst(429, "too many tasks", Absent) => Completes;
    // The account's usage has the task whose id was lost.
    submit_that_times_out_is_found_in_the_usage: SubmitTimesOut => Completes;
    submit_that_is_reset_is_found_in_the_usage: SubmitResets => Completes;
    submit_that_returns_500_is_found_in_the_usage: SubmitReturns(500) => Completes;
    submit_that_returns_502_is_found_in_the_usage: SubmitReturns(502) => Completes;
    submit_that_returns_503_is_found_in_the_usage: SubmitReturns(503) => Completes;
    submit_that_returns_504_is_found_in_the_usage: SubmitReturns(504) => Completes;
    submit_that_never_arrives_is_reported_as_possibly_charged: SubmitLost => fails(0, "tripo: no response in time; the model may have been charged and is not requested again");
    submit_rejected_for_the_input_fails: SubmitRejected(400, "Input is invalid") => fails(0, "tripo: HTTP 400: Input is invalid");
    submit_rejected_for_the_key_fails: SubmitRejected(401, "Invalid API key") => fails(0, "tripo: HTTP 401: Invalid API key");
    submit_rejected_for_the_balance_fails: SubmitRejected(403, "No credit") => fails(0, "tripo: HTTP 403: No credit");
    submit_rejected_by_the_envelope_alone_fails: SubmitRejected(200, "Input is invalid") => fails(0, "tripo: HTTP 200: Input is invalid");

    // Polls
    task_that_skips_the_queue_completes: SkipsQueue => Completes;
    unknown_fields_of_the_task_are_ignored: UnknownFields => Completes;
    polls_continue_while_the_key_is_rejected: PollsFail(401, "Invalid API key") => Completes;
    polls_continue_after_429: PollsFail(429, "too many requests") => Completes;
    polls_continue_after_503: PollsFail(503, "down") => Completes;
    polls_continue_after_resets: PollsReset => Completes;
    unknown_status_is_polled_until_the_deadline: UnknownStatus => fails(1, "tripo: the job's state was unknown for 6 s; last error: unexpected response: unknown job status; the model may have been charged and is not requested again");
    forgotten_task_fails: JobForgotten => fails(1, "tripo: the task no longer exists");
    failed_task_fails_with_its_message: JobFails => fails(0, "tripo: task failed: Image too small …");
    banned_task_fails: JobAborts => fails(0, "tripo: task banned");

    // The download
    expired_file_url_is_renewed_once: FileUrlExpiresOnce => Completes;
    file_url_that_stays_expired_fails: FileUrlExpired => fails(1, "tripo: the result has expired");
    download_is_repeated_after_503: FileFails(1) => Completes;
    download_that_fails_and_then_expires_is_repeated: FileFailsThenExpires => Completes;
    file_on_another_host_is_not_fetched: FileOnOtherHost => fails(1, "tripo: the result is at \"127.0.0.1:9\", and only results from {files} are downloaded; add the host to result_hosts in the engine's configuration");
    fbx_file_fails: WrongFile(b"Kaydara FBX Binary") => fails(1, "tripo: the model file is an FBX file, not a GLB");

    // The deadline
    running_task_ends_at_the_deadline: NeverFinishes => fails(1, "tripo: the job was not done after 2 s; last status: generating the model at Tripo; the model may have been charged and is not requested again");

    // Every request
    slow_responses_are_awaited: Slow(100) => Completes;
    slow_response_to_the_submit_is_awaited: SubmitDelayed(300) => Completes;
    unreachable_service_fails: Unreachable => fails(0, "tripo: the connection broke; no job was accepted for 2 s, and nothing was charged");
    silent_service_fails: Silent => fails(0, "tripo: no response in time; no job was accepted for 2 s, and nothing was charged");
}

#[test]
fn low_poly_model_is_ordered_from_the_p_series() {
    let emulator = Emulator::start(Engine::Tripo, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(json!({"resolution": "low_poly", "topology": "quads"}));
    assert_eq!(session["status"], "preview_done", "{session}");
    assert_eq!(session["unsupported"], json!(["topology"]));
    let body = emulator.bodies().remove(0);
    assert_eq!(
        (&body["model"], &body["face_limit"]),
        (&json!("P1-20260311"), &json!(5000))
    );
}

#[test]
fn untextured_model_is_not_billed_as_textured() {
    let emulator = Emulator::start(Engine::Tripo, Normal);
    let gateway = start_gateway(&emulator, "", &[]);
    let session = gateway.create_and_wait(json!({}));
    assert_eq!(emulator.bill(), 20.0);
    let cost = json!({"amount": 20.0, "unit": "credits"});
    assert_eq!(session["cost"], cost);
    gateway.create_and_wait(json!({"generate_texture": true}));
    assert_eq!(emulator.bill(), 50.0);
}

#[test]
fn deleting_a_session_tells_that_its_task_goes_on() {
    let emulator = Emulator::start(Engine::Tripo, NeverFinishes);
    let gateway = start_gateway(&emulator, "", &[]);
    let code = gateway.create(json!({}));
    wait_until(|| emulator.billed_models() == 1);
    let response = gateway.server.delete(&format!("{SESSIONS}/{code}"));
    assert_eq!(response.status, 200);
    assert_eq!(
        response.json()["message"],
        "Deleted. Tripo documents no way to cancel a task: it goes on, and may be charged."
    );
    assert_eq!((emulator.cancels(), emulator.bill()), (0, 20.0));
}
