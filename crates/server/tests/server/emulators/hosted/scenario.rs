//! The faults that the emulators of hosted engines can simulate.

/// How a queue reacts to the cancellation of a job.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Cancel {
    /// [A] 202; the job ends as cancelled.
    Accepted,
    /// [B] 200; the job ends as cancelled.
    AcceptedWith200,
    /// [A] 202, but the job completes.
    CompletesAnyway,
    /// [A] 400 with `status`: the job had just completed.
    AlreadyCompletedStatus,
    /// [B] 400 with `detail`: the job had just completed.
    AlreadyCompletedDetail,
    /// [A] 404: the job is unknown.
    NotFound,
}

/// Whether a response has a `Retry-After` header.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum RetryAfter {
    Present,
    Absent,
}

/// The fault of the engine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Scenario {
    /// Nothing.
    Normal,

    /// [C] The job starts; the response to the submit takes this many milliseconds.
    SubmitDelayed(u64),
    /// [A] The job starts; the response to the submit never arrives.
    SubmitTimesOut,
    /// [A] The job starts; the connection breaks before the response.
    SubmitResets,
    /// [A] The job starts; a gateway responds with this status.
    SubmitReturns(u16),
    /// [A] No job starts; the response never arrives.
    SubmitLost,
    /// [A] The first two submits are rejected with this status and message.
    BusyAtFirst(u16, &'static str, RetryAfter),
    /// [A] Every submit is rejected with this status; [B] with this message.
    SubmitRejected(u16, &'static str),

    /// [A] ComfyUI: it chooses the job's id itself, as older versions do.
    OwnJobId,
    /// [B] ComfyUI: the result is a path, as that of Preview3D.
    ResultIsPath,
    /// [A] ComfyUI: the workflow saves no model.
    NoResult,
    /// [C] Tripo and ComfyUI: the first upload of the image fails with this status.
    UploadFails(u16),

    /// [A] The job runs at once, without a place in the queue.
    SkipsQueue,
    /// [A] fal: the job stays in the queue until it is cancelled, which ends in this way.
    NeverStarts(Cancel),
    /// [B] Progress stops at 99 % for ever.
    NeverFinishes,
    /// [A] The job fails.
    JobFails,
    /// [A] fal: COMPLETED with an `error`, and 504 for the result. Meshy: CANCELED.
    JobAborts,
    /// [A] The job becomes unknown.
    JobForgotten,

    /// [B] Polls 2 to 5 fail with this status and message: the account is locked, or the service
    /// has an outage. The job continues.
    PollsFail(u16, &'static str),
    /// [C] The connections of polls 2 to 5 break.
    PollsReset,
    /// [C] Every request breaks: the engine is unreachable.
    Unreachable,
    /// [C] Every request waits for a response that never arrives.
    Silent,
    /// [C] Every response takes this many milliseconds.
    Slow(u64),
    /// [C] The status has unknown fields.
    UnknownFields,
    /// [C] The status is unknown.
    UnknownStatus,
    /// [C] fal: the job's URLs are on another host.
    JobUrlsOnOtherHost,

    /// [B] fal: the status is COMPLETED, but the first request for the result returns 400.
    ResultNotReadyOnce,
    /// [B] fal: a gateway returns HTML for the first two requests for the result.
    ResultFailsAtFirst,

    /// [A] Meshy: the first file URL has expired; the next poll returns a fresh one. [C] fal: its
    /// URLs are not signed.
    FileUrlExpiresOnce,
    /// [A] Every file URL has expired.
    FileUrlExpired,
    /// [C] The first downloads, this many, return 503.
    FileFails(usize),
    /// [C] The first download returns 503, the second finds the URL expired.
    FileFailsThenExpires,
    /// [A] The file has another format.
    WrongFile(&'static [u8]),
    /// [C] The files of other formats than GLB are web pages.
    OtherFormatsAreWebPages,
    /// [C] The file never ends.
    FileEndless,
    /// [C] The file's URL is on an unexpected host.
    FileOnOtherHost,
    /// [C] The file redirects to a link-local address.
    FileRedirectsToPrivateAddress,
    /// [C] The file redirects to its real URL.
    FileRedirectsOnce,
    /// [C] The file redirects to itself.
    FileRedirectsForever,
}
