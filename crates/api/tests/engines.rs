//! The selection of an engine, its checkpoints and its progress.
#![allow(missing_docs)]

mod support;

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use api::{
    CheckpointError, Config, Detail, Engine, EngineFilter, JobKind, Millis, Model, ModelError,
    Progress, Sculptor, Source, VIEW_COUNT,
};
use serde_json::{Value, json};
use support::*;

/// Saves the requested detail as its checkpoint, and stops if it is configured to.
struct CheckpointEngine<'a> {
    /// The checkpoints that were found.
    found: &'a Mutex<Vec<Option<String>>>,
    stops: bool,
}

impl Engine for CheckpointEngine<'_> {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        _: usize,
        _: &mut Progress,
    ) -> Result<Model, ModelError> {
        self.found.lock().unwrap().push(source.checkpoint.load()?);
        assert_eq!(source.preview.is_some(), detail == Detail::Refined);
        source.checkpoint.save(&format!("{detail:?}"))?;
        source.checkpoint.set_status("2 jobs ahead");
        if self.stops {
            return Err(ModelError::Cancelled);
        }
        Ok(Model {
            glb: b"glTF".into(),
            service_files: Vec::new(),
            unsupported: vec!["creativity".into()],
        })
    }

    fn views(&self, _: Source, _: &mut Progress) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Err(ModelError::Cancelled)
    }
}

fn two_engines() -> Config {
    Config {
        engines: vec!["remote".into(), "sculpt".into()],
        ..Default::default()
    }
}

#[test]
fn uses_the_selected_engine_or_the_first() {
    let api = TestApi::without_engine(&two_engines());
    assert_eq!(api.create(json!({}))["engine"], "remote");
    assert_eq!(api.create(json!({"engine": null}))["engine"], "remote");
    assert_eq!(api.create(json!({"engine": "sculpt"}))["engine"], "sculpt");
    for (engine, message) in [
        (
            json!("magic"),
            "Invalid engine \"magic\": expected \"remote\" or \"sculpt\"",
        ),
        (json!(7), "Invalid engine 7: expected the name of an engine"),
    ] {
        let response = api.post(SESSIONS, &with_image(json!({"engine": engine})));
        assert_eq!(error_message(&response, 400), message);
    }
    let kind = |name| JobKind::Engine(EngineFilter::Named(name));
    let later = api.now + 1000;
    let job = api.inner.next_job_of(kind("sculpt"), later).unwrap();
    assert_eq!(job.unwrap().engine(), "sculpt");
    let due = api.inner.next_due_of(kind("other"), later).unwrap();
    assert_eq!(due, None);
}

#[test]
fn keeps_a_checkpoint_across_processes_until_its_stage_ends() {
    let store = SharedStore::default();
    let found = Mutex::default();
    let run = |api: &TestApi, stops| {
        let found = &found;
        let job = api.inner.next_job(api.now).unwrap().unwrap();
        let engine = CheckpointEngine { found, stops };
        api.inner.run_job(job, None, &engine).unwrap();
    };
    let mut api = store.open(&two_engines(), START);
    api.engine = None;
    let session = api.create(json!({"auto_refine": true}));
    let code = session["session_code"].as_str().unwrap().to_owned();
    api.now += 1000;
    run(&api, true);
    api = store.open(&two_engines(), api.now);
    api.engine = None;
    run(&api, false);
    api.now += 1000;
    assert_eq!(api.session(&code)["unsupported"], json!(["creativity"]));
    run(&api, false);
    let expected = [None, Some("Preview".to_owned()), None];
    assert_eq!(*found.lock().unwrap(), expected);
}

/// Runs the job of a new session while its checkpoint cannot be saved. Returns whether the job ended, and
/// the session.
fn run_with_failing_checkpoint(outcome: Result<(), ModelError>) -> (bool, Value) {
    let store = SharedStore::default();
    let mut api = store.open(&two_engines(), START);
    api.engine = None;
    let code = code(&api.create(json!({"generate_preview_mesh": true})));
    let engine = Stub(|source: &Source, _: &mut Progress| {
        store.is_full.store(true, Ordering::Relaxed);
        let saved = source.checkpoint.save("job 17");
        assert_eq!(saved, Err(CheckpointError::Store));
        store.is_full.store(false, Ordering::Relaxed);
        outcome.clone()
    });
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    let is_over = api.inner.run_job(job, None, &engine).is_ok();
    api.now += 1000;
    (is_over, api.session(&code))
}

