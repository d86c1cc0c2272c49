//! Ends the jobs of deleted sessions at the remote engines. A job is stored until that is done, so that
//! a restart does not forget it, and for a day after that, so that no session whose own job is lost takes
//! it.

use std::ops::ControlFlow;
use std::time::Duration;

use api::{Api, StoreError, Worker};

use crate::engines::{JobEnd, RemoteEngine};
use crate::notify::Notify;

/// The longest pause between two attempts to end the jobs of an engine that cannot be reached.
const MAX_PAUSE: Duration = Duration::from_secs(60);
/// How often a job is looked at whose worker may still save its id.
const WORKER_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What is left after a look at the jobs of an engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Remaining {
    Nothing,
    /// Jobs that a worker requests at the moment.
    RunningWorkers,
    /// Jobs that could not be ended yet.
    FailedAttempts,
}

/// Ends the jobs of an engine's deleted sessions until the server stops.
pub fn end_deleted_jobs(api: &Api, name: &str, engine: &RemoteEngine, notify: &Notify) {
    let mut pause = engine.poll_interval();
    while let Some(seen) = notify.notifications() {
        let remaining = end_all(api, name, engine, notify);
        match remaining.unwrap_or(Remaining::FailedAttempts) {
            Remaining::Nothing => notify.wait(seen, None),
            Remaining::RunningWorkers => notify.wait(seen, Some(WORKER_CHECK_INTERVAL)),
            Remaining::FailedAttempts => {
                notify.sleep(pause);
                pause = MAX_PAUSE.min(2 * pause);
                continue;
            }
        }
        pause = engine.poll_interval();
    }
}

/// Looks at each job of an engine once. Ends those that can be ended.
fn end_all(
    api: &Api,
    name: &str,
    engine: &RemoteEngine,
    notify: &Notify,
) -> Result<Remaining, StoreError> {
    let mut remaining = Remaining::Nothing;
    for job in api.deleted_jobs(name)? {
        if job.is_ended {
            if engine.is_forgettable(&job.note) {
                api.forget_deleted_job(name, &job)?;
            }
            continue;
        }
        if job.worker == Worker::Running && !engine.is_submitted(&job.note) {
            remaining = remaining.max(Remaining::RunningWorkers);
            continue;
        }
        let load_others = || api.other_notes(name, &job);
        let end = engine.end_job(
            &job.note,
            load_others,
            &mut |_| match notify.notifications() {
                Some(_) => ControlFlow::Continue(()),
                None => ControlFlow::Break(()),
            },
        );
        match end? {
            JobEnd::Done => api.end_deleted_job(name, &job)?,
            JobEnd::Retry => remaining = Remaining::FailedAttempts,
        }
    }
    Ok(remaining)
}
