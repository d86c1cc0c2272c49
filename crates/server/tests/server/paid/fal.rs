//! How a session ends under each scenario of fal.

use super::harness::Outcome::Completes;
use super::harness::fails;
use crate::emulators::hosted::Engine;
use crate::emulators::hosted::scenario::Cancel::*;
use crate::emulators::hosted::scenario::RetryAfter::{Absent, Present};
use crate::emulators::hosted::scenario::Scenario::*;

const LOCKED: &str = "User is locked. Reason: Exhausted balance. Top up your balance.";

session_tests! {
    Engine::Fal;

    // The request for a model
    completes_without_faults: Normal => Completes;
    submit_is_repeated_after_429: BusyAtFirst(429, "concurrent_requests_limit", Absent) => Completes;
    submit_is_repeated_after_503_with_retry_after: BusyAtFirst(503, "runner_scheduling_failure", Present) => Completes;
    submit_times_out_is_reported_as_possibly_charged: SubmitTimesOut => fails(1, "fal: no response in time; the model may have been charged and is not requested again");
    submit_reset_is_reported_as_possibly_charged: SubmitResets => fails(1, "fal: the connection broke; the model may have been charged and is not requested again");
    submit_500_is_reported_as_possibly_charged: SubmitReturns(500) => fails(1, "fal: HTTP 500: gateway error; the model may have been charged and is not requested again");
    submit_502_is_reported_as_possibly_charged: SubmitReturns(502) => fails(1, "fal: HTTP 502: gateway error; the model may have been charged and is not requested again");
    submit_503_without_retry_after_is_reported_as_possibly_charged: SubmitReturns(503) => fails(1, "fal: HTTP 503: gateway error; the model may have been charged and is not requested again");
    submit_504_is_reported_as_possibly_charged: SubmitReturns(504) => fails(1, "fal: HTTP 504: gateway error; the model may have been charged and is not requested again");
    submit_that_never_arrives_is_reported_as_possibly_charged: SubmitLost => fails(0, "fal: no response in time; the model may have been charged and is not requested again");
    submit_rejected_for_the_key_fails: SubmitRejected(401, "No user found") => fails(0, "fal: HTTP 401: No user found");
    submit_rejected_for_the_balance_fails: SubmitRejected(403, LOCKED) => fails(0, "fal: HTTP 403: User is locked. Reason: Exhausted balance. Top up your balance.");
    submit_rejected_for_the_input_fails: SubmitRejected(422, "Input is invalid") => fails(0, "fal: HTTP 422: Input is invalid");

    // Polls
    job_that_skips_the_queue_completes: SkipsQueue => Completes;
    unknown_fields_of_the_status_are_ignored: UnknownFields => Completes;
    polls_continue_while_the_account_is_locked: PollsFail(403, LOCKED) => Completes;
    polls_continue_while_the_key_is_rejected: PollsFail(401, "No user found") => Completes;
    polls_continue_after_429: PollsFail(429, "too many") => Completes;
    polls_continue_after_500: PollsFail(500, "Internal Server Error") => Completes;
    polls_continue_after_resets: PollsReset => Completes;
    job_urls_on_another_host_are_not_used: JobUrlsOnOtherHost => Completes;
    unknown_status_fails: UnknownStatus => fails(1, "fal: unknown job status \"PONDERING\"");
    forgotten_job_fails: JobForgotten => fails(1, "fal: the job no longer exists");

    // The result
    failed_job_fails_with_its_message: JobFails => fails(1, "fal: HTTP 422: Image too small");
    aborted_job_fails_with_its_message: JobAborts => fails(0, "fal: HTTP 504: Request timed out for … at https://x.example/a");
    result_that_is_not_ready_is_requested_again: ResultNotReadyOnce => Completes;
    result_hidden_by_a_gateway_error_is_requested_again: ResultFailsAtFirst => Completes;

    // The download
    expired_file_url_is_renewed_once: FileUrlExpiresOnce => Completes;
    file_url_that_stays_expired_fails: FileUrlExpired => fails(1, "fal: the result has expired");
    download_is_repeated_after_503: FileFails(1) => Completes;
    download_is_repeated_after_many_503: FileFails(20) => Completes;
    download_that_fails_and_then_expires_is_repeated: FileFailsThenExpires => Completes;
    redirect_to_the_same_host_is_followed: FileRedirectsOnce => Completes;
    redirect_loop_fails: FileRedirectsForever => fails(1, "fal: the result is behind more than 3 redirects");
    redirect_to_a_private_address_is_not_followed: FileRedirectsToPrivateAddress => fails(1, "fal: the result is at \"169.254.169.254\", and only results from {files} are downloaded; add the host to result_hosts in the engine's configuration");
    file_on_another_host_is_not_fetched: FileOnOtherHost => fails(1, "fal: the result is at \"127.0.0.1:9\", and only results from {files} are downloaded; add the host to result_hosts in the engine's configuration");
    endless_file_fails: FileEndless => fails(1, "fal: the result is larger than 268435456 bytes");
    zip_file_fails: WrongFile(b"PK\x03\x04 zipped") => fails(1, "fal: the model file is a ZIP archive, not a GLB");
    obj_file_fails: WrongFile(b"# obj\nv 1 2 3\n") => fails(1, "fal: the model file is an OBJ file, not a GLB");
    fbx_file_fails: WrongFile(b"Kaydara FBX Binary") => fails(1, "fal: the model file is an FBX file, not a GLB");
    /// The header gives a length of 65,535 bytes.
    truncated_file_fails: WrongFile(b"glTF\x02\0\0\0\xff\xff\0\0\x10\0\0\0JSON{}") => fails(1, "fal: the model file is incomplete");

    // The deadline
    running_job_is_cancelled_at_the_deadline: NeverFinishes => fails(1, "fal: the job was not done after 2 s and was cancelled; last status: HTTP 499: Client cancelled the request; the model may have been charged and is not requested again");
    queued_job_is_cancelled_at_the_deadline: NeverStarts(Accepted) => fails(0, "fal: the job was not done after 2 s and was cancelled; last status: HTTP 499: Client cancelled the request; the model may have been charged and is not requested again");
    cancellation_accepted_with_200_is_not_billed: NeverStarts(AcceptedWith200) => fails(0, "fal: the job was not done after 2 s and was cancelled; last status: HTTP 499: Client cancelled the request; the model may have been charged and is not requested again");
    job_that_completes_despite_its_cancellation_is_used: NeverStarts(CompletesAnyway) => Completes;
    cancellation_rejected_by_status_uses_the_completed_job: NeverStarts(AlreadyCompletedStatus) => Completes;
    cancellation_rejected_by_detail_uses_the_completed_job: NeverStarts(AlreadyCompletedDetail) => Completes;
    cancellation_of_an_unknown_job_fails: NeverStarts(NotFound) => fails(1, "fal: the job was not done after 2 s and was cancelled; last status: the job no longer exists; the model may have been charged and is not requested again");

    // Every request
    slow_responses_are_awaited: Slow(100) => Completes;
    slow_response_to_the_submit_is_awaited: SubmitDelayed(300) => Completes;
    unreachable_service_fails: Unreachable => fails(0, "fal: the connection broke; the model may have been charged and is not requested again");
    silent_service_fails: Silent => fails(0, "fal: no response in time; the model may have been charged and is not requested again");
}