#[test]
fn result_counts_although_a_checkpoint_was_not_saved() {
    let (is_over, session) = run_with_failing_checkpoint(Ok(()));
    assert!(is_over);
    assert_eq!(session["status"], "preview_done");
    let failed = ModelError::Failed("no such model".into());
    let (is_over, session) = run_with_failing_checkpoint(Err(failed));
    assert!(is_over);
    assert_eq!(session["error"], "no such model");
}

#[test]
fn job_that_stops_because_of_its_checkpoint_is_due_again() {
    let (is_over, session) = run_with_failing_checkpoint(Err(ModelError::Cancelled));
    assert!(!is_over);
    assert_eq!(session["status"], "training_preview");
}

#[test]
fn returns_the_engine_status_while_the_job_runs() {
    let mut api = TestApi::without_engine(&two_engines());
    let session = api.create(json!({}));
    let code = session["session_code"].as_str().unwrap().to_owned();
    api.now += 1000;
    let seen = Mutex::new(Value::Null);
    let engine = Stub(|source: &Source, _: &mut Progress| {
        source.checkpoint.set_status("2 jobs ahead");
        let polled = api.inner.handle(
            &request("GET", &format!("{SESSIONS}/{code}"), &[], ""),
            api.now,
        );
        *seen.lock().unwrap() = serde_json::from_slice(polled.body()).unwrap();
        Ok(())
    });
    let job = api.inner.next_job(api.now).unwrap().unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    assert_eq!(
        seen.into_inner().unwrap()["data"]["engine_status"],
        "2 jobs ahead"
    );
    api.now += 1000;
    assert_eq!(api.session(&code)["engine_status"], Value::Null);
}

#[test]
fn leases_jobs_with_a_checkpoint_before_older_ones() {
    let store = SharedStore::default();
    let found = Mutex::default();
    let mut api = store.open(&two_engines(), START);
    api.engine = None;
    let codes: Vec<_> = (0..4)
        .map(|_| {
            api.now += 10;
            code(&api.create(json!({"generate_preview_mesh": true})))
        })
        .collect();
    let jobs = codes
        .iter()
        .map(|_| api.inner.next_job(api.now).unwrap().unwrap());
    let jobs: Vec<_> = jobs.collect();
    for (at, job) in jobs.into_iter().enumerate() {
        let engine = CheckpointEngine {
            found: &found,
            stops: true,
        };
        if at >= 2 {
            api.inner.run_job(job, None, &engine).unwrap();
        }
    }
    let api = store.open(&two_engines(), api.now);
    let codes_seen = Mutex::new(Vec::new());
    let engine = Stub(|source: &Source, _: &mut Progress| {
        codes_seen.lock().unwrap().push(source.code.to_owned());
        Ok(())
    });
    while let Some(job) = api.inner.next_job(api.now).unwrap() {
        api.inner.run_job(job, None, &engine).unwrap();
    }
    let expected = [2, 3, 0, 1].map(|at: usize| codes[at].clone());
    assert_eq!(codes_seen.into_inner().unwrap(), expected);
}

/// Returns the `status`, `session_status` and `percent_done` after these milliseconds.
fn status_after(api: &TestApi, code: &str, after: Millis) -> Value {
    let poll = request("GET", &format!("{SESSIONS}/{code}"), &[], "");
    let session = data(&api.inner.handle(&poll, START + after));
    json!([
        session["status"],
        session["session_status"],
        session["percent_done"]
    ])
}

/// Runs the next job with an engine that reports this progress, and returns the status after each
/// report.
fn statuses_while_running(api: &TestApi, code: &str, after: Millis, reports: &[f32]) -> Vec<Value> {
    let seen = Mutex::new(Vec::new());
    let engine = Stub(|_: &Source, progress: &mut Progress| {
        for fraction in reports {
            assert!(progress(*fraction).is_continue());
            seen.lock().unwrap().push(status_after(api, code, after));
        }
        Ok(())
    });
    let job = api.inner.next_job(START + after).unwrap().unwrap();
    api.inner.run_job(job, None, &engine).unwrap();
    seen.into_inner().unwrap()
}

