//! How a session ends under each scenario of Meshy.

use super::harness::Outcome::Completes;
use super::harness::fails;
use crate::emulators::hosted::Engine;
use crate::emulators::hosted::scenario::RetryAfter::{Absent, Present};
use crate::emulators::hosted::scenario::Scenario::*;

session_tests! {
    Engine::Meshy;

    // The request for a model
    completes_without_faults: Normal => Completes;
    submit_is_repeated_after_429_with_retry_after: BusyAtFirst(429, "RateLimitExceeded", Present) => Completes;
    submit_is_repeated_after_429: BusyAtFirst(429, "RateLimitExceeded", Absent) => Completes;
    submit_is_repeated_after_too_many_concurrent_tasks: BusyAtFirst(429, "NoMoreConcurrentTasks", Absent) => Completes;
    submit_is_repeated_after_too_many_pending_tasks: BusyAtFirst(429, "NoMorePendingTasks", Absent) => Completes;
    // The list of tasks has the job whose id was lost.
    submit_that_times_out_is_found_in_the_list: SubmitTimesOut => Completes;
    submit_that_is_reset_is_found_in_the_list: SubmitResets => Completes;
    submit_that_returns_500_is_found_in_the_list: SubmitReturns(500) => Completes;
    submit_that_returns_502_is_found_in_the_list: SubmitReturns(502) => Completes;
    submit_that_returns_503_is_found_in_the_list: SubmitReturns(503) => Completes;
    submit_that_returns_504_is_found_in_the_list: SubmitReturns(504) => Completes;
    submit_that_never_arrives_is_reported_as_possibly_charged: SubmitLost => fails(0, "meshy: no response in time; the model may have been charged and is not requested again");
    submit_rejected_for_the_input_fails: SubmitRejected(400, "Input is invalid") => fails(0, "meshy: HTTP 400: Input is invalid");
    submit_rejected_for_the_key_fails: SubmitRejected(401, "Invalid API key") => fails(0, "meshy: HTTP 401: Invalid API key");
    submit_rejected_for_the_balance_fails: SubmitRejected(402, "Insufficient funds") => fails(0, "meshy: HTTP 402: Insufficient funds");

    // Polls
    task_that_skips_the_queue_completes: SkipsQueue => Completes;
    unknown_fields_of_the_task_are_ignored: UnknownFields => Completes;
    polls_continue_while_the_key_is_rejected: PollsFail(401, "Invalid API key") => Completes;
    polls_continue_without_balance: PollsFail(402, "Insufficient funds") => Completes;
    polls_continue_after_429: PollsFail(429, "RateLimitExceeded") => Completes;
    polls_continue_after_503: PollsFail(503, "down") => Completes;
    polls_continue_after_resets: PollsReset => Completes;
    unknown_status_is_polled_until_the_deadline: UnknownStatus => fails(1, "meshy: the job's state was unknown for 6 s; last error: unexpected response: unknown job status; the model may have been charged and is not requested again");
    forgotten_task_fails: JobForgotten => fails(1, "meshy: the task no longer exists");
    failed_task_fails_with_its_message: JobFails => fails(0, "meshy: task FAILED: Image too small …");
    canceled_task_fails: JobAborts => fails(0, "meshy: task CANCELED: Image too small …");

    // The download
    expired_file_url_is_renewed_once: FileUrlExpiresOnce => Completes;
    file_url_that_stays_expired_fails: FileUrlExpired => fails(1, "meshy: the result has expired");
    download_is_repeated_after_503: FileFails(1) => Completes;
    download_is_repeated_after_many_503: FileFails(20) => Completes;
    download_that_fails_and_then_expires_is_repeated: FileFailsThenExpires => Completes;
    redirect_to_the_same_host_is_followed: FileRedirectsOnce => Completes;
    file_on_another_host_is_not_fetched: FileOnOtherHost => fails(1, "meshy: the result is at \"127.0.0.1:9\", and only results from {files} are downloaded; add the host to result_hosts in the engine's configuration");
    zip_file_fails: WrongFile(b"PK\x03\x04 zipped") => fails(1, "meshy: the model file is a ZIP archive, not a GLB");

    // The deadline
    running_task_ends_at_the_deadline: NeverFinishes => fails(1, "meshy: the job was not done after 2 s; last status: generating the model at Meshy; the model may have been charged and is not requested again");

    // Every request
    slow_responses_are_awaited: Slow(100) => Completes;
    slow_response_to_the_submit_is_awaited: SubmitDelayed(300) => Completes;
    unreachable_service_fails: Unreachable => fails(0, "meshy: the connection broke; the model may have been charged and is not requested again");
    silent_service_fails: Silent => fails(0, "meshy: no response in time; the model may have been charged and is not requested again");
}
