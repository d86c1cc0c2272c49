//! The jobs of deleted sessions, which their engines have still to end.

use std::sync::Arc;

use api::http::StatusCode;
use api::{
    Api, Cents, Config, EndedJob, Engine, Model, ModelError, Parameters, Progress, RemoteEngines,
    Source, VIEW_COUNT, Worker,
};
use serde_json::Value;

use super::harness::{
    Noting, SESSIONS, START, Storage, config as plain_config, create, next_job, open, send, session,
};

/// Remote engines whose jobs go on.
struct Remote;

impl RemoteEngines for Remote {
    fn price(&self, _: &str, _: &Parameters) -> Option<Cents> {
        None
    }

    fn after_deletion(&self, _: &str, note: &str) -> Option<EndedJob> {
        Some(EndedJob {
            message: format!("{note} goes on."),
            may_be_charged: true,
        })
    }
}

fn config() -> Config {
    Config {
        remote_engines: Some(Arc::new(Remote)),
        ..plain_config()
    }
}

pub fn keeps_the_jobs_of_deleted_sessions_until_they_are_forgotten(storage: &dyn Storage) {
    let config = config();
    let api = open(storage, &config);
    let delete = |api: &Api, code: &str| {
        let path = format!("{SESSIONS}/{code}");
        send(api, "a", ("DELETE", &path), None, &Value::Null, START)
    };
    let done = create(&api, "a", START);
    api.run_job(next_job(&api), None, &Noting("job 1")).unwrap();
    assert_eq!(delete(&api, &done).status(), StatusCode::NO_CONTENT);
    let unfinished = create(&api, "a", START);
    api.run_job(next_job(&api), None, &Noting("later")).unwrap();
    let response = delete(&api, &unfinished);
    let json: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(json["message"], "Deleted. later goes on.");
    drop(api);
    let api = open(storage, &config);
    assert!(api.deleted_jobs("paid").unwrap().is_empty());
    let jobs = || {
        let mut jobs = api.deleted_jobs("free").unwrap();
        jobs.sort_by_key(|job| job.note.clone());
        jobs
    };
    let states = || {
        let states = jobs().into_iter().map(|job| (job.note, job.is_ended));
        states.collect::<Vec<_>>()
    };
    assert_eq!(states(), [("job 1".into(), true), ("later".into(), false)]);
    let [first, second] = &jobs()[..] else {
        panic!("{:?}", jobs());
    };
    assert_eq!(second.worker, Worker::Absent);
    api.end_deleted_job("free", second).unwrap();
    assert_eq!(states(), [("job 1".into(), true), ("later".into(), true)]);
    api.forget_deleted_job("free", first).unwrap();
    // The search for the job of another session has to know it.
    let last = create(&api, "b", START);
    api.run_job(next_job(&api), None, &Noting("others"))
        .unwrap();
    assert_eq!(session(&api, "b", &last)["error"], "later");
    api.forget_deleted_job("free", second).unwrap();
    assert!(states().is_empty());
}

/// Deletes its own session before it saves a note, as when the session is deleted while its job is
/// requested.
struct Deleting<'a>(&'a Api);

impl Engine for Deleting<'_> {
    fn model(
        &self,
        source: Source,
        _: api::Detail,
        _: usize,
        _: &mut Progress,
    ) -> Result<Model, ModelError> {
        source.checkpoint.save("requesting")?;
        let path = format!("{SESSIONS}/{}", source.code);
        send(self.0, "a", ("DELETE", &path), None, &Value::Null, START);
        let [job] = &self.0.deleted_jobs("free").unwrap()[..] else {
            panic!("no deleted job");
        };
        assert_eq!(
            (job.note.as_str(), job.worker),
            ("requesting", Worker::Running)
        );
        source.checkpoint.save("requested")?;
        unreachable!("the session was deleted")
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        unreachable!("no views are requested")
    }
}

pub fn keeps_the_id_of_a_job_that_is_created_after_its_session_was_deleted(storage: &dyn Storage) {
    let config = config();
    let api = open(storage, &config);
    create(&api, "a", START);
    api.run_job(next_job(&api), None, &Deleting(&api)).unwrap();
    drop(api);
    let api = open(storage, &config);
    let jobs = api.deleted_jobs("free").unwrap();
    let [job] = jobs.as_slice() else {
        panic!("{jobs:?}");
    };
    assert_eq!(
        (job.note.as_str(), job.worker),
        ("requested", Worker::Absent)
    );
}