#[test]
fn returns_the_progress_of_a_remote_engine_as_percentage() {
    let api = TestApi::without_engine(&two_engines());
    let code = code(&api.create(json!({"auto_refine": true})));
    for (after, status) in [
        (0, "spin_generate_processing"),
        (999, "spin_generate_processing"),
        (60_000, "training_preview"),
    ] {
        let waiting = json!([status, "queued", 0]);
        assert_eq!(
            status_after(&api, &code, after),
            waiting,
            "after {after} ms"
        );
    }
    let reports = [0.0, 0.01, 0.29, 0.5, 0.2, 1.0];
    let expected = [0, 1, 29, 50, 50, 99].map(|percent| {
        let state = if percent == 0 {
            "queued"
        } else {
            "in_progress"
        };
        json!(["training_preview", state, percent])
    });
    assert_eq!(
        statuses_while_running(&api, &code, 1100, &reports),
        expected
    );
    // The model is created before the stage is over; the remaining stages take the engine no time.
    for (after, status) in [(1100, "training_preview"), (2000, "training_refine")] {
        let made = json!([status, "in_progress", 99]);
        assert_eq!(status_after(&api, &code, after), made, "after {after} ms");
    }
    let refining = json!(["training_refine", "in_progress", 99]);
    assert_eq!(
        statuses_while_running(&api, &code, 2000, &[0.0, 0.5]),
        [refining.clone(), refining]
    );
    let complete = json!(["refine_done", "complete", 100]);
    assert_eq!(status_after(&api, &code, 4000), complete);
}

#[test]
fn is_in_progress_while_the_caller_selects_a_spin() {
    let mut api = TestApi::without_engine(&two_engines());
    let code = code(&api.create(json!({"preview_mesh": "turbo"})));
    let viewing = json!(["spin_generate_processing", "queued", 0]);
    assert_eq!(statuses_while_running(&api, &code, 10, &[0.9]), [viewing]);
    let selecting = json!(["spin_generate_done", "in_progress", 0]);
    assert_eq!(status_after(&api, &code, 1000), selecting);
    api.now += 1000;
    let started = api.preview(&code, &json!({"selected_spin_index": 2}));
    assert_eq!(data(&started)["session_status"], "queued");
    let running = json!(["training_preview", "in_progress", 30]);
    assert_eq!(statuses_while_running(&api, &code, 1000, &[0.3]), [running]);
    let complete = json!(["preview_done", "complete", 100]);
    assert_eq!(status_after(&api, &code, 2000), complete);
}

/// Creates a preview with compressed meshes, and an uncompressed refined model.
struct CompressingEngine;

impl Engine for CompressingEngine {
    fn model(
        &self,
        source: Source,
        detail: Detail,
        view: usize,
        progress: &mut Progress,
    ) -> Result<Model, ModelError> {
        let mut model = Sculptor.model(source, detail, view, progress)?;
        if detail == Detail::Preview {
            let mut file = gltf::Glb::from_slice(&model.glb).unwrap();
            let mut json: Value = serde_json::from_slice(&file.json).unwrap();
            json["extensionsRequired"] = json!(["KHR_draco_mesh_compression"]);
            file.json = serde_json::to_vec(&json).unwrap().into();
            model.glb = file.to_vec().unwrap();
        }
        Ok(model)
    }

    fn views(
        &self,
        source: Source,
        progress: &mut Progress,
    ) -> Result<[Vec<u8>; VIEW_COUNT], ModelError> {
        Sculptor.views(source, progress)
    }
}

/// Returns the names of the fields with the URLs of models.
fn url_fields(session: &Value) -> Vec<&str> {
    let names = session.as_object().unwrap().keys().map(String::as_str);
    names.filter(|name| name.contains("mesh_url")).collect()
}

const REFINED: [&str; 7] = [
    "mesh_url",
    "mesh_url_3mf",
    "mesh_url_glb",
    "mesh_url_obj",
    "mesh_url_stl",
    "mesh_url_usdz",
    "mesh_url_zip",
];

#[test]
fn offers_a_model_in_the_formats_that_it_can_be_converted_to() {
    let mut api = TestApi::without_engine(&Config::default());
    api.engine = Some(Box::new(CompressingEngine));
    let code = code(&api.create(json!({})));
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "preview_done");
    assert_eq!(
        url_fields(&session),
        ["mesh_url_glb", "preview_mesh_url_glb"]
    );
    assert_eq!(api.get_url(&session["mesh_url_glb"]).status(), 200);
    let message = error_message(&api.get(&format!("/files/{code}/preview.obj")), 500);
    let prefix = "This model cannot be converted to obj: ";
    assert!(message.starts_with(prefix), "{message}");
    assert!(message.contains("KHR_draco_mesh_compression"), "{message}");

    assert_eq!(api.refine(&code, &json!({})).status(), 200);
    api.now += 2000;
    let session = api.session(&code);
    assert_eq!(session["status"], "refine_done");
    let expected = REFINED.into_iter().chain(["preview_mesh_url_glb"]);
    assert_eq!(url_fields(&session), expected.collect::<Vec<_>>());
    for name in REFINED {
        assert_eq!(api.get_url(&session[name]).status(), 200, "{name}");
    }
}
